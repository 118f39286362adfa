//! The machine's own clocks.
//!
//! Decided here: which clocks are read, and how a wait notices that they were moved. tokio's timers stand still while the
//! machine is suspended, so no wait trusts one for longer than `REREAD`.

use std::time::{Duration, SystemTime};

use chrono::{DateTime, TimeDelta, Utc};
use rustix::time::{ClockId, clock_gettime};

use crate::{Boot, Clock, Sleep};

/// The longest wait between two looks at a clock: a step or a suspend goes unnoticed no longer.
pub(crate) const REREAD: Duration = Duration::from_secs(60);

/// Real time. Its waits need a tokio runtime with time enabled.
#[derive(Debug, Clone, Copy, Default)]
pub struct RealClock;

impl Clock for RealClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the system's wall clock")]
    fn wall(&self) -> DateTime<Utc> {
        DateTime::from(SystemTime::now())
    }

    fn boot(&self) -> Boot {
        let read = clock_gettime(ClockId::Boottime);
        // Boot time is never negative, so neither fallback can be taken.
        let secs = u64::try_from(read.tv_sec).unwrap_or(0);
        let nanos = u32::try_from(read.tv_nsec).unwrap_or(0);
        Boot::from_duration(Duration::new(secs, nanos))
    }

    fn sleep_until(&self, due: DateTime<Utc>) -> Sleep {
        let clock = *self;
        Box::pin(async move {
            while let Some(left) = wall_left(due, clock.wall()) {
                nap(left.min(REREAD)).await;
            }
        })
    }

    fn sleep_until_boot(&self, due: Boot) -> Sleep {
        let clock = *self;
        Box::pin(async move {
            loop {
                let left = due.since(clock.boot());
                if left.is_zero() {
                    return;
                }
                nap(left.min(REREAD)).await;
            }
        })
    }
}

/// Returns how far `due` lies after `now`; `None` once it has come.
pub(crate) fn wall_left(due: DateTime<Utc>, now: DateTime<Utc>) -> Option<Duration> {
    due.signed_duration_since(now).to_std().ok().filter(|left| !left.is_zero())
}

/// Returns the wall time `by` after `from`; the end of the calendar stays the end.
pub(crate) fn wall_plus(from: DateTime<Utc>, by: Duration) -> DateTime<Utc> {
    TimeDelta::from_std(by).ok().and_then(|by| from.checked_add_signed(by)).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

/// Waits by the runtime's timer, which stands still during suspend: at most `REREAD`, then look again.
#[expect(clippy::disallowed_methods, reason = "the one place that waits in real time")]
pub(crate) async fn nap(length: Duration) {
    tokio::time::sleep(length).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boot_time_runs_and_wall_time_is_of_this_age() {
        let clock = RealClock;
        let before = clock.boot();
        std::hint::black_box((0..10_000).sum::<u64>());
        assert!(clock.boot() >= before);
        assert!(before > Boot::default());
        assert!(clock.wall().timestamp() > 1_700_000_000);
    }

    #[tokio::test]
    async fn a_wait_ends_at_its_time_and_one_for_the_past_at_once() {
        let clock = RealClock;
        let started = clock.boot();
        clock.sleep_until(wall_plus(clock.wall(), Duration::from_millis(30))).await;
        let took = clock.boot().since(started);
        assert!(took >= Duration::from_millis(25), "{took:?}");

        clock.sleep_until(DateTime::<Utc>::MIN_UTC).await;
        clock.sleep_until_boot(Boot::default()).await;

        let started = clock.boot();
        clock.sleep_until_boot(started.plus(Duration::from_millis(30))).await;
        assert!(clock.boot().since(started) >= Duration::from_millis(30));
    }

    #[test]
    fn nothing_is_left_of_a_time_that_has_come() {
        let now = RealClock.wall();
        assert_eq!(wall_left(now, now), None);
        assert_eq!(wall_left(now, wall_plus(now, Duration::from_secs(1))), None);
        assert_eq!(wall_left(wall_plus(now, Duration::from_secs(1)), now), Some(Duration::from_secs(1)));
        assert_eq!(wall_plus(now, Duration::MAX), DateTime::<Utc>::MAX_UTC);
    }
}
