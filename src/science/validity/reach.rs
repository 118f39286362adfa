//! Reach: the same hours for every variant, and nothing held back by the platform.

use std::collections::BTreeMap;

use super::{Check, Facts, Finding, PostFacts, Verdict};
use crate::design::{HourBand, as_f64};
use crate::inference::letter;

/// Total variation of hour bands at which to warn, and at which nothing can be compared.
const HOURS: (f64, f64) = (0.4, 0.6);
/// The same for mean forecasts, in log units.
const FORECASTS: (f64, f64) = (0.25, 0.50);
/// A post so far below its forecast may have been held back.
const SUSPECTED: f64 = -3.5;
/// A post so far below counts for a run, and so many in a row are one.
const LOW: f64 = -1.5;
const RUN: usize = 3;
/// Posts that a variant needs, its median, the others', and the gap between.
const VARIANT_POSTS: usize = 3;
const OTHERS: f64 = -0.75;
const GAP: f64 = 1.5;

/// Returns the checks, the posts that are out, and by slot which are suspected.
pub(super) fn checks(facts: &Facts<'_>) -> (Vec<Finding>, Vec<usize>, Vec<bool>) {
    let noticed = facts.indices(|post| post.noticed);
    let suspected: Vec<bool> =
        facts.posts.iter().map(|post| !post.noticed && post.reach_z.is_some_and(|z| z <= SUSPECTED)).collect();
    let findings = vec![slots(facts), throttle_post(facts), throttle_account(facts), throttle_variant(facts)];
    (findings, noticed, suspected)
}

/// Numbers by variant are fixed by the plan; only a weighted draw could miss them.
pub(super) fn allocation() -> Finding {
    let sentence = "The plan fixed how many posts each variant gets.".to_owned();
    Finding::new(Check::Allocation, Verdict::Ok, 0.0, Vec::new(), sentence)
}

fn of<'p>(facts: &Facts<'p>, variant: usize) -> impl Iterator<Item = &'p PostFacts> + use<'p> {
    facts.posts.iter().filter(move |post| post.planned == variant)
}

fn slots(facts: &Facts<'_>) -> Finding {
    let bands = |variant: usize| {
        let mut counts: BTreeMap<HourBand, f64> = BTreeMap::new();
        let mut total = 0.0;
        for class in of(facts, variant).filter_map(|post| post.class) {
            *counts.entry(class.band).or_default() += 1.0;
            total += 1.0;
        }
        (total > 0.0).then(|| HourBand::ALL.map(|band| counts.get(&band).copied().unwrap_or(0.0) / total))
    };
    let shares: Option<Vec<[f64; 4]>> = (0..facts.variants).map(bands).collect();
    let Some(shares) = shares else {
        return Finding::unavailable(Check::Slots, "Not every variant has a post that is out.");
    };
    let apart = |left: &[f64; 4], right: &[f64; 4]| {
        left.iter().zip(right).map(|(left, right)| (left - right).abs()).sum::<f64>() / 2.0
    };
    let mut worst = (0.0, 0, 0);
    for (one, left) in shares.iter().enumerate() {
        for (other, right) in shares.iter().enumerate().skip(one + 1) {
            let found = apart(left, right);
            if found > worst.0 {
                worst = (found, one, other);
            }
        }
    }
    let expected = |variant: usize| {
        let known: Vec<f64> =
            of(facts, variant).filter(|post| post.class.is_some()).filter_map(|p| p.forecast).collect();
        (!known.is_empty()).then(|| known.iter().sum::<f64>() / as_f64(known.len()))
    };
    let means: Option<Vec<f64>> = (0..facts.variants).map(expected).collect();
    let spread = means.map_or(0.0, |means| {
        means.iter().copied().fold(f64::NEG_INFINITY, f64::max) - means.iter().copied().fold(f64::INFINITY, f64::min)
    });
    let (variation, one, other) = worst;
    let verdict = if variation > HOURS.1 + 1e-9 || spread >= FORECASTS.1 {
        Verdict::Invalid
    } else if variation > HOURS.0 + 1e-9 || spread >= FORECASTS.0 {
        Verdict::Warn
    } else {
        Verdict::Ok
    };
    let percent = variation * 100.0;
    let sentence = if verdict == Verdict::Ok {
        format!("The variants ran in the same hours; {percent:.0} % of posts differ in the part of the day.")
    } else if variation > HOURS.0 + 1e-9 {
        format!(
            "{} and {} ran in different parts of the day: {percent:.0} % of their posts.",
            letter(one),
            letter(other)
        )
    } else {
        format!("The slots of one variant were worth {:.0} % more views than another's.", libm::expm1(spread) * 100.0)
    };
    Finding::new(Check::Slots, verdict, variation.max(0.0), Vec::new(), sentence)
}

fn throttle_post(facts: &Facts<'_>) -> Finding {
    let low = facts.indices(|post| post.noticed || post.reach_z.is_some_and(|z| z <= SUSPECTED));
    let noticed = facts.indices(|post| post.noticed);
    if low.is_empty() && facts.posts.iter().all(|post| post.reach_z.is_none()) {
        return Finding::unavailable(Check::ThrottlePost, "No forecast of views, so a post held back is not seen.");
    }
    let lowest = facts.posts.iter().filter_map(|post| post.reach_z).fold(0.0, f64::min);
    let (verdict, sentence) = if low.is_empty() {
        (Verdict::Ok, "No post fell far below its forecast.".to_owned())
    } else {
        let (told, maybe) = (noticed.len(), low.len() - noticed.len());
        (
            Verdict::Warn,
            format!("The platform held back {told} posts by its own word; {maybe} more fell far below forecast."),
        )
    };
    Finding::new(Check::ThrottlePost, verdict, lowest, low, sentence)
}

fn throttle_account(facts: &Facts<'_>) -> Finding {
    if facts.posts.iter().all(|post| post.reach_z.is_none()) {
        return Finding::unavailable(Check::ThrottleAccount, "No forecast of views for this account.");
    }
    let (mut run, mut longest) = (Vec::new(), Vec::new());
    for (at, post) in facts.posts.iter().enumerate() {
        match post.reach_z {
            Some(z) if z <= LOW => run.push(at),
            Some(_) => run.clear(),
            None => {}
        }
        if run.len() > longest.len() {
            longest.clone_from(&run);
        }
    }
    let count = longest.len();
    if count >= RUN {
        let sentence = format!(
            "{count} posts in a row fell far below forecast, whatever the variant. The comparison stands; ease off this account."
        );
        return Finding::new(Check::ThrottleAccount, Verdict::Warn, as_f64(count), longest, sentence);
    }
    let sentence = "No run of posts fell below forecast.".to_owned();
    Finding::new(Check::ThrottleAccount, Verdict::Ok, as_f64(count), Vec::new(), sentence)
}

fn throttle_variant(facts: &Facts<'_>) -> Finding {
    let middle = |values: Vec<f64>| (values.len() >= VARIANT_POSTS).then(|| crate::inference::median(&values));
    let reach: Option<Vec<f64>> = (0..facts.variants)
        .map(|variant| middle(of(facts, variant).filter_map(|post| post.reach_z).collect()))
        .collect();
    let Some(reach) = reach else {
        return Finding::unavailable(
            Check::ThrottleVariant,
            "Fewer than 3 posts of a variant have a forecast of views.",
        );
    };
    let lowest = reach.iter().enumerate().min_by(|left, right| left.1.total_cmp(right.1));
    let Some((variant, low)) = lowest.map(|(variant, low)| (variant, *low)) else {
        return Finding::unavailable(Check::ThrottleVariant, "There are no variants.");
    };
    let others: Vec<f64> =
        facts.posts.iter().filter(|post| post.planned != variant).filter_map(|post| post.reach_z).collect();
    let rest = crate::inference::median(&others);
    if !(low <= LOW && rest >= OTHERS && rest - low >= GAP) {
        let sentence = "No variant as a whole fell below its forecast.".to_owned();
        return Finding::new(Check::ThrottleVariant, Verdict::Ok, low, Vec::new(), sentence);
    }
    let rates: Vec<f64> = of(facts, variant).filter_map(|post| post.rate_z).collect();
    let weak = !rates.is_empty() && crate::inference::median(&rates) < OTHERS;
    let posts = facts.indices(|post| post.planned == variant);
    let name = letter(variant);
    let (verdict, why) = if weak {
        (Verdict::Warn, "engagement for each view fell too: more likely weak content")
    } else {
        (Verdict::Invalid, "engagement for each view was normal: the platform held them back")
    };
    Finding::new(Check::ThrottleVariant, verdict, low, posts, format!("{name}'s posts fell far below forecast; {why}."))
}
