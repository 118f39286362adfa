//! Promise 1 on the real network: whatever dies or gets lost, each planned post is there once, or a person is told.

#![expect(clippy::expect_used, reason = "what is not there fails the test, with words")]
#![expect(clippy::disallowed_methods, reason = "slots are waited for in real time")]
#![expect(clippy::print_stdout, reason = "the seed of a failing run, and how many kills hit")]

mod support;

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;
use support::agency::{Agency, BriefText};
use support::bluesky::{Account, Network};
use support::faulty_proxy::{ALWAYS, Fault, FaultyProxy};

const BODIES: [&str; 10] = [
    "The crust cools faster than the crumb.",
    "Rye holds its water, so it bakes low.",
    "Seeds soaked overnight, or they steal it.",
    "Oil under, oil over, salt last.",
    "Five cuts, one breath.",
    "Laminated at four, rolled at five.",
    "The loaf nobody photographs.",
    "Forty hours of slow dough.",
    "Twenty-six minutes of fire.",
    "We make sixty and no more.",
];

fn brief<'a>(client: &'a str, account: &'a str, bodies: &'a [&'a str], every: i64) -> BriefText<'a> {
    BriefText {
        name: "Ask or tell",
        client,
        account,
        hooks: &["Do you know why a loaf sings?", "Listen to the oven."],
        bodies,
        first: 15,
        every,
        ages: &["1h"],
        picture: None,
    }
}

/// Pseudo-random numbers from a seed that is printed, so that a failing run can be told.
struct Dice(u64);

impl Dice {
    fn from_clock() -> Self {
        let seed = u64::try_from(support::agency::now_micros()).expect("a time after 1970");
        println!("dice seed {seed}");
        Self(seed)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

/// The PDS is asked directly: every planned post's text once, with the CID that was prepared, and nothing else.
fn exactly_the_planned(network: &Network, account: &Account, posts: &[Value]) {
    let records = network.list_records(&account.did);
    let mut texts: BTreeMap<String, usize> = BTreeMap::new();
    for record in &records {
        *texts.entry(record.value["text"].as_str().unwrap_or_default().to_owned()).or_default() += 1;
    }
    assert!(texts.values().all(|n| *n == 1), "a text stands twice: {texts:?}");
    assert_eq!(records.len(), posts.len(), "{texts:?}");
    for post in posts {
        let same = records.iter().filter(|r| Some(r.uri.as_str()) == post["uri"].as_str()).collect::<Vec<_>>();
        assert_eq!(same.len(), 1, "{post}");
        assert_eq!(Some(same[0].cid.as_str()), post["cid"].as_str(), "{post}");
    }
}

fn events_of(agency: &Agency, post: &Value) -> String {
    agency.json(&["post", "why", post["id"].as_str().expect("an id")])["events"].to_string()
}

#[test]
fn first_week_10_twenty_kills_around_commits_leave_each_post_there_once() {
    let rounds = if std::env::var_os("EXPOS_TEST_LONG").is_some() { 5 } else { 1 };
    for round in 1..=rounds {
        twenty_kills(&format!("kill-bakery-{round}"));
    }
}

fn twenty_kills(name: &str) {
    let network = Network::shared();
    let baker = network.account(name);
    let mut agency = Agency::with_client("kil");
    agency.start_engine();
    // A slow road: a request is on its way for a while, and arrives also when the engine that sent it is gone.
    let proxy = FaultyProxy::start(network.pds());
    proxy.rule("POST", "putRecord", Fault::Slow(Duration::from_millis(200)), ALWAYS);
    agency.connect("kil", "kil-bs", &baker, network, &proxy.url());
    let code = agency.submit(&brief("kil", "kil-bs", &BODIES, 4).toml());
    agency.approve(&code);
    let mut dice = Dice::from_clock();
    let slots: Vec<String> =
        agency.posts(&code).iter().map(|p| p["slot"].as_str().expect("a slot").to_owned()).collect();
    assert_eq!(slots.len(), 20);
    for slot in slots {
        // Around each commit: the permit, the request and its answer all fall into the half second after a slot.
        let moment =
            support::agency::micros_of(&slot) - 50_000 + i64::try_from(dice.below(550_000)).expect("half a second");
        let wait = u64::try_from(moment - support::agency::now_micros()).unwrap_or(0);
        std::thread::sleep(Duration::from_micros(wait));
        agency.kill_engine();
        agency.start_engine();
    }
    let posts = agency.wait_for_posts(&code, &["verified"], Duration::from_secs(300));
    exactly_the_planned(network, &baker, &posts);
    let taken_over = posts.iter().filter(|p| events_of(&agency, p).contains("the engine that sent it ended")).count();
    println!("{taken_over} of 20 posts were left in doubt by a kill");
    assert!(taken_over >= 3, "no kill fell between a commit and its answer: the test has lost its aim");
    agency.stop_engine();
    assert_eq!(agency.expos(&["audit", "verify"]).status.code(), Some(0));
    agency.ok(&["store", "check"]);
}

#[test]
fn a_road_that_loses_halves_resets_doubles_and_hangs_leaves_each_post_there_once() {
    let network = Network::shared();
    let baker = network.account("lossy-bakery");
    let proxy = FaultyProxy::start(network.pds());
    let mut agency = Agency::with_client("los");
    agency.start_engine();
    agency.connect("los", "los-bs", &baker, network, &proxy.url());
    let code = agency.submit(&brief("los", "los-bs", &BODIES, 2).toml());
    agency.approve(&code);
    // One fault of each kind on the first commits, then dice.
    let faults = [
        Fault::LostAnswer,
        Fault::HalfAnswer,
        Fault::Reset,
        Fault::Doubled,
        Fault::Hang(Duration::from_secs(3)),
        Fault::Refuse,
        Fault::StatusBefore(503),
        Fault::StatusAfter(500),
        Fault::StatusBefore(429),
        Fault::GarbageHtml,
        Fault::GarbageJson,
        Fault::HugeBody(20 * 1024 * 1024),
    ];
    let kinds = faults.len();
    for fault in faults {
        proxy.rule("POST", "putRecord", fault, 1);
    }
    let mut dice = Dice::from_clock();
    proxy.random(dice.below(1 << 40), 0.25, "getRecord");
    let posts = agency.wait_for_posts(&code, &["verified"], Duration::from_secs(360));
    exactly_the_planned(network, &baker, &posts);
    let hurt = proxy.journal().iter().filter(|e| e.path.contains("putRecord") && e.fault.is_some()).count();
    assert!(hurt >= kinds, "every fault was met, {hurt} of {kinds}");
    let doubtful = posts.iter().filter(|p| p["attempts"].as_u64() > Some(1)).count();
    assert!(doubtful > 0, "some posts took more than one attempt");
    let open = agency.json(&["escalation", "list"]);
    assert_eq!(open.as_array().map(Vec::len), Some(0), "what was settled asks nobody: {open}");
}

#[test]
fn what_cannot_be_told_is_an_escalation_with_evidence_until_it_can() {
    let network = Network::shared();
    let baker = network.account("doubt-bakery");
    let proxy = FaultyProxy::start(network.pds());
    let mut agency = Agency::with_client("dou");
    agency.start_engine();
    agency.connect("dou", "dou-bs", &baker, network, &proxy.url());
    let code = agency.submit(&brief("dou", "dou-bs", &BODIES[..1], 40).toml());
    agency.approve(&code);
    proxy.rule("POST", "putRecord", Fault::LostAnswer, 1);
    proxy.rule("GET", "getRecord", Fault::Refuse, ALWAYS);
    let open = agency.wait_for("an escalation", Duration::from_secs(60), || {
        let open = agency.json(&["escalation", "list"]);
        if open.as_array().is_some_and(|l| !l.is_empty()) { Ok(open) } else { Err(open.to_string()) }
    });
    let first = &open[0];
    assert_eq!(first["rule"], "post.unconfirmed");
    let evidence = first["evidence"].to_string();
    assert!(evidence.contains("attempt 1 of at://") && evidence.contains("began"), "{evidence}");
    assert!(first["answers"].to_string().contains("expos post confirm"), "{first}");
    let unsure = agency.posts(&code).into_iter().find(|p| p["state"] == "unconfirmed").expect("one post in doubt");
    let id = unsure["id"].as_str().expect("an id");
    let early = agency.expos(&["post", "confirm", id, "--not-live", "--yes"]);
    assert_eq!(early.status.code(), Some(3), "not live is not believed before a late request can have arrived");
    assert_eq!(
        agency.expos(&["post", "cancel", id, "--reason", "typo"]).status.code(),
        Some(0),
        "and the answer is `too late`"
    );
    proxy.clear();
    let posts = agency.wait_for_posts(&code, &["verified"], Duration::from_secs(180));
    exactly_the_planned(network, &baker, &posts);
    let open = agency.json(&["escalation", "list"]);
    assert_eq!(open.as_array().map(Vec::len), Some(0), "it closed by itself: {open}");
}

#[test]
fn what_is_void_never_reaches_the_network() {
    let network = Network::shared();
    let baker = network.account("void-bakery");
    let mut agency = Agency::with_client("voi");
    agency.start_engine();
    agency.connect("voi", "voi-bs", &baker, network, network.pds());
    let code = agency.submit(&brief("voi", "voi-bs", &BODIES[..2], 4).toml());
    agency.approve(&code);
    agency.wait_for_posts(&code, &["prepared"], Duration::from_secs(20));

    // One letter, while all are prepared: all rounds of variant B are void, and say why.
    let told = agency.json(&[
        "variant",
        "edit",
        &code,
        "B",
        "--round",
        "1",
        "--facet",
        "hook",
        "--text",
        "Listen to the ovem.",
    ]);
    assert!(told.to_string().contains(&code));
    let posts = agency.posts(&code);
    let void: Vec<&Value> = posts.iter().filter(|p| p["approved"] == false).collect();
    assert_eq!(void.len(), 1, "{posts:?}");
    assert_eq!(void[0]["voided"][0], "content", "{}", void[0]);

    // Another one's approval is taken back one second before its slot.
    let approved = posts.iter().filter(|p| p["approved"] == true);
    let last = approved.max_by_key(|p| p["slot"].as_str().map(str::to_owned)).expect("a post").clone();
    let slot = last["slot"].as_str().expect("a slot").to_owned();
    agency.wait_for("the last second before the slot", Duration::from_secs(40), || {
        let soon = support::agency::in_seconds(1);
        if soon >= slot { Ok(()) } else { Err(soon) }
    });
    let undone = agency.json(&["undo", &code, "--post", last["id"].as_str().expect("an id")]);
    assert!(undone.to_string().contains("stopped"), "{undone}");
    agency.wait_for("the two others", Duration::from_secs(60), || {
        let posts = agency.posts(&code);
        let out = posts.iter().filter(|p| p["state"] == "verified").count();
        if out == 2 { Ok(()) } else { Err(format!("{posts:?}")) }
    });
    // Both slots have passed by some seconds, and their windows are still open.
    std::thread::sleep(Duration::from_secs(6));
    let records = network.list_records(&baker.did);
    assert_eq!(records.len(), 2, "{records:?}");
    let texts: String = records.iter().map(|r| r.value["text"].to_string()).collect();
    assert!(!texts.contains("ovem"));
    assert!(records.iter().all(|r| Some(r.uri.as_str()) != last["uri"].as_str()), "{last}");
}
