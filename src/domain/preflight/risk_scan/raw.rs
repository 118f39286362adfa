//! What is looked for in the text as typed: card numbers, identity numbers, lists of addresses.
//!
//! Decides what a check on such a match means. Negation has no say: a number is published or it is not.

use super::literal::Literals;
use super::normalise::Cell;
use super::rule::{Check, Rule};
use super::view::{Place, View};

/// Places in `cells`, the text after step 1, where a raw pattern of the rule matches and its check holds.
pub(super) fn raw_places(rule: &Rule, raw: &View, literals: &Literals) -> Vec<Place> {
    if rule.patterns_raw.is_empty() {
        return Vec::new();
    }
    let presence = literals.presence(raw.text());
    rule.patterns_raw
        .iter()
        .flat_map(|pattern| pattern.matches(raw.text(), &presence))
        .filter(|range| match rule.check {
            Some(Check::Luhn) => holds_card_number(raw.text().get(range.clone()).unwrap_or_default()),
            None => true,
        })
        .flat_map(|range| raw.places(range))
        .collect()
}

/// The text after step 1 as a view.
pub(super) fn raw_view(part: usize, cells: &[Cell]) -> View {
    View::of_part(part, cells)
}

/// Whether some run of whole groups of digits is a card number: a date or a code may stand right beside it.
fn holds_card_number(text: &str) -> bool {
    let groups: Vec<&str> = text.split(|c: char| !c.is_ascii_digit()).filter(|group| !group.is_empty()).collect();
    (0..groups.len()).any(|first| {
        let mut digits = String::new();
        groups.iter().skip(first).any(|group| {
            digits.push_str(group);
            (13..=19).contains(&digits.len()) && luhn(&digits)
        })
    })
}

/// The checksum of ISO/IEC 7812-1, annex B: every second digit from the right doubled, digits summed, divisible by ten.
fn luhn(digits: &str) -> bool {
    let sum: u32 = digits
        .chars()
        .rev()
        .filter_map(|c| c.to_digit(10))
        .enumerate()
        .map(|(place, digit)| match (place % 2 == 1, digit) {
            (false, digit) => digit,
            (true, digit) if digit > 4 => digit * 2 - 9,
            (true, digit) => digit * 2,
        })
        .sum();
    sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_tells_card_numbers_from_others() {
        assert!(luhn("4111111111111111") && luhn("79927398713"));
        assert!(!luhn("4111111111111112") && !luhn("79927398710"));
    }

    #[test]
    fn a_card_number_is_found_beside_its_date() {
        assert!(holds_card_number("4111 1111 1111 1111 12"));
        assert!(holds_card_number("4111-1111-1111-1111"));
        assert!(!holds_card_number("4111 1111 1111 1112"));
        assert!(!holds_card_number("4111 1111"));
    }
}
