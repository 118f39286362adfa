//! Aggregates: a state with two pure functions, and the streams their events stand in.
//!
//! Decides the shape that every stored thing shares. Each aggregate's own `decide` lives with it; loading, chaining and
//! read tables are the store's.

use std::fmt;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// The sorts of streams in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StreamKind {
    /// People, roles, holds over everything. One stream.
    Agency,
    /// A client with kit and policy.
    Client,
    /// A profile on a platform.
    Account,
    /// A namespace of mutual exclusion.
    Layer,
    /// An experiment.
    Experiment,
    /// A post.
    Post,
    /// Something a person must settle.
    Escalation,
    /// A signed round.
    Checkin,
    /// What an experiment taught.
    Learning,
    /// A thread under a post.
    Conversation,
}

impl StreamKind {
    /// All sorts, in the order in which they are rebuilt.
    pub const ALL: [Self; 10] = [
        Self::Agency,
        Self::Client,
        Self::Account,
        Self::Layer,
        Self::Experiment,
        Self::Post,
        Self::Escalation,
        Self::Checkin,
        Self::Learning,
        Self::Conversation,
    ];

    /// Returns the name in the log.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Agency => "agency",
            Self::Client => "client",
            Self::Account => "account",
            Self::Layer => "layer",
            Self::Experiment => "experiment",
            Self::Post => "post",
            Self::Escalation => "escalation",
            Self::Checkin => "checkin",
            Self::Learning => "learning",
            Self::Conversation => "conversation",
        }
    }
}

impl fmt::Display for StreamKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Counts the events of one aggregate, from 1. A command may name the version it was looking at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Version(pub u64);

/// Fencing number of the engine that owns the store; every write checks it (I11).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Epoch(pub u64);

/// A state that is the fold of its events.
pub trait Aggregate: Sized + Clone + PartialEq + Serialize + DeserializeOwned + Send + 'static {
    /// What can happen to it.
    type Event: Clone + PartialEq + Serialize + DeserializeOwned + Send + 'static;
    /// The sort of stream it stands in.
    const KIND: StreamKind;

    /// Returns the state that the first event makes; `None` where this event begins nothing.
    fn begin(event: &Self::Event) -> Option<Self>;

    /// Applies what happened. Cannot fail: what is in the log has happened.
    fn apply(&mut self, event: &Self::Event);
}

/// Folds a stream from nothing.
pub fn fold<A: Aggregate>(state: Option<A>, events: &[A::Event]) -> Option<A> {
    events.iter().fold(state, |state, event| match state {
        None => A::begin(event),
        Some(mut state) => {
            state.apply(event);
            Some(state)
        }
    })
}
