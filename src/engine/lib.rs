//! The engine: the system acts, on time.
//!
//! Decides when each task takes its next step; what a step may do is decided by `domain`, inside the store. Every step is a
//! function of store and clock: find what is due, do one thing, record it. A wake-up carries no content, so that the path
//! after a crash is the daily path. Nobody polls: a task sleeps until something is due or something changed.
//!
//! | task | does |
//! |---|---|
//! | `connect` | logs in where a person asked for it |
//! | `settle` | looks at what is in doubt, and repeats what the platform deduplicates |
//! | `launch` | makes posts ready ahead of their slot, and makes them visible at it |
//! | `reply` | makes ready and visible, one at a time, what a person sent |
//! | `verify` | reads back what is out, as somebody who is not logged in |
//! | `collect` | reads metrics at equal ages, posts made by hand, and comments for a person to answer |
//! | `watch` | stops an account at once when an answer says that it is warned, challenged or restricted |
//! | `review` | says what an experiment says once its last reading is in, or once nothing can change it |
//! | `tend` | refreshes logins, keeps the heartbeat |

mod collect;
mod commit;
mod connect;
mod error;
mod launch;
mod listen;
mod logins;
mod pulse;
mod review;
mod settle;
mod tend;
mod verify;
mod watch;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use clock::{Clock, JumpWatch, Seeds};
use domain::id::AccountId;
use domain::post::PostKind;
use domain::surface::Surfaces;
use domain::time::{Span, UtcTime};
use store::facts::Surroundings;
use store::{Home, Store};
use tokio::sync::{Notify, OnceCell};

pub use error::EngineError;
pub use logins::AdapterMaker;
pub use pulse::Beat;

use logins::Adapters;
use pulse::Pulse;
use watch::Alarms;

/// One of the engine's tasks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Task {
    /// Logs in.
    Connect,
    /// Settles doubt.
    Settle,
    /// Sends.
    Launch,
    /// Sends what a person answered.
    Reply,
    /// Reads back.
    Verify,
    /// Measures.
    Collect,
    /// Stops accounts.
    Watch,
    /// Says what was found.
    Review,
    /// Keeps house.
    Tend,
}

impl Task {
    /// All tasks, in the order in which a new owner takes their first step: what is in doubt comes before anything new.
    pub const ALL: [Self; 9] = [
        Self::Settle,
        Self::Connect,
        Self::Watch,
        Self::Launch,
        Self::Reply,
        Self::Verify,
        Self::Collect,
        Self::Review,
        Self::Tend,
    ];

    /// Returns the name that health and events use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Settle => "settle",
            Self::Launch => "launch",
            Self::Reply => "reply",
            Self::Verify => "verify",
            Self::Collect => "collect",
            Self::Watch => "watch",
            Self::Review => "review",
            Self::Tend => "tend",
        }
    }
}

/// What an engine is given beside store and clock.
#[derive(Clone)]
pub struct World {
    /// Names the rules in force; part of every approval.
    pub packs: String,
    /// Where randomness comes from.
    pub seeds: Seeds,
    /// Who speaks for an account.
    pub adapters: AdapterMaker,
}

/// The engine of one home.
#[derive(Clone)]
pub struct Engine {
    inner: Arc<Inner>,
}

pub(crate) struct Inner {
    store: Store,
    home: Home,
    clock: Arc<dyn Clock>,
    packs: String,
    adapters: Adapters,
    alarms: Arc<Alarms>,
    seeds: Seeds,
    pulse: Pulse,
    jumps: Mutex<JumpWatch>,
    /// Accounts on which a request is under way: nobody else touches them (rule 6).
    busy: Mutex<BTreeSet<AccountId>>,
    freed: Notify,
    stopping: tokio::sync::watch::Sender<bool>,
    begun: OnceCell<()>,
    /// Why a request's own task ended the engine.
    failure: Mutex<Option<EngineError>>,
    /// When a read that did not succeed is tried again. Lost in a restart, which only means that it is tried at once.
    again: Mutex<std::collections::BTreeMap<String, (u32, UtcTime)>>,
    /// What each surface takes and tells.
    surfaces: Arc<Surfaces>,
    /// Of what an experiment's posts were when it was last asked whether anything can still change its verdict. Lost in a
    /// restart, which only means that it is asked once more.
    weighed: Mutex<std::collections::BTreeMap<domain::id::ExperimentId, domain::hash::Digest>>,
}

impl Engine {
    /// Makes the engine of a store that this process owns.
    pub fn new(store: Store, home: Home, clock: Arc<dyn Clock>, world: World) -> Self {
        let World { packs, seeds, adapters } = world;
        let jumps = Mutex::new(JumpWatch::new(&*clock));
        let adapters = Adapters::new(adapters);
        let inner = Inner {
            store,
            home,
            clock,
            packs,
            adapters,
            alarms: Arc::default(),
            seeds,
            pulse: Pulse::default(),
            jumps,
            busy: Mutex::default(),
            freed: Notify::new(),
            stopping: tokio::sync::watch::Sender::new(false),
            begun: OnceCell::new(),
            failure: Mutex::default(),
            again: Mutex::default(),
            surfaces: Arc::new(Surfaces::embedded().clone()),
            weighed: Mutex::default(),
        };
        Self { inner: Arc::new(inner) }
    }

    /// Goes by these surfaces in place of the ones built in: those that the desk of this home goes by.
    ///
    /// Has no effect on an engine that has clones: they would go by others.
    #[must_use]
    pub fn on_surfaces(mut self, surfaces: Surfaces) -> Self {
        if let Some(inner) = Arc::get_mut(&mut self.inner) {
            inner.surfaces = Arc::new(surfaces);
        }
        self
    }

    /// Returns what the tasks say of themselves, for whoever asks.
    pub fn beats(&self) -> Vec<Beat> {
        self.inner.pulse.beats()
    }

    /// Asks the engine to end: no new request begins; those under way are waited for.
    pub fn stop(&self) {
        self.inner.stopping.send_replace(true);
    }

    /// Does what a new owner does before anybody sees it: a store that moved is put on hold, what a dead engine left is
    /// settled as far as the store alone tells (R16). May be called again; it is done once.
    pub async fn begin(&self) -> Result<(), EngineError> {
        let inner = &self.inner;
        let work = || async {
            inner.hold_if_moved().await?;
            inner.settle_after_restart().await
        };
        inner.begun.get_or_try_init(work).await?;
        Ok(())
    }

    /// Runs until asked to stop, or until the store says that another engine owns it.
    pub async fn run(&self) -> Result<(), EngineError> {
        let inner = &self.inner;
        self.begin().await?;
        let mut tasks = tokio::task::JoinSet::new();
        for task in Task::ALL {
            let inner = Arc::clone(inner);
            tasks.spawn(async move { inner.drive(task).await });
        }
        let mut end = Ok(());
        while let Some(joined) = tasks.join_next().await {
            let result = joined.unwrap_or_else(|e| Err(EngineError::TaskDied { why: e.to_string() }));
            if result.is_err() && end.is_ok() {
                end = result;
                self.stop();
            }
        }
        inner.wait_until_idle().await;
        let failure = inner.failure.lock().unwrap_or_else(PoisonError::into_inner).take();
        failure.map_or(end, Err)
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").field("home", &self.inner.home.root).finish_non_exhaustive()
    }
}

/// How long a stop waits for requests that are under way.
const DRAIN: Span = Span::seconds(60);

impl Inner {
    async fn drive(self: Arc<Self>, task: Task) -> Result<(), EngineError> {
        let mut changes = self.store.changes();
        let mut stopping = self.stopping.subscribe();
        loop {
            changes.mark_unchanged();
            let freed = self.freed.notified();
            let rang = self.alarms.rang.notified();
            if *stopping.borrow_and_update() {
                return Ok(());
            }
            self.pulse.begun(task, self.now());
            let next = match self.step(task).await {
                Ok(next) => {
                    self.has_room(task);
                    next
                }
                Err(error) if error.is_full_disk() => Some(self.no_room(task, &room(task), &error)),
                Err(error) => return Err(error),
            };
            self.pulse.done(task, self.now(), next);
            let due = next.unwrap_or_else(|| self.now().plus(Span::hours(24)));
            tokio::select! {
                biased;
                _ = stopping.changed() => {}
                changed = changes.changed() => if changed.is_err() { return Err(EngineError::StoreClosed) },
                () = freed => {}
                () = rang, if task == Task::Watch => {}
                () = self.clock.sleep_until(due.to_chrono()) => {}
            }
        }
    }

    /// Takes one step, and returns when the next is due. A failure of the world is noted and tried again; a failure of the
    /// store ends the engine.
    async fn step(self: &Arc<Self>, task: Task) -> Result<Option<UtcTime>, EngineError> {
        match task {
            Task::Connect => self.connect().await,
            Task::Settle => self.settle().await,
            Task::Launch => self.launch(Task::Launch, PostKind::Post).await,
            Task::Reply => self.launch(Task::Reply, PostKind::Reply).await,
            Task::Verify => self.verify().await,
            Task::Collect => self.collect().await,
            Task::Watch => self.watch().await,
            Task::Review => self.review().await,
            Task::Tend => self.tend().await,
        }
    }

    /// Does one account's work beside the tasks. A failing store ends the engine.
    pub(crate) fn beside<F>(self: &Arc<Self>, task: Task, taken: Taken, work: F)
    where
        F: Future<Output = Result<(), EngineError>> + Send + 'static,
    {
        let inner = Arc::clone(self);
        tokio::spawn(async move {
            let key = format!("room {}", taken.account);
            // In a task of its own, so that a panic in it is told and ends the engine like any other failure.
            let worked = tokio::spawn(work).await;
            if let Err(error) = worked.unwrap_or_else(|e| Err(EngineError::TaskDied { why: e.to_string() })) {
                if error.is_full_disk() {
                    // The account stays taken meanwhile: to give it back wakes every task, and each would try at once.
                    let until = inner.no_room(task, &key, &error);
                    inner.until_or_stopped(until).await;
                    return;
                }
                inner.pulse.went_wrong(task, error.to_string());
                *inner.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                inner.stopping.send_replace(true);
            }
            inner.succeeded(&key);
            drop(taken);
        });
    }

    async fn until_or_stopped(&self, until: UtcTime) {
        let mut stopping = self.stopping.subscribe();
        tokio::select! {
            biased;
            _ = stopping.wait_for(|asked| *asked) => {}
            () = self.clock.sleep_until(until.to_chrono()) => {}
        }
    }

    /// Nothing could be stored, which is certain, and nothing was sent: the engine goes on, says so, and tries again.
    fn no_room(&self, task: Task, key: &str, error: &EngineError) -> UtcTime {
        self.pulse.went_wrong(task, error.to_string());
        self.try_again(key)
    }

    fn has_room(&self, task: Task) {
        if self.due_again(&room(task)) > UtcTime::from_micros(0) {
            self.succeeded(&room(task));
            self.pulse.went_well(task);
        }
    }

    pub(crate) fn now(&self) -> UtcTime {
        UtcTime::from(self.clock.wall())
    }

    /// Returns what the store does not know: the rules in force, and until when the clock is not trusted (I18).
    pub(crate) fn surroundings(&self) -> Surroundings {
        let mut jumps = self.jumps.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(jump) = jumps.look(&*self.clock) {
            tracing::warn!(by_seconds = jump.by.num_seconds(), "the clock jumped; nothing goes out for ten minutes");
        }
        let left = jumps.hold_left(&*self.clock);
        let clock_hold =
            left.map(|left| self.now().plus(Span::from_micros(i64::try_from(left.as_micros()).unwrap_or(i64::MAX))));
        Surroundings { packs: self.packs.clone(), clock_hold }
    }

    /// Takes an account for one request; `None` where somebody has it.
    pub(crate) fn take_account(self: &Arc<Self>, account: &AccountId) -> Option<Taken> {
        let mut busy = self.busy.lock().unwrap_or_else(PoisonError::into_inner);
        busy.insert(account.clone()).then(|| Taken { inner: Arc::clone(self), account: account.clone() })
    }

    /// Tells whether somebody has an account.
    pub(crate) fn is_taken(&self, account: &AccountId) -> bool {
        self.busy.lock().unwrap_or_else(PoisonError::into_inner).contains(account)
    }

    /// Tells whether the engine was asked to end.
    pub(crate) fn is_stopping(&self) -> bool {
        *self.stopping.borrow()
    }

    async fn wait_until_idle(&self) {
        let end = self.now().plus(DRAIN);
        loop {
            let freed = self.freed.notified();
            if self.busy.lock().unwrap_or_else(PoisonError::into_inner).is_empty() || self.now() >= end {
                return;
            }
            tokio::select! {
                biased;
                () = freed => {}
                () = self.clock.sleep_until(end.to_chrono()) => {}
            }
        }
    }

    /// Notes that something did not succeed, and returns when it is tried again: after 2 s, then twice as long each time, up
    /// to two minutes.
    pub(crate) fn try_again(&self, key: &str) -> UtcTime {
        let mut again = self.again.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.now();
        let entry = again.entry(key.to_owned()).or_insert((0, now));
        entry.0 = entry.0.saturating_add(1);
        let seconds = 2_i64.saturating_pow(entry.0.min(7)).min(120);
        entry.1 = now.plus(Span::seconds(seconds));
        entry.1
    }

    /// Returns when something that did not succeed is due again; now where it never failed.
    pub(crate) fn due_again(&self, key: &str) -> UtcTime {
        let again = self.again.lock().unwrap_or_else(PoisonError::into_inner);
        again.get(key).map_or(UtcTime::from_micros(0), |(_, due)| *due)
    }

    /// Notes when something is due again that succeeded.
    pub(crate) fn due_at(&self, key: &str, due: UtcTime) {
        self.again.lock().unwrap_or_else(PoisonError::into_inner).insert(key.to_owned(), (0, due));
    }

    /// Forgets that something did not succeed.
    pub(crate) fn succeeded(&self, key: &str) {
        self.again.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
    }
}

fn room(task: Task) -> String {
    format!("room {}", task.as_str())
}

/// An account that is taken for one request; free again when this is dropped.
pub(crate) struct Taken {
    inner: Arc<Inner>,
    account: AccountId,
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.inner.busy.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.account);
        self.inner.freed.notify_waiters();
    }
}

/// Returns the earlier of two due times.
pub(crate) fn sooner(one: Option<UtcTime>, other: Option<UtcTime>) -> Option<UtcTime> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, None) => one,
        (None, other) => other,
    }
}
