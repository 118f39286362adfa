//! Distance: how much of a suggestion was changed before it was sent.
//!
//! Decides the measure: the least number of letters put in, taken out or replaced, as a share of the longer text. What is
//! changed by more than [`OWN_ABOVE`] counts as a person's own reply and not as the template's (K3).

/// Above so many percent it is the person's own reply.
pub const OWN_ABOVE: u8 = 40;

/// More letters than this are not compared; a reply has a few hundred.
const LETTERS_MAX: usize = 2_000;

/// Returns how many percent of a text were changed, rounded; white space at both ends does not count.
pub fn percent_changed(suggested: &str, sent: &str) -> u8 {
    let one: Vec<char> = suggested.trim().chars().take(LETTERS_MAX).collect();
    let other: Vec<char> = sent.trim().chars().take(LETTERS_MAX).collect();
    let longer = one.len().max(other.len());
    if longer == 0 {
        return 0;
    }
    let percent = (edits(&one, &other) * 100 + longer / 2) / longer;
    u8::try_from(percent.min(100)).unwrap_or(100)
}

fn edits(one: &[char], other: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (line, a) in one.iter().enumerate() {
        let mut diagonal = line;
        if let Some(first) = row.first_mut() {
            *first = line + 1;
        }
        for (place, b) in other.iter().enumerate() {
            let above = row.get(place + 1).copied().unwrap_or(usize::MAX);
            let left = row.get(place).copied().unwrap_or(usize::MAX);
            let replaced = diagonal + usize::from(a != b);
            let least = replaced.min(above.saturating_add(1)).min(left.saturating_add(1));
            diagonal = above;
            if let Some(cell) = row.get_mut(place + 1) {
                *cell = least;
            }
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn known_distances() {
        for (a, b, percent) in [
            ("", "", 0),
            ("kitten", "sitting", 43),
            ("same", " same \n", 0),
            ("abc", "", 100),
            ("abcdefghij", "abcdefghiX", 10),
            ("Thank you.", "Thank you!", 10),
        ] {
            assert_eq!(percent_changed(a, b), percent, "{a} {b}");
        }
    }

    proptest! {
        #[test]
        fn it_is_the_same_from_both_sides_and_nothing_only_for_the_same(a in ".{0,60}", b in ".{0,60}") {
            let percent = percent_changed(&a, &b);
            prop_assert_eq!(percent, percent_changed(&b, &a));
            prop_assert!(percent <= 100);
            if a.trim() == b.trim() { prop_assert_eq!(percent, 0); }
            if percent == 0 && a.trim().chars().count() < 50 { prop_assert_eq!(a.trim(), b.trim()); }
        }
    }
}
