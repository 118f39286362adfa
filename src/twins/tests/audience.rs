//! What readers do as time goes by.

use proptest::prelude::*;
use serde_json::Value;

use super::{Ground, KEY};
use crate::{Audience, Counts, Effect};

fn loud(seed: u64) -> Ground {
    Ground::with(seed, Audience::of(5000, 8.0))
}

fn as_list(counts: Counts) -> [u64; 5] {
    [counts.likes, counts.reposts, counts.replies, counts.quotes, counts.bookmarks]
}

fn texts(node: &Value, depth: usize, found: &mut Vec<(usize, String)>) {
    for reply in node["replies"].as_array().into_iter().flatten() {
        found.push((depth, reply["post"]["record"]["text"].as_str().unwrap().to_owned()));
        texts(reply, depth + 1, found);
    }
}

#[test]
fn counts_come_with_age_and_the_thread_has_as_many_answers_as_are_counted() {
    let ground = loud(3);
    let uri = ground.put(KEY, "Rye", Value::Null).good()["uri"].as_str().unwrap().to_owned();
    let mut last = [0; 5];
    for hours in [1, 2, 6, 24, 48, 200] {
        ground.pass(hours * 3600);
        let counts = as_list(ground.twin.counts(&uri).unwrap());
        assert!(counts.iter().zip(last).all(|(now, before)| *now >= before), "{counts:?} after {last:?}");
        last = counts;
        let thread = ground.get(&format!("app.bsky.feed.getPostThread?uri={uri}&depth=10")).good();
        let mut found = Vec::new();
        texts(&thread["thread"], 0, &mut found);
        let first: u64 = found.iter().filter(|(depth, _)| *depth == 0).count().try_into().unwrap();
        // The last of them may not have been seen yet.
        assert!(first <= counts[2] && first + 1 >= counts[2].min(120), "{first} of {}", counts[2]);
    }
    assert!(last[0] > 20 && last[1] > 5 && last[2] > 3, "{last:?}");
    let thread = ground.get(&format!("app.bsky.feed.getPostThread?uri={uri}&depth=10")).good();
    let mut found = Vec::new();
    texts(&thread["thread"], 0, &mut found);
    assert!(found.iter().any(|(depth, _)| *depth > 0), "readers answer each other: {found:?}");
}

#[test]
fn an_account_without_readers_is_left_alone() {
    let ground = Ground::new();
    let made = ground.twin.post_by_hand("acme.test", "Rye").unwrap();
    ground.pass(100 * 3600);
    assert_eq!(ground.twin.counts(&made.uri), Some(Counts::default()));
}

/// What twelve posts get in all.
fn total(effect: Option<Effect>, text: &str) -> [u64; 5] {
    let ground = loud(4);
    if let Some(effect) = effect {
        ground.twin.plant("acme.test", effect).unwrap();
    }
    let posts: Vec<_> = (0..12)
        .map(|n| {
            ground.pass(3600);
            ground.twin.post_by_hand("acme.test", &format!("{text} {n}")).unwrap().uri
        })
        .collect();
    ground.pass(500 * 3600);
    posts.iter().map(|uri| as_list(ground.twin.counts(uri).unwrap())).fold([0; 5], |mut sum, counts| {
        sum.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
        sum
    })
}

#[test]
fn a_planted_effect_shows_in_its_posts_alone() {
    let plain = total(None, "Rye or oats?");
    let double = Effect { views: 2_f64.ln(), ..Effect::on_text("oats?") };
    let lifted = total(Some(double.clone()), "Rye or oats?");
    for (before, after) in plain.iter().zip(lifted) {
        let (before, after) = (before.max(&1), after);
        assert!(after * 10 > before * 13 && after < before * 3, "{plain:?} {lifted:?}");
    }
    assert_eq!(total(Some(double), "Rye or spelt?"), total(None, "Rye or spelt?"));
    let likes = total(Some(Effect { likes: 1.0, ..Effect::on_text("oats?") }), "Rye or oats?");
    assert!(likes[0] > plain[0] * 2 && likes[1..] == plain[1..], "{plain:?} {likes:?}");
}

#[test]
fn the_same_seed_gives_the_same_answers_byte_for_byte() {
    let run = |seed| {
        let ground = loud(seed);
        let uri = ground.put(KEY, "Rye", Value::Null).good()["uri"].as_str().unwrap().to_owned();
        let mut bodies = Vec::new();
        for _ in 0..5 {
            ground.pass(5 * 3600);
            for path in ["getPosts?uris", "getPostThread?uri"] {
                bodies.push(ground.get(&format!("app.bsky.feed.{path}={uri}")).good().to_string());
            }
        }
        (bodies, ground.twin.digest())
    };
    assert_eq!(run(7), run(7));
    assert_ne!(run(7).1, run(8).1);
}

#[test]
fn looking_often_changes_nothing_of_what_is_seen_in_the_end() {
    let run = |looks: u64| {
        let ground = loud(9);
        let uri = ground.put(KEY, "Rye", Value::Null).good()["uri"].as_str().unwrap().to_owned();
        for _ in 0..looks {
            ground.pass(100 * 3600 / looks);
            ground.get(&format!("app.bsky.feed.getPostThread?uri={uri}")).good();
        }
        ground.twin.index_now();
        let thread = ground.get(&format!("app.bsky.feed.getPostThread?uri={uri}")).good();
        let mut found = Vec::new();
        texts(&thread["thread"], 0, &mut found);
        (found, ground.twin.counts(&uri))
    };
    assert_eq!(run(1), run(25));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn counts_never_fall(seed: u64, steps in prop::collection::vec(1_u64..40_000, 1..12)) {
        let ground = loud(seed);
        let uri = ground.put(KEY, "Rye", Value::Null).good()["uri"].as_str().unwrap().to_owned();
        ground.twin.index_now();
        let mut last = [0; 5];
        for step in steps {
            ground.pass(step);
            let counts = as_list(ground.twin.counts(&uri).unwrap());
            prop_assert!(counts.iter().zip(last).all(|(now, before)| *now >= before));
            last = counts;
        }
    }
}

#[test]
fn answers_of_the_account_itself_get_little() {
    let ground = loud(11);
    let pairs: Vec<_> = (0..6)
        .map(|n| {
            let root = ground.twin.post_by_hand("acme.test", &format!("Rye {n}")).unwrap();
            (ground.twin.reply_by_hand("acme.test", &root.uri, "And oats").unwrap().uri, root.uri)
        })
        .collect();
    ground.pass(300 * 3600);
    let likes = |uri: &String| ground.twin.counts(uri).unwrap().likes;
    let answers: u64 = pairs.iter().map(|(answer, _)| likes(answer)).sum();
    let roots: u64 = pairs.iter().map(|(_, root)| likes(root)).sum();
    assert!(answers > 0 && answers * 5 < roots, "{answers} under {roots}");
    assert!(pairs.iter().all(|(_, root)| ground.twin.counts(root).unwrap().replies >= 1));
}
