//! Only rows that are shown are acted on: what filter or scope hides is no cursor's and no mark's business.

use desk::Command;

use super::fixture::{Agency, Play, alert};

fn monday() -> Play {
    Play::new(Agency::monday(), 100, 30)
}

fn approved(play: &Play) -> Vec<&str> {
    let codes = play.acts.iter().map(|command| {
        let Command::Approve { experiment, .. } = command else { panic!("{command:?}") };
        experiment.as_str()
    });
    codes.collect()
}

/// Narrows the list by what is typed.
fn narrow(play: &mut Play, words: &str) {
    play.keys("/");
    play.type_text(words);
    play.keys("Enter");
}

#[test]
fn a_row_that_the_filter_hides_is_not_acted_on() {
    let mut play = monday();
    narrow(&mut play, "zzz");
    for key in ["a", "x", "s", "v", "Space", "V", "Enter", "w"] {
        play.keys(key);
        assert!(play.model.sheets.is_empty() && play.model.place.open.is_none(), "{key}: {}", play.text());
        play.keys("y 1");
        assert!(play.acts.is_empty() && play.model.morning.marked.is_empty(), "{key}");
    }
    play.keys("a");
    assert!(play.text().contains("a does nothing now: no row that is shown here is under the cursor."));
    play.keys("!");
    assert!(!play.text().contains("this experiment"), "{}", play.text());
    play.keys("Esc Esc a y");
    assert_eq!(approved(&play), ["CRM-018"], "shown again, it is under the cursor again");
}

#[test]
fn an_experiment_that_the_filter_hides_is_not_paused() {
    let mut play = monday();
    play.keys("5");
    narrow(&mut play, "zzz");
    for key in ["p", "a", "Enter", "w"] {
        play.keys(key);
        assert!(play.model.sheets.is_empty() && play.model.place.open.is_none(), "{key}: {}", play.text());
    }
    assert!(play.acts.is_empty());
}

#[test]
fn an_alert_that_the_scope_hides_is_neither_taken_nor_settled() {
    let mut agency = Agency::monday();
    agency.escalations.push(alert());
    let mut play = Play::new(agency, 100, 30);
    // The alert is Queuebird's, the item under the cursor of the queue Crumb & Cinder's.
    play.keys("] ] f [ [");
    assert!(!play.text().contains("Nobody can tell"), "{}", play.text());
    play.keys("m a w");
    assert!(play.acts.is_empty() && play.model.sheets.is_empty());
}

#[test]
fn marks_that_the_filter_hides_are_named_and_nothing_is_approved_for_them() {
    let mut play = monday();
    play.keys("*");
    narrow(&mut play, "zzz");
    assert!(play.text().contains("0 of 0 marked, 3 not shown"), "{}", play.text());
    play.keys("a");
    assert!(play.text().contains("the 3 items that are marked are not shown here"), "{}", play.text());
    play.keys("y");
    assert!(play.acts.is_empty() && play.model.sheets.is_empty());
}

#[test]
fn one_clients_marks_alone_are_approved_while_one_client_is_shown() {
    let mut play = monday();
    play.keys("* f a");
    let text = play.text();
    assert!(text.contains("Approve CRM-018: 3 posts on 1 account."), "{text}");
    assert!(text.contains("Number or scene?: marked, but not shown here"), "{text}");
    play.keys("y");
    assert_eq!(approved(&play), ["CRM-018"]);
    assert_eq!(play.model.morning.marked.len(), 2, "the others keep their marks");
}
