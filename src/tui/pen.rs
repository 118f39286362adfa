//! The pen: puts lines onto the grid of cells.
//!
//! Decides how a line becomes cells: roles into styles, signs into ASCII where the terminal needs that, right-to-left text
//! isolated so that it cannot reorder its neighbours. Text comes clean; what a line says is the views' business.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

use crate::clean::{Clean, Kind};
use crate::line::{Fill, Line, Look, Piece};
use crate::theme::{Pair, Role, Theme};

/// Which signs are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Symbols {
    /// As designed.
    #[default]
    Unicode,
    /// For terminals that lack them, or draw them two cells wide.
    Ascii,
}

/// Columns before text: cursor, mark, air.
pub(crate) const GUTTER: u16 = 3;
/// Columns after what stands at the right.
pub(crate) const MARGIN: u16 = 2;

/// Returns the columns that text has in an area.
pub(crate) fn text_width(area: Rect) -> usize {
    usize::from(area.width.saturating_sub(GUTTER + MARGIN))
}

/// Draws into a buffer.
pub(crate) struct Pen<'a> {
    buffer: &'a mut Buffer,
    theme: &'a Theme,
    symbols: Symbols,
    /// The page stepped back behind a sheet.
    stepped_back: bool,
}

impl<'a> Pen<'a> {
    pub(crate) fn new(buffer: &'a mut Buffer, theme: &'a Theme, symbols: Symbols) -> Self {
        Self { buffer, theme, symbols, stepped_back: false }
    }

    /// From here on everything is drawn muted, as what lies behind a sheet.
    pub(crate) const fn step_back(&mut self, back: bool) {
        self.stepped_back = back;
    }

    /// Draws lines from the top of an area; those without room are left out.
    pub(crate) fn lines(&mut self, area: Rect, lines: &[Line]) {
        for (row, line) in (area.y..area.bottom()).zip(lines) {
            self.line(Rect { y: row, height: 1, ..area }, line);
        }
    }

    /// Draws one line into the first row of an area.
    pub(crate) fn line(&mut self, area: Rect, line: &Line) {
        let area = area.intersection(self.buffer.area);
        if area.is_empty() {
            return;
        }
        let painted = line.paint.filter(|_| !self.stepped_back);
        if let Some(pair) = painted {
            self.buffer.set_style(Rect { height: 1, ..area }, self.theme.pair(pair));
        }
        let edge = area.right();
        self.gutter(area, line, painted);
        let from = area.x.saturating_add(GUTTER);
        let end = edge.saturating_sub(MARGIN);
        let right_from = end.saturating_sub(columns(line.right_width())).max(from.min(end));
        let room = if line.right.is_empty() { end } else { right_from.saturating_sub(1) };
        let mut x = from;
        for piece in &line.left {
            if let Some(at) = piece.at {
                x = from.saturating_add(columns(at));
            }
            x = self.piece(x, area.y, room, piece, painted);
        }
        self.fill(x, right_from, end, area.y, line, painted);
        let mut x = right_from;
        for piece in &line.right {
            x = self.piece(x, area.y, end, piece, painted);
        }
    }

    /// Draws a picture, two pixels a cell, no larger than so many cells; behind a sheet it is grey and dark. Nothing is
    /// drawn where the terminal has too few colours.
    pub(crate) fn picture(
        &mut self,
        area: Rect,
        (row, column): (usize, usize),
        pixels: &[Vec<[u8; 3]>],
        most: (u16, u16),
    ) {
        let (x, y) =
            (area.x.saturating_add(GUTTER).saturating_add(columns(column)), area.y.saturating_add(columns(row)));
        let place = Rect { x, y, width: most.0, height: most.1 };
        let place = place.intersection(area).intersection(self.buffer.area);
        for (y, pair) in (place.y..place.bottom()).zip(pixels.chunks(2)) {
            let (Some(upper), lower) = (pair.first(), pair.get(1)) else { return };
            for (at, x) in (place.x..place.right()).enumerate() {
                let Some(letter) = upper.get(at).and_then(|pixel| self.pixel(*pixel)) else { break };
                let mut style = Style::new().fg(letter);
                if let Some(ground) = lower.and_then(|row| row.get(at)).and_then(|pixel| self.pixel(*pixel)) {
                    style = style.bg(ground);
                }
                self.buffer.set_stringn(x, y, "▀", 1, style);
            }
        }
    }

    fn pixel(&self, pixel: [u8; 3]) -> Option<ratatui::style::Color> {
        if !self.stepped_back {
            return self.theme.pixel(pixel);
        }
        let bright: u16 = pixel.into_iter().map(u16::from).sum();
        self.theme.pixel([u8::try_from(bright / 6).unwrap_or(u8::MAX); 3])
    }

    /// Takes away what was drawn in an area.
    pub(crate) fn blank(&mut self, area: Rect) {
        for position in area.intersection(self.buffer.area).positions() {
            if let Some(cell) = self.buffer.cell_mut(position) {
                cell.reset();
            }
        }
    }

    /// Draws the one line between two columns of a page.
    pub(crate) fn divider(&mut self, area: Rect) {
        let style = self.style(Look::of(Role::Rule), None);
        for row in area.y..area.bottom() {
            self.buffer.set_stringn(area.x, row, self.sign("│"), 1, style);
        }
    }

    fn gutter(&mut self, area: Rect, line: &Line, painted: Option<Pair>) {
        if line.here && area.width > 0 {
            let style = self.style(Look::bold(Role::Text), painted);
            self.buffer.set_stringn(area.x, area.y, self.sign("▸"), 1, style);
        }
        if line.marked && area.width > 1 {
            let style = self.style(Look::bold(Role::Accent), painted);
            self.buffer.set_stringn(area.x.saturating_add(1), area.y, "*", 1, style);
        }
    }

    fn fill(&mut self, x: u16, right_from: u16, end: u16, y: u16, line: &Line, painted: Option<Pair>) {
        let (sign, look) = match line.fill {
            Fill::Air => return,
            Fill::Thin => ("─", Look::of(Role::Rule)),
            Fill::Heavy => ("━", Look::bold(Role::Accent)),
        };
        let style = self.style(look, painted);
        let sign = self.sign(sign);
        let from = if line.left.iter().any(|p| p.text.width() > 0) { x.saturating_add(1) } else { x };
        let until = if line.right_width() == 0 { end } else { right_from.saturating_sub(1) };
        for column in from..until {
            self.buffer.set_stringn(column, y, sign, 1, style);
        }
    }

    /// Draws a piece no further than `room`; returns the column after it.
    fn piece(&mut self, x: u16, y: u16, room: u16, piece: &Piece, painted: Option<Pair>) -> u16 {
        let width = usize::from(room.saturating_sub(x));
        if width == 0 {
            return x;
        }
        let cut;
        let text: &Clean = if piece.text.width() > width {
            cut = piece.text.cut(width);
            &cut
        } else {
            &piece.text
        };
        let isolated = text.has_right_to_left();
        let begin = x;
        let mut x = x;
        for run in text.runs() {
            let look = match run.kind {
                Kind::Own | Kind::Theirs => piece.look,
                Kind::Marker => Look { role: Role::Danger, ..piece.look },
                Kind::Differs => Look { pair: Some(Pair::Diff), ..piece.look },
            };
            let style = self.style(look, painted);
            let room = usize::from(room.saturating_sub(x));
            x = if run.kind == Kind::Own && self.symbols == Symbols::Ascii {
                let plain: String = run.text.chars().map(ascii).collect();
                self.buffer.set_stringn(x, y, plain, room, style).0
            } else {
                self.buffer.set_stringn(x, y, &run.text, room, style).0
            };
        }
        if isolated {
            self.isolate(begin, x.saturating_sub(1), y);
        }
        x
    }

    /// Keeps right-to-left text from reordering its neighbours: first strong isolate, and its end.
    fn isolate(&mut self, first: u16, last: u16, y: u16) {
        for (x, before, after) in [(first, "\u{2068}", ""), (last, "", "\u{2069}")] {
            if let Some(cell) = self.buffer.cell_mut((x, y)) {
                let symbol = format!("{before}{}{after}", cell.symbol());
                cell.set_symbol(&symbol);
            }
        }
    }

    fn style(&self, look: Look, painted: Option<Pair>) -> Style {
        let mut style = match (painted, look.pair) {
            // On a painted row the role's colour gives way to the pair.
            (Some(pair), _) | (None, Some(pair)) if !self.stepped_back => self.theme.pair(pair),
            _ if self.stepped_back => self.theme.role(if look.role == Role::Rule { Role::Rule } else { Role::Muted }),
            _ => self.theme.role(look.role),
        };
        if look.bold && !self.stepped_back {
            style = style.add_modifier(Modifier::BOLD);
        }
        style
    }

    fn sign(&self, sign: &'static str) -> &'static str {
        match (self.symbols, sign) {
            (Symbols::Unicode, sign) => sign,
            (Symbols::Ascii, "▸") => ">",
            (Symbols::Ascii, "━") => "=",
            (Symbols::Ascii, "│") => "|",
            (Symbols::Ascii, _) => "-",
        }
    }
}

/// What stands in for one of our signs.
const fn ascii(sign: char) -> char {
    match sign {
        '✓' => '+',
        '✗' => 'x',
        '◌' => 'o',
        '◍' => '@',
        '✦' => '#',
        '✎' | '▸' => '>',
        '⊘' => '/',
        '…' | '·' => '.',
        '─' => '-',
        '━' => '=',
        '│' => '|',
        '▀' => ' ',
        '├' => '[',
        '┤' => ']',
        '●' => 'o',
        '┼' => '+',
        '█' => '#',
        '▒' => '+',
        other => other,
    }
}

fn columns(width: usize) -> u16 {
    u16::try_from(width).unwrap_or(u16::MAX)
}
