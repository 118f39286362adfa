//! Four people on one box over SSH, each in a terminal of their own: what each sees and may do, two who want the same item,
//! and a line that is cut.
//!
//! Needs root, since it makes Unix users; `tests/run` installs the SSH server.
#![expect(clippy::expect_used, reason = "what a test stands on fails the test, with words")]
#![expect(clippy::disallowed_methods, reason = "what must not happen is waited for in real time")]

mod support;

use std::time::Duration;

use support::agency::{Agency, BriefText, POLICY};
use support::shared::SharedBox;
use support::stand_in::StandIn;
use support::terminal::Terminal;

/// The size of an operator's window.
const WINDOW: (u16, u16) = (100, 30);

/// Puts an experiment into the queue, by the admin.
fn queue(admin: &Agency, network: &StandIn, client: &str, name: &str) -> String {
    admin.ok(&["client", "new", client, "--name", name, "--zone", "UTC"]);
    admin.policy(client, POLICY);
    let account = format!("{client}-bs");
    network.connect(admin, client, &account);
    admin.submit(
        &BriefText {
            name,
            client,
            account: &account,
            hooks: &["Do you know why a loaf sings?", "Listen to the oven."],
            bodies: &["The crust cools faster than the crumb."],
            first: 7_200,
            every: 600,
            ages: &["1h"],
            picture: None,
        }
        .toml(),
    )
}

fn stage(admin: &Agency, code: &str) -> String {
    admin.json(&["experiment", "show", code])["line"]["stage"]["is"].as_str().expect("a stage").to_owned()
}

/// Puts the cursor on an experiment, and waits until its sheet has come from the desk.
fn go_to(terminal: &mut Terminal, name: &str) {
    terminal.wait_for(name);
    for _ in 0..10 {
        if terminal.screen().lines().any(|row| row.starts_with('▸') && row.contains(name)) {
            terminal.wait_for("Binds to");
            return;
        }
        terminal.press("j");
    }
    let screen = terminal.screen();
    assert!(screen.lines().any(|row| row.starts_with('▸') && row.contains(name)), "no cursor on {name}:\n{screen}");
}

#[test]
fn people_on_one_box_see_and_do_what_the_matrix_says() {
    let network = StandIn::new();
    let mut shared = SharedBox::found("ada");
    for (short, role) in [("ben", Some("operator")), ("rita", Some("reviewer")), ("vic", Some("viewer")), ("sam", None)]
    {
        shared.add_user(short);
        if let Some(role) = role {
            shared.let_in(short);
            shared.grant("ada", short, role);
        }
    }
    let admin = shared.seat("ada");
    let first = queue(&admin, &network, "rye", "Ask or tell");
    let second = queue(&admin, &network, "oak", "Short or long");
    let third = queue(&admin, &network, "elm", "Bread or butter");
    assert_eq!(stage(&admin, &first), "awaiting_approval");

    // A stranger is told that nobody knows them, in the group and outside of it, and sees nothing.
    let mut stranger = shared.ssh("sam", WINDOW);
    assert_ne!(stranger.ended(Duration::from_secs(20)), 0);
    stranger.wait_for("error:");
    assert!(!stranger.screen().contains("Ask or tell"), "{}", stranger.screen());
    shared.let_in("sam");
    let mut stranger = shared.ssh("sam", WINDOW);
    stranger.wait_for("does not know your Unix user");
    assert_eq!(stranger.ended(Duration::from_secs(20)), 5, "{}", stranger.screen());
    assert!(!stranger.screen().contains("Ask or tell"), "{}", stranger.screen());

    // A viewer sees the same screens, without the keys they may not use; a key says which role it needs.
    let mut viewer = shared.ssh("vic", WINDOW);
    go_to(&mut viewer, "Ask or tell");
    for key in ["a", "x", "!"] {
        viewer.press(key);
        viewer.wait_for("a viewer may not; it needs operator or reviewer or admin");
    }
    viewer.press("y");
    assert_eq!(stage(&admin, &first), "awaiting_approval");

    // An operator and a reviewer both stand before the same sheet: one wins, the other is told by whom.
    let mut operator = shared.ssh("ben", WINDOW);
    let mut reviewer = shared.ssh("rita", WINDOW);
    for terminal in [&mut operator, &mut reviewer] {
        go_to(terminal, "Ask or tell");
    }
    // Whoever looks at the same item is named to the other, softly.
    operator.press("Enter");
    reviewer.press("Enter");
    reviewer.wait_for(&format!("{} is on this", shared.unix("ben")));
    for terminal in [&mut operator, &mut reviewer] {
        terminal.press("Esc");
        go_to(terminal, "Ask or tell");
        terminal.press("a");
        terminal.wait_for_sheet("y  approve");
    }
    operator.press_at_once("y");
    reviewer.press_at_once("y");
    for terminal in [&operator, &reviewer] {
        terminal.wait_until("an outcome", Duration::from_secs(20), |screen| !screen.contains("y  approve"));
        terminal.settle();
    }
    let won = |terminal: &Terminal| terminal.screen().contains(&format!("{first} approved"));
    let (ben, rita) = (shared.unix("ben"), shared.unix("rita"));
    let screens = format!("{}\n{}", operator.screen(), reviewer.screen());
    assert!(won(&operator) != won(&reviewer), "exactly one of them approved it:\n{screens}");
    let (loser, winner) = if won(&operator) { (&reviewer, &ben) } else { (&operator, &rita) };
    let told = format!("{winner} approved it already");
    assert!(loser.screen().contains(&told), "the other is told who it was:\n{}", loser.screen());
    assert_eq!(approvals(&admin, &first), 1);

    // The line is cut with a sheet open: nothing is approved, the program is gone, the engine lives.
    for code in [&second, &third] {
        assert_eq!(stage(&admin, code), "awaiting_approval");
    }
    go_to(&mut operator, "Short or long");
    operator.press("a");
    operator.wait_for_sheet("y  approve");
    operator.cut();
    admin.wait_for("the operator's program to end", Duration::from_secs(15), || match shared.programs_of("ben") {
        0 => Ok(()),
        left => Err(format!("{left} left")),
    });
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(stage(&admin, &second), "awaiting_approval");
    assert_eq!(admin.expos(&["health"]).status.code(), Some(0));

    // Over a new line the work goes on where it was.
    let mut operator = shared.ssh("ben", (80, 24));
    go_to(&mut operator, "Short or long");
    operator.press("a");
    operator.wait_for_sheet("y  approve");
    operator.press("y");
    operator.wait_for(&format!("{second} approved"));
    assert_eq!(approvals(&admin, &second), 1);
    assert_eq!(stage(&admin, &third), "awaiting_approval");
}

/// How often an experiment was approved, as the log says.
fn approvals(admin: &Agency, code: &str) -> usize {
    let events = admin.json(&["events", "tail", "--count", "500"]);
    let events = events.as_array().expect("events").clone();
    let shown = admin.json(&["experiment", "show", code]);
    let stream = format!("experiment/{}", shown["line"]["id"].as_str().expect("an id"));
    let of_it = |e: &&serde_json::Value| e["event"] == "experiment_approved" && e["stream"] == stream.as_str();
    events.iter().filter(of_it).count()
}
