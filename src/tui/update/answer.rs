//! Answers: what the desk said, taken into the model.
//!
//! Decides what each answer changes beside what is known: lists, marks, the sheet that is open, what is asked next; and
//! that nothing is told as done before the desk said so.

use desk::query::EventLine;
use desk::{Answer, Done, Problem};
use domain::hold::HoldKey;
use domain::id::ExperimentId;
use domain::refusal::RefusalKind;

use super::{go, queue, sentence};
use crate::can;
use crate::message::{Ask, Effects};
use crate::model::{Act, Acted, Doing, Model, Open};
use crate::morning::Decided;
use crate::rounds::Step;
use crate::sheets::Sheet;
use crate::theme::Role;

/// How long news are gathered before anything is asked because of them.
const GATHER_MS: u64 = 100;

pub(super) fn answered(model: &mut Model, ask: Ask, answer: Result<Answer, Problem>, effects: &mut Effects) {
    model.asked.remove(&ask);
    match answer {
        Ok(answer) => {
            model.link.heard(model.now);
            if matches!(ask, Ask::Me | Ask::Health) {
                model.link.served();
            }
            let order = order_of(&answer);
            let verdict = model.known.health.as_ref().map(|health| health.verdict);
            model.known.keep(&ask, answer);
            // Whether anything goes out at all is part of what is left.
            model.rounds.old |= verdict != model.known.health.as_ref().map(|health| health.verdict);
            after(model, &ask, order, effects);
        }
        // Told in its place; whether the desk is there is for the others to say.
        Err(problem) if matches!(ask, Ask::Picture(_)) => refused(model, &ask, &problem),
        Err(problem) => {
            if !matches!(problem, Problem::Unreachable(_)) {
                model.link.heard(model.now);
            }
            model.link.failed(&problem);
            if let (Ask::Me | Ask::Health, Problem::Refused(refusal)) = (&ask, &problem) {
                match refusal.kind {
                    RefusalKind::NotAllowed => model.link.shut_out(refusal.why.clone()),
                    // A question it does not know: the engine was started by another version of the program.
                    RefusalKind::Invalid => model.link.shut_out(
                        "its engine is of another version than this screen; end it and start it anew".to_owned(),
                    ),
                    RefusalKind::Rule | RefusalKind::NotFound | RefusalKind::Changed | RefusalKind::Nothing => {}
                }
            }
            refused(model, &ask, &problem);
        }
    }
}

/// The order in which the desk named things.
fn order_of(answer: &Answer) -> Vec<ExperimentId> {
    match answer {
        Answer::Queue(lines) => lines.iter().map(|line| line.line.id).collect(),
        Answer::User(_)
        | Answer::Users(_)
        | Answer::Clients(_)
        | Answer::Client(_)
        | Answer::Accounts(_)
        | Answer::Account(_)
        | Answer::Experiments(_)
        | Answer::Experiment(_)
        | Answer::Picture(_)
        | Answer::Sheet(_)
        | Answer::Layers(_)
        | Answer::Posts(_)
        | Answer::Post(_)
        | Answer::Snapshots(_)
        | Answer::Outcome(_)
        | Answer::Review(_)
        | Answer::Report(_)
        | Answer::Learnings(_)
        | Answer::Learning(_)
        | Answer::Replies(_)
        | Answer::Reply(_)
        | Answer::Escalations(_)
        | Answer::Escalation(_)
        | Answer::Checkins(_)
        | Answer::Checkin(_)
        | Answer::Rounds(_)
        | Answer::Events(_)
        | Answer::Health(_)
        | Answer::Beat { .. }
        | Answer::Store(_) => Vec::new(),
    }
}

fn after(model: &mut Model, ask: &Ask, order: Vec<ExperimentId>, effects: &mut Effects) {
    match ask {
        Ask::Queue => {
            model.morning.queue.note(order);
            let current = model.morning.queue.clone();
            model.morning.marked.retain(|id| current.is_current(id));
            let lines = model.known.queue.iter().flatten();
            let wanted: Vec<Ask> = lines
                .filter(|(id, _)| !model.known.details.contains_key(*id))
                .map(|(_, line)| Ask::Experiment(line.line.code.clone()))
                .take(super::SHEETS_MAX)
                .collect();
            model.wanted.extend(wanted);
        }
        Ask::Experiments => {
            let order = crate::experiments::ordered(model.known.experiments.iter().flatten().map(|(_, line)| line));
            model.experiments.list.note(order);
            let (outcomes, decide) = (crate::evening::ordered(model), crate::evening::undecided(model));
            model.evening.outcomes.note(outcomes);
            model.evening.decide.note(decide);
        }
        Ask::Escalations => {
            let open = crate::escalations::ordered(model);
            let any = !open.is_empty();
            model.escalations.list.note(open);
            super::escalation::close_settled(model);
            if any && !model.morning.chosen {
                model.morning.step = Step::Alerts;
            }
        }
        Ask::Accounts | Ask::Account(_) | Ask::Clients => {
            let order = crate::accounts::ordered(model);
            model.accounts.list.note(order);
        }
        Ask::Layers => {
            let order = crate::layers::ordered(model);
            model.layers.list.note(order);
        }
        Ask::Health => {
            if let Some(health) = model.known.health.clone() {
                model.link.health(&health, model.now.wall);
                if !model.following {
                    // Whatever happens from here on comes with the log; what happened before is asked for anew.
                    super::ask_all(model);
                    model.wanted.remove(&Ask::Health);
                    if model.known.events.is_empty() {
                        model.wanted.insert(Ask::Recent(health.head));
                    } else {
                        follow(model, effects, health.head);
                    }
                }
            }
        }
        Ask::Recent(head) => {
            let late: Vec<_> = model.known.events.iter().filter(|event| event.n > *head).cloned().collect();
            for event in &late {
                let touched = model.known.touched_by(event);
                model.wanted.extend(touched);
            }
            follow(model, effects, *head);
        }
        Ask::Rounds { .. } => {
            super::round::told(model, ask);
            super::round::open_due(model);
        }
        Ask::Learnings(text) => {
            let found = model.known.learnings.iter().flat_map(|(_, all)| all).map(|view| view.learning.id).collect();
            model.memory.list.note(found);
            if *text == model.memory.query.value().trim() && model.memory.asked_for.as_ref() == Some(text) {
                // Rows that were looked for by other words do not wait.
                let other = model.memory.shown_for.as_ref() != Some(text);
                if other {
                    model.memory.list.renew();
                    model.memory.shown_for = Some(text.clone());
                }
            }
        }
        Ask::Posts { .. } => {
            let order = crate::midday::ordered(model);
            model.midday.posts.note(order);
        }
        Ask::Me
        | Ask::Checkins
        | Ask::Review(_)
        | Ask::Sheet(_)
        | Ask::Experiment(_)
        | Ask::Picture(_)
        | Ask::Users
        | Ask::Post(_)
        | Ask::Snapshots(_)
        | Ask::Outcome(_) => {}
    }
}

fn follow(model: &mut Model, effects: &mut Effects, head: u64) {
    if model.following {
        return;
    }
    model.following = true;
    model.follow_began_ms = model.now.real_ms;
    effects.follow = Some(model.known.events.back().map_or(head, |event| event.n));
}

fn refused(model: &mut Model, ask: &Ask, problem: &Problem) {
    match (ask, problem) {
        // Asked again when the page is opened again or the desk is back.
        (Ask::Picture(picture), problem) => {
            model.known.pictures.insert(picture.clone(), Err(problem.to_string()));
        }
        (_, Problem::Unreachable(_)) => {}
        (Ask::Review(code), Problem::Refused(refusal)) => {
            model.known.reviews.insert(code.clone(), Err(refusal.why.clone()));
        }
        // There is none yet, and the page says why.
        (Ask::Outcome(code), Problem::Refused(refusal)) => {
            model.known.outcomes.insert(code.clone(), Err(refusal.why.clone()));
        }
        (Ask::Post(post), Problem::Refused(_)) => {
            model.known.lost_posts.insert(*post);
        }
        (Ask::Account(account), Problem::Refused(_)) => {
            model.known.lost_accounts.insert(account.clone());
        }
        // Gone since it was listed; the next list says so too.
        (Ask::Sheet(_) | Ask::Experiment(_) | Ask::Snapshots(_), Problem::Refused(_)) => {}
        (_, problem) => model.say(sentence(&problem.to_string()), Role::Danger),
    }
}

pub(super) fn news(model: &mut Model, events: Vec<EventLine>) {
    model.link.heard(model.now);
    for event in &events {
        let touched = model.known.touched_by(event);
        model.wanted.extend(touched);
    }
    // What is left may have changed with anything.
    model.rounds.old |= !events.is_empty();
    model.memory.old |= events.iter().any(|event| event.stream.starts_with("learning/"));
    model.day.old |=
        events.iter().any(|event| event.stream.starts_with("post/") || event.stream.starts_with("experiment/"));
    model.known.add_events(events);
    let at = model.now.real_ms.saturating_add(GATHER_MS);
    model.ask_at_ms = Some(model.ask_at_ms.unwrap_or(at).min(at));
}

pub(super) fn acted(model: &mut Model, number: u64, done: Result<Done, Problem>) {
    let Some(pending) = model.pending.remove(&number) else { return };
    let Some(mut group) = model.groups.remove(&pending.group) else { return };
    match done {
        Ok(done) => {
            model.link.heard(model.now);
            if let Doing::Refuse(id, _) | Doing::Later(id, _) = &pending.what {
                // Not before: what the desk refuses stays under the cursor.
                queue::go_on_from(model, *id);
            }
            took_effect(model, &pending.what, &done);
            group.lines.extend(shorter(model, &pending.what, &done).map_or(done.lines.clone(), |line| vec![line]));
            group.done.push(named(pending.what, &done));
        }
        Err(problem) => {
            model.link.failed(&problem);
            if !matches!(problem, Problem::Unreachable(_)) {
                model.link.heard(model.now);
            }
            group.failed.push(failed_words(&pending.what, &problem));
        }
    }
    model.wanted.extend([Ask::Queue, Ask::Experiments, Ask::Escalations]);
    model.rounds.old = true;
    model.ask_at_ms = None;
    if group.done.len() + group.failed.len() < group.total {
        model.groups.insert(pending.group, group);
        return;
    }
    remember(model, &group.done);
    tell(model, &group);
}

/// Keeps by which hold something was stopped: taking it back ends that one and no other.
fn named(what: Doing, done: &Done) -> Doing {
    match what {
        Doing::Stop(target, name, _) => {
            let hold = done.data.get("hold").and_then(|key| key.as_str()).map(HoldKey::new);
            Doing::Stop(target, name, hold)
        }
        Doing::Approve(..)
        | Doing::Refuse(..)
        | Doing::Later(..)
        | Doing::Resume(_)
        | Doing::TakeBack(_)
        | Doing::Take
        | Doing::Hand
        | Doing::AlertLater
        | Doing::Settle
        | Doing::Decide(_)
        | Doing::Word(_)
        | Doing::Retract
        | Doing::Sign(_) => what,
    }
}

/// Says in a few words, so that the way back fits the message line, what the desk said in many.
fn shorter(model: &Model, what: &Doing, done: &Done) -> Option<String> {
    let text = |name: &str| done.data.get(name).and_then(|value| value.as_str());
    let later = || Some(crate::morning::later_words(text("until")?.parse().ok()?, model.wall(), model.setting.zone));
    match what {
        Doing::Later(_, code) => Some(format!("{code} is {}", later()?)),
        Doing::AlertLater => Some(format!("It is {}", later()?)),
        Doing::Hand => Some(format!("{} has it now", text("owner")?)),
        Doing::Take => {
            let mine = text("owner").is_some_and(|owner| model.known.me.as_ref().is_some_and(|me| me.name == owner));
            Some(if mine { "It is yours".to_owned() } else { "It waits for whoever takes it".to_owned() })
        }
        Doing::Approve(..)
        | Doing::Refuse(..)
        | Doing::Stop(..)
        | Doing::Resume(_)
        | Doing::TakeBack(_)
        | Doing::Settle
        | Doing::Decide(_)
        | Doing::Word(_)
        | Doing::Retract
        | Doing::Sign(_) => None,
    }
}

fn took_effect(model: &mut Model, what: &Doing, done: &Done) {
    match what {
        Doing::Approve(id, _) => {
            let waits = done.data.get("is").and_then(|is| is.as_str()) == Some("waiting");
            model.morning.decided.insert(*id, if waits { Decided::Word } else { Decided::Approved });
            model.morning.marked.remove(id);
        }
        Doing::Refuse(id, _) => {
            model.morning.decided.insert(*id, Decided::Refused);
            model.morning.marked.remove(id);
        }
        Doing::Later(id, _) => {
            // It is not taken for waiting until the next list says until when.
            model.morning.queue.sink(id);
            model.morning.marked.remove(id);
        }
        Doing::TakeBack(code) => {
            let found =
                model.known.experiments.iter().flatten().find(|(_, line)| line.code == *code).map(|(id, _)| *id);
            if let Some(id) = found {
                model.morning.decided.remove(&id);
            }
        }
        Doing::Sign(round) => super::round::signed(model, *round),
        Doing::Decide(code) | Doing::Word(code) => {
            let code = code.clone();
            model.wanted.extend([Ask::Review(code.clone()), Ask::Outcome(code.clone()), Ask::Experiment(code)]);
            model.memory.old = true;
        }
        Doing::Retract => model.memory.old = true,
        Doing::Stop(..) | Doing::Resume(_) | Doing::Take | Doing::Hand | Doing::AlertLater | Doing::Settle => {
            model.wanted.extend([Ask::Accounts, Ask::Clients, Ask::Health]);
            let open =
                model.subject().and_then(|id| model.known.line(id)).map(|line| Ask::Experiment(line.code.clone()));
            model.wanted.extend(open);
        }
    }
}

fn failed_words(what: &Doing, problem: &Problem) -> String {
    let what = match what {
        Doing::Approve(_, code) => format!("{code} was not approved"),
        Doing::Refuse(_, code) => format!("{code} was not refused"),
        Doing::Later(_, code) => format!("{code} was not put off"),
        // A stop that failed is shouted.
        Doing::Stop(_, name, _) => format!("NOT STOPPED, {name}"),
        Doing::Resume(name) => format!("{name} does not go on"),
        Doing::TakeBack(code) => format!("{code} was not taken back"),
        Doing::Take => "not taken".to_owned(),
        Doing::Hand => "not handed over".to_owned(),
        Doing::AlertLater => "not put off".to_owned(),
        Doing::Settle => "not settled".to_owned(),
        Doing::Sign(_) => "the round was not signed".to_owned(),
        Doing::Decide(code) => format!("{code} was not decided"),
        Doing::Word(code) => format!("nothing was signed of {code}"),
        Doing::Retract => "not retracted".to_owned(),
    };
    match problem {
        // What was refused is named already.
        Problem::Refused(refusal) => format!("{what}: {}", refusal.why),
        Problem::Invalid(_) | Problem::Failed(_) | Problem::Unreachable(_) => format!("{what}: {problem}"),
    }
}

/// Keeps what can be taken back.
fn remember(model: &mut Model, done: &[Doing]) {
    let mut approved = Vec::new();
    for doing in done {
        let act = match doing {
            Doing::Approve(id, code) => {
                approved.push((*id, code.clone()));
                continue;
            }
            Doing::Refuse(id, code) => Acted::Refused(*id, code.clone()),
            Doing::Later(id, code) => Acted::PutOff(*id, code.clone()),
            Doing::Stop(target, name, hold) => Acted::Stopped(target.clone(), name.clone(), hold.clone()),
            Doing::Resume(_)
            | Doing::TakeBack(_)
            | Doing::Take
            | Doing::Hand
            | Doing::AlertLater
            | Doing::Settle
            | Doing::Decide(_)
            | Doing::Word(_)
            | Doing::Retract
            | Doing::Sign(_) => continue,
        };
        model.acts.push(Act { at: model.now, what: act });
    }
    if !approved.is_empty() {
        model.acts.push(Act { at: model.now, what: Acted::Approved(approved) });
    }
}

fn tell(model: &mut Model, group: &crate::model::Group) {
    let undo = crate::keymap::key_of(&[crate::keymap::Scope::Anywhere], crate::keymap::Intent::Undo);
    let undo = undo.map_or_else(String::new, |key| format!(" {key} takes it back."));
    // What this person may not let go on, no key of theirs takes back.
    let stays =
        |doing: &Doing| matches!(doing, Doing::Stop(target, ..) if can::why_not_resumed(model, target).is_some());
    let undo = if group.done.iter().any(stays) { format!(" {}", can::who_lets_all_go_on()) } else { undo };
    if let Some(failed) = group.failed.first() {
        let more = match group.failed.len() {
            1 => String::new(),
            n => format!(" ({} more like it)", n - 1),
        };
        let done = if group.done.is_empty() { String::new() } else { format!("{} done. ", group.done.len()) };
        model.say(format!("{done}{}{more}", sentence(failed)), Role::Danger);
        return;
    }
    let can_undo = group
        .done
        .iter()
        .any(|d| matches!(d, Doing::Approve(..) | Doing::Refuse(..) | Doing::Later(..) | Doing::Stop(..)));
    let undo = if can_undo { undo } else { String::new() };
    // A key that acts on the row under the cursor alone says so where others are marked.
    let marked = model.morning.marked.len();
    let alone = match group.done.as_slice() {
        [Doing::Refuse(..) | Doing::Later(..)] if marked == 1 => " This one only; 1 stays marked.".to_owned(),
        [Doing::Refuse(..) | Doing::Later(..)] if marked > 1 => format!(" This one only; {marked} stay marked."),
        _ => String::new(),
    };
    let undo = format!("{alone}{undo}");
    match (group.done.as_slice(), group.lines.first()) {
        ([Doing::Approve(..)] | [Doing::Refuse(..)], Some(line)) | ([_], Some(line)) => {
            model.say(format!("{}{undo}", sentence(line)), Role::Ok);
        }
        ([Doing::TakeBack(_), ..], _) => model.say(format!("{} approvals taken back.", group.done.len()), Role::Ok),
        ([Doing::Approve(..), ..], _) => model.say(format!("{} approved.{undo}", group.done.len()), Role::Ok),
        (_, Some(line)) => model.say(format!("{} done: {}", group.done.len(), sentence(line)), Role::Ok),
        (_, None) => model.say("Done.", Role::Ok),
    }
}

/// Looks whether what is open or about to be approved is still what was shown.
pub(super) fn notice_changes(model: &mut Model) {
    fill_sheet(model);
    close_changed_sheet(model);
    reopen_changed_page(model);
    mark_seen(model);
}

/// Puts the items that were read meanwhile onto the sheet; from then on their fingerprints stand.
fn fill_sheet(model: &mut Model) {
    let now = model.now.real_ms;
    let known = &model.known;
    let Some(Sheet::Approve(approve)) = model.sheets.last_mut() else { return };
    for (id, fingerprint) in &mut approve.items {
        if fingerprint.is_none() {
            *fingerprint = known.item(*id).map(|item| item.sheet.fingerprint.clone());
        }
    }
    if approve.complete_ms.is_none() && approve.items.iter().all(|(_, fingerprint)| fingerprint.is_some()) {
        approve.complete_ms = Some(now);
    }
}

fn close_changed_sheet(model: &mut Model) {
    let Some(at) = model.sheets.iter().position(|sheet| matches!(sheet, Sheet::Approve(_))) else { return };
    let Some(Sheet::Approve(approve)) = model.sheets.get(at) else { return };
    let changed = approve.items.iter().find(|(id, shown)| {
        let Some(shown) = shown else { return false };
        let line = model.known.queue.as_ref().and_then(|queue| queue.get(id));
        let listed = line.is_some_and(|line| shown.starts_with(&line.fingerprint));
        let same = model.known.items.get(id).is_some_and(|item| item.sheet.fingerprint == *shown);
        !listed || !same
    });
    let Some(id) = changed.map(|(id, _)| *id) else { return };
    model.sheets.truncate(at);
    model.morning.seen.remove(&id);
    let text = changed_words(model, id);
    model.say(format!("{text} Nothing was approved; look again."), Role::Warn);
}

/// Says what changed, by whom and when, as far as the last events tell.
fn changed_words(model: &Model, id: ExperimentId) -> String {
    let code = model.known.line(id).map_or_else(|| "The item".to_owned(), |line| line.code.clone());
    let stream = format!("experiment/{id}");
    let zone = model.setting.zone;
    match model.known.events.iter().rev().find(|event| event.stream == stream) {
        Some(event) => format!(
            "{code} changed {} by {}: {}.",
            crate::when::clock(event.at, zone),
            event.actor,
            event.event.replace('_', " ")
        ),
        None => format!("{code} changed meanwhile."),
    }
}

fn reopen_changed_page(model: &mut Model) {
    let Some(Open::Approval(id)) = model.place.open else { return };
    let Some(now) = model.known.item(id).map(|item| item.sheet.fingerprint.clone()) else { return };
    if model.approval.fingerprint.is_empty() {
        model.approval.fingerprint = now;
        go::reached(model, id);
    } else if model.approval.fingerprint != now {
        model.approval = crate::approval::Approval {
            opened_ms: model.now.real_ms,
            fingerprint: now,
            folded: model.approval.folded,
            ..crate::approval::Approval::default()
        };
        model.morning.seen.remove(&id);
        go::reached(model, id);
        let text = changed_words(model, id);
        model.say(format!("{text} Look again."), Role::Warn);
    }
}

fn mark_seen(model: &mut Model) {
    let Some(Open::Approval(id)) = model.place.open else { return };
    let rested = model.now.since(model.approval.opened_ms).as_millis() >= u128::from(crate::approval::SEEN_MS);
    // A mere pass-by is no look.
    if (rested || model.approval.scrolled)
        && let Some(item) = model.known.item(id)
    {
        let print = item.sheet.fingerprint.clone();
        if crate::approval::is_read(model, id) {
            model.morning.seen.insert(id, print);
        } else {
            model.morning.begun.insert(id, print);
        }
    }
}
