//! Text from outside: kept as it came, drawn only after it was cleaned.
//!
//! Decides which characters may reach a screen, a pipe or a report, and what stands in for the others; also when two
//! texts count as the same under the single-variable rule. Mixed scripts in names and links are in [`script`]. Escaping
//! for a file format (CSV, Markdown, JSON) is the business of whoever writes that format; lengths are the surface's.
//!
//! Invariants: a [`Shown`] holds no character that a terminal would act on or that a reader could not see, whatever came
//! in (threats T8 and T10); nothing is lost but what Unicode NFC changes and the width of tabs: every character that is
//! not drawn as itself is drawn as a marker that names it; showing what was shown changes nothing.

pub mod script;

use std::fmt;
use std::ops::Range;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategory, UnicodeEmoji, UnicodeGeneralCategory};
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Combining marks that one base may carry; the next ones are drawn as markers, or they would pile up over other rows.
pub const MARKS_MAX: u8 = 8;

/// What a tab is drawn as. A fixed width, since where a cell begins is not known here.
const TAB: &str = "    ";

const ZERO_WIDTH_NON_JOINER: char = '\u{200C}';
const ZERO_WIDTH_JOINER: char = '\u{200D}';
const TEXT_STYLE: char = '\u{FE0E}';
const EMOJI_STYLE: char = '\u{FE0F}';
const KEYCAP: char = '\u{20E3}';

/// Text that somebody outside wrote: a caption, a comment, a handle, a platform's error, an operator's paste.
///
/// Keeps exactly what came, for hashing, storing and sending. It has no `Display`: [`Untrusted::show`] and
/// [`Untrusted::show_lines`] are the only ways onto a screen. Two are equal when their characters are; for equality as
/// a reader sees it there is [`Untrusted::normalised`].
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Untrusted(String);

impl Untrusted {
    /// Takes text as it came.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Takes bytes that should be UTF-8; what is not becomes U+FFFD, which is drawn.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        Self(String::from_utf8_lossy(bytes).into_owned())
    }

    /// Returns the text as it came: for hashing, storing, matching and sending, never for drawing.
    pub fn raw(&self) -> &str {
        &self.0
    }

    /// Gives the text back as it came.
    pub fn into_raw(self) -> String {
        self.0
    }

    /// Whether nothing came at all; text of spaces is not empty.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the text for one line: line breaks are drawn as `␊`.
    pub fn show(&self) -> Shown {
        shown(&self.0, Newlines::Marked)
    }

    /// Returns the text for an area of several lines: `\n` breaks the line, every other control is drawn.
    pub fn show_lines(&self) -> Shown {
        shown(&self.0, Newlines::Kept)
    }

    /// Returns how many graphemes a reader, and Bluesky's limit, counts.
    pub fn grapheme_count(&self) -> usize {
        grapheme_count(&self.0)
    }

    /// Returns the form in which two texts are compared; see [`normalise_for_comparison`].
    pub fn normalised(&self) -> String {
        normalise_for_comparison(&self.0)
    }
}

impl From<String> for Untrusted {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for Untrusted {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

/// Text that may be drawn. Made only from [`Untrusted`]; there is no other constructor and no deserialising.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Shown {
    text: String,
    /// Byte ranges of the markers in `text`: in order, apart from each other, on character boundaries.
    markers: Vec<Range<usize>>,
}

/// A stretch of a [`Shown`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece<'a> {
    /// The author's own characters.
    Plain(&'a str),
    /// Stands for one character that may not be drawn, such as `<U+202E>` or `␛`. Drawn in the `danger` role, which is
    /// what tells it from an author who typed the same characters.
    Marker(&'a str),
}

impl<'a> Piece<'a> {
    /// Returns the characters to draw, of either sort.
    pub fn text(self) -> &'a str {
        match self {
            Piece::Plain(text) | Piece::Marker(text) => text,
        }
    }
}

impl Shown {
    /// Returns everything there is to draw.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether there is nothing to draw.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Whether something in it could not be drawn as itself.
    pub fn has_markers(&self) -> bool {
        !self.markers.is_empty()
    }

    /// Returns the stretches in order; together they are [`Shown::as_str`]. None is empty.
    pub fn pieces(&self) -> Vec<Piece<'_>> {
        let mut pieces = Vec::with_capacity(self.markers.len() * 2 + 1);
        let mut at = 0;
        for marker in &self.markers {
            pieces.push(Piece::Plain(self.text.get(at..marker.start).unwrap_or_default()));
            pieces.push(Piece::Marker(self.text.get(marker.clone()).unwrap_or_default()));
            at = marker.end;
        }
        pieces.push(Piece::Plain(self.text.get(at..).unwrap_or_default()));
        pieces.retain(|piece| !piece.text().is_empty());
        pieces
    }

    /// Returns the columns that the widest line takes in a terminal, counted by grapheme.
    pub fn width(&self) -> usize {
        let (mut widest, mut line) = (0, 0);
        for (_, unit) in self.units() {
            line = if unit == "\n" { 0 } else { line + unit.width() };
            widest = widest.max(line);
        }
        widest
    }

    /// Returns the lines, without their breaks; one even when there is no text, as an empty area has one line.
    pub fn lines(&self) -> Vec<Shown> {
        let mut lines = vec![Shown::default()];
        for (kind, unit) in self.units() {
            if unit == "\n" {
                lines.push(Shown::default());
            } else if let Some(line) = lines.last_mut() {
                line.push(kind, unit);
            }
        }
        lines
    }

    /// Returns the first line cut to at most `columns`, ending in `…` when something was cut.
    ///
    /// Cuts between graphemes and never inside a marker, so that a wide cell is never split.
    pub fn truncated(&self, columns: usize) -> Shown {
        let mut lines = self.lines().into_iter();
        let first = lines.next().unwrap_or_default();
        if lines.next().is_none() && first.width() <= columns {
            return first;
        }
        let mut cut = Shown::default();
        if columns == 0 {
            return cut;
        }
        let mut used = 1; // the ellipsis
        for (kind, unit) in first.units() {
            used += unit.width();
            if used > columns {
                break;
            }
            cut.push(kind, unit);
        }
        // A joiner that lost the letter after it would join to the ellipsis.
        while cut.text.ends_with(ZERO_WIDTH_NON_JOINER) {
            cut.text.pop();
        }
        cut.push(Kind::Plain, "…");
        cut
    }

    /// Whether some of it is written from right to left, so that a cell that holds it has to be isolated from its
    /// neighbours. By the blocks of the right-to-left scripts.
    pub fn has_right_to_left(&self) -> bool {
        self.text.chars().any(script::is_right_to_left)
    }

    fn push(&mut self, kind: Kind, text: &str) {
        let start = self.text.len();
        self.text.push_str(text);
        match kind {
            Kind::Plain => {}
            Kind::Marker => self.markers.push(start..self.text.len()),
        }
    }

    /// The smallest stretches that may be drawn apart: a grapheme, a line break, a whole marker.
    fn units(&self) -> impl Iterator<Item = (Kind, &str)> {
        self.pieces().into_iter().flat_map(|piece| match piece {
            Piece::Plain(text) => text.graphemes(true).map(|unit| (Kind::Plain, unit)).collect(),
            Piece::Marker(text) => vec![(Kind::Marker, text)],
        })
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

/// Returns the number of extended grapheme clusters, as Bluesky counts a post.
pub fn grapheme_count(text: &str) -> usize {
    text.graphemes(true).count()
}

/// Returns the form in which the single-variable rule compares two texts. Case counts, and so do blank lines inside.
///
/// Unicode NFC; every kind of line ending is `\n`; runs of spaces and tabs are one space, none stands at the end of a
/// line; line breaks at the end of the text and control characters are gone. What cannot be seen otherwise (zero width,
/// bidi) stays, since a platform does not take it for nothing. Doing it twice changes nothing.
pub fn normalise_for_comparison(text: &str) -> String {
    let unbroken = text.replace("\r\n", "\n");
    let plain = unbroken.chars().filter_map(|c| match c {
        '\n' | '\r' | '\u{B}' | '\u{C}' | '\u{85}' | '\u{2028}' | '\u{2029}' => Some('\n'),
        '\t' => Some(' '),
        _ if c.general_category() == GeneralCategory::SpaceSeparator => Some(' '),
        _ if c.is_control() => None,
        _ => Some(c),
    });
    let mut normal = String::with_capacity(text.len());
    for c in plain.nfc() {
        match c {
            ' ' if normal.ends_with(' ') => {}
            '\n' if normal.ends_with(' ') => {
                normal.pop();
                normal.push('\n');
            }
            _ => normal.push(c),
        }
    }
    normal.truncate(normal.trim_end_matches([' ', '\n']).len());
    normal
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Newlines {
    Kept,
    Marked,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Plain,
    Marker,
}

fn shown(raw: &str, newlines: Newlines) -> Shown {
    let mut shown = Shown { text: String::with_capacity(raw.len()), markers: Vec::new() };
    let mut door = Door::default();
    let mut characters = raw.nfc().peekable();
    while let Some(c) = characters.next() {
        if c == '\n' && newlines == Newlines::Kept {
            door = Door::default();
            shown.text.push('\n');
        } else if c == '\t' {
            door.pass(' ');
            shown.text.push_str(TAB);
        } else if door.admits(c, characters.peek().copied()) {
            door.pass(c);
            shown.text.push(c);
        } else {
            door = Door::default();
            shown.push(Kind::Marker, &marker(c));
        }
    }
    shown
}

/// What stands before the next character. Whether that one may be drawn depends on no more than this and on the one
/// after it, so that showing what was shown finds the same neighbours and changes nothing.
#[derive(Debug, Default)]
struct Door {
    /// The character before, if it was drawn as itself on this line.
    before: Option<char>,
    /// Marks so far on the present base.
    marks: u8,
    /// The emoji that ends here may be joined to another one.
    joinable: bool,
}

impl Door {
    fn admits(&self, c: char, next: Option<char>) -> bool {
        match c {
            ZERO_WIDTH_JOINER => self.joinable && next.is_some_and(is_emoji),
            ZERO_WIDTH_NON_JOINER => {
                self.before.is_some_and(script::needs_non_joiner)
                    && next.is_some_and(|next| script::needs_non_joiner(next) && is_plain_letter(next))
            }
            EMOJI_STYLE if self.before.is_some_and(is_keycap_base) => next == Some(KEYCAP),
            EMOJI_STYLE | TEXT_STYLE => self.before.is_some_and(is_emoji),
            _ if is_hidden(c) => false,
            _ if is_jamo_after_first(c) => {
                self.marks < MARKS_MAX && self.before.is_some_and(|before| is_syllable_continued(before, c))
            }
            _ if needs_base(c) => self.marks < MARKS_MAX && self.before.is_some(),
            _ => true,
        }
    }

    fn pass(&mut self, c: char) {
        self.joinable = match c {
            EMOJI_STYLE => self.joinable,
            '\u{1F3FB}'..='\u{1F3FF}' => self.before.is_some_and(is_emoji),
            _ => is_emoji(c),
        };
        match c {
            ZERO_WIDTH_JOINER | ZERO_WIDTH_NON_JOINER | EMOJI_STYLE | TEXT_STYLE => {}
            _ if needs_base(c) || is_jamo_after_first(c) => self.marks += 1,
            _ => self.marks = 0,
        }
        self.before = Some(c);
    }
}

/// Characters that are never drawn as themselves. Joiners and the two emoji selectors are here too; [`Door::admits`]
/// asks for their neighbours first.
fn is_hidden(c: char) -> bool {
    matches!(
        c.general_category(),
        GeneralCategory::Control
            | GeneralCategory::Format
            | GeneralCategory::LineSeparator
            | GeneralCategory::ParagraphSeparator
            | GeneralCategory::PrivateUse
            | GeneralCategory::Surrogate
            | GeneralCategory::Unassigned
    ) || is_blank(c)
        || (c.width() == Some(0) && !is_jamo_after_first(c) && !(needs_base(c) && joins_its_base(c)))
}

/// Whether a mark and its base are one unit. A mark may be newer than the tables that part text into units; alone it would
/// take no room.
fn joins_its_base(c: char) -> bool {
    let mut pair = String::from("o");
    pair.push(c);
    pair.graphemes(true).count() == 1
}

/// Letters, marks and symbols by category that draw nothing: fillers, selectors, the empty Braille cell.
fn is_blank(c: char) -> bool {
    matches!(
        c,
        '\u{034F}'
            | '\u{115F}'
            | '\u{1160}'
            | '\u{17B4}'
            | '\u{17B5}'
            | '\u{180B}'..='\u{180F}'
            | '\u{2800}'
            | '\u{3164}'
            | '\u{FE00}'..='\u{FE0F}'
            | '\u{FFA0}'
            | '\u{16FE4}'
            | '\u{1D159}'
            | '\u{E0000}'..='\u{E0FFF}'
    )
}

/// Whether `c` is drawn on the character before it.
fn needs_base(c: char) -> bool {
    is_mark(c) || is_half_width_voicing(c)
}

/// The voicing marks of half-width kana: letters by category, drawn on the letter before.
fn is_half_width_voicing(c: char) -> bool {
    matches!(c, '\u{FF9E}' | '\u{FF9F}')
}

fn is_plain_letter(c: char) -> bool {
    c.is_alphabetic() && !is_mark(c) && !is_hidden(c)
}

fn is_mark(c: char) -> bool {
    matches!(
        c.general_category(),
        GeneralCategory::NonspacingMark | GeneralCategory::SpacingMark | GeneralCategory::EnclosingMark
    )
}

fn is_jamo_after_first(c: char) -> bool {
    matches!(c, '\u{1160}'..='\u{11FF}' | '\u{D7B0}'..='\u{D7FF}')
}

/// Whether a vowel or a final consonant `c` is drawn into the syllable that ends in `before` (UAX 29 GB6 to GB8).
fn is_syllable_continued(before: char, c: char) -> bool {
    let is_final = |c: char| matches!(c, '\u{11A8}'..='\u{11FF}' | '\u{D7CB}'..='\u{D7FF}');
    match before {
        '\u{1100}'..='\u{115F}' | '\u{A960}'..='\u{A97F}' => !is_final(c),
        '\u{1160}'..='\u{11A7}' | '\u{D7B0}'..='\u{D7CA}' => true,
        '\u{AC00}'..='\u{D7AF}' => is_final(c) || (u32::from(before) - 0xAC00).is_multiple_of(28),
        _ => is_final(before) && is_final(c),
    }
}

/// Whether `c` may begin an element of an emoji sequence (UTS 51 ED-15a): an emoji that is more than a component.
fn is_emoji(c: char) -> bool {
    !c.is_ascii() && c.is_emoji_char() && !matches!(c, '\u{1F1E6}'..='\u{1F1FF}' | '\u{1F3FB}'..='\u{1F3FF}')
}

fn is_keycap_base(c: char) -> bool {
    c.is_ascii_digit() || c == '#' || c == '*'
}

/// Names one character: a control picture where there is one, else its number.
fn marker(c: char) -> String {
    let number = u32::from(c);
    let picture = match number {
        0..=0x1F => char::from_u32(0x2400 + number),
        0x7F => Some('\u{2421}'),
        _ => None,
    };
    picture.map_or_else(|| format!("<U+{number:04X}>"), String::from)
}

#[cfg(test)]
mod tests;
