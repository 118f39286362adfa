//! Whatever is done in whatever order, the read tables are the fold of the log and the chain holds (I12).

use domain::aggregate::{Version, fold};
use domain::client::{Client, ClientEvent};
use domain::hold::{Hold, HoldCause};
use domain::post::{Post, PostCommand, PostEvent};
use domain::refusal::Refusal;
use domain::role::Scope;
use proptest::prelude::*;

use super::support::*;
use crate::{AuditReport, Cause, Open, Store, audit_verify};

/// One thing that somebody does.
#[derive(Debug, Clone)]
enum Act {
    Rename(u8, String, f64),
    Hold(u8),
    Edit(u8, u8),
    Cancel(u8),
    Move(u8, i64),
    Out(u8),
    Refused(String),
    HalfThenRefused(u8),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        (any::<u8>(), ".{0,20}", 0.0..1.0).prop_map(|(n, name, share)| Act::Rename(n, name, share)),
        any::<u8>().prop_map(Act::Hold),
        (any::<u8>(), any::<u8>()).prop_map(|(n, content)| Act::Edit(n, content)),
        any::<u8>().prop_map(Act::Cancel),
        (any::<u8>(), 0_i64..100_000).prop_map(|(n, to)| Act::Move(n, to)),
        any::<u8>().prop_map(Act::Out),
        ".{0,40}".prop_map(Act::Refused),
        any::<u8>().prop_map(Act::HalfThenRefused),
    ]
}

const NAMES: [&str; 2] = ["acme", "beta"];

async fn perform(store: &Store, act: Act) {
    let name = |n: u8| NAMES[usize::from(n) % 2];
    let number = |n: u8| u32::from(n / 2) % 4 + 1;
    // Refusals of the domain are part of the play: what it will not have must leave nothing.
    let _told = store
        .write(by_ada("act"), move |tx| {
            let decide = |tx: &mut crate::Tx<'_>, n: u8, command: PostCommand| {
                let id = post_id(name(n), number(n));
                let events = tx.load::<Post>(&id)?.decide(command)?;
                tx.append::<Post>(&id, events)?;
                Ok::<_, crate::Stop>(())
            };
            match act {
                Act::Rename(n, text, share) => {
                    let (now, version) = tx.load_version::<Client>(&client_id(name(n)))?;
                    let mut policy = now.policy.clone();
                    policy.near_duplicate = share;
                    let next = now.policy_version + 1;
                    let events = vec![
                        ClientEvent::ClientEdited { name: text, zone: now.zone, kit: now.kit.clone(), version: next },
                        ClientEvent::PolicyEdited { policy: Box::new(policy), version: next + 1 },
                    ];
                    tx.append::<Client>(&now.id, events)?;
                    tx.expect_version::<Client>(&now.id, Version(version.0 + 2))
                }
                Act::Hold(n) => {
                    let hold = Hold::new(HoldCause::Operator, "ada", tx.now(), "x");
                    tx.append::<Client>(&client_id(name(n)), vec![ClientEvent::ClientHeld { hold }])?;
                    Ok(())
                }
                Act::Edit(n, content) => {
                    let other = post("other", u32::from(content));
                    decide(tx, n, PostCommand::Edit { content: other.content, duplicate_key: other.duplicate_key })
                }
                Act::Cancel(n) => {
                    let command =
                        PostCommand::Cancel { by: tx.cause().actor.clone(), at: tx.now(), reason: "x".to_owned() };
                    decide(tx, n, command)
                }
                Act::Move(n, to) => {
                    let window = domain::time::Window { from: at(to), until: at(to + 60) };
                    decide(tx, n, PostCommand::Move { window })
                }
                Act::Out(n) => {
                    let planned = tx.load::<Post>(&post_id(name(n), number(n)))?;
                    if planned.state.is_unsent() {
                        go_out(tx, name(n), number(n))
                    } else {
                        Err(Refusal::nothing("x", "x").into())
                    }
                }
                Act::Refused(why) => Err(Refusal::nothing("it", why).into()),
                Act::HalfThenRefused(n) => {
                    tx.append::<Post>(&post_id(name(n), number(n)), vec![PostEvent::PreparingBegun])?;
                    Err(Refusal::nothing("it", "half done").into())
                }
            }
        })
        .await;
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn stored_is_folded_and_the_chain_holds_whatever_is_done(acts in proptest::collection::vec(act(), 1..40)) {
        let founded = Founded::new();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let store = founded.open(Open::Inline);
            with_clients(&store, &NAMES, 4).await;
            for act in acts {
                perform(&store, act).await;
            }
            assert_eq!(store.rebuild_compare().await.unwrap(), vec![]);
            let (events, posts) = store
                .read(|view| Ok((view.events(&Scope::All, 0, 10_000)?, view.posts_slotted_between(&Scope::All, at(0), at(1_000_000))?)))
                .await
                .unwrap();
            // The same once more by the domain's own fold, without the store's.
            for found in posts {
                let own: Vec<PostEvent> = events
                    .iter()
                    .filter(|event| event.key == found.id.to_string())
                    .map(|event| event.as_event::<Post>().unwrap())
                    .collect();
                assert_eq!(fold::<Post>(None, &own), Some(found));
            }
            store.write(Cause::engine("x"), |_| Ok(())).await.unwrap();
            let anchor = store.anchor();
            drop(store);
            let report = audit_verify(&founded.home, Some(&anchor));
            assert!(matches!(report, AuditReport::Whole { head, .. } if head == anchor), "{report}");
        });
    }
}
