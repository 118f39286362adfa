//! Reports (J5): all that is known of a reviewed experiment, as one value that does not change while the log does not.
//!
//! Decides what a report holds. In which order and words it is read is `section`; how that becomes Markdown, `markdown`.
//! A face draws the sections for a terminal; programs read the value as JSON.
//!
//! Invariants: nothing unknown is told as 0; an invalid experiment has no winner and no order in it; the hash covers
//! everything else that the report says.

mod markdown;
mod section;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

pub use section::{Part, Section};

use crate::experiment::{Experiment, Lineage};
use crate::hash::{Digest, Framed};
use crate::id::{ClientId, ExperimentId};
use crate::learning::Learning;
use crate::outcome::{Outcome, Say};
use crate::post::{Post, PostState};
use crate::preflight::Severity;
use crate::refusal::Refusal;
use crate::review::{Confounder, Decision, Signature};
use crate::time::{Span, UtcTime, Zone};

/// The version of the value's shape.
const SCHEMA: u32 = 1;

/// What no report of ours can tell (P5).
pub const SAYS_NOTHING: &str = "This says nothing about sales.";

/// How reliably posts went out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reliability {
    /// Were due, those that a person cancelled apart.
    pub due: usize,
    /// Were read back by somebody who was not logged in, or were out and deleted since.
    pub verified: usize,
    /// Are out, and were never read back.
    pub unverified: usize,
    /// Failed.
    pub failed: usize,
    /// Missed their slot.
    pub missed: usize,
}

/// Something that could mislead, with the last word about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// What.
    pub confounder: Confounder,
    /// The last word; `None` where nobody signed.
    pub signature: Option<Signature>,
}

/// A report.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The version of this shape.
    pub schema: u32,
    /// Which experiment.
    pub experiment: ExperimentId,
    /// The name that people use.
    pub code: String,
    /// Whose.
    pub client: ClientId,
    /// Its zone, in which times are told.
    pub zone: Zone,
    /// Its name.
    pub name: String,
    /// What was to be learned.
    pub hypothesis: String,
    /// Where.
    pub surface: String,
    /// The facet under test.
    pub variable: String,
    /// What sort.
    pub kind: String,
    /// Where it is in its life.
    pub stage: String,
    /// All of it in a few sentences.
    pub summary: String,
    /// When it was reviewed.
    pub reviewed: UtcTime,
    /// It ended before its last reading.
    pub early: bool,
    /// What it says: the verdict in force.
    pub outcome: Outcome,
    /// How reliably its posts went out.
    pub reliability: Reliability,
    /// What could mislead, each with who signed it.
    pub confounders: Vec<Item>,
    /// What went otherwise than planned, a line each.
    pub deviations: Vec<String>,
    /// Warnings of the guards over which it was approved, a line each.
    pub waivers: Vec<String>,
    /// What was decided.
    pub decision: Option<Decision>,
    /// What was remembered of it.
    pub learnings: Vec<String>,
    /// The experiment that it came out of.
    pub parent: Option<Lineage>,
    /// What a person can do next.
    pub next: String,
    /// Of the evidence that the verdict was made from.
    pub evidence: Digest,
    /// The rules that made it.
    pub rules: String,
    /// What it cannot tell.
    pub says_nothing: String,
    /// Of all the above.
    pub hash: Digest,
}

/// What a report is made from.
#[derive(Debug, Clone, Copy)]
pub struct ReportFacts<'a> {
    /// The experiment.
    pub experiment: &'a Experiment,
    /// Its client's zone.
    pub zone: Zone,
    /// All its posts.
    pub posts: &'a [Post],
    /// What was remembered of it.
    pub learnings: &'a [Learning],
}

impl Report {
    /// Makes the report of an experiment; refuses one that was not reviewed.
    pub fn of(facts: &ReportFacts<'_>) -> Result<Self, Refusal> {
        let experiment = facts.experiment;
        let refuse = |why: String| {
            let mend = "wait until its last reading is in; until then see `expos outcome show`";
            Refusal::rule("report.too-early", format!("experiment {}", experiment.code), why, mend)
        };
        let (Some(brief), Some(review)) = (&experiment.brief, &experiment.review) else {
            return Err(refuse(format!("it is {}, and was not reviewed yet", experiment.stage)));
        };
        let outcome = review.outcome().clone();
        let item = |confounder: &Confounder| Item {
            signature: review.signature(&confounder.key).cloned(),
            confounder: confounder.clone(),
        };
        let standing = facts.learnings.iter().filter(|learning| learning.retracted.is_none());
        let next = next(experiment, &outcome);
        let mut report = Self {
            schema: SCHEMA,
            experiment: experiment.id,
            code: experiment.code.clone(),
            client: experiment.client.clone(),
            zone: facts.zone,
            name: brief.name.raw().to_owned(),
            hypothesis: brief.hypothesis.raw().to_owned(),
            surface: brief.surface.to_string(),
            variable: brief.variable_under_test.to_string(),
            kind: experiment.kind.as_str().to_owned(),
            stage: experiment.stage.word().to_owned(),
            summary: String::new(),
            reviewed: review.made.at,
            early: review.made.early,
            outcome,
            reliability: reliability(facts.posts),
            confounders: review.made.confounders.iter().map(item).collect(),
            deviations: deviations(facts, review.made.early),
            waivers: waivers(experiment),
            decision: review.decision.clone(),
            learnings: standing.map(|learning| learning.sentence.clone()).collect(),
            parent: experiment.parent.clone(),
            next,
            evidence: review.made.evidence,
            rules: review.made.rules.clone(),
            says_nothing: SAYS_NOTHING.to_owned(),
            hash: Digest::of(b""),
        };
        report.summary = report.summarise();
        report.hash = report.hash_of();
        Ok(report)
    }

    /// Returns the hash of all that it says.
    fn hash_of(&self) -> Digest {
        let bare = Self { hash: Digest::of(b""), ..self.clone() };
        // A value of ours is always written; were it not, its debug form tells the same.
        let said = serde_json::to_string(&bare).unwrap_or_else(|_| format!("{bare:?}"));
        Framed::new("expos.report.1").text(&said).digest()
    }

    /// Tells whether it is as it was made.
    pub fn is_whole(&self) -> bool {
        self.hash == self.hash_of()
    }

    fn summarise(&self) -> String {
        let counts: Vec<String> = self
            .outcome
            .variants
            .iter()
            .map(|count| {
                let compared = count.comparable.map_or_else(|| "n/a".to_owned(), |posts| posts.to_string());
                format!("{} {} planned, {} out, {compared} comparable", count.letter, count.planned, count.out)
            })
            .collect();
        let decided = self.decision.as_ref().map_or_else(
            || "Nothing is decided yet.".to_owned(),
            |decision| format!("{} decided to {}: {}.", decision.by, decision.choice.as_str(), bare(&decision.why)),
        );
        format!("{} {}. {decided} {}", self.outcome.sentence, counts.join("; "), self.says_nothing)
    }
}

fn bare(text: &str) -> &str {
    text.trim().trim_end_matches('.')
}

fn next(experiment: &Experiment, outcome: &Outcome) -> String {
    let decision = experiment.review.as_ref().and_then(|review| review.decision.as_ref());
    match decision.map(|decision| (&decision.child, decision.choice)) {
        Some((Some(child), _)) => format!("it goes on as {}", child.code),
        Some((None, _)) => "nothing: it is decided".to_owned(),
        None => outcome.next.clone(),
    }
}

fn reliability(posts: &[Post]) -> Reliability {
    let count = |chosen: fn(&PostState) -> bool| posts.iter().filter(|post| chosen(&post.state)).count();
    let cancelled = count(|state| matches!(state, PostState::Cancelled { .. }));
    Reliability {
        due: posts.len().saturating_sub(cancelled),
        verified: count(|state| matches!(state, PostState::Verified { .. } | PostState::Removed { .. })),
        unverified: count(|state| matches!(state, PostState::Published { .. })),
        failed: count(|state| matches!(state, PostState::Failed { .. })),
        missed: count(|state| matches!(state, PostState::Missed { .. })),
    }
}

/// A post that went out by more than this off its slot is told.
const OFF_SLOT: Span = Span::minutes(30);

fn deviations(facts: &ReportFacts<'_>, early: bool) -> Vec<String> {
    let mut found = Vec::new();
    if early {
        found.push("it ended before its last reading: no post to come could have changed the verdict".to_owned());
    }
    let planned = |post: &Post| {
        let plan = facts.experiment.plan.as_ref()?;
        plan.slots.iter().find(|slot| slot.number == post.number).map(|slot| slot.at)
    };
    for post in facts.posts {
        let name = format!("post {} ({})", post.number, post.letter);
        if let Some(at) = planned(post).filter(|at| *at != post.window.from) {
            let (from, to) = (at.short_in(facts.zone), post.window.from.short_in(facts.zone));
            found.push(format!("{name} was moved from {from} to {to}"));
        }
        match &post.state {
            PostState::Failed { why } => found.push(format!("{name} failed: {why}")),
            PostState::Missed { why, .. } => found.push(format!("{name} missed its slot: {why}")),
            PostState::Cancelled { by, reason } => found.push(format!("{name} was cancelled by {by}: {reason}")),
            PostState::Removed { at, .. } => {
                found.push(format!("{name} was found deleted at {}", at.short_in(facts.zone)));
            }
            PostState::Unconfirmed { .. } => found.push(format!("{name}: nobody can tell whether it is out")),
            PostState::Published { .. } => found.push(format!("{name} was never read back")),
            PostState::Verified { .. }
            | PostState::Planned { .. }
            | PostState::Preparing
            | PostState::Prepared { .. }
            | PostState::Committing
            | PostState::AwaitingOperator
            | PostState::Claimed { .. } => {}
        }
        if let Some(live) = post.live().filter(|live| live.at.distance(post.window.from) > OFF_SLOT) {
            found.push(format!("{name} went out {} from its slot", live.at.distance(post.window.from)));
        }
        if post.altered_to.is_some() {
            found.push(format!("{name} shows something else than was approved"));
        }
    }
    found
}

fn waivers(experiment: &Experiment) -> Vec<String> {
    let by: Vec<&str> = experiment.words.iter().map(|word| word.name.as_str()).collect();
    let by = if by.is_empty() { "by rule".to_owned() } else { format!("by {}", by.join(", ")) };
    let warned = experiment.findings.iter().filter(|finding| finding.severity == Severity::Warn);
    warned.map(|found| format!("{} {}: {}; approved {by}", found.guard, found.rule, found.why)).collect()
}

/// Tells whether the ranking of an outcome may be shown.
fn has_order(outcome: &Outcome) -> bool {
    outcome.say != Say::Invalid && !outcome.ranking.is_empty()
}
