//! Plots: a proxy by age as lines of dots, and each comparison as a range against no difference.
//!
//! Decides how values become dots. A line ends with its variant's letter, lines differ by more than colour, and where dots
//! cannot be drawn the table of readings says the same. A range that touches no difference is muted.

use std::collections::{BTreeMap, BTreeSet};

use desk::query::SnapshotView;
use domain::outcome::{Outcome, ProxyOutcome, percent};
use domain::snapshot::Reading;
use domain::time::Span;

use crate::clean::Clean;
use crate::line::{Line, Look};
use crate::theme::Role;

/// Rows of a chart, without its axis.
const ROWS: u32 = 6;
/// The columns of values left of the axis.
const SCALE: usize = 8;
/// The columns of an empty braille cell's dots.
const DOTS: (u32, u32) = (2, 4);
/// The first of the braille patterns.
const BLANK: u32 = 0x2800;

/// The middle of the readings of a proxy, by variant and age.
type Series = BTreeMap<char, BTreeMap<Span, f64>>;

/// Returns the middle of each variant's readings at each age.
pub(super) fn series(snapshots: &[SnapshotView], proxy: &ProxyOutcome) -> Series {
    let mut all: BTreeMap<(char, Span), Vec<f64>> = BTreeMap::new();
    for view in snapshots {
        let found = view.snapshot.rows.iter().find(|row| row.metric == proxy.metric).map(|row| &row.reading);
        if let Some(Reading::Value { value }) = found {
            all.entry((view.letter, view.snapshot.age.0)).or_default().push(*value);
        }
    }
    let mut series = Series::new();
    for ((letter, age), mut values) in all {
        values.sort_by(f64::total_cmp);
        if let Some(middle) = middle(&values) {
            series.entry(letter).or_default().insert(age, middle);
        }
    }
    series
}

fn middle(sorted: &[f64]) -> Option<f64> {
    let at = sorted.len() / 2;
    let upper = sorted.get(at)?;
    let lower = if sorted.len().is_multiple_of(2) { sorted.get(at.checked_sub(1)?)? } else { upper };
    Some(f64::midpoint(*lower, *upper))
}

/// Returns the lines of a proxy by age; nothing where fewer than two ages were read.
pub(super) fn chart(snapshots: &[SnapshotView], proxy: &ProxyOutcome, width: usize) -> Vec<Line> {
    let series = series(snapshots, proxy);
    let ages: BTreeSet<Span> = series.values().flat_map(|line| line.keys().copied()).collect();
    let ages: Vec<Span> = ages.into_iter().collect();
    let values: Vec<f64> = series.values().flat_map(|line| line.values().copied()).collect();
    let (Some(low), Some(high)) = (least(&values), most(&values)) else { return Vec::new() };
    let columns = u32::try_from(width.saturating_sub(SCALE + 12)).unwrap_or(0).min(60);
    if ages.len() < 2 || columns < 12 {
        return Vec::new();
    }
    // A flat line stands in the middle of its scale.
    let (low, high) = if high > low { (low, high) } else { (low - 1.0, high + 1.0) };
    let mut grid = Grid::new(columns, ROWS);
    let mut ends: BTreeMap<u32, Vec<(char, f64)>> = BTreeMap::new();
    for (letter, line) in &series {
        let dots: Vec<(u32, u32)> =
            line.iter().map(|(age, value)| (place_of_age(&ages, *age, columns), row_of(*value, low, high))).collect();
        grid.draw(*letter, &dots);
        if let (Some((_, row)), Some(value)) = (dots.last(), line.values().next_back()) {
            ends.entry(row / DOTS.1).or_default().push((*letter, *value));
        }
    }
    let words =
        if proxy.per_view { format!("{} a view, by age", proxy.words) } else { format!("{} by age", proxy.words) };
    let mut lines = vec![Line::new(), Line::title(capitalised(&words), "middle of each variant's posts")];
    for row in 0..ROWS {
        let scale = match row {
            0 => short(high),
            row if row + 1 == ROWS => short(low),
            _ => String::new(),
        };
        let mut line = Line::new().cell_right(scale, Look::of(Role::Muted), SCALE - 1, 1);
        line = line.put("│", Look::of(Role::Rule));
        for (sign, letter) in grid.row(row) {
            let look = letter.map_or_else(Look::default, |letter| Look::of(Role::of_letter(letter)));
            line = line.put(Clean::drawn(sign, 1), look);
        }
        for (letter, value) in ends.get(&row).into_iter().flatten() {
            line = line.plain(" ").put(Clean::drawn(*letter, 1), Look::bold(Role::of_letter(*letter)));
            line = line.plain(format!(" {}", short(*value)));
        }
        lines.push(line);
    }
    lines.push(axis(&ages, columns));
    lines
}

/// The ages below the chart, as many as have room.
fn axis(ages: &[Span], columns: u32) -> Line {
    let mut line = Line::new();
    for age in ages {
        let at = SCALE + usize::try_from(place_of_age(ages, *age, columns) / DOTS.0).unwrap_or(0);
        let words = domain::time::SnapshotAge(*age).to_string();
        // The last one ends below the last dot.
        let at = if ages.last() == Some(age) { at.saturating_sub(words.len().saturating_sub(1)) } else { at };
        if line.left.is_empty() || line.end() < at {
            line = line.goto(at).muted(words);
        }
    }
    line
}

/// Ages stand at equal distances: they are chosen where something changes, not by the clock.
fn place_of_age(ages: &[Span], age: Span, columns: u32) -> u32 {
    let last = u32::try_from(ages.len().saturating_sub(1)).unwrap_or(1).max(1);
    let at = ages.iter().position(|other| *other == age).and_then(|at| u32::try_from(at).ok()).unwrap_or(0);
    at.saturating_mul(columns.saturating_mul(DOTS.0).saturating_sub(1)) / last
}

fn row_of(value: f64, low: f64, high: f64) -> u32 {
    let rows = ROWS * DOTS.1;
    rows - 1 - step(value, low, high, rows)
}

/// Returns on which of so many steps between two ends a value stands.
fn step(value: f64, low: f64, high: f64, steps: u32) -> u32 {
    let last = steps.saturating_sub(1).max(1);
    let border = |at: u32| low + (high - low) * (f64::from(at) + 0.5) / f64::from(last);
    (0..last).find(|at| value < border(*at)).unwrap_or(last)
}

fn least(values: &[f64]) -> Option<f64> {
    values.iter().copied().min_by(f64::total_cmp)
}

fn most(values: &[f64]) -> Option<f64> {
    values.iter().copied().max_by(f64::total_cmp)
}

fn short(value: f64) -> String {
    if value.fract() == 0.0 { format!("{value:.0}") } else { format!("{value:.1}") }
}

fn capitalised(words: &str) -> String {
    let mut letters = words.chars();
    let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
    format!("{first}{}", letters.as_str())
}

/// Dots, each with the variant that drew it.
struct Grid {
    columns: u32,
    dots: BTreeMap<(u32, u32), char>,
    rows: u32,
}

impl Grid {
    const fn new(columns: u32, rows: u32) -> Self {
        Self { columns, dots: BTreeMap::new(), rows }
    }

    /// Draws the line of a variant through these dots: A one dot thick, B two, C dashed, D and others dotted.
    fn draw(&mut self, letter: char, dots: &[(u32, u32)]) {
        for pair in dots.windows(2) {
            let [(x0, y0), (x1, y1)] = pair else { continue };
            let span = x1.saturating_sub(*x0).max(1);
            let mut before = *y0;
            for x in *x0..=*x1 {
                let passed = x - x0;
                let y = if y1 >= y0 { y0 + (y1 - y0) * passed / span } else { y0 - (y0 - y1) * passed / span };
                let shown = match letter {
                    'A' | 'B' => true,
                    'C' => x % 4 < 3,
                    _ => x % 3 == 0,
                };
                if shown {
                    for y in before.min(y)..=before.max(y) {
                        self.set(letter, x, y);
                        if letter == 'B' {
                            self.set(letter, x, y + 1);
                        }
                    }
                }
                before = y;
            }
        }
    }

    fn set(&mut self, letter: char, x: u32, y: u32) {
        if x < self.columns * DOTS.0 && y < self.rows * DOTS.1 {
            self.dots.entry((x, y)).or_insert(letter);
        }
    }

    /// Returns the cells of a row, each with the variant whose dots are in it.
    fn row(&self, row: u32) -> Vec<(char, Option<char>)> {
        const BITS: [[u32; 4]; 2] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]];
        let cell = |column: u32| {
            let (mut bits, mut whose) = (0, None);
            for (dx, column_bits) in (0_u32..).zip(BITS) {
                for (dy, bit) in (0_u32..).zip(column_bits) {
                    if let Some(letter) = self.dots.get(&(column * DOTS.0 + dx, row * DOTS.1 + dy)) {
                        bits |= bit;
                        whose = whose.or(Some(*letter));
                    }
                }
            }
            let sign = if bits == 0 { ' ' } else { char::from_u32(BLANK + bits).unwrap_or(' ') };
            (sign, whose)
        };
        (0..self.columns).map(cell).collect()
    }
}

/// Returns one row a comparison: by how much, and the likely range against no difference.
pub(super) fn ranges(outcome: &Outcome, width: usize) -> Vec<Line> {
    let all: Vec<(&ProxyOutcome, &domain::outcome::Ratio)> =
        outcome.proxies.iter().flat_map(|proxy| proxy.ratios.iter().map(move |ratio| (proxy, ratio))).collect();
    if all.is_empty() {
        return Vec::new();
    }
    let name = (width / 4).clamp(12, 22);
    let columns = u32::try_from(width.saturating_sub(name + 3 + 9)).unwrap_or(0).min(44);
    let shift = |ratio: f64| (ratio - 1.0) * 100.0;
    let mut values: Vec<f64> = vec![0.0];
    values.extend(all.iter().flat_map(|(_, r)| [Some(r.ratio), r.low, r.high]).flatten().map(shift));
    let (Some(low), Some(high)) = (least(&values), most(&values)) else { return Vec::new() };
    if columns < 12 || high <= low {
        return Vec::new();
    }
    let zero = step(0.0, low, high, columns);
    let mut lines = vec![Line::new(), Line::title(format!("Difference to A at {}", outcome.age), "likely range")];
    for (proxy, ratio) in all {
        let at = |value: f64| step(shift(value), low, high, columns);
        let from = ratio.low.map_or(0, at);
        let until = ratio.high.map_or(columns.saturating_sub(1), at);
        let touches = from <= zero && zero <= until;
        let look = if touches { Look::of(Role::Muted) } else { Look::of(Role::of_letter(ratio.letter)) };
        let sign = |column: u32| match column {
            c if c == at(ratio.ratio) => '●',
            c if c == zero && touches => '┼',
            c if c == zero => '│',
            c if c == from && ratio.low.is_some() => '├',
            c if c == until && ratio.high.is_some() => '┤',
            c if from < c && c < until => '─',
            _ => ' ',
        };
        let mut line = Line::new()
            .cell(Clean::of(proxy.words.as_str()), Look::default(), name, 1)
            .cell(Clean::drawn(ratio.letter, 1), Look::bold(Role::of_letter(ratio.letter)), 3, 1)
            .cell_right(percent(ratio.ratio), Look::default(), 8, 1)
            .plain(" ");
        for column in 0..columns {
            let sign = sign(column);
            let look = if sign == '│' { Look::of(Role::Rule) } else { look };
            line = line.put(Clean::drawn(sign, 1), look);
        }
        lines.push(line);
    }
    let scale = name + 3 + 9 + usize::try_from(zero).unwrap_or(0);
    lines.push(Line::new().goto(scale).muted("0"));
    lines
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_middle_is_that_of_the_readings_and_none_of_nothing() {
        assert_eq!((middle(&[]), middle(&[3.0]), middle(&[1.0, 3.0])), (None, Some(3.0), Some(2.0)));
        assert_eq!(middle(&[1.0, 5.0, 9.0]), Some(5.0));
    }

    #[test]
    fn a_value_stands_on_the_step_that_is_nearest() {
        assert_eq!((step(0.0, 0.0, 10.0, 11), step(10.0, 0.0, 10.0, 11), step(5.2, 0.0, 10.0, 11)), (0, 10, 5));
        assert_eq!(
            (step(-3.0, 0.0, 10.0, 11), step(30.0, 0.0, 10.0, 11)),
            (0, 10),
            "what lies outside stands at the end"
        );
    }

    #[test]
    fn lines_differ_without_their_colour() {
        let drawn = |letter| {
            let mut grid = Grid::new(20, 2);
            grid.draw(letter, &[(0, 1), (39, 1)]);
            grid.row(0).into_iter().map(|(sign, _)| sign).collect::<String>()
        };
        let all: BTreeSet<String> = ['A', 'B', 'C', 'D'].into_iter().map(drawn).collect();
        assert_eq!(all.len(), 4, "{all:?}");
    }

    proptest! {
        #[test]
        fn every_dot_is_inside_whatever_is_drawn(dots in proptest::collection::vec((0_u32..200, 0_u32..200), 0..8)) {
            let mut dots = dots;
            dots.sort_unstable();
            let mut grid = Grid::new(10, 3);
            grid.draw('B', &dots);
            for row in 0..3 {
                prop_assert_eq!(grid.row(row).len(), 10);
            }
            prop_assert!(grid.dots.keys().all(|(x, y)| *x < 20 && *y < 12));
        }
    }
}
