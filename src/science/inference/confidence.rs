//! Confidence: how likely a variant is to be the best one, said in fixed words.
//!
//! Decides the posterior of each arm under a prior that expects small differences, and the word for a probability. These
//! are notes beside the rule, never a way around it: the prior is what makes them true as often as they say.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::InferenceError;
use crate::design::as_f64;

/// What is believed before any post: normal values of unknown spread, arms that differ little.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Prior {
    /// The prior counts as much as so many posts of the pooled mean.
    pub kappa: f64,
    /// Shape of the variance.
    pub a: f64,
    /// Scale of the variance.
    pub b: f64,
}

/// For notes on an experiment: typical effects are 13 to 15 %.
pub const NOTE_PRIOR: Prior = Prior { kappa: 8.0, a: 3.0, b: 1.5 };

/// What is believed of each arm afterwards: Student's t, independent.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Arms {
    pub mean: Vec<f64>,
    pub scale: Vec<f64>,
    pub df: f64,
    pub probability_best: Vec<f64>,
    /// What is given up on average by taking this arm.
    pub expected_loss: Vec<f64>,
}

/// Panels of the grid that the posteriors are integrated on.
const PANELS: usize = 6_000;

/// The grid reaches so many scales beyond the outermost means; with 6 degrees of freedom 1e-9 lies beyond.
const REACH: f64 = 80.0;

/// Weighs the arms.
///
/// # Errors
/// Names `rewards` when there are fewer than two arms, one without a value or a value that is not finite, and `prior` when
/// it is none.
pub fn gaussian_arms(rewards: &[Vec<f64>], prior: Prior) -> Result<Arms, InferenceError> {
    if rewards.len() < 2 {
        return Err(InferenceError::Length { argument: "rewards", found: rewards.len(), expected: 2 });
    }
    for found in [prior.kappa, prior.a, prior.b] {
        if !(found > 0.0 && found.is_finite()) {
            return Err(InferenceError::OutOfRange { argument: "prior", found, low: 0.0, high: f64::MAX });
        }
    }
    for (variant, arm) in rewards.iter().enumerate() {
        if arm.is_empty() {
            return Err(InferenceError::NoPosts { variant });
        }
        if let Some(at) = arm.iter().position(|value| !value.is_finite()) {
            return Err(InferenceError::NotFinite { argument: "rewards", at });
        }
    }
    let total: usize = rewards.iter().map(Vec::len).sum();
    let pooled = rewards.iter().flatten().sum::<f64>() / as_f64(total);
    let means: Vec<f64> = rewards.iter().map(|arm| arm.iter().sum::<f64>() / as_f64(arm.len())).collect();
    let squares: f64 = rewards
        .iter()
        .zip(&means)
        .map(|(arm, mean)| arm.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>())
        .sum();
    let df = 2.0 * prior.a + as_f64(total.saturating_sub(rewards.len()));
    let variance = (2.0 * prior.b + squares) / df;
    let weights: Vec<f64> = rewards.iter().map(|arm| prior.kappa + as_f64(arm.len())).collect();
    let mean: Vec<f64> = rewards
        .iter()
        .zip(&means)
        .zip(&weights)
        .map(|((arm, mean), weight)| (prior.kappa * pooled + as_f64(arm.len()) * mean) / weight)
        .collect();
    let scale: Vec<f64> = weights.iter().map(|weight| (variance / weight).sqrt()).collect();
    let (probability_best, expected_loss) = compare(&mean, &scale, df);
    Ok(Arms { mean, scale, df, probability_best, expected_loss })
}

/// One grid over all posteriors, densities divided by their own integrals.
fn compare(mean: &[f64], scale: &[f64], df: f64) -> (Vec<f64>, Vec<f64>) {
    let widest = scale.iter().copied().fold(0.0, f64::max);
    let low = mean.iter().copied().fold(f64::INFINITY, f64::min) - REACH * widest;
    let high = mean.iter().copied().fold(f64::NEG_INFINITY, f64::max) + REACH * widest;
    // Dense in the middle, where the posteriors are: x = centre + half · u³ for u from −1 to 1.
    let (centre, half) = ((low + high) / 2.0, (high - low) / 2.0);
    let grid: Vec<f64> = (0..=PANELS)
        .map(|at| {
            let u = 2.0 * as_f64(at) / as_f64(PANELS) - 1.0;
            centre + half * u * u * u
        })
        .collect();
    let below: Vec<Vec<f64>> =
        mean.iter().zip(scale).map(|(mean, scale)| cumulated(&grid, *mean, *scale, df)).collect();
    let mut best = vec![0.0; mean.len()];
    let mut top = 0.0;
    for at in 1..grid.len() {
        let ends = |arm: &Vec<f64>| (arm.get(at - 1).copied().unwrap_or(0.0), arm.get(at).copied().unwrap_or(0.0));
        let (mut all_before, mut all_after) = (1.0, 1.0);
        for arm in &below {
            let (before, after) = ends(arm);
            all_before *= before;
            all_after *= after;
        }
        for (arm, share) in best.iter_mut().enumerate() {
            let (mut others_before, mut others_after, mut mass) = (1.0, 1.0, 0.0);
            for (other, cumulated) in below.iter().enumerate() {
                let (before, after) = ends(cumulated);
                if other == arm {
                    mass = after - before;
                } else {
                    others_before *= before;
                    others_after *= after;
                }
            }
            *share += mass * (others_before + others_after) / 2.0;
        }
        let middle = (grid.get(at - 1).copied().unwrap_or(0.0) + grid.get(at).copied().unwrap_or(0.0)) / 2.0;
        top += middle * (all_after - all_before);
    }
    let loss = mean.iter().map(|mean| (top - mean).max(0.0)).collect();
    (best, loss)
}

fn cumulated(grid: &[f64], mean: f64, scale: f64, df: f64) -> Vec<f64> {
    let density = |x: f64| {
        let t = (x - mean) / scale;
        libm::exp(-(df + 1.0) / 2.0 * libm::log1p(t * t / df))
    };
    let mut sum = 0.0;
    let mut below = Vec::with_capacity(grid.len());
    let mut before: Option<(f64, f64)> = None;
    for x in grid {
        let here = density(*x);
        if let Some((last, height)) = before {
            // Simpson's rule on each panel.
            sum += (x - last) / 6.0 * (height + 4.0 * density((x + last) / 2.0) + here);
        }
        below.push(sum);
        before = Some((*x, here));
    }
    below.iter().map(|part| part / sum).collect()
}

/// The word for how likely a variant is to be the best.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Strength {
    NoSign,
    Hint,
    FairlyLikely,
    VeryLikely,
}

impl Strength {
    /// Returns the word for a probability; with too few posts for a winner it is never more than a hint.
    pub fn of(probability: f64, enough: bool) -> Self {
        let found = if probability < 0.70 {
            Self::NoSign
        } else if probability < 0.85 {
            Self::Hint
        } else if probability < 0.95 {
            Self::FairlyLikely
        } else {
            Self::VeryLikely
        };
        if enough { found } else { found.min(Self::Hint) }
    }

    /// Returns the words that screens use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoSign => "no sign",
            Self::Hint => "hint",
            Self::FairlyLikely => "fairly likely",
            Self::VeryLikely => "very likely",
        }
    }
}

impl fmt::Display for Strength {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Returns of how many in 100 small experiments, with so many posts a variant, the leader is the truly better one.
///
/// By simulation, with true log effects drawn at a standard deviation of 0.15; 50 is a coin.
pub const fn leader_right_of_100(posts: usize) -> u32 {
    match posts {
        0 => 50,
        1 => 63,
        2 => 66,
        3 => 68,
        4 => 71,
        5..=9 => 73,
        _ => 79,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_follow_the_probability_and_stop_at_hint_below_the_number_needed() {
        for (probability, word, small) in [
            (0.5, "no sign", "no sign"),
            (0.699, "no sign", "no sign"),
            (0.70, "hint", "hint"),
            (0.85, "fairly likely", "hint"),
            (0.95, "very likely", "hint"),
        ] {
            assert_eq!(Strength::of(probability, true).as_str(), word, "{probability}");
            assert_eq!(Strength::of(probability, false).as_str(), small, "{probability}");
        }
    }

    #[test]
    fn chances_add_up_and_the_better_arm_costs_less() {
        let arms = gaussian_arms(&[vec![0.0, 0.1, -0.2], vec![0.5, 0.4], vec![0.1]], NOTE_PRIOR).unwrap();
        assert!((arms.probability_best.iter().sum::<f64>() - 1.0).abs() < 1e-6, "{arms:?}");
        assert!(arms.expected_loss[1] < arms.expected_loss[0]);
    }

    #[test]
    fn impossible_arms_are_named() {
        let refused = |arms: &[Vec<f64>], prior| gaussian_arms(arms, prior).unwrap_err().to_string();
        assert!(refused(&[vec![1.0]], NOTE_PRIOR).contains("`rewards`"));
        assert!(refused(&[vec![1.0], vec![]], NOTE_PRIOR).contains("variant 1 has no comparable post"));
        assert!(refused(&[vec![1.0], vec![f64::NAN]], NOTE_PRIOR).contains("`rewards`"));
        assert!(refused(&[vec![1.0], vec![1.0]], Prior { kappa: 0.0, ..NOTE_PRIOR }).contains("`prior`"));
    }
}
