//! Snapshots: metrics of posts, one row a metric. What is not known is never 0.

use clap::Subcommand;
use desk::query::SnapshotView;
use desk::{Answer, Query};
use domain::snapshot::Reading;

use crate::error::Failure;
use crate::output::{Told, flow, keep};
use crate::session::{Session, data, take};
use crate::text::Text;

pub(crate) const EXAMPLES: &str = "\
Examples:
  expos snapshot list
  expos snapshot list ACME-001 --plain";

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// List metrics
    List {
        /// Of one experiment: code, id or unique prefix
        experiment: Option<String>,
    },
}

pub(crate) async fn run(session: &mut Session<'_>, verb: Verb) -> Result<Told, Failure> {
    let Verb::List { experiment } = verb;
    let found = match session.ask(Query::SnapshotList { experiment: experiment.clone() }).await {
        Ok(answer) => take!(answer, Answer::Snapshots)?,
        Err(failure) => return Err(session.suggest(failure, "experiment", &experiment.unwrap_or_default()).await),
    };
    Ok(list(&found, data(&found)?))
}

fn list(snapshots: &[SnapshotView], data: serde_json::Value) -> Told {
    let mut rows = Vec::new();
    for view in snapshots {
        for row in &view.snapshot.rows {
            rows.push(vec![
                view.experiment.as_str().into(),
                view.number.to_string().into(),
                view.letter.to_string().into(),
                view.snapshot.age.to_string().into(),
                view.snapshot.captured.to_string().into(),
                row.metric.as_str().into(),
                reading(&row.reading),
            ]);
        }
    }
    let columns = vec![
        keep("experiment"),
        keep("post"),
        keep("variant"),
        keep("age"),
        keep("read at"),
        keep("metric"),
        flow("value"),
    ];
    Told::table(columns, rows, "no metrics were read yet", data)
}

fn reading(reading: &Reading) -> Text {
    match reading {
        Reading::Value { value } => value.to_string().into(),
        Reading::Missing { why } => format!("missing: {why}").into(),
        Reading::NotOffered => "not offered".into(),
    }
}
