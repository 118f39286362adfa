//! Lines: one row of a screen, put together piece by piece.
//!
//! Decides the grid: text begins three cells from the left edge (cursor, mark, air), what stands at the right ends two
//! cells before the edge, a line of a block fills what is between. Where lines go is the views' business.

use crate::clean::Clean;
use crate::theme::{Pair, Role};

/// How a piece looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) struct Look {
    pub(crate) role: Role,
    pub(crate) bold: bool,
    pub(crate) pair: Option<Pair>,
}

impl Look {
    pub(crate) const fn of(role: Role) -> Self {
        Self { role, bold: false, pair: None }
    }

    pub(crate) const fn bold(role: Role) -> Self {
        Self { role, bold: true, pair: None }
    }
}

/// What fills the room between left and right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) enum Fill {
    /// Nothing.
    #[default]
    Air,
    /// A block's thin line.
    Thin,
    /// A sheet's heavy line.
    Heavy,
}

/// A piece with the column at which it begins, if it has one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Piece {
    pub(crate) at: Option<usize>,
    pub(crate) text: Clean,
    pub(crate) look: Look,
}

/// One row.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(crate) struct Line {
    pub(crate) left: Vec<Piece>,
    pub(crate) right: Vec<Piece>,
    pub(crate) fill: Fill,
    /// The whole row, from edge to edge.
    pub(crate) paint: Option<Pair>,
    /// The cursor stands here.
    pub(crate) here: bool,
    /// It is marked.
    pub(crate) marked: bool,
}

impl Line {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// A block's title with what is told at its right.
    pub(crate) fn title(title: impl Into<Clean>, aside: impl Into<Clean>) -> Self {
        Self { fill: Fill::Thin, ..Self::new().bold(title).right(aside, Look::of(Role::Muted)) }
    }

    /// A sheet's title.
    pub(crate) fn heavy(title: impl Into<Clean>, aside: impl Into<Clean>) -> Self {
        Self { fill: Fill::Heavy, ..Self::title(title, aside) }
    }

    /// Adds a piece after the last.
    pub(crate) fn put(mut self, text: impl Into<Clean>, look: Look) -> Self {
        self.left.push(Piece { at: None, text: text.into(), look });
        self
    }

    pub(crate) fn plain(self, text: impl Into<Clean>) -> Self {
        self.put(text, Look::default())
    }

    pub(crate) fn muted(self, text: impl Into<Clean>) -> Self {
        self.put(text, Look::of(Role::Muted))
    }

    pub(crate) fn bold(self, text: impl Into<Clean>) -> Self {
        self.put(text, Look::bold(Role::Text))
    }

    /// Adds a key that works now.
    pub(crate) fn key(self, text: impl Into<Clean>) -> Self {
        self.put(text, Look::bold(Role::Accent))
    }

    /// Adds a text in a column of so many cells, two of them (one where `tight`) kept free; the next piece follows it.
    pub(crate) fn cell(mut self, text: impl Into<Clean>, look: Look, width: usize, gap: usize) -> Self {
        let from = self.end();
        self.left.push(Piece { at: None, text: text.into().cut(width.saturating_sub(gap)), look });
        self.goto(from + width)
    }

    /// Adds a text that ends where a column of so many cells ends, `gap` cells before it.
    pub(crate) fn cell_right(self, text: impl Into<Clean>, look: Look, width: usize, gap: usize) -> Self {
        let text = text.into().cut(width.saturating_sub(gap));
        let from = self.end();
        let at = from + width.saturating_sub(gap).saturating_sub(text.width());
        self.goto(at).put(text, look).goto(from + width)
    }

    /// Goes on at a column, counted from where text begins; what stands before it is cut.
    pub(crate) fn goto(mut self, column: usize) -> Self {
        let end = self.end();
        if end > column {
            self.cut_to(column);
        }
        self.left.push(Piece { at: Some(column), text: Clean::default(), look: Look::default() });
        self
    }

    /// Adds a piece that ends at the right edge.
    pub(crate) fn right(mut self, text: impl Into<Clean>, look: Look) -> Self {
        self.right.push(Piece { at: None, text: text.into(), look });
        self
    }

    /// Marks the row as the one under the cursor.
    pub(crate) const fn selected(mut self, here: bool) -> Self {
        self.here = here;
        self.paint = if here { Some(Pair::Sel) } else { None };
        self
    }

    /// Shows a mark in front of it.
    pub(crate) const fn marked(mut self, marked: bool) -> Self {
        self.marked = marked;
        self
    }

    /// Returns the column after the last piece.
    pub(crate) fn end(&self) -> usize {
        self.left.iter().fold(0, |end, piece| piece.at.unwrap_or(end) + piece.text.width())
    }

    /// Returns the columns of what stands at the right.
    pub(crate) fn right_width(&self) -> usize {
        self.right.iter().map(|piece| piece.text.width()).sum()
    }

    fn cut_to(&mut self, column: usize) {
        let mut end = 0;
        for piece in &mut self.left {
            let from = piece.at.unwrap_or(end);
            piece.text = piece.text.cut(column.saturating_sub(from));
            end = from + piece.text.width();
        }
    }
}

/// Wraps a text into lines of one look, each beginning at a column.
pub(crate) fn paragraph(text: &Clean, look: Look, at: usize, width: usize) -> Vec<Line> {
    let wrapped = text.wrapped(width.saturating_sub(at));
    wrapped.into_iter().map(|part| Line::new().goto(at).put(part, look)).collect()
}

/// Wraps a label and its text: the label stands in front of the first line.
pub(crate) fn ledger(label: &'static str, stop: usize, text: &Clean, look: Look, width: usize) -> Vec<Line> {
    let wrapped = text.wrapped(width.saturating_sub(stop));
    let line = |(row, part): (usize, Clean)| {
        let line = if row == 0 { Line::new().muted(label) } else { Line::new() };
        line.goto(stop).put(part, look)
    };
    wrapped.into_iter().enumerate().map(line).collect()
}
