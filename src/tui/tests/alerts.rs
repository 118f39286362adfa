//! What a person must settle: found, taken, answered, handed over and put off by keys.

use desk::command::Verdict;
use desk::{Command, Stoppable};
use domain::role::Role;

use super::fixture::{Agency, alert, user};
use super::play::Play;
use crate::Pane;
use crate::key::Key;
use crate::message::What;

fn alarmed() -> Play {
    Play::new(Agency::alarmed(), 100, 30)
}

#[test]
fn an_alert_comes_first_and_a_post_in_doubt_is_settled_by_its_address() {
    let mut agency = Agency::monday();
    agency.escalations.push(alert());
    let mut play = Play::new(agency, 100, 30);
    assert!(play.text().contains("Nobody can tell whether post B2"), "{}", play.text());
    play.keys("a");
    assert!(matches!(play.acts.as_slice(), [Command::EscalationTake { .. }]), "{:?}", play.acts);
    play.keys("1");
    play.put(What::Paste("https://bsky.app/profile/q/post/3k".to_owned()));
    play.keys("Enter");
    play.key(Key::Char('y'));
    assert_eq!(play.acts.len(), 1, "too early a key confirms nothing");
    play.keys("y");
    let Some(Command::PostConfirm { verdict: Verdict::Live { url }, .. }) = play.acts.last() else {
        panic!("{:?}", play.acts)
    };
    assert_eq!(url, "https://bsky.app/profile/q/post/3k");
    assert!(play.model.sheets.is_empty());
}

#[test]
fn what_is_no_address_settles_nothing_and_stays_on_the_sheet() {
    let mut play = alarmed();
    play.keys("8 j a 1");
    play.type_text("yes it is");
    play.keys("Enter y");
    assert!(!play.acts.iter().any(|act| matches!(act, Command::PostConfirm { .. })), "{:?}", play.acts);
    assert!(play.text().contains("it needs the post's address"), "{}", play.text());
    assert!(play.text().contains("yes it is"), "{}", play.text());
}

#[test]
fn not_live_takes_the_handle_typed_and_a_reviewer() {
    let mut play = alarmed();
    play.keys("8 j a 2 Enter y");
    assert!(play.text().contains("it cannot be taken back: type @"), "{}", play.text());
    play.keys("e");
    play.type_text("queuebird.example");
    play.keys("Enter y");
    assert!(
        matches!(play.acts.last(), Some(Command::PostConfirm { verdict: Verdict::NotLive, .. })),
        "{:?}",
        play.acts
    );

    let mut agency = Agency::alarmed();
    agency.me = user(1001, "tomas", Role::Operator);
    let mut play = Play::new(agency, 100, 30);
    play.keys("8 j a 2");
    assert!(play.text().contains("an operator may not; it needs reviewer or admin"), "{}", play.text());
}

#[test]
fn the_advised_answer_is_the_first_and_takes_five_keys() {
    let mut play = alarmed();
    play.keys("8 a 1 y");
    assert_eq!(play.model.pane(), Pane::Escalations);
    let Some(Command::EscalationResolve { reason, .. }) = play.acts.last() else { panic!("{:?}", play.acts) };
    assert!(reason.starts_with("stay stopped, and ask the client"), "{reason}");
    assert!(!play.acts.iter().any(|act| matches!(act, Command::EscalationTake { .. })), "tomas has it, and keeps it");
}

#[test]
fn an_account_goes_on_with_a_reason_and_the_holds_that_were_shown() {
    let mut play = alarmed();
    play.keys("8 a 2");
    play.type_text("the label was a mistake, see their mail");
    play.keys("Enter y");
    let Some(Command::Resume { target: Stoppable::Account(account), reason, holds }) = play.acts.last() else {
        panic!("{:?}", play.acts)
    };
    assert_eq!((account.as_str(), holds.len()), ("crm-bs", 1));
    assert!(reason.contains("mistake"));
}

#[test]
fn it_is_taken_given_back_handed_over_and_put_off() {
    let mut play = alarmed();
    play.keys("8 j m");
    assert!(play.text().contains("It is yours."), "{}", play.text());
    play.keys("m");
    assert!(matches!(play.acts.last(), Some(Command::EscalationHand { to: None, .. })), "{:?}", play.acts);
    play.keys("L");
    assert!(play.text().contains("Hand over to whom?"), "{}", play.text());
    play.keys("3");
    assert!(
        matches!(play.acts.last(), Some(Command::EscalationHand { to: Some(to), .. }) if to == "ada"),
        "{:?}",
        play.acts
    );
    assert!(play.text().contains("ada has it now."), "{}", play.text());
    play.keys("s");
    assert!(play.text().contains("It is later, back 12:45."), "{}", play.text());
    play.keys("s");
    assert!(play.text().contains("it is put off already"), "{}", play.text());
}

#[test]
fn what_is_put_off_needs_nobody_until_it_is_back() {
    let mut play = alarmed();
    let before = play.model.needs().len();
    play.keys("8 j s");
    assert_eq!(play.model.needs().len(), before - 1);
    play.wait(4 * 3_600_000);
    assert_eq!(play.model.needs().len(), before);
}

#[test]
fn a_sheet_of_what_somebody_else_settled_is_closed_with_a_word() {
    let mut play = alarmed();
    play.keys("8 j a 1");
    play.agency.escalations.retain(|e| e.rule != "post.unconfirmed");
    let n = play.agency.events.last().unwrap().n + 1;
    let mut event = play.agency.events[0].clone();
    event.n = n;
    event.stream = "escalation/X".to_owned();
    play.agency.events.push(event);
    play.tell_news();
    assert!(play.model.sheets.is_empty() && play.text().contains("It was settled meanwhile"), "{}", play.text());
}

#[test]
fn a_viewer_is_told_which_role_settles() {
    let mut agency = Agency::alarmed();
    agency.me = user(1003, "vera", Role::Viewer);
    let mut play = Play::new(agency, 100, 30);
    for key in ["a", "m", "s", "L"] {
        play.keys(&format!("8 {key}"));
        assert!(play.acts.is_empty() && play.model.sheets.is_empty(), "{key}");
        assert!(play.text().contains("it needs operator or reviewer or admin"), "{key}: {}", play.text());
    }
}

#[test]
fn words_from_outside_stay_words() {
    let mut agency = Agency::alarmed();
    agency.escalations[1].evidence.push("label \u{1b}[2J\u{202e}gone".to_owned());
    let mut play = Play::new(agency, 160, 45);
    play.keys("8");
    assert!(play.text().contains("<U+202E>"), "{}", play.text());
}
