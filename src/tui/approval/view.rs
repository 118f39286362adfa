//! How the approval page is drawn: scrolled from the top, with its place told; at L what else is known stands beside it.
//!
//! Decides only places.

use domain::id::ExperimentId;
use ratatui::layout::Rect;

use super::{page, page_width};
use crate::clean::Clean;
use crate::frame::Class;
use crate::line::{Line, Look};
use crate::model::{Model, Open};
use crate::morning::view::{columns, history};
use crate::pen::{Pen, text_width};
use crate::theme::Role;

/// Columns beside the page at L and XL.
pub(crate) const BESIDE: usize = 52;

/// Draws the page of the item that is open.
pub(crate) fn draw(model: &Model, pen: &mut Pen<'_>, area: Rect) {
    let Some(Open::Approval(id)) = model.place.open else { return };
    let width = page_width(model, text_width(area));
    let lines = page(model, id, width).lines;
    let height = usize::from(area.height);
    let top = model.approval.top.min(lines.len().saturating_sub(height));
    let beside = u16::try_from(BESIDE).unwrap_or(0);
    let (page_area, beside_area) = if model.size.class() >= Class::L {
        columns(area, area.width.saturating_sub(beside))
    } else {
        (area, Rect { width: 0, ..area })
    };
    let shown: Vec<Line> = lines.into_iter().skip(top).take(height).collect();
    pen.lines(page_area, &shown);
    if beside_area.width > 0 {
        pen.lines(beside_area, &aside(model, id, text_width(beside_area)));
    }
}

/// What is known beside the sheet: who wrote it, and its history.
fn aside(model: &Model, id: ExperimentId, width: usize) -> Vec<Line> {
    let mut lines = vec![Line::new()];
    if let Some(detail) = model.known.details.get(&id) {
        lines.push(Line::title("Who", detail.line.code.clone()));
        for (label, text) in [("Author", &detail.author), ("Last editor", &detail.editor)] {
            lines.push(Line::new().muted(label).goto(14).plain(text.clone()));
        }
        if let Some(seed) = detail.seed {
            lines.push(Line::new().muted("Plan's seed").goto(14).plain(seed.to_string()));
        }
        lines.push(Line::new());
    }
    let events = history(model, id, width);
    lines.push(Line::title("History", ""));
    if events.is_empty() {
        lines.extend(crate::line::paragraph(
            &Clean::from("Nothing among the last events."),
            Look::of(Role::Muted),
            0,
            width,
        ));
    }
    lines.extend(events);
    lines
}
