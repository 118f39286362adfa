//! One adapter per network: the only code that knows a network's own words.
//!
//! Decided here: which adapter speaks for a platform. What every adapter can do is [`Adapter`]; how one network does it is
//! that network's folder. Not here: whether something may be sent (the permit), when, and what becomes of an answer
//! (`domain::post`, the engine); how bytes travel (`wire`).
//!
//! Invariant: there is no verb to like, follow, share or comment, so none can be sent by mistake.

mod adapter;
pub mod bluesky;
mod error;

use std::sync::Arc;

use clock::Clock;
use domain::brief::Platform;
use wire::{HostPolicy, Network};

pub use adapter::{Adapter, Connected, Ear, ForeignPost, Fut, Login, Measured, PrepareSeed, ThreadReply, Verification};
pub use bluesky::Bluesky;
pub use error::{ConnectError, IdentityError, LookError, MeasureError, PrepareError, PrepareFailure, RefreshError};

/// Returns the adapter of a platform on the real network; `None` where a platform has none.
///
/// `allow_private` is the client policy's `allow_private_hosts`: whether its servers may be on this machine or in a private
/// network (T15).
pub fn adapter_for(platform: Platform, allow_private: bool, clock: Arc<dyn Clock>) -> Option<Arc<dyn Adapter>> {
    let policy = HostPolicy { allow_private_hosts: allow_private };
    match platform {
        Platform::Bluesky => Some(Arc::new(Bluesky::new(Network::real(policy), policy, clock))),
        Platform::Instagram
        | Platform::Tiktok
        | Platform::Youtube
        | Platform::Mastodon
        | Platform::Threads
        | Platform::FacebookPage
        | Platform::Linkedin
        | Platform::X => None,
    }
}
