//! What counts as shown before, twice, or nearly.

use super::super::tests::fixture::{World, picture, rules};
use super::*;
use crate::variant::Facet;

#[test]
fn a_new_experiment_is_unique() {
    for template in ["hook-swap", "caption-swap", "cta-swap", "format-swap", "batch-week", "reply-patterns"] {
        assert!(look(&World::of(template).facts()).is_empty(), "{template}");
    }
}

#[test]
fn the_same_text_and_pictures_inside_the_window_block() {
    let mut world = World::new();
    let equal = world.variants[1].rounds[2].clone();
    let at = world.slots[0].minus(Span::days(29));
    world.post(at, &equal);
    let found = look(&world.facts());
    assert_eq!(rules(&found), ["uniqueness.shown-before"]);
    assert_eq!((found[0].place.as_str(), found[0].severity), ("variant B, round 3", Severity::Block));
    assert!(found[0].why.contains("2026-12-13"), "{}", found[0].why);
    world.nearby[0].at = world.slots[0].minus(Span::days(30));
    assert!(look(&world.facts()).is_empty());
    world.nearby[0].at = world.slots[9].plus(Span::days(1));
    assert_eq!(rules(&look(&world.facts())), ["uniqueness.shown-before"], "planned after us counts too");
}

#[test]
fn a_plan_that_repeats_keeps_the_gap() {
    let mut world = World::new();
    world.brief.exposure_plan.repeat = true;
    let equal = world.variants[0].rounds[0].clone();
    world.post(world.slots[0].minus(Span::hours(71)), &equal);
    assert_eq!(rules(&look(&world.facts())), ["uniqueness.shown-before"]);
    world.nearby[0].at = world.slots[0].minus(Span::hours(72));
    assert!(look(&world.facts()).is_empty());
}

#[test]
fn another_picture_makes_another_post_but_not_another_text() {
    let mut world = World::of("format-swap");
    let mut other = world.variants[0].rounds[0].clone();
    other.assets = vec![picture("another.png")];
    world.post(world.slots[0].minus(Span::days(2)), &other);
    let found = look(&world.facts());
    assert_eq!(rules(&found), ["uniqueness.near", "uniqueness.near"], "both variants say the same words");
    assert!(found.iter().all(|finding| finding.severity == Severity::Warn));
}

#[test]
fn more_posts_than_rounds_repeat_unless_the_plan_says_so() {
    let mut world = World::new();
    world.brief.exposure_plan.posts_per_variant = 6;
    assert_eq!(rules(&look(&world.facts())), ["uniqueness.shown-twice"; 10]);
    assert!(look(&world.facts())[0].why.contains("2 times"));
    world.brief.exposure_plan.repeat = true;
    assert_eq!(rules(&look(&world.facts())), ["uniqueness.repeats-too-close"]);
    world.slots = (0..12).map(|i| world.now.plus(Span::hours(70).times(i))).collect();
    let found = look(&world.facts());
    assert_eq!((rules(&found), found[0].severity), (vec!["uniqueness.repeats-close"], Severity::Warn));
    world.slots = (0..12).map(|i| world.now.plus(Span::hours(72).times(i))).collect();
    assert!(look(&world.facts()).is_empty());
}

#[test]
fn variants_that_show_the_same_are_told_together() {
    let mut world = World::of("lane-trial");
    world.slots = (0..4).map(|i| world.now.plus(Span::hours(84).times(i))).collect();
    assert!(look(&world.facts()).is_empty(), "the trial says that it repeats");
    world.brief.exposure_plan.repeat = false;
    let found = look(&world.facts());
    assert_eq!(rules(&found), ["uniqueness.shown-twice"; 2]);
    assert!(found[0].why.starts_with("variant A, round 1 and variant B, round 1 show the same"), "{}", found[0].why);
}

#[test]
fn a_near_text_is_told_with_the_other_posts_time_and_how_near_it_is() {
    let mut world = World::new();
    let mut near = world.variants[0].rounds[1].clone();
    near.facets.insert(Facet::Caption, "CLAIM the ticket first; type second, and nobody hears two voices!! 🔥".into());
    world.post(world.slots[0].minus(Span::days(3)), &near);
    let found = look(&world.facts());
    assert_eq!(rules(&found), ["uniqueness.near"], "variant B has another hook in that round");
    assert!(found[0].why.contains("100 % like the post of 2027-01-08"), "{}", found[0].why);
    world.client.policy.near_duplicate = 0.5;
    assert_eq!(look(&world.facts()).len(), 2);
    world.nearby[0].same_experiment = true;
    assert!(look(&world.facts()).is_empty(), "siblings are not compared");
}

#[test]
fn a_post_by_hand_without_a_known_picture_is_still_compared() {
    let mut world = World::new();
    let text = world.variants[0].rounds[0].text();
    world.nearby.push(NearbyPost { post: None, at: world.slots[0], text, duplicate_key: None, same_experiment: false });
    assert_eq!(rules(&look(&world.facts())), ["uniqueness.near"]);
}

#[test]
fn nothing_hostile_makes_it_panic_or_slow() {
    let mut world = World::new();
    for text in
        ["\u{202E}".repeat(5_000), "#".repeat(20_000), "a ".repeat(10_000), "e\u{301}".repeat(10_000), String::new()]
    {
        let mut content = world.variants[0].rounds[0].clone();
        content.facets.insert(Facet::Caption, text.as_str().into());
        world.post(world.slots[0], &content);
        world.variants[0].rounds[0] = content;
        world.brief.exposure_plan.repeat = false;
        assert!(look(&world.facts()).iter().any(|finding| finding.rule == "uniqueness.shown-before"));
    }
}
