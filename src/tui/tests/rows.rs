//! Only rows that are shown are acted on: what filter or scope hides is no cursor's and no mark's business.

use desk::Command;

use super::fixture::{Agency, alert};
use super::play::Play;

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
fn refusing_or_putting_off_is_of_one_row_and_says_so_where_others_are_marked() {
    for (keys, said) in [("j x 1", "QUB-010 sent back: off brand."), ("j s", "QUB-010 is later, back 23:00.")] {
        let mut play = monday();
        play.agency.next_round = super::fixture::time("2026-11-23T23:00:00Z");
        let late = play.agency.by_code("QUB-010");
        for post in &mut play.agency.sheets.get_mut(&late).unwrap().posts {
            post.line.slot = super::fixture::time("2026-11-25T22:10:00Z");
        }
        play.keys("* g");
        play.keys(keys);
        assert_eq!(play.acts.len(), 1, "{keys}");
        let text = play.text();
        assert!(text.contains(&format!("{said} This one only; 2 stay marked. u takes it back.")), "{keys}: {text}");
        assert_eq!(play.model.morning.marked.len(), 2, "{keys}");
        assert_eq!(play.model.subject(), Some(play.agency.by_code("QUB-011")), "{keys}: on to the next");
    }
}

#[test]
fn what_the_desk_refuses_stays_under_the_cursor_with_its_mark() {
    let mut play = monday();
    // Its first slot is before the next round.
    play.agency.next_round = super::fixture::time("2026-11-23T18:00:00Z");
    let here = play.agency.by_code("CRM-018");
    play.keys("* g s");
    assert!(play.text().contains("CRM-018 was not put off"), "{}", play.text());
    assert_eq!((play.model.subject(), play.model.morning.marked.len()), (Some(here), 3));
    // Nor is its page closed.
    play.keys("Enter s");
    assert!(play.text().contains("CRM-018 was not put off"), "{}", play.text());
    assert!(matches!(play.model.place.open, Some(crate::model::Open::Approval(id)) if id == here));
}

#[test]
fn whoever_went_elsewhere_meanwhile_stays_there() {
    let mut play = monday();
    play.desk_answers = false;
    play.keys("x 1");
    assert_eq!(play.model.subject(), Some(play.agency.by_code("CRM-018")));
    play.keys("G");
    let number = *play.model.pending.keys().next().unwrap();
    let done = desk::Done::new("CRM-018 sent back: off brand", serde_json::json!({}));
    play.put(crate::message::What::Acted(number, Box::new(Ok(done))));
    assert_eq!(play.model.subject(), Some(play.agency.by_code("PNW-006")));
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
