//! A platform that warns an account, or closes it, stops everything of it within two seconds of the answer that says so, in
//! all experiments; nothing of it is sent until a person lets it go on. The stand-in's own journal is the judge.

#![expect(clippy::expect_used, reason = "what a test stands on fails the test, with words")]
#![expect(clippy::disallowed_methods, reason = "slots are waited for in real time")]

mod support;

use std::time::Duration;

use serde_json::Value;
use support::agency::{Agency, BriefText, micros_of};
use support::stand_in::StandIn;
use twins::Entry;

/// Between the answer and the hold.
const AT_ONCE_MICROS: i64 = 2_000_000;

/// How long a slot is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

/// Which experiment of two, each with a variable of its own, so that they may run side by side on one account.
fn brief(name: &str, facet: &str, words: [&str; 2], first: i64) -> String {
    let text = BriefText {
        name,
        client: "rye",
        account: "rye-bs",
        hooks: &words,
        bodies: &["The crust cools faster than the crumb.", "Rye holds its water, so it is baked low and long."],
        first,
        every: 6,
        ages: &["15s", "1m"],
        picture: None,
    };
    let body = if facet == "hook" {
        text.toml()
    } else {
        text.toml().replace("The crust", "A crust").replace("Rye holds", "Oats hold")
    };
    body.replace("variable_under_test = \"hook\"", &format!("variable_under_test = \"{facet}\""))
        .replace("\nhook = ", &format!("\n{facet} = "))
}

/// An agency with a client, two accounts of it, and two approved experiments on the first: one whose first post goes out
/// soon, the rest of both a while later.
struct Scene {
    agency: Agency,
    network: StandIn,
    codes: [String; 2],
}

fn scene() -> Scene {
    let network = StandIn::new();
    network.twin.set_lag(Duration::from_millis(100), Duration::from_millis(300));
    let mut agency = Agency::with_client("rye");
    agency.start_engine();
    network.connect(&agency, "rye", "rye-bs");
    network.connect(&agency, "rye", "rye-b2");
    let hook = brief("Ask or tell", "hook", ["Do you know why a loaf sings?", "Listen to the oven."], 10);
    let cta = brief("Come or write", "cta", ["Come by at seven.", "Write us what you bake."], 39);
    // Only the first post of the first experiment goes out before the platform speaks.
    let hook = later(&hook, 20);
    let codes = [hook, cta].map(|text| {
        let code = agency.submit(&text);
        agency.approve(&code);
        code
    });
    Scene { agency, network, codes }
}

/// Moves every slot but the first so many seconds back.
fn later(text: &str, seconds: i64) -> String {
    let line = text.lines().find(|line| line.starts_with("slots = ")).expect("slots");
    let slots: Vec<&str> = line.split('"').filter(|part| part.contains('T')).collect();
    let moved: Vec<String> = slots
        .iter()
        .enumerate()
        .map(|(n, slot)| {
            let time: domain::time::UtcTime = slot.parse().expect("a time");
            let by = if n == 0 { 0 } else { seconds };
            format!("\"{}\"", time.plus(domain::time::Span::seconds(by)))
        })
        .collect();
    text.replace(line, &format!("slots = [{}]", moved.join(", ")))
}

/// When the account was put on hold, and why.
fn hold(agency: &Agency) -> Option<(i64, String)> {
    let events = agency.json(&["events", "tail", "-n", "500"]);
    let held = events.as_array()?.iter().find(|e| e["event"] == "account_held" && e["stream"] == "account/rye-bs")?;
    let why = held["payload"]["hold"]["reason"].as_str()?.to_owned();
    Some((micros_of(held["at"].as_str()?), why))
}

fn wait_for_hold(agency: &Agency) -> (i64, String) {
    agency.wait_for("the account to be stopped", PATIENCE, || hold(agency).ok_or_else(|| "no hold".to_owned()))
}

/// What the program asked of the network since an entry.
fn asked(network: &StandIn, since: u64, is_it: impl Fn(&Entry) -> bool) -> Vec<Entry> {
    let all = network.twin.journal_from(since).into_iter();
    all.filter(|e| e.method != "SET" && e.method != "HAND" && is_it(e)).collect()
}

fn is_put(entry: &Entry) -> bool {
    entry.nsid == "com.atproto.repo.putRecord"
}

fn out(network: &StandIn) -> usize {
    network.twin.visible("rye-bs.test").len()
}

fn first_is_out(scene: &Scene) {
    scene.agency.wait_for("the first post", PATIENCE, || {
        let posts = scene.agency.posts(&scene.codes[0]);
        let verified = posts.iter().filter(|p| p["state"] == "verified").count();
        (verified == 1).then_some(()).ok_or_else(|| format!("{posts:?}"))
    });
    assert_eq!(out(&scene.network), 1);
}

/// Waits until every slot of both experiments is some seconds past.
fn past_all_slots(scene: &Scene) {
    let slots: Vec<i64> = scene
        .codes
        .iter()
        .flat_map(|code| scene.agency.posts(code))
        .map(|p| micros_of(p["slot"].as_str().expect("a slot")))
        .collect();
    let last = slots.into_iter().max().expect("posts");
    let left = last + 3_000_000 - support::agency::now_micros();
    std::thread::sleep(Duration::from_micros(u64::try_from(left).unwrap_or(0)));
}

fn escalation(agency: &Agency, rule: &str) -> Value {
    let open = agency.json(&["escalation", "list"]);
    let found = open.as_array().expect("a list").iter().find(|e| e["rule"] == rule).cloned();
    found.expect("an open escalation of that rule")
}

#[test]
fn first_week_12_a_warning_stops_every_experiment_of_the_account_within_two_seconds_of_the_answer_until_a_person_lets_it_go_on()
 {
    let scene = scene();
    let (agency, network) = (&scene.agency, &scene.network);
    first_is_out(&scene);
    let warned_at = network.twin.journal().len() as u64;
    network.twin.warn("rye-bs.test", "!warn").expect("a label");
    let (held, why) = wait_for_hold(agency);
    assert!(why.contains("platform warning") && why.contains("!warn"), "{why}");
    // The first answer that could say so: the read server shows the account's author, and with it the label.
    let reads = ["app.bsky.feed.getPosts", "app.bsky.feed.getPostThread", "app.bsky.actor.getProfile"];
    let answers = asked(network, warned_at, |e| reads.contains(&e.nsid.as_str()) && e.status == Some(200));
    let answered = answers.first().expect("an answer that says so").at.timestamp_micros();
    let took = held - answered;
    assert!((-100_000..=AT_ONCE_MICROS).contains(&took), "{took} µs after the answer");

    // Nothing of it is sent, though every slot passes, and nothing new is made ready either.
    past_all_slots(&scene);
    let puts = asked(network, warned_at, is_put);
    assert!(puts.is_empty(), "{puts:#?}");
    assert_eq!(out(network), 1);
    for code in &scene.codes {
        let states: Vec<String> = agency.posts(code).iter().map(|p| p["state"].to_string()).collect();
        assert!(
            states.iter().all(|s| ["\"planned\"", "\"prepared\"", "\"verified\""].contains(&s.as_str())),
            "{states:?}"
        );
    }

    let told = escalation(agency, "account.platform-warning");
    assert_eq!(told["urgency"], "critical");
    assert!(told["owner"].is_string() && told["due"].is_string(), "{told}");
    let evidence = told["evidence"].to_string();
    assert!(evidence.contains("7 unsent posts are parked") && evidence.contains("rye-b2"), "{evidence}");
    let sibling = agency.json(&["account", "show", "rye-b2"]);
    assert_eq!(sibling["holds"].as_array().map(Vec::len), Some(0), "{sibling}");
    assert_eq!(sibling["watched"][0]["of"], "rye-bs", "{sibling}");

    // A person lets it go on: what is still within its grace goes out, and the label that still stands is settled.
    for code in &scene.codes {
        agency.ok(&["experiment", "resume", code, "--reason", "the label is a mistake", "--yes"]);
    }
    assert_eq!(out(network), 1, "the account still stops them");
    agency.ok(&["account", "resume", "rye-bs", "--reason", "the label is a mistake", "--yes"]);
    agency.wait_for("what was parked", PATIENCE, || {
        let out = out(network);
        (out >= 4).then_some(()).ok_or_else(|| format!("{out} are out"))
    });
    let shown = agency.json(&["account", "show", "rye-bs"]);
    assert_eq!(shown["holds"].as_array().map(Vec::len), Some(0), "{shown}");
}

#[test]
fn a_closed_account_is_stopped_by_the_first_answer_that_says_so_and_nothing_is_sent_after_it() {
    let scene = scene();
    let (agency, network) = (&scene.agency, &scene.network);
    first_is_out(&scene);
    let closed_at = network.twin.journal().len() as u64;
    network.twin.takedown("rye-bs.test").expect("a takedown");
    let (held, why) = wait_for_hold(agency);
    assert!(why.contains("account restricted"), "{why}");
    // The first answer that could say so: whoever asks for a post alone is told that there is none.
    let says = [
        "com.atproto.sync.getRepoStatus",
        "com.atproto.server.getSession",
        "com.atproto.repo.putRecord",
        "app.bsky.actor.getProfile",
    ];
    let answers = asked(network, closed_at, |e| says.contains(&e.nsid.as_str()) && e.status.is_some());
    let answered = answers.first().expect("an answer that says so").at.timestamp_micros();
    let took = held - answered;
    assert!((-100_000..=AT_ONCE_MICROS).contains(&took), "{took} µs after the answer");
    past_all_slots(&scene);
    let puts = asked(network, closed_at, |e| is_put(e) && e.applied);
    assert!(puts.is_empty(), "{puts:#?}");
    assert_eq!(out(network), 1);
    let told = escalation(agency, "account.account-restricted");
    assert!(told["answers"].to_string().contains("expos account connect"), "{told}");
    let open = agency.json(&["escalation", "list"]);
    let rules: Vec<&Value> = open.as_array().expect("a list").iter().map(|e| &e["rule"]).collect();
    assert!(!rules.iter().any(|r| *r == "account.login-lost"), "one thing to settle: {rules:?}");
}
