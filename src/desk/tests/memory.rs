//! From a ripe experiment to a decision that is remembered: who may, what follows, and who finds it.

use domain::agency::HomeKind;
use domain::experiment::Stage;
use domain::learning::Learning;
use domain::outcome::Say;
use domain::refusal::RefusalKind;
use domain::report::Report;
use domain::review::{Choice, Signed};
use domain::role::Role;

use super::fixture::*;
use super::outcome::{numbers, value};
use crate::query::{LearningView, ReviewView};
use crate::{Answer, Command, Mode, Problem, Query};

const OPERATOR: u32 = 2001;
const REVIEWER: u32 = 2002;
const STRANGER: u32 = 2003;
const SHIP: Choice = Choice::Ship { letter: 'B' };

/// An approved experiment of ten posts, and the people who will decide about it: nobody approves their own once there are
/// two.
async fn under_way(world: &World) -> String {
    let code = world.ten().await;
    world.grant(OPERATOR, Role::Operator, &["alpha"]).await;
    world.grant(REVIEWER, Role::Reviewer, &["alpha"]).await;
    world.grant(STRANGER, Role::Reviewer, &["beta"]).await;
    code
}

/// Ten posts out and read, `lost` of A never out; reviewed.
async fn reviewed(world: &World, lost: usize) -> String {
    let code = under_way(world).await;
    let mut to_lose = lost;
    for post in &world.posts(&code).await {
        if post.letter == 'A' && to_lose > 0 {
            to_lose -= 1;
            world.act(ADA, Command::PostCancel { post: post.id, reason: "off".to_owned() }).await;
        } else {
            world.publish(post).await;
        }
    }
    world.go_to("2027-03-02T20:00:00Z");
    for post in world.posts(&code).await.iter().filter(|post| post.live().is_some()) {
        let [replies, reposts] = numbers(post);
        world.measure(post, vec![("replyCount", value(replies)), ("repostCount", value(reposts))]).await;
    }
    world.review(&code).await;
    code
}

async fn two_clients() -> World {
    let world = World::small(HomeKind::Personal).await;
    world.client("beta").await;
    world
}

impl World {
    async fn review_of(&self, uid: u32, code: &str) -> ReviewView {
        let answer = self.ask(uid, Query::ReviewShow { experiment: code.to_owned() }).await;
        let Answer::Review(view) = answer else { panic!("{answer:?}") };
        *view
    }

    async fn sign_all(&self, uid: u32, code: &str, says: Signed) {
        let view = self.review_of(uid, code).await;
        let keys = view.confounders.iter().map(|item| item.confounder.key.clone()).collect();
        let sign =
            Command::OutcomeSign { experiment: code.to_owned(), keys, says, note: "asked the client".to_owned() };
        self.act(uid, sign).await;
    }

    async fn search(&self, uid: u32, text: &str) -> Vec<Learning> {
        let query = Query::LearningSearch { text: text.to_owned(), client: None, retracted: false };
        let answer = self.ask(uid, query).await;
        let Answer::Learnings(found) = answer else { panic!("{answer:?}") };
        found.into_iter().map(|view: LearningView| view.learning).collect()
    }

    async fn report(&self, uid: u32, code: &str) -> Report {
        let answer = self.ask(uid, Query::ReportShow { experiment: code.to_owned() }).await;
        let Answer::Report(report) = answer else { panic!("{answer:?}") };
        *report
    }
}

fn decide(code: &str, decision: Choice, learning: Option<&str>) -> Command {
    Command::Decide {
        experiment: code.to_owned(),
        decision,
        reason: "questions work here".to_owned(),
        learning: learning.map(str::to_owned),
    }
}

fn answer(view: &ReviewView, choice: Choice) -> domain::review::Answer {
    view.answers.iter().find(|answer| answer.choice == choice).unwrap().clone()
}

#[tokio::test]
async fn a_winner_that_was_signed_for_is_shipped_remembered_and_reported() {
    let world = two_clients().await;
    let code = reviewed(&world, 0).await;
    let before = world.review_of(OPERATOR, &code).await;
    assert_eq!((before.outcome.say, before.outcome.winner), (Say::Winner, Some('B')));
    assert!(answer(&before, SHIP).refused.is_some_and(|why| why.contains("news: nobody has signed")));
    assert!(answer(&before, Choice::Iterate).recommended && answer(&before, Choice::Iterate).refused.is_none());
    let refusal = world.refused(OPERATOR, decide(&code, SHIP, None)).await;
    assert_eq!((refusal.kind, refusal.rule.as_str()), (RefusalKind::Rule, "decision.ship"));
    world.sign_all(OPERATOR, &code, Signed::Clear).await;
    let ready = world.review_of(OPERATOR, &code).await;
    assert!(ready.open.is_empty() && answer(&ready, SHIP).recommended && answer(&ready, SHIP).refused.is_none());
    assert!(answer(&ready, Choice::Abandon).reviewer, "that would go against what is recommended");
    assert_eq!(world.refused(OPERATOR, decide(&code, Choice::Abandon, None)).await.kind, RefusalKind::NotAllowed);
    let anchor = world.desk.store().anchor();
    world.desk.act(peer(OPERATOR), world.id(), decide(&code, SHIP, None), Mode::DryRun).await.unwrap();
    assert_eq!(world.desk.store().anchor(), anchor, "a dry run keeps nothing");
    world.act(OPERATOR, decide(&code, SHIP, None)).await;

    let view = world.show(&code).await;
    let Stage::Completed { how } = &view.line.stage else { panic!("{:?}", view.line.stage) };
    assert_eq!(how, "B is shipped: questions work here");
    let decision = view.decision.unwrap();
    assert_eq!(
        decision.contents,
        view.variants[1].rounds.iter().map(domain::variant::Content::hash).collect::<Vec<_>>()
    );
    let found = world.search(OPERATOR, "hook wins repl").await;
    assert_eq!(found.iter().map(|each| each.code.as_str()).collect::<Vec<_>>(), [code.as_str()]);
    assert_eq!(found[0].sentence, ready.offered.unwrap(), "as it was offered");
    let report = world.report(OPERATOR, &code).await;
    assert!(report.is_whole() && report.markdown().contains("This says nothing about sales."));
    assert!(
        report.confounders.iter().all(|item| item.signature.as_ref().is_some_and(|s| s.note == "asked the client"))
    );
    assert_eq!(report.learnings, [found[0].sentence.clone()]);
    let Answer::Layers(layers) = world.ask(ADA, Query::LayerList).await else { panic!() };
    assert!(layers.iter().all(|layer| layer.tenures.is_empty()), "its layer is free: {layers:?}");
    assert_eq!(world.desk.store().rebuild_compare().await.unwrap(), vec![]);
}

#[tokio::test]
async fn an_iteration_is_a_draft_linked_to_its_parent_that_keeps_the_layer() {
    let world = two_clients().await;
    let code = reviewed(&world, 1).await;
    let done = world.act(OPERATOR, decide(&code, Choice::Iterate, Some("Questions want more posts."))).await;
    let child = done.data["child"].as_str().unwrap().to_owned();
    let (parent, view) = (world.show(&code).await, world.show(&child).await);
    assert_eq!(parent.child.as_ref().map(|link| link.code.as_str()), Some(child.as_str()));
    assert_eq!(view.parent.as_ref().map(|link| link.code.as_str()), Some(code.as_str()));
    assert_eq!((view.line.status.as_str(), parent.line.status.as_str()), ("draft", "completed"));
    assert_eq!(view.layer, parent.layer);
    let brief = view.brief.unwrap();
    assert!(brief.contains("2027-03-09T08:00:00Z"), "its slots are a week on, on the same hours: {brief}");
    let Answer::Layers(layers) = world.ask(ADA, Query::LayerList).await else { panic!() };
    let held: Vec<&str> = layers.iter().flat_map(|layer| &layer.tenures).map(|tenure| tenure.code.as_str()).collect();
    assert_eq!(held, [child.as_str()]);
    let other = world.brief(ADA, &BriefText::new("alpha", "another", "2027-03-04")).await;
    let refusal = world.refused(ADA, Command::Submit { experiment: other }).await;
    assert!(refusal.why.contains(&child), "nobody slips in: {refusal}");
    let shown = world.refused(ADA, Command::Submit { experiment: child.clone() }).await;
    assert!(shown.why.contains("uniqueness.shown-before"), "it is to be edited first: {shown}");
    let toml = brief.replace("repeat = false", "repeat = true");
    world.act(ADA, Command::BriefEdit { experiment: child.clone(), toml }).await;
    world.act(ADA, Command::Submit { experiment: child }).await;
    assert_eq!(world.refused(ADA, decide(&code, Choice::Iterate, None)).await.kind, RefusalKind::Nothing);
    let found = world.search(OPERATOR, "more posts").await;
    assert!(found[0].offered.as_ref().is_some_and(|offered| offered.contains("not enough posts")), "{found:?}");
    assert_eq!(world.desk.store().rebuild_compare().await.unwrap(), vec![]);
}

#[tokio::test]
async fn invalid_stays_invalid() {
    let world = two_clients().await;
    let code = reviewed(&world, 2).await;
    let view = world.review_of(OPERATOR, &code).await;
    assert_eq!((view.line.status.as_str(), view.outcome.winner), ("invalid", None));
    assert!(answer(&view, SHIP).refused.is_some_and(|why| why.contains("names no winner (invalid)")));
    assert_eq!(world.refused(ADA, decide(&code, SHIP, None)).await.rule, "decision.ship");
    assert_eq!(world.refused(ADA, decide(&code, Choice::Abandon, Some("B wins."))).await.rule, "learning.sentence");
    assert_eq!(world.show(&code).await.decision, None, "a decision whose learning is refused is none");
    let done = world.act(OPERATOR, decide(&code, Choice::Iterate, None)).await;
    let child = world.show(done.data["child"].as_str().unwrap()).await;
    assert!(child.parent.is_some_and(|link| link.why.contains("A lost 2 of 5")), "the clone says why");
    let after = world.show(&code).await;
    assert_eq!((after.line.status.as_str(), after.line.stage), ("invalid", view.line.stage));
    let found = world.search(OPERATOR, "taught nothing invalid lost 2 of 5").await;
    assert_eq!((found.len(), found[0].say), (1, Say::Invalid));
    assert!(!found[0].sentence.contains("wins"), "{}", found[0].sentence);
    assert!(!world.report(OPERATOR, &code).await.markdown().contains("likely best"));
}

#[tokio::test]
async fn nobody_finds_or_counts_what_another_clients_experiments_taught() {
    let world = two_clients().await;
    let code = reviewed(&world, 1).await;
    let done = world.act(OPERATOR, decide(&code, Choice::Abandon, Some("Rye wants rest."))).await;
    let id = done.data["learning"].as_str().unwrap().to_owned();
    assert_eq!((world.search(OPERATOR, "rye").await.len(), world.search(STRANGER, "rye").await.len()), (1, 0));
    let ghost = "01J0000000000000000000000G".to_owned();
    for (hidden, absent) in [
        (
            Query::LearningList { client: Some(client("alpha")), retracted: true },
            Query::LearningList { client: Some(client("ghost")), retracted: true },
        ),
        (Query::LearningShow { learning: id.clone() }, Query::LearningShow { learning: ghost.clone() }),
        (Query::ReviewShow { experiment: code.clone() }, Query::ReviewShow { experiment: "GHO-404".to_owned() }),
        (Query::ReportShow { experiment: code.clone() }, Query::ReportShow { experiment: "GHO-404".to_owned() }),
    ] {
        let no = async |query| match world.desk.ask(peer(STRANGER), query).await {
            Err(Problem::Refused(refusal)) => refusal.to_string(),
            other => panic!("{other:?}"),
        };
        let plain = |text: String| {
            [(&id, "#"), (&ghost, "#"), (&code, "#"), (&"GHO-404".to_owned(), "#")]
                .into_iter()
                .fold(text, |text, (name, sign)| text.replace(name.as_str(), sign))
                .replace("alpha", "ghost")
        };
        assert_eq!(plain(no(hidden).await), plain(no(absent).await));
    }
    let Answer::Learnings(listed) = world.ask(STRANGER, Query::LearningList { client: None, retracted: true }).await
    else {
        panic!()
    };
    assert!(listed.is_empty());
    let retract = |learning: &str| Command::LearningRetract { learning: learning.to_owned(), reason: "no".to_owned() };
    assert_eq!(world.refused(STRANGER, retract(&id)).await.kind, RefusalKind::NotFound);
    assert_eq!(world.refused(STRANGER, decide(&code, Choice::Abandon, None)).await.kind, RefusalKind::NotFound);
    world.act(OPERATOR, retract(&id.chars().take(12).collect::<String>())).await;
    assert!(world.search(OPERATOR, "rye").await.is_empty(), "what was retracted is not offered any more");
    let Answer::Learnings(kept) = world.ask(OPERATOR, Query::LearningList { client: None, retracted: true }).await
    else {
        panic!()
    };
    assert!(!kept[0].holds && kept[0].learning.retracted.as_ref().unwrap().reason == "no");
}

#[tokio::test]
async fn a_reviewer_decides_for_a_regulated_client() {
    let world = two_clients().await;
    let code = reviewed(&world, 1).await;
    world.act(ADA, Command::PolicyEdit { client: client("alpha"), toml: policy("regulated = true") }).await;
    let refusal = world.refused(OPERATOR, decide(&code, Choice::Abandon, None)).await;
    assert_eq!((refusal.kind, refusal.rule.as_str()), (RefusalKind::NotAllowed, "decision.reviewer"));
    assert!(world.review_of(OPERATOR, &code).await.answers.iter().all(|answer| answer.reviewer));
    world.act(REVIEWER, decide(&code, Choice::Abandon, None)).await;
}

#[tokio::test]
async fn whatever_is_typed_is_searched_for_and_never_an_error() {
    let world = two_clients().await;
    let code = reviewed(&world, 1).await;
    world.act(OPERATOR, decide(&code, Choice::Abandon, Some("Rye wants rest."))).await;
    for text in [
        "rye\" OR client:beta",
        "\"",
        "'",
        "NEAR(rye rest, 1)",
        "rye*",
        "-rye",
        "key:x",
        "^rye",
        "rye AND",
        "rye)",
        "(",
        "{words}: rye",
        "\0rye",
        "'; DROP TABLE learning; --",
        "\u{202e}rye",
        "%",
        "",
        "   ",
        "ry\u{e9}",
    ] {
        let found = world.search(OPERATOR, text).await;
        assert!(found.len() <= 1, "{text}: {found:?}");
    }
    assert_eq!(world.search(OPERATOR, "rye*").await.len(), 1);
    assert_eq!(world.search(OPERATOR, "RYE, rest!").await.len(), 1);
    assert!(world.search(OPERATOR, &"rye ".repeat(5_000)).await.len() == 1);
}

#[tokio::test]
async fn who_won_is_answered_with_what_is_missing_before_it_was_reviewed() {
    let world = two_clients().await;
    let code = under_way(&world).await;
    for query in [Query::ReviewShow { experiment: code.clone() }, Query::ReportShow { experiment: code.clone() }] {
        let Err(Problem::Refused(refusal)) = world.desk.ask(peer(OPERATOR), query).await else { panic!() };
        assert!(refusal.rule.ends_with(".too-early"), "{refusal}");
    }
    assert_eq!(world.refused(OPERATOR, decide(&code, SHIP, None)).await.rule, "decision.too-early");
    let draft = world.brief(ADA, &BriefText::new("alpha", "oats", "2027-03-05")).await;
    assert_eq!(world.refused(OPERATOR, decide(&draft, Choice::Iterate, None)).await.rule, "decision.too-early");
    let sign = Command::OutcomeSign {
        experiment: code,
        keys: vec!["news".to_owned()],
        says: Signed::Clear,
        note: String::new(),
    };
    assert_eq!(world.refused(OPERATOR, sign).await.rule, "review.sign");
}
