//! The queue's acts: mark, approve, refuse.
//!
//! Decides what a sheet holds when it is opened, and that a word is sent with the fingerprint that stood on it.

use desk::Command;
use domain::id::ExperimentId;

use super::{escalation, go, new_group, send};
use crate::approval;
use crate::can;
use crate::message::Effects;
use crate::model::{Doing, Model, Open, Pane};
use crate::morning::{self, Standing};
use crate::rounds::Step;
use crate::sheets::{Approve, OTHER, REASONS, Refuse, Sheet};
use crate::theme::Role;

/// On its page an item is approved once all of it was on the screen; until then the key reads on.
pub(super) fn act_on_page(model: &mut Model, id: ExperimentId) {
    let before = approval::unread(model, id);
    if before > 0 {
        go::pages(model, 1);
        let text = match approval::unread(model, id) {
            0 => "Read on: this was not on the screen yet. The same key again approves.".to_owned(),
            left => format!("Read on: {left} lines more were not on the screen yet."),
        };
        model.say(text, Role::Warn);
        return;
    }
    open_sheet(model, vec![id], Vec::new());
}

pub(super) fn act_on_rows(model: &mut Model) {
    let (marked, hidden) = morning::marked(model);
    if marked.is_empty() {
        let Some(id) = model.subject() else { return };
        let standing = standing(model, id);
        if standing == Some(Standing::Clean) {
            open_sheet(model, vec![id], Vec::new());
        } else {
            // What is not clean is approved from inside, after it was read.
            go::open_approval(model, id);
            if let Some(standing) = standing {
                model.say(
                    format!(
                        "Not clean ({}): read it, then approve it here.",
                        standing.reason(model.wall(), model.setting.zone)
                    ),
                    Role::Warn,
                );
            }
        }
        return;
    }
    let (clean, rest): (Vec<_>, Vec<_>) = marked.into_iter().partition(|id| morning::is_clean(model, *id));
    let mut left_out: Vec<(ExperimentId, String)> = rest.into_iter().map(|id| (id, why_left_out(model, id))).collect();
    // A mark that cannot be seen is no word for anything.
    left_out.extend(hidden.into_iter().map(|id| (id, "marked, but not shown here".to_owned())));
    // Whatever else waits is named too, so that nobody takes the sheet for the whole queue.
    let shown = morning::shown_queue(model);
    let others = shown.into_iter().filter(|id| !model.morning.marked.contains(id) && morning::is_waiting(model, *id));
    left_out.extend(others.map(|id| (id, why_left_out(model, id))).collect::<Vec<_>>());
    if clean.is_empty() {
        model.say("None of the marked items is clean; open each one.", Role::Warn);
        return;
    }
    open_sheet(model, clean, left_out);
}

fn standing(model: &Model, id: ExperimentId) -> Option<Standing> {
    let line = model.known.queue.as_ref()?.get(&id)?;
    Some(morning::standing(model, line))
}

fn why_left_out(model: &Model, id: ExperimentId) -> String {
    if !morning::is_waiting(model, id) {
        return "it no longer waits".to_owned();
    }
    match standing(model, id) {
        Some(Standing::Clean) => "not marked".to_owned(),
        Some(standing) => standing.reason(model.wall(), model.setting.zone),
        None => "gone".to_owned(),
    }
}

fn open_sheet(model: &mut Model, ids: Vec<ExperimentId>, left_out: Vec<(ExperimentId, String)>) {
    let items = ids.into_iter().map(|id| (id, None)).collect();
    model.sheets.push(Sheet::Approve(Approve { items, left_out, complete_ms: None, top: 0 }));
}

/// Gives one's word for exactly what stands on the sheet.
pub(super) fn confirm(model: &mut Model, effects: &mut Effects) {
    let Some(Sheet::Approve(approve)) = model.sheets.last() else { return };
    if approve.complete_ms.is_none() {
        model.say("The sheet is still being read; nothing was done.", Role::Warn);
        return;
    }
    if let Some(why) = can::why_no_start(model, domain::role::Action::ApproveReview) {
        model.say(super::sentence(&format!("Nothing was approved: {why}")), Role::Danger);
        return;
    }
    let items = approve.items.clone();
    model.sheets.pop();
    let group = new_group(model);
    for (id, fingerprint) in &items {
        let (Some(line), Some(fingerprint)) = (model.known.line(*id), fingerprint) else { continue };
        let code = line.code.clone();
        let command = Command::Approve { experiment: code.clone(), fingerprint: fingerprint.clone() };
        send(model, effects, group, Some(*id), Doing::Approve(*id, code), command);
    }
    model.morning.marked.retain(|id| !items.iter().any(|(sent, _)| sent == id));
    model.said = None;
    advance(model, items.last().map(|(id, _)| *id));
}

/// Goes on from an item that the desk has decided or put off, unless a person went elsewhere meanwhile.
pub(super) fn go_on_from(model: &mut Model, id: ExperimentId) {
    let here = match (model.place.open, model.place.pane) {
        (Some(Open::Approval(open)), _) => open == id,
        (None, Pane::Morning) => model.morning.step == Step::Queue && model.morning.queue.cursor() == Some(&id),
        (Some(Open::Detail(_)), _)
        | (
            None,
            Pane::Midday
            | Pane::EndOfDay
            | Pane::Experiments
            | Pane::Layers
            | Pane::Accounts
            | Pane::Escalations
            | Pane::Memory
            | Pane::System,
        ) => false,
    };
    if here && model.sheets.is_empty() {
        advance(model, Some(id));
    }
}

/// Goes to the next item that waits, after an act.
fn advance(model: &mut Model, from: Option<ExperimentId>) {
    if matches!(model.place.open, Some(Open::Approval(_))) {
        go::up(model);
        model.said = None;
    }
    if model.place.pane != Pane::Morning {
        return;
    }
    let shown = morning::shown_queue(model);
    let at = from.and_then(|from| shown.iter().position(|id| *id == from)).map_or(0, |at| at + 1);
    let waits = |id: &&ExperimentId| morning::is_waiting(model, **id) && morning::later(model, **id).is_none();
    let next = shown.iter().cycle().skip(at).take(shown.len()).find(waits).copied();
    if let Some(next) = next {
        model.morning.queue.go_to(&next);
    }
}

pub(super) fn refuse(model: &mut Model) {
    if let Some(experiment) = model.subject() {
        let words = tui_input::Input::default();
        model.sheets.push(Sheet::Refuse(Refuse { experiment, words, typing: false, other: false }));
    }
}

/// Refuses with a reason from the list, and what words were added.
pub(super) fn refuse_because(model: &mut Model, number: u8, effects: &mut Effects) {
    let Some(Sheet::Refuse(refuse)) = model.sheets.last_mut() else { return };
    if number == OTHER && refuse.words.value().trim().is_empty() {
        // It tells its author nothing without words.
        refuse.typing = true;
        refuse.other = true;
        return;
    }
    let reason = usize::from(number).checked_sub(1).and_then(|at| REASONS.get(at)).copied().unwrap_or("other");
    let words = refuse.words.value().trim();
    let reason = if words.is_empty() { reason.to_owned() } else { format!("{reason}: {words}") };
    let id = refuse.experiment;
    model.sheets.pop();
    let Some(code) = model.known.line(id).map(|line| line.code.clone()) else { return };
    let group = new_group(model);
    let command = Command::Reject { experiment: code.clone(), reason };
    send(model, effects, group, Some(id), Doing::Refuse(id, code), command);
}

/// Ends typing; where no reason of the list was chosen, what was typed is the reason, and refuses.
pub(super) fn end_words(model: &mut Model, effects: &mut Effects) {
    let Some(Sheet::Refuse(refuse)) = model.sheets.last_mut() else { return };
    if !refuse.other {
        refuse.typing = false;
    } else if refuse.words.value().trim().is_empty() {
        model.say("It needs words; nothing was refused.", Role::Warn);
    } else {
        refuse_because(model, OTHER, effects);
    }
}

/// Puts an item off until the next round, at once; one that is put off is taken up again.
pub(super) fn later(model: &mut Model, effects: &mut Effects) {
    if model.shows_alerts() {
        escalation::later(model, effects);
        return;
    }
    let Some(id) = model.subject() else { return };
    let Some(code) = model.known.line(id).map(|line| line.code.clone()) else { return };
    let group = new_group(model);
    if morning::later(model, id).is_some() {
        let command = Command::QueueBack { experiment: code.clone() };
        send(model, effects, group, Some(id), Doing::TakeBack(code), command);
        return;
    }
    let zone = model.setting.zone;
    let command = Command::QueueLater { experiment: code.clone(), until: None, zone };
    send(model, effects, group, Some(id), Doing::Later(id, code), command);
}

/// What was put off is back once its time has come, whatever the desk said before.
pub(super) fn bring_back(model: &mut Model) {
    let now = model.wall();
    let mut back = false;
    for line in model.known.queue.iter_mut().flatten().map(|(_, line)| line) {
        if line.later.as_ref().is_some_and(|later| later.until <= now) {
            line.later = None;
            back = true;
        }
    }
    if back {
        model.wanted.insert(crate::message::Ask::Queue);
        model.rounds.old = true;
    }
}

pub(super) fn mark(model: &mut Model) {
    let Some(id) = model.subject() else { return };
    if !model.morning.marked.remove(&id) {
        model.morning.marked.insert(id);
        model.morning.last_mark = Some(id);
    }
    go::rows(model, 1);
}

pub(super) fn mark_run(model: &mut Model) {
    let shown = morning::shown_queue(model);
    let place = |id: Option<ExperimentId>| id.and_then(|id| shown.iter().position(|other| *other == id));
    let Some(here) = place(model.subject()) else { return };
    let from = place(model.morning.last_mark).unwrap_or(here);
    let run: Vec<ExperimentId> = shown
        .iter()
        .skip(from.min(here))
        .take(from.abs_diff(here) + 1)
        .filter(|id| morning::is_waiting(model, **id))
        .copied()
        .collect();
    model.morning.marked.extend(run);
}

pub(super) fn mark_clean(model: &mut Model) {
    let shown = morning::shown_queue(model);
    let waiting = shown.iter().filter(|id| morning::is_waiting(model, **id)).count();
    let clean: Vec<ExperimentId> = shown.into_iter().filter(|id| morning::is_clean(model, *id)).collect();
    let rest = waiting.saturating_sub(clean.len());
    let text = match (clean.len(), rest) {
        (1, 0) => "1 clean item marked.".to_owned(),
        (n, 0) => format!("{n} clean items marked."),
        (n, 1) => format!("{n} clean items marked. 1 is not clean: open it."),
        (n, rest) => format!("{n} clean items marked. {rest} are not clean: open each."),
    };
    model.morning.marked = clean.into_iter().collect();
    model.say(text, Role::Text);
}
