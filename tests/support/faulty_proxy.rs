//! A bad road in front of a good server: an HTTP/1.1 proxy that loses, halves, doubles and delays on order.
//!
//! Decided here: what each fault does to one request, and which request it falls on. Not here: what the program should
//! make of it. The journal tells what the server really saw, which the program under test cannot know.
//!
//! Invariant: a request without a fault reaches the server once, and its answer comes back byte for byte. The journal
//! has a request's line before its caller can learn anything of the answer.
#![expect(clippy::expect_used, reason = "a ground that cannot be set up fails its test, with words")]

use std::io::{self, BufReader, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::Duration;

use super::http::{self, Answer, BodyRule, Head};

/// For a rule that never wears off.
pub(crate) const ALWAYS: usize = usize::MAX;

/// What can happen to one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Closed before the server saw it.
    Refuse,
    /// The server acted; the connection closes without a byte of the answer.
    LostAnswer,
    /// The server acted; the answer breaks off in the middle of its body.
    HalfAnswer,
    /// The server acted; the connection is reset.
    Reset,
    /// The server acted; nothing is heard for so long, then the connection closes.
    Hang(Duration),
    /// The server got it twice; the second answer comes back.
    Doubled,
    /// Answered in the server's place; the server never saw it. 429 and 503 ask to come back after a second.
    StatusBefore(u16),
    /// Answered in the server's place with a status and an error of that name; the server never saw it.
    Says(u16, &'static str),
    /// The server acted; its answer is replaced by this one.
    StatusAfter(u16),
    /// Passed on this much later, then all is well.
    Slow(Duration),
    /// The server acted; the answer is a web page that says 200.
    GarbageHtml,
    /// The server acted; the answer says 200 and JSON, and is none.
    GarbageJson,
    /// The server acted; the answer is a JSON text of so many bytes.
    HugeBody(u64),
}

/// One request, as it went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) method: String,
    /// With the query.
    pub(crate) path: String,
    /// What the server said, whatever the caller was told; `None` where it never saw the request.
    pub(crate) upstream_status: Option<u16>,
    pub(crate) fault: Option<Fault>,
}

/// A proxy on loopback with the faults it was told to make. It ends when dropped, hanging answers with it.
pub(crate) struct FaultyProxy {
    address: SocketAddr,
    road: Arc<Road>,
}

struct Road {
    /// `host:port` of the server.
    upstream: String,
    plan: Mutex<Plan>,
    journal: Mutex<Vec<Entry>>,
    callers: Mutex<Vec<Weak<TcpStream>>>,
    ended: AtomicBool,
    /// Wakes the answers that hang.
    end: Condvar,
    waiting: Mutex<()>,
}

#[derive(Default)]
struct Plan {
    rules: Vec<Rule>,
    random: Option<RandomFaults>,
}

struct Rule {
    method: String,
    path_part: String,
    fault: Fault,
    times: usize,
}

struct RandomFaults {
    state: u64,
    probability: f64,
    path_part: String,
}

/// How the connection to the caller goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Connection {
    Keep,
    Close,
    Reset,
}

impl FaultyProxy {
    /// Stands in front of `upstream`, a URL like `http://localhost:2583`, without faults at first.
    pub(crate) fn start(upstream: &str) -> FaultyProxy {
        let upstream = http::place(upstream).expect("the server's URL is http://HOST:PORT").authority;
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("loopback has a free port");
        let address = listener.local_addr().expect("a bound listener has an address");
        let road = Arc::new(Road {
            upstream,
            plan: Mutex::default(),
            journal: Mutex::default(),
            callers: Mutex::default(),
            ended: AtomicBool::new(false),
            end: Condvar::new(),
            waiting: Mutex::new(()),
        });
        let accepting = Arc::clone(&road);
        thread::spawn(move || accepting.accept(&listener));
        FaultyProxy { address, road }
    }

    /// `http://127.0.0.1:PORT`.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The next `times` requests of that method (`*`: any) whose path or query contains `path_part` get the fault.
    /// Of several rules that fit, the first made with times left is used.
    pub(crate) fn rule(&self, method: &str, path_part: &str, fault: Fault, times: usize) {
        let rule = Rule { method: method.to_owned(), path_part: path_part.to_owned(), fault, times };
        hold(&self.road.plan).rules.push(rule);
    }

    /// Requests whose path or query contains `path_part`, and that no rule fits, get some fault with this probability,
    /// 0 to 1. Which ones follows from the seed and the order in which requests arrive. No fault lasts over a second.
    pub(crate) fn random(&self, seed: u64, probability: f64, path_part: &str) {
        let random = RandomFaults { state: seed, probability, path_part: path_part.to_owned() };
        hold(&self.road.plan).random = Some(random);
    }

    /// Mends the road: no rules, nothing random.
    pub(crate) fn clear(&self) {
        *hold(&self.road.plan) = Plan::default();
    }

    /// Every request so far, in the order in which they were settled.
    pub(crate) fn journal(&self) -> Vec<Entry> {
        hold(&self.road.journal).clone()
    }
}

impl Drop for FaultyProxy {
    fn drop(&mut self) {
        self.road.ended.store(true, Ordering::SeqCst);
        drop(hold(&self.road.waiting)); // whoever is about to wait has either seen `ended` or hears the call
        self.road.end.notify_all();
        for caller in hold(&self.road.callers).iter().filter_map(Weak::upgrade) {
            caller.shutdown(Shutdown::Both).ok(); // closed already is as good
        }
        drop(http::connect(&self.address.to_string())); // the listener is asleep in accept
    }
}

impl Plan {
    fn fault_for(&mut self, method: &str, path: &str) -> Option<Fault> {
        let fits = |rule: &&mut Rule| {
            rule.times > 0 && (rule.method == "*" || rule.method == method) && path.contains(&rule.path_part)
        };
        if let Some(rule) = self.rules.iter_mut().find(fits) {
            if rule.times != ALWAYS {
                rule.times -= 1;
            }
            return Some(rule.fault);
        }
        let random = self.random.as_mut().filter(|random| path.contains(&random.path_part))?;
        random.draw()
    }
}

impl RandomFaults {
    fn draw(&mut self) -> Option<Fault> {
        const FAULTS: [Fault; 12] = [
            Fault::Refuse,
            Fault::LostAnswer,
            Fault::HalfAnswer,
            Fault::Reset,
            Fault::Hang(Duration::from_millis(600)),
            Fault::Doubled,
            Fault::StatusBefore(503),
            Fault::StatusBefore(429),
            Fault::StatusAfter(500),
            Fault::Slow(Duration::from_millis(300)),
            Fault::GarbageHtml,
            Fault::GarbageJson,
        ];
        // Both are drawn every time, so that another probability does not shift the faults that follow.
        let chance = f64::from(self.next()) / f64::from(u32::MAX);
        let which = self.next();
        let fault = usize::try_from(which).ok().and_then(|which| FAULTS.get(which % FAULTS.len()));
        fault.copied().filter(|_| chance < self.probability)
    }

    /// SplitMix64 (Steele, Lea and Flood 2014), its upper half.
    fn next(&mut self) -> u32 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        u32::try_from((mixed ^ (mixed >> 31)) >> 32).unwrap_or_default()
    }
}

impl Road {
    fn accept(self: &Arc<Road>, listener: &TcpListener) {
        for caller in listener.incoming() {
            if self.ended.load(Ordering::SeqCst) {
                return;
            }
            let Ok(caller) = caller else { continue };
            let caller = Arc::new(caller);
            let mut callers = hold(&self.callers);
            callers.retain(|caller| caller.strong_count() > 0);
            callers.push(Arc::downgrade(&caller));
            drop(callers);
            let road = Arc::clone(self);
            thread::spawn(move || {
                // A caller that goes away in the middle is what some tests are about, and nobody is left to tell.
                road.serve(&caller).ok();
            });
        }
    }

    /// One connection, request after request, for as long as both sides keep it.
    fn serve(&self, caller: &TcpStream) -> io::Result<()> {
        caller.set_nodelay(true)?;
        let mut reader = BufReader::new(caller);
        while let Some(head) = http::read_head(&mut reader)? {
            if head.header("Expect").is_some_and(|expected| expected.eq_ignore_ascii_case("100-continue")) {
                (&*caller).write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
            }
            let body = http::read_body(&mut reader, &head, BodyRule::OfRequest)?;
            match self.carry(&head, &body, caller)? {
                Connection::Keep if !head.header("Connection").is_some_and(|say| say.eq_ignore_ascii_case("close")) => {
                }
                Connection::Keep | Connection::Close => break,
                Connection::Reset => {
                    // Closing a socket that lingers for no time sends a reset instead of an end.
                    rustix::net::sockopt::set_socket_linger(caller, Some(Duration::ZERO))?;
                    return Ok(());
                }
            }
        }
        caller.shutdown(Shutdown::Both)
    }

    /// One request, with its fault.
    fn carry(&self, head: &Head, body: &[u8], caller: &TcpStream) -> io::Result<Connection> {
        let mut words = head.first_line.split(' ');
        let method = words.next().unwrap_or_default();
        let path = words.next().unwrap_or_default();
        let fault = hold(&self.plan).fault_for(method, path);
        let mut to = caller;
        let note = |upstream_status| {
            let entry = Entry { method: method.to_owned(), path: path.to_owned(), upstream_status, fault };
            hold(&self.journal).push(entry);
        };

        match fault {
            Some(Fault::Refuse) => {
                note(None);
                return Ok(Connection::Close);
            }
            Some(Fault::StatusBefore(status)) => {
                note(None);
                own_answer(status).write(to, method)?;
                return Ok(Connection::Keep);
            }
            Some(Fault::Says(status, name)) => {
                note(None);
                let body = format!("{{\"error\":\"{name}\",\"message\":\"made by the test's own proxy\"}}");
                plain(status, "application/json", body.into_bytes()).write(to, method)?;
                return Ok(Connection::Keep);
            }
            Some(Fault::Slow(delay)) => self.wait(delay),
            Some(Fault::Doubled) => {
                // Whatever becomes of the first one, the second is the one that is answered.
                self.ask(method, path, head, body).ok();
            }
            _ => {}
        }

        let answer = match self.ask(method, path, head, body) {
            Ok(answer) => answer,
            Err(error) => {
                note(None);
                let say = format!("the server behind the faulty proxy did not answer: {error}");
                plain(502, "text/plain", say.into_bytes()).write(to, method)?;
                return Ok(Connection::Keep);
            }
        };
        note(Some(answer.status));

        match fault {
            Some(Fault::LostAnswer) => Ok(Connection::Close),
            Some(Fault::Reset) => Ok(Connection::Reset),
            Some(Fault::Hang(silence)) => {
                self.wait(silence);
                Ok(Connection::Close)
            }
            Some(Fault::HalfAnswer) => {
                to.write_all(&answer.head_bytes(answer.body.len()))?;
                to.write_all(&answer.body[..answer.body.len() / 2])?;
                Ok(Connection::Close)
            }
            Some(Fault::StatusAfter(status)) => {
                own_answer(status).write(to, method)?;
                Ok(Connection::Keep)
            }
            Some(Fault::GarbageHtml) => {
                let page = b"<!DOCTYPE html><html><body><h1>Checking your browser</h1></body></html>".to_vec();
                plain(200, "text/html", page).write(to, method)?;
                Ok(Connection::Keep)
            }
            Some(Fault::GarbageJson) => {
                plain(200, "application/json", b"{\"uri\":\"at://did:plc:\x80\xff".to_vec()).write(to, method)?;
                Ok(Connection::Keep)
            }
            Some(Fault::HugeBody(length)) => huge_answer(to, length),
            Some(Fault::Doubled | Fault::Slow(_) | Fault::Refuse | Fault::StatusBefore(_) | Fault::Says(..)) | None => {
                answer.write(to, method)?;
                Ok(Connection::Keep)
            }
        }
    }

    fn ask(&self, method: &str, path: &str, head: &Head, body: &[u8]) -> io::Result<Answer> {
        let passed = head.headers.iter().filter(|(name, _)| !is_of_one_hop(name));
        let headers: Vec<(&str, &str)> = passed.map(|(name, value)| (name.as_str(), value.as_str())).collect();
        http::ask(method, &format!("http://{}{path}", self.upstream), &headers, body)
    }

    /// Waits that long, or until the proxy ends.
    fn wait(&self, time: Duration) {
        let guard = hold(&self.waiting);
        let going_on = |(): &mut ()| !self.ended.load(Ordering::SeqCst);
        drop(self.end.wait_timeout_while(guard, time, going_on));
    }
}

impl Answer {
    fn write(&self, mut to: &TcpStream, method: &str) -> io::Result<()> {
        to.write_all(&self.head_bytes(self.body.len()))?;
        if method != "HEAD" {
            to.write_all(&self.body)?;
        }
        Ok(())
    }

    fn head_bytes(&self, length: usize) -> Vec<u8> {
        let mut head = format!("HTTP/1.1 {} Passed\r\n", self.status);
        for (name, value) in self.headers.iter().filter(|(name, _)| !is_of_one_hop(name)) {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if self.status != 204 && self.status != 304 {
            head.push_str(&format!("Content-Length: {length}\r\n"));
        }
        head.push_str("\r\n");
        head.into_bytes()
    }
}

fn own_answer(status: u16) -> Answer {
    let body = br#"{"error":"FaultyRoad","message":"made by the test's own proxy"}"#.to_vec();
    let mut answer = plain(status, "application/json", body);
    if matches!(status, 429 | 503) {
        answer.headers.push(("Retry-After".to_owned(), "1".to_owned()));
    }
    answer
}

fn plain(status: u16, kind: &str, body: Vec<u8>) -> Answer {
    Answer { status, headers: vec![("Content-Type".to_owned(), kind.to_owned())], body }
}

fn huge_answer(mut to: &TcpStream, length: u64) -> io::Result<Connection> {
    let head = format!("HTTP/1.1 200 Passed\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n");
    to.write_all(head.as_bytes())?;
    let spaces = [b' '; 64 * 1024]; // blank space before a value is good JSON, so only the size can be wrong with it
    io::copy(&mut io::Read::take(Blank(&spaces), length.saturating_sub(4)), &mut to)?;
    to.write_all(b"null")?;
    Ok(Connection::Keep)
}

/// Blank space without end.
struct Blank<'a>(&'a [u8]);

impl io::Read for Blank<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut source = self.0;
        source.read(buffer)
    }
}

/// Headers that speak of one connection and are made anew for the next. `Expect` has been answered by then.
fn is_of_one_hop(name: &str) -> bool {
    const NAMES: [&str; 8] =
        ["connection", "keep-alive", "transfer-encoding", "content-length", "te", "upgrade", "host", "expect"];
    NAMES.iter().any(|hop| name.eq_ignore_ascii_case(hop))
}

fn hold<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
