//! The writer: the one connection that writes, and how waiting transactions share one COMMIT.
//!
//! Decides the group: what waits is taken (at most `GROUP_MAX`), each transaction runs in a savepoint of its own, what came
//! meanwhile is taken too, then all are committed at once and only then answered. Nobody waits for company: with one
//! caller a group is one. A refusal rolls back alone and, where a person asked, is recorded in the same group (I13).
//!
//! Invariants: no answer before COMMIT returned (I23). No write under another epoch than the store's (I11). After a COMMIT
//! that failed nothing more is written through this connection: Linux may drop the page and report success next time.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use clock::Clock;
use domain::actor::Actor;
use domain::aggregate::Epoch;
use domain::hash::Digest;
use domain::id::StoreId;
use domain::post::CommitPermit;
use domain::refusal::Refusal;
use domain::time::UtcTime;
use rusqlite::Connection;
use tokio::sync::{oneshot, watch};

use crate::chain::{Head, RefusalLink};
use crate::tx::{Cause, Leave, Tx};
use crate::vault::Vault;
use crate::view::View;
use crate::{Stop, StoreError, WriteError, convert, home};

/// The most transactions in one COMMIT.
pub(crate) const GROUP_MAX: usize = 512;

/// The log beside the file is copied into it when it is larger than this.
const WAL_PAGES_MAX: u64 = 32 * 1024 * 1024 / 4096;

/// Where a reader keeps the log from being written over: how much more is written before the next copy.
const WAL_PAGES_MORE: u64 = 1024;

/// With less than this left on the disk nothing is begun, so that a full disk is a refusal and not a doubt.
pub(crate) const DISK_SPARE: u64 = 4 * 1024 * 1024;

/// What was done since the store was opened. Counts do not depend on the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Transactions asked for.
    pub transactions: u64,
    /// COMMITs that returned.
    pub commits: u64,
    /// Pages in the write-ahead log after the last COMMIT, of 4 KiB.
    pub wal_pages: u64,
    /// Copies of the log into the file.
    pub checkpoints: u64,
}

/// What the writer shows to the rest of the store.
pub(crate) struct Shown {
    pub(crate) changes: watch::Sender<u64>,
    head: Mutex<Head>,
    transactions: AtomicU64,
    commits: AtomicU64,
    checkpoints: AtomicU64,
    wal_pages: Arc<AtomicU64>,
}

impl Shown {
    pub(crate) fn new(head: Head) -> Self {
        Self {
            changes: watch::channel(head.n).0,
            head: Mutex::new(head),
            transactions: AtomicU64::new(0),
            commits: AtomicU64::new(0),
            checkpoints: AtomicU64::new(0),
            wal_pages: Arc::new(AtomicU64::new(0)),
        }
    }

    pub(crate) fn counts(&self) -> Counts {
        Counts {
            transactions: self.transactions.load(Ordering::Relaxed),
            commits: self.commits.load(Ordering::Relaxed),
            wal_pages: self.wal_pages.load(Ordering::Relaxed),
            checkpoints: self.checkpoints.load(Ordering::Relaxed),
        }
    }

    pub(crate) fn head(&self) -> Head {
        *self.head.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A transaction that waits for its turn.
pub(crate) trait Job: Send {
    /// Who asks.
    fn cause(&self) -> &Cause;
    /// Runs it once; its result stays inside until it is answered.
    fn run(&mut self, tx: &mut Tx<'_>) -> Result<(), Stop>;
    /// Answers whoever waits: with the result inside, or with why nobody can have one.
    fn answer(self: Box<Self>, outcome: Result<Vec<CommitPermit>, StoreError>);
}

pub(crate) type Answer<T> = Result<(T, Vec<CommitPermit>), WriteError>;

/// One caller's function, with the way back to them.
pub(crate) struct Asked<T, F> {
    cause: Cause,
    function: Option<F>,
    result: Option<Result<T, Stop>>,
    back: oneshot::Sender<Answer<T>>,
}

impl<T, F> Asked<T, F>
where
    T: Send + 'static,
    F: FnOnce(&mut Tx<'_>) -> Result<T, Stop> + Send + 'static,
{
    pub(crate) fn job(cause: Cause, function: F) -> (Box<dyn Job>, oneshot::Receiver<Answer<T>>) {
        let (back, answer) = oneshot::channel();
        (Box::new(Self { cause, function: Some(function), result: None, back }), answer)
    }
}

impl<T, F> Job for Asked<T, F>
where
    T: Send,
    F: FnOnce(&mut Tx<'_>) -> Result<T, Stop> + Send,
{
    fn cause(&self) -> &Cause {
        &self.cause
    }

    fn run(&mut self, tx: &mut Tx<'_>) -> Result<(), Stop> {
        let Some(function) = self.function.take() else { return Ok(()) };
        let result = function(tx);
        let told = match &result {
            Ok(_) => Ok(()),
            Err(stop) => Err(stop.clone()),
        };
        self.result = Some(result);
        told
    }

    fn answer(self: Box<Self>, outcome: Result<Vec<CommitPermit>, StoreError>) {
        let answer = match (outcome, self.result) {
            (Err(error), _) => Err(WriteError::Failed(error)),
            (Ok(permits), Some(Ok(done))) => Ok((done, permits)),
            (Ok(_), Some(Err(stop))) => Err(stop.into()),
            (Ok(_), None) => {
                Err(WriteError::Failed(StoreError::WriterEnded { why: "the transaction was never run".to_owned() }))
            }
        };
        // Whoever asked may have gone away; what was stored stays, and a permit that nobody takes sends nothing.
        drop(self.back.send(answer));
    }
}

/// The connection that writes, with all that stands between a caller's function and the disk.
pub(crate) struct Writer {
    connection: Connection,
    vault: Arc<Vault>,
    clock: Arc<dyn Clock>,
    store: String,
    epoch: Epoch,
    head: Head,
    refusals: Head,
    shown: Arc<Shown>,
    /// The folder whose free space is looked at; none in memory.
    folder: Option<PathBuf>,
    /// Why nothing more is written.
    ended: Option<String>,
    wal_next: u64,
}

/// What became of one transaction inside a group.
enum Ran {
    Kept(Vec<Leave>),
    Undone,
}

impl Writer {
    pub(crate) fn new(
        mut connection: Connection,
        vault: Arc<Vault>,
        clock: Arc<dyn Clock>,
        store: StoreId,
        state: (Epoch, Head, Head),
        shown: Arc<Shown>,
        folder: Option<PathBuf>,
    ) -> Result<Self, StoreError> {
        let (epoch, head, refusals) = state;
        let pages = Arc::clone(&shown.wal_pages);
        connection.wal_hook(Some(move |_: &mut rusqlite::hooks::Wal, found: std::ffi::c_int| {
            pages.store(u64::try_from(found).unwrap_or(0), Ordering::Relaxed);
            Ok(())
        }))?;
        Ok(Self {
            connection,
            vault,
            clock,
            store: store.to_string(),
            epoch,
            head,
            refusals,
            shown,
            folder,
            ended: None,
            wal_next: WAL_PAGES_MAX,
        })
    }

    /// Runs a group of transactions, and those that `more` brings meanwhile, with one COMMIT; answers them all.
    pub(crate) fn run(&mut self, mut jobs: Vec<Box<dyn Job>>, more: &mut dyn FnMut() -> Option<Box<dyn Job>>) {
        if let Err(error) = self.begin() {
            return self.refuse_all(jobs, &error);
        }
        let mut ran: Vec<Ran> = Vec::with_capacity(jobs.len());
        let (head, refusals) = (self.head, self.refusals);
        loop {
            while let Some(job) = jobs.get_mut(ran.len()) {
                match self.run_one(job.as_mut()) {
                    Ok(done) => ran.push(done),
                    Err(error) => {
                        (self.head, self.refusals) = (head, refusals);
                        return self.give_up(jobs, &error);
                    }
                }
            }
            if jobs.len() >= GROUP_MAX {
                break;
            }
            match more() {
                Some(job) => jobs.push(job),
                None => break,
            }
        }
        if let Err(error) = self.write_heads() {
            (self.head, self.refusals) = (head, refusals);
            return self.give_up(jobs, &error);
        }
        if let Err(error) = self.commit() {
            return self.end_in_doubt(jobs, &error);
        }
        self.show(jobs.len());
        for (job, done) in jobs.into_iter().zip(ran) {
            job.answer(Ok(match done {
                Ran::Kept(leaves) => leaves.into_iter().map(|leave| self.permit(leave)).collect(),
                Ran::Undone => Vec::new(),
            }));
        }
        self.checkpoint_if_large();
    }

    /// Begins a transaction with the write lock, and checks that the store is still ours.
    fn begin(&mut self) -> Result<(), StoreError> {
        if let Some(why) = &self.ended {
            return Err(StoreError::WriterEnded { why: why.clone() });
        }
        if let Some(free) = self.folder.as_deref().and_then(home::free_bytes).filter(|free| *free < DISK_SPARE) {
            return Err(StoreError::DiskFull {
                why: format!("{free} bytes are left, {DISK_SPARE} are kept in reserve"),
            });
        }
        self.connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        let fenced = self.check_fence();
        if let Err(error) = &fenced {
            self.end(error);
            self.roll_back();
        }
        fenced
    }

    fn check_fence(&self) -> Result<(), StoreError> {
        let found: (i64, i64, [u8; 32]) = self
            .connection
            .prepare_cached("SELECT epoch, head_n, head_hash FROM meta WHERE id = 1")?
            .query_row([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        let epoch = Epoch(convert::from_db(found.0)?);
        let head = Head { n: convert::from_db(found.1)?, hash: Digest::from_bytes(found.2) };
        if epoch == self.epoch && head == self.head {
            Ok(())
        } else {
            Err(StoreError::Fenced { held: self.epoch, found: epoch })
        }
    }

    /// Runs one transaction in its savepoint. An error means that the whole group is lost.
    fn run_one(&mut self, job: &mut dyn Job) -> Result<Ran, StoreError> {
        self.connection.prepare_cached("SAVEPOINT one")?.execute([])?;
        let cause = job.cause().clone();
        let view = View { connection: &self.connection, vault: &self.vault, now: UtcTime::from(self.clock.wall()) };
        let now = view.now;
        let mut tx = Tx {
            view,
            store: &self.store,
            epoch: self.epoch,
            cause: &cause,
            head: self.head,
            client: None,
            leaves: Vec::new(),
            loaded: None,
        };
        let told = job.run(&mut tx);
        let (head, leaves, client) = (tx.head, tx.leaves, tx.client);
        match told {
            Ok(()) => {
                self.connection.prepare_cached("RELEASE one")?.execute([])?;
                self.head = head;
                Ok(Ran::Kept(leaves))
            }
            Err(stop) => {
                if self.connection.is_autocommit() {
                    // SQLite rolled the whole group back by itself, as it does on a full disk.
                    let why = match stop {
                        Stop::Failed(error) => return Err(error),
                        Stop::Refused(refusal) => refusal.to_string(),
                        Stop::Undo => "the group was rolled back".to_owned(),
                    };
                    return Err(StoreError::Disk { why });
                }
                self.connection.prepare_cached("ROLLBACK TO one")?.execute([])?;
                self.connection.prepare_cached("RELEASE one")?.execute([])?;
                match stop {
                    Stop::Failed(error) if error.is_of_the_disk() => return Err(error),
                    Stop::Failed(_) | Stop::Undo => {}
                    Stop::Refused(refusal) => {
                        self.record_refusal(&cause, client.map(|client| client.to_string()), &refusal, now)?
                    }
                }
                Ok(Ran::Undone)
            }
        }
    }

    /// Records what a person was refused. The engine's own are its daily bread and stand in no record.
    fn record_refusal(
        &mut self,
        cause: &Cause,
        client: Option<String>,
        refusal: &Refusal,
        at: UtcTime,
    ) -> Result<(), StoreError> {
        let Actor::Person { uid, name, role } = &cause.actor else { return Ok(()) };
        let link = RefusalLink {
            n: self.refusals.n + 1,
            epoch: self.epoch,
            at,
            client,
            uid: *uid,
            name: name.clone(),
            role: role.as_str().to_owned(),
            cause: cause.cause.clone(),
            refusal: convert::to_json("a refusal", refusal)?,
        };
        let hash = link.hash(&self.store, self.refusals.hash);
        link.insert(&self.connection, hash)?;
        self.refusals = Head { n: link.n, hash };
        Ok(())
    }

    fn write_heads(&self) -> Result<(), StoreError> {
        self.connection
            .prepare_cached(
                "UPDATE meta SET head_n = ?1, head_hash = ?2, refusal_n = ?3, refusal_hash = ?4 WHERE id = 1",
            )?
            .execute(rusqlite::params![
                convert::to_db(self.head.n)?,
                self.head.hash.bytes(),
                convert::to_db(self.refusals.n)?,
                self.refusals.hash.bytes()
            ])?;
        Ok(())
    }

    fn commit(&self) -> Result<(), StoreError> {
        self.connection.prepare_cached("COMMIT")?.execute([])?;
        Ok(())
    }

    /// Gives a group up before its COMMIT: nothing of it is stored, and that is certain. A full disk is the only trouble
    /// after which this connection may go on.
    fn give_up(&mut self, jobs: Vec<Box<dyn Job>>, error: &StoreError) {
        self.roll_back();
        if !matches!(error, StoreError::DiskFull { .. }) {
            self.end(error);
        }
        self.refuse_all(jobs, error);
    }

    /// Ends the writer after a COMMIT that failed: whether the group is on the disk cannot be told.
    fn end_in_doubt(&mut self, jobs: Vec<Box<dyn Job>>, error: &StoreError) {
        self.end(error);
        self.roll_back();
        let why = if let StoreError::Disk { why } = error { why.clone() } else { error.to_string() };
        self.refuse_all(jobs, &StoreError::Unknown { why });
    }

    fn end(&mut self, error: &StoreError) {
        self.ended = Some(error.to_string());
    }

    fn roll_back(&self) {
        if !self.connection.is_autocommit() {
            // Where this fails too, closing the connection rolls back; nothing more is written through it either way.
            drop(self.connection.execute_batch("ROLLBACK"));
        }
    }

    fn refuse_all(&self, jobs: Vec<Box<dyn Job>>, error: &StoreError) {
        for job in jobs {
            job.answer(Err(error.clone()));
        }
    }

    fn show(&self, transactions: usize) {
        self.shown.transactions.fetch_add(u64::try_from(transactions).unwrap_or(0), Ordering::Relaxed);
        self.shown.commits.fetch_add(1, Ordering::Relaxed);
        *self.shown.head.lock().unwrap_or_else(PoisonError::into_inner) = self.head;
        self.shown.changes.send_if_modified(|last| {
            let modified = *last != self.head.n;
            *last = self.head.n;
            modified
        });
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that gives leave: COMMIT of `committing` has returned"
    )]
    fn permit(&self, leave: Leave) -> CommitPermit {
        CommitPermit::issue(leave.post, leave.attempt, leave.handle, self.epoch, leave.recorded)
    }

    /// Copies a large log into the file, without cutting it: its pages are written over, which costs half of growing it.
    fn checkpoint_if_large(&mut self) {
        let pages = self.shown.wal_pages.load(Ordering::Relaxed);
        if pages < self.wal_next {
            self.wal_next = self.wal_next.min(WAL_PAGES_MAX.max(pages + WAL_PAGES_MORE));
            return;
        }
        match self.connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(())) {
            Ok(()) => {
                self.shown.checkpoints.fetch_add(1, Ordering::Relaxed);
                self.wal_next = pages + WAL_PAGES_MORE;
            }
            Err(error) => {
                let error = StoreError::from(error);
                if error.is_of_the_disk() {
                    self.end(&error);
                }
            }
        }
    }

    /// Closes the file, its log copied into it.
    pub(crate) fn close(self) -> Result<(), StoreError> {
        self.connection.close().map_err(|(_, error)| StoreError::from(error))
    }

    /// Reads on the writer's own connection: the inline store has no other.
    pub(crate) fn view(&self) -> View<'_> {
        View { connection: &self.connection, vault: &self.vault, now: UtcTime::from(self.clock.wall()) }
    }
}
