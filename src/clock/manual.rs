//! A clock moved by hand: simulations and tests. No threads, no runtime's timers.
//!
//! Decided here: who wakes, in which order. Whoever drives a simulation runs its tasks until none can go on, then calls
//! [`ManualClock::step`]; so each sleeper sees exactly the time it waited for, and equal runs are equal.
//!
//! Invariant: boot time never goes back; a wait is over exactly when its own clock shows its time.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::real::{wall_left, wall_plus};
use crate::{Boot, Clock, Sleep};

/// A clock that stands still until it is moved. Clones are the same clock.
#[derive(Debug, Clone)]
pub struct ManualClock {
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    wall: DateTime<Utc>,
    boot: Boot,
    /// By number of first poll, so that of two with one due time the first to wait is the first to wake.
    sleepers: BTreeMap<u64, Sleeper>,
    next_number: u64,
}

#[derive(Debug)]
struct Sleeper {
    due: Due,
    waker: Waker,
}

#[derive(Debug, Clone, Copy)]
enum Due {
    Wall(DateTime<Utc>),
    Boot(Boot),
}

impl State {
    /// Returns how far away `due` is; `None` once it has come.
    fn left(&self, due: Due) -> Option<Duration> {
        match due {
            Due::Wall(due) => wall_left(due, self.wall),
            Due::Boot(due) => Some(due.since(self.boot)).filter(|left| !left.is_zero()),
        }
    }

    /// Moves both clocks on and takes out the wakers that are due then, in order of due time, then of first poll.
    fn moved_on(&mut self, by: Duration) -> Vec<Waker> {
        let mut due: Vec<(Duration, u64)> = self
            .sleepers
            .iter()
            .map(|(number, sleeper)| (self.left(sleeper.due).unwrap_or_default(), *number))
            .filter(|(left, _)| *left <= by)
            .collect();
        due.sort_unstable();
        self.wall = wall_plus(self.wall, by);
        self.boot = self.boot.plus(by);
        due.into_iter().filter_map(|(_, number)| self.sleepers.remove(&number)).map(|sleeper| sleeper.waker).collect()
    }

    fn until_next(&self) -> Option<Duration> {
        self.sleepers.values().map(|sleeper| self.left(sleeper.due).unwrap_or_default()).min()
    }
}

impl ManualClock {
    /// Returns a clock that shows `start`, 0 s after boot.
    pub fn new(start: DateTime<Utc>) -> Self {
        let state = State { wall: start, boot: Boot::default(), sleepers: BTreeMap::new(), next_number: 0 };
        Self { state: Arc::new(Mutex::new(state)) }
    }

    /// Moves wall and boot time on together, as time and suspend do.
    ///
    /// All sleepers due by then are woken in order of due time, but see the new time: to let each see its own, `step`.
    pub fn advance(&self, by: Duration) {
        let wakers = self.state().moved_on(by);
        wake(wakers);
    }

    /// Steps the wall clock, forward or back; boot time stays. Sleepers that this makes due are woken.
    pub fn set(&self, wall: DateTime<Utc>) {
        let mut state = self.state();
        state.wall = wall;
        let wakers = state.moved_on(Duration::ZERO);
        drop(state);
        wake(wakers);
    }

    /// Returns the time to the next sleeper's end; `None` if nobody sleeps.
    pub fn until_next(&self) -> Option<Duration> {
        self.state().until_next()
    }

    /// Moves on exactly to the next sleeper's end; `false` if nobody sleeps.
    pub fn step(&self) -> bool {
        let mut state = self.state();
        let Some(by) = state.until_next() else { return false };
        let wakers = state.moved_on(by);
        drop(state);
        wake(wakers);
        true
    }

    /// Returns how many are asleep.
    pub fn sleepers(&self) -> usize {
        self.state().sleepers.len()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn sleep(&self, due: Due) -> Sleep {
        let mut bed = Bed { clock: self.clone(), due, number: None };
        Box::pin(poll_fn(move |context| bed.poll(context)))
    }
}

impl Clock for ManualClock {
    fn wall(&self) -> DateTime<Utc> {
        self.state().wall
    }

    fn boot(&self) -> Boot {
        self.state().boot
    }

    fn sleep_until(&self, due: DateTime<Utc>) -> Sleep {
        self.sleep(Due::Wall(due))
    }

    fn sleep_until_boot(&self, due: Boot) -> Sleep {
        self.sleep(Due::Boot(due))
    }
}

/// Outside the lock: a waker may run the sleeper at once, and that reads this clock.
fn wake(wakers: Vec<Waker>) {
    wakers.into_iter().for_each(Waker::wake);
}

/// One wait's place among the sleepers; leaves it when dropped.
struct Bed {
    clock: ManualClock,
    due: Due,
    number: Option<u64>,
}

impl Bed {
    fn poll(&mut self, context: &Context<'_>) -> Poll<()> {
        let mut state = self.clock.state();
        if state.left(self.due).is_none() {
            if let Some(number) = self.number.take() {
                state.sleepers.remove(&number);
            }
            return Poll::Ready(());
        }
        let number = *self.number.get_or_insert_with(|| {
            state.next_number += 1;
            state.next_number
        });
        state.sleepers.insert(number, Sleeper { due: self.due, waker: context.waker().clone() });
        Poll::Pending
    }
}

impl Drop for Bed {
    fn drop(&mut self) {
        if let Some(number) = self.number {
            self.clock.state().sleepers.remove(&number);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::task::Wake;

    fn start() -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000, 0).expect("in range")
    }

    fn secs(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    /// Notes its own number when woken.
    struct Bell {
        number: usize,
        rung: Arc<Mutex<Vec<usize>>>,
    }

    impl Wake for Bell {
        fn wake(self: Arc<Self>) {
            self.rung.lock().expect("not poisoned").push(self.number);
        }
    }

    struct Dormitory {
        clock: ManualClock,
        rung: Arc<Mutex<Vec<usize>>>,
        beds: Vec<Sleep>,
    }

    impl Dormitory {
        fn new() -> Self {
            Self { clock: ManualClock::new(start()), rung: Arc::default(), beds: Vec::new() }
        }

        fn lie_down(&mut self, sleep: Sleep) -> Poll<()> {
            self.beds.push(sleep);
            self.poll(self.beds.len() - 1)
        }

        fn poll(&mut self, number: usize) -> Poll<()> {
            let waker = Waker::from(Arc::new(Bell { number, rung: Arc::clone(&self.rung) }));
            self.beds[number].as_mut().poll(&mut Context::from_waker(&waker))
        }

        fn rung(&self) -> Vec<usize> {
            self.rung.lock().expect("not poisoned").clone()
        }
    }

    #[test]
    fn sleepers_wake_in_order_of_due_time_then_of_lying_down() {
        let mut room = Dormitory::new();
        for wait in [30, 10, 20, 10] {
            let sleep = room.clock.sleep_until(wall_plus(start(), secs(wait)));
            assert!(room.lie_down(sleep).is_pending());
        }
        let sleep = room.clock.sleep_until_boot(Boot::from_duration(secs(15)));
        assert!(room.lie_down(sleep).is_pending());
        room.clock.advance(secs(25));
        assert_eq!(room.rung(), [1, 3, 4, 2]);
        assert_eq!(room.clock.sleepers(), 1);
        assert_eq!(room.clock.until_next(), Some(secs(5)));
    }

    #[test]
    fn a_step_lets_each_sleeper_see_its_own_time() {
        let mut room = Dormitory::new();
        for wait in [20, 10] {
            let sleep = room.clock.sleep_until(wall_plus(start(), secs(wait)));
            assert!(room.lie_down(sleep).is_pending());
        }
        assert!(room.clock.step());
        assert_eq!((room.rung(), room.clock.wall()), (vec![1], wall_plus(start(), secs(10))));
        assert!(room.poll(1).is_ready());
        assert!(room.poll(0).is_pending());
        assert!(room.clock.step());
        assert!(room.poll(0).is_ready());
        assert!(!room.clock.step());
        assert_eq!(room.clock.boot(), Boot::from_duration(secs(20)));
    }

    #[test]
    fn a_wall_step_wakes_wall_sleepers_and_no_others() {
        let mut room = Dormitory::new();
        let by_wall = room.clock.sleep_until(wall_plus(start(), secs(3600)));
        let by_boot = room.clock.sleep_until_boot(Boot::from_duration(secs(3600)));
        assert!(room.lie_down(by_wall).is_pending());
        assert!(room.lie_down(by_boot).is_pending());
        room.clock.set(wall_plus(start(), secs(7200)));
        assert_eq!(room.rung(), [0]);
        assert!(room.poll(0).is_ready());
        room.clock.set(start());
        assert_eq!((room.clock.boot(), room.clock.sleepers()), (Boot::default(), 1));
    }

    #[test]
    fn who_stops_waiting_is_forgotten() {
        let mut room = Dormitory::new();
        let sleep = room.clock.sleep_until(wall_plus(start(), secs(1)));
        assert!(room.lie_down(sleep).is_pending());
        room.beds.clear();
        assert_eq!((room.clock.sleepers(), room.clock.until_next()), (0, None));
    }

    proptest! {
        #[test]
        fn stepping_visits_every_due_time_once_in_order(waits in prop::collection::vec(1_u64..1000, 1..40)) {
            let mut room = Dormitory::new();
            for wait in &waits {
                let sleep = room.clock.sleep_until_boot(Boot::from_duration(secs(*wait)));
                prop_assert!(room.lie_down(sleep).is_pending());
            }
            let mut seen = Vec::new();
            while room.clock.step() {
                seen.push(room.clock.boot().as_duration().as_secs());
            }
            let mut expected = waits.clone();
            expected.sort_unstable();
            expected.dedup();
            prop_assert_eq!(seen, expected);
            prop_assert_eq!(room.rung().len(), waits.len());
        }
    }
}
