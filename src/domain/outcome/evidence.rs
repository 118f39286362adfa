//! Evidence: posts and snapshots as the facts that are checked and compared.
//!
//! Decides what is still missing before anything may be compared, and what each post was like. The plan is the measure: a
//! slot whose post never went out is there, as lost.

use science::design::SlotClass;
use science::validity::{Delivered, PostFacts, Read, Record};

use super::proxy::{Declared, Proxies};
use super::{OutcomeFacts, VariantCount};
use crate::brief::Brief;
use crate::calendar::plan::{Drawn, Plan, PlannedSlot, class_of};
use crate::hold::HoldCause;
use crate::post::{Post, PostState};
use crate::snapshot::{Reading, Snapshot};
use crate::time::{SnapshotAge, Span, UtcTime, Zone};

/// A slot of the plan, its post and what was read of it.
pub(super) struct Slot<'a> {
    pub(super) planned: &'a PlannedSlot,
    pub(super) post: Option<&'a Post>,
    /// By age.
    snapshots: Vec<&'a Snapshot>,
}

impl Slot<'_> {
    /// Returns a metric at an age; `None` where it is not known.
    pub(super) fn value(&self, metric: &str, age: SnapshotAge) -> Option<f64> {
        let snapshot = self.snapshots.iter().find(|snapshot| snapshot.age == age)?;
        number(snapshot, metric)
    }

    pub(super) fn out_at(&self) -> Option<UtcTime> {
        self.post.and_then(Post::live).map(|live| live.at)
    }

    /// Tells whether anything was read at an age, and not given up.
    fn has_values(&self, age: SnapshotAge) -> bool {
        let at_age = self.snapshots.iter().filter(|snapshot| snapshot.age == age);
        at_age.flat_map(|snapshot| &snapshot.rows).any(|row| matches!(row.reading, Reading::Value { .. }))
    }

    /// Tells whether it was read at an age.
    pub(super) fn is_read(&self, age: SnapshotAge) -> bool {
        self.snapshots.iter().any(|snapshot| snapshot.age == age)
    }
}

fn number(snapshot: &Snapshot, metric: &str) -> Option<f64> {
    let row = snapshot.rows.iter().find(|row| row.metric == metric)?;
    match &row.reading {
        Reading::Value { value } => Some(*value),
        Reading::Missing { .. } | Reading::NotOffered => None,
    }
}

/// Returns the plan's slots in time order with what became of them.
pub(super) fn slots<'a>(facts: &OutcomeFacts<'a>, plan: &'a Plan) -> Vec<Slot<'a>> {
    let of = |planned: &'a PlannedSlot| {
        let post = facts.posts.iter().find(|post| post.number == planned.number);
        let mine = |snapshot: &&'a Snapshot| post.is_some_and(|post| post.id == snapshot.post);
        let mut snapshots: Vec<&Snapshot> = facts.snapshots.iter().filter(mine).collect();
        snapshots.sort_by_key(|snapshot| snapshot.age);
        Slot { planned, post, snapshots }
    };
    plan.slots.iter().map(of).collect()
}

/// Counts each variant's posts.
pub(super) fn counts(slots: &[Slot<'_>], variants: usize, age: SnapshotAge) -> Vec<VariantCount> {
    (0..variants)
        .map(|variant| {
            let of = || slots.iter().filter(move |slot| slot.planned.variant == variant);
            let is_read = |slot: &&Slot<'_>| slot.is_read(age);
            VariantCount {
                letter: science::inference::letter(variant),
                planned: of().count(),
                out: of().filter(|slot| slot.out_at().is_some()).count(),
                read: of().filter(is_read).count(),
                comparable: None,
            }
        })
        .collect()
}

/// Says what has to happen before anything may be compared; nothing where it is ripe.
pub(super) fn missing(facts: &OutcomeFacts<'_>, slots: &[Slot<'_>], age: SnapshotAge) -> Vec<String> {
    let zone = facts.client.zone;
    let posts = |count: usize| if count == 1 { "1 post".to_owned() } else { format!("{count} posts") };
    let mut missing = Vec::new();
    let unsent: Vec<&Slot<'_>> =
        slots.iter().filter(|slot| slot.post.is_some_and(|post| post.state.is_unsent())).collect();
    if let Some(last) = unsent.iter().filter_map(|slot| slot.post).map(|post| post.window.from).max() {
        let count = posts(unsent.len());
        missing.push(format!("{count} of {} still to go out, the last at {}", slots.len(), last.in_zone(zone)));
    }
    let doubt = slots.iter().filter(|slot| slot.post.is_some_and(|post| post.state.is_in_doubt())).count();
    if doubt > 0 {
        missing.push(format!("{} in doubt: whether it is out must be settled", posts(doubt)));
    }
    let unread = |slot: &&Slot<'_>| slot.out_at().is_some() && !slot.is_read(age);
    let unread: Vec<&Slot<'_>> = slots.iter().filter(unread).collect();
    if let Some(last) = unread.iter().filter_map(|slot| slot.out_at()).max() {
        let due = last.plus(age.0);
        let when = if due > facts.now { "the last is due" } else { "the last was due" };
        missing.push(format!("{} not read at {age} yet, {when} {}", posts(unread.len()), due.in_zone(zone)));
    }
    missing
}

/// Returns every slot's post as validity checks it.
pub(super) fn post_facts(
    facts: &OutcomeFacts<'_>,
    slots: &[Slot<'_>],
    drawn: &Drawn,
    proxies: &Proxies,
) -> Vec<PostFacts> {
    let metrics = counters(slots);
    let planned = drawn.slots.iter().zip(&drawn.assignment.blocks);
    slots
        .iter()
        .zip(planned)
        .enumerate()
        .map(|(at, (slot, (planned, block)))| {
            let reads = slot.out_at().map(|out| reads((at, slot), out, proxies, &metrics)).unwrap_or_default();
            one(facts, slot, (planned.class, *block), (proxies.age, reads))
        })
        .collect()
}

/// Puts in place of what is still to come the best that can come of it: on time, as approved, read in full.
pub(super) fn hope(posts: &mut [PostFacts], slots: &[Slot<'_>], age: SnapshotAge, proxies: usize) {
    let decision = hours(age.0);
    let perfect = Read { nominal: decision, actual: decision, proxies: vec![Some(1.0); proxies], ..Read::default() };
    for (facts, slot) in posts.iter_mut().zip(slots) {
        let Some(post) = slot.post else { continue };
        if post.state.is_unsent() || post.state.is_in_doubt() {
            facts.posted = Some(facts.planned);
            facts.delivered = Delivered::Verified;
            facts.class = Some(facts.planned_class);
            facts.late = Some(0.0);
            facts.record = Record::Same;
            facts.reads = vec![perfect.clone()];
        } else if facts.delivered != Delivered::Not && !slot.is_read(age) {
            if facts.delivered == Delivered::Unverified {
                facts.delivered = Delivered::Verified;
            }
            facts.reads.push(perfect.clone());
        }
    }
}

fn one(
    facts: &OutcomeFacts<'_>,
    slot: &Slot<'_>,
    (planned_class, block): (SlotClass, usize),
    (age, reads): (SnapshotAge, Vec<Read>),
) -> PostFacts {
    let out = slot.out_at();
    let zone: Zone = facts.client.zone;
    let posted = slot
        .post
        .filter(|_| out.is_some())
        .and_then(|post| facts.experiment.variants.iter().position(|variant| variant.id == post.variant));
    let gap = facts.client.policy.min_gap;
    PostFacts {
        block,
        planned: slot.planned.variant,
        posted,
        delivered: slot.post.map_or(Delivered::Not, |post| delivered(post, slot, age)),
        planned_class,
        class: out.map(|out| class_of(zone, out)),
        late: slot.post.zip(out).map(|(post, out)| minutes(out.since(post.window.from))),
        record: slot.post.map_or(Record::Absent, record),
        changed: slot.post.is_some_and(|post| post.altered_to.is_some()),
        boosted: None,
        crowded: out.is_some_and(|out| facts.others.iter().any(|other| other.distance(out) < gap)),
        noticed: false,
        reach_z: None,
        rate_z: None,
        forecast: None,
        era: None,
        era_crossed: false,
        reads,
    }
}

/// A post that was taken away after it was read at the age lived through all that is compared.
fn delivered(post: &Post, slot: &Slot<'_>, age: SnapshotAge) -> Delivered {
    match &post.state {
        PostState::Verified { .. } => Delivered::Verified,
        PostState::Removed { live, at, .. } if *at >= live.at.plus(age.0) && slot.has_values(age) => {
            Delivered::Verified
        }
        PostState::Published { .. } => Delivered::Unverified,
        PostState::Removed { .. } => Delivered::Removed,
        PostState::Planned { .. }
        | PostState::Preparing
        | PostState::Prepared { .. }
        | PostState::Committing
        | PostState::Unconfirmed { .. }
        | PostState::AwaitingOperator
        | PostState::Claimed { .. }
        | PostState::Failed { .. }
        | PostState::Missed { .. }
        | PostState::Cancelled { .. } => Delivered::Not,
    }
}

/// What was sent against what a person approved.
fn record(post: &Post) -> Record {
    let Some(approval) = &post.approval else { return Record::Absent };
    let sent = post.attempts.last().map_or(post.content, |attempt| attempt.handle.content);
    if sent == approval.binding.content { Record::Same } else { Record::Differs }
}

fn reads((at, slot): (usize, &Slot<'_>), out: UtcTime, proxies: &Proxies, metrics: &[String]) -> Vec<Read> {
    // A reading that gives no value to compare is a gap, too: a count without its views, a level of 0.
    let proxy = |snapshot: &Snapshot, declared: &Declared| {
        let gap = snapshot.age == proxies.age && !declared.has(at);
        if gap { None } else { number(snapshot, &declared.metric) }
    };
    slot.snapshots
        .iter()
        .map(|snapshot| Read {
            nominal: hours(snapshot.age.0),
            actual: hours(snapshot.captured.since(out)),
            views: proxies.views.as_ref().and_then(|views| number(snapshot, views)),
            comments: COMMENTS.iter().find_map(|name| number(snapshot, name)),
            watched: number(snapshot, WATCHED).map(|percent| percent / 100.0),
            proxies: proxies.taking_part.iter().map(|declared| proxy(snapshot, declared)).collect(),
            counters: metrics.iter().map(|metric| number(snapshot, metric)).collect(),
        })
        .collect()
}

/// Names under which surfaces count answers.
const COMMENTS: [&str; 5] = ["comments", "comment_count", "replyCount", "replies_count", "replies"];

/// The watched part of a video, in percent.
const WATCHED: &str = "averageViewPercentage";

/// The metrics that can only rise: those whose name says that they count.
fn counters(slots: &[Slot<'_>]) -> Vec<String> {
    let counts = |name: &str| {
        name.ends_with("Count")
            || name.ends_with("_count")
            || ["views", "reach", "comments", "likes", "shares", "saved", "reposts", "replies", "quotes"]
                .contains(&name)
    };
    let rows = slots.iter().flat_map(|slot| &slot.snapshots).flat_map(|snapshot| &snapshot.rows);
    let mut names: Vec<String> = rows.map(|row| row.metric.clone()).filter(|name| counts(name)).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// Returns the variants on whose posts a guardrail was crossed: more failed than the brief allows, or a hold for a breach
/// stands, which is everybody's.
pub(super) fn breached(facts: &OutcomeFacts<'_>, brief: &Brief, variants: usize) -> Vec<bool> {
    let held = facts.experiment.holds.list().iter().any(|hold| hold.cause == HoldCause::Breach);
    let limits = brief.guardrails.iter().filter(|limit| limit.signal == FAILURES).map(|limit| limit.limit);
    let limit = limits.fold(f64::INFINITY, f64::min);
    (0..variants)
        .map(|variant| {
            let letter = facts.experiment.variants.get(variant).map(|variant| variant.letter);
            let failed = facts.posts.iter().filter(|post| Some(post.letter) == letter && is_failed(&post.state));
            let failed = u32::try_from(failed.count()).unwrap_or(u32::MAX);
            held || failed > 0 && f64::from(failed) >= limit
        })
        .collect()
}

/// The guardrail that counts posts which could not be published.
const FAILURES: &str = "publish_failures";

fn is_failed(state: &PostState) -> bool {
    matches!(state, PostState::Failed { .. })
}

/// Returns a span in hours.
#[expect(clippy::cast_precision_loss, reason = "a span of years is exact to a microsecond in 53 bits")]
pub(crate) fn hours(span: Span) -> f64 {
    span.micros() as f64 / 3_600_000_000.0
}

fn minutes(span: Span) -> f64 {
    hours(span) * 60.0
}
