//! Quiet hours and blackout days: when nothing goes out, on the client's wall clock.
//!
//! Decides whether a moment is quiet and when it ends. Clock changes are handled by comparing wall times, so quiet hours
//! keep their wall time over a DST night.

use chrono::{NaiveDate, NaiveTime, Timelike};

use crate::client::{Blackout, Policy, WallHours};
use crate::time::{Span, UtcTime, Zone};

/// Reads a wall time as in `09:10`.
pub fn wall(text: &str) -> Option<NaiveTime> {
    let (hour, minute) = text.split_once(':')?;
    let number = |t: &str| {
        if (1..=2).contains(&t.len()) && t.bytes().all(|b| b.is_ascii_digit()) { t.parse::<u32>().ok() } else { None }
    };
    NaiveTime::from_hms_opt(number(hour)?, number(minute)?, 0)
}

/// Reads a day as in `2026-12-24`.
pub fn day(text: &str) -> Option<NaiveDate> {
    NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()
}

/// Why a moment is quiet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Quiet {
    /// Quiet hours, as written.
    Hours(String),
    /// A blackout, with its reason.
    Blackout(String),
}

impl std::fmt::Display for Quiet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Hours(hours) => write!(f, "quiet hours {hours}"),
            Self::Blackout(why) => write!(f, "blackout: {why}"),
        }
    }
}

/// Tells whether, and why, nothing goes out at a moment.
pub fn quiet_at(policy: &Policy, zone: Zone, time: UtcTime) -> Option<Quiet> {
    let local = zone.local(time);
    let blackout = |b: &&Blackout| match (day(&b.from), day(&b.until)) {
        (Some(from), Some(until)) => from <= local.date && local.date <= until,
        (Some(_) | None, _) => false,
    };
    if let Some(found) = policy.blackouts.iter().find(blackout) {
        return Some(Quiet::Blackout(found.why.clone()));
    }
    let hours = policy.quiet_hours.hours()?;
    let minute = local.hour.saturating_mul(60).saturating_add(local.minute);
    if inside(hours, minute)? { Some(Quiet::Hours(format!("{}-{}", hours.from, hours.until))) } else { None }
}

fn inside(hours: &WallHours, minute: u32) -> Option<bool> {
    let at = |t: NaiveTime| t.hour().saturating_mul(60).saturating_add(t.minute());
    let (from, until) = (at(wall(&hours.from)?), at(wall(&hours.until)?));
    Some(if from <= until { from <= minute && minute < until } else { minute >= from || minute < until })
}

/// Returns the first moment from `time` on that is not quiet, looking at most 60 days ahead.
pub fn next_loud(policy: &Policy, zone: Zone, time: UtcTime) -> Option<UtcTime> {
    let step = Span::minutes(1);
    let aligned =
        UtcTime::from_micros(time.micros().div_euclid(step.micros()).saturating_add(1).saturating_mul(step.micros()));
    let mut at = if quiet_at(policy, zone, time).is_none() { return Some(time) } else { aligned };
    let end = time.plus(Span::days(60));
    while at < end {
        if quiet_at(policy, zone, at).is_none() {
            return Some(at);
        }
        at = at.plus(step);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quiet_hours_over_midnight_keep_their_wall_time_over_a_clock_change() {
        let policy = Policy::default();
        let zone: Zone = "Europe/London".parse().unwrap();
        for (time, quiet) in [
            ("2027-03-27T20:59:00Z", false),
            ("2027-03-27T21:00:00Z", true),
            ("2027-03-28T05:59:00Z", true),
            ("2027-03-28T06:00:00Z", false),
        ] {
            assert_eq!(quiet_at(&policy, zone, time.parse().unwrap()).is_some(), quiet, "{time}");
        }
        let next = next_loud(&policy, zone, "2027-03-27T23:00:00Z".parse().unwrap()).unwrap();
        assert_eq!(next, "2027-03-28T06:00:00Z".parse().unwrap());
    }

    #[test]
    fn wall_times_are_read_strictly() {
        for bad in ["", "9", "24:00", "09:60", "-1:00", "009:10", "9:1x"] {
            assert!(wall(bad).is_none(), "{bad}");
        }
        assert!(wall("9:05").is_some());
    }
}
