//! Escalations: something a person must settle, with owner, due time, evidence and answers.
//!
//! Decides what one holds and how it ends. When one is opened is decided where the trouble is (a post in doubt, a lost
//! login, a breach); who is told is the engine's business.

use serde::{Deserialize, Serialize};

use crate::actor::Actor;
use crate::aggregate::{Aggregate, StreamKind};
use crate::experiment::later::Later;
use crate::id::{AccountId, ClientId, EscalationId, ExperimentId, PostId};
use crate::refusal::Refusal;
use crate::time::{Span, UtcTime};

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

    /// Returns until when it may be put off at most: the more it hurries, the sooner it is back.
    pub fn longest(self, now: UtcTime, next_round: UtcTime) -> UtcTime {
        match self {
            Self::Critical => now.plus(Span::minutes(30)),
            Self::High => now.plus(Span::hours(4)),
            Self::Normal => next_round,
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
    /// Until when it is put off, and by whom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub later: Option<Later>,
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
    /// Somebody else settles it.
    HandOver {
        /// Who; whoever takes it where none.
        to: Option<String>,
    },
    /// It is looked at later.
    PutOff(PutOff),
    /// More was seen.
    Add {
        /// A line.
        evidence: String,
    },
    /// It is settled.
    Resolve(EscalationEnd),
}

/// How an escalation is put off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PutOff {
    /// Who looks at it later.
    pub by: String,
    /// Until when; as long as may be where none.
    pub until: Option<UtcTime>,
    /// The present.
    pub now: UtcTime,
    /// When the next round begins.
    pub next_round: UtcTime,
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
    /// Somebody else settles it.
    EscalationHandedOver {
        /// Who; whoever takes it where none.
        to: Option<String>,
    },
    /// It is looked at later.
    EscalationPutOff {
        /// Until when, and on whose word.
        later: Later,
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
            EscalationCommand::HandOver { to } => {
                if to == self.owner {
                    let has = to.unwrap_or_else(|| "nobody".to_owned());
                    return Err(Refusal::nothing(format!("escalation {}", self.id), format!("{has} has it already")));
                }
                EscalationEvent::EscalationHandedOver { to }
            }
            EscalationCommand::PutOff(ask) => EscalationEvent::EscalationPutOff { later: self.put_off(ask)? },
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

impl Escalation {
    fn put_off(&self, ask: PutOff) -> Result<Later, Refusal> {
        let what = || format!("escalation {}", self.id);
        let longest = self.urgency.longest(ask.now, ask.next_round);
        let until = ask.until.unwrap_or(longest);
        if until <= ask.now {
            return Err(Refusal::invalid("escalation.later", what(), "that time has come already", "name a later one"));
        }
        if until > longest {
            let why = format!("it is {}: it is back by {longest} at the latest", self.urgency.as_str());
            return Err(Refusal::rule("escalation.later", what(), why, "name an earlier time, or hand it over"));
        }
        Ok(Later { until, by: ask.by })
    }

    /// Returns until when it is put off, and by whom; none once its time has come, or somebody took it since.
    pub fn later_at(&self, now: UtcTime) -> Option<&Later> {
        self.later.as_ref().filter(|later| later.until > now)
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
            EscalationEvent::EscalationTaken { by } => {
                self.owner = Some(by.clone());
                self.later = None;
            }
            EscalationEvent::EscalationHandedOver { to } => {
                self.owner.clone_from(to);
                self.later = None;
            }
            EscalationEvent::EscalationPutOff { later } => self.later = Some(later.clone()),
            EscalationEvent::EvidenceAdded { evidence } => self.evidence.push(evidence.clone()),
            EscalationEvent::EscalationResolved { end } => self.end = Some(end.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> UtcTime {
        text.parse().unwrap()
    }

    fn open(urgency: Urgency) -> Escalation {
        Escalation {
            id: EscalationId::new(time("2026-11-23T08:12:00Z"), [1; 10]),
            client: "qub".parse().unwrap(),
            subject: Subject::Account { account: "qub-bs".parse().unwrap() },
            rule: "account.login-lost".to_owned(),
            urgency,
            what: "the login is gone".to_owned(),
            evidence: Vec::new(),
            answers: Vec::new(),
            owner: None,
            opened: time("2026-11-23T08:12:00Z"),
            due: time("2026-11-23T10:12:00Z"),
            later: None,
            end: None,
        }
    }

    fn put_off(until: Option<&str>) -> EscalationCommand {
        EscalationCommand::PutOff(PutOff {
            by: "mia".to_owned(),
            until: until.map(time),
            now: time("2026-11-23T09:00:00Z"),
            next_round: time("2026-11-23T13:00:00Z"),
        })
    }

    fn after(mut escalation: Escalation, command: EscalationCommand) -> Result<Escalation, Refusal> {
        for event in escalation.decide(command)? {
            escalation.apply(&event);
        }
        Ok(escalation)
    }

    #[test]
    fn the_more_it_hurries_the_sooner_it_is_back() {
        for (urgency, back) in [
            (Urgency::Critical, "2026-11-23T09:30:00Z"),
            (Urgency::High, "2026-11-23T13:00:00Z"),
            (Urgency::Normal, "2026-11-23T13:00:00Z"),
        ] {
            let later = after(open(urgency), put_off(None)).unwrap().later.unwrap();
            assert_eq!((later.until, later.by.as_str()), (time(back), "mia"));
            assert_eq!(
                after(open(urgency), put_off(Some("2026-11-23T13:00:01Z"))).unwrap_err().rule,
                "escalation.later"
            );
            assert_eq!(
                after(open(urgency), put_off(Some("2026-11-23T09:00:00Z"))).unwrap_err().rule,
                "escalation.later"
            );
        }
    }

    #[test]
    fn what_was_put_off_is_back_when_its_time_comes_and_when_somebody_takes_it() {
        let put = after(open(Urgency::High), put_off(Some("2026-11-23T10:00:00Z"))).unwrap();
        assert!(put.later_at(time("2026-11-23T09:59:59Z")).is_some());
        assert!(put.later_at(time("2026-11-23T10:00:00Z")).is_none());
        let taken = after(put, EscalationCommand::Take { by: "jon".to_owned() }).unwrap();
        assert_eq!((taken.later, taken.owner.as_deref()), (None, Some("jon")));
    }

    #[test]
    fn it_is_handed_over_given_back_and_never_handed_to_who_has_it() {
        let to = |name: Option<&str>| EscalationCommand::HandOver { to: name.map(str::to_owned) };
        let handed = after(open(Urgency::High), to(Some("jon"))).unwrap();
        assert_eq!(handed.owner.as_deref(), Some("jon"));
        assert!(handed.decide(to(Some("jon"))).is_err());
        assert_eq!(after(handed, to(None)).unwrap().owner, None);
        assert!(open(Urgency::High).decide(to(None)).is_err());
    }
}
