//! Blocks: which slots have their labels shuffled among themselves.
//!
//! Decides from the slots' order and bands alone, before any label is drawn. Small experiments are one block: more blocks
//! would leave too few assignments to show anything. Blocks of one post per variant are made only when asked for.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::slot::{Slot, check_slots};
use super::{DesignError, HourBand, POSTS_MAX, check_variants};

/// From this many posts per variant on, slots are blocked by band.
const BLOCKED_FROM: usize = 8;

/// How the slots are cut into blocks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BlockRule {
    /// One block below 8 posts per variant, else blocks of two posts per variant in one band.
    #[default]
    Usual,
    /// One post per variant in each block, as when every block has a topic of its own.
    Pairs,
}

/// Returns the block of each slot, counted from 0 in the order of the blocks' first slots.
///
/// Every block's size is a multiple of `variants`. What is left of a band after its blocks of `2 × variants` slots is
/// merged with the other bands' leftovers, in time order, into further blocks of that size; the last may be smaller.
///
/// # Errors
/// Names the argument when there are fewer than 2 or too many variants, when the number of slots is not a positive
/// multiple of `variants`, or when the slots are not in time order.
pub fn blocks(slots: &[Slot], variants: usize, rule: BlockRule) -> Result<Vec<usize>, DesignError> {
    check_variants(variants)?;
    check_slots(slots)?;
    if slots.is_empty() || slots.len() > POSTS_MAX {
        return Err(DesignError::count("slots", slots.len(), variants, POSTS_MAX));
    }
    if !slots.len().is_multiple_of(variants) {
        let expected = (slots.len() / variants + 1) * variants;
        return Err(DesignError::Length { argument: "slots", found: slots.len(), expected });
    }
    let all: Vec<usize> = (0..slots.len()).collect();
    let members = match rule {
        BlockRule::Pairs => cut(&all, variants),
        BlockRule::Usual if slots.len() / variants < BLOCKED_FROM => vec![all],
        BlockRule::Usual => by_band(slots, 2 * variants),
    };
    Ok(numbered(members, slots.len()))
}

fn by_band(slots: &[Slot], size: usize) -> Vec<Vec<usize>> {
    let mut bands: BTreeMap<HourBand, Vec<usize>> = BTreeMap::new();
    for (at, slot) in slots.iter().enumerate() {
        bands.entry(slot.class.band).or_default().push(at);
    }
    let (mut members, mut left) = (Vec::new(), Vec::new());
    for positions in bands.values() {
        let whole = positions.chunks_exact(size);
        left.extend_from_slice(whole.remainder());
        members.extend(whole.map(<[usize]>::to_vec));
    }
    left.sort_unstable();
    members.extend(cut(&left, size));
    members
}

fn cut(positions: &[usize], size: usize) -> Vec<Vec<usize>> {
    positions.chunks(size).map(<[usize]>::to_vec).collect()
}

fn numbered(mut members: Vec<Vec<usize>>, slots: usize) -> Vec<usize> {
    // Positions inside a block rise, so that this orders blocks by their first slots.
    members.sort_unstable();
    let mut blocks = vec![0; slots];
    for (number, positions) in members.iter().enumerate() {
        for &at in positions {
            if let Some(block) = blocks.get_mut(at) {
                *block = number;
            }
        }
    }
    blocks
}

/// Returns the positions of each block's slots, in order.
pub(super) fn members(blocks: &[usize]) -> Vec<Vec<usize>> {
    let mut members: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (at, &block) in blocks.iter().enumerate() {
        members.entry(block).or_default().push(at);
    }
    members.into_values().collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::design::{SlotClass, Week};

    pub(in crate::design) fn slots(bands: &str) -> Vec<Slot> {
        let band = |letter| match letter {
            'm' => HourBand::Morning,
            'n' => HourBand::Noon,
            'e' => HourBand::Evening,
            _ => HourBand::Night,
        };
        (0..)
            .zip(bands.chars())
            .map(|(time, letter)| Slot {
                time,
                class: SlotClass { band: band(letter), week: Week::Weekday },
                forecast: None,
            })
            .collect()
    }

    fn check(bands: &str, variants: usize, rule: BlockRule, expected: &str) {
        let found = blocks(&slots(bands), variants, rule).unwrap();
        let letters: String = found.iter().map(|&block| char::from(b'A' + u8::try_from(block).unwrap())).collect();
        assert_eq!(letters, expected, "{bands}");
    }

    #[test]
    fn fewer_than_eight_posts_a_variant_are_one_block() {
        check("memememe", 2, BlockRule::Usual, "AAAAAAAA");
        check(&"m".repeat(14), 2, BlockRule::Usual, &"A".repeat(14));
    }

    #[test]
    fn eight_and_more_are_blocked_within_their_band() {
        check("mmmmmmmmmmmmmmmm", 2, BlockRule::Usual, "AAAABBBBCCCCDDDD");
        check("memememememememe", 2, BlockRule::Usual, "ABABABABCDCDCDCD");
    }

    #[test]
    fn what_is_left_of_the_bands_is_merged_in_time_order() {
        // Five mornings, five noons, six evenings: one block each, then m, n, e, e remain.
        check("mnemnemnemnemnee", 2, BlockRule::Usual, "ABCABCABCABCDDDD");
        // k·n no multiple of 2k: the last block is smaller, and whole all the same.
        check("mmmmmmmmmmmmmmmmmm", 2, BlockRule::Usual, "AAAABBBBCCCCDDDDEE");
    }

    #[test]
    fn pairs_hold_one_post_of_each_variant() {
        check("memmee", 2, BlockRule::Pairs, "AABBCC");
        check("memmee", 3, BlockRule::Pairs, "AAABBB");
    }

    #[test]
    fn impossible_slots_are_named() {
        let refused = |slots: &[Slot], variants| blocks(slots, variants, BlockRule::Usual).unwrap_err();
        assert_eq!(refused(&slots("mmmmm"), 2), DesignError::Length { argument: "slots", found: 5, expected: 6 });
        assert!(refused(&[], 2).to_string().starts_with("`slots` is 0"));
        assert!(refused(&slots("mm"), 1).to_string().starts_with("`variants` is 1"));
        assert!(refused(&slots("mm"), 21).to_string().starts_with("`variants` is 21"));
        let mut backwards = slots("mm");
        backwards.reverse();
        assert_eq!(refused(&backwards, 2), DesignError::SlotOrder { at: 1 });
    }
}
