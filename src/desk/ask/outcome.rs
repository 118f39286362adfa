//! Outcomes: what an experiment says, from what is stored of it.
//!
//! Decides only what is read: its posts and snapshots, its plan, and the account's other posts, those by hand too. The
//! verdict is the domain's, made anew at each question: nothing that a person could have seen is kept and goes stale. It
//! draws thousands of assignments, so it is made outside of the store's read and one at a time: however many ask, the
//! engine's own reads go on.

use std::sync::Arc;

use domain::client::Client;
use domain::experiment::Experiment;
use domain::outcome::{OutcomeFacts, review};
use domain::post::Post;
use domain::refusal::Refusal;
use domain::snapshot::Snapshot;
use domain::time::UtcTime;
use store::{StoreError, View};

use super::line;
use crate::query::{ExperimentLine, OutcomeView};
use crate::{Desk, Problem, Rules};

/// All that a verdict is made from, of one moment.
pub(super) struct Evidence {
    experiment: Experiment,
    client: Client,
    posts: Vec<Post>,
    snapshots: Vec<Snapshot>,
    others: Vec<UtcTime>,
    now: UtcTime,
    line: ExperimentLine,
}

impl Evidence {
    pub(super) fn read(view: &View<'_>, experiment: Experiment, client: Client) -> Result<Self, StoreError> {
        Ok(Self {
            posts: view.posts_of(experiment.id)?,
            snapshots: view.snapshots_of_experiment(experiment.id)?,
            others: others(view, &experiment, &client)?,
            now: view.now(),
            line: line::of(view, &experiment)?,
            experiment,
            client,
        })
    }

    fn verdict(self, rules: &Rules) -> Result<OutcomeView, Refusal> {
        let surface = self.experiment.brief.as_ref().and_then(|brief| rules.surfaces.get(&brief.surface));
        let facts = OutcomeFacts {
            experiment: &self.experiment,
            client: &self.client,
            surface,
            posts: &self.posts,
            snapshots: &self.snapshots,
            others: &self.others,
            now: self.now,
        };
        Ok(OutcomeView { outcome: review(&facts)?, line: self.line })
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

/// When the account's other posts went out, as far as they could stand close to one of this experiment.
fn others(view: &View<'_>, experiment: &Experiment, client: &Client) -> Result<Vec<UtcTime>, StoreError> {
    let (Some(brief), Some(plan)) = (&experiment.brief, &experiment.plan) else { return Ok(Vec::new()) };
    let account = &brief.exposure_plan.account;
    let gap = client.policy.min_gap;
    let (from, until) = (plan.tenure.from.minus(gap), plan.tenure.until.plus(gap));
    let mine: Vec<_> = view.posts_of(experiment.id)?.iter().map(|post| post.id).collect();
    let ours = view.posts_out_on_account(account, from, until)?;
    let by_hand = view.external_posts(account, from)?.into_iter().map(|post| post.at).filter(|at| *at <= until);
    Ok(ours.into_iter().filter(|(id, _)| !mine.contains(id)).map(|(_, at)| at).chain(by_hand).collect())
}
