//! Times in words: how a moment and a span stand on a screen.
//!
//! Decides 24 hours, the client's zone for slots, and relative words beside them. Which clock is read is decided by who
//! passes the moment in.

use domain::time::{LocalTime, Span, UtcTime, Zone};

/// Returns `11:30`.
pub(crate) fn clock(time: UtcTime, zone: Zone) -> String {
    hour(&zone.local(time))
}

fn hour(local: &LocalTime) -> String {
    format!("{:02}:{:02}", local.hour, local.minute)
}

/// Returns a moment to come as short as it can be told: `11:30` today, `Tue 11:30` within a week, else `24 Nov 11:30`.
pub(crate) fn clock_then(time: UtcTime, now: UtcTime, zone: Zone) -> String {
    let (then, today) = (zone.local(time), zone.local(now).date);
    match then.date.signed_duration_since(today).num_days() {
        0 => hour(&then),
        1..=6 => format!("{} {}", then.weekday, hour(&then)),
        _ => day_clock(time, zone),
    }
}

/// Returns `24 Nov`.
pub(crate) fn day(time: UtcTime, zone: Zone) -> String {
    zone.local(time).date.format("%-d %b").to_string()
}

/// Returns `Tue 24 Nov`.
pub(crate) fn weekday_day(time: UtcTime, zone: Zone) -> String {
    let local = zone.local(time);
    format!("{} {}", local.weekday, local.date.format("%-d %b"))
}

/// Returns `24 Nov 11:30`.
pub(crate) fn day_clock(time: UtcTime, zone: Zone) -> String {
    format!("{} {}", day(time, zone), clock(time, zone))
}

/// Returns `11:30:07`.
pub(crate) fn clock_seconds(time: UtcTime, zone: Zone) -> String {
    let seconds = time.micros().div_euclid(1_000_000).rem_euclid(60);
    format!("{}:{seconds:02}", clock(time, zone))
}

/// Returns the place that a zone is named after: `Lisbon`.
pub(crate) fn city(zone: Zone) -> String {
    zone.to_string().rsplit('/').next().unwrap_or_default().replace('_', " ")
}

/// Returns the zone's short name at a moment: `WET`.
pub(crate) fn abbreviation(time: UtcTime, zone: Zone) -> String {
    time.in_zone(zone).rsplit(' ').next().unwrap_or_default().to_owned()
}

/// Returns a span as people say it: `2 h 26`, `3 d 4 h`, `14 min`, `under 1 min`.
pub(crate) fn span(span: Span) -> String {
    let minutes = span.whole_seconds().max(0) / 60;
    let (days, hours, minutes) = (minutes / 1440, minutes / 60 % 24, minutes % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => "under 1 min".to_owned(),
        (0, 0, m) => format!("{m} min"),
        (0, h, 0) => format!("{h} h"),
        (0, h, m) => format!("{h} h {m:02}"),
        (d, 0, _) => format!("{d} d"),
        (d, h, _) => format!("{d} d {h} h"),
    }
}

/// Returns how far a moment lies from now: `2 h 26`, or `past` where it is over.
pub(crate) fn until(time: UtcTime, now: UtcTime) -> String {
    if time < now { "past".to_owned() } else { span(time.since(now)) }
}

/// Returns `in 2 h 26`, or `2 h 26 ago`.
pub(crate) fn relative(time: UtcTime, now: UtcTime) -> String {
    match (time < now, now.distance(time) < Span::minutes(1)) {
        (true, true) => "just now".to_owned(),
        (true, false) => format!("{} ago", span(now.since(time))),
        (false, true) => "in a moment".to_owned(),
        (false, false) => format!("in {}", span(time.since(now))),
    }
}

/// Returns the days of a window: `24-28 Nov`, or `30 Nov - 2 Dec`, or one day.
pub(crate) fn days(from: UtcTime, until: UtcTime, zone: Zone) -> String {
    let (first, last) = (zone.local(from).date, zone.local(until).date);
    if first == last {
        return day(from, zone);
    }
    if first.format("%b %Y").to_string() == last.format("%b %Y").to_string() {
        return format!("{}-{}", first.format("%-d"), day(until, zone));
    }
    format!("{} - {}", day(from, zone), day(until, zone))
}

/// Returns the part of the day that has passed at a moment, as a column of so many.
pub(crate) fn column_of_day(time: UtcTime, zone: Zone, columns: usize) -> usize {
    let local = zone.local(time);
    let minutes = usize::try_from(local.hour * 60 + local.minute).unwrap_or(0);
    minutes * columns / 1440
}

/// Returns the columns that a span takes on a day of so many.
pub(crate) fn columns_of_span(span: Span, columns: usize) -> usize {
    let minutes = usize::try_from(span.whole_seconds() / 60).unwrap_or(0);
    (minutes * columns).div_ceil(1440)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> UtcTime {
        text.parse().unwrap()
    }

    #[test]
    fn a_moment_of_another_day_says_which() {
        let zone: Zone = "Europe/Lisbon".parse().unwrap();
        let now = time("2026-11-24T18:00:00Z");
        for (then, words) in [
            ("2026-11-24T21:00:00Z", "21:00"),
            ("2026-11-25T09:00:00Z", "Wed 09:00"),
            ("2026-11-30T09:00:00Z", "Mon 09:00"),
            ("2026-12-01T09:00:00Z", "1 Dec 09:00"),
            ("2026-11-23T09:00:00Z", "23 Nov 09:00"),
        ] {
            assert_eq!(clock_then(time(then), now, zone), words);
        }
    }

    #[test]
    fn moments_stand_in_the_clients_zone() {
        let zone: Zone = "Australia/Sydney".parse().unwrap();
        let slot = time("2026-11-23T22:10:07Z");
        assert_eq!(clock(slot, zone), "09:10");
        assert_eq!(clock_seconds(slot, zone), "09:10:07");
        assert_eq!(weekday_day(slot, zone), "Tue 24 Nov");
        assert_eq!(city(zone), "Sydney");
        assert_eq!(city("America/New_York".parse().unwrap()), "New York");
        assert_eq!(abbreviation(slot, "Europe/Lisbon".parse().unwrap()), "WET");
    }

    #[test]
    fn spans_are_said_as_people_say_them() {
        for (minutes, words) in
            [(0, "under 1 min"), (14, "14 min"), (146, "2 h 26"), (4560, "3 d 4 h"), (180, "3 h"), (2880, "2 d")]
        {
            assert_eq!(span(Span::minutes(minutes)), words);
        }
        let now = time("2026-11-24T09:00:00Z");
        assert_eq!(relative(now.plus(Span::minutes(146)), now), "in 2 h 26");
        assert_eq!(relative(now.minus(Span::minutes(14)), now), "14 min ago");
        assert_eq!(relative(now.minus(Span::seconds(5)), now), "just now");
        assert_eq!(relative(now, now), "in a moment");
        assert_eq!(until(now.minus(Span::minutes(1)), now), "past");
    }

    #[test]
    fn a_window_names_its_month_once() {
        let zone = Zone::UTC;
        assert_eq!(days(time("2026-11-24T10:00:00Z"), time("2026-11-28T10:00:00Z"), zone), "24-28 Nov");
        assert_eq!(days(time("2026-11-30T10:00:00Z"), time("2026-12-02T10:00:00Z"), zone), "30 Nov - 2 Dec");
        assert_eq!(days(time("2026-11-30T10:00:00Z"), time("2026-11-30T12:00:00Z"), zone), "30 Nov");
    }

    #[test]
    fn a_day_is_drawn_to_scale() {
        assert_eq!(column_of_day(time("2026-11-24T12:00:00Z"), Zone::UTC, 48), 24);
        assert_eq!(columns_of_span(Span::hours(3), 48), 6);
    }
}
