//! People write under a post; a person answers two of them, one at a time, and nothing else is ever said in the client's
//! name: not twice, not late, not by itself. First on the stand-in network, then on Bluesky's own servers.

#![expect(clippy::expect_used, reason = "what a test stands on fails the test, with words")]
#![expect(clippy::disallowed_methods, reason = "people and networks are waited for in real time")]

mod support;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;
use support::agency::{Agency, BriefText, POLICY, told};
use support::stand_in::StandIn;
use twins::{Audience, Fault, Maker};

/// How long anything is waited for.
const PATIENCE: Duration = Duration::from_secs(90);

const QUESTION: &str = "Do you open on Sundays?";
const COMPLAINT: &str = "Sold out again, I am disappointed.";
const THANKS: &str = "Thank you, best rye in town.";
const OWN_WORDS: &str = "Yes, from eight until the last loaf is gone.";
const SORRY: &str = "That is a pity. We bake sixty more on Friday; shall we keep you one?";

fn brief() -> String {
    BriefText {
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
    .toml()
}

/// An agency whose comments are looked for at once.
fn agency() -> Agency {
    let agency = Agency::with_client("rye");
    agency.policy("rye", &format!("{POLICY}\ncomments_every = \"1s\"\n"));
    agency
}

/// Approves two posts, and returns them when they are out and proven.
fn published(agency: &Agency) -> Vec<Value> {
    let code = agency.submit(&brief());
    agency.approve(&code);
    agency.wait_for_posts(&code, &["verified"], PATIENCE)
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().expect("a text of that name")
}

fn list(agency: &Agency) -> Vec<Value> {
    agency.json(&["reply", "list", "--all"]).as_array().expect("a list").clone()
}

/// Waits until so many comments wait, and returns the rows.
fn waiting(agency: &Agency, count: usize) -> Vec<Value> {
    agency.wait_for(&format!("{count} comments"), PATIENCE, || {
        let rows = agency.json(&["reply", "list"]).as_array().expect("a list").clone();
        if rows.len() == count { Ok(rows) } else { Err(format!("{rows:?}")) }
    })
}

fn row<'a>(rows: &'a [Value], says: &str) -> &'a Value {
    rows.iter().find(|row| row["text"] == says).expect("somebody said that")
}

/// Sends one answer as a person does: on what the row shows.
fn send(agency: &Agency, row: &Value, answer: &[&str]) -> std::process::Output {
    let seen = text(row, "seen");
    let head = ["reply", "send", text(row, "conversation"), "--seen", seen];
    agency.expos(&[&head[..], answer, &["--yes"]].concat())
}

/// Sends one answer as soon as the account may, and returns the reply's post.
fn answer(agency: &Agency, row: &Value, words: &[&str]) -> String {
    let output = agency.wait_for("the account to be free for an answer", PATIENCE, || {
        let output = send(agency, row, words);
        match output.status.code() {
            Some(0) => Ok(output),
            Some(3) if told(&output).contains("ago") => Err(told(&output)),
            _ => Ok(output),
        }
    });
    assert!(output.status.success(), "{}", told(&output));
    let rows = list(agency);
    let mine = rows.iter().find(|other| other["conversation"] == row["conversation"]).expect("the row");
    text(mine, "reply").to_owned()
}

fn wait_until(agency: &Agency, conversation: &str, state: &str) -> Value {
    agency.wait_for(&format!("{conversation} to be {state}"), PATIENCE, || {
        let rows = list(agency);
        let row = rows.into_iter().find(|row| row["conversation"] == conversation).expect("the row");
        if row["state"] == state { Ok(row) } else { Err(row.to_string()) }
    })
}

fn whole(agency: &mut Agency) {
    agency.stop_engine();
    assert_eq!(agency.expos(&["audit", "verify"]).status.code(), Some(0));
    agency.ok(&["store", "check"]);
}

/// What the interface was used for on an account of the stand-in, by text, oldest first.
fn sent_on(network: &StandIn, account: &str) -> Vec<String> {
    let mut posts = network.twin.visible(account);
    posts.sort_by_key(|post| post.at);
    posts.into_iter().filter(|post| post.maker == Maker::Interface).map(|post| post.text).collect()
}

fn people(network: &StandIn, names: &[&str]) {
    for name in names {
        network.twin.add_account(name, "own", Audience::none()).expect("a new account");
    }
}

#[test]
fn a_person_answers_two_of_three_comments_and_nothing_else_is_said() {
    let network = StandIn::new();
    network.twin.set_lag(Duration::from_millis(50), Duration::from_millis(100));
    people(&network, &["bob.test", "cat.test", "ann.test"]);
    let mut agency = agency();
    agency.start_engine();
    network.connect(&agency, "rye", "rye-bs");
    network.connect(&agency, "rye", "rye-b2");
    let posts = published(&agency);
    let under = text(&posts[0], "uri");
    let by_hand = |who: &str, to: &str, words: &str| network.twin.reply_by_hand(who, to, words).expect("a comment");
    let asked = by_hand("bob.test", under, QUESTION);
    by_hand("cat.test", under, COMPLAINT);
    by_hand("ann.test", under, THANKS);
    by_hand("rye-b2.test", under, "From our other shop: see you Friday.");
    let rows = waiting(&agency, 3);
    assert_eq!(list(&agency).len(), 3, "what our own account says is no comment to answer");

    // A complaint gets no suggestion, and says why; the others do.
    assert_eq!((text(row(&rows, QUESTION), "state"), text(row(&rows, COMPLAINT), "state")), ("suggested", "own words"));
    assert_eq!(row(&rows, COMPLAINT)["suggestion"]["tag"], "complaint");
    assert_eq!(row(&rows, QUESTION)["who"], "bob.test");
    let refused = send(&agency, row(&rows, COMPLAINT), &["--suggested"]);
    assert!(refused.status.code() == Some(8) && told(&refused).contains("complains"), "{}", told(&refused));

    // The thread moves while the person writes: nothing is sent, and what is new is shown.
    network.twin.edit_by_hand("bob.test", &asked.uri, "Do you open on Mondays?").expect("an edit");
    wait_until(&agency, text(row(&rows, QUESTION), "conversation"), "suggested");
    agency.wait_for("the edit to be seen", PATIENCE, || {
        let rows = list(&agency);
        rows.iter().find(|row| row["text"] == "Do you open on Mondays?").map(|_| ()).ok_or(format!("{rows:?}"))
    });
    let moved = send(&agency, row(&rows, QUESTION), &["--text", OWN_WORDS]);
    assert!(moved.status.code() == Some(6) && told(&moved).contains("Mondays"), "{}", told(&moved));

    // Two are answered, at least twenty seconds apart; the third is left alone.
    let rows = list(&agency);
    answer(&agency, row(&rows, "Do you open on Mondays?"), &["--text", OWN_WORDS]);
    let at_once = send(&agency, row(&rows, COMPLAINT), &["--text", SORRY]);
    assert!(at_once.status.code() == Some(3) && told(&at_once).contains("one at a time"), "{}", told(&at_once));
    answer(&agency, row(&rows, COMPLAINT), &["--text", SORRY]);
    for says in ["Do you open on Mondays?", COMPLAINT] {
        let sent = wait_until(&agency, text(row(&rows, says), "conversation"), "sent");
        assert!(text(&sent, "told").contains("sent ") && text(&sent, "told").contains(" by "), "{sent}");
    }
    let sent = sent_on(&network, "rye-bs.test");
    assert_eq!(sent.len(), posts.len() + 2, "{sent:?}");
    assert_eq!(sent[posts.len()..], [OWN_WORDS, SORRY]);
    let times: Vec<_> = network.twin.visible("rye-bs.test").into_iter().map(|post| post.at).collect();
    let apart = times.last().expect("posts").signed_duration_since(times[times.len() - 2]);
    assert!(apart.num_seconds() >= 19, "{apart}");
    // They stand in their threads, and are no new comments.
    std::thread::sleep(Duration::from_secs(3));
    let rows = list(&agency);
    assert_eq!(rows.len(), 3, "{rows:?}");
    assert_eq!(rows.iter().filter(|row| row["state"] == "suggested").count(), 1);
    assert_eq!(sent_on(&network, "rye-bs.test").len(), posts.len() + 2);
    whole(&mut agency);
}

#[test]
fn a_reply_whose_engine_is_killed_while_it_sends_is_there_once_and_one_taken_back_never() {
    let network = StandIn::new();
    network.twin.set_lag(Duration::from_millis(50), Duration::from_millis(100));
    people(&network, &["bob.test", "cat.test"]);
    let mut agency = agency();
    agency.start_engine();
    network.connect(&agency, "rye", "rye-bs");
    let posts = published(&agency);
    network.twin.reply_by_hand("bob.test", text(&posts[0], "uri"), QUESTION).expect("a comment");
    network.twin.reply_by_hand("cat.test", text(&posts[1], "uri"), THANKS).expect("a comment");
    let rows = waiting(&agency, 2);

    // The request is on its way for three seconds, and arrives although the engine that sent it is gone.
    network.twin.rule("putRecord", Fault::Late(Duration::from_secs(3)), 1);
    let reply = answer(&agency, row(&rows, QUESTION), &["--text", OWN_WORDS]);
    agency.wait_for("the commit to begin", PATIENCE, || {
        let state = agency.json(&["post", "show", &reply])["line"]["state"].clone();
        if state == "committing" { Ok(()) } else { Err(state.to_string()) }
    });
    agency.kill_engine();
    agency.start_engine();
    wait_until(&agency, text(row(&rows, QUESTION), "conversation"), "sent");
    std::thread::sleep(Duration::from_secs(4));
    let same = |words: &str| sent_on(&network, "rye-bs.test").iter().filter(|sent| *sent == words).count();
    assert_eq!(same(OWN_WORDS), 1);
    let history = agency.json(&["post", "why", &reply])["events"].to_string();
    assert!(history.contains("the engine that sent it ended"), "the kill fell between: {history}");

    // With nobody at work an answer waits; what is taken back meanwhile never goes out.
    agency.kill_engine();
    let taken_back = answer(&agency, row(&rows, THANKS), &["--suggested"]);
    agency.ok(&["post", "cancel", &taken_back, "--reason", "somebody called her"]);
    agency.start_engine();
    wait_until(&agency, text(row(&rows, THANKS), "conversation"), "suggested");
    std::thread::sleep(Duration::from_secs(3));
    let sent = sent_on(&network, "rye-bs.test");
    assert_eq!(sent.len(), posts.len() + 1, "{sent:?}");
    whole(&mut agency);
}

#[cfg(feature = "real-servers")]
mod real {
    //! The same on PLC, PDS and AppView, with real second accounts.

    use super::*;
    use support::bluesky::{Made, Network};
    use support::faulty_proxy::{ALWAYS, Fault as OnTheRoad, FaultyProxy};

    #[test]
    fn real_people_are_answered_by_a_person_and_the_server_holds_exactly_those() {
        let network = Network::shared();
        let bakery = network.account("reply-bakery");
        let [bob, cat, ann] = ["asking-bob", "cross-cat", "kind-ann"].map(|name| network.account(name));
        // A slow road, so that a request is on its way for a while.
        let proxy = FaultyProxy::start(network.pds());
        let mut agency = agency();
        agency.start_engine();
        agency.connect("rye", "rye-bs", &bakery, network, &proxy.url());
        let posts = published(&agency);
        let under = Made { uri: text(&posts[0], "uri").to_owned(), cid: text(&posts[0], "cid").to_owned() };
        network.reply(&bob, &under, QUESTION);
        let crossed = network.reply(&cat, &under, COMPLAINT);
        network.reply(&ann, &under, THANKS);
        network.settle();
        let rows = waiting(&agency, 3);

        answer(&agency, row(&rows, QUESTION), &["--text", OWN_WORDS]);
        wait_until(&agency, text(row(&rows, QUESTION), "conversation"), "sent");
        proxy.rule("POST", "putRecord", OnTheRoad::Slow(Duration::from_secs(2)), ALWAYS);
        let reply = answer(&agency, row(&rows, COMPLAINT), &["--text", SORRY]);
        agency.wait_for("the commit to begin", PATIENCE, || {
            let state = agency.json(&["post", "show", &reply])["line"]["state"].clone();
            if state == "committing" { Ok(()) } else { Err(state.to_string()) }
        });
        agency.kill_engine();
        agency.start_engine();
        wait_until(&agency, text(row(&rows, COMPLAINT), "conversation"), "sent");
        std::thread::sleep(Duration::from_secs(4));
        network.settle();

        let records = network.list_records(&bakery.did);
        assert_eq!(records.len(), posts.len() + 2, "{records:?}");
        let replies: Vec<_> = records.iter().filter(|record| record.value["reply"].is_object()).collect();
        assert_eq!(replies.len(), 2, "{records:?}");
        for words in [OWN_WORDS, SORRY] {
            let mine: Vec<_> = replies.iter().filter(|record| record.value["text"] == words).collect();
            assert_eq!(mine.len(), 1, "{words}");
            assert_eq!(mine[0].value["reply"]["root"]["uri"], under.uri.as_str());
        }
        let sorry = replies.iter().find(|record| record.value["text"] == SORRY).expect("the answer");
        assert_eq!(sorry.value["reply"]["parent"]["uri"], crossed.uri.as_str());
        let counts = network.counts(&crossed.uri).expect("the AppView shows the comment");
        assert_eq!(counts.replies, 1, "everybody sees the one answer");
        // Both are read back by somebody who is not logged in, like every post.
        agency.wait_for("both replies to be proven", PATIENCE, || {
            let state = agency.json(&["post", "show", &reply])["line"]["state"].clone();
            if state == "verified" { Ok(()) } else { Err(state.to_string()) }
        });

        // A comment that is taken back waits for nobody.
        let third = text(row(&rows, THANKS), "conversation").to_owned();
        let comment = network.list_records(&ann.did).into_iter().next().expect("her comment");
        network.delete(&ann, &comment.uri);
        network.settle();
        wait_until(&agency, &third, "taken back");
        whole(&mut agency);
    }
}

/// Every source file of the program but those that are compiled for tests alone, with its path from the root.
fn sources() -> Vec<(String, String)> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
            let path = entry.path();
            if path.is_dir() && path.file_name().is_some_and(|name| name != "tests") {
                walk(&path, found);
            } else if path.extension().is_some_and(|end| end == "rs") && !path.ends_with("tests.rs") {
                found.push(path);
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    walk(&root.join("src"), &mut files);
    let read = |path: PathBuf| {
        let text = std::fs::read_to_string(&path).expect("a source file");
        let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default().to_owned();
        (path.strip_prefix(root).expect("below the root").display().to_string(), text)
    };
    files.into_iter().map(read).collect()
}

/// The files that hold a text.
fn holding(needle: &str) -> BTreeSet<String> {
    sources().into_iter().filter(|(_, text)| text.contains(needle)).map(|(path, _)| path).collect()
}

#[test]
fn no_adapter_has_a_verb_to_answer_like_share_or_follow() {
    let all = sources();
    let (_, adapter) = all.iter().find(|(path, _)| path == "src/platforms/adapter.rs").expect("the adapter");
    let body = adapter.split("pub trait Adapter").nth(1).and_then(|rest| rest.split("\n}").next()).expect("a trait");
    let verbs: Vec<&str> = body
        .lines()
        .filter_map(|line| line.strip_prefix("    fn "))
        .map(|line| line.split(['(', '<']).next().unwrap_or_default())
        .collect();
    let known = [
        "listening",
        "connect",
        "session_until",
        "refresh",
        "check_identity",
        "prepare",
        "commit",
        "observe",
        "verify",
        "measure",
        "thread",
        "recent",
        "standing",
    ];
    assert_eq!(verbs, known, "a new verb is weighed here: does it say something in the client's name?");
    // What the one adapter asks servers to do, beside reading.
    let platforms = all.iter().filter(|(path, _)| path.starts_with("src/platforms/"));
    let asked: BTreeSet<String> = platforms
        .flat_map(|(_, text)| text.split("Call::procedure(").skip(1))
        .filter_map(|call| call.split('"').nth(1).map(str::to_owned))
        .collect();
    let writes = ["putRecord", "uploadBlob"].map(|name| format!("com.atproto.repo.{name}"));
    let logins = ["createSession", "refreshSession"].map(|name| format!("com.atproto.server.{name}"));
    assert_eq!(asked, writes.into_iter().chain(logins).collect());
}

#[test]
fn a_reply_begins_in_one_place_and_its_leave_in_another() {
    let only = |path: &str| BTreeSet::from([path.to_owned()]);
    // The one door by which a reply comes to be: a person's command.
    assert_eq!(holding("kind: PostKind::Reply"), only("src/desk/act/reply.rs"));
    let sends = holding("ConversationCommand::Send(");
    let by = BTreeSet::from(["src/desk/act/reply.rs", "src/domain/engagement/conversation.rs"].map(str::to_owned));
    assert_eq!(sends, by);
    assert_eq!(holding("Command::ReplySend {").iter().filter(|path| path.starts_with("src/engine")).count(), 0);
    // The one place in which leave is made, for posts and replies alike.
    assert_eq!(holding("CommitPermit::issue("), only("src/store/writer.rs"));
}
