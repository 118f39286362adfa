//! Engagement: what people write under our posts, and what a person answers.
//!
//! | file | holds |
//! |---|---|
//! | `conversation` | a thread under one of our posts: its comments, what was answered, what waits |
//! | `suggest` | what an answer may begin with, and which comments get no suggestion at all |
//! | `distance` | how far what was sent is from what was suggested |
//!
//! Invariants: nothing here answers anybody; a reply exists only because a person asked for exactly its text on exactly the
//! thread that they saw, one at a time. What other people wrote stays `Untrusted` and is bounded.

mod conversation;
mod distance;
mod suggest;

pub use conversation::{
    Asked, Comment, Conversation, ConversationCommand, ConversationEvent, Fate, Reply, Sighting, Skip, Standing,
    TEXT_MAX, clipped,
};
pub use distance::{OWN_ABOVE, percent_changed};
pub use suggest::{Catalogue, CatalogueError, Looked, Suggested, Suggestion, suggest};

use crate::calendar::pacing::PacingLimits;
use crate::time::Span;

/// The least time between two replies of one account.
pub const REPLY_FLOOR: Span = Span::seconds(20);

/// How long after it was asked for a reply may still be sent; never later.
pub const REPLY_PATIENCE: Span = Span::minutes(10);

/// How long comments under a post are looked for.
pub const LISTEN_FOR: Span = Span::days(7);

/// The limits of an account's replies: the floor between two of them, and far fewer a day than a person could send.
pub const REPLY_LIMITS: PacingLimits = PacingLimits { min_gap: REPLY_FLOOR, max_per_24h: 200 };

/// Returns how long after a look the next one is due, for a post that has been out so long: rarer as it gets older, and
/// never more often than the client's policy says.
pub fn listen_every(out_for: Span, least: Span) -> Span {
    Span::from_micros(out_for.micros().max(0) / 4).max(least)
}
