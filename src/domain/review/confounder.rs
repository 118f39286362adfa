//! Confounders: what beside the variants could explain what was seen.
//!
//! Decides the list, from the facts on hand: a few questions that only a person can answer, every check that warns, and
//! whatever happened around the posts. Nothing here says that it does explain anything: a person signs each (X6).

use science::design::HourBand;
use serde::{Deserialize, Serialize};

use crate::calendar::plan::class_of;
use crate::outcome::{Outcome, OutcomeFacts, Verdict};
use crate::post::{Post, PostState};
use crate::time::{Span, UtcTime, Zone};

/// Where an item of the list comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// It is always asked: only a person knows.
    Asked,
    /// A check of validity warns.
    Check,
    /// It was seen around the posts.
    Seen,
}

/// Something that could mislead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confounder {
    /// Names it, stable for scripts: `news`, `check.interference`, `seen.by-hand`.
    pub key: String,
    /// Where it comes from.
    pub source: Source,
    /// What it is, with its numbers.
    pub what: String,
}

impl Confounder {
    fn new(key: impl Into<String>, source: Source, what: impl Into<String>) -> Self {
        Self { key: key.into(), source, what: what.into() }
    }
}

/// What happened around the posts, beside what a verdict is made from.
#[derive(Debug, Clone, Copy, Default)]
pub struct ConfounderFacts<'a> {
    /// When posts by hand went out on the account.
    pub by_hand: &'a [UtcTime],
    /// Every pause of the experiment, its account or its client while it ran, in words.
    pub pauses: &'a [String],
}

/// What only a person can know.
const ASKED: [(&str, &str); 6] = [
    ("campaigns", "another campaign of the client ran meanwhile, paid or not"),
    ("news", "news or a holiday moved the audience"),
    ("boost", "money was put behind some of the posts"),
    ("collaborator", "somebody else shared or joined some of the posts"),
    ("answers", "we answered more under the posts of one variant than of another"),
    ("account", "the account was in another state for a part of the run: renamed, restricted, in the news"),
];

/// A window of distribution that is this much shorter than the compared age is listed (R7).
const SHORTER: f64 = 0.05;

/// So many hours' difference in how much of the night a variant's posts lived through are listed (R7).
const NIGHT_APART: f64 = 1.0;

/// Returns what could mislead about an outcome, what is always asked first.
pub fn confounders(facts: &OutcomeFacts<'_>, beside: &ConfounderFacts<'_>, outcome: &Outcome) -> Vec<Confounder> {
    let mut found: Vec<Confounder> =
        ASKED.iter().map(|(key, what)| Confounder::new(*key, Source::Asked, *what)).collect();
    for check in outcome.checks.iter().filter(|check| check.verdict == Verdict::Warn) {
        let key = format!("check.{}", check.check.as_str().replace(' ', "-"));
        found.push(Confounder::new(key, Source::Check, check.sentence.clone()));
    }
    let mut seen = |key: &str, what: Option<String>| {
        found.extend(what.map(|what| Confounder::new(format!("seen.{key}"), Source::Seen, what)));
    };
    seen("by-hand", by_hand(facts, beside.by_hand));
    seen("other-posts", others(facts, beside.by_hand));
    seen("deleted", deleted(facts.posts));
    seen("edited", edited(facts.posts));
    seen("not-out", not_out(facts.posts));
    seen("pauses", (!beside.pauses.is_empty()).then(|| format!("it was paused: {}", beside.pauses.join("; "))));
    seen("closed-days", closed_days(facts));
    seen("night", night(facts, outcome));
    seen("shorter", shorter(facts, outcome));
    found
}

/// Says how many of each variant's posts are among some: `2 of A, none of B`.
fn by_letter(posts: &[Post], chosen: impl Fn(&Post) -> bool) -> Option<String> {
    let mut letters: Vec<char> = posts.iter().map(|post| post.letter).collect();
    letters.sort_unstable();
    letters.dedup();
    let counts: Vec<(char, usize)> = letters
        .into_iter()
        .map(|letter| (letter, posts.iter().filter(|post| post.letter == letter && chosen(post)).count()))
        .collect();
    if counts.iter().all(|(_, count)| *count == 0) {
        return None;
    }
    let word = |(letter, count): &(char, usize)| match count {
        0 => format!("none of {letter}"),
        count => format!("{count} of {letter}"),
    };
    Some(counts.iter().map(word).collect::<Vec<String>>().join(", "))
}

/// A post is disturbed by one that stands in the day around it.
const NEIGHBOURS: Span = Span::hours(24);

fn run(facts: &OutcomeFacts<'_>) -> Option<(UtcTime, UtcTime)> {
    let out = || facts.posts.iter().filter_map(Post::live).map(|live| live.at);
    Some((out().min()?.minus(NEIGHBOURS), out().max()?.plus(NEIGHBOURS)))
}

fn within(facts: &OutcomeFacts<'_>, times: &[UtcTime]) -> Vec<UtcTime> {
    let Some((from, until)) = run(facts) else { return Vec::new() };
    times.iter().copied().filter(|at| (from..=until).contains(at)).collect()
}

fn near(facts: &OutcomeFacts<'_>, times: &[UtcTime]) -> String {
    let close = |post: &Post| {
        post.live().is_some_and(|live| times.iter().any(|at| at.distance(live.at) < facts.client.policy.min_gap))
    };
    let gap = facts.client.policy.min_gap;
    by_letter(facts.posts, close).map_or_else(
        || format!("none stands within {gap} of a post of this experiment"),
        |near| format!("within {gap} of one stand {near}"),
    )
}

fn by_hand(facts: &OutcomeFacts<'_>, by_hand: &[UtcTime]) -> Option<String> {
    let times = within(facts, by_hand);
    (!times.is_empty()).then(|| {
        format!("{} went out on the account by hand meanwhile; {}", counted(times.len(), "post"), near(facts, &times))
    })
}

fn others(facts: &OutcomeFacts<'_>, by_hand: &[UtcTime]) -> Option<String> {
    let ours: Vec<UtcTime> = facts.others.iter().copied().filter(|at| !by_hand.contains(at)).collect();
    let times = within(facts, &ours);
    (!times.is_empty()).then(|| {
        let count = counted(times.len(), "post");
        format!("{count} of other experiments went out on the account meanwhile; {}", near(facts, &times))
    })
}

fn counted(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

fn deleted(posts: &[Post]) -> Option<String> {
    let found = by_letter(posts, |post| matches!(post.state, PostState::Removed { .. }))?;
    Some(format!("posts were deleted after they were out: {found}"))
}

fn edited(posts: &[Post]) -> Option<String> {
    let found = by_letter(posts, |post| post.altered_to.is_some())?;
    Some(format!("posts show something else than was approved: {found}"))
}

fn not_out(posts: &[Post]) -> Option<String> {
    let found = by_letter(posts, |post| post.state.is_settled() && post.live().is_none())?;
    Some(format!("posts never went out: {found}"))
}

fn closed_days(facts: &OutcomeFacts<'_>) -> Option<String> {
    let (from, until) = run(facts)?;
    let (from, until) = (facts.client.zone.local(from).date, facts.client.zone.local(until).date);
    let overlaps = |first: &str, last: &str| {
        let (first, last) = (crate::calendar::quiet::day(first), crate::calendar::quiet::day(last));
        first.zip(last).is_some_and(|(first, last)| first <= until && from <= last)
    };
    let days = facts.client.policy.blackouts.iter().filter(|day| overlaps(&day.from, &day.until));
    let named: Vec<String> = days.map(|day| format!("{} to {} ({})", day.from, day.until, day.why)).collect();
    (!named.is_empty()).then(|| format!("it ran over days on which the client is closed: {}", named.join(", ")))
}

/// Returns each variant's mean of something over its posts that are out.
fn means(facts: &OutcomeFacts<'_>, of: impl Fn(&Post, UtcTime) -> Option<f64>) -> Vec<(char, f64)> {
    let mut letters: Vec<char> = facts.posts.iter().map(|post| post.letter).collect();
    letters.sort_unstable();
    letters.dedup();
    letters
        .into_iter()
        .filter_map(|letter| {
            let mine = facts.posts.iter().filter(|post| post.letter == letter);
            let each: Vec<f64> = mine.filter_map(|post| of(post, post.live()?.at)).collect();
            let count = u32::try_from(each.len()).ok().filter(|count| *count > 0)?;
            Some((letter, each.iter().sum::<f64>() / f64::from(count)))
        })
        .collect()
}

fn spread(means: &[(char, f64)]) -> f64 {
    let high = means.iter().map(|(_, mean)| *mean).fold(f64::NEG_INFINITY, f64::max);
    let low = means.iter().map(|(_, mean)| *mean).fold(f64::INFINITY, f64::min);
    if means.is_empty() { 0.0 } else { high - low }
}

fn night(facts: &OutcomeFacts<'_>, outcome: &Outcome) -> Option<String> {
    let zone = facts.client.zone;
    let means = means(facts, |_, out| Some(nightly(zone, out, outcome.age.0)));
    let each: Vec<String> = means.iter().map(|(letter, hours)| format!("{letter} {hours:.1} h")).collect();
    (spread(&means) > NIGHT_APART)
        .then(|| format!("the variants' posts lived through the night for different times: {}", each.join(", ")))
}

/// Returns how many of the hours after publication are night on the client's clock, counted in half hours.
fn nightly(zone: Zone, out: UtcTime, age: Span) -> f64 {
    const STEP: Span = Span::minutes(30);
    let mut at = out;
    let end = out.plus(age);
    let mut steps = 0_u32;
    while at < end {
        if class_of(zone, at).band == HourBand::Night {
            steps = steps.saturating_add(1);
        }
        at = at.plus(STEP);
    }
    f64::from(steps) / 2.0
}

fn shorter(facts: &OutcomeFacts<'_>, outcome: &Outcome) -> Option<String> {
    let nominal = crate::outcome::hours(outcome.age.0);
    let short = |post: &Post| {
        let Some(out) = post.live().map(|live| live.at) else { return false };
        let read = facts.snapshots.iter().find(|read| read.post == post.id && read.age == outcome.age);
        let lived = if let PostState::Removed { at, .. } = &post.state {
            Some(crate::outcome::hours(at.since(out)))
        } else {
            read.map(|read| crate::outcome::hours(read.captured.since(out)))
        };
        lived.is_some_and(|lived| lived < nominal * (1.0 - SHORTER))
    };
    let found = by_letter(facts.posts, short)?;
    Some(format!("posts had less time than {} before they were read: {found}", outcome.age))
}
