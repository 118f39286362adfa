//! A network that lies, breaks off, hangs or belongs to somebody else: nobody is connected who was not meant, nothing goes
//! out that should not, what happens to a post later is noticed, and no password or token stands where it could be read.

#![expect(clippy::expect_used, reason = "what is not there fails the test, with words")]
#![expect(clippy::disallowed_methods, reason = "slots are waited for in real time")]
#![expect(clippy::string_slice, reason = "digests that this file makes itself")]

mod support;

use std::process::Output;
use std::time::{Duration, Instant};

use serde_json::Value;
use support::agency::{Agency, BriefText, POLICY, files_holding, in_seconds, micros_of, picture, told};
use support::answer::{is_clean, is_done, is_refused};
use support::bluesky::{Account, Made, Network};
use support::faulty_proxy::{ALWAYS, Fault, FaultyProxy};

const HOOKS: [&str; 2] = ["Do you know why a loaf sings?", "Listen to the oven."];

fn brief<'a>(client: &'a str, account: &'a str, ages: &'a [&'a str]) -> BriefText<'a> {
    BriefText {
        name: "Ask or tell",
        client,
        account,
        hooks: &HOOKS,
        bodies: &["The crust cools faster than the crumb."],
        first: 12,
        every: 2,
        ages,
        picture: None,
    }
}

/// Asks for a connection, and waits so many seconds for the engine to say how it went.
fn connect(agency: &Agency, client: &str, real: &Account, servers: [&str; 3], wait: u32) -> Output {
    connect_with(agency, client, &real.handle, &real.app_password, servers, wait)
}

fn connect_with(agency: &Agency, client: &str, handle: &str, password: &str, servers: [&str; 3], wait: u32) -> Output {
    let (account, wait) = (format!("{client}-bs"), wait.to_string());
    let [pds, appview, plc] = servers;
    let arguments = [
        "account",
        "connect",
        "bluesky",
        "--account",
        &account,
        "--client",
        client,
        "--handle",
        handle,
        "--pds",
        pds,
        "--appview",
        appview,
        "--plc",
        plc,
        "--wait",
        &wait,
    ];
    let output = agency.expos_with(&arguments, &format!("{password}\n"));
    is_clean(&output);
    output
}

fn connection(agency: &Agency, client: &str) -> Value {
    agency.json(&["account", "show", &format!("{client}-bs")])["connection"].clone()
}

/// A waited-for failure has notes before it: what counts is the error.
fn is_failed(output: &Output, words: &[&str]) {
    is_clean(output);
    assert_eq!(output.status.code(), Some(1), "{}", told(output));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let error = said.lines().find(|line| line.starts_with("error: ")).unwrap_or_default();
    for word in words {
        assert!(error.contains(word), "it does not say {word:?}: {said}");
    }
}

/// Whole; the engine did not break; and no password and no token stands anywhere but sealed.
fn ends_well(agency: &mut Agency, accounts: &[&Account]) {
    agency.stop_engine();
    let output = agency.expos(&["audit", "verify"]);
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    agency.ok(&["store", "check"]);
    let log = agency.log_text();
    assert!(!log.contains("panicked"), "{log}");
    let secrets = accounts.iter().flat_map(|account| [account.app_password.as_str(), account.password.as_str()]);
    // The tokens of these servers all begin so: a JSON head that names its type or its algorithm.
    for secret in secrets.chain(["eyJ0eXAiOi", "eyJhbGciOi"]) {
        let found = files_holding(agency.beside(), secret.as_bytes());
        assert!(found.is_empty(), "{secret} stands in {found:?}");
    }
}

fn escalations(agency: &Agency, rule: &str) -> Vec<Value> {
    let open = agency.json(&["escalation", "list"]);
    open.as_array().expect("a list").iter().filter(|e| e["rule"] == rule).cloned().collect()
}

fn requests(proxy: &FaultyProxy, part: &str) -> usize {
    proxy.journal().iter().filter(|entry| entry.path.contains(part)).count()
}

#[test]
fn a_login_at_a_server_that_talks_nonsense_or_hangs_connects_nobody_until_it_answers() {
    let network = Network::shared();
    let baker = network.account("nonsense-login");
    let proxy = FaultyProxy::start(network.pds());
    let (url, mut agency) = (proxy.url(), Agency::with_client("non"));
    agency.start_engine();
    let servers = [url.as_str(), network.appview(), network.plc()];
    let faults = [
        Fault::GarbageHtml,
        Fault::GarbageJson,
        Fault::HalfAnswer,
        Fault::HugeBody(20 * 1024 * 1024),
        Fault::StatusAfter(500),
        Fault::StatusAfter(302),
        Fault::LostAnswer,
        Fault::Hang(Duration::from_secs(5)),
        Fault::Says(401, "AccountTakedown"),
    ];
    for fault in faults {
        proxy.clear();
        proxy.rule("POST", "createSession", fault, ALWAYS);
        let before = requests(&proxy, "createSession");
        let output = connect(&agency, "non", &baker, servers, 20);
        is_failed(&output, &["account non-bs", "login"]);
        assert_eq!(connection(&agency, "non")["is"], "failed", "{fault:?}: {}", told(&output));
        assert_eq!(requests(&proxy, "createSession") - before, 1, "{fault:?}: a login is not sent twice");
    }
    // Whose a handle is says the server, too; and it may say nothing.
    for fault in [Fault::GarbageHtml, Fault::GarbageJson, Fault::Hang(Duration::from_secs(30))] {
        proxy.clear();
        proxy.rule("GET", "resolveHandle", fault, ALWAYS);
        let output = connect(&agency, "non", &baker, servers, 3);
        is_failed(&output, &["account non-bs"]);
        assert_ne!(connection(&agency, "non")["is"], "connected", "{fault:?}");
        // Whoever asks meanwhile is answered at once.
        let began = Instant::now();
        is_clean(&agency.expos(&["health"]));
        is_done(&agency.expos(&["client", "list"]));
        assert!(began.elapsed() < Duration::from_secs(3), "{fault:?}");
    }
    proxy.clear();
    agency.wait_for("the login once the server answers", Duration::from_secs(60), || {
        let found = connection(&agency, "non");
        if found["is"] == "connected" { Ok(()) } else { Err(found.to_string()) }
    });
    assert!(network.list_records(&baker.did).is_empty());
    ends_well(&mut agency, &[&baker]);
}

#[test]
fn a_password_that_does_not_fit_is_said_so_and_kept_by_nobody() {
    let network = Network::shared();
    let baker = network.account("wrong-password");
    let mut agency = Agency::with_client("wro");
    agency.start_engine();
    let servers = [network.pds(), network.appview(), network.plc()];
    let canary = "canary-90aa-not-the-password";
    let output = connect_with(&agency, "wro", &baker.handle, canary, servers, 30);
    is_failed(&output, &["account wro-bs", "password"]);
    assert_eq!(connection(&agency, "wro")["is"], "failed");
    for verb in [
        &["account", "show", "wro-bs"][..],
        &["account", "list", "--json"],
        &["events", "tail", "--json"],
        &["engine", "status"],
    ] {
        let output = agency.expos(verb);
        is_clean(&output);
        assert!(!told(&output).contains(canary), "{verb:?}");
    }
    let nobody = connect_with(&agency, "wro", "nobody-at-all.test", canary, servers, 30);
    is_failed(&nobody, &["nobody-at-all.test"]);
    is_done(&connect(&agency, "wro", &baker, servers, 30));
    let found = files_holding(agency.beside(), canary.as_bytes());
    assert!(found.is_empty(), "{found:?}");
    ends_well(&mut agency, &[&baker]);
}

#[test]
fn the_login_of_another_account_never_takes_the_place_of_the_first() {
    let network = Network::shared();
    let (mine, other) = (network.account("first-owner"), network.account("someone-else"));
    let proxy = FaultyProxy::start(network.pds());
    let (url, mut agency) = (proxy.url(), Agency::with_client("own"));
    agency.start_engine();
    let servers = [url.as_str(), network.appview(), network.plc()];
    is_done(&connect(&agency, "own", &mine, servers, 30));
    let code = agency.submit(&brief("own", "own-bs", &["1h"]).toml());
    agency.approve(&code);

    let output = connect(&agency, "own", &other, servers, 30);
    is_failed(&output, &["account own-bs", &other.did, &mine.did]);
    // With the first one's handle and the other's password the server itself says no.
    let mixed = connect_with(&agency, "own", &mine.handle, &other.app_password, servers, 30);
    is_failed(&mixed, &["account own-bs"]);
    let shown = agency.json(&["account", "show", "own-bs"]);
    assert_eq!(shown["connection"]["is"], "failed", "{shown}");
    assert_eq!(shown["identity"]["id"], mine.did, "who it is stays pinned");

    // The slots pass: nothing goes out, on neither.
    let last = agency.posts(&code).iter().map(|p| micros_of(p["slot"].as_str().unwrap())).max().unwrap();
    agency.wait_for("both slots to pass", Duration::from_secs(60), || {
        let now = micros_of(&in_seconds(0));
        if now > last + 4_000_000 { Ok(()) } else { Err((last - now).to_string()) }
    });
    assert!(network.list_records(&mine.did).is_empty() && network.list_records(&other.did).is_empty());
    assert_eq!(requests(&proxy, "putRecord"), 0);

    // Connected again as itself it goes on, within its windows.
    is_done(&connect(&agency, "own", &mine, servers, 30));
    agency.wait_for_posts(&code, &["verified"], Duration::from_secs(150));
    assert_eq!(network.list_records(&mine.did).len(), 2);
    assert!(network.list_records(&other.did).is_empty());
    ends_well(&mut agency, &[&mine, &other]);
}

#[test]
fn first_week_13_a_session_that_turns_out_to_be_somebody_elses_stops_the_account() {
    let network = Network::shared();
    let baker = network.account("turned-session");
    let proxy = FaultyProxy::start(network.pds());
    let (url, mut agency) = (proxy.url(), Agency::with_client("tur"));
    agency.start_engine();
    let servers = [url.as_str(), network.appview(), network.plc()];
    is_done(&connect(&agency, "tur", &baker, servers, 30));
    let code = agency.submit(&brief("tur", "tur-bs", &["1h"]).toml());
    agency.approve(&code);
    proxy.rule("GET", "getSession", Fault::Says(401, "InvalidToken"), ALWAYS);
    let lost = agency.wait_for("the escalation", Duration::from_secs(60), || {
        escalations(&agency, "account.login-lost").into_iter().next().ok_or_else(|| agency.log_text())
    });
    assert!(lost["answers"].to_string().contains("expos account connect"), "{lost}");
    assert_eq!(connection(&agency, "tur")["is"], "reconnect");
    assert_eq!(requests(&proxy, "putRecord"), 0);
    assert!(network.list_records(&baker.did).is_empty());
    proxy.clear();
    is_done(&connect(&agency, "tur", &baker, servers, 30));
    agency.wait_for_posts(&code, &["verified"], Duration::from_secs(150));
    assert_eq!(network.list_records(&baker.did).len(), 2);
    ends_well(&mut agency, &[&baker]);
}

#[test]
fn a_private_or_unencrypted_server_is_called_only_where_the_policy_says_so() {
    let network = Network::shared();
    let baker = network.account("private-host");
    let proxy = FaultyProxy::start(network.pds());
    let (url, mut agency) = (proxy.url(), Agency::with_client("pri"));
    agency.policy("pri", &POLICY.replace("allow_private_hosts = true", "allow_private_hosts = false"));
    agency.start_engine();
    let port = url.rsplit(':').next().unwrap();
    let forms = [
        url.clone(),
        format!("http://localhost:{port}"),
        format!("https://127.0.0.1:{port}"),
        format!("https://[::1]:{port}"),
        format!("https://2130706433:{port}"),
        format!("https://user:secret@127.0.0.1:{port}"),
        "https://10.0.0.1".to_owned(),
        "https://169.254.169.254/latest".to_owned(),
        "file:///etc/passwd".to_owned(),
        "gopher://127.0.0.1".to_owned(),
        "http://\u{1b}[2J".to_owned(),
        String::new(),
    ];
    for form in &forms {
        let output = connect(&agency, "pri", &baker, [form, network.appview(), network.plc()], 30);
        assert!(matches!(output.status.code(), Some(1 | 8)), "{form}: {}", told(&output));
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.contains("error: ") && !said.contains("within 30 s"), "{form}: it is said at once: {said}");
        let shown = agency.expos(&["account", "show", "pri-bs", "--json"]);
        assert!(!told(&shown).contains("\"connected\""), "{form}: {}", told(&shown));
    }
    let output = connect(&agency, "pri", &baker, [&url, network.appview(), network.plc()], 30);
    is_failed(&output, &["the server", "https"]);
    assert!(proxy.journal().is_empty(), "nobody was called: {:?}", proxy.journal());

    // It is the policy that lets it be called, and each approval says so.
    agency.policy("pri", POLICY);
    is_done(&connect(&agency, "pri", &baker, [&url, network.appview(), network.plc()], 30));
    let code = agency.submit(&brief("pri", "pri-bs", &["1h"]).toml());
    assert!(agency.ok(&["queue", "show", &code]).contains("private hosts"));
    ends_well(&mut agency, &[&baker]);
}

#[test]
fn an_account_can_be_asked_for_before_an_engine_runs() {
    let network = Network::shared();
    let baker = network.account("asked-early");
    let mut agency = Agency::with_client("ear");
    let servers = [network.pds(), network.appview(), network.plc()];
    let output = connect(&agency, "ear", &baker, servers, 30);
    is_done(&output);
    assert!(told(&output).contains("no engine is running"), "{}", told(&output));
    assert_eq!(connection(&agency, "ear")["is"], "asked");
    let found = files_holding(agency.beside(), baker.app_password.as_bytes());
    assert!(found.is_empty(), "{found:?}");
    agency.start_engine();
    agency.wait_for("the login", Duration::from_secs(30), || {
        let found = connection(&agency, "ear");
        if found["is"] == "connected" { Ok(()) } else { Err(found.to_string()) }
    });
    ends_well(&mut agency, &[&baker]);
}

#[test]
fn a_session_outlives_the_engine_and_is_renewed_when_it_has_run_out() {
    let network = Network::shared();
    let baker = network.account("long-session");
    let proxy = FaultyProxy::start(network.pds());
    let (url, mut agency) = (proxy.url(), Agency::with_client("lon"));
    agency.start_engine();
    let servers = [url.as_str(), network.appview(), network.plc()];
    is_done(&connect(&agency, "lon", &baker, servers, 30));
    agency.stop_engine();
    agency.start_engine();
    agency.kill_engine();
    agency.start_engine();
    let code = agency.submit(&brief("lon", "lon-bs", &["1h"]).toml());
    agency.approve(&code);
    agency.stop_engine();
    agency.start_engine();
    // The server says that the access token has run out: it is exchanged, and the post goes out all the same.
    proxy.rule("GET", "getSession", Fault::Says(400, "ExpiredToken"), 1);
    agency.wait_for_posts(&code, &["verified"], Duration::from_secs(90));
    assert_eq!(network.list_records(&baker.did).len(), 2);
    assert_eq!(requests(&proxy, "createSession"), 1, "one login is enough for all of it");
    assert_eq!(requests(&proxy, "refreshSession"), 1);
    assert!(escalations(&agency, "account.login-lost").is_empty());
    // The exchanged session outlives the engine, too.
    agency.kill_engine();
    agency.start_engine();
    // Where the exchange itself is refused, a person is asked.
    let second = BriefText { name: "Once more", bodies: &["Rye holds its water."], ..brief("lon", "lon-bs", &["1h"]) };
    agency.ok(&["experiment", "stop", &code, "--reason", "the next one"]);
    let code = agency.submit(&second.toml());
    agency.approve(&code);
    proxy.rule("GET", "getSession", Fault::Says(400, "ExpiredToken"), ALWAYS);
    proxy.rule("POST", "refreshSession", Fault::Says(400, "ExpiredToken"), ALWAYS);
    agency.wait_for("the escalation", Duration::from_secs(60), || {
        escalations(&agency, "account.login-lost").into_iter().next().ok_or_else(|| agency.log_text())
    });
    assert_eq!(connection(&agency, "lon")["is"], "reconnect");
    assert_eq!(network.list_records(&baker.did).len(), 2, "nothing more went out");
    ends_well(&mut agency, &[&baker]);
}

/// Publishes two posts with a picture, while each of these befalls each sort of request once.
fn publishes_all_the_same(client: &str, name: &str, faults: &[Fault]) {
    let network = Network::shared();
    let baker = network.account(name);
    let (pds, appview) = (FaultyProxy::start(network.pds()), FaultyProxy::start(network.appview()));
    let (url, view, mut agency) = (pds.url(), appview.url(), Agency::with_client(client));
    let account = format!("{client}-bs");
    agency.start_engine();
    is_done(&connect(&agency, client, &baker, [&url, &view, network.plc()], 30));
    let image = picture(&agency, client, "loaf.png");
    let pictured = BriefText { picture: Some(&image), first: 14, ..brief(client, &account, &["1h"]) };
    for fault in faults {
        pds.rule("POST", "uploadBlob", *fault, 1);
        pds.rule("GET", "getSession", *fault, 1);
        pds.rule("GET", "getRecord", *fault, 1);
        appview.rule("GET", "getPosts", *fault, 1);
    }
    let code = agency.submit(&pictured.toml());
    agency.approve(&code);
    // While nobody can be read nothing is taken for proven or for gone.
    let posts = agency.wait_for_posts(&code, &["verified"], Duration::from_secs(240));
    let records = network.list_records(&baker.did);
    assert_eq!(records.len(), 2, "each once, whatever was answered");
    for post in &posts {
        assert!(records.iter().any(|r| Some(r.uri.as_str()) == post["uri"].as_str()), "{post}");
    }
    assert!(escalations(&agency, "post.removed").is_empty() && escalations(&agency, "post.altered").is_empty());
    for (proxy, part) in [(&pds, "uploadBlob"), (&pds, "getSession"), (&appview, "getPosts")] {
        let met = proxy.journal().iter().filter(|e| e.path.contains(part) && e.fault.is_some()).count();
        assert_eq!(met, faults.len(), "{part}: every fault was met");
    }
    ends_well(&mut agency, &[&baker]);
}

#[test]
fn nonsense_around_a_slot_delays_a_post_and_breaks_nothing() {
    publishes_all_the_same("mid", "nonsense-post", &[Fault::GarbageHtml, Fault::GarbageJson, Fault::StatusAfter(500)]);
}

#[test]
fn answers_without_an_end_around_a_slot_delay_a_post_and_break_nothing() {
    let faults = [Fault::HugeBody(20 * 1024 * 1024), Fault::HalfAnswer, Fault::Hang(Duration::from_secs(8))];
    publishes_all_the_same("end", "endless-answers", &faults);
}

#[test]
fn a_picture_that_was_changed_after_the_approval_does_not_go_out() {
    let network = Network::shared();
    let baker = network.account("swapped-picture");
    let mut agency = Agency::with_client("swa");
    agency.start_engine();
    is_done(&connect(&agency, "swa", &baker, [network.pds(), network.appview(), network.plc()], 30));
    // What is made ready only shortly before its slot can still be tampered with.
    agency.policy("swa", &POLICY.replace("prepare_lead = \"60s\"", "prepare_lead = \"2s\""));
    let image = picture(&agency, "swa", "loaf.png");
    let code = agency.submit(&BriefText { picture: Some(&image), every: 8, ..brief("swa", "swa-bs", &["1h"]) }.toml());
    let sheet = agency.json(&["queue", "show", &code]);
    let digest = sheet["posts"][0]["assets"][0]["digest"].as_str().unwrap().to_owned();
    agency.approve(&code);
    let original = agency.home().join("assets").join("swa").join(&image);
    let bytes = std::fs::read(&original).unwrap();
    std::fs::write(&original, b"something else altogether").unwrap();
    // The first goes out as it was approved: from the home's copy, whatever became of the file.
    let first = agency.wait_for("the first post", Duration::from_secs(60), || {
        let posts = agency.posts(&code);
        posts.iter().find(|p| p["state"] == "verified").cloned().ok_or_else(|| format!("{posts:?}"))
    });
    // The copy itself is tampered with before the second is made ready.
    let copy = agency.home().join("content").join(&digest[..2]).join(&digest);
    let mut tampered = bytes.clone();
    tampered.extend_from_slice(b"more");
    std::fs::remove_file(&copy).unwrap();
    std::fs::write(&copy, &tampered).unwrap();
    let failed = agency.wait_for("the escalation", Duration::from_secs(60), || {
        escalations(&agency, "post.failed").into_iter().next().ok_or_else(|| format!("{:?}", agency.posts(&code)))
    });
    assert!(failed["what"].as_str().unwrap().contains("damaged"), "{failed}");
    let records = network.list_records(&baker.did);
    assert_eq!(records.len(), 1);
    assert_eq!(Some(records[0].uri.as_str()), first["uri"].as_str());
    let sent = records[0].value["embed"]["images"][0]["image"]["ref"]["$link"].as_str().unwrap().to_owned();
    assert_eq!(sent, raw_cid(&bytes), "the picture that was approved");
    ends_well(&mut agency, &[&baker]);
}

/// The name that the protocol gives to bytes: a version, "raw", SHA-256, its length, the digest.
fn raw_cid(bytes: &[u8]) -> String {
    use sha2::Digest;
    let mut cid = vec![1, 0x55, 0x12, 32];
    cid.extend_from_slice(&sha2::Sha256::digest(bytes));
    let text = data_encoding::BASE32_NOPAD.encode(&cid).to_ascii_lowercase();
    format!("b{text}")
}

#[test]
fn first_week_16_what_its_owner_does_to_a_post_is_noticed_at_the_next_age() {
    let network = Network::shared();
    let baker = network.account("changing-mind");
    let mut agency = Agency::with_client("cha");
    agency.start_engine();
    is_done(&connect(&agency, "cha", &baker, [network.pds(), network.appview(), network.plc()], 30));
    let code = agency.submit(&brief("cha", "cha-bs", &["25s", "55s"]).toml());
    agency.approve(&code);
    let posts = agency.wait_for_posts(&code, &["verified"], Duration::from_secs(60));
    let uri = |n: usize| posts[n]["uri"].as_str().unwrap().to_owned();
    network.delete(&baker, &uri(0));
    network.edit(&baker, &uri(1), "Quite something else.");
    network.settle();
    let removed = agency.wait_for("the removal to be noticed", Duration::from_secs(90), || {
        escalations(&agency, "post.removed").into_iter().next().ok_or_else(|| format!("{:?}", agency.posts(&code)))
    });
    let altered = agency.wait_for("the edit to be noticed", Duration::from_secs(90), || {
        escalations(&agency, "post.altered").into_iter().next().ok_or_else(|| format!("{:?}", agency.posts(&code)))
    });
    let id = |n: usize| posts[n]["id"].as_str().unwrap().to_owned();
    assert!(removed["subject"].to_string().contains(&id(0)), "{removed}");
    assert!(altered["subject"].to_string().contains(&id(1)), "{altered}");
    let states: Vec<Value> = agency.posts(&code).iter().map(|p| p["state"].clone()).collect();
    assert_eq!(states[0], "removed");
    assert_ne!(states[1], "removed", "what was edited is still there");
    for post in [id(0), id(1)] {
        let output = agency.expos(&["post", "why", &post]);
        is_done(&output);
    }
    // What is gone has no counts, and says so: never zero.
    let snapshots = agency.wait_for("the ages of both", Duration::from_secs(120), || {
        let all = agency.json(&["snapshot", "list", &code]);
        if all.as_array().map(Vec::len) == Some(4) { Ok(all) } else { Err(all.to_string()) }
    });
    for snapshot in snapshots.as_array().unwrap().iter().filter(|s| s["number"] == posts[0]["number"]) {
        let reading =
            snapshot["snapshot"]["rows"].as_array().unwrap().iter().find(|r| r["metric"] == "likeCount").unwrap();
        assert_eq!(reading["reading"]["is"], "missing", "{snapshot}");
    }
    assert_eq!(network.list_records(&baker.did).len(), 1, "nothing was posted in its place");
    ends_well(&mut agency, &[&baker]);
}

#[test]
fn first_week_15_a_post_by_hand_keeps_the_planned_one_at_its_distance() {
    let network = Network::shared();
    let baker = network.account("by-hand");
    let mut agency = Agency::with_client("han");
    agency.policy("han", &POLICY.replace("min_gap = \"1s\"", "min_gap = \"25s\""));
    agency.start_engine();
    is_done(&connect(&agency, "han", &baker, [network.pds(), network.appview(), network.plc()], 30));
    let code = agency.submit(&BriefText { every: 40, ..brief("han", "han-bs", &["1h"]) }.toml());
    agency.approve(&code);
    let posts = agency.posts(&code);
    let slot = posts.iter().map(|p| micros_of(p["slot"].as_str().unwrap())).min().unwrap();
    agency.wait_for("the last seconds before the slot", Duration::from_secs(40), || {
        let left = slot - micros_of(&in_seconds(0));
        if left < 4_000_000 { Ok(()) } else { Err(left.to_string()) }
    });
    let by_hand = micros_of(&in_seconds(0));
    let made: Made = network.post(&baker, "Closed on Monday, we bake again on Tuesday.");
    network.settle();
    let published = agency.wait_for("the planned post", Duration::from_secs(120), || {
        let records = network.list_records(&baker.did);
        let planned = records.iter().find(|r| r.uri != made.uri).cloned();
        planned.map(|_| micros_of(&in_seconds(0))).ok_or_else(|| format!("{:?}", agency.json(&["engine", "status"])))
    });
    let distance = (published - by_hand) / 1_000_000;
    assert!(distance >= 24, "it went out {distance} s after a post by hand, where 25 s are kept");
    let log = agency.log_text();
    assert!(log.contains("least gap"), "it said why it waited: {log}");
    let events = agency.ok(&["events", "tail", "-n", "200"]);
    assert!(events.contains("external_posts_seen"), "{events}");
    ends_well(&mut agency, &[&baker]);
}

#[test]
fn hostile_words_go_out_as_approved_and_come_back_as_markers() {
    let network = Network::shared();
    let baker = network.account("hostile-words");
    let mut agency = Agency::with_client("hos");
    agency.start_engine();
    is_done(&connect(&agency, "hos", &baker, [network.pds(), network.appview(), network.plc()], 30));
    let words = "=SUM(A1) \u{1b}]0;taken\u{7}\u{1b}[2J \u{9b}31m \u{202e}gnp.exe\u{2066}\u{200b} \u{feff}end";
    let text = brief("hos", "hos-bs", &["15s"])
        .toml()
        .replace("Listen to the oven.", "HOSTILE")
        .replace("Ask or tell", "NAME HOSTILE");
    let quoted = toml::Value::from(words).to_string();
    let text = text.replace("\"HOSTILE\"", &quoted).replace("\"NAME HOSTILE\"", &quoted);
    let code = agency.submit(&text);
    agency.approve(&code);
    let posts = agency.wait_for_posts(&code, &["verified"], Duration::from_secs(60));
    let sent = network
        .list_records(&baker.did)
        .into_iter()
        .filter(|r| r.value["text"].as_str().unwrap().starts_with(words))
        .count();
    assert_eq!(sent, 1, "what was approved is what was sent, to the byte");
    network.settle();
    agency.wait_for("the snapshots", Duration::from_secs(60), || {
        let all = agency.json(&["snapshot", "list", &code]);
        if all.as_array().map(Vec::len) == Some(2) { Ok(()) } else { Err(all.to_string()) }
    });
    for post in &posts {
        let id = post["id"].as_str().unwrap();
        for verb in [&["post", "show", id][..], &["post", "why", id], &["post", "proof", id]] {
            for form in [&[][..], &["--json"], &["--plain"]] {
                is_done(&agency.expos(&[verb, form].concat()));
            }
        }
    }
    for verb in [
        &["post", "list", &code][..],
        &["queue", "list"],
        &["queue", "show", &code],
        &["calendar", "show"],
        &["layer", "list"],
        &["snapshot", "list", &code],
        &["experiment", "show", &code],
        &["experiment", "history", &code],
        &["experiment", "list", "--all"],
        &["escalation", "list", "--all"],
        &["events", "tail", "-n", "300"],
        &["engine", "status"],
    ] {
        for form in [&[][..], &["--json"], &["--plain"]] {
            is_done(&agency.expos(&[verb, form].concat()));
        }
    }
    // Ids of one plan begin alike: a beginning that several have names none.
    let ids: Vec<&str> = posts.iter().map(|p| p["id"].as_str().unwrap()).collect();
    let shared = ids[0].bytes().zip(ids[1].bytes()).take_while(|(a, b)| a == b).count();
    assert!(shared >= 6, "{ids:?}");
    is_refused(&agency.expos(&["post", "show", &ids[0][..shared]]), 4, &["more than one post"]);
    let log = agency.log_text();
    assert_eq!(support::answer::first_hidden(&log), None, "the engine's log holds none of it");
    ends_well(&mut agency, &[&baker]);
}
