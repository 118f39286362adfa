//! What an operator tries in the first week, through the program: refusals that name the way out, words that end with what
//! they were given on, slots that are never made up for, and hours that clocks skip.
//!
//! `cargo test first_week` runs all tests of that list; the others stand beside what they share: kills in `exactly_once`,
//! the warning in `account_survives`, another's login and posts by hand in `bad_network`, thirty items in
//! `operator_tasks`, two persons in the desk, the hand-over in `shared_box`.
#![expect(clippy::disallowed_methods, reason = "what must not happen is waited for in real time")]

mod support;

use std::time::Duration;

use serde_json::Value;
use support::agency::{Agency, BriefText, POLICY, in_seconds, micros_of, told};
use support::stand_in::StandIn;
use twins::Fault;

/// One change of something that an approval was given on.
type Change<'a> = Box<dyn Fn() -> std::process::Output + 'a>;

const HOOKS: [&str; 2] = ["Do you know why a loaf sings?", "Listen to the oven."];

fn brief(name: &'static str, first: i64) -> BriefText<'static> {
    BriefText {
        name,
        client: "rye",
        account: "rye-bs",
        hooks: &HOOKS,
        bodies: &["The crust cools faster than the crumb.", "Rye holds its water, so it is baked low and long."],
        first,
        every: 4,
        ages: &["1h"],
        picture: None,
    }
}

/// An agency with one client and a connected account of it.
fn bakery() -> (StandIn, Agency) {
    let network = StandIn::new();
    let mut agency = Agency::with_client("rye");
    agency.start_engine();
    network.connect(&agency, "rye", "rye-bs");
    (network, agency)
}

/// How often something was asked to be put on the network, and was.
fn put(network: &StandIn) -> usize {
    network.twin.journal().iter().filter(|e| e.nsid == "com.atproto.repo.putRecord" && e.applied).count()
}

fn states(agency: &Agency, code: &str) -> Vec<String> {
    agency.posts(code).iter().map(|post| post["state"].as_str().unwrap_or("?").to_owned()).collect()
}

fn pass(seconds: u64) {
    std::thread::sleep(Duration::from_secs(seconds));
}

#[test]
fn first_week_03_a_test_of_two_variables_is_refused_and_shows_both_beside_each_other() {
    let agency = Agency::with_client("rye");
    agency.add_account("rye", "rye-bs", "abcd-efgh-ijkl-mnop");
    let text = brief("Two at once", 7_200)
        .toml()
        .replace("[[test_variants]]\n", "[[test_variants]]\ncta = \"Write to us.\"\n");
    for verb in [["brief", "check", "-"], ["brief", "new", "-"]] {
        let output = agency.expos_with(&verb, &text);
        assert!(!output.status.success(), "{}", told(&output));
        let said = told(&output);
        for part in [
            "hook is under test, but cta differs from the control too",
            "hook A `Do you know why a loaf sings?` against B `Listen to the oven.`",
            "cta A nothing against B `Write to us.`",
            "hint: make cta equal to the control's, or test it in an experiment of its own",
        ] {
            assert!(said.contains(part), "{verb:?} does not say {part:?}: {said}");
        }
    }
    let only_the_house = agency.json(&["experiment", "list"]);
    assert_eq!(only_the_house.as_array().map(Vec::len), Some(1), "{only_the_house}");
}

#[test]
fn first_week_05_a_second_hook_experiment_is_told_who_holds_the_surface_and_until_when() {
    let (_network, agency) = bakery();
    let holder = agency.submit(&brief("Ask or tell", 7_200).toml());
    agency.approve(&holder);
    let rival = BriefText {
        bodies: &["Oats keep a crumb soft.", "Seeds are soaked over night."],
        ..brief("Short or long", 9_000)
    };
    let output = agency.expos_with(&["brief", "new", "-", "--json"], &rival.toml());
    let taken: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let code = taken["data"]["code"].as_str().expect("a brief may be written while another runs").to_owned();
    let refused = agency.expos(&["experiment", "submit", &code]);
    let said = told(&refused);
    assert!(!refused.status.success(), "{said}");
    let layer = agency.json(&["layer", "list"]);
    let until = layer[0]["tenures"][0]["window"]["until"].as_str().expect("an end");
    assert!(said.contains(&holder), "it names the holder {holder}: {said}");
    assert!(said.contains(until), "it names the first moment that is free, {until}: {said}");
}

#[test]
fn first_week_07_one_change_after_the_approval_ends_it_and_says_which() {
    let (network, agency) = bakery();
    network.connect(&agency, "rye", "rye-b2");
    let text = brief("Ask or tell", 7_200).toml();
    let code = agency.submit(&text);
    let first = || agency.posts(&code)[0]["id"].as_str().expect("an id").to_owned();
    let approved = || agency.posts(&code).iter().filter(|post| post["approved"] == true).count();
    let policy = POLICY.replace("max_per_24h = 100", "max_per_24h = 99");
    let moved = in_seconds(7_201);
    let other = text.replace("account = \"rye-bs\"", "account = \"rye-b2\"");
    let changes: [(&str, Change<'_>); 4] = [
        (
            "content",
            Box::new(|| {
                let words = ["variant", "edit", &code, "B", "--facet", "hook", "--text", "Listen to the ovem."];
                agency.expos(&words)
            }),
        ),
        ("slot", Box::new(|| agency.expos(&["calendar", "move", &first(), &moved]))),
        ("policy", Box::new(|| agency.expos_with(&["policy", "edit", "rye", "-"], &policy))),
        ("account", Box::new(|| agency.expos_with(&["brief", "edit", &code, "-"], &other))),
    ];
    for (field, change) in changes {
        agency.approve(&code);
        assert_eq!(approved(), 4, "before the change of {field}");
        let output = change();
        assert!(output.status.success(), "{field}: {}", told(&output));
        assert!(approved() < 4, "a change of {field} leaves the word on all of them: {}", told(&output));
        let events = agency.json(&["events", "tail", "-n", "60"]);
        let why = events.as_array().expect("events").iter().rev().find(|e| e["event"] == "approval_voided").cloned();
        assert!(why.is_some_and(|e| e.to_string().contains(field)), "no event says {field}: {events}");
        if agency.json(&["experiment", "show", &code])["line"]["stage"]["is"] == "preflight" {
            agency.ok(&["experiment", "submit", &code]);
        }
    }
}

#[test]
fn first_week_09_a_slot_that_passes_unapproved_is_never_sent_late() {
    let network = StandIn::new();
    let mut agency = Agency::with_client("rye");
    agency.policy("rye", &POLICY.replace("grace = \"10m\"", "grace = \"4s\""));
    agency.start_engine();
    network.connect(&agency, "rye", "rye-bs");
    let code = agency.submit(&BriefText { every: 12, ..brief("Ask or tell", 8) }.toml());
    let slots: Vec<i64> = agency.posts(&code).iter().map(|p| micros_of(p["slot"].as_str().expect("a slot"))).collect();
    let first = *slots.iter().min().expect("posts");
    agency.wait_for("the first slot to pass", Duration::from_secs(40), || {
        let left = first + 5_000_000 - micros_of(&in_seconds(0));
        if left < 0 { Ok(()) } else { Err(left.to_string()) }
    });
    assert_eq!(put(&network), 0, "nothing goes out without a word");
    agency.approve(&code);
    let posts = agency.wait_for_posts(&code, &["missed", "verified"], Duration::from_secs(90));
    let missed = posts.iter().filter(|post| post["state"] == "missed").count();
    assert_eq!((missed, put(&network)), (1, 3), "{posts:?}");
    for (entry, slot) in network
        .twin
        .journal()
        .iter()
        .filter(|e| e.nsid == "com.atproto.repo.putRecord" && e.applied)
        .zip(slots.iter().skip(1))
    {
        let late = entry.at.timestamp_micros() - slot;
        assert!((0..=4_000_000).contains(&late), "it went out {late} µs after its slot");
    }
}

#[test]
fn first_week_11_after_an_hour_without_a_network_nothing_is_made_up_for() {
    let network = StandIn::new();
    let mut agency = Agency::with_client("rye");
    // An hour in seconds: the grace of a slot is shorter than the outage.
    agency.policy("rye", &POLICY.replace("grace = \"10m\"", "grace = \"4s\""));
    agency.start_engine();
    network.connect(&agency, "rye", "rye-bs");
    let code = agency.submit(&BriefText { every: 9, ..brief("Ask or tell", 12) }.toml());
    agency.approve(&code);
    let slots: Vec<i64> = agency.posts(&code).iter().map(|p| micros_of(p["slot"].as_str().expect("a slot"))).collect();
    network.twin.rule("com.atproto", Fault::Refused, u32::MAX);
    network.twin.rule("app.bsky", Fault::Refused, u32::MAX);
    let third = slots[2];
    agency.wait_for("the second slot to be over", Duration::from_secs(60), || {
        let left = third - 3_000_000 - micros_of(&in_seconds(0));
        if left < 0 { Ok(()) } else { Err(left.to_string()) }
    });
    assert_eq!(put(&network), 0, "there was no network");
    network.twin.calm();
    let posts = agency.wait_for_posts(&code, &["missed", "verified"], Duration::from_secs(120));
    let state = |n: usize| posts[n]["state"].as_str().unwrap_or("?").to_owned();
    assert_eq!([state(0), state(1)], ["missed", "missed"], "{posts:?}");
    assert_eq!(state(3), "verified", "what was still to come goes out at its slot: {posts:?}");
    let puts: Vec<i64> = network
        .twin
        .journal()
        .iter()
        .filter(|e| e.nsid == "com.atproto.repo.putRecord" && e.applied)
        .map(|e| e.at.timestamp_micros())
        .collect();
    assert!(puts.windows(2).all(|pair| pair[1] - pair[0] > 3_000_000), "no burst: {puts:?}");
    assert!(
        puts.iter().all(|at| slots.iter().any(|slot| (0..=4_000_000).contains(&(at - slot)))),
        "{puts:?} {slots:?}"
    );
    let open = agency.json(&["escalation", "list"]);
    let lost = open.as_array().expect("a list").iter().filter(|e| e["rule"] == "post.missed").count();
    let missed = states(&agency, &code).iter().filter(|state| *state == "missed").count();
    assert_eq!(lost, missed, "each is explained to a person: {open}");
    pass(2);
    assert_eq!(put(&network), puts.len());
}

#[test]
fn first_week_14_slots_keep_their_wall_time_where_clocks_change_and_say_which_hour_is_not_there() {
    let network = StandIn::new();
    let mut agency = Agency::with_client("rye");
    agency.start_engine();
    // The day on which clocks change, the hour that is skipped (or comes twice), and the offsets before and after.
    let towns = [
        ("bris", "Europe/London", "2027-03-28", "01:30", true, ["+00:00", "+01:00"]),
        ("aust", "America/Chicago", "2027-03-14", "02:30", true, ["-06:00", "-05:00"]),
        ("sydn", "Australia/Sydney", "2027-04-04", "02:30", false, ["+11:00", "+10:00"]),
        ("toky", "Asia/Tokyo", "2027-03-28", "02:30", false, ["+09:00", "+09:00"]),
    ];
    for (client, zone, day, odd, skipped, offsets) in towns {
        agency.ok(&["client", "new", client, "--name", "A bakery", "--zone", zone]);
        agency.policy(client, POLICY);
        let account = format!("{client}-bs");
        network.connect(&agency, client, &account);
        let day: chrono::NaiveDate = day.parse().expect("a day");
        let (before, after) = (day.pred_opt().expect("a day"), day.succ_opt().expect("a day"));
        let text = BriefText { client, account: &account, ..brief("Ask or tell", 7_200) }.toml();
        let slots = text.lines().find(|line| line.starts_with("slots = ")).expect("slots").to_owned();
        let window = |line: &str| text.lines().find(|l| l.starts_with(line)).expect("a window").to_owned();
        let text = text
            .replace(&slots, &format!("times = [\"09:10\", \"{odd}\"]"))
            .replace(&window("start = "), &format!("start = \"{before}T00:00:00{}\"", offsets[0]))
            .replace(&window("end = "), &format!("end = \"{after}T23:00:00{}\"", offsets[1]));
        let output = agency.expos_with(&["brief", "new", "-", "--json"], &text);
        assert!(output.status.success(), "{zone}: {}", told(&output));
        let taken: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let code = taken["data"]["code"].as_str().expect("a code").to_owned();
        let findings = taken["data"]["findings"].to_string();
        let flag = format!("{odd} does not exist on {} in {zone}", day.format("%-d %b %Y"));
        assert_eq!(findings.contains(&flag), skipped, "{zone}: {findings}");
        agency.ok(&["experiment", "submit", &code]);
        let zone: domain::time::Zone = zone.parse().expect("a zone");
        let wall = |post: &Value| {
            let slot: domain::time::UtcTime = post["slot"].as_str().expect("a slot").parse().expect("a time");
            slot.in_zone(zone).to_string()
        };
        let walls: Vec<String> = agency.posts(&code).iter().map(wall).collect();
        assert_eq!(walls.len(), 4);
        for wall in &walls {
            assert!(wall.contains("09:10") || wall.contains(odd), "{zone}: {walls:?}");
        }
        let on_the_day = walls.iter().filter(|wall| wall.starts_with(&day.to_string())).count();
        assert_eq!(on_the_day, if skipped { 1 } else { 2 }, "{zone}: {walls:?}");
    }
}
