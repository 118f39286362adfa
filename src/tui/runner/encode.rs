//! Encoding: changed cells into as few bytes as they need.
//!
//! Decides the escape sequences, all of them; nothing else writes any while the dashboard is open. Text in cells is clean
//! before it comes here.

use ratatui::buffer::Cell;
use ratatui::style::{Color, Modifier};

/// Begins a frame that the terminal shows at once.
const BEGIN: &str = "\u{1b}[?2026h";
/// Ends it.
const END: &str = "\u{1b}[?2026l";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Pen {
    fg: Color,
    bg: Color,
    modifier: Modifier,
}

const PLAIN: Pen = Pen { fg: Color::Reset, bg: Color::Reset, modifier: Modifier::empty() };

/// Returns the bytes that change these cells, in one frame; nothing where nothing changed.
pub(super) fn frame<'a>(cells: impl Iterator<Item = (u16, u16, &'a Cell)>, clear: bool) -> Vec<u8> {
    let mut out = String::new();
    let mut pen = PLAIN;
    // Where the terminal's own cursor stands after the last cell.
    let mut at: Option<(u16, u16)> = None;
    for (x, y, cell) in cells {
        go(&mut out, at, x, y);
        let wanted = Pen { fg: cell.fg, bg: cell.bg, modifier: cell.modifier };
        style(&mut out, pen, wanted);
        pen = wanted;
        let symbol = cell.symbol();
        out.push_str(symbol);
        let width = u16::try_from(unicode_width::UnicodeWidthStr::width(symbol)).unwrap_or(1).max(1);
        at = Some((x.saturating_add(width), y));
    }
    if out.is_empty() && !clear {
        return Vec::new();
    }
    if pen != PLAIN {
        out.push_str("\u{1b}[m");
    }
    let wipe = if clear { "\u{1b}[m\u{1b}[2J" } else { "" };
    format!("{BEGIN}{wipe}{out}{END}").into_bytes()
}

fn go(out: &mut String, at: Option<(u16, u16)>, x: u16, y: u16) {
    match at {
        Some((column, row)) if row == y && column == x => {}
        Some((column, row)) if row == y && column < x => {
            out.push_str(&format!("\u{1b}[{}C", x.saturating_sub(column)));
        }
        Some(_) | None => out.push_str(&format!("\u{1b}[{};{}H", u32::from(y) + 1, u32::from(x) + 1)),
    }
}

fn style(out: &mut String, from: Pen, to: Pen) {
    if from == to {
        return;
    }
    let mut codes: Vec<String> = Vec::new();
    let mut from = from;
    if !to.modifier.contains(from.modifier) || to == PLAIN {
        codes.push(String::new());
        from = PLAIN;
    }
    let added = to.modifier.difference(from.modifier);
    for (modifier, code) in [(Modifier::BOLD, "1"), (Modifier::UNDERLINED, "4"), (Modifier::REVERSED, "7")] {
        if added.contains(modifier) {
            codes.push(code.to_owned());
        }
    }
    if from.fg != to.fg {
        codes.push(colour(to.fg, 30));
    }
    if from.bg != to.bg {
        codes.push(colour(to.bg, 40));
    }
    out.push_str(&format!("\u{1b}[{}m", codes.join(";")));
}

/// Returns the code of a colour; `base` is 30 for letters, 40 for the ground.
fn colour(colour: Color, base: u8) -> String {
    let plain = |n: u8| (base + n).to_string();
    let bright = |n: u8| (base + 60 + n).to_string();
    match colour {
        Color::Reset => plain(9),
        Color::Black => plain(0),
        Color::Red => plain(1),
        Color::Green => plain(2),
        Color::Yellow => plain(3),
        Color::Blue => plain(4),
        Color::Magenta => plain(5),
        Color::Cyan => plain(6),
        Color::Gray => plain(7),
        Color::DarkGray => bright(0),
        Color::LightRed => bright(1),
        Color::LightGreen => bright(2),
        Color::LightYellow => bright(3),
        Color::LightBlue => bright(4),
        Color::LightMagenta => bright(5),
        Color::LightCyan => bright(6),
        Color::White => bright(7),
        Color::Indexed(n) => format!("{};5;{n}", base + 8),
        Color::Rgb(r, g, b) => format!("{};2;{r};{g};{b}", base + 8),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::style::Style;

    fn text(cells: &[(u16, u16, Cell)]) -> String {
        String::from_utf8(frame(cells.iter().map(|(x, y, cell)| (*x, *y, cell)), false)).unwrap()
    }

    fn cell(symbol: &'static str, style: Style) -> Cell {
        let mut cell = Cell::new(symbol);
        cell.set_style(style);
        cell
    }

    #[test]
    fn nothing_changed_is_no_byte() {
        assert!(frame(std::iter::empty(), false).is_empty());
    }

    #[test]
    fn neighbours_cost_no_moves_and_one_style() {
        let bold = Style::new().add_modifier(Modifier::BOLD);
        let cells = [(3, 1, cell("a", bold)), (4, 1, cell("b", bold)), (7, 1, cell("c", Style::new()))];
        assert_eq!(text(&cells), "\u{1b}[?2026h\u{1b}[2;4H\u{1b}[1mab\u{1b}[2C\u{1b}[mc\u{1b}[?2026l");
    }

    #[test]
    fn a_colour_that_changes_alone_is_written_alone() {
        let red = Style::new().fg(Color::Rgb(1, 2, 3)).bg(Color::Indexed(4));
        let green = Style::new().fg(Color::Green).bg(Color::Indexed(4));
        let written = text(&[(0, 0, cell("x", red)), (1, 0, cell("y", green))]);
        assert_eq!(written, "\u{1b}[?2026h\u{1b}[1;1H\u{1b}[38;2;1;2;3;48;5;4mx\u{1b}[32my\u{1b}[m\u{1b}[?2026l");
    }

    #[test]
    fn a_wide_cell_moves_the_cursor_by_two() {
        let written = text(&[(0, 0, cell("手", Style::new())), (2, 0, cell("x", Style::new()))]);
        assert_eq!(written, "\u{1b}[?2026h\u{1b}[1;1H手x\u{1b}[?2026l");
    }
}
