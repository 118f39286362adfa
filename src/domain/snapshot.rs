//! Snapshots: proxy metrics of one post at one age (G).
//!
//! Decides that a value is a number, missing with a reason, or not offered, and never 0 for unknown (I20); and the digest
//! of a batch, which its event carries so that no row can be changed unseen. Which metrics stand for what is the surface's.

use serde::{Deserialize, Serialize};

use crate::hash::{Digest, Framed};
use crate::id::PostId;
use crate::time::{SnapshotAge, UtcTime};

/// What was read of one metric.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Reading {
    /// A number.
    Value {
        /// In the metric's own unit.
        value: f64,
    },
    /// It should have been there.
    Missing {
        /// Why it is not.
        why: String,
    },
    /// The platform does not offer it.
    NotOffered,
}

/// One metric of one post at one age.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SnapshotRow {
    /// The metric's name on the surface.
    pub metric: String,
    /// What was read.
    pub reading: Reading,
}

/// All metrics of one post at one age.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The post.
    pub post: PostId,
    /// The nominal age, counted from the platform's time of publication.
    pub age: SnapshotAge,
    /// When it was read.
    pub captured: UtcTime,
    /// Where: `public read at https://…`.
    pub source: String,
    /// The rows, by metric.
    pub rows: Vec<SnapshotRow>,
}

impl Snapshot {
    /// Returns the digest that the event carries.
    pub fn digest(&self) -> Digest {
        let framed = Framed::new("expos.snapshot.1")
            .field(&self.post.to_bytes())
            .text(&self.age.to_string())
            .text(&self.captured.to_string());
        self.rows
            .iter()
            .fold(framed.text(&self.source), |framed, row| {
                let reading = match &row.reading {
                    Reading::Value { value } => format!("value {value}"),
                    Reading::Missing { why } => format!("missing {why}"),
                    Reading::NotOffered => "not offered".to_owned(),
                };
                framed.text(&row.metric).text(&reading)
            })
            .digest()
    }
}
