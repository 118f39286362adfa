//! Accounts and Layers by keys: what is paused, mended, held, looked for.

use desk::{Command, Stoppable};
use domain::role::Role;

use super::fixture::{Agency, user};
use super::play::Play;
use crate::Pane;
use crate::sheets::Sheet;

fn alarmed() -> Play {
    Play::new(Agency::alarmed(), 100, 30)
}

#[test]
fn what_asks_for_a_person_stands_first_and_is_said_in_words() {
    let mut play = alarmed();
    play.keys("7");
    let text = play.text();
    let place =
        |word: &str| text.lines().position(|line| line.contains(word)).unwrap_or_else(|| panic!("{word}: {text}"));
    let rows = [place("✦ needs login"), place("= paused"), place("! watch"), place("✓ ok")];
    assert!(rows.is_sorted(), "{text}");
    assert!(text.contains("hides and reports are not observable"), "{text}");
}

#[test]
fn an_account_without_a_login_says_the_command_and_types_no_password() {
    let mut play = alarmed();
    play.keys("7 a");
    assert!(play.text().contains("expos account connect bluesky --account pnw-bs --client pnw"), "{}", play.text());
    assert!(play.acts.is_empty());
}

#[test]
fn a_stopped_account_goes_on_by_the_holds_on_the_sheet_and_only_with_a_reviewer() {
    let mut play = alarmed();
    play.keys("7 j a");
    assert!(play.text().contains("platform warning: labelled !warn"), "{}", play.text());
    play.type_text("they took the label back");
    play.keys("Enter y");
    let Some(Command::Resume { target: Stoppable::Account(account), holds, .. }) = play.acts.last() else {
        panic!("{:?}", play.acts)
    };
    assert_eq!((account.as_str(), holds.len()), ("crm-bs", 1));

    let mut agency = Agency::alarmed();
    agency.me = user(1001, "tomas", Role::Operator);
    let mut play = Play::new(agency, 100, 30);
    play.keys("7 j p");
    assert!(play.model.sheets.is_empty(), "{}", play.text());
    assert!(play.text().contains("an operator may not; it needs reviewer or admin"), "{}", play.text());
}

#[test]
fn a_well_account_is_paused_by_one_key_and_that_is_taken_back() {
    let mut play = alarmed();
    play.keys("7 G p");
    let Some(Command::Pause { target: Stoppable::Account(account), .. }) = play.acts.last() else {
        panic!("{:?}", play.acts)
    };
    assert_eq!(account.as_str(), "qub-bs");
    assert!(play.text().contains("u takes it back"), "{}", play.text());
    play.keys("a");
    assert!(play.text().contains("it is well"), "{}", play.text());
    play.keys("!");
    assert!(play.text().contains("this account: @queuebird.example"), "{}", play.text());
    play.keys("3");
    assert!(
        matches!(play.acts.last(), Some(Command::Pause { target: Stoppable::Client(client), .. }) if client.as_str() == "qub")
    );
}

#[test]
fn evidence_stands_against_what_stops_an_account() {
    let mut play = Play::new(Agency::alarmed(), 160, 45);
    play.keys("7 j");
    let text = play.text();
    for words in ["api 41 of 43 good in 30 days, 1 failed in a row", "evidence 40 of 500"] {
        assert!(text.contains(words), "{words}: {text}");
    }
    assert!(text.contains("platform warning"), "{text}");
}

#[test]
fn a_layer_is_found_by_typing_and_opens_who_holds_it() {
    let mut play = Play::new(Agency::monday(), 100, 30);
    play.keys("6 /");
    play.type_text("qub");
    play.keys("Enter");
    let text = play.text();
    assert!(!text.contains("Crumb & Cinder ") && text.contains("QUB-010"), "{text}");
    play.keys("Enter");
    assert_eq!(play.model.pane(), Pane::Experiments);
    assert!(play.model.place.open.is_some());
}

#[test]
fn fortnights_turn_and_stop_at_the_present_one() {
    let mut play = Play::new(Agency::monday(), 100, 30);
    play.keys("6");
    assert!(play.text().contains("23 Nov to 6 Dec"), "{}", play.text());
    play.keys("] ]");
    assert!(play.text().contains("21 Dec to 3 Jan"), "{}", play.text());
    play.keys("[ [ [");
    assert!(play.text().contains("23 Nov to 6 Dec"), "{}", play.text());
}

#[test]
fn two_that_hold_a_layer_at_one_time_are_drawn_as_a_collision() {
    let mut agency = Agency::monday();
    let other = agency.by_code("CRM-015");
    let layer = agency.layers.iter_mut().find(|layer| layer.layer.starts_with("qub/")).unwrap();
    let mut second = layer.tenures[0].clone();
    second.experiment = other;
    second.code = "CRM-015".to_owned();
    layer.tenures.push(second);
    let mut play = Play::new(agency, 100, 30);
    play.keys("6");
    assert!(play.text().contains("xx"), "{}", play.text());
    assert!(play.text().contains("1 collision"), "{}", play.text());
    play.keys("1 [");
    assert!(!play.text().contains("no collision"), "Morning says so too: {}", play.text());
}

#[test]
fn why_of_an_account_says_what_happened_and_what_can_be() {
    let mut play = alarmed();
    play.keys("7 j w");
    assert!(matches!(play.model.sheets.last(), Some(Sheet::Why(_))));
    assert!(play.text().contains("let it go on with a reason"), "{}", play.text());
}
