//! The store: one SQLite file with the log of everything that happened, read tables folded from it, and sealed logins.
//!
//! Decides how things are kept: chained, durable before they are answered, by one owner at a time. What may happen is the
//! domain's business, who may ask the desk's, when the engine's. Nothing of SQLite shows in what is public here.
//!
//! In reading order: `home` and `lock` (where, and whose), `connection` (how the file is opened), `stored` and `chain`
//! (what stands in it), `tx` and `writer` (how it is changed), `view` (how it is read), `vault`, `audit`.

mod audit;
pub mod breach;
mod chain;
mod connection;
mod convert;
mod error;
pub mod evidence;
pub mod facts;
pub mod follow;
mod home;
mod lock;
mod open;
mod rebuild;
mod stored;
#[cfg(test)]
mod tests;
mod tx;
mod vault;
mod view;
mod writer;

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use clock::Clock;
use domain::aggregate::Epoch;
use domain::id::StoreId;
use domain::post::CommitPermit;
use domain::time::UtcTime;
use rusqlite::Connection;
use tokio::sync::{Semaphore, mpsc, watch};

pub use audit::{AuditReport, Break, BreakKind, audit_verify};
pub use chain::{Anchor, BadAnchor, EventRecord};
pub use connection::SCHEMA_VERSION;
pub use error::{Stop, StoreError, WriteError};
pub use home::Home;
pub use open::Open;
pub use rebuild::Difference;
pub use stored::Stored;
pub use tx::{Cause, Tx};
pub use view::{
    Deed, Escalations, ExperimentFilter, ExternalPost, Heartbeat, LearningFilter, RefusalRecord, Remembered, View,
};
pub use writer::Counts;

use lock::OwnerLock;
use vault::Vault;
use writer::{Asked, GROUP_MAX, Job, Shown, Writer};

/// How many transactions may wait for the writer before callers wait to be let in.
const WAITING_MAX: usize = 2 * GROUP_MAX;

/// How many readings may run at once.
const READERS_MAX: usize = 4;

/// An open store. Clones are the same store; it closes with the last of them.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    way: Way,
    vault: Arc<Vault>,
    shown: Arc<Shown>,
    clock: Arc<dyn Clock>,
    id: StoreId,
    epoch: Epoch,
    home: Option<Home>,
    moved: Option<Moved>,
}

/// A store that stands elsewhere than at its last run.
struct Moved {
    /// What differs, in words.
    told: String,
    /// Where it stands now.
    place: String,
}

/// How a caller's function gets to the file.
enum Way {
    /// On the caller's own thread, over one connection.
    Inline { writer: Mutex<Writer>, _lock: Option<OwnerLock> },
    /// Over the writer's thread and a pool of readers.
    Threads { jobs: Option<mpsc::Sender<Box<dyn Job>>>, thread: Option<JoinHandle<()>>, readers: Readers },
}

/// Read-only connections, made when they are needed.
struct Readers {
    path: std::path::PathBuf,
    idle: Mutex<Vec<Connection>>,
    free: Semaphore,
}

impl Store {
    /// Runs a transaction: all of it is stored, or nothing. Answers after the disk has it.
    ///
    /// Refused where `function` says so; what a person was refused is recorded. `StoreError::Unknown` means that it may
    /// or may not be stored: whatever depends on it must not happen.
    pub async fn write<T, F>(&self, cause: Cause, function: F) -> Result<T, WriteError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Tx<'_>) -> Result<T, Stop> + Send + 'static,
    {
        Ok(self.write_with_permits(cause, function).await?.0)
    }

    /// Runs a transaction like `write`, and gives leave for each attempt that it recorded (rule 2): a permit exists only
    /// after COMMIT of its `PostCommitting` returned, and only here.
    pub async fn write_with_permits<T, F>(
        &self,
        cause: Cause,
        function: F,
    ) -> Result<(T, Vec<CommitPermit>), WriteError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Tx<'_>) -> Result<T, Stop> + Send + 'static,
    {
        let (job, mut answer) = Asked::job(cause, function);
        let ended = || StoreError::WriterEnded { why: "its thread ended".to_owned() };
        match &self.inner.way {
            Way::Inline { writer, .. } => {
                let mut writer = writer
                    .lock()
                    .map_err(|_| StoreError::WriterEnded { why: "an earlier transaction broke off".to_owned() })?;
                writer.run(vec![job], &mut || None);
                drop(writer);
                answer.try_recv().unwrap_or_else(|_| Err(ended().into()))
            }
            Way::Threads { jobs, .. } => {
                let Some(jobs) = jobs else { return Err(ended().into()) };
                jobs.send(job).await.map_err(|_| ended())?;
                let lost = || StoreError::Unknown { why: "the writer's thread ended before it answered".to_owned() };
                answer.await.unwrap_or_else(|_| Err(lost().into()))
            }
        }
    }

    /// Reads one moment of the store.
    pub async fn read<T, F>(&self, function: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&View<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        match &self.inner.way {
            Way::Inline { writer, .. } => {
                let writer = writer.lock().unwrap_or_else(PoisonError::into_inner);
                function(&writer.view())
            }
            Way::Threads { readers, .. } => {
                let broken = |why: String| StoreError::Failed { why };
                let _turn = readers.free.acquire().await.map_err(|error| broken(error.to_string()))?;
                let inner = Arc::clone(&self.inner);
                tokio::task::spawn_blocking(move || inner.read(function))
                    .await
                    .map_err(|error| broken(error.to_string()))?
            }
        }
    }

    /// Returns the fencing epoch that this store holds.
    pub fn epoch(&self) -> Epoch {
        self.inner.epoch
    }

    /// Returns which store it is.
    pub fn store_id(&self) -> StoreId {
        self.inner.id
    }

    /// Returns the clock that it was opened with.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.inner.clock
    }

    /// Returns its home; none in memory.
    pub fn home(&self) -> Option<&Home> {
        self.inner.home.as_ref()
    }

    /// Returns the number of the last event that is on the disk, and wakes whoever waits for the next.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.inner.shown.changes.subscribe()
    }

    /// Returns what was done since it was opened.
    pub fn counts(&self) -> Counts {
        self.inner.shown.counts()
    }

    /// Returns the head of the log, as a sign-off, a backup or another box keeps it.
    pub fn anchor(&self) -> Anchor {
        let head = self.inner.shown.head();
        Anchor { store: self.inner.id, n: head.n, hash: head.hash }
    }

    /// Returns, where the store stands in another place than at its last run, what differs: it may be a copy, so that
    /// whoever runs it puts everything on hold first (F11).
    pub fn moved(&self) -> Option<&str> {
        self.inner.moved.as_ref().map(|moved| moved.told.as_str())
    }

    /// Returns, where the store stands in another place than at its last run, that place: for [`Tx::remember_place`].
    pub fn new_place(&self) -> Option<&str> {
        self.inner.moved.as_ref().map(|moved| moved.place.as_str())
    }

    /// Folds the log from nothing and compares it with every read row; no difference is what must hold (I12).
    pub async fn rebuild_compare(&self) -> Result<Vec<Difference>, StoreError> {
        self.read(|view| rebuild::compare(view.connection)).await
    }
}

impl Inner {
    fn read<T>(&self, function: impl FnOnce(&View<'_>) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let Way::Threads { readers, .. } = &self.way else {
            return Err(StoreError::Failed { why: "an inline store has no readers".to_owned() });
        };
        let idle = readers.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let connection = match idle {
            Some(connection) => connection,
            None => connection::open(&readers.path, connection::Purpose::Read)?,
        };
        let found = one_moment(&connection, || {
            function(&View { connection: &connection, vault: &self.vault, now: UtcTime::from(self.clock.wall()) })
        });
        if connection.is_autocommit() {
            readers.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        }
        found
    }
}

/// Reads inside one transaction, so that all answers are of the same state.
fn one_moment<T>(connection: &Connection, read: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
    connection.prepare_cached("BEGIN DEFERRED")?.execute([])?;
    let found = read();
    connection.prepare_cached("COMMIT")?.execute([])?;
    found
}

impl Drop for Inner {
    fn drop(&mut self) {
        let Way::Threads { jobs, thread, .. } = &mut self.way else { return };
        drop(jobs.take());
        if let Some(thread) = thread.take()
            && thread.thread().id() != std::thread::current().id()
        {
            // A writer that panicked has said so to everybody who waited.
            drop(thread.join());
        }
    }
}

/// How often the writer looks for the next transaction before it sleeps: some tens of microseconds, as long as it takes
/// whoever was just answered to ask again.
const LOOKS: u32 = 2000;

/// Waits for the next transaction; nothing once nobody can ask any more.
fn next_job(jobs: &mut mpsc::Receiver<Box<dyn Job>>) -> Option<Box<dyn Job>> {
    for _ in 0..LOOKS {
        match jobs.try_recv() {
            Ok(job) => return Some(job),
            Err(mpsc::error::TryRecvError::Empty) => std::hint::spin_loop(),
            Err(mpsc::error::TryRecvError::Disconnected) => return None,
        }
    }
    jobs.blocking_recv()
}

/// What the writer's thread does until nobody can ask any more, or nothing more may be written.
fn write_until_closed(mut writer: Writer, mut jobs: mpsc::Receiver<Box<dyn Job>>, lock: OwnerLock) {
    while let Some(first) = next_job(&mut jobs) {
        let mut waiting = vec![first];
        while waiting.len() < GROUP_MAX {
            match jobs.try_recv() {
                Ok(job) => waiting.push(job),
                Err(_) => break,
            }
        }
        writer.run(waiting, &mut || jobs.try_recv().ok());
    }
    drop(writer);
    drop(lock);
}
