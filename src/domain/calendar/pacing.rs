//! Pacing: how close two posts on one account may be, and how many a day.
//!
//! Decides from the account's record, in which posts in doubt, posts by hand and other experiments' posts count like any
//! other (I8). Quiet hours are `quiet`'s business. Times are UTC.
//!
//! Invariant: a plan that passes still passes after any of its posts is cancelled.

use serde::{Deserialize, Serialize};

use crate::refusal::Refusal;
use crate::time::{Span, UtcTime};

/// The limits of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PacingLimits {
    /// The least time between two posts.
    pub min_gap: Span,
    /// The most posts in any 24 hours.
    pub max_per_24h: u32,
}

/// Why a moment is too close.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PacingBreach {
    /// Another post is nearer than the gap.
    TooClose {
        /// The other post.
        neighbour: UtcTime,
        /// How far it is.
        distance: Span,
    },
    /// The day is full.
    DayFull {
        /// Posts in those 24 hours, this one not counted.
        count: u32,
    },
}

/// Checks one moment against the account's other posts.
pub fn pace(limits: PacingLimits, others: &[UtcTime], at: UtcTime) -> Result<(), PacingBreach> {
    let nearest = others.iter().map(|other| (at.distance(*other), *other)).min();
    if let Some((distance, neighbour)) = nearest
        && distance < limits.min_gap
    {
        return Err(PacingBreach::TooClose { neighbour, distance });
    }
    let count = fullest_day(others, at);
    if count >= limits.max_per_24h { Err(PacingBreach::DayFull { count }) } else { Ok(()) }
}

/// Returns the most other posts in any 24 hours that hold `at`.
fn fullest_day(others: &[UtcTime], at: UtcTime) -> u32 {
    let day = Span::hours(24);
    let starts = others.iter().copied().filter(|o| *o <= at && at.since(*o) < day).chain([at]);
    let count = |start: UtcTime| others.iter().filter(|o| start <= **o && o.since(start) < day).count();
    u32::try_from(starts.map(count).max().unwrap_or(0)).unwrap_or(u32::MAX)
}

impl PacingBreach {
    /// Words it as a refusal.
    pub fn refusal(&self, what: String, limits: PacingLimits) -> Refusal {
        match self {
            Self::TooClose { neighbour, distance } => Refusal::rule(
                "pacing.too-close",
                what,
                format!(
                    "another post of the account is {distance} away at {neighbour}; the least gap is {}",
                    limits.min_gap
                ),
                format!("use {} or later", neighbour.plus(limits.min_gap)),
            ),
            Self::DayFull { count } => Refusal::rule(
                "pacing.day-full",
                what,
                format!("{count} other posts are within 24 hours; the most is {}", limits.max_per_24h),
                "move it to another day, or ask an admin to raise `max_per_24h` in the client's policy",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(minutes: i64) -> UtcTime {
        UtcTime::from_micros(0).plus(Span::minutes(minutes))
    }

    const LIMITS: PacingLimits = PacingLimits { min_gap: Span::minutes(120), max_per_24h: 3 };

    #[test]
    fn the_gap_holds_on_both_sides_and_its_edge_is_free() {
        assert!(pace(LIMITS, &[at(0)], at(119)).is_err());
        assert!(pace(LIMITS, &[at(0)], at(120)).is_ok());
        assert!(pace(LIMITS, &[at(200)], at(100)).is_err());
        assert!(pace(LIMITS, &[at(0)], at(0)).is_err());
    }

    #[test]
    fn the_day_is_any_twenty_four_hours_not_a_date() {
        let others = [at(0), at(400), at(800)];
        assert!(matches!(pace(LIMITS, &others, at(1200)), Err(PacingBreach::DayFull { count: 3 })));
        assert!(pace(LIMITS, &others, at(1440)).is_ok());
        assert!(pace(LIMITS, &[at(-600), at(-300), at(300)], at(0)).is_err());
    }

    proptest! {
        #[test]
        fn a_plan_that_passes_still_passes_after_a_cancellation(mut times in proptest::collection::vec(0_i64..5000, 1..12), gone in 0_usize..12) {
            times.sort_unstable();
            let plan: Vec<UtcTime> = times.iter().map(|m| at(*m)).collect();
            let passes = |plan: &[UtcTime]| (0..plan.len()).all(|i| {
                let others: Vec<UtcTime> = plan.iter().enumerate().filter(|(j, _)| *j != i).map(|(_, t)| *t).collect();
                pace(LIMITS, &others, plan[i]).is_ok()
            });
            if passes(&plan) {
                let mut rest = plan.clone();
                rest.remove(gone % plan.len());
                prop_assert!(passes(&rest));
            }
        }

        #[test]
        fn the_count_of_a_day_agrees_with_trying_every_start(times in proptest::collection::vec(0_i64..4000, 0..10), moment in 0_i64..4000) {
            let others: Vec<UtcTime> = times.iter().map(|m| at(*m)).collect();
            let naive = (moment - 1439..=moment).map(|start| times.iter().filter(|t| start <= **t && **t < start + 1440).count()).max().unwrap();
            prop_assert_eq!(fullest_day(&others, at(moment)) as usize, naive);
        }
    }
}
