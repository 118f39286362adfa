//! The rule by which a winner is named, and what stands beside it.
//!
//! Decides the call: invalid, not enough posts, winner, rests on suspected posts, or no call. A winner needs the composite,
//! two proxies that lead, none that is worse and no breach; one proxy that went up is not enough to ship. Chosen by
//! simulation: with nothing to find it names a winner in at most 5 of 100 experiments.

use serde::Serialize;

use super::composite::{Composite, composite};
use super::confidence::{Arms, NOTE_PRIOR, Strength, gaussian_arms};
use super::contrast::{Contrast, contrast_randomisation};
use super::holm::holm;
use super::{CONTROL, InferenceError, Trial, whole_blocks};
use crate::design::as_f64;

/// Comparable posts that the control and a winner need; a brief may ask for more.
pub const NEEDED: usize = 5;

/// A proxy leads from this ratio on …
const LEAD_RATIO: f64 = 1.05;
/// … if luck would give it this seldom.
const LEAD_P: f64 = 0.20;
/// Proxies that have to lead.
const LEADS: usize = 2;
/// A proxy is harmed where luck would put it so far down this seldom.
const HARM_P: f64 = 0.025;
/// A variant is reported as worse at this level, all test variants together.
const WORSE_P: f64 = 0.05;
/// The level of a primary proxy that decides alone.
const PRIMARY_P: f64 = 0.05;
/// Each side of an interval: 90 % in all.
const TAIL: f64 = 0.05;
/// A difference that is certainly below this ratio, either way, is of little account.
const NARROW: f64 = 1.10;
/// The prior of the shrunken estimate counts as much as so many posts.
const SHRINK: f64 = 8.0;

/// One declared proxy.
#[derive(Debug, Clone, PartialEq)]
pub struct ProxyValues {
    /// On the log scale, by slot, higher being better; posts that are not comparable are not looked at.
    pub values: Vec<f64>,
    /// The spread of the account's history, where there is one.
    pub scale: Option<f64>,
}

/// How the proxies decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// The composite, and two proxies that lead.
    Composite,
    /// The first proxy alone: experiments on replies and on lanes have one family.
    Primary,
}

/// What validity said, and whether a person has answered for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Trusted {
    Ok,
    /// There are warnings, and a person has confirmed that they explain nothing.
    Confirmed,
    /// There are warnings that nobody has answered.
    Unanswered,
    Invalid,
}

/// What a winner is named from.
#[derive(Debug, Clone, Copy)]
pub struct WinnerInput<'a> {
    pub trial: Trial<'a>,
    /// The first is the primary one.
    pub proxies: &'a [ProxyValues],
    pub rule: Rule,
    pub trusted: Trusted,
    /// Comparable posts that the control and a winner need.
    pub needed: usize,
    /// The level of the composite, all test variants together: 0.05, or 0.04 where stopping early was armed.
    pub alpha: f64,
    /// Variants on whose posts a guardrail was crossed.
    pub breached: &'a [bool],
    /// Slots whose post may have been held back by the platform.
    pub suspected: &'a [bool],
    /// Feeds draws where a reference set is too large to list.
    pub seed: u64,
}

/// A ratio of test to control and what it may be; an end is `None` where nothing is ruled out.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct RatioRange {
    pub ratio: f64,
    pub low: Option<f64>,
    pub high: Option<f64>,
}

impl RatioRange {
    fn of(contrast: &Contrast, per_log: f64) -> Self {
        let ratio = |log: f64| libm::exp(log / per_log).min(f64::MAX);
        Self { ratio: ratio(contrast.estimate), low: contrast.low.map(ratio), high: contrast.high.map(ratio) }
    }
}

/// One proxy of a test variant against the control.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ProxyStanding {
    pub range: RatioRange,
    pub contrast: Contrast,
    pub leads: bool,
    pub harmed: bool,
}

/// A test variant against the control.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Standing {
    pub variant: usize,
    pub posts: usize,
    pub control_posts: usize,
    pub composite: Contrast,
    /// The composite as a ratio of all proxies together.
    pub overall: RatioRange,
    /// The p of what decides, adjusted for the number of test variants.
    pub p_adjusted: f64,
    /// Worse than the control; a note, never a win for the control.
    pub worse: bool,
    pub proxies: Vec<ProxyStanding>,
    /// What to expect when it is repeated: winners are flattered.
    pub expected_ratio: f64,
    /// All that the rule asks of the numbers, being in front apart.
    pub passes: bool,
}

impl Standing {
    /// Returns how many proxies lead.
    pub fn leads(&self) -> usize {
        self.proxies.iter().filter(|proxy| proxy.leads).count()
    }

    /// Returns on how many proxies it is ahead at all.
    pub fn ahead(&self) -> usize {
        self.proxies.iter().filter(|proxy| proxy.range.ratio > 1.0).count()
    }

    /// Returns the proxies that are harmed, by their place.
    pub fn harmed(&self) -> Vec<usize> {
        self.proxies.iter().enumerate().filter(|(_, proxy)| proxy.harmed).map(|(at, _)| at).collect()
    }
}

/// Why there is no call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "why", rename_all = "snake_case")]
pub enum NoCall {
    /// Everything holds for this variant, but warnings wait for a person.
    Unanswered { variant: usize },
    /// A guardrail was crossed on this variant's posts; all else holds.
    Breach { variant: usize },
    /// This variant leads on one proxy and is worse on another.
    Harm { variant: usize },
    /// One proxy went up and nothing else moved.
    OneProxy { variant: usize, proxy: usize },
    /// The difference is probably small.
    LittleAtStake,
    /// Shuffled labels give as much too often.
    Luck,
}

/// What the experiment says.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "call", rename_all = "snake_case")]
pub enum Call {
    /// Not comparable; the numbers are informational only.
    Invalid,
    NotEnoughPosts,
    Winner {
        variant: usize,
        /// Others that beat the control too and cannot be told apart from the winner.
        also: Vec<usize>,
    },
    /// Without the posts that may have been held back there is no winner.
    RestsOnSuspected {
        variant: usize,
    },
    NoCall(NoCall),
}

/// The call and the numbers beside it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Judgement {
    pub call: Call,
    /// By test variant; empty where a variant has fewer than two comparable posts.
    pub standings: Vec<Standing>,
    /// Comparable posts by variant.
    pub posts: Vec<usize>,
    /// The variant in front, the control among them; `None` where there are no numbers.
    pub leader: Option<usize>,
    /// By variant; empty where there are no numbers.
    pub probability_best: Vec<f64>,
    /// By variant, as a share: 0.02 is 2 % of the outcome.
    pub expected_loss: Vec<f64>,
    /// The word for the leader's chance; `None` where there are no numbers or they may not be trusted.
    pub strength: Option<Strength>,
}

/// Fewest comparable posts of every variant for numbers to be shown.
const SHOWN: usize = 2;

/// Judges an experiment.
///
/// # Errors
/// Names the argument that is impossible.
pub fn judge(input: &WinnerInput<'_>) -> Result<Judgement, InferenceError> {
    check(input)?;
    let posts: Vec<usize> = (0..input.trial.variants).map(|variant| input.trial.posts(variant)).collect();
    let numbers = if posts.iter().all(|posts| *posts >= SHOWN) { Some(numbers(input, input.trial)?) } else { None };
    let mut judged = Judgement {
        call: Call::NoCall(NoCall::Luck),
        standings: Vec::new(),
        leader: None,
        probability_best: Vec::new(),
        expected_loss: Vec::new(),
        strength: None,
        posts,
    };
    let enough = |variant: usize| judged.posts.get(variant).is_some_and(|posts| *posts >= input.needed);
    let enough_posts = enough(CONTROL) && (1..input.trial.variants).any(enough);
    if let Some((standings, arms)) = numbers {
        let leader = front(&arms.probability_best);
        let chance = arms.probability_best.get(leader).copied().unwrap_or(0.0);
        judged.strength = (input.trusted != Trusted::Invalid)
            .then(|| Strength::of(chance, enough(CONTROL) && (leader == CONTROL || enough(leader)) && enough_posts));
        judged.leader = Some(leader);
        judged.probability_best = arms.probability_best;
        judged.expected_loss = arms.expected_loss;
        judged.standings = standings;
    }
    judged.call = call(input, &judged.standings, enough_posts)?;
    Ok(judged)
}

fn check(input: &WinnerInput<'_>) -> Result<(), InferenceError> {
    let slots = input.trial.plan.labels.len();
    let lengths = [
        ("comparable", input.trial.comparable.len(), slots),
        ("suspected", input.suspected.len(), slots),
        ("breached", input.breached.len(), input.trial.variants),
    ];
    if input.proxies.is_empty() {
        return Err(InferenceError::Length { argument: "proxies", found: 0, expected: 1 });
    }
    for (argument, found, expected) in lengths {
        if found != expected {
            return Err(InferenceError::Length { argument, found, expected });
        }
    }
    if !(input.alpha > 0.0 && input.alpha < 0.5) {
        return Err(InferenceError::OutOfRange { argument: "alpha", found: input.alpha, low: 0.0, high: 0.5 });
    }
    Ok(())
}

fn call(input: &WinnerInput<'_>, standings: &[Standing], enough: bool) -> Result<Call, InferenceError> {
    if input.trusted == Trusted::Invalid {
        return Ok(Call::Invalid);
    }
    if !enough || standings.is_empty() {
        return Ok(Call::NotEnoughPosts);
    }
    let Some(first) = in_front(input, standings) else { return Ok(Call::NoCall(NoCall::Luck)) };
    if first.passes {
        let variant = first.variant;
        return Ok(if input.breached.get(variant) == Some(&true) {
            Call::NoCall(NoCall::Breach { variant })
        } else if input.trusted == Trusted::Unanswered {
            Call::NoCall(NoCall::Unanswered { variant })
        } else if holds_without_suspects(input, variant)? {
            let also = standings.iter().filter(|s| s.passes && s.variant != variant).map(|s| s.variant).collect();
            Call::Winner { variant, also }
        } else {
            Call::RestsOnSuspected { variant }
        });
    }
    let leading = first.proxies.iter().enumerate().filter(|(_, proxy)| proxy.leads && proxy.contrast.p_up <= PRIMARY_P);
    let leading: Vec<usize> = leading.map(|(at, _)| at).collect();
    let narrow = |range: RatioRange| {
        range.low.is_some_and(|low| low >= 1.0 / NARROW) && range.high.is_some_and(|high| high <= NARROW)
    };
    let variant = first.variant;
    let mixed = standings.iter().find(|standing| standing.leads() > 0 && !standing.harmed().is_empty());
    Ok(Call::NoCall(match (mixed, leading.as_slice()) {
        (Some(mixed), _) => NoCall::Harm { variant: mixed.variant },
        (None, [proxy]) if first.leads() == 1 => NoCall::OneProxy { variant, proxy: *proxy },
        (None, _) if standings.iter().all(|standing| narrow(standing.overall)) => NoCall::LittleAtStake,
        (None, _) => NoCall::Luck,
    }))
}

/// The test variant with the largest estimate of what decides.
fn in_front<'s>(input: &WinnerInput<'_>, standings: &'s [Standing]) -> Option<&'s Standing> {
    let size = |standing: &Standing| match input.rule {
        Rule::Composite => standing.composite.estimate,
        Rule::Primary => standing.proxies.first().map_or(f64::NEG_INFINITY, |proxy| proxy.contrast.estimate),
    };
    standings.iter().max_by(|left, right| size(left).total_cmp(&size(right)))
}

/// Whether all still holds for this variant once the posts that may have been held back are dropped.
fn holds_without_suspects(input: &WinnerInput<'_>, variant: usize) -> Result<bool, InferenceError> {
    let touched = input.trial.comparable.iter().zip(input.suspected).any(|(here, suspected)| *here && *suspected);
    if !touched {
        return Ok(true);
    }
    let fit: Vec<bool> = input.trial.comparable.iter().zip(input.suspected).map(|(here, s)| *here && !*s).collect();
    let kept = whole_blocks(&input.trial.plan.blocks, &input.trial.plan.labels, input.trial.variants, &fit);
    let trial = input.trial.among(&kept);
    if (0..trial.variants).any(|variant| trial.posts(variant) < SHOWN) {
        return Ok(false);
    }
    let (standings, _) = numbers(input, trial)?;
    Ok(in_front(input, &standings).is_some_and(|first| first.variant == variant && first.passes))
}

fn front(chances: &[f64]) -> usize {
    let best = chances.iter().enumerate().max_by(|left, right| left.1.total_cmp(right.1));
    best.map_or(CONTROL, |(variant, _)| variant)
}

/// What a test variant's numbers are before they are adjusted for how many test variants there are.
struct Bare {
    variant: usize,
    composite: Contrast,
    proxies: Vec<ProxyStanding>,
}

fn numbers(input: &WinnerInput<'_>, trial: Trial<'_>) -> Result<(Vec<Standing>, Arms), InferenceError> {
    let parts: Vec<(&[f64], Option<f64>)> =
        input.proxies.iter().map(|proxy| (proxy.values.as_slice(), proxy.scale)).collect();
    let whole = composite(&trial, &parts)?;
    let mut bare = Vec::new();
    for variant in 1..trial.variants {
        let contrast = |values: &[f64]| contrast_randomisation(&trial, variant, values, TAIL, input.seed);
        let mut proxies = Vec::new();
        for (values, _) in &parts {
            let contrast = contrast(values)?;
            let range = RatioRange::of(&contrast, 1.0);
            let leads = range.ratio >= LEAD_RATIO && contrast.p_up <= LEAD_P;
            proxies.push(ProxyStanding { range, contrast, leads, harmed: contrast.p_down <= HARM_P });
        }
        bare.push(Bare { variant, composite: contrast(&whole.scores)?, proxies });
    }
    let arms = arms(&trial, &whole)?;
    Ok((standings(input, trial, bare, &whole), arms))
}

fn arms(trial: &Trial<'_>, whole: &Composite) -> Result<Arms, InferenceError> {
    let rewards: Vec<Vec<f64>> = (0..trial.variants)
        .map(|variant| {
            let each = trial.plan.labels.iter().zip(trial.comparable).zip(&whole.scores);
            each.filter(|((label, here), _)| **label == variant && **here).map(|(_, score)| *score).collect()
        })
        .collect();
    let mut arms = gaussian_arms(&rewards, NOTE_PRIOR)?;
    for loss in &mut arms.expected_loss {
        *loss = libm::expm1(*loss / whole.per_log);
    }
    Ok(arms)
}

fn standings(input: &WinnerInput<'_>, trial: Trial<'_>, bare: Vec<Bare>, whole: &Composite) -> Vec<Standing> {
    let deciding = |bare: &Bare| match input.rule {
        Rule::Composite => bare.composite,
        Rule::Primary => bare.proxies.first().map_or(bare.composite, |proxy| proxy.contrast),
    };
    let up = holm(&bare.iter().map(|bare| deciding(bare).p_up).collect::<Vec<f64>>());
    let down = holm(&bare.iter().map(|bare| bare.composite.p_down).collect::<Vec<f64>>());
    let control_posts = trial.posts(CONTROL);
    let adjusted = bare.into_iter().zip(up.into_iter().zip(down));
    adjusted
        .map(|(bare, (p_adjusted, p_worse))| {
            let posts = trial.posts(bare.variant);
            let fewest = as_f64(posts.min(control_posts));
            let shrunken = bare.composite.estimate * fewest / (fewest + SHRINK);
            let mut standing = Standing {
                variant: bare.variant,
                posts,
                control_posts,
                overall: RatioRange::of(&bare.composite, whole.per_log),
                composite: bare.composite,
                p_adjusted,
                worse: p_worse <= WORSE_P,
                proxies: bare.proxies,
                expected_ratio: libm::exp(shrunken / whole.per_log),
                passes: false,
            };
            let decided = match input.rule {
                Rule::Composite => p_adjusted <= input.alpha && standing.leads() >= LEADS,
                Rule::Primary => p_adjusted <= PRIMARY_P,
            };
            let enough = posts >= input.needed && control_posts >= input.needed;
            standing.passes = decided && enough && standing.harmed().is_empty();
            standing
        })
        .collect()
}
