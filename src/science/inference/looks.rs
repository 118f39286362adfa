//! Looks: evidence that may be read at every check-in without making false winners more likely.
//!
//! Decides the e-value of a test variant after every block (Ramdas, Grünwald, Vovk and Shafer 2023; Zampieri 2025). Under
//! no effect it is on average 1, whenever one looks. A fixed p read again and again is no such thing.

use serde::Serialize;

use super::{CONTROL, InferenceError, Trial};
use crate::design::as_f64;

/// The sizes of effect that evidence is gathered for, in composite units.
pub const THETAS: [f64; 2] = [0.5, 1.0];

/// Evidence needed to stop early for one test variant; times the number of test variants.
pub const EARLY_BAR: f64 = 100.0;

/// Most ways to label one block that are summed over.
const WAYS_MAX: f64 = 200_000.0;

/// The evidence that a test variant is better than the control.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Evidence {
    /// After each block, in order; an average over the sizes of effect.
    pub after_block: Vec<f64>,
    /// 1 over the largest of them, at most 1: a p that may be read at any time.
    pub p_anytime: f64,
}

impl Evidence {
    /// Returns the evidence so far; 1 before the first block, which is none.
    pub fn now(&self) -> f64 {
        self.after_block.last().copied().unwrap_or(1.0)
    }
}

/// Gathers the evidence for a test variant, block by block.
///
/// `scores` are the composite's. Only blocks that hold the control and the test variant add to it.
///
/// # Errors
/// Names the argument that is impossible, or a block with too many posts to sum over.
pub fn randomisation_evalue(
    trial: &Trial<'_>,
    test: usize,
    scores: &[f64],
    thetas: &[f64],
) -> Result<Evidence, InferenceError> {
    if thetas.is_empty() {
        return Err(InferenceError::Length { argument: "thetas", found: 0, expected: 1 });
    }
    if let Some(found) = thetas.iter().copied().find(|theta| !(*theta > 0.0 && *theta <= 10.0)) {
        return Err(InferenceError::OutOfRange { argument: "thetas", found, low: 0.0, high: 10.0 });
    }
    trial.set(test)?;
    let centred = trial.centred("scores", scores)?;
    let blocks = trial.plan.blocks.iter().max().map_or(0, |last| last + 1);
    let mut products = vec![1.0_f64; thetas.len()];
    let mut after_block = Vec::new();
    for block in 0..blocks {
        let mut movers = Vec::new();
        let (mut observed, mut tests) = (0.0, 0_usize);
        for (at, label) in trial.plan.labels.iter().enumerate() {
            let moves = trial.comparable.get(at) == Some(&true) && (*label == test || *label == CONTROL);
            if moves && trial.plan.blocks.get(at) == Some(&block) {
                let score = centred.get(at).copied().unwrap_or(0.0);
                observed += if *label == test { score } else { -score };
                tests += usize::from(*label == test);
                movers.push(score);
            }
        }
        let ways = crate::design::choose(movers.len(), tests);
        if ways > WAYS_MAX {
            return Err(InferenceError::OutOfRange { argument: "blocks", found: ways, low: 1.0, high: WAYS_MAX });
        }
        let sums = signed_sums(&movers, tests);
        for (product, theta) in products.iter_mut().zip(thetas) {
            // The difference of exponents, so that nothing overflows.
            let mean: f64 =
                sums.iter().map(|sum| libm::exp(theta * (sum - observed))).sum::<f64>() / as_f64(sums.len());
            *product = (*product / mean).min(f64::MAX);
        }
        after_block.push(products.iter().map(|product| product / as_f64(thetas.len())).sum::<f64>().min(f64::MAX));
    }
    let largest = after_block.iter().copied().fold(1.0, f64::max);
    Ok(Evidence { after_block, p_anytime: 1.0 / largest })
}

/// Every sum that results from giving a plus to `plus` of the values and a minus to the rest.
fn signed_sums(values: &[f64], plus: usize) -> Vec<f64> {
    let mut partial = vec![(0.0, plus)];
    for (at, value) in values.iter().enumerate() {
        let left = values.len() - at;
        partial = partial
            .into_iter()
            .flat_map(|(sum, plus)| {
                let with = (plus > 0).then(|| (sum + value, plus - 1));
                let without = (plus < left).then_some((sum - value, plus));
                with.into_iter().chain(without)
            })
            .collect();
    }
    partial.into_iter().map(|(sum, _)| sum).collect()
}
