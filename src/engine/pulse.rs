//! The pulse: what each task last did, kept in memory and told when asked.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use domain::time::UtcTime;

use crate::Task;

/// What a task says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Beat {
    /// Its name.
    pub task: &'static str,
    /// Since when it is at a step; `None` between steps.
    pub since: Option<UtcTime>,
    /// When it last took a step.
    pub last: Option<UtcTime>,
    /// When the next is due; `None` where only a change can make one due.
    pub next: Option<UtcTime>,
    /// Steps since the start.
    pub steps: u64,
    /// What last went wrong, since it last went well.
    pub error: Option<String>,
}

#[derive(Debug, Default)]
pub(crate) struct Pulse {
    tasks: Mutex<BTreeMap<Task, Beat>>,
}

impl Pulse {
    pub(crate) fn begun(&self, task: Task, at: UtcTime) {
        self.change(task, |beat| beat.since = Some(at));
    }

    pub(crate) fn done(&self, task: Task, at: UtcTime, next: Option<UtcTime>) {
        self.change(task, |beat| {
            beat.since = None;
            beat.last = Some(at);
            beat.next = next;
            beat.steps = beat.steps.saturating_add(1);
        });
    }

    pub(crate) fn went_wrong(&self, task: Task, why: String) {
        tracing::warn!(task = task.as_str(), "{why}");
        self.change(task, |beat| beat.error = Some(why));
    }

    pub(crate) fn went_well(&self, task: Task) {
        self.change(task, |beat| beat.error = None);
    }

    pub(crate) fn beats(&self) -> Vec<Beat> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    fn change(&self, task: Task, change: impl FnOnce(&mut Beat)) {
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        let new = Beat { task: task.as_str(), since: None, last: None, next: None, steps: 0, error: None };
        let beat = tasks.entry(task).or_insert(new);
        change(beat);
    }
}
