//! Inference: what the values of an experiment's posts say about its variants, and how sure one may be.
//!
//! Decides by the way the labels were drawn and by nothing else: a comparison asks how often the recorded draw would have
//! given as much by luck. Which posts may be compared is settled before (`validity`); a person decides afterwards.
//!
//! Invariants: values are on the log scale and finite; the reference set is the plan's own; a winner is named by
//! [`judge`] alone.

mod composite;
mod confidence;
mod contrast;
mod holm;
mod looks;
mod proxy;
mod spread;
mod winner;
mod words;

pub(crate) use composite::median;
pub use composite::{CLIP, Composite, SCALE_FLOOR, composite, robust_sd};
pub use confidence::{Arms, NOTE_PRIOR, Prior, Strength, gaussian_arms, leader_right_of_100};
pub use contrast::{Contrast, DRAWS, contrast_randomisation};
pub use holm::holm;
pub use looks::{EARLY_BAR, Evidence, THETAS, randomisation_evalue};
pub use proxy::{Direction, Measure, Raw, log_values};
pub use spread::{Sort, usual_composite_sd};
pub use winner::{
    Call, Judgement, NEEDED, NoCall, ProxyStanding, ProxyValues, RatioRange, Rule, Standing, Trusted, WinnerInput,
    judge,
};
pub use words::{SizeSentence, letter, noticeable, one_in, percent, sentence, times};

use crate::design::{Assignment, Attainability, DesignError, ReferenceSet, Slot};

/// Why a comparison cannot be computed: which argument, what it was, what would do.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum InferenceError {
    #[error(transparent)]
    Design(#[from] DesignError),
    #[error("`{argument}` at {at} (counted from 0) is no finite number; leave out what was not read")]
    NotFinite { argument: &'static str, at: usize },
    #[error("`{argument}` at {at} (counted from 0) is {found}; counts and shares are 0 or more")]
    Negative { argument: &'static str, at: usize, found: f64 },
    #[error("`{argument}` has {found} entries where {expected} are needed")]
    Length { argument: &'static str, found: usize, expected: usize },
    #[error("`{argument}` is {found}; give a number from {low} to {high}")]
    OutOfRange { argument: &'static str, found: f64, low: f64, high: f64 },
    #[error("variant {variant} has no comparable post; there is nothing to compare")]
    NoPosts { variant: usize },
    #[error(
        "hardly any assignment of the comparable posts keeps the plan's limits; nothing can be drawn to compare with"
    )]
    NothingAdmissible,
}

/// An experiment as it was drawn, and which of its posts may be compared.
#[derive(Debug, Clone, Copy)]
pub struct Trial<'a> {
    pub plan: &'a Assignment,
    /// In time order, one for each label of the plan.
    pub slots: &'a [Slot],
    /// The first is the control.
    pub variants: usize,
    /// By slot.
    pub comparable: &'a [bool],
}

/// The variant that the others are compared with.
pub const CONTROL: usize = 0;

impl<'a> Trial<'a> {
    /// Returns the same experiment with other posts to compare.
    #[must_use]
    pub fn among(self, comparable: &'a [bool]) -> Self {
        Self { comparable, ..self }
    }

    /// Returns how many comparable posts a variant has.
    pub fn posts(&self, variant: usize) -> usize {
        self.plan.labels.iter().zip(self.comparable).filter(|(label, here)| **label == variant && **here).count()
    }

    /// Tells whether any data could name this test variant the winner, and the smallest p that there is.
    ///
    /// # Errors
    /// Names the argument that is impossible, or the variant without a comparable post.
    pub fn attainability(&self, test: usize, alpha: f64) -> Result<Attainability, InferenceError> {
        Ok(self.set(test)?.attainability(alpha)?)
    }

    fn set(&self, test: usize) -> Result<ReferenceSet<'a>, InferenceError> {
        for variant in [CONTROL, test] {
            if self.posts(variant) == 0 {
                return Err(InferenceError::NoPosts { variant });
            }
        }
        Ok(ReferenceSet::new(self.plan, self.slots, self.variants, (CONTROL, test), self.comparable)?)
    }

    /// Takes from each value the mean of its block, over the comparable posts of all variants; other posts are 0.
    fn centred(&self, argument: &'static str, values: &[f64]) -> Result<Vec<f64>, InferenceError> {
        let expected = self.plan.labels.len();
        for (argument, found) in [(argument, values.len()), ("comparable", self.comparable.len())] {
            if found != expected {
                return Err(InferenceError::Length { argument, found, expected });
            }
        }
        let blocks = self.plan.blocks.iter().max().map_or(0, |last| last + 1);
        let mut sums = vec![(0.0, 0.0); blocks];
        for (at, ((value, here), block)) in values.iter().zip(self.comparable).zip(&self.plan.blocks).enumerate() {
            if *here {
                if !value.is_finite() {
                    return Err(InferenceError::NotFinite { argument, at });
                }
                if let Some((sum, count)) = sums.get_mut(*block) {
                    *sum += value;
                    *count += 1.0;
                }
            }
        }
        let mean = |block: &usize| sums.get(*block).map_or(0.0, |(sum, count)| sum / count);
        let each = values.iter().zip(self.comparable).zip(&self.plan.blocks);
        Ok(each.map(|((value, here), block)| if *here { value - mean(block) } else { 0.0 }).collect())
    }
}

/// Returns which posts can be compared when only some are fit for it: a block that no longer holds every variant is out
/// as a whole.
pub fn whole_blocks(blocks: &[usize], labels: &[usize], variants: usize, fit: &[bool]) -> Vec<bool> {
    let held = |block: usize, variant: usize| {
        blocks.iter().zip(labels).zip(fit).any(|((b, label), fit)| *b == block && *label == variant && *fit)
    };
    let count = blocks.iter().max().map_or(0, |last| last + 1);
    let whole: Vec<bool> = (0..count).map(|block| (0..variants).all(|variant| held(block, variant))).collect();
    blocks.iter().zip(fit).map(|(block, fit)| *fit && whole.get(*block) == Some(&true)).collect()
}

#[cfg(test)]
pub(crate) mod fixtures;
#[cfg(test)]
mod oracle;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod verdicts;
