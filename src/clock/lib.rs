//! Time and chance, both passed in: wall and boot time, sleeping until, deadlines, clock jumps, seed streams.
//!
//! Decided here: what time it is, how long something may take, whether the wall clock was moved, and where every random
//! number comes from. Not here: agency and client time zones (`domain`), what is held after a jump (`engine`), what is due.
//! No other crate reads the system's clock, sleeps, sets a timeout or asks the system for randomness.
//!
//! Two readings, never mixed: **wall** time says when something is due and may be stepped by anybody; **boot** time says
//! how long something took, never goes back, and goes on while the machine is suspended.

mod deadline;
mod jump;
mod manual;
mod real;
mod scaled;
mod seeds;

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use chrono::{DateTime, Utc};

pub use deadline::{Elapsed, within};
pub use jump::{JUMP_HOLD, JUMP_MIN, Jump, JumpWatch, Mark};
pub use manual::ManualClock;
pub use rand_chacha::ChaCha12Rng;
pub use real::RealClock;
pub use scaled::{ScaledClock, Speed};
pub use seeds::{EntropyFailed, Seeds, entropy_seed, fresh_bytes};

/// A wait that ends when its time has come; dropping it ends it early.
pub type Sleep = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Time since the machine was started, suspend included. Comparable only within one run of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Boot(Duration);

impl Boot {
    /// Returns the reading that lies `since_start` after the machine's start.
    pub const fn from_duration(since_start: Duration) -> Self {
        Self(since_start)
    }

    /// Returns the time since the machine's start.
    pub const fn as_duration(self) -> Duration {
        self.0
    }

    /// Returns how much later this is than `earlier`; zero if it is not later.
    pub const fn since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }

    /// Returns the reading `by` later; the far end of time stays the far end.
    pub const fn plus(self, by: Duration) -> Self {
        Self(self.0.saturating_add(by))
    }
}

/// The one source of time. Held as `Arc<dyn Clock>`; real, scaled or stepped by hand.
pub trait Clock: Send + Sync {
    /// Returns the wall time, UTC. May go back or jump: never subtract two of them to learn how long something took.
    fn wall(&self) -> DateTime<Utc>;

    /// Returns the time since boot; never goes back.
    fn boot(&self) -> Boot;

    /// Waits until the wall clock shows `due` or later. Over at once if it does already.
    ///
    /// The wall clock is read again at least every 60 s, so that a step or a suspend delays the end by no more than that.
    fn sleep_until(&self, due: DateTime<Utc>) -> Sleep;

    /// Waits until boot time reaches `due`. Steps of the wall clock do not matter.
    fn sleep_until_boot(&self, due: Boot) -> Sleep;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boot_differences_never_go_below_zero_or_over_the_end() {
        let early = Boot::from_duration(Duration::from_secs(5));
        let late = early.plus(Duration::from_secs(2));
        assert_eq!(late.since(early), Duration::from_secs(2));
        assert_eq!(early.since(late), Duration::ZERO);
        assert_eq!(early.plus(Duration::MAX).as_duration(), Duration::MAX);
        assert!(late > early);
    }
}
