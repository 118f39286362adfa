//! Proxies on the log scale, so that a difference is a ratio and one loud post cannot carry a mean.
//!
//! Decides how a reading becomes a value. Rates, not counts, wherever views are known: the counts of one post all rise with
//! its views, and would make "two proxies lead" true by itself. What was not read stays out and never becomes 0.

use serde::{Deserialize, Serialize};

use super::InferenceError;

/// What a proxy measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// A positive size: the watched share, seconds watched. ln of it.
    Level,
    /// Views, less the slot's forecast where there is one.
    Views,
    /// A count for each view.
    Rate,
    /// A count where the platform tells no views, less its forecast where there is one.
    Count,
}

/// Which way is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    Up,
    Down,
}

/// What was read of one post; `None` is "not known", which is not 0.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Raw {
    pub value: Option<f64>,
    pub views: Option<f64>,
    /// Expected ln of the value in this slot.
    pub forecast: Option<f64>,
}

/// Returns each post's value on the log scale, higher being better; `None` where it cannot be known.
///
/// A count or number of views of 0 has no logarithm. Where there is one among the posts, all of them are read as
/// (count + 0.5) and (views + 1): the same for every post, so that no variant gains by it.
///
/// # Errors
/// Names a value that is negative or not finite.
pub fn log_values(measure: Measure, direction: Direction, posts: &[Raw]) -> Result<Vec<Option<f64>>, InferenceError> {
    for (at, post) in posts.iter().enumerate() {
        for (argument, found) in [("value", post.value), ("views", post.views)] {
            match found {
                Some(found) if !found.is_finite() => return Err(InferenceError::NotFinite { argument, at }),
                Some(found) if found < 0.0 => return Err(InferenceError::Negative { argument, at, found }),
                Some(_) | None => {}
            }
        }
        if post.forecast.is_some_and(|forecast| !forecast.is_finite()) {
            return Err(InferenceError::NotFinite { argument: "forecast", at });
        }
    }
    let zero = |found: Option<f64>| found == Some(0.0);
    let by_views = measure == Measure::Rate;
    let any_zero = posts.iter().any(|post| zero(post.value) || by_views && zero(post.views));
    let forecast_known = posts.iter().all(|post| post.value.is_none() || post.forecast.is_some());
    let (half, one) = if any_zero { (0.5, 1.0) } else { (0.0, 0.0) };
    let log = |post: &Raw| {
        let value = post.value?;
        let forecast = if forecast_known { post.forecast.unwrap_or(0.0) } else { 0.0 };
        let found = match measure {
            Measure::Level if value > 0.0 => libm::log(value),
            Measure::Level => return None,
            Measure::Views => libm::log(value + one) - forecast,
            Measure::Rate => libm::log((value + half) / (post.views? + one)),
            Measure::Count => libm::log(value + half) - forecast,
        };
        Some(match direction {
            Direction::Up => found,
            Direction::Down => -found,
        })
    };
    Ok(posts.iter().map(log).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(value: f64, views: Option<f64>) -> Raw {
        Raw { value: Some(value), views, forecast: None }
    }

    fn logs(measure: Measure, posts: &[Raw]) -> Vec<Option<f64>> {
        log_values(measure, Direction::Up, posts).unwrap()
    }

    #[test]
    fn a_rate_is_a_count_for_each_view() {
        let found = logs(Measure::Rate, &[raw(21.0, Some(5120.0)), raw(49.0, Some(6910.0))]);
        let ratio = libm::exp(found[1].unwrap() - found[0].unwrap());
        assert!((ratio - (49.0 / 6910.0) / (21.0 / 5120.0)).abs() < 1e-12, "{ratio}");
    }

    #[test]
    fn a_zero_is_read_with_a_half_for_every_post() {
        let found = logs(Measure::Count, &[raw(0.0, None), raw(3.0, None)]);
        assert_eq!(found, [Some(libm::log(0.5)), Some(libm::log(3.5))]);
        let found = logs(Measure::Rate, &[raw(2.0, Some(0.0)), raw(3.0, Some(9.0))]);
        assert_eq!(found, [Some(libm::log(2.5)), Some(libm::log(0.35))]);
    }

    #[test]
    fn what_was_not_read_is_no_number() {
        let unread = Raw { value: None, views: Some(10.0), forecast: None };
        assert_eq!(logs(Measure::Rate, &[unread, raw(3.0, None)]), [None, None]);
        assert_eq!(logs(Measure::Level, &[raw(0.0, None), raw(1.0, None)]), [None, Some(0.0)]);
    }

    #[test]
    fn forecasts_count_only_where_every_post_has_one() {
        let known = Raw { forecast: Some(1.0), ..raw(1.0, None) };
        assert_eq!(logs(Measure::Count, &[known, known]), [Some(-1.0), Some(-1.0)]);
        assert_eq!(logs(Measure::Count, &[known, raw(1.0, None)]), [Some(0.0), Some(0.0)]);
    }

    #[test]
    fn where_less_is_better_less_is_higher() {
        let down = log_values(Measure::Level, Direction::Down, &[raw(0.2, None), raw(0.4, None)]).unwrap();
        assert!(down[0] > down[1]);
    }

    #[test]
    fn impossible_readings_are_named() {
        let refused = |post| log_values(Measure::Rate, Direction::Up, &[raw(1.0, Some(1.0)), post]).unwrap_err();
        assert!(refused(raw(-1.0, None)).to_string().contains("`value` at 1"));
        assert!(refused(raw(1.0, Some(f64::NAN))).to_string().contains("`views` at 1"));
        assert!(refused(Raw { forecast: Some(f64::INFINITY), ..raw(1.0, None) }).to_string().contains("`forecast`"));
    }
}
