//! Memory: found by its words, by those alone who see the client, whatever is typed; and made again from the log.

use std::collections::BTreeSet;

use domain::actor::Actor;
use domain::brief::SurfaceId;
use domain::id::LearningId;
use domain::learning::{About, Learning, LearningEvent, Retraction};
use domain::outcome::{Say, Verdict};
use domain::review::Choice;
use domain::role::Scope;
use domain::time::Span;
use domain::variant::Facet;
use proptest::prelude::*;

use super::support::*;
use crate::{Cause, LearningFilter, Open, Store};

fn only(name: &str) -> Scope {
    Scope::Only(BTreeSet::from([client_id(name)]))
}

fn all() -> LearningFilter {
    LearningFilter { limit: 100, ..LearningFilter::default() }
}

fn learning(client: &str, n: u8, sentence: &str) -> Learning {
    Learning {
        id: LearningId::new(at(i64::from(n)), [n; 10]),
        client: client_id(client),
        experiment: house_id(client),
        code: format!("{}-00{n}", client.to_uppercase()),
        sentence: sentence.to_owned(),
        offered: None,
        about: About {
            surface: SurfaceId("bluesky_post".to_owned()),
            variable: Facet::Hook,
            control: "Taste the crust".to_owned(),
            tests: vec!["Hört ihr den Laib?".to_owned()],
        },
        say: Say::NoCall,
        strength: None,
        comparable: Some(Verdict::Ok),
        posts: 10,
        decided: Choice::Abandon,
        by: Actor::from(&ada()),
        at: at(i64::from(n)),
        expires: at(i64::from(n)).plus(Span::days(183)),
        retracted: None,
    }
}

async fn give(store: &Store, learning: Learning) {
    let work = move |tx: &mut crate::Tx<'_>| {
        let id = learning.id;
        tx.append::<Learning>(&id, vec![LearningEvent::LearningGiven { learning: Box::new(learning) }])?;
        Ok(())
    };
    store.write(by_ada("decide"), work).await.unwrap();
}

async fn retract(store: &Store, client: &'static str, n: u8) {
    let work = move |tx: &mut crate::Tx<'_>| {
        let id = learning(client, n, "").id;
        let found: Learning = tx.load(&id)?;
        let retraction = Retraction { by: Actor::from(&ada()), at: tx.now(), reason: "moved on".to_owned() };
        let events = found.retract(retraction)?;
        tx.append::<Learning>(&id, events)?;
        Ok(())
    };
    store.write(by_ada("retract"), work).await.unwrap();
}

async fn remembered(store: &Store) {
    with_clients(store, &["acme", "beta"], 1).await;
    give(store, learning("acme", 1, "Questions draw more replies than statements.")).await;
    give(store, learning("acme", 2, "Café hooks: no difference seen.")).await;
    give(store, learning("beta", 3, "Questions are too dear.")).await;
}

async fn search(store: &Store, scope: Scope, text: &str, filter: LearningFilter) -> Vec<String> {
    let text = text.to_owned();
    let found = store.read(move |view| view.learnings_with(&scope, &text, &filter)).await.unwrap();
    found.into_iter().map(|learning| learning.code).collect()
}

#[tokio::test]
async fn a_learning_is_found_by_any_of_its_words_newest_first_and_by_the_clients_people_alone() {
    let (store, _) = in_memory().await;
    remembered(&store).await;
    for (scope, text, found) in [
        (Scope::All, "questions", vec!["BETA-003", "ACME-001"]),
        (Scope::All, "quest repl", vec!["ACME-001"]),
        (Scope::All, "cafe", vec!["ACME-002"]),
        (Scope::All, "HORT laib", vec!["BETA-003", "ACME-002", "ACME-001"]),
        (Scope::All, "acme-002", vec!["ACME-002"]),
        (Scope::All, "bluesky_post hook", vec!["BETA-003", "ACME-002", "ACME-001"]),
        (Scope::All, "unheard", vec![]),
        (only("acme"), "questions", vec!["ACME-001"]),
        (only("acme"), "dear", vec![]),
        (only("beta"), "replies", vec![]),
        (Scope::Only(BTreeSet::new()), "questions", vec![]),
    ] {
        assert_eq!(search(&store, scope.clone(), text, all()).await, found, "{scope:?} {text}");
    }
    let of_beta = LearningFilter { client: Some(client_id("beta")), ..all() };
    assert_eq!(search(&store, Scope::All, "questions", of_beta.clone()).await, ["BETA-003"]);
    let listed = store.read(move |view| view.learnings(&only("acme"), &of_beta)).await.unwrap();
    assert!(listed.is_empty(), "nothing of a client that one does not see, however it is asked for");
}

#[tokio::test]
async fn what_was_retracted_is_kept_and_found_only_when_asked_for() {
    let (store, _) = in_memory().await;
    remembered(&store).await;
    retract(&store, "acme", 1).await;
    assert_eq!(search(&store, only("acme"), "questions", all()).await, Vec::<String>::new());
    let too = LearningFilter { retracted: true, ..all() };
    assert_eq!(search(&store, only("acme"), "questions", too.clone()).await, ["ACME-001"]);
    let kept = store.read(move |view| view.learnings(&Scope::All, &too)).await.unwrap();
    assert_eq!(kept.last().unwrap().retracted.as_ref().unwrap().reason, "moved on");
    let of = store.read(|view| view.learnings_of(house_id("acme"))).await.unwrap();
    assert_eq!(of.len(), 2);
    assert_eq!(store.rebuild_compare().await.unwrap(), vec![]);
}

#[tokio::test]
async fn memory_is_the_fold_of_the_log_and_a_word_that_is_not_is_seen() {
    let founded = Founded::new();
    let store = founded.open(Open::Owner);
    remembered(&store).await;
    retract(&store, "beta", 3).await;
    assert_eq!(store.rebuild_compare().await.unwrap(), vec![]);
    drop(store);
    founded.tamper("UPDATE memory SET words = 'other words' WHERE words LIKE '%Café%'");
    let store = founded.open(Open::Owner);
    let found = store.rebuild_compare().await.unwrap();
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].to_string().contains("not found by the words"), "{found:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn no_text_that_anybody_types_is_an_error_or_finds_another_clients_learning(text in "\\PC{0,80}|[\"'*():^{}+\\-ANDORNEAR ]{0,60}") {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let (store, _) = in_memory().await;
            remembered(&store).await;
            for text in [text.clone(), format!("questions {text}"), format!("\" OR words:* {text}")] {
                let found = search(&store, only("acme"), &text, all()).await;
                prop_assert!(found.iter().all(|code| code.starts_with("ACME")), "{text}: {found:?}");
            }
            Ok(())
        })?;
    }
}

#[tokio::test]
async fn a_learning_says_in_the_log_who_gave_it_and_is_given_once() {
    let (store, _) = in_memory().await;
    remembered(&store).await;
    let events = store
        .read(|view| view.events_of(domain::aggregate::StreamKind::Learning, &learning("acme", 1, "").id.to_string()));
    let events = events.await.unwrap();
    assert_eq!((events.len(), events[0].actor.name()), (1, "ada"));
    let again = store.write(Cause::engine("review"), move |tx| {
        let learning = learning("acme", 1, "twice");
        let id = learning.id;
        tx.append::<Learning>(&id, vec![LearningEvent::LearningGiven { learning: Box::new(learning) }])?;
        Ok(())
    });
    assert!(again.await.is_err(), "it exists already");
}
