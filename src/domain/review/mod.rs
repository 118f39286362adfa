//! Review (G): what an experiment was found to say, what could mislead, and what a person decided.
//!
//! Decides what a review holds and which of its two verdicts is in force: the one in which nobody has answered for the
//! warnings, or the one in which a person has. What could mislead is listed by `confounder`; what may be decided, by whom,
//! is `decision`'s. The verdicts themselves are `outcome`'s.
//!
//! Invariants: a verdict is kept with the digest of its evidence and the rules that made it; unknown is not no (X6); an
//! invalid experiment stays invalid, whatever is decided about it (R12).

mod confounder;
mod decision;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

pub use confounder::{Confounder, ConfounderFacts, Source, confounders};
pub use decision::{Answer, Ask, Choice, Decision};

use crate::actor::Actor;
use crate::hash::Digest;
use crate::outcome::{Outcome, OutcomeFacts, RULES, Say, Verdict, confirmed, digest, early, review};
use crate::refusal::Refusal;
use crate::time::UtcTime;

/// What an experiment was found to say, with all that this rests on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reviewed {
    /// When.
    pub at: UtcTime,
    /// The verdict while nobody has answered for the warnings.
    pub outcome: Outcome,
    /// The verdict once a person said of each warning that it explains nothing; `None` where there is no warning.
    pub confirmed: Option<Outcome>,
    /// It ended before its last reading: no post to come could have changed the verdict.
    pub early: bool,
    /// Of the posts, readings and neighbours that it was made from.
    pub evidence: Digest,
    /// The rules that made it.
    pub rules: String,
    /// What could mislead.
    pub confounders: Vec<Confounder>,
}

/// What a person says of something that could mislead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Signed {
    /// It explains what was seen.
    Confounds,
    /// It explains nothing.
    Clear,
    /// Nobody can tell; that is not a no.
    Unknown,
}

impl Signed {
    /// Returns the words that screens use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Confounds => "it confounds",
            Self::Clear => "no",
            Self::Unknown => "unknown",
        }
    }
}

/// A person's word about something that could mislead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signature {
    /// Of which, by its key.
    pub key: String,
    /// What they say.
    pub says: Signed,
    /// What they know of it.
    pub note: String,
    /// Who.
    pub by: Actor,
    /// When.
    pub at: UtcTime,
}

/// A review as it stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Review {
    /// What was found.
    pub made: Reviewed,
    /// The last word about each thing that could mislead.
    pub signatures: Vec<Signature>,
    /// What was decided.
    pub decision: Option<Decision>,
}

impl Reviewed {
    /// Makes a review of an experiment whose last reading is in, or whose verdict no post to come can change.
    ///
    /// Returns `None` while it may still come out well; refuses what has nothing to compare.
    pub fn make(
        facts: &OutcomeFacts<'_>,
        beside: &ConfounderFacts<'_>,
        last_reading: LastReading,
    ) -> Result<Option<Self>, Refusal> {
        let (outcome, is_early) = match last_reading {
            LastReading::In => (review(facts)?, false),
            LastReading::ToCome => match early(facts)? {
                Some(outcome) => (outcome, true),
                None => return Ok(None),
            },
        };
        let warned = outcome.comparable == Some(Verdict::Warn) && !is_early;
        let confirmed = if warned { Some(confirmed(facts)?) } else { None };
        let confounders = confounders(facts, beside, &outcome);
        Ok(Some(Self {
            at: facts.now,
            outcome,
            confirmed,
            early: is_early,
            evidence: digest(facts),
            rules: RULES.to_owned(),
            confounders,
        }))
    }

    /// Returns why it is invalid; `None` where it is not.
    pub fn invalid_because(&self) -> Option<String> {
        if self.outcome.say != Say::Invalid {
            return None;
        }
        let bare = |sentence: &str| {
            let said = sentence.strip_prefix("Not comparable: ").unwrap_or(sentence);
            said.strip_suffix(" Outcomes are informational only.").unwrap_or(said).trim_end_matches('.').to_owned()
        };
        Some(bare(&self.outcome.sentence))
    }
}

/// Whether the last reading of the last post is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LastReading {
    /// It is, or is given up.
    In,
    /// Posts or readings are to come.
    ToCome,
}

impl Review {
    /// Begins one: nothing is signed, nothing decided.
    pub fn new(made: Reviewed) -> Self {
        Self { made, signatures: Vec::new(), decision: None }
    }

    /// Returns the last word about something that could mislead.
    pub fn signature(&self, key: &str) -> Option<&Signature> {
        self.signatures.iter().find(|signature| signature.key == key)
    }

    /// Tells whether a person said of each thing that could mislead that it explains nothing.
    pub fn is_clear(&self) -> bool {
        self.made.confounders.iter().all(|it| self.signature(&it.key).is_some_and(|s| s.says == Signed::Clear))
    }

    /// Returns the verdict in force.
    pub fn outcome(&self) -> &Outcome {
        match &self.made.confirmed {
            Some(confirmed) if self.is_clear() => confirmed,
            Some(_) | None => &self.made.outcome,
        }
    }

    /// Takes a word, in place of an earlier one about the same.
    pub(crate) fn sign(&mut self, signature: Signature) {
        self.signatures.retain(|earlier| earlier.key != signature.key);
        self.signatures.push(signature);
    }

    /// Says what of the list keeps a winner from being shipped; nothing where all is signed as no.
    pub fn open(&self) -> Vec<String> {
        let said = |says: Option<Signed>| match says {
            None => "nobody has signed",
            Some(Signed::Confounds) => "it was signed that it confounds",
            Some(Signed::Unknown) => "it was signed as unknown, which is not a no",
            Some(Signed::Clear) => "no",
        };
        let open = self.made.confounders.iter().filter_map(|it| {
            let says = self.signature(&it.key).map(|signature| signature.says);
            (says != Some(Signed::Clear)).then(|| format!("{}: {}", it.key, said(says)))
        });
        open.collect()
    }
}
