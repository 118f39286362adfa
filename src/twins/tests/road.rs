//! The road: what each fault does to both sides, in this process and on a socket.

use std::time::Duration;

use clock::Clock as _;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::{Ground, KEY, put_body, status};
use crate::{Fault, Lost, Rates};

fn put(ground: &Ground, rkey: &str) -> http::Request<bytes::Bytes> {
    super::post(
        "com.atproto.repo.putRecord",
        Some(&ground.token),
        &put_body(&ground.acme.did, rkey, "Rye", Value::Null),
    )
}

/// Lets tasks run until all of them wait.
async fn settle() {
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn each_fault_is_what_it_says() {
    let ground = Ground::new();
    let cases = [
        (Fault::Refused, Err(Lost::Refused), 0, false),
        (Fault::LostBefore, Err(Lost::Closed), 0, false),
        (Fault::LostAfter, Err(Lost::Closed), 1, true),
        (Fault::Reset, Err(Lost::Reset), 1, true),
        (Fault::Truncated, Err(Lost::Truncated), 1, true),
        (Fault::StatusBefore(503), Ok(503), 0, false),
        (Fault::StatusAfter(502), Ok(502), 1, true),
        (Fault::RateLimited(Duration::from_secs(90)), Ok(429), 0, false),
        (Fault::Doubled, Ok(200), 1, true),
        (Fault::GarbageHtml, Ok(200), 1, true),
        (Fault::GarbageJson, Ok(200), 1, true),
    ];
    for (number, (fault, seen, made, applied)) in cases.into_iter().enumerate() {
        let rkey = format!("3lbpqaaaaaa2{}", char::from(b'a' + u8::try_from(number).unwrap()));
        ground.twin.rule("putRecord", fault, 1);
        let before = ground.twin.visible("acme.test").len();
        let from = ground.twin.journal().len();
        let answer = ground.twin.call(put(&ground, &rkey)).await;
        assert_eq!(status(&answer), seen, "{fault:?}");
        assert_eq!(ground.twin.visible("acme.test").len() - before, made, "{fault:?}");
        let entries = ground.twin.journal_from(u64::try_from(from).unwrap());
        assert_eq!(entries.len(), if fault == Fault::Doubled { 2 } else { 1 }, "{fault:?}");
        assert!(entries.iter().all(|entry| entry.fault == Some(fault) && entry.nsid == "com.atproto.repo.putRecord"));
        assert_eq!(entries[0].applied, applied, "{fault:?}");
        if let Some(again) = entries.get(1) {
            assert!(!again.applied, "the same bytes again are no commit");
        }
        assert_eq!(status(&ground.twin.call(put(&ground, &rkey)).await), Ok(200), "{fault:?}: the rule was for one");
        assert_eq!(ground.twin.visible("acme.test").len(), number + 1, "{fault:?}");
    }
    let limited = ground.twin.call(super::get("x", None));
    ground.twin.rule("/xrpc/y", Fault::RateLimited(Duration::from_secs(90)), 1);
    let limited_ = ground.twin.call(super::get("y", None)).await.unwrap();
    assert_eq!(limited.await.unwrap().status().as_u16(), 501);
    assert_eq!(limited_.headers()["retry-after"], "90");
    assert_eq!(limited_.headers()["ratelimit-reset"], (super::monday().timestamp() + 90).to_string().as_str());
}

#[tokio::test]
async fn a_request_that_is_late_is_applied_after_its_caller_gave_up() {
    let ground = Ground::new();
    ground.twin.rule("putRecord", Fault::Late(Duration::from_secs(600)), 1);
    let call = ground.twin.call(put(&ground, KEY));
    settle().await;
    drop(call);
    ground.pass(599);
    settle().await;
    assert_eq!(ground.twin.visible("acme.test"), []);
    ground.pass(1);
    settle().await;
    let made = ground.twin.visible("acme.test");
    assert_eq!((made.len(), made[0].at), (1, ground.clock.wall()));
}

#[tokio::test]
async fn an_answer_that_is_slow_was_applied_at_once() {
    let ground = Ground::new();
    ground.twin.rule("putRecord", Fault::Slow(Duration::from_secs(30)), 1);
    let call = tokio::spawn(ground.twin.call(put(&ground, KEY)));
    settle().await;
    assert_eq!(ground.twin.visible("acme.test").len(), 1);
    assert!(!call.is_finished());
    ground.pass(30);
    assert_eq!(status(&call.await.unwrap()), Ok(200));
}

#[tokio::test]
async fn chance_never_makes_two_posts_of_one_key_and_is_the_same_for_a_seed() {
    let run = || async {
        let ground = Ground::new();
        ground.twin.random(Rates { late: 0.0, slow: 0.0, ..Rates::all(0.8) });
        ground.twin.only("putRecord");
        let mut seen = Vec::new();
        for n in 0..60_u8 {
            let rkey = format!("3lbpqaaaaa2{}{}", char::from(b'a' + n / 20), char::from(b'a' + n % 20));
            for _ in 0..6 {
                seen.push(status(&ground.twin.call(put(&ground, &rkey)).await));
            }
        }
        ground.twin.calm();
        let posts = ground.twin.visible("acme.test");
        assert!(posts.len() >= 59 && posts.iter().all(|post| post.edits == 0 && post.removed.is_none()));
        (seen, ground.twin.digest())
    };
    let (first, second) = (run().await, run().await);
    assert_eq!(first, second);
    assert!(first.0.contains(&Err(Lost::Reset)) && first.0.contains(&Ok(504)) && first.0.contains(&Ok(429)));
}

/// Speaks HTTP by hand, so that what is on the wire is seen as it is.
async fn raw(address: std::net::SocketAddr, head: &str, body: &str) -> String {
    #[expect(clippy::disallowed_methods, reason = "a test looks at the socket itself")]
    let mut stream = TcpStream::connect(address).await.unwrap();
    let length = body.len();
    let request = format!(
        "{head} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.ok();
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn on_a_socket_a_lost_answer_is_no_byte_and_a_broken_one_is_too_short() {
    let ground = Ground::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(ground.twin.clone().serve(listener));
    let whole = raw(address, "GET /xrpc/com.atproto.identity.resolveHandle?handle=acme.test", "").await;
    assert!(
        whole.starts_with("HTTP/1.1 200") && whole.ends_with(&json!({"did": ground.acme.did}).to_string()),
        "{whole}"
    );
    assert_eq!(ground.twin.base(), format!("http://{address}"));
    ground.twin.rule("resolveHandle", Fault::LostAfter, 1);
    assert_eq!(raw(address, "GET /xrpc/com.atproto.identity.resolveHandle?handle=acme.test", "").await, "");
    ground.twin.rule("resolveHandle", Fault::Truncated, 1);
    let half = raw(address, "GET /xrpc/com.atproto.identity.resolveHandle?handle=acme.test", "").await;
    let (head, body) = half.split_once("\r\n\r\n").unwrap();
    let promised: usize =
        head.to_ascii_lowercase().split("content-length: ").nth(1).unwrap().lines().next().unwrap().parse().unwrap();
    assert!(body.len() < promised, "{half}");
}

#[tokio::test]
async fn only_loopback_is_served() {
    let ground = Ground::new();
    let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
    assert!(ground.twin.clone().serve(listener).await.unwrap_err().to_string().contains("loopback"));
}
