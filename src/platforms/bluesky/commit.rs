//! The commit: the one request that makes a post visible, and the look whether it did.
//!
//! Decided here: what an answer to `putRecord` proves. The codes that are definite refusals are the platform's row in
//! `platforms.toml` and no others (rule 17); whether a post may go out at all was decided before the permit was made.
//!
//! | answer | outcome |
//! |---|---|
//! | 200 with the handle's own address and CID | accepted |
//! | a status or name listed in `commit_refusals` | refused; again with a fresh login where that was the reason |
//! | no byte left, or 5 s had passed | not sent |
//! | everything else, `commit_look` and a 200 about something else included | in doubt |
//!
//! Invariants: at most one request a call, with the handle's own bytes and `swapRecord: null`, so that a record that is
//! there already is never overwritten; no request begins later than 5 s after the record by either clock (rule 5).

use bytes::Bytes;
use clock::Boot;
use domain::brief::Platform;
use domain::post::{CommitOutcome, CommitPermit, Handle, Live, Observation, SEND_WITHIN};
use domain::surface::{PlatformFacts, Surfaces};
use domain::time::{Span, UtcTime};
use serde::Deserialize;
use serde_json::json;
use wire::Limits;

use super::Bluesky;
use super::look::Stored;
use super::name::{POST, PostUri};
use super::prepare::Token;
use super::session::Session;
use super::tid::Tid;
use super::xrpc::{Call, Failure, Said};
use crate::adapter::Login;

/// How far a server's own time may be from ours and still be taken for the time of publication.
const CLOCKS_APART: Span = Span::minutes(10);

#[derive(Deserialize)]
struct Put {
    uri: String,
    cid: String,
    #[serde(default)]
    commit: Option<Revision>,
}

/// The repository's own revision, whose name is a time. Absent where nothing was written.
#[derive(Deserialize)]
struct Revision {
    rev: String,
}

impl Bluesky {
    pub(crate) async fn committed(&self, login: &Login, permit: CommitPermit, recorded_boot: Boot) -> CommitOutcome {
        let handle = permit.handle();
        let (call, request, uri) = match self.put(login, handle) {
            Ok(ready) => ready,
            Err(why) => return CommitOutcome::NotSent { why },
        };
        let (wall, boot_passed) = (self.now(), self.clock.boot().since(recorded_boot));
        if !permit.may_send(wall, boot_passed) {
            return CommitOutcome::NotSent {
                why: "more than 5 s passed since the record; nothing is sent late".to_owned(),
            };
        }
        let passed = boot_passed.max(wall.since(permit.recorded()).to_std());
        let limits = Limits { start: SEND_WITHIN.to_std().saturating_sub(passed), ..Limits::default() };
        let answer = self.network.commit.send(request, limits).await;
        let put = call.read::<Put>(answer, self.now());
        if let Err(failure) = &put {
            self.hear_failure(failure);
        }
        outcome(put, &uri, &handle.expected, self.now())
    }

    /// Writes the request of a handle; the error is why nothing will be sent.
    fn put(&self, login: &Login, handle: &Handle) -> Result<(Call, http::Request<Bytes>, PostUri), String> {
        let (token, uri) = Token::open(handle)?;
        let session = Session::open(&login.session).ok_or("the session cannot be read; connect the account again")?;
        if handle.identity != login.identity.id || session.did.as_str() != login.identity.id {
            return Err("the handle was made for another login".to_owned());
        }
        let call = Call::procedure(&self.server_of(login)?, "com.atproto.repo.putRecord")
            .bearer(&session.access)
            .json(&json!({"repo": token.repo, "collection": POST, "rkey": token.rkey, "record": token.record, "swapRecord": null}));
        let request = call.request().map_err(|failure| failure.words())?;
        Ok((call, request, uri))
    }

    pub(crate) async fn observed(&self, login: &Login, handle: &Handle) -> Observation {
        let (token, uri) = match Token::open(handle) {
            Ok(opened) => opened,
            Err(why) => return Observation::CannotTell(why),
        };
        let server = match self.server_of(login) {
            Ok(server) => server,
            Err(why) => return Observation::CannotTell(why),
        };
        match self.stored(&server, &uri).await {
            Stored::Present { cid } if cid == handle.expected => {
                let at = self.indexed(login, &uri, &token).await;
                Observation::Live(Live { id: uri.to_string(), url: uri.page(), digest: cid, at })
            }
            Stored::Present { cid } => Observation::CannotTell(format!(
                "another record stands under its key: {cid} instead of {}",
                handle.expected
            )),
            Stored::Absent { .. } => Observation::NotYet,
            Stored::Unknown(why) => Observation::CannotTell(why),
        }
    }

    /// Returns when the read server first saw a post, or the time that the post bears where that server does not say.
    async fn indexed(&self, login: &Login, uri: &PostUri, token: &Token) -> UtcTime {
        let now = self.now();
        let created = token.created().unwrap_or(now);
        let seen = match self.appview(&login.account) {
            Ok(appview) => self.shown(&appview, uri).await.ok().flatten(),
            Err(_) => None,
        };
        let indexed = seen.filter(|post| post.cid == token.cid).and_then(|post| post.indexed);
        indexed.filter(|at| *at >= created && *at <= now.plus(CLOCKS_APART)).unwrap_or(created.min(now))
    }
}

/// Reads what an answer to the commit proves.
fn outcome(put: Result<Put, Failure>, uri: &PostUri, cid: &str, now: UtcTime) -> CommitOutcome {
    match put {
        Ok(put) if put.uri == uri.to_string() && put.cid == cid => {
            let revised = put.commit.and_then(|commit| Tid::parse(&commit.rev)).map(Tid::time);
            let at = revised.filter(|at| at.distance(now) <= CLOCKS_APART).unwrap_or(now);
            CommitOutcome::Accepted(Live { id: put.uri, url: uri.page(), digest: put.cid, at })
        }
        Ok(_) => CommitOutcome::InDoubt { why: "the server answered 200 about another record".to_owned() },
        Err(Failure::NotSent(why)) => CommitOutcome::NotSent { why },
        Err(Failure::Doubt(why)) => CommitOutcome::InDoubt { why },
        Err(Failure::Said(said)) => said_outcome(&said, Surfaces::embedded().platform(Platform::Bluesky)),
    }
}

fn said_outcome(said: &Said, facts: Option<&PlatformFacts>) -> CommitOutcome {
    let named = format!("{} {}", said.status, said.name);
    let is_refusal = facts
        .is_some_and(|facts| facts.is_commit_refusal(said.status, &said.name) && !facts.commit_look.contains(&named));
    if is_refusal {
        let again = said.status == 401 || said.name == "ExpiredToken";
        CommitOutcome::Refused { why: said.words(), again }
    } else {
        CommitOutcome::InDoubt { why: said.words() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapter::PrepareSeed;
    use crate::bluesky::tests::{
        DID, NOW, OTHER, answering, bluesky, bluesky_with, clock, login, not_found, permit, text,
    };
    use clock::Clock;
    use http::Request;
    use proptest::prelude::*;
    use serde_json::Value;
    use std::time::Duration;
    use wire::{InDoubt, NotSent, Scripted, WireError};

    async fn handle() -> Handle {
        let seed = PrepareSeed { now: NOW.parse().unwrap(), random: [1; 8] };
        bluesky(&Scripted::new()).prepared(&login(), &text("Rye"), vec![], seed).await.unwrap()
    }

    fn put(handle: &Handle) -> Value {
        json!({"uri": handle.key, "cid": handle.expected})
    }

    async fn commit(script: &Scripted, handle: &Handle) -> CommitOutcome {
        bluesky(script).committed(&login(), permit(handle), Boot::default()).await
    }

    #[tokio::test]
    async fn one_request_leaves_with_the_prepared_bytes_and_overwrites_nothing() {
        let handle = handle().await;
        let script = Scripted::new();
        let mut answer = put(&handle);
        answer["commit"] = json!({"cid": "x", "rev": Tid::new("2026-11-24T09:00:03Z".parse().unwrap(), 5).to_string()});
        script.json(200, &answer);
        let CommitOutcome::Accepted(live) = commit(&script, &handle).await else { panic!("it was accepted") };
        assert_eq!((live.id, live.digest), (handle.key.clone(), handle.expected.clone()));
        assert_eq!(live.at.to_string(), "2026-11-24T09:00:03Z");
        assert!(live.url.starts_with("https://bsky.app/profile/did:plc:"), "{}", live.url);
        let requests = script.requests();
        assert_eq!(requests.len(), 1);
        assert_eq!(requests[0].uri().to_string(), "https://pds.example.com/xrpc/com.atproto.repo.putRecord");
        assert_eq!(requests[0].headers()["authorization"], "Bearer ACCESS");
        let body: Value = serde_json::from_slice(requests[0].body()).unwrap();
        assert_eq!(body["swapRecord"], Value::Null);
        assert!(body.as_object().unwrap().contains_key("swapRecord"));
        let bytes = super::super::cbor::encode(&body["record"]).unwrap();
        assert_eq!(super::super::cid::Cid::of_record(&bytes).to_string(), handle.expected);
        assert_eq!(
            format!("at://{DID}/{}/{}", body["collection"].as_str().unwrap(), body["rkey"].as_str().unwrap()),
            handle.key
        );
    }

    /// The statuses and names that servers of this network and boxes before them answer with, and what each must mean.
    #[tokio::test]
    async fn only_listed_codes_are_refusals() {
        let names =
            ["", "InvalidRequest", "ExpiredToken", "InvalidToken", "InvalidSwap", "RateLimitExceeded", "AuthMissing"];
        let handle = handle().await;
        for status in [
            201, 204, 301, 302, 307, 308, 400, 401, 403, 404, 405, 408, 409, 413, 425, 429, 451, 499, 500, 502, 503,
            504, 522, 599,
        ] {
            for name in names {
                let script = Scripted::new();
                script.json(status, &json!({"error": name, "message": "words"}));
                let outcome = commit(&script, &handle).await;
                let expected = match (status, name) {
                    (400, "InvalidRequest") => "refused",
                    (400, "ExpiredToken") | (401, _) => "refused, again",
                    (_, _) => "in doubt",
                };
                let seen = match &outcome {
                    CommitOutcome::Refused { again: false, .. } => "refused",
                    CommitOutcome::Refused { again: true, .. } => "refused, again",
                    CommitOutcome::InDoubt { .. } => "in doubt",
                    CommitOutcome::Accepted(_) => "accepted",
                    CommitOutcome::NotSent { .. } => "not sent",
                };
                assert_eq!(seen, expected, "{status} {name}: {outcome:?}");
                assert_eq!(script.requests().len(), 1);
            }
        }
    }

    #[tokio::test]
    async fn a_200_about_anything_else_is_in_doubt() {
        let handle = handle().await;
        let other = super::super::cid::Cid::of_record(b"x").to_string();
        for body in [
            json!({"uri": handle.key, "cid": other}).to_string(),
            json!({"uri": handle.key.replace(DID, OTHER), "cid": handle.expected}).to_string(),
            json!({"uri": handle.key}).to_string(),
            json!({"error": "InvalidRequest", "message": "no"}).to_string(),
            "<html>welcome</html>".to_owned(),
            format!("{}x", put(&handle)),
            format!(r#"{{"uri":"{0}","uri":"{0}","cid":"{1}"}}"#, handle.key, handle.expected),
            String::new(),
        ] {
            let script = Scripted::new();
            script.answer(200, body.clone());
            assert!(matches!(commit(&script, &handle).await, CommitOutcome::InDoubt { .. }), "{body}");
        }
    }

    #[tokio::test]
    async fn what_the_wire_says_decides_between_not_sent_and_doubt() {
        let handle = handle().await;
        let script = Scripted::new();
        script.then(Err(WireError::NotSent { host: "pds".into(), why: NotSent::Refused }));
        for why in [
            InDoubt::Reset,
            InDoubt::Closed,
            InDoubt::Deadline,
            InDoubt::Truncated,
            InDoubt::BodyTooBig,
            InDoubt::Garbled,
        ] {
            script.then(Err(WireError::InDoubt { host: "pds".into(), why, status: Some(200) }));
        }
        assert!(matches!(commit(&script, &handle).await, CommitOutcome::NotSent { .. }));
        for _ in 0..6 {
            assert!(matches!(commit(&script, &handle).await, CommitOutcome::InDoubt { .. }));
        }
    }

    #[tokio::test]
    async fn nothing_is_sent_more_than_five_seconds_after_the_record() {
        let handle = handle().await;
        // By either clock: boot time passes in a suspend, the wall clock may be set.
        for (boot, wall, sent) in
            [(5, 5, true), (6, 0, false), (0, 6, false), (6, 6, false), (0, -2, false), (0, -1, true)]
        {
            let clock = clock();
            let recorded = clock.boot();
            let permit = permit(&handle);
            clock.advance(Duration::from_secs(boot));
            let base = chrono::DateTime::parse_from_rfc3339(NOW).unwrap().to_utc();
            clock.set(base.checked_add_signed(chrono::TimeDelta::seconds(wall)).unwrap());
            let script = Scripted::new();
            script.json(200, &put(&handle));
            let outcome = bluesky_with(&script, clock).committed(&login(), permit, recorded).await;
            assert_eq!(matches!(outcome, CommitOutcome::Accepted(_)), sent, "boot {boot} wall {wall}: {outcome:?}");
            assert_eq!(script.requests().len(), usize::from(sent));
        }
    }

    #[tokio::test]
    async fn a_handle_of_another_login_or_one_that_was_changed_sends_nothing() {
        let handle = handle().await;
        let script = Scripted::new();
        let mut other = login();
        other.identity.id = OTHER.to_owned();
        let outcome = bluesky(&script).committed(&other, permit(&handle), Boot::default()).await;
        assert!(matches!(outcome, CommitOutcome::NotSent { .. }));
        let mut changed = handle.clone();
        changed.token = changed.token.replace("Rye", "Rya");
        assert!(matches!(commit(&script, &changed).await, CommitOutcome::NotSent { .. }));
        assert!(script.requests().is_empty());
    }

    #[tokio::test]
    async fn a_look_tells_present_absent_and_everything_else_apart() {
        let handle = handle().await;
        let check = async |record: (u16, Value), status: (u16, Value)| {
            let (record, status) = (record.clone(), status.clone());
            let script = answering(move |request: &Request<Bytes>| match request.uri().path() {
                "/xrpc/com.atproto.repo.getRecord" => record.clone(),
                "/xrpc/com.atproto.sync.getRepoStatus" => status.clone(),
                _ => not_found(),
            });
            let seen = bluesky(&script).observed(&login(), &handle).await;
            assert!(script.requests().iter().all(|request| request.method() == http::Method::GET));
            seen
        };
        let active = (200, json!({"did": DID, "active": true}));
        let there = |cid: &str| (200, json!({"uri": handle.key, "cid": cid, "value": {}}));
        let absent = (400, json!({"error": "RecordNotFound"}));
        let Observation::Live(live) = check(there(&handle.expected), active.clone()).await else {
            panic!("it is there")
        };
        assert_eq!((live.id, live.at), (handle.key.clone(), NOW.parse().unwrap()));
        assert_eq!(check(absent.clone(), active.clone()).await, Observation::NotYet);
        let mut unlike = there(&handle.expected);
        unlike.1["uri"] = json!(handle.key.replace(DID, OTHER));
        for (record, status) in [
            (there(&super::super::cid::Cid::of_record(b"x").to_string()), active.clone()),
            (unlike, active.clone()),
            ((200, json!({"uri": handle.key, "value": {}})), active.clone()),
            ((400, json!({"error": "InvalidRequest"})), active.clone()),
            ((404, json!("")), active.clone()),
            ((500, json!({"error": "RecordNotFound"})), active.clone()),
            (absent.clone(), (200, json!({"did": DID, "active": false, "status": "takendown"}))),
            (absent.clone(), (200, json!({"did": OTHER, "active": true}))),
            (absent.clone(), (400, json!({"error": "RepoNotFound"}))),
            (absent.clone(), (502, json!(""))),
        ] {
            let seen = check(record.clone(), status.clone()).await;
            assert!(matches!(seen, Observation::CannotTell(_)), "{record:?} {status:?}: {seen:?}");
        }
    }

    proptest! {
        #[test]
        fn no_unlisted_status_or_name_is_ever_a_refusal(status in 100_u16..1000, name in "[A-Za-z]{0,12}") {
            let said = Said { status, name: name.clone(), message: String::new(), until: None };
            let refused = matches!(
                said_outcome(&said, Surfaces::embedded().platform(Platform::Bluesky)),
                CommitOutcome::Refused { .. }
            );
            let listed = status == 401 || (status == 400 && matches!(name.as_str(), "InvalidRequest" | "ExpiredToken"));
            prop_assert_eq!(refused, listed);
            let unknown = said_outcome(&said, None);
            prop_assert!(matches!(unknown, CommitOutcome::InDoubt { .. }), "without a table nothing is definite");
        }
    }
}
