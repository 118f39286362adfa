//! An experiment ends with a decision, and what it taught is found again: winner, too few posts or a plan that could never
//! have won. The program runs against the stand-in network, with seconds where an agency has days.
#![expect(clippy::expect_used, reason = "what an operator cannot do fails the test, with words")]

mod support;

use std::time::Duration;

use serde_json::Value;
use support::agency::{Agency, BriefText, told};
use support::stand_in::StandIn;
use twins::Audience;

const ASK: &str = "Do you know why a loaf sings?";
const TELL: &str = "Listen to the oven.";
const BODIES: [&str; 5] = [
    "The crust cools faster than the crumb.",
    "Rye wants a night in the cold before it is shaped.",
    "Salt goes in last, so that the yeast has its start.",
    "Steam in the first minutes keeps the skin soft.",
    "A stone holds its heat longer than any tin.",
];

/// An agency that runs, with an account on a network where some people read.
fn running(client: &str) -> (StandIn, Agency, String) {
    let network = StandIn::new();
    for n in 0..8 {
        network.twin.add_account(&format!("reader-{n}.test"), "own", Audience::none()).expect("a reader");
    }
    let mut agency = Agency::with_client(client);
    agency.start_engine();
    let account = format!("{client}-bs");
    network.connect(&agency, client, &account);
    (network, agency, account)
}

/// So many posts of each variant, two seconds apart, read at one age.
fn plan(client: &str, account: &str, posts: usize, age: &str) -> String {
    BriefText {
        name: "Ask or tell",
        client,
        account,
        hooks: &[TELL, ASK],
        bodies: &BODIES[..posts],
        first: 14,
        every: 2,
        ages: &[age],
        picture: None,
    }
    .toml()
}

fn approved(agency: &Agency, brief: &str) -> String {
    let code = agency.submit(brief);
    agency.approve(&code);
    code
}

/// Readers answer and repost what is out: what asks much, what tells little.
fn read(network: &StandIn, account: &str) {
    for (place, post) in network.twin.visible(&format!("{account}.test")).iter().enumerate() {
        let (replies, reposts) = if post.text.contains(ASK) { (6 + place % 3, 5 + place % 2) } else { (place % 2, 1) };
        for n in 0..replies {
            let reader = format!("reader-{}.test", n % 8);
            network.twin.reply_by_hand(&reader, &post.uri, "I did not know that.").expect("an answer");
        }
        for n in 0..reposts {
            network.twin.repost_by_hand(&format!("reader-{n}.test"), &post.uri).expect("a repost");
        }
    }
    network.twin.index_now();
}

fn wait_for_stage(agency: &Agency, code: &str, stage: &str) -> Value {
    agency.wait_for(&format!("{code} to be {stage}"), Duration::from_secs(90), || {
        let shown = agency.json(&["experiment", "show", code]);
        (shown["line"]["stage"]["is"] == stage).then(|| shown.clone()).ok_or_else(|| shown["line"].to_string())
    })
}

fn keys(shown: &Value) -> Vec<String> {
    let items = shown["review"]["confounders"].as_array().expect("a list of what could mislead");
    items.iter().map(|item| item["confounder"]["key"].as_str().expect("a key").to_owned()).collect()
}

/// Asks for what a rule must refuse, and returns its words.
fn refused(agency: &Agency, arguments: &[&str]) -> String {
    let output = agency.expos(arguments);
    assert_eq!(output.status.code(), Some(3), "{}", told(&output));
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn an_experiment_ends_with_a_decision_that_is_found_again() {
    let (network, mut agency, account) = running("rye");
    let code = approved(&agency, &plan("rye", &account, 5, "30s"));
    // Asked who won too early: not yet, how many of how many, and when; nobody is ahead.
    let early = agency.json(&["outcome", "show", &code]);
    assert_eq!((&early["outcome"]["say"], &early["outcome"]["winner"]), (&"not_ripe".into(), &Value::Null), "{early}");
    let sentence = early["outcome"]["sentence"].as_str().expect("a sentence");
    assert!(sentence.contains("10 posts of 10 still to go out, the last at 20"), "{sentence}");
    assert_eq!(early["outcome"]["ranking"], Value::Array(Vec::new()));
    refused(&agency, &["experiment", "decide", &code, "ship", "--variant", "B", "--reason", "it looks good"]);

    agency.wait_for_posts(&code, &["verified"], Duration::from_secs(60));
    read(&network, &account);
    // What is waited for outlives the engine that waited.
    agency.kill_engine();
    agency.start_engine();
    let shown = wait_for_stage(&agency, &code, "reviewing");
    assert_eq!(shown["decision"], Value::Null, "a person decides, nobody else");
    let found = agency.json(&["outcome", "show", &code]);
    assert_eq!((&found["outcome"]["say"], &found["outcome"]["winner"]), (&"winner".into(), &"B".into()), "{found}");
    // At its reading each post was looked at once more: live, and as it was approved.
    let history = agency.json(&["experiment", "history", &code]);
    let count = |name: &str| history.as_array().map_or(0, |all| all.iter().filter(|e| e["event"] == name).count());
    assert_eq!((count("snapshot_taken"), count("post_verified")), (10, 20), "{history}");

    let why = refused(&agency, &["experiment", "decide", &code, "ship", "--reason", "questions work"]);
    assert!(why.contains("nobody has signed"), "{why}");
    let keys = keys(&found);
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    agency.ok(&[&["outcome", "sign", &code], keys.as_slice(), &["--no", "--note", "asked the baker"]].concat());
    agency.ok(&["outcome", "sign", &code, "news", "--unknown"]);
    let why = refused(&agency, &["experiment", "decide", &code, "ship", "--reason", "questions work"]);
    assert!(why.contains("unknown, which is not a no"), "{why}");
    agency.ok(&["outcome", "sign", &code, "news", "--no"]);
    agency.ok(&["experiment", "decide", &code, "ship", "--reason", "questions work"]);

    let learned = agency.json(&["learning", "search", "loaf", "sings", "wins"]);
    assert_eq!(learned.as_array().map(Vec::len), Some(1), "{learned}");
    assert_eq!((&learned[0]["learning"]["code"], &learned[0]["holds"]), (&code.as_str().into(), &true.into()));
    for hostile in ["\" OR 1=1 --", "NEAR(", "*", "words:loaf AND"] {
        agency.ok(&["learning", "search", "--", hostile]);
    }
    let report = agency.ok(&["report", "show", &code, "--markdown"]);
    for part in
        ["# RYE-001 Ask or tell", "B wins.", "- decision: ship", "This says nothing about sales.", "asked the baker"]
    {
        assert!(report.contains(part), "{part}: {report}");
    }
    assert!(agency.ok(&["report", "show", &code]).contains("questions work"));
    let shown = wait_for_stage(&agency, &code, "completed");
    let shipped = shown["decision"]["contents"].as_array().expect("what is shipped");
    assert_eq!(shipped.len(), 5, "each round of it, byte for byte: {shown}");
    agency.stop_engine();
    agency.ok(&["audit", "verify"]);
}

#[test]
fn a_post_that_the_client_deletes_is_noticed_and_is_no_bad_variant() {
    let (network, agency, account) = running("oat");
    let code = approved(&agency, &plan("oat", &account, 5, "30s"));
    let posts = agency.wait_for_posts(&code, &["verified"], Duration::from_secs(60));
    read(&network, &account);
    let gone = posts.iter().find(|post| post["letter"] == "B").expect("a post of B");
    let uri = gone["uri"].as_str().expect("its address").to_owned();
    network.twin.delete_by_hand(&format!("{account}.test"), &uri).expect("it is theirs to delete");
    network.twin.index_now();
    wait_for_stage(&agency, &code, "reviewing");
    let found = agency.json(&["outcome", "show", &code]);
    assert_eq!(found["outcome"]["say"], "not_enough_posts", "{found}");
    assert_eq!(found["outcome"]["variants"][1]["comparable"], 4, "it is out of the comparison, not a bad result");
    assert!(keys(&found).contains(&"seen.deleted".to_owned()), "{found}");
    let states: Vec<Value> = agency.posts(&code).iter().map(|post| post["state"].clone()).collect();
    assert_eq!(states.iter().filter(|state| **state == "removed").count(), 1, "{states:?}");
    let why = refused(&agency, &["experiment", "decide", &code, "ship", "--reason", "B looked better"]);
    assert!(why.contains("not enough posts"), "{why}");
    let decided = ["experiment", "decide", &code, "iterate", "--reason", "one was deleted"];
    let done = agency.json(&decided);
    let child = done["child"].as_str().expect("a draft").to_owned();
    assert_eq!(agency.json(&["experiment", "show", &child])["parent"]["code"], code.as_str());
    assert_eq!(agency.json(&["experiment", "show", &code])["child"]["code"], child.as_str());
    let learned = agency.json(&["learning", "search", "not enough posts"]);
    assert_eq!(learned[0]["learning"]["code"], code.as_str(), "what taught little is remembered too: {learned}");
    let report = agency.ok(&["report", "show", &code, "--markdown"]);
    assert!(report.contains("was found deleted at"), "{report}");
}

#[test]
fn the_evidence_is_honest_with_three_posts_a_side_nothing_can_win() {
    let (network, agency, account) = running("spelt");
    let code = approved(&agency, &plan("spelt", &account, 3, "20s"));
    agency.wait_for_posts(&code, &["verified"], Duration::from_secs(60));
    read(&network, &account);
    wait_for_stage(&agency, &code, "reviewing");
    let report = agency.ok(&["report", "show", &code]);
    assert!(report.contains("nothing can win with 3 posts a variant"), "{report}");
    assert!(!report.contains("B wins"), "{report}");
    agency.ok(&["experiment", "decide", &code, "abandon", "--reason", "it was never enough"]);
    let learned = agency.json(&["learning", "search", "spelt"]);
    let sentence = learned[0]["learning"]["sentence"].as_str().expect("a sentence");
    assert!(sentence.contains("not enough posts to tell"), "{sentence}");
    let id = learned[0]["learning"]["id"].as_str().expect("an id").to_owned();
    agency.ok(&["learning", "retract", &id, "--reason", "it says nothing"]);
    assert_eq!(agency.json(&["learning", "search", "spelt"]), Value::Array(Vec::new()));
    let kept = agency.json(&["learning", "search", "spelt", "--retracted"]);
    assert_eq!(kept[0]["learning"]["retracted"]["reason"], "it says nothing");
}
