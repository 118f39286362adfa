//! Why a verb of an adapter did not do what it was asked, one enum a verb.
//!
//! Decided here: what an engine must be able to tell apart. Words are whole sentences for a person: what, why, what to do.
//!
//! Invariant: no error holds a token, a password, a query or a body; a platform's own words are cut to 2 KiB and cleaned
//! before they get here (T10, T12).

use domain::time::UtcTime;

/// Why nobody was logged in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConnectError {
    /// The handle or a server's address cannot be used.
    #[error("{what} cannot be used: {why}")]
    BadAddress {
        /// Which.
        what: String,
        /// Why, and what to give instead.
        why: String,
    },
    /// Nobody of that name was found, or the name's entry is broken.
    #[error("{handle} could not be found: {why}")]
    Unresolved {
        /// The handle.
        handle: String,
        /// Why.
        why: String,
    },
    /// The login belongs to somebody else (T25).
    #[error("the login belongs to {found}, and {expected} was meant; check the handle and the server")]
    OtherIdentity {
        /// Who was meant.
        expected: String,
        /// Whom the platform names.
        found: String,
    },
    /// The platform refused the login.
    #[error("the login was refused: {why}")]
    Refused {
        /// Why, and what to do.
        why: String,
    },
    /// Too many logins.
    #[error("the server takes no more logins for now{}; try again later", until_words(*.until))]
    Limited {
        /// Until when, where the server says so.
        until: Option<UtcTime>,
    },
    /// A server did not answer; nobody was logged in.
    #[error("a server did not answer: {why}; try again")]
    Unreachable {
        /// Which and why.
        why: String,
    },
    /// The answer to the login itself could not be read.
    #[error("whether the login worked is not known: {why}; try again")]
    Unclear {
        /// What was seen.
        why: String,
    },
}

fn until_words(until: Option<UtcTime>) -> String {
    until.map(|until| format!(" (until {until})")).unwrap_or_default()
}

/// Why there is no fresh session.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RefreshError {
    /// The login is over.
    #[error("the login is no longer good: {0}; connect the account again")]
    Lost(String),
    /// The old session may be used up and the new one lost: connect again, never loop.
    #[error("whether the login was renewed is not known: {0}; connect the account again")]
    Unclear(String),
    /// Nothing was done; the old session is as good as before.
    #[error("the login could not be renewed now: {0}; it is tried again")]
    Later(String),
}

/// Why a session's owner was not confirmed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    /// The session belongs to somebody else (T25).
    #[error("the login belongs to {found}, which is not this account; connect the account again")]
    Other {
        /// Whom the platform names.
        found: String,
    },
    /// The session wants to be refreshed first.
    #[error("the session has expired; refresh it")]
    Expired,
    /// The login is over.
    #[error("the login is no longer good: {0}; connect the account again")]
    Lost(String),
    /// Nobody answered, or not understandably.
    #[error("whom the login belongs to is not known now: {0}; it is tried again")]
    CannotTell(String),
}

/// Why a post could not be made ready. Nothing is visible.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the post could not be made ready: {why}")]
pub struct PrepareError {
    /// Why, and what to do.
    pub why: String,
    /// What that means for the next try.
    pub kind: PrepareFailure,
}

/// Whether trying again can help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PrepareFailure {
    /// It can; not before this moment, where the platform names one.
    Again(Option<UtcTime>),
    /// It can, with a refreshed session.
    LoginExpired,
    /// It can, when a person has connected the account again.
    LoginLost,
    /// It cannot: the content itself is not taken.
    Definite,
}

/// Why a post's metrics were not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MeasureError {
    /// The public read does not show the post.
    #[error("the post is not shown: {0}")]
    NotShown(String),
    /// Nobody answered, or not understandably.
    #[error("the metrics could not be read: {0}")]
    CannotTell(String),
}

/// Why a look at a thread or a listing gave nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LookError {
    /// Nobody answered, or not understandably.
    #[error("the look did not say anything: {0}; it is tried again")]
    CannotTell(String),
    /// There is more than is read; a part is no answer.
    #[error("there is more than is read: {0}; look at the account by hand")]
    TooMany(String),
}
