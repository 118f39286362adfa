//! What the tests of this adapter share: one account, one clock, one answering world.

use std::sync::Arc;

use bytes::Bytes;
use clock::{Boot, ManualClock};
use domain::account::{Account, Connection, Identity, Servers};
use domain::aggregate::Epoch;
use domain::brief::Platform;
use domain::hash::Digest;
use domain::hold::Holds;
use domain::id::PostId;
use domain::post::{CommitPermit, Handle, Live};
use domain::secret::Secret;
use domain::text::Untrusted;
use domain::time::{Span, UtcTime};
use domain::variant::{Asset, Content, Facet};
use http::{Request, Response, StatusCode};
use proptest::prelude::*;
use serde_json::{Value, json};
use wire::{HostPolicy, Network, Scripted};

use super::Bluesky;
use super::cid::Cid;
use super::name::POST;
use super::tid::Tid;
use crate::adapter::{Adapter, Login, PrepareSeed};

pub(crate) const DID: &str = "did:plc:z72i7hdynmk6r22z27h6tvur";
pub(crate) const OTHER: &str = "did:plc:aaaabbbbccccddddeeeeffff";
pub(crate) const PDS: &str = "https://pds.example.com";
pub(crate) const NOW: &str = "2026-11-24T09:00:00Z";
pub(crate) const PNG: &[u8] = b"\x89PNG a small picture";

pub(crate) fn clock() -> ManualClock {
    ManualClock::new(NOW.parse::<UtcTime>().unwrap().to_chrono())
}

pub(crate) fn bluesky(script: &Scripted) -> Bluesky {
    bluesky_with(script, clock())
}

pub(crate) fn bluesky_with(script: &Scripted, clock: ManualClock) -> Bluesky {
    Bluesky::new(Network::both(Arc::new(script.clone())), HostPolicy::default(), Arc::new(clock))
}

pub(crate) fn answering(answer: impl Fn(&Request<Bytes>) -> (u16, Value) + Send + Sync + 'static) -> Scripted {
    Scripted::answering(move |request| {
        let (status, body) = answer(request);
        let mut response = Response::new(Bytes::from(body.to_string()));
        *response.status_mut() = StatusCode::from_u16(status).unwrap();
        Ok(response)
    })
}

pub(crate) fn not_found() -> (u16, Value) {
    (404, json!({"error": "NotFound"}))
}

pub(crate) fn account() -> Account {
    let at = NOW.parse().unwrap();
    Account {
        id: "acme-bs".parse().unwrap(),
        client: "acme".parse().unwrap(),
        platform: Platform::Bluesky,
        handle: "acme.test".to_owned(),
        servers: Servers { pds: Some(PDS.to_owned()), ..Servers::default() },
        identity: Some(identity()),
        connection: Connection::Connected { at },
        holds: Holds::default(),
        added: at,
        alarms: Vec::new(),
        lost: Vec::new(),
        released: None,
        watched: Vec::new(),
    }
}

fn identity() -> Identity {
    Identity { id: DID.to_owned(), handle: "acme.test".to_owned(), server: PDS.to_owned() }
}

pub(crate) fn login() -> Login {
    let session = json!({"accessJwt": "ACCESS", "refreshJwt": "REFRESH", "did": DID, "handle": "acme.test"});
    Login { account: account(), identity: identity(), session: Secret::new(session.to_string()) }
}

pub(crate) fn text(words: &str) -> Content {
    Content { facets: [(Facet::Caption, Untrusted::new(words))].into(), ..Content::default() }
}

pub(crate) fn picture(alt: &str) -> (Content, Vec<(Asset, Bytes)>) {
    let asset = Asset {
        facet: Facet::Format,
        file: Untrusted::new("loaf.png"),
        digest: Digest::of(PNG),
        mime: "image/png".to_owned(),
        bytes: PNG.len() as u64,
        width: 4,
        height: 3,
        alt: Untrusted::new(alt),
        has_gps: false,
    };
    (Content { assets: vec![asset.clone()], ..text("Rye bread") }, vec![(asset, Bytes::from_static(PNG))])
}

#[expect(clippy::disallowed_methods, reason = "a test stands in for the store, which gives permits out")]
pub(crate) fn permit(handle: &Handle) -> CommitPermit {
    let recorded = NOW.parse().unwrap();
    CommitPermit::issue(PostId::new(recorded, [7; 10]), 1, handle.clone(), Epoch(1), recorded)
}

pub(crate) fn live(number: u16) -> Live {
    let at: UtcTime = NOW.parse().unwrap();
    let key = Tid::new(at.minus(Span::hours(1)), number);
    Live {
        id: format!("at://{DID}/{POST}/{key}"),
        url: format!("https://bsky.app/profile/{DID}/post/{key}"),
        digest: Cid::of_record(b"expected").to_string(),
        at,
    }
}

/// Plays every verb once against one world, and returns all that came of it, as text.
async fn every_verb(bluesky: &Bluesky) -> Vec<String> {
    let (login, live, now) = (login(), live(1), NOW.parse().unwrap());
    let seed = PrepareSeed { now, random: [3; 8] };
    let offline = bluesky_with(&Scripted::new(), clock());
    let handle = offline.prepare(&login, &text("Rye"), vec![], seed).await.unwrap();
    let (content, assets) = picture("a loaf");
    let password = Secret::new("CANARY-PASSWORD".to_owned());
    let connected = bluesky.connect(&login.account, &password).await;
    let refreshed = bluesky.refresh(&login).await;
    let identity = bluesky.check_identity(&login).await;
    let prepared = bluesky.prepare(&login, &content, assets, seed).await;
    let committed = bluesky.commit(&login, permit(&handle), Boot::default()).await;
    let observed = bluesky.observe(&login, &handle).await;
    let verified = bluesky.verify(&login.account, &live, &live.digest).await;
    let measured = bluesky.measure(&login.account, std::slice::from_ref(&live)).await;
    let thread = bluesky.thread(&login.account, &live).await;
    let recent = bluesky.recent(&login.account, now).await;
    let words = |error: Option<String>| error.unwrap_or_default();
    vec![
        format!("{connected:?} {}", words(connected.as_ref().err().map(ToString::to_string))),
        format!("{refreshed:?} {}", words(refreshed.as_ref().err().map(ToString::to_string))),
        format!("{identity:?} {}", words(identity.as_ref().err().map(ToString::to_string))),
        format!("{prepared:?} {}", words(prepared.as_ref().err().map(ToString::to_string))),
        format!("{committed:?}"),
        format!("{observed:?}"),
        format!("{verified:?}"),
        format!("{measured:?}"),
        format!("{thread:?} {}", words(thread.as_ref().err().map(ToString::to_string))),
        format!("{recent:?} {}", words(recent.as_ref().err().map(ToString::to_string))),
    ]
}

#[tokio::test]
async fn a_server_that_echoes_what_it_was_sent_gets_no_secret_into_any_word() {
    for status in [200, 400, 401, 403, 429, 500] {
        let script = answering(move |request| {
            if request.uri().path().ends_with("resolveHandle") {
                return (200, json!({"did": DID}));
            }
            let token = request.headers().get("authorization").map(|value| value.to_str().unwrap().to_owned());
            let body = String::from_utf8_lossy(request.body()).into_owned();
            (status, json!({"error": "Echo", "message": format!("{} {body}", token.unwrap_or_default())}))
        });
        let all = every_verb(&bluesky(&script)).await;
        let sent: Vec<String> = script.requests().iter().map(|request| format!("{:?}", request.headers())).collect();
        for text in all.iter().chain(&sent) {
            assert!(
                !text.contains("CANARY") && !text.contains("ACCESS") && !text.contains("REFRESH"),
                "{status}: {text}"
            );
        }
    }
}

#[tokio::test]
async fn what_must_not_be_repeated_goes_over_one_line_and_all_else_over_the_other() {
    let (reading, commit) = (answering(|_| not_found()), answering(|_| not_found()));
    let network = Network { reading: Arc::new(reading.clone()), commit: Arc::new(commit.clone()) };
    let bluesky = Bluesky::new(network, HostPolicy::default(), Arc::new(clock()));
    let mut account = account();
    account.handle = DID.to_owned();
    bluesky.connect(&account, &Secret::new("p".to_owned())).await.unwrap_err();
    every_verb(&bluesky).await;
    let verbs = |script: &Scripted| -> Vec<String> {
        script
            .requests()
            .iter()
            .filter_map(|request| request.uri().path().rsplit('.').next().map(str::to_owned))
            .collect()
    };
    assert_eq!(verbs(&commit), ["createSession", "refreshSession", "putRecord"]);
    let forbidden = ["putRecord", "createRecord", "applyWrites", "deleteRecord", "createSession", "refreshSession"];
    assert!(verbs(&reading).iter().all(|verb| !forbidden.contains(&verb.as_str())), "{:?}", verbs(&reading));
}

#[test]
fn only_bluesky_has_an_adapter() {
    let adapter = |platform| crate::adapter_for(platform, false, Arc::new(clock()));
    assert!(adapter(Platform::Bluesky).is_some());
    assert!(adapter(Platform::Mastodon).is_none() && adapter(Platform::X).is_none());
}

/// Answers as a server might mean them, cut, swapped and stuffed.
fn hostile() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        Just(json!(DID)),
        Just(json!(live(1).id)),
        Just(json!(live(1).digest)),
        Just(json!("app.bsky.feed.defs#threadViewPost")),
        Just(json!(NOW)),
    ];
    let key = prop_oneof![
        Just("uri"),
        Just("cid"),
        Just("did"),
        Just("value"),
        Just("posts"),
        Just("thread"),
        Just("post"),
        Just("replies"),
        Just("records"),
        Just("cursor"),
        Just("$type"),
        Just("record"),
        Just("text"),
        Just("author"),
        Just("indexedAt"),
        Just("accessJwt"),
        Just("refreshJwt"),
        Just("blob"),
        Just("ref"),
        Just("likeCount"),
        Just("active"),
        Just("error"),
    ];
    leaf.prop_recursive(5, 60, 8, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((key.clone(), inner), 0..8)
                .prop_map(|all| Value::Object(all.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())),
        ]
    })
}

proptest! {
    #[test]
    fn nothing_that_a_server_says_makes_a_verb_fail_or_lie(status in prop_oneof![Just(200_u16), 201..599_u16], body in hostile()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let script = answering(move |_| (status, body.clone()));
        let all = runtime.block_on(every_verb(&bluesky(&script)));
        prop_assert!(!all[4].starts_with("Accepted"), "{}", all[4]);
        prop_assert!(!all[5].starts_with("Never"), "{}", all[5]);
    }
}
