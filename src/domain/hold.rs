//! Holds: what stops the agency, a client, an account or an experiment from sending.
//!
//! Decides what a hold says, by what name a person ends it and who may; that nothing goes out under one is decided at the
//! commit (I19). A resume names the holds that its person saw: one that came meanwhile stays.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::guardrail::Signal;
use crate::hash::Framed;
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
    /// Which guardrail was crossed, where it is a breach that says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signal: Option<Signal>,
}

impl Hold {
    /// Words a hold of a person, a store or a clock.
    pub fn new(cause: HoldCause, by: impl Into<String>, at: UtcTime, reason: impl Into<String>) -> Self {
        Self { cause, by: by.into(), at, reason: reason.into(), signal: None }
    }

    /// Words the hold of a crossed guardrail; the engine puts it.
    pub fn breach(signal: Signal, at: UtcTime, reason: impl Into<String>) -> Self {
        Self { cause: HoldCause::Breach, by: "engine".to_owned(), at, reason: reason.into(), signal: Some(signal) }
    }

    /// Returns the name by which a person ends it: made of what it says, so that it names nothing else.
    pub fn key(&self) -> HoldKey {
        let digest = Framed::new("expos.hold.1")
            .text(&format!("{:?} {:?}", self.cause, self.signal))
            .text(&self.by)
            .text(&self.at.to_string())
            .text(&self.reason)
            .digest();
        HoldKey(digest.short())
    }
}

/// The name of a hold, as lists show it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct HoldKey(String);

impl HoldKey {
    /// Takes a name as a person typed it.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Returns it as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for HoldKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a person asks of holds: to end those that they saw, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    /// Why.
    pub reason: String,
    /// The holds that they saw.
    pub holds: Vec<HoldKey>,
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

    /// Returns the names of all reasons.
    pub fn keys(&self) -> Vec<HoldKey> {
        self.0.iter().map(Hold::key).collect()
    }

    /// Returns the reasons of these names.
    pub fn named<'a>(&'a self, keys: &'a [HoldKey]) -> impl Iterator<Item = &'a Hold> {
        self.0.iter().filter(|hold| keys.contains(&hold.key()))
    }

    /// Tells whether a breach stands for this signal.
    pub fn has_signal(&self, signal: Signal) -> bool {
        self.0.iter().any(|hold| hold.signal == Some(signal))
    }

    /// Ends the reasons of these names; all of them where none is named, as logs of the first version say it.
    pub fn end(&mut self, keys: &[HoldKey]) {
        self.0.retain(|hold| !keys.is_empty() && !keys.contains(&hold.key()));
    }

    /// Returns which reasons a release ends: those of its names that still stand. Refused where it names none, where none
    /// of them stands any more, or where it says no why.
    pub fn check_release(&self, what: &str, release: &Release) -> Result<Vec<HoldKey>, Refusal> {
        if self.is_free() {
            return Err(Refusal::nothing(what, "it is not on hold"));
        }
        if release.reason.trim().is_empty() {
            return Err(Refusal::invalid("hold.reason", what, "a resume needs a reason", "give one with --reason"));
        }
        let standing = || self.0.iter().map(|h| format!("{}: {}", h.key(), h.reason)).collect::<Vec<_>>().join("; ");
        if release.holds.is_empty() {
            let why = "a resume names the holds that it ends";
            return Err(Refusal::invalid("hold.unnamed", what, why, format!("name what you saw of {}", standing())));
        }
        let ended: Vec<HoldKey> = self.named(&release.holds).map(Hold::key).collect();
        if ended.is_empty() {
            let why = format!("what you saw is over, and something else stops it now: {}", standing());
            return Err(Refusal::changed(what, why));
        }
        Ok(ended)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::refusal::RefusalKind;

    fn hold(seconds: i64, reason: &str) -> Hold {
        Hold::breach(Signal::PlatformWarning, UtcTime::from_micros(seconds * 1_000_000), reason)
    }

    fn holds(all: &[&Hold]) -> Holds {
        let mut holds = Holds::default();
        all.iter().for_each(|hold| holds.add((*hold).clone()));
        holds
    }

    fn release(keys: &[&Hold]) -> Release {
        Release { reason: "the notice was withdrawn".to_owned(), holds: keys.iter().map(|h| h.key()).collect() }
    }

    #[test]
    fn only_the_holds_that_were_seen_end() {
        let (seen, later) = (hold(1, "a warning"), hold(2, "another warning"));
        let mut holds = holds(&[&seen, &later]);
        let ended = holds.check_release("account a", &release(&[&seen])).unwrap();
        holds.end(&ended);
        assert_eq!(holds.list(), std::slice::from_ref(&later));
        let refusal = holds.check_release("account a", &release(&[&seen])).unwrap_err();
        assert_eq!(refusal.kind, RefusalKind::Changed, "{refusal}");
        assert!(refusal.why.contains("another warning"), "{refusal}");
        holds.end(&holds.check_release("account a", &release(&[&seen, &later])).unwrap());
        assert!(holds.is_free());
    }

    #[test]
    fn a_release_says_why_and_what() {
        let seen = hold(1, "a warning");
        let holds = holds(&[&seen]);
        let unnamed = Release { reason: "why not".to_owned(), holds: Vec::new() };
        assert_eq!(holds.check_release("x", &unnamed).unwrap_err().rule, "hold.unnamed");
        let blank = Release { reason: " ".to_owned(), ..release(&[&seen]) };
        assert_eq!(holds.check_release("x", &blank).unwrap_err().rule, "hold.reason");
        assert_eq!(Holds::default().check_release("x", &release(&[&seen])).unwrap_err().kind, RefusalKind::Nothing);
    }

    #[test]
    fn a_release_of_the_first_version_named_nothing_and_ended_all() {
        let mut holds = holds(&[&hold(1, "one"), &hold(2, "two")]);
        holds.end(&[]);
        assert!(holds.is_free());
    }

    #[test]
    fn two_holds_have_two_names() {
        let keys = [hold(1, "one").key(), hold(1, "two").key(), hold(2, "one").key()];
        assert!(keys[0] != keys[1] && keys[1] != keys[2] && keys[0] != keys[2], "{keys:?}");
    }
}
