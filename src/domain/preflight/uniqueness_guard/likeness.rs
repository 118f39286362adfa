//! How alike two texts are, from 0 to 1.
//!
//! Decides by the words and by the runs of four characters that two texts share, counted as often as they occur, against
//! the shorter text: so that a text that was cut, grown or put in another order is found. Hashtags do not count, and a
//! number is like any other. Texts made by one pattern with other words stay well below 0.8; what was edited lies above.

use std::collections::BTreeMap;

use super::super::fold::{self, Tags};

/// Characters of a run.
const RUN: usize = 4;
/// A text shorter than these is contained in too many others: it is measured as if it had as many.
const WORDS_LEAST: u32 = 6;
const RUNS_LEAST: u32 = 24;
/// Characters of a text that are looked at; no post is longer.
const CHARS_MAX: usize = 20_000;

/// A text as it is compared.
#[derive(Debug)]
pub(super) struct Likeness {
    words: Bag,
    runs: Bag,
}

/// What occurs how often, and how much there is in all.
#[derive(Debug, Default)]
struct Bag {
    counts: BTreeMap<String, u32>,
    size: u32,
}

impl Likeness {
    pub(super) fn of(text: &str) -> Self {
        let head: String = text.chars().take(CHARS_MAX).collect();
        let mut words = fold::words(&head, Tags::Drop);
        if words.is_empty() {
            words = fold::words(&head, Tags::Keep);
        }
        let words: Vec<String> = words.iter().map(|word| numberless(word)).collect();
        // Wide enough that one letter makes a run.
        let line: Vec<char> = format!("  {}  ", words.join(" ")).chars().collect();
        let runs =
            if words.is_empty() { Bag::default() } else { line.windows(RUN).map(|run| run.iter().collect()).collect() };
        Self { words: words.into_iter().collect(), runs }
    }

    /// Tells whether there are no words to compare.
    pub(super) const fn is_empty(&self) -> bool {
        self.words.size == 0
    }

    /// Returns how alike the texts are: 0 where they share nothing, 1 where one is all in the other. Symmetric.
    pub(super) fn to(&self, other: &Self) -> f64 {
        if self.is_empty() || other.is_empty() {
            return 0.0;
        }
        let words = self.words.shared(&other.words, WORDS_LEAST);
        let runs = self.runs.shared(&other.runs, RUNS_LEAST);
        f64::midpoint(words, runs)
    }
}

impl FromIterator<String> for Bag {
    fn from_iter<I: IntoIterator<Item = String>>(items: I) -> Self {
        let mut bag = Self::default();
        for item in items {
            let count = bag.counts.entry(item).or_default();
            *count = count.saturating_add(1);
            bag.size = bag.size.saturating_add(1);
        }
        bag
    }
}

impl Bag {
    fn shared(&self, other: &Self, least: u32) -> f64 {
        let (small, large) = if self.counts.len() <= other.counts.len() { (self, other) } else { (other, self) };
        let both = small.counts.iter().map(|(item, count)| large.counts.get(item).map_or(0, |there| *count.min(there)));
        let both = f64::from(both.fold(0_u32, u32::saturating_add));
        let shorter = self.size.min(other.size).max(least);
        let longer = self.size.max(other.size).max(1);
        // Two short texts are measured against the longer of them, so that equal ones are wholly alike.
        (both / f64::from(shorter)).max(both / f64::from(longer))
    }
}

/// Returns a word with every stretch of digits as one `0`.
fn numberless(word: &str) -> String {
    let mut out = String::with_capacity(word.len());
    for c in word.chars() {
        match c.is_numeric() {
            true if out.ends_with('0') => {}
            true => out.push('0'),
            false => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const POST: &str = "A saved reply that says sorry twice reads as one you paste all day. Cut the second one. \
        What is the line you delete most often? #support #queue";

    fn alike(a: &str, b: &str) -> f64 {
        Likeness::of(a).to(&Likeness::of(b))
    }

    #[test]
    fn edits_that_hide_a_repeat_are_seen_through() {
        let cases = [
            (
                "case and punctuation",
                "a saved reply, that says SORRY twice reads as one you paste all day! Cut the second one. what is the line you delete most often",
            ),
            (
                "emoji",
                "🔥 A saved reply that says sorry twice reads as one you paste all day ✨ Cut the second one. What is the line you delete most often? 💡💡",
            ),
            (
                "order",
                "What is the line you delete most often? A saved reply that says sorry twice reads as one you paste all day. Cut the second one.",
            ),
            ("cut", "A saved reply that says sorry twice reads as one you paste all day."),
            (
                "grown",
                "Monday rule. A saved reply that says sorry twice reads as one you paste all day. Cut the second one. What is the line you delete most often? Tell us below.",
            ),
            (
                "tags",
                "A saved reply that says sorry twice reads as one you paste all day. Cut the second one. What is the line you delete most often? #other #tags #here",
            ),
            (
                "typos",
                "A savd reply that says sorry twice reads as one you paaste all day. Cut the secnd one. What is the line you delete most often?",
            ),
            (
                "words",
                "A saved answer that says sorry twice reads as one you paste all day. Cut the second one. What is the line you remove most often?",
            ),
            (
                "look-alikes",
                "А sаvеd rерly thаt sаys sоrry twiсе reads as one you pa\u{200B}ste all day. Cut the se\u{200D}cond one. What is the line you delete most often?",
            ),
        ];
        for (kind, text) in cases {
            assert!(alike(POST, text) >= 0.8, "{kind}: {}", alike(POST, text));
        }
        assert!(
            alike("Closed on 24 December, back on 2 January at 8.", "Closed on 1 May, back on 3 May at 10.") >= 0.7
        );
    }

    #[test]
    fn other_posts_stay_below() {
        let others = [
            "If two people answer one customer, the customer hears two shops. Claim first, type second.",
            "Refund first, reason after. The order changes the tone of the whole thread. Would your boss let you?",
            "What is the best line you read all day? #support #queue",
            "A",
            "you all day",
        ];
        for text in others {
            assert!(alike(POST, text) < 0.75, "{text}: {}", alike(POST, text));
        }
        assert!(alike("🔥🔥🔥", "🔥🔥🔥") < f64::EPSILON, "no words, nothing to compare");
        assert!((alike("Listen.", "LISTEN") - 1.0).abs() < 1e-9);
        assert!(alike("Listen.", "Look.") < 0.5);
        assert!((alike("#one #two", "#two #one") - 1.0).abs() < 0.3);
    }

    proptest! {
        #[test]
        fn it_is_symmetric_between_0_and_1_and_1_for_itself(a in "\\PC{0,80}", b in "[a-z #0-9.]{0,80}") {
            let there = alike(&a, &b);
            prop_assert!((0.0..=1.0).contains(&there));
            prop_assert!((there - alike(&b, &a)).abs() < 1e-12);
            if !Likeness::of(&a).is_empty() {
                prop_assert!((alike(&a, &a) - 1.0).abs() < 1e-12);
            }
        }
    }
}
