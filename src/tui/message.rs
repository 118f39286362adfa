//! Messages: everything that can happen to the dashboard, and what it asks for in return.
//!
//! Decides the one way in and the one way out. A message carries its time, so that `update` reads no clock; kept
//! messages replay. Who performs the effects is `runner`.

use std::time::Duration;

use clock::Speed;
use desk::query::EventLine;
use desk::{Answer, Command, Done, Problem, Query};
use domain::hash::Digest;
use domain::id::{AccountId, ClientId, ExperimentId, PostId};
use domain::time::UtcTime;
use serde::{Deserialize, Serialize};

use crate::key::Key;

/// When something happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moment {
    /// Real time, in milliseconds since some start; never goes back. Guards, seen marks and silence are counted in it.
    pub real_ms: u64,
    /// The agency's time.
    pub wall: UtcTime,
}

impl Moment {
    /// Returns how much real time has passed since an earlier reading.
    pub const fn since(self, earlier_ms: u64) -> Duration {
        Duration::from_millis(self.real_ms.saturating_sub(earlier_ms))
    }
}

/// Something that happened.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Message {
    /// When.
    pub at: Moment,
    /// What.
    pub what: What,
}

/// What happened.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// The dashboard was opened.
    Start,
    /// A key.
    Key(Key),
    /// A text was pasted.
    Paste(String),
    /// The terminal is this large.
    Resize(u16, u16),
    /// Time passed.
    Tick,
    /// The desk answered.
    Answered(Ask, Box<Result<Answer, Problem>>),
    /// The desk did something, or refused to.
    Acted(u64, Box<Result<Done, Problem>>),
    /// The log grew.
    News(Vec<EventLine>),
    /// The log is no longer followed.
    FollowEnded,
    /// The screen was taken back after something else had it.
    Returned,
    /// The terminal is gone.
    HungUp,
    /// The engine was started, or was not.
    EngineStarted(Result<(), String>),
}

/// A question to the desk; one of a kind is under way at a time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ask {
    /// How the engine is; also the sign of life.
    Health,
    /// Who I am.
    Me,
    /// Clients.
    Clients,
    /// Accounts.
    Accounts,
    /// One account, whole.
    Account(AccountId),
    /// The posts of a span, and those that a person must settle.
    Posts {
        /// From when.
        from: UtcTime,
        /// Until when.
        until: UtcTime,
    },
    /// What waits for a word.
    Queue,
    /// One sheet.
    Sheet(String),
    /// Experiments, the finished ones too.
    Experiments,
    /// One experiment.
    Experiment(String),
    /// One picture of an experiment, to be drawn within so many pixels.
    Picture(Picture),
    /// What a person must settle.
    Escalations,
    /// The rounds of today.
    Rounds {
        /// For one client alone.
        client: Option<ClientId>,
    },
    /// Signed rounds, the newest.
    Checkins,
    /// Layers.
    Layers,
    /// People.
    Users,
    /// The last events before that number.
    Recent(u64),
    /// One post.
    Post(PostId),
    /// The metrics of one experiment.
    Snapshots(String),
    /// What one experiment says.
    Outcome(String),
    /// What a review found, what could mislead, what may be decided.
    Review(String),
    /// What was learned; what holds these words, where there are any.
    Learnings(String),
}

/// A picture, and the pixels that there is room for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Picture {
    /// By its code.
    pub experiment: String,
    /// Of the whole picture.
    pub digest: Digest,
    /// Pixels of a row: one a column of the terminal.
    pub width: u16,
    /// Rows of pixels: two a row of the terminal.
    pub height: u16,
}

/// How many of the last events are read at the start.
const RECENT: u64 = 200;

impl Ask {
    /// Returns the desk's question.
    pub fn query(&self) -> Query {
        match self {
            Self::Health => Query::Health,
            Self::Me => Query::WhoAmI,
            Self::Clients => Query::ClientList,
            Self::Accounts => Query::AccountList,
            Self::Account(account) => Query::AccountShow { account: account.clone() },
            Self::Posts { from, until } => Query::PostsBetween { from: *from, until: *until },
            Self::Queue => Query::QueueList,
            Self::Sheet(code) => Query::QueueShow { experiment: code.clone() },
            Self::Experiments => Query::ExperimentList { client: None, all: true },
            Self::Experiment(code) => Query::ExperimentShow { experiment: code.clone() },
            Self::Picture(Picture { experiment, digest, width, height }) => {
                Query::Picture { experiment: experiment.clone(), digest: *digest, width: *width, height: *height }
            }
            Self::Escalations => Query::EscalationList { all: false },
            Self::Rounds { client } => Query::CheckinStatus { client: client.clone() },
            Self::Checkins => Query::CheckinList { before: None },
            Self::Layers => Query::LayerList,
            Self::Users => Query::UserList,
            Self::Recent(head) => Query::Events { after: head.saturating_sub(RECENT), limit: 500 },
            Self::Post(post) => Query::PostShow { post: post.to_string() },
            Self::Snapshots(code) => Query::SnapshotList { experiment: Some(code.clone()) },
            Self::Outcome(code) => Query::OutcomeShow { experiment: code.clone() },
            Self::Review(code) => Query::ReviewShow { experiment: code.clone() },
            Self::Learnings(text) if text.is_empty() => Query::LearningList { client: None, retracted: true },
            Self::Learnings(text) => Query::LearningSearch { text: text.clone(), client: None, retracted: true },
        }
    }
}

/// How much must be drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Redraw {
    /// Nothing changed.
    #[default]
    Nothing,
    /// Soon: news that nobody asked for, at most ten times a second.
    Soon,
    /// At once: the answer to a key.
    Now,
    /// Every cell, whatever was there.
    Everything,
}

/// What is to be done.
#[derive(Debug, Default)]
pub struct Effects {
    /// Questions to the desk.
    pub asks: Vec<Ask>,
    /// Commands to the desk, each with the number under which its answer comes back.
    pub acts: Vec<(u64, Command)>,
    /// What is open on this screen, for the next sign of life.
    pub on: Option<ExperimentId>,
    /// Follow the log after this event.
    pub follow: Option<u64>,
    /// Draw.
    pub redraw: Redraw,
    /// Stand still until the shell says so.
    pub suspend: bool,
    /// Close the near desk and start the engine.
    pub start_engine: bool,
    /// Run the demo's clock at this speed.
    pub speed: Option<Speed>,
    /// End.
    pub quit: bool,
    /// Ask the engine to end first.
    pub stop_engine: bool,
}
