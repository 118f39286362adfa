//! A post that a person approved and that did not go out is told to a person; it is never sent late.
#![expect(clippy::disallowed_methods, reason = "what must not happen is waited for in real time")]

mod support;

use std::time::Duration;

use support::agency::{Agency, BriefText, POLICY};
use support::stand_in::StandIn;

#[test]
fn a_post_that_missed_its_slot_behind_a_stop_waits_for_a_person_and_stays_unsent() {
    let network = StandIn::new();
    let mut agency = Agency::with_client("rye");
    agency.policy("rye", &POLICY.replace("grace = \"10m\"", "grace = \"5s\""));
    agency.start_engine();
    network.connect(&agency, "rye", "rye-bs");
    let code = agency.submit(
        &BriefText {
            name: "Ask or tell",
            client: "rye",
            account: "rye-bs",
            hooks: &["Do you know why a loaf sings?", "Listen to the oven."],
            bodies: &["The crust cools faster than the crumb."],
            first: 12,
            every: 2,
            ages: &["1h"],
            picture: None,
        }
        .toml(),
    );
    agency.approve(&code);
    agency.ok(&["client", "pause", "rye", "--reason", "the owner called"]);
    agency.wait_for_posts(&code, &["missed"], Duration::from_secs(60));
    let open = agency.json(&["escalation", "list"]);
    let told = open.as_array().expect("a list").iter().filter(|e| e["rule"] == "post.missed").count();
    assert_eq!(told, 2, "{open}");
    agency.ok(&["client", "resume", "rye", "--reason", "all is well", "--yes"]);
    std::thread::sleep(Duration::from_secs(3));
    assert!(network.twin.journal().iter().all(|entry| !format!("{entry:?}").contains("putRecord")));
    assert_eq!(agency.posts(&code).iter().filter(|post| post["state"] == "missed").count(), 2);
}
