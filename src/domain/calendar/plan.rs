//! Plans: the slots of an experiment with their recorded seed.
//!
//! Decides which moments become slots: named by hand, or made of times of day on the days of the run window; each keeps
//! the client's quiet hours, blackouts, gap and caps, with the account's other posts counted. Times are chosen first;
//! labels are then drawn from the seed by `science::design`, never picked. What goes out in a slot is the variant's.
//!
//! Invariant: same facts and seed, same plan; a second draw needs a reason and is an event.

use chrono::{Datelike, Days, NaiveDate, NaiveTime, Weekday};
use science::design::{
    AssignInput, Assignment, BlockRule, CarryOver, EarlyStop, HourBand, Layout, Slot, SlotClass, Week, assign,
};
use serde::{Deserialize, Serialize};

use super::pacing::{PacingBreach, PacingLimits, pace};
use super::quiet::{next_loud, quiet_at, wall};
use crate::brief::{Blocks, Brief};
use crate::client::Client;
use crate::refusal::Refusal;
use crate::time::{Span, UtcTime, Window, Zone};

/// One slot with the label that was drawn for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedSlot {
    /// From 1, in time order; never used again.
    pub number: u32,
    /// When.
    pub at: UtcTime,
    /// The block in which the label was shuffled, from 0.
    pub block: u32,
    /// The variant: 0 is the control.
    pub variant: usize,
    /// Which round of that variant, from 0.
    pub round: u32,
}

/// A plan with everything that is needed to draw it again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The seed of the labels.
    pub seed: u64,
    /// Names the way from seed to labels.
    pub generator: String,
    /// Draws until one was admissible.
    pub tries: u32,
    /// The slots in time order.
    pub slots: Vec<PlannedSlot>,
    /// From the first slot to the last snapshot: how long the layer is held.
    pub tenure: Window,
}

/// What planning rests on.
#[derive(Debug)]
pub struct PlanFacts<'a> {
    /// What was asked.
    pub brief: &'a Brief,
    /// For whom: zone and policy.
    pub client: &'a Client,
    /// The account's other posts, out or planned, those by hand too.
    pub others: &'a [UtcTime],
    /// The moment of planning.
    pub now: UtcTime,
}

impl PlanFacts<'_> {
    /// Checks a moment against the account's other posts by the client's limits, and against this experiment's own by the
    /// spacing that the brief asks for.
    fn pace(&self, own: &[UtcTime], time: UtcTime) -> Result<(), (PacingBreach, PacingLimits)> {
        let limits = client_limits(self.client);
        let all: Vec<UtcTime> = self.others.iter().chain(own).copied().collect();
        pace(limits, &all, time).map_err(|breach| (breach, limits))?;
        let spacing = self.brief.exposure_plan.spacing.unwrap_or(Span::ZERO);
        let spaced = PacingLimits { min_gap: spacing, max_per_24h: u32::MAX };
        pace(spaced, own, time).map_err(|breach| (breach, spaced))
    }

    fn count(&self) -> usize {
        let variants = self.brief.test_variants.len().saturating_add(1);
        usize::try_from(self.brief.exposure_plan.posts_per_variant).unwrap_or(usize::MAX).saturating_mul(variants)
    }
}

/// Chooses the slots and draws their labels.
///
/// Refuses with the slot, the rule it breaks and the nearest lawful moment, or with how many slots the run window has.
pub fn draw(facts: &PlanFacts<'_>, seed: u64) -> Result<Plan, Refusal> {
    let times = choose(facts)?;
    let slots: Vec<Slot> = times.iter().map(|time| slot_of(facts.client.zone, *time)).collect();
    let posts = usize::try_from(facts.brief.exposure_plan.posts_per_variant).unwrap_or(usize::MAX);
    let input = design_of(facts.brief, &slots, posts);
    let drawn = assign(&input, seed).map_err(|e| {
        Refusal::invalid("plan.design", "the plan", e.to_string(), "change the number of posts or variants")
    })?;
    let mut next_round = vec![0_u32; input.variants];
    let planned =
        times.iter().zip(drawn.labels.iter().zip(&drawn.blocks)).zip(1_u32..).map(|((at, (label, block)), number)| {
            let round = next_round.get(*label).copied().unwrap_or(0);
            if let Some(next) = next_round.get_mut(*label) {
                *next = next.saturating_add(1);
            }
            PlannedSlot { number, at: *at, block: u32::try_from(*block).unwrap_or(u32::MAX), variant: *label, round }
        });
    let slots: Vec<PlannedSlot> = planned.collect();
    let tenure = tenure(facts, &times);
    Ok(Plan { seed, generator: drawn.generator, tries: drawn.tries, slots, tenure })
}

fn tenure(facts: &PlanFacts<'_>, times: &[UtcTime]) -> Window {
    let first = times.first().copied().unwrap_or(facts.now);
    let last = times.last().copied().unwrap_or(facts.now);
    let age = facts.brief.exposure_plan.snapshot_ages.iter().map(|age| age.0).max().unwrap_or(Span::ZERO);
    Window { from: first, until: last.plus(facts.client.policy.grace).plus(age) }
}

fn slot_of(zone: Zone, time: UtcTime) -> Slot {
    Slot { time: time.micros().div_euclid(1_000_000), class: class_of(zone, time), forecast: None }
}

/// Returns the class of hours that a moment falls into, by the client's clock.
pub fn class_of(zone: Zone, time: UtcTime) -> SlotClass {
    let local = zone.local(time);
    let band = HourBand::of_hour(local.hour).unwrap_or(HourBand::Night);
    let week = if local.weekend { Week::Weekend } else { Week::Weekday };
    SlotClass { band, week }
}

/// The slots of a plan as its labels were drawn for them, and that draw with its limits.
#[derive(Debug, Clone, PartialEq)]
pub struct Drawn {
    /// In the plan's order.
    pub slots: Vec<Slot>,
    /// With the limits that a comparison has to keep, where the draw could be repeated.
    pub assignment: Assignment,
    /// The seed gives these labels again. Where it does not, a comparison keeps the blocks alone.
    pub repeated: bool,
}

/// Draws a plan's labels again from its seed, so that a comparison can use exactly the draws that were possible.
pub fn redraw(brief: &Brief, zone: Zone, plan: &Plan) -> Drawn {
    let slots: Vec<Slot> = plan.slots.iter().map(|slot| slot_of(zone, slot.at)).collect();
    let labels: Vec<usize> = plan.slots.iter().map(|slot| slot.variant).collect();
    let blocks = plan.slots.iter().map(|slot| usize::try_from(slot.block).unwrap_or(usize::MAX)).collect();
    let posts = usize::try_from(brief.exposure_plan.posts_per_variant).unwrap_or(usize::MAX);
    let again = assign(&design_of(brief, &slots, posts), plan.seed).ok();
    match again.filter(|drawn| drawn.labels == labels && drawn.blocks == blocks && drawn.generator == plan.generator) {
        Some(assignment) => Drawn { slots, assignment, repeated: true },
        None => {
            let assignment = Assignment {
                seed: plan.seed,
                generator: plan.generator.clone(),
                layout: Layout::Blocks,
                blocks,
                limits: None,
                labels,
                tries: plan.tries,
            };
            Drawn { slots, assignment, repeated: false }
        }
    }
}

fn design_of<'a>(brief: &Brief, slots: &'a [Slot], posts_per_variant: usize) -> AssignInput<'a> {
    AssignInput {
        slots,
        variants: brief.test_variants.len().saturating_add(1),
        posts_per_variant,
        blocks: match brief.exposure_plan.blocks {
            Blocks::Wide => BlockRule::Usual,
            Blocks::Pairs => BlockRule::Pairs,
        },
        carry_over: CarryOver::NotAsked,
        early_stop: EarlyStop::Off,
    }
}

fn choose(facts: &PlanFacts<'_>) -> Result<Vec<UtcTime>, Refusal> {
    let times = if facts.brief.exposure_plan.slots.is_empty() { from_times(facts)? } else { by_hand(facts)? };
    let last = times.last().copied().unwrap_or(facts.now);
    if last > facts.brief.run_window.end {
        let end = facts.brief.run_window.end;
        return Err(Refusal::rule(
            "plan.window",
            "the plan",
            format!("its last slot {last} is after the run window's end {end}"),
            "move the slot or the end",
        ));
    }
    Ok(times)
}

fn by_hand(facts: &PlanFacts<'_>) -> Result<Vec<UtcTime>, Refusal> {
    let slots = &facts.brief.exposure_plan.slots;
    if slots.len() != facts.count() {
        return Err(Refusal::invalid(
            "plan.slots",
            "exposure_plan.slots",
            format!("{} slots for {} posts", slots.len(), facts.count()),
            "name one slot for each post of each variant",
        ));
    }
    let mut taken: Vec<UtcTime> = Vec::new();
    for (slot, number) in slots.iter().zip(1_u32..) {
        let what = format!("slot {number} at {}", slot.in_zone(facts.client.zone));
        if *slot <= facts.now {
            return Err(Refusal::rule(
                "plan.past",
                what,
                "it is in the past; nothing is sent late",
                "name a later time",
            ));
        }
        if *slot < facts.brief.run_window.start {
            let start = facts.brief.run_window.start;
            return Err(Refusal::rule(
                "plan.window",
                what,
                format!("it is before the run window's start {start}"),
                "move the slot or the start",
            ));
        }
        if let Some(quiet) = quiet_at(&facts.client.policy, facts.client.zone, *slot) {
            let next = next_loud(&facts.client.policy, facts.client.zone, *slot)
                .map_or_else(String::new, |t| format!("; the next lawful moment is {t}"));
            return Err(Refusal::rule("plan.quiet", what, format!("{quiet}{next}"), "move the slot"));
        }
        facts.pace(&taken, *slot).map_err(|(breach, limits)| breach.refusal(what, limits))?;
        taken.push(*slot);
    }
    Ok(slots.clone())
}

fn from_times(facts: &PlanFacts<'_>) -> Result<Vec<UtcTime>, Refusal> {
    let (walls, days) = recipe(facts)?;
    let window = Window { from: facts.brief.run_window.start, until: facts.brief.run_window.end };
    let zone = facts.client.zone;
    let mut chosen: Vec<UtcTime> = Vec::new();
    let mut day = zone.local(window.from).date;
    let end = zone.local(window.until).date;
    while day <= end && chosen.len() < facts.count() {
        for time in moments_of(day, &walls, &days, zone) {
            let inside = window.holds(time) && time > facts.now;
            let loud = quiet_at(&facts.client.policy, zone, time).is_none();
            if inside && loud && chosen.len() < facts.count() && facts.pace(&chosen, time).is_ok() {
                chosen.push(time);
            }
        }
        let Some(next) = day.checked_add_days(Days::new(1)) else { break };
        day = next;
    }
    if chosen.len() < facts.count() {
        return Err(Refusal::rule(
            "plan.full",
            "the plan",
            format!("{} posts are needed, the run window has {} lawful slots", facts.count(), chosen.len()),
            "make the window longer, name more times of day, or plan fewer posts",
        ));
    }
    Ok(chosen)
}

fn recipe(facts: &PlanFacts<'_>) -> Result<(Vec<NaiveTime>, Vec<Weekday>), Refusal> {
    let plan = &facts.brief.exposure_plan;
    let bad = |field: &str, found: &str, example: &str| {
        let found: String = found.chars().take(32).collect();
        Refusal::invalid(
            "plan.recipe",
            format!("exposure_plan.{field}"),
            format!("`{found}` is not one"),
            format!("write {example}"),
        )
    };
    if plan.times.is_empty() {
        return Err(Refusal::invalid(
            "plan.recipe",
            "exposure_plan",
            "it names neither `slots` nor `times`",
            "write times = [\"09:10\"], or slots = [\"2026-12-01T09:10:00Z\", …]",
        ));
    }
    let walls: Result<Vec<NaiveTime>, Refusal> =
        plan.times.iter().map(|t| wall(t).ok_or_else(|| bad("times", t, "times = [\"09:10\", \"17:30\"]"))).collect();
    let mut walls = walls?;
    walls.sort_unstable();
    walls.dedup();
    let days: Result<Vec<Weekday>, Refusal> =
        plan.days.iter().map(|d| d.parse().map_err(|_| bad("days", d, "days = [\"mon\", \"thu\"]"))).collect();
    Ok((walls, days?))
}

/// Slots keep their wall time over clock changes; an hour that does not exist gives none.
fn moments_of(day: NaiveDate, walls: &[NaiveTime], days: &[Weekday], zone: crate::time::Zone) -> Vec<UtcTime> {
    if days.is_empty() || days.contains(&day.weekday()) {
        walls.iter().filter_map(|wall| zone.at(day, *wall)).collect()
    } else {
        Vec::new()
    }
}

/// Days of a run window that are looked through for hours that do not exist: clocks change twice a year.
const LOOKED_THROUGH: usize = 366;

/// Returns the days and times of day that a brief names and the client's clock skips, in time order, in the window's first
/// year: where clocks go forward, that hour gives no slot.
pub fn skipped_hours(brief: &Brief, zone: Zone) -> Vec<(NaiveDate, NaiveTime)> {
    let plan = &brief.exposure_plan;
    let walls: Vec<NaiveTime> = plan.times.iter().filter_map(|time| wall(time)).collect();
    let days: Vec<Weekday> = plan.days.iter().filter_map(|day| day.parse().ok()).collect();
    let (first, end) = (zone.local(brief.run_window.start).date, zone.local(brief.run_window.end).date);
    let mut skipped = Vec::new();
    for day in first.iter_days().take(LOOKED_THROUGH).take_while(|day| *day <= end) {
        if days.is_empty() || days.contains(&day.weekday()) {
            skipped.extend(walls.iter().filter(|wall| zone.at(day, **wall).is_none()).map(|wall| (day, *wall)));
        }
    }
    skipped.sort_unstable();
    skipped
}

/// Tells whether two moments are in one part of the client's day, which a slot may not leave by hand.
pub fn same_band(client: &Client, one: UtcTime, other: UtcTime) -> bool {
    let band = |time: UtcTime| HourBand::of_hour(client.zone.local(time).hour).ok();
    band(one) == band(other)
}

/// The client's limits for an account that shares its day with other experiments.
pub fn client_limits(client: &Client) -> PacingLimits {
    PacingLimits { min_gap: client.policy.min_gap, max_per_24h: client.policy.max_per_24h }
}

/// The slot's window: the slot and its grace.
pub fn window_of(client: &Client, slot: UtcTime) -> Window {
    Window { from: slot, until: slot.plus(client.policy.grace) }
}
