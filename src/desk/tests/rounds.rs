//! A signature says what is: what is left, open and done comes from the store, whatever the face says (T25).

use std::sync::Arc;

use domain::agency::HomeKind;
use domain::checkin::{LeftOf, Round, Step};
use domain::refusal::RefusalKind;
use domain::role::Role;

use super::fixture::*;
use crate::command::Looked;
use crate::rounds::RoundView;
use crate::{Answer, Command, Query};

const OLEG: u32 = 2001;
const TUESDAY: &str = "2027-03-02";

/// A small agency whose engine runs.
async fn running() -> World {
    let mut world = World::small(HomeKind::Personal).await;
    world.desk = world.with_beat(Arc::new(Vec::new));
    world
}

fn sign(round: Round, note: &str) -> Command {
    Command::CheckinSign { round, client: None, looked: Vec::new(), used_s: 600, note: note.to_owned(), shown: None }
}

/// The same command for one client.
fn for_client(command: Command, name: &str) -> Command {
    let Command::CheckinSign { round, looked, used_s, note, shown, .. } = command else { panic!() };
    Command::CheckinSign { round, client: Some(client(name)), looked, used_s, note, shown }
}

/// The same command for what was shown.
fn showing(command: Command, shown: &str) -> Command {
    let Command::CheckinSign { round, client, looked, used_s, note, .. } = command else { panic!() };
    Command::CheckinSign { round, client, looked, used_s, note, shown: Some(shown.to_owned()) }
}

async fn standing(world: &World, uid: u32, round: Round) -> RoundView {
    let answer = world.ask(uid, Query::CheckinStatus { client: None }).await;
    let Answer::Rounds(rounds) = answer else { panic!("{answer:?}") };
    rounds.into_iter().find(|found| found.round == round).unwrap()
}

async fn signed(world: &World, uid: u32) -> domain::checkin::Checkin {
    let Answer::Checkins(mut all) = world.ask(uid, Query::CheckinList { before: None }).await else { panic!() };
    all.remove(0)
}

#[tokio::test]
async fn a_round_with_nothing_left_is_signed_without_a_word_and_once() {
    let world = running().await;
    assert_eq!(standing(&world, ADA, Round::Morning).await.signed, None);
    let done = world.act(ADA, sign(Round::Morning, "")).await;
    assert!(done.lines[0].contains("signed by ada for all clients"), "{done:#?}");
    let view = standing(&world, ADA, Round::Morning).await;
    assert_eq!(view.signed.map(|s| (s.by, s.at)), Some(("ada".to_owned(), world.now())));
    assert_eq!(standing(&world, ADA, Round::Midday).await.signed, None);
    let again = world.refused(ADA, sign(Round::Morning, "once more")).await;
    assert!(again.kind == RefusalKind::Nothing && again.why.contains("ada signed it"), "{again}");
    world.go_to("2027-03-02T08:00:00Z");
    assert_eq!(standing(&world, ADA, Round::Morning).await.signed, None, "it is another day");
    world.act(ADA, sign(Round::Morning, "")).await;
    assert!(world.desk.store().rebuild_compare().await.unwrap().is_empty());
}

#[tokio::test]
async fn the_day_is_the_offices_and_one_that_has_not_begun_is_signed_by_nobody() {
    let world = running().await;
    // A client in Auckland has its own day; all clients together have that of UTC.
    let auckland =
        Command::ClientNew { client: client("kiwi"), name: "Kiwi".to_owned(), zone: "Pacific/Auckland".to_owned() };
    world.act(ADA, auckland).await;
    world.go_to("2027-03-01T13:18:00Z");
    let of = |view: &RoundView| (view.date.to_string(), view.zone.to_string());
    assert_eq!(of(&standing(&world, ADA, Round::Morning).await), ("2027-03-01".to_owned(), "UTC".to_owned()));
    let ask = Query::CheckinStatus { client: Some(client("kiwi")) };
    let Answer::Rounds(rounds) = world.ask(ADA, ask).await else { panic!() };
    assert_eq!(of(&rounds[0]), ("2027-03-02".to_owned(), "Pacific/Auckland".to_owned()));
    let refusal = world.refused(ADA, for_client(sign(Round::Morning, "early"), "kiwi")).await;
    assert_eq!((refusal.kind, refusal.rule.as_str()), (RefusalKind::Rule, "checkin.early"));
    assert!(refusal.why.contains("it begins at 2027-03-02 09:00:00 NZDT"), "{refusal}");
    assert_eq!(world.refused(ADA, sign(Round::EndOfDay, "early")).await.rule, "checkin.early");
    world.act(ADA, sign(Round::Midday, "")).await;
    world.go_to("2027-03-01T18:00:00Z");
    world.act(ADA, for_client(sign(Round::Morning, "in time"), "kiwi")).await;
    assert_eq!(signed(&world, ADA).await.date.to_string(), "2027-03-02");
}

#[tokio::test]
async fn a_sheet_of_another_day_or_of_other_clients_signs_nothing() {
    let world = running().await;
    world.client("beta").await;
    world.go_to("2027-03-01T16:00:00Z");
    let of = async |name: Option<&str>| {
        let ask = Query::CheckinStatus { client: name.map(client) };
        let Answer::Rounds(rounds) = world.ask(ADA, ask).await else { panic!() };
        rounds.into_iter().find(|found| found.round == Round::Morning).unwrap().shown
    };
    let (all, alpha) = (of(None).await, of(Some("alpha")).await);
    assert_ne!(all, alpha);
    let refusal = world.refused(ADA, showing(sign(Round::Morning, ""), &alpha)).await;
    assert_eq!(refusal.kind, RefusalKind::Changed, "{refusal}");
    world.go_to("2027-03-02T07:00:00Z");
    assert_eq!(world.refused(ADA, showing(sign(Round::Morning, ""), &all)).await.kind, RefusalKind::Changed);
    let today = of(None).await;
    world.act(ADA, showing(sign(Round::Morning, ""), &today)).await;
}

#[tokio::test]
async fn what_is_left_is_read_from_the_store_and_needs_a_sentence() {
    let world = running().await;
    let code = world.submitted(ADA, &BriefText::new("alpha", "rye", TUESDAY)).await;
    world.lose_login("alpha").await;
    let refusal = world.refused(ADA, sign(Round::Morning, "  ")).await;
    assert_eq!(refusal.rule, "checkin.note");
    assert!(refusal.why.starts_with("2 things are left"), "{refusal}");
    world.act(ADA, sign(Round::Morning, "jon looks at both before nine tomorrow")).await;
    let found = signed(&world, ADA).await;
    assert_eq!(found.left.iter().map(|left| left.step).collect::<Vec<_>>(), [Step::Alerts, Step::Queue]);
    assert!(matches!(&found.left[1].of, LeftOf::Experiment(named) if named.code == code));
    assert_eq!(found.left[1].before, Some(time("2027-03-02T09:00:00Z")));
    assert_eq!(found.alerts.len(), 1);
    assert_eq!(found.note, "jon looks at both before nine tomorrow");
}

#[tokio::test]
async fn an_alert_that_somebody_has_taken_is_told_and_is_not_left() {
    let world = running().await;
    world.lose_login("alpha").await;
    let escalation = standing(&world, ADA, Round::Morning).await.alerts[0].escalation;
    world.act(ADA, Command::EscalationTake { escalation }).await;
    world.act(ADA, sign(Round::Morning, "")).await;
    let found = signed(&world, ADA).await;
    assert_eq!((found.left.len(), found.alerts[0].owner.as_deref()), (0, Some("ada")));
}

#[tokio::test]
async fn a_signature_tells_what_was_done_since_the_one_before() {
    let world = running().await;
    let approved = world.approved(ADA, &BriefText::new("alpha", "rye", TUESDAY)).await;
    let refused = world.submitted(ADA, &BriefText::new("alpha", "oat", "2027-03-03")).await;
    world.act(ADA, Command::Reject { experiment: refused.clone(), reason: "off brand".to_owned() }).await;
    let undone = world.approved(ADA, &BriefText::new("alpha", "spelt", "2027-03-04")).await;
    world.act(ADA, Command::Undo { experiment: undone, post: None }).await;
    world.act(ADA, sign(Round::Morning, "the last one comes back tomorrow")).await;
    let done = signed(&world, ADA).await.done;
    assert_eq!(done.approved.iter().map(|n| n.code.as_str()).collect::<Vec<_>>(), [approved.as_str()]);
    assert_eq!(done.posts, 4);
    assert_eq!(done.rejected.iter().map(|n| n.code.as_str()).collect::<Vec<_>>(), [refused.as_str()]);
    world.go_to("2027-03-02T07:00:00Z");
    assert!(standing(&world, ADA, Round::Morning).await.done.is_empty(), "told once");
    assert_eq!(standing(&world, ADA, Round::Midday).await.done.approved.len(), 0, "of another day");
}

#[tokio::test]
async fn what_was_taken_back_since_is_no_deed() {
    let world = running().await;
    let code = world.submitted(ADA, &BriefText::new("alpha", "rye", TUESDAY)).await;
    world.act(ADA, Command::Reject { experiment: code.clone(), reason: "off brand".to_owned() }).await;
    let rejected = async || standing(&world, ADA, Round::Morning).await.done.rejected.len();
    assert_eq!(rejected().await, 1);
    world.act(ADA, Command::Submit { experiment: code }).await;
    assert_eq!(rejected().await, 0, "it waits for a word again");
}

#[tokio::test]
async fn what_was_done_is_counted_from_the_signature_that_speaks_of_these_clients_and_not_from_long_ago() {
    let world = running().await;
    world.client("beta").await;
    let oat = world.approved(ADA, &BriefText::new("alpha", "oat", TUESDAY)).await;
    let rye = world.approved(ADA, &BriefText::new("beta", "rye", TUESDAY)).await;
    world.act(ADA, for_client(sign(Round::Morning, ""), "alpha")).await;
    let done = |view: RoundView| {
        let mut codes: Vec<String> = view.done.approved.into_iter().map(|named| named.code).collect();
        codes.sort();
        codes
    };
    let of_alpha = async || {
        let Answer::Rounds(rounds) = world.ask(ADA, Query::CheckinStatus { client: Some(client("alpha")) }).await
        else {
            panic!()
        };
        done(rounds.into_iter().find(|found| found.round == Round::Morning).unwrap())
    };
    assert_eq!(of_alpha().await, [""; 0], "told once");
    assert_eq!(done(standing(&world, ADA, Round::Morning).await), [oat, rye], "one client's is not everybody's");
    world.act(ADA, sign(Round::Morning, "")).await;
    let spelt = world.approved(ADA, &BriefText::new("alpha", "spelt", "2027-03-20")).await;
    assert_eq!(of_alpha().await, [spelt.as_str()]);
    world.go_to("2027-03-02T23:59:00Z");
    assert_eq!(done(standing(&world, ADA, Round::Morning).await), [spelt.as_str()], "of the day before");
    world.go_to("2027-03-03T07:00:00Z");
    assert_eq!(done(standing(&world, ADA, Round::Morning).await), [""; 0], "that is too long ago");
}

#[tokio::test]
async fn signed_rounds_are_listed_so_many_at_a_time_and_found_by_the_beginning_of_their_ids() {
    let world = running().await;
    world.act(ADA, sign(Round::Morning, "")).await;
    let first = signed(&world, ADA).await;
    world.go_to("2027-03-02T08:00:00Z");
    world.act(ADA, sign(Round::Morning, "")).await;
    let second = signed(&world, ADA).await;
    let Answer::Checkins(older) = world.ask(ADA, Query::CheckinList { before: Some(second.id) }).await else {
        panic!()
    };
    assert_eq!(older, [first]);
    let Answer::Checkin(found) =
        world.ask(ADA, Query::CheckinShow { checkin: second.id.to_string().to_lowercase() }).await
    else {
        panic!()
    };
    assert_eq!(*found, second);
    let several = world.desk.ask(peer(ADA), Query::CheckinShow { checkin: "0".to_owned() }).await;
    assert!(matches!(several, Err(crate::Problem::Refused(r)) if r.rule.contains("ambiguous")));
}

#[tokio::test]
async fn nobody_signs_for_something_that_came_after_the_sheet() {
    let world = running().await;
    let shown = standing(&world, ADA, Round::Morning).await.shown;
    world.lose_login("alpha").await;
    let noted = |shown: &str| showing(sign(Round::Morning, "noted"), shown);
    assert_eq!(world.refused(ADA, noted(&shown)).await.kind, RefusalKind::Changed);
    let now = standing(&world, ADA, Round::Morning).await.shown;
    world.act(ADA, noted(&now)).await;
}

#[tokio::test]
async fn without_an_engine_or_under_a_hold_a_round_is_signed_only_with_a_word_about_it() {
    let world = World::small(HomeKind::Personal).await;
    world.go_to("2027-03-01T13:00:00Z");
    let refusal = world.refused(ADA, sign(Round::Midday, "")).await;
    assert!(refusal.why.contains("no engine runs"), "{refusal}");
    let world = running().await;
    world.go_to("2027-03-01T13:00:00Z");
    let pause = Command::Pause { target: crate::Stoppable::Agency, reason: "fire".to_owned() };
    world.act(ADA, pause).await;
    let refusal = world.refused(ADA, sign(Round::Midday, "")).await;
    assert!(refusal.why.contains("on hold"), "{refusal}");
    world.act(ADA, sign(Round::Midday, "I know")).await;
}

#[tokio::test]
async fn who_is_limited_signs_for_their_clients_and_reads_of_no_others() {
    let world = running().await;
    world.client("beta").await;
    world.grant(OLEG, Role::Operator, &["alpha"]).await;
    world.lose_login("beta").await;
    world.submitted(ADA, &BriefText::new("beta", "rye", TUESDAY)).await;
    assert!(standing(&world, OLEG, Round::Morning).await.left.is_empty());
    world.act(OLEG, sign(Round::Morning, "")).await;
    let mine = signed(&world, OLEG).await;
    assert!(mine.alerts.is_empty() && mine.left.is_empty());
    assert_eq!(standing(&world, ADA, Round::Morning).await.signed, None, "one client's is not everybody's");
    world.act(ADA, sign(Round::Morning, "beta is in trouble")).await;
    world.go_to("2027-03-02T07:00:00Z");
    world.act(ADA, sign(Round::Morning, "beta still is")).await;
    let Answer::Checkins(read) = world.ask(OLEG, Query::CheckinList { before: None }).await else { panic!() };
    assert_eq!(read, [mine]);
    let signature = standing(&world, OLEG, Round::Morning).await.signed.unwrap();
    assert_eq!((signature.by.as_str(), signature.note.as_str()), ("ada", ""));
    let hidden = world.desk.ask(peer(OLEG), Query::CheckinShow { checkin: signature.checkin.to_string() }).await;
    assert!(matches!(hidden, Err(crate::Problem::Refused(r)) if r.kind == RefusalKind::NotFound));
}

#[tokio::test]
async fn what_was_looked_at_is_kept_as_the_face_told_it() {
    let world = running().await;
    let look = |step| Looked { step, from: world.now(), until: world.now(), what: "none open on 1 account".to_owned() };
    let with = |looked: Vec<Looked>| Command::CheckinSign {
        round: Round::Morning,
        client: Some(client("alpha")),
        looked,
        used_s: 61,
        note: String::new(),
        shown: None,
    };
    assert_eq!(world.refused(ADA, with(vec![look(Step::Decide)])).await.rule, "checkin.words");
    world.act(ADA, with(vec![look(Step::Alerts), look(Step::Queue)])).await;
    let found = signed(&world, ADA).await;
    assert_eq!((found.looked.len(), found.used_s), (2, 61));
    assert_eq!(found.client(), Some(&client("alpha")));
}
