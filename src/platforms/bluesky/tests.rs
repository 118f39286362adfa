//! What the tests of this adapter share: one account, one clock, one answering world.

use std::sync::Arc;

use bytes::Bytes;
use clock::ManualClock;
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
use serde_json::{Value, json};
use wire::{HostPolicy, Network, Scripted};

use super::Bluesky;
use super::cid::Cid;
use super::name::POST;
use super::tid::Tid;
use crate::adapter::Login;

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
