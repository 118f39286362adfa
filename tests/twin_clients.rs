//! The network's own client library on the twin: what it does there works, every answer is one that its lexicons allow,
//! and all of it goes the same way on Bluesky's own servers.
//!
//! Decided here: that the library runs and what is left afterwards. What the client does stands in
//! `tests/bluesky/client.cjs`. It needs Node.js and the library, which `tests/run` installs with Bluesky's servers.
#![expect(clippy::expect_used, reason = "what a test stands on fails the test, with words")]

mod support;

use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use clock::RealClock;
use sha2::{Digest as _, Sha256};
use support::bluesky::Network;
use support::stand_in::serve;
use twins::{Audience, BlueskyTwin};

#[test]
fn the_networks_own_client_logs_in_posts_reads_likes_and_deletes_and_finds_nothing_odd() {
    let twin = BlueskyTwin::new(Arc::new(RealClock), 21);
    twin.set_lag(Duration::from_millis(50), Duration::from_millis(300));
    let acme = twin.add_account("acme-bakery.test", "own", Audience::none()).expect("a new account");
    let reader = twin.add_account("bea-reads.test", "own", Audience::none()).expect("a new account");
    let url = serve(&twin);
    let post = client([&url, &acme.handle, &acme.app_password, &reader.handle, &reader.app_password]);

    let posts = twin.visible(&acme.did);
    let deleted: Vec<&str> = posts.iter().filter(|post| post.removed.is_some()).map(|post| post.uri.as_str()).collect();
    assert!(deleted.len() == 3 && deleted.contains(&post.as_str()), "{posts:?}");
    assert!(posts.iter().all(|post| post.edits == 0), "{posts:?}");
    let left: Vec<&str> = posts.iter().filter(|post| post.removed.is_none()).map(|post| post.text.as_str()).collect();
    assert_eq!(left, ["Two!", "Card"]);
    let unknown: Vec<_> = twin.journal().into_iter().filter(|entry| matches!(entry.status, Some(404 | 501))).collect();
    assert!(unknown.is_empty(), "the library asked for what the twin does not have: {unknown:?}");
}

/// What is asked of the twin above is what the network's own servers do.
#[test]
fn the_same_day_goes_the_same_way_on_the_networks_own_servers() {
    let network = Network::shared();
    let (acme, reader) = (network.account("acme-bakery"), network.account("bea-reads"));
    let is_over = AtomicBool::new(false);
    let post = thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                network.settle();
            }
        });
        let _over = Over(&is_over);
        client([network.pds(), &acme.handle, &acme.app_password, &reader.handle, &reader.app_password])
    });
    let left: Vec<_> = network.list_records(&acme.did).into_iter().map(|record| record.value["text"].clone()).collect();
    assert!(left == ["Card", "Two!"] && post.contains(&acme.did), "{left:?}");
}

/// Ends the settling however the client ends.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Lets the client have its day, and returns the address of its first post.
fn client(arguments: [&str; 5]) -> String {
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/bluesky/client.cjs");
    let answer = Command::new("node")
        .arg(script)
        .args(arguments)
        .env("EXPOS_TEST_NODE_MODULES", node_modules())
        .output()
        .expect("node runs; tests/run installs it");
    let said = String::from_utf8_lossy(&answer.stdout);
    assert!(answer.status.success(), "{said}{}", String::from_utf8_lossy(&answer.stderr));
    let found: serde_json::Value = serde_json::from_str(&said).expect("one JSON object");
    let methods = found["methods"].as_array().expect("a list");
    assert!(methods.len() >= 25 && found["checked"].as_u64() >= Some(40), "{said}");
    found["post"].as_str().expect("an address").to_owned()
}

/// Where `tests/run` installs the library: a folder named by the lock file.
fn node_modules() -> PathBuf {
    if let Some(folder) = std::env::var_os("EXPOS_TEST_NODE_MODULES") {
        return folder.into();
    }
    let lock = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/bluesky/package-lock.json");
    let lock = Sha256::digest(std::fs::read(lock).expect("the lock file can be read"));
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let cache = cache.or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache")));
    let folder = cache.expect("a home").join("expos-tests").join(hex(&lock)).join("node_modules");
    assert!(folder.is_dir(), "the client library is not in {}; tests/run installs it", folder.display());
    folder
}

fn hex(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(bytes)
}
