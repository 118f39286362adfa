//! The dashboard as a guest in a terminal: whatever happens to the line, the window or the screen, the engine goes on and
//! the terminal is given back.
#![expect(clippy::expect_used, reason = "what a test stands on fails the test, with words")]
#![expect(clippy::disallowed_methods, reason = "idleness is watched for in real time")]

mod support;

use std::time::Duration;

use rustix::process::{Pid, Signal, getsid, kill_process, test_kill_process};
use support::agency::Agency;
use support::terminal::Terminal;

/// A home whose engine the dashboard starts by itself; the engine is ended with the test.
struct Own {
    agency: Agency,
    engine: Pid,
}

impl Own {
    fn open() -> (Self, Terminal) {
        let agency = Agency::with_client("rye");
        let terminal = agency.dashboard((100, 30));
        terminal.wait_for("live");
        let pid = agency.json(&["engine", "status"])["pid"].as_i64().expect("the engine's process");
        let engine = Pid::from_raw(i32::try_from(pid).expect("a process")).expect("a process");
        (Self { agency, engine }, terminal)
    }

    fn runs(&self) -> bool {
        test_kill_process(self.engine).is_ok() && self.agency.expos(&["health"]).status.code() == Some(0)
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        let _gone = kill_process(self.engine, Signal::TERM);
    }
}

fn process(terminal: &Terminal) -> Pid {
    Pid::from_raw(i32::try_from(terminal.pid()).expect("a process")).expect("a process")
}

/// The state of a process, as the kernel says it: `S`, `T`, `Z`.
fn state(process: Pid) -> char {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", process.as_raw_nonzero())).unwrap_or_default();
    stat.rsplit(") ").next().and_then(|rest| rest.chars().next()).unwrap_or('-')
}

fn how_often(bytes: &[u8], sequence: &str) -> usize {
    bytes.windows(sequence.len()).filter(|window| *window == sequence.as_bytes()).count()
}

#[test]
fn the_engine_it_starts_is_in_a_session_of_its_own_and_outlives_a_hang_up() {
    let (own, mut terminal) = Own::open();
    let dashboard = process(&terminal);
    let session = |process| getsid(Some(process)).expect("a session");
    assert_ne!(session(own.engine), session(dashboard));
    kill_process(dashboard, Signal::HUP).expect("the dashboard runs");
    terminal.ended(Duration::from_secs(3));
    assert!(own.runs(), "{}", own.agency.log_text());
}

#[test]
fn leaving_asks_about_the_engine_it_started_and_keeps_it_when_told_to() {
    let (own, mut terminal) = Own::open();
    terminal.press("Ctrl-c");
    terminal.press("Ctrl-c");
    let sheet = terminal.wait_for("the engine goes on");
    assert!(own.runs(), "{sheet}");
    terminal.press("b");
    assert_eq!(terminal.ended(Duration::from_secs(5)), 0);
    assert!(own.runs());
    assert_eq!(how_often(&terminal.bytes(), "\u{1b}[?1049l"), 1, "the terminal is given back once");
}

#[test]
fn a_suspended_screen_gives_the_terminal_back_stops_no_engine_and_comes_back_whole() {
    let (own, mut terminal) = Own::open();
    let before = terminal.wait_for("Queue");
    let dashboard = process(&terminal);
    terminal.press("Ctrl-z");
    terminal.wait_until("a stopped dashboard", Duration::from_secs(5), |_| state(dashboard) == 'T');
    assert_eq!(how_often(&terminal.bytes(), "\u{1b}[?1049l"), 1);
    assert!(own.runs());
    kill_process(dashboard, Signal::CONT).expect("it goes on");
    terminal.wait_until("the screen again", Duration::from_secs(5), |screen| screen.contains("Queue"));
    assert_eq!(how_often(&terminal.bytes(), "\u{1b}[?1049h"), 2);
    assert_eq!(terminal.screen().lines().count(), before.lines().count());
}

#[test]
fn every_size_is_drawn_and_a_paste_outside_of_a_field_is_no_key() {
    let (own, mut terminal) = Own::open();
    terminal.wait_for("Queue");
    for size in [(220, 60), (160, 45), (80, 24), (60, 16), (20, 5), (1, 1), (400, 100), (100, 30)] {
        terminal.resize(size);
        assert_eq!(state(process(&terminal)), 'S', "at {size:?}");
    }
    terminal.wait_for("Queue");
    terminal.paste("!4 q y\n");
    terminal.wait_for("ignored");
    assert!(own.agency.ok(&["client", "show", "rye"]).contains("rye") && own.runs());
}

#[test]
fn a_key_after_a_change_of_size_is_not_held_back_until_the_next_one() {
    let (own, mut terminal) = Own::open();
    for (pane, shown) in [("5", "No experiments"), ("0", "Last events"), ("1", "Queue empty")] {
        let size = if pane == "0" { (110, 31) } else { (100, 30) };
        terminal.resize(size);
        terminal.press(pane);
        terminal.wait_until(shown, Duration::from_secs(3), |screen| screen.contains(shown));
    }
    // While nothing is pressed the reader sleeps.
    let before = ticks(process(&terminal));
    std::thread::sleep(Duration::from_secs(3));
    assert!(ticks(process(&terminal)) - before <= 5, "it is busy with nothing");
    assert!(own.runs());
}

/// Processor time of a process, in hundredths of a second.
fn ticks(process: Pid) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", process.as_raw_nonzero())).expect("it runs");
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap_or_default().split(' ').collect();
    let field = |n: usize| fields.get(n).and_then(|text| text.parse::<u64>().ok()).expect("a number");
    field(11) + field(12)
}
