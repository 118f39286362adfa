//! Questions: each finds what it names, and a scope sees its own clients' things and no others'.

use std::collections::BTreeSet;

use domain::approval::Field;
use domain::escalation::{Escalation, EscalationEnd, EscalationEvent};
use domain::hash::Digest;
use domain::post::{Post, PostEvent};
use domain::refusal::Refusal;
use domain::role::Scope;
use domain::time::UtcTime;

use super::support::*;
use crate::{Cause, Escalations, ExperimentFilter, ExternalPost, Store, StoreError, View, WriteError};

fn only(name: &str) -> Scope {
    Scope::Only(BTreeSet::from([client_id(name)]))
}

fn numbers(posts: &[Post]) -> Vec<u32> {
    posts.iter().map(|post| post.number).collect()
}

#[tokio::test]
async fn posts_are_found_by_slot_state_account_and_what_counts_as_out() {
    let (store, _) = in_memory().await;
    with_clients(&store, &["acme", "beta"], 4).await;
    for n in [1, 3] {
        store.write(Cause::engine("launch"), move |tx| go_out(tx, "acme", n)).await.unwrap();
    }
    store
        .read(|view| {
            let (all, acme) = (Scope::All, account_id("acme"));
            assert_eq!(numbers(&view.posts_of(house_id("acme"))?), [1, 2, 3, 4]);
            assert_eq!(view.posts_in_state(&all, &["planned"])?.len(), 6);
            assert_eq!(numbers(&view.posts_in_state(&only("acme"), &["planned"])?), [2, 4]);
            assert_eq!(numbers(&view.posts_in_state(&only("acme"), &["planned", "published"])?), [1, 2, 3, 4]);
            assert_eq!(numbers(&view.posts_due(&all, &["planned"], at(120))?), [1, 2, 2]);
            assert_eq!(numbers(&view.posts_slotted_between(&only("beta"), at(120), at(180))?), [2, 3]);
            assert_eq!(view.post_next_slot(&all, &["planned"], at(120))?, Some(at(180)));
            assert_eq!(view.post_next_slot(&only("acme"), &["planned"], at(120))?, Some(at(240)));
            assert_eq!(view.post_next_slot(&all, &["planned"], at(240))?, None);
            assert_eq!(numbers(&view.posts_of_account_between(&acme, at(62), at(182))?), [1, 2, 3]);
            assert_eq!(numbers(&view.posts_of_account_between(&acme, at(63), at(181))?), [2]);
            let out = view.posts_out_on_account(&acme, at(0), at(999))?;
            assert_eq!(out, [(post_id("acme", 1), at(62)), (post_id("acme", 3), at(182))]);
            let key = post("acme", 1).duplicate_key;
            assert_eq!(view.posts_with_duplicate_key(&acme, key, at(0))?, [(post_id("acme", 1), at(62))]);
            assert_eq!(view.posts_with_duplicate_key(&acme, key, at(63))?, []);
            assert_eq!(
                view.posts_with_duplicate_key(&acme, post("acme", 2).duplicate_key, at(0))?,
                [],
                "it is not out"
            );
            assert_eq!((view.posts_ever_out(&client_id("acme"))?, view.posts_ever_out(&client_id("beta"))?), (2, 0));
            assert_eq!(view.posts_slotted_count(&client_id("acme"), at(0), at(180))?, 3);
            assert_eq!(view.post(post_id("acme", 2))?.map(|post| post.number), Some(2));
            let text = post_id("acme", 2).to_string();
            assert_eq!(view.post_by_name(&all, &text.to_lowercase())?.map(|post| post.number), Some(2));
            assert_eq!(view.post_by_name(&only("beta"), &text)?, None, "another client's");
            assert_eq!(view.post_by_name(&all, text.get(..9).unwrap())?, None, "several begin so");
            assert_eq!(view.post_by_name(&all, "%_%_%_%")?, None);
            Ok(())
        })
        .await
        .unwrap();
}

#[tokio::test]
async fn an_experiment_is_found_by_the_name_that_people_use() {
    let (store, _) = in_memory().await;
    with_clients(&store, &["acme", "beta"], 0).await;
    store
        .read(|view| {
            let named = |scope: &Scope, name: &str| {
                Ok::<_, StoreError>(view.experiment_by_name(scope, name)?.map(|found| found.code))
            };
            assert_eq!(named(&Scope::All, "acme-house")?.as_deref(), Some("ACME-HOUSE"));
            assert_eq!(named(&only("beta"), "acme-house")?, None);
            let id = house_id("beta").to_string();
            assert_eq!(named(&Scope::All, &id)?.as_deref(), Some("BETA-HOUSE"));
            assert_eq!(named(&Scope::All, id.get(..6).unwrap())?, None, "both were made at one moment");
            assert_eq!(named(&only("beta"), id.get(..6).unwrap())?.as_deref(), Some("BETA-HOUSE"));
            assert_eq!(named(&Scope::All, id.get(..5).unwrap())?, None, "too short");
            for odd in ["", "'", "%", "ACME", "acme-house; --"] {
                assert_eq!(named(&Scope::All, odd)?, None, "{odd}");
            }
            let count = |filter: ExperimentFilter| Ok::<_, StoreError>(view.experiments(&Scope::All, &filter)?.len());
            assert_eq!(count(ExperimentFilter::default())?, 2);
            assert_eq!(count(ExperimentFilter { client: Some(client_id("acme")), ..ExperimentFilter::default() })?, 1);
            assert_eq!(count(ExperimentFilter { stages: vec!["running"], ..ExperimentFilter::default() })?, 2);
            assert_eq!(count(ExperimentFilter { stages: vec!["drafting"], ..ExperimentFilter::default() })?, 0);
            assert_eq!(
                count(ExperimentFilter {
                    kind: Some(domain::experiment::ExperimentKind::Micro),
                    ..ExperimentFilter::default()
                })?,
                0
            );
            assert_eq!(view.experiments_ever(&client_id("acme"))?, 0, "the house one apart");
            Ok(())
        })
        .await
        .unwrap();
}

#[tokio::test]
async fn snapshots_read_back_as_they_were_and_there_is_one_for_an_age() {
    let (store, _) = in_memory().await;
    with_clients(&store, &["acme"], 2).await;
    for n in [1, 2] {
        store.write(Cause::engine("collect"), move |tx| go_out(tx, "acme", n)).await.unwrap();
    }
    let taken = snapshot(post_id("acme", 1), 6);
    let again = taken.clone();
    store
        .write(Cause::engine("collect"), move |tx| {
            tx.put_snapshot(&again)?;
            Ok(tx.append::<Post>(&again.post, vec![snapshot_event(&again)])?)
        })
        .await
        .unwrap();
    let (of_post, of_experiment) = store
        .read(|view| Ok((view.snapshots_of_post(post_id("acme", 1))?, view.snapshots_of_experiment(house_id("acme"))?)))
        .await
        .unwrap();
    assert_eq!(of_post, [snapshot(post_id("acme", 1), 1), taken.clone()]);
    assert_eq!(of_experiment.len(), 3);
    assert_eq!(of_post[1].digest(), taken.digest());
    let twice = taken.clone();
    let told = store.write(Cause::engine("collect"), move |tx| Ok(tx.put_snapshot(&twice)?)).await;
    assert!(matches!(told, Err(WriteError::Failed(StoreError::Constraint { .. }))), "{told:?}");
    for value in [f64::NAN, f64::INFINITY, -0.0] {
        let mut odd = snapshot(post_id("acme", 1), 24);
        odd.rows[0].reading = domain::snapshot::Reading::Value { value };
        let told = store.write(Cause::engine("collect"), move |tx| Ok(tx.put_snapshot(&odd)?)).await;
        assert!(matches!(told, Err(WriteError::Failed(StoreError::Unstorable { .. }))), "{told:?}");
    }
    assert_eq!(store.read(|view| view.snapshots_of_post(post_id("acme", 1))).await.unwrap().len(), 2);
}

fn by_hand(name: &str, n: i64) -> ExternalPost {
    ExternalPost {
        account: account_id(name),
        client: client_id(name),
        id: format!("at://{n}"),
        url: format!("https://bsky.test/{n}"),
        at: at(n * 60),
        seen: at(n * 60 + 5),
        text: Digest::of(b"by hand"),
    }
}

#[tokio::test]
async fn posts_by_hand_are_kept_once_with_the_moment_they_were_first_seen() {
    let (store, _) = in_memory().await;
    with_clients(&store, &["acme"], 0).await;
    let put =
        |posts: Vec<ExternalPost>| store.write(Cause::engine("collect"), move |tx| Ok(tx.put_external_posts(&posts)?));
    assert_eq!(put(vec![by_hand("acme", 1), by_hand("acme", 2)]).await.unwrap(), 2);
    assert_eq!(put(vec![ExternalPost { seen: at(999), ..by_hand("acme", 2) }, by_hand("acme", 3)]).await.unwrap(), 1);
    let found = store.read(|view| view.external_posts(&account_id("acme"), at(120))).await.unwrap();
    assert_eq!(found, [by_hand("acme", 2), by_hand("acme", 3)]);
}

#[tokio::test]
async fn escalations_are_open_until_somebody_settles_them() {
    let (store, _) = in_memory().await;
    with_clients(&store, &["acme", "beta"], 0).await;
    let settled = escalation("acme");
    store
        .write(by_ada("x"), move |tx| {
            let end = EscalationEnd { by: tx.cause().actor.clone(), at: tx.now(), how: "logged in again".to_owned() };
            Ok(tx.append::<Escalation>(&settled.id, vec![EscalationEvent::EscalationResolved { end }])?)
        })
        .await
        .unwrap();
    store
        .read(|view| {
            assert_eq!(view.escalations(&Scope::All, Escalations::Open)?.len(), 1);
            assert_eq!(view.escalations(&only("acme"), Escalations::Open)?.len(), 0);
            assert_eq!(view.escalations(&Scope::All, Escalations::All)?.len(), 2);
            assert!(view.escalation(escalation("acme").id)?.is_some_and(|found| found.end.is_some()));
            Ok(())
        })
        .await
        .unwrap();
}

/// Everything that a scope can ask for, as text.
fn everything(view: &View<'_>, scope: &Scope) -> Result<String, StoreError> {
    let states = ["planned", "published", "prepared", "committing", "cancelled"];
    let far = UtcTime::from_micros(i64::MAX);
    Ok(format!(
        "{:?}",
        (
            view.clients(scope)?.iter().map(|c| serde_json::to_string(c).unwrap()).collect::<Vec<_>>(),
            view.accounts(scope, None)?,
            view.layers(scope)?,
            view.experiments(scope, &ExperimentFilter::default())?
                .iter()
                .map(|e| serde_json::to_string(e).unwrap())
                .collect::<Vec<_>>(),
            (view.escalations(scope, Escalations::All)?, view.checkins(scope, None, 10)?),
            (
                view.posts_in_state(scope, &states)?,
                view.posts_due(scope, &states, far)?,
                view.posts_slotted_between(scope, at(0), far)?
            ),
            view.post_next_slot(scope, &states, at(0))?,
            view.post_by_name(scope, "01J000")?,
            view.experiment_by_name(scope, house_id("acme").to_string().get(..6).unwrap())?.map(|e| e.code),
            view.refusals(scope, 100)?.iter().map(|r| (r.at, r.refusal.clone())).collect::<Vec<_>>(),
            view.events(scope, 0, 1000)?.iter().map(|e| (e.at, e.event.clone(), e.payload.clone())).collect::<Vec<_>>(),
        )
    ))
}

async fn change_beta(store: &Store, step: usize) {
    let _told = store
        .write(by_ada("beta"), move |tx| match step {
            0 => Ok(add_client(tx, "beta", 3)?),
            1 => go_out(tx, "beta", 1),
            2 => {
                tx.append::<Post>(
                    &post_id("beta", 2),
                    vec![PostEvent::ApprovalVoided { field: Field::Slot, why: "acme".to_owned() }],
                )?;
                Ok(())
            }
            3 => {
                tx.load::<Post>(&post_id("beta", 3))?;
                Err(Refusal::rule("beta.no", "acme", "acme", "acme").into())
            }
            4 => {
                tx.concerns(&client_id("beta"));
                Err(Refusal::not_found("post", "acme").into())
            }
            5 => Err(Refusal::not_found("client", "acme").into()),
            _ => {
                tx.put_external_posts(&[by_hand("beta", 1)])?;
                Ok(())
            }
        })
        .await;
}

#[tokio::test]
async fn whatever_happens_to_one_client_changes_no_byte_that_another_scope_reads() {
    let (store, _) = in_memory().await;
    with_clients(&store, &["acme"], 3).await;
    store.write(Cause::engine("launch"), |tx| go_out(tx, "acme", 1)).await.unwrap();
    let look = |scope: Scope| store.read(move |view| everything(view, &scope));
    let before = look(only("acme")).await.unwrap();
    let all = look(Scope::All).await.unwrap();
    for step in 0..7 {
        change_beta(&store, step).await;
        assert_eq!(look(only("acme")).await.unwrap(), before, "step {step}");
    }
    assert_ne!(look(Scope::All).await.unwrap(), all, "somebody sees it");
    assert!(look(only("beta")).await.unwrap().contains("beta.no"));
    let nobody = look(Scope::Only(BTreeSet::new())).await.unwrap();
    assert!(!nobody.contains("acme") && !nobody.contains("beta"), "{nobody}");
}

#[tokio::test]
async fn a_reading_sees_one_moment_however_much_is_written_meanwhile() {
    let founded = Founded::new();
    let store = founded.open(crate::Open::Owner);
    with_clients(&store, &["acme"], 1).await;
    let (begun, wait_begun) = tokio::sync::oneshot::channel();
    let (go, gate) = std::sync::mpsc::channel::<()>();
    let reading = tokio::spawn({
        let store = store.clone();
        async move {
            store
                .read(move |view| {
                    let first = view.clients(&Scope::All)?.len();
                    begun.send(()).unwrap();
                    gate.recv().unwrap();
                    Ok((first, view.clients(&Scope::All)?.len()))
                })
                .await
        }
    });
    wait_begun.await.unwrap();
    with_clients(&store, &["beta"], 1).await;
    go.send(()).unwrap();
    assert_eq!(reading.await.unwrap().unwrap(), (1, 1));
    assert_eq!(store.read(|view| Ok(view.clients(&Scope::All)?.len())).await.unwrap(), 2);
    let told = store.read(|view| view.connection.execute_batch("DELETE FROM client").map_err(StoreError::from)).await;
    assert!(matches!(told, Err(StoreError::NoRights { .. })), "a reader cannot write: {told:?}");
}
