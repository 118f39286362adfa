//! Operators' tasks, by key presses in a real terminal, within their keys; a task has passed when the desk said so.
#![expect(clippy::disallowed_methods, reason = "an operator rests on an item in real time")]

mod support;

use std::time::{Duration, Instant};

use support::agency::{Agency, BriefText, POLICY};
use support::stand_in::StandIn;
use support::terminal::{Size, Terminal};

/// The window in which a task is hardest, and an operator's.
const SMALL: Size = (80, 24);
const WINDOW: Size = (100, 30);
/// How long an operator rests on an item.
const REST: Duration = Duration::from_millis(1_600);

/// The demo on Monday morning, its clock standing still.
fn monday(size: Size) -> Terminal {
    let arguments = ["demo", "--at", "08:45", "--seed", "1"];
    let terminal = Terminal::open(env!("CARGO_BIN_EXE_expos"), &arguments, &[("COLORTERM", "truecolor")], size);
    for seen in ["Clock, fire or hands?", "Number or scene?", "Line or list?", "live"] {
        terminal.wait_for(seen);
    }
    terminal.wait_until("all items read", Duration::from_secs(20), |screen| screen.matches("✓ clean").count() == 3);
    terminal
}

/// Presses `a` until the sheet is there: what is longer than the window is read on first.
fn open_sheet(terminal: &mut Terminal) {
    for _ in 0..6 {
        terminal.press("a");
        if terminal.screen().contains("y  approve") {
            terminal.wait_for_sheet("y  approve");
            return;
        }
    }
    terminal.wait_for("y  approve");
}

/// Approves every clean item at once.
fn approve_all(terminal: &mut Terminal) {
    terminal.press("*");
    terminal.press("a");
    terminal.wait_for_sheet("y  approve");
    terminal.press("y");
    terminal.wait_for("3 approved");
}

#[test]
fn a_clean_queue_is_approved_in_five_keys() {
    let mut terminal = monday(SMALL);
    approve_all(&mut terminal);
    assert!(terminal.pressed() <= 5);
}

#[test]
fn one_item_is_looked_at_and_approved_in_four_keys() {
    let mut terminal = monday(WINDOW);
    terminal.press("Enter");
    terminal.wait_for("Forty-hour dough");
    open_sheet(&mut terminal);
    terminal.press("y");
    terminal.wait_for("approved: 3 posts");
    assert!(terminal.pressed() <= 4, "{} keys", terminal.pressed());
}

#[test]
fn an_item_is_refused_as_off_brand_in_three_keys() {
    let mut terminal = monday(SMALL);
    terminal.press("x");
    terminal.wait_for_sheet("off brand");
    terminal.press("1");
    terminal.wait_for("sent back");
    assert!(terminal.pressed() <= 3);
}

#[test]
fn the_approval_just_given_is_taken_back_in_two_keys() {
    let mut terminal = monday(SMALL);
    open_sheet(&mut terminal);
    terminal.press("y");
    terminal.wait_for("approved: 3 posts");
    let before = terminal.pressed();
    terminal.press("u");
    terminal.wait_until("the item waiting again", Duration::from_secs(20), |s| s.matches("✓ clean").count() == 3);
    assert!(terminal.pressed() - before <= 2);
}

#[test]
fn the_most_urgent_thing_is_one_key_away() {
    let mut terminal = monday(WINDOW);
    terminal.press("0");
    terminal.wait_for("Last events");
    let before = terminal.pressed();
    terminal.press("n");
    let screen = terminal.wait_for("Clock, fire or hands?");
    assert!(screen.lines().any(|row| row.starts_with('▸') && row.contains("Clock, fire or hands?")), "{screen}");
    assert!(terminal.pressed() - before <= 1);
}

#[test]
fn a_round_with_nothing_left_is_signed_in_two_keys() {
    let mut terminal = monday(SMALL);
    approve_all(&mut terminal);
    let before = terminal.pressed();
    terminal.press("S");
    terminal.wait_for_sheet("y  sign");
    terminal.press("y");
    terminal.wait_for("signed 08:4");
    assert!(terminal.pressed() - before <= 2);
}

#[test]
fn the_words_that_differ_in_the_third_variant_are_three_keys_away() {
    let mut terminal = monday(SMALL);
    terminal.press("Enter");
    terminal.wait_for("Forty-hour dough");
    terminal.press("]");
    let screen = terminal.wait_for("Four hands, one bench");
    assert!(screen.contains("Forty-hour dough"), "the control stays beside it:\n{screen}");
    assert!(terminal.pressed() <= 3);
}

#[test]
fn first_week_08_thirty_items_that_are_rested_on_take_under_four_minutes_and_nothing_with_a_finding_slips_in() {
    let network = StandIn::new();
    let mut agency = Agency::unfounded();
    agency.ok(&["init"]);
    agency.start_engine();
    let mut codes = Vec::new();
    for number in 1..=32 {
        let client = format!("c{number:02}");
        let account = format!("{client}-bs");
        agency.ok(&["client", "new", &client, "--name", &client, "--zone", "UTC"]);
        agency.policy(&client, POLICY);
        network.connect(&agency, &client, &account);
        // Two of them say what a guard warns of.
        let body = if number % 16 == 0 { "The best bread in the world, guaranteed." } else { "Rye holds its water." };
        let name = format!("Ask or tell {number}");
        codes.push(
            agency.submit(
                &BriefText {
                    name: &name,
                    client: &client,
                    account: &account,
                    hooks: &["Do you know why a loaf sings?", "Listen to the oven."],
                    bodies: &[body],
                    first: 20_000 + 60 * number,
                    every: 600,
                    ages: &["1h"],
                    picture: None,
                }
                .toml(),
            ),
        );
    }
    let mut terminal = agency.dashboard(WINDOW);
    terminal.wait_until("thirty clean items", Duration::from_secs(60), |screen| screen.contains("32 left, 30 clean"));
    let began = Instant::now();
    let mut approved = 0;
    for _ in 0..32 {
        // The cursor stands on the next item by itself.
        std::thread::sleep(REST);
        let row = terminal.screen().lines().find(|row| row.starts_with('▸')).unwrap_or_default().to_owned();
        if row.contains("✓ clean") {
            terminal.press("a");
            terminal.wait_for_sheet("y  approve");
            terminal.press("y");
            approved += 1;
            let left = format!("{} left", 32 - approved);
            terminal.wait_until(&left, Duration::from_secs(10), |screen| screen.contains(&left) || approved == 32);
        } else {
            // What is not clean asks to be opened; its key alone approves nothing.
            terminal.press("j");
        }
    }
    assert_eq!(approved, 30, "{}", terminal.screen());
    assert!(began.elapsed() < Duration::from_secs(240), "{:?}", began.elapsed());
    for (code, number) in codes.iter().zip(1..) {
        let stage = agency.json(&["experiment", "show", code])["line"]["stage"]["is"].clone();
        let expected = if number % 16 == 0 { "awaiting_approval" } else { "scheduled" };
        assert_eq!(stage, expected, "{code}");
    }
}
