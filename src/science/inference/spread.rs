//! Spread: how much posts of one account usually differ where its own history does not say.
//!
//! Decides the default for each sort of proxy, and for several judged as one. From simulated accounts with the shape of real
//! ones; an account's own history, where there is enough of it, is better.

use crate::design::as_f64;

/// What a proxy's spread depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Sort {
    Retention,
    Views,
    /// Replies or comments for each view.
    Conversation,
    /// Shares, saves or reposts for each view.
    Sharing,
    /// Any count where the platform tells no views.
    Count,
}

/// How far the noise of different proxies of one post goes together.
const TOGETHER: f64 = 0.136;
/// The same for counts without views: all of them rise with the reach that nobody tells.
const COUNTS_TOGETHER: f64 = 0.9;

impl Sort {
    /// Returns the usual standard deviation from post to post, in log units.
    pub const fn usual_sd(self) -> f64 {
        match self {
            Self::Retention => 0.23,
            Self::Views | Self::Count => 0.73,
            Self::Conversation => 0.58,
            Self::Sharing => 0.59,
        }
    }
}

/// Returns the usual standard deviation of the composite of these proxies, in log units; `None` for none.
pub fn usual_composite_sd(sorts: &[Sort]) -> Option<f64> {
    if sorts.is_empty() {
        return None;
    }
    let count = as_f64(sorts.len());
    let together = if sorts.iter().all(|sort| *sort == Sort::Count) { COUNTS_TOGETHER } else { TOGETHER };
    let per_log = sorts.iter().map(|sort| 1.0 / sort.usual_sd()).sum::<f64>() / count;
    Some(((1.0 + (count - 1.0) * together) / count).sqrt() / per_log)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inference::noticeable;

    #[test]
    fn four_proxies_together_spread_by_a_quarter() {
        let all = [Sort::Retention, Sort::Views, Sort::Conversation, Sort::Sharing];
        assert!((usual_composite_sd(&all).unwrap() - 0.26).abs() < 0.001);
        assert_eq!(usual_composite_sd(&[]), None);
        assert!((usual_composite_sd(&[Sort::Views]).unwrap() - 0.73).abs() < 1e-12);
    }

    #[test]
    fn two_counts_without_views_could_have_shown_240_percent_with_five_posts() {
        let spread = usual_composite_sd(&[Sort::Count, Sort::Count]).unwrap();
        assert_eq!(noticeable(5, 2, spread).unwrap().percent(), "240 %");
    }
}
