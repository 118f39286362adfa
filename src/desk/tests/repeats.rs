//! A command that comes twice is done once, and a dry run is not done at all (T21).

use domain::agency::HomeKind;
use domain::role::{Role, Scope};
use store::Open;

use super::fixture::*;
use crate::{Command, Mode, Problem, Stoppable};

fn pause(reason: &str) -> Command {
    Command::Pause { target: Stoppable::Client(client("alpha")), reason: reason.to_owned() }
}

#[tokio::test]
async fn the_same_id_gets_the_first_answer_whatever_it_asks_later() {
    let world = World::small(HomeKind::Personal).await;
    world.grant(2001, Role::Operator, &[]).await;
    let id = world.id();
    let first = world.desk.act(peer(ADA), id, pause("one"), Mode::Do).await.unwrap();
    let before = world.desk.store().anchor();
    for command in [pause("one"), pause("two"), Command::UserRevoke { uid: 2001 }] {
        assert_eq!(world.desk.act(peer(ADA), id, command, Mode::Do).await.unwrap(), first);
    }
    assert_eq!(world.desk.store().anchor(), before);
    // Another person's same id is their own.
    let other = world.desk.act(peer(2001), id, pause("three"), Mode::Do).await.unwrap();
    assert_ne!(world.desk.store().anchor(), before);
    assert_eq!(world.desk.act(peer(2001), id, pause("four"), Mode::Do).await.unwrap(), other);
}

#[tokio::test]
async fn a_refusal_is_an_answer_too() {
    let world = World::small(HomeKind::Personal).await;
    world.grant(2001, Role::Viewer, &[]).await;
    for (uid, command) in [
        (ADA, Command::UserRevoke { uid: 77 }),
        (2001, pause("no")),
        (ADA, Command::BriefNew { toml: BriefText::new("nobody", "rye", "2027-03-02").toml() }),
    ] {
        let id = world.id();
        let shown = format!("{command:?}");
        let first = world.desk.act(peer(uid), id, command, Mode::Do).await.unwrap_err();
        let Problem::Refused(refusal) = &first else { panic!("{shown}: {first:?}") };
        let recorded = world.refusals().await;
        assert_eq!((&recorded[0].refusal, recorded[0].cause.as_str()), (refusal, id.to_string().as_str()), "{shown}");
        world.act(ADA, Command::Pause { target: Stoppable::Agency, reason: "x".to_owned() }).await;
        assert_eq!(world.desk.act(peer(uid), id, pause("now"), Mode::Do).await.unwrap_err(), first, "{shown}");
        assert_eq!(world.refusals().await.len(), recorded.len(), "an answer given again is no second refusal");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_id_sent_twice_at_once_is_done_once() {
    let world = World::on_disk(HomeKind::Personal, Open::Owner);
    world.client("alpha").await;
    for turn in 0..8 {
        let id = world.id();
        let new =
            || Command::ClientNew { client: client(&format!("c{turn}")), name: "N".to_owned(), zone: "UTC".to_owned() };
        let run = |command: Command| {
            let desk = world.desk.clone();
            tokio::spawn(async move { desk.act(peer(ADA), id, command, Mode::Do).await })
        };
        let (one, two) = (run(new()), run(new()));
        let (one, two) = (one.await.unwrap().unwrap(), two.await.unwrap().unwrap());
        assert_eq!(one, two);
    }
    let clients = world.desk.store().read(|view| view.clients(&Scope::All)).await.unwrap();
    assert_eq!(clients.len(), 9);
}

#[tokio::test]
async fn a_dry_run_decides_everything_and_keeps_nothing() {
    let world = World::small(HomeKind::Personal).await;
    let brief = BriefText::new("alpha", "rye", "2027-03-02");
    let id = world.id();
    let before = world.desk.store().anchor();
    let new = || Command::BriefNew { toml: brief.toml() };
    let tried = world.desk.act(peer(ADA), id, new(), Mode::DryRun).await.unwrap();
    assert_eq!(world.desk.store().anchor(), before);
    let done = world.desk.act(peer(ADA), id, new(), Mode::Do).await.unwrap();
    assert_ne!(world.desk.store().anchor(), before);
    assert_eq!((tried.lines.clone(), &tried.data["code"]), (done.lines.clone(), &done.data["code"]));
    // A refused one does not use the id up either.
    let code = done.data["code"].as_str().unwrap().to_owned();
    let id = world.id();
    let approve = || Command::Approve { experiment: code.clone(), fingerprint: "0123456789".to_owned() };
    assert!(world.desk.act(peer(ADA), id, approve(), Mode::DryRun).await.is_err());
    world.desk.act(peer(ADA), id, Command::Submit { experiment: code.clone() }, Mode::Do).await.unwrap();
    world.grant(2001, Role::Viewer, &[]).await;
    let id = world.id();
    assert!(world.desk.act(peer(2001), id, pause("x"), Mode::DryRun).await.is_err());
    world
        .act(ADA, Command::UserGrant { uid: 2001, name: "u2001".to_owned(), role: Role::Operator, clients: vec![] })
        .await;
    world.desk.act(peer(2001), id, pause("x"), Mode::Do).await.unwrap();
}
