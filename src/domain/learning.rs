//! Learnings: one searchable sentence in Memory for each experiment that was decided.
//!
//! Decides what a learning holds, which sentence the rules offer, what a person may make of it, until when it is held to
//! be true, and how one is retracted: with a reason, and kept. What taught nothing is remembered too (O2): *no call* and
//! *invalid* are as good to know as a winner. How one is found is the store's business.
//!
//! Invariant: a learning never says more than its outcome: no winner's word without a winner, no "no difference" without
//! "seen".

mod sentence;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

pub use sentence::{SENTENCE_MAX, check, offer};

use crate::actor::Actor;
use crate::aggregate::{Aggregate, StreamKind};
use crate::brief::SurfaceId;
use crate::experiment::Experiment;
use crate::id::{ClientId, ExperimentId, LearningId};
use crate::outcome::{Outcome, Say, Strength, Verdict};
use crate::refusal::Refusal;
use crate::review::Choice;
use crate::time::{Span, UtcTime};
use crate::variant::{Content, Facet, Variant};

/// How long a learning is held to be true: audiences and networks change, and half a year on it wants to be tested anew.
pub const HOLDS_FOR: Span = Span::days(183);

/// What a learning is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// Where.
    pub surface: SurfaceId,
    /// The facet that was under test.
    pub variable: Facet,
    /// What the control showed there, by its first round.
    pub control: String,
    /// What each test showed there, in the order of their letters.
    pub tests: Vec<String>,
}

/// Why a learning no longer counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retraction {
    /// Who.
    pub by: Actor,
    /// When.
    pub at: UtcTime,
    /// Why.
    pub reason: String,
}

/// A learning as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Learning {
    /// Its id.
    pub id: LearningId,
    /// For whom it holds; never pooled with another client's.
    pub client: ClientId,
    /// The experiment that taught it.
    pub experiment: ExperimentId,
    /// The name that people use for that one.
    pub code: String,
    /// What was learned.
    pub sentence: String,
    /// What the rules had offered, where a person changed it.
    pub offered: Option<String>,
    /// What it is about.
    pub about: About,
    /// What the experiment said, in a word.
    pub say: Say,
    /// How sure that is; `None` where there is nothing to be sure of.
    pub strength: Option<Strength>,
    /// Whether the variants could be compared; `None` where that could not be told.
    pub comparable: Option<Verdict>,
    /// Comparable posts, over all variants.
    pub posts: usize,
    /// What was decided.
    pub decided: Choice,
    /// Who gave it.
    pub by: Actor,
    /// When.
    pub at: UtcTime,
    /// Until when it is held to be true.
    pub expires: UtcTime,
    /// Why it no longer counts.
    pub retracted: Option<Retraction>,
}

/// What happened to a learning.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum LearningEvent {
    /// It was given.
    LearningGiven {
        /// As it is.
        learning: Box<Learning>,
    },
    /// It no longer counts.
    LearningRetracted {
        /// Who, and why.
        retraction: Retraction,
    },
}

/// What a learning is made from, beside its experiment.
#[derive(Debug, Clone, PartialEq)]
pub struct Given {
    /// Its id.
    pub id: LearningId,
    /// What a person made of the offered sentence; as offered where none.
    pub sentence: Option<String>,
    /// What was decided.
    pub decided: Choice,
    /// Who.
    pub by: Actor,
    /// When.
    pub at: UtcTime,
}

impl Learning {
    /// Makes the learning of a reviewed experiment.
    ///
    /// Refuses one that tests nothing or was not reviewed, and a sentence that says more than the outcome.
    pub fn of(experiment: &Experiment, given: Given) -> Result<Self, Refusal> {
        let what = || format!("experiment {}", experiment.code);
        let refuse = |why: &str| Refusal::rule("learning.nothing", what(), why, "decide one that was reviewed");
        let brief = experiment.brief.as_ref().ok_or_else(|| refuse("it tests nothing"))?;
        let review = experiment.review.as_ref().ok_or_else(|| refuse("it was not reviewed yet"))?;
        let outcome = review.outcome();
        let value = |variant: &Variant| value_of(variant, brief.variable_under_test);
        let mut values = experiment.variants.iter().map(value);
        let about = About {
            surface: brief.surface.clone(),
            variable: brief.variable_under_test,
            control: values.next().unwrap_or_default(),
            tests: values.collect(),
        };
        let offered = offer(&experiment.client, &about, outcome);
        let sentence = match given.sentence {
            Some(sentence) => check(&sentence, outcome)?,
            None => offered.clone(),
        };
        let changed = sentence != offered;
        Ok(Self {
            id: given.id,
            client: experiment.client.clone(),
            experiment: experiment.id,
            code: experiment.code.clone(),
            sentence,
            offered: changed.then_some(offered),
            about,
            say: outcome.say,
            strength: outcome.confidence,
            comparable: outcome.comparable,
            posts: outcome.variants.iter().filter_map(|count| count.comparable).sum(),
            decided: given.decided,
            by: given.by,
            at: given.at,
            expires: given.at.plus(HOLDS_FOR),
            retracted: None,
        })
    }

    /// Retracts it. It stays in the log, and is found by whoever asks for what was retracted.
    pub fn retract(&self, retraction: Retraction) -> Result<Vec<LearningEvent>, Refusal> {
        let what = || format!("learning {}", self.id);
        if let Some(done) = &self.retracted {
            return Err(Refusal::nothing(what(), format!("{} retracted it at {}", done.by, done.at)));
        }
        if retraction.reason.trim().is_empty() {
            let why = "retracting it needs a reason";
            return Err(Refusal::invalid("learning.reason", what(), why, "give one with --reason"));
        }
        Ok(vec![LearningEvent::LearningRetracted { retraction }])
    }

    /// Returns all words by which it is found.
    pub fn words(&self) -> String {
        let mut words = vec![
            self.sentence.as_str(),
            self.code.as_str(),
            self.client.as_str(),
            self.about.surface.0.as_str(),
            self.about.variable.as_str(),
            self.about.control.as_str(),
            self.say.as_str(),
        ];
        words.extend(self.about.tests.iter().map(String::as_str));
        words.extend(self.strength.map(Strength::as_str));
        words.join("\n")
    }

    /// Tells whether it is held to be true at a moment.
    pub fn holds_at(&self, now: UtcTime) -> bool {
        self.retracted.is_none() && now < self.expires
    }
}

/// What a variant shows in the facet under test, by its first round: the text, or the picture's description.
fn value_of(variant: &Variant, facet: Facet) -> String {
    let Some(content) = variant.rounds.first() else { return String::new() };
    let picture = |content: &Content| {
        content.assets.iter().find(|asset| asset.facet == facet).map(|asset| asset.alt.raw().to_owned())
    };
    let text = content.facets.get(&facet).map(|text| text.raw().to_owned());
    text.or_else(|| picture(content)).unwrap_or_default()
}

/// Returns the sentence that the rules offer for a reviewed experiment; `None` where there is nothing to learn from.
pub fn offered(experiment: &Experiment) -> Option<String> {
    let brief = experiment.brief.as_ref()?;
    let outcome: &Outcome = experiment.review.as_ref()?.outcome();
    let mut values = experiment.variants.iter().map(|variant| value_of(variant, brief.variable_under_test));
    let about = About {
        surface: brief.surface.clone(),
        variable: brief.variable_under_test,
        control: values.next().unwrap_or_default(),
        tests: values.collect(),
    };
    Some(offer(&experiment.client, &about, outcome))
}

impl Aggregate for Learning {
    type Event = LearningEvent;
    const KIND: StreamKind = StreamKind::Learning;

    fn begin(event: &LearningEvent) -> Option<Self> {
        if let LearningEvent::LearningGiven { learning } = event { Some((**learning).clone()) } else { None }
    }

    fn apply(&mut self, event: &LearningEvent) {
        match event {
            LearningEvent::LearningGiven { learning } => *self = (**learning).clone(),
            LearningEvent::LearningRetracted { retraction } => self.retracted = Some(retraction.clone()),
        }
    }
}
