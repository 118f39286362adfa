//! Validity: whether the variants of an experiment got comparable chances, so that their numbers may be compared at all.
//!
//! Decides eighteen checks, each with its number and a sentence, and which posts may be compared. An invalid experiment
//! names no winner, ever; a warning needs a person's word. Posts that merely did badly stay in: dropping them would itself
//! bias the result. What the numbers say is `inference`.
//!
//! Invariant: a check that cannot tell says so; it never passes for want of data.

mod ages;
mod delivery;
mod loss;
mod reach;
mod reads;
#[cfg(test)]
mod tests;

use std::fmt;

pub use ages::{elasticity, tolerance_hours};
pub use loss::loss_table_exact;
use serde::{Deserialize, Serialize};

use crate::design::SlotClass;
use crate::inference::whole_blocks;

/// What is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Check {
    Assignment,
    Publish,
    Lateness,
    Slots,
    Age,
    Missing,
    Zero,
    Frozen,
    Decreasing,
    Impossible,
    Era,
    Metadata,
    Interference,
    ThrottlePost,
    ThrottleAccount,
    ThrottleVariant,
    Attrition,
    Allocation,
}

impl Check {
    /// Returns what its number counts, in the words that screens use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Assignment => "wrong variant",
            Self::Publish => "not published",
            Self::Lateness => "minutes off slot",
            Self::Slots => "hours apart",
            Self::Age => "cost of ages",
            Self::Missing => "metrics missing",
            Self::Zero => "false zeros",
            Self::Frozen => "stopped counters",
            Self::Decreasing => "fall of a counter",
            Self::Impossible => "impossible numbers",
            Self::Era => "definitions changed",
            Self::Metadata => "not as approved",
            Self::Interference => "disturbed posts",
            Self::ThrottlePost => "posts held back",
            Self::ThrottleAccount => "account held back",
            Self::ThrottleVariant => "variant held back",
            Self::Attrition => "losses apart",
            Self::Allocation => "off the plan",
        }
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a check says; the worst of them is the experiment's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Ok,
    /// It cannot be told.
    Unavailable,
    /// A winner needs a person's word that this does not explain it.
    Warn,
    /// Nothing can be compared.
    Invalid,
}

impl Verdict {
    /// Returns the word that screens use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Unavailable => "cannot tell",
            Self::Warn => "warning",
            Self::Invalid => "invalid",
        }
    }
}

/// One check's result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    pub check: Check,
    pub verdict: Verdict,
    /// The check's number, in the unit that its sentence names; `None` where there is none.
    pub statistic: Option<f64>,
    /// The posts concerned, by slot.
    pub posts: Vec<usize>,
    pub sentence: String,
}

impl Finding {
    fn new(check: Check, verdict: Verdict, statistic: f64, posts: Vec<usize>, sentence: String) -> Self {
        let statistic = statistic.is_finite().then_some(statistic);
        Self { check, verdict, statistic, posts, sentence }
    }

    fn unavailable(check: Check, sentence: &str) -> Self {
        Self { check, verdict: Verdict::Unavailable, statistic: None, posts: Vec::new(), sentence: sentence.to_owned() }
    }
}

/// What became of a planned post.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivered {
    /// Out, and read back.
    Verified,
    /// Out, and not read back.
    Unverified,
    /// Out, and taken away since.
    Removed,
    /// Never out, or nobody can tell.
    Not,
}

impl Delivered {
    fn is_out(self) -> bool {
        match self {
            Self::Verified | Self::Unverified | Self::Removed => true,
            Self::Not => false,
        }
    }
}

/// What went out against what was approved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Record {
    Same,
    Differs,
    Absent,
}

/// One reading of a post's metrics.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Read {
    /// The age it stands for, hours.
    pub nominal: f64,
    /// The age at which it was taken, hours since publication.
    pub actual: f64,
    pub views: Option<f64>,
    pub comments: Option<f64>,
    /// The watched part of a video; 1 is all of it.
    pub watched: Option<f64>,
    /// The declared proxies, in order.
    pub proxies: Vec<Option<f64>>,
    /// Everything that can only rise, in an order of its own.
    pub counters: Vec<Option<f64>>,
}

/// One planned post, in time order of the slots.
#[derive(Debug, Clone, PartialEq)]
pub struct PostFacts {
    pub block: usize,
    /// The variant that was drawn for the slot.
    pub planned: usize,
    /// The variant that went out; `None` where it is not known.
    pub posted: Option<usize>,
    pub delivered: Delivered,
    pub planned_class: SlotClass,
    /// Where it went out, by the client's clock.
    pub class: Option<SlotClass>,
    /// Minutes after its slot; negative is early.
    pub late: Option<f64>,
    pub record: Record,
    /// It was edited or taken away after it was out.
    pub changed: bool,
    /// Money was put behind it; `None` where it is not known.
    pub boosted: Option<bool>,
    /// Another post of the account, or of another experiment in its layer, stands too close.
    pub crowded: bool,
    /// The platform told that it held the post back.
    pub noticed: bool,
    /// Views at 24 h against the forecast, in the forecast's spread.
    pub reach_z: Option<f64>,
    /// Engagement for each view against the account's history, in its spread.
    pub rate_z: Option<f64>,
    /// Expected ln of views in its slot.
    pub forecast: Option<f64>,
    /// The span of equal definitions in which it was published; `None` where none is known.
    pub era: Option<u32>,
    /// A definition changed between its publication and its decision reading.
    pub era_crossed: bool,
    /// By nominal age.
    pub reads: Vec<Read>,
}

/// What is checked: all planned posts, how many variants, and the age at which they are compared.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    pub posts: &'a [PostFacts],
    pub variants: usize,
    /// Hours.
    pub decision: f64,
}

impl Facts<'_> {
    /// Returns the reading that stands for the decision age, in tolerance or not.
    fn decision_read<'p>(&self, post: &'p PostFacts) -> Option<&'p Read> {
        let same = |read: &&Read| (read.nominal - self.decision).abs() < 1e-6;
        let apart = |read: &&Read| (read.actual - self.decision).abs();
        post.reads.iter().filter(same).min_by(|left, right| apart(left).total_cmp(&apart(right)))
    }

    fn indices(&self, chosen: impl Fn(&PostFacts) -> bool) -> Vec<usize> {
        self.posts.iter().enumerate().filter(|(_, post)| chosen(post)).map(|(at, _)| at).collect()
    }

    fn out(&self) -> usize {
        self.posts.iter().filter(|post| post.delivered.is_out()).count()
    }

    /// Says how many of each variant's posts are among some: `A 2, B 0`.
    fn by_variant(&self, posts: &[usize]) -> String {
        let count = |variant: usize| {
            posts.iter().filter(|at| self.posts.get(**at).is_some_and(|post| post.planned == variant)).count()
        };
        let each =
            (0..self.variants).map(|variant| format!("{} {}", crate::inference::letter(variant), count(variant)));
        each.collect::<Vec<String>>().join(", ")
    }
}

/// Whether an experiment's numbers may be compared, and which posts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Validity {
    pub verdict: Verdict,
    /// In the order of [`Check`].
    pub findings: Vec<Finding>,
    /// By slot: fit, and its block holds every variant.
    pub comparable: Vec<bool>,
    /// By slot: the platform may have held it back, though it did not say so.
    pub suspected: Vec<bool>,
}

/// Checks an experiment whose posts are settled and read.
pub fn evaluate(facts: &Facts<'_>) -> Validity {
    let mut flagged = vec![false; facts.posts.len()];
    let mut findings = Vec::new();
    for (finding, flags) in delivery::checks(facts).into_iter().chain(reads::checks(facts)) {
        for at in flags {
            if let Some(flag) = flagged.get_mut(at) {
                *flag = true;
            }
        }
        findings.push(finding);
    }
    let (throttled, noticed, suspected) = reach::checks(facts);
    findings.extend(throttled);
    for at in noticed {
        if let Some(flag) = flagged.get_mut(at) {
            *flag = true;
        }
    }
    findings.push(delivery::attrition(facts, &flagged));
    findings.push(reach::allocation());
    findings.sort_by_key(|finding| finding.check);
    let blocks: Vec<usize> = facts.posts.iter().map(|post| post.block).collect();
    let labels: Vec<usize> = facts.posts.iter().map(|post| post.planned).collect();
    let fit: Vec<bool> = flagged.iter().map(|flag| !flag).collect();
    let comparable = whole_blocks(&blocks, &labels, facts.variants, &fit);
    let worst = findings.iter().map(|finding| finding.verdict).filter(|verdict| *verdict != Verdict::Unavailable).max();
    Validity { verdict: worst.unwrap_or(Verdict::Unavailable), findings, comparable, suspected }
}

/// A check that passes, warns or forbids by the share of posts concerned.
fn by_share(found: usize, of: usize) -> Verdict {
    // More than a quarter.
    if found == 0 {
        Verdict::Ok
    } else if 4 * found > of {
        Verdict::Invalid
    } else {
        Verdict::Warn
    }
}
