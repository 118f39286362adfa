//! Later: an item of the queue that a person put off until a time.
//!
//! Decides how far it may be put off: never to its first slot or past it, by then a word must have been given. It comes back
//! by itself, since nothing but the time makes it wait; any act on it ends the waiting at once.

use serde::{Deserialize, Serialize};

use super::{Experiment, ExperimentEvent, Stage};
use crate::refusal::Refusal;
use crate::time::UtcTime;

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
}

impl Experiment {
    /// Returns until when it is put off at a moment.
    pub fn later_at(&self, now: UtcTime) -> Option<&Later> {
        self.later.as_ref().filter(|later| later.until > now)
    }

    pub(super) fn put_off(&self, ask: PutOff) -> Result<Vec<ExperimentEvent>, Refusal> {
        let PutOff { later, now, first } = ask;
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
        if later.until >= first {
            return Err(Refusal::rule(
                "queue.later",
                self.what(),
                format!("its first slot is {first}, and it would be back at {}", later.until),
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
