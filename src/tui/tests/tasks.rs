//! Operators' tasks within their keys.

use desk::Command;

use super::fixture::{Agency, Play};
use crate::model::Open;

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

#[test]
fn thirty_items_that_are_rested_on_take_under_four_minutes_and_nothing_with_a_finding_slips_in() {
    let mut agency = Agency::monday();
    for number in 0..30_u8 {
        let toml = super::fixture::brief_toml(
            "crm",
            &format!("Test {number}"),
            "A longer hook raises replies, because it holds.",
            "hook",
            1,
            &format!("[control_variant]\nhook = \"Bread {number}\"\n[[test_variants]]\nhook = \"Loaf {number}\"\n"),
        );
        agency.add(super::fixture::Item {
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
