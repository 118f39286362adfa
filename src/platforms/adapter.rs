//! What every network can be asked for, in plain data.
//!
//! Decided here: the verbs, and what each may conclude. Everything before [`Adapter::commit`] makes nothing visible and may
//! be repeated; `commit` sends one request, once, and needs a permit by value; everything after it only reads.
//!
//! Invariants: one `commit` sends at most one request, and none later than 5 s after the record (rules 4 and 5); doubt is an
//! outcome of its own (rule 17); a look never writes (rule 10); text that other people wrote comes out as `Untrusted`.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use clock::Boot;
use domain::account::{Account, Identity};
use domain::guardrail::Alarm;
use domain::post::{CommitOutcome, CommitPermit, Handle, Live, Observation, Proof};
use domain::secret::Secret;
use domain::snapshot::SnapshotRow;
use domain::text::Untrusted;
use domain::time::UtcTime;
use domain::variant::{Asset, Content};

use crate::error::{ConnectError, IdentityError, LookError, MeasureError, PrepareError, RefreshError};

/// What an adapter's verbs return: a future that may move between threads.
pub type Fut<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Takes what answers say of how a platform sees an account.
pub type Ear = Arc<dyn Fn(Alarm) + Send + Sync>;

/// Speaks one network's language. Nothing is kept between calls.
pub trait Adapter: Send + Sync {
    /// Returns the same adapter for the calls of one account: whatever their answers say of how the platform sees the
    /// account is put into the ear before the verb returns.
    fn listening(&self, ear: Ear) -> Arc<dyn Adapter>;

    /// Logs in once, and says as whom.
    ///
    /// An account that is pinned to an identity already is compared with it before the password leaves (T25).
    fn connect<'a>(&'a self, account: &'a Account, password: &'a Secret) -> Fut<'a, Result<Connected, ConnectError>>;

    /// Returns when a session needs to be refreshed; `None` where the session does not say.
    fn session_until(&self, session: &Secret) -> Option<UtcTime>;

    /// Exchanges a session for a fresh one. The old one is not good afterwards: keep the new one before it is used.
    fn refresh<'a>(&'a self, login: &'a Login) -> Fut<'a, Result<Secret, RefreshError>>;

    /// Asks the platform whom the session belongs to, and compares.
    fn check_identity<'a>(&'a self, login: &'a Login) -> Fut<'a, Result<(), IdentityError>>;

    /// Makes a post ready, without making it visible: uploads its pictures and fixes every byte of what will be shown.
    ///
    /// `assets` are those of `content`, in its order, with the bytes that the home keeps; each is compared with its digest.
    fn prepare<'a>(
        &'a self,
        login: &'a Login,
        content: &'a Content,
        assets: Vec<(Asset, Bytes)>,
        seed: PrepareSeed,
    ) -> Fut<'a, Result<Handle, PrepareError>>;

    /// Makes a prepared post visible, by one request.
    ///
    /// `recorded_boot` is the boot clock as it was read when the record of this attempt was durable: with the permit's own
    /// wall time it holds the request to its 5 s (rule 5).
    fn commit<'a>(&'a self, login: &'a Login, permit: CommitPermit, recorded_boot: Boot) -> Fut<'a, CommitOutcome>;

    /// Looks whether a handle's post is there. Reads only.
    fn observe<'a>(&'a self, login: &'a Login, handle: &'a Handle) -> Fut<'a, Observation>;

    /// Reads a post back as somebody who is not logged in. `expected` is the digest of what was prepared.
    fn verify<'a>(&'a self, account: &'a Account, live: &'a Live, expected: &'a str) -> Fut<'a, Verification>;

    /// Reads the metrics of any number of posts; one answer a post, in their order.
    fn measure<'a>(&'a self, account: &'a Account, posts: &'a [Live]) -> Fut<'a, Vec<Measured>>;

    /// Reads what people answered under a post, oldest first.
    fn thread<'a>(&'a self, account: &'a Account, live: &'a Live) -> Fut<'a, Result<Vec<ThreadReply>, LookError>>;

    /// Reads what stands on the account since a moment, ours and everybody else's, newest first.
    fn recent<'a>(&'a self, account: &'a Account, since: UtcTime) -> Fut<'a, Result<Vec<ForeignPost>, LookError>>;

    /// Asks how the platform shows the account to people. What it says of a warning goes into the ear.
    fn standing<'a>(&'a self, account: &'a Account) -> Fut<'a, Result<(), LookError>>;
}

/// What came of logging in.
#[derive(Debug, Clone)]
pub struct Connected {
    /// As whom.
    pub identity: Identity,
    /// The session, as the adapter's own text.
    pub session: Secret,
}

/// An account with its session: what is needed to act on it.
#[derive(Debug, Clone)]
pub struct Login {
    /// The account, with the servers that an operator gave.
    pub account: Account,
    /// Who it is.
    pub identity: Identity,
    /// The session of that identity.
    pub session: Secret,
}

/// What `prepare` takes from outside, so that the same seed gives the same handle.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PrepareSeed {
    /// The time that the post will bear: the slot's, or the present where the slot has begun.
    pub now: UtcTime,
    /// Random bytes of a seed stream, for the name of the post.
    pub random: [u8; 8],
}

impl fmt::Debug for PrepareSeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrepareSeed({})", self.now)
    }
}

/// What a read-back may conclude.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verification {
    /// It is visible to somebody who is not logged in, as prepared.
    Seen(Proof),
    /// It was there and is not any more, by two independent reads.
    Gone {
        /// When this was seen.
        at: UtcTime,
        /// What was seen.
        evidence: String,
    },
    /// Something else is shown under its name.
    Altered {
        /// When this was seen.
        at: UtcTime,
        /// The digest of what is shown.
        found: String,
    },
    /// The reads do not agree yet; in words.
    NotYet(String),
    /// The reads do not say; in words.
    CannotTell(String),
}

/// The metrics of one post at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    /// The platform's id of the post.
    pub id: String,
    /// When the answer came.
    pub captured: UtcTime,
    /// Where it was read, as a snapshot names it.
    pub source: String,
    /// What was read.
    pub rows: Result<Vec<SnapshotRow>, MeasureError>,
}

/// One answer that somebody wrote under a post.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThreadReply {
    /// The platform's id of the answer.
    pub uri: String,
    /// The platform's digest of what it says.
    pub cid: String,
    /// The platform's id of what it answers.
    pub parent: String,
    /// The platform's id of its author.
    pub author_did: String,
    /// The author's name at that moment.
    pub author_handle: Untrusted,
    /// What it says.
    pub text: Untrusted,
    /// When the platform saw it.
    pub at: UtcTime,
}

/// A post that stands on an account, whoever made it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignPost {
    /// The platform's id.
    pub uri: String,
    /// The platform's digest.
    pub cid: String,
    /// What it says.
    pub text: Untrusted,
    /// When it was made, as it says itself.
    pub at: UtcTime,
}
