//! Midday and the end of the day by keys: posts settled, what is measured opened, rounds signed each for itself.

use desk::Command;
use desk::command::Verdict;
use domain::checkin::{Round, Step};

use super::fixture::Agency;
use super::play::Play;
use crate::Pane;
use crate::experiments::Tab;
use crate::message::What;
use crate::sheets::Sheet;

const HOUR_MS: u64 = 3_600_000;

fn at(hours: u64, agency: Agency) -> Play {
    let mut play = Play::new(agency, 100, 30);
    play.wait(hours * HOUR_MS);
    play
}

fn signed(play: &Play) -> Option<(Round, Vec<Step>)> {
    play.acts.iter().find_map(|command| {
        if let Command::CheckinSign { round, looked, .. } = command {
            Some((*round, looked.iter().map(|look| look.step).collect()))
        } else {
            None
        }
    })
}

#[test]
fn a_post_in_doubt_is_settled_from_the_round_by_its_address() {
    let mut play = at(4, Agency::doubting());
    play.keys("2");
    let text = play.text();
    assert!(text.contains("? in doubt") && text.contains("1 needs a hand"), "{text}");
    play.keys("a 1");
    play.put(What::Paste("https://bsky.app/profile/c/post/3k".to_owned()));
    play.keys("Enter y");
    assert!(
        matches!(play.acts.last(), Some(Command::PostConfirm { verdict: Verdict::Live { .. }, .. })),
        "{:?}",
        play.acts
    );
}

#[test]
fn a_post_that_asks_for_nothing_says_so() {
    let mut play = at(4, Agency::monday());
    play.keys("2 j a");
    assert!(play.text().contains("nothing is asked of you: it is"), "{}", play.text());
    assert!(play.model.sheets.is_empty() && play.acts.is_empty());
    play.keys("Enter");
    assert_eq!((play.model.pane(), play.model.experiments.tab), (Pane::Experiments, Tab::Posts));
    play.keys("Ctrl-o");
    assert_eq!(play.model.pane(), Pane::Midday);
}

#[test]
fn midday_is_signed_for_its_own_steps_and_leaves_the_morning_unsigned() {
    let mut play = at(4, Agency::monday());
    play.keys("2 ] ] S G e");
    play.type_text("tomas settles it");
    play.keys("Enter y");
    let (round, steps) = signed(&play).unwrap_or_else(|| panic!("{}", play.text()));
    assert_eq!((round, steps), (Round::Midday, vec![Step::Posts, Step::Escalations, Step::Replies]));
    assert!(play.text().contains("4 Sign off  signed"), "{}", play.text());
    play.keys("1");
    assert!(!play.text().contains("4 Sign off  signed"), "{}", play.text());
}

#[test]
fn a_round_is_not_signed_before_it_opens() {
    let mut play = Play::new(Agency::monday(), 100, 30);
    play.keys("2 S");
    assert!(play.text().contains("the round begins 13:00, it is signed from 11:00 on"), "{}", play.text());
    assert!(play.model.sheets.is_empty());
}

#[test]
fn replies_say_what_is_not_there() {
    let mut play = at(4, Agency::monday());
    play.keys("2 ] ]");
    assert!(play.text().contains("Replies are not collected here"), "{}", play.text());
    play.keys("a");
    assert!(play.text().contains("a does nothing here"), "{}", play.text());
}

#[test]
fn what_asks_for_a_decision_opens_with_its_numbers_and_the_rest_says_why_not() {
    let mut play = at(8, Agency::evening());
    play.keys("3");
    let text = play.text();
    assert!(text.contains("2 ask for a decision") && text.contains("⊘ invalid"), "{text}");
    play.keys("G a");
    assert!(play.text().contains("it asks for no decision yet: it is running"), "{}", play.text());
    play.keys("g a");
    assert_eq!((play.model.pane(), play.model.experiments.tab), (Pane::Experiments, Tab::Numbers));
}

#[test]
fn the_end_of_the_day_is_signed_within_three_steps() {
    let mut play = at(8, Agency::evening());
    play.keys("3 S");
    assert!(matches!(play.model.sheets.last(), Some(Sheet::SignOff(sign)) if sign.of == Round::EndOfDay));
    assert!(play.text().contains("of 10 min"), "{}", play.text());
    play.keys("G y");
    let (round, steps) = signed(&play).unwrap_or_else(|| panic!("{}", play.text()));
    assert_eq!((round, steps), (Round::EndOfDay, vec![Step::Outcomes]));
}

#[test]
fn the_round_that_is_due_opens_by_itself_and_a_pane_that_was_asked_for_stays() {
    let play = Play::new(Agency::monday(), 100, 30);
    assert_eq!(play.model.pane(), Pane::Morning);
    for (hours, pane) in [(4, Pane::Midday), (9, Pane::EndOfDay)] {
        let play = Play::later(Agency::monday(), &crate::Options::default(), hours * HOUR_MS);
        assert_eq!(play.model.pane(), pane, "{}", play.text());
        let options = crate::Options { pane: Some(Pane::System), ..crate::Options::default() };
        let play = Play::later(Agency::monday(), &options, hours * HOUR_MS);
        assert_eq!(play.model.pane(), Pane::System);
    }
}

#[test]
fn a_note_of_the_evening_before_is_read_first() {
    let play = Play::new(Agency::monday().with_note(), 100, 30);
    let text = play.text();
    assert!(text.contains("Note from ada, 22 Nov 17:20: Pennywell's range copy is new, read it all"), "{text}");
}

#[test]
fn steps_turn_in_each_round_and_the_way_back_keeps_them() {
    let mut play = at(8, Agency::evening());
    play.keys("3 ]");
    assert!(play.text().contains("step 2 of 3"), "{}", play.text());
    play.keys("0 Ctrl-o");
    assert!(play.text().contains("End of day   step 2 of 3"), "{}", play.text());
    play.keys("] ]");
    assert!(play.text().contains("step 1 of 3"), "{}", play.text());
}
