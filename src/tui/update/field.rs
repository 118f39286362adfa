//! Fields: what is typed and pasted, and where.
//!
//! Decides that letters go to the field that is open and nowhere else, that a paste outside one is refused, and that the
//! usual line keys work inside.

use tui_input::InputRequest;

use crate::key::Key;
use crate::model::Model;
use crate::sheets::Sheet;
use crate::theme::Role;

/// The most characters of a field.
const FIELD_MAX: usize = 500;

/// Types a key into the open field; returns whether one is open.
pub(super) fn typed(model: &mut Model, key: Key) -> bool {
    let Some(field) = model.field() else { return false };
    let full = field.value().chars().count() >= FIELD_MAX;
    let request = match key {
        Key::Char(_) if full => None,
        Key::Char(c) => Some(InputRequest::InsertChar(c)),
        Key::Backspace | Key::Ctrl('h') => Some(InputRequest::DeletePrevChar),
        Key::Delete => Some(InputRequest::DeleteNextChar),
        Key::Left => Some(InputRequest::GoToPrevChar),
        Key::Right => Some(InputRequest::GoToNextChar),
        Key::Home | Key::Ctrl('a') => Some(InputRequest::GoToStart),
        Key::End | Key::Ctrl('e') => Some(InputRequest::GoToEnd),
        Key::Ctrl('w') => Some(InputRequest::DeletePrevWord),
        Key::Ctrl('u') => Some(InputRequest::DeleteLine),
        Key::Ctrl('k') => Some(InputRequest::DeleteTillEnd),
        Key::Ctrl(_)
        | Key::Enter
        | Key::Esc
        | Key::Tab
        | Key::BackTab
        | Key::Up
        | Key::Down
        | Key::PageUp
        | Key::PageDown => None,
    };
    if let Some(request) = request {
        let _nothing_changed = field.handle(request);
    }
    edited(model);
    true
}

/// What follows from an edited field.
fn edited(model: &mut Model) {
    if let Some(Sheet::Help(search) | Sheet::Palette(search)) = model.sheets.last_mut() {
        search.chosen = 0;
    }
    if model.filtering {
        super::go::cursor_into_view(model);
    }
}

/// Takes a pasted text: one line into an open field, else nothing.
pub(super) fn paste(model: &mut Model, text: &str) {
    let Some(field) = model.field() else {
        model.say("Pasted text ignored here.", Role::Warn);
        return;
    };
    let room = FIELD_MAX.saturating_sub(field.value().chars().count());
    let line = text.trim().replace(['\r', '\n', '\t'], " ");
    for c in line.chars().filter(|c| !c.is_control()).take(room) {
        let _nothing_changed = field.handle(InputRequest::InsertChar(c));
    }
    edited(model);
}

/// Begins typing on a sheet that has a field.
pub(super) fn words(model: &mut Model) {
    match model.sheets.last_mut() {
        Some(Sheet::Refuse(refuse)) => refuse.typing = true,
        Some(Sheet::Resume(resume)) => resume.typing = true,
        Some(Sheet::Answer(_)) => super::escalation::words(model),
        Some(Sheet::Retract(retract)) => retract.typing = true,
        Some(Sheet::Decide(_)) => super::decision::words(model, crate::sheets::Typing::Reason),
        Some(Sheet::SignOff(sign)) => sign.typing = true,
        Some(
            Sheet::Approve(_)
            | Sheet::Stop(_)
            | Sheet::Hand(_)
            | Sheet::Mislead(_)
            | Sheet::Why(_)
            | Sheet::Pictures(_)
            | Sheet::Messages(_)
            | Sheet::Help(_)
            | Sheet::Palette(_)
            | Sheet::Leave,
        )
        | None => {}
    }
}

/// Completes the last word.
pub(super) fn complete(model: &mut Model) {
    const STATES: [&str; 8] =
        ["clean", "blocked", "reviewer", "awaiting approval", "running", "scheduled", "paused", "completed"];
    let completed = match model.sheets.last() {
        Some(Sheet::Stop(stop)) => {
            super::stop::named(model, stop.name.value()).into_iter().next().map(|(_, name)| name)
        }
        Some(_) => None,
        None => {
            let clients: Vec<&str> = model.known.clients.keys().map(domain::id::ClientId::as_str).collect();
            crate::filter::complete(model.filter_text(), &clients, &STATES)
        }
    };
    if let (Some(completed), Some(field)) = (completed, model.field()) {
        *field = tui_input::Input::new(completed);
        edited(model);
    }
}
