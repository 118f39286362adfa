//! The shape of an outcome: what is told of an experiment, and in which words.
//!
//! What is not known is absent here; nothing is decided here.

use science::inference::Strength;
use science::validity::{Finding, Verdict};
use serde::{Deserialize, Serialize};

use crate::time::SnapshotAge;

/// What an experiment says, in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Say {
    /// Posts or readings are still to come.
    NotRipe,
    /// Nothing that the brief declared was read.
    NothingRead,
    /// The variants cannot be compared.
    Invalid,
    /// Too few comparable posts.
    NotEnoughPosts,
    /// A variant wins.
    Winner,
    /// The lead rests on posts that may have been held back.
    RestsOnSuspected,
    /// No variant wins.
    NoCall,
}

impl Say {
    /// Returns the words that screens use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotRipe => "not ripe",
            Self::NothingRead => "nothing read",
            Self::Invalid => "invalid",
            Self::NotEnoughPosts => "not enough posts",
            Self::Winner => "winner",
            Self::RestsOnSuspected => "rests on suspected posts",
            Self::NoCall => "no call",
        }
    }
}

/// One variant's posts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VariantCount {
    /// Its letter; A is the control.
    pub letter: char,
    /// In the plan.
    pub planned: usize,
    /// That are or were out.
    pub out: usize,
    /// Read at the declared age.
    pub read: usize,
    /// That may be compared; `None` before that can be told.
    pub comparable: Option<usize>,
}

/// One variant's readings of one proxy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Middle {
    /// Its letter.
    pub letter: char,
    /// Posts on which it was read.
    pub posts: usize,
    /// The median, in the metric's own unit; `None` where nothing was read.
    pub value: Option<f64>,
}

/// A test variant against the control on one proxy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ratio {
    /// The test variant.
    pub letter: char,
    /// Test over control; over 1 is better, whichever way the metric goes.
    pub ratio: f64,
    /// The end of the likely range; `None` where nothing is ruled out.
    pub low: Option<f64>,
    /// The other end.
    pub high: Option<f64>,
    /// How often shuffled labels give as much, upwards.
    pub p_up: f64,
    /// The same, either way.
    pub p_two: f64,
    /// It leads.
    pub leads: bool,
    /// It is worse.
    pub harmed: bool,
}

/// A declared proxy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProxyOutcome {
    /// The metric's name on the surface.
    pub metric: String,
    /// The same, in words.
    pub words: String,
    /// Its family, where the surface names it.
    pub family: Option<String>,
    /// Counted for each view.
    pub per_view: bool,
    /// The age at which it was declared.
    pub age: SnapshotAge,
    /// Why it takes no part; `None` where it does.
    pub aside: Option<String>,
    /// Readings by variant.
    pub middles: Vec<Middle>,
    /// Comparisons by test variant; empty where there is none.
    pub ratios: Vec<Ratio>,
}

/// A place in the ranking at the declared age.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ranked {
    /// Its letter.
    pub letter: char,
    /// How likely it is the best, 0 to 1.
    pub chance: f64,
    /// All proxies together over the control's; `None` for the control itself.
    pub overall: Option<f64>,
    /// What to expect of a repetition; `None` for the control itself.
    pub expected: Option<f64>,
    /// How often luck gives as much, adjusted for the number of test variants; `None` for the control itself.
    pub p: Option<f64>,
}

/// What an experiment says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// In a word.
    pub say: Say,
    /// In a sentence.
    pub sentence: String,
    /// The winner's letter; only where there is one.
    pub winner: Option<char>,
    /// The one age at which variants are compared.
    pub age: SnapshotAge,
    /// Whether the variants may be compared; `None` before that can be told.
    pub comparable: Option<Verdict>,
    /// Every check, with its number.
    pub checks: Vec<Finding>,
    /// Posts by variant.
    pub variants: Vec<VariantCount>,
    /// The declared proxies, the primary one first.
    pub proxies: Vec<ProxyOutcome>,
    /// Who is ahead, at the declared age; empty where that cannot be told.
    pub ranking: Vec<Ranked>,
    /// The word for how sure that is; `None` where there is nothing to be sure of.
    pub confidence: Option<Strength>,
    /// What is missing, or what would change it.
    pub would_change: Vec<String>,
    /// What a person can do about it now.
    pub next: String,
    /// The seed of the plan that the comparison repeats.
    pub seed: u64,
    /// Whether the draw could be repeated.
    pub draw_repeated: bool,
}
