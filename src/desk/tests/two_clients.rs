//! What happens at one client changes no byte that somebody of another client sees (T7, I14).

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use domain::agency::HomeKind;
use domain::checkin::Round;
use domain::hash::Digest;
use domain::hold::HoldCause;
use domain::post::Repeat;
use domain::review::Choice;
use domain::role::Role;
use domain::variant::Facet;

use super::fixture::*;
use crate::query::TaskHealth;
use crate::{Answer, Command, Desk, Problem, Query, Stoppable};

const OLEG: u32 = 2001;
const BEA: u32 = 2002;
const CARA: u32 = 2005;
const TUESDAY: &str = "2027-03-02";

/// Everything that can be asked, by names of this client, of the other, and of none.
fn questions(names: &[String]) -> Vec<Query> {
    let mut all = vec![
        Query::WhoAmI,
        Query::UserList,
        Query::ClientList,
        Query::AccountList,
        Query::ExperimentList { client: None, all: true },
        Query::ExperimentList { client: None, all: false },
        Query::QueueList,
        Query::LayerList,
        Query::PostList { experiment: None },
        Query::PostsBetween { from: time("2027-03-01T00:00:00Z"), until: time("2027-03-05T00:00:00Z") },
        Query::SnapshotList { experiment: None },
        Query::ReplyList { all: true },
        Query::ReplyList { all: false },
        Query::EscalationList { all: true },
        Query::EscalationList { all: false },
        Query::CheckinList { before: None },
        Query::CheckinStatus { client: None },
        Query::LearningList { client: None, retracted: true },
        Query::LearningSearch { text: "hook".to_owned(), client: None, retracted: true },
        Query::Events { after: 0, limit: 500 },
        Query::Events { after: 0, limit: 1 },
        Query::Health,
        Query::Beat { session: 1, on: None },
        Query::StoreInfo,
    ];
    for name in ["alpha", "beta", "gamma"] {
        all.push(Query::ClientShow { client: client(name) });
        all.push(Query::AccountShow { account: account(&format!("{name}-bs")) });
        all.push(Query::ExperimentList { client: Some(client(name)), all: true });
        all.push(Query::CheckinStatus { client: Some(client(name)) });
        all.push(Query::LearningList { client: Some(client(name)), retracted: true });
        all.push(Query::LearningSearch { text: "hook".to_owned(), client: Some(client(name)), retracted: true });
    }
    for name in names {
        all.push(Query::ExperimentShow { experiment: name.clone() });
        all.push(Query::QueueShow { experiment: name.clone() });
        for digest in [Digest::of(PICTURE), Digest::of(b"no picture of anybody's")] {
            all.push(Query::Picture { experiment: name.clone(), digest, width: 8, height: 8 });
        }
        all.push(Query::PostList { experiment: Some(name.clone()) });
        all.push(Query::SnapshotList { experiment: Some(name.clone()) });
        all.push(Query::OutcomeShow { experiment: name.clone() });
        all.push(Query::ReviewShow { experiment: name.clone() });
        all.push(Query::ReportShow { experiment: name.clone() });
        all.push(Query::LearningShow { learning: name.clone() });
        all.push(Query::LearningSearch { text: name.clone(), client: None, retracted: true });
        all.push(Query::PostShow { post: name.clone() });
        all.push(Query::CheckinShow { checkin: name.clone() });
        all.push(Query::ReplyShow { conversation: name.clone() });
        if let Ok(escalation) = name.parse() {
            all.push(Query::EscalationShow { escalation });
        }
    }
    all
}

/// Makes sure that no question is left out when one is added.
fn is_asked(query: &Query) -> &'static str {
    match query {
        Query::WhoAmI => "who_am_i",
        Query::UserList => "user_list",
        Query::ClientList => "client_list",
        Query::ClientShow { .. } => "client_show",
        Query::AccountList => "account_list",
        Query::AccountShow { .. } => "account_show",
        Query::ExperimentList { .. } => "experiment_list",
        Query::ExperimentShow { .. } => "experiment_show",
        Query::Picture { .. } => "picture",
        Query::QueueList => "queue_list",
        Query::QueueShow { .. } => "queue_show",
        Query::LayerList => "layer_list",
        Query::PostList { .. } => "post_list",
        Query::PostsBetween { .. } => "posts_between",
        Query::PostShow { .. } => "post_show",
        Query::SnapshotList { .. } => "snapshot_list",
        Query::OutcomeShow { .. } => "outcome_show",
        Query::ReviewShow { .. } => "review_show",
        Query::ReportShow { .. } => "report_show",
        Query::LearningList { .. } => "learning_list",
        Query::LearningSearch { .. } => "learning_search",
        Query::LearningShow { .. } => "learning_show",
        Query::ReplyList { .. } => "reply_list",
        Query::ReplyShow { .. } => "reply_show",
        Query::EscalationList { .. } => "escalation_list",
        Query::EscalationShow { .. } => "escalation_show",
        Query::CheckinList { .. } => "checkin_list",
        Query::CheckinShow { .. } => "checkin_show",
        Query::CheckinStatus { .. } => "checkin_status",
        Query::Events { .. } => "events",
        Query::Health => "health",
        Query::Beat { .. } => "beat",
        Query::StoreInfo => "store_info",
    }
}

async fn answers(desk: &Desk, uid: u32, names: &[String]) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for query in questions(names) {
        let shown = serde_json::to_string(&query).unwrap();
        let answer = match desk.ask(peer(uid), query).await {
            Ok(answer) => serde_json::to_string(&answer).unwrap(),
            Err(problem) => serde_json::to_string(&problem).unwrap(),
        };
        all.push((shown, answer));
    }
    all
}

#[test]
fn every_question_is_asked() {
    let error = serde_json::from_str::<Query>(r#"{"ask": "?"}"#).unwrap_err().to_string();
    let known: Vec<&str> = error.split('`').skip(3).step_by(2).collect();
    let id = "00000000000000000000000000".to_owned();
    let asked: Vec<&str> = questions(&[id]).iter().map(is_asked).collect();
    assert!(known.len() >= 18, "{error}");
    for name in known {
        assert!(asked.contains(&name), "{name}");
    }
}

#[tokio::test]
async fn nothing_that_happens_at_another_client_changes_a_byte_of_mine() {
    let world = World::small(HomeKind::Personal).await;
    world.client("beta").await;
    world.grant(OLEG, Role::Operator, &["alpha"]).await;
    world.grant(BEA, Role::Operator, &["alpha", "beta"]).await;
    let mine = world.submitted(OLEG, &BriefText::new("alpha", "rye", TUESDAY)).await;
    world.approve(ADA, &mine).await;
    let ran = Arc::new(AtomicU64::new(1));
    let (steps, now) = (Arc::clone(&ran), world.now());
    let desk = world.with_beat(Arc::new(move || {
        // What the engine says of itself goes on as it works for the other client.
        let n = steps.load(Ordering::Relaxed);
        vec![TaskHealth {
            name: "launch".to_owned(),
            since: None,
            last: Some(now),
            next: Some(now.plus(domain::time::Span::hours(i64::try_from(n).unwrap()))),
            steps: n,
            error: Some(format!("post {n} of beta: refused")),
        }]
    }));
    // Names of mine: code, id, the part of it that the other client's ids of the same moment share.
    let view = world.show(&mine).await;
    let mut names = vec![
        mine.clone(),
        mine.to_lowercase(),
        view.line.id.to_string(),
        view.line.id.to_string().chars().take(10).collect(),
    ];
    names.extend(view.posts.iter().map(|p| p.id.to_string()));
    // Names of theirs, and of nobody's.
    names.extend(["BETA-001", "beta-000", "GAMMA-001", "00000000000000000000000000", "000000"].map(str::to_owned));
    let before = answers(&desk, OLEG, &names).await;
    assert!(
        before.iter().all(|(question, answer)| question.contains("beta") || !answer.contains("beta")),
        "{before:#?}"
    );

    let compare = async |what: &str| {
        ran.fetch_add(1, Ordering::Relaxed);
        for ((question, was), (_, is)) in before.iter().zip(answers(&desk, OLEG, &names).await) {
            assert_eq!(*was, is, "{what}: {question}");
        }
    };
    let theirs = world.pictured(ADA, &BriefText::new("beta", "oat", TUESDAY)).await;
    compare("a brief with a picture").await;
    world.act(ADA, Command::Submit { experiment: theirs.clone() }).await;
    compare("a plan").await;
    world.approve(BEA, &theirs).await;
    compare("an approval").await;
    let edit = Command::VariantEdit {
        experiment: theirs.clone(),
        letter: 'B',
        round: 1,
        facet: Facet::Hook,
        text: "Hear the oat.".to_owned(),
    };
    world.act(ADA, edit).await;
    world.approve(BEA, &theirs).await;
    compare("an edit").await;
    world.connect("beta", "beta-b2").await;
    compare("an account").await;
    world.act(ADA, Command::PolicyEdit { client: client("beta"), toml: policy("repeat_gap = \"80h\"") }).await;
    let kit = "name = \"Another\"\nzone = \"Europe/London\"\n[kit]\nvoice = \"warm\"\n".to_owned();
    world.act(ADA, Command::ClientEdit { client: client("beta"), toml: kit }).await;
    compare("a policy, a kit and a name").await;
    world.grant(2003, Role::Reviewer, &["beta"]).await;
    world.grant(2003, Role::Viewer, &["beta"]).await;
    world.act(ADA, Command::UserRevoke { uid: 2003 }).await;
    world.grant(2004, Role::Admin, &["beta"]).await;
    compare("people").await;
    world.act(BEA, Command::Pause { target: Stoppable::Client(client("beta")), reason: "wait".to_owned() }).await;
    world.hold_account("beta-bs", HoldCause::Breach).await;
    compare("holds").await;
    let on = Some(world.show(&theirs).await.line.id);
    desk.ask(peer(2004), Query::Beat { session: 1, on }).await.unwrap();
    compare("somebody who looks at it").await;
    world.act(BEA, sign(Some("beta"), "the account is stopped")).await;
    compare("a signed round").await;
    assert!(
        world
            .try_as(BEA, Command::StopExperiment { experiment: theirs.clone(), reason: "x".to_owned() })
            .await
            .is_err()
    );
    assert!(world.try_as(2004, Command::Undo { experiment: mine.clone(), post: None }).await.is_err());
    compare("refusals").await;
    world.review(&theirs).await;
    compare("a review").await;
    let decision = Command::Decide {
        experiment: theirs.clone(),
        decision: Choice::Iterate,
        reason: "again".to_owned(),
        learning: None,
    };
    let learned = world.act(ADA, decision).await.data["learning"].as_str().unwrap().to_owned();
    compare("a decision, and what it taught").await;
    world.act(ADA, Command::LearningRetract { learning: learned, reason: "not so".to_owned() }).await;
    compare("a learning that is retracted").await;
    for n in 0..3 {
        let name = format!("oat{n}");
        let brief = BriefText {
            hours: ["13:00", "14:00", "15:00", "16:00"].map(str::to_owned),
            ..BriefText::new("beta", &name, TUESDAY)
        };
        world.brief(ADA, &brief).await;
    }
    compare("more briefs, of the same moment").await;
    world.act(ADA, Command::ClientNew { client: client("gamma"), name: "G".to_owned(), zone: "UTC".to_owned() }).await;
    compare("a client").await;
}

#[tokio::test]
async fn posts_and_escalations_of_another_client_are_not_seen_either() {
    let world = World::small(HomeKind::Personal).await;
    world.client("beta").await;
    world.grant(OLEG, Role::Operator, &["alpha"]).await;
    world.submitted(OLEG, &BriefText::new("alpha", "rye", TUESDAY)).await;
    let theirs = world.submitted(ADA, &BriefText::new("beta", "oat", TUESDAY)).await;
    world.grant(BEA, Role::Reviewer, &["beta"]).await;
    world.approve(BEA, &theirs).await;
    let posts = world.posts(&theirs).await;
    world.go_to("2027-03-02T09:00:00Z");
    let talk = world.comment_on(&posts[0], &["Is oat bread dry?"]).await;
    let told: Vec<String> = [theirs.clone(), talk.id.to_string()].into();
    let names: Vec<String> = posts.iter().map(|p| p.id.to_string()).chain(told).collect();
    let before = answers(&world.desk, OLEG, &names).await;
    assert!(before.iter().all(|(_, answer)| !answer.contains("oat")), "{before:#?}");
    world.comment_on(&posts[0], &["Is oat bread dry?", "Mine was."]).await;
    world.leave_in_doubt(posts[0].id).await;
    let Answer::Escalations(open) = world.ask(BEA, Query::EscalationList { all: false }).await else { panic!() };
    let escalation = open[0].id;
    for ((question, was), (_, is)) in before.iter().zip(answers(&world.desk, OLEG, &names).await) {
        assert_eq!(*was, is, "{question}");
    }
    world.go_to("2027-03-02T10:00:00Z");
    let hidden = world.desk.ask(peer(OLEG), Query::EscalationShow { escalation }).await;
    let Err(Problem::Refused(hidden)) = hidden else { panic!("{hidden:?}") };
    assert!(hidden.why.contains("there is no escalation"), "{hidden}");
    // The other way round: theirs is told.
    world.prepare(posts[1].id, Repeat::Always).await;
    world.ask(BEA, Query::PostShow { post: posts[1].id.to_string() }).await;
}

fn sign(name: Option<&str>, note: &str) -> Command {
    Command::CheckinSign {
        round: Round::Morning,
        client: name.map(client),
        looked: Vec::new(),
        used_s: 60,
        note: note.to_owned(),
        shown: None,
    }
}

#[tokio::test]
async fn who_works_for_two_clients_hears_of_a_signature_for_both_and_of_nothing_at_a_third() {
    let world = World::small(HomeKind::Personal).await;
    world.client("beta").await;
    world.client("gamma").await;
    world.grant(OLEG, Role::Operator, &["alpha"]).await;
    world.grant(BEA, Role::Operator, &["alpha", "beta"]).await;
    world.grant(CARA, Role::Operator, &["alpha", "beta"]).await;
    world.grant(2006, Role::Operator, &["alpha", "beta", "gamma"]).await;
    let names = ["GAMMA-001", "000000"].map(str::to_owned);
    let before = answers(&world.desk, CARA, &names).await;
    let theirs = world.submitted(ADA, &BriefText::new("gamma", "oat", TUESDAY)).await;
    world.approve(2006, &theirs).await;
    world.act(ADA, sign(Some("gamma"), "all is well")).await;
    world.act(2006, sign(None, "of all three")).await;
    for ((question, was), (_, is)) in before.iter().zip(answers(&world.desk, CARA, &names).await) {
        if !question.contains("gamma") && !question.contains("checkin_status") {
            assert_eq!(*was, is, "{question}");
        }
    }

    world.go_to("2027-03-02T08:00:00Z");
    let told = world.act(BEA, sign(None, "both are well")).await;
    assert!(
        told.data["head"].is_null() && !told.lines.iter().any(|line| line.contains("the log stands at")),
        "{told:?}"
    );
    let signatures = async |uid: u32| {
        let Answer::Events(events) = world.ask(uid, Query::Events { after: 0, limit: 500 }).await else { panic!() };
        let Answer::Store(store) = world.ask(uid, Query::StoreInfo).await else { panic!() };
        assert!(uid == ADA || events.last().map(|event| event.n) == Some(store.events), "{uid}");
        let signed = events.iter().filter(|event| event.event == "checkin_signed");
        signed.map(|event| event.payload["checkin"]["by"]["uid"].as_u64().unwrap()).collect::<Vec<_>>()
    };
    let (ada, bea, all) = (u64::from(ADA), u64::from(BEA), 2006);
    assert_eq!(signatures(ADA).await, [ada, all, bea]);
    assert_eq!(signatures(2006).await, [ada, all, bea]);
    assert_eq!(signatures(BEA).await, [bea]);
    assert_eq!(signatures(CARA).await, [bea]);
    assert_eq!(signatures(OLEG).await, [0; 0]);
    // The place in the log that a signature names is one that its people know.
    let Answer::Checkins(mine) = world.ask(CARA, Query::CheckinList { before: None }).await else { panic!() };
    let Answer::Events(events) = world.ask(CARA, Query::Events { after: 0, limit: 500 }).await else { panic!() };
    assert_eq!(mine.len(), 1);
    assert_eq!(events.iter().rev().nth(1).map(|event| event.n), Some(mine[0].log));
}
