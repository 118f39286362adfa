//! Clock jumps: wall time that moved otherwise than time passed (I18).
//!
//! Decided here: what a jump is, and how long nothing goes out after one. Both clocks are slewed alike by time
//! synchronisation and both go on through suspend, so the difference of their progress changes only when somebody sets
//! the wall clock; small steps add up until they are told. Holding back is the engine's business.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use crate::{Boot, Clock};

/// A difference larger than this is a jump.
pub const JUMP_MIN: Duration = Duration::from_secs(60);

/// How long after a jump nothing goes out.
pub const JUMP_HOLD: Duration = Duration::from_secs(10 * 60);

/// Both clocks, read together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// Wall time, UTC.
    pub wall: DateTime<Utc>,
    /// Time since boot.
    pub boot: Boot,
}

impl Mark {
    /// Reads both clocks.
    pub fn now(clock: &dyn Clock) -> Self {
        Self { wall: clock.wall(), boot: clock.boot() }
    }

    /// Returns by how much the wall clock moved more than time passed since `earlier`; negative if it moved less.
    pub fn skew(self, earlier: Self) -> TimeDelta {
        let passed = TimeDelta::from_std(self.boot.since(earlier.boot)).unwrap_or(TimeDelta::MAX);
        let moved = self.wall.signed_duration_since(earlier.wall);
        moved.checked_sub(&passed).unwrap_or(TimeDelta::MIN)
    }
}

/// An unexplained jump of the wall clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Jump {
    /// How far the wall clock jumped; negative if back.
    pub by: TimeDelta,
    /// When it was noticed.
    pub seen: Mark,
}

/// Watches one clock for jumps. Look before anything goes out and after every wait.
#[derive(Debug, Clone)]
pub struct JumpWatch {
    last: Mark,
    jumped: Option<Boot>,
}

impl JumpWatch {
    /// Starts from the present readings.
    pub fn new(clock: &dyn Clock) -> Self {
        Self::from_mark(Mark::now(clock))
    }

    /// Starts from earlier readings of the same run of the machine.
    pub fn from_mark(last: Mark) -> Self {
        Self { last, jumped: None }
    }

    /// Tells of a jump since the start or the last one told; each is told once.
    pub fn look(&mut self, clock: &dyn Clock) -> Option<Jump> {
        let seen = Mark::now(clock);
        let by = seen.skew(self.last);
        // Not comparable as an absolute TimeDelta: the smallest has none.
        let explained = by.abs().to_std().is_ok_and(|by| by <= JUMP_MIN);
        if explained {
            return None;
        }
        self.last = seen;
        self.jumped = Some(seen.boot);
        Some(Jump { by, seen })
    }

    /// Returns how much of the hold after the last jump is left, by boot time; `None` when nothing is held.
    pub fn hold_left(&self, clock: &dyn Clock) -> Option<Duration> {
        let left = JUMP_HOLD.saturating_sub(clock.boot().since(self.jumped?));
        Some(left).filter(|left| !left.is_zero())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ManualClock;
    use proptest::prelude::*;

    fn at(secs: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + secs, 0).expect("in range")
    }

    #[test]
    fn time_and_suspend_are_no_jump() {
        let clock = ManualClock::new(at(0));
        let mut watch = JumpWatch::new(&clock);
        clock.advance(Duration::from_secs(8 * 3600));
        assert_eq!(watch.look(&clock), None);
        assert_eq!(watch.hold_left(&clock), None);
    }

    #[test]
    fn a_jump_of_more_than_a_minute_is_told_once_and_holds_ten_minutes() {
        for (step, told) in [(60, false), (61, true), (-60, false), (-61, true), (86_400, true)] {
            let clock = ManualClock::new(at(0));
            let mut watch = JumpWatch::new(&clock);
            clock.advance(Duration::from_secs(100));
            clock.set(at(100 + step));
            let jump = watch.look(&clock);
            assert_eq!(jump.map(|jump| jump.by.num_seconds()), told.then_some(step), "{step}");
            assert_eq!(watch.look(&clock), None, "told once");
            assert_eq!(watch.hold_left(&clock), told.then_some(JUMP_HOLD), "{step}");
            clock.advance(Duration::from_secs(599));
            assert_eq!(watch.hold_left(&clock), told.then_some(Duration::from_secs(1)), "{step}");
            clock.advance(Duration::from_secs(1));
            assert_eq!(watch.hold_left(&clock), None, "{step}");
        }
    }

    #[test]
    fn small_steps_add_up_and_steps_there_and_back_do_not() {
        let clock = ManualClock::new(at(0));
        let mut watch = JumpWatch::new(&clock);
        clock.set(at(40));
        assert_eq!(watch.look(&clock), None);
        clock.set(at(-10));
        assert_eq!(watch.look(&clock), None);
        clock.set(at(80));
        assert_eq!(watch.look(&clock).map(|jump| jump.by.num_seconds()), Some(80));
    }

    #[test]
    fn the_ends_of_the_calendar_are_a_jump_and_no_panic() {
        let clock = ManualClock::new(DateTime::<Utc>::MIN_UTC);
        let mut watch = JumpWatch::new(&clock);
        clock.set(DateTime::<Utc>::MAX_UTC);
        assert!(watch.look(&clock).is_some());
        clock.advance(Duration::MAX);
        assert!(watch.look(&clock).is_some());
        clock.set(DateTime::<Utc>::MIN_UTC);
        assert!(watch.look(&clock).is_some());
    }

    proptest! {
        #[test]
        fn exactly_what_was_stepped_is_told(passed in 0_u64..1_000_000, step in -1_000_000_i64..1_000_000) {
            let clock = ManualClock::new(at(0));
            let mut watch = JumpWatch::new(&clock);
            clock.advance(Duration::from_secs(passed));
            clock.set(clock.wall().checked_add_signed(TimeDelta::seconds(step)).expect("in range"));
            let told = watch.look(&clock).map(|jump| jump.by.num_seconds());
            prop_assert_eq!(told, (step.abs() > 60).then_some(step));
        }
    }
}
