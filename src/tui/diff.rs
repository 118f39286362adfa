//! Differences: which words of a test variant the control does not have.
//!
//! Decides only what is painted; whether two texts count as equal is `domain::variant`'s business. Words are compared as
//! they will be drawn, so that what looks different is marked, hidden characters among them.

use unicode_segmentation::UnicodeSegmentation;

use crate::clean::{Clean, Kind, Run};

/// From here on scripts are written without spaces between words.
const FIRST_UNSPACED: char = '\u{2E80}';
/// Words beyond which a text is not compared word by word but painted whole.
const WORDS_MAX: usize = 1_500;

/// Returns the lines of a test's text, with the words painted that do not stand in the control's.
pub(crate) fn against(control: &str, test: &str) -> Vec<Clean> {
    let theirs: Vec<String> = Clean::lines(control).iter().flat_map(|line| words(&line.plain())).collect();
    let lines = Clean::lines(test);
    let ours: Vec<Vec<String>> = lines.iter().map(|line| words(&line.plain())).collect();
    let flat: Vec<&str> = ours.iter().flatten().map(String::as_str).collect();
    let kept = common(&theirs.iter().map(String::as_str).collect::<Vec<_>>(), &flat);
    let mut at = 0;
    let mut painted = Vec::new();
    for (line, words) in lines.iter().zip(&ours) {
        let flags = kept.get(at..at + words.len()).unwrap_or_default();
        at += words.len();
        painted.push(paint(line, words, flags));
    }
    painted
}

/// Parts a text at its spaces; what is written without any is parted into words as Unicode finds them.
fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut open = false;
    for part in text.split_word_bounds() {
        let is_space = part.trim().is_empty();
        let unspaced = part.chars().any(|c| c >= FIRST_UNSPACED);
        match words.last_mut() {
            Some(word) if open && !is_space && !unspaced => word.push_str(part),
            _ => words.push(part.to_owned()),
        }
        open = !is_space && !unspaced;
    }
    words
}

/// Tells for each word of `ours` whether it stands, in order, in `theirs` too.
fn common(theirs: &[&str], ours: &[&str]) -> Vec<bool> {
    if theirs.len() > WORDS_MAX || ours.len() > WORDS_MAX {
        return vec![theirs == ours; ours.len()];
    }
    let width = ours.len() + 1;
    let mut longest = vec![0_u16; (theirs.len() + 1) * width];
    let get = |table: &[u16], row: usize, column: usize| table.get(row * width + column).copied().unwrap_or(0);
    for (row, word) in theirs.iter().enumerate().rev() {
        for (column, other) in ours.iter().enumerate().rev() {
            let best = if word == other {
                get(&longest, row + 1, column + 1).saturating_add(1)
            } else {
                get(&longest, row + 1, column).max(get(&longest, row, column + 1))
            };
            if let Some(cell) = longest.get_mut(row * width + column) {
                *cell = best;
            }
        }
    }
    let mut kept = vec![false; ours.len()];
    let (mut row, mut column) = (0, 0);
    while let (Some(word), Some(other)) = (theirs.get(row), ours.get(column)) {
        if word == other {
            if let Some(flag) = kept.get_mut(column) {
                *flag = true;
            }
            row += 1;
            column += 1;
        } else if get(&longest, row + 1, column) >= get(&longest, row, column + 1) {
            row += 1;
        } else {
            column += 1;
        }
    }
    kept
}

/// Paints the words that are not common; spaces between two painted words are painted with them.
fn paint(line: &Clean, words: &[String], kept: &[bool]) -> Clean {
    let mut flags: Vec<bool> = kept.iter().map(|kept| !kept).collect();
    for at in 0..words.len() {
        let is_space = words.get(at).is_some_and(|word| word.trim().is_empty());
        if is_space {
            let before = at.checked_sub(1).and_then(|at| flags.get(at)).copied().unwrap_or(false);
            let after = flags.get(at + 1).copied().unwrap_or(false);
            if let Some(flag) = flags.get_mut(at) {
                *flag = before && after;
            }
        }
    }
    let mut differs = Vec::new();
    for (word, flag) in words.iter().zip(&flags) {
        differs.extend(word.bytes().map(|_| *flag));
    }
    let mut runs = Vec::new();
    let mut at = 0;
    for run in line.runs() {
        if run.kind == Kind::Marker {
            runs.push(run.clone());
            at += run.text.len();
            continue;
        }
        let mut part = String::new();
        let mut painted = false;
        for grapheme in run.text.graphemes(true) {
            let now = differs.get(at).copied().unwrap_or(false);
            at += grapheme.len();
            if now != painted && !part.is_empty() {
                runs.push(Run { text: std::mem::take(&mut part), kind: kind(painted) });
            }
            painted = now;
            part.push_str(grapheme);
        }
        if !part.is_empty() {
            runs.push(Run { text: part, kind: kind(painted) });
        }
    }
    Clean::from_runs(runs)
}

const fn kind(differs: bool) -> Kind {
    if differs { Kind::Differs } else { Kind::Theirs }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn painted(control: &str, test: &str) -> Vec<String> {
        let lines = against(control, test);
        let differing = |line: &Clean| -> Vec<String> {
            line.runs().iter().filter(|run| run.kind == Kind::Differs).map(|run| run.text.clone()).collect()
        };
        lines.iter().flat_map(differing).collect()
    }

    #[test]
    fn only_what_the_control_lacks_is_painted() {
        let (control, test) = ("We roast every Monday.\nYou drink it.", "Who roasts every Monday?\nYou drink it.");
        assert_eq!(painted(control, test), ["Who roasts", "Monday?"]);
        assert!(painted("same", "same").is_empty());
        assert_eq!(painted("", "all new"), ["all new"]);
        assert_eq!(painted("a b c", "b c"), Vec::<String>::new());
        assert_eq!(painted("one, two", "one, three"), ["three"]);
        assert_eq!(painted("裏も表も", "裏も袖も"), ["袖"]);
    }

    #[test]
    fn hidden_characters_stay_markers() {
        let lines = against("price 04.99", "price \u{202e}04.99");
        assert!(lines.iter().any(Clean::has_markers));
    }

    proptest! {
        #[test]
        fn painting_changes_no_letter(control in ".{0,60}", test in ".{0,60}") {
            let plain: Vec<String> = Clean::lines(&test).iter().map(Clean::plain).collect();
            let lines: Vec<String> = against(&control, &test).iter().map(Clean::plain).collect();
            prop_assert_eq!(plain, lines);
        }
    }
}
