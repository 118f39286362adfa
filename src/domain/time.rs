//! Times and spans: UTC inside, a client's zone only where people read or write.
//!
//! Decides how times are written, added and compared, without ever panicking. What time it is now is the clock's
//! business; a time comes in as an argument.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Datelike, NaiveDate, NaiveTime, Offset, TimeZone, Timelike, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A moment in UTC, in microseconds since 1970. Written as RFC 3339.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UtcTime(i64);

impl UtcTime {
    /// Returns the moment that many microseconds after 1970.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Returns microseconds since 1970.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Returns the moment `span` later; stops at the end of time instead of wrapping.
    pub const fn plus(self, span: Span) -> Self {
        Self(self.0.saturating_add(span.0))
    }

    /// Returns the moment `span` earlier.
    pub const fn minus(self, span: Span) -> Self {
        Self(self.0.saturating_sub(span.0))
    }

    /// Returns the time from `earlier` to this moment; negative when `earlier` is the later one.
    pub const fn since(self, earlier: Self) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }

    /// Returns the distance to another moment, whichever is first.
    pub const fn distance(self, other: Self) -> Span {
        Span(self.0.saturating_sub(other.0).saturating_abs())
    }

    /// Returns the calendar time; the years 1970 to 9999 are exact, anything else is 1970.
    pub fn to_chrono(self) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(self.0).unwrap_or(DateTime::UNIX_EPOCH)
    }

    /// Shows the moment in a zone with its offset's name, as in `2026-11-24 09:10 GMT`.
    pub fn in_zone(self, zone: Zone) -> String {
        let local = self.to_chrono().with_timezone(&zone.0);
        format!("{}", local.format("%Y-%m-%d %H:%M:%S %Z"))
    }

    /// Returns day and minute in a zone, for sentences: `24 Nov 11:30 WET`.
    pub fn short_in(self, zone: Zone) -> String {
        let local = self.to_chrono().with_timezone(&zone.0);
        format!("{}", local.format("%-d %b %H:%M %Z"))
    }
}

impl From<DateTime<Utc>> for UtcTime {
    fn from(time: DateTime<Utc>) -> Self {
        Self(time.timestamp_micros())
    }
}

impl fmt::Display for UtcTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = self.to_chrono();
        let form = if self.0.rem_euclid(1_000_000) == 0 { "%Y-%m-%dT%H:%M:%SZ" } else { "%Y-%m-%dT%H:%M:%S%.6fZ" };
        write!(f, "{}", time.format(form))
    }
}

impl fmt::Debug for UtcTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for UtcTime {
    type Err = BadTime;
    fn from_str(text: &str) -> Result<Self, BadTime> {
        let bad = || BadTime::NotATime(text.chars().take(64).collect());
        let time = DateTime::parse_from_rfc3339(text).map_err(|_| bad())?.with_timezone(&Utc);
        if !(2000..=2100).contains(&time.year()) {
            return Err(bad());
        }
        Ok(Self::from(time))
    }
}

impl Serialize for UtcTime {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for UtcTime {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        DateTime::parse_from_rfc3339(&text).map(|t| Self::from(t.with_timezone(&Utc))).map_err(|_| {
            serde::de::Error::custom(format!("`{}` is not a time", text.chars().take(64).collect::<String>()))
        })
    }
}

impl JsonSchema for UtcTime {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "UtcTime".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"type": "string", "format": "date-time"})
    }
}

/// Why a text is no time, span or zone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadTime {
    /// Not RFC 3339, or outside the years 2000 to 2100.
    #[error("`{0}` is not a time; write it as 2026-11-24T09:10:00Z, years 2000 to 2100")]
    NotATime(String),
    /// Not a number with s, m, h or d.
    #[error("`{0}` is not a span of time; write it as 90s, 20m, 24h or 7d")]
    NotASpan(String),
    /// Not a name of the time zone database.
    #[error("`{0}` is not a time zone; write it as Europe/London")]
    NotAZone(String),
}

/// A span of time, in microseconds. Written as `90s`, `20m`, `24h`, `7d`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Span(i64);

impl Span {
    /// No time at all.
    pub const ZERO: Self = Self(0);

    /// Returns a span of whole seconds.
    pub const fn seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1_000_000))
    }
    /// Returns a span of whole minutes.
    pub const fn minutes(minutes: i64) -> Self {
        Self::seconds(minutes.saturating_mul(60))
    }
    /// Returns a span of whole hours.
    pub const fn hours(hours: i64) -> Self {
        Self::minutes(hours.saturating_mul(60))
    }
    /// Returns a span of days of 24 hours.
    pub const fn days(days: i64) -> Self {
        Self::hours(days.saturating_mul(24))
    }
    /// Returns a span of microseconds.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }
    /// Returns the span in microseconds.
    pub const fn micros(self) -> i64 {
        self.0
    }
    /// Returns the span in whole seconds, rounded down.
    pub const fn whole_seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }
    /// Returns the span as the standard library has it; a negative span is none.
    pub fn to_std(self) -> std::time::Duration {
        std::time::Duration::from_micros(u64::try_from(self.0).unwrap_or(0))
    }
    /// Returns `times` this span.
    pub const fn times(self, times: i64) -> Self {
        Self(self.0.saturating_mul(times))
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0 / 1_000_000;
        match seconds {
            s if self.0 % 1_000_000 != 0 => write!(f, "{}.{:03}s", s, (self.0 % 1_000_000).abs() / 1000),
            s if s != 0 && s % 86_400 == 0 => write!(f, "{}d", s / 86_400),
            s if s != 0 && s % 3_600 == 0 => write!(f, "{}h", s / 3_600),
            s if s != 0 && s % 60 == 0 => write!(f, "{}m", s / 60),
            s => write!(f, "{s}s"),
        }
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Span {
    type Err = BadTime;
    fn from_str(text: &str) -> Result<Self, BadTime> {
        let bad = || BadTime::NotASpan(text.chars().take(64).collect());
        let unit = text.chars().last().ok_or_else(bad)?;
        let number = text.strip_suffix(unit).ok_or_else(bad)?;
        let factor: i64 = match unit {
            's' => 1_000_000,
            'm' => 60_000_000,
            'h' => 3_600_000_000,
            'd' => 86_400_000_000,
            _ => return Err(bad()),
        };
        let (whole, part) = number.split_once('.').unwrap_or((number, ""));
        let digits = |t: &str| t.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || !digits(whole) || !digits(part) || part.len() > 6 || whole.len() > 9 {
            return Err(bad());
        }
        let whole: i64 = whole.parse().map_err(|_| bad())?;
        let scale = 10_i64.pow(u32::try_from(part.len()).unwrap_or(0));
        let part: i64 = if part.is_empty() { 0 } else { part.parse().map_err(|_| bad())? };
        let total = whole.checked_mul(factor).ok_or_else(bad)?;
        let total = total.checked_add(part.saturating_mul(factor / scale)).ok_or_else(bad)?;
        if total > Self::days(36_600).0 {
            return Err(bad());
        }
        Ok(Self(total))
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Span {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Span".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"type": "string", "pattern": "^[0-9]{1,9}(\\.[0-9]{1,6})?[smhd]$"})
    }
}

/// Time from publication to measurement, as the brief names it. Only snapshots of one age are ever compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct SnapshotAge(pub Span);

impl fmt::Display for SnapshotAge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// From `from` (inclusive) to `until` (inclusive).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Window {
    /// The first moment inside.
    pub from: UtcTime,
    /// The last moment inside.
    pub until: UtcTime,
}

impl Window {
    /// Tells whether a moment is inside.
    pub fn holds(&self, time: UtcTime) -> bool {
        self.from <= time && time <= self.until
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} .. {}", self.from, self.until)
    }
}

/// A zone of the time zone database, which is built into the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Zone(chrono_tz::Tz);

impl Zone {
    /// UTC.
    pub const UTC: Self = Self(chrono_tz::UTC);

    /// Returns the local date, hour (0 to 23), minute and whether the day is a Saturday or Sunday.
    pub fn local(self, time: UtcTime) -> LocalTime {
        let local = time.to_chrono().with_timezone(&self.0);
        LocalTime {
            date: local.date_naive(),
            hour: local.hour(),
            minute: local.minute(),
            weekend: matches!(local.weekday(), chrono::Weekday::Sat | chrono::Weekday::Sun),
            weekday: local.weekday(),
            offset: Span::seconds(i64::from(local.offset().fix().local_minus_utc())),
        }
    }

    /// Returns the moment of a wall time; the first one where a clock change doubles it, `None` where the hour does
    /// not exist.
    pub fn at(self, date: NaiveDate, time: NaiveTime) -> Option<UtcTime> {
        self.0.from_local_datetime(&date.and_time(time)).earliest().map(|t| UtcTime::from(t.with_timezone(&Utc)))
    }
}

/// A moment as a wall clock in some zone shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LocalTime {
    /// The day.
    pub date: NaiveDate,
    /// 0 to 23.
    pub hour: u32,
    /// 0 to 59.
    pub minute: u32,
    /// Saturday or Sunday.
    pub weekend: bool,
    /// Monday to Sunday.
    pub weekday: chrono::Weekday,
    /// Ahead of UTC by this much.
    pub offset: Span,
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.name())
    }
}

impl FromStr for Zone {
    type Err = BadTime;
    fn from_str(text: &str) -> Result<Self, BadTime> {
        text.parse().map(Self).map_err(|_| BadTime::NotAZone(text.chars().take(64).collect()))
    }
}

impl Serialize for Zone {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(self.0.name())
    }
}

impl<'de> Deserialize<'de> for Zone {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn spans_read_as_people_write_them() {
        for (text, micros) in
            [("90s", 90_000_000), ("1.5h", 5_400_000_000), ("0.05h", 180_000_000), ("7d", 604_800_000_000)]
        {
            assert_eq!(text.parse::<Span>().unwrap().micros(), micros, "{text}");
        }
        for bad in ["", "s", "5", "-5s", "5x", "1e3s", "٣s", "99999999999s", "1.s.", "h5"] {
            assert!(bad.parse::<Span>().is_err(), "{bad}");
        }
    }

    #[test]
    fn an_hour_that_does_not_exist_is_no_moment() {
        let zone: Zone = "Europe/Berlin".parse().unwrap();
        let night = NaiveDate::from_ymd_opt(2027, 3, 28).unwrap();
        assert_eq!(zone.at(night, NaiveTime::from_hms_opt(2, 30, 0).unwrap()), None);
        assert!(zone.at(night, NaiveTime::from_hms_opt(3, 30, 0).unwrap()).is_some());
    }

    proptest! {
        #[test]
        fn times_and_spans_read_back_as_written(micros in 946_684_800_000_000_i64..4_102_444_800_000_000, span in 0_i64..86_400_000_000) {
            let time = UtcTime::from_micros(micros);
            prop_assert_eq!(time.to_string().parse::<UtcTime>().unwrap(), time);
            let span = Span::from_micros(span / 1000 * 1000);
            prop_assert_eq!(span.to_string().parse::<Span>().unwrap(), span);
        }
    }
}
