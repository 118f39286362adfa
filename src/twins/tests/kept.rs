//! A twin that is kept in a file, and one that is opened again.

use std::sync::Arc;

use clock::ManualClock;
use serde_json::Value;

use super::{Ground, KEY, Said, monday, post, put_body};
use crate::{Audience, BlueskyTwin};

#[test]
fn what_was_answered_is_there_when_it_is_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("twin.journal");
    let clock = ManualClock::new(monday());
    let open = || BlueskyTwin::open(Arc::new(clock.clone()), 5, &path).unwrap();
    let twin = open();
    let acme = twin.add_account("acme.test", "own-password", Audience::of(900, 6.0)).unwrap();
    let session = serde_json::json!({"identifier": "acme.test", "password": acme.app_password});
    let session = Said::of(&twin.handle(post("com.atproto.server.createSession", None, &session))).good();
    let token = session["accessJwt"].as_str().unwrap();
    let put = |twin: &BlueskyTwin, rkey: &str, text: &str| {
        Said::of(&twin.handle(post(
            "com.atproto.repo.putRecord",
            Some(token),
            &put_body(&acme.did, rkey, text, Value::Null),
        )))
    };
    let first = put(&twin, KEY, "Rye").good();
    let uri = first["uri"].as_str().unwrap();
    clock.advance(std::time::Duration::from_secs(50 * 60));
    let thread = super::get(&format!("app.bsky.feed.getPostThread?uri={uri}"), None);
    let before = Said::of(&twin.handle(thread.clone())).good();
    let (journal, visible, digest) = (twin.journal(), twin.visible("acme.test"), twin.digest());
    drop(twin);

    let twin = open();
    assert_eq!((twin.journal(), twin.visible("acme.test"), twin.digest()), (journal, visible, digest));
    assert_eq!(Said::of(&twin.handle(thread)).good(), before, "and readers are not heard twice");
    let again = put(&twin, KEY, "Rye").good();
    assert_eq!((again.get("commit"), &again["cid"]), (None, &first["cid"]));
    assert_eq!(put(&twin, "3lbpqaaaaaa2b", "Oats").status, 200, "the session still is one");
}

#[test]
fn a_line_that_broke_off_was_never_answered_and_is_not_there() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("twin.journal");
    let clock: Arc<ManualClock> = Arc::new(ManualClock::new(monday()));
    let twin = BlueskyTwin::open(clock.clone(), 5, &path).unwrap();
    twin.add_account("acme.test", "x", Audience::none()).unwrap();
    let kept = twin.post_by_hand("acme.test", "Rye").unwrap();
    let whole = std::fs::metadata(&path).unwrap().len();
    twin.post_by_hand("acme.test", "Oats").unwrap();
    drop(twin);
    let bytes = std::fs::read(&path).unwrap();
    for torn in [bytes.len() - 1, usize::try_from(whole).unwrap() + 1] {
        std::fs::write(&path, &bytes[..torn]).unwrap();
        let twin = BlueskyTwin::open(clock.clone(), 5, &path).unwrap();
        let uris: Vec<String> = twin.visible("acme.test").into_iter().map(|post| post.uri).collect();
        assert_eq!(uris, std::slice::from_ref(&kept.uri));
    }
}

#[test]
fn nothing_that_a_twin_shows_holds_a_password_or_a_token() {
    let ground = Ground::new();
    ground.put(KEY, "Rye", Value::Null).good();
    let shown = format!("{:?}", ground.twin.journal());
    assert!(
        !shown.contains(&ground.acme.app_password) && !shown.contains("own-password") && !shown.contains(&ground.token)
    );
}
