//! Normalised text: the two views a facet is matched in, each character tied to the original it came from.
//!
//! Decides what a reader would take for the same words: case, accents, look-alikes, hashtags, quantities and sentence
//! ends. The disguises undone only in the second view (`pr0fits`, `c-u-r-e`) stand in `leet`, numbers in `numerals`.
//! What is looked for in a view is the packs' business.
//!
//! Invariant: every character of a view carries a byte range of the original that starts and ends between characters.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::{canonical_combining_class, decompose_compatible, is_combining_mark};

use super::letter::{OwnScript, apostrophe, is_invisible, is_line_break, latin_lookalike};
use super::{leet, numerals};

/// End of a sentence, as a token of its own between two spaces.
pub(super) const SENTENCE_END: char = '¶';

/// Signs that survive, besides letters and digits; `.` and `:` only where they bind.
const KEPT_SIGNS: &str = "%$€£#@+&¶/_*";

/// One character on its way into a view, with the bytes of the original it stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cell {
    pub(super) c: char,
    pub(super) lo: usize,
    pub(super) hi: usize,
}

impl Cell {
    pub(super) fn with(self, c: char) -> Self {
        Self { c, ..self }
    }

    pub(super) fn is_word(self) -> bool {
        self.c.is_alphanumeric()
    }
}

/// The two views of a facet. `second` is absent when it would equal the first.
#[derive(Debug, Clone)]
pub(super) struct Views {
    /// After step 1 only: what `patterns_raw` are matched on.
    pub(super) raw: Vec<Cell>,
    pub(super) plain: Vec<Cell>,
    pub(super) second: Option<Vec<Cell>>,
}

/// Both views of a text as written.
pub(super) fn normalise(original: &str, locale: &str) -> Views {
    let raw = visible(original);
    let folded = fold(&words_of_tags(&links(&raw)), OwnScript::of_locale(locale));
    let undisguised = leet::undisguise(&folded);
    let plain = tokens(&folded);
    let second = (undisguised != folded).then(|| tokens(&undisguised)).filter(|second| *second != plain);
    Views { raw, plain, second }
}

/// Step 1: drops what cannot be seen, composes compatibly, and makes every apostrophe the plain one.
fn visible(original: &str) -> Vec<Cell> {
    let mut cells = Vec::with_capacity(original.len());
    let mut cluster = String::new();
    let (mut lo, mut hi) = (0, 0);
    for (at, c) in original.char_indices().filter(|(_, c)| !is_invisible(*c)).map(|(at, c)| (at, apostrophe(c))) {
        if !cluster.is_empty() && canonical_combining_class(c) == 0 {
            compose(&mut cluster, lo, hi, &mut cells);
        }
        if cluster.is_empty() {
            lo = at;
        }
        // The apostrophe may be shorter than what it replaces: measure the original.
        hi = original.get(at..).and_then(|rest| rest.chars().next()).map_or(at, |c| at + c.len_utf8());
        cluster.push(c);
    }
    compose(&mut cluster, lo, hi, &mut cells);
    cells
}

fn compose(cluster: &mut String, lo: usize, hi: usize, cells: &mut Vec<Cell>) {
    if cluster.is_ascii() {
        cells.extend(cluster.chars().map(|c| Cell { c, lo, hi }));
    } else {
        cells.extend(cluster.nfkc().map(|c| Cell { c, lo, hi }));
    }
    cluster.clear();
}

/// Step 2, first half: an address becomes the word `link`, so that nothing inside it is read as words.
fn links(cells: &[Cell]) -> Vec<Cell> {
    let mut out = Vec::with_capacity(cells.len());
    let mut at = 0;
    while let Some(&cell) = cells.get(at) {
        let at_word = at.checked_sub(1).and_then(|before| cells.get(before)).is_none_or(|before| !before.is_word());
        let length = if at_word { link_length(cells.get(at..).unwrap_or_default()) } else { 0 };
        if length == 0 {
            out.push(cell);
            at += 1;
            continue;
        }
        let hi = cells.get(at + length - 1).map_or(cell.hi, |last| last.hi);
        out.extend("link".chars().map(|c| Cell { c, lo: cell.lo, hi }));
        at += length;
    }
    out
}

/// How many cells from the start are an address; 0 when none starts here. Closing punctuation is not part of it.
fn link_length(cells: &[Cell]) -> usize {
    let starts = |prefix: &str| {
        cells.len() > prefix.len() && cells.iter().zip(prefix.chars()).all(|(cell, p)| cell.c.to_ascii_lowercase() == p)
    };
    if !["http://", "https://", "www."].into_iter().any(starts) {
        return 0;
    }
    let end = cells.iter().position(|cell| cell.c.is_whitespace()).unwrap_or(cells.len());
    let address = cells.get(..end).unwrap_or_default();
    let closing = address.iter().rev().take_while(|cell| ".,;:!?)]}\"'»”>".contains(cell.c)).count();
    end.saturating_sub(closing)
}

/// Step 2, second half: `#WeightLossMiracle` becomes `#Weight Loss Miracle`.
fn words_of_tags(cells: &[Cell]) -> Vec<Cell> {
    let mut out = Vec::with_capacity(cells.len());
    let mut rest = cells.iter().copied().peekable();
    while let Some(cell) = rest.next() {
        out.push(cell);
        if cell.c != '#' {
            continue;
        }
        let mut tag = Vec::new();
        while let Some(next) = rest.next_if(|next| next.is_word() || next.c == '_') {
            tag.push(next);
        }
        split_tag(&tag, &mut out);
    }
    out
}

/// Splits at lower-upper and letter-digit, in tags that have a capital at all; `_` is a space everywhere.
fn split_tag(tag: &[Cell], out: &mut Vec<Cell>) {
    let spelled = tag.iter().any(|cell| cell.c.is_uppercase());
    let mut before: Option<char> = None;
    for cell in tag {
        let here = if cell.c == '_' { None } else { Some(cell.c) };
        if spelled && before.zip(here).is_some_and(|(a, b)| tag_parts(a, b)) {
            out.push(Cell { c: ' ', lo: cell.lo, hi: cell.lo });
        }
        match here {
            Some(_) => out.push(*cell),
            None if before.is_some() => out.push(cell.with(' ')),
            None => {}
        }
        before = here;
    }
}

fn tag_parts(a: char, b: char) -> bool {
    (a.is_lowercase() && b.is_uppercase()) || (a.is_alphabetic() && b.is_numeric())
}

/// Step 3: case, accents and look-alikes go.
fn fold(cells: &[Cell], own: OwnScript) -> Vec<Cell> {
    let mut out = Vec::with_capacity(cells.len());
    for cell in cells {
        if cell.c.is_ascii() {
            out.push(cell.with(cell.c.to_ascii_lowercase()));
            continue;
        }
        decompose_compatible(cell.c, |part| {
            if is_combining_mark(part) {
                return;
            }
            for lower in latin_lookalike(part, own).to_lowercase() {
                if lower == 'ß' {
                    out.extend([cell.with('s'), cell.with('s')]);
                } else if !is_combining_mark(lower) {
                    out.push(cell.with(lower));
                }
            }
        });
    }
    out
}

/// Steps 5 and 6: apostrophes, numbers, sentence ends; then only what patterns can name, one space at each end.
fn tokens(folded: &[Cell]) -> Vec<Cell> {
    squeeze(&sentence_ends(&numerals::tidy(&without_apostrophes(folded))))
}

fn without_apostrophes(cells: &[Cell]) -> Vec<Cell> {
    let inside = |at: usize| {
        at.checked_sub(1).and_then(|before| cells.get(before)).is_some_and(|before| before.is_word())
            && cells.get(at + 1).is_some_and(|after| after.is_word())
    };
    cells.iter().enumerate().filter(|(at, cell)| cell.c != '\'' || !inside(*at)).map(|(_, cell)| *cell).collect()
}

fn sentence_ends(cells: &[Cell]) -> Vec<Cell> {
    cells
        .iter()
        .enumerate()
        .map(|(at, cell)| match cell.c {
            c if is_line_break(c) => cell.with(SENTENCE_END),
            '.' | '!' | '?' | '…' if cells.get(at + 1).is_none_or(|next| !next.is_word()) => {
                cell.with(if cell.c == '.' && after_title(cells, at) { ' ' } else { SENTENCE_END })
            }
            _ => *cell,
        })
        .collect()
}

/// Whether the stop at `at` only shortens a form of address: `Dr. Osei` is one sentence.
fn after_title(cells: &[Cell], at: usize) -> bool {
    let word: String = cells
        .get(..at)
        .unwrap_or_default()
        .iter()
        .rev()
        .take(6)
        .map(|cell| cell.c)
        .take_while(|c| c.is_alphanumeric())
        .collect();
    matches!(word.as_str(), "rd" | "rm" | "srm" | "sm" | "forp" | "sv")
}

fn squeeze(cells: &[Cell]) -> Vec<Cell> {
    let mut out: Vec<Cell> = Vec::with_capacity(cells.len() + 2);
    let (start, end) = (cells.first().map_or(0, |first| first.lo), cells.last().map_or(0, |last| last.hi));
    out.push(Cell { c: ' ', lo: start, hi: start });
    let mut in_mention = false;
    for (at, cell) in cells.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|before| cells.get(before));
        let next = cells.get(at + 1);
        let word_before = before.is_some_and(|before| before.is_word());
        in_mention = match cell.c {
            '@' => !word_before,
            '.' | '_' => in_mention,
            c => in_mention && c.is_alphanumeric(),
        };
        let digits = before.is_some_and(|b| b.c.is_numeric()) && next.is_some_and(|n| n.c.is_numeric());
        let kept = match cell.c {
            '.' => digits || (in_mention && word_before && next.is_some_and(|n| n.is_word())),
            ':' => digits,
            c => c.is_alphanumeric() || KEPT_SIGNS.contains(c),
        };
        push_token(&mut out, if kept { *cell } else { cell.with(' ') });
    }
    push_token(&mut out, Cell { c: ' ', lo: end, hi: end });
    out
}

/// Adds a character so that spaces never double and a sentence end stands alone between spaces, once.
fn push_token(out: &mut Vec<Cell>, cell: Cell) {
    let last = out.last().map(|last| last.c);
    match cell.c {
        ' ' if last == Some(' ') => {}
        SENTENCE_END => {
            if last != Some(' ') {
                out.push(Cell { c: ' ', lo: cell.lo, hi: cell.lo });
            }
            let doubled = out.len().checked_sub(2).and_then(|at| out.get(at)).is_some_and(|c| c.c == SENTENCE_END);
            if !doubled {
                out.push(cell);
                out.push(Cell { c: ' ', lo: cell.hi, hi: cell.hi });
            }
        }
        _ => out.push(cell),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: &str) -> String {
        normalise(text, "en").plain.iter().map(|cell| cell.c).collect()
    }

    fn second(text: &str) -> String {
        let views = normalise(text, "en");
        views.second.unwrap_or(views.plain).iter().map(|cell| cell.c).collect()
    }

    #[test]
    fn hashtags_open_into_words_and_lower_case_ones_stay_whole() {
        assert_eq!(plain("#WeightLossMiracle"), " #weight loss miracle ");
        assert_eq!(plain("#paid_partnership #nodiet #f4f"), " #paid partnership #nodiet #f4f ");
        assert_eq!(plain("#Top10 #_x"), " #top 10 #x ");
    }

    #[test]
    fn an_address_is_one_word_and_keeps_its_range() {
        let text = "Go: https://cure.example/cancer?x=1. Now";
        assert_eq!(plain(text), " go link ¶ now ");
        let link = normalise(text, "en").plain.into_iter().find(|cell| cell.c == 'k').expect("a link");
        assert_eq!(text.get(link.lo..link.hi), Some("https://cure.example/cancer?x=1"));
    }

    #[test]
    fn accents_look_alikes_and_invisible_characters_do_not_hide_a_word() {
        assert_eq!(
            plain("für das Año, Сure\u{200B}s, ﬁne ＣＵＲＥ genießen İ"),
            " fur das ano cures fine cure geniessen i "
        );
    }

    #[test]
    fn sentence_ends_are_tokens_and_never_double() {
        assert_eq!(plain("Wow!!! Ends.\nNow… a.b (yes.)"), " wow ¶ ends ¶ now ¶ a b yes ¶ ");
        assert_eq!(plain("Meet Dr. Osei. Mr."), " meet dr osei ¶ mr ");
    }

    #[test]
    fn signs_stay_only_where_they_bind() {
        assert_eq!(plain("1:1 m/w/d S&P 18+ note: x 4.5 @a.b_c"), " 1:1 m/w/d s&p 18+ note x 4.5 @a.b_c ");
        assert_eq!(plain("ana.p@example.com"), " ana p@example com ");
    }

    #[test]
    fn the_second_view_undoes_disguises() {
        assert_eq!(second("g u a r a n t e e d pr0fits"), " guaranteed profits ");
        assert_eq!(plain("g u a r a n t e e d pr0fits"), " g u a r a n t e e d pr0fits ");
    }

    #[test]
    fn empty_text_has_an_empty_view() {
        assert_eq!(plain(""), " ");
        assert_eq!(plain("\u{200B}\u{202E}"), " ");
    }
}
