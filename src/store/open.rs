//! Founding, opening, owning.
//!
//! Decides what must be true before anybody reads or writes: the home can be trusted, nobody else owns it, the file is
//! whole and of a schema that this program knows, the head of its log is its last event. Each opening raises the fencing
//! epoch, so that an engine which lost its lock without noticing can write no more (I11).

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use clock::Clock;
use domain::agency::{Agency, AgencyEvent};
use domain::aggregate::Epoch;
use domain::hash::Digest;
use domain::id::StoreId;
use domain::time::UtcTime;
use rusqlite::{Connection, TransactionBehavior};
use tokio::sync::{Semaphore, mpsc};
use zeroize::Zeroizing;

use crate::chain::{Head, LINK_COLUMNS, StoredLink};
use crate::connection::{self, Purpose};
use crate::convert;
use crate::home::{self, Home};
use crate::lock::OwnerLock;
use crate::tx::Cause;
use crate::vault::Vault;
use crate::writer::{Asked, Shown, Writer};
use crate::{Inner, Moved, READERS_MAX, Readers, Store, StoreError, WAITING_MAX, Way, WriteError, write_until_closed};

/// How a store is opened. Both own it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Open {
    /// For an engine: a writer's thread and readers beside it.
    Owner,
    /// On the caller's own thread, without any other: for simulations, which pass no real time.
    Inline,
}

/// What the one row of `meta` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Meta {
    pub(crate) store: StoreId,
    pub(crate) epoch: Epoch,
    pub(crate) head: Head,
    pub(crate) refusals: Head,
    pub(crate) place: Option<String>,
}

/// Reads the row of `meta`.
pub(crate) fn read_meta(connection: &Connection) -> Result<Meta, StoreError> {
    let sql = "SELECT store_id, epoch, head_n, head_hash, refusal_n, refusal_hash, place FROM meta WHERE id = 1";
    let mut question = connection.prepare(sql)?;
    let mut rows = question.query([])?;
    let row =
        rows.next()?.ok_or_else(|| StoreError::Corrupt { why: "it does not say which store it is".to_owned() })?;
    let store: String = row.get(0)?;
    let (head, refusals): ([u8; 32], [u8; 32]) = (row.get(3)?, row.get(5)?);
    Ok(Meta {
        store: convert::parse("the store's id", &store)?,
        epoch: Epoch(convert::from_db(row.get(1)?)?),
        head: Head { n: convert::from_db(row.get(2)?)?, hash: Digest::from_bytes(head) },
        refusals: Head { n: convert::from_db(row.get(4)?)?, hash: Digest::from_bytes(refusals) },
        place: row.get(6)?,
    })
}

fn write_meta(connection: &Connection, store: StoreId) -> Result<(), StoreError> {
    connection.execute(
        "INSERT INTO meta (id, store_id, epoch, head_n, head_hash, refusal_n, refusal_hash) VALUES (1, ?1, 0, 0, ?2, 0, ?2)",
        rusqlite::params![store.to_string(), Head::EMPTY.hash.bytes()],
    )?;
    Ok(())
}

/// Raises the fencing epoch, and remembers where the store stands where it is its first engine's.
fn take_over(connection: &mut Connection, place: Option<&str>) -> Result<Epoch, StoreError> {
    let step = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    step.execute("UPDATE meta SET epoch = epoch + 1, place = coalesce(?1, place) WHERE id = 1", [place])?;
    let epoch: i64 = step.query_row("SELECT epoch FROM meta WHERE id = 1", [], |row| row.get(0))?;
    step.commit()?;
    Ok(Epoch(convert::from_db(epoch)?))
}

/// Checks that the head of the log is its last event, without reading the rest.
fn check_head(connection: &Connection, meta: &Meta) -> Result<(), StoreError> {
    let corrupt = |why: String| Err(StoreError::Corrupt { why });
    let mut question = connection.prepare(&format!("SELECT {LINK_COLUMNS} FROM event ORDER BY n DESC LIMIT 2"))?;
    let mut rows = question.query([])?;
    let Some(last) = rows.next()?.map(StoredLink::read).transpose()? else {
        return if meta.head == Head::EMPTY {
            Ok(())
        } else {
            corrupt(format!("its log is empty, and should have {} events", meta.head.n))
        };
    };
    let before = rows.next()?.map(StoredLink::read).transpose()?.map_or(Head::EMPTY.hash, |stored| stored.hash);
    if last.link.n != meta.head.n {
        return corrupt(format!("its log ends with event {}, and should end with {}", last.link.n, meta.head.n));
    }
    if last.hash != meta.head.hash || last.link.hash(&meta.store.to_string(), before) != last.hash {
        return corrupt(format!("its last event, {}, is not as it was written", last.link.n));
    }
    Ok(())
}

impl Store {
    /// Makes a home with a new store in it, and founds the agency. All of it or nothing.
    ///
    /// Fails where there is a store already.
    pub fn create(home: &Home, founding: AgencyEvent, cause: Cause, clock: Arc<dyn Clock>) -> Result<(), StoreError> {
        if home.exists() {
            return Err(StoreError::HomeExists { root: home.root.display().to_string() });
        }
        let AgencyEvent::AgencyFounded { agency } = &founding else {
            return Err(StoreError::Unstorable {
                what: "the agency".to_owned(),
                why: "its first event must found it".to_owned(),
            });
        };
        home.create(agency.kind)?;
        let _lock = OwnerLock::take(home)?;
        let unfinished = Unfinished::begin(home)?;
        let id = StoreId::new(UtcTime::from(clock.wall()), clock::fresh_bytes()?);
        let mut connection = connection::make(&unfinished.path)?;
        write_meta(&connection, id)?;
        let epoch = take_over(&mut connection, None)?;
        let vault = Arc::new(Vault::new(home.read_key()?, id));
        let shown = Arc::new(Shown::new(Head::EMPTY));
        let mut writer = Writer::new(
            connection,
            vault,
            clock,
            id,
            (epoch, Head::EMPTY, Head::EMPTY),
            shown,
            Some(home.root.clone()),
        )?;
        let (job, mut answer) = Asked::job(cause, move |tx| Ok(tx.append::<Agency>(&(), vec![founding])?));
        writer.run(vec![job], &mut || None);
        match answer.try_recv() {
            Ok(Ok(_)) => {}
            Ok(Err(WriteError::Failed(error))) => return Err(error),
            Ok(Err(WriteError::Refused(_) | WriteError::Undone)) | Err(_) => {
                return Err(StoreError::Failed { why: "the founding was not stored".to_owned() });
            }
        }
        writer.close()?;
        unfinished.finish(home, id)
    }

    /// Opens the store of a home, as its one owner.
    ///
    /// Fails where another process owns it, where the home cannot be trusted, or where the file is damaged or newer than
    /// this program. Brings an older schema forward.
    pub fn open(home: &Home, how: Open, clock: Arc<dyn Clock>) -> Result<Self, StoreError> {
        Self::take(home, how, clock).map_err(|error| error.or_full(&home.root))
    }

    fn take(home: &Home, how: Open, clock: Arc<dyn Clock>) -> Result<Self, StoreError> {
        home.check()?;
        let lock = OwnerLock::take(home)?;
        let mut connection = connection::open(&home.db(), Purpose::Write)?;
        connection::check_schema(&connection)?;
        connection::check_pages(&connection)?;
        connection::migrate(&mut connection)?;
        let meta = read_meta(&connection)?;
        let expected = home.read_id()?;
        if meta.store != expected {
            return Err(StoreError::WrongStore { expected: expected.to_string(), found: meta.store.to_string() });
        }
        check_head(&connection, &meta)?;
        let vault = Arc::new(Vault::new(home.read_key()?, meta.store));
        let place = home.place()?;
        let moved = meta
            .place
            .as_ref()
            .filter(|last| **last != place)
            .map(|last| format!("at its last run it was {last}; now it is {place}"));
        // A command on a copy is no run of it: the engine that comes after still has to be told.
        let first = how == Open::Owner && meta.place.is_none();
        let epoch =
            take_over(&mut connection, first.then_some(place.as_str())).map_err(|error| error.at(&home.db()))?;
        let shown = Arc::new(Shown::new(meta.head));
        let state = (epoch, meta.head, meta.refusals);
        let writer = Writer::new(
            connection,
            Arc::clone(&vault),
            Arc::clone(&clock),
            meta.store,
            state,
            Arc::clone(&shown),
            Some(home.root.clone()),
        )?;
        let way = match how {
            Open::Inline => Way::Inline { writer: Mutex::new(writer), _lock: Some(lock) },
            Open::Owner => threads(writer, lock, home.db())?,
        };
        Ok(Self {
            inner: Arc::new(Inner {
                way,
                vault,
                shown,
                clock,
                id: meta.store,
                epoch,
                home: Some(home.clone()),
                moved: moved.map(|told| Moved { told, place }),
            }),
        })
    }

    /// Makes a store in memory, inline and empty: the first transaction founds its agency.
    ///
    /// Two of them at the same moment have the same id, so that a simulation is the same every time.
    pub fn in_memory(clock: Arc<dyn Clock>) -> Result<Self, StoreError> {
        let id = StoreId::new(UtcTime::from(clock.wall()), [0; 10]);
        let mut connection = connection::make_in_memory()?;
        write_meta(&connection, id)?;
        let epoch = take_over(&mut connection, None)?;
        let vault = Arc::new(Vault::new(Zeroizing::new(clock::fresh_bytes()?), id));
        let shown = Arc::new(Shown::new(Head::EMPTY));
        let state = (epoch, Head::EMPTY, Head::EMPTY);
        let writer =
            Writer::new(connection, Arc::clone(&vault), Arc::clone(&clock), id, state, Arc::clone(&shown), None)?;
        let way = Way::Inline { writer: Mutex::new(writer), _lock: None };
        Ok(Self { inner: Arc::new(Inner { way, vault, shown, clock, id, epoch, home: None, moved: None }) })
    }
}

fn threads(writer: Writer, lock: OwnerLock, db: PathBuf) -> Result<Way, StoreError> {
    let (sender, receiver) = mpsc::channel(WAITING_MAX);
    let thread = std::thread::Builder::new()
        .name("store-writer".to_owned())
        .spawn(move || write_until_closed(writer, receiver, lock))
        .map_err(|error| StoreError::Failed { why: format!("the writer's thread cannot be started: {error}") })?;
    let readers = Readers { path: db, idle: Mutex::default(), free: Semaphore::new(READERS_MAX) };
    Ok(Way::Threads { jobs: Some(sender), thread: Some(thread), readers })
}

/// A store that is being founded, under a name that nobody opens.
struct Unfinished {
    path: PathBuf,
}

impl Unfinished {
    fn begin(home: &Home) -> Result<Self, StoreError> {
        let path = home.root.join("store.db.unfinished");
        let left = |suffix: &str| home.root.join(format!("store.db.unfinished{suffix}"));
        // What an earlier try left behind; its id file names a store that never was.
        for old in [left(""), left("-wal"), left("-shm"), home.id_file()] {
            match std::fs::remove_file(&old) {
                Ok(()) => {}
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => return Err(StoreError::file(&old, &error)),
            }
        }
        home::write_new(&path, &[], 0o600)?;
        Ok(Self { path })
    }

    fn finish(self, home: &Home, id: StoreId) -> Result<(), StoreError> {
        home.write_id(id)?;
        std::fs::rename(&self.path, home.db()).map_err(|error| StoreError::file(&self.path, &error))?;
        home::sync_folder(&home.root)
    }
}
