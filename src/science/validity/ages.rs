//! Ages: when a reading still stands for the age it was meant for, and what a wrong age costs.

/// Growth of views with age: hours, and d ln views / d ln age there. From pooled curves of short videos.
const ELASTICITY: [(f64, f64); 6] = [(1.0, 0.75), (6.0, 0.60), (24.0, 0.35), (48.0, 0.15), (72.0, 0.08), (168.0, 0.01)];

/// Share of its final views that a post has at an age in hours.
const GROWTH: [(f64, f64); 6] = [(1.0, 0.11), (6.0, 0.40), (24.0, 0.79), (48.0, 0.93), (72.0, 0.975), (168.0, 1.0)];

/// Returns how far a reading may lie from the age it stands for, in hours.
pub fn tolerance_hours(nominal: f64) -> f64 {
    const TABLE: [(f64, f64); 6] = [(1.0, 0.25), (6.0, 0.75), (24.0, 2.0), (48.0, 4.0), (72.0, 4.0), (168.0, 12.0)];
    let known = TABLE.iter().find(|(age, _)| (age - nominal).abs() < 1e-6);
    known.map_or(0.1 * nominal, |(_, tolerance)| *tolerance)
}

/// Returns by what share views differ for a share of difference in age.
pub fn elasticity(hours: f64) -> f64 {
    along(&ELASTICITY, hours)
}

/// Returns how many times the views of one age a post has at a later one.
pub(super) fn growth(from: f64, until: f64) -> f64 {
    along(&GROWTH, until) / along(&GROWTH, from)
}

/// Reads a table at an age between its rows, straight in ln of age.
fn along(table: &[(f64, f64)], hours: f64) -> f64 {
    let ln = |hours: f64| libm::log(hours.max(1e-3));
    let (mut before, mut after) = (None, None);
    for row in table {
        if row.0 <= hours {
            before = Some(row);
        } else if after.is_none() {
            after = Some(row);
        }
    }
    match (before, after) {
        (Some((left, low)), Some((right, high))) => {
            low + (high - low) * (ln(hours) - ln(*left)) / (ln(*right) - ln(*left))
        }
        (Some((_, value)), None) | (None, Some((_, value))) => *value,
        (None, None) => 1.0,
    }
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn tables_are_read_at_their_rows_and_between() {
        assert_eq!((elasticity(24.0), elasticity(0.5), elasticity(900.0)), (0.35, 0.75, 0.01));
        assert!((0.15..0.35).contains(&elasticity(30.0)));
        assert!((growth(6.0, 24.0) - 0.79 / 0.40).abs() < 1e-12);
        assert_eq!((tolerance_hours(24.0), tolerance_hours(1.0)), (2.0, 0.25));
        assert!((tolerance_hours(12.0) - 1.2).abs() < 1e-12);
    }
}
