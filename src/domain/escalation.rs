//! Escalations: something a person must settle, with owner, due time, evidence and answers.
//!
//! Decides what one holds and how it ends. When one is opened is decided where the trouble is (a post in doubt, a lost
//! login, a breach); who is told is the engine's business.

use serde::{Deserialize, Serialize};

use crate::actor::Actor;
use crate::aggregate::{Aggregate, StreamKind};
use crate::id::{AccountId, ClientId, EscalationId, ExperimentId, PostId};
use crate::refusal::Refusal;
use crate::time::UtcTime;

/// How much it hurries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Urgency {
    /// An account may be hurt.
    Critical,
    /// Today.
    High,
    /// At the next check-in.
    Normal,
}

impl Urgency {
    /// Returns the word that screens use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::High => "high",
            Self::Normal => "normal",
        }
    }
}

/// What it is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "about", rename_all = "snake_case")]
pub enum Subject {
    /// A post.
    Post {
        /// Which.
        post: PostId,
        /// Of which experiment.
        experiment: ExperimentId,
    },
    /// An account.
    Account {
        /// Which.
        account: AccountId,
    },
}

/// An escalation as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Escalation {
    /// Its id.
    pub id: EscalationId,
    /// Whose account it is.
    pub client: ClientId,
    /// What it is about.
    pub subject: Subject,
    /// The rule that opened it, stable for scripts: `post.unconfirmed`.
    pub rule: String,
    /// How much it hurries.
    pub urgency: Urgency,
    /// What happened, in one sentence.
    pub what: String,
    /// What was seen, a line each.
    pub evidence: Vec<String>,
    /// The commands that answer it.
    pub answers: Vec<String>,
    /// Who settles it; nobody yet.
    pub owner: Option<String>,
    /// When it was opened.
    pub opened: UtcTime,
    /// When somebody should have settled it.
    pub due: UtcTime,
    /// How it ended.
    pub end: Option<EscalationEnd>,
}

/// How an escalation ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EscalationEnd {
    /// Who ended it; the engine where the trouble went away.
    pub by: Actor,
    /// When.
    pub at: UtcTime,
    /// How.
    pub how: String,
}

/// What is asked of an escalation.
#[derive(Debug, Clone, PartialEq)]
pub enum EscalationCommand {
    /// Somebody takes it.
    Take {
        /// Who.
        by: String,
    },
    /// More was seen.
    Add {
        /// A line.
        evidence: String,
    },
    /// It is settled.
    Resolve(EscalationEnd),
}

/// What happened to an escalation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum EscalationEvent {
    /// It was opened.
    EscalationOpened {
        /// As it began.
        escalation: Box<Escalation>,
    },
    /// Somebody took it.
    EscalationTaken {
        /// Who.
        by: String,
    },
    /// More was seen.
    EvidenceAdded {
        /// A line.
        evidence: String,
    },
    /// It is settled.
    EscalationResolved {
        /// By whom, how.
        end: EscalationEnd,
    },
}

impl Escalation {
    /// Decides what a command means now.
    pub fn decide(&self, command: EscalationCommand) -> Result<Vec<EscalationEvent>, Refusal> {
        if let Some(end) = &self.end {
            return Err(Refusal::nothing(
                format!("escalation {}", self.id),
                format!("{} settled it at {}", end.by, end.at),
            ));
        }
        Ok(vec![match command {
            EscalationCommand::Take { by } => EscalationEvent::EscalationTaken { by },
            EscalationCommand::Add { evidence } => EscalationEvent::EvidenceAdded { evidence },
            EscalationCommand::Resolve(end) if end.how.trim().is_empty() => {
                return Err(Refusal::invalid(
                    "escalation.how",
                    format!("escalation {}", self.id),
                    "it does not say how it was settled",
                    "give --reason",
                ));
            }
            EscalationCommand::Resolve(end) => EscalationEvent::EscalationResolved { end },
        }])
    }
}

impl Aggregate for Escalation {
    type Event = EscalationEvent;
    const KIND: StreamKind = StreamKind::Escalation;

    fn begin(event: &EscalationEvent) -> Option<Self> {
        if let EscalationEvent::EscalationOpened { escalation } = event { Some((**escalation).clone()) } else { None }
    }

    fn apply(&mut self, event: &EscalationEvent) {
        match event {
            EscalationEvent::EscalationOpened { escalation } => *self = (**escalation).clone(),
            EscalationEvent::EscalationTaken { by } => self.owner = Some(by.clone()),
            EscalationEvent::EvidenceAdded { evidence } => self.evidence.push(evidence.clone()),
            EscalationEvent::EscalationResolved { end } => self.end = Some(end.clone()),
        }
    }
}
