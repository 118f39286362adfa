//! Outcomes: what an experiment says, from what is stored of it.
//!
//! Decides which verdict is told: the recorded one that is in force once the experiment was reviewed, else one made anew at
//! each question, so that nothing goes stale. The verdict is the domain's. To make one draws thousands of assignments, so
//! it is made outside of the store's read and one at a time: however many ask, the engine's own reads go on.

use std::sync::Arc;

use domain::client::Client;
use domain::experiment::Experiment;
use domain::outcome::review;
use domain::refusal::Refusal;
use store::evidence;
use store::{StoreError, View};

use super::line;
use crate::query::{ExperimentLine, OutcomeView};
use crate::{Desk, Problem, Rules};

/// All that a verdict is made from, of one moment.
pub(super) struct Evidence {
    read: evidence::Evidence,
    line: ExperimentLine,
}

impl Evidence {
    pub(super) fn read(view: &View<'_>, experiment: Experiment, client: Client) -> Result<Self, StoreError> {
        let line = line::of(view, &experiment)?;
        Ok(Self { read: evidence::Evidence::read(view, experiment, client)?, line })
    }

    fn verdict(self, rules: &Rules) -> Result<OutcomeView, Refusal> {
        let experiment = &self.read.experiment;
        if let Some(review) = &experiment.review {
            return Ok(OutcomeView { outcome: review.outcome().clone(), line: self.line });
        }
        let surface = experiment.brief.as_ref().and_then(|brief| rules.surfaces.get(&brief.surface));
        Ok(OutcomeView { outcome: review(&self.read.facts(surface))?, line: self.line })
    }
}

/// Makes the verdict on what was read. The leave ends with the work, whoever asked and hung up meanwhile.
pub(super) async fn judge(desk: &Desk, evidence: Evidence) -> Result<OutcomeView, Problem> {
    let broke = |e: &dyn std::fmt::Display| Problem::Failed(format!("judging the outcome broke off: {e}"));
    let leave = Arc::clone(&desk.judging).acquire_owned().await.map_err(|e| broke(&e))?;
    let rules = Arc::clone(&desk.rules);
    let work = tokio::task::spawn_blocking(move || {
        let _leave = leave;
        evidence.verdict(&rules)
    });
    Ok(work.await.map_err(|e| broke(&e))??)
}
