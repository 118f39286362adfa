//! Who takes a match back: `no supplement can cure depression`, `… is a myth`.
//!
//! Decides from the sentence around a match alone. Which rules listen to it is said in the packs.

use std::ops::Range;

use super::literal::Presence;
use super::normalise::SENTENCE_END;
use super::pattern::Pattern;
use super::view::View;

/// How many words before a match are looked at.
const REACH: usize = 3;
/// Characters from there in which a set phrase must begin and end.
const AROUND: usize = 200;

#[derive(Debug)]
pub(super) struct Negation {
    /// Words that negate what follows.
    pub(super) before: Pattern,
    /// The same words where they do not negate: `don't miss`, `no risk`.
    pub(super) before_not: Pattern,
    /// Phrases that take back what came before.
    pub(super) after: Pattern,
}

impl Negation {
    /// Where phrases that take back what came before stand in a view; once for all its matches.
    pub(super) fn denials(&self, view: &View, presence: &Presence) -> Vec<usize> {
        self.after.matches(view.text(), presence).into_iter().map(|phrase| phrase.start).collect()
    }

    /// Whether the match in `range` of the view does not count. `denials` are those of the view.
    pub(super) fn clears(&self, view: &View, presence: &Presence, denials: &[usize], range: &Range<usize>) -> bool {
        let (before, after) = view.sentence_around(range);
        let next_denial = denials.get(denials.partition_point(|start| *start < range.end));
        if next_denial.is_some_and(|start| *start < range.end + after.len()) {
            return true;
        }
        let near = last_words(before, REACH);
        let Some(last) = self.before.matches(near, presence).pop() else { return false };
        let negator = range.start - near.len() + last.start;
        let from = range.start - last_words(before, REACH + 1).len();
        let around = view.text().get(from..).unwrap_or_default();
        let end = around.char_indices().nth(AROUND).map_or(around.len(), |(at, _)| at);
        let around = around.get(..end).and_then(|around| around.split(SENTENCE_END).next()).unwrap_or_default();
        let set_phrase = |phrase: Range<usize>| phrase.contains(&(negator - from));
        !self.before_not.matches(around, presence).into_iter().any(set_phrase)
    }
}

/// The end of `text` that holds its last words.
fn last_words(text: &str, words: usize) -> &str {
    let mut starts = text
        .char_indices()
        .rev()
        .zip(text.chars().rev().skip(1).map(Some).chain([None]))
        .filter(|((_, c), before)| *c != ' ' && before.is_none_or(|before| before == ' '))
        .map(|((at, _), _)| at);
    let start = starts.by_ref().take(words).last().unwrap_or(text.len());
    text.get(start..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::embedded::shared;
    use super::super::normalise::normalise;
    use super::*;

    fn cleared(text: &str, matched: &str) -> bool {
        let packs = shared();
        let view = View::of_part(0, &normalise(text, "en").plain);
        let start = view.text().find(matched).expect("the match");
        let presence = packs.literals.presence(view.text());
        let denials = packs.negation.denials(&view, &presence);
        packs.negation.clears(&view, &presence, &denials, &(start..start + matched.len()))
    }

    #[test]
    fn a_negator_within_three_words_of_the_sentence_clears() {
        assert!(cleared("No supplement can cure depression", "cure depression"));
        assert!(cleared("We don't promise you'll lose weight", "lose weight"));
        assert!(!cleared("No. It will cure depression", "cure depression"));
        assert!(!cleared("Not that we ever knew it, drops cure depression", "cure depression"));
    }

    #[test]
    fn set_phrases_do_not_clear() {
        assert!(!cleared("Don't miss our cure", "cure"));
        assert!(!cleared("Why not cure depression", "cure depression"));
        assert!(!cleared("You can't lose money", "lose money"));
    }

    #[test]
    fn a_phrase_after_the_match_clears_in_its_sentence_only() {
        assert!(cleared("Curing flu with tea is a myth", "curing flu"));
        assert!(!cleared("Curing flu with tea. Sleep is a myth", "curing flu"));
    }

    #[test]
    fn the_last_words_are_words() {
        assert_eq!(last_words(" a bb ccc d ", 3), "bb ccc d ");
        assert_eq!(last_words(" a", 3), "a");
        assert_eq!(last_words("  ", 3), "");
    }
}
