//! Worlds in which something went wrong, and what the checks must say of them.

use super::*;
use crate::design::{HourBand, Week};

const NOON: SlotClass = SlotClass { band: HourBand::Noon, week: Week::Weekday };
const EVENING: SlotClass = SlotClass { band: HourBand::Evening, week: Week::Weekday };

fn read(nominal: f64, views: f64) -> Read {
    Read {
        nominal,
        actual: nominal + 0.1,
        views: Some(views),
        comments: Some(20.0),
        watched: Some(0.5),
        proxies: vec![Some(0.5), Some(20.0)],
        counters: vec![Some(views), Some(20.0)],
    }
}

/// Ten posts a variant in pairs, all as it should be.
fn clean() -> Vec<PostFacts> {
    (0..20)
        .map(|at| PostFacts {
            block: at / 2,
            planned: at % 2,
            posted: Some(at % 2),
            delivered: Delivered::Verified,
            planned_class: NOON,
            class: Some(NOON),
            late: Some(2.0),
            record: Record::Same,
            changed: false,
            boosted: Some(false),
            crowded: false,
            noticed: false,
            reach_z: Some(0.1),
            rate_z: Some(0.0),
            forecast: Some(7.0),
            era: Some(1),
            era_crossed: false,
            reads: vec![read(24.0, 2000.0), read(48.0, 2400.0)],
        })
        .collect()
}

fn evaluated(posts: &[PostFacts]) -> Validity {
    evaluate(&Facts { posts, variants: 2, decision: 48.0 })
}

/// Spoils some of B's posts.
fn spoilt(count: usize, spoil: impl Fn(&mut PostFacts)) -> Vec<PostFacts> {
    let mut posts = clean();
    posts.iter_mut().filter(|post| post.planned == 1).take(count).for_each(spoil);
    posts
}

fn verdict_of(found: &Validity, check: Check) -> Verdict {
    found.findings.iter().find(|finding| finding.check == check).unwrap().verdict
}

#[test]
fn a_clean_run_is_ok_in_all_eighteen_checks() {
    let found = evaluated(&clean());
    assert_eq!(found.findings.len(), 18);
    for finding in &found.findings {
        assert_eq!(finding.verdict, Verdict::Ok, "{finding:?}");
        assert!(finding.statistic.is_some() && finding.sentence.ends_with('.'), "{finding:?}");
    }
    assert_eq!(found.verdict, Verdict::Ok);
    assert!(found.comparable.iter().all(|here| *here));
}

#[test]
fn worlds_in_which_nothing_can_be_compared_are_invalid() {
    type Spoil = fn(&mut PostFacts);
    let worlds: [(&str, usize, Spoil, Check); 12] = [
        ("40 % of B lost", 4, |post| post.delivered = Delivered::Not, Check::Attrition),
        ("40 % of B late", 4, |post| post.late = Some(300.0), Check::Attrition),
        ("40 % of B held back by its own word", 4, |post| post.noticed = true, Check::Attrition),
        ("B without retention", 10, |post| post.reads[1].proxies[0] = None, Check::Missing),
        ("B in another part of the day", 10, |post| post.class = Some(EVENING), Check::Slots),
        ("B read at 150 h", 10, |post| post.reads[1].actual = 150.0, Check::Age),
        ("one slot swapped", 1, |post| post.posted = Some(0), Check::Assignment),
        ("zeros for what was not read", 10, |post| post.reads[1].views = Some(0.0), Check::Zero),
        ("counters that sleep", 10, |post| post.reads[1].counters = post.reads[0].counters.clone(), Check::Frozen),
        ("counters that halve", 10, |post| post.reads[1].counters[0] = Some(1000.0), Check::Decreasing),
        ("a metric redefined on the way", 5, |post| post.era = Some(2), Check::Era),
        ("content that was not approved", 1, |post| post.record = Record::Differs, Check::Metadata),
    ];
    for (world, count, spoil, check) in worlds {
        let found = evaluated(&spoilt(count, spoil));
        assert_eq!((found.verdict, verdict_of(&found, check)), (Verdict::Invalid, Verdict::Invalid), "{world}");
    }
}

#[test]
fn two_of_seven_lost_by_one_variant_is_invalid_and_says_so() {
    let mut posts = clean();
    posts.truncate(14);
    for at in [0, 4] {
        posts[at].delivered = Delivered::Not;
    }
    let found = evaluated(&posts);
    assert_eq!(found.verdict, Verdict::Invalid);
    let attrition = found.findings.iter().find(|finding| finding.check == Check::Attrition).unwrap();
    assert!(attrition.sentence.starts_with("A lost 2 of 7, B lost none: what is left"), "{}", attrition.sentence);
    assert_eq!(found.comparable.iter().filter(|here| **here).count(), 10, "both pairs are out as a whole");
}

#[test]
fn a_post_lost_on_each_side_costs_posts_and_warns() {
    let mut posts = clean();
    for at in [0, 5] {
        posts[at].delivered = Delivered::Not;
    }
    let found = evaluated(&posts);
    assert_eq!(found.verdict, Verdict::Warn, "{:?}", found.findings);
    assert_eq!(verdict_of(&found, Check::Attrition), Verdict::Warn);
}

#[test]
fn a_variant_held_back_is_told_from_weak_content() {
    let held = spoilt(10, |post| post.reach_z = Some(-2.0));
    assert_eq!(verdict_of(&evaluated(&held), Check::ThrottleVariant), Verdict::Invalid);
    let weak = spoilt(10, |post| {
        post.reach_z = Some(-2.0);
        post.rate_z = Some(-1.0);
    });
    assert_eq!(verdict_of(&evaluated(&weak), Check::ThrottleVariant), Verdict::Warn);
}

#[test]
fn a_post_that_merely_did_badly_stays_in_and_is_suspected() {
    let found = evaluated(&spoilt(1, |post| post.reach_z = Some(-4.0)));
    assert_eq!(verdict_of(&found, Check::ThrottlePost), Verdict::Warn);
    assert!(found.comparable[1] && found.suspected[1]);
    let found = evaluated(&spoilt(1, |post| post.noticed = true));
    assert!(!found.comparable[1] && !found.suspected[1], "a notice is certain");
}

#[test]
fn a_run_of_low_posts_is_the_accounts_and_not_a_variants() {
    let mut posts = clean();
    for post in posts.iter_mut().skip(5).take(4) {
        post.reach_z = Some(-1.8);
    }
    let found = evaluated(&posts);
    assert_eq!(verdict_of(&found, Check::ThrottleAccount), Verdict::Warn);
    assert_eq!(found.findings.iter().find(|f| f.check == Check::ThrottleAccount).unwrap().statistic, Some(4.0));
}

#[test]
fn without_views_and_forecasts_the_checks_cannot_tell_and_do_not_pass() {
    let mut posts = clean();
    for post in &mut posts {
        (post.reach_z, post.rate_z, post.forecast, post.era) = (None, None, None, None);
        for read in &mut post.reads {
            (read.views, read.comments, read.watched) = (None, None, None);
        }
    }
    let found = evaluated(&posts);
    assert_eq!(found.verdict, Verdict::Ok);
    for check in
        [Check::Zero, Check::Frozen, Check::Era, Check::ThrottlePost, Check::ThrottleAccount, Check::ThrottleVariant]
    {
        assert_eq!(verdict_of(&found, check), Verdict::Unavailable, "{check}");
    }
}

#[test]
fn nothing_out_is_no_clean_run() {
    let mut posts = clean();
    for post in &mut posts {
        (post.delivered, post.posted, post.class, post.late) = (Delivered::Not, None, None, None);
        post.reads.clear();
    }
    let found = evaluated(&posts);
    assert_eq!(found.verdict, Verdict::Warn);
    assert!(found.comparable.iter().all(|here| !here));
    assert!(found.findings.iter().all(|finding| finding.statistic.is_none_or(f64::is_finite)));
}

#[test]
fn a_removed_post_and_a_crowded_one_are_out() {
    let found = evaluated(&spoilt(1, |post| post.delivered = Delivered::Removed));
    assert_eq!((verdict_of(&found, Check::Interference), found.comparable[1]), (Verdict::Warn, false));
    let found = evaluated(&spoilt(1, |post| post.crowded = true));
    assert_eq!((verdict_of(&found, Check::Interference), found.comparable[1]), (Verdict::Warn, false));
    let found = evaluated(&spoilt(3, |post| post.boosted = Some(true)));
    assert_eq!(found.verdict, Verdict::Invalid);
}
