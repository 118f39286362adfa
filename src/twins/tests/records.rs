//! What each write does to what stands under its key.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Ground, KEY, POST, put_body, record};
use crate::Maker;

/// Three worlds, as a write finds them.
#[derive(Debug, Clone, Copy)]
enum There {
    Nothing,
    Same,
    Other,
}

fn ground(there: There) -> (Ground, Option<String>) {
    let ground = Ground::new();
    let text = match there {
        There::Nothing => return (ground, None),
        There::Same => "Rye",
        There::Other => "Oats",
    };
    let cid = ground.put(KEY, text, Value::Null).good()["cid"].as_str().unwrap().to_owned();
    (ground, Some(cid))
}

/// A row of the table: the call, what was there, and what must come of it: the answer, and whether a commit was made.
#[track_caller]
fn row(
    there: There,
    act: impl Fn(&Ground, Option<&str>) -> super::Said,
    answer: (u16, &str),
    committed: bool,
    text: Option<&str>,
) {
    let (ground, cid) = ground(there);
    let before = ground.rev();
    ground.pass(1);
    let said = act(&ground, cid.as_deref());
    assert_eq!(said.error(), answer, "{there:?}: {}", said.body);
    assert_eq!(ground.rev() != before, committed, "{there:?}: whether a commit was made");
    let stored = ground.record(KEY);
    assert_eq!(stored.body["value"]["text"].as_str(), text, "{there:?}");
    if answer.0 == 200 {
        assert_eq!(said.body["cid"], stored.body["cid"]);
        assert_eq!(said.body.get("commit").is_some(), committed, "{there:?}");
        assert_eq!(said.body["uri"], format!("at://{}/{POST}/{KEY}", ground.acme.did));
    }
    assert_eq!(ground.twin.journal().last().map(|entry| entry.method.as_str()), Some("GET"));
}

fn create(ground: &Ground, _: Option<&str>) -> super::Said {
    let body = json!({"repo": ground.acme.did, "collection": POST, "rkey": KEY, "record": record("Rye")});
    ground.act("com.atproto.repo.createRecord", &body)
}

#[test]
fn create_record_writes_once_and_then_fails_without_a_reason() {
    row(There::Nothing, create, (200, ""), true, Some("Rye"));
    row(There::Same, create, (500, "InternalServerError"), false, Some("Rye"));
    row(There::Other, create, (500, "InternalServerError"), false, Some("Oats"));
}

#[test]
fn put_record_that_expects_nothing_never_overwrites() {
    let put = |ground: &Ground, _: Option<&str>| ground.put(KEY, "Rye", Value::Null);
    row(There::Nothing, put, (200, ""), true, Some("Rye"));
    row(There::Same, put, (200, ""), false, Some("Rye"));
    row(There::Other, put, (400, "InvalidSwap"), false, Some("Oats"));
}

#[test]
fn put_record_without_expectation_overwrites() {
    let put = |ground: &Ground, _: Option<&str>| ground.put(KEY, "Rye", json!(false));
    row(There::Nothing, put, (200, ""), true, Some("Rye"));
    row(There::Same, put, (200, ""), false, Some("Rye"));
    row(There::Other, put, (200, ""), true, Some("Rye"));
}

#[test]
fn put_record_that_expects_what_is_there_overwrites_that_alone() {
    let put = |ground: &Ground, cid: Option<&str>| {
        let cid = cid.map_or_else(some_cid, str::to_owned);
        ground.put(KEY, "Rye", json!(cid))
    };
    row(There::Nothing, put, (400, "InvalidSwap"), false, None);
    row(There::Same, put, (200, ""), false, Some("Rye"));
    row(There::Other, put, (200, ""), true, Some("Rye"));
    let wrong = |ground: &Ground, _: Option<&str>| ground.put(KEY, "Rye", json!(some_cid()));
    row(There::Other, wrong, (400, "InvalidSwap"), false, Some("Oats"));
}

fn some_cid() -> String {
    "bafyreigbtj4x7ip5legnfznufuopl4sg4knzc2cof6duas4b3q2fy6swua".to_owned()
}

#[test]
fn swap_commit_holds_the_whole_repository() {
    let (ground, _) = ground(There::Other);
    let mut body = put_body(&ground.acme.did, "3lbpqaaaaaa2b", "Rye", Value::Null);
    body["swapCommit"] = json!(some_cid());
    assert_eq!(ground.act("com.atproto.repo.putRecord", &body).error(), (400, "InvalidSwap"));
    let head = ground.put("3lbpqaaaaaa2c", "Spelt", Value::Null).good()["commit"]["cid"].clone();
    body["swapCommit"] = head;
    ground.act("com.atproto.repo.putRecord", &body).good();
    assert_eq!(ground.act("com.atproto.repo.deleteRecord", &body).error().1, "InvalidSwap");
}

#[test]
fn delete_record_is_done_once_and_then_nothing() {
    let (ground, cid) = ground(There::Other);
    let mut body = json!({"repo": "acme.test", "collection": POST, "rkey": KEY, "swapRecord": some_cid()});
    assert_eq!(ground.act("com.atproto.repo.deleteRecord", &body).error(), (400, "InvalidSwap"));
    body["swapRecord"] = json!(cid);
    assert!(ground.act("com.atproto.repo.deleteRecord", &body).good()["commit"]["rev"].is_string());
    assert_eq!(ground.record(KEY).error(), (400, "RecordNotFound"));
    assert_eq!(ground.act("com.atproto.repo.deleteRecord", &body).good(), json!({}));
}

#[test]
fn keys_and_records_are_checked_before_anything_is_written() {
    let ground = Ground::new();
    for (rkey, text, words) in [
        ("not-a-time", "Rye".to_owned(), "Invalid TID"),
        ("a/b", "Rye".to_owned(), "Invalid record key"),
        (KEY, "ä".repeat(301), "maximum 300 graphemes, got 301"),
    ] {
        let said = ground.put(rkey, &text, Value::Null);
        assert_eq!(said.error(), (400, "InvalidRequest"));
        assert!(said.body["message"].as_str().unwrap().contains(words), "{}", said.body);
    }
    let mut body = put_body(&ground.acme.did, KEY, "Rye", Value::Null);
    body["record"]["$type"] = json!("app.bsky.feed.like");
    assert!(ground.act("com.atproto.repo.putRecord", &body).body["message"].to_string().contains("Invalid $type"));
    body["record"] = json!({"text": "Rye", "createdAt": "2026-11-23T08:00:00Z", "mood": 0.5});
    assert!(ground.act("com.atproto.repo.putRecord", &body).body["message"].to_string().contains("fraction"));
    assert_eq!(ground.twin.visible("acme.test"), []);
}

#[test]
fn the_order_of_a_records_keys_changes_nothing_and_comes_back_in_that_of_its_bytes() {
    let ground = Ground::new();
    let first = ground.put(KEY, "Rye", Value::Null).good()["cid"].clone();
    let mut turned = put_body(&ground.acme.did, KEY, "Rye", Value::Null);
    turned["record"] = json!({"createdAt": "2026-11-23T08:00:00.000Z", "text": "Rye"});
    let again = ground.act("com.atproto.repo.putRecord", &turned).good();
    assert_eq!((&again["cid"], again.get("commit")), (&first, None));
    let keys: Vec<String> = ground.record(KEY).body["value"].as_object().unwrap().keys().cloned().collect();
    assert_eq!(keys, ["text", "$type", "createdAt"]);
}

#[test]
fn a_collection_that_is_not_known_is_taken_as_it_is_unless_its_rules_are_asked_for() {
    let ground = Ground::new();
    let mut body = json!({
        "repo": ground.acme.did, "collection": "com.example.note", "rkey": "one", "record": {"words": "any"},
    });
    assert_eq!(ground.act("com.atproto.repo.putRecord", &body).good()["validationStatus"], "unknown");
    body["validate"] = json!(true);
    assert_eq!(ground.act("com.atproto.repo.putRecord", &body).error(), (400, "InvalidRequest"));
}

#[test]
fn pictures_are_known_by_their_bytes_and_belong_to_one_account() {
    let ground = Ground::new();
    let png = [b"\x89PNG\r\n\x1a\n".as_slice(), &[0; 40]].concat();
    let blob = ground.upload("image/jpeg", &png).good()["blob"].clone();
    assert_eq!((blob["mimeType"].as_str(), blob["size"].as_u64()), (Some("image/png"), Some(48)));
    let image = json!({"alt": "bread", "image": blob});
    let mut body = put_body(&ground.acme.did, KEY, "Rye", Value::Null);
    body["record"]["embed"] = json!({"$type": "app.bsky.embed.images", "images": [image]});
    let mut lied = body.clone();
    lied["record"]["embed"]["images"][0]["image"]["size"] = json!(47);
    assert_eq!(ground.act("com.atproto.repo.putRecord", &lied).error(), (400, "InvalidSize"));
    lied["record"]["embed"]["images"][0]["image"]["ref"]["$link"] = json!(some_cid());
    assert_eq!(ground.act("com.atproto.repo.putRecord", &lied).error(), (400, "BlobNotFound"));
    ground.act("com.atproto.repo.putRecord", &body).good();
    let cid = body["record"]["embed"]["images"][0]["image"]["ref"]["$link"].as_str().unwrap();
    let path = format!("com.atproto.sync.getBlob?did={}&cid={cid}", ground.acme.did);
    let answer = ground.twin.handle(super::get(&path, None));
    assert_eq!((answer.headers()["content-type"].as_bytes(), &answer.body()[..]), (b"image/png".as_slice(), &png[..]));
    assert_eq!(ground.upload("image/png", &vec![0; 5 * 1024 * 1024 + 1]).error(), (413, "PayloadTooLarge"));
}

#[test]
fn several_writes_are_one_commit_or_none() {
    let ground = Ground::new();
    let one = |kind: &str, rkey: &str, text: &str| {
        let mut write =
            json!({"$type": format!("com.atproto.repo.applyWrites#{kind}"), "collection": POST, "rkey": rkey});
        if kind != "delete" {
            write["value"] = record(text);
        }
        write
    };
    let apply = |writes: Vec<Value>| {
        ground.act("com.atproto.repo.applyWrites", &json!({"repo": ground.acme.did, "writes": writes}))
    };
    let both = apply(vec![one("create", "3lbpqaaaaaa2a", "Rye"), one("create", "3lbpqaaaaaa2b", "Oats")]).good();
    assert_eq!(both["results"].as_array().unwrap().len(), 2);
    let rev = ground.rev();
    ground.pass(1);
    let broken = apply(vec![one("delete", "3lbpqaaaaaa2a", ""), one("update", "3lbpqaaaaaa2z", "Spelt")]);
    assert_eq!(broken.error(), (500, "InternalServerError"));
    assert_eq!(ground.rev(), rev);
    assert_eq!(ground.record("3lbpqaaaaaa2a").status, 200, "nothing of a broken request is written");
    apply(vec![one("update", "3lbpqaaaaaa2a", "Spelt"), one("delete", "3lbpqaaaaaa2b", "")]).good();
    let texts: Vec<_> =
        ground.twin.visible("acme.test").into_iter().map(|post| (post.text, post.removed.is_some())).collect();
    assert_eq!(texts, [("Spelt".to_owned(), false), ("Oats".to_owned(), true)]);
    assert!(apply(vec![one("delete", "3lbpqaaaaaa2z", ""); 201]).body["message"].to_string().contains("Max: 200"));
}

#[test]
fn records_of_one_request_get_keys_of_their_own() {
    let ground = Ground::new();
    let write = json!({"$type": "com.atproto.repo.applyWrites#create", "collection": POST, "value": record("Rye")});
    let body = json!({"repo": ground.acme.did, "writes": vec![write; 5]});
    ground.act("com.atproto.repo.applyWrites", &body).good();
    let body = json!({"repo": ground.acme.did, "collection": POST, "record": record("Rye")});
    ground.act("com.atproto.repo.createRecord", &body).good();
    assert_eq!(ground.twin.visible("acme.test").len(), 6, "all in one moment");
    let rev = ground.rev();
    ground.clock.set(super::monday() - chrono::TimeDelta::days(30));
    ground.twin.post_by_hand("acme.test", "By hand, by a clock that was set back").unwrap();
    assert!(ground.rev() > rev, "revisions grow whatever the clock does");
}

#[test]
fn what_is_visible_says_who_made_it_and_what_became_of_it() {
    let ground = Ground::new();
    ground.put(KEY, "Rye", Value::Null).good();
    ground.pass(60);
    let by_hand = ground.twin.post_by_hand("acme.test", "By hand").unwrap();
    ground.pass(60);
    ground.twin.edit_by_hand("acme.test", &by_hand.uri, "By hand, twice").unwrap();
    ground.pass(60);
    ground.twin.delete_by_hand("acme.test", &by_hand.uri).unwrap();
    let posts = ground.twin.visible(&ground.acme.did);
    assert_eq!(posts.len(), 2);
    assert_eq!((posts[0].maker, posts[0].edits, posts[0].removed), (Maker::Interface, 0, None));
    assert_eq!((posts[1].maker, posts[1].edits, posts[1].text.as_str()), (Maker::Hand, 1, "By hand, twice"));
    let life = posts[1].removed.unwrap().signed_duration_since(posts[1].at);
    assert_eq!(life.num_seconds(), 120);
    let hands = ground.twin.journal().iter().filter(|entry| entry.method == "HAND" && entry.applied).count();
    assert_eq!(hands, 3);
}

#[test]
fn writes_have_a_budget() {
    let ground = Ground::new();
    let put = put_body(&ground.acme.did, KEY, "Rye", Value::Null);
    let mut taken = 0;
    let full = loop {
        let said = ground.act("com.atproto.repo.putRecord", &put);
        if said.status != 200 {
            break said;
        }
        taken += 1;
    };
    assert_eq!((taken, full.error()), (2500, (429, "RateLimitExceeded")));
    ground.pass(3600);
    ground.act("com.atproto.repo.putRecord", &put_body(&ground.acme.did, KEY, "Rye", Value::Null)).error();
    let again = ground.log_in(&ground.acme.app_password).good();
    let token = again["accessJwt"].as_str().unwrap();
    assert_eq!(ground.post("com.atproto.repo.putRecord", Some(token), &put).status, 200);
}

/// A plain map from key to text, which a repository must never differ from.
#[derive(Debug, Clone)]
enum Step {
    Put(u8, u8, bool),
    Create(u8, u8),
    Delete(u8),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let key = 0_u8..4;
    let step = prop_oneof![
        (key.clone(), 0_u8..3, any::<bool>()).prop_map(|(key, text, swap)| Step::Put(key, text, swap)),
        (key.clone(), 0_u8..3).prop_map(|(key, text)| Step::Create(key, text)),
        key.prop_map(Step::Delete),
    ];
    prop::collection::vec(step, 1..30)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn a_repository_is_a_map_whatever_is_written_in_whatever_order(steps in steps()) {
        let ground = Ground::new();
        let mut model: std::collections::BTreeMap<String, String> = std::collections::BTreeMap::new();
        for step in steps {
            ground.pass(1);
            let rkey = |key: u8| format!("3lbpqaaaaaa2{}", char::from(b'a' + key));
            let rev = ground.rev();
            let before = model.clone();
            match step {
                Step::Put(key, text, swap) => {
                    let (rkey, text) = (rkey(key), format!("text {text}"));
                    let said = ground.put(&rkey, &text, if swap { Value::Null } else { json!(false) });
                    let blocked = swap && model.get(&rkey).is_some_and(|there| *there != text);
                    prop_assert_eq!(said.status, if blocked { 400 } else { 200 });
                    if !blocked {
                        model.insert(rkey, text);
                    }
                }
                Step::Create(key, text) => {
                    let (rkey, text) = (rkey(key), format!("text {text}"));
                    let body = json!({"repo": ground.acme.did, "collection": POST, "rkey": rkey, "record": record(&text)});
                    let said = ground.act("com.atproto.repo.createRecord", &body);
                    let taken = model.contains_key(&rkey);
                    prop_assert_eq!(said.status, if taken { 500 } else { 200 });
                    model.entry(rkey).or_insert(text);
                }
                Step::Delete(key) => {
                    let body = json!({"repo": ground.acme.did, "collection": POST, "rkey": rkey(key)});
                    ground.act("com.atproto.repo.deleteRecord", &body).good();
                    model.remove(&rkey(key));
                }
            }
            prop_assert_eq!(ground.rev() != rev, model != before, "a commit is made exactly where something changed");
            let listed = ground.get(&format!("com.atproto.repo.listRecords?repo={}&collection={POST}&reverse=true", ground.acme.did)).good();
            let listed: Vec<String> = listed["records"].as_array().unwrap().iter().map(|r| r["value"]["text"].as_str().unwrap().to_owned()).collect();
            prop_assert_eq!(listed, model.values().cloned().collect::<Vec<_>>());
        }
    }
}
