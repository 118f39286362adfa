//! Readings: taken at equal ages, complete, moving, possible, and under one definition.

use super::ages::{elasticity, growth, tolerance_hours};
use super::{Check, Delivered, Facts, Finding, PostFacts, Read, Verdict, by_share};
use crate::design::as_f64;

/// Cost of unequal ages, in ln of views, at which to warn, and at which nothing can be compared.
const AGE_COST: (f64, f64) = (0.05, 0.15);
/// New views that a counter cannot sleep through.
const NEW_VIEWS: f64 = 70.0;
/// A counter that falls by more than so many and this share has fallen; by the larger share its post is out.
const FELL: (f64, f64, f64) = (3.0, 0.05, 0.20);
/// Nobody watches more of a video than this, repeats counted.
const WATCHED_MAX: f64 = 3.0;

/// Returns the checks, each with the posts that it takes out.
pub(super) fn checks(facts: &Facts<'_>) -> Vec<(Finding, Vec<usize>)> {
    let all =
        [age(facts), missing(facts), zero(facts), frozen(facts), decreasing(facts), impossible(facts), era(facts)];
    all.into_iter().collect()
}

fn has_views(facts: &Facts<'_>) -> bool {
    facts.posts.iter().flat_map(|post| &post.reads).any(|read| read.views.is_some())
}

fn whole(finding: Finding) -> (Finding, Vec<usize>) {
    let flags = finding.posts.clone();
    (finding, flags)
}

fn age(facts: &Facts<'_>) -> (Finding, Vec<usize>) {
    let tolerance = tolerance_hours(facts.decision);
    let in_time = |post: &PostFacts| {
        facts.decision_read(post).is_some_and(|read| (read.actual - facts.decision).abs() <= tolerance + 1e-9)
    };
    let without = facts.indices(|post| post.delivered.is_out() && !in_time(post));
    let mean = |variant: usize| {
        let ages: Vec<f64> = facts
            .posts
            .iter()
            .filter(|post| post.planned == variant)
            .filter_map(|post| facts.decision_read(post))
            .filter(|read| read.actual > 0.0)
            .map(|read| libm::log(read.actual))
            .collect();
        (!ages.is_empty()).then(|| ages.iter().sum::<f64>() / as_f64(ages.len()))
    };
    let means: Option<Vec<f64>> = (0..facts.variants).map(mean).collect();
    let Some(means) = means else {
        let sentence = format!("Not every variant was read at {:.0} h.", facts.decision);
        return whole(Finding { posts: without, ..Finding::unavailable(Check::Age, &sentence) });
    };
    let spread =
        means.iter().copied().fold(f64::NEG_INFINITY, f64::max) - means.iter().copied().fold(f64::INFINITY, f64::min);
    let cost = elasticity(facts.decision) * spread;
    let verdict = if cost >= AGE_COST.1 {
        Verdict::Invalid
    } else if cost >= AGE_COST.0 || !without.is_empty() {
        Verdict::Warn
    } else {
        Verdict::Ok
    };
    let hours = facts.decision;
    let sentence = match (verdict, without.len()) {
        (Verdict::Ok, _) => format!("All posts were read at {hours:.0} h, give or take {tolerance:.1} h."),
        (Verdict::Warn, count) if count > 0 => {
            format!("{count} posts were not read at {hours:.0} h ({}).", facts.by_variant(&without))
        }
        (Verdict::Warn | Verdict::Invalid | Verdict::Unavailable, _) => {
            format!("The variants were read at different ages: worth {:.0} % of views.", libm::expm1(cost) * 100.0)
        }
    };
    whole(Finding::new(Check::Age, verdict, cost, without, sentence))
}

fn missing(facts: &Facts<'_>) -> (Finding, Vec<usize>) {
    let complete = |post: &PostFacts| {
        facts
            .decision_read(post)
            .is_some_and(|read| !read.proxies.is_empty() && read.proxies.iter().all(Option::is_some))
    };
    let out = facts.out();
    if out == 0 {
        return whole(Finding::unavailable(Check::Missing, "No post is out, so nothing was read."));
    }
    let gaps = facts.indices(|post| post.delivered.is_out() && !complete(post));
    let verdict = by_share(gaps.len(), out);
    let sentence = if gaps.is_empty() {
        format!("Every declared proxy was read on {out} of {out} posts.")
    } else {
        format!("A declared proxy is unknown on {} of {out} posts ({}).", gaps.len(), facts.by_variant(&gaps))
    };
    whole(Finding::new(Check::Missing, verdict, as_f64(gaps.len()), gaps, sentence))
}

fn zero(facts: &Facts<'_>) -> (Finding, Vec<usize>) {
    if !has_views(facts) {
        return whole(Finding::unavailable(Check::Zero, "The platform tells no views."));
    }
    let blank = |read: &Read| read.actual >= 24.0 - tolerance_hours(24.0) && read.views == Some(0.0);
    let zeros = facts.indices(|post| post.delivered == Delivered::Verified && post.reads.iter().any(blank));
    let verdict = by_share(zeros.len(), facts.out());
    let sentence = if zeros.is_empty() {
        "No verified post stands at 0 views after a day.".to_owned()
    } else {
        format!("{} verified posts stand at 0 views after a day: that is no reading.", zeros.len())
    };
    whole(Finding::new(Check::Zero, verdict, as_f64(zeros.len()), zeros, sentence))
}

fn pairs(post: &PostFacts) -> impl Iterator<Item = (&Read, &Read)> {
    post.reads.windows(2).filter_map(|pair| match pair {
        [before, after] => Some((before, after)),
        _ => None,
    })
}

fn frozen(facts: &Facts<'_>) -> (Finding, Vec<usize>) {
    if !has_views(facts) {
        return whole(Finding::unavailable(
            Check::Frozen,
            "The platform tells no views, so a sleeping counter is not seen.",
        ));
    }
    let asleep = |(before, after): (&Read, &Read)| {
        let expected = before.views.map_or(0.0, |views| views * growth(before.nominal, after.nominal) - views);
        let any = before.counters.iter().any(Option::is_some);
        any && before.counters == after.counters && expected >= NEW_VIEWS
    };
    let found = facts.indices(|post| pairs(post).any(asleep));
    let verdict = by_share(found.len(), facts.out());
    let sentence = if found.is_empty() {
        "No counter stopped between two readings.".to_owned()
    } else {
        format!(
            "{} of {} posts stopped updating. Metrics collection is broken; do not read the numbers.",
            found.len(),
            facts.out()
        )
    };
    whole(Finding::new(Check::Frozen, verdict, as_f64(found.len()), found, sentence))
}

/// The largest share by which a counter fell between two readings.
fn fall(post: &PostFacts) -> f64 {
    pairs(post)
        .flat_map(|(before, after)| before.counters.iter().zip(&after.counters))
        .filter_map(|(before, after)| Some(((*before)?, (*after)?)))
        .filter(|(before, after)| before - after > FELL.0 && before - after > FELL.1 * before)
        .map(|(before, after)| (before - after) / before)
        .fold(0.0, f64::max)
}

fn decreasing(facts: &Facts<'_>) -> (Finding, Vec<usize>) {
    if !facts.posts.iter().any(|post| post.reads.len() > 1) {
        let sentence = "No post was read twice.";
        return whole(Finding::unavailable(Check::Decreasing, sentence));
    }
    let fell = facts.indices(|post| fall(post) > 0.0);
    let far = facts.indices(|post| fall(post) >= FELL.2);
    let verdict = match by_share(far.len(), facts.out()) {
        Verdict::Ok if !fell.is_empty() => Verdict::Warn,
        found @ (Verdict::Ok | Verdict::Unavailable | Verdict::Warn | Verdict::Invalid) => found,
    };
    let largest = facts.posts.iter().map(fall).fold(0.0, f64::max);
    let sentence = if fell.is_empty() {
        "No counter fell.".to_owned()
    } else {
        format!("A counter fell on {} posts, by up to {:.0} %.", fell.len(), largest * 100.0)
    };
    (Finding::new(Check::Decreasing, verdict, largest, fell, sentence), far)
}

fn impossible(facts: &Facts<'_>) -> (Finding, Vec<usize>) {
    if !facts.posts.iter().any(|post| !post.reads.is_empty()) {
        return whole(Finding::unavailable(Check::Impossible, "Nothing was read yet."));
    }
    let wrong = |read: &Read| {
        let numbers = read.proxies.iter().chain(&read.counters).chain([&read.views, &read.comments]);
        let negative = numbers.flatten().any(|number| *number < 0.0 || !number.is_finite());
        let more = matches!((read.comments, read.views), (Some(comments), Some(views)) if comments > views);
        let watched = read.watched.is_some_and(|watched| !(0.0..=WATCHED_MAX).contains(&watched));
        negative || more || watched || read.actual < 0.0
    };
    let found = facts.indices(|post| post.reads.iter().any(wrong));
    let verdict = by_share(found.len(), facts.out());
    let sentence = if found.is_empty() {
        "No number is impossible.".to_owned()
    } else {
        format!(
            "{} posts have numbers that cannot be: negative, read too early, or more comments than views.",
            found.len()
        )
    };
    whole(Finding::new(Check::Impossible, verdict, as_f64(found.len()), found, sentence))
}

fn era(facts: &Facts<'_>) -> (Finding, Vec<usize>) {
    let crossed = facts.indices(|post| post.era_crossed);
    let mut eras: Vec<u32> =
        facts.posts.iter().filter(|post| post.delivered.is_out()).filter_map(|post| post.era).collect();
    eras.sort_unstable();
    eras.dedup();
    let finding = match eras.len() {
        0 => Finding::unavailable(Check::Era, "No changes of definition are on record for these metrics."),
        1 if crossed.is_empty() => Finding::new(
            Check::Era,
            Verdict::Ok,
            0.0,
            Vec::new(),
            "All posts were published under one definition of every metric.".to_owned(),
        ),
        1 => Finding::new(
            Check::Era,
            Verdict::Warn,
            as_f64(crossed.len()),
            crossed.clone(),
            format!("A metric was redefined before {} posts were read.", crossed.len()),
        ),
        several => Finding::new(
            Check::Era,
            Verdict::Invalid,
            as_f64(several),
            Vec::new(),
            "The platform redefined a metric while the posts went out.".to_owned(),
        ),
    };
    (finding, crossed)
}
