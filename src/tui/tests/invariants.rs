//! What holds on every screen, whatever was pressed and however large it is.

use proptest::prelude::*;
use ratatui::buffer::Buffer;
use unicode_width::UnicodeWidthStr;

use super::fixture::{Agency, alert};
use super::play::Play;
use crate::frame::Class;
use crate::key::Key;
use crate::keymap::KEYMAP;
use crate::message::What;

fn row(buffer: &Buffer, y: u16) -> String {
    (0..buffer.area.width).map(|x| buffer.cell((x, y)).unwrap().symbol().to_owned()).collect()
}

fn check(play: &Play) -> Result<(), TestCaseError> {
    let buffer = play.buffer();
    for cell in buffer.content() {
        prop_assert!(!cell.symbol().chars().any(char::is_control), "{:?}", cell.symbol());
        prop_assert!(cell.symbol().width() <= 2, "{:?}", cell.symbol());
    }
    let height = buffer.area.height;
    if play.model.size.class() == Class::TooSmall {
        if buffer.area.width >= 28 && height >= 2 {
            prop_assert!(row(&buffer, 1).contains("needs 60x16"));
        }
        return Ok(());
    }
    let header = row(&buffer, 0);
    prop_assert!(header.contains("08:") || header.contains("09:") || header.contains("1"), "{header}");
    let pane = play.model.place.pane.name();
    prop_assert!(header.contains(pane), "{header}");
    let hint = row(&buffer, height - 1);
    if play.model.sheets.is_empty() && !play.model.filtering {
        prop_assert!(hint.trim_end().ends_with("? help"), "{hint}");
    }
    // The right edge is air.
    for y in 0..height {
        let line = row(&buffer, y);
        prop_assert_eq!(
            line.trim_end().is_empty() || buffer.cell((buffer.area.width - 1, y)).unwrap().symbol() == " ",
            true,
            "{}",
            line
        );
    }
    Ok(())
}

fn any_key() -> impl Strategy<Value = Key> {
    let bound: Vec<Key> = KEYMAP.iter().flat_map(|row| row.keys.iter().copied()).collect();
    prop_oneof![
        8 => proptest::sample::select(bound),
        1 => any::<char>().prop_map(Key::Char),
        1 => proptest::sample::select(vec![Key::Backspace, Key::Delete, Key::BackTab, Key::Ctrl('x')]),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn nothing_breaks_at_any_size_whatever_is_pressed(
        width in 1_u16..230,
        height in 1_u16..70,
        keys in proptest::collection::vec(any_key(), 0..25),
        dead in any::<bool>(),
    ) {
        let mut agency = Agency::pictured();
        agency.escalations.push(alert());
        let agency = if dead { agency.without_engine() } else { agency };
        let mut play = Play::new(agency, width, height);
        check(&play)?;
        for key in keys {
            let queue = play.model.morning.queue.order().to_vec();
            play.wait(370);
            play.key(key);
            check(&play)?;
            // Rows go only when a person lets them.
            let now = play.model.morning.queue.order().to_vec();
            let same_rows = now.len() == queue.len() && now.iter().all(|id| queue.contains(id));
            let pressed_r_or_moved_pane = !same_rows;
            if pressed_r_or_moved_pane {
                prop_assert!(now.iter().all(|id| play.model.morning.queue.is_current(id)));
            }
        }
    }

    #[test]
    fn a_screen_survives_being_made_tiny_and_large_again(
        sizes in proptest::collection::vec((1_u16..230, 1_u16..70), 1..12),
        keys in "[jkgGaxwlhv \\]\\[]{0,10}",
    ) {
        let mut play = Play::new(Agency::pictured(), 100, 30);
        play.keys("Enter");
        for (letter, (width, height)) in keys.chars().chain(std::iter::repeat('j')).zip(sizes) {
            play.resize(width, height);
            play.key(Key::Char(letter));
            check(&play)?;
        }
        play.resize(100, 30);
        check(&play)?;
    }
}

#[test]
fn one_by_one_and_twenty_by_five_are_drawn() {
    for (width, height) in [(1, 1), (20, 5), (400, 120), (59, 16), (60, 15)] {
        let mut play = Play::new(Agency::pictured(), width, height);
        for keys in ["Enter", "v ]", "Esc Esc * a", "Esc 5 Enter ] ] ]", "0", "?", "Esc :"] {
            play.keys(keys);
            assert_eq!(play.buffer().area.width, width);
        }
    }
}

#[test]
fn every_state_is_a_symbol_and_a_word() {
    use crate::sign::Sign;
    let words = [
        "planned",
        "preparing",
        "prepared",
        "committing",
        "unconfirmed",
        "awaiting operator",
        "claimed",
        "published",
        "verified",
        "removed",
        "failed",
        "missed",
        "cancelled",
    ];
    for word in words {
        let sign = Sign::of_post(word, false);
        assert!(!sign.symbol.is_empty() && !sign.word.plain().is_empty(), "{word}");
        assert_eq!(sign.symbol.width(), 1, "{word}");
        assert_ne!(sign.symbol, "~", "{word} has a sign of its own");
    }
}

#[test]
fn a_key_that_changes_nothing_changes_no_cell() {
    let mut play = Play::new(Agency::monday(), 100, 30);
    play.keys("k");
    let before = play.buffer();
    play.key(Key::Char('k'));
    assert!(before.diff(&play.buffer()).is_empty());
    play.put(What::Tick);
    assert!(before.diff(&play.buffer()).is_empty());
}

#[test]
fn a_move_of_the_cursor_changes_no_more_than_two_rows_and_the_preview() {
    let mut play = Play::new(Agency::monday(), 100, 30);
    let before = play.buffer();
    play.key(Key::Char('j'));
    let after = play.buffer();
    let rows: std::collections::BTreeSet<u16> = before.diff(&after).into_iter().map(|(_, y, _)| y).collect();
    let list: Vec<&u16> = rows.iter().filter(|y| **y < 14).collect();
    assert_eq!(list.len(), 2, "{rows:?}");
}
