//! Scripts: whether a name or a link mixes letters that look alike.
//!
//! Decides when a handle or a host deserves a warning and what it is in plain ASCII. Whether a link may be opened, and
//! which hosts are a platform's own, is not decided here. Scripts are told apart by block, which is enough for the
//! letters that are mistaken for each other; whole words in one foreign script are legitimate and get no warning.
//!
//! Source: Unicode UTS 39, restriction level "highly restrictive"; Punycode by RFC 3492.

use std::collections::BTreeSet;

use unicode_normalization::UnicodeNormalization;

use super::Untrusted;

/// The longest label of the domain name system, in bytes (RFC 1035, section 2.3.4).
pub const LABEL_MAX: usize = 63;

/// A family of letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Script {
    Latin,
    Greek,
    Cyrillic,
    Armenian,
    Georgian,
    Cherokee,
    Hebrew,
    Arabic,
    /// Devanagari to Sinhala: the scripts of India and Sri Lanka.
    Indic,
    /// Thai and Lao.
    Thai,
    Han,
    Kana,
    Bopomofo,
    Hangul,
    /// Letters made to look like others: mathematical, circled, letterlike.
    Styled,
    /// Any other letters.
    Other,
}

/// A name in which letters of scripts that are not written together stand side by side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MixedScripts {
    /// The part of the name that mixes them: between dots, slashes and the like.
    pub label: Untrusted,
    /// The scripts in it, each once, in the order of [`Script`].
    pub scripts: Vec<Script>,
    /// The part as the domain name system writes it (`xn--…`); `None` when it is too long for that.
    pub ascii: Option<String>,
}

/// Returns a warning when some part of a handle, host or link mixes scripts; the first such part.
///
/// Latin with Han and kana, with Han and bopomofo, or with Han and hangul is how Japanese, Chinese and Korean names are
/// written and is no mixture.
pub fn mixed_scripts(name: &str) -> Option<MixedScripts> {
    name.split(['.', '/', '@', ':', '?', '#', '&', '=', ' ']).find_map(|label| {
        let scripts: BTreeSet<Script> = label.chars().filter_map(script_of).collect();
        if written_together(&scripts) {
            return None;
        }
        Some(MixedScripts {
            label: Untrusted::from(label),
            scripts: scripts.into_iter().collect(),
            ascii: ascii_label(label),
        })
    })
}

/// Returns a host as the domain name system writes it: lower case, each label that is not ASCII as `xn--…`; `None` when
/// a label is longer than that system allows, so that no such host exists.
pub fn ascii_host(host: &str) -> Option<String> {
    let labels: Option<Vec<String>> = host.split('.').map(ascii_label).collect();
    Some(labels?.join("."))
}

fn written_together(scripts: &BTreeSet<Script>) -> bool {
    const TOGETHER: [&[Script]; 3] = [
        &[Script::Latin, Script::Han, Script::Kana],
        &[Script::Latin, Script::Han, Script::Bopomofo],
        &[Script::Latin, Script::Han, Script::Hangul],
    ];
    if scripts.contains(&Script::Styled) {
        return false;
    }
    scripts.len() <= 1 || TOGETHER.iter().any(|set| scripts.iter().all(|script| set.contains(script)))
}

/// The script of a letter; `None` for digits, punctuation, marks and all else that any script may hold.
fn script_of(c: char) -> Option<Script> {
    let script = match c {
        '\u{2100}'..='\u{214F}'
        | '\u{24B6}'..='\u{24E9}'
        | '\u{1D400}'..='\u{1D7FF}'
        | '\u{1F130}'..='\u{1F149}'
        | '\u{1F150}'..='\u{1F169}'
        | '\u{1F170}'..='\u{1F189}' => Script::Styled,
        _ if !c.is_alphabetic() => return None,
        '\u{02B0}'..='\u{036F}' | '\u{30FC}' => return None,
        '\0'..='\u{024F}'
        | '\u{0250}'..='\u{02AF}'
        | '\u{1D00}'..='\u{1DBF}'
        | '\u{1E00}'..='\u{1EFF}'
        | '\u{2C60}'..='\u{2C7F}'
        | '\u{A720}'..='\u{A7FF}'
        | '\u{AB30}'..='\u{AB6F}'
        | '\u{FB00}'..='\u{FB06}'
        | '\u{FF21}'..='\u{FF5A}' => Script::Latin,
        '\u{0370}'..='\u{03FF}' | '\u{1F00}'..='\u{1FFF}' => Script::Greek,
        '\u{0400}'..='\u{052F}' | '\u{1C80}'..='\u{1C8F}' | '\u{2DE0}'..='\u{2DFF}' | '\u{A640}'..='\u{A69F}' => {
            Script::Cyrillic
        }
        '\u{0531}'..='\u{058F}' | '\u{FB13}'..='\u{FB17}' => Script::Armenian,
        '\u{10A0}'..='\u{10FF}' | '\u{1C90}'..='\u{1CBF}' | '\u{2D00}'..='\u{2D2F}' => Script::Georgian,
        '\u{13A0}'..='\u{13FF}' | '\u{AB70}'..='\u{ABBF}' => Script::Cherokee,
        '\u{0590}'..='\u{05FF}' | '\u{FB1D}'..='\u{FB4F}' => Script::Hebrew,
        '\u{0600}'..='\u{06FF}'
        | '\u{0750}'..='\u{077F}'
        | '\u{0870}'..='\u{08FF}'
        | '\u{FB50}'..='\u{FDFF}'
        | '\u{FE70}'..='\u{FEFF}' => Script::Arabic,
        '\u{0900}'..='\u{0DFF}' => Script::Indic,
        '\u{0E00}'..='\u{0EFF}' => Script::Thai,
        '\u{3040}'..='\u{30FF}' | '\u{31F0}'..='\u{31FF}' | '\u{FF66}'..='\u{FF9F}' | '\u{1B000}'..='\u{1B16F}' => {
            Script::Kana
        }
        '\u{3100}'..='\u{312F}' | '\u{31A0}'..='\u{31BF}' => Script::Bopomofo,
        '\u{2E80}'..='\u{2FDF}'
        | '\u{3005}'..='\u{3007}'
        | '\u{3400}'..='\u{4DBF}'
        | '\u{4E00}'..='\u{9FFF}'
        | '\u{F900}'..='\u{FAFF}'
        | '\u{20000}'..='\u{3FFFF}' => Script::Han,
        '\u{1100}'..='\u{11FF}'
        | '\u{3130}'..='\u{318F}'
        | '\u{A960}'..='\u{A97F}'
        | '\u{AC00}'..='\u{D7FF}'
        | '\u{FFA0}'..='\u{FFDC}' => Script::Hangul,
        _ => Script::Other,
    };
    Some(script)
}

/// Whether `c` stands in a block of a script that is written from right to left.
pub(super) fn is_right_to_left(c: char) -> bool {
    matches!(
        c,
        '\u{0590}'..='\u{08FF}'
            | '\u{FB1D}'..='\u{FDFF}'
            | '\u{FE70}'..='\u{FEFE}'
            | '\u{10800}'..='\u{10FFF}'
            | '\u{1E800}'..='\u{1EFFF}'
    )
}

/// Whether `c` belongs to a script that spells with the zero width non-joiner: Arabic (Persian, Urdu), Syriac, N'Ko,
/// the Indic scripts, Khmer and Mongolian.
pub(super) fn needs_non_joiner(c: char) -> bool {
    matches!(
        c,
        '\u{0600}'..='\u{07FF}'
            | '\u{0840}'..='\u{0DFF}'
            | '\u{1780}'..='\u{18AF}'
            | '\u{FB50}'..='\u{FDFF}'
            | '\u{FE70}'..='\u{FEFE}'
    )
}

fn ascii_label(label: &str) -> Option<String> {
    // Encoding never shortens, so that a longer label need not be encoded to be refused.
    let label: Vec<char> = label.to_lowercase().nfkc().take(LABEL_MAX + 1).collect();
    if label.len() > LABEL_MAX {
        return None;
    }
    let ascii = if label.iter().all(char::is_ascii) {
        label.into_iter().collect()
    } else {
        format!("xn--{}", punycode(&label))
    };
    (ascii.len() <= LABEL_MAX).then_some(ascii)
}

/// RFC 3492, section 6.3. No overflow: a label has at most [`LABEL_MAX`] characters.
fn punycode(label: &[char]) -> String {
    const BASE: u64 = 36;
    let basic: String = label.iter().filter(|c| c.is_ascii()).collect();
    let basic_count = basic.len() as u64;
    let mut handled = basic_count;
    let mut out = basic;
    if basic_count > 0 {
        out.push('-');
    }
    let (mut n, mut delta, mut bias) = (128_u64, 0_u64, 72_u64);
    while let Some(m) = label.iter().map(|&c| u64::from(u32::from(c))).filter(|&c| c >= n).min() {
        delta += (m - n) * (handled + 1);
        n = m;
        for &c in label {
            let c = u64::from(u32::from(c));
            if c < n {
                delta += 1;
            }
            if c != n {
                continue;
            }
            let mut rest = delta;
            for k in (BASE..).step_by(36) {
                let threshold = k.saturating_sub(bias).clamp(1, 26);
                if rest < threshold {
                    break;
                }
                out.push(punycode_digit(threshold + (rest - threshold) % (BASE - threshold)));
                rest = (rest - threshold) / (BASE - threshold);
            }
            out.push(punycode_digit(rest));
            bias = punycode_bias(delta, handled + 1, handled == basic_count);
            delta = 0;
            handled += 1;
        }
        delta += 1;
        n += 1;
    }
    out
}

fn punycode_bias(delta: u64, points: u64, first: bool) -> u64 {
    let mut delta = if first { delta / 700 } else { delta / 2 };
    delta += delta / points;
    let mut k = 0;
    while delta > 455 {
        delta /= 35;
        k += 36;
    }
    k + 36 * delta / (delta + 38)
}

fn punycode_digit(digit: u64) -> char {
    let letter = u8::try_from(digit).unwrap_or_default();
    char::from(if letter < 26 { b'a' + letter } else { b'0' + letter.saturating_sub(26) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, expected: Option<(&[Script], &str)>) {
        let found = mixed_scripts(name);
        let found = found.as_ref().map(|mixed| (mixed.scripts.as_slice(), mixed.ascii.as_deref().unwrap_or("none")));
        assert_eq!(found, expected, "{name}");
    }

    #[test]
    fn names_that_mix_lookalike_scripts_are_warned_about() {
        check("p\u{0430}ypal.com", Some((&[Script::Latin, Script::Cyrillic], "xn--pypal-4ve")));
        check("https://shop.g\u{03BF}od.example/a", Some((&[Script::Latin, Script::Greek], "xn--god-9yc")));
        check("@bre\u{0561}d", Some((&[Script::Latin, Script::Armenian], "xn--bred-sdf")));
        check("\u{1D41B}read", Some((&[Script::Latin, Script::Styled], "bread")));
        check("\u{0430}\u{03B1}", Some((&[Script::Greek, Script::Cyrillic], "xn--mxa7w")));
    }

    #[test]
    fn names_in_scripts_that_are_written_together_are_not() {
        for name in [
            "crumb_and_cinder",
            "@queuebird.example",
            "hoshioriの服カタカナ",
            "서울abc漢字",
            "注音ㄅㄆabc",
            "пример.example",
            "παράδειγμα",
            "café-2024",
            "مرحبا",
            "ラーメン",
            "",
        ] {
            check(name, None);
        }
    }

    #[test]
    fn hosts_are_written_as_the_name_system_does() {
        for (host, expected) in [
            ("Example.COM", "example.com"),
            ("bücher.example", "xn--bcher-kva.example"),
            ("münchen", "xn--mnchen-3ya"),
            ("例え.jp", "xn--r8jz45g.jp"),
            ("пример.испытание", "xn--e1afmkfd.xn--80akhbyknj4f"),
            ("他们为什么不说中文", "xn--ihqwcrb4cv8a8dqg056pqjye"),
            ("3年b組金八先生", "xn--3b-ww4c5e180e575a65lsy2b"),
        ] {
            assert_eq!(ascii_host(host).as_deref(), Some(expected));
        }
    }

    #[test]
    fn labels_that_no_name_system_holds_have_no_ascii_form() {
        assert_eq!(ascii_host(&"a".repeat(63)), Some("a".repeat(63)));
        assert_eq!(ascii_host(&format!("a.{}", "a".repeat(64))), None);
        assert_eq!(ascii_host(&"ü".repeat(57)), Some(format!("xn--td{}", "a".repeat(57))));
        assert_eq!(ascii_host(&"ü".repeat(58)), None);
        assert_eq!(ascii_host(&"\u{10FFFF}".repeat(1_000_000)), None);
        let mixed = mixed_scripts(&"aа".repeat(10_000)).unwrap();
        assert_eq!((mixed.scripts.as_slice(), mixed.ascii), ([Script::Latin, Script::Cyrillic].as_slice(), None));
    }
}
