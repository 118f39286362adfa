//! The composite: several proxies judged as one.
//!
//! Decides the standardised mean of the declared proxies per post (O'Brien 1984). One post that went off can pull it only
//! so far: each proxy is clipped.

use super::{InferenceError, Trial};

/// A standardised proxy counts this far and no further.
pub const CLIP: f64 = 2.5;

/// The smallest spread that a proxy is taken to have, in log units.
pub const SCALE_FLOOR: f64 = 0.05;

/// MAD of a normal distribution, times this, is its standard deviation.
const MAD_TO_SD: f64 = 1.4826;

/// The composite of every post, and what one unit of it is worth.
#[derive(Debug, Clone, PartialEq)]
pub struct Composite {
    /// By slot; 0 for posts that are not comparable.
    pub scores: Vec<f64>,
    /// Composite units that a change of 1 in ln of every proxy is worth.
    pub per_log: f64,
}

/// Returns the median absolute deviation around the median, scaled to a standard deviation; 0 for no values.
pub fn robust_sd(values: &[f64]) -> f64 {
    let middle = median(values);
    let apart: Vec<f64> = values.iter().map(|value| (value - middle).abs()).collect();
    MAD_TO_SD * median(&apart)
}

/// Returns the median; 0 for no values.
pub(crate) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let half = sorted.len() / 2;
    let at = |at: usize| sorted.get(at).copied().unwrap_or(0.0);
    if sorted.len().is_multiple_of(2) { (at(half.wrapping_sub(1)) + at(half)) / 2.0 } else { at(half) }
}

/// Puts proxies together: each divided by its spread, its block's mean taken off, clipped, then averaged.
///
/// A proxy comes with the spread of the account's history, or without; then the experiment's own block-centred values
/// give one, which is the same whatever the labels.
///
/// # Errors
/// Names `proxies` when there is none, and a value of a comparable post that is not finite.
pub fn composite(trial: &Trial<'_>, proxies: &[(&[f64], Option<f64>)]) -> Result<Composite, InferenceError> {
    if proxies.is_empty() {
        return Err(InferenceError::Length { argument: "proxies", found: 0, expected: 1 });
    }
    let count = crate::design::as_f64(proxies.len());
    let mut scores = vec![0.0; trial.plan.labels.len()];
    let mut per_log = 0.0;
    for (values, history) in proxies {
        let centred = trial.centred("values", values)?;
        let scale = match history {
            Some(found) if !found.is_finite() || *found < 0.0 => {
                return Err(InferenceError::OutOfRange { argument: "scale", found: *found, low: 0.0, high: f64::MAX });
            }
            Some(found) => *found,
            None => {
                let own = centred.iter().zip(trial.comparable).filter(|(_, here)| **here).map(|(value, _)| *value);
                robust_sd(&own.collect::<Vec<f64>>())
            }
        }
        .max(SCALE_FLOOR);
        per_log += 1.0 / scale / count;
        for (score, value) in scores.iter_mut().zip(&centred) {
            *score += (value / scale).clamp(-CLIP, CLIP) / count;
        }
    }
    Ok(Composite { scores, per_log })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_and_spreads_are_the_known_ones() {
        assert_eq!((median(&[]), median(&[3.0]), median(&[4.0, 1.0]), median(&[9.0, 1.0, 2.0])), (0.0, 3.0, 2.5, 2.0));
        assert_eq!(robust_sd(&[]), 0.0);
        // Deviations from 3 are 2 1 0 1 97: one wild value moves nothing.
        assert_eq!(robust_sd(&[1.0, 2.0, 3.0, 4.0, 100.0]), MAD_TO_SD);
    }
}
