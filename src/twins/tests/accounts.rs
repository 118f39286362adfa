//! Accounts, sessions, and what closed ones answer.

use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};

use super::{Ground, KEY};
use crate::{Audience, BlueskyTwin};

fn token(session: &Value, name: &str) -> String {
    session[name].as_str().unwrap().to_owned()
}

fn refresh(ground: &Ground, token: &str) -> super::Said {
    ground.post("com.atproto.server.refreshSession", Some(token), &json!({}))
}

#[test]
fn a_handle_leads_to_an_identity_and_that_to_the_server() {
    let ground = Ground::new();
    let did = &ground.acme.did;
    assert_eq!(ground.get("com.atproto.identity.resolveHandle?handle=ACME.test").good()["did"], did.as_str());
    assert_eq!(ground.get("com.atproto.identity.resolveHandle?handle=nobody.test").error(), (400, "InvalidRequest"));
    let plain = |url: &str| {
        let request = http::Request::get(url).body(bytes::Bytes::new()).unwrap();
        let answer = ground.twin.handle(request);
        (answer.status().as_u16(), String::from_utf8(answer.body().to_vec()).unwrap())
    };
    let (status, document) = plain(&format!("https://plc.test/{did}"));
    let document: Value = serde_json::from_str(&document).unwrap();
    assert_eq!((status, &document["id"]), (200, &json!(did)));
    assert_eq!(document["alsoKnownAs"][0], "at://acme.test");
    assert_eq!(document["service"][0]["serviceEndpoint"], ground.twin.base());
    assert_eq!(plain("https://plc.test/did:plc:aaaaaaaaaaaaaaaaaaaaaaaa").0, 404);
    assert_eq!(plain("https://acme.test/.well-known/atproto-did"), (200, did.clone()));
    assert_eq!(plain("https://other.test/.well-known/atproto-did").0, 404);
    assert_eq!(ground.get("com.atproto.server.describeServer").good()["availableUserDomains"], json!([".test"]));
}

#[test]
fn the_same_seed_and_handle_give_the_same_identity() {
    let did = |seed, handle: &str| {
        let clock = clock::ManualClock::new(super::monday());
        BlueskyTwin::new(std::sync::Arc::new(clock), seed).add_account(handle, "x", Audience::none()).unwrap().did
    };
    assert_eq!(did(1, "acme.test"), did(1, "acme.test"));
    assert_ne!(did(1, "acme.test"), did(2, "acme.test"));
    assert_eq!(did(1, "acme.test").len(), "did:plc:".len() + 24);
}

#[test]
fn passwords_open_sessions_whose_end_can_be_read() {
    let ground = Ground::new();
    assert_eq!(ground.log_in("wrong").error(), (401, "AuthenticationRequired"));
    let session = ground.log_in(&ground.acme.app_password).good();
    assert_eq!((&session["did"], &session["active"]), (&json!(ground.acme.did), &json!(true)));
    let access = token(&session, "accessJwt");
    let claims = BASE64URL_NOPAD.decode(access.split('.').nth(1).unwrap().as_bytes()).unwrap();
    let claims: Value = serde_json::from_slice(&claims).unwrap();
    assert_eq!(claims["exp"].as_i64().unwrap(), super::monday().timestamp() + 7200);
    // An app password does not make another one; the account's own does.
    let make = |token: &str| ground.post("com.atproto.server.createAppPassword", Some(token), &json!({"name": "x"}));
    assert_eq!(make(&access).error(), (400, "InvalidToken"));
    let own = token(&ground.log_in("own-password").good(), "accessJwt");
    let made = make(&own).good()["password"].as_str().unwrap().to_owned();
    assert_eq!((made.len(), ground.log_in(&made).status), (19, 200));
}

#[test]
fn tokens_that_are_late_are_expired_and_others_are_none() {
    let ground = Ground::new();
    let who = |token: &str| ground.get_as("com.atproto.server.getSession", token);
    assert_eq!(who(&ground.token).good()["handle"], "acme.test");
    assert_eq!(ground.get("com.atproto.server.getSession").error(), (401, "AuthMissing"));
    assert_eq!(who("eyJhbGciOiJIUzI1NiJ9.e30.canary").error(), (400, "InvalidToken"));
    ground.pass(7200);
    assert_eq!(who(&ground.token).error(), (400, "ExpiredToken"));
    assert_eq!(ground.put(KEY, "Rye", Value::Null).error(), (400, "ExpiredToken"));
    assert_eq!(ground.twin.visible("acme.test"), []);
}

#[test]
fn a_used_refresh_token_serves_two_hours_on_and_gives_the_same_successor() {
    let ground = Ground::new();
    let first = token(&ground.log_in("own-password").good(), "refreshJwt");
    assert_eq!(refresh(&ground, &ground.token).error(), (400, "InvalidToken"));
    let claims = |session: &Value| {
        let token = token(session, "refreshJwt");
        let bytes = BASE64URL_NOPAD.decode(token.split('.').nth(1).unwrap().as_bytes()).unwrap();
        serde_json::from_slice::<Value>(&bytes).unwrap()["jti"].clone()
    };
    let second = refresh(&ground, &first).good();
    ground.pass(7199);
    assert_eq!(claims(&refresh(&ground, &first).good()), claims(&second));
    ground.pass(1);
    assert_eq!(refresh(&ground, &first).error(), (400, "ExpiredToken"));
    let second = token(&second, "refreshJwt");
    assert_eq!(ground.post("com.atproto.server.deleteSession", Some(&second), &json!({})).status, 200);
    assert_eq!(refresh(&ground, &second).error(), (400, "ExpiredToken"));
}

#[test]
fn thirty_logins_in_five_minutes_are_all_there_are() {
    let ground = Ground::new(); // which is one of them
    for _ in 0..29 {
        assert_eq!(ground.log_in(&ground.acme.app_password).status, 200);
    }
    let body = json!({"identifier": "acme.test", "password": "x"});
    let full = ground.twin.handle(super::post("com.atproto.server.createSession", None, &body));
    assert_eq!(full.status().as_u16(), 429);
    let reset: i64 = full.headers()["ratelimit-reset"].to_str().unwrap().parse().unwrap();
    assert_eq!(reset, super::monday().timestamp() + 300);
    assert_eq!(full.headers()["ratelimit-policy"], "30;w=300");
    ground.pass(300);
    assert_eq!(ground.log_in(&ground.acme.app_password).status, 200);
}

#[test]
fn a_session_that_the_network_ended_cannot_be_renewed() {
    let ground = Ground::new();
    let session = ground.log_in(&ground.acme.app_password).good();
    ground.twin.lose_session("acme.test").unwrap();
    assert_eq!(ground.put(KEY, "Rye", Value::Null).error(), (400, "ExpiredToken"));
    assert_eq!(refresh(&ground, &token(&session, "refreshJwt")).error(), (400, "ExpiredToken"));
    assert_eq!(ground.log_in(&ground.acme.app_password).status, 200, "the password still is one");
}

#[test]
fn a_closed_account_answers_as_one() {
    let ground = Ground::new();
    ground.put(KEY, "Rye", Value::Null).good();
    ground.twin.index_now();
    let uri = ground.twin.visible("acme.test")[0].uri.clone();
    let shown = || ground.get(&format!("app.bsky.feed.getPosts?uris={uri}")).good()["posts"].as_array().unwrap().len();
    let status = || ground.get(&format!("com.atproto.sync.getRepoStatus?did={}", ground.acme.did)).good();
    let own = token(&ground.log_in("own-password").good(), "accessJwt");
    assert_eq!(shown(), 1);

    ground.twin.takedown("acme.test").unwrap();
    assert_eq!(ground.put("3lbpqaaaaaa2b", "Oats", Value::Null).error(), (401, "AccountTakedown"));
    assert_eq!(ground.log_in("own-password").error(), (401, "AccountTakedown"));
    assert_eq!(ground.log_in(&ground.acme.app_password).error(), (401, "AuthenticationRequired"));
    assert_eq!(ground.record(KEY).error(), (400, "RecordNotFound"));
    assert_eq!((status()["active"].clone(), status()["status"].clone()), (json!(false), json!("takendown")));
    assert_eq!(ground.get("app.bsky.actor.getProfile?actor=acme.test").error(), (400, "AccountTakedown"));
    assert_eq!(shown(), 0);

    ground.twin.restore("acme.test").unwrap();
    assert_eq!((shown(), ground.record(KEY).status), (1, 200));
    ground.post("com.atproto.server.deactivateAccount", Some(&own), &json!({}));
    assert_eq!(ground.put("3lbpqaaaaaa2b", "Oats", Value::Null).error(), (401, "AccountDeactivated"));
    assert_eq!(status()["status"], "deactivated");
    let session = ground.get_as("com.atproto.server.getSession", &ground.token).good();
    assert_eq!((&session["active"], &session["status"]), (&json!(false), &json!("deactivated")));
}

#[test]
fn a_warning_is_a_label_that_everybody_sees() {
    let ground = Ground::new();
    ground.twin.warn("acme.test", "!warn").unwrap();
    let profile = ground.get("app.bsky.actor.getProfile?actor=acme.test").good();
    assert_eq!(
        (&profile["labels"][0]["val"], &profile["labels"][0]["uri"]),
        (&json!("!warn"), &json!(ground.acme.did))
    );
    assert!(ground.twin.warn("nobody.test", "!warn").is_err());
}

#[test]
fn people_make_accounts_of_their_own_with_handles_that_are_free_and_allowed() {
    let ground = Ground::new();
    let make = |handle: &str| {
        ground.post("com.atproto.server.createAccount", None, &json!({"handle": handle, "password": "pw"}))
    };
    let made = make("Bea-Reads.test").good();
    assert_eq!(made["handle"], "bea-reads.test");
    for (handle, name) in [
        ("acme.test", "HandleNotAvailable"),
        ("admin.test", "HandleNotAvailable"),
        ("ab.test", "InvalidHandle"),
        ("a.b.test", "InvalidHandle"),
        ("acme", "InvalidHandle"),
        ("acme.example.com", "UnsupportedDomain"),
    ] {
        assert_eq!(make(handle).error(), (400, name), "{handle}");
    }
}

#[test]
fn a_token_of_one_account_writes_to_no_other() {
    let ground = Ground::new();
    let other = ground.twin.add_account("other.test", "x", Audience::none()).unwrap();
    let put = super::put_body(&other.did, KEY, "Rye", Value::Null);
    assert_eq!(ground.act("com.atproto.repo.putRecord", &put).error(), (401, "AuthenticationRequired"));
    let put = super::put_body("did:plc:nobody", KEY, "Rye", Value::Null);
    assert_eq!(ground.act("com.atproto.repo.putRecord", &put).error(), (403, "AccountNotFound"));
    assert_eq!(ground.get("com.example.nothing").error(), (501, "MethodNotImplemented"));
    assert!(ground.get("com.atproto.repo.putRecord").body["message"].to_string().contains("Incorrect HTTP method"));
}
