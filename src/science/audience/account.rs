//! What an account's audience is like: drawn once, the same for all its posts.
//!
//! Decides level, hours, weekdays, trend, days and rates. What one post adds is `post`.

use super::chance::normal;
use super::{AudienceError, LEVEL_MAX, check};
use crate::design::HourBand;
use crate::draw::Draw;

const LEVEL_SD: f64 = 0.6;
const BAND_SD: f64 = 0.35;
const WEEKDAY_SD: f64 = 0.15;
const TREND_SD: f64 = 0.008;
const DAY_SD: f64 = 0.2;
const DAY_PHI: f64 = 0.7;
/// How many days back a day's shock is summed: .7³² is about 10⁻⁵.
const DAY_MEMORY: u32 = 32;

/// Mean and standard deviation of each rate's logarithm.
const RETENTION: (f64, f64) = (0.45, 0.2);
const COMMENTS: (f64, f64) = (0.006, 0.4);
const SHARES: (f64, f64) = (0.015, 0.4);
const LIKES: (f64, f64) = (0.04, 0.4);
const QUOTES: (f64, f64) = (0.0015, 0.5);
const BOOKMARKS: (f64, f64) = (0.003, 0.4);

/// Streams of an account's seed. A new purpose gets a new number.
const STREAM_LEVEL: u64 = 1;
const STREAM_ACCOUNT: u64 = 2;
const STREAM_DAYS: u64 = 1 << 40;

/// An account's audience.
#[derive(Debug, Clone, PartialEq)]
pub struct AccountModel {
    seed: u64,
    level: f64,
    first_day: i64,
    bands: [f64; 4],
    weekdays: [f64; 7],
    trend: f64,
    pub(super) rates: Rates,
}

/// ln of a rate a view.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Rates {
    pub(super) retention: f64,
    pub(super) comments: f64,
    pub(super) shares: f64,
    pub(super) likes: f64,
    pub(super) quotes: f64,
    pub(super) bookmarks: f64,
}

/// Returns an account's level, ln of the views that its usual post gets, from what accounts of its kind get.
pub fn usual_level(seed: u64, base_views: f64) -> Result<f64, AudienceError> {
    check("base_views", base_views, 1.0, libm::exp(LEVEL_MAX))?;
    Ok((libm::log(base_views) + LEVEL_SD * normal(&mut Draw::new(seed, STREAM_LEVEL))).min(LEVEL_MAX))
}

impl AccountModel {
    /// Draws an account's audience.
    ///
    /// `level` is ln of the views that its usual post gets; `first_day` is the day, by any count, that its trend begins on.
    pub fn draw(seed: u64, level: f64, first_day: i64) -> Result<Self, AudienceError> {
        check("level", level, -LEVEL_MAX, LEVEL_MAX)?;
        let mut draw = Draw::new(seed, STREAM_ACCOUNT);
        let mut around = |mean: f64, sd: f64| mean + sd * normal(&mut draw);
        let bands = std::array::from_fn(|_| around(0.0, BAND_SD));
        let weekdays = std::array::from_fn(|_| around(0.0, WEEKDAY_SD));
        let trend = around(0.0, TREND_SD);
        let mut rate = |(mean, sd): (f64, f64)| around(libm::log(mean), sd);
        let rates = Rates {
            retention: rate(RETENTION),
            comments: rate(COMMENTS),
            shares: rate(SHARES),
            likes: rate(LIKES),
            quotes: rate(QUOTES),
            bookmarks: rate(BOOKMARKS),
        };
        Ok(Self { seed, level, first_day, bands, weekdays, trend, rates })
    }

    /// Returns ln of the views that a post in this slot gets before anything of its own.
    ///
    /// Weekdays count from Monday, 0; others than 0 to 6 are taken as the days after.
    pub fn slot(&self, day: i64, weekday: u32, band: HourBand) -> f64 {
        let band = match band {
            HourBand::Morning => self.bands[0],
            HourBand::Noon => self.bands[1],
            HourBand::Evening => self.bands[2],
            HourBand::Night => self.bands[3],
        };
        let weekday = usize::try_from(weekday % 7).ok().and_then(|at| self.weekdays.get(at)).copied().unwrap_or(0.0);
        let since = day.saturating_sub(self.first_day) as f64;
        (self.level + band + weekday + self.trend * since + self.shock(day)).min(LEVEL_MAX)
    }

    /// A day's shock of the AR(1) process, as the sum of its past: no day has to be drawn before another.
    fn shock(&self, day: i64) -> f64 {
        let mut sum = 0.0;
        let mut weight = DAY_SD * libm::sqrt(1.0 - DAY_PHI * DAY_PHI);
        for back in 0..i64::from(DAY_MEMORY) {
            let stream = STREAM_DAYS.wrapping_add(day.saturating_sub(back).cast_unsigned());
            sum += weight * normal(&mut Draw::new(self.seed, stream));
            weight *= DAY_PHI;
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_hang_together_as_the_process_says() {
        let account = AccountModel::draw(3, 8.0, 0).unwrap();
        let shocks: Vec<f64> = (0..1500).map(|day| account.shock(day)).collect();
        let mean = shocks.iter().sum::<f64>() / 1500.0;
        let variance = shocks.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / 1500.0;
        let lagged = shocks.windows(2).map(|pair| (pair[0] - mean) * (pair[1] - mean)).sum::<f64>() / 1500.0;
        assert!((variance.sqrt() - DAY_SD).abs() < 0.03, "{variance}");
        assert!((lagged / variance - DAY_PHI).abs() < 0.08, "{}", lagged / variance);
    }

    #[test]
    fn accounts_differ_by_seed_and_by_nothing_else() {
        let draw = |seed| AccountModel::draw(seed, 8.0, 0).unwrap();
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1).slot(5, 2, HourBand::Noon), draw(2).slot(5, 2, HourBand::Noon));
        assert_eq!(usual_level(9, 3000.0), usual_level(9, 3000.0));
    }

    #[test]
    fn levels_of_accounts_lie_around_their_base() {
        let levels: Vec<f64> = (0..3000).map(|seed| usual_level(seed, 3000.0).unwrap()).collect();
        let mean = levels.iter().sum::<f64>() / 3000.0;
        let sd = (levels.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / 3000.0).sqrt();
        assert!((mean - 3000_f64.ln()).abs() < 0.05 && (sd - LEVEL_SD).abs() < 0.03, "{mean} {sd}");
    }

    #[test]
    fn what_is_no_level_is_refused_by_name() {
        for level in [f64::NAN, f64::INFINITY, 21.0] {
            assert!(AccountModel::draw(1, level, 0).unwrap_err().to_string().starts_with("`level` is"), "{level}");
        }
        assert!(usual_level(1, 0.0).unwrap_err().to_string().starts_with("`base_views` is 0"));
    }
}
