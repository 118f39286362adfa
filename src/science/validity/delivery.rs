//! Delivery: whether what was planned went out, when it should, as approved, and undisturbed; and who lost how much.

use super::loss::loss_table_exact;
use super::{Check, Delivered, Facts, Finding, PostFacts, Record, Verdict};
use crate::design::as_f64;
use crate::inference::letter;

/// Minutes from its slot at which a post is no longer on time.
const LATE: f64 = 30.0;
/// Largest difference of lost shares.
const LOST_APART: f64 = 0.25;
/// Exact p of the loss table at which losses are no accident.
const LOST_P: f64 = 0.01;

/// Returns the checks, each with the posts that it takes out.
pub(super) fn checks(facts: &Facts<'_>) -> Vec<(Finding, Vec<usize>)> {
    [assignment(facts), publish(facts), lateness(facts), metadata(facts), interference(facts)]
        .into_iter()
        .map(|finding| {
            let flags = finding.posts.clone();
            (finding, flags)
        })
        .collect()
}

fn assignment(facts: &Facts<'_>) -> Finding {
    let wrong = facts.indices(|post| post.posted.is_some_and(|posted| posted != post.planned));
    let known = facts.indices(|post| post.posted.is_some());
    if known.is_empty() {
        return Finding::unavailable(Check::Assignment, "No post is out, so nothing can be compared with the plan.");
    }
    let (verdict, sentence) = if wrong.is_empty() {
        (Verdict::Ok, format!("All {} posts show the variant that was drawn for their slot.", known.len()))
    } else {
        (Verdict::Invalid, format!("{} of {} posts show another variant than was drawn.", wrong.len(), known.len()))
    };
    Finding::new(Check::Assignment, verdict, as_f64(wrong.len()), wrong, sentence)
}

fn publish(facts: &Facts<'_>) -> Finding {
    let bad = facts.indices(|post| match post.delivered {
        Delivered::Not | Delivered::Unverified => true,
        Delivered::Verified | Delivered::Removed => false,
    });
    let all = facts.posts.len();
    let (verdict, sentence) = if bad.is_empty() {
        (Verdict::Ok, format!("{all} of {all} posts were published and read back."))
    } else {
        let good = all - bad.len();
        let by = facts.by_variant(&bad);
        (Verdict::Warn, format!("{good} of {all} posts were published and read back; missing: {by}."))
    };
    Finding::new(Check::Publish, verdict, as_f64(bad.len()), bad, sentence)
}

fn lateness(facts: &Facts<'_>) -> Finding {
    let moved = |post: &PostFacts| post.class.is_some_and(|class| class != post.planned_class);
    let off = facts.indices(|post| post.late.is_some_and(|late| late.abs() > LATE) || moved(post));
    let times = facts.posts.iter().filter_map(|post| post.late).map(f64::abs);
    let Some(largest) = times.max_by(f64::total_cmp) else {
        return Finding::unavailable(Check::Lateness, "No post has a time of publication.");
    };
    let (verdict, sentence) = if off.is_empty() {
        (Verdict::Ok, format!("No post was more than {largest:.0} min off its slot."))
    } else {
        let by = facts.by_variant(&off);
        (Verdict::Warn, format!("{} posts went out over 30 min off or in other hours ({by}).", off.len()))
    };
    Finding::new(Check::Lateness, verdict, largest, off, sentence)
}

fn metadata(facts: &Facts<'_>) -> Finding {
    let out = |post: &PostFacts| post.delivered.is_out();
    let differs = facts.indices(|post| out(post) && post.record == Record::Differs);
    let absent = facts.indices(|post| out(post) && post.record == Record::Absent);
    if facts.out() == 0 {
        return Finding::unavailable(Check::Metadata, "No post is out.");
    }
    if !differs.is_empty() {
        let sentence = format!("{} posts show something else than was approved.", differs.len());
        return Finding::new(Check::Metadata, Verdict::Invalid, as_f64(differs.len()), differs, sentence);
    }
    if !absent.is_empty() {
        let sentence = format!("{} posts have no record of what was approved.", absent.len());
        return Finding::new(Check::Metadata, Verdict::Warn, as_f64(absent.len()), absent, sentence);
    }
    let sentence = format!("{} posts show what was approved.", facts.out());
    Finding::new(Check::Metadata, Verdict::Ok, 0.0, Vec::new(), sentence)
}

fn interference(facts: &Facts<'_>) -> Finding {
    let touched = facts.indices(|post| {
        post.changed || post.crowded || post.boosted == Some(true) || post.delivered == Delivered::Removed
    });
    let boosted = |variant: usize| {
        facts.posts.iter().filter(|post| post.planned == variant && post.boosted == Some(true)).count()
    };
    let unequal = (1..facts.variants).any(|variant| boosted(variant) != boosted(0));
    let (verdict, sentence) = if unequal {
        (Verdict::Invalid, "Money was put behind the posts of one variant and not of the others.".to_owned())
    } else if touched.is_empty() {
        (Verdict::Ok, "No post was edited, removed or crowded by another.".to_owned())
    } else {
        let by = facts.by_variant(&touched);
        (Verdict::Warn, format!("{} posts were edited, removed, boosted or crowded ({by}).", touched.len()))
    };
    Finding::new(Check::Interference, verdict, as_f64(touched.len()), touched, sentence)
}

/// Compares losses over all planned posts, each by its own flags and not its block's.
pub(super) fn attrition(facts: &Facts<'_>, flagged: &[bool]) -> Finding {
    let rows: Vec<(usize, usize)> = (0..facts.variants)
        .map(|variant| {
            let of = |lost: bool| {
                let each = facts.posts.iter().zip(flagged);
                each.filter(|(post, flag)| post.planned == variant && **flag == lost).count()
            };
            (of(true), of(false))
        })
        .collect();
    let lost: Vec<usize> = flagged.iter().enumerate().filter(|(_, flag)| **flag).map(|(at, _)| at).collect();
    let shares: Vec<f64> = rows.iter().map(|(lost, kept)| as_f64(*lost) / as_f64((lost + kept).max(1))).collect();
    let highest = shares.iter().copied().fold(0.0, f64::max);
    let apart = highest - shares.iter().copied().fold(1.0, f64::min);
    let unlikely = loss_table_exact(&rows).is_some_and(|p| p < LOST_P);
    let told: Vec<String> = rows
        .iter()
        .enumerate()
        .map(|(variant, (lost, kept))| {
            let count = if *lost == 0 { "none".to_owned() } else { format!("{lost} of {}", lost + kept) };
            format!("{} lost {count}", letter(variant))
        })
        .collect();
    let told = told.join(", ");
    let (verdict, sentence) = if lost.is_empty() {
        (Verdict::Ok, "No post was lost to the comparison.".to_owned())
    } else if apart > LOST_APART + 1e-9 || unlikely {
        (Verdict::Invalid, format!("{told}: what is left may not be like what was planned. Run the lost slots again."))
    } else {
        (Verdict::Warn, format!("{told}: about alike, so that this costs posts and no more."))
    };
    Finding::new(Check::Attrition, verdict, apart, lost, sentence)
}
