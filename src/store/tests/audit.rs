//! The audit finds what was done to a file, says what it was and where, and never falls over.

use domain::post::Post;
use domain::refusal::Refusal;
use domain::role::Scope;

use super::support::*;
use crate::{Anchor, AuditReport, BreakKind, Open, audit_verify};

/// A closed store with 13 events and 2 refusals.
async fn audited() -> Founded {
    let founded = Founded::new();
    let store = founded.open(Open::Inline);
    with_clients(&store, &["acme"], 2).await;
    store.write(by_ada("out"), |tx| go_out(tx, "acme", 1)).await.unwrap();
    for n in 0..2 {
        let told: Result<(), _> =
            store.write(by_ada("no"), move |_| Err(Refusal::nothing("it", format!("{n}")).into())).await;
        assert!(told.is_err());
    }
    founded
}

fn head(founded: &Founded) -> Anchor {
    match audit_verify(&founded.home, None) {
        AuditReport::Whole { head, refusals: 2 } => head,
        report @ (AuditReport::Whole { .. } | AuditReport::Broken { .. } | AuditReport::CannotTell { .. }) => {
            panic!("{report}")
        }
    }
}

#[tokio::test]
async fn a_store_is_whole_while_it_is_written_and_after() {
    let founded = Founded::new();
    let store = founded.open(Open::Owner);
    with_clients(&store, &["acme"], 2).await;
    let report = audit_verify(&founded.home, None);
    assert_eq!(report, AuditReport::Whole { head: store.anchor(), refusals: 0 });
    assert_eq!(report.exit_code(), 0);
    let early = store.anchor();
    with_clients(&store, &["other"], 1).await;
    drop(store);
    assert!(
        matches!(audit_verify(&founded.home, Some(&early)), AuditReport::Whole { head, .. } if head.n == early.n + 6)
    );
}

#[tokio::test]
async fn each_sort_of_damage_is_named_with_its_place() {
    let cases: [(&str, BreakKind, Option<u64>); 16] = [
        ("UPDATE event SET payload = replace(payload, 'acme', 'acmf') WHERE n = 4", BreakKind::Edited, Some(4)),
        ("UPDATE event SET actor_name = 'bob' WHERE n = 13", BreakKind::Edited, Some(13)),
        ("UPDATE event SET hash = zeroblob(32) WHERE n = 3", BreakKind::Edited, Some(3)),
        ("UPDATE event SET payload = CAST(x'ff' AS TEXT) WHERE n = 5", BreakKind::Edited, Some(5)),
        ("DELETE FROM event WHERE n = 5", BreakKind::Missing, Some(5)),
        ("DELETE FROM event WHERE n = 1", BreakKind::Missing, Some(1)),
        ("DELETE FROM event WHERE n = 5; UPDATE event SET n = n - 1 WHERE n > 5", BreakKind::Missing, Some(5)),
        ("DELETE FROM event WHERE n > 9", BreakKind::CutOff, Some(10)),
        ("DELETE FROM event", BreakKind::CutOff, Some(1)),
        (
            "UPDATE event SET n = -1 WHERE n = 5; UPDATE event SET n = 5 WHERE n = 6; UPDATE event SET n = 6 WHERE n = -1",
            BreakKind::Reordered,
            Some(5),
        ),
        (
            "UPDATE event SET n = n + 100 WHERE n > 4; UPDATE event SET n = n - 99 WHERE n > 100;
             INSERT INTO event SELECT 5, time_us, epoch, 'client/forged', 1, client, actor_kind, actor_uid, actor_name, actor_role, cause, type, payload, hash
             FROM event WHERE n = 2",
            BreakKind::Inserted,
            Some(5),
        ),
        (
            "INSERT INTO event SELECT 14, time_us, epoch, stream, version + 99, client, actor_kind, actor_uid, actor_name, actor_role, cause, type, payload, hash
             FROM event WHERE n = 2",
            BreakKind::Inserted,
            Some(14),
        ),
        ("UPDATE refusal SET refusal = replace(refusal, 'it', 'at') WHERE n = 2", BreakKind::Edited, Some(2)),
        ("DELETE FROM refusal WHERE n = 2", BreakKind::CutOff, Some(2)),
        ("UPDATE post SET state = 'planned' WHERE number = 1", BreakKind::ReadTableDiffers, None),
        ("UPDATE snapshot_row SET value = 4 WHERE metric = 'likes'", BreakKind::DigestDiffers, None),
    ];
    for (sql, kind, n) in cases {
        let founded = audited().await;
        founded.tamper(sql);
        match audit_verify(&founded.home, None) {
            AuditReport::Broken { breaks } => {
                assert_eq!((breaks[0].kind, breaks[0].n), (kind, n), "{sql}: {}", breaks[0])
            }
            report @ (AuditReport::Whole { .. } | AuditReport::CannotTell { .. }) => panic!("{sql}: {report}"),
        }
        assert_eq!(audit_verify(&founded.home, None).exit_code(), 3);
    }
}

#[tokio::test]
async fn read_tables_are_compared_in_every_column() {
    let cases = [
        "UPDATE client SET body = replace(body, 'The acme', 'The acmf')",
        "UPDATE client SET version = 2",
        "DELETE FROM layer",
        "INSERT INTO account SELECT 'ghost', version, body, client FROM account",
        "UPDATE post SET pacing_us = 0 WHERE number = 1",
        "UPDATE post SET counts_as_out = 0 WHERE number = 1",
        "UPDATE post SET duplicate_key = zeroblob(32)",
        "UPDATE escalation SET open = 0",
        "UPDATE experiment SET stage = 'paused'",
        "UPDATE event SET client = NULL WHERE n = 2",
        "DELETE FROM snapshot_row; DELETE FROM snapshot",
        "UPDATE snapshot SET age_us = age_us + 1; UPDATE snapshot_row SET age_us = age_us + 1",
    ];
    for sql in cases {
        let founded = audited().await;
        founded.tamper(sql);
        assert_eq!(audit_verify(&founded.home, None).exit_code(), 3, "{sql}");
    }
}

#[tokio::test]
async fn a_log_written_anew_with_true_hashes_is_found_by_an_anchor() {
    let founded = audited().await;
    let anchor = head(&founded);
    // The same agency, told differently: every hash is right, the head is another.
    let other = audited().await;
    std::fs::copy(other.home.db(), founded.home.db()).unwrap();
    assert!(
        matches!(&audit_verify(&founded.home, None), AuditReport::Broken { breaks } if breaks[0].kind == BreakKind::WrongStore)
    );
    std::fs::remove_file(founded.home.id_file()).unwrap();
    std::fs::copy(other.home.id_file(), founded.home.id_file()).unwrap();
    assert_eq!(audit_verify(&founded.home, None).exit_code(), 0, "nothing inside says so");
    assert!(
        matches!(&audit_verify(&founded.home, Some(&anchor)), AuditReport::Broken { breaks } if breaks[0].kind == BreakKind::WrongStore)
    );
    let mine = head(&other);
    let forged = Anchor { n: mine.n - 1, ..mine };
    assert!(
        matches!(&audit_verify(&other.home, Some(&forged)), AuditReport::Broken { breaks } if breaks[0].kind == BreakKind::Edited)
    );
    let later = Anchor { n: mine.n + 1, ..mine };
    assert!(
        matches!(&audit_verify(&other.home, Some(&later)), AuditReport::Broken { breaks } if breaks[0].kind == BreakKind::CutOff)
    );
}

#[tokio::test]
async fn a_flipped_byte_in_an_event_is_found_at_that_event() {
    let founded = audited().await;
    let whole = std::fs::read(founded.home.db()).unwrap();
    let events = {
        let store = founded.open(Open::Inline);
        let events = store.read(|view| view.events(&Scope::All, 0, 100)).await.unwrap();
        drop(store);
        events
    };
    let whole = {
        // Opening raised the epoch; what counts is the file as it is now.
        drop(whole);
        std::fs::read(founded.home.db()).unwrap()
    };
    for event in &events {
        let mut told = 0;
        let places =
            whole.windows(32).enumerate().filter(|(_, window)| *window == event.hash.bytes()).map(|(place, _)| place);
        for place in places {
            let mut flipped = whole.clone();
            // The byte before the hash is the payload's last brace; or nothing, in a page's unused space or in `meta`.
            flipped[place - 1] ^= 1;
            std::fs::write(founded.home.db(), &flipped).unwrap();
            match audit_verify(&founded.home, None) {
                AuditReport::Broken { breaks }
                    if (breaks[0].kind, breaks[0].n) == (BreakKind::Edited, Some(event.n)) =>
                {
                    told += 1
                }
                // The head in `meta` holds the last event's hash, too, after the last event's number.
                AuditReport::Broken { breaks } if breaks[0].kind == BreakKind::Inserted && event.n == 13 => {}
                AuditReport::Whole { .. } => {}
                report @ (AuditReport::Broken { .. } | AuditReport::CannotTell { .. }) => {
                    panic!("{}: {report}", event.n)
                }
            }
        }
        assert_eq!(told, 1, "event {}", event.n);
    }
    std::fs::write(founded.home.db(), &whole).unwrap();
    assert_eq!(audit_verify(&founded.home, None).exit_code(), 0);
}

/// All that history says, as text; nothing where it cannot be read.
async fn told_by(founded: &Founded) -> Option<String> {
    let store = founded.try_open(Open::Inline).ok()?;
    let told = store
        .read(|view| {
            let events: Vec<_> =
                view.events(&Scope::All, 0, 100)?.into_iter().map(|event| (event.n, event.at, event.payload)).collect();
            let refusals: Vec<_> =
                view.refusals(&Scope::All, 100)?.into_iter().map(|refusal| (refusal.n, refusal.refusal)).collect();
            let posts = view.posts_of(house_id("acme"))?;
            let taken = view.snapshots_of_experiment(house_id("acme"))?;
            Ok(format!(
                "{:?}",
                (events, refusals, posts, taken, view.clients(&Scope::All)?.len(), view.accounts(&Scope::All, None)?)
            ))
        })
        .await;
    drop(store.write(by_ada("x"), |tx| Ok(tx.load::<Post>(&post_id("acme", 2))?.id)).await);
    told.ok()
}

#[tokio::test]
async fn no_flipped_byte_anywhere_makes_the_program_fall_over_or_lie() {
    let founded = audited().await;
    let rightly = told_by(&founded).await.unwrap();
    let whole = std::fs::read(founded.home.db()).unwrap();
    let used: Vec<usize> = (0..whole.len()).filter(|place| whole[*place] != 0).collect();
    let mut noticed = 0;
    for k in 0..300 {
        let place = used[(k * 7919 + 13) % used.len()];
        let mut bytes = whole.clone();
        bytes[place] ^= 1 << (k % 8);
        std::fs::write(founded.home.db(), &bytes).unwrap();
        let report = audit_verify(&founded.home, None);
        noticed += usize::from(report.exit_code() != 0);
        // Opening works, or says why not; what the audit calls whole says what it said before.
        let told = told_by(&founded).await;
        assert!(report.exit_code() != 0 || told.is_none() || told.as_ref() == Some(&rightly), "byte {place}: {report}");
        for left in ["store.db-wal", "store.db-shm"] {
            drop(std::fs::remove_file(founded.home.root.join(left)));
        }
    }
    assert!(noticed > 150, "{noticed} of 300; the rest hit unused space, or what holds no history");
    std::fs::write(founded.home.db(), &whole).unwrap();
    assert_eq!(audit_verify(&founded.home, None).exit_code(), 0);
}

#[tokio::test]
async fn what_cannot_be_read_is_said_to_be_so() {
    let founded = audited().await;
    let whole = std::fs::read(founded.home.db()).unwrap();
    for bytes in [
        &b""[..],
        b"not a database at all, but long enough to look like a file",
        &whole[..whole.len() / 2],
        &vec![0; 8192],
    ] {
        std::fs::write(founded.home.db(), bytes).unwrap();
        let report = audit_verify(&founded.home, None);
        assert_ne!(report.exit_code(), 0, "{report}");
        assert!(founded.try_open(Open::Inline).is_err());
    }
    std::fs::remove_file(founded.home.db()).unwrap();
    let report = audit_verify(&founded.home, None);
    assert_eq!(report.exit_code(), 4);
    assert!(report.to_string().contains("expos init"), "{report}");
}

#[tokio::test]
async fn the_log_refuses_to_be_edited_through_sql() {
    let founded = audited().await;
    let connection = rusqlite::Connection::open(founded.home.db()).unwrap();
    for sql in [
        "UPDATE event SET cause = 'x'",
        "DELETE FROM event",
        "REPLACE INTO event SELECT * FROM event",
        "UPDATE refusal SET name = 'x'",
        "DELETE FROM refusal",
    ] {
        connection.execute_batch("PRAGMA recursive_triggers = ON").unwrap();
        assert!(connection.execute_batch(sql).is_err(), "{sql}");
    }
    drop(connection);
    assert_eq!(audit_verify(&founded.home, None).exit_code(), 0);
}
