//! Disguised spelling: `pr0fits`, `ca$h`, `c-u-r-e-s`. Step 4, the second view only.
//!
//! Decides which words are taken for disguised ones. Quantities, codes, mentions and e-mail addresses are not.

use super::normalise::Cell;

/// Signs and digits read as the letters they resemble, then single letters joined into words.
pub(super) fn undisguise(folded: &[Cell]) -> Vec<Cell> {
    joined(&read_as_letters(folded))
}

fn read_as_letters(folded: &[Cell]) -> Vec<Cell> {
    let mut out = Vec::with_capacity(folded.len());
    for word in folded.chunk_by(|a, b| a.c.is_whitespace() == b.c.is_whitespace()) {
        let letters: Vec<char> = word.iter().map(|cell| cell.c).collect();
        if !is_disguised(&letters) {
            out.extend_from_slice(word);
            continue;
        }
        out.extend(word.iter().enumerate().map(|(at, cell)| {
            let next = letters.get(at + 1).copied();
            cell.with(resembles(cell.c, next).unwrap_or(cell.c))
        }));
    }
    out
}

/// The letter a sign stands for before `next`. A sign at the end of a word is punctuation or an amount, not a letter.
fn resembles(c: char, next: Option<char>) -> Option<char> {
    let goes_on = next.is_some_and(char::is_alphanumeric);
    Some(match c {
        '0' => 'o',
        '1' => 'i',
        '3' => 'e',
        '4' => 'a',
        '5' => 's',
        '7' => 't',
        '@' if goes_on => 'a',
        '$' if goes_on => 's',
        '!' if goes_on => 'i',
        _ => return None,
    })
}

fn is_disguised(word: &[char]) -> bool {
    let start = word.iter().position(|c| c.is_alphanumeric() || "@$€£!".contains(*c)).unwrap_or(word.len());
    let end = word.iter().rposition(|c| c.is_alphanumeric()).map_or(0, |last| last + 1);
    let core = word.get(start..end).unwrap_or_default();
    let mixed = core.iter().any(|c| c.is_alphabetic())
        && core.iter().enumerate().any(|(at, c)| resembles(*c, core.get(at + 1).copied()).is_some());
    mixed && !is_mention(core) && !is_address(core) && !is_quantity(core) && !is_code(core)
}

fn is_mention(core: &[char]) -> bool {
    core.first() == Some(&'@')
}

/// An e-mail address: something, `@`, something with a dot.
fn is_address(core: &[char]) -> bool {
    core.iter().position(|c| *c == '@').is_some_and(|at| at > 0 && core.get(at..).unwrap_or_default().contains(&'.'))
}

/// `30lbs`, `10k`, `$9.99/month`, `us$50`: digits first, then at most a unit.
fn is_quantity(core: &[char]) -> bool {
    let mut rest = core;
    if let Some(currency) = core.iter().position(|c| "$€£".contains(*c)) {
        let short = currency <= 3 && core.iter().take(currency).all(|c| c.is_alphabetic());
        if short {
            rest = core.get(currency + 1..).unwrap_or_default();
        }
    }
    if !rest.first().is_some_and(|c| c.is_numeric()) {
        return false;
    }
    let mut unit = rest.iter().skip_while(|c| c.is_numeric() || ".,%+".contains(**c)).peekable();
    while unit.next_if(|c| c.is_alphabetic()).is_some() {}
    if unit.next_if(|c| **c == '/').is_some() {
        while unit.next_if(|c| c.is_alphabetic()).is_some() {}
    }
    unit.next().is_none()
}

/// `en71`, `lu15`, `save20`: letters, then digits. One digit after a longer word (`cure5`) is a letter in disguise.
fn is_code(core: &[char]) -> bool {
    let letters = core.iter().take_while(|c| c.is_alphabetic()).count();
    let digits = core.len().saturating_sub(letters);
    letters > 0 && digits > 0 && core.iter().skip(letters).all(|c| c.is_numeric()) && (letters <= 3 || digits > 1)
}

/// Joins runs of three or more single letters parted by one or two separators.
fn joined(cells: &[Cell]) -> Vec<Cell> {
    let mut out = Vec::with_capacity(cells.len());
    let mut at = 0;
    while let Some(cell) = cells.get(at) {
        let run = letters_of_run(cells, at);
        if run.len() >= 3 {
            out.extend(run.iter().filter_map(|letter| cells.get(*letter)).copied());
            at = run.last().map_or(at, |last| *last) + 1;
        } else {
            out.push(*cell);
            at += 1;
        }
    }
    out
}

/// Places of the single letters in the run that starts at `start`.
fn letters_of_run(cells: &[Cell], start: usize) -> Vec<usize> {
    let bound =
        |at: Option<usize>| at.and_then(|at| cells.get(at)).is_none_or(|cell| !cell.is_word() && cell.c != '\'');
    let single = |at: usize| {
        cells.get(at).is_some_and(|cell| cell.c.is_alphabetic()) && bound(at.checked_sub(1)) && bound(Some(at + 1))
    };
    let parted = |at: usize| cells.get(at).is_some_and(|cell| " .-_*|".contains(cell.c));
    let mut run = Vec::new();
    let mut at = start;
    while single(at) {
        run.push(at);
        if !parted(at + 1) {
            break;
        }
        at += if single(at + 2) {
            2
        } else if parted(at + 2) && single(at + 3) {
            3
        } else {
            break;
        };
    }
    run
}

#[cfg(test)]
mod tests {
    use super::*;

    fn undisguised(text: &str) -> String {
        let cells: Vec<Cell> = text.char_indices().map(|(at, c)| Cell { c, lo: at, hi: at + c.len_utf8() }).collect();
        undisguise(&cells).iter().map(|cell| cell.c).collect()
    }

    #[test]
    fn disguised_words_are_read() {
        assert_eq!(
            undisguised("r1sk c0ins, d3livery ca$h th!s #b0t0x cure5 $ave"),
            "risk coins, delivery cash this #botox cures save"
        );
    }

    #[test]
    fn quantities_codes_mentions_and_addresses_are_left_alone() {
        let same = "30lbs 10k en71 @b0t0x a1@b.co left!!! $9.99/month us$50 fr33, save10 50%off 7am 0unces";
        assert_eq!(undisguised(same), same);
    }

    #[test]
    fn single_letters_are_joined_from_three_on() {
        assert_eq!(undisguised("c-u-r-e-s, w e i g h t"), "cures, weight");
        assert_eq!(undisguised("plan a b and i. a"), "plan a b and i. a");
        assert_eq!(undisguised("w e i g h t   l o s s"), "weight   loss");
    }
}
