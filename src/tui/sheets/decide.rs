//! The sheets of a decision: what may be decided with what comes of it, and what could mislead, each to be signed.
//!
//! Decides their words. What may be decided, by whom, and which sentence is offered to be remembered is the desk's word.

use domain::id::ExperimentId;
use domain::review::Choice;
use tui_input::Input;

use super::{Content, Sheet, confirm_foot, field_line};
use crate::clean::Clean;
use crate::keymap::{Intent, Scope, key_of};
use crate::line::{Line, Look, ledger, paragraph};
use crate::model::Model;
use crate::theme::Role;

/// What is typed on the sheet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Typing {
    Nothing,
    Reason,
    Learning,
}

/// A decision that is about to be given.
#[derive(Debug, Clone)]
pub(crate) struct Deciding {
    pub(crate) experiment: ExperimentId,
    pub(crate) code: String,
    pub(crate) chosen: Option<Choice>,
    pub(crate) reason: Input,
    /// What is remembered, once a person edits what is offered.
    pub(crate) learning: Option<Input>,
    pub(crate) typing: Typing,
    pub(crate) shown_ms: u64,
    /// Names what the sheet shows; what differs later closes it.
    pub(crate) shown: Option<String>,
    pub(crate) top: usize,
}

/// What could mislead, about to be signed one by one.
#[derive(Debug, Clone)]
pub(crate) struct Mislead {
    pub(crate) experiment: ExperimentId,
    pub(crate) code: String,
    /// The row under the cursor.
    pub(crate) at: usize,
}

/// The column after digits and marks.
const AT: usize = 3;
/// The column of values.
const STOP: usize = 12;

fn key(scope: Scope, intent: Intent) -> String {
    key_of(&[scope], intent).map_or_else(String::new, |key| key.to_string())
}

/// Says a choice in words: `ship B`.
pub(crate) fn in_words(choice: Choice) -> String {
    match choice {
        Choice::Ship { letter } => format!("ship {letter}"),
        Choice::Iterate | Choice::Abandon => choice.as_str().to_owned(),
    }
}

pub(super) fn decide(model: &Model, sheet: &Sheet, decide: &Deciding, width: usize) -> Content {
    let title = Clean::of(format!("Decide: {}", decide.code));
    let review = match model.known.reviews.get(&decide.code) {
        Some(Ok(review)) => review,
        other => {
            let words = match other {
                Some(Err(why)) => format!("It cannot be decided: {why}."),
                _ => "working: what was found is being read".to_owned(),
            };
            let lines = paragraph(&Clean::of(words), Look::of(Role::Muted), 0, width);
            let dismiss = Line::new().key(key(Scope::DecideSheet, Intent::Dismiss)).plain("  ").muted("do nothing");
            return Content { title, aside: "".into(), lines, foot: vec![Line::new(), dismiss], top: 0 };
        }
    };
    let mut lines = paragraph(&Clean::of(review.outcome.sentence.as_str()), Look::bold(Role::Text), 0, width);
    let signed = review.confounders.iter().filter(|item| item.signature.is_some()).count();
    let mislead = format!("{signed} of {} things that could mislead are signed", review.confounders.len());
    let words =
        Line::new().muted(mislead).muted(", ").key(key(Scope::DecideSheet, Intent::Mislead)).muted(" signs them");
    lines.extend([words, Line::new()]);
    for (number, answer) in (1_u8..).zip(&review.answers) {
        let chosen = decide.chosen == Some(answer.choice);
        let off = answer.refused.is_some() || (decide.chosen.is_some() && !chosen);
        let digit = number.to_string();
        let line = if off { Line::new().muted(digit) } else { Line::new().key(digit) };
        let look = if off { Look::of(Role::Muted) } else { Look::bold(Role::Text) };
        let line = line.goto(AT).cell(in_words(answer.choice), look, STOP, 2);
        let mut means = answer.means.clone();
        if answer.recommended {
            means.push_str(" (what the outcome speaks for)");
        }
        if answer.reviewer {
            means.push_str("; a reviewer decides it");
        }
        let at = AT + STOP;
        let look = if off { Look::of(Role::Muted) } else { Look::default() };
        let mut parts = Clean::of(means).wrapped(width.saturating_sub(at)).into_iter();
        lines.push(line.put(parts.next().unwrap_or_default(), look));
        lines.extend(parts.map(|part| Line::new().goto(at).put(part, look)));
        if let Some(why) = &answer.refused {
            lines.extend(paragraph(&Clean::of(why.as_str()), Look::of(Role::Warn), at, width));
        }
    }
    lines.push(Line::new());
    let offered = review.offered.as_deref().unwrap_or("nothing");
    match &decide.learning {
        Some(_) => {}
        None => lines.extend(ledger("Remembered", STOP, &Clean::of(offered), Look::default(), width)),
    }
    let mut foot = Vec::new();
    if let Some(learning) = &decide.learning {
        foot.push(field_line("remembered", learning, decide.typing == Typing::Learning));
    }
    if decide.chosen.is_some() {
        foot.push(field_line("why", &decide.reason, decide.typing == Typing::Reason));
    }
    foot.extend(last_lines(model, sheet, decide));
    Content { title, aside: "kept with your name and reason".into(), lines, foot, top: decide.top }
}

fn last_lines(model: &Model, sheet: &Sheet, decide: &Deciding) -> Vec<Line> {
    let dismiss = key(Scope::DecideSheet, Intent::Dismiss);
    let edit = |line: Line| {
        line.plain("    ").key(key(Scope::DecideSheet, Intent::Learning)).plain("  ").muted("edits the sentence")
    };
    match (decide.typing, decide.chosen) {
        (Typing::Reason | Typing::Learning, _) => {
            let (done, out) = (key(Scope::Field, Intent::Confirm), key(Scope::Field, Intent::Dismiss));
            let line = Line::new().key(done).plain("  ").muted("ends the line").goto(28);
            vec![Line::new(), line.key(out).plain("  ").muted("stops typing")]
        }
        (Typing::Nothing, None) => {
            let first = key(Scope::DecideSheet, Intent::Choice(1));
            let line = Line::new().key(first).muted("  and other digits choose").goto(30);
            vec![Line::new(), edit(line.key(dismiss).plain("  ").muted("do nothing"))]
        }
        (Typing::Nothing, Some(choice)) => {
            let confirm = (key(Scope::DecideSheet, Intent::Confirm), in_words(choice));
            let mut foot = confirm_foot(model, sheet, confirm, (dismiss, "do nothing"));
            if let Some(last) = foot.pop() {
                foot.push(edit(last));
            }
            foot
        }
    }
}

pub(super) fn mislead(model: &Model, sheet: &Mislead, width: usize) -> Content {
    let title = Clean::of(format!("What could mislead: {}", sheet.code));
    let mut lines = Vec::new();
    let mut signed = 0;
    let items = match model.known.reviews.get(&sheet.code) {
        Some(Ok(review)) => review.confounders.as_slice(),
        Some(Err(_)) | None => &[],
    };
    if items.is_empty() {
        lines.push(Line::new().muted("working: what could mislead is being read"));
    }
    let mut top = 0;
    for (row, item) in items.iter().enumerate() {
        if row == sheet.at {
            top = lines.len();
        }
        let says = item.signature.as_ref().map(|signature| {
            signed += 1;
            format!("{}, {}", signature.says.as_str(), signature.by)
        });
        let here = row == sheet.at;
        let look = if says.is_some() { Look::of(Role::Muted) } else { Look::default() };
        let says_width = says.as_ref().map_or(8, |says| says.chars().count());
        let mut parts =
            Clean::of(item.confounder.what.as_str()).wrapped(width.saturating_sub(says_width + 2)).into_iter();
        let line = Line::new().put(parts.next().unwrap_or_default(), look);
        let line = match says {
            Some(says) => line.right(says, Look::of(Role::Muted)),
            None => line.right("unsigned", Look::of(Role::Warn)),
        };
        lines.push(line.selected(here));
        lines.extend(parts.map(|part| Line::new().goto(2).put(part, look)));
    }
    let mut foot = vec![Line::new()];
    let mut line = Line::new();
    for (number, words) in [(1, "it explains nothing"), (2, "it confounds"), (3, "nobody can tell")] {
        line = line.key(key(Scope::MisleadSheet, Intent::Choice(number))).plain(" ").muted(words).plain("   ");
    }
    foot.push(line.key(key(Scope::MisleadSheet, Intent::Dismiss)).plain(" ").muted("close"));
    let aside = Clean::of(format!("{signed} of {} signed", items.len()));
    // Whatever is above it is scrolled away only where it must be.
    Content { title, aside, lines, foot, top: top.saturating_sub(6) }
}
