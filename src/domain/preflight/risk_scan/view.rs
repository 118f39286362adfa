//! A text to be matched: one view of one facet, or of several facets joined in reading order.
//!
//! Decides how a range of a view becomes ranges of the originals. Invariant: those are in order of facet, and on
//! character boundaries, because [`super::normalise`] made every cell so.

use std::ops::Range;

use super::normalise::{Cell, SENTENCE_END};

/// One character of a view: where it stands in the view, and which bytes of which part it came from.
#[derive(Debug, Clone, Copy)]
struct Placed {
    at: usize,
    part: usize,
    lo: usize,
    hi: usize,
}

/// A stretch of one part, in bytes of the original.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) part: usize,
    pub(super) bytes: Range<usize>,
}

#[derive(Debug, Clone, Default)]
pub(super) struct View {
    text: String,
    cells: Vec<Placed>,
}

impl View {
    pub(super) fn of_part(part: usize, cells: &[Cell]) -> Self {
        let mut view = Self::default();
        for cell in cells {
            view.push(cell.c, Placed { at: 0, part, lo: cell.lo, hi: cell.hi });
        }
        view
    }

    /// The views one after the other, a sentence end between them.
    pub(super) fn joined<'a>(views: impl IntoIterator<Item = &'a View>) -> Self {
        let mut joined = Self::default();
        for view in views {
            let Some(first) = view.cells.first().copied() else { continue };
            if !joined.text.is_empty() {
                if !joined.text.trim_end().ends_with(SENTENCE_END) {
                    joined.push(SENTENCE_END, first);
                    joined.push(' ', first);
                }
                joined.append(view, 1);
            } else {
                joined.append(view, 0);
            }
        }
        joined
    }

    fn append(&mut self, view: &View, skip: usize) {
        for (c, placed) in view.text.chars().zip(&view.cells).skip(skip) {
            self.push(c, *placed);
        }
    }

    fn push(&mut self, c: char, placed: Placed) {
        self.cells.push(Placed { at: self.text.len(), ..placed });
        self.text.push(c);
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Where the characters of `range` came from: one place for each part. Spaces and sentence ends at the edges are
    /// no part of a match.
    pub(super) fn places(&self, range: Range<usize>) -> Vec<Place> {
        let matched = self.text.get(range.clone()).unwrap_or_default();
        let edge = |c: char| c == ' ' || c == SENTENCE_END;
        let start = range.start + (matched.len() - matched.trim_start_matches(edge).len());
        let end = range.start + matched.trim_end_matches(edge).len();
        let first = self.cells.partition_point(|cell| cell.at < start);
        let mut places: Vec<Place> = Vec::new();
        for cell in self.cells.iter().skip(first).take_while(|cell| cell.at < end) {
            match places.last_mut().filter(|place| place.part == cell.part) {
                // A currency sign stands before a number it came after: the order inside a word may differ.
                Some(place) => {
                    place.bytes = place.bytes.start.min(cell.lo)..place.bytes.end.max(cell.hi);
                }
                None => places.push(Place { part: cell.part, bytes: cell.lo..cell.hi }),
            }
        }
        places
    }

    /// The sentence before and after a range, inside the sentence at each end of it.
    pub(super) fn sentence_around(&self, range: &Range<usize>) -> (&str, &str) {
        let before = self.text.get(..range.start).unwrap_or_default();
        let after = self.text.get(range.end..).unwrap_or_default();
        (before.rsplit(SENTENCE_END).next().unwrap_or_default(), after.split(SENTENCE_END).next().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::super::normalise::normalise;
    use super::*;

    fn view(part: usize, text: &str) -> View {
        View::of_part(part, &normalise(text, "en").plain)
    }

    #[test]
    fn joined_views_have_one_sentence_end_between_them() {
        let joined = View::joined([&view(0, "Buy."), &view(1, "Now"), &view(2, "")]);
        assert_eq!(joined.text(), " buy ¶ now ¶ ");
    }

    #[test]
    fn a_match_over_two_parts_has_a_place_in_each() {
        let joined = View::joined([&view(0, "no Risk"), &view(1, "Profit!")]);
        let range = joined.text().find("risk").zip(joined.text().find("profit")).map(|(a, b)| a..b + 6);
        assert_eq!(
            joined.places(range.expect("both words")),
            [Place { part: 0, bytes: 3..7 }, Place { part: 1, bytes: 0..6 }]
        );
    }
}
