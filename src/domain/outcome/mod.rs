//! Outcomes (G): from the snapshots of an experiment's posts to a verdict that one can trust.
//!
//! Decides what an experiment says, and what would change that: whether it is ripe, whether its variants may be compared,
//! how they rank at the one age that its brief declared, and whether one of them wins. The numbers themselves are
//! `science`'s; what is done about them is a person's decision. How posts and snapshots become facts is `evidence`, how a
//! proxy is read is `proxy`, what is told is `shape`.
//!
//! Invariants: nothing is compared before every post is settled and read at the declared age; ages are never mixed; what is
//! not known is absent and never 0 (I20); an invalid experiment names no winner. What can no longer come out well is said
//! before the end (X3): the posts to come are hoped to be perfect, and even so it is invalid, or too few can be compared.

mod evidence;
mod proxy;
mod shape;
#[cfg(test)]
pub(crate) mod tests;

use science::inference::{
    CONTROL, Call, Judgement, NEEDED, NoCall, ProxyValues, Rule, Trial, Trusted, WinnerInput, judge, noticeable,
    sentence, usual_composite_sd,
};
use science::validity::{self, Validity};

pub(crate) use evidence::hours;
pub use science::inference::{Strength, one_in, percent};
pub use science::validity::{Check, Finding, Verdict};
pub use shape::{Middle, Outcome, ProxyOutcome, Ranked, Ratio, Say, VariantCount};

use crate::brief::{Brief, Kind, StopCondition};
use crate::calendar::plan::{Drawn, Plan, redraw};
use crate::client::Client;
use crate::experiment::{Experiment, Stage};
use crate::hash::{Digest, Framed};
use crate::post::Post;
use crate::refusal::Refusal;
use crate::snapshot::Snapshot;
use crate::surface::{Surface, spoken};
use crate::time::{SnapshotAge, UtcTime};
use proxy::{Declared, Proxies};

/// The level of all test variants together.
const ALPHA: f64 = 0.05;

/// What an outcome rests on.
#[derive(Debug, Clone, Copy)]
pub struct OutcomeFacts<'a> {
    /// The experiment.
    pub experiment: &'a Experiment,
    /// Its client: zone and pacing.
    pub client: &'a Client,
    /// The surface; `None` where the rules no longer name it.
    pub surface: Option<&'a Surface>,
    /// All its posts.
    pub posts: &'a [Post],
    /// All its snapshots.
    pub snapshots: &'a [Snapshot],
    /// When other posts of the account went out, those by hand too.
    pub others: &'a [UtcTime],
    /// The present.
    pub now: UtcTime,
}

/// Names the rules that a verdict was made by; it stands beside the verdict, so that both can be explained years later.
pub const RULES: &str = "checks 18, winner rule 4.5, version 1";

/// What is known of the posts to come, and of the warnings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// All that counts is in; nobody has answered for a warning.
    Whole,
    /// The same, and a person has said of each warning that it explains nothing.
    Confirmed,
    /// Posts to come are hoped to be perfect.
    Hopeful,
}

/// Says what an experiment says now.
///
/// Refuses an experiment without a brief, which tests nothing, and one without a plan, which has nothing to compare.
pub fn review(facts: &OutcomeFacts<'_>) -> Result<Outcome, Refusal> {
    Ok(of(facts, Mode::Whole)?.outcome())
}

/// Says what an experiment says where a person answered for every warning that it explains nothing.
pub fn confirmed(facts: &OutcomeFacts<'_>) -> Result<Outcome, Refusal> {
    Ok(of(facts, Mode::Confirmed)?.outcome())
}

/// Says what an experiment says before its last reading, where no post to come can change that: a check says invalid, or
/// enough comparable posts are out of reach (X3). `None` where it may still come out well.
pub fn early(facts: &OutcomeFacts<'_>) -> Result<Option<Outcome>, Refusal> {
    let review = of(facts, Mode::Hopeful)?;
    let found = review.outcome();
    // Losses apart are made even again by drawing the unsent rest of a block anew: they count once nothing is unsent.
    let unsent = facts.posts.iter().any(|post| post.state.is_unsent());
    let lasting =
        |finding: &Finding| finding.verdict == Verdict::Invalid && !(unsent && finding.check == Check::Attrition);
    let invalid = found.say == Say::Invalid && found.checks.iter().any(lasting);
    // Where nothing is left to be stopped, what is out is read first: the call stands, and has its numbers.
    let unread =
        evidence::slots(facts, review.plan).iter().any(|slot| slot.out_at().is_some() && !slot.is_read(review.age));
    let hopeless = (unsent || !unread) && found.say != Say::NothingRead && review.out_of_reach();
    Ok((invalid || hopeless).then_some(found))
}

/// Returns the digest of all that a verdict is made from: two verdicts from the same evidence and rules are the same.
pub fn digest(facts: &OutcomeFacts<'_>) -> Digest {
    let mut framed = Framed::new("expos.evidence.1").field(&facts.experiment.id.to_bytes());
    framed = framed.text(&facts.experiment.plan.as_ref().map_or(0, |plan| plan.seed).to_string());
    for post in facts.posts {
        framed = framed.field(&post.id.to_bytes()).text(post.state.word()).field(post.content.0.bytes());
        framed = framed.text(&post.live().map_or_else(String::new, |live| live.at.to_string()));
        framed = framed.text(post.altered_to.as_deref().unwrap_or_default());
    }
    let mut read: Vec<Digest> = facts.snapshots.iter().map(Snapshot::digest).collect();
    read.sort_unstable();
    framed = read.iter().fold(framed.text("snapshots"), |framed, digest| framed.field(digest.bytes()));
    let mut others = facts.others.to_vec();
    others.sort_unstable();
    others.iter().fold(framed.text("others"), |framed, at| framed.text(&at.to_string())).digest()
}

fn of<'a>(facts: &'a OutcomeFacts<'a>, mode: Mode) -> Result<Review<'a>, Refusal> {
    let what = || format!("experiment {}", facts.experiment.code);
    let Some(brief) = &facts.experiment.brief else {
        let why = "it is the house experiment, which tests nothing";
        return Err(Refusal::rule("outcome.house", what(), why, "ask for one that has a brief"));
    };
    let (Some(plan), Some(primary)) = (&facts.experiment.plan, brief.success_proxies.first()) else {
        let why = "it has no plan yet, so there is nothing to compare";
        return Err(Refusal::rule("outcome.no-plan", what(), why, "submit it with `expos experiment submit`"));
    };
    Ok(Review { facts, brief, plan, drawn: redraw(brief, facts.client.zone, plan), age: primary.age, mode })
}

struct Review<'a> {
    facts: &'a OutcomeFacts<'a>,
    brief: &'a Brief,
    plan: &'a Plan,
    drawn: Drawn,
    age: SnapshotAge,
    mode: Mode,
}

impl Review<'_> {
    fn variants(&self) -> usize {
        self.brief.test_variants.len().saturating_add(1)
    }

    fn outcome(&self) -> Outcome {
        let slots = evidence::slots(self.facts, self.plan);
        let proxies = Proxies::read(self.brief, self.facts.surface, self.age, &slots);
        let mut outcome = Outcome {
            say: Say::NotRipe,
            sentence: String::new(),
            winner: None,
            age: self.age,
            comparable: None,
            checks: Vec::new(),
            variants: evidence::counts(&slots, self.variants(), self.age),
            proxies: proxies.outcomes(&slots, self.variants()),
            ranking: Vec::new(),
            confidence: None,
            would_change: evidence::missing(self.facts, &slots, self.age),
            next: "wait".to_owned(),
            seed: self.plan.seed,
            draw_repeated: self.drawn.repeated,
        };
        let stage_says = match &self.facts.experiment.stage {
            Stage::Invalid { why } => Some(why.clone()),
            Stage::Drafting
            | Stage::Creating
            | Stage::Preflight
            | Stage::AwaitingApproval
            | Stage::Scheduled
            | Stage::Running
            | Stage::Maturing
            | Stage::Reviewing
            | Stage::Completed { .. } => None,
        };
        if stage_says.is_none() && self.mode != Mode::Hopeful && !outcome.would_change.is_empty() {
            outcome.sentence = format!("Not ripe: {}.", outcome.would_change.join("; "));
            // What is not read yet is not set aside for it.
            for proxy in outcome.proxies.iter_mut().filter(|proxy| proxy.age == self.age) {
                proxy.aside = None;
            }
            return outcome;
        }
        let mut valid = self.validity(&slots, &proxies);
        if self.mode == Mode::Hopeful {
            // What is hoped for may keep it valid; it has no numbers to be compared.
            for (here, slot) in valid.comparable.iter_mut().zip(&slots) {
                *here = *here && slot.is_read(self.age);
            }
        }
        for (variant, count) in outcome.variants.iter_mut().enumerate() {
            let each = self.drawn.assignment.labels.iter().zip(&valid.comparable);
            let comparable = each.filter(|(label, here)| **label == variant && **here).count();
            // Before all that is out is read, that cannot be told.
            let told = self.mode != Mode::Hopeful || count.out == count.read;
            count.comparable = told.then_some(comparable);
        }
        outcome.checks.clone_from(&valid.findings);
        outcome.comparable = Some(if stage_says.is_some() { Verdict::Invalid } else { valid.verdict });
        let reason = stage_says.or_else(|| worst(&valid));
        // Hoping says nothing about proxies of which nothing was read: which of them take part is not known yet.
        let nothing_hoped = self.mode == Mode::Hopeful && proxies.taking_part.is_empty();
        if nothing_hoped || proxies.taking_part.is_empty() && valid.verdict != Verdict::Invalid {
            outcome.say = Say::NothingRead;
            outcome.sentence = "No declared proxy was read, so there is nothing to compare.".to_owned();
            outcome.next = "abandon it, or repeat it where the metrics can be read".to_owned();
            return outcome;
        }
        match self.judge(&valid, &proxies, outcome.comparable) {
            Ok(judged) => self.tell(&mut outcome, &judged, &proxies, reason.as_deref()),
            Err(why) if outcome.comparable == Some(Verdict::Invalid) => {
                outcome.say = Say::Invalid;
                outcome.sentence = format!(
                    "Not comparable: {}. Outcomes are informational only.",
                    reason.unwrap_or(why).trim_end_matches('.')
                );
                outcome.next = INVALID_NEXT.to_owned();
            }
            Err(why) => {
                outcome.say = Say::NotEnoughPosts;
                outcome.sentence = format!("The variants cannot be compared: {why}.");
                outcome.next = "abandon it, or repeat it".to_owned();
            }
        }
        outcome
    }

    fn validity(&self, slots: &[evidence::Slot<'_>], proxies: &Proxies) -> Validity {
        let mut posts = evidence::post_facts(self.facts, slots, &self.drawn, proxies);
        if self.mode == Mode::Hopeful {
            evidence::hope(&mut posts, slots, self.age, proxies.taking_part.len());
        }
        let decision = evidence::hours(self.age.0);
        validity::evaluate(&validity::Facts { posts: &posts, variants: self.variants(), decision })
    }

    /// Tells whether so many posts are lost that neither the control and any test can have enough; never where the plan
    /// itself was too small, which was known before it began.
    fn out_of_reach(&self) -> bool {
        let slots = evidence::slots(self.facts, self.plan);
        let needed = self.needed();
        let planned = evidence::counts(&slots, self.variants(), self.age);
        if planned.iter().any(|count| count.planned < needed) {
            return false;
        }
        let proxies = Proxies::read(self.brief, self.facts.surface, self.age, &slots);
        let valid = self.validity(&slots, &proxies);
        let left = |variant: usize| {
            let each = self.drawn.assignment.labels.iter().zip(&valid.comparable);
            each.filter(|(label, here)| **label == variant && **here).count()
        };
        left(CONTROL) < needed || (CONTROL.saturating_add(1)..self.variants()).all(|variant| left(variant) < needed)
    }

    fn rule(&self) -> Rule {
        match self.brief.kind {
            Kind::Micro | Kind::Batch => Rule::Composite,
            Kind::Engagement | Kind::Lane => Rule::Primary,
        }
    }

    /// Comparable posts that a winner needs; a brief may ask for more than usual.
    fn needed(&self) -> usize {
        let asked = self.brief.stop_conditions.iter().filter_map(|stop| match stop {
            StopCondition::FewerThan { posts } => usize::try_from(*posts).ok(),
            StopCondition::AnyBreach | StopCondition::FailedPosts { .. } | StopCondition::Invalid => None,
        });
        asked.max().unwrap_or(0).max(NEEDED)
    }

    fn trial<'t>(&'t self, valid: &'t Validity) -> Trial<'t> {
        Trial {
            plan: &self.drawn.assignment,
            slots: &self.drawn.slots,
            variants: self.variants(),
            comparable: &valid.comparable,
        }
    }

    fn judge(&self, valid: &Validity, proxies: &Proxies, comparable: Option<Verdict>) -> Result<Judgement, String> {
        let values: Vec<ProxyValues> =
            proxies.taking_part.iter().map(|declared| ProxyValues { values: declared.filled(), scale: None }).collect();
        let trusted = match comparable {
            Some(Verdict::Invalid) => Trusted::Invalid,
            Some(Verdict::Warn) if self.mode == Mode::Confirmed => Trusted::Confirmed,
            Some(Verdict::Warn) => Trusted::Unanswered,
            Some(Verdict::Ok | Verdict::Unavailable) | None => Trusted::Ok,
        };
        judge(&WinnerInput {
            trial: self.trial(valid),
            proxies: &values,
            rule: self.rule(),
            trusted,
            needed: self.needed(),
            alpha: ALPHA,
            breached: &evidence::breached(self.facts, self.brief, self.variants()),
            suspected: &valid.suspected,
            seed: self.plan.seed,
        })
        .map_err(|error| error.to_string())
    }

    fn tell(&self, outcome: &mut Outcome, judged: &Judgement, proxies: &Proxies, reason: Option<&str>) {
        let names: Vec<String> = proxies.taking_part.iter().map(Declared::said).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let posts = usize::try_from(self.brief.exposure_plan.posts_per_variant).unwrap_or(usize::MAX);
        let spread = self.spread(proxies);
        let noticed = spread.and_then(|spread| noticeable(posts, self.variants(), spread).ok());
        outcome.sentence = sentence(judged, &names, self.needed(), noticed, reason);
        (outcome.say, outcome.winner) = match &judged.call {
            Call::Invalid => (Say::Invalid, None),
            Call::NotEnoughPosts => (Say::NotEnoughPosts, None),
            Call::Winner { variant, .. } => (Say::Winner, Some(self.letter(*variant))),
            Call::RestsOnSuspected { .. } => (Say::RestsOnSuspected, None),
            Call::NoCall(_) => (Say::NoCall, None),
        };
        outcome.confidence = judged.strength;
        // What cannot be compared has no order and no lead: its ratios are informational only.
        let valid = outcome.say != Say::Invalid;
        outcome.ranking = if valid { self.ranking(judged) } else { Vec::new() };
        for (declared, place) in proxies.taking_part.iter().zip(0_usize..) {
            let Some(shown) = outcome.proxies.get_mut(declared.place) else { continue };
            let each = judged.standings.iter().filter_map(|s| Some((s.variant, s.proxies.get(place)?)));
            shown.ratios = each
                .map(|(variant, proxy)| Ratio {
                    letter: self.letter(variant),
                    ratio: proxy.range.ratio,
                    low: proxy.range.low,
                    high: proxy.range.high,
                    p_up: proxy.contrast.p_up,
                    p_two: proxy.contrast.p_two,
                    leads: valid && proxy.leads,
                    harmed: proxy.harmed,
                })
                .collect();
        }
        (outcome.next, outcome.would_change) = self.next(judged, &outcome.checks, posts, spread);
    }

    /// The usual spread of what decides.
    fn spread(&self, proxies: &Proxies) -> Option<f64> {
        let sorts: Vec<_> = proxies.taking_part.iter().map(|declared| declared.sort).collect();
        match self.rule() {
            Rule::Composite => usual_composite_sd(&sorts),
            Rule::Primary => sorts.first().map(|sort| sort.usual_sd()),
        }
    }

    fn letter(&self, variant: usize) -> char {
        let known = self.facts.experiment.variants.get(variant);
        known.map_or_else(|| science::inference::letter(variant), |variant| variant.letter)
    }

    /// By how likely each is the best, all at the declared age.
    fn ranking(&self, judged: &Judgement) -> Vec<Ranked> {
        let mut ranking: Vec<Ranked> = judged
            .probability_best
            .iter()
            .enumerate()
            .map(|(variant, chance)| {
                let standing = judged.standings.iter().find(|standing| standing.variant == variant);
                Ranked {
                    letter: self.letter(variant),
                    chance: *chance,
                    overall: standing.map(|standing| standing.overall.ratio),
                    expected: standing.map(|standing| standing.expected_ratio),
                    p: standing.map(|standing| standing.p_adjusted),
                }
            })
            .collect();
        ranking.sort_by(|left, right| right.chance.total_cmp(&left.chance));
        ranking
    }

    /// What a person can do now, and what would change the verdict.
    fn next(&self, judged: &Judgement, checks: &[Finding], posts: usize, spread: Option<f64>) -> (String, Vec<String>) {
        let mut change = Vec::new();
        if let Some(never) = self.never(posts) {
            change.push(never);
        }
        let more = |posts: usize| {
            let found = spread.and_then(|spread| noticeable(posts, self.variants(), spread).ok());
            found.map(|size| {
                format!("with {posts} posts a variant a difference of about {} would be seen", size.percent())
            })
        };
        let next = match &judged.call {
            Call::Invalid => INVALID_NEXT.to_owned(),
            Call::NotEnoughPosts => {
                for (variant, posts) in judged.posts.iter().enumerate() {
                    let short = self.needed().saturating_sub(*posts);
                    if short > 0 {
                        change.push(format!("{short} more comparable posts of {}", self.letter(variant)));
                    }
                }
                "repeat it with more posts, or pool it with others like it".to_owned()
            }
            Call::Winner { variant, .. } => format!("ship {}", self.letter(*variant)),
            Call::RestsOnSuspected { .. } => {
                change.push("a repetition in which no post is held back".to_owned());
                "repeat it".to_owned()
            }
            Call::NoCall(NoCall::Unanswered { .. }) => {
                let warned = checks.iter().filter(|finding| finding.verdict == Verdict::Warn);
                let named: Vec<&str> = warned.map(|finding| finding.check.as_str()).collect();
                change.push(format!("a person who answers for: {}", named.join(", ")));
                "look into the warnings".to_owned()
            }
            Call::NoCall(NoCall::Breach { .. } | NoCall::Harm { .. }) => "iterate".to_owned(),
            Call::NoCall(NoCall::OneProxy { .. }) => {
                change.extend(more(posts.saturating_mul(2)));
                "iterate, or repeat it with more posts".to_owned()
            }
            Call::NoCall(NoCall::LittleAtStake) => "pick on cost or taste".to_owned(),
            Call::NoCall(NoCall::Luck) => {
                change.extend(more(posts.saturating_mul(2)));
                "iterate, or pool it with others like it".to_owned()
            }
        };
        (next, change)
    }

    /// Says so where no numbers at all could have named a winner.
    fn never(&self, posts: usize) -> Option<String> {
        let needed = self.needed();
        if posts < needed {
            return Some(format!(
                "nothing can win with {posts} posts a variant: {needed} comparable posts of each are needed"
            ));
        }
        let all = vec![true; self.drawn.assignment.labels.len()];
        let trial = Trial {
            plan: &self.drawn.assignment,
            slots: &self.drawn.slots,
            variants: self.variants(),
            comparable: &all,
        };
        let found = trial.attainability(CONTROL.saturating_add(1), ALPHA).ok()?;
        (!found.reachable).then(|| {
            format!(
                "no numbers could name a winner with {posts} posts a variant: luck gives the best result {}",
                one_in(found.smallest_p)
            )
        })
    }
}

const INVALID_NEXT: &str = "clone it, or abandon it";

/// The sentence of the check that makes it invalid.
fn worst(valid: &Validity) -> Option<String> {
    let invalid = valid.findings.iter().filter(|finding| finding.verdict == Verdict::Invalid);
    // Losses are the sum of other checks: the cause comes first.
    invalid.min_by_key(|finding| finding.check == Check::Attrition).map(|finding| finding.sentence.clone())
}

/// Returns a metric in words.
fn words(metric: &str) -> String {
    spoken(metric)
}
