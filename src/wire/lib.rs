//! One way onto the network.
//!
//! Decided here: how one request leaves and one answer comes back: over which connection, to which addresses, within
//! which limits, and what a failure says about whether the request may have had an effect. Not here: what is asked and
//! what an answer means (`platforms`, `creators`), whether something may be sent at all (`store`'s permit), trying again.
//!
//! Invariant (rule 4): one call of [`Transport::send`] sends its request at most once. There is no retry, no redirect, no
//! proxy, no reused connection below it, and nothing goes on after the returned future is over or dropped.

mod address;
mod connect;
mod error;
mod exchange;
mod guard;
mod online;
mod recorded;
mod redact;
mod scripted;

#[cfg(test)]
mod loopback;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};

pub use error::{InDoubt, NotSent, WireError};
pub use guard::{GuardRefusal, HostPolicy, checked_url};
pub use online::Online;
pub use recorded::{Call, End, Recorded};
pub use redact::{redact, safe_url};
pub use scripted::Scripted;

/// What comes of one request. Dropping it closes the connection; whether the request had an effect is then in doubt.
pub type Answer = Pin<Box<dyn Future<Output = Result<Response<Bytes>, WireError>> + Send>>;

/// Sends a request once. In production [`Online`]; in a rehearsal the twin's router; in tests [`Scripted`].
pub trait Transport: Send + Sync {
    /// Sends `request`, whose URI is absolute, and returns the whole answer whatever its status; redirects are answers.
    ///
    /// Header values that are secret are marked sensitive by the caller.
    fn send(&self, request: Request<Bytes>, limits: Limits) -> Answer;
}

/// How long one request may take and how large its answer may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// From the call to the first byte of the request, name look-up and TLS included; later it is not sent (rule 5).
    ///
    /// Whoever recorded an attempt passes what is left of its five seconds.
    pub start: Duration,
    /// From the call to the last byte of the answer.
    pub total: Duration,
    /// Bytes of the answer's header lines.
    pub headers_max: usize,
    /// Bytes of the answer's body.
    pub body_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            start: Duration::from_secs(5),
            total: Duration::from_secs(60),
            headers_max: 64 * 1024,
            body_max: 8 * 1024 * 1024,
        }
    }
}

/// The two lines that an adapter is given.
///
/// In production both behave alike; they are two so that what makes something visible is told apart from what only looks
/// or prepares, wherever calls are recorded, disturbed or counted.
#[derive(Clone)]
pub struct Network {
    /// For everything that makes nothing visible.
    pub reading: Arc<dyn Transport>,
    /// For the one request that makes a post visible, and for what may not be repeated, like a rotating token.
    pub commit: Arc<dyn Transport>,
}

impl Network {
    /// Returns the real network, kept to `policy`.
    pub fn real(policy: HostPolicy) -> Self {
        Self::both(Arc::new(Online::new(policy)))
    }

    /// Returns a network whose two lines are the same transport.
    pub fn both(transport: Arc<dyn Transport>) -> Self {
        Self { reading: Arc::clone(&transport), commit: transport }
    }
}
