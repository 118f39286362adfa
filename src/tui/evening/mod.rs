//! End of day: what did we learn today, what must someone look at tomorrow?
//!
//! Decides which experiments the round looks at: those that have something out and are not over, and those that wait for a
//! decision. What an experiment says is the desk's word.

pub(crate) mod view;

use desk::query::ExperimentLine;
use domain::experiment::Stage;
use domain::id::ExperimentId;

use crate::can::is_paused;
use crate::list::List;
use crate::model::Model;
use crate::rounds::Step;

/// The most experiments whose outcome is asked for.
pub(crate) const ASKED_MAX: usize = 40;

/// The state of the pane.
#[derive(Debug, Clone)]
pub(crate) struct Evening {
    pub(crate) step: Step,
    pub(crate) outcomes: List<ExperimentId>,
    pub(crate) decide: List<ExperimentId>,
}

impl Default for Evening {
    fn default() -> Self {
        Self { step: Step::Outcomes, outcomes: List::default(), decide: List::default() }
    }
}

/// Tells whether an experiment waits for a decision.
pub(crate) fn asks_for_decision(line: &ExperimentLine) -> bool {
    match line.stage {
        Stage::Reviewing | Stage::Invalid { .. } => true,
        Stage::Drafting
        | Stage::Creating
        | Stage::Preflight
        | Stage::AwaitingApproval
        | Stage::Scheduled
        | Stage::Running
        | Stage::Maturing
        | Stage::Completed { .. } => false,
    }
}

/// Tells whether it is known that an experiment was decided; one that is invalid stays so.
pub(crate) fn is_decided(model: &Model, line: &ExperimentLine) -> bool {
    matches!(model.known.reviews.get(&line.code), Some(Ok(review)) if review.decision.is_some())
}

/// Tells whether the round looks at an experiment.
fn is_looked_at(line: &ExperimentLine) -> bool {
    let measured = match line.stage {
        Stage::Running | Stage::Maturing => line.out > 0,
        Stage::Reviewing | Stage::Invalid { .. } => true,
        Stage::Drafting
        | Stage::Creating
        | Stage::Preflight
        | Stage::AwaitingApproval
        | Stage::Scheduled
        | Stage::Completed { .. } => false,
    };
    // The house compares nothing.
    measured && line.kind != "house"
}

/// Returns what the round looks at, in its order: what asks for a decision, then by stage and code.
pub(crate) fn ordered(model: &Model) -> Vec<ExperimentId> {
    let mut all: Vec<&ExperimentLine> =
        model.known.experiments.iter().flatten().map(|(_, line)| line).filter(|line| is_looked_at(line)).collect();
    all.sort_by_key(|line| (!asks_for_decision(line), is_paused(line), line.code.clone()));
    all.into_iter().map(|line| line.id).collect()
}

/// Returns the experiments of the scope that wait for a decision.
pub(crate) fn undecided(model: &Model) -> Vec<ExperimentId> {
    ordered(model)
        .into_iter()
        .filter(|id| model.known.line(*id).is_some_and(|line| asks_for_decision(line) && !is_decided(model, line)))
        .filter(|id| is_shown(model, *id))
        .collect()
}

/// Returns the list of the present step.
pub(crate) fn list(model: &Model) -> &List<ExperimentId> {
    if model.evening.step == Step::Decide { &model.evening.decide } else { &model.evening.outcomes }
}

/// Returns the rows of the present step that the scope leaves.
pub(crate) fn shown(model: &Model) -> Vec<ExperimentId> {
    list(model).order().iter().filter(|id| is_shown(model, **id)).copied().collect()
}

/// Tells whether the scope leaves one.
pub(crate) fn is_shown(model: &Model, id: ExperimentId) -> bool {
    model.known.line(id).is_none_or(|line| model.in_scope(&line.client))
}

/// Returns the experiment under the cursor.
pub(crate) fn under_cursor(model: &Model) -> Option<ExperimentId> {
    let here = matches!(model.evening.step, Step::Outcomes | Step::Decide);
    list(model).cursor().copied().filter(|id| here && is_shown(model, *id))
}

/// Returns how many snapshots came in today, as far as the last events tell, and whether they reach back that far.
pub(crate) fn came_in(model: &Model) -> (usize, bool) {
    let zone = model.known.office().unwrap_or(model.setting.zone);
    let today = zone.local(model.wall()).date;
    let is_today = |event: &&desk::query::EventLine| zone.local(event.at).date == today;
    let taken = model.known.events.iter().filter(is_today).filter(|event| event.event == "snapshot_taken").count();
    let whole = model.known.events.front().is_none_or(|first| !is_today(&first));
    (taken, whole)
}

/// Returns what stands at the first step, in words.
pub(crate) fn what(model: &Model) -> String {
    let looked: Vec<ExperimentId> = ordered(model).into_iter().filter(|id| is_shown(model, *id)).collect();
    let (taken, whole) = came_in(model);
    let at_least = if whole { "" } else { "at least " };
    let snapshots = crate::morning::preview::counted(taken, "snapshot");
    match looked.len() {
        0 => format!("nothing is being measured, {at_least}{snapshots} in"),
        n => format!("{}, {at_least}{snapshots} in today", crate::morning::preview::counted(n, "experiment")),
    }
}
