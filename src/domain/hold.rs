//! Holds: what stops the agency, a client, an account or an experiment from sending.
//!
//! Decides what a hold says and who may end it; that nothing goes out under one is decided at the commit (I19).

use serde::{Deserialize, Serialize};

use crate::refusal::Refusal;
use crate::time::UtcTime;

/// Why sending is stopped; it decides who may resume.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HoldCause {
    /// A person asked.
    Operator,
    /// A guardrail was crossed.
    Breach,
    /// The store came back from a backup, or from another place.
    Restore,
    /// The clock jumped without a reason.
    Clock,
}

/// One reason not to send.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// What sort.
    pub cause: HoldCause,
    /// Who put it.
    pub by: String,
    /// Since when.
    pub at: UtcTime,
    /// Why, in words.
    pub reason: String,
}

/// All reasons not to send that stand over one thing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Holds(Vec<Hold>);

impl Holds {
    /// Returns the reasons, oldest first.
    pub fn list(&self) -> &[Hold] {
        &self.0
    }

    /// Tells whether nothing stops it.
    pub fn is_free(&self) -> bool {
        self.0.is_empty()
    }

    /// Tells whether a breach is among the reasons: an operator may not end it.
    pub fn has_breach(&self) -> bool {
        self.0.iter().any(|hold| hold.cause != HoldCause::Operator)
    }

    /// Adds a reason.
    pub fn add(&mut self, hold: Hold) {
        self.0.push(hold);
    }

    /// Ends all reasons.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Checks that there is something to end, and a reason to end it.
    pub fn check_release(&self, what: &str, reason: &str) -> Result<(), Refusal> {
        if self.is_free() {
            return Err(Refusal::nothing(what, "it is not on hold"));
        }
        if reason.trim().is_empty() {
            return Err(Refusal::invalid("hold.reason", what, "a resume needs a reason", "give one with --reason"));
        }
        Ok(())
    }
}
