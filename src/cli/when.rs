//! Times as people write them: RFC 3339, `11:30`, `tomorrow 9`, `fri 14:00`, `2026-11-25 9:10`.
//!
//! Decides which moment is meant, in the client's zone. Whether a post may stand there is the desk's business; the caller
//! shows the moment with its zone.

use chrono::{Datelike, Days, NaiveDate, NaiveTime, Weekday};
use domain::time::{UtcTime, Zone};

/// Why a text is no time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum BadWhen {
    /// It is not understood.
    Unknown,
    /// A change of clocks leaves that hour out.
    NoSuchHour,
}

impl BadWhen {
    /// Says it.
    pub(crate) fn why(&self, text: &str, zone: Zone) -> String {
        let text: String = text.chars().take(64).collect();
        match self {
            Self::Unknown => format!("`{text}` is not a time"),
            Self::NoSuchHour => format!("`{text}` does not exist in {zone}: the clocks go forward over it"),
        }
    }

    /// Says what would be understood.
    pub(crate) const MEND: &str = "write it as 11:30, tomorrow 9, fri 14:00, 2026-11-25 9:10 or 2026-11-25T09:10:00Z";
}

/// Reads a time. One without a day is the next such time; one with a day of the week the next such day.
pub(crate) fn parse(text: &str, zone: Zone, now: UtcTime) -> Result<UtcTime, BadWhen> {
    if let Ok(exact) = text.trim().parse::<UtcTime>() {
        return Ok(exact);
    }
    let lower = text.to_lowercase();
    let words: Vec<&str> = lower.split_whitespace().collect();
    match words.as_slice() {
        [time] if time.contains(':') => {
            let time = clock_time(time)?;
            let later = |day: NaiveDate| zone.at(day, time).filter(|at| *at > now);
            let today = zone.local(now).date;
            later(today).or_else(|| after(today, 1).and_then(later)).ok_or(BadWhen::NoSuchHour)
        }
        [day, time] => {
            let time = clock_time(time)?;
            let day = day_of(day, time, zone, now).ok_or(BadWhen::Unknown)?;
            zone.at(day, time).ok_or(BadWhen::NoSuchHour)
        }
        _ => Err(BadWhen::Unknown),
    }
}

fn day_of(word: &str, time: NaiveTime, zone: Zone, now: UtcTime) -> Option<NaiveDate> {
    let today = zone.local(now).date;
    match word {
        "today" => return Some(today),
        "tomorrow" => return after(today, 1),
        _ => {}
    }
    if let Ok(weekday) = word.parse::<Weekday>() {
        let days = (7 + weekday.num_days_from_monday() - today.weekday().num_days_from_monday()) % 7;
        let day = after(today, u64::from(days))?;
        let over = zone.at(day, time).is_some_and(|at| at <= now);
        return if over { after(day, 7) } else { Some(day) };
    }
    let date = NaiveDate::parse_from_str(word, "%Y-%m-%d").ok()?;
    (2000..=2100).contains(&date.year()).then_some(date)
}

fn after(day: NaiveDate, days: u64) -> Option<NaiveDate> {
    day.checked_add_days(Days::new(days))
}

fn clock_time(word: &str) -> Result<NaiveTime, BadWhen> {
    let (hour, minute) = word.split_once(':').unwrap_or((word, "00"));
    let digits = |t: &str, most: usize| (1..=most).contains(&t.len()) && t.bytes().all(|b| b.is_ascii_digit());
    if !digits(hour, 2) || !digits(minute, 2) || minute.len() != 2 {
        return Err(BadWhen::Unknown);
    }
    let number = |t: &str| t.parse::<u32>().map_err(|_| BadWhen::Unknown);
    NaiveTime::from_hms_opt(number(hour)?, number(minute)?, 0).ok_or(BadWhen::Unknown)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Tuesday 2026-11-24, 10:00 in London and 11:00 in Berlin.
    fn now() -> UtcTime {
        "2026-11-24T10:00:00Z".parse().unwrap()
    }

    fn read(text: &str, zone: &str) -> Result<String, BadWhen> {
        parse(text, zone.parse().unwrap(), now()).map(|t| t.to_string())
    }

    #[test]
    fn times_are_read_in_the_clients_zone() {
        for (text, utc) in [
            ("2026-11-25T09:10:00+01:00", "2026-11-25T08:10:00Z"),
            ("11:30", "2026-11-24T10:30:00Z"),
            ("10:30", "2026-11-25T09:30:00Z"),
            ("11:00", "2026-11-25T10:00:00Z"),
            ("tomorrow 9", "2026-11-25T08:00:00Z"),
            ("today 9:05", "2026-11-24T08:05:00Z"),
            ("Fri 14:00", "2026-11-27T13:00:00Z"),
            ("tuesday 14:00", "2026-11-24T13:00:00Z"),
            ("tue 9", "2026-12-01T08:00:00Z"),
            ("2026-12-01 9:10", "2026-12-01T08:10:00Z"),
        ] {
            assert_eq!(read(text, "Europe/Berlin").as_deref(), Ok(utc), "{text}");
        }
        for bad in
            ["", "9", "noon", "25:00", "9:5", "tomorrow", "tomorrow 9 am", "1999-01-01 9", "9:60", "٩:٠٠", "-1:00"]
        {
            assert_eq!(read(bad, "Europe/Berlin"), Err(BadWhen::Unknown), "{bad}");
        }
    }

    #[test]
    fn an_hour_that_the_clocks_skip_is_named() {
        assert_eq!(read("2027-03-28 2:30", "Europe/Berlin"), Err(BadWhen::NoSuchHour));
        assert_eq!(read("2027-03-28 2:30", "UTC").as_deref(), Ok("2027-03-28T02:30:00Z"));
    }

    proptest! {
        #[test]
        fn whatever_is_typed_it_answers(text: String) {
            let _any = parse(&text, Zone::UTC, now());
        }
    }
}
