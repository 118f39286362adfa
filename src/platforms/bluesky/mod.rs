//! Bluesky, and every other server of the AT Protocol.
//!
//! Decided here: which servers are asked for what. The rest is one file a noun:
//!
//! | file | holds |
//! |---|---|
//! | `identity`, `session` | who an account is; the two tokens of a login |
//! | `record`, `facets` | what a post is made of; links, tags and mentions in its text |
//! | `prepare` | a handle: pictures uploaded, key, time and bytes fixed, their CID known |
//! | `commit` | the one request that makes a post visible, and the look whether it did |
//! | `look` | read-back and metrics, as somebody who is not logged in |
//! | `audience` | what people answered; what else stands on the account |
//! | `tid`, `cid`, `cbor`, `name`, `xrpc` | keys, identifiers, bytes, names, calls |
//!
//! | asked | of | logged in |
//! |---|---|---|
//! | everything that writes; whether a record is there | the account's own server (PDS) | to write only |
//! | what the public sees, counts, threads | the read server (AppView) | never |
//! | who stands behind a DID | the directory (PLC), or the DID's host | never |
//!
//! Invariant: a post's key, time and bytes are fixed in `prepare` and put with `swapRecord: null`, so that the same handle
//! sent again is a no-op and never a second post (I1, rule 8).

mod audience;
mod cbor;
mod cid;
mod commit;
mod facets;
mod identity;
mod look;
mod name;
mod prepare;
mod record;
mod session;
mod standing;
#[cfg(test)]
mod tests;
mod tid;
mod xrpc;

use std::sync::Arc;

use bytes::Bytes;
use clock::{Boot, Clock};
use domain::account::Account;
use domain::post::{CommitOutcome, CommitPermit, Handle, Live, Observation};
use domain::secret::Secret;
use domain::time::UtcTime;
use domain::variant::{Asset, Content};
use serde::de::DeserializeOwned;
use wire::{HostPolicy, Network};

use crate::adapter::{
    Adapter, Connected, Ear, ForeignPost, Fut, Login, Measured, PrepareSeed, ThreadReply, Verification,
};
use crate::error::{ConnectError, IdentityError, LookError, PrepareError, RefreshError};
use session::{Session, not_active};
use xrpc::{Call, Failure, READING, Server};

/// The public directory of identities.
pub const PLC: &str = "https://plc.directory";

/// The public server for reading without a login.
pub const APPVIEW: &str = "https://public.api.bsky.app";

/// The adapter for Bluesky.
#[derive(Clone)]
pub struct Bluesky {
    network: Network,
    policy: HostPolicy,
    clock: Arc<dyn Clock>,
    ear: Option<Ear>,
}

impl Bluesky {
    /// Makes the adapter on a network. `policy` is the one that the network keeps to: servers that it forbids are refused
    /// here already, with words.
    pub fn new(network: Network, policy: HostPolicy, clock: Arc<dyn Clock>) -> Self {
        Self { network, policy, clock, ear: None }
    }

    fn now(&self) -> UtcTime {
        self.clock.wall().into()
    }

    /// Asks something that changes nothing.
    async fn look<T: DeserializeOwned>(&self, call: &Call) -> Result<T, Failure> {
        call.ask(self.network.reading.as_ref(), READING, self.now()).await
    }

    /// Asks something about the account itself that changes nothing, and hears what the answer says of its standing.
    async fn look_own<T: DeserializeOwned>(&self, call: &Call) -> Result<T, Failure> {
        self.ask_own(call, self.network.reading.as_ref(), READING).await
    }

    /// Returns the server for public reads.
    fn appview(&self, account: &Account) -> Result<Server, String> {
        let text = account.servers.appview.as_deref().unwrap_or(APPVIEW);
        Server::checked(text, self.policy).map_err(|why| format!("the read server cannot be called: {why}"))
    }

    /// Returns the server that holds an account that was connected once.
    fn home(&self, account: &Account) -> Result<Server, String> {
        let named = account.identity.as_ref().map(|identity| identity.server.as_str());
        let Some(text) = account.servers.pds.as_deref().or(named) else {
            return Err("the account was never connected".to_owned());
        };
        Server::checked(text, self.policy).map_err(|why| format!("the account's server cannot be called: {why}"))
    }
}

impl Adapter for Bluesky {
    fn listening(&self, ear: Ear) -> Arc<dyn Adapter> {
        Arc::new(Self { ear: Some(ear), ..self.clone() })
    }

    fn connect<'a>(&'a self, account: &'a Account, password: &'a Secret) -> Fut<'a, Result<Connected, ConnectError>> {
        Box::pin(self.connected(account, password))
    }

    fn session_until(&self, session: &Secret) -> Option<UtcTime> {
        Session::open(session)?.until()
    }

    fn refresh<'a>(&'a self, login: &'a Login) -> Fut<'a, Result<Secret, RefreshError>> {
        Box::pin(self.refreshed(login))
    }

    fn check_identity<'a>(&'a self, login: &'a Login) -> Fut<'a, Result<(), IdentityError>> {
        Box::pin(self.identity_checked(login))
    }

    fn prepare<'a>(
        &'a self,
        login: &'a Login,
        content: &'a Content,
        assets: Vec<(Asset, Bytes)>,
        seed: PrepareSeed,
    ) -> Fut<'a, Result<Handle, PrepareError>> {
        Box::pin(self.prepared(login, content, assets, seed))
    }

    fn commit<'a>(&'a self, login: &'a Login, permit: CommitPermit, recorded_boot: Boot) -> Fut<'a, CommitOutcome> {
        Box::pin(self.committed(login, permit, recorded_boot))
    }

    fn observe<'a>(&'a self, login: &'a Login, handle: &'a Handle) -> Fut<'a, Observation> {
        Box::pin(self.observed(login, handle))
    }

    fn verify<'a>(&'a self, account: &'a Account, live: &'a Live, expected: &'a str) -> Fut<'a, Verification> {
        Box::pin(self.verified(account, live, expected))
    }

    fn measure<'a>(&'a self, account: &'a Account, posts: &'a [Live]) -> Fut<'a, Vec<Measured>> {
        Box::pin(self.measured(account, posts))
    }

    fn thread<'a>(&'a self, account: &'a Account, live: &'a Live) -> Fut<'a, Result<Vec<ThreadReply>, LookError>> {
        Box::pin(self.replies(account, live))
    }

    fn recent<'a>(&'a self, account: &'a Account, since: UtcTime) -> Fut<'a, Result<Vec<ForeignPost>, LookError>> {
        Box::pin(self.listed(account, since))
    }

    fn standing<'a>(&'a self, account: &'a Account) -> Fut<'a, Result<(), LookError>> {
        Box::pin(self.standing_read(account))
    }
}
