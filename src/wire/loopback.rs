//! The real transport against real sockets: a server on loopback that counts connections and requests and misbehaves.
//!
//! Checked for every misbehaviour: exactly one connection and one request per call (rule 4), the right side of the line
//! between `NotSent` and `InDoubt`, and no secret in any error (T12).

mod server;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use chrono::DateTime;
use clock::{Boot, Clock, ManualClock, RealClock, within};
use http::header::{ACCEPT_ENCODING, CONNECTION, HOST, LOCATION, TRANSFER_ENCODING, USER_AGENT};
use http::{HeaderMap, Request, Response};
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use tokio_rustls::rustls::RootCertStore;

use crate::{GuardRefusal, HostPolicy, InDoubt, Limits, NotSent, Online, Transport, WireError};
use server::{Does, Names, Seen, Server, certificate, names};

const PRIVATE_TOO: HostPolicy = HostPolicy { allow_private_hosts: true };
const CANARY: &str = "CANARY-7f3a";

fn online(policy: HostPolicy, names: Arc<Names>) -> Online {
    Online::with(policy, names, RootCertStore::empty(), Arc::new(RealClock))
}

/// A post whose every part that may hold a secret holds one.
fn post(url: &str) -> Request<Bytes> {
    Request::post(format!("{url}?access_token={CANARY}"))
        .header("authorization", format!("Bearer {CANARY}"))
        .body(Bytes::from(format!("text={CANARY}")))
        .expect("a request")
}

fn quick() -> Limits {
    Limits { start: Duration::from_secs(5), total: Duration::from_secs(10), ..Limits::default() }
}

async fn send(url: &str, limits: Limits) -> Result<Response<Bytes>, WireError> {
    online(PRIVATE_TOO, names(&[])).send(post(url), limits).await
}

type Outcome = Result<u16, (InDoubt, Option<u16>)>;

/// Checks what comes of one call: its outcome, and that it was one connection and one request. No error holds a secret.
async fn check(does: Does, limits: Limits, expected: Outcome) -> Arc<Seen> {
    check_any(does, limits, &[expected]).await
}

/// As `check`, where the order in which the system delivers an answer and a reset decides between several outcomes.
async fn check_any(does: Does, limits: Limits, expected: &[Outcome]) -> Arc<Seen> {
    let requests = usize::from(!matches!(does, Does::ClosesAtOnce));
    let server = Server::start(does).await;
    // A second call is a connection of its own; had the first left anything behind, it would be counted by then.
    for call in 1..=2 {
        let outcome = match send(&server.url(), limits).await {
            Ok(answer) => Ok(answer.status().as_u16()),
            Err(error) => {
                assert!(!format!("{error} {error:?}").contains(CANARY), "{error:?}");
                match error {
                    WireError::InDoubt { why, status, .. } => Err((why, status)),
                    WireError::NotSent { why, .. } => panic!("was sent, but the error says {why:?}"),
                }
            }
        };
        assert!(expected.contains(&outcome), "{outcome:?} instead of {expected:?}");
        assert_eq!(server.seen.counts(), (call, call * requests));
    }
    server.seen
}

fn http(text: &str) -> Vec<u8> {
    text.replace('\n', "\r\n").into_bytes()
}

#[tokio::test]
async fn an_answer_is_an_answer_whatever_its_status() {
    for (line, status) in [("200 OK", 200), ("503 Unavailable", 503), ("429 Slow", 429), ("408 Timeout", 408)] {
        check(Does::Says(http(&format!("HTTP/1.1 {line}\ncontent-length: 2\n\nok"))), quick(), Ok(status)).await;
    }
    // Without a length the body ends with the connection.
    check(Does::Says(http("HTTP/1.0 200 OK\n\nall there is")), quick(), Ok(200)).await;
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = Server::start(Does::Says(http("HTTP/1.1 200 OK\ncontent-length: 0\n\n"))).await;
    for status in [301, 302, 303, 307, 308] {
        let head = format!("HTTP/1.1 {status} Elsewhere\nlocation: {}\ncontent-length: 0\n\n", elsewhere.url());
        check(Does::Says(http(&head)), quick(), Ok(status)).await;
        let server = Server::start(Does::Says(http(&head))).await;
        let answer = send(&server.url(), quick()).await.expect("answered");
        assert_eq!(answer.headers()[LOCATION], elsewhere.url());
    }
    assert_eq!(elsewhere.seen.counts(), (0, 0));
}

#[tokio::test]
async fn a_server_that_keeps_the_connection_gets_no_second_request_on_it() {
    let kept = http("HTTP/1.1 200 OK\nconnection: keep-alive\ncontent-length: 2\n\nok");
    let server = Server::start(Does::SaysAndWaits(kept)).await;
    let online = online(PRIVATE_TOO, names(&[]));
    for call in 1..=3 {
        let answer = online.send(post(&server.url()), quick()).await.expect("answered");
        assert_eq!(answer.body().as_ref(), b"ok");
        assert_eq!(server.seen.counts(), (call, call));
    }
}

#[tokio::test]
async fn a_connection_lost_before_the_answer_leaves_doubt() {
    check(Does::Says(Vec::new()), quick(), Err((InDoubt::Closed, None))).await;
    let lost = [Err((InDoubt::Closed, None)), Err((InDoubt::Reset, None))];
    check_any(Does::ClosesAtOnce, quick(), &lost).await;
    check(Does::SaysAndResets(Vec::new()), quick(), Err((InDoubt::Reset, None))).await;
    check(Does::Says(http("HTTP/1.1 200 OK\ncontent-le")), quick(), Err((InDoubt::Closed, None))).await;
}

#[tokio::test]
async fn half_an_answer_leaves_doubt_and_tells_its_status() {
    let half = http("HTTP/1.1 200 OK\ncontent-length: 100\n\nhalf");
    check(Does::Says(half.clone()), quick(), Err((InDoubt::Truncated, Some(200)))).await;
    let reset = [Err((InDoubt::Reset, Some(200))), Err((InDoubt::Reset, None))];
    check_any(Does::SaysAndResets(half), quick(), &reset).await;
    let chunk = http("HTTP/1.1 200 OK\ntransfer-encoding: chunked\n\n5\nhello\n");
    check(Does::Says(chunk), quick(), Err((InDoubt::Truncated, Some(200)))).await;
}

#[tokio::test]
async fn what_is_not_http_leaves_doubt() {
    for garbage in ["garbage\n\n", "SSH-2.0-OpenSSH_9.6\n", "HTTP/1.1 2x0 OK\n\n", "HTTP/1.1 200 OK\nno colon\n\n"] {
        check(Does::Says(http(garbage)), quick(), Err((InDoubt::Garbled, None))).await;
    }
    let chunk = http("HTTP/1.1 200 OK\ntransfer-encoding: chunked\n\nzz\nhello\n");
    check(Does::Says(chunk), quick(), Err((InDoubt::Garbled, Some(200)))).await;
}

#[tokio::test]
async fn headers_are_read_up_to_the_limit() {
    let with = |bytes: usize| http(&format!("HTTP/1.1 200 OK\nx: {}\ncontent-length: 0\n\n", "y".repeat(bytes)));
    check(Does::Says(with(60 * 1024)), quick(), Ok(200)).await;
    check(Does::Says(with(64 * 1024)), quick(), Err((InDoubt::HeadersTooBig, None))).await;
    let line = http(&format!("x: {}\n", "y".repeat(1000)));
    let endless = Does::SaysForEver(http("HTTP/1.1 200 OK\n"), line);
    let seen = check(endless, quick(), Err((InDoubt::HeadersTooBig, None))).await;
    assert!(seen.written.load(Ordering::SeqCst) < 32 * 1024 * 1024, "reading stopped");
}

#[tokio::test]
async fn a_body_is_read_up_to_the_limit() {
    let limits = Limits { body_max: 1000, ..quick() };
    let with = |bytes: usize| http(&format!("HTTP/1.1 200 OK\ncontent-length: {bytes}\n\n{}", "y".repeat(bytes)));
    check(Does::Says(with(1000)), limits, Ok(200)).await;
    check(Does::Says(with(1001)), limits, Err((InDoubt::BodyTooBig, Some(200)))).await;
    let chunks = |count: usize| {
        let chunk = format!("1f4\n{}\n", "y".repeat(500));
        http(&format!("HTTP/1.1 200 OK\ntransfer-encoding: chunked\n\n{}0\n\n", chunk.repeat(count)))
    };
    check(Does::Says(chunks(2)), limits, Ok(200)).await;
    check(Does::Says(chunks(3)), limits, Err((InDoubt::BodyTooBig, Some(200)))).await;
}

#[tokio::test]
async fn a_body_of_ten_gigabytes_is_not_read() {
    let announced = http("HTTP/1.1 200 OK\ncontent-length: 10737418240\n\n");
    let unannounced = http("HTTP/1.1 200 OK\n\n");
    let chunked = http("HTTP/1.1 200 OK\ntransfer-encoding: chunked\n\n280000000\n");
    for head in [announced, unannounced, chunked] {
        let endless = Does::SaysForEver(head, vec![b'y'; 64 * 1024]);
        let seen = check(endless, quick(), Err((InDoubt::BodyTooBig, Some(200)))).await;
        // Two calls: each took the limit at most, and what the sockets hold.
        assert!(seen.written.load(Ordering::SeqCst) < 64 * 1024 * 1024, "reading stopped");
    }
}

#[tokio::test]
async fn a_hanging_server_is_given_up_at_the_deadline() {
    let limits = Limits { total: Duration::from_millis(300), ..quick() };
    let begun = RealClock.boot();
    check(Does::SaysAndWaits(Vec::new()), limits, Err((InDoubt::Deadline, None))).await;
    let half = http("HTTP/1.1 201 Created\ncontent-length: 100\n\nhalf");
    check(Does::SaysAndWaits(half), limits, Err((InDoubt::Deadline, Some(201)))).await;
    let took = RealClock.boot().since(begun);
    assert!(took >= Duration::from_millis(1200) && took < Duration::from_secs(8), "{took:?}");
}

#[tokio::test]
async fn a_compressed_answer_is_not_taken_for_text() {
    let encoded = http("HTTP/1.1 200 OK\ncontent-encoding: gzip\ncontent-length: 2\n\nxx");
    check(Does::Says(encoded), quick(), Err((InDoubt::Encoded, Some(200)))).await;
    let plain = http("HTTP/1.1 200 OK\ncontent-encoding: identity\ncontent-length: 2\n\nxx");
    check(Does::Says(plain), quick(), Ok(200)).await;
}

#[tokio::test]
async fn a_call_that_is_dropped_closes_its_connection() {
    let server = Server::start(Does::SaysForEver(http("HTTP/1.1 200 OK\n\n"), b"y".to_vec())).await;
    let limits = Limits { body_max: usize::MAX, ..quick() };
    let call = online(PRIVATE_TOO, names(&[])).send(post(&server.url()), limits);
    within(&RealClock, Duration::from_millis(100), call).await.expect_err("never ends");
    // The server writes without end: only a closed connection stops it.
    let stopped = async {
        while server.seen.closed.load(Ordering::SeqCst) == 0 {
            RealClock.sleep_until_boot(RealClock.boot().plus(Duration::from_millis(10))).await;
        }
    };
    within(&RealClock, Duration::from_secs(10), stopped).await.expect("the connection is closed");
    assert_eq!(server.seen.counts(), (1, 1));
}

#[tokio::test]
async fn after_a_call_is_dropped_nothing_more_of_its_request_is_sent() {
    const SIZE: usize = 64 * 1024 * 1024;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port is free");
    let url = format!("http://{}/upload", listener.local_addr().expect("bound"));
    let request = Request::put(url).body(Bytes::from(vec![0; SIZE])).expect("a request");
    let call = online(PRIVATE_TOO, names(&[])).send(request, quick());
    within(&RealClock, Duration::from_millis(200), call).await.expect_err("nobody reads");
    let (mut stream, _) = listener.accept().await.expect("was connected");
    let mut got = Vec::new();
    within(&RealClock, Duration::from_secs(10), stream.read_to_end(&mut got)).await.expect("ends").ok();
    assert!(!got.is_empty() && got.len() < SIZE, "{}", got.len());
}

async fn not_sent(online: &Online, url: &str, limits: Limits, expected: NotSent) {
    match online.send(post(url), limits).await {
        Err(error @ WireError::NotSent { why, .. }) => {
            assert_eq!(why, expected, "{url}");
            assert!(!format!("{error} {error:?}").contains(CANARY), "{error:?}");
        }
        other => panic!("{url}: {other:?}"),
    }
}

#[tokio::test]
async fn nothing_is_sent_where_no_connection_comes_about() {
    let closed =
        TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port is free").local_addr().expect("bound");
    let online = online(PRIVATE_TOO, names(&[("two.example", &[closed, closed])]));
    not_sent(&online, &format!("http://{closed}/"), quick(), NotSent::Refused).await;
    not_sent(&online, "http://two.example/", quick(), NotSent::Refused).await;
    not_sent(&online, "http://unknown.example/", quick(), NotSent::Unresolved).await;

    let plain = Server::start(Does::Says(Vec::new())).await;
    let speaks_no_tls = Server::start(Does::ClosesAtOnce).await;
    not_sent(&online, &format!("https://{}/", speaks_no_tls.at), quick(), NotSent::Tls).await;
    let limits = Limits { start: Duration::from_millis(100), ..quick() };
    not_sent(&online, &format!("https://{}/", plain.at), limits, NotSent::Late).await;
    let limits = Limits { total: Duration::from_millis(100), ..quick() };
    not_sent(&online, &format!("https://{}/", plain.at), limits, NotSent::Late).await;
    assert_eq!(plain.seen.counts(), (2, 0));

    let connect = Request::builder().method("CONNECT").uri(plain.url()).body(Bytes::new()).expect("a request");
    let error = online.send(connect, quick()).await.expect_err("refused");
    assert_eq!(error, WireError::NotSent { host: "127.0.0.1".into(), why: NotSent::Unusable });
}

#[tokio::test]
async fn nothing_is_sent_to_an_address_that_the_policy_keeps_out() {
    let server = Server::start(Does::Says(Vec::new())).await;
    let public: SocketAddr = "8.8.8.8:0".parse().expect("an address");
    let metadata: SocketAddr = "169.254.169.254:0".parse().expect("an address");
    let known: [(&'static str, &[SocketAddr]); 3] =
        [("rebound.example", &[server.at]), ("mixed.example", &[public, server.at]), ("cloud.example", &[metadata])];
    let guarded = |why| NotSent::Guarded(why);

    let strict = online(HostPolicy::default(), names(&known));
    not_sent(&strict, &format!("https://{}/", server.at), quick(), guarded(GuardRefusal::PrivateAddress)).await;
    not_sent(&strict, &server.url(), quick(), guarded(GuardRefusal::PlainHttp)).await;
    not_sent(&strict, "https://rebound.example/", quick(), guarded(GuardRefusal::PrivateAddress)).await;
    not_sent(&strict, "https://mixed.example/", quick(), guarded(GuardRefusal::PrivateAddress)).await;
    not_sent(&strict, "https://cloud.example/", quick(), guarded(GuardRefusal::ForbiddenAddress)).await;
    not_sent(&strict, &format!("https://{CANARY}@rebound.example/"), quick(), guarded(GuardRefusal::UserInfo)).await;

    let lax = online(PRIVATE_TOO, names(&known));
    not_sent(&lax, "http://mixed.example/", quick(), guarded(GuardRefusal::PlainToPublic)).await;
    not_sent(&lax, "http://cloud.example/", quick(), guarded(GuardRefusal::ForbiddenAddress)).await;
    assert_eq!(server.seen.counts(), (0, 0));
}

#[tokio::test]
async fn a_name_is_looked_up_once_and_the_checked_address_is_dialled() {
    let server = Server::start(Does::Says(http("HTTP/1.1 200 OK\ncontent-length: 0\n\n"))).await;
    let dead = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port is free").local_addr().expect("bound");
    let names = names(&[("twin.example", &[dead, server.at])]);
    let online = online(PRIVATE_TOO, Arc::clone(&names));
    online.send(post("http://twin.example:4000/post"), quick()).await.expect("answered by the second address");
    assert_eq!(names.asked.load(Ordering::SeqCst), 1);
    assert_eq!(server.seen.counts(), (1, 1));
}

#[tokio::test]
async fn the_systems_own_names_are_looked_up_and_checked() {
    let server = Server::start(Does::Says(http("HTTP/1.1 200 OK\ncontent-length: 0\n\n"))).await;
    let url = |scheme: &str| format!("{scheme}://localhost:{}/", server.at.port());
    Online::new(PRIVATE_TOO).send(post(&url("http")), quick()).await.expect("answered");
    let guarded = NotSent::Guarded(GuardRefusal::PrivateAddress);
    not_sent(&Online::new(HostPolicy::default()), &url("https"), quick(), guarded).await;
    assert_eq!(server.seen.counts(), (1, 1));
}

#[tokio::test]
async fn how_a_request_travels_is_not_the_callers_choice() {
    let server = Server::start(Does::Says(http("HTTP/1.1 200 OK\ncontent-length: 0\n\n"))).await;
    let mut request = post(&server.url());
    for (name, value) in [("host", "evil.example"), ("accept-encoding", "gzip"), ("connection", "keep-alive, x-drop")] {
        request.headers_mut().insert(name, value.parse().expect("a value"));
    }
    for (name, value) in [("transfer-encoding", "chunked"), ("expect", "100-continue"), ("content-length", "9999")] {
        request.headers_mut().insert(name, value.parse().expect("a value"));
    }
    send_one(request).await;
    let head = server.seen.heads.lock().expect("not poisoned").remove(0);
    let mut lines = head.lines();
    assert_eq!(lines.next(), Some(format!("POST /post?access_token={CANARY} HTTP/1.1").as_str()));
    let headers: HeaderMap = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.parse().expect("a name"), value.parse().expect("a value")))
        .collect();
    let sent = |name: &str| headers.get_all(name).iter().map(|value| value.to_str().expect("text")).collect::<Vec<_>>();
    assert_eq!(sent(HOST.as_str()), [server.at.to_string()]);
    assert_eq!(sent(CONNECTION.as_str()), ["close"]);
    assert_eq!(sent(ACCEPT_ENCODING.as_str()), ["identity"]);
    assert_eq!(sent("content-length"), [format!("text={CANARY}").len().to_string()]);
    assert_eq!(sent("authorization"), [format!("Bearer {CANARY}")]);
    assert_eq!(sent(USER_AGENT.as_str()), [concat!("expos/", env!("CARGO_PKG_VERSION"))]);
    assert!(sent(TRANSFER_ENCODING.as_str()).is_empty() && sent("expect").is_empty());
}

async fn send_one(request: Request<Bytes>) {
    online(PRIVATE_TOO, names(&[])).send(request, quick()).await.expect("answered");
}

#[tokio::test]
async fn a_connection_that_is_ready_after_the_send_deadline_is_not_used() {
    // The clock moves while the name is looked up, as it does over a suspend; no timer fires on this clock by itself.
    let server = Server::start(Does::Says(http("HTTP/1.1 200 OK\ncontent-length: 0\n\n"))).await;
    for (seconds, sent) in [(5, true), (6, false)] {
        let manual = ManualClock::new(DateTime::from_timestamp(1_800_000_000, 0).expect("in range"));
        let delay = Some((manual.clone(), Duration::from_secs(seconds)));
        let names = Names { known: [("slow.example", vec![server.at])].into(), delay, ..Names::default() };
        // Sees no deadline pass before the connection is there: only the last look at the time can refuse.
        let blind = Blind(manual);
        let online = Online::with(PRIVATE_TOO, Arc::new(names), RootCertStore::empty(), Arc::new(blind));
        let outcome = online.send(post("http://slow.example/"), quick()).await;
        match outcome {
            Ok(_) => assert!(sent),
            Err(error) => {
                assert!(!sent);
                assert_eq!(error, WireError::NotSent { host: "slow.example".into(), why: NotSent::Late });
            }
        }
        assert_eq!(server.seen.requests.load(Ordering::SeqCst), 1);
    }
}

/// A clock whose timers stand still, as the runtime's do during a suspend.
struct Blind(ManualClock);

impl Clock for Blind {
    fn wall(&self) -> DateTime<chrono::Utc> {
        self.0.wall()
    }

    fn boot(&self) -> Boot {
        self.0.boot()
    }

    fn sleep_until(&self, _: DateTime<chrono::Utc>) -> clock::Sleep {
        Box::pin(std::future::pending())
    }

    fn sleep_until_boot(&self, _: Boot) -> clock::Sleep {
        Box::pin(std::future::pending())
    }
}

#[tokio::test]
async fn an_encrypted_request_reaches_only_a_host_whose_certificate_is_trusted_for_its_name() {
    let (trusted, acceptor) = certificate("pds.example");
    let says = Does::Says(http("HTTP/1.1 200 OK\ncontent-length: 2\n\nok"));
    let server = Server::start_tls(says, Some(acceptor.clone())).await;
    let known: [(&'static str, &[SocketAddr]); 2] = [("pds.example", &[server.at]), ("other.example", &[server.at])];
    let mut roots = RootCertStore::empty();
    roots.add(trusted).expect("a root");
    let online = |roots| Online::with(PRIVATE_TOO, names(&known), roots, Arc::new(RealClock));

    let trusting = online(roots.clone());
    let answer = trusting.send(post("https://pds.example/"), quick()).await.expect("answered");
    assert_eq!(answer.body().as_ref(), b"ok");
    trusting.send(post("https://pds.example/"), quick()).await.expect("answered on a second connection");
    assert_eq!(server.seen.counts(), (2, 2));
    not_sent(&trusting, "https://other.example/", quick(), NotSent::Tls).await;
    not_sent(&online(RootCertStore::empty()), "https://pds.example/", quick(), NotSent::Tls).await;
    assert_eq!(server.seen.requests.load(Ordering::SeqCst), 2);

    let silent = Server::start_tls(Does::Says(Vec::new()), Some(acceptor)).await;
    let known: [(&'static str, &[SocketAddr]); 1] = [("pds.example", &[silent.at])];
    let online = Online::with(PRIVATE_TOO, names(&known), roots, Arc::new(RealClock));
    let error = online.send(post("https://pds.example/"), quick()).await.expect_err("no answer");
    assert_eq!(error, WireError::InDoubt { host: "pds.example".into(), why: InDoubt::Closed, status: None });
}
