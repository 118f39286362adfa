//! Letters that are not what they look like, and characters that cannot be seen.
//!
//! Decides what is dropped before anything is matched and which look-alikes count as the Latin letter. Where these
//! tables are applied is `normalise`'s business. Source of the ranges: Unicode 16, chapters 23.2, 23.3 and 23.4.

/// Zero-width, bidi, soft-hyphen, variation and tag characters, and controls that are neither space nor line break.
pub(super) fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}'
        | '\u{180B}'..='\u{180F}'
        | '\u{200B}'..='\u{200F}'
        | '\u{202A}'..='\u{202E}'
        | '\u{2060}'..='\u{206F}'
        | '\u{3164}'
        | '\u{FE00}'..='\u{FE0F}'
        | '\u{FEFF}'
        | '\u{FFA0}'
        | '\u{FFF9}'..='\u{FFFB}'
        | '\u{1BCA0}'..='\u{1BCA3}'
        | '\u{1D173}'..='\u{1D17A}'
        | '\u{E0000}'..='\u{E0FFF}')
        || (c.is_control() && !c.is_whitespace())
}

pub(super) fn is_line_break(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{0B}' | '\u{0C}' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// The plain apostrophe for every character typed as one.
pub(super) fn apostrophe(c: char) -> char {
    match c {
        '\u{2018}' | '\u{2019}' | '\u{201B}' | '\u{02B9}' | '\u{02BC}' | '\u{02BB}' | '\u{2032}' | '\u{FF07}'
        | '\u{0060}' | '\u{00B4}' => '\'',
        other => other,
    }
}

/// A script whose letters are left alone, because the post is written in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OwnScript {
    Latin,
    Cyrillic,
    Greek,
}

impl OwnScript {
    pub(super) fn of_locale(locale: &str) -> Self {
        let mut tags = locale.split(['-', '_']);
        let language = tags.next().unwrap_or_default().to_ascii_lowercase();
        if tags.any(|tag| tag.eq_ignore_ascii_case("latn")) {
            return Self::Latin;
        }
        match language.as_str() {
            "ru" | "uk" | "be" | "bg" | "sr" | "mk" | "kk" | "ky" | "tg" | "mn" | "tt" => Self::Cyrillic,
            "el" => Self::Greek,
            _ => Self::Latin,
        }
    }
}

/// The Latin letter a look-alike stands for, in lower case; the character itself when there is none. Case is looked at
/// first, since capital and small letters resemble different Latin ones (`Η` is H, `η` is n).
pub(super) fn latin_lookalike(c: char, own: OwnScript) -> char {
    let known = match c {
        '₿' => Some('b'),
        'ı' | 'ɩ' => Some('i'),
        'ɑ' => Some('a'),
        'ɡ' => Some('g'),
        '\u{1F150}'..='\u{1F169}' => letter_after(c, 0x1F150),
        '\u{1F170}'..='\u{1F189}' => letter_after(c, 0x1F170),
        _ => match own {
            OwnScript::Latin => cyrillic(c).or_else(|| greek(c)),
            OwnScript::Cyrillic => greek(c),
            OwnScript::Greek => cyrillic(c),
        },
    };
    known.unwrap_or(c)
}

/// Squared and circled capitals that have no compatibility form.
fn letter_after(c: char, first: u32) -> Option<char> {
    let offset = u8::try_from(u32::from(c).checked_sub(first)?).ok()?;
    Some(char::from(b'a'.checked_add(offset)?))
}

fn cyrillic(c: char) -> Option<char> {
    Some(match c {
        'а' | 'А' => 'a',
        'в' | 'В' | 'Ь' | 'ь' => 'b',
        'с' | 'С' => 'c',
        'ԁ' | 'Ԁ' => 'd',
        'е' | 'Е' | 'є' | 'Є' => 'e',
        'н' | 'Н' | 'һ' | 'Һ' => 'h',
        'і' | 'І' | 'ӏ' => 'i',
        'ј' | 'Ј' => 'j',
        'к' | 'К' => 'k',
        'Ӏ' => 'l',
        'м' | 'М' => 'm',
        'п' => 'n',
        'о' | 'О' => 'o',
        'р' | 'Р' => 'p',
        'ԛ' | 'Ԛ' => 'q',
        'г' => 'r',
        'ѕ' | 'Ѕ' => 's',
        'т' | 'Т' => 't',
        'ѵ' | 'Ѵ' => 'v',
        'ԝ' | 'Ԝ' => 'w',
        'х' | 'Х' => 'x',
        'у' | 'У' | 'ү' | 'Ү' => 'y',
        _ => return None,
    })
}

fn greek(c: char) -> Option<char> {
    Some(match c {
        'α' | 'Α' => 'a',
        'β' | 'Β' => 'b',
        'ϲ' | 'Ϲ' => 'c',
        'ε' | 'Ε' => 'e',
        'Η' => 'h',
        'ι' | 'Ι' => 'i',
        'ϳ' => 'j',
        'κ' | 'Κ' => 'k',
        'Μ' => 'm',
        'Ν' | 'η' => 'n',
        'ο' | 'Ο' | 'σ' => 'o',
        'ρ' | 'Ρ' => 'p',
        'τ' | 'Τ' => 't',
        'υ' => 'u',
        'ν' => 'v',
        'ω' => 'w',
        'χ' | 'Χ' => 'x',
        'Υ' | 'γ' => 'y',
        'Ζ' => 'z',
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn look_alikes_are_left_alone_in_their_own_script() {
        assert_eq!(latin_lookalike('с', OwnScript::of_locale("en")), 'c');
        assert_eq!(latin_lookalike('с', OwnScript::of_locale("ru-RU")), 'с');
        assert_eq!(latin_lookalike('с', OwnScript::of_locale("sr-Latn")), 'c');
        assert_eq!(latin_lookalike('ο', OwnScript::of_locale("el")), 'ο');
        assert_eq!(latin_lookalike('ο', OwnScript::of_locale("ru")), 'o');
    }

    #[test]
    fn squared_capitals_are_letters() {
        assert_eq!(latin_lookalike('🅰', OwnScript::Latin), 'a');
        assert_eq!(latin_lookalike('🅩', OwnScript::Latin), 'z');
        assert_eq!(latin_lookalike('🆉', OwnScript::Latin), 'z');
    }

    #[test]
    fn line_breaks_and_tabs_are_not_invisible() {
        assert!(!is_invisible('\n') && !is_invisible('\t') && !is_invisible('\u{2028}'));
        assert!(
            is_invisible('\u{202E}') && is_invisible('\u{200D}') && is_invisible('\u{E0041}') && is_invisible('\u{1}')
        );
    }
}
