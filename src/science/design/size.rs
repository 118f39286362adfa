//! Size: whether a design could name a winner at all, and how small an effect it would notice.
//!
//! Decides both from the design alone; they are shown before launch and never computed after. What a brief should do
//! about a design that is too small is said by whoever shows it.

use serde::Serialize;

use super::{DesignError, POSTS_MAX, as_f64, check_variants};
use crate::special::{t_upper, t_upper_even};

/// How an assignment count was come by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Counting {
    Exact,
    /// From the admissible share of a sample.
    Estimated,
}

/// Whether one test variant could ever be called better than the control.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Attainability {
    /// Assignments of the labels of control and test variant; at least 1.
    pub assignments: f64,
    pub counting: Counting,
    /// The p of the most extreme of them: 1 / `assignments`.
    pub smallest_p: f64,
    /// Whether `smallest_p`, times the number of test variants, is at most alpha. If not, no data can name a winner.
    pub reachable: bool,
}

impl Attainability {
    pub(super) fn new(assignments: f64, counting: Counting, variants: usize, alpha: f64) -> Result<Self, DesignError> {
        check_within("alpha", alpha, ALPHA)?;
        let smallest_p = assignments.recip();
        let reachable = smallest_p * as_f64(variants - 1) <= alpha;
        Ok(Self { assignments, counting, smallest_p, reachable })
    }
}

/// Returns the smallest p that comparing one test variant with the control can give, without restriction.
///
/// `block_sizes` counts the slots of each block, all variants together. With a drawn plan at hand,
/// [`super::ReferenceSet::attainability`] counts what its restriction leaves.
///
/// # Errors
/// Names the argument when there are too few or many variants, a block is no positive multiple of them, or `alpha` is no
/// level.
pub fn smallest_p(block_sizes: &[usize], variants: usize, alpha: f64) -> Result<Attainability, DesignError> {
    check_variants(variants)?;
    let mut posts = 0_usize;
    for (block, &size) in block_sizes.iter().enumerate() {
        if size == 0 || !size.is_multiple_of(variants) {
            let expected = size / variants + 1;
            let (variant, found) = (variants - 1, size / variants);
            return Err(DesignError::Unbalanced { argument: "block_sizes", block, variant, found, expected });
        }
        posts = posts.saturating_add(size);
    }
    if posts == 0 || posts > POSTS_MAX {
        return Err(DesignError::count("block_sizes", posts, variants, POSTS_MAX));
    }
    let assignments = block_sizes.iter().map(|size| choose(2 * (size / variants), size / variants)).product();
    Attainability::new(assignments, Counting::Exact, variants, alpha)
}

/// Returns the number of ways to choose `chosen` of `of`; exact below 2⁵³, and finite up to [`POSTS_MAX`].
pub(crate) fn choose(of: usize, chosen: usize) -> f64 {
    (1..=chosen).fold(1.0, |ways, at| ways * as_f64(of - chosen + at) / as_f64(at))
}

/// What the smallest noticeable effect depends on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PowerInput {
    pub posts_per_variant: usize,
    pub variants: usize,
    /// Standard deviation of the account's history of the metric: of its ln, after the forecast.
    pub sd_log: f64,
    /// One-sided level of the whole experiment; divided among the test variants.
    pub alpha: f64,
    /// Chance of noticing the effect.
    pub power: f64,
}

/// The smallest effect that a design notices with the power asked for.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct MinimumDetectable {
    /// In standard deviations.
    pub effect_size: f64,
    /// Test over control: 1.35 means 35 % better.
    pub ratio: f64,
}

const ALPHA: (f64, f64) = (0.001, 0.5);
const POWER: (f64, f64) = (0.5, 0.999);
const SD_LOG: (f64, f64) = (0.001, 10.0);

/// Returns the ratio that is noticed with the given power: exp(d·σ), d from the one-sided two-sample t power equation.
///
/// Exact for normal values of equal spread; a guide for the randomisation test that is really used.
///
/// # Errors
/// Names the argument that is out of range; `sd_log` also when the ratio is beyond all numbers.
pub fn minimum_detectable_ratio(input: &PowerInput) -> Result<MinimumDetectable, DesignError> {
    check_variants(input.variants)?;
    let posts_max = POSTS_MAX / input.variants;
    if !(2..=posts_max).contains(&input.posts_per_variant) {
        return Err(DesignError::count("posts_per_variant", input.posts_per_variant, 2, posts_max));
    }
    check_within("alpha", input.alpha, ALPHA)?;
    check_within("power", input.power, POWER)?;
    check_within("sd_log", input.sd_log, SD_LOG)?;
    let posts = as_f64(input.posts_per_variant);
    let df = u32::try_from(2 * input.posts_per_variant - 2).unwrap_or(u32::MAX);
    let level = input.alpha / as_f64(input.variants - 1);
    let critical = falls_to(|t| t_upper_even(t, df), level);
    // Missing the effect becomes rarer as it grows.
    let effect_size =
        falls_to(|d| 1.0 - t_upper(critical, f64::from(df), d * libm::sqrt(posts / 2.0)), 1.0 - input.power);
    let ratio = libm::exp(effect_size * input.sd_log);
    if !ratio.is_finite() {
        let high = 700.0 / effect_size;
        return Err(DesignError::OutOfRange { argument: "sd_log", found: input.sd_log, low: SD_LOG.0, high });
    }
    Ok(MinimumDetectable { effect_size, ratio })
}

/// Returns where a falling function of a positive number comes down to `value`, by halving; to the last bits of f64.
fn falls_to(function: impl Fn(f64) -> f64, value: f64) -> f64 {
    const HALVINGS: u32 = 64;
    const DOUBLINGS: u32 = 40;
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..DOUBLINGS {
        if function(high) <= value {
            break;
        }
        low = high;
        high *= 2.0;
    }
    for _ in 0..HALVINGS {
        let middle = (low + high) / 2.0;
        if function(middle) > value {
            low = middle;
        } else {
            high = middle;
        }
    }
    (low + high) / 2.0
}

fn check_within(argument: &'static str, found: f64, (low, high): (f64, f64)) -> Result<(), DesignError> {
    if (low..=high).contains(&found) {
        return Ok(());
    }
    Err(DesignError::OutOfRange { argument, found, low, high })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Percent better that is just noticed; told to operators in whole percents, from spreads that are rounded too.
    fn check(posts_per_variant: usize, variants: usize, sd_log: f64, expected: f64) {
        let input = PowerInput { posts_per_variant, variants, sd_log, alpha: 0.05, power: 0.8 };
        let better_by = (minimum_detectable_ratio(&input).unwrap().ratio - 1.0) * 100.0;
        assert!((better_by - expected).abs() <= 1.2, "{better_by} is not {expected}");
    }

    #[test]
    fn the_smallest_effects_are_those_the_operators_are_told() {
        let composite = [(5, [57., 70., 84.]), (8, [41., 48., 56.]), (10, [35., 42., 48.]), (20, [23., 27., 30.])];
        for (posts, percents) in composite {
            for (variants, percent) in [2, 3, 5].into_iter().zip(percents) {
                check(posts, variants, 0.26, percent);
            }
        }
        for (posts, views, retention) in [(5, 251., 48.), (8, 159., 35.), (10, 132., 30.), (20, 79., 20.)] {
            check(posts, 2, 0.73, views);
            check(posts, 2, 0.23, retention);
        }
    }

    #[test]
    fn one_block_of_fifteen_can_name_a_winner_of_three_and_five_triplets_cannot() {
        let block = smallest_p(&[15], 3, 0.05).unwrap();
        assert_eq!((block.assignments, block.reachable), (252.0, true));
        assert!(!smallest_p(&[3; 5], 3, 0.05).unwrap().reachable);
        assert!(smallest_p(&[500], 2, 0.05).unwrap().assignments.is_finite());
    }

    #[test]
    fn impossible_sizes_are_named() {
        for (sizes, variants, alpha, named) in [
            (&[4, 3][..], 2, 0.05, "`block_sizes`: block 1"),
            (&[0], 2, 0.05, "`block_sizes`: block 0"),
            (&[], 2, 0.05, "`block_sizes` is 0"),
            (&[502], 2, 0.05, "`block_sizes` is 502"),
            (&[usize::MAX - 1, usize::MAX - 1], 2, 0.05, "`block_sizes`"),
            (&[4], 1, 0.05, "`variants`"),
            (&[4], 2, f64::NAN, "`alpha`"),
            (&[4], 2, 0.0, "`alpha`"),
        ] {
            assert!(smallest_p(sizes, variants, alpha).unwrap_err().to_string().starts_with(named), "{named}");
        }
        let good = PowerInput { posts_per_variant: 5, variants: 2, sd_log: 0.7, alpha: 0.05, power: 0.8 };
        for (input, named) in [
            (PowerInput { posts_per_variant: 1, ..good }, "`posts_per_variant`"),
            (PowerInput { posts_per_variant: 251, ..good }, "`posts_per_variant`"),
            (PowerInput { variants: 0, ..good }, "`variants`"),
            (PowerInput { sd_log: 0.0, ..good }, "`sd_log`"),
            (PowerInput { sd_log: f64::INFINITY, ..good }, "`sd_log`"),
            (PowerInput { posts_per_variant: 2, sd_log: 10.0, alpha: 0.001, variants: 20, ..good }, "`sd_log`"),
            (PowerInput { alpha: 0.6, ..good }, "`alpha`"),
            (PowerInput { power: 1.0, ..good }, "`power`"),
        ] {
            assert!(minimum_detectable_ratio(&input).unwrap_err().to_string().starts_with(named), "{named}");
        }
    }
}
