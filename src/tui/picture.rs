//! Pictures: what a post shows, drawn in half-blocks where the terminal has the colours for it, and told in words always.
//!
//! Decides which pictures of an item are shown, in which order and how large, and when the desk is asked for one: not before
//! there is a place to draw it in. Two pixels stand in a cell, the upper as its letter, the lower as its ground. A picture
//! that does not come says why in its place and holds nothing up.

use domain::id::ExperimentId;
use domain::variant::Asset;

use crate::approval::page::{bytes, sides};
use crate::clean::Clean;
use crate::frame::Class;
use crate::item::Item;
use crate::line::{Line, Look};
use crate::message::Picture;
use crate::model::{Model, Open};
use crate::pen::{Symbols, text_width};
use crate::sheets::Sheet;
use crate::theme::Role;

/// Pictures beside the approval page: at most so many, two in a row.
const BESIDE_MAX: usize = 4;
/// The rows of one beside the page, where there is one row of them, and where there are two.
const BESIDE_ROWS: [u16; 2] = [20, 10];
/// Columns between two pictures.
const GAP: usize = 3;
/// Fewer rows than this show nothing.
const ROWS_MIN: u16 = 3;

/// The desk gives no larger ones.
const SIDE_MAX: u16 = 160;

/// Pixels, row by row from the top.
pub(crate) type Pixels = Vec<Vec<[u8; 3]>>;

/// A picture that goes out, and which variants show it.
#[derive(Debug, Clone)]
pub(crate) struct Shown<'a> {
    pub(crate) asset: &'a Asset,
    pub(crate) letters: Vec<char>,
    in_all: bool,
}

/// Where a picture stands among lines of text.
#[derive(Debug, Clone)]
pub(crate) struct Placed {
    /// The line at which it begins.
    pub(crate) row: usize,
    /// The column, counted from where text begins.
    pub(crate) column: usize,
    pub(crate) picture: Picture,
}

/// Lines with pictures among them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Block {
    pub(crate) lines: Vec<Line>,
    pub(crate) placed: Vec<Placed>,
}

/// Returns the pictures of an item, each once, in the order in which variants show them.
pub(crate) fn shown(item: &Item) -> Vec<Shown<'_>> {
    let mut all: Vec<Shown<'_>> = Vec::new();
    for going in item.going_out() {
        for asset in going.assets {
            let same = |shown: &&mut Shown<'_>| shown.asset.digest == asset.digest && shown.asset.alt == asset.alt;
            match all.iter_mut().find(same) {
                Some(known) if known.letters.contains(&going.letter) => {}
                Some(known) => known.letters.push(going.letter),
                None => all.push(Shown { asset, letters: vec![going.letter], in_all: false }),
            }
        }
    }
    for shown in &mut all {
        shown.letters.sort_unstable();
        shown.in_all = shown.letters.len() >= item.variants();
    }
    all
}

/// Tells whether pictures are drawn at all: with fewer than 256 colours, or without the sign for it, they are told.
pub(crate) fn is_drawn(model: &Model) -> bool {
    model.setting.symbols == Symbols::Unicode && model.setting.theme.paints()
}

/// Returns the pictures that are to be drawn on the present screen.
pub(crate) fn wanted(model: &Model) -> Vec<Picture> {
    let area = model.size.content();
    let mut all = Vec::new();
    if let Some(Open::Approval(id)) = model.place.open
        && model.size.class() >= Class::L
    {
        all.extend(beside(model, id, crate::approval::view::aside_width(text_width(area))).placed);
    }
    if let Some(Sheet::Pictures(open)) = model.sheets.last() {
        all.extend(crate::sheets::pictures::block(model, open, text_width(area), usize::from(area.height)).placed);
    }
    all.into_iter().map(|placed| placed.picture).collect()
}

/// Returns the pictures of an item as they stand beside its page.
pub(crate) fn beside(model: &Model, id: ExperimentId, width: usize) -> Block {
    let Some(item) = model.known.item(id) else { return Block::default() };
    let all = shown(item);
    if all.is_empty() {
        return Block::default();
    }
    let key = crate::keymap::key_of(&[crate::keymap::Scope::Approval], crate::keymap::Intent::Pictures);
    let mut title = Line::title("Pictures", "");
    if let Some(key) = key.filter(|_| is_drawn(model)) {
        title = title.right(key.to_string(), Look::bold(Role::Accent)).right(" larger", Look::of(Role::Muted));
    }
    let mut block = Block { lines: vec![title], placed: Vec::new() };
    let columns = if all.len() == 1 { width } else { width.saturating_sub(GAP) / 2 };
    let rows = BESIDE_ROWS.get(usize::from(all.len() > 2)).copied().unwrap_or(ROWS_MIN);
    let code = &item.sheet.line.code;
    for pair in all.get(..all.len().min(BESIDE_MAX)).unwrap_or_default().chunks(2) {
        row_of(model, code, pair, (columns, rows), &mut block);
        block.lines.push(Line::new());
    }
    if let Some(more) = all.len().checked_sub(BESIDE_MAX).filter(|more| *more > 0) {
        let key = key.map_or_else(String::new, |key| key.to_string());
        block.lines.push(Line::new().muted(format!("and {more} more: ")).key(key).muted(" shows each"));
        block.lines.push(Line::new());
    }
    block
}

/// Adds pictures that stand side by side: letters, pictures, facts.
fn row_of(model: &Model, code: &str, pair: &[Shown<'_>], (columns, rows): (usize, u16), block: &mut Block) {
    let mut head = Line::new();
    for (at, shown) in pair.iter().enumerate() {
        head = labelled(head.goto(at * (columns + GAP)), shown);
    }
    block.lines.extend([head, Line::new()]);
    let drawn = is_drawn(model);
    let top = block.lines.len();
    let mut tall = 0;
    for (at, shown) in pair.iter().enumerate().filter(|_| drawn) {
        let picture = sized(code, shown.asset, columns, rows);
        tall = tall.max(usize::from(picture.height.div_ceil(2)));
        block.placed.push(Placed { row: top, column: at * (columns + GAP), picture });
    }
    let words: Vec<Vec<(Clean, Look)>> = pair.iter().map(|shown| facts(shown.asset, columns)).collect();
    block.lines.extend(std::iter::repeat_n(Line::new(), tall));
    for placed in block.placed.iter().filter(|placed| placed.row == top) {
        stand_in(model, placed, columns, &mut block.lines);
    }
    if drawn {
        block.lines.push(Line::new());
    }
    for row in 0..words.iter().map(Vec::len).max().unwrap_or(0) {
        let mut line = Line::new();
        for (at, side) in words.iter().enumerate() {
            if let Some((text, look)) = side.get(row) {
                line = line.goto(at * (columns + GAP)).put(text.clone(), *look);
            }
        }
        block.lines.push(line);
    }
}

/// Writes in the place of a picture that is not there why it is not.
pub(crate) fn stand_in(model: &Model, placed: &Placed, columns: usize, lines: &mut [Line]) {
    let words: Vec<(Clean, Look)> = match model.known.pictures.get(&placed.picture) {
        Some(Ok(_)) => return,
        None => vec![("working".into(), Look::of(Role::Muted))],
        Some(Err(why)) => {
            let text = Clean::from("! not shown: ").and(why.clone());
            text.wrapped(columns).into_iter().map(|part| (part, Look::of(Role::Warn))).collect()
        }
    };
    let room = usize::from(placed.picture.height.div_ceil(2));
    for (line, (text, look)) in lines.iter_mut().skip(placed.row).take(room).zip(words) {
        *line = std::mem::take(line).goto(placed.column).put(text, look);
    }
}

/// Adds which variants show a picture.
pub(crate) fn labelled(line: Line, shown: &Shown<'_>) -> Line {
    let letter = |line: Line, letter: char| line.put(Clean::drawn(letter, 1), Look::bold(Role::of_letter(letter)));
    match (shown.letters.as_slice(), shown.in_all) {
        (_, true) => line.muted("the same in all variants"),
        ([one], false) => letter(line, *one).plain("  ").muted(if *one == 'A' { "control" } else { "test" }),
        (several, false) => several.iter().fold(line, |line, one| letter(line, *one).plain(" ")),
    }
}

/// Returns what is asked for so that a picture fits into so many columns and rows.
pub(crate) fn sized(code: &str, asset: &Asset, columns: usize, rows: u16) -> Picture {
    let columns = u16::try_from(columns).unwrap_or(u16::MAX);
    let (width, height) =
        desk::query::fitted((asset.width, asset.height), (columns.min(SIDE_MAX), rows.saturating_mul(2).min(SIDE_MAX)));
    Picture { experiment: code.to_owned(), digest: asset.digest, width, height }
}

/// Returns the rows that are left for a picture after so many others; none where it would be too small to be seen.
pub(crate) fn rows_left(room: usize, taken: usize) -> Option<u16> {
    u16::try_from(room.saturating_sub(taken)).ok().filter(|rows| *rows >= ROWS_MIN)
}

/// Returns what is known of a picture in words, its alt text among it.
pub(crate) fn facts(asset: &Asset, columns: usize) -> Vec<(Clean, Look)> {
    let muted = Look::of(Role::Muted);
    let size = format!("{}   {}", sides(asset), bytes(asset.bytes));
    let mut words = vec![(Clean::of(asset.file.raw()).cut(columns), muted), (Clean::of(size), muted)];
    let digits: String = asset.digest.to_string().chars().take(8).collect();
    words.push((Clean::of(format!("sha {digits}")), muted));
    if asset.has_gps {
        words.push(("! says where it was taken".into(), Look::of(Role::Warn)));
    }
    let alt = Clean::from("alt: ").and(Clean::of(asset.alt.raw()));
    words.extend(alt.wrapped(columns).into_iter().map(|part| (part, muted)));
    words
}
