//! A round is signed in two keys, for what stood on the sheet and nothing else (T25).

use desk::Command;
use domain::checkin;
use domain::role::Role;

use super::fixture::{Agency, alert, user};
use super::play::{Play, key};
use crate::Options;
use crate::rounds::Step;
use crate::sheets::Sheet;

/// Nothing waits and nothing is open.
fn calm() -> Agency {
    let mut agency = Agency::monday();
    agency.sheets.clear();
    agency
}

fn signed(play: &Play) -> Option<(&[desk::command::Looked], &str, &Option<String>)> {
    play.acts.iter().find_map(|command| {
        if let Command::CheckinSign { looked, note, shown, .. } = command {
            Some((looked.as_slice(), note.as_str(), shown))
        } else {
            None
        }
    })
}

#[test]
fn a_round_with_nothing_left_is_signed_in_two_keys_and_the_screen_says_so() {
    let mut play = Play::new(calm(), 80, 24);
    play.keys("S y");
    let (looked, note, shown) = signed(&play).unwrap();
    assert_eq!((looked.len(), note), (3, ""));
    assert!(shown.is_some());
    let text = play.text();
    assert!(text.contains("is signed by mia."), "{text}");
    assert!(text.contains("✓ 4 signed 09:12 by mia"), "{text}");
}

#[test]
fn enter_and_the_key_that_opened_it_sign_nothing_and_a_key_too_early_is_named() {
    let mut play = Play::new(calm(), 100, 30);
    play.keys("S");
    play.wait(100);
    play.key(key("y"));
    assert!(play.text().contains("y came before the sheet could be seen"), "{}", play.text());
    for again in ["Enter", "S", "a", "Space"] {
        play.wait(1_000);
        play.key(key(again));
    }
    assert!(signed(&play).is_none());
    assert!(matches!(play.model.sheets.last(), Some(Sheet::SignOff(_))));
    play.keys("Esc");
    assert!(play.model.sheets.is_empty() && play.acts.is_empty());
}

#[test]
fn work_that_is_left_is_asked_about_once_and_signed_with_the_note() {
    let mut play = Play::new(Agency::monday(), 100, 30);
    play.keys("S y");
    assert!(signed(&play).is_none());
    assert!(play.text().contains("Work is left: say who has it and why"), "{}", play.text());
    play.type_text("tomas takes them y");
    play.keys("Enter");
    assert!(signed(&play).is_none(), "Enter ends the note and signs nothing");
    play.keys("y");
    assert_eq!(signed(&play).unwrap().1, "tomas takes them y");
}

#[test]
fn the_sheet_says_what_was_done_what_is_left_and_when_each_step_was_looked_at() {
    let mut agency = Agency::monday();
    agency.escalations.push(alert());
    let mut play = Play::new(agency, 100, 30);
    play.keys("] ]");
    play.wait(60_000);
    play.keys("* a y S");
    let text = play.text();
    for words in [
        "alerts       1 open",
        "queue        1 item ",
        "08:45 to 08:46",
        "approved     3 experiments, 9 posts",
        "1  Nobody can tell whether post B2 of QUB-009 is out: nobody has taken it",
        "PNW-006 Range or round figure waits for a word",
        "midday round from 13:00",
    ] {
        assert!(text.contains(words), "{words}:\n{text}");
    }
}

/// An agency with so many alerts that nobody has taken, and one that jon has.
fn troubled(count: u8) -> Agency {
    let mut agency = calm();
    for n in 0..=count {
        let mut open = alert();
        open.id = domain::id::EscalationId::new(super::fixture::time(super::fixture::NOW), [n; 10]);
        open.what = format!("Trouble number {n}");
        open.owner = (n == count).then(|| "jon".to_owned());
        agency.escalations.push(open);
    }
    agency
}

#[test]
fn all_that_is_left_and_every_alert_stands_on_the_sheet_and_is_signed_once_its_end_was_on_the_screen() {
    let mut play = Play::new(troubled(30), 100, 30);
    play.keys("S e");
    play.type_text("jon takes them all");
    play.keys("Enter y");
    assert!(signed(&play).is_none());
    let text = play.text();
    assert!(text.contains("lines were not on the screen yet; nothing was signed"), "{text}");
    assert!(text.contains("y  signs at the end") && text.contains("lines below, j reads on"), "{text}");
    let mut seen = String::new();
    for _ in 0..40 {
        seen += &play.text();
        play.keys("j j");
    }
    seen += &play.text();
    for words in ["Trouble number 29", "post.unconfirmed: nobody has it", "post.unconfirmed: jon has it", "Next: "] {
        assert!(seen.contains(words), "{words}");
    }
    assert!(!play.text().contains("lines below"), "{}", play.text());
    play.keys("g y");
    assert_eq!(signed(&play).unwrap().1, "jon takes them all");
}

#[test]
fn a_note_is_kept_until_it_is_signed_whatever_closes_the_sheet() {
    let mut play = Play::new(calm(), 100, 30);
    play.keys("S e");
    play.type_text("tomas looks at noon");
    play.agency.escalations.push(alert());
    play.tell_news();
    assert!(play.model.sheets.is_empty() && play.text().contains("Your note is kept."), "{}", play.text());
    play.keys("S");
    assert!(play.text().contains("note tomas looks at noon"), "{}", play.text());
    play.keys("Esc S");
    assert!(play.text().contains("note tomas looks at noon"), "{}", play.text());
    // The desk refuses: something came in that no news told of.
    play.agency.escalations.clear();
    play.keys("y");
    assert!(play.text().contains("the round was not signed"), "{}", play.text());
    play.keys("S");
    assert!(play.text().contains("note tomas looks at noon"), "{}", play.text());
    play.keys("y");
    assert_eq!(play.model.rounds.notes.len(), 0, "{}", play.text());
}

#[test]
fn what_is_left_follows_what_happens_without_the_sheet() {
    let mut play = Play::new(Agency::monday(), 100, 30);
    play.keys("]");
    assert!(play.text().contains("4 things left"), "{}", play.text());
    let gone = play.agency.by_code("PNW-006");
    play.agency.sheets.remove(&gone);
    play.agency.escalations.push(alert());
    play.agency.escalations.push(alert());
    play.tell_news();
    assert!(play.text().contains("5 things left"), "{}", play.text());
    // On another pane nobody looks at it; it is asked again on the way back.
    play.keys("5");
    play.agency.escalations.clear();
    play.tell_news();
    play.keys("1");
    assert!(play.text().contains("3 things left"), "{}", play.text());
}

#[test]
fn a_signature_says_what_stood_there_when_it_was_looked_at_whatever_the_filter_hides() {
    let mut play = Play::new(Agency::monday(), 100, 30);
    play.keys("/");
    play.type_text("quiet");
    play.keys("Enter");
    play.keys("]");
    play.agency.sheets.clear();
    play.tell_news();
    play.keys("S");
    let text = play.text();
    assert!(text.contains("queue        4 items"), "{text}");
    play.keys("y");
    let looked = signed(&play).unwrap().0.iter().find(|look| look.step == checkin::Step::Queue).unwrap();
    assert_eq!(looked.what, "4 items");
}

#[test]
fn a_sheet_whose_round_changes_is_closed_and_nothing_is_signed() {
    let mut play = Play::new(calm(), 100, 30);
    play.keys("S");
    play.wait(1_000);
    play.agency.escalations.push(alert());
    play.tell_news();
    assert!(play.model.sheets.is_empty());
    assert!(play.text().contains("What is left changed meanwhile. Nothing was signed"), "{}", play.text());
}

#[test]
fn what_came_in_unseen_is_refused_by_the_desk_and_said() {
    let mut play = Play::new(calm(), 100, 30);
    play.keys("S");
    play.wait(1_000);
    play.agency.escalations.push(alert());
    play.key(key("y"));
    let text = play.text();
    assert!(signed(&play).is_some() && text.contains("the round was not signed"), "{text}");
    assert!(!text.contains("signed 09:12"), "{text}");
}

#[test]
fn a_signed_round_says_by_whom_and_is_not_signed_again() {
    let mut play = Play::new(calm(), 100, 30);
    play.keys("S y");
    play.wait(1_000);
    play.keys("S");
    assert!(play.text().contains("S does nothing now: it is signed 09:12 by mia."), "{}", play.text());
    assert!(play.text().contains("4 Sign off  signed 09:12 by mia"), "{}", play.text());
    assert_eq!(play.acts.len(), 1);
    play.wait(24 * 3_600_000);
    assert!(!play.text().contains("4 Sign off  signed"), "it was another day's:\n{}", play.text());
}

#[test]
fn one_clients_round_is_signed_for_that_client() {
    let mut play = Play::new(calm(), 100, 30);
    let options = Options { client: Some("crm".parse().unwrap()), ..Options::default() };
    let mut alone = Play::with(calm(), &options, 100, 30);
    alone.keys("S");
    alone.wait(500);
    assert!(alone.text().contains("sign for Crumb & Cinder"), "{}", alone.text());
    alone.key(key("y"));
    play.keys("S y");
    let client = |play: &Play| play.acts.first().map(|c| serde_json::to_value(c).unwrap()["client"].clone());
    assert_eq!((client(&play), client(&alone)), (Some(serde_json::Value::Null), Some("crm".into())));
}

#[test]
fn a_round_that_is_not_open_yet_says_when_it_is_and_signs_nothing() {
    let mut agency = calm();
    agency.today = super::fixture::time("2026-11-24T08:45:00Z");
    let mut play = Play::new(agency, 100, 30);
    play.keys("S");
    let text = play.text();
    assert!(text.contains("the round begins 09:00, it is signed from 07:00 on"), "{text}");
    assert!(play.model.sheets.is_empty() && play.acts.is_empty());
    play.wait(24 * 3_600_000);
    play.keys("S");
    assert!(play.text().contains("Sign off: Morning, Tue 24 Nov"), "{}", play.text());
}

#[test]
fn a_viewer_is_told_who_may_sign() {
    let mut agency = calm();
    agency.me = user(1000, "mia", Role::Viewer);
    let mut play = Play::new(agency, 100, 30);
    play.keys("S");
    assert!(play.text().contains("a viewer may not; it needs operator or reviewer or admin"), "{}", play.text());
    assert!(play.model.sheets.is_empty());
}

#[test]
fn the_fourth_step_lists_what_signing_would_leave() {
    let mut play = Play::new(Agency::monday(), 100, 30);
    play.keys("]");
    assert_eq!(play.model.morning.step, Step::SignOff);
    let text = play.text();
    assert!(text.contains("step 4 of 4") && text.contains("4 things left"), "{text}");
    assert!(text.contains("S signs the round, with a note."), "{text}");
    play.keys("j k G g a");
    assert!(play.acts.is_empty() && play.model.sheets.is_empty());
}

#[test]
fn a_round_that_somebody_signed_while_the_desk_was_away_is_shown_as_signed() {
    let mut play = Play::new(calm(), 100, 30);
    play.desk_answers = false;
    play.put(crate::message::What::FollowEnded);
    let checkin = domain::id::CheckinId::new(super::fixture::time(super::fixture::NOW), [2; 10]);
    let at = super::fixture::time("2026-11-23T09:20:00Z");
    let note = "nothing to tell".to_owned();
    play.agency.signed = Some(desk::rounds::Signature { checkin, by: "tomas".to_owned(), at, note });
    play.wait(8_000);
    assert!(!play.text().contains("by tomas"), "{}", play.text());
    play.desk_answers = true;
    play.wait(8_000);
    assert!(play.text().contains("4 Sign off  signed 09:20 by tomas"), "{}", play.text());
}

#[test]
fn another_persons_signature_comes_by_itself() {
    let mut play = Play::new(calm(), 100, 30);
    let checkin = domain::id::CheckinId::new(super::fixture::time(super::fixture::NOW), [2; 10]);
    let at = super::fixture::time("2026-11-23T09:20:00Z");
    play.agency.signed = Some(desk::rounds::Signature { checkin, by: "tomas".to_owned(), at, note: String::new() });
    let mut event = play.agency.events.last().unwrap().clone();
    (event.n, event.event, event.stream) = (event.n + 1, "checkin_signed".to_owned(), format!("checkin/{checkin}"));
    play.agency.events.push(event);
    play.tell_news();
    assert!(play.text().contains("4 Sign off  signed 09:20 by tomas"), "{}", play.text());
    play.keys("S");
    assert!(play.model.sheets.is_empty() && play.text().contains("it is signed 09:20 by tomas"), "{}", play.text());
}
