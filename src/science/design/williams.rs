//! Williams designs: orders in which every variant follows every other one equally often.
//!
//! Decides the rows for posts that carry over into the next one (close in time, or a variable that tires). Whether a
//! brief may ask for them is decided in [`super::assign`]. Source: Williams 1949.

use super::{DesignError, check_variants};

/// Returns how many rows a design has: `variants` when that is even, twice as many when it is odd.
pub fn williams_rows(variants: usize) -> usize {
    if variants.is_multiple_of(2) { variants } else { 2 * variants }
}

/// Returns the design's rows; each holds every variant once, counted from 0.
///
/// First row 0, 1, k−1, 2, k−2, …; each next row adds one, modulo k. For odd k the rows read backwards follow.
///
/// # Errors
/// Names `variants` when there are fewer than 2 or too many.
pub fn williams(variants: usize) -> Result<Vec<Vec<usize>>, DesignError> {
    check_variants(variants)?;
    let first = (0..variants).map(|at| if at % 2 == 1 { at.div_ceil(2) } else { (variants - at / 2) % variants });
    let first: Vec<usize> = first.collect();
    let mut rows: Vec<Vec<usize>> =
        (0..variants).map(|shift| first.iter().map(|&letter| (letter + shift) % variants).collect()).collect();
    if williams_rows(variants) > variants {
        let mirror: Vec<Vec<usize>> = rows.iter().map(|row| row.iter().rev().copied().collect()).collect();
        rows.extend(mirror);
    }
    Ok(rows)
}

#[cfg(test)]
pub(super) mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// How often each ordered pair of neighbours stands in the rows.
    pub(in crate::design) fn neighbours(rows: &[Vec<usize>]) -> BTreeMap<(usize, usize), usize> {
        let mut pairs = BTreeMap::new();
        for pair in rows.iter().flat_map(|row| row.windows(2)) {
            *pairs.entry((pair[0], pair[1])).or_insert(0) += 1;
        }
        pairs
    }

    #[test]
    fn the_design_of_four_is_the_published_one() {
        assert_eq!(williams(4).unwrap(), [vec![0, 1, 3, 2], vec![1, 2, 0, 3], vec![2, 3, 1, 0], vec![3, 0, 2, 1]]);
    }

    #[test]
    fn every_ordered_pair_of_neighbours_stands_equally_often() {
        for variants in 2..=20 {
            let rows = williams(variants).unwrap();
            assert_eq!(rows.len(), williams_rows(variants));
            for row in &rows {
                let mut sorted = row.clone();
                sorted.sort_unstable();
                assert_eq!(sorted, (0..variants).collect::<Vec<_>>(), "every variant once in a row");
            }
            let pairs = neighbours(&rows);
            assert_eq!(pairs.len(), variants * (variants - 1));
            let each = if variants % 2 == 0 { 1 } else { 2 };
            assert!(pairs.values().all(|&count| count == each), "{variants}: {pairs:?}");
        }
    }

    #[test]
    fn one_variant_has_no_order() {
        assert!(williams(1).unwrap_err().to_string().contains("`variants` is 1"));
        assert!(williams(usize::MAX).is_err());
    }
}
