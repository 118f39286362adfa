//! Signed rounds: found by day and by who signed, read by those who may, folded like everything else.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use domain::checkin::{Checkin, CheckinEvent, Deeds, Round};
use domain::experiment::Writer;
use domain::id::CheckinId;
use domain::role::Scope;
use domain::time::{Span, Zone};

use super::support::*;
use crate::{Cause, Open, Store, audit_verify};

fn only(names: &[&str]) -> Scope {
    Scope::Only(names.iter().map(|name| client_id(name)).collect::<BTreeSet<_>>())
}

fn checkin(n: u8, covers: Scope) -> Checkin {
    let signed = at(i64::from(n) * 60);
    Checkin {
        id: CheckinId::new(signed, [n; 10]),
        round: if n.is_multiple_of(2) { Round::Midday } else { Round::Morning },
        date: NaiveDate::from_ymd_opt(2026, 11, 24).unwrap(),
        zone: Zone::UTC,
        covers,
        by: Writer { uid: 1000 + u32::from(n / 3), name: format!("u{n}") },
        at: signed,
        looked: Vec::new(),
        done: Deeds::default(),
        left: Vec::new(),
        alerts: Vec::new(),
        used_s: 60,
        note: String::new(),
        log: 3,
    }
}

async fn sign(store: &Store, n: u8, covers: Scope) {
    let signed = checkin(n, covers);
    store
        .write(by_ada("sign"), move |tx| {
            let event = CheckinEvent::CheckinSigned { checkin: Box::new(signed.clone()) };
            Ok(tx.append::<Checkin>(&signed.id, vec![event])?)
        })
        .await
        .unwrap();
}

#[tokio::test]
async fn signed_rounds_are_found_and_hide_what_a_scope_does_not_see() {
    let (store, _) = in_memory().await;
    with_clients(&store, &["acme", "beta"], 1).await;
    sign(&store, 1, Scope::All).await;
    sign(&store, 2, only(&["acme"])).await;
    sign(&store, 3, only(&["acme", "beta"])).await;
    store
        .read(|view| {
            let ids = |all: Vec<Checkin>| all.into_iter().map(|found| found.by.name).collect::<Vec<_>>();
            let newest = |scope| view.checkins(&scope, None, 10);
            assert_eq!(ids(newest(Scope::All)?), ["u3", "u2", "u1"]);
            assert_eq!(ids(newest(only(&["acme"]))?), ["u2"]);
            assert_eq!(ids(newest(only(&["beta"]))?), [""; 0]);
            assert_eq!(ids(newest(only(&["acme", "beta", "gamma"]))?), ["u3", "u2"]);
            assert_eq!(ids(view.checkins(&Scope::All, None, 2)?), ["u3", "u2"]);
            assert_eq!(ids(view.checkins(&Scope::All, Some(checkin(3, Scope::All).id), 2)?), ["u2", "u1"]);
            let second = checkin(2, Scope::All).id.to_string();
            assert_eq!(ids(view.checkins_that_begin(&only(&["acme"]), &second)?), ["u2"]);
            assert_eq!(ids(view.checkins_that_begin(&only(&["beta"]), &second)?), [""; 0]);
            assert_eq!(ids(view.checkins_that_begin(&Scope::All, "0")?), ["u1", "u2"], "two tell that it is not one");
            for none in ["", "%", "Z", "0~"] {
                assert_eq!(ids(view.checkins_that_begin(&Scope::All, none)?), [""; 0], "{none}");
            }
            let day = checkin(1, Scope::All).date;
            assert_eq!(ids(view.checkins_on(day)?), ["u1", "u2", "u3"]);
            assert_eq!(ids(view.checkins_on(day.succ_opt().unwrap())?), [""; 0]);
            let last = |uid, round, covers: Scope| {
                view.checkin_last_by(uid, round, &covers).map(|found| found.map(|found| found.by.name))
            };
            assert_eq!(last(1000, Round::Morning, Scope::All)?.as_deref(), Some("u1"));
            assert_eq!(last(1000, Round::Morning, only(&["acme"]))?.as_deref(), Some("u1"), "it speaks of all");
            assert_eq!(last(1001, Round::Morning, only(&["beta"]))?.as_deref(), Some("u3"));
            assert_eq!(last(1001, Round::Morning, only(&["acme", "beta"]))?.as_deref(), Some("u3"));
            assert_eq!(last(1001, Round::Morning, only(&["acme", "gamma"]))?, None, "it says nothing of gamma");
            assert_eq!(last(1001, Round::Morning, Scope::All)?, None);
            assert_eq!(last(1001, Round::Midday, Scope::All)?, None);
            assert_eq!(view.checkin(checkin(2, only(&["acme"])).id)?.map(|found| found.at), Some(at(120)));
            // The log shows a signature to those who see all that it speaks of, and to nobody else.
            let signed = |scope: Scope| -> Result<Vec<u64>, crate::StoreError> {
                let seen = view.events(&scope, 0, 1000)?;
                assert_eq!(view.last_event(&scope)?.map(|last| last.n), seen.last().map(|last| last.n), "{scope:?}");
                Ok(seen.into_iter().filter(|event| event.event == "checkin_signed").map(|event| event.n).collect())
            };
            let (all, both) = (signed(Scope::All)?, signed(only(&["acme", "beta"]))?);
            assert_eq!((all.len(), both.as_slice()), (3, &all[1..]));
            assert_eq!(signed(only(&["acme"]))?, [all[1]]);
            assert_eq!(signed(only(&["beta"]))?, [0; 0]);
            assert_eq!(signed(only(&["acme", "beta", "gamma"]))?, both);
            assert_eq!(signed(only(&[]))?, [0; 0]);
            Ok(())
        })
        .await
        .unwrap();
    assert_eq!(store.rebuild_compare().await.unwrap(), vec![]);
}

#[tokio::test]
async fn what_a_person_did_is_told_from_a_place_in_the_log_on() {
    let (store, clock) = in_memory().await;
    with_clients(&store, &["acme"], 1).await;
    let before = store.read(|view| view.head()).await.unwrap();
    later(&clock, 60);
    store.write(Cause::engine("launch"), |tx| go_out(tx, "acme", 1)).await.unwrap();
    sign(&store, 1, Scope::All).await;
    store
        .read(move |view| {
            let names = ["checkin_signed", "post_planned", "client_added"];
            let found = view.deeds_by(1000, before, &names)?;
            assert_eq!(found.iter().map(|deed| deed.event.as_str()).collect::<Vec<_>>(), ["checkin_signed"]);
            assert_eq!(found[0].key, checkin(1, Scope::All).id.to_string());
            let ever = view.deeds_by(1000, 0, &["client_added"])?;
            assert_eq!(ever.iter().map(|deed| deed.client.clone()).collect::<Vec<_>>(), [Some(client_id("acme"))]);
            assert!(view.deeds_by(1000, before, &["client_added"])?.is_empty());
            assert!(view.deeds_by(4242, 0, &names)?.is_empty());
            assert_eq!(view.head_before(at(30))?, before);
            assert_eq!(view.head_before(start())?, 0);
            assert_eq!(view.head_before(view.now().plus(Span::hours(1)))?, view.head()?);
            Ok(())
        })
        .await
        .unwrap();
}

#[tokio::test]
async fn a_store_from_before_rounds_were_signed_is_brought_forward_and_stays_whole() {
    let founded = Founded::new();
    let store = founded.open(Open::Owner);
    with_clients(&store, &["acme"], 2).await;
    drop(store);
    let older = rusqlite::Connection::open(founded.home.db()).unwrap();
    older
        .execute_batch(
            "DROP TABLE checkin; DROP INDEX event_actor; DROP INDEX event_client; DROP TABLE learning; DROP TABLE memory;
             DROP TABLE conversation; DROP INDEX post_slot; DROP INDEX post_kind; ALTER TABLE post DROP COLUMN kind;
             CREATE UNIQUE INDEX post_slot ON post (experiment, variant, number);
             PRAGMA user_version = 1;",
        )
        .unwrap();
    older.close().unwrap();
    let store = founded.open(Open::Owner);
    sign(&store, 1, only(&["acme"])).await;
    assert_eq!(store.rebuild_compare().await.unwrap(), vec![]);
    drop(store);
    assert_eq!(audit_verify(&founded.home, None).exit_code(), 0);
}
