//! Whole experiments and the calls that they must give.

use super::fixtures::{Laid, bakery, judged, kimono, tools};
use super::*;

/// Checks a ratio to three decimals and its two-sided p as a count of assignments.
fn check(trial: &Trial<'_>, values: &[f64], ratio: f64, count: u32, of: u32) {
    let found = contrast_randomisation(trial, 1, values, 0.05, 0).unwrap();
    assert!((libm::exp(found.estimate) - ratio).abs() < 0.0005, "{} is not {ratio}", libm::exp(found.estimate));
    assert_eq!(found.assignments, of);
    let wanted = f64::from(count) / f64::from(of);
    assert!((found.p_two - wanted).abs() < 1e-12, "{} is not {count}/{of}", found.p_two * f64::from(of));
}

fn say(judged: &Judgement, proxies: &[&str]) -> String {
    sentence(judged, proxies, NEEDED, Some(SizeSentence { ratio: 3.4 }), None)
}

#[test]
fn two_families_better_and_none_worse_is_a_winner() {
    let (laid, proxies, reach) = bakery();
    let trial = laid.trial();
    check(&trial, &proxies[0], 1.244, 2, 128);
    check(&trial, &proxies[1], 0.988, 78, 128);
    check(&trial, &proxies[2], 1.720, 2, 128);
    check(&trial, &reach, 1.282, 4, 128);
    let found = judged(&laid, &proxies, Trusted::Ok);
    assert_eq!(found.call, Call::Winner { variant: 1, also: vec![] });
    let standing = &found.standings[0];
    assert!((standing.composite.p_up - 1.0 / 128.0).abs() < 1e-12, "{standing:?}");
    assert_eq!((standing.leads(), standing.harmed()), (2, vec![]));
    assert!(standing.expected_ratio > 1.0 && standing.expected_ratio < standing.overall.ratio);
    assert_eq!(found.strength, Some(Strength::VeryLikely));
    let said = say(&found, &["retention", "comments", "shares"]);
    assert!(said.starts_with("B wins. 7 comparable posts each. B/A on retention 1.24 ("), "{said}");
    assert!(said.contains("by luck in 1 of 128 such experiments"), "{said}");
}

#[test]
fn a_winner_waits_while_nobody_has_answered_for_the_warnings() {
    let (laid, proxies, _) = bakery();
    let found = judged(&laid, &proxies, Trusted::Unanswered);
    assert_eq!(found.call, Call::NoCall(NoCall::Unanswered { variant: 1 }));
    assert_eq!(judged(&laid, &proxies, Trusted::Confirmed).call, Call::Winner { variant: 1, also: vec![] });
}

#[test]
fn an_invalid_experiment_names_no_winner_whatever_its_numbers() {
    let (laid, proxies, _) = bakery();
    let found = judged(&laid, &proxies, Trusted::Invalid);
    assert_eq!((&found.call, found.strength), (&Call::Invalid, None));
    assert!(!found.standings.is_empty(), "the numbers stay to be read");
    let said = sentence(&found, &["retention"], NEEDED, None, Some("A lost 2 of 7 posts, B none."));
    assert_eq!(said, "Not comparable: A lost 2 of 7 posts, B none. Outcomes are informational only.");
}

#[test]
fn neither_leads_is_no_call_and_says_what_the_plan_could_have_shown() {
    let (laid, proxies) = tools();
    check(&laid.trial(), &proxies[0], 1.149, 172, 252);
    check(&laid.trial(), &proxies[1], 1.116, 164, 252);
    let found = judged(&laid, &proxies, Trusted::Ok);
    assert_eq!(found.call, Call::NoCall(NoCall::Luck));
    let said = say(&found, &["replies", "reposts"]);
    assert!(said.ends_with("No difference seen; this plan could have shown 240 %."), "{said}");
}

#[test]
fn one_family_better_and_one_worse_is_no_call() {
    let (laid, proxies, views) = kimono(Laid::pairs(6));
    check(&laid.trial(), &proxies[0], 1.329, 2, 64);
    check(&laid.trial(), &proxies[1], 0.822, 2, 64);
    check(&laid.trial(), &views, 1.229, 24, 64);
    let found = judged(&laid, &proxies, Trusted::Ok);
    assert_eq!(found.call, Call::NoCall(NoCall::Harm { variant: 1 }));
    assert!((found.standings[0].proxies[1].contrast.p_down - 1.0 / 64.0).abs() < 1e-12);
    assert_eq!(
        say(&found, &["shares", "comments"]),
        "No call: B is better on shares +33 %, worse on comments -18 %. A gain that costs elsewhere is not shipped; iterate."
    );
}

#[test]
fn pairs_that_are_tested_as_two_free_arms_give_another_p() {
    let (free, proxies, _) = kimono(Laid::free(6));
    check(&free.trial(), &proxies[0], 1.329, 4, 924);
    check(&free.trial(), &proxies[1], 0.822, 2, 924);
}

#[test]
fn four_posts_a_variant_are_a_hint_at_most() {
    let mut laid = Laid::pairs(4);
    let up = fixtures::paired(&[0.0, 0.1, 0.2, 0.1], &[1.0, 1.2, 1.1, 1.3]);
    let found = judged(&laid, &[up.clone(), up.clone()], Trusted::Ok);
    assert_eq!((&found.call, found.strength), (&Call::NotEnoughPosts, Some(Strength::Hint)));
    let said = say(&found, &["replies", "reposts"]);
    assert!(said.starts_with("Not enough posts: A 4, B 4 comparable, 5 each needed. B is ahead: a hint"), "{said}");
    laid.comparable = vec![true, true, false, false, false, false, false, false];
    let found = judged(&laid, &[up.clone(), up], Trusted::Ok);
    assert_eq!((found.standings.len(), found.leader), (0, None), "one post each gives no numbers");
}

#[test]
fn one_proxy_alone_is_not_enough_to_ship() {
    let laid = Laid::pairs(6);
    let up = fixtures::paired(&[0.0, 0.1, 0.2, 0.1, 0.0, 0.1], &[0.5, 0.5, 0.6, 0.7, 0.4, 0.6]);
    let flat = fixtures::paired(&[0.1, -0.2, 0.1, 0.0, 0.2, -0.1], &[0.0, -0.1, 0.2, 0.1, 0.0, -0.1]);
    let found = judged(&laid, &[up, flat], Trusted::Ok);
    assert_eq!(found.call, Call::NoCall(NoCall::OneProxy { variant: 1, proxy: 0 }));
    assert!(say(&found, &["views", "replies"]).contains("One proxy is not enough to ship."));
}

#[test]
fn a_winner_that_rests_on_posts_that_may_have_been_held_back_is_no_winner() {
    let (laid, proxies, _) = bakery();
    let values: Vec<ProxyValues> =
        proxies.iter().map(|values| ProxyValues { values: values.clone(), scale: None }).collect();
    // Without the blocks of three posts of A only four pairs are left.
    let suspected: Vec<bool> = (0..14).map(|at| [0, 4, 8].contains(&at)).collect();
    let input = WinnerInput {
        trial: laid.trial(),
        proxies: &values,
        rule: Rule::Composite,
        trusted: Trusted::Ok,
        needed: NEEDED,
        alpha: 0.05,
        breached: &[false, false],
        suspected: &suspected,
        seed: 7,
    };
    assert_eq!(judge(&input).unwrap().call, Call::RestsOnSuspected { variant: 1 });
    let breached = WinnerInput { breached: &[false, true], ..input };
    assert_eq!(judge(&breached).unwrap().call, Call::NoCall(NoCall::Breach { variant: 1 }));
    let most = WinnerInput { needed: 8, ..input };
    assert_eq!(judge(&most).unwrap().call, Call::NotEnoughPosts);
}

#[test]
fn a_primary_proxy_decides_alone_but_not_at_the_cost_of_the_second() {
    let up = fixtures::paired(&[0.0, 0.1, 0.2, 0.1, 0.0, 0.1], &[0.5, 0.5, 0.6, 0.7, 0.4, 0.6]);
    let flat = fixtures::paired(&[0.1, -0.2, 0.1, 0.0, 0.2, -0.1], &[0.0, -0.1, 0.2, 0.1, 0.0, -0.1]);
    let down: Vec<f64> = up.iter().map(|value| -value).collect();
    let laid = Laid::pairs(6);
    let call = |second: &[f64]| {
        let proxies = [up.clone(), second.to_vec()].map(|values| ProxyValues { values, scale: None });
        let input = WinnerInput {
            trial: laid.trial(),
            proxies: &proxies,
            rule: Rule::Primary,
            trusted: Trusted::Ok,
            needed: NEEDED,
            alpha: 0.05,
            breached: &[false, false],
            suspected: &[false; 12],
            seed: 7,
        };
        judge(&input).unwrap().call
    };
    assert_eq!(call(&flat), Call::Winner { variant: 1, also: vec![] });
    assert_eq!(call(&down), Call::NoCall(NoCall::Harm { variant: 1 }));
}

#[test]
fn a_small_certain_difference_is_of_little_account() {
    let laid = Laid::pairs(8);
    let near = fixtures::paired(&[0.0; 8], &[0.01, -0.01, 0.02, -0.01, 0.01, -0.02, 0.01, 0.0]);
    let found = judged(&laid, &[near.clone(), near], Trusted::Ok);
    assert_eq!(found.call, Call::NoCall(NoCall::LittleAtStake));
}

#[test]
fn a_block_that_lost_a_variant_is_out_as_a_whole() {
    let found = whole_blocks(&[0, 0, 1, 1], &[0, 1, 1, 0], 2, &[true, false, true, true]);
    assert_eq!(found, [false, false, true, true]);
    let wide = whole_blocks(&[0; 4], &[0, 1, 1, 0], 2, &[true, false, true, true]);
    assert_eq!(wide, [true, false, true, true], "in a wide block posts are lost singly");
}
