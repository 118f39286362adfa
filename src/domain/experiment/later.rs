//! Later: an item of the queue that a person put off until a time.
//!
//! Decides how far it may be put off: it is back in time for a word and for making its first post ready. It comes back by
//! itself, since nothing but the time makes it wait. A word, a refusal, an edit, a plan that is made or withdrawn and words
//! that are lost end the waiting at once; so does a first slot that is moved so close that there would be no time.

use serde::{Deserialize, Serialize};

use super::{Experiment, ExperimentEvent, Stage};
use crate::refusal::Refusal;
use crate::time::{Span, UtcTime};

/// The time that a person has for their word once an item is back, beside what preparing takes.
const FOR_A_WORD: Span = Span::minutes(15);
/// The least time between an item's return and its first slot.
const LEAST: Span = Span::minutes(30);

/// Until when, and on whose word.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Later {
    /// It is back from then on.
    pub until: UtcTime,
    /// Who put it off.
    pub by: String,
}

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PutOff {
    /// Until when, and on whose word.
    pub later: Later,
    /// The present.
    pub now: UtcTime,
    /// The first slot that a word would cover.
    pub first: UtcTime,
    /// How long before its slot a post is made ready, by the client's policy.
    pub prepare_lead: Span,
}

/// Returns until when an item must be back whose first slot and client's lead are these.
fn back_by(first: UtcTime, prepare_lead: Span) -> UtcTime {
    first.minus(prepare_lead).minus(FOR_A_WORD).min(first.minus(LEAST))
}

impl Experiment {
    /// Returns until when it is put off at a moment.
    pub fn later_at(&self, now: UtcTime) -> Option<&Later> {
        self.later.as_ref().filter(|later| later.until > now)
    }

    /// Returns until when it is put off at a moment, where that leaves time before the first slot that it has now.
    pub fn later_before(&self, now: UtcTime, first: Option<UtcTime>, prepare_lead: Span) -> Option<&Later> {
        let in_time = |later: &&Later| first.is_none_or(|first| later.until <= back_by(first, prepare_lead));
        self.later_at(now).filter(in_time)
    }

    pub(super) fn put_off(&self, ask: PutOff) -> Result<Vec<ExperimentEvent>, Refusal> {
        let PutOff { later, now, first, prepare_lead } = ask;
        if !matches!(self.stage, Stage::AwaitingApproval | Stage::Running) {
            return Err(self.wrong_stage("queue.later", "awaiting approval"));
        }
        if later.until <= now {
            return Err(Refusal::invalid(
                "queue.later.past",
                self.what(),
                format!("{} is over", later.until),
                "give a time that is still to come",
            ));
        }
        let back_by = back_by(first, prepare_lead);
        if later.until > back_by {
            let why = format!(
                "its first slot is {first}; to be decided and made ready it must be back at {back_by}, and would be at {}",
                later.until
            );
            return Err(Refusal::rule(
                "queue.later",
                self.what(),
                why,
                "decide it now, put it off for less, or move its slots with `expos calendar move`",
            ));
        }
        if self.later_at(now).is_some_and(|present| present.until == later.until) {
            return Err(Refusal::nothing(self.what(), format!("it is put off until {} already", later.until)));
        }
        Ok(vec![ExperimentEvent::ExperimentPutOff { later }])
    }

    pub(super) fn take_up(&self, now: UtcTime) -> Result<Vec<ExperimentEvent>, Refusal> {
        match self.later_at(now) {
            Some(_) => Ok(vec![ExperimentEvent::ExperimentTakenUp]),
            None => Err(Refusal::nothing(self.what(), "it is not put off")),
        }
    }
}
