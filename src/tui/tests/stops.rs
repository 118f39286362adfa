//! Stops and who ends them: what is promised, and the key on System that lets everything go on.

use desk::query::Verdict;
use desk::{Command, Stoppable};
use domain::hold::{Hold, HoldCause};
use domain::role::Role;

use super::fixture::{Agency, NOW, time, user};
use super::play::{Play, key};
use crate::message::{Ask, What};
use crate::sheets::Sheet;
use crate::{Message, Moment, update};

/// The same morning with all of it stopped.
fn held(role: Role) -> Agency {
    let mut agency = Agency::monday();
    agency.me = user(1000, "mia", role);
    let at = time("2026-11-23T08:30:00Z");
    let hold =
        Hold { cause: HoldCause::Operator, by: "tomas".to_owned(), at, reason: "a fire".to_owned(), signal: None };
    agency.health.verdict = Verdict::DeadOrHeld;
    agency.health.lines = vec!["on hold since 08:30 by tomas: a fire".to_owned()];
    agency.health.holds = vec![hold];
    agency
}

fn as_a(role: Role) -> Play {
    let mut agency = Agency::monday();
    agency.me = user(1000, "mia", role);
    Play::new(agency, 100, 30)
}

#[test]
fn a_stop_of_everything_promises_no_way_back_to_who_has_none() {
    for role in [Role::Operator, Role::Reviewer] {
        let mut play = as_a(role);
        play.keys("! 4");
        assert!(matches!(play.acts.as_slice(), [Command::Pause { target: Stoppable::Agency, .. }]));
        let text = play.text();
        assert!(text.contains("An admin lets it go on.") && !text.contains("takes it back"), "{text}");
        play.keys("u");
        assert_eq!(play.acts.len(), 1, "{role}: nothing is sent that would be refused");
        assert!(play.text().contains("Your stop stays. An admin lets it go on."), "{}", play.text());
    }
    let mut play = as_a(Role::Admin);
    play.keys("! 4");
    assert!(play.text().contains("u takes it back."), "{}", play.text());
    play.keys("u");
    assert!(matches!(play.acts.last(), Some(Command::Resume { target: Stoppable::Agency, .. })));
}

#[test]
fn the_act_before_a_stop_that_stays_is_named_before_it_is_taken_back() {
    let mut play = as_a(Role::Reviewer);
    play.keys("a y ! 4 u");
    assert_eq!(play.acts.len(), 2);
    assert!(
        play.text().contains("An admin lets it go on. u again takes back: your approval of CRM-018"),
        "{}",
        play.text()
    );
    play.keys("u");
    assert!(matches!(play.acts.last(), Some(Command::Undo { experiment, .. }) if experiment == "CRM-018"));
}

#[test]
fn a_stop_of_one_client_is_taken_back_by_who_stopped_it() {
    let mut play = as_a(Role::Operator);
    play.keys("! 3");
    assert!(play.text().contains("u takes it back."), "{}", play.text());
    play.keys("u");
    assert!(matches!(play.acts.last(), Some(Command::Resume { target: Stoppable::Client(_), .. })));
}

#[test]
fn an_admin_lets_everything_go_on_from_system_with_a_reason() {
    let mut play = Play::new(held(Role::Admin), 100, 30);
    play.keys("0");
    assert!(play.text().contains("p let all go on"), "{}", play.text());
    play.keys("p");
    let text = play.text();
    assert!(text.contains("Let everything go on.") && text.contains("by tomas: a fire"), "{text}");
    play.type_text("it is out");
    play.keys("Enter y");
    assert!(
        matches!(play.acts.as_slice(), [Command::Resume { target: Stoppable::Agency, reason, holds }] if reason == "it is out" && holds.len() == 1)
    );
    let mut play = Play::new(held(Role::Admin), 100, 30);
    play.keys("0 ?");
    play.type_text("let everything");
    assert!(play.text().contains("let everything go on while all of it is stopped"), "{}", play.text());
}

#[test]
fn nobody_else_sees_that_key_and_is_told_who_has_it() {
    for role in [Role::Viewer, Role::Operator, Role::Reviewer] {
        let mut play = Play::new(held(role), 100, 30);
        play.keys("0");
        assert!(!play.text().contains("let all go on"), "{role}: {}", play.text());
        play.keys("p");
        assert!(play.model.sheets.is_empty() && play.text().contains("it needs admin"), "{role}: {}", play.text());
        play.keys("w");
        let text = play.text();
        assert!(text.contains("an admin lets everything go on with p"), "{role}: {text}");
        assert!(text.contains("p let all go on:") && text.contains("it needs admin"), "{role}: {text}");
    }
    // An admin of some clients does not speak for the others.
    let mut agency = held(Role::Admin);
    agency.me.clients = Some(vec!["crm".parse().unwrap()]);
    let mut play = Play::new(agency, 100, 30);
    play.keys("0 p");
    assert!(play.text().contains("it needs an admin of all clients"), "{}", play.text());
}

#[test]
fn where_nothing_is_stopped_there_is_nothing_to_let_go_on() {
    let mut play = as_a(Role::Admin);
    play.keys("0 p");
    assert!(play.model.sheets.is_empty() && play.text().contains("nothing stops everything"), "{}", play.text());
}

#[test]
fn what_is_approved_while_everything_is_stopped_is_told_to_wait() {
    let mut play = Play::new(held(Role::Reviewer), 100, 30);
    play.keys("a");
    assert!(matches!(play.model.sheets.last(), Some(Sheet::Approve(_))));
    assert!(play.text().contains("everything is on hold: what is approved goes out once that is over"));
}

/// Presses a key at a moment of the agency's day, half a second of real time later.
fn press_at(play: &mut Play, wall: &str, name: &str) -> Vec<Command> {
    play.real_ms += 500;
    let at = Moment { real_ms: play.real_ms, wall: time(wall) };
    let effects = update(&mut play.model, Message { at, what: What::Key(key(name)) });
    effects.acts.into_iter().map(|(_, command)| command).collect()
}

#[test]
fn a_stop_is_taken_back_at_once_within_two_minutes_of_the_agencys_day_and_with_a_reason_after() {
    let stopped = || {
        let mut play = as_a(Role::Operator);
        play.keys("! 1");
        assert!(matches!(play.acts.as_slice(), [Command::Pause { .. }]));
        play
    };
    let mut play = stopped();
    assert!(matches!(press_at(&mut play, "2026-11-23T08:45:25Z", "u").as_slice(), [Command::Resume { .. }]));
    // Named first, then at once.
    let mut play = stopped();
    assert!(press_at(&mut play, "2026-11-23T08:46:20Z", "u").is_empty());
    assert!(play.text().contains("u again takes back: your stop"), "{}", play.text());
    assert!(matches!(press_at(&mut play, "2026-11-23T08:46:30Z", "u").as_slice(), [Command::Resume { .. }]));
    // A clock that runs fast: a second at the desk, hours of the agency's day.
    let mut play = stopped();
    assert!(press_at(&mut play, "2026-11-23T11:00:00Z", "u").is_empty());
    assert!(press_at(&mut play, "2026-11-23T11:15:00Z", "u").is_empty());
    assert!(matches!(play.model.sheets.last(), Some(Sheet::Resume(_))));
    // One that stands still: whatever was meant, no slot has passed.
    let mut play = as_a(Role::Operator);
    press_at(&mut play, NOW, "!");
    let number = 1 + play.model.next_number;
    assert!(matches!(press_at(&mut play, NOW, "1").as_slice(), [Command::Pause { .. }]));
    let at = Moment { real_ms: play.real_ms, wall: time(NOW) };
    let done = desk::Done::new("stopped", serde_json::json!({"hold": "7f3a91c2"}));
    update(&mut play.model, Message { at, what: What::Acted(number, Box::new(Ok(done))) });
    play.real_ms += 600_000;
    let at = Moment { real_ms: play.real_ms, wall: time(NOW) };
    let life = What::Answered(Ask::Health, Box::new(play.agency.told(&Ask::Health)));
    update(&mut play.model, Message { at, what: life });
    assert!(matches!(press_at(&mut play, NOW, "u").as_slice(), [Command::Resume { .. }]));
}

#[test]
fn a_stop_of_what_has_changed_since_is_not_taken_back_without_a_reason() {
    let own = ("mia", "experiment_paused");
    for (told, changed) in [
        (vec![own], false),
        (vec![own, ("engine", "experiment_paused")], true),
        (vec![("tomas", "experiment_edited"), own], false),
        (vec![own, ("tomas", "experiment_edited")], true),
    ] {
        let mut play = as_a(Role::Operator);
        play.keys("! 1");
        for (actor, event) in &told {
            let mut line = play.agency.events.last().unwrap().clone();
            line.n += 1;
            line.stream = format!("experiment/{}", play.agency.by_code("CRM-018"));
            (line.actor, line.event) = ((*actor).to_owned(), (*event).to_owned());
            // A clock that stands still gives all of them one time.
            line.at = play.model.acts.last().unwrap().at.wall;
            play.agency.events.push(line);
        }
        play.tell_news();
        play.keys("u");
        let asked = matches!(play.model.sheets.last(), Some(Sheet::Resume(_)));
        assert_eq!((asked, play.acts.len()), (changed, if changed { 1 } else { 2 }), "{told:?}");
    }
}
