//! What a pattern cannot do without: literals of which a text must hold at least one.
//!
//! Decides only when a pattern need not be tried; a pattern without such literals always is. That spares most patterns
//! most texts, and with it their compilation.

use std::collections::HashMap;

use regex_syntax::hir::{Class, Hir, HirKind};

/// An alternative shorter than this says nothing about a text.
const SHORTEST: usize = 3;
/// A clause of more alternatives costs more than it spares.
const MOST: usize = 400;
/// Bits of the filter over the trigrams of a text; a power of two.
const BITS: usize = 1 << 16;

/// Every literal of all patterns once.
#[derive(Debug, Default)]
pub(super) struct Literals {
    by_text: HashMap<String, usize>,
    all: Vec<String>,
}

/// For each literal, whether a text holds it.
#[derive(Debug)]
pub(super) struct Presence(Vec<bool>);

/// Alternatives, by index into [`Literals`]: of each clause, at least one is in every text the pattern matches.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Needs(Vec<Vec<usize>>);

impl Literals {
    pub(super) fn needs_of(&mut self, hir: &Hir) -> Needs {
        let clauses = clauses(hir);
        Needs(clauses.into_iter().map(|clause| clause.into_iter().map(|text| self.intern(text)).collect()).collect())
    }

    fn intern(&mut self, text: String) -> usize {
        let next = self.all.len();
        let index = *self.by_text.entry(text.clone()).or_insert(next);
        if index == next {
            self.all.push(text);
        }
        index
    }

    pub(super) fn presence(&self, text: &str) -> Presence {
        let mut filter = vec![false; BITS];
        for trigram in text.as_bytes().windows(SHORTEST) {
            if let Some(bit) = filter.get_mut(bit_of(trigram)) {
                *bit = true;
            }
        }
        let may_hold = |literal: &str| {
            literal.as_bytes().windows(SHORTEST).all(|trigram| filter.get(bit_of(trigram)).copied().unwrap_or(true))
        };
        Presence(self.all.iter().map(|literal| may_hold(literal) && text.contains(literal.as_str())).collect())
    }
}

impl Needs {
    pub(super) fn met_by(&self, presence: &Presence) -> bool {
        self.0.iter().all(|clause| clause.iter().any(|literal| presence.0.get(*literal).copied().unwrap_or(true)))
    }
}

fn bit_of(trigram: &[u8]) -> usize {
    trigram.iter().fold(0_usize, |bits, byte| (bits << 5) ^ (bits >> 11) ^ usize::from(*byte)) & (BITS - 1)
}

fn clauses(hir: &Hir) -> Vec<Vec<String>> {
    match hir.kind() {
        HirKind::Literal(literal) => match std::str::from_utf8(&literal.0) {
            Ok(text) if text.len() >= SHORTEST => vec![vec![text.to_owned()]],
            Ok(_) | Err(_) => Vec::new(),
        },
        HirKind::Capture(capture) => clauses(&capture.sub),
        HirKind::Repetition(repetition) if repetition.min > 0 => clauses(&repetition.sub),
        HirKind::Concat(parts) => parts.iter().flat_map(clauses).collect(),
        HirKind::Alternation(branches) => either(branches).into_iter().collect(),
        HirKind::Empty
        | HirKind::Look(_)
        | HirKind::Class(Class::Unicode(_) | Class::Bytes(_))
        | HirKind::Repetition(_) => Vec::new(),
    }
}

/// One clause for an alternation: the best clause of each branch, together. None when a branch has no need.
fn either(branches: &[Hir]) -> Option<Vec<String>> {
    let mut together = Vec::new();
    for branch in branches {
        let shortest = |clause: &Vec<String>| clause.iter().map(String::len).min().unwrap_or(0);
        together.extend(clauses(branch).into_iter().max_by_key(shortest)?);
        if together.len() > MOST {
            return None;
        }
    }
    Some(together)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn needs(pattern: &str) -> (Literals, Needs) {
        let mut literals = Literals::default();
        let hir = regex_syntax::parse(pattern).expect("a pattern");
        let needs = literals.needs_of(&hir);
        (literals, needs)
    }

    fn may_match(pattern: &str, text: &str) -> bool {
        let (literals, needs) = needs(pattern);
        needs.met_by(&literals.presence(text))
    }

    #[test]
    fn a_pattern_is_spared_only_when_it_cannot_match() {
        let pattern = r"\b(?:cures?|heals?)(?: \w+){0,3} (?:cancer|flu)\b";
        assert!(may_match(pattern, " it cures the flu "));
        assert!(!may_match(pattern, " it cures the cold "));
        assert!(!may_match(pattern, " it has the flu "));
    }

    #[test]
    fn a_pattern_with_an_open_branch_is_always_tried() {
        assert!(may_match(r"(?:guaranteed|\d+%)", ""));
        assert!(may_match(r"(?:guaranteed)?", ""));
    }

    #[test]
    fn short_texts_hold_short_literals() {
        assert!(may_match("abc", "abc"));
        assert!(!may_match("abc", "ab"));
    }
}
