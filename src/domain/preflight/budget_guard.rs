//! BudgetGuard: whether there is room and time for the experiment.
//!
//! Decides about the client's posts a week, operators' minutes, and the time to make the first post ready. Gaps and caps
//! of one account are pacing's business, in the calendar.

use super::place::shown;
use super::{Finding, Guard, PREPARED_BEFORE, PreflightFacts, Severity, operator_minutes};
use crate::brief::Kind;
use crate::calendar::plan::skipped_hours;
use crate::time::{Span, UtcTime};
use crate::variant::{Facet, Lane};

const GUARD: Guard = Guard::BudgetGuard;
const WEEK: Span = Span::days(7);
/// The most slots of one account in any week, whatever a policy says.
const ACCOUNT_WEEK_MAX: usize = 200;

/// Looks at the plan as far as it was drawn.
pub fn look(facts: &PreflightFacts<'_>) -> Vec<Finding> {
    let mut findings = posts(facts);
    findings.extend(minutes(facts));
    findings.extend(lead(facts));
    findings.extend(hours(facts));
    findings
}

/// Times of day that do not exist on a day of the window.
fn hours(facts: &PreflightFacts<'_>) -> Vec<Finding> {
    let finding = |(day, time): (chrono::NaiveDate, chrono::NaiveTime)| {
        let why = format!(
            "{} does not exist on {} in {}, where clocks go forward: that day has one slot less",
            time.format("%H:%M"),
            day.format("%-d %b %Y"),
            facts.client.zone
        );
        GUARD.finds("budget.no-such-hour", Severity::Info, "exposure_plan.times", why, "name another time, or leave it")
    };
    skipped_hours(facts.brief, facts.client.zone).into_iter().map(finding).collect()
}

fn posts(facts: &PreflightFacts<'_>) -> Vec<Finding> {
    let most = facts.client.policy.posts_per_week;
    let rule = "budget.posts-per-week";
    let mut findings = Vec::new();
    if facts.slots.is_empty() {
        // Nothing is drawn yet: what cannot fit however it is drawn is told already.
        let total = total(facts);
        let window = facts.brief.run_window;
        let micros = window.end.since(window.start).micros().max(0);
        let weeks = micros.div_euclid(WEEK.micros()).saturating_add(1);
        let room = i64::from(most).saturating_mul(weeks);
        if i64::from(total) > room {
            let why = format!(
                "{total} posts do not fit: {} gets {most} a week and the run window has {weeks}",
                facts.client.id
            );
            findings.push(GUARD.finds(
                rule,
                Severity::Block,
                "exposure_plan",
                why,
                "plan fewer posts, or a longer window",
            ));
        }
        return findings;
    }
    let all: Vec<UtcTime> = facts.slots.iter().chain(&facts.week.posts).copied().collect();
    if let Some((count, from)) = fullest_week(&all, facts.slots)
        && count > usize::try_from(most).unwrap_or(usize::MAX)
    {
        let why = format!(
            "{count} posts in the seven days from {}, over all accounts; {} gets {most}",
            from.in_zone(facts.client.zone),
            facts.client.id
        );
        findings.push(GUARD.finds(
            rule,
            Severity::Block,
            "exposure_plan",
            why,
            "spread the slots, plan fewer posts, or end another experiment first",
        ));
    }
    if let Some((count, _)) = fullest_week(facts.slots, facts.slots)
        && count > ACCOUNT_WEEK_MAX
    {
        let why = format!("{count} slots in seven days on one account; the most is {ACCOUNT_WEEK_MAX}");
        findings.push(GUARD.finds("budget.slots-per-week", Severity::Block, "exposure_plan", why, "spread the slots"));
    }
    findings
}

/// Posts of the experiment by its brief.
fn total(facts: &PreflightFacts<'_>) -> u32 {
    let variants = u32::try_from(facts.variants.len()).unwrap_or(u32::MAX);
    facts.brief.exposure_plan.posts_per_variant.saturating_mul(variants)
}

/// Returns the most moments in any seven days that hold one of `ours`, and when those days begin.
fn fullest_week(all: &[UtcTime], ours: &[UtcTime]) -> Option<(usize, UtcTime)> {
    let mut sorted = all.to_vec();
    sorted.sort_unstable();
    let mut ours = ours.to_vec();
    ours.sort_unstable();
    let mut best: Option<(usize, UtcTime)> = None;
    for (place, from) in sorted.iter().enumerate() {
        let until = from.plus(WEEK);
        let next = ours.partition_point(|slot| slot < from);
        if ours.get(next).is_none_or(|slot| *slot >= until) {
            continue;
        }
        let count = sorted.partition_point(|time| *time < until).saturating_sub(place);
        if best.is_none_or(|(most, _)| count > most) {
            best = Some((count, *from));
        }
    }
    best
}

/// Posts that a person puts out by hand.
fn browser_posts(facts: &PreflightFacts<'_>) -> u32 {
    let each = facts.brief.exposure_plan.posts_per_variant;
    let by_hand = |variant: &crate::variant::Variant| match facts.brief.variable_under_test {
        Facet::Lane => variant
            .content(0)
            .and_then(|c| c.facets.get(&Facet::Lane))
            .is_some_and(|word| word.raw() == Lane::Browser.as_str()),
        Facet::Hook
        | Facet::Caption
        | Facet::Cta
        | Facet::Format
        | Facet::Cover
        | Facet::Title
        | Facet::Hashtags
        | Facet::Audio
        | Facet::Blueprint
        | Facet::ReplyTemplate => facts.brief.exposure_plan.lane == Lane::Browser,
    };
    let count = u32::try_from(facts.variants.iter().filter(|variant| by_hand(variant)).count()).unwrap_or(u32::MAX);
    count.saturating_mul(each)
}

/// The minutes are an estimate of the house's, so that going over them asks for a person and blocks nothing.
fn minutes(facts: &PreflightFacts<'_>) -> Vec<Finding> {
    let shown = shown(facts).len();
    if shown == 0 {
        return Vec::new();
    }
    let variants = u32::try_from(facts.variants.len()).unwrap_or(u32::MAX);
    let own = operator_minutes(variants, browser_posts(facts));
    let all = own.saturating_add(facts.week.operator_minutes);
    let most = facts.client.policy.operator_minutes_per_week;
    if all <= most {
        return Vec::new();
    }
    let why = format!(
        "it costs operators about {own} minutes, other work {} in the busiest week; {} gets {most}",
        facts.week.operator_minutes, facts.client.id
    );
    vec![GUARD.finds(
        "budget.operator-minutes",
        Severity::Warn,
        "exposure_plan",
        why,
        "plan fewer posts by hand or fewer variants",
    )]
}

fn lead(facts: &PreflightFacts<'_>) -> Vec<Finding> {
    let policy = &facts.client.policy;
    let mut findings = Vec::new();
    let over = |at: UtcTime| at.plus(policy.grace) < facts.now;
    let window = facts.brief.run_window;
    let all_over =
        if facts.slots.is_empty() { window.end < facts.now } else { facts.slots.iter().all(|slot| over(*slot)) };
    if all_over {
        let why = format!("every slot is over at {}", facts.now.in_zone(facts.client.zone));
        return vec![GUARD.finds("budget.slots-over", Severity::Block, "run_window", why, "move the run window ahead")];
    }
    let gone = facts.slots.iter().filter(|slot| over(**slot)).count();
    if gone > 0 {
        let why = format!("{gone} of {} slots are over", facts.slots.len());
        findings.push(GUARD.finds(
            "budget.slots-over",
            Severity::Info,
            "exposure_plan",
            why,
            "what is missed is never sent late",
        ));
    }
    let machine = facts.brief.kind != Kind::Engagement && browser_posts(facts) < total(facts);
    // A post is ready ten minutes before its slot; a client that prepares later than that, as test clients do, has less.
    let needed = policy.prepare_lead.min(PREPARED_BEFORE);
    if let Some(first) = facts.slots.iter().min()
        && machine
        && !over(*first)
        && first.since(facts.now) < needed
    {
        let why = format!(
            "the first slot is in {}, and making a post ready takes up to {needed}",
            first.since(facts.now).max(Span::ZERO)
        );
        findings.push(GUARD.finds("budget.too-soon", Severity::Warn, "exposure_plan", why, "begin with a later slot"));
    }
    if machine && policy.prepare_lead < PREPARED_BEFORE {
        let why = format!(
            "posts are made ready only {} before their slot; {PREPARED_BEFORE} leaves time for a second try",
            policy.prepare_lead
        );
        findings.push(GUARD.finds(
            "budget.prepare-lead",
            Severity::Info,
            "client's policy",
            why,
            "raise `prepare_lead` in the client's policy",
        ));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::tests::fixture::{World, rules};
    use super::*;

    #[test]
    fn a_week_with_room_says_nothing() {
        assert!(look(&World::new().facts()).is_empty());
    }

    #[test]
    fn posts_of_all_experiments_count_in_the_fullest_week_of_ours() {
        let mut world = World::new();
        world.client.policy.posts_per_week = 10;
        assert!(look(&world.facts()).is_empty());
        world.week.posts = vec![world.slots[0].minus(Span::days(5))];
        let found = look(&world.facts());
        assert_eq!(rules(&found), ["budget.posts-per-week"]);
        assert!(found[0].why.starts_with("11 posts in the seven days from 2027-01-06"), "{}", found[0].why);
        world.week.posts = vec![world.slots[0].minus(Span::days(7)).minus(Span::hours(20)); 50];
        assert!(look(&world.facts()).is_empty(), "a full week that holds none of ours is not ours to mend");
    }

    #[test]
    fn an_undrawn_plan_is_told_only_what_cannot_fit() {
        let mut world = World::new();
        world.slots.clear();
        world.client.policy.posts_per_week = 10;
        assert!(look(&world.facts()).is_empty());
        world.client.policy.posts_per_week = 9;
        assert_eq!(rules(&look(&world.facts())), ["budget.posts-per-week"]);
    }

    #[test]
    fn an_hour_that_clocks_skip_is_flagged_with_its_day() {
        let mut world = World::new();
        world.client.zone = "Europe/London".parse().unwrap();
        world.brief.exposure_plan.days.clear();
        world.brief.exposure_plan.times = vec!["01:30".to_owned(), "09:10".to_owned()];
        world.brief.run_window.start = "2027-03-27T00:00:00Z".parse().unwrap();
        world.brief.run_window.end = "2027-03-30T00:00:00Z".parse().unwrap();
        let found = look(&world.facts());
        assert_eq!((rules(&found), found[0].severity), (vec!["budget.no-such-hour"], Severity::Info));
        assert!(found[0].why.contains("01:30 does not exist on 28 Mar 2027 in Europe/London"), "{}", found[0].why);
        world.client.zone = "Asia/Tokyo".parse().unwrap();
        assert!(look(&world.facts()).is_empty(), "clocks stay there");
    }

    #[test]
    fn minutes_over_the_limit_ask_for_a_person() {
        let mut world = World::new();
        world.client.policy.operator_minutes_per_week = 4;
        assert!(look(&world.facts()).is_empty());
        world.week.operator_minutes = 1;
        let found = look(&world.facts());
        assert_eq!((rules(&found), found[0].severity), (vec!["budget.operator-minutes"], Severity::Warn));
        world.client.policy.operator_minutes_per_week = 60;
        world.brief.exposure_plan.lane = Lane::Browser;
        assert_eq!(rules(&look(&world.facts())), ["budget.operator-minutes"], "ten posts by hand");
        let mut trial = World::of("lane-trial");
        trial.client.policy.operator_minutes_per_week = 15;
        assert_eq!(rules(&look(&trial.facts())), ["budget.operator-minutes"], "two of its posts are by hand");
        trial.client.policy.operator_minutes_per_week = 16;
        assert!(look(&trial.facts()).is_empty());
    }

    #[test]
    fn there_is_time_to_make_the_first_post_ready() {
        let mut world = World::new();
        world.now = world.slots[0].minus(Span::minutes(9));
        assert_eq!(rules(&look(&world.facts())), ["budget.too-soon"]);
        world.client.policy.prepare_lead = Span::seconds(5);
        assert_eq!(rules(&look(&world.facts())), ["budget.prepare-lead"], "a test client prepares in seconds");
        world.brief.exposure_plan.lane = Lane::Browser;
        assert!(look(&world.facts()).is_empty(), "a person makes nothing ready");
        let mut world = World::new();
        world.now = world.slots[3];
        let found = look(&world.facts());
        assert_eq!((rules(&found), found[0].severity), (vec!["budget.slots-over"], Severity::Info));
        world.now = world.slots[9].plus(Span::days(1));
        assert_eq!(look(&world.facts())[0].severity, Severity::Block);
        world.slots.clear();
        assert!(look(&world.facts()).is_empty(), "the window is still open");
        world.now = world.brief.run_window.end.plus(Span::seconds(1));
        assert_eq!(rules(&look(&world.facts())), ["budget.slots-over"]);
    }

    #[test]
    fn an_account_has_no_more_than_two_hundred_slots_a_week() {
        let mut world = World::new();
        world.client.policy.posts_per_week = 1_000;
        world.slots = (0..201).map(|i| world.now.plus(Span::days(1)).plus(Span::minutes(30).times(i))).collect();
        assert_eq!(rules(&look(&world.facts())), ["budget.slots-per-week"]);
    }
}
