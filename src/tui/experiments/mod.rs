//! Experiments: where is each one, what is it waiting for?
//!
//! Decides which experiments the list shows and in which order: what needs a person, what runs, what is over. One
//! experiment by stage is `detail`.

pub(crate) mod detail;
mod numbers;
mod outcome;
mod plot;
pub(crate) mod view;

use desk::query::ExperimentLine;
use domain::experiment::Stage;
use domain::id::ExperimentId;
use tui_input::Input;

use crate::can::is_paused;
use crate::filter::Filter;
use crate::list::List;
use crate::model::Model;
use crate::sign::Sign;

/// Returns what an experiment says, whole.
pub(crate) fn says(outcome: &domain::outcome::Outcome, width: usize) -> Vec<crate::line::Line> {
    outcome::lines(outcome, Vec::new(), width)
}

/// The pages of one experiment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Tab {
    /// What matters at its stage.
    #[default]
    Now,
    /// What was asked.
    Brief,
    /// What is shown.
    Variants,
    /// What goes out.
    Posts,
    /// What was measured.
    Numbers,
    /// What happened.
    History,
}

impl Tab {
    pub(crate) const ALL: [Self; 6] =
        [Self::Now, Self::Brief, Self::Variants, Self::Posts, Self::Numbers, Self::History];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Now => "Now",
            Self::Brief => "Brief",
            Self::Variants => "Variants",
            Self::Posts => "Posts",
            Self::Numbers => "Numbers",
            Self::History => "History",
        }
    }

    /// Returns the page so many further; round and round.
    pub(crate) fn turned(self, forward: bool) -> Self {
        let at = Self::ALL.iter().position(|tab| *tab == self).unwrap_or(0);
        let by = if forward { 1 } else { Self::ALL.len() - 1 };
        Self::ALL.get((at + by) % Self::ALL.len()).copied().unwrap_or_default()
    }
}

/// The state of the pane.
#[derive(Debug, Clone, Default)]
pub(crate) struct Experiments {
    pub(crate) list: List<ExperimentId>,
    pub(crate) filter: Input,
    pub(crate) tab: Tab,
    /// The first line of the page that is shown.
    pub(crate) top: usize,
}

/// Returns the ids in the order of the pane: what needs a person first, what is over last, by next slot within.
pub(crate) fn ordered<'a>(lines: impl Iterator<Item = &'a ExperimentLine>) -> Vec<ExperimentId> {
    let mut all: Vec<&ExperimentLine> = lines.filter(|line| line.kind != "house" || line.planned > 0).collect();
    all.sort_by(|a, b| {
        (urgency(a), a.next.is_none(), a.next, &a.code).cmp(&(urgency(b), b.next.is_none(), b.next, &b.code))
    });
    all.into_iter().map(|line| line.id).collect()
}

fn urgency(line: &ExperimentLine) -> u8 {
    if is_paused(line) {
        return 1;
    }
    match line.stage {
        Stage::AwaitingApproval | Stage::Reviewing => 0,
        Stage::Running | Stage::Maturing => 2,
        Stage::Scheduled => 3,
        Stage::Drafting | Stage::Creating | Stage::Preflight => 4,
        Stage::Invalid { .. } => 5,
        Stage::Completed { .. } => 6,
    }
}

/// Returns the sign of an experiment's stage.
pub(crate) fn sign(model: &Model, line: &ExperimentLine) -> Sign {
    if model.is_pending(line.id) {
        return Sign::sent("sent");
    }
    Sign::of_stage(&line.stage, is_paused(line))
}

/// Returns the ids that filter and scope leave.
pub(crate) fn shown(model: &Model) -> Vec<ExperimentId> {
    let filter = Filter::read(model.experiments.filter.value());
    model.experiments.list.order().iter().filter(|id| keeps(model, &filter, **id)).copied().collect()
}

/// Tells whether filter and scope leave an experiment.
pub(crate) fn is_shown(model: &Model, id: ExperimentId) -> bool {
    keeps(model, &Filter::read(model.experiments.filter.value()), id)
}

fn keeps(model: &Model, filter: &Filter, id: ExperimentId) -> bool {
    let Some(line) = model.known.line(id) else { return false };
    let text = format!("{} {}", line.name, line.code);
    let state = if is_paused(line) { "paused" } else { line.stage.word() };
    model.in_scope(&line.client) && filter.keeps(line.client.as_str(), state, &text)
}
