//! Limits: how many requests and writes the servers take.
//!
//! Decided here: the windows, fixed ones as the network's servers keep them, and what one that is full answers. Source: the
//! network's rate limits: 30 logins in 5 minutes and 300 a day for an account; 5,000 points of writes an hour and 35,000 a
//! day, a create counting 3, an update 2, a delete 1.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

/// A window and how much fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Window {
    name: &'static str,
    seconds: i64,
    points: u32,
}

/// Logins of one account.
pub(crate) const LOGINS: [Window; 2] = [
    Window { name: "login-5min", seconds: 300, points: 30 },
    Window { name: "login-day", seconds: 86_400, points: 300 },
];

/// Writes of one account.
pub(crate) const WRITES: [Window; 2] = [
    Window { name: "write-hour", seconds: 3600, points: 5_000 },
    Window { name: "write-day", seconds: 86_400, points: 35_000 },
];

/// How a window stands after a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) limit: u32,
    pub(crate) left: u32,
    /// Seconds since 1970.
    pub(crate) reset: i64,
    pub(crate) seconds: i64,
}

impl Standing {
    /// Returns the headers that tell a client.
    pub(crate) fn headers(self) -> [(&'static str, String); 4] {
        [
            ("ratelimit-limit", self.limit.to_string()),
            ("ratelimit-remaining", self.left.to_string()),
            ("ratelimit-reset", self.reset.to_string()),
            ("ratelimit-policy", format!("{};w={}", self.limit, self.seconds)),
        ]
    }
}

/// What was used of each window.
#[derive(Debug, Default)]
pub(crate) struct Limiter {
    used: BTreeMap<(Window, String), (i64, u32)>,
}

impl Limiter {
    /// Uses points of all the windows; the error is the one that is full. Points that do not fit are used up all the same.
    pub(crate) fn take(
        &mut self,
        windows: [Window; 2],
        key: &str,
        points: u32,
        now: DateTime<Utc>,
    ) -> Result<Standing, Standing> {
        let stands = windows.map(|window| self.one(window, key, points, now));
        let tightest = if stands[0].1.left <= stands[1].1.left { stands[0].1 } else { stands[1].1 };
        match stands.into_iter().find(|(over, _)| *over) {
            Some((_, full)) => Err(full),
            None => Ok(tightest),
        }
    }

    fn one(&mut self, window: Window, key: &str, points: u32, now: DateTime<Utc>) -> (bool, Standing) {
        let now = now.timestamp();
        let slot = self.used.entry((window, key.to_owned())).or_insert((now, 0));
        if now >= slot.0.saturating_add(window.seconds) || now < slot.0 {
            *slot = (now, 0);
        }
        slot.1 = slot.1.saturating_add(points);
        let standing = Standing {
            limit: window.points,
            left: window.points.saturating_sub(slot.1),
            reset: slot.0.saturating_add(window.seconds),
            seconds: window.seconds,
        };
        (slot.1 > window.points, standing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    #[test]
    fn thirty_logins_fit_into_five_minutes_and_three_hundred_into_a_day() {
        let mut limiter = Limiter::default();
        for _ in 0..30 {
            assert!(limiter.take(LOGINS, "a", 1, at(1000)).is_ok());
        }
        let full = limiter.take(LOGINS, "a", 1, at(1200)).unwrap_err();
        assert_eq!((full.limit, full.left, full.reset), (30, 0, 1300));
        assert_eq!(full.headers()[3].1, "30;w=300");
        assert!(limiter.take(LOGINS, "b", 1, at(1200)).is_ok(), "another account has its own");
        assert!(limiter.take(LOGINS, "a", 1, at(1300)).is_ok());
        let mut taken = 0;
        for five in 0..400 {
            taken += u32::from(limiter.take(LOGINS, "c", 1, at(10_000 + five * 30)).is_ok());
        }
        assert_eq!(taken, 300);
    }
}
