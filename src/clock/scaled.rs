//! Real time at another speed, from a chosen day on: demonstrations, and rehearsals one can watch.
//!
//! Decided here: how virtual time follows real boot time, and that waits notice a change of speed at once.
//! Virtual wall and boot time run together, so no jump is ever seen on this clock.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::watch;

use crate::real::{REREAD, nap, wall_left, wall_plus};
use crate::{Boot, Clock, RealClock, Sleep};

/// How many virtual seconds pass in a real one: 0 (time stands still) to 1,000,000.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Speed(f64);

impl Speed {
    /// As fast as real time.
    pub const REAL: Self = Self(1.0);

    /// Returns the speed; `None` if it is negative, above a million, or no number.
    pub fn new(times: f64) -> Option<Self> {
        (0.0..=1e6).contains(&times).then_some(Self(times))
    }

    /// Returns virtual seconds per real second.
    pub const fn times(self) -> f64 {
        self.0
    }

    /// Returns the virtual time that passes in `real`.
    fn virtually(self, real: Duration) -> Duration {
        Duration::try_from_secs_f64(real.as_secs_f64() * self.0).unwrap_or(Duration::MAX)
    }

    /// Returns the real time in which `virtually` passes; the longest there is while time stands still.
    fn really(self, virtually: Duration) -> Duration {
        Duration::try_from_secs_f64(virtually.as_secs_f64() / self.0).unwrap_or(Duration::MAX)
    }
}

/// A clock that starts at a given wall time and runs at a `Speed`. Clones are the same clock.
#[derive(Debug, Clone)]
pub struct ScaledClock {
    anchor: Arc<Mutex<Anchor>>,
    changed: watch::Sender<()>,
}

/// Where virtual time stood when the speed was last set.
#[derive(Debug, Clone, Copy)]
struct Anchor {
    real: Boot,
    wall: DateTime<Utc>,
    boot: Boot,
    speed: Speed,
}

impl Anchor {
    /// Returns the same clock anchored at real time `now`.
    fn moved_to(self, now: Boot) -> Self {
        let passed = self.speed.virtually(now.since(self.real));
        Self { real: now, wall: wall_plus(self.wall, passed), boot: self.boot.plus(passed), speed: self.speed }
    }
}

impl ScaledClock {
    /// Starts a clock that shows `start` now. Its boot time starts at 0.
    pub fn new(start: DateTime<Utc>, speed: Speed) -> Self {
        let anchor = Anchor { real: RealClock.boot(), wall: start, boot: Boot::default(), speed };
        Self { anchor: Arc::new(Mutex::new(anchor)), changed: watch::Sender::new(()) }
    }

    /// Returns the present speed.
    pub fn speed(&self) -> Speed {
        self.now().speed
    }

    /// Runs on at `speed` from now. Time already passed does not change.
    pub fn set_speed(&self, speed: Speed) {
        let mut anchor = self.anchor.lock().unwrap_or_else(PoisonError::into_inner);
        *anchor = Anchor { speed, ..anchor.moved_to(RealClock.boot()) };
        drop(anchor);
        self.changed.send_replace(());
    }

    fn now(&self) -> Anchor {
        self.anchor.lock().unwrap_or_else(PoisonError::into_inner).moved_to(RealClock.boot())
    }

    /// Waits until `left` says that nothing is left; asks again after every change of speed.
    async fn wait(self, left: impl Fn(Anchor) -> Option<Duration> + Send) {
        let mut changed = self.changed.subscribe();
        loop {
            // Marked as seen before time is read: a change from here on ends the nap.
            changed.mark_unchanged();
            let now = self.now();
            let Some(left) = left(now) else { return };
            tokio::select! {
                biased;
                // Cannot fail: `self` holds a sender.
                _ = changed.changed() => {}
                () = nap(now.speed.really(left).min(REREAD)) => {}
            }
        }
    }
}

impl Clock for ScaledClock {
    fn wall(&self) -> DateTime<Utc> {
        self.now().wall
    }

    fn boot(&self) -> Boot {
        self.now().boot
    }

    fn sleep_until(&self, due: DateTime<Utc>) -> Sleep {
        Box::pin(self.clone().wait(move |now| wall_left(due, now.wall)))
    }

    fn sleep_until_boot(&self, due: Boot) -> Sleep {
        Box::pin(self.clone().wait(move |now| Some(due.since(now.boot)).filter(|left| !left.is_zero())))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{JumpWatch, within};

    fn start() -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000, 0).expect("in range")
    }

    fn speed(times: f64) -> Speed {
        Speed::new(times).expect("in range")
    }

    #[test]
    fn only_sensible_speeds_exist() {
        for bad in [-1.0, f64::NAN, f64::INFINITY, 1e6 + 1.0] {
            assert_eq!(Speed::new(bad), None, "{bad}");
        }
        assert_eq!(Speed::new(0.0).map(Speed::times), Some(0.0));
        assert_eq!(speed(0.0).really(Duration::from_secs(1)), Duration::MAX);
        assert_eq!(speed(60.0).really(Duration::from_secs(60)), Duration::from_secs(1));
    }

    #[tokio::test]
    async fn an_hour_passes_in_a_blink_and_wall_and_boot_agree() {
        let clock = ScaledClock::new(start(), speed(100_000.0));
        let mut watch = JumpWatch::new(&clock);
        let real = RealClock.boot();
        clock.sleep_until(wall_plus(start(), Duration::from_secs(3600))).await;
        assert!(clock.wall() >= wall_plus(start(), Duration::from_secs(3600)));
        assert!(clock.boot() >= Boot::from_duration(Duration::from_secs(3600)));
        assert!(RealClock.boot().since(real) < Duration::from_secs(10));
        assert_eq!(watch.look(&clock), None);
    }

    #[tokio::test]
    async fn a_sleeper_of_a_still_clock_wakes_after_the_speed_is_raised() {
        let clock = ScaledClock::new(start(), speed(0.0));
        let sleeper = tokio::spawn(clock.sleep_until_boot(Boot::from_duration(Duration::from_secs(3600))));
        nap(Duration::from_millis(20)).await;
        assert_eq!(clock.wall(), start());
        assert!(!sleeper.is_finished());
        clock.set_speed(speed(1e6));
        assert_eq!(clock.speed(), speed(1e6));
        within(&RealClock, Duration::from_secs(10), sleeper).await.expect("wakes").expect("does not panic");
    }

    proptest! {
        #[test]
        fn time_runs_on_without_a_jump_through_any_changes_of_speed(
            steps in prop::collection::vec(
                (0_u64..10_000_000, prop::sample::select(vec![0.0, 0.5, 1.0, 10.0, 60.0, 300.0, 1_800.0, 1e6])),
                1..40,
            ),
        ) {
            let real = Boot::from_duration(Duration::from_secs(1_000));
            let mut anchor = Anchor { real, wall: start(), boot: Boot::default(), speed: speed(60.0) };
            let (mut real, mut expected) = (real, 0.0);
            for (micros, times) in steps {
                let before = anchor;
                let passed = Duration::from_micros(micros);
                // Looked at half-way: never behind what was shown, never ahead of what will be.
                let half = anchor.moved_to(real.plus(passed / 2));
                real = real.plus(passed);
                expected += passed.as_secs_f64() * anchor.speed.times();
                anchor = anchor.moved_to(real);
                prop_assert!(before.wall <= half.wall && half.wall <= anchor.wall);
                prop_assert!(before.boot <= half.boot && half.boot <= anchor.boot);
                // A change of speed at this moment moves nothing at this moment.
                let changed = Anchor { speed: speed(times), ..anchor };
                prop_assert_eq!(changed.moved_to(real).wall, anchor.wall);
                prop_assert_eq!(changed.moved_to(real).boot, anchor.boot);
                anchor = changed;
            }
            let boot = anchor.boot.since(Boot::default());
            let wall = anchor.wall.signed_duration_since(start()).to_std().unwrap();
            prop_assert!((boot.as_secs_f64() - expected).abs() < 1e-3, "{boot:?} {expected}");
            prop_assert_eq!(wall, boot);
        }
    }

    #[test]
    fn a_change_of_speed_never_moves_the_clock() {
        let clock = ScaledClock::new(start(), speed(1e6));
        let before = clock.wall();
        clock.set_speed(speed(0.0));
        let stopped = clock.wall();
        assert!(stopped >= before);
        assert_eq!(clock.wall(), stopped);
    }
}
