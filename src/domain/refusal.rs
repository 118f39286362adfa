//! Refusals: a rule says no, and says what would be accepted.
//!
//! Decides the shape of every "no" in the program. Wording for a screen or a pipe is the face's; failures of the
//! world (network, disk) are no refusals and have types of their own where they happen.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Who must act on a refusal, and which exit code the command line gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusalKind {
    /// A rule of the agency or the program forbids it now (exit 3).
    Rule,
    /// No such thing, or none that this person may see (exit 4).
    NotFound,
    /// This person's role or clients do not allow it (exit 5).
    NotAllowed,
    /// What was looked at has changed since (exit 6).
    Changed,
    /// What was given is not well-formed (exit 8).
    Invalid,
    /// It is so already (exit 9).
    Nothing,
}

/// What was refused, why, and what would be accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// Who must act.
    pub kind: RefusalKind,
    /// The rule's name, stable for scripts: `pacing.too-close`.
    pub rule: String,
    /// What was refused.
    pub what: String,
    /// Why, with the numbers.
    pub why: String,
    /// What would be accepted; an order one can carry out.
    pub mend: String,
}

impl Refusal {
    /// Makes a refusal of any kind.
    pub fn new(
        kind: RefusalKind,
        rule: &str,
        what: impl Into<String>,
        why: impl Into<String>,
        mend: impl Into<String>,
    ) -> Self {
        Self { kind, rule: rule.to_owned(), what: what.into(), why: why.into(), mend: mend.into() }
    }

    /// A rule forbids it now.
    pub fn rule(rule: &str, what: impl Into<String>, why: impl Into<String>, mend: impl Into<String>) -> Self {
        Self::new(RefusalKind::Rule, rule, what, why, mend)
    }

    /// What was given is not well-formed.
    pub fn invalid(rule: &str, what: impl Into<String>, why: impl Into<String>, mend: impl Into<String>) -> Self {
        Self::new(RefusalKind::Invalid, rule, what, why, mend)
    }

    /// No such thing.
    pub fn not_found(noun: &str, name: &str) -> Self {
        let name: String = name.chars().take(64).collect();
        Self::new(
            RefusalKind::NotFound,
            "not-found",
            format!("{noun} {name}"),
            format!("there is no {noun} `{name}`"),
            format!("list them with `expos {noun} list`"),
        )
    }

    /// A text that is the beginning of more than one name.
    pub fn ambiguous(noun: &str, name: &str) -> Self {
        let name: String = name.chars().take(64).collect();
        Self::new(
            RefusalKind::NotFound,
            "ambiguous",
            format!("{noun} {name}"),
            format!("more than one {noun} begins with `{name}`"),
            format!("give more of it; list them with `expos {noun} list`"),
        )
    }

    /// What was looked at has changed since.
    pub fn changed(what: impl Into<String>, why: impl Into<String>) -> Self {
        Self::new(
            RefusalKind::Changed,
            "changed",
            what,
            why,
            "look at it again, then repeat the command with the new fingerprint",
        )
    }

    /// It is so already.
    pub fn nothing(what: impl Into<String>, why: impl Into<String>) -> Self {
        Self::new(RefusalKind::Nothing, "nothing-to-do", what, why, "nothing needs doing")
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}; {}", self.what, self.why, self.mend)
    }
}

impl std::error::Error for Refusal {}
