//! Experiments and events, as lines and whole.

use domain::brief::GuardrailAction;
use domain::experiment::Experiment;
use domain::guardrail::LimitState;
use domain::post::Post;
use domain::review::Decision;
use domain::time::UtcTime;
use store::{EventRecord, StoreError, View};

use crate::query::{EventLine, ExperimentLine, ExperimentView, GuardrailLine};

/// Returns an experiment's line.
pub(super) fn of(view: &View<'_>, experiment: &Experiment) -> Result<ExperimentLine, StoreError> {
    Ok(from_posts(experiment, &view.posts_of(experiment.id)?))
}

fn from_posts(experiment: &Experiment, posts: &[Post]) -> ExperimentLine {
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let next: Option<UtcTime> = posts.iter().filter(|p| p.state.is_unsent()).map(|p| p.window.from).min();
    let paused = !experiment.holds.is_free() && !experiment.stage.is_over();
    ExperimentLine {
        id: experiment.id,
        code: experiment.code.clone(),
        client: experiment.client.clone(),
        kind: experiment.kind.as_str().to_owned(),
        name: experiment.brief.as_ref().map_or_else(|| "house".to_owned(), |b| b.name.raw().to_owned()),
        status: if paused { "paused" } else { experiment.stage.status() }.to_owned(),
        stage: experiment.stage.clone(),
        out: count(posts.iter().filter(|p| p.live().is_some()).count()),
        planned: count(posts.len()),
        next,
    }
}

/// Returns an experiment whole.
pub(super) fn whole(view: &View<'_>, experiment: &Experiment) -> Result<ExperimentView, StoreError> {
    let posts = view.posts_of(experiment.id)?;
    let zone = view.client(&experiment.client)?.map_or(domain::time::Zone::UTC, |c| c.zone);
    Ok(ExperimentView {
        line: from_posts(experiment, &posts),
        brief: experiment.brief.as_ref().map(domain::brief::write),
        variants: experiment.variants.clone(),
        findings: experiment.findings.clone(),
        level: experiment.level.clone(),
        author: experiment.author.name.clone(),
        editor: experiment.editor.name.clone(),
        layer: experiment.layer().map(|l| l.to_string()),
        seed: experiment.plan.as_ref().map(|p| p.seed),
        words: experiment.words.iter().map(|w| w.name.clone()).collect(),
        holds: experiment.holds.list().to_vec(),
        guardrails: guardrails(view, experiment, &posts)?,
        posts: posts.iter().map(|p| super::post::line(&experiment.code, zone, p)).collect(),
        parent: experiment.parent.clone(),
        child: decision(experiment).and_then(|decision| decision.child.clone()),
        decision: decision(experiment).cloned(),
    })
}

/// Returns how the guardrails of an experiment stand: the brief's own, and the one of its account's lane.
fn guardrails(view: &View<'_>, experiment: &Experiment, posts: &[Post]) -> Result<Vec<GuardrailLine>, StoreError> {
    let Some(brief) = &experiment.brief else { return Ok(Vec::new()) };
    let Some(account) = view.account(&brief.exposure_plan.account)? else { return Ok(Vec::new()) };
    let (limits, failed) = store::breach::limits(&account, brief, posts);
    let mut lines: Vec<GuardrailLine> = Vec::new();
    for (limit, state) in limits {
        let (word, why) = match state {
            LimitState::Kept => ("kept", format!("{failed} of {}", limit.limit)),
            LimitState::Crossed(_) => ("crossed", format!("{failed} of {}", limit.limit)),
            LimitState::StopsAtOnce => ("stops at once", "one is enough, and stops the whole account".to_owned()),
            LimitState::NotObservable(why) => ("not observable", why.to_owned()),
        };
        lines.push(GuardrailLine {
            signal: limit.signal,
            limit: Some(limit.limit),
            action: limit.action,
            state: word.to_owned(),
            why,
        });
    }
    let lane = brief.exposure_plan.lane;
    let judged = store::breach::reliability(view, &account, lane)?;
    let crossed = judged.verdict.is_some();
    lines.push(GuardrailLine {
        signal: format!("publish_failures, {} lane of {}", lane.as_str(), account.id),
        limit: None,
        action: judged.verdict.unwrap_or(GuardrailAction::Pause),
        state: if crossed { "crossed" } else { "kept" }.to_owned(),
        why: format!("{} in a row of 3, evidence {:.0} of 500", judged.in_a_row, judged.evidence),
    });
    Ok(lines)
}

fn decision(experiment: &Experiment) -> Option<&Decision> {
    experiment.review.as_ref().and_then(|review| review.decision.as_ref())
}

/// Returns an event's line.
pub(super) fn event(record: &EventRecord) -> EventLine {
    EventLine {
        n: record.n,
        at: record.at,
        stream: format!("{}/{}", record.kind, record.key),
        event: record.event.clone(),
        actor: record.actor.name().to_owned(),
        cause: record.cause.clone(),
        payload: serde_json::from_str(&record.payload).unwrap_or(serde_json::Value::Null),
    }
}
