//! How the approval page is drawn: scrolled from the top, with its place told; at L the pictures and what else is known
//! stand beside it.
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
use crate::picture::{Block, Placed};
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
        let block = aside(model, id, text_width(beside_area));
        pen.lines(beside_area, &block.lines);
        for placed in &block.placed {
            draw_picture(model, pen, beside_area, placed, 0);
        }
    }
}

/// Draws a picture that has come, so many lines further down than it stands.
pub(crate) fn draw_picture(model: &Model, pen: &mut Pen<'_>, area: Rect, placed: &Placed, further: usize) {
    let picture = &placed.picture;
    if let Some(Ok(pixels)) = model.known.pictures.get(picture) {
        let most = (picture.width, picture.height.div_ceil(2));
        pen.picture(area, (placed.row + further, placed.column), pixels, most);
    }
}

/// Returns the columns of text beside a page that has so many in all.
pub(crate) const fn aside_width(width: usize) -> usize {
    // The aside is an area of its own, with the margins of one.
    let beside = BESIDE.saturating_sub(5);
    if width < beside { width } else { beside }
}

/// What is known beside the sheet: its pictures, who wrote it, and its history.
fn aside(model: &Model, id: ExperimentId, width: usize) -> Block {
    let Block { lines: pictures, mut placed } = crate::picture::beside(model, id, width);
    let mut lines = vec![Line::new()];
    placed.iter_mut().for_each(|placed| placed.row += lines.len());
    lines.extend(pictures);
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
    Block { lines, placed }
}
