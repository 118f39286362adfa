//! Snapshots: metrics of posts at ages, as rows whose digest stands in the log.

use domain::id::{ExperimentId, PostId};
use domain::snapshot::{Reading, Snapshot, SnapshotRow};
use domain::time::{SnapshotAge, Span, UtcTime};
use rusqlite::{Connection, Params};

use super::View;
use crate::{StoreError, convert};

impl View<'_> {
    /// Returns the snapshots of a post, by age.
    pub fn snapshots_of_post(&self, post: PostId) -> Result<Vec<Snapshot>, StoreError> {
        snapshots(
            self.connection,
            "SELECT s.post, s.age_us, s.captured_us, s.source, r.metric, r.reading, r.value, r.why
             FROM snapshot s LEFT JOIN snapshot_row r USING (post, age_us)
             WHERE s.post = ?1 ORDER BY s.post, s.age_us, r.place",
            [post.to_string()],
        )
    }

    /// Returns the snapshots of all posts of an experiment, by post, then by age.
    pub fn snapshots_of_experiment(&self, experiment: ExperimentId) -> Result<Vec<Snapshot>, StoreError> {
        snapshots(
            self.connection,
            "SELECT s.post, s.age_us, s.captured_us, s.source, r.metric, r.reading, r.value, r.why
             FROM post p JOIN snapshot s ON s.post = p.key LEFT JOIN snapshot_row r USING (post, age_us)
             WHERE p.experiment = ?1 ORDER BY s.post, s.age_us, r.place",
            [experiment.to_string()],
        )
    }
}

/// Reads snapshots from rows that stand together by post and age.
pub(crate) fn snapshots(connection: &Connection, sql: &str, params: impl Params) -> Result<Vec<Snapshot>, StoreError> {
    let mut question = connection.prepare_cached(sql)?;
    let mut rows = question.query(params)?;
    let mut found: Vec<Snapshot> = Vec::new();
    while let Some(row) = rows.next()? {
        let post: String = row.get(0)?;
        let post: PostId = convert::parse("a snapshot's post", &post)?;
        let age = SnapshotAge(Span::from_micros(row.get(1)?));
        let read = reading(row)?;
        match found.last_mut().filter(|last| last.post == post && last.age == age) {
            Some(last) => last.rows.extend(read),
            None => found.push(Snapshot {
                post,
                age,
                captured: UtcTime::from_micros(row.get(2)?),
                source: row.get(3)?,
                rows: read.into_iter().collect(),
            }),
        }
    }
    Ok(found)
}

fn reading(row: &rusqlite::Row<'_>) -> Result<Option<SnapshotRow>, StoreError> {
    let Some(metric) = row.get::<_, Option<String>>(4)? else { return Ok(None) };
    let sort: String = row.get(5)?;
    let reading = match (sort.as_str(), row.get::<_, Option<f64>>(6)?, row.get::<_, Option<String>>(7)?) {
        ("value", Some(value), None) => Reading::Value { value },
        ("missing", None, Some(why)) => Reading::Missing { why },
        ("not_offered", None, None) => Reading::NotOffered,
        _ => {
            return Err(StoreError::Unreadable {
                what: format!("the reading of {metric}"),
                why: format!("`{sort}` does not go with what stands there"),
            });
        }
    };
    Ok(Some(SnapshotRow { metric, reading }))
}
