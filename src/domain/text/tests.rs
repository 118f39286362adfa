//! What may be drawn, for hostile strings by name and for any input at all.

use proptest::prelude::*;

use super::*;

fn line(raw: &str) -> String {
    Untrusted::from(raw).show().as_str().to_owned()
}

fn area(raw: &str) -> String {
    Untrusted::from(raw).show_lines().as_str().to_owned()
}

/// What a marker stands for: the inverse of `marker`, written from its description.
fn meant(marker: &str) -> char {
    let only = marker.chars().next().unwrap();
    let number = match u32::from(only) {
        0x2421 => 0x7F,
        picture @ 0x2400..=0x241F => picture - 0x2400,
        _ => u32::from_str_radix(marker.trim_start_matches("<U+").trim_end_matches('>'), 16).unwrap(),
    };
    char::from_u32(number).unwrap()
}

/// The rules by number, apart from the code's own tables, so that a hole in one shows in the other.
fn is_forbidden(c: char) -> bool {
    let n = u32::from(c);
    n < 0x20
        || (0x7F..=0x9F).contains(&n)
        || matches!(n, 0xAD | 0x61C | 0x180E | 0x200B | 0x200E | 0x200F | 0x2028 | 0x2029 | 0xFEFF)
        || (0x202A..=0x202E).contains(&n)
        || (0x2060..=0x206F).contains(&n)
        || (0xE000..=0xF8FF).contains(&n)
        || (0xFFF9..=0xFFFB).contains(&n)
        || (0xE0000..=0xE0FFF).contains(&n)
        || n >= 0xF0000
        || n & 0xFFFE == 0xFFFE
        || c.general_category() == GeneralCategory::Unassigned
}

#[test]
fn hostile_strings_are_drawn_as_what_they_are() {
    for (raw, expected) in [
        ("\u{1b}[2J\u{1b}[Hnice bread", "␛[2J␛[Hnice bread"),
        ("\u{1b}]0;pwned\u{7}", "␛]0;pwned␇"),
        ("\u{1b}]52;c;ZXZpbA==\u{7}", "␛]52;c;ZXZpbA==␇"),
        ("price \u{202e}04.99\u{202c}", "price <U+202E>04.99<U+202C>"),
        ("a\0b", "a␀b"),
        ("line1\rLINE2", "line1␍LINE2"),
        ("e\u{301}", "\u{e9}"),
        ("👩‍👩‍👧‍👦", "👩‍👩‍👧‍👦"),
        ("Ｈｏｓｈｉｏｒｉ", "Ｈｏｓｈｉｏｒｉ"),
        ("مرحبا bread", "مرحبا bread"),
        ("(un)escaped", "(un)escaped"),
        ("#1", "#1"),
        ("\u{9b}31m\u{90}q\u{9c}\u{7f}", "<U+009B>31m<U+0090>q<U+009C>␡"),
        ("\u{2066}a\u{2069}\u{200e}\u{200f}\u{61c}", "<U+2066>a<U+2069><U+200E><U+200F><U+061C>"),
        ("pass\u{200b}word\u{feff}\u{ad}\u{2060}", "pass<U+200B>word<U+FEFF><U+00AD><U+2060>"),
        ("a\u{2028}b\u{2029}c", "a<U+2028>b<U+2029>c"),
        ("hi\u{e0041}\u{e007f}", "hi<U+E0041><U+E007F>"),
        ("\u{fff9}a\u{fffb}\u{e000}\u{378}\u{10ffff}", "<U+FFF9>a<U+FFFB><U+E000><U+0378><U+10FFFF>"),
        ("\u{3164}\u{115f}\u{2800}\u{34f}", "<U+3164><U+115F><U+2800><U+034F>"),
        ("a\tb", "a    b"),
    ] {
        assert_eq!(line(raw), expected, "{raw:?}");
    }
}

#[test]
fn line_breaks_break_lines_in_areas_only() {
    assert_eq!(line("a\nb"), "a␊b");
    assert_eq!(area("a\nb\r\nc"), "a\nb␍\nc");
    let shown = Untrusted::from("ab\nＨｏ\n").show_lines();
    assert_eq!(shown.lines().iter().map(Shown::as_str).collect::<Vec<_>>(), ["ab", "Ｈｏ", ""]);
    assert_eq!(shown.width(), 4);
    assert_eq!(Untrusted::default().show_lines().lines().len(), 1);
}

#[test]
fn joiners_and_selectors_are_drawn_only_where_they_belong() {
    for kept in ["👨🏽‍🦰", "🏳️‍🌈", "❤️‍🔥", "☺︎", "1️⃣", "#️⃣", "👍🏽", "🇬🇧", "👩‍❤️‍💋‍👨", "می‌خواهم", "क्‌ष"]
    {
        assert_eq!(line(kept), kept);
        assert!(!Untrusted::from(kept).show().has_markers());
    }
    for (raw, expected) in [
        ("a\u{200d}b", "a<U+200D>b"),
        ("👩\u{200d}", "👩<U+200D>"),
        ("👩\u{200d}a", "👩<U+200D>a"),
        ("\u{200d}👩", "<U+200D>👩"),
        ("👩\u{200d}\u{200d}👩", "👩<U+200D><U+200D>👩"),
        ("☺\u{fe0e}\u{200d}👩", "☺\u{fe0e}<U+200D>👩"),
        ("🇬\u{200d}🇧", "🇬<U+200D>🇧"),
        ("a\u{fe0f}", "a<U+FE0F>"),
        ("1\u{fe0f}", "1<U+FE0F>"),
        ("😀\u{fe0f}\u{fe0f}", "😀\u{fe0f}<U+FE0F>"),
        ("😀\u{fe01}\u{e0100}", "😀<U+FE01><U+E0100>"),
        ("a\u{200c}b", "a<U+200C>b"),
        ("م\u{200c}", "م<U+200C>"),
        ("م\u{200c}\u{200c}م", "م<U+200C><U+200C>م"),
    ] {
        assert_eq!(line(raw), expected, "{raw:?}");
    }
}

#[test]
fn marks_beyond_eight_or_without_a_base_are_named() {
    let eight = "\u{316}".repeat(8);
    assert_eq!(line(&format!("x{eight}")), format!("x{eight}"));
    assert_eq!(line(&format!("x{eight}\u{316}y")), format!("x{eight}<U+0316>y"));
    assert_eq!(line("\u{301}a"), "<U+0301>a");
    assert_eq!(area("a\n\u{301}"), "a\n<U+0301>");
    assert_eq!(line("\u{202e}\u{338}"), "<U+202E><U+0338>");
    assert_eq!(line(&format!("\u{ac00}{}", "\u{11a8}".repeat(20))).matches("<U+11A8>").count(), 11);
    assert_eq!(line("a\u{11a8}"), "a<U+11A8>");
}

#[test]
fn an_author_cannot_forge_a_marker() {
    let forged = Untrusted::from("<U+202E>␛").show();
    assert!(!forged.has_markers());
    assert_eq!(forged.pieces(), [Piece::Plain("<U+202E>␛")]);
    let real = Untrusted::from("a\u{202e}b").show();
    assert_eq!(real.pieces(), [Piece::Plain("a"), Piece::Marker("<U+202E>"), Piece::Plain("b")]);
}

#[test]
fn cutting_splits_no_wide_cell_and_no_marker() {
    for (raw, columns, expected) in [
        ("bread", 5, "bread"),
        ("bread", 4, "bre…"),
        ("Ｈｏｓｈｉ", 6, "Ｈｏ…"),
        ("👩‍👩‍👧‍👦x👩", 4, "👩‍👩‍👧‍👦x…"),
        ("ab\u{202e}cd", 9, "ab…"),
        ("ab\u{202e}cd", 11, "ab<U+202E>…"),
        ("bread", 0, ""),
        ("bread", 1, "…"),
    ] {
        let cut = Untrusted::from(raw).show().truncated(columns);
        assert_eq!(cut.as_str(), expected, "{raw:?} {columns}");
        assert!(cut.width() <= columns);
    }
    assert_eq!(Untrusted::from("a\nb").show_lines().truncated(9).as_str(), "a…");
    assert_eq!(Untrusted::from("م\u{200c}مممم").show().truncated(2).as_str(), "م…");
}

#[test]
fn width_is_counted_by_grapheme() {
    for (raw, columns) in [("", 0), ("Ｈｏ", 4), ("👩‍👩‍👧‍👦", 2), ("e\u{301}", 1), ("\u{1b}a", 2), ("❤️", 2)]
    {
        assert_eq!(Untrusted::from(raw).show().width(), columns, "{raw:?}");
    }
    assert_eq!(format!("{:>6}|", Untrusted::from("bun").show()), "   bun|");
}

#[test]
fn graphemes_are_counted_as_bluesky_does() {
    assert_eq!(grapheme_count(&"ab".repeat(150)), 300);
    assert_eq!(Untrusted::from("👩‍👩‍👧‍👦e\u{301}\r\n🇬🇧").grapheme_count(), 4);
}

#[test]
fn right_to_left_text_says_so() {
    assert!(Untrusted::from("مرحبا bread").show().has_right_to_left());
    assert!(Untrusted::from("שלום").show().has_right_to_left());
    assert!(!Untrusted::from("Ｈｏ é 👩 пример").show().has_right_to_left());
}

#[test]
fn comparison_sees_what_a_reader_sees() {
    for (left, right) in [
        ("e\u{301}", "\u{e9}"),
        ("a\r\nb\rc", "a\nb\nc"),
        ("a  \n b", "a\n b"),
        ("a \t\u{a0}\u{3000}b", "a b"),
        ("a\0b\u{1b}", "ab"),
        ("caption\n\n", "caption"),
        ("a\u{2028}b\u{85}", "a\nb"),
        ("e\u{7}\u{301}", "é"),
    ] {
        assert_eq!(Untrusted::from(left).normalised(), Untrusted::from(right).normalised(), "{left:?}");
    }
    for (left, right) in [("Bread", "bread"), ("a\nb", "a b"), ("a\n\nb", "a\nb"), ("a\u{200b}b", "ab"), ("ﬁ", "fi")]
    {
        assert_ne!(normalise_for_comparison(left), normalise_for_comparison(right), "{left:?}");
    }
}

#[test]
fn bytes_that_are_not_utf8_are_drawn_and_serde_keeps_the_text() {
    assert_eq!(Untrusted::from_bytes(b"a\xffb").show().as_str(), "a\u{fffd}b");
    let raw = Untrusted::from("a\u{202e}\0e\u{301}");
    let json = serde_json::to_string(&raw).unwrap();
    assert_eq!(json, "\"a\u{202e}\\u0000e\u{301}\"");
    assert_eq!(serde_json::from_str::<Untrusted>(&json).unwrap(), raw);
    assert_eq!(raw.clone().into_raw(), raw.raw());
}

/// Characters around which the rules turn, so that runs of them meet far more often than by chance.
fn awkward() -> impl Strategy<Value = String> {
    let edge = prop::sample::select(vec![
        '\0',
        '\n',
        '\r',
        '\t',
        '\u{1b}',
        '\u{7f}',
        '\u{85}',
        '\u{9b}',
        '\u{ad}',
        '\u{300}',
        '\u{301}',
        '\u{316}',
        '\u{338}',
        '\u{34f}',
        '\u{61c}',
        '\u{200b}',
        '\u{200c}',
        '\u{200d}',
        '\u{200e}',
        '\u{202e}',
        '\u{2028}',
        '\u{2066}',
        '\u{20e3}',
        '\u{fe0e}',
        '\u{fe0f}',
        '\u{feff}',
        '\u{e0041}',
        '\u{e0101}',
        '\u{e000}',
        '\u{378}',
        '\u{1f468}',
        '\u{1f3fd}',
        '\u{1f1ec}',
        '\u{2764}',
        '\u{1f525}',
        '#',
        '1',
        '<',
        '>',
        '=',
        'U',
        '+',
        'a',
        'e',
        ' ',
        '\u{645}',
        '\u{62e}',
        '\u{64b}',
        '\u{915}',
        '\u{94d}',
        '\u{937}',
        '\u{93f}',
        '\u{1100}',
        '\u{1161}',
        '\u{11a8}',
        '\u{ac00}',
        '\u{3164}',
        '\u{ff76}',
        '\u{ff9e}',
        '\u{304b}',
        '\u{3099}',
        '\u{d4e}',
        '\u{600}',
        '\u{16d63}',
        '\u{16d67}',
        '\u{1f9b0}',
        '\u{2640}',
        '\u{10ffff}',
    ]);
    prop::collection::vec(prop_oneof![4 => edge, 1 => any::<char>()], 0..40)
        .prop_map(|characters| characters.into_iter().collect())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_forbidden_is_ever_drawn(raw in awkward()) {
        for c in line(&raw).chars() {
            prop_assert!(!is_forbidden(c), "{c:?} of {raw:?}");
        }
        for c in area(&raw).chars() {
            prop_assert!(c == '\n' || !is_forbidden(c), "{c:?} of {raw:?}");
        }
    }

    #[test]
    fn showing_twice_changes_nothing(raw in awkward()) {
        let (once_line, once_area) = (line(&raw), area(&raw));
        prop_assert_eq!(&line(&once_line), &once_line);
        prop_assert_eq!(&area(&once_area), &once_area);
        prop_assert!(!Untrusted::from(once_area).show_lines().has_markers());
    }

    #[test]
    fn what_is_hidden_is_named_so_that_nothing_is_lost(raw in awkward()) {
        let expected = raw.nfc().collect::<String>().replace('\t', TAB);
        for shown in [Untrusted::from(raw.as_str()).show(), Untrusted::from(raw.as_str()).show_lines()] {
            let mut back = String::new();
            for piece in shown.pieces() {
                match piece {
                    Piece::Plain(text) => back.push_str(text),
                    Piece::Marker(text) => back.push(meant(text)),
                }
            }
            prop_assert_eq!(&back, &expected);
            prop_assert_eq!(shown.pieces().iter().map(|piece| piece.text()).collect::<String>(), shown.as_str());
        }
    }

    #[test]
    fn everything_drawn_takes_room_and_no_base_carries_too_much(raw in awkward()) {
        let shown = Untrusted::from(raw).show();
        let mut marks = 0;
        for c in shown.as_str().chars() {
            marks = if is_mark(c) { marks + 1 } else { 0 };
            prop_assert!(marks <= MARKS_MAX);
        }
        for (_, unit) in shown.units() {
            prop_assert!(unit.width() > 0, "{unit:?}");
        }
    }

    #[test]
    fn cutting_keeps_to_the_columns_and_the_rules(raw in awkward(), columns in 0_usize..30) {
        let cut = Untrusted::from(raw).show().truncated(columns);
        prop_assert!(cut.width() <= columns);
        prop_assert_eq!(line(cut.as_str()), cut.as_str());
    }

    #[test]
    fn lines_together_are_the_area(raw in awkward()) {
        let shown = Untrusted::from(raw).show_lines();
        let lines: Vec<String> = shown.lines().iter().map(|line| line.as_str().to_owned()).collect();
        prop_assert_eq!(lines.join("\n"), shown.as_str());
    }

    #[test]
    fn normalising_twice_changes_nothing(raw in awkward()) {
        let once = normalise_for_comparison(&raw);
        prop_assert!(once.chars().all(|c| c == '\n' || !c.is_control()));
        prop_assert_eq!(&normalise_for_comparison(&once), &once);
    }

    #[test]
    fn names_never_panic(raw in awkward()) {
        prop_assert!(script::ascii_host(&raw).is_none_or(|host| host.is_ascii()));
        if let Some(mixed) = script::mixed_scripts(&raw) {
            prop_assert!(!mixed.scripts.is_empty());
        }
    }
}

#[test]
fn a_mark_that_is_newer_than_the_rules_of_drawing_still_takes_room() {
    let shown = Untrusted::from("👨\u{10EF0}\0").show();
    for (kind, unit) in shown.units() {
        assert!(unit.width() > 0, "{kind:?} {unit:?} {:?}", shown.as_str());
    }
}
