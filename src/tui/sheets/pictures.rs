//! The picture sheet: one picture of an item as large as fits, with what is known of it beneath.
//!
//! Decides how the room is shared: the words stand whole, the picture takes what is left.

use super::{Content, Pictures};
use crate::approval::page::picture as in_a_line;
use crate::clean::Clean;
use crate::line::{Line, Look, paragraph};
use crate::model::Model;
use crate::picture::{Block, Placed, is_drawn, labelled, rows_left, shown, sized, stand_in};
use crate::theme::Role;

/// Rows of a sheet beside its lines: title, air, foot.
const FIXED: usize = 4;

/// Returns the sheet's lines and its picture, for so many columns and rows.
pub(crate) fn block(model: &Model, open: &Pictures, width: usize, room: usize) -> Block {
    let working = || Block { lines: vec![Line::new().muted("working: the sheet is being read")], placed: Vec::new() };
    let Some(item) = model.known.item(open.experiment) else { return working() };
    let all = shown(item);
    let Some(picture) = all.get(open.at.min(all.len().saturating_sub(1))) else { return working() };
    let mut words = vec![labelled(Line::new(), picture)];
    words.push(Line::new().put(in_a_line(picture.asset, false), Look::of(Role::Muted)));
    let alt = Clean::from("alt: ").and(Clean::of(picture.asset.alt.raw()));
    words.extend(paragraph(&alt, Look::of(Role::Muted), 0, width));
    let mut block = Block::default();
    if !is_drawn(model) {
        let why = "This terminal has too few colours, or signs, for a picture; its facts stand here.";
        block.lines.push(Line::new().muted(why));
    } else if let Some(rows) = rows_left(room, FIXED + words.len() + 1) {
        let picture = sized(&item.sheet.line.code, picture.asset, width, rows);
        let tall = usize::from(picture.height.div_ceil(2));
        block.placed.push(Placed { row: 0, column: 0, picture });
        block.lines.extend(std::iter::repeat_n(Line::new(), tall));
        if let Some(placed) = block.placed.first() {
            stand_in(model, placed, width, &mut block.lines);
        }
    }
    if !block.lines.is_empty() {
        block.lines.push(Line::new());
    }
    block.lines.extend(words);
    block
}

/// Returns the sheet.
pub(super) fn content(model: &Model, open: &Pictures, width: usize, room: usize) -> Content {
    let item = model.known.item(open.experiment);
    let count = item.map_or(0, |item| shown(item).len());
    let name = item.map_or_else(String::new, |item| item.sheet.line.name.clone());
    let close = crate::keymap::key_of(&[crate::keymap::Scope::PictureSheet], crate::keymap::Intent::Dismiss);
    let close = close.map_or_else(String::new, |key| key.to_string());
    Content {
        title: Clean::from("Pictures of ").and(Clean::of(name)),
        aside: Clean::of(format!("{} of {count}", (open.at + 1).min(count))),
        lines: block(model, open, width, room).lines,
        foot: vec![Line::new(), Line::new().put(close, Look::bold(Role::Accent)).muted("  back to the page")],
        top: 0,
    }
}
