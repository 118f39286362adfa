//! Holm's adjustment: several test variants, one level for all of them (Holm 1979).

/// Returns the p values adjusted for their number, in the order given.
pub fn holm(p_values: &[f64]) -> Vec<f64> {
    let mut order: Vec<(usize, f64)> = p_values.iter().copied().enumerate().collect();
    order.sort_by(|left, right| left.1.total_cmp(&right.1));
    let mut adjusted = vec![1.0; p_values.len()];
    let (mut left, mut highest) = (crate::design::as_f64(p_values.len()), 0.0_f64);
    for (at, p) in order {
        highest = highest.max((p * left).min(1.0));
        left -= 1.0;
        if let Some(slot) = adjusted.get_mut(at) {
            *slot = highest;
        }
    }
    adjusted
}
