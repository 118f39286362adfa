//! Texts folded to the words in them, so that dressing hides nothing.
//!
//! Decides when two words are the same to a guard: whatever their case, accents, look-alike letters, invisible characters
//! and punctuation. Equality under the single-variable rule is stricter and in `text`; the views that RiskScan matches
//! in are its own.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

/// What becomes of `#tags`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tags {
    /// They are words like others.
    Keep,
    /// They are left out.
    Drop,
}

/// Returns the words of a text, folded. A script that writes no spaces gives a word for each character.
pub(crate) fn words(text: &str, tags: Tags) -> Vec<String> {
    let mut words = Vec::new();
    for token in folded(text).split_whitespace() {
        if tags == Tags::Drop && token.starts_with('#') {
            continue;
        }
        let mut word = String::new();
        for c in token.chars() {
            if is_unspaced(c) {
                end(&mut words, &mut word);
                words.push(c.to_string());
            } else if c.is_alphanumeric() {
                word.push(c);
            } else if c != '\'' {
                end(&mut words, &mut word);
            }
        }
        end(&mut words, &mut word);
    }
    spelled_out(words)
}

/// Tells whether some words stand in a text one after the other.
pub(crate) fn holds(text: &[String], words: &[String]) -> bool {
    !words.is_empty() && text.windows(words.len()).any(|window| window == words)
}

/// Returns a text without what cannot be seen, in one case and one alphabet of look-alikes.
pub(super) fn folded(text: &str) -> String {
    text.nfkd()
        .filter(|c| !is_combining_mark(*c) && !matches!(c.general_category(), GeneralCategory::Format))
        .map(|c| if c == '’' || c == 'ʼ' { '\'' } else { c })
        .flat_map(char::to_lowercase)
        .map(latin)
        .collect()
}

fn end(words: &mut Vec<String>, word: &mut String) {
    if !word.is_empty() {
        words.push(std::mem::take(word));
    }
}

/// Joins what was spelled out letter by letter: `c h e a p` and `c-h-e-a-p` are `cheap`.
fn spelled_out(words: Vec<String>) -> Vec<String> {
    let single = |word: &String| {
        let mut chars = word.chars();
        chars.next().is_some_and(|c| c.is_ascii_alphabetic()) && chars.next().is_none()
    };
    let mut out: Vec<String> = Vec::with_capacity(words.len());
    let mut run: Vec<String> = Vec::new();
    for word in words {
        if single(&word) {
            run.push(word);
            continue;
        }
        close(&mut out, &mut run);
        out.push(word);
    }
    close(&mut out, &mut run);
    out
}

fn close(out: &mut Vec<String>, run: &mut Vec<String>) {
    if run.len() >= 3 {
        out.push(run.concat());
        run.clear();
    } else {
        out.append(run);
    }
}

/// Scripts in which words are not parted by spaces.
fn is_unspaced(c: char) -> bool {
    matches!(c,
        '\u{0E00}'..='\u{0EFF}'
        | '\u{1000}'..='\u{109F}'
        | '\u{1780}'..='\u{17FF}'
        | '\u{3041}'..='\u{30FF}'
        | '\u{3400}'..='\u{4DBF}'
        | '\u{4E00}'..='\u{9FFF}'
        | '\u{20000}'..='\u{3FFFF}')
}

/// The Latin letter that a Cyrillic or Greek one is taken for. Both sides of a comparison go through it, so that words
/// in those scripts still equal themselves.
fn latin(c: char) -> char {
    match c {
        'а' | 'α' => 'a',
        'в' | 'β' => 'b',
        'с' | 'ϲ' => 'c',
        'ԁ' => 'd',
        'е' | 'ε' => 'e',
        'һ' | 'н' => 'h',
        'і' | 'ι' | 'ı' => 'i',
        'ј' | 'ϳ' => 'j',
        'к' | 'κ' => 'k',
        'ӏ' => 'l',
        'м' => 'm',
        'п' | 'η' => 'n',
        'о' | 'ο' => 'o',
        'р' | 'ρ' => 'p',
        'ѕ' => 's',
        'т' | 'τ' => 't',
        'υ' => 'u',
        'ν' | 'ѵ' => 'v',
        'ѡ' | 'ω' => 'w',
        'х' | 'χ' => 'x',
        'у' | 'γ' => 'y',
        _ => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dressing_hides_no_word() {
        let plain = words("dont buy cheap bread", Tags::Keep);
        for dressed in [
            "DON'T buy… CHEAP bread!",
            "don’t bu\u{200B}y ch\u{AD}eap bread 🔥",
            "dоn't buy chеаp brеаd",
            "don't buy c-h-e-a-p bread",
            "don't buy c h e a p bread",
            "dön't buy \u{202E}cheap\u{202C} br\u{E9}ad",
            "ｄｏｎ'ｔ buy cheap bread",
        ] {
            assert_eq!(words(dressed, Tags::Keep), plain, "{dressed}");
        }
    }

    #[test]
    fn tags_are_kept_or_left_out() {
        assert_eq!(words("good #bread now", Tags::Keep), ["good", "bread", "now"]);
        assert_eq!(words("good #bread now", Tags::Drop), ["good", "now"]);
        assert_eq!(words("面包", Tags::Keep), ["面", "包"]);
        assert!(words("🔥 … !", Tags::Keep).is_empty());
    }

    #[test]
    fn words_are_held_whole_and_in_order() {
        let text = words("The cheapest, not cheap bread.", Tags::Keep);
        let held = |phrase: &str| holds(&text, &words(phrase, Tags::Keep));
        assert!(held("cheap") && held("Not  cheap") && held("bread"));
        assert!(
            !held("cheapes") && !held("cheap not") && !held("") && !held("bread and more words than there are in it")
        );
    }
}
