//! The words of a call: one sentence for each situation, the same on every screen and in every file.
//!
//! Decides how a judgement is said. Never "significant", "confidence 95 %" or "no difference" without "seen"; no word of
//! winning beside an invalid result or a hint.

use super::confidence::{Strength, leader_right_of_100};
use super::winner::{Call, Judgement, NoCall, Standing};
use super::{CONTROL, InferenceError};
use crate::design::{PowerInput, minimum_detectable_ratio};

/// How large an effect would have been noticed 4 times in 5.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SizeSentence {
    /// Test over control: 1.35 is 35 % better.
    pub ratio: f64,
}

impl SizeSentence {
    /// Returns it in percent, coarser the larger it is: `35 %`, `240 %`.
    pub fn percent(self) -> String {
        let percent = (self.ratio - 1.0) * 100.0;
        let step = if percent < 100.0 { 1.0 } else { 10.0 };
        format!("{:.0} %", libm::round(percent / step) * step)
    }
}

/// Returns the effect that a plan of so many posts a variant notices 4 times in 5, at the level of a winner.
///
/// `sd_log` is the spread of what decides from post to post, in log units.
///
/// # Errors
/// Names the argument that is out of range.
pub fn noticeable(posts_per_variant: usize, variants: usize, sd_log: f64) -> Result<SizeSentence, InferenceError> {
    let input = PowerInput { posts_per_variant, variants, sd_log, alpha: 0.05, power: 0.8 };
    Ok(SizeSentence { ratio: minimum_detectable_ratio(&input)?.ratio })
}

/// Returns a variant's letter: the control is A.
pub fn letter(variant: usize) -> char {
    u8::try_from(variant).ok().and_then(|at| b'A'.checked_add(at)).map_or('?', char::from)
}

/// Returns a p value as people count: `1 in 128`, and `more often than not` above a half.
pub fn one_in(p: f64) -> String {
    if p > 0.5 {
        "more often than not".to_owned()
    } else if p > 0.0 {
        format!("1 in {:.0}", libm::round(1.0 / p))
    } else {
        "never".to_owned()
    }
}

/// The same inside a sentence: `in 1 of 128 cases`.
fn in_cases(p: f64, cases: &str) -> String {
    if p > 0.5 { "more often than not".to_owned() } else { format!("in {} {cases}", one_in(p).replace(" in ", " of ")) }
}

/// Returns a ratio as a change: `+24 %`, `-18 %`, `±0 %`.
pub fn percent(ratio: f64) -> String {
    let rounded = libm::round((ratio - 1.0) * 100.0);
    if rounded == 0.0 { "±0 %".to_owned() } else { format!("{rounded:+.0} %") }
}

/// Returns a ratio and what it may be: `1.34 (1.12 to 1.61)`; an end that is not ruled out is `?`.
pub fn times(ratio: f64, low: Option<f64>, high: Option<f64>) -> String {
    let end = |end: Option<f64>| end.map_or_else(|| "?".to_owned(), |end| format!("{end:.2}"));
    match (low, high) {
        (None, None) => format!("{ratio:.2}"),
        (Some(_), _) | (_, Some(_)) => format!("{ratio:.2} ({} to {})", end(low), end(high)),
    }
}

/// Says what the experiment says.
///
/// `proxies` are the names of the declared proxies, in their order; `noticed` is what the plan could have shown, where
/// that is known; `needed` the comparable posts that a winner needs; `reason` why it is invalid, where it is.
pub fn sentence(
    judged: &Judgement,
    proxies: &[&str],
    needed: usize,
    noticed: Option<SizeSentence>,
    reason: Option<&str>,
) -> String {
    let name = |at: usize| proxies.get(at).copied().unwrap_or("one proxy");
    match &judged.call {
        Call::Invalid => {
            let why =
                reason.unwrap_or("a check says that the variants did not get comparable chances").trim_end_matches('.');
            format!("Not comparable: {why}. Outcomes are informational only.")
        }
        Call::NotEnoughPosts => too_few(judged, needed),
        Call::Winner { variant, also } => winner(judged, *variant, also, proxies),
        Call::RestsOnSuspected { variant } => format!(
            "No call: {} is ahead, but that rests on posts that the platform may have held back.",
            letter(*variant)
        ),
        Call::NoCall(NoCall::Unanswered { variant }) => format!(
            "No call yet: {} is ahead by the rule, but there are warnings. Somebody must say that none of them explains it.",
            letter(*variant)
        ),
        Call::NoCall(NoCall::Breach { variant }) => {
            format!("No call: {} is ahead, but a guardrail was crossed on its posts.", letter(*variant))
        }
        Call::NoCall(NoCall::Harm { variant }) => harm(judged, *variant, proxies),
        Call::NoCall(NoCall::OneProxy { variant, proxy }) => {
            let ratio = standing(judged, *variant).and_then(|s| s.proxies.get(*proxy)).map_or(1.0, |p| p.range.ratio);
            format!(
                "No call: {} {} for {}, nothing else moved. One proxy is not enough to ship.",
                name(*proxy),
                percent(ratio),
                letter(*variant)
            )
        }
        Call::NoCall(NoCall::LittleAtStake) => {
            "No call, and little at stake: the difference is probably below ±10 %. Pick on cost or taste.".to_owned()
        }
        Call::NoCall(NoCall::Luck) => luck(judged, noticed),
    }
}

fn standing(judged: &Judgement, variant: usize) -> Option<&Standing> {
    judged.standings.iter().find(|standing| standing.variant == variant)
}

fn too_few(judged: &Judgement, needed: usize) -> String {
    let counts: Vec<String> =
        judged.posts.iter().enumerate().map(|(variant, posts)| format!("{} {posts}", letter(variant))).collect();
    let counts = counts.join(", ");
    let hint = match (judged.leader, judged.strength) {
        (Some(leader), Some(Strength::Hint)) => {
            let fewest = judged.posts.iter().copied().min().unwrap_or(0);
            let right = leader_right_of_100(fewest);
            format!(
                " {} is ahead: a hint, not a result; about {right} of 100 such leaders are really better.",
                letter(leader)
            )
        }
        (_, _) => String::new(),
    };
    format!("Not enough posts: {counts} comparable, {needed} each needed.{hint}")
}

fn winner(judged: &Judgement, variant: usize, also: &[usize], proxies: &[&str]) -> String {
    let Some(found) = standing(judged, variant) else { return format!("{} wins.", letter(variant)) };
    let leads: Vec<String> = found
        .proxies
        .iter()
        .enumerate()
        .filter(|(_, proxy)| proxy.leads)
        .map(|(at, p)| {
            let range = p.range;
            format!("{} {}", proxies.get(at).copied().unwrap_or("a proxy"), times(range.ratio, range.low, range.high))
        })
        .collect();
    let posts = if found.posts == found.control_posts {
        format!("{} comparable posts each", found.posts)
    } else {
        format!("{} and {} comparable posts", found.posts, found.control_posts)
    };
    let also: Vec<String> = also.iter().map(|other| letter(*other).to_string()).collect();
    let also = if also.is_empty() {
        String::new()
    } else {
        format!(" {} also beat A and cannot be told apart from it.", also.join(" and "))
    };
    format!(
        "{0} wins. {posts}. {0}/A on {1}; ahead on {2} of {3}. A result this strong would appear by luck {4}. \
         Expect about {5} when repeated, less than measured: winners are always flattered.{also}",
        letter(variant),
        leads.join(", "),
        found.ahead(),
        found.proxies.len(),
        in_cases(found.p_adjusted, "such experiments"),
        percent(found.expected_ratio),
    )
}

fn harm(judged: &Judgement, variant: usize, proxies: &[&str]) -> String {
    let Some(found) = standing(judged, variant) else { return "No call.".to_owned() };
    let list = |chosen: &dyn Fn(&super::ProxyStanding) -> bool| {
        let each = found.proxies.iter().enumerate().filter(|(_, proxy)| chosen(proxy));
        let each = each.map(|(at, proxy)| {
            format!("{} {}", proxies.get(at).copied().unwrap_or("a proxy"), percent(proxy.range.ratio))
        });
        each.collect::<Vec<String>>().join(", ")
    };
    format!(
        "No call: {} is better on {}, worse on {}. A gain that costs elsewhere is not shipped; iterate.",
        letter(variant),
        list(&|proxy| proxy.leads),
        list(&|proxy| proxy.harmed),
    )
}

fn luck(judged: &Judgement, noticed: Option<SizeSentence>) -> String {
    let could = noticed.map_or_else(String::new, |size| format!("; this plan could have shown {}", size.percent()));
    let ahead =
        judged.standings.iter().max_by(|left, right| left.composite.estimate.total_cmp(&right.composite.estimate));
    match ahead {
        Some(first) if judged.leader != Some(CONTROL) => format!(
            "No call. {} is ahead on {} of {}, but shuffling the labels gives as much {}. No difference seen{could}.",
            letter(first.variant),
            first.ahead(),
            first.proxies.len(),
            in_cases(first.p_adjusted, "cases"),
        ),
        Some(_) | None => format!("No call. No difference seen{could}."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_said_as_people_say_them() {
        assert_eq!((percent(1.244), percent(0.822), percent(1.001)), ("+24 %".into(), "-18 %".into(), "±0 %".into()));
        assert_eq!(
            (one_in(1.0 / 128.0), one_in(0.51), one_in(0.0)),
            ("1 in 128".into(), "more often than not".into(), "never".into())
        );
        assert_eq!(times(1.344, Some(1.12), None), "1.34 (1.12 to ?)");
        assert_eq!(times(1.344, None, None), "1.34");
        assert_eq!((letter(0), letter(3), letter(900)), ('A', 'D', '?'));
    }

    #[test]
    fn a_plan_says_what_it_could_have_shown() {
        // The spread of an account without history, for the composite and for views alone.
        assert_eq!(noticeable(10, 2, 0.26).unwrap().percent(), "35 %");
        assert_eq!(noticeable(8, 2, 0.26).unwrap().percent(), "41 %");
        assert_eq!(noticeable(20, 2, 0.26).unwrap().percent(), "23 %");
        assert_eq!(noticeable(5, 2, 0.73).unwrap().percent(), "250 %");
        assert!(noticeable(1, 2, 0.26).is_err());
    }
}
