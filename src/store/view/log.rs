//! The log as people read it: events, refusals, answers of commands, the engine's last heartbeat.

use domain::actor::Actor;
use domain::aggregate::{Epoch, StreamKind};
use domain::id::{ClientId, CommandId};
use domain::refusal::Refusal;
use domain::role::Scope;
use domain::time::{Span, UtcTime};
use rusqlite::{OptionalExtension, Params};

use super::View;
use crate::StoreError;
use crate::chain::{EventRecord, LINK_COLUMNS, REFUSAL_COLUMNS, RefusalLink, StoredLink, split_stream, stream_name};
use crate::convert::{self, ActorColumns};

/// How long the answer of a command is kept for whoever sends it again (T21).
pub(crate) const ANSWERS_KEPT: Span = Span::hours(24);

/// A "no" that a person was given.
#[derive(Debug, Clone, PartialEq)]
pub struct RefusalRecord {
    /// Its place among the refusals, from 1.
    pub n: u64,
    /// When.
    pub at: UtcTime,
    /// About whose things; none where that is not known, or all.
    pub client: Option<ClientId>,
    /// Who asked.
    pub actor: Actor,
    /// The command's id.
    pub cause: String,
    /// What was refused, and why.
    pub refusal: Refusal,
}

/// What a command was answered when it came first.
#[derive(Debug, Clone, PartialEq)]
pub enum Remembered {
    /// It was done; the answer as JSON.
    Done(serde_json::Value),
    /// It was refused.
    Refused(Refusal),
}

/// The engine's last sign of life in the store.
#[derive(Debug, Clone, PartialEq)]
pub struct Heartbeat {
    /// When.
    pub at: UtcTime,
    /// Of which engine.
    pub epoch: Epoch,
    /// What it said.
    pub beat: serde_json::Value,
}

/// Something that a person did, without its words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deed {
    /// The event's name, as in `word_given`.
    pub event: String,
    /// To which thing.
    pub key: String,
    /// Whose it is; none for the agency.
    pub client: Option<ClientId>,
}

/// Holds for an event that people of the scope in the first parameter may know of: one of their clients, or a signature
/// that speaks of several of them and of no other.
const SEEN: &str = "(?1 IS NULL OR client IN (SELECT value FROM json_each(?1)) OR (
    client IS NULL AND type = 'checkin_signed' AND EXISTS (
        SELECT 1 FROM checkin c WHERE c.key = substr(event.stream, length('checkin/') + 1) AND c.covers <> '[]'
            AND NOT EXISTS (
                SELECT 1 FROM json_each(c.covers) WHERE value NOT IN (SELECT value FROM json_each(?1))))))";

impl View<'_> {
    /// Returns up to `limit` events in scope after place `after`, oldest first. The agency's own events are for those
    /// alone who see all clients; a signature is for those alone who see all clients that it speaks of.
    pub fn events(&self, scope: &Scope, after: u64, limit: u32) -> Result<Vec<EventRecord>, StoreError> {
        self.event_list(
            &format!(
                "SELECT {LINK_COLUMNS} FROM event
                 WHERE n > ?2 AND {SEEN} ORDER BY n LIMIT ?3"
            ),
            rusqlite::params![convert::scope(scope)?, convert::to_db(after)?, limit],
        )
    }

    /// Returns the last event in scope: how far the log is for those who see these clients.
    pub fn last_event(&self, scope: &Scope) -> Result<Option<EventRecord>, StoreError> {
        let found = self.event_list(
            &format!(
                "SELECT {LINK_COLUMNS} FROM event WHERE n = (SELECT max(m) FROM (
                     SELECT max(n) AS m FROM event WHERE ?1 IS NULL
                     UNION ALL SELECT (SELECT max(n) FROM event WHERE client = value) FROM json_each(coalesce(?1, '[]'))
                     UNION ALL SELECT max(n) FROM event WHERE ?1 IS NOT NULL AND client IS NULL
                         AND type = 'checkin_signed' AND {SEEN}))"
            ),
            [convert::scope(scope)?],
        )?;
        Ok(found.into_iter().next())
    }

    /// Returns the number of the last event; 0 where there is none.
    pub fn head(&self) -> Result<u64, StoreError> {
        self.count("SELECT coalesce(max(n), 0) FROM event", [])
    }

    /// Returns the number of the last event before a moment; 0 where there is none. Looks back from the end of the log.
    pub fn head_before(&self, at: UtcTime) -> Result<u64, StoreError> {
        let found: Option<i64> = self
            .connection
            .prepare_cached("SELECT n FROM event WHERE time_us < ?1 ORDER BY n DESC LIMIT 1")?
            .query_row([at.micros()], |row| row.get(0))
            .optional()?;
        found.map_or(Ok(0), convert::from_db)
    }

    /// Returns what a person did after place `after`, oldest first: the events of these names alone.
    pub fn deeds_by(&self, uid: u32, after: u64, events: &[&str]) -> Result<Vec<Deed>, StoreError> {
        let sql = "SELECT type, stream, client FROM event INDEXED BY event_actor
             WHERE actor_uid = ?1 AND n > ?2 AND type IN (SELECT value FROM json_each(?3)) ORDER BY n";
        let mut question = self.connection.prepare_cached(sql)?;
        let names = convert::to_json("names of events", &events)?;
        let mut rows = question.query(rusqlite::params![uid, convert::to_db(after)?, names])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let (stream, client): (String, Option<String>) = (row.get(1)?, row.get(2)?);
            let (_, key) = split_stream(&stream)?;
            found.push(Deed {
                event: row.get(0)?,
                key: key.to_owned(),
                client: client.as_deref().map(|client| convert::parse("a client", client)).transpose()?,
            });
        }
        Ok(found)
    }

    /// Returns everything that happened to one thing, oldest first.
    pub fn events_of(&self, kind: StreamKind, key: &str) -> Result<Vec<EventRecord>, StoreError> {
        self.event_list(
            &format!("SELECT {LINK_COLUMNS} FROM event WHERE stream = ?1 ORDER BY version"),
            [stream_name(kind, key)],
        )
    }

    fn event_list(&self, sql: &str, params: impl Params) -> Result<Vec<EventRecord>, StoreError> {
        let mut question = self.connection.prepare_cached(sql)?;
        let mut rows = question.query(params)?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.push(StoredLink::read(row)?.try_into()?);
        }
        Ok(found)
    }

    /// Returns up to `limit` refusals in scope, newest first. Those that name no client are for those alone who see all.
    pub fn refusals(&self, scope: &Scope, limit: u32) -> Result<Vec<RefusalRecord>, StoreError> {
        let sql = format!(
            "SELECT {REFUSAL_COLUMNS} FROM refusal
             WHERE (?1 IS NULL OR client IN (SELECT value FROM json_each(?1))) ORDER BY n DESC LIMIT ?2"
        );
        let mut question = self.connection.prepare_cached(&sql)?;
        let mut rows = question.query(rusqlite::params![convert::scope(scope)?, limit])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let (link, _) = RefusalLink::read(row)?;
            let actor =
                ActorColumns { kind: "person".to_owned(), uid: Some(link.uid), name: link.name, role: link.role };
            found.push(RefusalRecord {
                n: link.n,
                at: link.at,
                client: link.client.as_deref().map(|client| convert::parse("a client", client)).transpose()?,
                actor: actor.actor()?,
                cause: link.cause,
                refusal: convert::from_json("a refusal", &link.refusal)?,
            });
        }
        Ok(found)
    }

    /// Returns what a person's command was answered within the last 24 hours, if it came before (T21).
    pub fn command_answer(&self, id: CommandId, uid: u32) -> Result<Option<Remembered>, StoreError> {
        let since = self.now.minus(ANSWERS_KEPT).micros();
        let id = id.to_string();
        let answer: Option<String> = self
            .connection
            .prepare_cached("SELECT answer FROM command WHERE uid = ?1 AND id = ?2 AND time_us >= ?3")?
            .query_row(rusqlite::params![uid, id, since], |row| row.get(0))
            .optional()?;
        if let Some(answer) = answer {
            return convert::from_json("a command's answer", &answer).map(|answer| Some(Remembered::Done(answer)));
        }
        let refusal: Option<String> = self
            .connection
            .prepare_cached(
                "SELECT refusal FROM refusal WHERE cause = ?2 AND uid = ?1 AND time_us >= ?3 ORDER BY n LIMIT 1",
            )?
            .query_row(rusqlite::params![uid, id, since], |row| row.get(0))
            .optional()?;
        refusal.map(|refusal| convert::from_json("a refusal", &refusal).map(Remembered::Refused)).transpose()
    }

    /// Returns the engine's last sign of life in the store.
    pub fn heartbeat(&self) -> Result<Option<Heartbeat>, StoreError> {
        let row: Option<(i64, i64, String)> = self
            .connection
            .prepare_cached("SELECT time_us, epoch, beat FROM heartbeat WHERE id = 1")?
            .query_row([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .optional()?;
        row.map(|(at, epoch, beat)| {
            Ok(Heartbeat {
                at: UtcTime::from_micros(at),
                epoch: Epoch(convert::from_db(epoch)?),
                beat: convert::from_json("the heartbeat", &beat)?,
            })
        })
        .transpose()
    }
}
