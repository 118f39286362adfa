//! Rebuild and compare: the log folded from nothing must be what the read tables say (I12).
//!
//! Decides what counts as a difference: a row, one of its columns, a version, whose an event is, a snapshot's digest.
//! Streams are folded one after another, so that memory does not grow with the log.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use domain::account::Account;
use domain::agency::Agency;
use domain::aggregate::StreamKind;
use domain::calendar::layer::Layer;
use domain::checkin::Checkin;
use domain::client::Client;
use domain::engagement::Conversation;
use domain::escalation::Escalation;
use domain::experiment::Experiment;
use domain::hash::Digest;
use domain::id::{ClientId, PostId};
use domain::learning::Learning;
use domain::post::{Post, PostEvent};
use domain::time::SnapshotAge;
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension};

use crate::chain::split_stream;
use crate::stored::{self, Stored, table::Table};
use crate::{StoreError, convert};

/// Where a read table is not the fold of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Of what sort of thing.
    pub kind: StreamKind,
    /// Of which; nothing for the agency.
    pub key: String,
    /// What differs.
    pub how: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = if self.key.is_empty() { self.kind.to_string() } else { format!("{} {}", self.kind, self.key) };
        write!(f, "{name}: {}", self.how)
    }
}

/// Compares all read tables with the log.
pub(crate) fn compare(connection: &Connection) -> Result<Vec<Difference>, StoreError> {
    let mut found = Vec::new();
    for kind in StreamKind::ALL {
        match kind {
            StreamKind::Agency => compare_table::<Agency>(connection, &mut found)?,
            StreamKind::Client => compare_table::<Client>(connection, &mut found)?,
            StreamKind::Account => compare_table::<Account>(connection, &mut found)?,
            StreamKind::Layer => compare_table::<Layer>(connection, &mut found)?,
            StreamKind::Experiment => compare_table::<Experiment>(connection, &mut found)?,
            StreamKind::Post => compare_table::<Post>(connection, &mut found)?,
            StreamKind::Escalation => compare_table::<Escalation>(connection, &mut found)?,
            StreamKind::Checkin => compare_table::<Checkin>(connection, &mut found)?,
            StreamKind::Learning => {
                compare_table::<Learning>(connection, &mut found)?;
                compare_words(connection, &mut found)?;
            }
            StreamKind::Conversation => compare_table::<Conversation>(connection, &mut found)?,
        }
    }
    Ok(found)
}

/// A stream while it is folded.
struct Folding<A> {
    key: String,
    version: u64,
    state: Option<A>,
    broken: Option<String>,
}

fn compare_table<A: Stored>(connection: &Connection, found: &mut Vec<Difference>) -> Result<(), StoreError> {
    let mut keys = BTreeSet::new();
    let mut folding: Option<Folding<A>> = None;
    // Streams of one sort stand together in the index, `/` being followed by `0`.
    let mut question = connection.prepare(
        "SELECT stream, version, client, payload FROM event WHERE stream = ?1 OR (stream >= ?1 || '/' AND stream < ?1 || '0')
         ORDER BY stream, version",
    )?;
    let mut rows = question.query([A::KIND.as_str()])?;
    while let Some(row) = rows.next()? {
        let (stream, version, client, payload): (String, i64, Option<String>, String) =
            (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
        let (_, key) = split_stream(&stream)?;
        if folding.as_ref().is_none_or(|folding| folding.key != key) {
            if let Some(done) = folding.take() {
                compare_row(connection, &done, found)?;
                keys.insert(done.key);
            }
            folding = Some(Folding { key: key.to_owned(), version: 0, state: None, broken: None });
        }
        if let Some(folding) = &mut folding {
            fold_one(folding, convert::from_db(version)?, client.as_deref(), &payload);
        }
    }
    if let Some(done) = folding {
        compare_row(connection, &done, found)?;
        keys.insert(done.key);
    }
    let mut rows = connection.prepare(<A as Table>::SHOW)?;
    let mut rows = rows.query([])?;
    while let Some(row) = rows.next()? {
        let key: String = row.get(0)?;
        if !keys.contains(&key) {
            found.push(Difference { kind: A::KIND, key, how: "it has a row, and no events".to_owned() });
        }
    }
    Ok(())
}

fn fold_one<A: Stored>(folding: &mut Folding<A>, version: u64, client: Option<&str>, payload: &str) {
    if folding.broken.is_some() {
        return;
    }
    if version != folding.version + 1 {
        folding.broken = Some(format!("after version {} comes {version}", folding.version));
        return;
    }
    folding.version = version;
    let what = stored::what::<A>(&folding.key);
    let next =
        stored::read_event::<A>(&what, payload).and_then(|event| stored::step(&what, folding.state.take(), &event));
    match next {
        Ok(state) => {
            if state.client().map(ClientId::as_str) != client {
                folding.broken = Some(format!("event of version {version} is filed under another client"));
            }
            folding.state = Some(state);
        }
        Err(error) => folding.broken = Some(error.to_string()),
    }
}

fn compare_row<A: Stored>(
    connection: &Connection,
    folded: &Folding<A>,
    found: &mut Vec<Difference>,
) -> Result<(), StoreError> {
    let mut differs = |how: String| found.push(Difference { kind: A::KIND, key: folded.key.clone(), how });
    if let Some(broken) = &folded.broken {
        differs(broken.clone());
        return Ok(());
    }
    let Some(state) = &folded.state else { return Ok(()) };
    let expected: Vec<Value> = state.changing().into_iter().chain(state.fixed()).collect();
    let row = connection
        .prepare_cached(&format!("{} WHERE key = ?1", <A as Table>::SHOW))?
        .query_row([&folded.key], |row| {
            let columns: Result<Vec<Value>, _> = (3..3 + expected.len()).map(|column| row.get(column)).collect();
            Ok((row.get::<_, i64>(1)?, row.get::<_, String>(2)?, columns?))
        })
        .optional()?;
    let Some((version, body, columns)) = row else {
        differs("it has events, and no row".to_owned());
        return Ok(());
    };
    if u64::try_from(version) != Ok(folded.version) {
        differs(format!("its row says version {version}, its events make {}", folded.version));
    }
    if stored::read_body::<A>(&folded.key, &body).ok().as_ref() != Some(state) {
        differs("its row says another state than its events make".to_owned());
    }
    if columns != expected {
        differs("the columns to search by say something else than its state".to_owned());
    }
    Ok(())
}

/// Compares the words by which learnings are found with the rows that they are of; those were compared with the log.
fn compare_words(connection: &Connection, found: &mut Vec<Difference>) -> Result<(), StoreError> {
    let mut question = connection.prepare(
        "SELECT l.key FROM learning l WHERE (SELECT group_concat(m.words, '') FROM memory m WHERE m.key = l.key) IS NOT l.words
         UNION SELECT m.key FROM memory m WHERE m.key NOT IN (SELECT key FROM learning)",
    )?;
    let mut rows = question.query([])?;
    while let Some(row) = rows.next()? {
        let how = "it is not found by the words that it has".to_owned();
        found.push(Difference { kind: StreamKind::Learning, key: row.get(0)?, how });
    }
    Ok(())
}

/// Compares each snapshot's rows with the digest that its event carries.
pub(crate) fn compare_snapshots(connection: &Connection) -> Result<Vec<Difference>, StoreError> {
    let mut promised: BTreeMap<(PostId, SnapshotAge), (u32, Digest)> = BTreeMap::new();
    let mut question = connection.prepare("SELECT stream, payload FROM event WHERE type = 'snapshot_taken'")?;
    let mut rows = question.query([])?;
    while let Some(row) = rows.next()? {
        let (stream, payload): (String, String) = (row.get(0)?, row.get(1)?);
        let (_, key) = split_stream(&stream)?;
        if let PostEvent::SnapshotTaken { age, rows, digest, .. } = stored::read_event::<Post>("a snapshot", &payload)?
        {
            promised.insert((convert::parse("a post", key)?, age), (rows, digest));
        }
    }
    let stored = crate::view::snapshots(
        connection,
        "SELECT s.post, s.age_us, s.captured_us, s.source, r.metric, r.reading, r.value, r.why
         FROM snapshot s LEFT JOIN snapshot_row r USING (post, age_us) ORDER BY s.post, s.age_us, r.place",
        [],
    )?;
    let mut found = Vec::new();
    let mut differs =
        |post: PostId, how: String| found.push(Difference { kind: StreamKind::Post, key: post.to_string(), how });
    for snapshot in stored {
        match promised.remove(&(snapshot.post, snapshot.age)) {
            None => differs(snapshot.post, format!("it has a snapshot at {} that no event tells of", snapshot.age)),
            Some((rows, digest)) if digest != snapshot.digest() || usize::try_from(rows) != Ok(snapshot.rows.len()) => {
                differs(snapshot.post, format!("its snapshot at {} is not the one that was taken", snapshot.age));
            }
            Some(_) => {}
        }
    }
    for ((post, age), _) in promised {
        differs(post, format!("its snapshot at {age} is gone"));
    }
    Ok(found)
}
