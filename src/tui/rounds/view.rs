//! How a round is drawn: steps, the list of the present step, what is under the cursor.
//!
//! Decides only places. Sizes: S and M list over preview, L list beside preview with the steps as a rail, XL a third column.

use domain::checkin::Round;
use ratatui::layout::Rect;

use super::{note_before, note_head, signature, signed_words, steps};
use crate::clean::Clean;
use crate::frame::Class;
use crate::keymap::{Intent, Scope, key_of};
use crate::line::{Line, Look, ledger, paragraph};
use crate::model::Model;
use crate::morning::preview::counted;
use crate::morning::view::{columns, split};
use crate::pen::{Pen, text_width};
use crate::sign::Sign;

/// What a round's pane puts into the frame.
pub(crate) struct Parts<'a> {
    pub(crate) round: Round,
    /// Rows of the list at a width.
    pub(crate) rows: &'a dyn Fn(usize) -> usize,
    /// The list: title, heads, so many rows.
    pub(crate) list: &'a dyn Fn(usize, usize) -> Vec<Line>,
    /// What is under the cursor, at a width.
    pub(crate) preview: &'a dyn Fn(usize) -> Vec<Line>,
    /// What stands around it, at a width.
    pub(crate) around: &'a dyn Fn(usize) -> Vec<Line>,
    /// How wide preview and third column are at L and at XL.
    pub(crate) widths: [(u16, u16); 2],
}

/// Draws a round.
pub(crate) fn draw(model: &Model, pen: &mut Pen<'_>, area: Rect, parts: &Parts<'_>) {
    let [at_l, at_xl] = parts.widths;
    match model.size.class() {
        Class::TooSmall => {}
        Class::Tiny => narrow(model, pen, area, parts, false),
        Class::S | Class::M => narrow(model, pen, area, parts, true),
        Class::L => wide(model, pen, area, parts, at_l),
        Class::Xl => wide(model, pen, area, parts, at_xl),
    }
}

fn narrow(model: &Model, pen: &mut Pen<'_>, area: Rect, parts: &Parts<'_>, with_preview: bool) {
    let width = text_width(area);
    let mut top: Vec<Line> = if model.size.class() == Class::M {
        let mut lines = vec![Line::new()];
        lines.extend(steps::lines(model, parts.round));
        lines
    } else {
        vec![steps::one_line(model, parts.round)]
    };
    if with_preview && let Some(checkin) = note_before(model, parts.round) {
        let head = note_head(model, checkin);
        let note = crate::morning::preview::one_line(&checkin.note);
        let room = width.saturating_sub(head.chars().count() + 2);
        top.push(Line::new().muted(head).muted(": ").plain(note.cut(room)));
    }
    top.push(Line::new());
    let (above, below) = split(area, top.len());
    pen.lines(above, &top);
    let preview = if with_preview { (parts.preview)(width) } else { Vec::new() };
    let head = 1 + usize::from(model.size.class() == Class::M);
    let rows = (parts.rows)(width).max(1);
    let room = usize::from(below.height).saturating_sub(head);
    let wanted = if preview.is_empty() { 0 } else { preview.len() + 1 };
    let list = rows.min(room.saturating_sub(wanted).max(room.min(4)));
    let (list_area, rest) = split(below, head + list);
    pen.lines(list_area, &(parts.list)(width, list));
    let (_, rest) = split(rest, 1);
    pen.lines(rest, &preview);
}

fn wide(model: &Model, pen: &mut Pen<'_>, area: Rect, parts: &Parts<'_>, (preview_width, third): (u16, u16)) {
    let (rail, rest) = columns(area, 24);
    let right = preview_width + third;
    let (list, mut right_area) = columns(rest, rest.width.saturating_sub(right));
    pen.lines(below_top(rail), &steps::rail(model, parts.round, text_width(rail)));
    pen.divider(Rect { x: rail.right().saturating_sub(1), width: 1, ..below_top(rail) });
    let height = usize::from(list.height.saturating_sub(3));
    pen.lines(below_top(list), &(parts.list)(text_width(list), height));
    pen.divider(Rect { x: list.right().saturating_sub(1), width: 1, ..below_top(list) });
    if third > 0 {
        let (middle, last) = columns(right_area, preview_width);
        pen.divider(Rect { x: middle.right().saturating_sub(1), width: 1, ..below_top(middle) });
        pen.lines(below_top(last), &(parts.around)(text_width(last)));
        right_area = middle;
    }
    pen.lines(below_top(right_area), &(parts.preview)(text_width(right_area)));
}

fn below_top(area: Rect) -> Rect {
    split(area, 1).1
}

/// The most things that are left which the step lists; all of them stand on the sheet.
const LEFT_MAX: usize = 20;

/// Who signed and what they said, or what signing would say is left.
pub(crate) fn sign_off(model: &Model, round: Round, width: usize) -> Vec<Line> {
    let key = key_of(&[Scope::Round], Intent::SignOff).map_or_else(String::new, |key| key.to_string());
    let Some(view) = model.known.round(model.scope.as_ref(), round) else {
        return vec![Line::title("Sign off", ""), Line::new().muted("working")];
    };
    if let (Some(words), Some(signed)) = (signed_words(model, round), signature(model, round)) {
        let mut lines = vec![Line::title("Sign off", "this round"), Sign::done(words).append(Line::new())];
        if !signed.note.is_empty() {
            lines.extend(ledger("Note", 6, &Clean::of(signed.note.clone()), Look::default(), width));
        }
        return lines;
    }
    let mut lines = vec![Line::title("Sign off", counted(view.left.len(), "thing") + " left")];
    let words =
        if view.left.is_empty() { " signs the round: nothing is left." } else { " signs the round, with a note." };
    lines.push(Line::new().key(key).muted(words));
    for left in view.left.iter().take(LEFT_MAX) {
        let text = Clean::of(format!("{}: {}", left.what.trim_end_matches('.'), left.to));
        lines.extend(paragraph(&text, Look::default(), 0, width));
    }
    if view.left.len() > LEFT_MAX {
        let more = format!("and {} more; the sheet lists all", view.left.len() - LEFT_MAX);
        lines.push(Line::new().muted(more));
    }
    lines
}
