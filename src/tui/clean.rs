//! Clean text: what may be drawn.
//!
//! Decides that a text which was not written in this program is drawn only after `Untrusted::show` has been over it
//! (T10), how wide a text is, and where it is cut or wrapped: between graphemes, never inside a marker. A `String` always
//! counts as text from outside; only what stands in the program itself, `&'static str`, is taken as it is.

use domain::text::{Piece as ShownPiece, Untrusted};
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// What sort of stretch a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    /// The program's own words and signs.
    Own,
    /// Somebody's characters.
    Theirs,
    /// Stands for a character that may not be drawn.
    Marker,
    /// Somebody's characters that differ from the control's.
    Differs,
}

/// A stretch of one kind.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Run {
    pub(crate) text: String,
    pub(crate) kind: Kind,
}

/// One line of text that may be drawn.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(crate) struct Clean(Vec<Run>);

impl Clean {
    /// Cleans a text of one line; a line break in it becomes a marker.
    pub(crate) fn of(raw: impl Into<String>) -> Self {
        let raw = raw.into();
        if is_plain(&raw) {
            return Self(vec![Run { text: raw, kind: Kind::Theirs }]);
        }
        Self(runs_of(&Untrusted::new(raw).show()))
    }

    /// Cleans a text of several lines.
    pub(crate) fn lines(raw: &str) -> Vec<Self> {
        Untrusted::new(raw).show_lines().lines().iter().map(|shown| Self(runs_of(shown))).collect()
    }

    /// Repeats one of the program's own signs.
    pub(crate) fn drawn(sign: char, times: usize) -> Self {
        Self(vec![Run { text: std::iter::repeat_n(sign, times).collect(), kind: Kind::Own }])
    }

    /// Adds another text to its end.
    pub(crate) fn and(mut self, more: impl Into<Self>) -> Self {
        self.0.extend(more.into().0);
        self
    }

    /// Puts runs together.
    pub(crate) const fn from_runs(runs: Vec<Run>) -> Self {
        Self(runs)
    }

    /// Returns the runs.
    pub(crate) fn runs(&self) -> &[Run] {
        &self.0
    }

    /// Returns the characters.
    pub(crate) fn plain(&self) -> String {
        self.0.iter().map(|run| run.text.as_str()).collect()
    }

    /// Returns the columns it takes.
    pub(crate) fn width(&self) -> usize {
        self.0.iter().map(|run| run.text.width()).sum()
    }

    /// Tells whether something in it stands for a hidden character.
    pub(crate) fn has_markers(&self) -> bool {
        self.0.iter().any(|run| run.kind == Kind::Marker)
    }

    /// Tells whether some of it is written from right to left.
    pub(crate) fn has_right_to_left(&self) -> bool {
        let plain = self.plain();
        !plain.is_ascii() && Untrusted::new(plain).show().has_right_to_left()
    }

    /// Returns it cut to so many columns, ending in `…` where something was cut.
    pub(crate) fn cut(&self, columns: usize) -> Self {
        if self.width() <= columns {
            return self.clone();
        }
        let Some(room) = columns.checked_sub(1) else { return Self::default() };
        let mut kept: Vec<Run> = Vec::new();
        let mut used = 0;
        for (unit, kind) in self.units() {
            used += unit.width();
            if used > room {
                break;
            }
            push(&mut kept, unit, kind);
        }
        push(&mut kept, "…", Kind::Own);
        Self(kept)
    }

    /// Returns it broken into lines of at most so many columns: between words where that can be, else between graphemes.
    pub(crate) fn wrapped(&self, columns: usize) -> Vec<Self> {
        let columns = columns.max(2);
        let mut lines = vec![Vec::new()];
        let mut used = 0;
        for word in self.words() {
            let wide: usize = word.iter().map(|(text, _)| text.width()).sum();
            let bare: usize = word.iter().map(|(text, _)| text.trim_end().width()).sum();
            if used > 0 && used + bare > columns {
                lines.push(Vec::new());
                used = 0;
            }
            let whole = wide.min(bare.max(1)) <= columns;
            for (text, kind) in &word {
                for unit in units(text, *kind) {
                    let width = unit.width();
                    if used + width > columns {
                        // A space at the end of a full line needs no place.
                        if whole && unit == " " {
                            continue;
                        }
                        lines.push(Vec::new());
                        used = 0;
                    }
                    if let Some(line) = lines.last_mut() {
                        push(line, unit, *kind);
                    }
                    used += width;
                }
            }
        }
        let last = lines.len().saturating_sub(1);
        let trimmed = lines
            .into_iter()
            .enumerate()
            .map(|(at, line)| if at == last { Self(line) } else { Self(line).without_end() });
        trimmed.collect()
    }

    /// Takes the space away at which a line was broken.
    fn without_end(mut self) -> Self {
        if let Some(run) = self.0.last_mut().filter(|run| run.kind != Kind::Marker && run.text.ends_with(' ')) {
            run.text.pop();
        }
        self
    }

    fn units(&self) -> impl Iterator<Item = (&str, Kind)> {
        self.0.iter().flat_map(|run| units(&run.text, run.kind).into_iter().map(|unit| (unit, run.kind)))
    }

    /// The stretches between which a line may break: each word with the space after it.
    fn words(&self) -> Vec<Vec<(&str, Kind)>> {
        let mut words: Vec<Vec<(&str, Kind)>> = Vec::new();
        let mut open = false;
        for run in &self.0 {
            let parts: Vec<&str> = match run.kind {
                Kind::Marker => vec![run.text.as_str()],
                Kind::Own | Kind::Theirs | Kind::Differs => run.text.split_inclusive(' ').collect(),
            };
            for part in parts {
                match words.last_mut() {
                    Some(word) if open => word.push((part, run.kind)),
                    _ => words.push(vec![(part, run.kind)]),
                }
                open = !part.ends_with(' ');
            }
        }
        words
    }
}

impl From<&'static str> for Clean {
    fn from(own: &'static str) -> Self {
        Self(vec![Run { text: own.to_owned(), kind: Kind::Own }])
    }
}

impl From<String> for Clean {
    fn from(raw: String) -> Self {
        Self::of(raw)
    }
}

/// Printable ASCII needs no cleaning; most of what is drawn is that.
fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| (0x20..0x7f).contains(&byte))
}

fn runs_of(shown: &domain::text::Shown) -> Vec<Run> {
    let of = |piece: ShownPiece<'_>| match piece {
        ShownPiece::Plain(text) => Run { text: text.to_owned(), kind: Kind::Theirs },
        ShownPiece::Marker(text) => Run { text: text.to_owned(), kind: Kind::Marker },
    };
    shown.pieces().into_iter().map(of).collect()
}

fn units(text: &str, kind: Kind) -> Vec<&str> {
    match kind {
        Kind::Marker => vec![text],
        Kind::Own | Kind::Theirs | Kind::Differs => text.graphemes(true).collect(),
    }
}

fn push(runs: &mut Vec<Run>, text: &str, kind: Kind) {
    match runs.last_mut() {
        Some(last) if last.kind == kind && kind != Kind::Marker => last.text.push_str(text),
        _ => runs.push(Run { text: text.to_owned(), kind }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_a_terminal_would_act_on_becomes_a_marker() {
        for hostile in ["\u{1b}[2J", "\u{1b}]52;c;ZXZpbA==\u{7}", "price \u{202e}04.99\u{202c}", "a\0b", "l1\rL2"] {
            let clean = Clean::of(hostile);
            assert!(clean.has_markers(), "{hostile:?}");
            assert!(!clean.plain().chars().any(|c| c.is_control() || c == '\u{202e}'), "{hostile:?}");
        }
    }

    #[test]
    fn wide_text_is_cut_and_wrapped_between_graphemes() {
        let wide = Clean::of("Ｈｏｓｈｉｏｒｉ");
        assert_eq!(wide.width(), 16);
        assert_eq!(wide.cut(7).plain(), "Ｈｏｓ…");
        assert_eq!(wide.wrapped(5).iter().map(Clean::plain).collect::<Vec<_>>(), ["Ｈｏ", "ｓｈ", "ｉｏ", "ｒｉ"]);
        let family = "👩\u{200d}👩\u{200d}👧\u{200d}👦";
        assert_eq!(Clean::of(family).width(), 2);
        assert_eq!(Clean::of(format!("{family}x")).cut(2).plain(), "…");
    }

    #[test]
    fn lines_break_between_words_and_lose_nothing() {
        let text = Clean::of("The inbox shows who has it before you type.");
        let lines: Vec<String> = text.wrapped(16).iter().map(Clean::plain).collect();
        assert_eq!(lines, ["The inbox shows", "who has it", "before you type."]);
    }

    proptest! {
        #[test]
        fn wrapping_loses_no_letter_and_keeps_to_the_width(raw in "\\PC{0,60}", columns in 2_usize..40) {
            let clean = Clean::of(raw);
            let lines = clean.wrapped(columns);
            let bare = |text: &str| text.replace(' ', "");
            let joined: String = lines.iter().map(Clean::plain).collect();
            prop_assert_eq!(bare(&joined), bare(&clean.plain()));
            for line in &lines {
                let only_marker = line.runs().iter().any(|run| run.kind == Kind::Marker && run.text.width() > columns);
                // One letter with its marks, or one marker, may be wider than a narrow place; it then stands alone.
                let letters: usize = line.runs().iter().map(|run| units(&run.text, run.kind).len()).sum();
                prop_assert!(only_marker || letters == 1 || line.width() <= columns, "{:?}", line);
            }
        }

        #[test]
        fn a_cut_text_is_never_wider_than_its_place(raw in ".{0,40}", columns in 0_usize..30) {
            prop_assert!(Clean::of(raw).cut(columns).width() <= columns);
        }
    }
}
