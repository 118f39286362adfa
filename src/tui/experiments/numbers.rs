//! Numbers: what was measured of one experiment, a row a snapshot.
//!
//! Decides the columns: every metric that a snapshot speaks of, in words, none of them cut. Heads take a second row where
//! one has no room for them; metrics that have none even then stand in a further table below. What a metric is worth is
//! not said here. Numbers are shown as they were read: what is missing is `n/a` with its reason, what the platform does not
//! offer is `-`; none of them is 0.

use std::collections::BTreeMap;

use desk::query::{ExperimentView, SnapshotView};
use domain::snapshot::Reading;
use domain::surface::spoken;

use crate::clean::Clean;
use crate::line::{Line, Look};
use crate::model::Model;
use crate::theme::Role;
use crate::when;

/// The columns of post and of age, and what the moment of a snapshot takes at the right.
const FIXED: (usize, usize, usize) = (6, 6, 14);
/// The least that a number takes, and the air before it.
const LEAST: usize = 6;
const AIR: usize = 2;

/// A metric with its head.
#[derive(Debug, Clone)]
struct Column {
    metric: String,
    /// The upper row is empty where one row is enough.
    head: (Clean, Clean),
    width: usize,
}

/// Returns the page.
pub(super) fn lines(model: &Model, view: &ExperimentView, width: usize) -> Vec<Line> {
    let Some(snapshots) = model.known.snapshots.get(&view.line.code) else {
        return vec![Line::new().muted("working")];
    };
    if snapshots.is_empty() {
        return vec![Line::new().muted("No snapshot yet; the first comes at its age after a post is out.")];
    }
    let (post, age, moment) = FIXED;
    let mut lines = Vec::new();
    for columns in tables(snapshots, width.saturating_sub(post + age + moment)) {
        if !lines.is_empty() {
            lines.push(Line::new());
        }
        lines.extend(table(model, snapshots, &columns));
    }
    for snapshot in snapshots {
        for row in &snapshot.snapshot.rows {
            if let Reading::Missing { why } = &row.reading {
                let (post, age) = (format!("{}{}", snapshot.letter, snapshot.number), snapshot.snapshot.age);
                lines.push(Line::new().muted(format!("{post} {age}: {}: {why}", spoken(&row.metric))));
            }
        }
    }
    lines
}

/// Parts the metrics into tables that fit beside post, age and moment.
fn tables(snapshots: &[SnapshotView], room: usize) -> Vec<Vec<Column>> {
    let mut metrics: Vec<&str> = Vec::new();
    for row in snapshots.iter().flat_map(|snapshot| &snapshot.snapshot.rows) {
        if !metrics.contains(&row.metric.as_str()) {
            metrics.push(&row.metric);
        }
    }
    let columns = |heads: fn(&str) -> (Clean, Clean)| -> Vec<Column> {
        let column = |metric: &&str| {
            let head = heads(metric);
            let readings = snapshots.iter().filter_map(|snapshot| reading(snapshot, metric));
            let number = readings.map(|reading| Clean::of(said(Some(reading)).0).width()).max().unwrap_or(0);
            let width = head.0.width().max(head.1.width()).max(number).max(LEAST) + AIR;
            Column { metric: (*metric).to_owned(), head, width }
        };
        metrics.iter().map(column).collect()
    };
    let one_row = columns(|metric| (Clean::default(), Clean::of(spoken(metric))));
    if one_row.iter().map(|column| column.width).sum::<usize>() <= room {
        return vec![one_row];
    }
    let mut tables: Vec<Vec<Column>> = Vec::new();
    let mut left = 0;
    for column in columns(two_rows) {
        match tables.last_mut() {
            Some(table) if column.width <= left => {
                left -= column.width;
                table.push(column);
            }
            Some(_) | None => {
                left = room.saturating_sub(column.width);
                tables.push(vec![column]);
            }
        }
    }
    tables
}

/// Parts the words of a metric into two rows, the wider of them as narrow as can be.
fn two_rows(metric: &str) -> (Clean, Clean) {
    let words = spoken(metric);
    let parts = words.match_indices(' ').filter_map(|(at, _)| words.split_at_checked(at));
    let rows = parts.map(|(upper, lower)| (Clean::of(upper), Clean::of(lower.trim_start())));
    rows.min_by_key(|(upper, lower)| upper.width().max(lower.width()))
        .unwrap_or_else(|| (Clean::default(), Clean::of(words.as_str())))
}

fn table(model: &Model, snapshots: &[SnapshotView], columns: &[Column]) -> Vec<Line> {
    let muted = Look::of(Role::Muted);
    let (post, age, _) = FIXED;
    let mut lines = Vec::new();
    if columns.iter().any(|column| column.head.0.width() > 0) {
        let upper = |line: Line, column: &Column| line.cell_right(column.head.0.clone(), muted, column.width, 0);
        lines.push(columns.iter().fold(Line::new().goto(post + age), upper));
    }
    let head = Line::new().cell("post", muted, post, 1).cell("age", muted, age, 1);
    let lower = |line: Line, column: &Column| line.cell_right(column.head.1.clone(), muted, column.width, 0);
    lines.push(columns.iter().fold(head, lower));
    let mut by_post: BTreeMap<(char, u32), Vec<&SnapshotView>> = BTreeMap::new();
    for snapshot in snapshots {
        by_post.entry((snapshot.letter, snapshot.number)).or_default().push(snapshot);
    }
    for ((letter, number), mut snapshots) in by_post {
        snapshots.sort_by_key(|s| s.snapshot.captured);
        for (row, one) in snapshots.iter().enumerate() {
            let mut line = Line::new();
            if row == 0 {
                line = line.put(Clean::drawn(letter, 1), Look::bold(Role::of_letter(letter))).plain(number.to_string());
            }
            line = line.goto(post).cell(one.snapshot.age.to_string(), muted, age, 1);
            for column in columns {
                let (text, look) = said(reading(one, &column.metric));
                line = line.cell_right(text, look, column.width, 0);
            }
            lines.push(line.right(when::relative(one.snapshot.captured, model.wall()), muted));
        }
    }
    lines
}

fn reading<'a>(snapshot: &'a SnapshotView, metric: &str) -> Option<&'a Reading> {
    snapshot.snapshot.rows.iter().find(|row| row.metric == metric).map(|row| &row.reading)
}

/// Returns what is shown for a reading: what is not known is never a number.
fn said(reading: Option<&Reading>) -> (String, Look) {
    match reading {
        Some(Reading::Value { value }) => (value.to_string(), Look::default()),
        Some(Reading::NotOffered) => ("-".to_owned(), Look::of(Role::Muted)),
        Some(Reading::Missing { .. }) | None => ("n/a".to_owned(), Look::of(Role::Warn)),
    }
}

#[cfg(test)]
mod tests {
    use domain::id::PostId;
    use domain::snapshot::{Snapshot, SnapshotRow};
    use domain::time::{SnapshotAge, Span, UtcTime};
    use proptest::prelude::*;

    use super::*;

    fn snapshot(metrics: &[&str]) -> SnapshotView {
        let at: UtcTime = "2026-11-21T12:00:00Z".parse().unwrap();
        let row = |metric: &&str| SnapshotRow {
            metric: (*metric).to_owned(),
            reading: Reading::Value { value: 12_345_678.0 },
        };
        SnapshotView {
            experiment: "CRM-015".to_owned(),
            letter: 'A',
            number: 1,
            snapshot: Snapshot {
                post: PostId::new(at, [1; 10]),
                age: SnapshotAge(Span::hours(24)),
                captured: at,
                source: "public read".to_owned(),
                rows: metrics.iter().map(row).collect(),
            },
        }
    }

    const METRICS: [&str; 9] = [
        "replyCount",
        "likeCount",
        "repostCount",
        "quoteCount",
        "followersCount",
        "threadDepth",
        "subscribersGained",
        "ig_reels_avg_watch_time",
        "averageViewPercentage",
    ];

    #[test]
    fn heads_stand_in_one_row_where_they_fit_in_two_where_not_and_in_a_further_table_at_last() {
        let heads = |metrics: &[&str], room| {
            let all = tables(&[snapshot(metrics)], room);
            let head = |c: &Column| format!("{}/{}", c.head.0.plain(), c.head.1.plain());
            all.iter().map(|table| table.iter().map(head).collect::<Vec<_>>()).collect::<Vec<_>>()
        };
        let few = ["replyCount", "threadDepth"];
        assert_eq!(heads(&few, 60), [["/replies", "/thread depth"]]);
        assert_eq!(heads(&few, 20), [["/replies", "thread/depth"]]);
        assert_eq!(heads(&few, 12), [["/replies"], ["thread/depth"]]);
    }

    proptest! {
        #[test]
        fn no_head_and_no_number_is_cut_and_none_is_left_out(count in 1_usize..9, room in 20_usize..140) {
            let metrics = METRICS.get(..count).unwrap();
            let all = tables(&[snapshot(metrics)], room);
            for table in &all {
                let width: usize = table.iter().map(|column| column.width).sum();
                prop_assert!(width <= room, "{width} of {room}");
                for column in table {
                    prop_assert!(column.head.0.width().max(column.head.1.width()).max(8) < column.width);
                }
            }
            let named: Vec<&str> = all.iter().flatten().map(|column| column.metric.as_str()).collect();
            prop_assert_eq!(named, metrics);
        }
    }
}
