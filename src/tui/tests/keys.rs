//! The keymap is whole: every key has words and a handler, none clashes, none that must not destroys.

use std::collections::BTreeSet;

use super::fixture::{Agency, alert};
use super::play::Play;
use crate::key::Key;
use crate::keymap::{Binding, Intent, KEYMAP, Scope};

/// Chains of scopes that hold together somewhere.
fn chains() -> Vec<Vec<Scope>> {
    let mut chains = Vec::new();
    let mut agency = Agency::monday();
    agency.escalations.push(alert());
    for keys in [
        "1",
        "1 ]",
        "1 ] ]",
        "1 ] ] Enter",
        "1 ] ] a",
        "1 ] ] x",
        "1 ] ] x e",
        "1 ] ] w",
        "5",
        "5 Enter",
        "5 p p",
        "0",
        "!",
        "?",
        ":",
        "1 ] ] /",
        "1 a",
        "1 S",
        "8 L",
        "9",
        "2",
        "3",
        "7",
        "6",
    ] {
        let mut play = Play::new(agency.clone(), 100, 30);
        play.keys(keys);
        chains.push(play.model.scopes());
    }
    let mut play = Play::new(agency.clone().without_engine(), 100, 30);
    play.keys("Ctrl-c Ctrl-c");
    chains.push(play.model.scopes());
    let mut play = Play::new(agency.clone(), 100, 30);
    play.keys("5 p p z Enter");
    chains.push(play.model.scopes());
    for keys in ["3 j a", "3 j a m", "9 x z Enter"] {
        let mut play = Play::new(Agency::evening(), 100, 30);
        play.wait(8 * 3_600_000);
        play.keys(keys);
        chains.push(play.model.scopes());
    }
    chains.push(super::demo::demo(60.0).model.scopes());
    let mut play = Play::new(Agency::pictured(), 100, 30);
    play.keys("v");
    chains.push(play.model.scopes());
    let mut play = Play::new(agency, 100, 30);
    play.keys("1 a z Enter");
    chains.push(play.model.scopes());
    chains
}

#[test]
fn every_scope_is_reached_by_keys() {
    let reached: BTreeSet<Scope> = chains().into_iter().flatten().collect();
    let all: BTreeSet<Scope> = KEYMAP.iter().map(|row| row.scope).collect();
    assert_eq!(all.difference(&reached).collect::<Vec<_>>(), Vec::<&Scope>::new());
}

#[test]
fn no_key_is_bound_twice_where_both_could_be_meant() {
    for chain in chains() {
        for (place, scope) in chain.iter().enumerate() {
            let rows: Vec<&Binding> = KEYMAP.iter().filter(|row| row.scope == *scope).collect();
            let keys: Vec<Key> = rows.iter().flat_map(|row| row.keys.iter().copied()).collect();
            let unique: BTreeSet<Key> = keys.iter().copied().collect();
            assert_eq!(keys.len(), unique.len(), "{scope:?} binds a key twice");
            // A nearer scope may give a key its own meaning only where the farther one is left without any harm.
            for farther in &chain[place + 1..] {
                let taken: Vec<Key> = KEYMAP
                    .iter()
                    .filter(|row| row.scope == *farther)
                    .flat_map(|row| row.keys.iter().copied())
                    .filter(|key| unique.contains(key))
                    .collect();
                let allowed = matches!((scope, farther), (Scope::WhySheet, _) | (Scope::RefuseSheet, _));
                assert!(taken.is_empty() || allowed, "{scope:?} hides {taken:?} of {farther:?}");
            }
        }
    }
}

#[test]
fn keys_that_must_do_nothing_are_bound_nowhere() {
    for banned in [Key::Char('d'), Key::Char('D'), Key::Delete, Key::Backspace] {
        assert!(KEYMAP.iter().all(|row| !row.keys.contains(&banned)), "{banned}");
    }
    for letter in ['a', 'b', 'h', 'i', 'j', 'm', 'q', 's'] {
        assert!(KEYMAP.iter().all(|row| !row.keys.contains(&Key::Ctrl(letter))), "Ctrl-{letter}");
    }
    let destroying =
        [Intent::Act, Intent::Refuse, Intent::Confirm, Intent::Pause, Intent::StopSheet, Intent::LeaveAndStop];
    for row in KEYMAP.iter().filter(|row| destroying.contains(&row.intent)) {
        assert!(!row.keys.iter().any(|key| matches!(key, Key::Ctrl(_))), "{:?}", row.intent);
    }
    // Enter confirms nothing; in a field it ends typing.
    let confirms = KEYMAP.iter().filter(|row| row.intent == Intent::Confirm && row.scope != Scope::Field);
    assert!(confirms.into_iter().all(|row| !row.keys.contains(&Key::Enter)));
}

#[test]
fn every_row_has_words_and_the_label_fits_a_hint() {
    for row in KEYMAP {
        assert!(!row.keys.is_empty() && !row.label.is_empty() && !row.sentence.is_empty(), "{:?}", row.intent);
        assert!(row.label.len() <= 20, "{}", row.label);
        assert!(!row.sentence.ends_with('.'), "{}", row.sentence);
        assert!(!row.scope.name().is_empty());
    }
}

#[test]
fn every_hint_bar_fits_eighty_columns_with_help_at_its_end() {
    let mut agency = Agency::monday();
    agency.escalations.push(alert());
    for keys in
        ["1", "1 ]", "1 ] ]", "1 ] ] Enter", "2", "2 ]", "2 ] ]", "3", "3 ]", "5", "5 Enter", "6", "7", "8", "9", "0"]
    {
        let mut play = Play::new(agency.clone(), 80, 24);
        play.keys(keys);
        let text = play.text();
        let hint = text.lines().last().unwrap();
        assert!(hint.ends_with("? help"), "{hint}");
        assert!(!hint.contains('…'), "{hint}");
    }
}

#[test]
fn every_key_of_every_place_is_handled() {
    // A handler that is missing would leave the screen as it was, without a word.
    let mut agency = Agency::monday();
    agency.escalations.push(alert());
    for (place, keys) in [
        ("8", Scope::Alerts),
        ("7", Scope::Accounts),
        ("6", Scope::Layers),
        ("1 ]", Scope::Round),
        ("2", Scope::Posts),
        ("3", Scope::Outcomes),
        ("1 ] ]", Scope::Queue),
        ("5", Scope::Experiments),
        ("5 Enter", Scope::Detail),
    ] {
        for row in KEYMAP.iter().filter(|row| row.scope == keys) {
            let mut play = Play::new(agency.clone(), 100, 30);
            play.keys(place);
            play.keys("j");
            let before = (play.text(), play.acts.len());
            play.wait(400);
            play.key(row.keys[0]);
            let after = (play.text(), play.acts.len());
            assert_ne!(before, after, "{} in {place}", row.sentence);
        }
    }
}

#[test]
fn help_finds_by_word_and_by_key_and_does_it() {
    let mut play = Play::new(Agency::monday(), 100, 30);
    play.keys("?");
    play.type_text("x");
    let text = play.text();
    assert!(text.contains("▸  x              refuse the item under the cursor"), "{text}");
    let mut play = Play::new(Agency::monday(), 100, 30);
    play.keys("?");
    play.type_text("every clean");
    play.keys("Enter");
    assert_eq!(play.model.morning.marked.len(), 3);
    assert!(play.model.sheets.is_empty());
}

#[test]
fn the_palette_finds_commands_clients_and_experiments_and_teaches_the_key() {
    let mut play = Play::new(Agency::monday(), 100, 30);
    play.keys(":");
    play.type_text("go to system");
    play.keys("Enter");
    assert_eq!(play.model.pane(), crate::Pane::System);
    assert!(play.text().contains("The key for this is 0."), "{}", play.text());
    play.keys(":");
    play.type_text("queuebird");
    play.keys("Enter 1");
    assert!(!play.text().contains("Clock, fire or hands?"), "{}", play.text());
    play.keys(":");
    play.type_text("crm015");
    play.keys("Enter");
    assert!(play.text().contains("Experiments / Steam or silence"), "{}", play.text());
}

#[test]
fn a_letter_that_means_nothing_is_named() {
    let mut play = Play::new(Agency::monday(), 100, 30);
    play.key(Key::Char('ф'));
    assert!(play.text().contains("ф does nothing here; ? lists the keys."), "{}", play.text());
    play.key(Key::Char('d'));
    assert!(play.acts.is_empty() && play.model.sheets.is_empty());
}
