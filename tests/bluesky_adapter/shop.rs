//! The ground of the adapter's contract: an account that publishes by it, and what a test says about the outcome.
//!
//! Decided here: nothing about what is right. A permit is given out here as the store would, right before the commit.

use std::sync::Arc;

use bytes::Bytes;
use clock::{Boot, Clock, RealClock};
use data_encoding::BASE64URL_NOPAD;
use domain::account::{Account, Connection, Servers};
use domain::aggregate::Epoch;
use domain::brief::Platform;
use domain::hash::Digest;
use domain::hold::Holds;
use domain::id::PostId;
use domain::post::{CommitOutcome, CommitPermit, Handle, Live};
use domain::secret::Secret;
use domain::text::Untrusted;
use domain::time::{Span, UtcTime};
use domain::variant::{Asset, Content, Facet};
use http::Request;
use platforms::{Adapter, Bluesky, Login, PrepareSeed, Verification};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use wire::{Answer, HostPolicy, Limits, Online, Transport};

use crate::ground::Ground;
use crate::support::bluesky::{self, Record};
use crate::support::faulty_proxy::FaultyProxy;

/// Servers of these tests are on this machine.
pub(crate) const OPEN: HostPolicy = HostPolicy { allow_private_hosts: true };

/// One white pixel.
pub(crate) const PNG: [u8; 69] = [
    0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x00, 0x00, 0x00, 0x0d, 0x49, 0x48, 0x44, 0x52, 0x00, 0x00, 0x00,
    0x01, 0x00, 0x00, 0x00, 0x01, 0x08, 0x02, 0x00, 0x00, 0x00, 0x90, 0x77, 0x53, 0xde, 0x00, 0x00, 0x00, 0x0c, 0x49,
    0x44, 0x41, 0x54, 0x78, 0x9c, 0x63, 0xf8, 0xff, 0xff, 0x3f, 0x00, 0x05, 0xfe, 0x02, 0xfe, 0x0d, 0xef, 0x46, 0xb8,
    0x00, 0x00, 0x00, 0x00, 0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82,
];

/// An account that publishes by the adapter.
pub(crate) struct Shop {
    pub(crate) network: &'static dyn Ground,
    pub(crate) person: bluesky::Account,
    pub(crate) adapter: Bluesky,
    pub(crate) login: Login,
}

impl Shop {
    pub(crate) fn open(network: &'static dyn Ground, name: &str) -> Shop {
        let person = network.account(name);
        Shop::of(network, person, network.pds())
    }

    pub(crate) fn of(network: &'static dyn Ground, person: bluesky::Account, pds: &str) -> Shop {
        let adapter = adapter();
        let mut account = account_of(network, &person, pds);
        let connected =
            run(adapter.connect(&account, &secret(&person.app_password))).expect("the app password is good");
        account.identity = Some(connected.identity.clone());
        let login = Login { account, identity: connected.identity, session: connected.session };
        Shop { network, person, adapter, login }
    }

    pub(crate) fn prepare(&self, content: &Content, assets: Vec<(Asset, Bytes)>) -> Handle {
        run(self.adapter.prepare(&self.login, content, assets, seed())).expect("the content is fine")
    }

    pub(crate) fn commit(&self, handle: &Handle) -> CommitOutcome {
        let (permit, boot) = permit(handle);
        run(self.adapter.commit(&self.login, permit, boot))
    }

    pub(crate) fn verify(&self, live: &Live) -> Verification {
        run(self.adapter.verify(&self.login.account, live, &live.digest))
    }

    pub(crate) fn records(&self) -> Vec<Record> {
        self.network.list_records(&self.person.did)
    }

    pub(crate) fn count(&self, handle: &Handle) -> usize {
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
pub(crate) struct Swap {
    pub(crate) inner: Online,
    pub(crate) path: &'static str,
    pub(crate) from: String,
    pub(crate) to: String,
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

pub(crate) fn adapter() -> Bluesky {
    Bluesky::new(wire::Network::real(OPEN), OPEN, Arc::new(RealClock))
}

pub(crate) fn run<F: Future>(future: F) -> F::Output {
    tokio::runtime::Runtime::new().expect("a runtime").block_on(future)
}

pub(crate) fn now() -> UtcTime {
    RealClock.wall().into()
}

pub(crate) fn secret(text: &str) -> Secret {
    Secret::new(text.to_owned())
}

pub(crate) fn seed() -> PrepareSeed {
    PrepareSeed { now: now(), random: clock::fresh_bytes().expect("the box has random bytes") }
}

#[expect(clippy::disallowed_methods, reason = "a test stands in for the store, which gives permits out")]
pub(crate) fn permit(handle: &Handle) -> (CommitPermit, Boot) {
    let recorded = now();
    (CommitPermit::issue(PostId::new(recorded, [7; 10]), 1, handle.clone(), Epoch(1), recorded), RealClock.boot())
}

pub(crate) fn account_of(network: &dyn Ground, person: &bluesky::Account, pds: &str) -> Account {
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
        alarms: Vec::new(),
        lost: Vec::new(),
        released: None,
        watched: Vec::new(),
    }
}

pub(crate) fn text(words: &str) -> Content {
    Content { facets: [(Facet::Caption, Untrusted::new(words))].into(), ..Content::default() }
}

pub(crate) fn picture(words: &str) -> (Content, Vec<(Asset, Bytes)>) {
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

/// The same handle for another shop's account, whose server never got the picture.
pub(crate) fn handle_of(shop: &Shop, handle: &Handle) -> Handle {
    let swap = |text: &str| text.replace(&handle.identity, &shop.person.did);
    Handle { identity: shop.person.did.clone(), token: swap(&handle.token), key: swap(&handle.key), ..handle.clone() }
}

pub(crate) fn accepted(outcome: CommitOutcome) -> Live {
    match outcome {
        CommitOutcome::Accepted(live) => live,
        CommitOutcome::Refused { .. } | CommitOutcome::NotSent { .. } | CommitOutcome::InDoubt { .. } => {
            panic!("the road is good, and it was not accepted: {outcome:?}")
        }
    }
}

pub(crate) fn word(outcome: &CommitOutcome) -> &'static str {
    match outcome {
        CommitOutcome::Accepted(_) => "accepted",
        CommitOutcome::Refused { .. } => "refused",
        CommitOutcome::NotSent { .. } => "not sent",
        CommitOutcome::InDoubt { .. } => "in doubt",
    }
}

pub(crate) fn requests(proxy: &FaultyProxy) -> usize {
    proxy.journal().iter().filter(|entry| entry.path.contains("putRecord")).count()
}

/// Each facet's sort and the words it stands on.
pub(crate) fn facets_of(record: &Value, words: &str) -> Vec<(String, String)> {
    let byte =
        |facet: &Value, end: &str| facet["index"][end].as_u64().and_then(|n| usize::try_from(n).ok()).expect("a byte");
    let facets = record["facets"].as_array().expect("facets");
    facets
        .iter()
        .map(|facet| {
            let there = words.get(byte(facet, "byteStart")..byte(facet, "byteEnd")).expect("on characters");
            (facet["features"][0]["$type"].as_str().expect("a sort").to_owned(), there.to_owned())
        })
        .collect()
}

pub(crate) fn field(session: &Secret, name: &str) -> String {
    let kept: Value = serde_json::from_str(session.expose()).expect("a session is JSON");
    kept[name].as_str().expect("a token").to_owned()
}

pub(crate) fn access_of(session: &Secret) -> String {
    field(session, "accessJwt")
}

pub(crate) fn with_access(session: &Secret, token: &str) -> Secret {
    let mut kept: Value = serde_json::from_str(session.expose()).expect("a session is JSON");
    kept["accessJwt"] = json!(token);
    Secret::new(kept.to_string())
}

/// The same token as the network's own server would have signed it a day ago.
pub(crate) fn expired(network: &dyn Ground, token: &str) -> String {
    let parts: Vec<&str> = token.split('.').collect();
    let mut claims: Value =
        serde_json::from_slice(&BASE64URL_NOPAD.decode(parts[1].as_bytes()).expect("base 64")).expect("JSON");
    let a_day_ago = now().minus(Span::days(1)).micros() / 1_000_000;
    claims["iat"] = json!(a_day_ago);
    claims["exp"] = json!(a_day_ago + 60);
    let signed = format!("{}.{}", parts[0], BASE64URL_NOPAD.encode(claims.to_string().as_bytes()));
    let signature = BASE64URL_NOPAD.encode(&hmac(&network.token_key(), signed.as_bytes()));
    format!("{signed}.{signature}")
}

/// HMAC with SHA-256 for a key of at most one block (RFC 2104).
pub(crate) fn hmac(key: &[u8], message: &[u8]) -> [u8; 32] {
    let pad = |with: u8| {
        let mut block = [with; 64];
        block.iter_mut().zip(key).for_each(|(byte, key)| *byte ^= key);
        block
    };
    let inner = Sha256::new().chain_update(pad(0x36)).chain_update(message).finalize();
    Sha256::new().chain_update(pad(0x5c)).chain_update(inner).finalize().into()
}
