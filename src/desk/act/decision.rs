//! Decisions: what could mislead is signed, what is done is decided, what was learned is remembered.
//!
//! Decides that a decision, its learning, the draft that comes out of it and its layer are one transaction. What may be
//! decided by whom is the domain's.

use domain::calendar::layer::{Layer, LayerCommand, Tenure};
use domain::client::Client;
use domain::experiment::{Experiment, ExperimentCommand, ExperimentEvent, Lineage, Stage};
use domain::id::{ExperimentId, LearningId, VariantId};
use domain::learning::{Given, Learning, LearningEvent, Retraction};
use domain::preflight::Level;
use domain::refusal::Refusal;
use domain::review::{self, Choice, Signature, Signed};
use domain::time::{Span, UtcTime, Window};
use serde_json::json;
use store::follow::{experiment_decide, release_layer};
use store::{Stop, Tx};

use super::Context;
use super::brief::run_guards;
use crate::command::Done;

/// What a person says of what could mislead.
pub(super) struct Words {
    pub(super) keys: Vec<String>,
    pub(super) says: Signed,
    pub(super) note: String,
}

/// What a person asks to decide.
pub(super) struct Ask {
    pub(super) choice: Choice,
    pub(super) reason: String,
    pub(super) learning: Option<String>,
}

/// The most characters of a note.
const NOTE_MAX: usize = 500;

pub(super) fn sign(context: &Context, tx: &mut Tx<'_>, name: &str, words: Words) -> Result<Done, Stop> {
    let experiment = context.experiment(tx, name)?;
    let what = format!("experiment {}", experiment.code);
    if words.note.chars().count() > NOTE_MAX {
        let why = format!("its note has more than {NOTE_MAX} characters");
        return Err(Refusal::invalid("review.note", what, why, "make it shorter").into());
    }
    if words.keys.is_empty() {
        let mend = format!("name one of the list that `expos outcome show {}` gives", experiment.code);
        return Err(Refusal::invalid("review.key", what, "it names nothing that could mislead", mend).into());
    }
    let mut keys = words.keys;
    keys.sort_unstable();
    keys.dedup();
    let (by, at) = (context.actor(), tx.now());
    let signature =
        |key: &String| Signature { key: key.clone(), says: words.says, note: words.note.clone(), by: by.clone(), at };
    let signatures = keys.iter().map(signature).collect();
    let after = experiment_decide(tx, experiment.id, ExperimentCommand::Sign(signatures))?;
    let open = after.review.as_ref().map(|review| review.open()).unwrap_or_default();
    let data = json!({"experiment": after.id, "code": after.code, "signed": keys, "says": words.says, "open": open});
    let mut done = Done::new(format!("{}: {} signed: {}", after.code, keys.join(", "), words.says.as_str()), data);
    for line in &open {
        done = done.line(format!("open: {line}"));
    }
    if open.is_empty() {
        done = done.line("all that could mislead is signed as no");
        done = done.next(format!("expos experiment decide {} ship --reason TEXT", after.code));
    }
    Ok(done)
}

pub(super) fn decide(context: &mut Context, tx: &mut Tx<'_>, name: &str, ask: Ask) -> Result<Done, Stop> {
    let experiment = context.experiment(tx, name)?;
    let client = context.client(tx, &experiment.client)?;
    let child = match ask.choice {
        Choice::Iterate => Some(draft_of(context, tx, &experiment, &client, &ask.reason)?),
        Choice::Ship { .. } | Choice::Abandon => None,
    };
    let link = child.as_ref().map(|child| Lineage { id: child.id, code: child.code.clone(), why: ask.reason.clone() });
    let asked = review::Ask {
        choice: ask.choice,
        why: ask.reason,
        by: context.actor(),
        at: tx.now(),
        regulated: client.policy.regulated,
        child: link,
    };
    let after = experiment_decide(tx, experiment.id, ExperimentCommand::Decide(Box::new(asked)))?;
    let given = Given {
        id: LearningId::new(tx.now(), context.random()),
        sentence: ask.learning,
        decided: ask.choice,
        by: context.actor(),
        at: tx.now(),
    };
    let learning = Learning::of(&after, given)?;
    let id = learning.id;
    let sentence = learning.sentence.clone();
    tx.append::<Learning>(&id, vec![LearningEvent::LearningGiven { learning: Box::new(learning) }])?;
    let mut data = json!({"experiment": after.id, "code": after.code, "decision": after.review.as_ref().and_then(|r| r.decision.clone()), "stage": after.stage.word(), "learning": id, "sentence": sentence});
    let mut done = Done::new(format!("{}: {}", after.code, told(ask.choice, &after)), serde_json::Value::Null)
        .line(format!("remembered: {sentence}"));
    match child {
        None => {
            release_layer(tx, &after, "it is decided")?;
            done = done.next(format!("expos report show {}", after.code));
        }
        Some(child) => {
            let child = begin(context, tx, child, &client)?;
            data["child"] = json!(child.code);
            done = done.line(format!("{} is drafted; its dates are moved by whole weeks", child.code));
            done = done.line(hand_over(tx, &after, &child)?);
            done = done.next(format!("expos brief edit {}", child.code));
        }
    }
    done.data = data;
    Ok(done)
}

fn told(choice: Choice, after: &Experiment) -> String {
    let stays = if matches!(after.stage, Stage::Invalid { .. }) { "; it stays invalid" } else { "" };
    match choice {
        Choice::Ship { letter } => format!("{letter} is shipped"),
        Choice::Iterate => format!("it goes on in another one{stays}"),
        Choice::Abandon => format!("abandoned{stays}"),
    }
}

/// Makes the draft that comes out of an experiment: the same brief and content, its dates moved by whole weeks into the
/// future, so that days and hours stay as they were.
fn draft_of(
    context: &mut Context,
    tx: &Tx<'_>,
    parent: &Experiment,
    client: &Client,
    reason: &str,
) -> Result<Experiment, Stop> {
    let now = tx.now();
    let number = tx.experiments_ever(&client.id)?.saturating_add(1);
    let mut brief = parent.brief.clone();
    if let Some(brief) = &mut brief {
        let weeks = weeks_until(brief.run_window.start, now.plus(AHEAD));
        let moved = |at: UtcTime| at.plus(Span::days(7).times(weeks));
        brief.run_window.start = moved(brief.run_window.start);
        brief.run_window.end = moved(brief.run_window.end);
        brief.exposure_plan.slots.iter_mut().for_each(|slot| *slot = moved(*slot));
    }
    let why = match &parent.stage {
        Stage::Invalid { why } => format!("{reason} (it was invalid: {why})"),
        Stage::Drafting
        | Stage::Creating
        | Stage::Preflight
        | Stage::AwaitingApproval
        | Stage::Scheduled
        | Stage::Running
        | Stage::Maturing
        | Stage::Reviewing
        | Stage::Completed { .. } => reason.to_owned(),
    };
    let mut variants = parent.variants.clone();
    for variant in &mut variants {
        variant.id = VariantId::new(now, context.random());
        variant.revision = 1;
    }
    Ok(Experiment {
        id: ExperimentId::new(now, context.random()),
        code: format!("{}-{number:03}", super::client::code_prefix(&client.id)),
        client: client.id.clone(),
        kind: parent.kind,
        author: context.writer(),
        editor: context.writer(),
        brief,
        variants,
        findings: Vec::new(),
        level: Level::default(),
        plan: None,
        words: Vec::new(),
        stage: Stage::Creating,
        holds: domain::hold::Holds::default(),
        created: now,
        later: None,
        review: None,
        parent: Some(Lineage { id: parent.id, code: parent.code.clone(), why }),
    })
}

/// A draft begins at least so far ahead: it has to be looked at and approved.
const AHEAD: Span = Span::days(1);

/// Returns the fewest whole weeks by which a moment must be moved to be no earlier than another.
fn weeks_until(from: UtcTime, to: UtcTime) -> i64 {
    let week = Span::days(7).micros();
    let behind = to.since(from).micros().max(0);
    behind.div_euclid(week).saturating_add(i64::from(behind.rem_euclid(week) > 0))
}

fn begin(context: &Context, tx: &mut Tx<'_>, child: Experiment, client: &Client) -> Result<Experiment, Stop> {
    let id = child.id;
    let event = ExperimentEvent::ExperimentCreated { experiment: Box::new(child.clone()) };
    tx.append::<Experiment>(&id, vec![event])?;
    run_guards(context, tx, &child, client)
}

/// How long a layer is kept for a draft that came out of its holder.
const KEPT_FOR: Span = Span::days(7);

fn hand_over(tx: &mut Tx<'_>, parent: &Experiment, child: &Experiment) -> Result<String, Stop> {
    let Some(id) = parent.layer() else { return Ok("it needs no layer".to_owned()) };
    if tx.posts_of(parent.id)?.iter().any(|post| post.state.is_in_doubt()) {
        return Ok(format!("layer {id} stays with {} until what is in doubt is settled", parent.code));
    }
    let Some((layer, _)) = tx.find::<Layer>(&id)? else { return Ok(format!("layer {id} is free")) };
    let now = tx.now();
    let held = layer.tenures.iter().find(|tenure| tenure.experiment == parent.id).map(|tenure| tenure.window.until);
    let until = held.unwrap_or(now).max(now.plus(KEPT_FOR));
    let to = Tenure { experiment: child.id, code: child.code.clone(), window: Window { from: now, until } };
    match layer.decide(LayerCommand::HandOver { from: parent.id, to }) {
        Ok(events) => {
            let after = tx.append::<Layer>(&id, events)?;
            let kept = after.tenures.iter().find(|tenure| tenure.experiment == child.id);
            let until = kept.map_or(until, |tenure| tenure.window.until);
            Ok(format!("layer {id} is kept for {} until {until}", child.code))
        }
        Err(refusal) => {
            release_layer(tx, parent, "it is decided")?;
            Ok(format!("layer {id} is not kept: {}", refusal.why))
        }
    }
}

pub(super) fn retract(context: &Context, tx: &mut Tx<'_>, name: &str, reason: String) -> Result<Done, Stop> {
    let found = crate::ask::learning::find(tx, &context.person.scope, name)??;
    let learning: Learning = tx.load(&found.id)?;
    let retraction = Retraction { by: context.actor(), at: tx.now(), reason };
    let events = learning.retract(retraction)?;
    let after = tx.append::<Learning>(&found.id, events)?;
    let data = json!({"learning": after.id, "experiment": after.code, "retracted": after.retracted});
    let line = format!("what {} taught no longer counts; it stays in the log", after.code);
    Ok(Done::new(line, data).next("expos learning list --retracted"))
}
