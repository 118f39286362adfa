//! Opening: one owner, a home that can be trusted, a file that this program understands.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::sync::Arc;

use domain::agency::{AgencyEvent, HomeKind};
use domain::aggregate::Epoch;

use super::support::*;
use crate::{Home, Open, Store, StoreError};

fn mode(path: &std::path::Path) -> u32 {
    std::fs::symlink_metadata(path).unwrap().permissions().mode() & 0o7777
}

#[test]
fn a_new_home_is_closed_to_others_and_its_key_is_written_once() {
    let founded = Founded::new();
    for folder in
        [founded.home.root.clone(), founded.home.content_store(), founded.home.run(), founded.home.root.join("assets")]
    {
        assert_eq!(mode(&folder), 0o700, "{}", folder.display());
    }
    assert_eq!(
        (mode(&founded.home.key()), mode(&founded.home.db()), mode(&founded.home.id_file())),
        (0o400, 0o600, 0o400)
    );
    let key = std::fs::read(founded.home.key()).unwrap();
    assert_eq!(key.len(), 32);
    founded.home.create(HomeKind::Personal).unwrap();
    assert_eq!(std::fs::read(founded.home.key()).unwrap(), key);
    let folder = tempfile::tempdir().unwrap();
    let shared = Home::new(folder.path().join("deep").join("shared"));
    shared.create(HomeKind::Shared).unwrap();
    assert_eq!((mode(&shared.root), mode(&shared.run()), mode(&shared.content_store())), (0o750, 0o750, 0o700));
}

#[tokio::test]
async fn founding_is_whole_or_nothing_and_happens_once() {
    let founded = Founded::new();
    let (_, clock) = manual();
    let again = Store::create(&founded.home, founding(), by_ada("init"), Arc::clone(&clock));
    assert!(matches!(again, Err(StoreError::HomeExists { .. })), "{again:?}");
    let folder = tempfile::tempdir().unwrap();
    let home = Home::new(folder.path().join("home"));
    assert!(matches!(Store::open(&home, Open::Inline, Arc::clone(&clock)), Err(StoreError::NoHome { .. })));
    assert!(Store::create(&home, AgencyEvent::NotOwnInForce, by_ada("init"), Arc::clone(&clock)).is_err());
    assert!(!home.exists());
    // What an earlier try left behind is no store, and not in the way.
    home.create(HomeKind::Personal).unwrap();
    std::fs::write(home.root.join("store.db.unfinished"), "half").unwrap();
    std::fs::write(home.id_file(), "half").unwrap();
    assert!(matches!(Store::open(&home, Open::Inline, Arc::clone(&clock)), Err(StoreError::NoHome { .. })));
    Store::create(&home, founding(), by_ada("init"), Arc::clone(&clock)).unwrap();
    let store = Store::open(&home, Open::Inline, clock).unwrap();
    assert_eq!(store.read(|view| view.person(1000)).await.unwrap(), Some(ada()));
    assert_eq!(store.read(|view| view.person(1)).await.unwrap(), None);
    assert_eq!(store.home(), Some(&home));
}

#[tokio::test]
async fn one_store_has_one_owner_and_each_owner_a_higher_epoch() {
    let founded = Founded::new();
    for (first, second) in [(Open::Owner, Open::Owner), (Open::Owner, Open::Inline), (Open::Inline, Open::Owner)] {
        let store = founded.open(first);
        let refused = founded.try_open(second);
        assert!(matches!(&refused, Err(StoreError::Owned { pid }) if *pid == Some(std::process::id())));
        let epoch = store.epoch();
        let clone = store.clone();
        drop(store);
        assert!(founded.try_open(second).is_err(), "a clone is the same store");
        drop(clone);
        assert_eq!(founded.open(second).epoch(), Epoch(epoch.0 + 1));
    }
}

#[test]
fn a_home_that_is_a_link_or_open_to_others_is_refused() {
    let founded = Founded::new();
    let unsafe_home = |told: Result<Store, StoreError>| matches!(told, Err(StoreError::Unsafe { .. }));
    let (_, clock) = manual();
    let link = founded.home.root.with_file_name("link");
    symlink(&founded.home.root, &link).unwrap();
    assert!(unsafe_home(Store::open(&Home::new(&link), Open::Inline, clock)));
    let (db, aside) = (founded.home.db(), founded.home.root.join("aside.db"));
    std::fs::rename(&db, &aside).unwrap();
    symlink(&aside, &db).unwrap();
    assert!(unsafe_home(founded.try_open(Open::Inline)), "a link");
    std::fs::remove_file(&db).unwrap();
    std::fs::hard_link(&aside, &db).unwrap();
    assert!(unsafe_home(founded.try_open(Open::Inline)), "a second name");
    std::fs::remove_file(&aside).unwrap();
    std::fs::set_permissions(&founded.home.root, std::fs::Permissions::from_mode(0o777)).unwrap();
    assert!(unsafe_home(founded.try_open(Open::Inline)), "others may write");
    std::fs::set_permissions(&founded.home.root, std::fs::Permissions::from_mode(0o700)).unwrap();
    let lock = founded.home.lock();
    std::fs::remove_file(&lock).unwrap();
    symlink(&db, &lock).unwrap();
    assert!(unsafe_home(founded.try_open(Open::Inline)), "a lock that is the store");
    std::fs::remove_file(&lock).unwrap();
    for (mode, fits) in [(0o440, false), (0o600, false), (0o400, true)] {
        std::fs::set_permissions(founded.home.key(), std::fs::Permissions::from_mode(mode)).unwrap();
        assert_eq!(founded.try_open(Open::Inline).is_ok(), fits, "{mode:o}");
    }
    std::fs::remove_file(founded.home.key()).unwrap();
    std::fs::write(founded.home.key(), [0; 31]).unwrap();
    std::fs::set_permissions(founded.home.key(), std::fs::Permissions::from_mode(0o400)).unwrap();
    assert!(unsafe_home(founded.try_open(Open::Inline)), "a key that is too short");
}

#[tokio::test]
async fn another_store_a_newer_one_and_one_whose_end_is_missing_are_refused() {
    let founded = Founded::new();
    let other = Founded::new();
    founded.tamper("PRAGMA user_version = 99");
    assert_eq!(
        founded.try_open(Open::Inline).err(),
        Some(StoreError::NewerSchema { found: 99, known: crate::SCHEMA_VERSION })
    );
    assert_eq!(crate::audit_verify(&founded.home, None).exit_code(), 4);
    std::fs::copy(other.home.db(), founded.home.db()).unwrap();
    assert!(matches!(founded.try_open(Open::Inline), Err(StoreError::WrongStore { .. })));
    other.tamper("DELETE FROM event WHERE n = 1");
    assert!(matches!(other.try_open(Open::Inline), Err(StoreError::Corrupt { .. })));
    let third = Founded::new();
    third.tamper("UPDATE event SET cause = 'x'");
    assert!(matches!(third.try_open(Open::Inline), Err(StoreError::Corrupt { .. })));
}

#[tokio::test]
async fn a_store_says_when_it_stands_elsewhere_than_before() {
    let founded = Founded::new();
    assert_eq!(founded.open(Open::Inline).moved(), None);
    assert_eq!(founded.open(Open::Owner).moved(), None);
    let elsewhere = Home::new(founded.home.root.with_file_name("elsewhere"));
    std::fs::rename(&founded.home.root, &elsewhere.root).unwrap();
    let (_, clock) = manual();
    for how in [Open::Inline, Open::Owner, Open::Inline] {
        let moved = Store::open(&elsewhere, how, Arc::clone(&clock)).unwrap();
        assert!(moved.moved().unwrap().contains("elsewhere"), "told until somebody took note");
    }
    let moved = Store::open(&elsewhere, Open::Inline, Arc::clone(&clock)).unwrap();
    let place = moved.new_place().unwrap().to_owned();
    moved.write(crate::Cause::engine("settle"), move |tx| Ok(tx.remember_place(&place)?)).await.unwrap();
    drop(moved);
    assert_eq!(Store::open(&elsewhere, Open::Inline, clock).unwrap().moved(), None, "told once");
}

#[tokio::test]
async fn a_heartbeat_is_kept_and_is_no_event() {
    let founded = Founded::new();
    let store = founded.open(Open::Inline);
    assert_eq!(store.read(|view| view.heartbeat()).await.unwrap(), None);
    for beat in 1..=2 {
        later(&founded.clock, 60);
        store
            .write(crate::Cause::engine("tend"), move |tx| Ok(tx.put_heartbeat(&serde_json::json!({"beat": beat}))?))
            .await
            .unwrap();
    }
    let found = store.read(|view| view.heartbeat()).await.unwrap().unwrap();
    assert_eq!((found.at, found.epoch, found.beat), (at(120), store.epoch(), serde_json::json!({"beat": 2})));
    assert_eq!(store.anchor().n, 1);
}

#[test]
fn two_stores_in_memory_at_one_moment_chain_alike() {
    let anchor = || {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let (store, _) = in_memory().await;
            with_clients(&store, &["acme"], 3).await;
            store.anchor()
        })
    };
    assert_eq!(anchor(), anchor());
}
