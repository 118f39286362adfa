//! The round: its time, what was looked at, and signing it off.
//!
//! Decides that a step counts as looked at while keys are pressed in it, or where it had nothing to do, with what stood
//! there then; that the sheet holds what the desk said when it was opened, and signs once all of it was on the screen;
//! that work which is left is asked about once; and that a note which was typed is kept until it is signed.

use desk::Command;
use desk::command::Looked as Sent;
use domain::checkin::Round;
use domain::role::Action;

use super::{new_group, send};
use crate::can;
use crate::message::{Ask, Effects};
use crate::model::{Doing, Model};
use crate::rounds::{self, Looked, Step, steps};
use crate::sheets::{Sheet, SignOff};
use crate::theme::Role;

/// A round stops counting after so long without a key.
const ROUND_REST_MS: u64 = 120_000;

/// Counts a key: time of the round, and the step that is looked at.
pub(super) fn count(model: &mut Model) {
    model.rounds.opened = true;
    let Some(round) = rounds::of_pane(model.place.pane) else { return };
    let now = model.now.real_ms;
    let counted = model.rounds.counted.entry(round).or_default();
    if let Some(last) = counted.last_key_ms {
        let passed = now.saturating_sub(last);
        counted.active_ms += if passed <= ROUND_REST_MS { passed } else { 0 };
    }
    counted.last_key_ms = Some(now);
    look(model);
}

/// The present step is on the screen.
pub(super) fn look(model: &mut Model) {
    if let (Some(round), Some(step)) = (rounds::of_pane(model.place.pane), model.step()) {
        let (at, what) = (model.now.wall, steps::what(model, step));
        let from = model.rounds.looked.get(&(round, step)).map_or(at, |looked| looked.from);
        model.rounds.looked.insert((round, step), Looked { from, until: at, what });
    }
}

/// Asks how the rounds stand: for another client or another day than they were asked for, and once anything happened while
/// they are on the screen.
pub(super) fn keep_asked(model: &mut Model) {
    let zone = model.known.office().unwrap_or(model.setting.zone);
    let wanted = (model.scope.clone(), zone.local(model.now.wall).date.to_string());
    if model.rounds.asked_for.as_ref() != Some(&wanted) {
        model.rounds.asked_for = Some(wanted);
        model.rounds.looked.clear();
        model.rounds.old = true;
    }
    let signing = model.sheets.iter().any(|sheet| matches!(sheet, Sheet::SignOff(_)));
    let here = rounds::of_pane(model.place.pane).is_some();
    let ask = model.ask_rounds();
    if model.rounds.old && (signing || here) && !model.asked.contains(&ask) {
        model.rounds.old = false;
        model.wanted.insert(ask);
    }
}

/// Opens the pane of the round that is due and not signed, unless a key was pressed or a pane was asked for.
pub(super) fn open_due(model: &mut Model) {
    if model.rounds.opened {
        return;
    }
    model.rounds.opened = true;
    let Some(zone) = model.known.office() else { return };
    let local = zone.local(model.wall());
    let round = match local.hour * 60 + local.minute {
        0..690 => Round::Morning,
        690..990 => Round::Midday,
        _ => Round::EndOfDay,
    };
    if rounds::signature(model, round).is_none() && rounds::early_words(model, round).is_none() {
        super::go::to_pane(model, rounds::pane(round));
        model.back.clear();
    }
}

/// Under the sheet a step with nothing to do ticks itself as soon as that is known; the signature covers it.
pub(super) fn tick(model: &mut Model) {
    let signs =
        model.sheets.iter().find_map(|sheet| if let Sheet::SignOff(sign) = sheet { Some(sign.of) } else { None });
    let Some(round) = signs else { return };
    let now = model.now.wall;
    for step in rounds::steps(round).iter().copied().filter(|step| *step != Step::SignOff) {
        if steps::is_done(model, step) {
            let what = steps::what(model, step);
            model.rounds.looked.entry((round, step)).or_insert(Looked { from: now, until: now, what });
        }
    }
}

/// Opens the sheet; what stands on it is asked for anew.
pub(super) fn open(model: &mut Model) {
    let Some(of) = rounds::of_pane(model.place.pane) else { return };
    model.wanted.insert(model.ask_rounds());
    model.ask_at_ms = None;
    model.sheets.push(Sheet::SignOff(SignOff {
        of,
        client: model.scope.clone(),
        round: None,
        shown_ms: model.now.real_ms,
        note: tui_input::Input::new(model.rounds.notes.get(&(of, model.scope.clone())).cloned().unwrap_or_default()),
        typing: false,
        top: 0,
        reached: 0,
    }));
}

/// Takes the sheet away, and whatever stands on it; its note is kept for the next one.
fn close(model: &mut Model, at: usize) {
    if let Some(Sheet::SignOff(sign)) = model.sheets.get(at) {
        model.rounds.notes.insert((sign.of, sign.client.clone()), sign.note.value().to_owned());
    }
    model.sheets.truncate(at);
}

/// Leaves the sheet unsigned.
pub(super) fn leave(model: &mut Model) {
    close(model, model.sheets.len().saturating_sub(1));
}

/// Notes how far the sheet was on the screen.
pub(super) fn reached(model: &mut Model) {
    let Some(sheet @ Sheet::SignOff(sign)) = model.sheets.last() else { return };
    if sign.round.is_none() || model.size.class() == crate::frame::Class::TooSmall {
        return;
    }
    let (all, fit) = crate::sheets::extent(model, sheet);
    let until = sign.top.saturating_add(fit).min(all);
    if let Some(Sheet::SignOff(sign)) = model.sheets.last_mut() {
        sign.reached = sign.reached.max(until);
    }
}

/// Puts what the desk said onto the sheet, once; what differs later closes it.
pub(super) fn told(model: &mut Model, ask: &Ask) {
    let Ask::Rounds { client } = ask else { return };
    let Some(at) = model.sheets.iter().position(|sheet| matches!(sheet, Sheet::SignOff(_))) else { return };
    let Some(Sheet::SignOff(SignOff { of, .. })) = model.sheets.get(at) else { return };
    let said = model.known.round(client.as_ref(), *of).cloned();
    let now = model.now.real_ms;
    let (Some(Sheet::SignOff(sign)), Some(said)) = (model.sheets.get_mut(at), said) else { return };
    if sign.client != *client {
        return;
    }
    match &sign.round {
        None => {
            sign.round = Some(Box::new(said));
            sign.shown_ms = now;
        }
        Some(shown) if shown.shown == said.shown => {}
        Some(_) => {
            let kept = if sign.note.value().is_empty() { "" } else { " Your note is kept." };
            close(model, at);
            model.say(format!("What is left changed meanwhile. Nothing was signed; look again.{kept}"), Role::Warn);
        }
    }
}

/// Signs what stands on the sheet. Work that is left needs a note, and is asked about once.
pub(super) fn confirm(model: &mut Model, effects: &mut Effects) {
    let why = can::why_no_start(model, Action::CheckIn);
    let unread = model.sheets.last().map_or(0, |sheet| crate::sheets::unread(model, sheet));
    let now = model.now.real_ms;
    let Some(Sheet::SignOff(sign)) = model.sheets.last_mut() else { return };
    if sign.typing {
        sign.typing = false;
        sign.shown_ms = now;
        return;
    }
    let Some(round) = &sign.round else {
        model.say("What is left is still being read; nothing was signed.", Role::Warn);
        return;
    };
    let note = sign.note.value().trim().to_owned();
    if unread > 0 {
        let lines = if unread == 1 { "1 line was".to_owned() } else { format!("{unread} lines were") };
        model.say(format!("{lines} not on the screen yet; nothing was signed."), Role::Warn);
        return;
    }
    if !round.left.is_empty() && note.is_empty() {
        sign.typing = true;
        model.say("Work is left: say who has it and why, then sign.", Role::Warn);
        return;
    }
    if let Some(why) = why {
        model.say(super::sentence(&format!("Nothing was signed: {why}")), Role::Danger);
        return;
    }
    let (of, client, shown) = (sign.of, sign.client.clone(), round.shown.clone());
    leave(model);
    let command = Command::CheckinSign {
        round: of,
        client,
        looked: looked(model, of),
        used_s: model.rounds.counted.get(&of).map_or(0, |counted| counted.active_ms / 1_000),
        note,
        shown: Some(shown),
    };
    let group = new_group(model);
    send(model, effects, group, None, Doing::Sign(of), command);
}

/// A round is signed: the next one is counted from nothing.
pub(super) fn signed(model: &mut Model, round: Round) {
    model.rounds.counted.remove(&round);
    model.rounds.looked.retain(|(of, _), _| *of != round);
    let scope = model.scope.clone();
    model.rounds.notes.remove(&(round, scope));
    model.rounds.old = true;
    model.wanted.insert(Ask::Checkins);
}

fn looked(model: &Model, round: Round) -> Vec<Sent> {
    let of_round = model.rounds.looked.iter().filter(|((of, _), _)| *of == round);
    let all = of_round.filter_map(|((_, step), looked)| {
        let Looked { from, until, what } = looked.clone();
        Some(Sent { step: step.of_round()?, from, until, what })
    });
    all.collect()
}
