//! Audience: a model of how often a post is seen and answered, and how fast.
//!
//! Decides from seeds, a level and a slot; knows no network and no clock. Stand-in networks draw their counts from it, and
//! error rates of the rules are measured on it; the rules themselves never look in here.
//!
//! All on the log scale; N(m, s) is normal with mean m and standard deviation s:
//!
//! | drawn | per | as |
//! |---|---|---|
//! | level | account | ln(base) + N(0, .6) |
//! | hours of the day | account | N(0, .35) for each band |
//! | weekdays | account | N(0, .15) each |
//! | trend | account | N(0, .008) a day |
//! | day | account and day | AR(1), SD .2, φ .7 |
//! | quality q | post | N(0, 1) |
//! | views | post | the above + .35 q + .55 t₄/√2; in 5 % an exponential of mean .9 on top |
//! | retention | account; post | N(ln .45, .2); + N(.12 q, .2) |
//! | comments a view | account; post | N(ln .006, .4); + N(.2 q, .45) |
//! | shares a view | account; post | N(ln .015, .4); + N(.25 q, .5) |
//! | share of the views by age a | post | 1 − exp(−(a/τ)^.8), τ lognormal around 14 h, SD .3 |
//!
//! Rates per view are at most e^−.5; counts are Poisson. These are the figures that the project's error rates were worked
//! out with. Likes, quotes and bookmarks are ours, since those needed none: they keep the order in which public posts
//! collect them (likes, shares, comments, bookmarks, quotes), and nothing rests on their size.
//!
//! Invariants: the same seeds give the same numbers on every machine; a count never falls as a post ages.

mod account;
mod chance;
mod post;
mod spread;

pub use account::{AccountModel, usual_level};
pub use post::{Lift, PostModel, Proxy, When};

/// Largest level, ln of views; beyond it nobody is left to see a post.
pub const LEVEL_MAX: f64 = 20.0;

/// Why an audience cannot be drawn: which argument, what it was, what would do.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum AudienceError {
    /// A number that is none or far outside of what posts get.
    #[error("`{argument}` is {found}; give a number from {low} to {high}")]
    OutOfRange {
        /// Which argument.
        argument: &'static str,
        /// What it was.
        found: f64,
        /// The least that would do.
        low: f64,
        /// The most that would do.
        high: f64,
    },
}

fn check(argument: &'static str, found: f64, low: f64, high: f64) -> Result<(), AudienceError> {
    if (low..=high).contains(&found) {
        return Ok(());
    }
    Err(AudienceError::OutOfRange { argument, found, low, high })
}
