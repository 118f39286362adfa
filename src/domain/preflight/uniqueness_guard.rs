//! UniquenessGuard: whether the account showed the same before, or would show it twice.
//!
//! Decides about equal posts (media and caption, I9) inside the duplicate window and inside the experiment, and about
//! texts that are nearly another post's. How alike two texts are is in [`likeness`]. Variants of one experiment are made
//! to differ in one facet only, so that they are never told to be near each other. That no equal post is committed is
//! held again at the commit, by the post.

mod likeness;

use std::collections::BTreeMap;

use super::place::{Shown, excerpt, shown};
use super::{Finding, Guard, NearbyPost, PreflightFacts, Severity};
use crate::brief::Kind;
use crate::hash::Digest;
use crate::time::{Span, UtcTime};
use likeness::Likeness;

const GUARD: Guard = Guard::UniquenessGuard;

/// Looks at everything that would be shown. Replies repeat their template by nature and are not looked at.
pub fn look(facts: &PreflightFacts<'_>) -> Vec<Finding> {
    if facts.brief.kind == Kind::Engagement {
        return Vec::new();
    }
    let each = shown(facts);
    let mut findings = shown_before(facts, &each);
    findings.extend(shown_twice(facts, &each));
    findings.extend(nearly_shown(facts, &each));
    findings
}

/// The first and the last moment at which the experiment would show something.
fn span(facts: &PreflightFacts<'_>) -> (UtcTime, UtcTime) {
    let window = facts.brief.run_window;
    let first = facts.slots.iter().min().copied().unwrap_or(window.start);
    let last = facts.slots.iter().max().copied().unwrap_or(window.end);
    (first, last)
}

/// The least time between a post and anything that the experiment would show.
fn distance(facts: &PreflightFacts<'_>, at: UtcTime) -> Span {
    let (first, last) = span(facts);
    if at < first {
        first.since(at)
    } else if at > last {
        at.since(last)
    } else {
        Span::ZERO
    }
}

fn shown_before(facts: &PreflightFacts<'_>, each: &[Shown<'_>]) -> Vec<Finding> {
    let policy = &facts.client.policy;
    let repeat = facts.brief.exposure_plan.repeat;
    let least = if repeat { policy.repeat_gap } else { policy.duplicate_window };
    let mut findings = Vec::new();
    let others: Vec<&NearbyPost> = facts.nearby.iter().filter(|post| !post.same_experiment).collect();
    for one in each {
        let key = one.content.duplicate_key();
        let equal = others.iter().filter(|post| post.duplicate_key == Some(key));
        let Some((near, post)) =
            equal.map(|post| (distance(facts, post.at), post)).min_by_key(|(near, post)| (*near, post.at))
        else {
            continue;
        };
        if near >= least {
            continue;
        }
        let why = format!(
            "the same text and pictures are on the account at {}; they are not shown again within {least}",
            post.at.in_zone(facts.client.zone)
        );
        let mend = if repeat { "begin later" } else { "change it, or say `exposure_plan.repeat = true`" };
        findings.push(GUARD.finds("uniqueness.shown-before", Severity::Block, one.place(), why, mend));
    }
    findings
}

/// Equal content inside the experiment: between variants or rounds, or because there are more posts than rounds.
fn shown_twice(facts: &PreflightFacts<'_>, each: &[Shown<'_>]) -> Vec<Finding> {
    let plan = &facts.brief.exposure_plan;
    let posts = usize::try_from(plan.posts_per_variant).unwrap_or(usize::MAX);
    let rounds = facts.variants.iter().map(|variant| variant.rounds.len()).max().unwrap_or(0);
    let mut equal: BTreeMap<Digest, Vec<&Shown<'_>>> = BTreeMap::new();
    for one in each {
        equal.entry(one.content.duplicate_key()).or_default().push(one);
    }
    let mut findings = Vec::new();
    let mut most = 0;
    // In the order in which they would be read, not of their digests.
    for one in each {
        let Some(group) = equal.remove(&one.content.duplicate_key()) else { continue };
        // With more posts than rounds a variant begins again at its first round.
        let times = if rounds == 0 { 0 } else { group.len().saturating_mul(posts.div_ceil(rounds)) };
        most = most.max(times);
        if times < 2 || plan.repeat {
            continue;
        }
        let places: Vec<String> = group.iter().map(|one| one.place()).collect();
        let why = if group.len() > 1 {
            format!("{} show the same text and pictures on one account", places.join(" and "))
        } else {
            format!("it would go out {times} times: there are {posts} posts a variant and {rounds} rounds")
        };
        let mend = "give each post words of its own in `rounds`, or say `exposure_plan.repeat = true`";
        findings.push(GUARD.finds("uniqueness.shown-twice", Severity::Block, one.place(), why, mend));
    }
    if plan.repeat && most > 1 {
        findings.extend(gap_between_repeats(facts, most));
    }
    findings
}

fn gap_between_repeats(facts: &PreflightFacts<'_>, times: usize) -> Option<Finding> {
    let gap = facts.client.policy.repeat_gap;
    let (first, last) = span(facts);
    let showings = i64::try_from(times).unwrap_or(i64::MAX);
    let needed = gap.times(showings.saturating_sub(1));
    let has = last.since(first);
    if has < needed {
        let why =
            format!("the same would go out {times} times, {gap} apart, which takes {needed}; the slots span {has}");
        return Some(GUARD.finds(
            "uniqueness.repeats-too-close",
            Severity::Block,
            "exposure_plan",
            why,
            "spread the slots, or give each post words of its own",
        ));
    }
    let mut slots = facts.slots.to_vec();
    slots.sort_unstable();
    let close = slots.iter().zip(slots.iter().skip(1)).find(|(a, b)| b.since(**a) < gap)?;
    let why = format!(
        "the same goes out {times} times, and slots are nearer than {gap}, as {} and {}; posts that fall too close are lost",
        close.0.in_zone(facts.client.zone),
        close.1.in_zone(facts.client.zone)
    );
    Some(GUARD.finds(
        "uniqueness.repeats-close",
        Severity::Warn,
        "exposure_plan",
        why,
        format!("keep slots {gap} apart"),
    ))
}

fn nearly_shown(facts: &PreflightFacts<'_>, each: &[Shown<'_>]) -> Vec<Finding> {
    let limit = facts.client.policy.near_duplicate;
    let others: Vec<(&NearbyPost, Likeness)> = facts
        .nearby
        .iter()
        .filter(|post| !post.same_experiment)
        .map(|post| (post, Likeness::of(&post.text)))
        .filter(|(_, likeness)| !likeness.is_empty())
        .collect();
    if others.is_empty() {
        return Vec::new();
    }
    let mut findings = Vec::new();
    for one in each {
        let text = one.content.text();
        let own = Likeness::of(&text);
        let key = one.content.duplicate_key();
        // What is equal was told already.
        let near = others.iter().filter(|(post, _)| post.duplicate_key != Some(key));
        let near = near.map(|(post, other)| (own.to(other), post)).filter(|(alike, _)| *alike >= limit && *alike > 0.0);
        let nearest = near.max_by(|(a, x), (b, y)| a.total_cmp(b).then(y.at.cmp(&x.at)));
        let Some((alike, post)) = nearest else { continue };
        let why = format!(
            "its text is {:.0} % like the post of {}, `{}`; from {:.0} % on a person looks",
            alike * 100.0,
            post.at.in_zone(facts.client.zone),
            excerpt(&post.text),
            limit * 100.0
        );
        findings.push(GUARD.finds(
            "uniqueness.near",
            Severity::Warn,
            one.place(),
            why,
            "write it anew, or accept that it repeats",
        ));
    }
    findings
}

#[cfg(test)]
mod tests;
