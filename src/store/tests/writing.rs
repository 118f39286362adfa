//! Transactions: whole or not at all, grouped, chained, fenced, and answered after the disk has them.

use domain::actor::Actor;
use domain::agency::{Agency, AgencyEvent};
use domain::aggregate::{Aggregate, Epoch, StreamKind, Version};
use domain::client::{Client, ClientEvent};
use domain::post::{Post, PostEvent};
use domain::refusal::{Refusal, RefusalKind};
use domain::role::Scope;

use super::support::*;
use crate::{Cause, Open, Remembered, Stop, StoreError, WriteError};

fn renamed(name: &str, version: u32) -> ClientEvent {
    let as_was = client(name);
    ClientEvent::ClientEdited { name: format!("Renamed {version}"), zone: as_was.zone, kit: as_was.kit, version }
}

#[tokio::test]
async fn what_is_appended_is_loaded_as_the_fold_of_its_events() {
    let (store, _) = in_memory().await;
    with_clients(&store, &["acme"], 2).await;
    let returned = store
        .write(by_ada("edit"), |tx| {
            Ok(tx.append::<Client>(&client_id("acme"), vec![renamed("acme", 2), renamed("acme", 3)])?)
        })
        .await
        .unwrap();
    let (found, version) = store.read(|view| view.find::<Client>(&client_id("acme"))).await.unwrap().unwrap();
    assert_eq!(found, returned);
    assert_eq!((found.name.as_str(), found.policy_version, version), ("Renamed 3", 3, Version(3)));
    let mut expected = Client::begin(&ClientEvent::ClientAdded { client: Box::new(client("acme")) }).unwrap();
    expected.apply(&renamed("acme", 2));
    expected.apply(&renamed("acme", 3));
    assert_eq!(found, expected);
    assert_eq!(store.rebuild_compare().await.unwrap(), vec![]);
}

#[tokio::test]
async fn events_carry_actor_cause_client_and_follow_each_other_without_a_gap() {
    let (store, clock) = in_memory().await;
    later(&clock, 5);
    with_clients(&store, &["acme"], 1).await;
    let events = store.read(|view| view.events(&Scope::All, 0, 100)).await.unwrap();
    assert_eq!(events.iter().map(|e| e.n).collect::<Vec<_>>(), (1..=7).collect::<Vec<_>>());
    assert_eq!(
        (events[0].kind, events[0].key.as_str(), events[0].event.as_str()),
        (StreamKind::Agency, "", "agency_founded")
    );
    assert_eq!(events[1].actor, Actor::from(&ada()));
    assert_eq!(
        (events[1].cause.as_str(), events[1].at, events[1].client.clone()),
        ("add", at(5), Some(client_id("acme")))
    );
    assert_eq!(events[6].as_event::<Post>().unwrap(), PostEvent::PostPlanned { post: Box::new(post("acme", 1)) });
    assert!(events[6].as_event::<Client>().is_err());
    let of_post = store.read(|view| view.events_of(StreamKind::Post, &post_id("acme", 1).to_string())).await.unwrap();
    assert_eq!(of_post, events[6..]);
    assert_eq!(store.anchor().n, 7);
    assert_eq!(store.anchor().hash, events[6].hash);
}

#[tokio::test]
async fn a_refusal_leaves_nothing_but_the_record_of_it_and_the_engine_leaves_not_even_that() {
    let (store, _) = in_memory().await;
    with_clients(&store, &["acme"], 1).await;
    let refuse = |tx: &mut crate::Tx<'_>| -> Result<(), Stop> {
        tx.load::<Client>(&client_id("acme"))?;
        tx.append::<Client>(&client_id("acme"), vec![renamed("acme", 2)])?;
        Err(Refusal::rule("test.no", "it", "a test says so", "stop testing").into())
    };
    let before = store.anchor();
    let told = store.write(by_ada("edit"), refuse).await.unwrap_err();
    assert!(matches!(&told, WriteError::Refused(refusal) if refusal.rule == "test.no"), "{told}");
    assert!(store.write(Cause::engine("launch"), refuse).await.is_err());
    assert_eq!(store.anchor(), before);
    assert_eq!(store.read(|view| view.client(&client_id("acme"))).await.unwrap(), Some(client("acme")));
    let refusals = store.read(|view| view.refusals(&Scope::All, 10)).await.unwrap();
    assert_eq!(refusals.len(), 1);
    assert_eq!((refusals[0].actor.clone(), refusals[0].cause.as_str()), (Actor::from(&ada()), "edit"));
    assert_eq!((refusals[0].refusal.rule.as_str(), refusals[0].client.clone()), ("test.no", Some(client_id("acme"))));
}

#[tokio::test]
async fn what_was_only_tried_leaves_nothing_at_all() {
    let (store, _) = in_memory().await;
    with_clients(&store, &["acme"], 0).await;
    let before = store.anchor();
    let told: Result<(), _> = store
        .write(by_ada("try"), |tx| {
            assert_eq!(tx.append::<Client>(&client_id("acme"), vec![renamed("acme", 2)])?.policy_version, 2);
            Err(Stop::Undo)
        })
        .await;
    assert_eq!(told, Err(WriteError::Undone));
    assert_eq!(store.anchor(), before);
    let (head, refusals) = store.read(|view| Ok((view.head()?, view.refusals(&Scope::All, 9)?))).await.unwrap();
    assert_eq!((head, refusals), (before.n, vec![]));
    assert_eq!(store.read(|view| view.client(&client_id("acme"))).await.unwrap(), Some(client("acme")));
}

#[tokio::test]
async fn a_repeated_command_is_answered_as_it_was_first_for_a_day() {
    let (store, clock) = in_memory().await;
    let answer = serde_json::json!({"post": "out"});
    let kept = answer.clone();
    store
        .write(by_ada(&command(1).to_string()), move |tx| Ok(tx.remember_command(command(1), 1000, &kept)?))
        .await
        .unwrap();
    let refused: Result<(), _> =
        store.write(by_ada(&command(2).to_string()), |_| Err(Refusal::nothing("it", "it is so").into())).await;
    assert!(refused.is_err());
    let ask = |n: u8, uid: u32| store.read(move |view| view.command_answer(command(n), uid));
    assert_eq!(ask(1, 1000).await.unwrap(), Some(Remembered::Done(answer)));
    assert!(
        matches!(ask(2, 1000).await.unwrap(), Some(Remembered::Refused(refusal)) if refusal.kind == RefusalKind::Nothing)
    );
    assert_eq!(ask(1, 1001).await.unwrap(), None, "another person's");
    assert_eq!(ask(3, 1000).await.unwrap(), None);
    let twice = store.write(by_ada("x"), |tx| Ok(tx.remember_command(command(1), 1000, &serde_json::json!(2))?)).await;
    assert!(matches!(twice, Err(WriteError::Failed(StoreError::Constraint { .. }))), "{twice:?}");
    later(&clock, 24 * 3600 + 1);
    assert_eq!(ask(1, 1000).await.unwrap(), None);
    assert_eq!(ask(2, 1000).await.unwrap(), None);
    store.write(by_ada("x"), |tx| Ok(tx.remember_command(command(9), 1000, &serde_json::json!(1))?)).await.unwrap();
    let left = store.read(|view| view.count("SELECT count(*) FROM command", [])).await.unwrap();
    assert_eq!(left, 1, "what is older than a day is forgotten");
}

#[tokio::test]
async fn a_command_that_names_an_old_version_is_told_that_it_changed() {
    let (store, _) = in_memory().await;
    with_clients(&store, &["acme"], 0).await;
    let expect = |version: u64| {
        store.write(by_ada("x"), move |tx| tx.expect_version::<Client>(&client_id("acme"), Version(version)))
    };
    assert!(expect(1).await.is_ok());
    for wrong in [0, 2] {
        assert!(
            matches!(expect(wrong).await, Err(WriteError::Refused(refusal)) if refusal.kind == RefusalKind::Changed)
        );
    }
    let absent = store.write(by_ada("x"), |tx| tx.load::<Post>(&post_id("acme", 9))).await;
    assert!(matches!(absent, Err(WriteError::Refused(refusal)) if refusal.kind == RefusalKind::NotFound));
}

#[tokio::test]
async fn a_stream_begins_once_and_keeps_its_key() {
    let (store, _) = in_memory().await;
    with_clients(&store, &["acme"], 1).await;
    let unstorable =
        |told: Result<(), WriteError>| matches!(told, Err(WriteError::Failed(StoreError::Unstorable { .. })));
    let again = store.write(by_ada("x"), |tx| {
        tx.append::<Client>(&client_id("acme"), vec![ClientEvent::ClientAdded { client: Box::new(client("acme")) }])?;
        Ok(())
    });
    assert!(unstorable(again.await));
    let unborn = store.write(by_ada("x"), |tx| {
        tx.append::<Client>(&client_id("none"), vec![renamed("none", 2)])?;
        Ok(())
    });
    assert!(unstorable(unborn.await));
    let other_key = store.write(by_ada("x"), |tx| {
        tx.append::<Client>(&client_id("other"), vec![ClientEvent::ClientAdded { client: Box::new(client("third")) }])?;
        Ok(())
    });
    assert!(unstorable(other_key.await));
    let nan = store.write(by_ada("x"), |tx| {
        let mut odd = client("odd");
        odd.policy.near_duplicate = f64::NAN;
        tx.append::<Client>(&client_id("odd"), vec![ClientEvent::ClientAdded { client: Box::new(odd) }])?;
        Ok(())
    });
    assert!(nan.await.is_err(), "what does not read back is not written");
    assert_eq!(store.rebuild_compare().await.unwrap(), vec![]);
    let nothing = store.write(by_ada("x"), |tx| Ok(tx.append::<Client>(&client_id("acme"), vec![])?)).await.unwrap();
    assert_eq!(nothing, client("acme"));
}

#[tokio::test]
async fn leave_to_send_comes_only_after_the_commit_and_only_for_this_epoch() {
    let founded = Founded::new();
    let store = founded.open(Open::Owner);
    with_clients(&store, &["acme"], 3).await;
    let commit = |n: u32| {
        move |tx: &mut crate::Tx<'_>| {
            let planned = tx.load::<Post>(&post_id("acme", n))?;
            let events = committing(&planned, tx);
            Ok(tx.append::<Post>(&planned.id, events)?)
        }
    };
    let (after, permits) = store.write_with_permits(Cause::engine("launch"), commit(1)).await.unwrap();
    assert_eq!(permits.len(), 1);
    assert_eq!((permits[0].post(), permits[0].attempt(), permits[0].epoch()), (after.id, 1, store.epoch()));
    assert_eq!(permits[0].recorded(), start());
    let second = store.write_with_permits(Cause::engine("launch"), commit(2)).await;
    assert!(
        matches!(second, Err(WriteError::Failed(StoreError::Constraint { .. }))),
        "one request under way per account: {second:?}"
    );
    store
        .write(Cause::engine("launch"), |tx| Ok(tx.append::<Post>(&post_id("acme", 1), vec![published(62)])?))
        .await
        .unwrap();
    let foreign = store
        .write_with_permits(Cause::engine("launch"), |tx| {
            let planned = tx.load::<Post>(&post_id("acme", 3))?;
            let mut events = committing(&planned, tx);
            if let Some(PostEvent::PostCommitting { attempt, .. }) = events.last_mut() {
                attempt.epoch = Epoch(99);
            }
            Ok(tx.append::<Post>(&planned.id, events)?)
        })
        .await;
    assert!(matches!(foreign, Err(WriteError::Failed(StoreError::Unstorable { .. }))), "{foreign:?}");
    let refused: Result<((), Vec<_>), _> = store
        .write_with_permits(Cause::engine("launch"), move |tx| {
            commit(2)(tx)?;
            Err(Refusal::rule("x", "x", "x", "x").into())
        })
        .await;
    assert!(refused.is_err());
    assert_eq!(store.read(|view| view.posts_in_flight(&account_id("acme"))).await.unwrap(), vec![]);
}

#[tokio::test]
async fn waiting_transactions_share_commits_and_a_refusal_among_them_rolls_back_alone() {
    let founded = Founded::new();
    let store = founded.open(Open::Owner);
    with_clients(&store, &["acme"], 0).await;
    let before = store.counts();
    // The writer is held inside a transaction until all others wait, so that the number of groups is known.
    let (entered, inside) = std::sync::mpsc::channel();
    let (go, gate) = std::sync::mpsc::channel::<()>();
    let holding = tokio::spawn({
        let store = store.clone();
        async move {
            store
                .write(by_ada("hold"), move |_| {
                    entered.send(()).unwrap();
                    gate.recv().unwrap();
                    Ok(())
                })
                .await
        }
    });
    while inside.try_recv().is_err() {
        tokio::task::yield_now().await;
    }
    let waiting = 1000_u64;
    let mut asked = tokio::task::JoinSet::new();
    for n in 0..waiting {
        let store = store.clone();
        asked.spawn(async move {
            let told = store
                .write(by_ada("many"), move |tx| {
                    let now = tx.load::<Client>(&client_id("acme"))?;
                    tx.append::<Client>(&client_id("acme"), vec![renamed("acme", now.policy_version + 1)])?;
                    if n % 10 == 0 { Err(Refusal::nothing("it", "every tenth").into()) } else { Ok(()) }
                })
                .await;
            (n, told)
        });
    }
    // A single-threaded runtime: once it is idle every one of them waits.
    for _ in 0..5000 {
        tokio::task::yield_now().await;
    }
    go.send(()).unwrap();
    while let Some(done) = asked.join_next().await {
        let (n, told) = done.unwrap();
        assert_eq!(told.is_err(), n % 10 == 0, "{n}: {told:?}");
    }
    holding.await.unwrap().unwrap();
    let after = store.counts();
    assert_eq!(after.transactions - before.transactions, waiting + 1);
    let most = u64::try_from(crate::GROUP_MAX).unwrap();
    assert_eq!(after.commits - before.commits, (waiting + 1).div_ceil(most));
    let (acme, version) = store.read(|view| view.find::<Client>(&client_id("acme"))).await.unwrap().unwrap();
    assert_eq!((u64::from(acme.policy_version), version), (1 + 900, Version(1 + 900)));
    assert_eq!(store.read(|view| Ok(view.refusals(&Scope::All, 1000)?.len())).await.unwrap(), 100);
    assert_eq!(store.rebuild_compare().await.unwrap(), vec![]);
}

#[tokio::test]
async fn one_caller_is_committed_at_once_and_wakes_those_who_wait_for_changes() {
    let founded = Founded::new();
    let store = founded.open(Open::Owner);
    let mut changes = store.changes();
    let before = store.counts();
    for _ in 0..5 {
        store.write(by_ada("x"), |_| Ok(())).await.unwrap();
    }
    assert_eq!(store.counts().commits - before.commits, 5);
    assert!(!changes.has_changed().unwrap(), "nothing happened");
    with_clients(&store, &["acme"], 0).await;
    changes.changed().await.unwrap();
    assert_eq!(*changes.borrow(), 6);
}

#[tokio::test]
async fn an_engine_that_was_taken_over_writes_nothing_more() {
    let founded = Founded::new();
    let first = founded.open(Open::Owner);
    with_clients(&first, &["acme"], 0).await;
    std::fs::remove_file(founded.home.lock()).unwrap();
    let second = founded.open(Open::Owner);
    assert_eq!(second.epoch(), Epoch(first.epoch().0 + 1));
    for _ in 0..2 {
        let told =
            first.write(by_ada("x"), |tx| Ok(tx.append::<Client>(&client_id("acme"), vec![renamed("acme", 2)])?)).await;
        assert!(
            matches!(told, Err(WriteError::Failed(StoreError::Fenced { .. } | StoreError::WriterEnded { .. }))),
            "{told:?}"
        );
    }
    assert_eq!(second.read(|view| view.client(&client_id("acme"))).await.unwrap(), Some(client("acme")));
    second
        .write(by_ada("x"), |tx| Ok(tx.append::<Client>(&client_id("acme"), vec![renamed("acme", 2)])?))
        .await
        .unwrap();
    assert_eq!(second.rebuild_compare().await.unwrap(), vec![]);
}

#[tokio::test]
async fn after_a_commit_that_failed_the_answer_is_unknown_and_nothing_more_is_written() {
    for how in [Open::Owner, Open::Inline] {
        let founded = Founded::new();
        let store = founded.open(how);
        with_clients(&store, &["acme"], 0).await;
        let told = store
            .write(by_ada("x"), |tx| {
                tx.append::<Client>(&client_id("acme"), vec![renamed("acme", 2)])?;
                // A promise that only COMMIT checks, and that it cannot keep.
                tx.connection
                    .execute_batch("PRAGMA defer_foreign_keys = ON; UPDATE account SET client = 'gone'")
                    .map_err(StoreError::from)?;
                Ok(())
            })
            .await;
        assert!(matches!(told, Err(WriteError::Failed(StoreError::Unknown { .. }))), "{told:?}");
        let after = store.write(by_ada("x"), |_| Ok(())).await;
        assert!(matches!(after, Err(WriteError::Failed(StoreError::WriterEnded { .. }))), "{after:?}");
        drop(store);
        let store = founded.open(how);
        assert_eq!(store.read(|view| view.client(&client_id("acme"))).await.unwrap(), Some(client("acme")));
        assert!(store.write(by_ada("x"), |_| Ok(())).await.is_ok());
    }
}

#[tokio::test]
async fn a_full_disk_is_a_definite_answer_and_writing_goes_on_when_there_is_room() {
    let founded = Founded::new();
    let store = founded.open(Open::Owner);
    with_clients(&store, &["acme"], 0).await;
    let limit = |pages: &'static str| {
        store.write(by_ada("x"), move |tx| {
            let pragma = format!("PRAGMA max_page_count = {pages}");
            tx.connection.query_row(&pragma, [], |_| Ok(())).map_err(StoreError::from)?;
            Ok(())
        })
    };
    limit("1").await.unwrap();
    let before = store.anchor();
    let fill = |store: &crate::Store| {
        let store = store.clone();
        async move {
            store
                .write(by_ada("x"), |tx| {
                    for n in 2..60 {
                        tx.append::<Client>(&client_id("acme"), vec![renamed("acme", n)])?;
                    }
                    Ok(())
                })
                .await
        }
    };
    let told = fill(&store).await;
    assert!(matches!(told, Err(WriteError::Failed(StoreError::DiskFull { .. }))), "{told:?}");
    assert_eq!(store.anchor(), before);
    limit("1073741823").await.unwrap();
    fill(&store).await.unwrap();
    assert_eq!(store.anchor().n, before.n + 58);
    assert_eq!(store.rebuild_compare().await.unwrap(), vec![]);
}

#[tokio::test]
async fn a_transaction_that_breaks_off_ends_the_writer_and_is_not_stored() {
    let founded = Founded::new();
    let store = founded.open(Open::Owner);
    let told = store
        .write(by_ada("x"), |tx| {
            tx.append::<Agency>(&(), vec![AgencyEvent::NotOwnInForce])?;
            assert!(tx.now() < start(), "broken off on purpose");
            Ok(())
        })
        .await;
    assert!(matches!(told, Err(WriteError::Failed(StoreError::Unknown { .. }))), "{told:?}");
    // While its thread is still ending this one may be lost with it; either way it is no success.
    let after = store.write(by_ada("x"), |_| Ok(())).await;
    assert!(
        matches!(after, Err(WriteError::Failed(StoreError::WriterEnded { .. } | StoreError::Unknown { .. }))),
        "{after:?}"
    );
    drop(store);
    let store = founded.open(Open::Owner);
    assert_eq!(store.anchor().n, 1);
}

#[tokio::test]
async fn the_log_beside_the_file_is_copied_when_it_is_large_and_written_over_not_cut() {
    let founded = Founded::new();
    let store = founded.open(Open::Owner);
    with_clients(&store, &["acme"], 0).await;
    let wal = founded.home.root.join("store.db-wal");
    let mut largest = 0;
    let mut version = 1;
    while store.counts().checkpoints < 2 {
        let from = version;
        store
            .write(by_ada("x"), move |tx| {
                for n in 1..=40 {
                    let mut event = renamed("acme", from + n);
                    if let ClientEvent::ClientEdited { name, .. } = &mut event {
                        *name = "x".repeat(20_000);
                    }
                    tx.append::<Client>(&client_id("acme"), vec![event])?;
                }
                Ok(())
            })
            .await
            .unwrap();
        version += 40;
        let size = std::fs::symlink_metadata(&wal).unwrap().len();
        assert!(size >= largest, "it is not cut");
        largest = size;
        assert!(size < 64 * 1024 * 1024, "{size}");
        assert!(version < 100_000, "no copy was made");
    }
    assert_eq!(store.rebuild_compare().await.unwrap(), vec![]);
}
