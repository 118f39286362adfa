//! Decisions: what could mislead is signed, what is done is decided, what was learned may be retracted.
//!
//! Decides that a decision is given for what stands on the sheet, with a reason, by a key that did not choose it.

use desk::Command;
use domain::id::{ExperimentId, LearningId};
use domain::review::Signed;
use domain::role::{Action, Role as Person};
use tui_input::Input;

use super::{new_group, send, sentence};
use crate::can;
use crate::message::{Ask, Effects};
use crate::model::{Doing, Model};
use crate::sheets::{Deciding, Mislead, Reasoned, Sheet, Typing};
use crate::theme::Role;

/// Opens the sheet of a decision.
pub(super) fn open(model: &mut Model, experiment: ExperimentId) {
    let Some(code) = model.known.line(experiment).map(|line| line.code.clone()) else { return };
    ask(model, &code);
    model.sheets.push(Sheet::Decide(Deciding {
        experiment,
        code,
        chosen: None,
        reason: Input::default(),
        learning: None,
        typing: Typing::Nothing,
        shown_ms: model.now.real_ms,
        shown: None,
        top: 0,
    }));
}

/// Opens what could mislead about the experiment that is open.
pub(super) fn open_mislead(model: &mut Model) {
    let of_sheet = if let Some(Sheet::Decide(sheet)) = model.sheets.last() { Some(sheet.experiment) } else { None };
    let Some(experiment) = of_sheet.or_else(|| model.subject()) else { return };
    let Some(code) = model.known.line(experiment).map(|line| line.code.clone()) else { return };
    ask(model, &code);
    model.sheets.push(Sheet::Mislead(Mislead { experiment, code, at: 0 }));
}

fn ask(model: &mut Model, code: &str) {
    model.wanted.insert(Ask::Review(code.to_owned()));
    model.ask_at_ms = None;
}

/// Chooses what is decided, by its digit; the reason is typed next.
pub(super) fn choose(model: &mut Model, number: u8) {
    let Some(Sheet::Decide(sheet)) = model.sheets.last() else { return };
    let Some(Ok(review)) = model.known.reviews.get(&sheet.code) else {
        model.say("What was found is still being read.", Role::Warn);
        return;
    };
    let Some(answer) = review.answers.get(usize::from(number).saturating_sub(1)).cloned() else {
        model.say("There is no such decision.", Role::Warn);
        return;
    };
    let reviewer = matches!(model.role(), Person::Reviewer | Person::Admin);
    let why =
        answer.refused.or_else(|| (answer.reviewer && !reviewer).then(|| "it needs a reviewer or an admin".to_owned()));
    if let Some(why) = why {
        model.say(sentence(&format!("It cannot be decided so: {why}")), Role::Warn);
        return;
    }
    let now = model.now.real_ms;
    if let Some(Sheet::Decide(sheet)) = model.sheets.last_mut() {
        sheet.chosen = Some(answer.choice);
        sheet.typing = Typing::Reason;
        sheet.shown_ms = now;
    }
}

/// Begins to type the reason, or edits what is remembered.
pub(super) fn words(model: &mut Model, what: Typing) {
    let Some(Sheet::Decide(sheet)) = model.sheets.last_mut() else { return };
    if what == Typing::Learning && sheet.learning.is_none() {
        let offered = match model.known.reviews.get(&sheet.code) {
            Some(Ok(review)) => review.offered.clone().unwrap_or_default(),
            Some(Err(_)) | None => return,
        };
        sheet.learning = Some(Input::new(offered));
    }
    if what == Typing::Learning || sheet.chosen.is_some() {
        sheet.typing = what;
    } else {
        model.say("Choose what is decided first.", Role::Warn);
    }
}

/// Gives the decision that was chosen.
pub(super) fn confirm(model: &mut Model, effects: &mut Effects) {
    let now = model.now.real_ms;
    let why = can::why_no_start(model, Action::Decide);
    let Some(Sheet::Decide(sheet)) = model.sheets.last_mut() else { return };
    if sheet.typing != Typing::Nothing {
        sheet.typing = Typing::Nothing;
        sheet.shown_ms = now;
        return;
    }
    let Some(decision) = sheet.chosen else {
        model.say("Choose what is decided first.", Role::Warn);
        return;
    };
    let reason = sheet.reason.value().trim().to_owned();
    if reason.is_empty() {
        model.say("It needs a line why; nothing was decided.", Role::Warn);
        return;
    }
    if let Some(why) = why {
        model.say(sentence(&format!("Nothing was decided: {why}")), Role::Danger);
        return;
    }
    let learning = sheet.learning.as_ref().map(|text| text.value().trim().to_owned()).filter(|text| !text.is_empty());
    let (experiment, code) = (sheet.experiment, sheet.code.clone());
    model.sheets.pop();
    let group = new_group(model);
    let command = Command::Decide { experiment: code.clone(), decision, reason, learning };
    send(model, effects, group, Some(experiment), Doing::Decide(code), command);
}

/// Signs what is under the cursor, and goes on to the next that nobody signed.
pub(super) fn sign(model: &mut Model, number: u8, effects: &mut Effects) {
    if let Some(why) = can::why_no_start(model, Action::Decide) {
        model.say(sentence(&format!("Nothing was signed: {why}")), Role::Warn);
        return;
    }
    let says = match number {
        1 => Signed::Clear,
        2 => Signed::Confounds,
        _ => Signed::Unknown,
    };
    let Some(Sheet::Mislead(sheet)) = model.sheets.last() else { return };
    let Some(Ok(review)) = model.known.reviews.get(&sheet.code) else { return };
    let items = &review.confounders;
    let Some(key) = items.get(sheet.at).map(|item| item.confounder.key.clone()) else { return };
    let (experiment, code) = (sheet.experiment, sheet.code.clone());
    let unsigned = |at: &usize| items.get(*at).is_some_and(|item| item.signature.is_none());
    let next = (sheet.at + 1..items.len()).find(unsigned).unwrap_or(sheet.at);
    if let Some(Sheet::Mislead(sheet)) = model.sheets.last_mut() {
        sheet.at = next;
    }
    let group = new_group(model);
    let command = Command::OutcomeSign { experiment: code.clone(), keys: vec![key], says, note: String::new() };
    send(model, effects, group, Some(experiment), Doing::Word(code), command);
}

/// Asks why the learning under the cursor no longer counts.
pub(super) fn open_retract(model: &mut Model) {
    if let Some(id) = crate::memory::under_cursor(model).map(|view| view.learning.id) {
        model.sheets.push(Sheet::Retract(Reasoned::new(id, model.now.real_ms)));
    }
}

/// Retracts it.
pub(super) fn retract(model: &mut Model, effects: &mut Effects) {
    let Some(Sheet::Retract(sheet)) = model.sheets.last() else { return };
    let (id, reason): (LearningId, String) = (sheet.what, sheet.text.value().trim().to_owned());
    if reason.is_empty() {
        model.say("It needs a reason; nothing was retracted.", Role::Warn);
        return;
    }
    if let Some(why) = can::why_no_start(model, Action::Decide) {
        model.say(sentence(&format!("Nothing was retracted: {why}")), Role::Danger);
        return;
    }
    model.sheets.pop();
    let group = new_group(model);
    let command = Command::LearningRetract { learning: id.to_string(), reason };
    send(model, effects, group, None, Doing::Retract, command);
}

/// Puts what was found onto the sheet, once; what differs later closes it.
pub(super) fn notice_changes(model: &mut Model) {
    let Some(at) = model.sheets.iter().position(|sheet| matches!(sheet, Sheet::Decide(_))) else { return };
    let now = model.now.real_ms;
    let Some(Sheet::Decide(sheet)) = model.sheets.get_mut(at) else { return };
    let Some(Ok(review)) = model.known.reviews.get(&sheet.code) else { return };
    let decided = review.decision.as_ref().map(|decision| format!("{} decided it", decision.by));
    let named = format!("{} {}", review.evidence, review.outcome.sentence);
    match (&sheet.shown, decided) {
        (_, Some(decided)) => {
            model.sheets.truncate(at);
            model.say(format!("{decided} already; nothing was done."), Role::Warn);
        }
        (None, None) => {
            sheet.shown = Some(named);
            sheet.shown_ms = now;
        }
        (Some(shown), None) if *shown == named => {}
        (Some(_), None) => {
            model.sheets.truncate(at);
            model.say("What it says changed meanwhile. Nothing was decided; look again.", Role::Warn);
        }
    }
}
