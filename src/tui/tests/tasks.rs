//! Operators' tasks within their keys.

use desk::Command;

use domain::escalation::{Escalation, Urgency};
use domain::id::EscalationId;

use super::fixture::{Agency, alert};
use super::play::Play;
use crate::Pane;
use crate::model::Open;
use crate::rounds::Step;

/// Presses keys and returns how many it took.
fn within(play: &mut Play, most: usize, keys: &str) {
    play.keys(keys);
    assert!(keys.split(' ').count() <= most);
}

fn monday() -> Play {
    Play::new(Agency::monday(), 80, 24)
}

#[test]
fn a_clean_queue_is_approved_in_three_keys() {
    let mut play = monday();
    within(&mut play, 5, "* a y");
    let approved = play.acts.iter().filter(|command| matches!(command, Command::Approve { .. })).count();
    assert_eq!(approved, 3);
    assert!(play.text().contains("3 approved"), "{}", play.text());
}

#[test]
fn one_item_is_looked_at_then_approved() {
    let mut play = monday();
    within(&mut play, 4, "Enter a y");
    assert!(matches!(play.acts.as_slice(), [Command::Approve { experiment, .. }] if experiment == "CRM-018"));
}

#[test]
fn an_item_is_refused_as_off_brand() {
    let mut play = monday();
    within(&mut play, 3, "x 1");
    assert!(matches!(play.acts.as_slice(), [Command::Reject { .. }]));
}

#[test]
fn the_approval_just_given_is_taken_back() {
    let mut play = monday();
    play.keys("a y");
    within(&mut play, 2, "u");
    assert!(matches!(play.acts.last(), Some(Command::Undo { .. })));
}

#[test]
fn an_experiment_that_is_not_on_the_screen_is_paused_by_name() {
    let mut play = monday();
    play.keys("!");
    play.type_text("steam");
    play.keys("Enter");
    assert!(matches!(play.acts.as_slice(), [Command::Pause { .. }]));
}

#[test]
fn everything_of_the_items_client_is_stopped() {
    let mut play = monday();
    within(&mut play, 3, "! 3");
    assert!(
        matches!(play.acts.as_slice(), [Command::Pause { target: desk::Stoppable::Client(client), .. }] if client.as_str() == "crm")
    );
}

#[test]
fn the_words_that_differ_in_the_last_variant_are_one_key_from_the_item() {
    let mut play = monday();
    within(&mut play, 3, "Enter ]");
    assert!(matches!(play.model.place.open, Some(Open::Approval(_))));
    assert!(play.text().contains("Four hands, one bench"), "{}", play.text());
    let buffer = play.buffer();
    let theme = &play.model.setting.theme;
    let painted = theme.pair(crate::theme::Pair::Diff).bg;
    assert!(buffer.content().iter().any(|cell| Some(cell.bg) == painted));
}

/// What is under the cursor.
fn under(play: &Play) -> String {
    let alert = play.model.escalations.list.cursor().map(|id| format!("alert {id}"));
    let item = play.model.subject().and_then(|id| play.model.known.line(id)).map(|line| line.code.clone());
    match play.model.pane() {
        Pane::Morning if play.model.morning.step == Step::Alerts => alert.unwrap_or_default(),
        Pane::Midday | Pane::EndOfDay | Pane::Layers | Pane::Accounts | Pane::Escalations | Pane::Memory => {
            alert.unwrap_or_default()
        }
        Pane::Morning | Pane::Experiments => item.unwrap_or_default(),
        Pane::System => "the engine".to_owned(),
    }
}

fn escalated(number: u8, urgency: Urgency, minute: &str) -> Escalation {
    let at = super::fixture::time(super::fixture::NOW);
    let due = format!("2026-11-23T12:{minute}:00Z").parse().unwrap();
    Escalation { id: EscalationId::new(at, [number; 10]), urgency, due, ..alert() }
}

#[test]
fn the_most_urgent_thing_in_the_house_is_one_key_from_the_dashboard_just_opened() {
    let (calm, high, late, critical) = (
        escalated(1, Urgency::Normal, "00"),
        escalated(2, Urgency::High, "10"),
        escalated(3, Urgency::High, "50"),
        escalated(4, Urgency::Critical, "59"),
    );
    let mut agency = Agency::monday();
    agency.escalations = vec![late.clone(), calm.clone(), critical.clone(), high.clone()];
    for pane in [None, Some(Pane::Experiments), Some(Pane::System)] {
        let options = crate::Options { pane, ..crate::Options::default() };
        let mut play = Play::with(agency.clone(), &options, 80, 24);
        assert!(play.text().contains("✦ 8"), "{}", play.text());
        within(&mut play, 1, "n");
        assert_eq!(under(&play), format!("alert {}", critical.id), "{pane:?}");
        for next in [&high, &late, &calm] {
            play.keys("n");
            assert_eq!(under(&play), format!("alert {}", next.id), "{pane:?}");
        }
        play.keys("n");
        assert_eq!(under(&play), "CRM-018", "{pane:?}");
        play.keys("N");
        assert_eq!(under(&play), format!("alert {}", calm.id), "{pane:?}");
    }
    let mut play = Play::new(agency.clone().without_engine(), 80, 24);
    within(&mut play, 1, "n");
    assert_eq!(under(&play), "the engine");
}

#[test]
fn what_comes_in_and_hurries_more_is_next_and_the_way_back_leads_to_the_row() {
    let mut play = monday();
    play.keys("n n n");
    assert_eq!(under(&play), "QUB-011");
    let critical = escalated(4, Urgency::Critical, "59");
    play.agency.escalations.push(critical.clone());
    let n = play.agency.events.last().unwrap().n + 1;
    let mut event = play.agency.events.last().unwrap().clone();
    (event.n, event.stream) = (n, format!("escalation/{}", critical.id));
    play.agency.events.push(event);
    play.tell_news();
    within(&mut play, 1, "n");
    assert_eq!(under(&play), format!("alert {}", critical.id));
    within(&mut play, 1, "Ctrl-o");
    assert_eq!(under(&play), "QUB-011");
    play.keys("n");
    assert_eq!(under(&play), "PNW-006", "the one after, not the alert again");
}

#[test]
fn an_alert_that_somebody_else_has_taken_needs_nobody_more() {
    let taken = |by: &str| Escalation { owner: Some(by.to_owned()), ..escalated(4, Urgency::Critical, "59") };
    for (by, count) in [("tomas", "✦ 4"), ("mia", "✦ 5")] {
        let mut agency = Agency::monday();
        agency.escalations = vec![taken(by)];
        let mut play = Play::new(agency, 80, 24);
        assert!(play.text().contains(count), "{by}: {}", play.text());
        play.keys("n");
        assert_eq!(under(&play).starts_with("alert"), by == "mia", "{by}");
    }
}

#[test]
fn a_round_with_nothing_left_is_signed_off_in_two_keys() {
    let mut agency = Agency::monday();
    agency.sheets.clear();
    let mut play = Play::new(agency, 80, 24);
    within(&mut play, 2, "S y");
    assert!(matches!(play.acts.as_slice(), [Command::CheckinSign { .. }]));
    assert!(play.text().contains("is signed by mia."), "{}", play.text());
}

#[test]
fn thirty_items_that_are_rested_on_take_under_four_minutes_and_nothing_with_a_finding_slips_in() {
    let mut agency = Agency::monday();
    for number in 0..30_u8 {
        let toml = super::items::brief_toml(
            "crm",
            &format!("Test {number}"),
            "A longer hook raises replies, because it holds.",
            "hook",
            1,
            &format!("[control_variant]\nhook = \"Bread {number}\"\n[[test_variants]]\nhook = \"Loaf {number}\"\n"),
        );
        agency.add(super::items::Item {
            number: 100 + number,
            code: Box::leak(format!("CRM-{}", 100 + u16::from(number)).into_boxed_str()),
            toml,
            plan: vec![('A', 1, "2026-11-24T10:00:00Z"), ('B', 1, "2026-11-27T10:00:00Z")],
            findings: Vec::new(),
            level: domain::approval::ApprovalLevel::Review,
            needed: 1,
        });
    }
    let mut play = Play::new(agency, 100, 30);
    let start = play.real_ms;
    for _ in 0..34 {
        play.wait(5_000);
        play.keys("a");
        if play.model.sheets.is_empty() {
            // It opened instead, since it is not clean; the operator leaves it for later.
            play.keys("Esc j");
        } else {
            play.keys("y");
        }
    }
    assert!(play.real_ms - start < 240_000);
    let approved: Vec<&str> =
        play.acts
            .iter()
            .filter_map(|command| {
                if let Command::Approve { experiment, .. } = command { Some(experiment.as_str()) } else { None }
            })
            .collect();
    assert_eq!(approved.len(), 33);
    assert!(!approved.contains(&"PNW-006"));
}
