//! What is put off stands at the end, is told of, and comes back by itself before its first slot.

use domain::agency::HomeKind;
use domain::checkin::Round;
use domain::refusal::RefusalKind;
use domain::time::Zone;

use super::fixture::*;
use crate::query::QueueLine;
use crate::{Answer, Command, Query};

const TUESDAY: &str = "2027-03-02";

async fn queue(world: &World) -> Vec<QueueLine> {
    let Answer::Queue(lines) = world.ask(ADA, Query::QueueList).await else { panic!() };
    lines
}

async fn codes(world: &World) -> Vec<String> {
    queue(world).await.into_iter().map(|line| line.line.code).collect()
}

fn later(code: &str, until: Option<&str>) -> Command {
    Command::QueueLater { experiment: code.to_owned(), until: until.map(time), zone: Zone::UTC }
}

#[tokio::test]
async fn what_is_put_off_sinks_to_the_end_and_is_back_at_the_next_round() {
    let world = World::small(HomeKind::Personal).await;
    let first = world.submitted(ADA, &BriefText::new("alpha", "rye", TUESDAY)).await;
    let second = world.submitted(ADA, &BriefText::new("alpha", "oat", "2027-03-03")).await;
    assert_eq!(codes(&world).await, [first.clone(), second.clone()]);
    let done = world.act(ADA, later(&first, None)).await;
    assert!(done.lines[0].contains("put off until 2027-03-01 13:00:00 UTC; it comes back by itself"), "{done:#?}");
    assert_eq!(codes(&world).await, [second.clone(), first.clone()]);
    let put_off = queue(&world).await.pop().unwrap().later.unwrap();
    assert_eq!((put_off.by.as_str(), put_off.until), ("ada", time("2027-03-01T13:00:00Z")));
    let Answer::Rounds(rounds) = world.ask(ADA, Query::CheckinStatus { client: None }).await else { panic!() };
    let morning = rounds.into_iter().find(|r| r.round == Round::Morning).unwrap();
    assert!(morning.left.iter().any(|left| left.to.starts_with("ada put it off until 2027-03-01 13:00")));
    world.go_to("2027-03-01T13:00:00Z");
    assert_eq!(codes(&world).await, [first, second]);
    assert!(queue(&world).await.iter().all(|line| line.later.is_none()));
    assert!(world.desk.store().rebuild_compare().await.unwrap().is_empty());
}

#[tokio::test]
async fn what_is_put_off_is_back_in_time_for_a_word_and_for_making_its_first_post_ready() {
    let world = World::small(HomeKind::Personal).await;
    let code = world.submitted(ADA, &BriefText::new("alpha", "rye", TUESDAY)).await;
    for until in ["2027-03-02T08:15:01Z", "2027-03-02T08:59:59Z", "2027-03-02T09:00:00Z", "2027-03-05T09:00:00Z"] {
        let refusal = world.refused(ADA, later(&code, Some(until))).await;
        assert_eq!((refusal.kind, refusal.rule.as_str()), (RefusalKind::Rule, "queue.later"));
        assert!(refusal.why.contains("its first slot is 2027-03-02T09:00:00Z"), "{refusal}");
    }
    assert_eq!(world.refused(ADA, later(&code, Some(START))).await.rule, "queue.later.past");
    world.go_to("2027-03-02T06:30:00Z");
    let refusal = world.refused(ADA, later(&code, None)).await;
    assert_eq!(refusal.rule, "queue.later", "the next round begins with the slot: {refusal}");
    world.act(ADA, later(&code, Some("2027-03-02T08:15:00Z"))).await;
}

#[tokio::test]
async fn it_is_taken_up_again_by_a_key_by_a_word_and_by_a_slot_that_comes_closer() {
    let world = World::small(HomeKind::Personal).await;
    let code = world.submitted(ADA, &BriefText::new("alpha", "rye", TUESDAY)).await;
    let back = || Command::QueueBack { experiment: code.clone() };
    assert_eq!(world.refused(ADA, back()).await.kind, RefusalKind::Nothing);
    world.act(ADA, later(&code, Some("2027-03-02T08:00:00Z"))).await;
    assert_eq!(world.refused(ADA, later(&code, Some("2027-03-02T08:00:00Z"))).await.kind, RefusalKind::Nothing);
    world.act(ADA, back()).await;
    assert_eq!(queue(&world).await[0].later, None);
    world.act(ADA, later(&code, Some("2027-03-02T08:00:00Z"))).await;
    let post = world.posts(&code).await[0].id;
    world.act(ADA, Command::PostMove { post, to: time("2027-03-02T08:30:00Z") }).await;
    assert_eq!(queue(&world).await[0].later, None, "it would be back 30 min before its first slot");
    world.act(ADA, later(&code, Some("2027-03-02T07:00:00Z"))).await;
    world.approve(ADA, &code).await;
    assert_eq!(world.stored(&code).await.later, None);
    assert_eq!(world.refused(ADA, later(&code, None)).await.kind, RefusalKind::Nothing);
}
