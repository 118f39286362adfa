//! Escalations: taken, given back, handed over, put off, answered.
//!
//! Decides that opening the answers takes what nobody has, that the key which chooses an answer never gives it, and which
//! commands an answer is. What answers there are is `escalations::answers`.

use desk::Command;
use desk::command::Verdict;
use domain::escalation::Escalation;
use domain::hold::{Hold, HoldKey};
use domain::id::EscalationId;

use super::{new_group, send, sentence, stop};
use crate::escalations::answers::{self, Choice, Deed, Needs};
use crate::escalations::{heirs, is_mine, of};
use crate::message::Effects;
use crate::model::{Doing, Model};
use crate::sheets::{Answering, Hand, Sheet};
use crate::theme::Role;

/// Takes what nobody has, or gives back what is mine.
pub(super) fn take(model: &mut Model, effects: &mut Effects) {
    let Some(escalation) = model.alert_subject() else { return };
    let group = new_group(model);
    let mine = of(model, escalation).is_some_and(|found| is_mine(model, found));
    let command =
        if mine { Command::EscalationHand { escalation, to: None } } else { Command::EscalationTake { escalation } };
    send(model, effects, group, None, Doing::Take, command);
}

/// Opens the answers; what nobody has is taken with it.
pub(super) fn open(model: &mut Model, effects: &mut Effects) {
    if let Some(id) = model.alert_subject() {
        open_of(model, id, effects);
    }
}

/// Opens the answers to one; what nobody has is taken with it.
pub(super) fn open_of(model: &mut Model, id: EscalationId, effects: &mut Effects) {
    let free = of(model, id).is_some_and(|found| found.owner.is_none());
    if free && model.link.why_nothing_may_start(model.now).is_none() {
        let group = new_group(model);
        send(model, effects, group, None, Doing::Take, Command::EscalationTake { escalation: id });
    }
    model.sheets.push(Sheet::Answer(Answering::new(id, model.now.real_ms)));
}

/// Puts it off for as long as may be.
pub(super) fn later(model: &mut Model, effects: &mut Effects) {
    let Some(escalation) = model.alert_subject() else { return };
    let group = new_group(model);
    let command = Command::EscalationLater { escalation, until: None, zone: model.setting.zone };
    send(model, effects, group, None, Doing::AlertLater, command);
}

/// Asks to whom it is handed.
pub(super) fn hand(model: &mut Model) {
    let Some(escalation) = model.alert_subject() else { return };
    let people = of(model, escalation).map(|found| heirs(model, found)).unwrap_or_default();
    model.sheets.push(Sheet::Hand(Hand { escalation, people }));
}

/// Hands it to the person of that number.
pub(super) fn hand_to(model: &mut Model, number: u8, effects: &mut Effects) {
    let Some(Sheet::Hand(sheet)) = model.sheets.last() else { return };
    let at = usize::from(number).checked_sub(1);
    let (escalation, to) = (sheet.escalation, at.and_then(|at| sheet.people.get(at)).cloned());
    if to.is_none() {
        model.say("Nobody has that number.", Role::Warn);
        return;
    }
    model.sheets.pop();
    let group = new_group(model);
    send(model, effects, group, None, Doing::Hand, Command::EscalationHand { escalation, to });
}

/// Returns the answers of the sheet that is open, as they stand now.
fn open_choices(model: &Model) -> Option<Vec<Choice>> {
    let Some(Sheet::Answer(sheet)) = model.sheets.last() else { return None };
    let found = of(model, sheet.escalation)?;
    Some(answers::choices(model, found))
}

/// Chooses an answer; one that needs words begins to take them.
pub(super) fn choose(model: &mut Model, number: u8) {
    let Some(choices) = open_choices(model) else { return };
    let at = usize::from(number).saturating_sub(1);
    let Some(choice) = choices.get(at).cloned() else {
        model.say("There is no such answer.", Role::Warn);
        return;
    };
    if let Some(why) = answers::why_not(model, &choice) {
        model.say(sentence(&format!("Not from here: {why}")), Role::Warn);
        return;
    }
    let (now, typing) = (model.now.real_ms, choice.needs != Needs::Note);
    let holds = match &choice.deed {
        Deed::Resume(target) => {
            let holds = stop::holds_of(model, target);
            if holds.is_empty() {
                stop::ask_holds(model, target);
                model.say("What stops it is being read; choose it again.", Role::Attention);
                return;
            }
            holds
        }
        Deed::Live(_)
        | Deed::NotLive(_)
        | Deed::Cancel(_)
        | Deed::Pause(_)
        | Deed::End(_)
        | Deed::Settle(_)
        | Deed::Later
        | Deed::Elsewhere(_) => Vec::new(),
    };
    if let Some(Sheet::Answer(sheet)) = model.sheets.last_mut() {
        if sheet.chosen.as_ref() != Some(&choice) {
            sheet.text.reset();
        }
        sheet.chosen = Some(choice);
        sheet.typing = typing;
        sheet.holds = holds;
        sheet.shown_ms = now;
    }
}

/// Gives the answer that was chosen.
pub(super) fn confirm(model: &mut Model, effects: &mut Effects) {
    let Some(Sheet::Answer(sheet)) = model.sheets.last_mut() else { return };
    if sheet.typing {
        sheet.typing = false;
        sheet.shown_ms = model.now.real_ms;
        return;
    }
    let (id, typed) = (sheet.escalation, sheet.text.value().trim().to_owned());
    let holds: Vec<HoldKey> = sheet.holds.iter().map(Hold::key).collect();
    let Some(choice) = sheet.chosen.clone() else {
        model.say("Choose an answer first.", Role::Warn);
        return;
    };
    if let Some(why) = answers::missing(&choice, &typed).or_else(|| answers::why_not(model, &choice)) {
        model.say(sentence(&format!("Nothing was settled: {why}")), Role::Warn);
        return;
    }
    let Some(found) = of(model, id).cloned() else {
        model.sheets.pop();
        model.say("It was settled meanwhile; nothing was done.", Role::Warn);
        return;
    };
    let commands = commands(model, &found, &choice, &typed, holds);
    model.sheets.pop();
    let group = new_group(model);
    for command in commands {
        send(model, effects, group, None, Doing::Settle, command);
    }
}

/// Returns what an answer is at the desk. Where that leaves the escalation open, it is settled with the same words.
fn commands(model: &Model, found: &Escalation, choice: &Choice, typed: &str, holds: Vec<HoldKey>) -> Vec<Command> {
    let escalation = found.id;
    let reason = |words: &str| match (words.is_empty(), typed.is_empty()) {
        (true, _) => typed.to_owned(),
        (false, true) => words.to_owned(),
        (false, false) => format!("{words}; {typed}"),
    };
    let settled = |words: &str| Command::EscalationResolve { escalation, reason: reason(words) };
    match &choice.deed {
        Deed::Live(post) => {
            vec![Command::PostConfirm { post: *post, verdict: Verdict::Live { url: typed.to_owned() } }]
        }
        Deed::NotLive(post) => vec![Command::PostConfirm { post: *post, verdict: Verdict::NotLive }],
        Deed::Cancel(post) => {
            vec![Command::PostCancel { post: *post, reason: typed.to_owned() }, settled(&choice.title)]
        }
        Deed::Pause(target) => {
            vec![Command::Pause { target: target.clone(), reason: reason(&found.what) }, settled(&choice.title)]
        }
        Deed::End(code) => {
            let ends = Command::StopExperiment { experiment: code.clone(), reason: typed.to_owned() };
            // A stopped account stays a person's business, whichever of its experiments end.
            let about_it = matches!(found.subject, domain::escalation::Subject::Post { .. });
            if about_it { vec![ends, settled(&choice.title)] } else { vec![ends] }
        }
        Deed::Resume(target) => {
            let goes_on = Command::Resume { target: target.clone(), reason: typed.to_owned(), holds };
            // The desk settles what a stopped account had opened.
            let of_account = matches!(target, desk::Stoppable::Account(_));
            if of_account { vec![goes_on] } else { vec![goes_on, settled(&choice.title)] }
        }
        Deed::Settle(words) => vec![settled(words)],
        Deed::Later => vec![Command::EscalationLater { escalation, until: None, zone: model.setting.zone }],
        Deed::Elsewhere(_) => Vec::new(),
    }
}

/// Tells whether a note or reason can be typed now.
pub(super) fn words(model: &mut Model) {
    if let Some(Sheet::Answer(sheet)) = model.sheets.last_mut() {
        if sheet.chosen.is_some() {
            sheet.typing = true;
        } else {
            model.say("Choose an answer first.", Role::Warn);
        }
    }
}

/// What was put off is back once its time has come: it takes its place again when rows are let in.
pub(super) fn bring_back(model: &mut Model) {
    let now = model.wall();
    let back = |e: &mut Escalation| {
        let is_back = e.later.as_ref().is_some_and(|later| later.until <= now);
        if is_back {
            e.later = None;
        }
        is_back
    };
    let mut any = false;
    for escalation in model.known.escalations.iter_mut().flatten() {
        any |= back(escalation);
    }
    if any {
        let order = crate::escalations::ordered(model);
        model.escalations.list.note(order);
        model.rounds.old = true;
    }
}

/// Closes the sheet of what was settled by somebody else; nothing stays to be answered.
pub(super) fn close_settled(model: &mut Model) {
    let about = |sheet: &Sheet| {
        if let Sheet::Answer(Answering { escalation, .. }) | Sheet::Hand(Hand { escalation, .. }) = sheet {
            Some(*escalation)
        } else {
            None
        }
    };
    let gone = model
        .sheets
        .iter()
        .position(|sheet| about(sheet).is_some_and(|id| model.known.escalations.is_some() && of(model, id).is_none()));
    if let Some(at) = gone {
        model.sheets.truncate(at);
        model.say("It was settled meanwhile; nothing was done.", Role::Warn);
    }
}
