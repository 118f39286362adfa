//! What experiments say, as the desk would tell it; and that nothing unknown is drawn as a number.

use domain::outcome::{
    Check, Finding, Middle, Outcome, ProxyOutcome, Ranked, Ratio, Say, Strength, VariantCount, Verdict,
};
use domain::time::{SnapshotAge, Span};

use super::fixture::Agency;
use super::play::Play;

const DAY: SnapshotAge = SnapshotAge(Span::hours(24));

fn counts(read: usize, comparable: Option<usize>) -> Vec<VariantCount> {
    ['A', 'B'].map(|letter| VariantCount { letter, planned: 7, out: read, read, comparable }).to_vec()
}

fn proxy(metric: &str, words: &str, values: [Option<f64>; 2], ratios: Vec<Ratio>) -> ProxyOutcome {
    let middle =
        |(letter, value): (char, Option<f64>)| Middle { letter, posts: usize::from(value.is_some()) * 7, value };
    ProxyOutcome {
        metric: metric.to_owned(),
        words: words.to_owned(),
        family: Some("conversation".to_owned()),
        per_view: false,
        age: DAY,
        aside: None,
        middles: ['A', 'B'].into_iter().zip(values).map(middle).collect(),
        ratios,
    }
}

fn ratio(ratio: f64, p_up: f64, leads: bool) -> Ratio {
    Ratio {
        letter: 'B',
        ratio,
        low: Some(ratio * 0.9),
        high: Some(ratio * 1.2),
        p_up,
        p_two: (2.0 * p_up).min(1.0),
        leads,
        harmed: false,
    }
}

/// One whose posts are still going out.
pub(super) fn unripe() -> Outcome {
    let missing = "2 posts of 4 still to go out, the last at 2026-11-26 12:00:00 GMT";
    Outcome {
        say: Say::NotRipe,
        sentence: format!("Not ripe: {missing}."),
        winner: None,
        age: DAY,
        comparable: None,
        checks: Vec::new(),
        variants: counts(1, None),
        proxies: vec![
            proxy("replyCount", "replies", [Some(7.0), None], Vec::new()),
            proxy("repostCount", "reposts", [None, None], Vec::new()),
        ],
        ranking: Vec::new(),
        confidence: None,
        would_change: vec![missing.to_owned()],
        next: "wait".to_owned(),
        seed: 4_711,
        draw_repeated: true,
    }
}

/// All eighteen checks, as they should be where they can be told.
fn checks() -> Vec<Finding> {
    let unknown = [Check::Zero, Check::Frozen, Check::Era, Check::ThrottlePost, Check::ThrottleAccount];
    let all = [
        Check::Assignment,
        Check::Publish,
        Check::Lateness,
        Check::Slots,
        Check::Age,
        Check::Missing,
        Check::Zero,
        Check::Frozen,
        Check::Decreasing,
        Check::Impossible,
        Check::Era,
        Check::Metadata,
        Check::Interference,
        Check::ThrottlePost,
        Check::ThrottleAccount,
        Check::ThrottleVariant,
        Check::Attrition,
        Check::Allocation,
    ];
    all.into_iter()
        .map(|check| {
            let known = !unknown.contains(&check);
            Finding {
                check,
                verdict: if known { Verdict::Ok } else { Verdict::Unavailable },
                statistic: known.then_some(if check == Check::Lateness { 2.0 } else { 0.0 }),
                posts: Vec::new(),
                sentence: "As it should be.".to_owned(),
            }
        })
        .collect()
}

/// One that B has won.
pub(super) fn won() -> Outcome {
    Outcome {
        say: Say::Winner,
        sentence: "B wins. 7 comparable posts each. B/A on replies 1.44 (1.30 to 1.73), reposts 1.72 (1.55 to 2.06); \
                   ahead on 2 of 2. A result this strong would appear by luck in 1 of 128 such experiments. Expect \
                   about +24 % when repeated, less than measured: winners are always flattered."
            .to_owned(),
        winner: Some('B'),
        comparable: Some(Verdict::Ok),
        checks: checks(),
        variants: counts(7, Some(7)),
        proxies: vec![
            proxy("replyCount", "replies", [Some(9.0), Some(13.5)], vec![ratio(1.44, 1.0 / 128.0, true)]),
            proxy("repostCount", "reposts", [Some(4.0), Some(7.0)], vec![ratio(1.72, 1.0 / 64.0, true)]),
        ],
        ranking: vec![
            Ranked { letter: 'B', chance: 0.98, overall: Some(1.58), expected: Some(1.24), p: Some(1.0 / 128.0) },
            Ranked { letter: 'A', chance: 0.02, overall: None, expected: None, p: None },
        ],
        confidence: Some(Strength::VeryLikely),
        would_change: Vec::new(),
        next: "ship B".to_owned(),
        ..unripe()
    }
}

/// The same numbers, after A lost two posts.
pub(super) fn invalid() -> Outcome {
    let lost = "A lost 2 of 7, B lost none: what is left may not be like what was planned. Run the lost slots again.";
    let mut found = won();
    for finding in &mut found.checks {
        if finding.check == Check::Attrition {
            (finding.verdict, finding.statistic) = (Verdict::Invalid, Some(2.0 / 7.0));
            finding.sentence = lost.to_owned();
        }
        if finding.check == Check::Publish {
            (finding.verdict, finding.statistic) = (Verdict::Warn, Some(2.0));
            finding.sentence = "12 of 14 posts were published and read back; missing: A 2, B 0.".to_owned();
        }
    }
    for ratio in found.proxies.iter_mut().flat_map(|proxy| &mut proxy.ratios) {
        ratio.leads = false;
    }
    Outcome {
        say: Say::Invalid,
        ranking: Vec::new(),
        sentence: format!("Not comparable: {} Outcomes are informational only.", lost),
        winner: None,
        comparable: Some(Verdict::Invalid),
        confidence: None,
        next: "clone it, or abandon it".to_owned(),
        ..found
    }
}

#[test]
fn what_is_not_known_is_drawn_as_such_and_an_invalid_one_names_no_winner() {
    let shown = |outcome: Outcome| {
        let mut agency = Agency::monday();
        agency.outcomes.insert("CRM-015".to_owned(), outcome);
        let mut play = Play::new(agency, 160, 60);
        play.keys("5 /");
        play.wait(2_000);
        play.type_text("steam");
        play.keys("Enter Enter ] ] ] ]");
        play.text()
    };
    let text = shown(unripe());
    assert!(text.contains("Not ripe: 2 posts of 4 still to go out"), "{text}");
    let replies = text.lines().find(|line| line.contains("replies")).unwrap();
    assert!(replies.contains(" 7 "), "{replies}");
    let reposts = text.lines().find(|line| line.contains("reposts")).unwrap();
    assert!(reposts.contains("n/a") && !reposts.contains(" 0 "), "{reposts}");
    let text = shown(invalid());
    assert!(text.contains("⊘ Not comparable: A lost 2 of 7") && !text.contains("wins"), "{text}");
    assert!(!text.contains("Who is ahead") && !text.contains("leads"), "{text}");
    assert!(text.contains("✗ losses apart 0.29"), "{text}");
}

#[test]
fn an_experiment_without_a_plan_says_that_there_is_nothing_to_compare() {
    let mut agency = Agency::monday();
    agency.outcomes.clear();
    let mut play = Play::new(agency, 100, 30);
    play.keys("5 /");
    play.wait(2_000);
    play.type_text("steam");
    play.keys("Enter Enter ] ] ] ]");
    let text = play.text();
    assert!(text.contains("No outcome: it has no plan yet, so there is nothing to compare."), "{text}");
}
