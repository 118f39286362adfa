//! Spread: when each of a fixed number of events happens, without a list of them.
//!
//! Decides how many of `total` events, each placed evenly over 0 to 1, lie at or before a point. The number on the left
//! half of an interval is drawn from a stream of that interval alone; so any two questions agree, whichever is asked
//! first, and a question costs twenty draws however many events there are.
//!
//! Invariant: the count grows with the point; it is 0 at 0 and the total at 1.

use super::chance::{half, whole};
use crate::draw::Draw;

/// How often an interval is halved; events inside the last one stand at equal distances.
const DEPTH: u32 = 20;

/// Events spread over 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Spread {
    seed: u64,
    /// Keeps several spreads of one seed apart.
    lane: u32,
    total: u64,
}

impl Spread {
    pub(super) const fn new(seed: u64, lane: u32, total: u64) -> Self {
        Self { seed, lane, total }
    }

    pub(super) const fn total(&self) -> u64 {
        self.total
    }

    /// Returns how many events lie at or before `point`.
    pub(super) fn until(&self, point: f64) -> u64 {
        if point >= 1.0 {
            return self.total;
        }
        if point.is_nan() || point <= 0.0 {
            return 0;
        }
        let (mut node, mut here, mut before) = (1_u32, self.total, 0);
        let mut place = point;
        for _ in 0..DEPTH {
            if here == 0 {
                return before;
            }
            let left = self.left(node, here);
            place *= 2.0;
            if place < 1.0 {
                (node, here) = (node * 2, left);
            } else {
                (node, here, before, place) = (node * 2 + 1, here - left, before + left, place - 1.0);
            }
        }
        before + whole(libm::floor(place * (here as f64 + 1.0))).min(here)
    }

    /// Returns where event number `n` lies, counted from 1; `None` if there are not so many.
    pub(super) fn place(&self, n: u64) -> Option<f64> {
        if n == 0 || n > self.total {
            return None;
        }
        let (mut node, mut here, mut n) = (1_u32, self.total, n);
        let (mut low, mut width) = (0.0, 1.0);
        for _ in 0..DEPTH {
            let left = self.left(node, here);
            width /= 2.0;
            if n <= left {
                (node, here) = (node * 2, left);
            } else {
                (node, here, n, low) = (node * 2 + 1, here - left, n - left, low + width);
            }
        }
        Some(low + width * n as f64 / (here as f64 + 1.0))
    }

    fn left(&self, node: u32, here: u64) -> u64 {
        half(&mut Draw::new(self.seed, u64::from(self.lane) << 32 | u64::from(node)), here)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn counts_grow_with_the_point_and_end_at_the_total(
            seed: u64,
            total in 0_u64..8_000,
            points in prop::collection::vec(0.0_f64..1.0, 2..10),
        ) {
            let spread = Spread::new(seed, 1, total);
            let mut points = points;
            points.sort_by(f64::total_cmp);
            let counts: Vec<u64> = points.iter().map(|point| spread.until(*point)).collect();
            prop_assert!(counts.is_sorted(), "{counts:?}");
            prop_assert!(counts.iter().all(|count| *count <= total));
            prop_assert_eq!((spread.until(0.0), spread.until(1.0), spread.until(f64::NAN)), (0, total, 0));
        }

        #[test]
        fn an_event_lies_where_the_count_reaches_its_number(seed: u64, total in 1_u64..5_000, at in 0.0_f64..1.0) {
            let spread = Spread::new(seed, 1, total);
            let n = whole(at * total as f64) + 1;
            let place = spread.place(n).unwrap();
            prop_assert!(spread.until(place + 1e-9) >= n);
            prop_assert!(spread.until(place - 1e-9) < n);
            prop_assert_eq!(spread.place(total + 1), None);
            prop_assert_eq!(spread.place(0), None);
        }
    }

    #[test]
    fn events_are_spread_evenly() {
        let halves: u64 = (0..400).map(|seed| Spread::new(seed, 1, 100).until(0.25)).sum();
        assert!((9_600..=10_400).contains(&halves), "{halves} of 40,000 in the first quarter");
    }
}
