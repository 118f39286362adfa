//! Who asks is what the kernel says; nothing in a body makes anybody somebody else (T6).

use domain::agency::HomeKind;
use domain::role::Role;
use serde_json::{Value, json};

use super::fixture::*;
use crate::{Answer, Command, Query};

const OLEG: u32 = 2001;

/// What a body might claim.
fn claims() -> Vec<(&'static str, Value)> {
    vec![
        ("uid", json!(ADA)),
        ("role", json!("admin")),
        ("actor", json!({"kind": "person", "uid": ADA, "name": "ada", "role": "admin"})),
        ("person", json!("ada")),
        ("by", json!("engine")),
        ("scope", json!("all")),
        ("clients", json!([])),
        ("client", json!("alpha")),
        ("mode", json!("do")),
        ("id", json!("00000000000000000000000000")),
    ]
}

fn with(mut body: Value, key: &str, value: Value) -> Option<Value> {
    let object = body.as_object_mut().unwrap();
    if object.contains_key(key) {
        return None;
    }
    object.insert(key.to_owned(), value);
    Some(body)
}

#[test]
fn no_command_takes_a_field_that_says_who_asks() {
    for command in super::matrix::one_of_each() {
        let body = serde_json::to_value(&command).unwrap();
        assert!(serde_json::from_value::<Command>(body.clone()).is_ok(), "{body}");
        for (key, value) in claims() {
            let Some(forged) = with(body.clone(), key, value) else { continue };
            assert!(serde_json::from_value::<Command>(forged.clone()).is_err(), "{forged}");
        }
    }
}

#[tokio::test]
async fn what_a_question_claims_changes_no_byte_of_its_answer() {
    let world = World::small(HomeKind::Personal).await;
    world.client("beta").await;
    world.grant(OLEG, Role::Operator, &["alpha"]).await;
    for query in
        [Query::WhoAmI, Query::UserList, Query::ClientList, Query::AccountList, Query::QueueList, Query::StoreInfo]
    {
        let plain = serde_json::to_string(&world.ask(OLEG, query.clone()).await).unwrap();
        let body = serde_json::to_value(&query).unwrap();
        for (key, value) in claims() {
            let Some(forged) = with(body.clone(), key, value) else { continue };
            let Ok(read) = serde_json::from_value::<Query>(forged) else { continue };
            assert_eq!(serde_json::to_string(&world.ask(OLEG, read).await).unwrap(), plain, "{key}");
        }
    }
    let answer = world.ask(OLEG, Query::WhoAmI).await;
    assert!(matches!(&answer, Answer::User(user) if user.uid == OLEG && user.role == Role::Operator), "{answer:?}");
}

#[tokio::test]
async fn what_stands_deeper_in_a_body_gives_no_leave() {
    let world = World::small(HomeKind::Personal).await;
    world.client("beta").await;
    world.grant(OLEG, Role::Operator, &["alpha"]).await;
    for body in [
        json!({"do": "pause", "reason": "x", "target": {"what": "client", "name": "beta", "role": "admin", "uid": ADA}}),
        json!({"do": "resume", "reason": "x", "target": {"what": "agency", "uid": ADA}}),
        json!({"do": "post_confirm", "post": "00000000000000000000000000", "verdict": {"it_is": "not_live", "uid": ADA}}),
        json!({"do": "user_grant", "uid": OLEG, "name": "oleg", "role": "admin", "clients": []}),
    ] {
        let before = world.desk.store().anchor();
        if let Ok(command) = serde_json::from_value::<Command>(body.clone()) {
            assert!(world.try_as(OLEG, command).await.is_err(), "{body}");
        }
        assert_eq!(world.desk.store().anchor(), before, "{body}");
    }
    let events = world.desk.store().read(|view| view.events(&domain::role::Scope::All, 0, 1000)).await.unwrap();
    assert!(events.iter().all(|e| !e.actor.is_person(OLEG)));
}
