//! What was found is decided and remembered by keys, and found again.

use desk::Command;
use domain::review::{Choice, Signed};
use domain::role::Role;

use super::fixture::{Agency, user};
use super::play::Play;
use crate::Pane;
use crate::key::Key;
use crate::sheets::Sheet;

const EVENING_MS: u64 = 8 * 3_600_000;

fn evening(keys: &str) -> Play {
    let mut play = Play::new(Agency::evening(), 100, 30);
    play.wait(EVENING_MS);
    play.keys(keys);
    play
}

#[test]
fn a_winner_is_shipped_once_all_that_could_mislead_is_signed_as_no() {
    let mut play = evening("3 j a");
    assert!(play.text().contains("Decide: QUB-008"), "{}", play.text());
    play.keys("1");
    assert!(play.text().contains("not all that could mislead is signed as no"), "{}", play.text());
    play.keys("m 1 1");
    let signed: Vec<&Command> =
        play.acts.iter().filter(|act| matches!(act, Command::OutcomeSign { says: Signed::Clear, .. })).collect();
    assert_eq!(signed.len(), 2, "each thing is signed by itself: {:?}", play.acts);
    play.keys("Esc 1");
    play.type_text("clear, and cheap to do");
    play.keys("Enter");
    play.key(Key::Char('y'));
    assert!(!play.acts.iter().any(|act| matches!(act, Command::Decide { .. })), "too early a key decides nothing");
    play.keys("y");
    let Some(Command::Decide { experiment, decision, reason, learning }) = play.acts.last() else {
        panic!("{:?}", play.acts)
    };
    assert_eq!((experiment.as_str(), *decision), ("QUB-008", Choice::Ship { letter: 'B' }));
    assert_eq!((reason.as_str(), learning), ("clear, and cheap to do", &None));
}

#[test]
fn a_decision_needs_a_line_why() {
    let play = evening("3 j a 2 Enter y");
    assert!(play.text().contains("It needs a line why; nothing was decided."), "{}", play.text());
    assert!(!play.acts.iter().any(|act| matches!(act, Command::Decide { .. })));
}

#[test]
fn the_sentence_that_is_offered_is_edited_before_it_is_remembered() {
    let mut play = evening("3 j a l");
    play.type_text(" Try tabs of three.");
    play.keys("Enter 2");
    play.type_text("one more try");
    play.keys("Enter y");
    let Some(Command::Decide { decision: Choice::Iterate, learning: Some(learning), .. }) = play.acts.last() else {
        panic!("{:?}", play.acts)
    };
    assert_eq!(learning, "On @queuebird.example a thread brought more replies than a tab. Try tabs of three.");
}

#[test]
fn what_is_invalid_is_not_shipped_and_leaves_the_list_once_it_is_decided() {
    let mut play = evening("3 a 1");
    assert!(play.text().contains("Decide: QUB-007") && play.text().contains("names no winner"), "{}", play.text());
    play.keys("3");
    play.type_text("the lost slots cost too much");
    play.keys("Enter y");
    assert!(matches!(play.acts.last(), Some(Command::Decide { decision: Choice::Abandon, .. })), "{:?}", play.acts);
    play.keys("3");
    assert!(play.text().contains("1 ask for a decision"), "{}", play.text());
}

#[test]
fn a_decision_that_somebody_else_gave_closes_the_sheet() {
    let mut play = evening("3 j a 2");
    let review = play.agency.reviews.get_mut("QUB-008").unwrap();
    review.outcome.sentence = "Another sentence.".to_owned();
    let id = play.agency.by_code("QUB-008");
    let mut event = play.agency.events[0].clone();
    event.n = play.agency.events.last().unwrap().n + 1;
    event.stream = format!("experiment/{id}");
    play.agency.events.push(event);
    play.tell_news();
    assert!(play.model.sheets.is_empty(), "{}", play.text());
    assert!(play.text().contains("What it says changed meanwhile. Nothing was decided"), "{}", play.text());
}

#[test]
fn a_viewer_decides_nothing_and_is_told_who_does() {
    let mut agency = Agency::evening();
    agency.me = user(1003, "vera", Role::Viewer);
    let mut play = Play::new(agency, 100, 30);
    play.wait(EVENING_MS);
    play.keys("3 j a");
    assert!(
        play.model.sheets.is_empty() && play.text().contains("it needs operator or reviewer or admin"),
        "{}",
        play.text()
    );
}

#[test]
fn memory_is_searched_as_one_types_and_opens_what_taught_it() {
    let mut play = evening("9");
    assert!(play.text().contains("4 learnings, newest first"), "{}", play.text());
    play.keys("/");
    play.type_text("emoji line");
    let text = play.text();
    assert!(text.contains("1 learning, newest first") && text.contains("No difference was seen"), "{text}");
    play.keys("Enter Enter");
    assert_eq!(play.model.pane(), Pane::Experiments);
    play.keys("Ctrl-o Esc");
    assert!(play.text().contains("4 learnings"), "{}", play.text());
}

#[test]
fn words_that_nothing_holds_are_told_and_empty_memory_says_how_it_fills() {
    let mut play = evening("9 /");
    play.type_text("zebra");
    assert!(play.text().contains("Nothing learned holds all these words."), "{}", play.text());
    let mut play = Play::new(Agency::monday(), 100, 30);
    play.keys("9");
    assert!(play.text().contains("Nothing learned yet"), "{}", play.text());
}

#[test]
fn a_learning_is_retracted_with_a_reason_and_stays_to_be_seen() {
    let mut play = evening("9 x");
    assert!(matches!(play.model.sheets.last(), Some(Sheet::Retract(_))));
    play.keys("Enter y");
    assert!(!play.acts.iter().any(|act| matches!(act, Command::LearningRetract { .. })), "it needs a reason");
    play.keys("e");
    play.type_text("the account was renamed");
    play.keys("Enter y");
    assert!(matches!(play.acts.last(), Some(Command::LearningRetract { .. })), "{:?}", play.acts);
    let text = play.text();
    assert!(text.contains("◌ retracted") && text.contains("4 learnings"), "{text}");
    play.keys("g x");
    assert!(play.text().contains("it is retracted already"), "{}", play.text());
}
