//! The audit: is the log whole, and do the tables say what it says? (T23, I12)
//!
//! Decides what sort of damage the first bad event has. Reads only, also while an engine runs on the store, and never
//! believes a file: whatever cannot be read is an answer of its own. Not noticed, without an anchor kept elsewhere: a
//! rewrite by somebody who has the store and computes every hash anew.

use std::fmt;

use domain::hash::Digest;
use rusqlite::Connection;

use crate::chain::{Anchor, Head, LINK_COLUMNS, REFUSAL_COLUMNS, RefusalLink, StoredLink};
use crate::connection::{self, Purpose};
use crate::home::Home;
use crate::open::{Meta, read_meta};
use crate::{StoreError, convert, rebuild};

/// How far around a bad event is looked to tell what happened to it.
const LOOK_AROUND: u64 = 64;

/// How many differences are told.
const TOLD_MAX: usize = 20;

/// What an audit found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuditReport {
    /// Everything is as it was written.
    Whole {
        /// The head of the log; keep it elsewhere, and name it at the next audit.
        head: Anchor,
        /// How many refusals are recorded.
        refusals: u64,
    },
    /// Something was changed.
    Broken {
        /// What, the first in the log first; at least one.
        breaks: Vec<Break>,
    },
    /// The file cannot be read well enough.
    CannotTell {
        /// Why.
        why: String,
    },
}

impl AuditReport {
    /// Returns the exit code of `expos audit verify`: 0 whole, 3 broken, 4 cannot tell.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Whole { .. } => 0,
            Self::Broken { .. } => 3,
            Self::CannotTell { .. } => 4,
        }
    }

    /// Returns the report in lines: the verdict, then what was found, one a line.
    pub fn lines(&self) -> Vec<String> {
        match self {
            Self::Whole { .. } | Self::CannotTell { .. } => vec![self.to_string()],
            Self::Broken { breaks } => {
                std::iter::once("broken".to_owned()).chain(breaks.iter().map(Break::to_string)).collect()
            }
        }
    }

    /// Returns the report for scripts. `is` is `whole`, `broken` or `cannot_tell`; `anchor` is what the next audit is given.
    pub fn to_json(&self) -> serde_json::Value {
        match self {
            Self::Whole { head, refusals } => {
                serde_json::json!({"is": "whole", "events": head.n, "refusals": refusals, "head": head.hash, "anchor": head.to_string()})
            }
            Self::Broken { breaks } => {
                let breaks: Vec<_> = breaks
                    .iter()
                    .map(|b| serde_json::json!({"kind": b.kind.to_string(), "n": b.n, "detail": b.detail}))
                    .collect();
                serde_json::json!({"is": "broken", "breaks": breaks})
            }
            Self::CannotTell { why } => serde_json::json!({"is": "cannot_tell", "why": why}),
        }
    }
}

impl fmt::Display for AuditReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole { head, refusals } => {
                write!(f, "whole: {} events, {refusals} refusals, head {}", head.n, head.hash.short())
            }
            Self::Broken { breaks } => {
                let lines: Vec<String> = breaks.iter().map(Break::to_string).collect();
                write!(f, "broken: {}", lines.join("; "))
            }
            Self::CannotTell { why } => write!(f, "cannot tell: {why}"),
        }
    }
}

/// One thing that is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Break {
    /// What sort.
    pub kind: BreakKind,
    /// At which event (or, for a refusal, refusal), where that can be said.
    pub n: Option<u64>,
    /// In words.
    pub detail: String,
}

impl fmt::Display for Break {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.n {
            Some(n) => write!(f, "{} at {n}: {}", self.kind, self.detail),
            None => write!(f, "{}: {}", self.kind, self.detail),
        }
    }
}

/// What was done to the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BreakKind {
    /// An event is not as it was written.
    Edited,
    /// An event is not there.
    Missing,
    /// Events changed places.
    Reordered,
    /// An event was put in.
    Inserted,
    /// The end is not there.
    CutOff,
    /// It is another store than the one that belongs here.
    WrongStore,
    /// A read table does not say what the log says.
    ReadTableDiffers,
    /// Metrics are not the ones that were taken.
    DigestDiffers,
}

impl fmt::Display for BreakKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Edited => "edited",
            Self::Missing => "missing",
            Self::Reordered => "reordered",
            Self::Inserted => "inserted",
            Self::CutOff => "cut off",
            Self::WrongStore => "wrong store",
            Self::ReadTableDiffers => "read table differs",
            Self::DigestDiffers => "digest differs",
        })
    }
}

/// Audits the store of a home: the chains, the read tables, the metrics, the file's own structure; and, where one is
/// given, that an anchor kept elsewhere is still part of the log.
pub fn audit_verify(home: &Home, anchor: Option<&Anchor>) -> AuditReport {
    match audit_home(home, anchor) {
        Ok(report) => report,
        Err(error) => AuditReport::CannotTell { why: error.to_string() },
    }
}

fn audit_home(home: &Home, anchor: Option<&Anchor>) -> Result<AuditReport, StoreError> {
    home.check()?;
    let expected = home.read_id();
    let connection = connection::open(&home.db(), Purpose::Read)?;
    connection::check_schema(&connection)?;
    crate::one_moment(&connection, || {
        let meta = read_meta(&connection)?;
        let wrong = |expected: String| {
            broken(
                BreakKind::WrongStore,
                None,
                format!("the file is store {}, store {expected} belongs here", meta.store),
            )
        };
        match expected {
            Ok(expected) if expected != meta.store => return Ok(wrong(expected.to_string())),
            Ok(_) => {}
            Err(error) => return Err(error),
        }
        if let Some(anchor) = anchor.filter(|anchor| anchor.store != meta.store) {
            return Ok(wrong(anchor.store.to_string()));
        }
        audit(&connection, &meta, anchor)
    })
}

fn broken(kind: BreakKind, n: Option<u64>, detail: impl Into<String>) -> AuditReport {
    AuditReport::Broken { breaks: vec![Break { kind, n, detail: detail.into() }] }
}

fn audit(connection: &Connection, meta: &Meta, anchor: Option<&Anchor>) -> Result<AuditReport, StoreError> {
    let chain = Chain { connection, store: meta.store.to_string() };
    if let Some(first) = chain.events(meta, anchor)? {
        return Ok(AuditReport::Broken { breaks: vec![first] });
    }
    if let Some(first) = chain.refusals(meta)? {
        return Ok(AuditReport::Broken { breaks: vec![first] });
    }
    let tables = rebuild::compare(connection)?.into_iter().map(|found| (BreakKind::ReadTableDiffers, found));
    let digests = rebuild::compare_snapshots(connection)?.into_iter().map(|found| (BreakKind::DigestDiffers, found));
    let breaks: Vec<Break> = tables
        .chain(digests)
        .take(TOLD_MAX)
        .map(|(kind, found)| Break { kind, n: None, detail: found.to_string() })
        .collect();
    if !breaks.is_empty() {
        return Ok(AuditReport::Broken { breaks });
    }
    let said: String = connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    if said != "ok" {
        return Ok(AuditReport::CannotTell {
            why: format!("the log is whole, but the file around it is damaged: {said}"),
        });
    }
    Ok(AuditReport::Whole {
        head: Anchor { store: meta.store, n: meta.head.n, hash: meta.head.hash },
        refusals: meta.refusals.n,
    })
}

/// The log, as it is walked.
struct Chain<'a> {
    connection: &'a Connection,
    store: String,
}

impl Chain<'_> {
    /// Walks the events; returns the first that is not as it was written.
    fn events(&self, meta: &Meta, anchor: Option<&Anchor>) -> Result<Option<Break>, StoreError> {
        let found = |kind, n, detail: &str| Ok(Some(Break { kind, n: Some(n), detail: detail.to_owned() }));
        let mut before = Head::EMPTY;
        let mut question = self.connection.prepare(&format!("SELECT {LINK_COLUMNS} FROM event ORDER BY n"))?;
        let mut rows = question.query([])?;
        loop {
            let next = before.n + 1;
            let row = match rows.next() {
                Ok(row) => row,
                Err(error) => {
                    return Err(StoreError::Corrupt {
                        why: format!("after event {} it cannot be read: {error}", before.n),
                    });
                }
            };
            let Some(row) = row else { break };
            let n = row.get::<_, i64>(0).ok().and_then(|n| convert::from_db(n).ok());
            if n.is_some_and(|n| n > next) {
                return found(BreakKind::Missing, next, "it is not there");
            }
            if next > meta.head.n {
                return found(BreakKind::Inserted, next, "the log ended before it");
            }
            let Ok(stored) = StoredLink::read(row) else {
                return found(BreakKind::Edited, next, "it cannot be read");
            };
            if stored.link.hash_at(&self.store, before.hash, next) != stored.hash {
                let kind = self.kind_of_break(before, &stored, meta.head.n)?;
                return found(kind, next, "its hash is not that of what stands there");
            }
            before = Head { n: next, hash: stored.hash };
            if anchor.is_some_and(|anchor| anchor.n == next && anchor.hash != stored.hash) {
                return found(
                    BreakKind::Edited,
                    next,
                    "the anchor says otherwise: the log was written anew before this place",
                );
            }
        }
        if before.n < meta.head.n {
            return found(BreakKind::CutOff, before.n + 1, "the log ends before its head");
        }
        if before.hash != meta.head.hash {
            return found(BreakKind::Edited, before.n, "the head that the store remembers is another");
        }
        match anchor {
            Some(anchor) if anchor.n > before.n => {
                found(BreakKind::CutOff, before.n + 1, "the anchor is of a later event")
            }
            Some(_) | None => Ok(None),
        }
    }

    /// Tells what happened where the event after `before` is not as it was written, from what stands around it.
    fn kind_of_break(&self, before: Head, bad: &StoredLink, head: u64) -> Result<BreakKind, StoreError> {
        let n = before.n + 1;
        let fits =
            |stored: &StoredLink, before: Digest, n: u64| stored.link.hash_at(&self.store, before, n) == stored.hash;
        let around = self.after(n)?;
        if let Some(rightful) = around.iter().find(|stored| fits(stored, before.hash, n)) {
            // The one after it fits behind the rightful one, too: everything was moved by one place to make room.
            let moved =
                around.get(1).is_some_and(|second| rightful.link.n == n + 1 && fits(second, rightful.hash, n + 1));
            let last: i64 = self.connection.query_row("SELECT max(n) FROM event", [], |row| row.get(0))?;
            let too_many = convert::from_db(last)? > head;
            return Ok(if moved || too_many { BreakKind::Inserted } else { BreakKind::Reordered });
        }
        let Some(second) = around.first() else { return self.kind_by_version(bad) };
        if fits(second, bad.hash, n + 1) {
            return Ok(BreakKind::Edited);
        }
        let moved_up = (1..=LOOK_AROUND).any(|gone| fits(second, bad.hash, n + 1 + gone));
        if moved_up { Ok(BreakKind::Missing) } else { self.kind_by_version(bad) }
    }

    /// Tells a missing event by the gap that it leaves in the life of the thing it was about.
    fn kind_by_version(&self, bad: &StoredLink) -> Result<BreakKind, StoreError> {
        let last: i64 = self.connection.query_row(
            "SELECT coalesce(max(version), 0) FROM event WHERE stream = ?1 AND n < ?2",
            rusqlite::params![bad.link.stream, convert::to_db(bad.link.n)?],
            |row| row.get(0),
        )?;
        Ok(if bad.link.version > convert::from_db(last)? + 1 { BreakKind::Missing } else { BreakKind::Edited })
    }

    /// Returns the readable events after place `n`, as far as is looked around.
    fn after(&self, n: u64) -> Result<Vec<StoredLink>, StoreError> {
        let mut question =
            self.connection.prepare(&format!("SELECT {LINK_COLUMNS} FROM event WHERE n > ?1 ORDER BY n LIMIT ?2"))?;
        let mut rows = question.query([convert::to_db(n)?, convert::to_db(LOOK_AROUND)?])?;
        let mut found = Vec::new();
        while let Ok(Some(row)) = rows.next() {
            found.extend(StoredLink::read(row).ok());
        }
        Ok(found)
    }

    /// Walks the refusals; returns the first that is not as it was written.
    fn refusals(&self, meta: &Meta) -> Result<Option<Break>, StoreError> {
        let found =
            |kind, n, detail: &str| Ok(Some(Break { kind, n: Some(n), detail: format!("of the refusals: {detail}") }));
        let mut before = Head::EMPTY;
        let mut question = self.connection.prepare(&format!("SELECT {REFUSAL_COLUMNS} FROM refusal ORDER BY n"))?;
        let mut rows = question.query([])?;
        while let Some(row) = rows.next()? {
            let next = before.n + 1;
            let Ok((link, hash)) = RefusalLink::read(row) else {
                return found(BreakKind::Edited, next, "it cannot be read");
            };
            if link.n > next {
                return found(BreakKind::Missing, next, "it is not there");
            }
            if next > meta.refusals.n {
                return found(BreakKind::Inserted, next, "their log ended before it");
            }
            if link.hash(&self.store, before.hash) != hash {
                return found(BreakKind::Edited, next, "its hash is not that of what stands there");
            }
            before = Head { n: next, hash };
        }
        if before == meta.refusals {
            Ok(None)
        } else {
            found(BreakKind::CutOff, before.n + 1, "they end before their head")
        }
    }
}
