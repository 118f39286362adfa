//! What a person must settle has one owner, may wait as long as its urgency allows, and is told of as it stands; so are the
//! account that it is about and the posts of a day.

use domain::agency::HomeKind;
use domain::id::EscalationId;
use domain::refusal::RefusalKind;
use domain::role::Role;
use domain::time::Zone;

use super::fixture::*;
use crate::query::EscalationView;
use crate::{Answer, Command, Query};

const OLEG: u32 = 2001;
const VERA: u32 = 2002;
const TUESDAY: &str = "2027-03-02";

async fn lost() -> (World, EscalationId) {
    let world = World::small(HomeKind::Personal).await;
    world.grant(OLEG, Role::Operator, &["alpha"]).await;
    world.grant(VERA, Role::Viewer, &["alpha"]).await;
    world.lose_login("alpha").await;
    let id = open(&world).await.id;
    (world, id)
}

async fn open(world: &World) -> EscalationView {
    let Answer::Escalations(all) = world.ask(ADA, Query::EscalationList { all: false }).await else { panic!() };
    let [one] = all.as_slice() else { panic!("{all:?}") };
    one.clone()
}

fn hand(escalation: EscalationId, to: Option<&str>) -> Command {
    Command::EscalationHand { escalation, to: to.map(str::to_owned) }
}

#[tokio::test]
async fn it_is_handed_to_somebody_who_may_settle_it_and_to_nobody_else() {
    let (world, id) = lost().await;
    assert_eq!(world.refused(ADA, hand(id, Some("u2002"))).await.rule, "escalation.hand", "a viewer settles nothing");
    assert_eq!(world.refused(ADA, hand(id, Some("nobody"))).await.rule, "escalation.hand");
    world.act(ADA, hand(id, Some("u2001"))).await;
    assert_eq!(open(&world).await.owner.as_deref(), Some("u2001"));
    world.act(OLEG, hand(id, None)).await;
    assert_eq!(open(&world).await.owner, None);
}

#[tokio::test]
async fn a_high_one_waits_four_hours_at_most_and_the_round_says_so() {
    let (world, id) = lost().await;
    let later =
        |until: Option<&str>| Command::EscalationLater { escalation: id, until: until.map(time), zone: Zone::UTC };
    let far = world.refused(OLEG, later(Some("2027-03-01T12:30:00Z"))).await;
    assert_eq!((far.rule.as_str(), far.kind), ("escalation.later", RefusalKind::Rule));
    let told = world.act(OLEG, later(None)).await;
    assert!(told.lines[0].contains("is put off until 2027-03-01 12:00"), "{told:?}");
    let put = open(&world).await.later.unwrap();
    assert_eq!((put.until, put.by.as_str()), (time("2027-03-01T12:00:00Z"), "u2001"));
    let Answer::Rounds(rounds) = world.ask(ADA, Query::CheckinStatus { client: None }).await else { panic!() };
    let left = rounds[0].left.iter().find(|left| left.to.contains("u2001 put it off until"));
    assert!(left.is_some(), "{:?}", rounds[0].left);
    world.act(ADA, Command::EscalationTake { escalation: id }).await;
    assert_eq!(open(&world).await.later, None, "whoever takes it looks at it now");
}

#[tokio::test]
async fn the_posts_of_a_day_are_told_with_whatever_must_be_settled() {
    let world = World::small(HomeKind::Personal).await;
    let code = world.approved(ADA, &BriefText::new("alpha", "rye", TUESDAY)).await;
    let posts = world.posts(&code).await;
    world.go_to("2027-03-02T09:00:00Z");
    world.leave_in_doubt(posts[0].id).await;
    let between = async |from: &str, until: &str| {
        let query = Query::PostsBetween { from: time(from), until: time(until) };
        let Answer::Posts(found) = world.ask(ADA, query).await else { panic!() };
        found
    };
    let day = between("2027-03-02T00:00:00Z", "2027-03-02T23:59:59Z").await;
    assert_eq!(day.len(), posts.len());
    assert_eq!((day[0].state.as_str(), day[0].since), ("unconfirmed", Some(world.now())));
    assert!(day[0].why.as_ref().is_some_and(|why| !why.is_empty()), "{:?}", day[0]);
    let after = between("2027-03-05T00:00:00Z", "2027-03-05T23:59:59Z").await;
    assert_eq!(after.iter().map(|post| post.id).collect::<Vec<_>>(), [posts[0].id], "in doubt, whatever its day");
}

#[tokio::test]
async fn an_account_tells_how_its_lanes_publish_and_what_stopped_it() {
    let world = World::small(HomeKind::Personal).await;
    let code = world.approved(ADA, &BriefText::new("alpha", "rye", TUESDAY)).await;
    let show = async || {
        let Answer::Account(whole) = world.ask(ADA, Query::AccountShow { account: account("alpha-bs") }).await else {
            panic!()
        };
        *whole
    };
    assert!(show().await.lanes.is_empty(), "nothing was tried");
    let post = world.posts(&code).await[0].clone();
    world.go_to("2027-03-02T09:00:00Z");
    world.prepare(post.id, domain::post::Repeat::Always).await;
    world.commit(post.id).await;
    let why = "InvalidRequest".to_owned();
    world.end(post.id, domain::post::CommitOutcome::Refused { why, again: false }).await;
    world.go_to("2027-03-02T10:00:00Z");
    let whole = show().await;
    let [lane] = whole.lanes.as_slice() else { panic!("{:?}", whole.lanes) };
    assert_eq!((lane.good, lane.all, lane.in_a_row), (0, 1, 1));
    assert!(lane.evidence > 1.0 && lane.evidence < 500.0, "{lane:?}");
    assert!(whole.alarms.is_empty() && whole.account.holds.is_empty());
}
