//! What a twin promises, asked of it as a client would: by requests.
//!
//! Decided here: a ground with an account on it, and how a test asks. What is right stands in the files below.

mod accounts;
mod audience;
mod kept;
mod reading;
mod records;
mod road;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use clock::ManualClock;
use http::{Request, Response};
use serde_json::{Value, json};

use crate::{Audience, BlueskyTwin, Lost, Person};

pub(crate) const POST: &str = "app.bsky.feed.post";
pub(crate) const KEY: &str = "3lbpqaaaaaa2a";

/// A twin whose time stands still, with one account that is logged in.
pub(crate) struct Ground {
    pub(crate) clock: ManualClock,
    pub(crate) twin: BlueskyTwin,
    pub(crate) acme: Person,
    pub(crate) token: String,
}

/// What a server said.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Said {
    pub(crate) status: u16,
    pub(crate) body: Value,
}

impl Said {
    pub(crate) fn of(response: &Response<Bytes>) -> Self {
        let body = serde_json::from_slice(response.body()).unwrap_or(Value::Null);
        Self { status: response.status().as_u16(), body }
    }

    pub(crate) fn error(&self) -> (u16, &str) {
        (self.status, self.body["error"].as_str().unwrap_or_default())
    }

    #[track_caller]
    pub(crate) fn good(self) -> Value {
        assert_eq!(self.status, 200, "{}", self.body);
        self.body
    }
}

pub(crate) fn monday() -> DateTime<Utc> {
    "2026-11-23T08:00:00Z".parse().unwrap()
}

impl Ground {
    pub(crate) fn new() -> Self {
        Self::with(1, Audience::none())
    }

    pub(crate) fn with(seed: u64, audience: Audience) -> Self {
        let clock = ManualClock::new(monday());
        let twin = BlueskyTwin::new(Arc::new(clock.clone()), seed);
        let acme = twin.add_account("acme.test", "own-password", audience).unwrap();
        let mut ground = Self { clock, twin, acme, token: String::new() };
        ground.token = ground.log_in(&ground.acme.app_password).good()["accessJwt"].as_str().unwrap().to_owned();
        ground
    }

    pub(crate) fn log_in(&self, password: &str) -> Said {
        let body = json!({"identifier": self.acme.handle, "password": password});
        self.post("com.atproto.server.createSession", None, &body)
    }

    pub(crate) fn get(&self, path: &str) -> Said {
        Said::of(&self.twin.handle(get(path, None)))
    }

    pub(crate) fn get_as(&self, path: &str, token: &str) -> Said {
        Said::of(&self.twin.handle(get(path, Some(token))))
    }

    pub(crate) fn post(&self, nsid: &str, token: Option<&str>, body: &Value) -> Said {
        Said::of(&self.twin.handle(post(nsid, token, body)))
    }

    /// Asks as the account.
    pub(crate) fn act(&self, nsid: &str, body: &Value) -> Said {
        self.post(nsid, Some(&self.token), body)
    }

    pub(crate) fn put(&self, rkey: &str, text: &str, swap: Value) -> Said {
        self.act("com.atproto.repo.putRecord", &put_body(&self.acme.did, rkey, text, swap))
    }

    pub(crate) fn record(&self, rkey: &str) -> Said {
        self.get(&format!("com.atproto.repo.getRecord?repo={}&collection={POST}&rkey={rkey}", self.acme.did))
    }

    /// The account's repository's revision, which every commit moves.
    pub(crate) fn rev(&self) -> String {
        let status = self.get(&format!("com.atproto.sync.getRepoStatus?did={}", self.acme.did)).good();
        status["rev"].as_str().unwrap().to_owned()
    }

    pub(crate) fn pass(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    pub(crate) fn upload(&self, mime: &str, bytes: &[u8]) -> Said {
        let request = Request::post("https://x.test/xrpc/com.atproto.repo.uploadBlob")
            .header("authorization", format!("Bearer {}", self.token))
            .header("content-type", mime)
            .body(Bytes::copy_from_slice(bytes))
            .unwrap();
        Said::of(&self.twin.handle(request))
    }
}

pub(crate) fn record(text: &str) -> Value {
    json!({"$type": POST, "text": text, "createdAt": "2026-11-23T08:00:00.000Z"})
}

/// The body of a `putRecord`; `swap` is left out where it is `false`.
pub(crate) fn put_body(repo: &str, rkey: &str, text: &str, swap: Value) -> Value {
    let mut body = json!({"repo": repo, "collection": POST, "rkey": rkey, "record": record(text)});
    if swap != Value::Bool(false) {
        body["swapRecord"] = swap;
    }
    body
}

pub(crate) fn get(path: &str, token: Option<&str>) -> Request<Bytes> {
    let mut request = Request::get(format!("https://x.test/xrpc/{path}"));
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    request.body(Bytes::new()).unwrap()
}

pub(crate) fn post(nsid: &str, token: Option<&str>, body: &Value) -> Request<Bytes> {
    let mut request = Request::post(format!("https://x.test/xrpc/{nsid}")).header("content-type", "application/json");
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    request.body(Bytes::from(body.to_string())).unwrap()
}

pub(crate) fn status(answer: &Result<Response<Bytes>, Lost>) -> Result<u16, Lost> {
    answer.as_ref().map(|response| response.status().as_u16()).map_err(|lost| *lost)
}
