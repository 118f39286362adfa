//! The promises of the test ground itself: that the Bluesky network the other tests publish to is a real one.
//!
//! If a test of publishing fails, look here first: what is green here is not the ground's fault.

mod support;

use std::io::{ErrorKind, Write};
use std::time::Duration;

use serde_json::json;
use support::bluesky::{Account, Counts, Made, Network};
use support::faulty_proxy::{Fault, FaultyProxy};
use support::http::{self, Answer};

#[test]
fn a_post_made_by_hand_is_found_at_the_pds_and_counted_at_the_appview() {
    let network = Network::shared();
    let bakery = network.account("rye-bakery");
    let reader = network.account("rye-reader");
    assert_eq!(bakery.handle, "rye-bakery.test");
    assert!(bakery.did.starts_with("did:plc:"), "{}", bakery.did);
    assert_ne!(bakery.app_password, bakery.password);

    let post = network.post(&bakery, "Rye bread at seven");
    let records = network.list_records(&bakery.did);
    assert_eq!(records.len(), 1);
    assert_eq!(Made { uri: records[0].uri.clone(), cid: records[0].cid.clone() }, post);
    assert_eq!(records[0].value["text"], "Rye bread at seven");

    network.like(&reader, &post);
    network.repost(&reader, &post);
    let reply = network.reply(&reader, &post, "Keep one for me");
    network.quote(&reader, &post, "Best bread in town");
    network.settle();
    let expected = Counts { likes: 1, reposts: 1, replies: 1, quotes: 1 };
    assert_eq!(network.counts(&post.uri), Some(expected));
    assert_eq!(network.counts(&reply.uri), Some(Counts { likes: 0, reposts: 0, replies: 0, quotes: 0 }));
}

#[test]
fn an_edit_keeps_the_key_and_a_deleted_post_is_gone_everywhere() {
    let network = Network::shared();
    let bakery = network.account("oat-bakery");
    let post = network.post(&bakery, "Oat bread");
    let edited = network.edit(&bakery, &post.uri, "Oat bread, sold out");
    assert_eq!(edited.uri, post.uri);
    assert_ne!(edited.cid, post.cid);
    network.settle();
    assert!(network.counts(&post.uri).is_some());

    network.delete(&bakery, &post.uri);
    network.settle();
    assert_eq!(network.list_records(&bakery.did), []);
    assert_eq!(network.counts(&post.uri), None);
}

#[test]
fn listing_reads_every_page_newest_first() {
    let network = Network::shared();
    let bakery = network.account("long-bakery");
    let made: Vec<String> = (0..103).map(|number| network.post(&bakery, &format!("Loaf {number}")).uri).collect();
    let listed: Vec<String> = network.list_records(&bakery.did).into_iter().map(|record| record.uri).collect();
    assert_eq!(listed, made.into_iter().rev().collect::<Vec<_>>());
}

#[test]
fn an_app_password_opens_a_session_and_a_wrong_one_does_not() {
    let network = Network::shared();
    let bakery = network.account("lock-bakery");
    assert_eq!(log_in(network.pds(), &bakery.handle, &bakery.app_password).status, 200);
    assert_eq!(log_in(network.pds(), &bakery.handle, "not-the-password").status, 401);
}

#[test]
fn a_lost_answer_leaves_the_record_and_an_error() {
    let faults = [
        ("lost-answer", Fault::LostAnswer, ErrorKind::UnexpectedEof),
        ("half-answer", Fault::HalfAnswer, ErrorKind::UnexpectedEof),
        ("reset-answer", Fault::Reset, ErrorKind::ConnectionReset),
        ("hung-answer", Fault::Hang(Duration::from_millis(50)), ErrorKind::UnexpectedEof),
    ];
    for (name, fault, seen) in faults {
        let shop = Shop::open(name);
        shop.proxy.rule("POST", "putRecord", fault, 1);
        let error = shop.put("3lostanswerxx", "Bagels").expect_err("no whole answer comes through");
        assert_eq!(error.kind(), seen, "{fault:?}: {error}");
        assert_eq!(shop.network.list_records(&shop.account.did).len(), 1, "{fault:?} kept the record from the server");
        assert_eq!(shop.last_entry(), (Some(200), Some(fault)));

        // The same again, over a road that is good now, settles it.
        let again = shop.put("3lostanswerxx", "Bagels").expect("the rule was for one request");
        assert_eq!(again.status, 200, "{}", again.text());
        assert_eq!(shop.network.list_records(&shop.account.did).len(), 1);
    }
}

#[test]
fn a_request_that_is_refused_or_answered_in_front_never_reaches_the_server() {
    let shop = Shop::open("front-shop");
    shop.proxy.rule("POST", "putRecord", Fault::Refuse, 1);
    shop.proxy.rule("POST", "putRecord", Fault::StatusBefore(503), 1);
    assert!(shop.put("3frontshopxxx", "Bagels").is_err());
    assert_eq!(shop.last_entry(), (None, Some(Fault::Refuse)));
    let answer = shop.put("3frontshopxxx", "Bagels").expect("a status is an answer");
    assert_eq!(answer.status, 503);
    assert!(answer.headers.contains(&("Retry-After".to_owned(), "1".to_owned())), "{:?}", answer.headers);
    assert_eq!(shop.last_entry(), (None, Some(Fault::StatusBefore(503))));
    assert_eq!(shop.network.list_records(&shop.account.did), []);
}

#[test]
fn a_doubled_request_with_its_own_key_leaves_one_record() {
    let shop = Shop::open("double-shop");
    shop.proxy.rule("POST", "putRecord", Fault::Doubled, 1);
    let answer = shop.put("3doubleshopxx", "Bagels").expect("the second answer comes back");
    assert_eq!(answer.status, 200, "{}", answer.text());
    let records = shop.network.list_records(&shop.account.did);
    assert_eq!(records.len(), 1);
    assert_eq!(answer.json()["cid"], records[0].cid.as_str());

    // Without a key of its own the doubled request is two posts: the fault is real.
    shop.proxy.rule("POST", "createRecord", Fault::Doubled, 1);
    let body = json!({"repo": shop.account.did, "collection": "app.bsky.feed.post", "record": post("Twice")});
    let url = format!("{}/xrpc/com.atproto.repo.createRecord", shop.proxy.url());
    http::post_json(&url, Some(&shop.token), &body).expect("the second answer comes back");
    assert_eq!(shop.network.list_records(&shop.account.did).len(), 3);
}

#[test]
fn an_answer_can_be_replaced_after_the_server_acted() {
    let shop = Shop::open("after-shop");
    let huge = 8 * 1024 * 1024;
    shop.proxy.rule("POST", "putRecord", Fault::StatusAfter(500), 1);
    shop.proxy.rule("POST", "putRecord", Fault::GarbageHtml, 1);
    shop.proxy.rule("POST", "putRecord", Fault::GarbageJson, 1);
    shop.proxy.rule("POST", "putRecord", Fault::HugeBody(huge), 1);
    let answers: Vec<_> = ["3aftershopxxa", "3aftershopxxb", "3aftershopxxc", "3aftershopxxd"]
        .map(|key| shop.put(key, "Bagels").expect("all of them are answers"))
        .into();
    assert_eq!(answers.iter().map(|answer| answer.status).collect::<Vec<_>>(), [500, 200, 200, 200]);
    assert!(answers[1].text().starts_with("<!DOCTYPE html>"));
    assert_eq!(answers[2].json(), serde_json::Value::Null);
    assert_eq!(answers[3].body.len(), 8 * 1024 * 1024);
    assert_eq!(shop.network.list_records(&shop.account.did).len(), 4);
}

#[test]
fn a_good_road_keeps_a_connection_and_passes_every_byte() {
    let shop = Shop::open("keep-shop");
    let target = format!("/xrpc/com.atproto.repo.listRecords?repo={}&collection=app.bsky.feed.post", shop.account.did);
    let direct = http::get(&format!("{}{target}", shop.network.pds())).expect("the PDS answers");
    let place = http::place(&shop.proxy.url()).expect("the proxy has a place");
    let stream = http::connect(&place.authority).expect("the proxy listens");
    let mut reader = std::io::BufReader::new(&stream);
    shop.proxy.rule("GET", "listRecords", Fault::Slow(Duration::from_millis(50)), 1);
    for _ in 0..3 {
        write!(&stream, "GET {target} HTTP/1.1\r\nHost: {}\r\n\r\n", place.authority).expect("still open");
        let answer = http::read_answer(&mut reader, "GET").expect("one whole answer");
        assert_eq!((answer.status, &answer.body), (direct.status, &direct.body));
    }
}

#[test]
fn random_faults_follow_the_seed_and_leave_other_paths_alone() {
    let network = Network::shared();
    let faults = |seed: u64| {
        let proxy = FaultyProxy::start(network.pds());
        proxy.random(seed, 0.5, "_health");
        for _ in 0..40 {
            // Half of these are meant to fail.
            http::get(&format!("{}/xrpc/_health", proxy.url())).ok();
        }
        let described = http::get(&format!("{}/xrpc/com.atproto.server.describeServer", proxy.url()));
        assert_eq!(described.expect("no fault falls on other paths").status, 200);
        proxy.journal().into_iter().map(|entry| entry.fault).collect::<Vec<_>>()
    };
    let first = faults(7);
    assert_eq!(first, faults(7));
    assert_ne!(first, faults(8));
    let hit = first.iter().flatten().count();
    assert!((10..=30).contains(&hit), "{hit} of 40 at one half");
}

#[test]
fn nothing_of_a_network_is_left_when_it_is_dropped() {
    let network = Network::start();
    let (pds, plc, appview) = (network.pds().to_owned(), network.plc().to_owned(), network.appview().to_owned());
    assert_eq!(http::get(&format!("{pds}/xrpc/_health")).expect("the PDS is up").status, 200);
    drop(network);
    for url in [pds, plc, appview] {
        let authority = http::place(&url).expect("a URL of our own").authority;
        assert!(http::connect(&authority).is_err(), "{url} is still there");
    }
}

/// An account that publishes through a faulty proxy.
struct Shop {
    network: &'static Network,
    account: Account,
    proxy: FaultyProxy,
    token: String,
}

impl Shop {
    fn open(name: &str) -> Shop {
        let network = Network::shared();
        let account = network.account(name);
        let proxy = FaultyProxy::start(network.pds());
        let session = log_in(&proxy.url(), &account.handle, &account.app_password).json();
        let token = session["accessJwt"].as_str().unwrap_or_default().to_owned();
        Shop { network, account, proxy, token }
    }

    /// Puts a post under a key of its own that must be free or hold this very post.
    fn put(&self, key: &str, words: &str) -> std::io::Result<Answer> {
        let body = json!({
            "repo": self.account.did,
            "collection": "app.bsky.feed.post",
            "rkey": key,
            "swapRecord": null,
            "record": post(words),
        });
        http::post_json(&format!("{}/xrpc/com.atproto.repo.putRecord", self.proxy.url()), Some(&self.token), &body)
    }

    fn last_entry(&self) -> (Option<u16>, Option<Fault>) {
        self.proxy.journal().last().map_or((None, None), |entry| (entry.upstream_status, entry.fault))
    }
}

fn post(words: &str) -> serde_json::Value {
    json!({"$type": "app.bsky.feed.post", "text": words, "createdAt": "2026-03-02T09:00:00.000Z"})
}

fn log_in(service: &str, handle: &str, password: &str) -> Answer {
    let body = json!({"identifier": handle, "password": password});
    let answer = http::post_json(&format!("{service}/xrpc/com.atproto.server.createSession"), None, &body);
    answer.unwrap_or_else(|error| Answer { status: 0, headers: Vec::new(), body: error.to_string().into_bytes() })
}
