//! The demo in a real terminal, with nothing set up: the same seed and time give the same screens, a clock that stands still
//! costs no byte, and a post that was approved while it stood goes out once the clock runs.
#![expect(clippy::disallowed_methods, reason = "what must not happen is waited for in real time")]

mod support;

use std::time::Duration;

use support::terminal::{Size, Terminal};

/// An operator's window, and a large one.
const WINDOW: Size = (100, 30);
const LARGE: Size = (160, 45);

fn demo(arguments: &[&str], size: Size) -> Terminal {
    let colours = [("COLORTERM", "truecolor")];
    let terminal = Terminal::open(env!("CARGO_BIN_EXE_expos"), &[&["demo"], arguments].concat(), &colours, size);
    for name in ["Clock, fire or hands?", "Number or scene?", "Line or list?"] {
        terminal.wait_for(name);
    }
    terminal.wait_for("live");
    terminal.wait_for("Binds to");
    terminal.settle();
    terminal
}

#[test]
fn the_same_seed_and_time_give_the_same_screens() {
    let screens = |seed: &str| {
        let mut terminal = demo(&["--at", "09:30", "--seed", seed], LARGE);
        let mut screens = vec![terminal.screen()];
        terminal.press("Enter");
        terminal.wait_for("▀▀▀▀");
        screens.push(terminal.wait_for("Seen in full."));
        for (key, shown) in [("Esc", "first slot"), ("5", "3 experiments")] {
            terminal.press(key);
            screens.push(terminal.wait_for(shown));
        }
        screens
    };
    let first = screens("7");
    assert_eq!(first, screens("7"));
    assert_ne!(first, screens("8"), "another seed draws other plans");
}

#[test]
fn a_clock_that_stands_still_costs_no_byte_and_goes_on_at_a_key() {
    let mut terminal = demo(&["--at", "09:30"], WINDOW);
    assert!(terminal.screen().contains("DEMO stopped"), "{}", terminal.screen());
    let written = terminal.bytes().len();
    std::thread::sleep(Duration::from_secs(4));
    assert_eq!(terminal.bytes().len(), written, "something was drawn:\n{}", terminal.screen());
    terminal.press("+");
    terminal.wait_for("DEMO 1x");
    terminal.press("-");
    terminal.wait_for("DEMO stopped");
    terminal.press("Ctrl-c");
    terminal.press("Ctrl-c");
    assert_eq!(terminal.ended(Duration::from_secs(5)), 0);
}

#[test]
fn a_post_approved_while_the_clock_stood_goes_out_once_it_runs() {
    let mut terminal = demo(&["--at", "13:10", "--pane", "morning"], WINDOW);
    terminal.press("a");
    terminal.wait_for_sheet("approve this one");
    terminal.press("y");
    terminal.wait_for("approved: 3 posts");
    for shown in ["DEMO 1x", "DEMO 10x", "DEMO 60x"] {
        terminal.press("+");
        terminal.wait_for(shown);
    }
    terminal.press("5");
    // Twenty minutes of the agency are twenty seconds.
    let limit = Duration::from_secs(120);
    terminal.wait_until("a post that is out", limit, |screen| screen.contains("✓ verified"));
    assert!(terminal.row("CRM-001 ").contains("1/3"), "{}", terminal.screen());
}
