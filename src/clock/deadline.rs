//! Deadlines: how long something may take.
//!
//! Decided here: that a deadline counts boot time, and that a result which is there wins over a deadline that has passed.
//! What to do about a missed deadline is the caller's business: for a request that may be on its way it means doubt.

use std::future::Future;
use std::time::Duration;

use crate::Clock;

/// What was waited for did not come in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not done within {limit:?}")]
pub struct Elapsed {
    /// How long was waited.
    pub limit: Duration,
}

/// Waits for `future`, but no longer than `limit` of boot time from this call on.
///
/// A future that is ready when it is looked at counts as in time, however late that look is. On a missed deadline the
/// future is dropped. After a suspend the deadline may be noticed up to 60 s late: what must not happen late reads
/// `Clock::boot` itself before it acts.
pub fn within<F: Future>(
    clock: &dyn Clock,
    limit: Duration,
    future: F,
) -> impl Future<Output = Result<F::Output, Elapsed>> + use<F> {
    let deadline = clock.sleep_until_boot(clock.boot().plus(limit));
    async move {
        tokio::select! {
            biased;
            output = future => Ok(output),
            () = deadline => Err(Elapsed { limit }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ManualClock, RealClock};
    use chrono::DateTime;
    use std::future::{pending, ready};

    fn manual() -> ManualClock {
        ManualClock::new(DateTime::from_timestamp(1_800_000_000, 0).expect("in range"))
    }

    #[tokio::test]
    async fn what_is_ready_is_in_time_even_with_no_time_left() {
        assert_eq!(within(&manual(), Duration::ZERO, ready(7)).await, Ok(7));
        assert_eq!(within(&RealClock, Duration::ZERO, ready(7)).await, Ok(7));
    }

    #[tokio::test]
    async fn what_never_comes_is_given_up_at_the_deadline() {
        let clock = manual();
        let limit = Duration::from_secs(5);
        let wait = tokio::spawn(within(&clock, limit, pending::<()>()));
        while clock.sleepers() == 0 {
            tokio::task::yield_now().await;
        }
        clock.set(DateTime::from_timestamp(1_900_000_000, 0).expect("in range"));
        tokio::task::yield_now().await;
        assert!(!wait.is_finished(), "a wall step is no passing of time");
        clock.advance(limit);
        assert_eq!(wait.await.expect("does not panic"), Err(Elapsed { limit }));
    }

    #[tokio::test]
    async fn a_real_deadline_is_kept() {
        let limit = Duration::from_millis(20);
        let error = within(&RealClock, limit, pending::<()>()).await.expect_err("never ready");
        assert_eq!(error.to_string(), "not done within 20ms");
    }
}
