//! Outcomes: what an experiment says, from what is stored of it.
//!
//! Decides only what is read: its posts and snapshots, its plan, and the account's other posts, those by hand too. The
//! verdict is the domain's, made anew at each question: nothing that a person could have seen is kept and goes stale.

use domain::client::Client;
use domain::experiment::Experiment;
use domain::outcome::{OutcomeFacts, review};
use domain::time::UtcTime;
use store::{StoreError, View};

use super::{No, line};
use crate::Rules;
use crate::query::OutcomeView;

/// Returns what an experiment says.
pub(super) fn of(view: &View<'_>, rules: &Rules, experiment: &Experiment, client: &Client) -> Result<OutcomeView, No> {
    let posts = view.posts_of(experiment.id)?;
    let snapshots = view.snapshots_of_experiment(experiment.id)?;
    let surface = experiment.brief.as_ref().and_then(|brief| rules.surfaces.get(&brief.surface));
    let others = others(view, experiment, client)?;
    let (posts, snapshots, others) = (&posts, &snapshots, &others);
    let facts = OutcomeFacts { experiment, client, surface, posts, snapshots, others, now: view.now() };
    Ok(OutcomeView { outcome: review(&facts)?, line: line::of(view, experiment)? })
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
