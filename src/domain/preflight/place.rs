//! How guards name the place of a finding, and the shape they give it.
//!
//! Decides the words for variants, rounds and facets. What is found is each guard's business.

use super::{Finding, Guard, PreflightFacts, Severity};
use crate::variant::{Content, Variant};

/// One thing that would be shown: a variant in a round.
#[derive(Clone, Copy)]
pub(super) struct Shown<'a> {
    variant: &'a Variant,
    /// Counted from 0.
    round: usize,
    pub(super) content: &'a Content,
}

impl Shown<'_> {
    /// Names it, as in `variant B, round 2`; the round only where there are several.
    pub(super) fn place(&self) -> String {
        let letter = self.variant.letter;
        match self.variant.rounds.len() {
            0 | 1 => format!("variant {letter}"),
            _ => format!("variant {letter}, round {}", self.round.saturating_add(1)),
        }
    }

    /// Names a part of it, as in `variant B, round 2, hook`.
    pub(super) fn part(&self, part: impl std::fmt::Display) -> String {
        format!("{}, {part}", self.place())
    }
}

/// Everything that would be shown, variant by variant, in the order of the rounds.
pub(super) fn shown<'a>(facts: &PreflightFacts<'a>) -> Vec<Shown<'a>> {
    let rounds = |variant: &'a Variant| {
        variant.rounds.iter().enumerate().map(move |(round, content)| Shown { variant, round, content })
    };
    facts.variants.iter().flat_map(rounds).collect()
}

impl Guard {
    /// Makes a finding of this guard that asks for no other level than its severity does.
    pub(super) fn finds(
        self,
        rule: &str,
        severity: Severity,
        place: impl Into<String>,
        why: impl Into<String>,
        mend: impl Into<String>,
    ) -> Finding {
        Finding {
            guard: self,
            rule: rule.to_owned(),
            severity,
            place: place.into(),
            why: why.into(),
            mend: mend.into(),
            level: None,
        }
    }
}

/// Returns a text from outside short enough for a finding; faces clean it.
pub(super) fn excerpt(text: &str) -> String {
    const MAX: usize = 80;
    if text.chars().count() <= MAX {
        return text.to_owned();
    }
    text.chars().take(MAX).chain(['…']).collect()
}
