//! Making a post ready: pictures uploaded, handles of mentioned people looked up, key and time chosen, bytes fixed.
//!
//! Decided here: what a handle of this network is, and what a failure on the way means for the next try. What the record
//! says is `record`'s; nothing here makes anything visible.
//!
//! Invariants: a handle's token holds the whole record, so every commit of it sends the same bytes; its `expected` is the
//! CID of those bytes, computed here and not asked for. A lookup that failed is no reason to leave a mention out: only a
//! server's own "nobody" is.

use std::collections::BTreeMap;

use bytes::Bytes;
use domain::post::{Handle, Repeat};
use domain::time::{Span, UtcTime};
use domain::variant::{Asset, Content};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use wire::Limits;

use super::Bluesky;
use super::cbor;
use super::cid::Cid;
use super::facets::{self, Mark};
use super::name::{Did, HandleName, PostUri};
use super::record::{self, Blob};
use super::session::{LoginState, Session, login_state};
use super::tid::Tid;
use super::xrpc::{Call, Failure, Server};
use crate::adapter::{Login, PrepareSeed};
use crate::error::{PrepareError, PrepareFailure};

/// How long a handle with pictures is good: servers may drop blobs that no record names after an hour.
const BLOB_LIFE: Span = Span::minutes(50);

/// What a handle's token holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Token {
    /// Whose repository: a DID.
    pub(crate) repo: String,
    /// The key in it.
    pub(crate) rkey: String,
    /// The record.
    pub(crate) record: Value,
    /// The CID of its bytes.
    pub(crate) cid: String,
}

impl Token {
    /// Opens a handle and checks that it is still what was prepared; the error is one sentence.
    pub(crate) fn open(handle: &Handle) -> Result<(Self, PostUri), String> {
        let token: Self = serde_json::from_str(&handle.token).map_err(|_| "the handle cannot be read")?;
        let repo = Did::parse(&token.repo).ok_or("the handle names nobody's repository")?;
        let uri = PostUri { repo, key: token.rkey.clone() };
        let bytes = cbor::encode(&token.record).map_err(|why| format!("the handle's record is none: {why}"))?;
        let whole = uri.to_string() == handle.key
            && PostUri::parse(&handle.key).is_some()
            && token.repo == handle.identity
            && token.cid == handle.expected
            && token.cid == Cid::of_record(&bytes).to_string();
        if whole { Ok((token, uri)) } else { Err("the parts of the handle do not fit each other".to_owned()) }
    }

    /// Returns the time that the record bears.
    pub(crate) fn created(&self) -> Option<UtcTime> {
        self.record.get("createdAt")?.as_str()?.parse().ok()
    }
}

impl Bluesky {
    pub(crate) async fn prepared(
        &self,
        login: &Login,
        content: &Content,
        assets: Vec<(Asset, Bytes)>,
        seed: PrepareSeed,
    ) -> Result<Handle, PrepareError> {
        record::check(content, &assets).map_err(definite)?;
        let session = Session::open(&login.session)
            .ok_or_else(|| lost("the session cannot be read; connect the account again"))?;
        if session.did.as_str() != login.identity.id {
            return Err(lost("the session is somebody else's; connect the account again"));
        }
        let server = self.server_of(login).map_err(definite)?;
        let facets = self.facets(&server, &content.text()).await?;
        let mut blobs = Vec::with_capacity(assets.len());
        for (asset, bytes) in &assets {
            blobs.push(self.uploaded(&server, &session, asset, bytes).await?);
        }
        let expires = (!blobs.is_empty()).then(|| self.now().plus(BLOB_LIFE));
        let record = record::write(content, &blobs, facets, seed.now);
        let bytes = cbor::encode(&record).map_err(|why| definite(why.to_string()))?;
        let uri = PostUri { repo: session.did.clone(), key: key(seed).to_string() };
        let token = Token {
            repo: session.did.to_string(),
            rkey: uri.key.clone(),
            record,
            cid: Cid::of_record(&bytes).to_string(),
        };
        Ok(Handle {
            content: content.hash(),
            identity: token.repo.clone(),
            key: uri.to_string(),
            expected: token.cid.clone(),
            repeat: Repeat::Always,
            expires,
            token: serde_json::to_string(&token).map_err(|why| definite(why.to_string()))?,
        })
    }

    async fn facets(&self, server: &Server, text: &str) -> Result<Vec<Value>, PrepareError> {
        let mut known: BTreeMap<HandleName, Option<Did>> = BTreeMap::new();
        let mut facets = Vec::new();
        for found in facets::find(text) {
            let mentioned = match &found.mark {
                Mark::Mention(name) => match known.get(name) {
                    Some(answer) => answer.clone(),
                    None => {
                        let answer = self.resolve_handle(server, name).await.map_err(again)?;
                        known.insert(name.clone(), answer.clone());
                        answer
                    }
                },
                Mark::Link(_) | Mark::Tag(_) => None,
            };
            facets.extend(
                facets::feature(&found.mark, mentioned.as_ref()).map(|feature| facets::facet(&found.at, &feature)),
            );
        }
        Ok(facets)
    }

    async fn uploaded(
        &self,
        server: &Server,
        session: &Session,
        asset: &Asset,
        bytes: &Bytes,
    ) -> Result<Blob, PrepareError> {
        #[derive(Deserialize)]
        struct Uploaded {
            blob: Blob,
        }
        let call = Call::procedure(server, "com.atproto.repo.uploadBlob")
            .bytes(&asset.mime, bytes.clone())
            .bearer(&session.access);
        let answer = self.ask_own::<Uploaded>(&call, self.network.reading.as_ref(), Limits::default()).await;
        let blob = answer.map_err(|failure| upload_error(&failure))?.blob;
        if !blob.is_of(bytes) {
            return Err(again(Failure::Doubt("the server kept other bytes than were sent".to_owned())));
        }
        if !blob.mime.starts_with("image/") {
            return Err(definite("the server does not take the file for a picture".to_owned()));
        }
        Ok(blob)
    }
}

/// Chooses the record key: the post's time, with random microseconds below its millisecond and random clock bits.
fn key(seed: PrepareSeed) -> Tid {
    let [a, b, c, d, ..] = seed.random;
    let micros = i64::from(u16::from_be_bytes([a, b]) % 1000);
    let start = seed.now.micros() - seed.now.micros().rem_euclid(1000);
    Tid::new(UtcTime::from_micros(start.saturating_add(micros)), u16::from_be_bytes([c, d]))
}

fn definite(why: String) -> PrepareError {
    PrepareError { why, kind: PrepareFailure::Definite }
}

fn lost(why: &str) -> PrepareError {
    PrepareError { why: why.to_owned(), kind: PrepareFailure::LoginLost }
}

fn again(failure: Failure) -> PrepareError {
    let until = if let Failure::Said(said) = &failure { said.until } else { None };
    PrepareError { why: failure.words(), kind: PrepareFailure::Again(until) }
}

fn upload_error(failure: &Failure) -> PrepareError {
    let kind = match failure {
        Failure::NotSent(_) | Failure::Doubt(_) => PrepareFailure::Again(None),
        Failure::Said(said) => match (login_state(said), said.status) {
            (LoginState::Expired, _) => PrepareFailure::LoginExpired,
            (LoginState::Lost, _) => PrepareFailure::LoginLost,
            (LoginState::Fine, 408 | 409 | 425 | 429 | 500..) => PrepareFailure::Again(said.until),
            (LoginState::Fine, _) => PrepareFailure::Definite,
        },
    };
    PrepareError { why: failure.words(), kind }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bluesky::tests::{DID, OTHER, PNG, answering, bluesky, login, picture, text};
    use http::Request;
    use proptest::prelude::*;
    use serde_json::json;
    use wire::Scripted;

    fn seed() -> PrepareSeed {
        PrepareSeed { now: "2026-11-24T09:10:00.123456Z".parse().unwrap(), random: [0, 7, 0, 9, 0, 0, 0, 0] }
    }

    fn blob() -> Value {
        json!({"$type": "blob", "ref": {"$link": Cid::of_blob(PNG).to_string()}, "mimeType": "image/png", "size": PNG.len()})
    }

    async fn prepare(
        script: &Scripted,
        content: &Content,
        assets: Vec<(Asset, Bytes)>,
    ) -> Result<Handle, PrepareError> {
        bluesky(script).prepared(&login(), content, assets, seed()).await
    }

    #[tokio::test]
    async fn a_text_alone_is_ready_without_asking_anybody() {
        let script = Scripted::new();
        let handle = prepare(&script, &text("Rye #bread https://acme.com"), vec![]).await.unwrap();
        assert!(script.requests().is_empty());
        let (token, uri) = Token::open(&handle).unwrap();
        assert_eq!(token.record["createdAt"], "2026-11-24T09:10:00.123Z");
        assert_eq!(token.record["facets"].as_array().unwrap().len(), 2);
        assert_eq!(uri.key_time().unwrap().to_string(), "2026-11-24T09:10:00.123007Z");
        assert_eq!((handle.identity.as_str(), handle.repeat, handle.expires), (DID, Repeat::Always, None));
        assert_eq!(handle.content, text("Rye #bread https://acme.com").hash());
        let same = prepare(&script, &text("Rye #bread https://acme.com"), vec![]).await.unwrap();
        assert_eq!(same, handle, "the same seed gives the same handle");
    }

    #[tokio::test]
    async fn pictures_are_uploaded_and_the_handle_ends_before_they_do() {
        let script = Scripted::new();
        script.json(200, &json!({"blob": blob()}));
        let (content, assets) = picture("a loaf");
        let handle = prepare(&script, &content, assets).await.unwrap();
        let requests = script.requests();
        assert_eq!(requests[0].uri().path(), "/xrpc/com.atproto.repo.uploadBlob");
        assert_eq!(
            (requests[0].headers()["content-type"].as_bytes(), requests[0].body().as_ref()),
            (b"image/png".as_slice(), PNG)
        );
        assert_eq!(handle.expires, Some("2026-11-24T09:50:00Z".parse().unwrap()));
        assert_eq!(Token::open(&handle).unwrap().0.record["embed"]["images"][0]["image"], blob());
    }

    #[tokio::test]
    async fn an_upload_that_is_not_ours_is_not_used() {
        let check = async |status: u16, body: Value, kind: PrepareFailure| {
            let script = Scripted::new();
            script.json(status, &body);
            let (content, assets) = picture("a loaf");
            let error = prepare(&script, &content, assets).await.unwrap_err();
            assert_eq!(error.kind, kind, "{status} {body}: {error}");
        };
        let with = |key: &str, value: Value| {
            let mut changed = blob();
            changed[key] = value;
            json!({"blob": changed})
        };
        check(200, with("ref", json!({"$link": Cid::of_blob(b"other").to_string()})), PrepareFailure::Again(None))
            .await;
        check(200, with("size", json!(1)), PrepareFailure::Again(None)).await;
        check(200, with("mimeType", json!("text/html")), PrepareFailure::Definite).await;
        check(200, json!({}), PrepareFailure::Again(None)).await;
        check(400, json!({"error": "ExpiredToken"}), PrepareFailure::LoginExpired).await;
        check(401, json!({"error": "AuthMissing"}), PrepareFailure::LoginLost).await;
        check(400, json!({"error": "InvalidToken"}), PrepareFailure::LoginLost).await;
        check(413, json!({"error": "PayloadTooLarge"}), PrepareFailure::Definite).await;
        check(429, json!({"error": "RateLimitExceeded"}), PrepareFailure::Again(None)).await;
        check(503, json!("busy"), PrepareFailure::Again(None)).await;
    }

    #[tokio::test]
    async fn a_mention_is_left_out_only_if_the_server_knows_nobody() {
        let content = text("with @bob.test and @ann.test and @bob.test");
        let script = answering(|request: &Request<Bytes>| match request.uri().query() {
            Some("handle=bob.test") => (200, json!({"did": OTHER})),
            Some(_) | None => (400, json!({"error": "InvalidRequest", "message": "Unable to resolve handle"})),
        });
        let handle = prepare(&script, &content, vec![]).await.unwrap();
        let record = Token::open(&handle).unwrap().0.record;
        let facets = record["facets"].as_array().unwrap();
        assert_eq!(facets.len(), 2);
        assert!(facets.iter().all(|facet| facet["features"][0]["did"] == OTHER));
        assert_eq!(script.requests().len(), 2, "each name is asked once");
        for (status, body) in [(500, json!({})), (200, json!({"did": "nobody"}))] {
            let script = answering(move |_: &Request<Bytes>| (status, body.clone()));
            let error = prepare(&script, &content, vec![]).await.unwrap_err();
            assert_eq!(error.kind, PrepareFailure::Again(None));
        }
    }

    #[tokio::test]
    async fn content_that_does_not_fit_or_a_session_of_somebody_else_sends_nothing() {
        let script = Scripted::new();
        let error = prepare(&script, &text(&"x".repeat(301)), vec![]).await.unwrap_err();
        assert_eq!(error.kind, PrepareFailure::Definite);
        let mut other = login();
        other.identity.id = OTHER.to_owned();
        let error = bluesky(&script).prepared(&other, &text("Rye"), vec![], seed()).await.unwrap_err();
        assert_eq!(error.kind, PrepareFailure::LoginLost);
        assert!(script.requests().is_empty());
    }

    #[tokio::test]
    async fn a_handle_whose_parts_were_changed_is_not_opened() {
        let handle = prepare(&Scripted::new(), &text("Rye"), vec![]).await.unwrap();
        let changed: [&dyn Fn(&mut Handle); 6] = [
            &|h| h.token = h.token.replace("Rye", "Rya"),
            &|h| h.token = "{}".to_owned(),
            &|h| h.key = h.key.replace("app.bsky.feed.post", "app.bsky.feed.like"),
            &|h| h.expected = Cid::of_record(b"x").to_string(),
            &|h| h.identity = OTHER.to_owned(),
            &|h| h.token = h.token.replace(DID, OTHER),
        ];
        for change in changed {
            let mut handle = handle.clone();
            change(&mut handle);
            assert!(Token::open(&handle).is_err(), "{handle:?}");
        }
        assert!(Token::open(&handle).is_ok());
    }

    proptest! {
        #[test]
        fn a_key_bears_its_posts_millisecond(micros in 0..(1_i64 << 52), random: [u8; 8]) {
            let tid = key(PrepareSeed { now: UtcTime::from_micros(micros), random });
            prop_assert_eq!(tid.time().micros() / 1000, micros / 1000);
        }
    }
}
