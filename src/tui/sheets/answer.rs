//! The sheets of an escalation: its answers with what comes of each, and to whom it is handed.
//!
//! Decides their words. A digit chooses; the key that confirms stands in the sheet, and what an answer needs is typed first.

use domain::hold::Hold;
use domain::id::EscalationId;
use tui_input::Input;

use super::{Content, Sheet, confirm_foot, field_line};
use crate::clean::Clean;
use crate::escalations::answers::{Choice, Needs, choices};
use crate::escalations::view::{options, suggestion};
use crate::keymap::{Intent, Scope, key_of};
use crate::line::{Line, Look, ledger, paragraph};
use crate::model::Model;
use crate::theme::Role;
use crate::when;

/// An escalation that is about to be answered.
#[derive(Debug, Clone)]
pub(crate) struct Answering {
    pub(crate) escalation: EscalationId,
    /// The answer that a digit chose, as it stood then.
    pub(crate) chosen: Option<Choice>,
    /// What a resume ends, as the sheet shows it; what comes meanwhile stays.
    pub(crate) holds: Vec<Hold>,
    pub(crate) text: Input,
    pub(crate) typing: bool,
    pub(crate) shown_ms: u64,
    pub(crate) top: usize,
}

impl Answering {
    pub(crate) fn new(escalation: EscalationId, now_ms: u64) -> Self {
        Self {
            escalation,
            chosen: None,
            holds: Vec::new(),
            text: Input::default(),
            typing: false,
            shown_ms: now_ms,
            top: 0,
        }
    }
}

/// An escalation that is about to be handed over.
#[derive(Debug, Clone)]
pub(crate) struct Hand {
    pub(crate) escalation: EscalationId,
    /// By their numbers.
    pub(crate) people: Vec<String>,
}

fn key(scope: Scope, intent: Intent) -> String {
    key_of(&[scope], intent).map_or_else(String::new, |key| key.to_string())
}

const fn field_name(needs: &Needs) -> &'static str {
    match needs {
        Needs::Note => "note",
        Needs::Url => "address",
        Needs::Reason => "reason",
        Needs::Handle(_) => "handle",
    }
}

pub(super) fn content(model: &Model, sheet: &Sheet, answer: &Answering, width: usize) -> Content {
    let Some(found) = crate::escalations::of(model, answer.escalation) else {
        let lines = vec![Line::new().muted("It is settled.")];
        return Content { title: "Settle".into(), aside: "".into(), lines, foot: Vec::new(), top: 0 };
    };
    let all = choices(model, found);
    let chosen = answer.chosen.as_ref().and_then(|chosen| all.iter().position(|choice| choice == chosen));
    let mut lines = paragraph(&Clean::of(found.what.clone()), Look::bold(Role::Text), 0, width);
    lines.push(Line::new());
    lines.extend(options(model, &all, width, true, chosen));
    for (row, hold) in answer.holds.iter().enumerate() {
        let label = if row == 0 { "Ends" } else { "" };
        let since = when::day_clock(hold.at, model.setting.zone);
        let text = Clean::of(format!("since {since} by {}: {}", hold.by, hold.reason));
        lines.extend(ledger(label, 8, &text, Look::of(Role::Danger), width));
    }
    let mut foot = Vec::new();
    if let Some(choice) = &answer.chosen {
        foot.push(Line::new());
        foot.push(field_line(field_name(&choice.needs), &answer.text, answer.typing));
    }
    foot.extend(last_lines(model, sheet, answer));
    Content { title: "What shall we do?".into(), aside: suggestion(&all), lines, foot, top: answer.top }
}

fn last_lines(model: &Model, sheet: &Sheet, answer: &Answering) -> Vec<Line> {
    let dismiss = key(Scope::AnswerSheet, Intent::Dismiss);
    match &answer.chosen {
        None => {
            let first = key(Scope::AnswerSheet, Intent::Choice(1));
            let line = Line::new().key(first).muted("  and the other digits choose").goto(36);
            vec![Line::new(), line.key(dismiss).plain("  ").muted("do nothing")]
        }
        Some(_) if answer.typing => {
            let (done, out) = (key(Scope::Field, Intent::Confirm), key(Scope::Field, Intent::Dismiss));
            let line = Line::new().key(done).plain("  ").muted("ends the line").goto(28);
            vec![Line::new(), line.key(out).plain("  ").muted("stops typing")]
        }
        Some(choice) => {
            let words = choice.title.chars().take(1).flat_map(char::to_lowercase).chain(choice.title.chars().skip(1));
            let confirm = (key(Scope::AnswerSheet, Intent::Confirm), words.collect());
            let mut foot = confirm_foot(model, sheet, confirm, (dismiss, "do nothing"));
            if let Some(last) = foot.pop() {
                let edit = key(Scope::AnswerSheet, Intent::Words);
                foot.push(last.plain("    ").key(edit).plain("  ").muted(field_name(&choice.needs)));
            }
            foot
        }
    }
}

pub(super) fn hand(model: &Model, hand: &Hand, width: usize) -> Content {
    let mut lines = match crate::escalations::of(model, hand.escalation) {
        Some(found) => paragraph(&Clean::of(found.what.clone()), Look::bold(Role::Text), 0, width),
        None => Vec::new(),
    };
    lines.push(Line::new());
    for (number, name) in (1_u8..=9).zip(&hand.people) {
        let role = model.known.users.iter().find(|user| user.name == *name).map(|user| user.role.as_str());
        let key = key(Scope::HandSheet, Intent::Choice(number));
        let line = Line::new().key(key).goto(3).plain(Clean::of(name.clone()).cut(24)).plain("  ");
        lines.push(line.muted(role.unwrap_or_default()));
    }
    if hand.people.is_empty() {
        lines.push(Line::new().muted("Nobody else of this client may settle it."));
    }
    let dismiss = Line::new().key(key(Scope::HandSheet, Intent::Dismiss)).plain("  ").muted("do nothing");
    Content {
        title: "Hand over to whom?".into(),
        aside: "at once; they see it as theirs".into(),
        lines,
        foot: vec![Line::new(), dismiss],
        top: 0,
    }
}
