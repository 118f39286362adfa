//! Losses: whether one variant lost more of its posts than luck would take.
//!
//! Counts are fixed by the plan, so that a test of counts has no power; losses are what can differ.

use super::super::design::choose;

/// Most tables that are summed over.
const TABLES_MAX: f64 = 2_000_000.0;

/// Returns the exact p of a table of lost and kept posts by variant: the probability of tables at most as likely as this
/// one, its margins given. `None` where there are too many tables to sum over.
pub fn loss_table_exact(rows: &[(usize, usize)]) -> Option<f64> {
    let sizes: Vec<usize> = rows.iter().map(|(lost, kept)| lost + kept).collect();
    let total: usize = sizes.iter().sum();
    let lost: usize = rows.iter().map(|(lost, _)| lost).sum();
    let tables: f64 = sizes.iter().map(|size| crate::design::as_f64(size.min(&lost) + 1)).product();
    if tables > TABLES_MAX {
        return None;
    }
    let all = choose(total, lost);
    let chance = |size: usize, lost: usize| choose(size, lost);
    let observed: f64 = rows.iter().map(|(lost, kept)| chance(lost + kept, *lost)).product::<f64>() / all;
    // Ways to lose so many of the rows so far: how many are left to lose, and the product of chances.
    let mut partial = vec![(lost, 1.0)];
    let mut room = total;
    for size in sizes {
        room -= size;
        partial = partial
            .into_iter()
            .flat_map(|(left, weight)| {
                let least = left.saturating_sub(room);
                (least..=size.min(left)).map(move |taken| (left - taken, weight * chance(size, taken)))
            })
            .collect();
    }
    let likely = |weight: &f64| weight / all <= observed * (1.0 + 1e-7);
    let p: f64 = partial.iter().map(|(_, weight)| *weight).filter(likely).map(|weight| weight / all).sum();
    Some(p.min(1.0))
}

#[cfg(test)]
mod unit {
    use serde_json::Value;

    use super::*;

    #[test]
    fn loss_tables_agree_with_full_enumeration() {
        let vectors: Vec<Value> = serde_json::from_str(include_str!("../../../tests/oracles/science.json")).unwrap();
        let mut seen = 0;
        for vector in vectors.iter().filter(|vector| vector["method"] == "loss_table_exact") {
            let number = |row: &Value, name: &str| usize::try_from(row[name].as_u64().unwrap()).unwrap();
            let rows: Vec<(usize, usize)> = vector["input"]["rows"]
                .as_array()
                .unwrap()
                .iter()
                .map(|row| (number(row, "lost"), number(row, "kept")))
                .collect();
            let expected = vector["expect"]["p_value"].as_f64().unwrap();
            let found = loss_table_exact(&rows).unwrap();
            assert!((found - expected).abs() < 1e-9, "{found} is not {expected}");
            seen += 1;
        }
        assert_eq!(seen, 4);
    }

    #[test]
    fn no_loss_is_no_sign_and_too_many_tables_are_not_summed() {
        assert_eq!(loss_table_exact(&[(0, 5), (0, 5)]), Some(1.0));
        assert_eq!(loss_table_exact(&[(12, 13); 20]), None);
    }
}
