//! The read side: typed questions, noun first.
//!
//! Decides how things are found, never what they mean. A list over several clients takes the asker's scope, so that one
//! without a scope does not compile (T7); whatever names one thing by its key says in its answer whose it is, and the
//! caller compares.
//!
//! A view is one moment: all its answers are of the same state of the store.

mod account;
mod checkin;
mod conversation;
mod experiment;
mod learning;
mod log;
mod post;
mod snapshot;

use domain::actor::Person;
use domain::agency::Agency;
use domain::aggregate::Version;
use domain::calendar::layer::{Layer, LayerId};
use domain::client::Client;
use domain::escalation::Escalation;
use domain::id::{ClientId, EscalationId};
use domain::role::Scope;
use domain::time::UtcTime;
use rusqlite::{Connection, OptionalExtension, Params};

pub use account::ExternalPost;
pub use experiment::ExperimentFilter;
pub use learning::LearningFilter;
pub(crate) use log::ANSWERS_KEPT;
pub use log::{Deed, Heartbeat, RefusalRecord, Remembered};
pub(crate) use snapshot::snapshots;

use crate::stored::{self, Stored, table::Table};
use crate::vault::Vault;
use crate::{StoreError, convert};

/// Which escalations are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Escalations {
    /// Those that nobody settled yet.
    Open,
    /// All.
    All,
}

/// What the store holds at one moment.
pub struct View<'a> {
    pub(crate) connection: &'a Connection,
    pub(crate) vault: &'a Vault,
    pub(crate) now: UtcTime,
}

impl View<'_> {
    /// Returns the moment at which this view was taken.
    pub fn now(&self) -> UtcTime {
        self.now
    }

    /// Returns an aggregate and how many events made it.
    pub fn find<A: Stored>(&self, key: &A::Key) -> Result<Option<(A, Version)>, StoreError> {
        self.find_text(&A::key_text(key))
    }

    pub(crate) fn find_text<A: Stored>(&self, key: &str) -> Result<Option<(A, Version)>, StoreError> {
        let row: Option<(i64, String)> = self
            .connection
            .prepare_cached(<A as Table>::FIND)?
            .query_row([key], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        row.map(|(version, body)| Ok((stored::read_body(key, &body)?, Version(convert::from_db(version)?)))).transpose()
    }

    /// Runs a question whose answer is bodies.
    fn list<A: Stored>(&self, sql: &str, params: impl Params) -> Result<Vec<A>, StoreError> {
        let mut question = self.connection.prepare_cached(sql)?;
        let mut rows = question.query(params)?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let body = row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?;
            found.push(stored::read_body(A::NOUN, body)?);
        }
        Ok(found)
    }

    /// Runs a question whose answer is one number, a count.
    pub(crate) fn count(&self, sql: &str, params: impl Params) -> Result<u64, StoreError> {
        convert::from_db(self.connection.prepare_cached(sql)?.query_row(params, |row| row.get(0))?)
    }

    fn one<A: Stored>(&self, key: &A::Key) -> Result<Option<A>, StoreError> {
        Ok(self.find::<A>(key)?.map(|(found, _)| found))
    }

    /// Returns the agency; fails where the store was never founded.
    pub fn agency(&self) -> Result<Agency, StoreError> {
        self.one::<Agency>(&())?.ok_or_else(|| StoreError::Unreadable {
            what: "the agency".to_owned(),
            why: "this store was never founded".to_owned(),
        })
    }

    /// Returns a person of the agency.
    pub fn person(&self, uid: u32) -> Result<Option<Person>, StoreError> {
        Ok(self.one::<Agency>(&())?.and_then(|mut agency| agency.people.remove(&uid)))
    }

    /// Returns the clients in scope, by short name.
    pub fn clients(&self, scope: &Scope) -> Result<Vec<Client>, StoreError> {
        self.list(
            "SELECT body FROM client WHERE (?1 IS NULL OR key IN (SELECT value FROM json_each(?1))) ORDER BY key",
            [convert::scope(scope)?],
        )
    }

    /// Returns a client.
    pub fn client(&self, id: &ClientId) -> Result<Option<Client>, StoreError> {
        self.one(id)
    }

    /// Returns a layer.
    pub fn layer(&self, id: &LayerId) -> Result<Option<Layer>, StoreError> {
        self.one(id)
    }

    /// Returns the layers in scope, by name.
    pub fn layers(&self, scope: &Scope) -> Result<Vec<Layer>, StoreError> {
        self.list(
            "SELECT body FROM layer WHERE (?1 IS NULL OR client IN (SELECT value FROM json_each(?1))) ORDER BY key",
            [convert::scope(scope)?],
        )
    }

    /// Returns an escalation.
    pub fn escalation(&self, id: EscalationId) -> Result<Option<Escalation>, StoreError> {
        self.one(&id)
    }

    /// Returns the escalations in scope, the most overdue first.
    pub fn escalations(&self, scope: &Scope, which: Escalations) -> Result<Vec<Escalation>, StoreError> {
        let sql = match which {
            Escalations::Open => {
                "SELECT body FROM escalation WHERE open = 1 AND (?1 IS NULL OR client IN (SELECT value FROM json_each(?1))) ORDER BY due_us, key"
            }
            Escalations::All => {
                "SELECT body FROM escalation WHERE (?1 IS NULL OR client IN (SELECT value FROM json_each(?1))) ORDER BY due_us, key"
            }
        };
        self.list(sql, [convert::scope(scope)?])
    }
}
