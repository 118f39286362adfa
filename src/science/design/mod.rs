//! Design: which variant goes into which slot, and what a design of that size can show.
//!
//! Decides from slots whose times were chosen before, a number of variants and a seed. Labels are drawn and never
//! optimised: a planner that picked the labels it liked would void the test. Choosing the times is the calendar's
//! business; the test itself is not here, only the set of assignments that it has to use ([`ReferenceSet`]).
//!
//! Invariants: inside every block each variant appears equally often; a restricted draw is admissible under the limits
//! that its record names; the same input and seed give the same record, byte for byte.

mod assign;
mod blocks;
mod reference;
mod restriction;
mod size;
mod slot;
mod williams;

pub use assign::{AssignInput, Assignment, CarryOver, EarlyStop, Layout, assign};
pub use blocks::{BlockRule, blocks};
pub use reference::{ENUMERATION_MAX, ReferenceSet};
pub use restriction::{Limits, RESTRICTED_FROM, admissible};
pub(crate) use size::choose;
pub use size::{Attainability, Counting, MinimumDetectable, PowerInput, minimum_detectable_ratio, smallest_p};
pub use slot::{HourBand, Slot, SlotClass, Week};
pub use williams::{williams, williams_rows};

/// Most variants that one experiment may have.
pub const VARIANTS_MAX: usize = 20;

/// Most posts that one experiment may have.
pub const POSTS_MAX: usize = 500;

/// Why a design cannot be made or judged: which argument, what it was, what would do.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum DesignError {
    #[error("`{argument}` is {found}; give a number from {low} to {high}")]
    OutOfRange { argument: &'static str, found: f64, low: f64, high: f64 },
    #[error("`{argument}` has {found} entries where {expected} are needed")]
    Length { argument: &'static str, found: usize, expected: usize },
    #[error("`slots` are not in time order: slot {at} (counted from 0) is earlier than the one before it")]
    SlotOrder { at: usize },
    #[error("`slots`: slot {at} (counted from 0) has no forecast though another one has; give all or none")]
    ForecastMissing { at: usize },
    #[error("`{argument}` names variant {found}, but there are only {variants}, counted from 0")]
    UnknownVariant { argument: &'static str, found: usize, variants: usize },
    #[error("`{argument}`: block {block} holds variant {variant} {found} times where each variant needs {expected}")]
    Unbalanced { argument: &'static str, block: usize, variant: usize, found: usize, expected: usize },
    #[error("`control` and `test` are the same variant, {found}; compare two different ones")]
    SameVariant { found: usize },
    #[error("`plan` is laid out in Williams rows; its reference set is their orders and namings, not labels in blocks")]
    NotInBlocks,
    #[error("`carry_over` needs posts per variant in multiples of {multiple}; there are {posts_per_variant}")]
    CarryOver { posts_per_variant: usize, multiple: usize },
}

impl DesignError {
    fn count(argument: &'static str, found: usize, low: usize, high: usize) -> Self {
        Self::OutOfRange { argument, found: as_f64(found), low: as_f64(low), high: as_f64(high) }
    }
}

/// A count as a number of the formulas; exact below 2⁵³, and no count here comes near.
#[expect(clippy::cast_precision_loss, reason = "counts are at most POSTS_MAX, or products that are only compared")]
pub(crate) fn as_f64(count: usize) -> f64 {
    count as f64
}

/// Slack of every comparison with a limit, so that no plan hangs on the last bit of a sum.
const SLACK: f64 = 1e-9;

fn check_variants(variants: usize) -> Result<(), DesignError> {
    if (2..=VARIANTS_MAX).contains(&variants) {
        return Ok(());
    }
    Err(DesignError::count("variants", variants, 2, VARIANTS_MAX))
}

#[cfg(test)]
mod tests;
