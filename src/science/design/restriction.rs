//! The restriction: which whole assignments are fair enough between variants to be used at all.
//!
//! Decides whether one assignment is admissible, and how wide the limits have to be for a plan. The test must use the
//! same limits as the draw, hence they are recorded. Source: rerandomisation, Morgan and Rubin 2012.

use serde::{Deserialize, Serialize};

use super::slot::{Slot, check_slots};
use super::{DesignError, HourBand, SLACK, as_f64, check_variants};

/// From this many posts per variant on, assignments are restricted; with fewer there are too few to choose among.
pub const RESTRICTED_FROM: usize = 4;

/// How far apart any two variants may lie. A difference up to 1e-9 above a limit still passes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Limits {
    /// Total variation between the variants' hour bands, 0 to 1.
    pub bands: f64,
    /// Difference of mean slot positions, as a share of the number of slots, 0 to 1.
    pub positions: f64,
    /// Difference of mean forecasts, in log units; applies where the slots have forecasts.
    pub forecasts: f64,
}

impl Limits {
    /// The limits that every plan is first tried with. Chosen by simulation.
    pub const FIRST: Limits = Limits { bands: 0.4, positions: 0.2, forecasts: 0.25 };

    /// Returns the limits to try when too few assignments pass these ones.
    pub fn widened(self) -> Limits {
        const BY: f64 = 1.5;
        Limits { bands: self.bands * BY, positions: self.positions * BY, forecasts: self.forecasts * BY }
    }

    fn check(self) -> Result<(), DesignError> {
        for (argument, found) in
            [("limits.bands", self.bands), ("limits.positions", self.positions), ("limits.forecasts", self.forecasts)]
        {
            if found.is_nan() || found < 0.0 {
                return Err(DesignError::OutOfRange { argument, found, low: 0.0, high: f64::MAX });
            }
        }
        Ok(())
    }
}

/// Returns whether an assignment is admissible: between any two variants the hour bands, the mean positions and the mean
/// forecasts differ by no more than the limits.
///
/// `labels` holds the variant of each slot, counted from 0.
///
/// # Errors
/// Names the argument when the lengths differ, a label is no variant, a variant has no slot, a limit is no number of at
/// least 0, or the slots are not in order.
pub fn admissible(slots: &[Slot], labels: &[usize], variants: usize, limits: &Limits) -> Result<bool, DesignError> {
    check_variants(variants)?;
    check_slots(slots)?;
    limits.check()?;
    check_labels(labels, slots.len(), variants)?;
    Ok(is_admissible(slots, labels, variants, limits))
}

pub(super) fn check_labels(labels: &[usize], slots: usize, variants: usize) -> Result<(), DesignError> {
    if labels.len() != slots {
        return Err(DesignError::Length { argument: "labels", found: labels.len(), expected: slots });
    }
    if let Some(&found) = labels.iter().find(|&&label| label >= variants) {
        return Err(DesignError::UnknownVariant { argument: "labels", found, variants });
    }
    for variant in 0..variants {
        if !labels.contains(&variant) {
            return Err(DesignError::Unbalanced { argument: "labels", block: 0, variant, found: 0, expected: 1 });
        }
    }
    Ok(())
}

/// What is compared of one variant: sums over its slots.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    posts: f64,
    bands: [f64; HourBand::ALL.len()],
    positions: f64,
    forecasts: f64,
}

/// As [`admissible`], for input that was checked.
pub(super) fn is_admissible(slots: &[Slot], labels: &[usize], variants: usize, limits: &Limits) -> bool {
    let mut sums = vec![Sums::default(); variants];
    for (at, (slot, &label)) in slots.iter().zip(labels).enumerate() {
        let Some(sum) = sums.get_mut(label) else { return false };
        sum.posts += 1.0;
        for (count, band) in sum.bands.iter_mut().zip(HourBand::ALL) {
            *count += if slot.class.band == band { 1.0 } else { 0.0 };
        }
        sum.positions += as_f64(at);
        sum.forecasts += slot.forecast.unwrap_or(0.0);
    }
    let span = as_f64(slots.len());
    sums.iter().enumerate().all(|(at, left)| sums.iter().skip(at + 1).all(|right| near(left, right, span, limits)))
}

fn near(left: &Sums, right: &Sums, span: f64, limits: &Limits) -> bool {
    let apart = |left_sum: f64, right_sum: f64| (left_sum / left.posts - right_sum / right.posts).abs();
    let variation: f64 = left.bands.iter().zip(right.bands).map(|(&left, right)| apart(left, right)).sum::<f64>() / 2.0;
    variation <= limits.bands + SLACK
        && apart(left.positions, right.positions) / span <= limits.positions + SLACK
        && apart(left.forecasts, right.forecasts) <= limits.forecasts + SLACK
}

#[cfg(test)]
mod tests {
    use super::super::blocks::tests::slots;
    use super::*;

    fn check(bands: &str, labels: &[usize], variants: usize, expected: bool) {
        let found = admissible(&slots(bands), labels, variants, &Limits::FIRST);
        assert_eq!(found, Ok(expected), "{bands} {labels:?}");
    }

    #[test]
    fn bands_may_differ_by_two_fifths() {
        // Three of five mornings against two, then against one.
        check("memeemmeem", &[0, 1, 1, 0, 0, 1, 0, 1, 1, 0], 2, true);
        check("mememememe", &[0, 1, 0, 1, 1, 0, 0, 1, 0, 1], 2, false);
    }

    #[test]
    fn mean_positions_may_differ_by_a_fifth_of_the_slots() {
        check("mmmmmmmm", &[0, 1, 0, 1, 0, 1, 0, 1], 2, true);
        check("mmmmmmmm", &[0, 0, 0, 0, 1, 1, 1, 1], 2, false);
        // Exactly at the limit: means 3.5 and 5.5 of 10 slots.
        check("mmmmmmmmmm", &[0, 1, 0, 0, 1, 1, 0, 1, 0, 1], 2, true);
    }

    #[test]
    fn mean_forecasts_may_differ_by_a_quarter() {
        let mut forecast = slots("mmmm");
        for (slot, value) in forecast.iter_mut().zip([7.0, 7.0, 7.0, 7.5]) {
            slot.forecast = Some(value);
        }
        assert_eq!(admissible(&forecast, &[0, 1, 1, 0], 2, &Limits::FIRST), Ok(true));
        forecast[3].forecast = Some(7.6);
        assert_eq!(admissible(&forecast, &[0, 1, 1, 0], 2, &Limits::FIRST), Ok(false));
        assert_eq!(admissible(&forecast, &[0, 1, 1, 0], 2, &Limits::FIRST.widened()), Ok(true));
        forecast[0].forecast = None;
        assert_eq!(
            admissible(&forecast, &[0, 1, 1, 0], 2, &Limits::FIRST),
            Err(DesignError::ForecastMissing { at: 0 })
        );
        forecast[0].forecast = Some(f64::NAN);
        assert!(admissible(&forecast, &[0, 1, 1, 0], 2, &Limits::FIRST).is_err());
    }

    #[test]
    fn every_pair_of_variants_is_compared() {
        check("mmmmmm", &[1, 0, 2, 2, 0, 1], 3, true);
        check("mmmmmm", &[0, 1, 1, 0, 2, 2], 3, false);
    }

    #[test]
    fn impossible_labels_and_limits_are_named() {
        let refused = |labels: &[usize], limits| admissible(&slots("mm"), labels, 2, &limits).unwrap_err().to_string();
        assert!(refused(&[0], Limits::FIRST).contains("`labels` has 1 entries where 2"));
        assert!(refused(&[0, 2], Limits::FIRST).contains("`labels` names variant 2"));
        assert!(refused(&[0, 0], Limits::FIRST).contains("variant 1 0 times"));
        assert!(refused(&[0, 1], Limits { bands: f64::NAN, ..Limits::FIRST }).contains("`limits.bands`"));
        assert!(refused(&[0, 1], Limits { positions: -0.1, ..Limits::FIRST }).contains("`limits.positions`"));
    }
}
