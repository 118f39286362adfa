//! Output: what a verb has to tell, and how it is put on paper.
//!
//! Decides the three forms: for people (aligned; cut to the width of a terminal, never in a pipe), plain (tab separated,
//! no heads, nothing cut) and JSON (`{"schema":1,"data":…}`). Pure: the same telling and paper give the same text.

use serde_json::{Value, json};

use crate::json;
use crate::text::{Color, Look, Text};

/// The version of the JSON that is printed.
pub(crate) const SCHEMA: u32 = 1;

/// Who reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// A person.
    Human,
    /// A script with `cut`.
    Plain,
    /// A program.
    Json,
}

/// What is written on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Paper {
    /// Who reads.
    pub(crate) form: Form,
    /// Columns of the terminal; none in a pipe.
    pub(crate) width: Option<usize>,
    /// Colours.
    pub(crate) color: Color,
}

/// A column of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Column {
    head: &'static str,
    shrinks: Shrinks,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shrinks {
    Yes,
    No,
}

/// A column whose cells are never cut: an id, a code, a time.
pub(crate) const fn keep(head: &'static str) -> Column {
    Column { head, shrinks: Shrinks::No }
}

/// A column whose cells are cut where the terminal is narrow.
pub(crate) const fn flow(head: &'static str) -> Column {
    Column { head, shrinks: Shrinks::Yes }
}

/// One part of what is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Block {
    /// One line.
    Line(Text),
    /// An empty line; none in plain form.
    Gap,
    /// Names and values.
    Fields(Vec<(&'static str, Text)>),
    /// Rows under heads.
    Table(Vec<Column>, Vec<Vec<Text>>),
    /// A text from outside, each line marked, so that none can pass for one of ours.
    Quote(Vec<Text>),
    /// A document, as it is: TOML or JSON that can be given back. Hidden characters are escaped before it gets here.
    Document(String),
}

/// Everything that a verb has to tell.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Told {
    /// For people.
    pub(crate) blocks: Vec<Block>,
    /// For programs.
    pub(crate) data: Value,
    /// Beside the matter: for standard error.
    pub(crate) notes: Vec<String>,
    /// The next useful command.
    pub(crate) next: Option<String>,
    /// Nothing was changed: it says what would have been.
    pub(crate) dry_run: bool,
    /// The exit code.
    pub(crate) exit: u8,
}

impl Told {
    /// Tells blocks, and the same as data.
    pub(crate) fn new(blocks: Vec<Block>, data: Value) -> Self {
        Self { blocks, data, notes: Vec::new(), next: None, dry_run: false, exit: crate::exit::DONE }
    }

    /// Tells lines, and the same as data.
    pub(crate) fn lines(lines: impl IntoIterator<Item = String>, data: Value) -> Self {
        Self::new(lines.into_iter().map(|line| Block::Line(Text::of(line))).collect(), data)
    }

    /// Tells a table; where it is empty, a note says so.
    pub(crate) fn table(columns: Vec<Column>, rows: Vec<Vec<Text>>, empty: &str, data: Value) -> Self {
        if rows.is_empty() {
            Self::new(Vec::new(), data).note(empty)
        } else {
            Self::new(vec![Block::Table(columns, rows)], data)
        }
    }

    /// Adds a note.
    #[must_use]
    pub(crate) fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// Names the next useful command.
    #[must_use]
    pub(crate) fn next(mut self, next: impl Into<String>) -> Self {
        self.next = Some(next.into());
        self
    }

    /// Sets the exit code.
    #[must_use]
    pub(crate) fn exit(mut self, exit: u8) -> Self {
        self.exit = exit;
        self
    }
}

/// Returns what goes to standard output.
pub(crate) fn draw(told: &Told, paper: Paper) -> String {
    match paper.form {
        Form::Json => {
            let whole = if told.dry_run {
                json!({"schema": SCHEMA, "dry_run": true, "data": told.data})
            } else {
                json!({"schema": SCHEMA, "data": told.data})
            };
            json::line(&whole) + "\n"
        }
        Form::Human | Form::Plain => told.blocks.iter().map(|block| draw_block(block, paper)).collect(),
    }
}

fn draw_block(block: &Block, paper: Paper) -> String {
    let plain = paper.form == Form::Plain;
    match block {
        Block::Line(text) => line(text, paper),
        Block::Gap if plain => String::new(),
        Block::Gap => "\n".to_owned(),
        Block::Fields(fields) if plain => {
            fields.iter().map(|(name, value)| format!("{name}\t{}\n", value.plain())).collect()
        }
        Block::Fields(fields) => draw_fields(fields, paper),
        Block::Table(_, rows) if plain => {
            rows.iter().map(|row| row.iter().map(Text::plain).collect::<Vec<_>>().join("\t") + "\n").collect()
        }
        Block::Table(columns, rows) => draw_table(columns, rows, paper),
        Block::Quote(lines) if plain => lines.iter().map(|l| format!("|\t{}\n", l.plain())).collect(),
        Block::Quote(lines) => {
            lines.iter().map(|l| format!("  | {}\n", l.drawn(paper.color)).replace("| \n", "|\n")).collect()
        }
        Block::Document(text) if text.ends_with('\n') => text.clone(),
        Block::Document(text) => format!("{text}\n"),
    }
}

fn line(text: &Text, paper: Paper) -> String {
    match paper.form {
        Form::Human => text.drawn(paper.color) + "\n",
        Form::Plain | Form::Json => text.plain().to_owned() + "\n",
    }
}

fn draw_fields(fields: &[(&'static str, Text)], paper: Paper) -> String {
    let widest = fields.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let pad = |name: &str| " ".repeat(widest.saturating_sub(name.len()));
    fields
        .iter()
        .map(|(name, value)| {
            let label = Text::of(format!("{name}:")).look(Look::Dim).drawn(paper.color);
            format!("{label}{} {}\n", pad(name), value.drawn(paper.color))
        })
        .collect()
}

const GUTTER: usize = 2;
const CELL_MIN: usize = 6;

fn draw_table(columns: &[Column], rows: &[Vec<Text>], paper: Paper) -> String {
    let heads: Vec<Text> = columns.iter().map(|c| Text::of(c.head).look(Look::Strong)).collect();
    let mut widths: Vec<usize> = heads.iter().map(Text::width).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.width());
        }
    }
    if let Some(columns_all) = paper.width {
        shrink(&mut widths, columns, columns_all);
    }
    std::iter::once(&heads).chain(rows).map(|row| draw_row(row, &widths, paper)).collect()
}

/// Takes columns away from the widest that may shrink, until the row fits or nothing can give.
fn shrink(widths: &mut [usize], columns: &[Column], fit: usize) {
    loop {
        let all = widths.iter().sum::<usize>() + GUTTER * widths.len().saturating_sub(1);
        let widest = widths
            .iter_mut()
            .zip(columns)
            .filter(|(w, c)| c.shrinks == Shrinks::Yes && **w > CELL_MIN)
            .map(|(w, _)| w)
            .max();
        match widest {
            Some(width) if all > fit => *width = width.saturating_sub(1),
            Some(_) | None => return,
        }
    }
}

fn draw_row(row: &[Text], widths: &[usize], paper: Paper) -> String {
    let mut out = String::new();
    let last = row.len().saturating_sub(1);
    for (place, (cell, width)) in row.iter().zip(widths).enumerate() {
        let cell = if cell.width() > *width { cell.cut(*width) } else { cell.clone() };
        out.push_str(&cell.drawn(paper.color));
        if place != last {
            out.push_str(&" ".repeat(width.saturating_sub(cell.width()) + GUTTER));
        }
    }
    let end = out.trim_end_matches(' ').len();
    out.truncate(end);
    out + "\n"
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use proptest::prelude::*;

    pub(crate) fn human(width: Option<usize>) -> Paper {
        Paper { form: Form::Human, width, color: Color::Off }
    }

    pub(crate) fn plain() -> Paper {
        Paper { form: Form::Plain, width: Some(10), color: Color::Off }
    }

    fn table(cells: &[[&str; 2]]) -> Told {
        let rows = cells.iter().map(|row| row.iter().map(|c| Text::of(*c)).collect()).collect();
        Told::table(vec![keep("code"), flow("name")], rows, "none", json!([]))
    }

    #[test]
    fn a_table_is_aligned_and_cut_on_a_terminal_alone() {
        let told = table(&[["ACM-001", "a rather long name"], ["B-2", "短い名前と長い名前"]]);
        assert_eq!(draw(&told, human(Some(20))), "code     name\nACM-001  a rather l…\nB-2      短い名前と…\n");
        assert_eq!(
            draw(&told, human(None)),
            "code     name\nACM-001  a rather long name\nB-2      短い名前と長い名前\n"
        );
        assert_eq!(draw(&told, plain()), "ACM-001\ta rather long name\nB-2\t短い名前と長い名前\n");
    }

    #[test]
    fn an_empty_table_prints_no_data() {
        let told = table(&[]);
        assert_eq!(draw(&told, human(None)), "");
        assert_eq!(told.notes, ["none"]);
    }

    #[test]
    fn a_quoted_text_cannot_pass_for_a_line_of_ours() {
        let told = Told::new(vec![Block::Quote(Text::lines("one\n\nfingerprint: 00\u{1b}[1A"))], json!(null));
        assert_eq!(draw(&told, human(None)), "  | one\n  |\n  | fingerprint: 00␛[1A\n");
        assert_eq!(draw(&told, plain()), "|\tone\n|\t\n|\tfingerprint: 00␛[1A\n");
    }

    #[test]
    fn json_says_its_schema_and_whether_anything_was_done() {
        let mut told = Told::new(Vec::new(), json!({"a": 1}));
        let paper = Paper { form: Form::Json, width: None, color: Color::Off };
        assert_eq!(draw(&told, paper), "{\"schema\":1,\"data\":{\"a\":1}}\n");
        told.dry_run = true;
        assert_eq!(draw(&told, paper), "{\"schema\":1,\"dry_run\":true,\"data\":{\"a\":1}}\n");
    }

    #[test]
    fn fields_line_up() {
        let told = Told::new(vec![Block::Fields(vec![("id", "x".into()), ("client", "acme".into())])], json!(null));
        assert_eq!(draw(&told, human(None)), "id:     x\nclient: acme\n");
        assert_eq!(draw(&told, plain()), "id\tx\nclient\tacme\n");
    }

    proptest! {
        #[test]
        fn whatever_a_cell_holds_one_row_stays_one_line_without_controls(cell: String, width in 1_usize..200) {
            let told = table(&[["X", &cell]]);
            for paper in [human(Some(width)), human(None), plain()] {
                let drawn = draw(&told, paper);
                prop_assert!(!drawn.chars().any(|c| c.is_control() && c != '\n' && c != '\t'));
                prop_assert_eq!(drawn.lines().count(), if paper.form == Form::Plain { 1 } else { 2 });
            }
        }
    }
}
