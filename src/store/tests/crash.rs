//! Power loss and kill: what was answered is there, what is there is whole (I12, I23).

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use domain::client::{Client, ClientEvent};

use super::support::*;
use crate::{AuditReport, Home, Open, audit_verify};

/// Copies a home as a machine that stops would leave it: byte by byte, from outside, while it is being written.
fn copy_of(home: &Home, to: &Path) -> Home {
    // The log first, then the file, then the log again where it was begun anew in between would be another moment; the
    // file changes only in a checkpoint, and none happens at this size.
    let status = Command::new("cp").arg("-r").arg(&home.root).arg(to).status().unwrap();
    assert!(status.success());
    let copy = Home::new(to.join("home"));
    drop(std::fs::remove_file(copy.root.join("store.db-shm")));
    copy
}

fn edited(version: u32) -> ClientEvent {
    let as_was = client("acme");
    ClientEvent::ClientEdited { name: format!("Edit {version}"), zone: as_was.zone, kit: as_was.kit, version }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_taken_at_any_moment_opens_whole_and_holds_all_that_was_answered() {
    let founded = Founded::new();
    let store = founded.open(Open::Owner);
    with_clients(&store, &["acme"], 0).await;
    let answered = Arc::new(AtomicU64::new(1));
    let writing = tokio::spawn({
        let (store, answered) = (store.clone(), Arc::clone(&answered));
        async move {
            for version in 2..=1500 {
                store
                    .write(by_ada("x"), move |tx| Ok(tx.append::<Client>(&client_id("acme"), vec![edited(version)])?))
                    .await
                    .unwrap();
                answered.store(u64::from(version), Ordering::SeqCst);
            }
        }
    });
    let mut seen = Vec::new();
    while !writing.is_finished() {
        let folder = tempfile::tempdir().unwrap();
        let before = answered.load(Ordering::SeqCst);
        let copy = copy_of(&founded.home, folder.path());
        assert_eq!(audit_verify(&copy, None).exit_code(), 0, "{}", audit_verify(&copy, None));
        let reopened = crate::Store::open(&copy, Open::Inline, Arc::new(founded.clock.clone())).unwrap();
        let (_, version) = reopened.read(|view| view.find::<Client>(&client_id("acme"))).await.unwrap().unwrap();
        assert!(version.0 >= before, "{} was answered, {} is there", before, version.0);
        assert!(reopened.moved().is_some(), "a copy says that it is one");
        seen.push(version.0);
        tokio::task::yield_now().await;
    }
    writing.await.unwrap();
    assert!(seen.len() >= 3, "{seen:?}");
    assert!(matches!(audit_verify(&founded.home, None), AuditReport::Whole { head, .. } if head.n == 6 + 1499));
}

#[tokio::test]
async fn a_log_cut_at_any_length_opens_at_the_last_whole_commit() {
    let founded = Founded::new();
    let store = founded.open(Open::Inline);
    with_clients(&store, &["acme"], 0).await;
    for version in 2..=12 {
        store
            .write(by_ada("x"), move |tx| Ok(tx.append::<Client>(&client_id("acme"), vec![edited(version)])?))
            .await
            .unwrap();
    }
    let folder = tempfile::tempdir().unwrap();
    let copy = copy_of(&founded.home, folder.path());
    let (db, wal) = (std::fs::read(copy.db()).unwrap(), std::fs::read(copy.root.join("store.db-wal")).unwrap());
    let mut last = 0;
    for tenth in 0..=40 {
        for left in ["store.db-wal", "store.db-shm"] {
            drop(std::fs::remove_file(copy.root.join(left)));
        }
        std::fs::write(copy.db(), &db).unwrap();
        let length = wal.len() * tenth / 40;
        std::fs::write(copy.root.join("store.db-wal"), &wal[..length]).unwrap();
        let report = audit_verify(&copy, None);
        let AuditReport::Whole { head, .. } = report else { panic!("{length}: {report}") };
        assert!(head.n >= last, "a longer log holds no less");
        last = head.n;
    }
    assert_eq!(last, 6 + 11);
}

/// The child of the next test: writes until it is killed, and says what was answered.
#[tokio::test]
async fn child_that_writes_until_it_is_killed() {
    let Ok(root) = std::env::var("STORE_CRASH_HOME") else { return };
    let (_, clock) = manual();
    let store = patiently(|| crate::Store::open(&Home::new(root.clone()), Open::Owner, clock.clone()));
    let (_, version) = store.read(|view| view.find::<Client>(&client_id("acme"))).await.unwrap().unwrap();
    for version in u32::try_from(version.0).unwrap() + 1.. {
        store
            .write(by_ada("x"), move |tx| Ok(tx.append::<Client>(&client_id("acme"), vec![edited(version)])?))
            .await
            .unwrap();
        println!("answered {version}");
    }
}

#[tokio::test]
async fn a_process_killed_while_it_writes_loses_nothing_that_it_answered() {
    use std::io::{BufRead, BufReader};
    use std::process::Stdio;
    let founded = Founded::new();
    let store = founded.open(Open::Inline);
    with_clients(&store, &["acme"], 0).await;
    drop(store);
    for round in 0..12_u64 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "tests::crash::child_that_writes_until_it_is_killed", "--nocapture", "--test-threads=1"])
            .env("STORE_CRASH_HOME", &founded.home.root)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut answered = 0_u64;
        let mut told = 0;
        while told < 3 + round * 7 {
            let line = lines.next().unwrap().unwrap();
            if let Some(version) = line.trim().strip_prefix("answered ") {
                answered = version.parse().unwrap();
                told += 1;
            }
        }
        assert!(
            matches!(founded.try_open(Open::Inline), Err(crate::StoreError::Owned { pid: Some(pid) }) if pid == child.id())
        );
        child.kill().unwrap();
        child.wait().unwrap();
        for line in lines.map_while(Result::ok) {
            if let Some(version) = line.trim().strip_prefix("answered ").and_then(|text| text.parse().ok()) {
                answered = version;
            }
        }
        assert_eq!(audit_verify(&founded.home, None).exit_code(), 0);
        let store = founded.open(Open::Inline);
        let (_, version) = store.read(|view| view.find::<Client>(&client_id("acme"))).await.unwrap().unwrap();
        assert!(version.0 >= answered, "{answered} was answered, {} is there", version.0);
    }
}
