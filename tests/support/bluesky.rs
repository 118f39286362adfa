//! A real Bluesky on loopback: its own PLC directory, PDS and AppView, and people who use it.
//!
//! Decided here: how long a network lives, and how tests speak to it. Which processes it is made of is decided by
//! `tests/bluesky/start`, what people can be told to do by `tests/bluesky/network.cjs`.
//!
//! Invariant: no network outlives its test. It ends when it is dropped; and since it ends with its standard input, it
//! also ends with the test program, however that ends.
#![expect(clippy::expect_used, clippy::panic, reason = "a ground that cannot be set up fails its test, with words")]
#![expect(clippy::disallowed_methods, reason = "servers are waited for in real time")]

use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::http;

/// From nothing to a network that answers: 5 s on an idle machine, more while something else is being compiled.
const START_MAX: Duration = Duration::from_secs(180);
/// One order; waiting for the AppView is the longest of them.
const ORDER_MAX: Duration = Duration::from_secs(90);
/// A network that was told to end has this long before it is killed.
const END_MAX: Duration = Duration::from_secs(20);

/// PLC, PDS and AppView with their PostgreSQL and Redis, all of its own, on ports of its own.
pub(crate) struct Network {
    pds: String,
    plc: String,
    appview: String,
    servers: Mutex<Servers>,
}

/// Someone on the network. `handle` is `NAME.test`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Account {
    pub(crate) name: String,
    pub(crate) handle: String,
    pub(crate) did: String,
    pub(crate) password: String,
    pub(crate) app_password: String,
}

/// What a like, a repost, a reply or a post left behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Made {
    pub(crate) uri: String,
    pub(crate) cid: String,
}

/// One record of an account, as its PDS holds it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Record {
    pub(crate) uri: String,
    pub(crate) cid: String,
    pub(crate) value: Value,
}

/// What the AppView counts under a post.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) likes: u64,
    pub(crate) reposts: u64,
    pub(crate) replies: u64,
    pub(crate) quotes: u64,
}

struct Servers {
    process: Child,
    orders: Option<ChildStdin>,
    answers: Receiver<String>,
    /// What the servers wrote to standard error so far.
    complaints: Arc<Mutex<String>>,
}

impl Network {
    /// Starts a network and waits until it answers. It ends when dropped.
    ///
    /// Panics, naming what is missing, where it cannot be started.
    pub(crate) fn start() -> Network {
        let mut servers = Servers::start();
        let ready = servers.answer(START_MAX, "start");
        Network {
            pds: text(&ready, "pds"),
            plc: text(&ready, "plc"),
            appview: text(&ready, "appview"),
            servers: Mutex::new(servers),
        }
    }

    /// The one network that all tests of a test program share. It ends with the program. Names must differ between
    /// tests, since accounts are never taken away.
    pub(crate) fn shared() -> &'static Network {
        static SHARED: OnceLock<Network> = OnceLock::new();
        SHARED.get_or_init(Network::start)
    }

    /// Where accounts live; `http://localhost:PORT`, as are the others.
    pub(crate) fn pds(&self) -> &str {
        &self.pds
    }

    /// Where a DID is looked up.
    pub(crate) fn plc(&self) -> &str {
        &self.plc
    }

    /// Where posts are read with their counts, by anyone.
    pub(crate) fn appview(&self) -> &str {
        &self.appview
    }

    /// Makes an account with an app password. Names have 3 to 18 letters, digits or hyphens; common words and
    /// company names are reserved.
    pub(crate) fn account(&self, name: &str) -> Account {
        let made = self.order(&json!({"do": "account", "name": name}));
        Account {
            name: name.to_owned(),
            handle: text(&made, "handle"),
            did: text(&made, "did"),
            password: text(&made, "password"),
            app_password: text(&made, "appPassword"),
        }
    }

    /// Posts by hand, as an app on a phone would.
    pub(crate) fn post(&self, by: &Account, words: &str) -> Made {
        self.made(&json!({"do": "post", "by": by.name, "text": words}))
    }

    /// Replies to a post, inside its thread.
    pub(crate) fn reply(&self, by: &Account, to: &Made, words: &str) -> Made {
        self.made(&json!({"do": "reply", "by": by.name, "uri": to.uri, "cid": to.cid, "text": words}))
    }

    /// Posts with another post embedded.
    pub(crate) fn quote(&self, by: &Account, of: &Made, words: &str) -> Made {
        self.made(&json!({"do": "quote", "by": by.name, "uri": of.uri, "cid": of.cid, "text": words}))
    }

    /// Likes a post.
    pub(crate) fn like(&self, by: &Account, post: &Made) -> Made {
        self.made(&json!({"do": "like", "by": by.name, "uri": post.uri, "cid": post.cid}))
    }

    /// Reposts a post.
    pub(crate) fn repost(&self, by: &Account, post: &Made) -> Made {
        self.made(&json!({"do": "repost", "by": by.name, "uri": post.uri, "cid": post.cid}))
    }

    /// Follows an account.
    pub(crate) fn follow(&self, by: &Account, whom: &Account) -> Made {
        self.made(&json!({"do": "follow", "by": by.name, "did": whom.did}))
    }

    /// Gives a post of one's own other words under the same key; its CID changes.
    pub(crate) fn edit(&self, by: &Account, uri: &str, words: &str) -> Made {
        self.made(&json!({"do": "edit", "by": by.name, "uri": uri, "text": words}))
    }

    /// Deletes a record of one's own: a post, or the record that a like left.
    pub(crate) fn delete(&self, by: &Account, uri: &str) {
        self.order(&json!({"do": "delete", "by": by.name, "uri": uri}));
    }

    /// Returns when the AppView has seen everything that happened at the PDS.
    pub(crate) fn settle(&self) {
        self.order(&json!({"do": "process"}));
    }

    /// Every post of an account, newest first, read at the PDS itself: what really is there.
    pub(crate) fn list_records(&self, did: &str) -> Vec<Record> {
        self.list_records_of(did, "app.bsky.feed.post")
    }

    /// Every record of one collection of an account, newest first.
    pub(crate) fn list_records_of(&self, did: &str, collection: &str) -> Vec<Record> {
        let mut records = Vec::new();
        let mut cursor = String::new();
        loop {
            let url = format!(
                "{}/xrpc/com.atproto.repo.listRecords?repo={did}&collection={collection}&limit=100{cursor}",
                self.pds
            );
            let page = read(&url);
            for record in page["records"].as_array().into_iter().flatten() {
                records.push(Record {
                    uri: text(record, "uri"),
                    cid: text(record, "cid"),
                    value: record["value"].clone(),
                });
            }
            match page["cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return records,
            }
        }
    }

    /// What anyone sees under a post, or `None` where the AppView does not show it. See [`Network::settle`].
    pub(crate) fn counts(&self, uri: &str) -> Option<Counts> {
        let page = read(&format!("{}/xrpc/app.bsky.feed.getPosts?uris={uri}", self.appview));
        let post = page["posts"].as_array().and_then(|posts| posts.first())?;
        let count = |name: &str| post[name].as_u64().unwrap_or_default();
        Some(Counts {
            likes: count("likeCount"),
            reposts: count("repostCount"),
            replies: count("replyCount"),
            quotes: count("quoteCount"),
        })
    }

    fn made(&self, order: &Value) -> Made {
        let answer = self.order(order);
        Made { uri: text(&answer, "uri"), cid: text(&answer, "cid") }
    }

    fn order(&self, order: &Value) -> Value {
        let mut servers = self.servers();
        servers.tell(order);
        servers.answer(ORDER_MAX, &order.to_string())
    }

    fn servers(&self) -> MutexGuard<'_, Servers> {
        // One test's refused order says nothing about the servers: the next test may go on.
        self.servers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Servers {
    fn start() -> Servers {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/bluesky/start");
        let mut process = Command::new("bash")
            .arg(script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()
            .unwrap_or_else(|error| panic!("{script} cannot be run by bash: {error}"));
        let stdout = process.stdout.take().expect("standard output is piped");
        let stderr = process.stderr.take().expect("standard error is piped");
        let orders = process.stdin.take();

        let (line_in, answers) = channel();
        thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if line_in.send(line).is_err() {
                    break;
                }
            }
        });
        let complaints = Arc::new(Mutex::new(String::new()));
        let heard = Arc::clone(&complaints);
        thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                let mut heard = heard.lock().unwrap_or_else(PoisonError::into_inner);
                heard.push_str(&line);
                heard.push('\n');
            }
        });
        Servers { process, orders, answers, complaints }
    }

    fn tell(&mut self, order: &Value) {
        let sent = self.orders.as_mut().map(|orders| writeln!(orders, "{order}"));
        if !matches!(sent, Some(Ok(()))) {
            panic!("the Bluesky network is gone and cannot be told {order}\n{}", self.complaints());
        }
    }

    fn answer(&mut self, max: Duration, to: &str) -> Value {
        let line = match self.answers.recv_timeout(max) {
            Ok(line) => line,
            Err(RecvTimeoutError::Timeout) => {
                panic!("the Bluesky network did not answer {to} within {} s\n{}", max.as_secs(), self.complaints())
            }
            Err(RecvTimeoutError::Disconnected) => {
                panic!("the Bluesky network ended instead of answering {to}\n{}", self.complaints())
            }
        };
        let message: Value =
            serde_json::from_str(&line).unwrap_or_else(|_| panic!("no JSON in answer to {to}: {line}"));
        match message["refused"].as_str() {
            Some(why) => panic!("the Bluesky network refused {to}: {why}"),
            None => message["answer"].clone(),
        }
    }

    fn complaints(&self) -> String {
        // What a dying process said last may still be on its way through the pipe.
        thread::sleep(Duration::from_millis(200));
        self.complaints.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        drop(self.orders.take()); // the end of its input ends the network, and the script everything under it
        let begun = Instant::now();
        while begun.elapsed() < END_MAX {
            if !matches!(self.process.try_wait(), Ok(None)) {
                return;
            }
            thread::sleep(Duration::from_millis(20));
        }
        let killed = i32::try_from(self.process.id()).ok().and_then(rustix::process::Pid::from_raw);
        if let Some(group) = killed {
            // It may have ended in this moment; then there is nothing to kill, which is what was wanted.
            rustix::process::kill_process_group(group, rustix::process::Signal::KILL).ok();
        }
        self.process.wait().ok();
    }
}

fn read(url: &str) -> Value {
    let answer = http::get(url).unwrap_or_else(|error| panic!("{url} does not answer: {error}"));
    assert!(answer.status == 200, "{url} answered {}: {}", answer.status, answer.text());
    answer.json()
}

fn text(message: &Value, field: &str) -> String {
    message[field].as_str().unwrap_or_else(|| panic!("no {field} in {message}")).to_owned()
}
