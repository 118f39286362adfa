//! The main job on real input: a brief by file becomes posts on Bluesky's own servers, verified and measured.

#![expect(clippy::disallowed_methods, reason = "idleness is watched for in real time")]
#![expect(clippy::unwrap_used, clippy::panic, reason = "what is not there fails the test, with words")]

mod support;

use std::time::Duration;

use serde_json::Value;
use support::agency::{Agency, BriefText, picture};
use support::bluesky::Network;

#[test]
fn a_brief_by_file_becomes_verified_and_measured_posts_each_once() {
    let network = Network::shared();
    let (bakery, reader, neighbour) =
        (network.account("rye-bakery"), network.account("first-reader"), network.account("next-door"));
    let mut agency = Agency::with_client("rye");
    agency.start_engine();
    agency.connect("rye", "rye-bs", &bakery, network, network.pds());
    let image = picture(&agency, "rye", "loaf.png");
    let brief = BriefText {
        name: "Ask, tell or count",
        client: "rye",
        account: "rye-bs",
        hooks: &["Do you know why a loaf sings?", "Listen to the oven.", "26 minutes of fire."],
        bodies: &[
            "The crust cools faster than the crumb. #sourdough",
            "Rye holds its water: https://rye.example/low",
            "Seeds soaked overnight.",
        ],
        first: 25,
        every: 2,
        ages: &["15s", "1m"],
        picture: Some(&image),
    };
    let file = agency.home().join("brief.toml");
    std::fs::write(&file, brief.toml()).unwrap();
    let path = file.to_str().unwrap();
    agency.ok(&["brief", "check", path]);
    let told = agency.json(&["brief", "new", path]);
    let code = told["code"].as_str().unwrap().to_owned();
    agency.ok(&["preflight", "run", &code]);
    agency.ok(&["experiment", "submit", &code]);
    let refused = agency.expos(&["queue", "approve", &code, "--fingerprint", "0123456789abcdef", "--yes"]);
    assert_eq!(refused.status.code(), Some(6), "a fingerprint of something else approves nothing");
    approve_by_keys(&agency, &code, "Ask, tell or count");

    let mut touched = Vec::new();
    let posts = agency.wait_for("nine verified posts", Duration::from_secs(90), || {
        let posts = agency.posts(&code);
        let out = posts.iter().filter(|p| p["state"] == "verified").count();
        if out == 9 { Ok(posts) } else { Err(format!("{out} verified")) }
    });
    // Real other people like, repost and answer three of them before the second age.
    for post in posts.iter().rev().take(3) {
        let made = support::bluesky::Made { uri: text(post, "uri"), cid: text(post, "cid") };
        network.like(&reader, &made);
        network.repost(&neighbour, &made);
        let answer = network.reply(&reader, &made, "It sings when it cools.");
        network.reply(&neighbour, &answer, "Ours does too.");
        touched.push(made.uri);
    }
    network.settle();

    agency.wait_for("the experiment to be ripe", Duration::from_secs(180), || {
        let shown = agency.json(&["experiment", "show", &code]);
        let stage = shown["line"]["stage"]["is"].clone();
        if stage == "reviewing" { Ok(()) } else { Err(stage.to_string()) }
    });

    // The PDS is asked directly: exactly the planned records, each once, as prepared.
    let records = network.list_records(&bakery.did);
    assert_eq!(records.len(), 9);
    for post in &posts {
        let mine: Vec<_> = records.iter().filter(|r| r.uri == text(post, "uri")).collect();
        assert_eq!(mine.len(), 1, "{post}");
        assert_eq!(mine[0].cid, text(post, "cid"), "the CID is the prepared one");
        assert_eq!(post["attempts"], 1);
    }
    let with_picture = records.iter().filter(|r| r.value["embed"]["$type"] == "app.bsky.embed.images").count();
    assert_eq!(with_picture, 3, "one round of three variants shows the picture");
    assert!(
        records
            .iter()
            .filter(|r| r.value["embed"].is_object())
            .all(|r| r.value["embed"]["images"][0]["alt"] == "A loaf on a bench")
    );
    let facets = records.iter().filter(|r| r.value["facets"].is_array()).count();
    assert_eq!(facets, 6, "tags and links are facets");

    // Two ages were collected for each post, and say what the readers did.
    let snapshots = agency.json(&["snapshot", "list", &code]);
    let snapshots = snapshots.as_array().unwrap();
    assert_eq!(snapshots.len(), 18, "nine posts at two ages");
    for age in ["15s", "1m"] {
        assert_eq!(snapshots.iter().filter(|s| s["snapshot"]["age"] == age).count(), 9);
    }
    let last_of_touched = snapshots
        .iter()
        .filter(|s| s["snapshot"]["age"] == "1m")
        .filter(|s| posts.iter().any(|p| p["number"] == s["number"] && touched.contains(&text(p, "uri"))));
    let mut measured = 0;
    for snapshot in last_of_touched {
        assert_eq!(metric(snapshot, "likeCount"), Some(1.0), "{snapshot}");
        assert_eq!(metric(snapshot, "repostCount"), Some(1.0), "{snapshot}");
        assert_eq!(metric(snapshot, "replyCount"), Some(1.0), "{snapshot}");
        assert_eq!(metric(snapshot, "threadReplies"), Some(2.0), "{snapshot}");
        assert_eq!(metric(snapshot, "threadDepth"), Some(2.0), "{snapshot}");
        measured += 1;
    }
    assert_eq!(measured, 3);

    // With nothing due nobody polls: a task wakes when something is due or changed, and nothing is.
    let before = steps(&agency);
    std::thread::sleep(Duration::from_secs(6));
    let woke = steps(&agency) - before;
    assert!(woke <= 6, "{woke} wake-ups of six tasks in six idle seconds");

    // Few commits a post, the whole log whole, and the read tables the fold of it.
    assert!(commits_per_post(&agency, &code) <= 5, "from due to published at most five commits");
    agency.stop_engine();
    assert_eq!(agency.expos(&["audit", "verify"]).status.code(), Some(0));
    agency.ok(&["store", "check"]);
    for secret in [&bakery.app_password, &bakery.password] {
        let found = support::agency::files_holding(agency.home().parent().unwrap(), secret.as_bytes());
        assert!(found.is_empty(), "the password stands in {found:?}");
    }
}

/// Looks at the one item of the queue and approves it, as an operator does; leaves the dashboard with the engine running.
fn approve_by_keys(agency: &Agency, code: &str, name: &str) {
    let stage = || agency.json(&["experiment", "show", code])["line"]["stage"]["is"].clone();
    let mut terminal = agency.dashboard((100, 30));
    terminal.wait_for(name);
    terminal.press("Enter");
    let page = terminal.wait_for("Listen to the oven.");
    assert!(page.contains("Do you know why a loaf sings?"), "control and test are seen together:\n{page}");
    // All of it is read before it can be approved: until then the key reads on.
    for _ in 0..6 {
        if terminal.screen().contains("y  approve") {
            break;
        }
        terminal.press("a");
    }
    let sheet = terminal.wait_for_sheet("9 posts");
    let before = stage();
    terminal.press("Enter");
    assert_eq!(stage(), before, "Enter confirms nothing:\n{sheet}");
    terminal.press("y");
    terminal.wait_for("approved: 9 posts");
    assert!(terminal.pressed() <= 7, "{} keys", terminal.pressed());
    terminal.press("Ctrl-c");
    terminal.press("Ctrl-c");
    assert_eq!(terminal.ended(Duration::from_secs(5)), 0);
    assert_ne!(stage(), before);
}

/// Events of a post between its slot and `published`: each is at most one commit.
fn commits_per_post(agency: &Agency, code: &str) -> usize {
    let mut most = 0;
    for post in agency.posts(code) {
        let why = agency.json(&["post", "why", &text(&post, "id")]);
        let events: Vec<&Value> = why["events"].as_array().unwrap().iter().collect();
        let slot = text(&post, "slot");
        let from_due = events.iter().filter(|e| e["at"].as_str().unwrap() >= slot.trim_end_matches('Z'));
        let until_out = from_due.take_while(|e| e["event"] != "post_verified");
        most = most.max(until_out.count());
    }
    most
}

fn steps(agency: &Agency) -> u64 {
    let health = agency.json(&["engine", "status"]);
    health["tasks"].as_array().unwrap().iter().map(|t| t["steps"].as_u64().unwrap()).sum()
}

fn metric(snapshot: &Value, name: &str) -> Option<f64> {
    let rows = snapshot["snapshot"]["rows"].as_array()?;
    rows.iter().find(|r| r["metric"] == name)?["reading"]["value"].as_f64()
}

fn text(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap_or_else(|| panic!("no {key} in {value}")).to_owned()
}
