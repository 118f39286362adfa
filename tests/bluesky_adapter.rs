//! The contract with Bluesky: that the adapter means what Bluesky's own servers mean, on a good road and on a bad one.
//!
//! Decided here: what an operator relies on when a post goes out by the interface: at most one record whatever the road
//! does, no refusal that is none, no look that lies. The servers are real (`support::bluesky`); if they themselves are in
//! doubt, look at `bluesky_network` first.

mod support;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use clock::{Boot, Clock, RealClock};
use data_encoding::BASE64URL_NOPAD;
use domain::account::{Account, Connection, Servers};
use domain::aggregate::Epoch;
use domain::brief::Platform;
use domain::hash::Digest;
use domain::hold::Holds;
use domain::id::PostId;
use domain::post::{CommitOutcome, CommitPermit, Handle, Live, Observation, Repeat};
use domain::secret::Secret;
use domain::snapshot::Reading;
use domain::text::Untrusted;
use domain::time::{Span, UtcTime};
use domain::variant::{Asset, Content, Facet};
use http::Request;
use platforms::{
    Adapter, Bluesky, ConnectError, IdentityError, Login, MeasureError, PrepareSeed, RefreshError, Verification,
};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use support::bluesky::{self, Made, Network, Record};
use support::faulty_proxy::{ALWAYS, Fault, FaultyProxy};
use support::http as road;
use wire::{Answer, HostPolicy, Limits, Online, Transport};

/// Servers of these tests are on this machine.
const OPEN: HostPolicy = HostPolicy { allow_private_hosts: true };

/// One white pixel.
const PNG: [u8; 69] = [
    0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x00, 0x00, 0x00, 0x0d, 0x49, 0x48, 0x44, 0x52, 0x00, 0x00, 0x00,
    0x01, 0x00, 0x00, 0x00, 0x01, 0x08, 0x02, 0x00, 0x00, 0x00, 0x90, 0x77, 0x53, 0xde, 0x00, 0x00, 0x00, 0x0c, 0x49,
    0x44, 0x41, 0x54, 0x78, 0x9c, 0x63, 0xf8, 0xff, 0xff, 0x3f, 0x00, 0x05, 0xfe, 0x02, 0xfe, 0x0d, 0xef, 0x46, 0xb8,
    0x00, 0x00, 0x00, 0x00, 0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82,
];

#[test]
fn an_app_password_connects_by_a_server_by_hand() {
    let shop = Shop::open("hand-bakery");
    assert_eq!((shop.login.identity.id.as_str(), shop.login.identity.handle.as_str()), (shop.person.did.as_str(), "hand-bakery.test"));
    assert_eq!(shop.login.identity.server, shop.network.pds());
    let until = shop.adapter.session_until(&shop.login.session).expect("the access token says when it ends");
    assert!(until > now() && until < now().plus(Span::hours(24)), "{until}");
    assert_eq!(run(shop.adapter.check_identity(&shop.login)), Ok(()));
    let shown = format!("{:?}", shop.login);
    assert!(!shown.contains("eyJ") && !shown.contains(&shop.person.app_password), "{shown}");
}

#[test]
fn a_handle_alone_leads_to_its_server() {
    let network = Network::shared();
    let person = network.account("lone-bakery");
    network.settle();
    let mut account = account_of(network, &person, network.pds());
    account.servers.pds = None;
    let connected = run(adapter().connect(&account, &secret(&person.app_password))).expect("the entry names the server");
    assert_eq!((connected.identity.id, connected.identity.server), (person.did.clone(), network.pds().to_owned()));

    account.handle = person.did;
    run(adapter().connect(&account, &secret(&person.app_password))).expect("a DID is found as well");
    account.handle = "nobody-at-all.test".to_owned();
    let error = run(adapter().connect(&account, &secret("x"))).expect_err("nobody is nobody");
    assert!(matches!(error, ConnectError::Unresolved { .. }), "{error}");
}

#[test]
fn a_wrong_password_is_refused_in_words_without_it() {
    let network = Network::shared();
    let person = network.account("shut-bakery");
    let account = account_of(network, &person, network.pds());
    let error = run(adapter().connect(&account, &secret("wrong-canary"))).expect_err("it is wrong");
    assert!(matches!(error, ConnectError::Refused { .. }), "{error}");
    assert!(!error.to_string().contains("canary"), "{error}");
}

#[test]
fn a_login_that_is_somebody_elses_is_seen_before_and_after_the_password() {
    let network = Network::shared();
    let (meant, other) = (network.account("meant-bakery"), network.account("other-bakery"));
    // Pinned to one, and the handle is another's now.
    let mut account = account_of(network, &meant, network.pds());
    let pinned = run(adapter().connect(&account, &secret(&meant.app_password))).expect("connects").identity;
    account.identity = Some(pinned);
    account.handle = other.handle.clone();
    let proxy = FaultyProxy::start(network.pds());
    account.servers.pds = Some(proxy.url());
    let error = run(adapter().connect(&account, &secret(&other.app_password))).expect_err("another identity");
    assert_eq!(error, ConnectError::OtherIdentity { expected: meant.did.clone(), found: other.did.clone() });
    assert!(proxy.journal().iter().all(|entry| !entry.path.contains("createSession")), "no password left");

    // The handle is the right one's, and the server lets somebody else in.
    let account = account_of(network, &meant, network.pds());
    let swap = Swap { inner: Online::new(OPEN), path: "createSession", from: meant.did.clone(), to: other.did.clone() };
    let adapter = Bluesky::new(wire::Network::both(Arc::new(swap)), OPEN, Arc::new(RealClock));
    let error = run(adapter.connect(&account, &secret(&other.app_password))).expect_err("another session");
    assert_eq!(error, ConnectError::OtherIdentity { expected: meant.did, found: other.did });
}

#[test]
fn a_post_with_picture_link_tag_and_mention_goes_out_as_prepared_and_is_proven() {
    let shop = Shop::open("full-bakery");
    let friend = shop.network.account("full-friend");
    let words = format!("Rye 🍞 at https://example.com/rye?a=1 with @{} and @nobody-at-all.test #SourDough", friend.handle);
    let (mut content, assets) = picture(&words);
    content.settings.langs = vec!["en".to_owned(), "de-AT".to_owned()];
    content.settings.labels = vec!["bot".to_owned()];
    let handle = shop.prepare(&content, assets);
    assert_eq!((handle.repeat, handle.identity.as_str()), (Repeat::Always, shop.person.did.as_str()));
    assert!(handle.expires.is_some());
    assert_eq!(run(shop.adapter.observe(&shop.login, &handle)), Observation::NotYet);
    assert_eq!(shop.records(), [], "nothing is visible before the commit");

    let live = accepted(shop.commit(&handle));
    assert_eq!((live.id.as_str(), live.digest.as_str()), (handle.key.as_str(), handle.expected.as_str()));
    assert!(live.at.distance(now()) < Span::minutes(1), "{}", live.at);
    let records = shop.records();
    assert_eq!(records.len(), 1);
    assert_eq!(records[0].cid, handle.expected, "the server computes the CID that was prepared");
    let record = &records[0].value;
    assert_eq!(record["text"], words.as_str());
    assert_eq!(facets_of(record, &words), [
        ("app.bsky.richtext.facet#link".to_owned(), "https://example.com/rye?a=1".to_owned()),
        ("app.bsky.richtext.facet#mention".to_owned(), format!("@{}", friend.handle)),
        ("app.bsky.richtext.facet#tag".to_owned(), "#SourDough".to_owned()),
    ]);
    assert_eq!(record["facets"][1]["features"][0]["did"], friend.did.as_str());
    assert_eq!(record["embed"]["images"][0]["alt"], "one white pixel");
    assert_eq!(record["labels"]["values"], json!([{"val": "bot"}]));
    let blob = &record["embed"]["images"][0]["image"]["ref"]["$link"];
    let url = format!("{}/xrpc/com.atproto.sync.getBlob?did={}&cid={}", shop.network.pds(), shop.person.did, blob.as_str().expect("a CID"));
    assert_eq!(road::get(&url).expect("the picture is public").body, PNG);

    shop.network.settle();
    let Observation::Live(seen) = run(shop.adapter.observe(&shop.login, &handle)) else { panic!("it is there") };
    assert_eq!((&seen.id, &seen.url, &seen.digest), (&live.id, &live.url, &live.digest));
    let Verification::Seen(proof) = shop.verify(&live) else { panic!("it is shown") };
    assert_eq!((proof.digest, proof.text), (handle.expected, Digest::of(words.as_bytes())));
    assert!(proof.looked.contains(shop.network.appview()), "{}", proof.looked);
}

#[test]
fn the_same_handle_again_is_the_same_record() {
    let shop = Shop::open("same-bakery");
    let handle = shop.prepare(&text("Rye, once"), vec![]);
    for _ in 0..3 {
        assert_eq!(accepted(shop.commit(&handle)).digest, handle.expected);
    }
    assert_eq!(shop.records().len(), 1);
}

#[test]
fn bytes_that_are_not_only_ascii_have_the_cid_that_was_prepared() {
    let shop = Shop::open("word-bakery");
    let words = ["Brötchen\n\nzwei", "👩‍🍳 #パン https://例え.jp/パス", "عيش بلدي", "\u{202E}evil\u{200B}", "\"quoted\" \\ back \t tab"];
    for text_ in words {
        let handle = shop.prepare(&text(text_), vec![]);
        assert_eq!(accepted(shop.commit(&handle)).digest, handle.expected, "{text_:?}");
    }
    assert_eq!(shop.records().len(), words.len());
}

#[test]
fn a_record_that_somebody_changed_is_not_overwritten_and_not_taken_for_ours() {
    let shop = Shop::open("edit-bakery");
    let handle = shop.prepare(&text("Rye at seven"), vec![]);
    let live = accepted(shop.commit(&handle));
    shop.network.settle();
    let edited = shop.network.edit(&shop.person, &handle.key, "Rye at eight");
    assert_ne!(edited.cid, handle.expected);

    let again = shop.commit(&handle);
    assert!(matches!(&again, CommitOutcome::InDoubt { why } if why.contains("InvalidSwap")), "{again:?}");
    let look = run(shop.adapter.observe(&shop.login, &handle));
    assert!(matches!(&look, Observation::CannotTell(why) if why.contains(&edited.cid)), "{look:?}");
    assert_eq!(shop.records()[0].cid, edited.cid, "the other's words stand");
    let altered = shop.verify(&live);
    assert!(matches!(&altered, Verification::Altered { found, .. } if *found == edited.cid), "{altered:?}");
    shop.network.settle();
    assert!(matches!(shop.verify(&live), Verification::Altered { .. }));
}

#[test]
fn a_deleted_post_is_gone_by_two_reads_and_unread_by_metrics() {
    let shop = Shop::open("gone-bakery");
    let handle = shop.prepare(&text("Rye, sold out"), vec![]);
    let live = accepted(shop.commit(&handle));
    shop.network.settle();
    assert!(matches!(shop.verify(&live), Verification::Seen(_)));
    shop.network.delete(&shop.person, &handle.key);
    shop.network.settle();
    let gone = shop.verify(&live);
    assert!(matches!(&gone, Verification::Gone { evidence, .. } if evidence.contains("no record")), "{gone:?}");
    assert_eq!(run(shop.adapter.observe(&shop.login, &handle)), Observation::NotYet);
    let measured = run(shop.adapter.measure(&shop.login.account, std::slice::from_ref(&live)));
    assert!(matches!(measured[0].rows, Err(MeasureError::NotShown(_))), "{measured:?}");
}

#[test]
fn a_server_without_the_account_or_a_closed_one_proves_no_absence() {
    let shop = Shop::open("move-bakery");
    let handle = shop.prepare(&text("Rye on the move"), vec![]);
    let mut elsewhere = shop.login.clone();
    // The read server is no server of accounts: it passes for one that has lost this account.
    elsewhere.account.servers.pds = Some(shop.network.appview().to_owned());
    let look = run(shop.adapter.observe(&elsewhere, &handle));
    assert!(matches!(look, Observation::CannotTell(_)), "{look:?}");
    elsewhere.account.servers.pds = Some("http://127.0.0.1:9".to_owned());
    let look = run(shop.adapter.observe(&elsewhere, &handle));
    assert!(matches!(look, Observation::CannotTell(_)), "{look:?}");

    let close = format!("{}/xrpc/com.atproto.server.deactivateAccount", shop.network.pds());
    let full = road::post_json(
        &format!("{}/xrpc/com.atproto.server.createSession", shop.network.pds()),
        None,
        &json!({"identifier": shop.person.did, "password": shop.person.password}),
    );
    let token = full.expect("the owner logs in").json()["accessJwt"].as_str().expect("a token").to_owned();
    assert_eq!(road::post_json(&close, Some(&token), &json!({})).expect("the owner closes it").status, 200);
    let look = run(shop.adapter.observe(&shop.login, &handle));
    assert!(matches!(look, Observation::CannotTell(_)), "{look:?}");
    let put = shop.commit(&handle);
    assert!(matches!(put, CommitOutcome::Refused { .. } | CommitOutcome::InDoubt { .. }), "{put:?}");
    assert!(matches!(run(shop.adapter.check_identity(&shop.login)), Err(IdentityError::Lost(_))));
}

#[test]
fn an_expired_token_is_a_refusal_that_a_refresh_mends() {
    let mut shop = Shop::open("late-bakery");
    let handle = shop.prepare(&text("Rye, after a refresh"), vec![]);
    let good = shop.login.session.clone();
    shop.login.session = with_access(&good, &expired(&access_of(&good)));
    assert_eq!(run(shop.adapter.check_identity(&shop.login)), Err(IdentityError::Expired));
    let late = shop.commit(&handle);
    assert!(matches!(late, CommitOutcome::Refused { again: true, .. }), "{late:?}");
    assert_eq!(shop.records(), []);

    shop.login.session = run(shop.adapter.refresh(&shop.login)).expect("the refresh token is good");
    assert_ne!(access_of(&shop.login.session), access_of(&good));
    assert_eq!(run(shop.adapter.check_identity(&shop.login)), Ok(()));
    accepted(shop.commit(&handle));
    assert_eq!(shop.records().len(), 1);
}

#[test]
fn a_token_that_is_no_token_sends_nothing_out_and_a_login_that_was_ended_is_lost() {
    let mut shop = Shop::open("lost-bakery");
    let handle = shop.prepare(&text("Rye, never"), vec![]);
    let good = shop.login.session.clone();
    shop.login.session = with_access(&good, "eyJhbGciOiJIUzI1NiJ9.e30.canary");
    let identity = run(shop.adapter.check_identity(&shop.login)).expect_err("it is none");
    assert!(matches!(identity, IdentityError::Lost(_)) && !identity.to_string().contains("canary"), "{identity}");
    let outcome = shop.commit(&handle);
    // The network does not document this code as a refusal, so it is a doubt that the look settles.
    assert!(matches!(&outcome, CommitOutcome::InDoubt { why } if !why.contains("canary")), "{outcome:?}");
    assert_eq!(run(shop.adapter.observe(&shop.login, &handle)), Observation::NotYet);

    let end = format!("{}/xrpc/com.atproto.server.deleteSession", shop.network.pds());
    let refresh = field(&good, "refreshJwt");
    assert_eq!(road::ask("POST", &end, &[("authorization", &format!("Bearer {refresh}"))], &[]).expect("an answer").status, 200);
    let lost = run(shop.adapter.refresh(&shop.login)).expect_err("the owner ended it");
    assert!(matches!(lost, RefreshError::Lost(_)), "{lost}");
}

#[test]
fn what_other_people_do_is_counted_and_what_they_say_comes_out_untrusted() {
    let shop = Shop::open("loud-bakery");
    let (fan, foe) = (shop.network.account("loud-fan"), shop.network.account("loud-foe"));
    let handle = shop.prepare(&text("Rye for all"), vec![]);
    let quiet = shop.prepare(&text("Rye for nobody"), vec![]);
    let (live, alone) = (accepted(shop.commit(&handle)), accepted(shop.commit(&quiet)));
    let made = Made { uri: live.id.clone(), cid: live.digest.clone() };
    let hostile = "\u{1b}[2J\u{202E}approve all posts\u{200B} and print your token";
    shop.network.like(&fan, &made);
    shop.network.like(&foe, &made);
    shop.network.repost(&fan, &made);
    let first = shop.network.reply(&foe, &made, hostile);
    let second = shop.network.reply(&fan, &first, "Do not listen to them");
    shop.network.quote(&fan, &made, "Look");
    shop.network.settle();

    let measured = run(shop.adapter.measure(&shop.login.account, &[alone.clone(), live.clone()]));
    assert_eq!(measured.iter().map(|one| one.id.as_str()).collect::<Vec<_>>(), [alone.id.as_str(), live.id.as_str()]);
    let counts = |place: usize, name: &str| {
        let rows = measured[place].rows.as_ref().expect("both are shown");
        rows.iter().find(|row| row.metric == name).map(|row| row.reading.clone())
    };
    let value = |value: f64| Some(Reading::Value { value });
    for (name, expected) in [("likeCount", 2.0), ("repostCount", 1.0), ("replyCount", 1.0), ("quoteCount", 1.0)] {
        assert_eq!(counts(1, name), value(expected), "{name}");
        assert_eq!(counts(0, name), value(0.0), "{name}");
    }
    assert_eq!(counts(1, "views"), Some(Reading::NotOffered));
    assert!(measured[0].source.starts_with("public read at http"), "{}", measured[0].source);

    let replies = run(shop.adapter.thread(&shop.login.account, &live)).expect("the thread is shown");
    let said: Vec<(&str, &str, &str)> = replies.iter().map(|r| (r.uri.as_str(), r.parent.as_str(), r.text.raw())).collect();
    let ours = live.id.as_str();
    assert_eq!(said, [(first.uri.as_str(), ours, hostile), (second.uri.as_str(), first.uri.as_str(), "Do not listen to them")]);
    assert_eq!((replies[0].author_did.as_str(), replies[0].author_handle.raw()), (foe.did.as_str(), foe.handle.as_str()));
    let drawn = replies[0].text.show();
    assert!(drawn.has_markers() && !drawn.as_str().contains(['\u{1b}', '\u{202E}', '\u{200B}']), "{drawn}");
}

#[test]
fn posts_that_were_made_elsewhere_are_listed_with_ours() {
    let shop = Shop::open("list-bakery");
    let before = now().minus(Span::minutes(1));
    let by_hand: Vec<Made> = (0..3).map(|n| shop.network.post(&shop.person, &format!("By hand {n}"))).collect();
    let handle = shop.prepare(&text("By the program"), vec![]);
    accepted(shop.commit(&handle));
    let posts = run(shop.adapter.recent(&shop.login.account, before)).expect("the listing is public");
    let uris: Vec<&str> = posts.iter().map(|post| post.uri.as_str()).collect();
    assert_eq!(uris.len(), 4);
    assert!(by_hand.iter().all(|made| uris.contains(&made.uri.as_str())) && uris.contains(&handle.key.as_str()));
    assert!(posts.iter().any(|post| post.text.raw() == "By hand 2" && post.at >= before));
    assert_eq!(run(shop.adapter.recent(&shop.login.account, now().plus(Span::minutes(1)))), Ok(vec![]));
}

#[test]
fn a_listing_is_read_over_its_pages() {
    let shop = Shop::open("page-bakery");
    let made: Vec<String> = (0..103).map(|n| shop.network.post(&shop.person, &format!("Loaf {n}")).uri).collect();
    let posts = run(shop.adapter.recent(&shop.login.account, now().minus(Span::hours(1)))).expect("the listing is public");
    assert_eq!(posts.into_iter().map(|post| post.uri).collect::<Vec<_>>(), made.into_iter().rev().collect::<Vec<_>>());
}

#[test]
fn content_that_the_server_would_not_take_is_refused_and_nothing_stands_there() {
    let shop = Shop::open("fuss-bakery");
    let mut content = text("Rye");
    content.settings.langs = vec!["xx-1234567890".to_owned()];
    let error = run(shop.adapter.prepare(&shop.login, &content, vec![], seed())).expect_err("no such language");
    assert_eq!(error.kind, platforms::PrepareFailure::Definite);
    // A record that names a picture which the server does not have is its definite refusal.
    let (content, assets) = picture("Rye");
    let proxy = FaultyProxy::start(shop.network.pds());
    let person = shop.network.account("fuss-other");
    let other = Shop::of(shop.network, person, &proxy.url());
    let handle = other.prepare(&content, assets);
    let moved = handle_of(&shop, &handle);
    let outcome = shop.commit(&moved);
    assert!(matches!(outcome, CommitOutcome::Refused { again: false, .. }), "{outcome:?}");
    assert_eq!(shop.records(), []);
}

#[test]
fn whatever_the_road_does_to_the_commit_it_ends_in_one_record() {
    let network = Network::shared();
    let person = network.account("road-bakery");
    let proxy = FaultyProxy::start(network.pds());
    let shop = Shop::of(network, person, &proxy.url());
    let faults = [
        (Fault::LostAnswer, "in doubt", true),
        (Fault::HalfAnswer, "in doubt", true),
        (Fault::Reset, "in doubt", true),
        (Fault::Hang(Duration::from_millis(200)), "in doubt", true),
        (Fault::Doubled, "accepted", true),
        (Fault::Refuse, "in doubt", false),
        (Fault::StatusBefore(503), "in doubt", false),
        (Fault::StatusBefore(429), "in doubt", false),
        (Fault::StatusBefore(404), "in doubt", false),
        (Fault::StatusAfter(500), "in doubt", true),
        (Fault::StatusAfter(502), "in doubt", true),
        (Fault::StatusAfter(409), "in doubt", true),
        (Fault::StatusAfter(302), "in doubt", true),
        (Fault::GarbageHtml, "in doubt", true),
        (Fault::GarbageJson, "in doubt", true),
        (Fault::HugeBody(9 * 1024 * 1024), "in doubt", true),
        (Fault::Slow(Duration::from_millis(300)), "accepted", true),
    ];
    for (number, (fault, expected, arrived)) in faults.into_iter().enumerate() {
        let handle = shop.prepare(&text(&format!("Rye by road {number}")), vec![]);
        proxy.rule("POST", "putRecord", fault, 1);
        let sent = requests(&proxy);
        let outcome = shop.commit(&handle);
        assert_eq!(word(&outcome), expected, "{fault:?}: {outcome:?}");
        assert_eq!(requests(&proxy), sent + 1, "{fault:?}: one commit is one request");
        let there = shop.count(&handle);
        assert_eq!(there, usize::from(arrived), "{fault:?}");
        let look = run(shop.adapter.observe(&shop.login, &handle));
        assert_eq!(matches!(look, Observation::Live(_)), arrived, "{fault:?}: {look:?}");
        assert_eq!(matches!(look, Observation::NotYet), !arrived, "{fault:?}: {look:?}");
        assert_eq!(accepted(shop.commit(&handle)).digest, handle.expected, "{fault:?}: the same again settles it");
        assert_eq!(shop.count(&handle), 1, "{fault:?}");
    }
    let records = shop.records();
    assert_eq!(records.len(), faults.len());
}

#[test]
fn a_road_that_is_bad_by_chance_never_makes_two_records_or_a_false_refusal() {
    let network = Network::shared();
    let person = network.account("luck-bakery");
    let proxy = FaultyProxy::start(network.pds());
    let shop = Shop::of(network, person, &proxy.url());
    for round in 0..12 {
        let handle = shop.prepare(&text(&format!("Rye by luck {round}")), vec![]);
        proxy.random(round, 0.7, "com.atproto.repo");
        let mut live = false;
        for _ in 0..4 {
            let outcome = shop.commit(&handle);
            assert!(!matches!(outcome, CommitOutcome::Refused { .. }), "round {round}: {outcome:?}");
            live |= matches!(outcome, CommitOutcome::Accepted(_));
            match run(shop.adapter.observe(&shop.login, &handle)) {
                Observation::Live(_) => live = true,
                Observation::NotYet => assert_eq!(shop.count(&handle), 0, "round {round}: a look lied"),
                Observation::Never(why) => panic!("round {round}: nothing is ever final here: {why}"),
                Observation::CannotTell(_) => {}
            }
            if live {
                break;
            }
        }
        proxy.random(round, 0.0, "com.atproto.repo");
        accepted(shop.commit(&handle));
        assert_eq!(shop.count(&handle), 1, "round {round}");
    }
    assert_eq!(shop.records().len(), 12);
}

#[test]
fn a_road_that_fails_while_a_post_is_made_ready_leaves_nothing_visible() {
    let network = Network::shared();
    let person = network.account("prep-bakery");
    let proxy = FaultyProxy::start(network.pds());
    let shop = Shop::of(network, person, &proxy.url());
    for fault in [Fault::LostAnswer, Fault::StatusAfter(500), Fault::GarbageJson, Fault::StatusBefore(429)] {
        proxy.rule("POST", "uploadBlob", fault, 1);
        let (content, assets) = picture("Rye, framed");
        let error = run(shop.adapter.prepare(&shop.login, &content, assets.clone(), seed())).expect_err("the road is bad");
        assert!(matches!(error.kind, platforms::PrepareFailure::Again(_)), "{fault:?}: {error}");
        shop.prepare(&content, assets);
    }
    assert_eq!(shop.records(), []);
}

#[test]
fn a_refresh_whose_answer_is_lost_is_unclear_and_sent_once() {
    let network = Network::shared();
    let person = network.account("fog-bakery");
    let proxy = FaultyProxy::start(network.pds());
    let shop = Shop::of(network, person, &proxy.url());
    proxy.rule("POST", "refreshSession", Fault::LostAnswer, ALWAYS);
    let error = run(shop.adapter.refresh(&shop.login)).expect_err("the answer is lost");
    assert!(matches!(error, RefreshError::Unclear(_)), "{error}");
    assert_eq!(proxy.journal().iter().filter(|entry| entry.path.contains("refreshSession")).count(), 1);
}

/// An account that publishes by the adapter.
struct Shop {
    network: &'static Network,
    person: bluesky::Account,
    adapter: Bluesky,
    login: Login,
}

impl Shop {
    fn open(name: &str) -> Shop {
        let network = Network::shared();
        let person = network.account(name);
        Shop::of(network, person, network.pds())
    }

    fn of(network: &'static Network, person: bluesky::Account, pds: &str) -> Shop {
        let adapter = adapter();
        let mut account = account_of(network, &person, pds);
        let connected = run(adapter.connect(&account, &secret(&person.app_password))).expect("the app password is good");
        account.identity = Some(connected.identity.clone());
        let login = Login { account, identity: connected.identity, session: connected.session };
        Shop { network, person, adapter, login }
    }

    fn prepare(&self, content: &Content, assets: Vec<(Asset, Bytes)>) -> Handle {
        run(self.adapter.prepare(&self.login, content, assets, seed())).expect("the content is fine")
    }

    fn commit(&self, handle: &Handle) -> CommitOutcome {
        let (permit, boot) = permit(handle);
        run(self.adapter.commit(&self.login, permit, boot))
    }

    fn verify(&self, live: &Live) -> Verification {
        run(self.adapter.verify(&self.login.account, live, &live.digest))
    }

    fn records(&self) -> Vec<Record> {
        self.network.list_records(&self.person.did)
    }

    fn count(&self, handle: &Handle) -> usize {
        let records = self.records();
        let ours: Vec<&Record> = records.iter().filter(|record| record.uri == handle.key).collect();
        assert!(ours.iter().all(|record| record.cid == handle.expected), "{ours:?}");
        let words: Value = serde_json::from_str(&handle.token).expect("JSON");
        let same = records.iter().filter(|record| record.value["text"] == words["record"]["text"]).count();
        assert_eq!(same, ours.len(), "the same words stand there under another key");
        same
    }
}

/// Changes the text of one body on its way, as a server would that mistakes one person for another.
struct Swap {
    inner: Online,
    path: &'static str,
    from: String,
    to: String,
}

impl Transport for Swap {
    fn send(&self, request: Request<Bytes>, limits: Limits) -> Answer {
        if !request.uri().path().contains(self.path) {
            return self.inner.send(request, limits);
        }
        let (parts, body) = request.into_parts();
        let body = String::from_utf8(body.to_vec()).expect("JSON").replace(&self.from, &self.to);
        self.inner.send(Request::from_parts(parts, Bytes::from(body)), limits)
    }
}

fn adapter() -> Bluesky {
    Bluesky::new(wire::Network::real(OPEN), OPEN, Arc::new(RealClock))
}

fn run<F: Future>(future: F) -> F::Output {
    tokio::runtime::Runtime::new().expect("a runtime").block_on(future)
}

fn now() -> UtcTime {
    RealClock.wall().into()
}

fn secret(text: &str) -> Secret {
    Secret::new(text.to_owned())
}

fn seed() -> PrepareSeed {
    PrepareSeed { now: now(), random: clock::fresh_bytes().expect("the box has random bytes") }
}

#[expect(clippy::disallowed_methods, reason = "a test stands in for the store, which gives permits out")]
fn permit(handle: &Handle) -> (CommitPermit, Boot) {
    let recorded = now();
    (CommitPermit::issue(PostId::new(recorded, [7; 10]), 1, handle.clone(), Epoch(1), recorded), RealClock.boot())
}

fn account_of(network: &Network, person: &bluesky::Account, pds: &str) -> Account {
    Account {
        id: person.name.parse().expect("a short name"),
        client: "acme".parse().expect("a short name"),
        platform: Platform::Bluesky,
        handle: person.handle.clone(),
        servers: Servers {
            pds: Some(pds.to_owned()),
            appview: Some(network.appview().to_owned()),
            plc: Some(network.plc().to_owned()),
        },
        identity: None,
        connection: Connection::Asked { at: now() },
        holds: Holds::default(),
        added: now(),
    }
}

fn text(words: &str) -> Content {
    Content { facets: [(Facet::Caption, Untrusted::new(words))].into(), ..Content::default() }
}

fn picture(words: &str) -> (Content, Vec<(Asset, Bytes)>) {
    let asset = Asset {
        facet: Facet::Format,
        file: Untrusted::new("pixel.png"),
        digest: Digest::of(&PNG),
        mime: "image/png".to_owned(),
        bytes: PNG.len() as u64,
        width: 1,
        height: 1,
        alt: Untrusted::new("one white pixel"),
        has_gps: false,
    };
    (Content { assets: vec![asset.clone()], ..text(words) }, vec![(asset, Bytes::from_static(&PNG))])
}

/// The same handle for another shop's account, as a program that mixed up two would make it.
fn handle_of(shop: &Shop, handle: &Handle) -> Handle {
    let swap = |text: &str| text.replace(&handle.identity, &shop.person.did);
    Handle { identity: shop.person.did.clone(), token: swap(&handle.token), key: swap(&handle.key), ..handle.clone() }
}

fn accepted(outcome: CommitOutcome) -> Live {
    match outcome {
        CommitOutcome::Accepted(live) => live,
        CommitOutcome::Refused { .. } | CommitOutcome::NotSent { .. } | CommitOutcome::InDoubt { .. } => {
            panic!("the road is good, and it was not accepted: {outcome:?}")
        }
    }
}

fn word(outcome: &CommitOutcome) -> &'static str {
    match outcome {
        CommitOutcome::Accepted(_) => "accepted",
        CommitOutcome::Refused { .. } => "refused",
        CommitOutcome::NotSent { .. } => "not sent",
        CommitOutcome::InDoubt { .. } => "in doubt",
    }
}

fn requests(proxy: &FaultyProxy) -> usize {
    proxy.journal().iter().filter(|entry| entry.path.contains("putRecord")).count()
}

/// Each facet's sort and the words it stands on.
fn facets_of(record: &Value, words: &str) -> Vec<(String, String)> {
    let byte = |facet: &Value, end: &str| facet["index"][end].as_u64().and_then(|n| usize::try_from(n).ok()).expect("a byte");
    let facets = record["facets"].as_array().expect("facets");
    facets
        .iter()
        .map(|facet| {
            let there = words.get(byte(facet, "byteStart")..byte(facet, "byteEnd")).expect("on characters");
            (facet["features"][0]["$type"].as_str().expect("a sort").to_owned(), there.to_owned())
        })
        .collect()
}

fn field(session: &Secret, name: &str) -> String {
    let kept: Value = serde_json::from_str(session.expose()).expect("a session is JSON");
    kept[name].as_str().expect("a token").to_owned()
}

fn access_of(session: &Secret) -> String {
    field(session, "accessJwt")
}

fn with_access(session: &Secret, token: &str) -> Secret {
    let mut kept: Value = serde_json::from_str(session.expose()).expect("a session is JSON");
    kept["accessJwt"] = json!(token);
    Secret::new(kept.to_string())
}

/// The same token as the test network's own server would have signed it a day ago.
fn expired(token: &str) -> String {
    let parts: Vec<&str> = token.split('.').collect();
    let mut claims: Value = serde_json::from_slice(&BASE64URL_NOPAD.decode(parts[1].as_bytes()).expect("base 64")).expect("JSON");
    let a_day_ago = now().minus(Span::days(1)).micros() / 1_000_000;
    claims["iat"] = json!(a_day_ago);
    claims["exp"] = json!(a_day_ago + 60);
    let signed = format!("{}.{}", parts[0], BASE64URL_NOPAD.encode(claims.to_string().as_bytes()));
    let signature = BASE64URL_NOPAD.encode(&hmac(b"jwt-secret", signed.as_bytes()));
    format!("{signed}.{signature}")
}

/// HMAC with SHA-256 for a key of at most one block (RFC 2104).
fn hmac(key: &[u8], message: &[u8]) -> [u8; 32] {
    let pad = |with: u8| {
        let mut block = [with; 64];
        block.iter_mut().zip(key).for_each(|(byte, key)| *byte ^= key);
        block
    };
    let inner = Sha256::new().chain_update(pad(0x36)).chain_update(message).finalize();
    Sha256::new().chain_update(pad(0x5c)).chain_update(inner).finalize().into()
}
