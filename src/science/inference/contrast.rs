//! The test: how often the recorded draw would have put a variant as far ahead by luck.
//!
//! Decides p values and an interval for one test variant against the control. Exact where the reference set can be listed,
//! else by seeded draws from it. Exact under "the variant makes no difference to any post", whatever the distribution,
//! trend or slots (Fisher 1935; Imbens and Rubin 2015).

use serde::Serialize;

use super::{CONTROL, InferenceError, Trial};
use crate::design::{Counting, ReferenceSet, as_f64};
use crate::draw::Draw;

/// Draws of a set too large to list; with the observed assignment, 20,000.
pub const DRAWS: u32 = 19_999;

/// Candidates tried for one draw before a set counts as empty.
const TRIES_PER_DRAW: u32 = 2_000;

/// Differences up to this count as none.
const TIE: f64 = 1e-9;

/// The stream of a comparison's draws; the variant is added, so that each has its own.
const STREAM: u64 = 0x6578_706f_7301;

/// A test variant against the control, in the units of the values.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Contrast {
    /// Mean of the test variant's block-centred values less the control's.
    pub statistic: f64,
    /// Share of assignments with at least this statistic.
    pub p_up: f64,
    /// Share of assignments with at most this statistic.
    pub p_down: f64,
    /// Share of assignments at least as far from nothing, either way.
    pub p_two: f64,
    /// The shift that explains the statistic.
    pub estimate: f64,
    /// Smallest shift that is not ruled out; `None` where the set is too small to rule any out.
    pub low: Option<f64>,
    /// Largest shift that is not ruled out.
    pub high: Option<f64>,
    /// Assignments compared, the observed one among them.
    pub assignments: u32,
    /// Whether those are all there are.
    pub counting: Counting,
}

/// Compares a test variant with the control on one set of values, higher being better.
///
/// `tail_each` is the level of each side of the interval; `seed` feeds the draws where the set is too large to list.
///
/// # Errors
/// Names the argument that is impossible, or the variant without a comparable post.
pub fn contrast_randomisation(
    trial: &Trial<'_>,
    test: usize,
    values: &[f64],
    tail_each: f64,
    seed: u64,
) -> Result<Contrast, InferenceError> {
    if !(tail_each > 0.0 && tail_each < 0.5) {
        return Err(InferenceError::OutOfRange { argument: "tail_each", found: tail_each, low: 0.0, high: 0.5 });
    }
    let set = trial.set(test)?;
    let values = trial.centred("values", values)?;
    let marks: Vec<f64> = trial.plan.labels.iter().map(|label| if *label == test { 1.0 } else { 0.0 }).collect();
    let marks = trial.centred("labels", &marks)?;
    let pair = |labels: &[usize]| (difference(trial, labels, test, &values), difference(trial, labels, test, &marks));
    let observed = pair(&trial.plan.labels);
    let mut all = Vec::new();
    let counting = match set.for_each(|labels| all.push(pair(labels))) {
        Some(_) => Counting::Exact,
        None => {
            draw(&set, seed, test, |labels| all.push(pair(labels)))?;
            all.push(observed);
            Counting::Estimated
        }
    };
    Ok(summary(observed, &all, tail_each, counting))
}

fn difference(trial: &Trial<'_>, labels: &[usize], test: usize, values: &[f64]) -> f64 {
    let (mut ahead, mut tests, mut behind, mut controls) = (0.0, 0.0, 0.0, 0.0);
    for ((label, value), here) in labels.iter().zip(values).zip(trial.comparable) {
        if *here && *label == test {
            ahead += value;
            tests += 1.0;
        } else if *here && *label == CONTROL {
            behind += value;
            controls += 1.0;
        }
    }
    ahead / tests - behind / controls
}

fn draw(set: &ReferenceSet<'_>, seed: u64, test: usize, mut visit: impl FnMut(&[usize])) -> Result<(), InferenceError> {
    let mut stream = Draw::new(seed, STREAM.wrapping_add(u64::try_from(test).unwrap_or(0)));
    for _ in 0..DRAWS {
        let mut tries = 0;
        let labels = loop {
            let labels = set.shuffled(&mut stream);
            if set.holds(&labels) {
                break labels;
            }
            tries += 1;
            if tries == TRIES_PER_DRAW {
                return Err(InferenceError::NothingAdmissible);
            }
        };
        visit(&labels);
    }
    Ok(())
}

fn summary(observed: (f64, f64), all: &[(f64, f64)], tail_each: f64, counting: Counting) -> Contrast {
    let (statistic, mark) = observed;
    let size = as_f64(all.len());
    let share = |holds: &dyn Fn(f64) -> bool| as_f64(all.iter().filter(|(other, _)| holds(*other)).count()) / size;
    let mut shifts: Vec<f64> = all
        .iter()
        .filter(|(_, other)| *other < mark - TIE)
        .map(|(value, other)| (statistic - value) / (mark - other))
        .collect();
    shifts.sort_by(f64::total_cmp);
    // How many shifts may be ruled out on each side, less the assignments that rule out none.
    let ties = all.len() - shifts.len();
    let cut = whole_part(tail_each * size + TIE).checked_sub(ties);
    let low = cut.and_then(|cut| shifts.get(cut).copied());
    let high = cut.and_then(|cut| shifts.iter().rev().nth(cut).copied());
    Contrast {
        statistic,
        p_up: share(&|other| other >= statistic - TIE),
        p_down: share(&|other| other <= statistic + TIE),
        p_two: share(&|other| other.abs() >= statistic.abs() - TIE),
        estimate: if mark.abs() > TIE { statistic / mark } else { statistic },
        low,
        high,
        assignments: u32::try_from(all.len()).unwrap_or(u32::MAX),
        counting,
    }
}

/// The whole part of a count of assignments, which is small and not negative.
fn whole_part(number: f64) -> usize {
    let mut whole = 0;
    while as_f64(whole + 1) <= number {
        whole += 1;
    }
    whole
}
