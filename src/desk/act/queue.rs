//! The queue: put before a person, approved exactly as shown, sent back, taken back.
//!
//! Decides that a submit takes the layer and draws the plan in one transaction, so that of two operators racing for a
//! layer one wins and one is told (I10); and that a word counts only for the sheet whose fingerprint it names (T8, I17).

use domain::agency::Agency;
use domain::approval::{Approval, ApprovalLevel, Approver};
use domain::brief::Brief;
use domain::calendar::layer::{Layer, LayerCommand, LayerEvent, Tenure};
use domain::calendar::plan::{Plan, PlanFacts, draw, window_of};
use domain::client::Client;
use domain::experiment::{Experiment, ExperimentCommand, Stage};
use domain::id::PostId;
use domain::post::{Answer, Post, PostCommand, PostEvent, PostKind, PostState};
use domain::refusal::Refusal;
use domain::role::{Action, NotOwn, Ownership, authorise};
use domain::time::{Span, UtcTime, Window, Zone};
use serde_json::json;
use store::follow::{experiment_decide, post_decide, release_layer};
use store::{Stop, Tx};

use super::{Context, brief::cancel_unsent};
use crate::command::Done;
use crate::preflight::look;
use crate::sheet::{Draft, draft};

pub(super) fn submit(context: &mut Context, tx: &mut Tx<'_>, name: &str) -> Result<Done, Stop> {
    let experiment = context.experiment(tx, name)?;
    let client = context.client(tx, &experiment.client)?;
    let Some(brief) = experiment.brief.clone() else {
        return Err(Refusal::rule(
            "experiment.house",
            format!("experiment {}", experiment.code),
            "the house experiment is not submitted",
            "submit another one",
        )
        .into());
    };
    let (findings, level) = look(tx, &context.rules, &experiment, &client)?;
    let looked = experiment_decide(tx, experiment.id, ExperimentCommand::RecordPreflight { findings, level })?;
    let plan = match plan_of(context, tx, &looked, &client, &brief) {
        Ok(plan) => plan,
        Err(stop) => {
            // Where another experiment has the layer, that is what stands in the way, not its single posts.
            let run = Window { from: brief.run_window.start, until: brief.run_window.end };
            take_layer(tx, &looked, run)?;
            return Err(stop);
        }
    };
    let submitted = experiment_decide(tx, looked.id, ExperimentCommand::Submit { plan: Box::new(plan.clone()) })?;
    take_layer(tx, &submitted, plan.tenure)?;
    make_posts(context, tx, &submitted, &client, &brief, &plan)?;
    let (findings, level) = look(tx, &context.rules, &submitted, &client)?;
    let planned = experiment_decide(tx, submitted.id, ExperimentCommand::RecordPreflight { findings, level })?;
    let first = plan.slots.first().map_or_else(String::new, |s| s.at.in_zone(client.zone));
    let line =
        format!("{} waits for approval: {} posts from {first}, seed {}", planned.code, plan.slots.len(), plan.seed);
    let data = json!({"experiment": planned.id, "code": planned.code, "seed": plan.seed, "slots": plan.slots, "level": planned.level});
    if planned.level.level == ApprovalLevel::Auto && !planned.is_blocked() {
        return approve_auto(context, tx, &planned, Done::new(line, data));
    }
    Ok(Done::new(line, data)
        .line(format!("level {}: {}", planned.level.level, planned.level.reasons.join("; ")))
        .next(format!("expos queue show {}", planned.code)))
}

fn plan_of(
    context: &mut Context,
    tx: &Tx<'_>,
    experiment: &Experiment,
    client: &Client,
    brief: &Brief,
) -> Result<Plan, Stop> {
    let account = &brief.exposure_plan.account;
    let (from, until) = (brief.run_window.start.minus(Span::days(2)), brief.run_window.end.plus(Span::days(2)));
    let ours = tx.posts_of_account_between(account, from, until)?;
    let counted =
        ours.iter().filter(|p| p.state.counts_as_out() || (p.state.is_unsent() && p.experiment != experiment.id));
    let by_hand = tx.external_posts(account, from)?;
    let others: Vec<UtcTime> = counted.map(Post::pacing_time).chain(by_hand.into_iter().map(|p| p.at)).collect();
    let facts = PlanFacts { brief, client, others: &others, now: tx.now() };
    let mut plan = draw(&facts, context.seed())?;
    let used = tx.posts_of(experiment.id)?.iter().map(|p| p.number).max().unwrap_or(0);
    for slot in &mut plan.slots {
        slot.number = slot.number.saturating_add(used);
    }
    Ok(plan)
}

fn take_layer(tx: &mut Tx<'_>, experiment: &Experiment, window: Window) -> Result<(), Stop> {
    let Some(id) = experiment.layer() else { return Ok(()) };
    let layer = match tx.find::<Layer>(&id)? {
        Some((layer, _)) => layer,
        None => tx.append::<Layer>(&id, vec![LayerEvent::LayerOpened { id: id.clone() }])?,
    };
    let tenure = Tenure { experiment: experiment.id, code: experiment.code.clone(), window };
    let events = layer.decide(LayerCommand::Take(tenure))?;
    tx.append::<Layer>(&id, events)?;
    Ok(())
}

fn make_posts(
    context: &mut Context,
    tx: &mut Tx<'_>,
    experiment: &Experiment,
    client: &Client,
    brief: &Brief,
    plan: &Plan,
) -> Result<(), Stop> {
    let now = tx.now();
    for slot in &plan.slots {
        let Some(variant) = experiment.variants.get(slot.variant) else { continue };
        let round = usize::try_from(slot.round).unwrap_or(0) % variant.rounds.len().max(1);
        let Some(content) = variant.content(round) else { continue };
        let post = Post {
            id: PostId::new(now, context.random()),
            kind: PostKind::Post,
            experiment: experiment.id,
            client: client.id.clone(),
            account: brief.exposure_plan.account.clone(),
            surface: brief.surface.clone(),
            variant: variant.id,
            letter: variant.letter,
            round: u32::try_from(round).unwrap_or(0),
            number: slot.number,
            block: slot.block,
            lane: brief.exposure_plan.lane,
            window: window_of(client, slot.at),
            content: content.hash(),
            duplicate_key: content.duplicate_key(),
            repeat: brief.exposure_plan.repeat,
            approval: None,
            voided: None,
            attempts: Vec::new(),
            state: PostState::Planned { retry_at: None },
            altered_to: None,
            snapshots: Vec::new(),
            conversation: None,
        };
        tx.append::<Post>(&post.id.clone(), vec![PostEvent::PostPlanned { post: Box::new(post) }])?;
    }
    Ok(())
}

fn approve_auto(context: &Context, tx: &mut Tx<'_>, experiment: &Experiment, done: Done) -> Result<Done, Stop> {
    let sheet = draft(tx, &context.rules, experiment)?;
    let version = sheet.posts.first().map_or(0, |(_, b)| b.policy.policy);
    let approver =
        Approver { uid: None, name: format!("policy {version} (auto)"), at: tx.now(), shown: sheet.fingerprint };
    let after = experiment_decide(tx, experiment.id, ExperimentCommand::GiveWord { approver, needed: 1 })?;
    approve_posts(tx, &after, &sheet)?;
    Ok(done.line("approved: the client's policy allows `auto`, and nothing was found"))
}

pub(super) fn approve(context: &Context, tx: &mut Tx<'_>, name: &str, named: &str) -> Result<Done, Stop> {
    let experiment = context.experiment(tx, name)?;
    let client = context.client(tx, &experiment.client)?;
    let sheet = draft(tx, &context.rules, &experiment)?;
    may_approve(context, tx, &experiment, &client, sheet.level.level)?;
    if named.len() < 8 || !named.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(Refusal::invalid(
            "queue.fingerprint",
            format!("experiment {}", experiment.code),
            "a fingerprint is given by at least 8 of its first hexadecimal digits",
            format!("copy it from `expos queue show {}`", experiment.code),
        )
        .into());
    }
    if !sheet.fingerprint.is_named_by(named) {
        // Of a running experiment single posts may wait again, whose approval was lost.
        let why = no_longer_waits(&experiment, client.zone)
            .filter(|_| sheet.posts.is_empty())
            .unwrap_or_else(|| "what would be approved now is not what that fingerprint was made from".to_owned());
        return Err(Refusal::changed(format!("experiment {}", experiment.code), why).into());
    }
    if sheet.posts.is_empty() {
        return Err(
            Refusal::nothing(format!("experiment {}", experiment.code), "no post of it waits for an approval").into()
        );
    }
    let mut current = experiment.clone();
    if sheet.findings != experiment.findings || sheet.level != experiment.level {
        let command =
            ExperimentCommand::RecordPreflight { findings: sheet.findings.clone(), level: sheet.level.clone() };
        current = experiment_decide(tx, experiment.id, command)?;
    }
    let approver = Approver {
        uid: Some(context.person.uid),
        name: context.person.name.clone(),
        at: tx.now(),
        shown: sheet.fingerprint,
    };
    let needed = current.words_needed(client.policy.regulated).max(1);
    let after = experiment_decide(tx, current.id, ExperimentCommand::GiveWord { approver, needed })?;
    let data = |state: &str| json!({"experiment": after.id, "code": after.code, "fingerprint": sheet.fingerprint.to_string(), "is": state});
    if after.words.len() < needed {
        let waiting = needed.saturating_sub(after.words.len());
        return Ok(Done::new(
            format!("your word for {} is recorded; {waiting} more person is needed", after.code),
            data("waiting"),
        ));
    }
    approve_posts(tx, &after, &sheet)?;
    let first = sheet.posts.first().map_or_else(String::new, |(p, _)| p.window.from.short_in(client.zone));
    Ok(Done::new(
        format!("{} approved: {} posts, the first at {first}", after.code, sheet.posts.len()),
        data("approved"),
    )
    .next(format!("expos undo {}", after.code)))
}

/// Says why an experiment no longer waits for a word: above all, who was faster.
fn no_longer_waits(experiment: &Experiment, zone: Zone) -> Option<String> {
    match (&experiment.stage, experiment.words.last()) {
        (Stage::AwaitingApproval, _) => None,
        (Stage::Drafting | Stage::Creating | Stage::Preflight, _) => {
            Some(format!("it was sent back or taken back; it is {} again", experiment.stage.word()))
        }
        (
            Stage::Scheduled
            | Stage::Running
            | Stage::Maturing
            | Stage::Reviewing
            | Stage::Completed { .. }
            | Stage::Invalid { .. },
            Some(word),
        ) => Some(format!("{} approved it already, at {}", word.name, word.at.short_in(zone))),
        (stage, None) => Some(format!("it no longer waits for a word; it is {}", stage.word())),
    }
}

fn may_approve(
    context: &Context,
    tx: &mut Tx<'_>,
    experiment: &Experiment,
    client: &Client,
    level: ApprovalLevel,
) -> Result<(), Stop> {
    let agency: Agency = tx.load(&())?;
    let action = match level {
        ApprovalLevel::Auto | ApprovalLevel::Review => Action::ApproveReview,
        ApprovalLevel::Manual => Action::ApproveManual,
    };
    let authors = experiment.authors();
    let not_own = if client.policy.regulated { NotOwn::InForce } else { agency.not_own };
    authorise(action, context.person.role, context.person.uid, Ownership { authors: &authors, not_own })?;
    Ok(())
}

fn approve_posts(tx: &mut Tx<'_>, experiment: &Experiment, sheet: &Draft) -> Result<(), Stop> {
    for (post, binding) in &sheet.posts {
        let approval =
            Approval { binding: binding.clone(), fingerprint: sheet.fingerprint, by: experiment.words.clone() };
        post_decide(tx, post.id, PostCommand::Approve(Box::new(approval)))?;
    }
    Ok(())
}

pub(super) fn reject(context: &Context, tx: &mut Tx<'_>, name: &str, reason: String) -> Result<Done, Stop> {
    let experiment = context.experiment(tx, name)?;
    let client = context.client(tx, &experiment.client)?;
    may_approve(context, tx, &experiment, &client, experiment.level.level)?;
    none_in_doubt(tx, &experiment)?;
    let after = experiment_decide(
        tx,
        experiment.id,
        ExperimentCommand::Reject { by: context.actor(), reason: reason.clone() },
    )?;
    let count = cancel_unsent(context, tx, &after, &format!("sent back: {reason}"))?;
    release_layer(tx, &experiment, "sent back")?;
    Ok(Done::new(
        format!("{} sent back; {count} planned posts are cancelled and its layer is free", after.code),
        json!({"experiment": after.id, "code": after.code}),
    )
    .next(format!("expos brief edit {} FILE", after.code)))
}

/// Refuses to give up a plan while a post of it may be out: what is in doubt is never planned anew.
pub(super) fn none_in_doubt(tx: &Tx<'_>, experiment: &Experiment) -> Result<(), Stop> {
    match tx.posts_of(experiment.id)?.iter().find(|p| p.state.is_in_doubt()) {
        None => Ok(()),
        Some(post) => Err(Refusal::rule(
            "experiment.in-doubt",
            format!("experiment {}", experiment.code),
            format!("{} may be out ({})", post.what(), post.state.word()),
            "wait until it is settled, or settle it with `expos post confirm`",
        )
        .into()),
    }
}

pub(super) fn undo(context: &Context, tx: &mut Tx<'_>, name: &str, one: Option<PostId>) -> Result<Done, Stop> {
    let experiment = context.experiment(tx, name)?;
    let posts: Vec<Post> =
        tx.posts_of(experiment.id)?.into_iter().filter(|p| one.is_none_or(|id| id == p.id)).collect();
    if posts.is_empty() {
        return Err(
            Refusal::not_found("post", &one.map_or_else(|| experiment.code.clone(), |id| id.to_string())).into()
        );
    }
    let at = tx.now();
    let (mut lines, mut answers) = (Vec::new(), Vec::new());
    for post in posts {
        let wanted = post.approval.is_some() || post.state.is_in_doubt() || (one.is_some() && post.live().is_some());
        if !wanted {
            continue;
        }
        let answer = post.answer();
        post_decide(tx, post.id, PostCommand::Undo { by: context.actor(), at })?;
        lines.push(format!("{}: {}", post.what(), words(&answer)));
        answers.push(json!({"post": post.id, "answer": answer}));
    }
    if answers.is_empty() && one.is_none() && !experiment.words.is_empty() {
        let why = format!("{} took the word back", context.person.name);
        experiment_decide(tx, experiment.id, ExperimentCommand::LoseApproval { why })?;
        let line = format!("{}: the word given so far is taken back", experiment.code);
        return Ok(Done::new(line, json!({"experiment": experiment.id, "answers": []})));
    }
    if answers.is_empty() {
        return Err(Refusal::nothing(
            format!("experiment {}", experiment.code),
            "no post of it has an approval to take back",
        )
        .into());
    }
    let mut done = Done::new(
        format!("{}: approval taken back", experiment.code),
        json!({"experiment": experiment.id, "answers": answers}),
    );
    done.lines.extend(lines);
    Ok(done.next(format!("expos queue show {}", experiment.code)))
}

/// Words what undo, cancel and pause can promise.
pub(super) fn words(answer: &Answer) -> String {
    match answer {
        Answer::Stopped => "stopped: nothing has gone out, and nothing will".to_owned(),
        Answer::TooLate { since, attempt } => {
            format!(
                "too late: attempt {attempt} was recorded at {since}; there will be no further one, and you will be told"
            )
        }
        Answer::Out { url } => format!("out: {url}"),
        Answer::Asked { holder } => format!("asked: {holder} holds the card"),
    }
}

/// Tells whether an experiment waits for a word.
pub(crate) fn is_waiting(experiment: &Experiment) -> bool {
    matches!(experiment.stage, Stage::AwaitingApproval | Stage::Running)
}
