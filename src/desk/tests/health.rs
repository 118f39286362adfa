//! Health: an engine that is late is told by the name of the task, whatever it waits for (I24).

use std::sync::Arc;

use domain::agency::HomeKind;
use domain::time::{Span, UtcTime};

use super::fixture::{ADA, World, peer};
use crate::query::{Health, TaskHealth, Verdict};
use crate::{Answer, Query};

/// What the desk says of a task that has been at a step, or due, for so long.
async fn health(since: Option<i64>, due: Option<i64>) -> Health {
    let world = World::small(HomeKind::Personal).await;
    let now = world.now();
    let ago = move |seconds: i64| UtcTime::from_micros(now.micros() - Span::seconds(seconds).micros());
    let desk = world.with_beat(Arc::new(move || {
        vec![TaskHealth {
            name: "verify".to_owned(),
            since: since.map(ago),
            last: Some(ago(600)),
            next: due.map(ago),
            steps: 3,
            error: None,
        }]
    }));
    let answer = desk.ask(peer(ADA), Query::Health).await.unwrap();
    let Answer::Health(health) = answer else { panic!("{answer:?}") };
    health
}

#[tokio::test]
async fn a_task_that_did_not_begin_when_it_was_due_is_late() {
    assert_eq!(health(None, Some(30)).await.verdict, Verdict::Well);
    let late = health(None, Some(90)).await;
    assert_eq!((late.verdict, late.lines.join("\n").contains("verify")), (Verdict::Degraded, true));
}

#[tokio::test]
async fn a_task_that_began_and_does_not_come_to_an_end_is_late() {
    assert_eq!(health(Some(30), None).await.verdict, Verdict::Well);
    let late = health(Some(90), None).await;
    assert_eq!((late.verdict, late.lines.join("\n").contains("verify")), (Verdict::Degraded, true));
}

#[tokio::test]
async fn a_hold_is_told_with_the_whole_command_that_ends_it() {
    let world = World::small(HomeKind::Personal).await;
    let pause = crate::Command::Pause { target: crate::Stoppable::Agency, reason: "a fire".to_owned() };
    world.act(ADA, pause).await;
    let Answer::Health(health) = world.ask(ADA, Query::Health).await else { panic!("no health") };
    let said = health.lines.join("\n");
    assert_eq!(health.verdict, Verdict::DeadOrHeld);
    assert!(said.contains("a fire; an admin ends it with `expos engine release --reason '"), "{said}");
    assert!(said.contains("' --yes`"), "released only when told so twice: {said}");
}
