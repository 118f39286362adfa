//! Rounds of the day, and their steps.
//!
//! Decides at which hours rounds begin, and that whoever sits down a little before the hour has begun. On whose day, and
//! in which zone, is asked by who signs.

use chrono::{NaiveDate, NaiveTime};
use serde::{Deserialize, Serialize};

use crate::time::{Span, UtcTime, Zone};

/// How long before its hour a round may be worked and signed. What is put off until the next round skips one so close.
const EARLY: Span = Span::hours(2);

/// A round of the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Round {
    /// Is every account safe, does anything collide, what goes out?
    Morning,
    /// Did it go out, what needs a hand?
    Midday,
    /// What was learned, what must be looked at tomorrow?
    EndOfDay,
}

impl Round {
    /// All rounds, in the order of the day.
    pub const ALL: [Self; 3] = [Self::Morning, Self::Midday, Self::EndOfDay];

    /// Returns the words that screens use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Morning => "morning",
            Self::Midday => "midday",
            Self::EndOfDay => "end of day",
        }
    }

    /// Returns its steps; signing is the last one and not named.
    pub const fn steps(self) -> &'static [Step] {
        match self {
            Self::Morning => &[Step::Alerts, Step::Layers, Step::Queue],
            Self::Midday => &[Step::Posts, Step::Escalations, Step::Replies],
            Self::EndOfDay => &[Step::Outcomes, Step::Decide],
        }
    }

    /// Returns the hour at which it begins.
    const fn hour(self) -> u32 {
        match self {
            Self::Morning => 9,
            Self::Midday => 13,
            Self::EndOfDay => 17,
        }
    }

    /// Returns when it begins on a day; none at the end of all calendars.
    pub fn begins(self, date: NaiveDate, zone: Zone) -> Option<UtcTime> {
        zone.at(date, NaiveTime::from_hms_opt(self.hour(), 0, 0)?)
    }

    /// Returns from when on it may be worked and signed on a day; none at the end of all calendars.
    pub fn opens(self, date: NaiveDate, zone: Zone) -> Option<UtcTime> {
        Some(self.begins(date, zone)?.minus(EARLY))
    }

    /// Returns the round to come, and when it begins: the first that is not open yet. One that is open is this sitting.
    /// None at the end of all calendars.
    pub fn next(now: UtcTime, zone: Zone) -> Option<(Self, UtcTime)> {
        let today = zone.local(now).date;
        let days = [Some(today), today.succ_opt()].into_iter().flatten();
        let all = days.flat_map(|date| Self::ALL.into_iter().map(move |round| (round, round.begins(date, zone))));
        all.filter_map(|(round, at)| Some((round, at?))).find(|(_, at)| at.minus(EARLY) > now)
    }
}

impl std::fmt::Display for Round {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A step of a round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Morning 1.
    Alerts,
    /// Morning 2.
    Layers,
    /// Morning 3.
    Queue,
    /// Midday 1.
    Posts,
    /// Midday 2.
    Escalations,
    /// Midday 3.
    Replies,
    /// End of day 1.
    Outcomes,
    /// End of day 2.
    Decide,
}

impl Step {
    /// Returns the word that screens use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Alerts => "alerts",
            Self::Layers => "layers",
            Self::Queue => "queue",
            Self::Posts => "posts",
            Self::Escalations => "escalations",
            Self::Replies => "replies",
            Self::Outcomes => "outcomes",
            Self::Decide => "decide",
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn time(text: &str) -> UtcTime {
        text.parse().unwrap()
    }

    #[test]
    fn the_next_round_is_the_first_that_is_not_open_yet() {
        let zone: Zone = "Europe/Amsterdam".parse().unwrap();
        for (now, round, at) in [
            ("2026-11-24T05:59:59Z", Round::Morning, "2026-11-24T08:00:00Z"),
            ("2026-11-24T06:00:00Z", Round::Midday, "2026-11-24T12:00:00Z"),
            ("2026-11-24T07:46:00Z", Round::Midday, "2026-11-24T12:00:00Z"),
            ("2026-11-24T10:00:00Z", Round::EndOfDay, "2026-11-24T16:00:00Z"),
            ("2026-11-24T15:00:00Z", Round::Morning, "2026-11-25T08:00:00Z"),
            ("2026-11-24T20:00:00Z", Round::Morning, "2026-11-25T08:00:00Z"),
        ] {
            assert_eq!(Round::next(time(now), zone), Some((round, time(at))), "{now}");
        }
    }

    #[test]
    fn a_round_opens_two_hours_before_it_begins_on_the_same_day() {
        let date = NaiveDate::from_ymd_opt(2026, 11, 24).unwrap();
        assert_eq!(Round::Morning.begins(date, Zone::UTC), Some(time("2026-11-24T09:00:00Z")));
        assert_eq!(Round::Morning.opens(date, Zone::UTC), Some(time("2026-11-24T07:00:00Z")));
        assert_eq!(Round::EndOfDay.opens(date, Zone::UTC), Some(time("2026-11-24T15:00:00Z")));
    }

    proptest! {
        #[test]
        fn the_next_round_always_lies_ahead_of_this_sitting(micros in 946_684_800_000_000_i64..4_102_444_800_000_000) {
            let now = UtcTime::from_micros(micros);
            for zone in [Zone::UTC, "Australia/Sydney".parse().unwrap(), "America/New_York".parse().unwrap()] {
                let (_, at) = Round::next(now, zone).unwrap();
                prop_assert!(at.since(now) > EARLY && at.since(now) <= Span::hours(19));
            }
        }
    }
}
