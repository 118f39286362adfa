//! The frame: header, strip or alarm, message line and hint bar around whatever is in between.
//!
//! Decides the rows of every screen and the sizes that are told apart. What stands between is the panes' business.

mod header;
mod hint;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::line::{Line, Look};
use crate::model::{Model, Open, Pane};
use crate::pen::Pen;
use crate::sheets::Sheet;
use crate::theme::Role;

/// The size of the terminal, in cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Columns.
    pub width: u16,
    /// Rows.
    pub height: u16,
}

/// How a screen is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Class {
    /// Nothing fits.
    TooSmall,
    /// One list, one column.
    Tiny,
    /// From 80x24: list over a short preview.
    S,
    /// From 100x30: list over preview.
    M,
    /// From 150x36: list beside preview, steps as a rail.
    L,
    /// From 210x50: a third column.
    Xl,
}

/// The least size at which anything is drawn.
const LEAST: Size = Size { width: 60, height: 16 };

impl Size {
    /// Returns how a screen of this size is laid out.
    pub(crate) const fn class(self) -> Class {
        match (self.width, self.height) {
            (width, height) if width < LEAST.width || height < LEAST.height => Class::TooSmall,
            (width, height) if width < 78 || height < 22 => Class::Tiny,
            (width, height) if width < 98 || height < 28 => Class::S,
            (width, height) if width < 150 || height < 36 => Class::M,
            (width, height) if width < 210 || height < 50 => Class::L,
            _ => Class::Xl,
        }
    }

    /// Returns the area of the whole screen.
    pub(crate) const fn area(self) -> Rect {
        Rect { x: 0, y: 0, width: self.width, height: self.height }
    }

    /// Returns the area between strip and message line.
    pub(crate) const fn content(self) -> Rect {
        Rect { x: 0, y: 2, width: self.width, height: self.height.saturating_sub(4) }
    }
}

/// Draws the whole screen into a buffer.
pub fn view(model: &Model, area: Rect, buffer: &mut Buffer) {
    let size = Size { width: area.width, height: area.height };
    let mut pen = Pen::new(buffer, &model.setting.theme, model.setting.symbols);
    if size.class() == Class::TooSmall {
        let text = format!("needs {}x{}, has {}x{}", LEAST.width, LEAST.height, size.width, size.height);
        pen.lines(Rect { x: area.x, ..area }, &[Line::new(), Line::new().plain(text)]);
        return;
    }
    let content = Rect { x: area.x, y: area.y + 2, width: area.width, height: area.height.saturating_sub(4) };
    pen.line(row(area, 0), &header::line(model));
    let under_sheet = !model.sheets.is_empty();
    pen.step_back(under_sheet && !model.link.state(model.now).is_alarm());
    pen.line(row(area, 1), &header::second(model));
    pen.step_back(under_sheet);
    match (model.place.open, model.place.pane) {
        (Some(Open::Approval(_)), _) => crate::approval::view::draw(model, &mut pen, content),
        (Some(Open::Detail(_)), _) => crate::experiments::detail::draw(model, &mut pen, content),
        (None, Pane::Morning) => crate::morning::view::draw(model, &mut pen, content),
        (None, Pane::Midday) => crate::midday::view::draw(model, &mut pen, content),
        (None, Pane::EndOfDay) => crate::evening::view::draw(model, &mut pen, content),
        (None, Pane::Experiments) => crate::experiments::view::draw(model, &mut pen, content),
        (None, Pane::Layers) => crate::layers::view::draw(model, &mut pen, content),
        (None, Pane::Accounts) => crate::accounts::view::draw(model, &mut pen, content),
        (None, Pane::Escalations) => crate::escalations::view::draw(model, &mut pen, content),
        (None, Pane::Memory) => crate::memory::view::draw(model, &mut pen, content),
        (None, Pane::System) => crate::system::draw(model, &mut pen, content),
    }
    pen.step_back(false);
    if let Some(sheet) = model.sheets.last() {
        crate::sheets::draw(model, sheet, &mut pen, content);
    }
    pen.line(row(area, area.height.saturating_sub(2)), &message(model));
    pen.line(row(area, area.height.saturating_sub(1)), &hint::line(model));
}

const fn row(area: Rect, row: u16) -> Rect {
    Rect { x: area.x, y: area.y.saturating_add(row), width: area.width, height: 1 }
}

/// The message line: what is typed, what was said last, or what stands to be known here.
fn message(model: &Model) -> Line {
    if model.filtering {
        return crate::sheets::field_line("/", model.filter_input(), true);
    }
    if let Some(said) = &model.said {
        let symbol = match said.tone {
            Role::Danger => Some("✗"),
            Role::Warn => Some("!"),
            Role::Ok => Some("✓"),
            Role::Attention => Some("✦"),
            Role::Text
            | Role::Muted
            | Role::Accent
            | Role::Link
            | Role::Info
            | Role::Rule
            | Role::Control
            | Role::V1
            | Role::V2
            | Role::V3
            | Role::V4 => None,
        };
        let line = match symbol {
            Some(symbol) => Line::new().put(symbol, Look::of(said.tone)).plain(" "),
            None => Line::new(),
        };
        return line.plain(said.text.clone());
    }
    let filter = model.filter_text();
    if !filter.is_empty() && model.place.open.is_none() && model.sheets.is_empty() {
        return Line::new().muted("Narrowed by ").plain(filter.to_owned()).muted("; Esc widens it again.");
    }
    if matches!(model.sheets.last(), Some(Sheet::Approve(_))) {
        return Line::new().muted("Nothing is approved yet.");
    }
    match model.place.open {
        Some(Open::Approval(id)) if model.sheets.is_empty() => crate::approval::seen_line(model, id),
        Some(Open::Approval(_) | Open::Detail(_)) | None => Line::new(),
    }
}
