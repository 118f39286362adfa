//! Reviews and reports: what was found, and what may be decided about it.

use domain::experiment::{Experiment, Stage};
use domain::learning::offered;
use domain::refusal::Refusal;
use domain::report::{Item, Report, ReportFacts};
use domain::time::Zone;
use store::View;

use super::{No, learning, line};
use crate::query::ReviewView;

/// Returns a reviewed experiment, as a person decides about it.
pub(super) fn show(view: &View<'_>, experiment: &Experiment) -> Result<ReviewView, No> {
    let Some(review) = &experiment.review else { return Err(not_yet(experiment).into()) };
    let client = view.client(&experiment.client)?;
    let regulated = client.is_none_or(|client| client.policy.regulated);
    let item = |confounder: &domain::review::Confounder| Item {
        signature: review.signature(&confounder.key).cloned(),
        confounder: confounder.clone(),
    };
    let learnings = view.learnings_of(experiment.id)?.into_iter();
    Ok(ReviewView {
        line: line::of(view, experiment)?,
        at: review.made.at,
        early: review.made.early,
        outcome: review.outcome().clone(),
        rules: review.made.rules.clone(),
        evidence: review.made.evidence,
        confounders: review.made.confounders.iter().map(item).collect(),
        open: review.open(),
        answers: review.answers(regulated),
        offered: offered(experiment),
        decision: review.decision.clone(),
        parent: experiment.parent.clone(),
        learnings: learnings.map(|each| learning::view(each, view.now())).collect(),
    })
}

/// Returns the report of a reviewed experiment.
pub(super) fn report(view: &View<'_>, experiment: &Experiment) -> Result<Report, No> {
    let zone = view.client(&experiment.client)?.map_or(Zone::UTC, |client| client.zone);
    let (posts, learnings) = (view.posts_of(experiment.id)?, view.learnings_of(experiment.id)?);
    Ok(Report::of(&ReportFacts { experiment, zone, posts: &posts, learnings: &learnings })?)
}

fn not_yet(experiment: &Experiment) -> Refusal {
    let why = match &experiment.stage {
        Stage::Completed { how } => format!("it ended without a review: {how}"),
        Stage::Drafting
        | Stage::Creating
        | Stage::Preflight
        | Stage::AwaitingApproval
        | Stage::Scheduled
        | Stage::Running
        | Stage::Maturing
        | Stage::Reviewing
        | Stage::Invalid { .. } => format!("it is {}, and was not reviewed yet", experiment.stage),
    };
    let mend = format!("see what is missing with `expos outcome show {}`", experiment.code);
    Refusal::rule("review.too-early", format!("experiment {}", experiment.code), why, mend)
}
