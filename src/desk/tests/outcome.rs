//! What an experiment says, from posts that went out and snapshots that were taken of them.

use domain::agency::HomeKind;
use domain::hash::Digest;
use domain::outcome::{Check, Outcome, Say, Strength, Verdict};
use domain::post::{CommitOutcome, Live, Post, PostCommand, Proof, Repeat};
use domain::refusal::RefusalKind;
use domain::role::Role;
use domain::snapshot::{Reading, Snapshot, SnapshotRow};
use domain::time::{SnapshotAge, Span};
use store::ExternalPost;
use store::follow::post_decide;

use super::fixture::*;
use crate::{Answer, Command, Problem, Query};

const TUESDAY: &str = "2027-03-02";
const HOUR: SnapshotAge = SnapshotAge(Span::hours(1));
const VIEWER: u32 = 2005;

/// Ten posts, five of each variant, an hour apart.
fn brief() -> String {
    let captions = ["rye", "spelt", "wheat", "oats", "barley"].map(|grain| {
        format!("The crust of {grain} cools faster than the {grain} inside, so let it rest until {grain} is done.")
    });
    let text = BriefText { captions: captions.to_vec(), ..BriefText::new("alpha", "rye", TUESDAY) }.toml();
    let slots: Vec<String> = (8..18).map(|hour| format!("\"{TUESDAY}T{hour:02}:00:00Z\"")).collect();
    let lines = text.lines().map(|line| match line {
        "posts_per_variant = 2" => "posts_per_variant = 5".to_owned(),
        line if line.starts_with("slots = ") => format!("slots = [{}]", slots.join(", ")),
        line => line.to_owned(),
    });
    lines.collect::<Vec<String>>().join("\n")
}

impl World {
    async fn outcome_as(&self, uid: u32, code: &str) -> Result<Outcome, Problem> {
        let answer = self.desk.ask(peer(uid), Query::OutcomeShow { experiment: code.to_owned() }).await?;
        let Answer::Outcome(view) = answer else { panic!("{answer:?}") };
        assert_eq!(view.line.code, code);
        Ok(view.outcome)
    }

    async fn outcome(&self, code: &str) -> Outcome {
        self.outcome_as(ADA, code).await.unwrap()
    }

    /// An approved experiment of ten posts.
    pub(super) async fn ten(&self) -> String {
        let done = self.act(ADA, Command::BriefNew { toml: brief() }).await;
        let code = done.data["code"].as_str().unwrap().to_owned();
        self.act(ADA, Command::Submit { experiment: code.clone() }).await;
        self.approve(ADA, &code).await;
        code
    }

    /// Lets a post out at its slot, as the engine does, and reads it back.
    pub(super) async fn publish(&self, post: &Post) {
        self.go_to(&post.window.from.to_string());
        self.prepare(post.id, Repeat::Never).await;
        self.commit(post.id).await;
        let live = Live {
            id: format!("at://{}", post.id),
            url: format!("https://bsky.example/{}", post.id),
            digest: "bafy".to_owned(),
            at: self.now(),
        };
        self.end(post.id, CommitOutcome::Accepted(live.clone())).await;
        let proof = Proof {
            at: self.now(),
            looked: "public read".to_owned(),
            url: live.url,
            id: live.id,
            digest: live.digest,
            text: Digest::of(b"text"),
        };
        self.drive(post.id, PostCommand::Verify(Box::new(proof))).await;
    }

    /// Takes a snapshot of a post an hour after it went out.
    pub(super) async fn measure(&self, post: &Post, rows: Vec<(&str, Reading)>) {
        let (id, captured) = (post.id, post.window.from.plus(HOUR.0));
        let rows: Vec<SnapshotRow> =
            rows.into_iter().map(|(metric, reading)| SnapshotRow { metric: metric.to_owned(), reading }).collect();
        self.engine(move |tx| {
            let snapshot = Snapshot { post: id, age: HOUR, captured, source: "public read".to_owned(), rows };
            let count = u32::try_from(snapshot.rows.len()).unwrap();
            let command = PostCommand::Snapshot { age: HOUR, at: captured, rows: count, digest: snapshot.digest() };
            post_decide(tx, id, command)?;
            tx.put_snapshot(&snapshot)?;
            Ok(())
        })
        .await;
    }
}

pub(super) fn value(value: f64) -> Reading {
    Reading::Value { value }
}

/// A few more than usual for B, a few fewer for A.
pub(super) fn numbers(post: &Post) -> [f64; 2] {
    let wobble = f64::from(post.number % 3);
    if post.letter == 'B' { [14.0 + wobble, 9.0 + wobble] } else { [4.0 + wobble, 3.0 + wobble] }
}

fn check(outcome: &Outcome, check: Check) -> Verdict {
    outcome.checks.iter().find(|finding| finding.check == check).unwrap().verdict
}

#[tokio::test]
async fn an_experiment_says_what_is_missing_until_it_is_ripe_and_then_who_wins() {
    let world = World::small(HomeKind::Personal).await;
    let code = world.ten().await;
    world.grant(VIEWER, Role::Viewer, &["alpha"]).await;
    let before = world.outcome(&code).await;
    assert_eq!((before.say, before.winner, before.comparable), (Say::NotRipe, None, None));
    assert!(before.sentence.starts_with("Not ripe: 10 posts of 10 still to go out"), "{}", before.sentence);
    let posts = world.posts(&code).await;
    for post in &posts {
        world.publish(post).await;
    }
    let unread = world.outcome(&code).await;
    assert!(unread.sentence.starts_with("Not ripe: 10 posts not read at 1h yet"), "{}", unread.sentence);
    assert!(unread.proxies.iter().flat_map(|proxy| &proxy.middles).all(|middle| middle.value.is_none()));
    world.go_to("2027-03-02T20:00:00Z");
    for post in &posts {
        let [replies, reposts] = numbers(post);
        world.measure(post, vec![("replyCount", value(replies)), ("repostCount", value(reposts))]).await;
    }
    let found = world.outcome_as(VIEWER, &code).await.unwrap();
    assert_eq!((found.say, found.winner, found.comparable), (Say::Winner, Some('B'), Some(Verdict::Ok)), "{found:#?}");
    assert_eq!((found.confidence, found.next.as_str()), (Some(Strength::VeryLikely), "ship B"));
    assert!(found.draw_repeated, "the recorded seed gives the stored labels again");
    assert_eq!(found.checks.len(), 18);
    assert_eq!(check(&found, Check::Zero), Verdict::Unavailable, "no views on this network");
    assert_eq!(found, world.outcome(&code).await, "the same question, the same answer");
    let bytes = serde_json::to_string(&found).unwrap();
    assert!(bytes.contains("\"say\":\"winner\"") && !bytes.contains("NaN"), "{bytes}");
}

#[tokio::test]
async fn what_could_not_be_read_is_not_zero_and_a_post_by_hand_close_by_is_seen() {
    let world = World::small(HomeKind::Personal).await;
    let code = world.ten().await;
    let posts = world.posts(&code).await;
    for post in &posts {
        world.publish(post).await;
    }
    world.go_to("2027-03-02T20:00:00Z");
    for (at, post) in posts.iter().enumerate() {
        let [replies, _] = numbers(post);
        let replies = if at == 0 { Reading::Missing { why: "the server was away".to_owned() } } else { value(replies) };
        world.measure(post, vec![("replyCount", replies), ("repostCount", Reading::NotOffered)]).await;
    }
    let (at, account) = (posts[4].window.from.plus(Span::minutes(5)), posts[4].account.clone());
    world
        .engine(move |tx| {
            let by_hand = ExternalPost {
                account: account.clone(),
                client: client("alpha"),
                id: "at://by-hand".to_owned(),
                url: "at://by-hand".to_owned(),
                at,
                seen: tx.now(),
                text: Digest::of(b"hello"),
            };
            Ok(tx.put_external_posts(&[by_hand])?)
        })
        .await;
    let found = world.outcome(&code).await;
    assert_eq!(found.winner, None);
    assert_eq!(found.proxies[1].aside.as_deref(), Some("not read on any post at 1h"));
    let read: usize = found.proxies[0].middles.iter().map(|middle| middle.posts).sum();
    assert_eq!(read, 9);
    assert_eq!((check(&found, Check::Missing), check(&found, Check::Interference)), (Verdict::Warn, Verdict::Warn));
    let compared: usize = found.variants.iter().filter_map(|count| count.comparable).sum();
    assert_eq!(compared, 8, "{:?}", found.variants);
}

#[tokio::test]
async fn a_variant_that_lost_its_posts_makes_it_invalid_and_nobody_wins() {
    let world = World::small(HomeKind::Personal).await;
    let code = world.ten().await;
    let mut lost = 0;
    for post in &world.posts(&code).await {
        if post.letter == 'A' && lost < 2 {
            lost += 1;
            world.act(ADA, Command::PostCancel { post: post.id, reason: "off".to_owned() }).await;
        } else {
            world.publish(post).await;
            let [replies, reposts] = numbers(post);
            world.measure(post, vec![("replyCount", value(replies)), ("repostCount", value(reposts))]).await;
        }
    }
    let found = world.outcome(&code).await;
    assert_eq!((found.say, found.winner, found.confidence), (Say::Invalid, None, None), "{found:#?}");
    assert!(found.sentence.contains("A lost 2 of 5, B lost none"), "{}", found.sentence);
    assert!(!found.sentence.contains("wins"), "{}", found.sentence);
}

#[tokio::test]
async fn an_outcome_is_for_those_who_see_the_client_and_what_has_no_plan_has_none() {
    let world = World::small(HomeKind::Personal).await;
    world.client("beta").await;
    let code = world.ten().await;
    world.grant(VIEWER, Role::Viewer, &["beta"]).await;
    let hidden = world.outcome_as(VIEWER, &code).await.unwrap_err();
    let nowhere = world.outcome_as(VIEWER, "ALP-404").await.unwrap_err();
    let kind = |problem: &Problem| {
        let Problem::Refused(refusal) = problem else { panic!("{problem:?}") };
        refusal.kind
    };
    assert_eq!((kind(&hidden), kind(&nowhere)), (RefusalKind::NotFound, RefusalKind::NotFound));
    let draft = world.brief(ADA, &BriefText::new("alpha", "oats", "2027-03-03")).await;
    let Problem::Refused(refusal) = world.outcome_as(ADA, &draft).await.unwrap_err() else { panic!() };
    assert_eq!(refusal.rule, "outcome.no-plan");
}

#[tokio::test]
async fn many_who_ask_for_an_outcome_hold_up_nobody_elses_question() {
    let world = World::small(HomeKind::Personal).await;
    let code = world.ten().await;
    let working = std::sync::Arc::clone(&world.desk.judging).acquire_owned().await.unwrap();
    let mut asked = Vec::new();
    for _ in 0..12 {
        let (desk, query) = (world.desk.clone(), Query::OutcomeShow { experiment: code.clone() });
        asked.push(tokio::spawn(async move { desk.ask(peer(ADA), query).await }));
    }
    for _ in 0..50 {
        // More of them than the store has readers; each has read what it needs, or is about to.
        world.ask(ADA, Query::ExperimentList { client: None, all: false }).await;
    }
    assert!(asked.iter().all(|one| !one.is_finished()), "they wait for the one that is judged");
    drop(working);
    for one in asked {
        assert!(matches!(one.await.unwrap(), Ok(Answer::Outcome(_))));
    }
}
