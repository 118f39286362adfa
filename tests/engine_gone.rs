//! The engine killed, stopped or late: every screen says so within fifteen seconds, nothing is begun into the void, and the
//! screens come back by themselves (I24).
#![expect(clippy::expect_used, reason = "what a test stands on fails the test, with words")]
#![expect(clippy::disallowed_methods, reason = "silence is waited for in real time")]

mod support;

use std::time::Duration;

use support::agency::{Agency, BriefText, POLICY};
use support::stand_in::StandIn;
use support::terminal::Terminal;
use twins::Fault;

/// Within this every screen has said so.
const LIMIT: Duration = Duration::from_secs(15);

/// An agency with one experiment in its queue, and its code.
fn agency() -> (Agency, String, StandIn) {
    let network = StandIn::new();
    let mut agency = Agency::with_client("rye");
    agency.start_engine();
    network.connect(&agency, "rye", "rye-bs");
    let code = agency.submit(&brief("rye", "Ask or tell", 7_200).toml());
    (agency, code, network)
}

fn brief<'a>(client: &'a str, name: &'a str, first: i64) -> BriefText<'a> {
    BriefText {
        name,
        client,
        account: ["rye-bs", "oak-bs", "elm-bs"].into_iter().find(|a| a.starts_with(client)).expect("an account"),
        hooks: &["Do you know why a loaf sings?", "Listen to the oven."],
        bodies: &["The crust cools faster than the crumb.", "Rye holds its water."],
        first,
        every: 2,
        ages: &["1h"],
        picture: None,
    }
}

/// A dashboard on each pane, in sizes that operators have.
fn screens(agency: &Agency) -> Vec<Terminal> {
    let mut screens = Vec::new();
    for (pane, size) in [("1", (80, 24)), ("5", (100, 30)), ("0", (160, 45))] {
        let mut terminal = agency.dashboard(size);
        terminal.wait_for("live");
        terminal.press(pane);
        screens.push(terminal);
    }
    screens
}

fn stage(agency: &Agency, code: &str) -> String {
    agency.json(&["experiment", "show", code])["line"]["stage"]["is"].as_str().expect("a stage").to_owned()
}

#[test]
fn a_killed_engine_is_told_on_every_screen_and_nothing_is_approved_into_the_void() {
    let (mut agency, code, _network) = agency();
    let mut screens = screens(&agency);
    let mut at_sheet = agency.dashboard((100, 30));
    at_sheet.wait_for("Binds to");
    at_sheet.press("a");
    at_sheet.wait_for_sheet("y  approve");
    agency.kill_engine();
    for terminal in &screens {
        terminal.wait_until("word of a lost desk", LIMIT, |screen| screen.contains("✗ Desk lost since"));
    }
    // A word that is given all the same is not taken.
    at_sheet.press("y");
    at_sheet.wait_until("a refusal", LIMIT, |screen| {
        screen.contains("not approved") || screen.contains("the desk is gone")
    });
    let morning = screens.first_mut().expect("a screen");
    morning.press("a");
    morning.wait_for("the desk is gone");
    assert!(!morning.screen().contains("What will happen"), "{}", morning.screen());
    assert_eq!(stage(&agency, &code), "awaiting_approval");

    agency.start_engine();
    for terminal in &screens {
        terminal.wait_until("life", Duration::from_secs(20), |screen| screen.contains("live"));
    }
    assert_eq!(stage(&agency, &code), "awaiting_approval");
}

#[test]
fn a_stopped_engine_is_told_on_every_screen_and_what_was_pressed_meanwhile_is_not_done_later() {
    let (agency, code, _network) = agency();
    let mut screens = screens(&agency);
    let engine = i32::try_from(agency.engine_pid()).ok().and_then(rustix::process::Pid::from_raw).expect("a process");
    rustix::process::kill_process(engine, rustix::process::Signal::STOP).expect("the engine can be stopped");
    for terminal in &screens {
        terminal.wait_until("word of a silent desk", LIMIT, |screen| {
            screen.contains("stale") || screen.contains("✗ Desk lost since")
        });
    }
    let morning = screens.first_mut().expect("a screen");
    for key in ["a", "y"] {
        morning.press(key);
    }
    rustix::process::kill_process(engine, rustix::process::Signal::CONT).expect("the engine goes on");
    for terminal in &screens {
        terminal.wait_until("life", Duration::from_secs(20), |screen| screen.contains("live"));
    }
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(stage(&agency, &code), "awaiting_approval");
}

#[test]
fn a_late_engine_is_told_on_every_screen_by_the_name_of_the_task() {
    let (agency, first, network) = agency();
    agency.approve(&first);
    for client in ["oak", "elm"] {
        agency.ok(&["client", "new", client, "--name", client, "--zone", "UTC"]);
        agency.policy(client, POLICY);
        network.connect(&agency, client, &format!("{client}-bs"));
    }
    // Every look at what went out takes half a minute to be answered: the task that looks is late with all else it has to do.
    network.twin.rule("getRecord", Fault::Slow(Duration::from_secs(25)), 60);
    for client in ["oak", "elm"] {
        let code = agency.submit(&brief(client, "Soon", 30).toml());
        agency.approve(&code);
    }
    let screens = screens(&agency);
    agency.wait_for("a late task", Duration::from_secs(180), || {
        let health = agency.expos(&["health"]);
        let words = String::from_utf8_lossy(&health.stdout).into_owned();
        if words.contains("late ") && health.status.code() != Some(0) { Ok(()) } else { Err(words) }
    });
    let words = ["! late", "! late 1 min: verify", "! late 1 min: verify"];
    for (terminal, words) in screens.iter().zip(words) {
        terminal.wait_until("word of a late engine", LIMIT, |screen| screen.contains(words));
    }
}
