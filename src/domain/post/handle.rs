//! Handles and permits: what `prepare` made, and leave to make it visible, once.
//!
//! Decides what the program keeps of a prepared post, and that a permit cannot be made twice or kept. What a handle's
//! token means is the adapter's business alone; who issues a permit is the store's, after its COMMIT returned.

use serde::{Deserialize, Serialize};

use crate::aggregate::Epoch;
use crate::hash::ContentHash;
use crate::id::PostId;
use crate::time::{Span, UtcTime};

/// Whether the commit of one handle may be sent again without a second post (rule 8).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "may", rename_all = "snake_case")]
pub enum Repeat {
    /// The platform deduplicates this handle for ever.
    Always,
    /// The platform deduplicates it for so long; half of that is used, counted from the first attempt (rule 9).
    Within {
        /// The platform's own window.
        window: Span,
    },
    /// It must not be repeated.
    Never,
}

/// What `prepare` returned, with the content it was made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handle {
    /// The content it was made from; compared with the approval's and the present one's at the commit (I2).
    pub content: ContentHash,
    /// The platform's own id of the account it was made for.
    pub identity: String,
    /// All the adapter needs to commit and to look, as its own JSON.
    pub token: String,
    /// What the platform will call the post, where that is known beforehand: a record key, a container.
    pub key: String,
    /// The digest of what will be shown, where the platform names it beforehand: a CID.
    pub expected: String,
    /// Whether its commit may be repeated.
    pub repeat: Repeat,
    /// When it is no longer good.
    pub expires: Option<UtcTime>,
}

/// Leave to make one post visible, once.
///
/// Given out only by the store, after the COMMIT of `PostCommitting` returned; loading that event after a crash gives
/// none, only the duty to look. Neither `Clone` nor `Copy`; an adapter takes it by value.
#[derive(Debug)]
pub struct CommitPermit {
    post: PostId,
    attempt: u32,
    handle: Handle,
    epoch: Epoch,
    recorded: UtcTime,
}

/// How long after the record a request may still begin (rule 5).
pub const SEND_WITHIN: Span = Span::seconds(5);

impl CommitPermit {
    /// Makes a permit. Banned by lint everywhere but in the store, which calls it after its COMMIT returned.
    pub fn issue(post: PostId, attempt: u32, handle: Handle, epoch: Epoch, recorded: UtcTime) -> Self {
        Self { post, attempt, handle, epoch, recorded }
    }

    /// Returns the post.
    pub fn post(&self) -> PostId {
        self.post
    }

    /// Returns the attempt's number, from 1.
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// Returns the handle whose commit is allowed.
    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Returns the epoch under which it was given.
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// Returns when `committing` was recorded.
    pub fn recorded(&self) -> UtcTime {
        self.recorded
    }

    /// Tells whether a request may still begin: within 5 s of the record by the wall clock, and by the boot clock, of
    /// which the caller says how much has passed (timers stand still in a suspend, the boot clock does not).
    pub fn may_send(&self, wall: UtcTime, boot_passed: std::time::Duration) -> bool {
        let wall_passed = wall.since(self.recorded);
        wall_passed >= Span::seconds(-1) && wall_passed <= SEND_WITHIN && boot_passed <= SEND_WITHIN.to_std()
    }
}
