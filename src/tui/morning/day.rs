//! The account's day: one strip from 00 to 24 in the client's zone, drawn to scale.
//!
//! Decides where a post's letter stands and how long the least gap after it is drawn. Which posts are drawn is said by
//! who asks.

use domain::time::{Span, UtcTime, Zone};

use crate::clean::Clean;
use crate::line::{Line, Look};
use crate::theme::Role;
use crate::when;

/// Adds a strip of so many columns to a line: each post's letter, the least gap after it, the rest of the day.
pub(crate) fn strip(line: Line, posts: &[(char, UtcTime)], zone: Zone, gap: Span, columns: usize) -> Line {
    let reach = when::columns_of_span(gap, columns);
    let mut cells: Vec<Cell> = vec![Cell::Free; columns];
    for (_, at) in posts {
        let from = when::column_of_day(*at, zone, columns);
        for cell in cells.iter_mut().skip(from).take(reach) {
            *cell = Cell::Gap;
        }
    }
    for (letter, at) in posts {
        let from = when::column_of_day(*at, zone, columns);
        if let Some(cell) = cells.get_mut(from) {
            *cell = Cell::Post(*letter);
        }
    }
    let mut line = line;
    let mut rest = cells.as_slice();
    while let Some(first) = rest.first() {
        let alike = rest.iter().take_while(|cell| *cell == first).count();
        line = match first {
            Cell::Free => line.put(Clean::drawn('─', alike), Look::of(Role::Rule)),
            Cell::Gap => line.put(Clean::drawn('━', alike), Look::of(Role::Muted)),
            Cell::Post(letter) => line.put(Clean::drawn(*letter, alike), Look::bold(Role::of_letter(*letter))),
        };
        rest = rest.get(alike..).unwrap_or_default();
    }
    line
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cell {
    Free,
    Gap,
    Post(char),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_and_gaps_stand_to_scale() {
        let at = |text: &str| text.parse::<UtcTime>().unwrap();
        let posts = [('A', at("2026-11-24T12:00:00Z")), ('B', at("2026-11-24T18:00:00Z"))];
        let line = strip(Line::new(), &posts, Zone::UTC, Span::hours(3), 24);
        let drawn: String = line.left.iter().map(|piece| piece.text.plain()).collect();
        assert_eq!(drawn, "────────────A━━───B━━───");
    }
}
