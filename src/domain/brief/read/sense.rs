//! Whether the fields of a brief make sense together.
//!
//! Decides everything that needs no fact from outside: counts that fit the kind, the variable in every round of every
//! variant, proxies that the surface offers, ages and windows in order. Each check looks at what could be read, so that
//! one missing field hides no other problem. The single-variable rule itself is `variant`'s.

use std::collections::BTreeSet;

use chrono::NaiveTime;

use super::super::{Kind, Proxy, RoundText, VariantText};
use super::excerpt::quote;
use super::fields::{Draft, POSTS_MAX, lanes};
use super::walk::Walk;
use crate::surface::{Family, Surface, Surfaces};
use crate::time::{SnapshotAge, Span};
use crate::variant::Facet;

/// The signals that a guardrail may watch.
pub const SIGNALS: [&str; 4] = ["publish_failures", "platform_warning", "login_challenge", "negative_feedback"];

/// The most variants, the control among them.
const VARIANTS_MAX: usize = 20;
/// The fewest and the most posts of a batch.
const BATCH_POSTS: std::ops::RangeInclusive<u32> = 5..=20;
/// The most proxies; each further one weakens the others.
const PROXIES_MAX: usize = 4;
/// The latest age at which anything is read.
const AGE_MAX: Span = Span::days(365);
const WEEKDAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

pub(super) fn check(draft: &Draft, surfaces: &Surfaces, walk: &mut Walk<'_>) {
    let surface = surface(draft, surfaces, walk);
    kind_and_variable(draft, walk);
    variants(draft, walk);
    posts(draft, walk);
    proxies(draft, surface, walk);
    ages(draft, surface, walk);
    window(draft, walk);
    times(draft, walk);
    slots(draft, walk);
    if draft.stops.as_ref().is_some_and(Vec::is_empty) {
        walk.problem(
            "stop_conditions",
            "it is empty: nothing would stop the experiment",
            "stop_conditions = [{ when = \"any_breach\" }]",
        );
    }
}

fn surface<'s>(draft: &Draft, surfaces: &'s Surfaces, walk: &mut Walk<'_>) -> Option<&'s Surface> {
    if let Some(platforms) = &draft.platforms {
        let distinct: BTreeSet<_> = platforms.iter().collect();
        let example = "platforms = [\"bluesky\"]";
        if platforms.is_empty() {
            walk.problem("platforms", "it is empty", example);
        } else if distinct.len() != platforms.len() {
            walk.problem("platforms", "a platform is there twice", example);
        } else if platforms.len() > 1 && draft.kind.is_some_and(|kind| kind != Kind::Batch) {
            walk.problem("platforms", "several platforms are for a batch only", example);
        }
    }
    let id = draft.surface.as_ref()?;
    let Some(surface) = surfaces.get(id) else {
        let names: Vec<&str> = surfaces.iter().map(|surface| surface.id.0.as_str()).collect();
        let why = format!("there is no surface {}; there are {}", quote(&id.0), names.join(", "));
        walk.problem("surface", why, "surface = \"bluesky_post\"");
        return None;
    };
    if let Some(platforms) = &draft.platforms
        && !platforms.is_empty()
        && !platforms.contains(&surface.platform)
    {
        let why = format!("the surface {} is on {}", surface.id.0, surface.platform);
        walk.problem("platforms", why, &format!("platforms = [\"{}\"]", surface.platform));
    }
    Some(surface)
}

fn kind_and_variable(draft: &Draft, walk: &mut Walk<'_>) {
    let (Some(kind), Some(variable)) = (draft.kind, draft.variable) else { return };
    for (of, facet) in [(Kind::Lane, Facet::Lane), (Kind::Engagement, Facet::ReplyTemplate)] {
        let (is, has) = (kind == of, variable == facet);
        if is && !has {
            let why = format!("an experiment of kind {of} tests {facet}, and this says {variable}");
            walk.problem("variable_under_test", why, &format!("variable_under_test = \"{facet}\""));
        } else if has && !is {
            let why = format!("{facet} is tested by an experiment of kind {of}, and this is of kind {kind}");
            walk.problem("kind", why, &format!("kind = \"{of}\""));
        }
    }
}

/// All variants that could be read, each with its path.
fn named(draft: &Draft) -> Vec<(String, &VariantText)> {
    let control = draft.control.iter().map(|control| ("control_variant".to_owned(), control));
    let tests = draft.tests.iter().flatten().enumerate();
    let tests = tests.filter_map(|(place, test)| Some((format!("test_variants[{place}]"), test.as_ref()?)));
    control.chain(tests).collect()
}

fn variants(draft: &Draft, walk: &mut Walk<'_>) {
    if let Some(tests) = &draft.tests {
        let example = "test_variants = [{ hook = \"Three in ten ask only for news.\" }]";
        if tests.is_empty() {
            walk.problem("test_variants", "it is empty: there is nothing to compare the control with", example);
        } else if tests.len() >= VARIANTS_MAX {
            let why = format!("there are {} tests; with the control at most {VARIANTS_MAX} variants", tests.len());
            walk.problem("test_variants", why, "");
        }
    }
    rounds(draft, walk);
    let Some(variable) = draft.variable else { return };
    for (place, round) in draft.plan.rounds.iter().enumerate() {
        if gives(&round.facets, &round.assets, variable) {
            let field = format!("exposure_plan.rounds[{place}].{variable}");
            let why = format!("{variable} is under test, so no text or picture of it is shared by all variants");
            walk.problem(&field, why, "give it in each variant's rounds");
        }
    }
    for (path, variant) in named(draft) {
        has_variable(&path, variant, variable, walk);
        lane_words(&path, variant, variable, walk);
    }
}

/// All lists of rounds are equally long, and no round stays unused.
fn rounds(draft: &Draft, walk: &mut Walk<'_>) {
    let shared = ("exposure_plan.rounds".to_owned(), draft.plan.rounds.len());
    let own = named(draft).into_iter().map(|(path, variant)| (format!("{path}.rounds"), variant.rounds.len()));
    let lists: Vec<(String, usize)> = std::iter::once(shared).chain(own).filter(|(_, length)| *length > 0).collect();
    let Some((first, length)) = lists.first() else { return };
    for (path, other) in lists.iter().skip(1).filter(|(_, other)| other != length) {
        walk.problem(path, format!("it has {other} rounds and {first} has {length}; all have equally many"), "");
    }
    let posts = draft.plan.posts_per_variant.and_then(|posts| usize::try_from(posts).ok());
    if let Some(posts) = posts
        && posts < *length
    {
        let why = format!("each variant has {posts} posts, so of {length} rounds some would never go out");
        walk.problem(first, why, &format!("posts_per_variant = {length}"));
    }
}

fn gives<T>(facets: &std::collections::BTreeMap<Facet, T>, assets: &[super::super::AssetRef], facet: Facet) -> bool {
    facets.contains_key(&facet) || assets.iter().any(|asset| asset.facet == facet)
}

fn has_variable(path: &str, variant: &VariantText, variable: Facet, walk: &mut Walk<'_>) {
    if gives(&variant.facets, &variant.assets, variable) {
        return;
    }
    let (what, example) = match variable {
        Facet::Format | Facet::Cover => (
            format!("it has no text or picture of {variable}, which is under test"),
            format!("assets = [{{ file = \"hall.png\", alt = \"A bright hall\", facet = \"{variable}\" }}]"),
        ),
        Facet::Lane => (format!("it names no {variable}, which is under test"), "lane = \"browser\"".to_owned()),
        Facet::Hook
        | Facet::Caption
        | Facet::Cta
        | Facet::Title
        | Facet::Hashtags
        | Facet::Audio
        | Facet::Blueprint
        | Facet::ReplyTemplate => (format!("it has no {variable}, which is under test"), format!("{variable} = \"…\"")),
    };
    let lacking = |round: &RoundText| !gives(&round.facets, &round.assets, variable);
    if variant.rounds.is_empty() {
        walk.problem(&format!("{path}.{variable}"), what.as_str(), &example);
    }
    for (place, _) in variant.rounds.iter().enumerate().filter(|(_, round)| lacking(round)) {
        walk.problem(&format!("{path}.rounds[{place}].{variable}"), what.as_str(), &example);
    }
}

/// A lane is a word of ours, and the plan's to say where it is not under test.
fn lane_words(path: &str, variant: &VariantText, variable: Facet, walk: &mut Walk<'_>) {
    let own = std::iter::once((path.to_owned(), &variant.facets));
    let rounds = variant.rounds.iter().enumerate().map(|(place, r)| (format!("{path}.rounds[{place}]"), &r.facets));
    for (path, facets) in own.chain(rounds) {
        let Some(lane) = facets.get(&Facet::Lane) else { continue };
        let field = format!("{path}.lane");
        if variable != Facet::Lane {
            let why = "lane is not under test; how posts go out is said once, in the exposure plan";
            walk.problem(&field, why, "exposure_plan.lane = \"api\"");
        } else if !lanes().iter().any(|(word, _)| *word == lane.raw()) {
            walk.problem(
                &field,
                format!("{} is none of api, browser, hybrid", quote(lane.raw())),
                "lane = \"browser\"",
            );
        }
    }
}

/// Posts in all, where both figures are there.
fn posts_total(draft: &Draft) -> Option<u32> {
    let variants = u32::try_from(draft.tests.as_ref()?.len()).ok()?.saturating_add(1);
    Some(draft.plan.posts_per_variant?.saturating_mul(variants))
}

fn posts(draft: &Draft, walk: &mut Walk<'_>) {
    let Some(total) = posts_total(draft) else { return };
    let field = "exposure_plan.posts_per_variant";
    if total > POSTS_MAX {
        walk.problem(field, format!("that makes {total} posts in all; an experiment has at most {POSTS_MAX}"), "");
    } else if draft.kind == Some(Kind::Batch) && !BATCH_POSTS.contains(&total) {
        let why =
            format!("that makes {total} posts in all; a batch has {} to {}", BATCH_POSTS.start(), BATCH_POSTS.end());
        walk.problem(field, why, "posts_per_variant = 7");
    }
}

fn proxies(draft: &Draft, surface: Option<&Surface>, walk: &mut Walk<'_>) {
    let Some(proxies) = &draft.proxies else { return };
    let read: Vec<(usize, &Proxy)> = proxies.iter().enumerate().filter_map(|(i, p)| Some((i, p.as_ref()?))).collect();
    for (place, proxy) in &read {
        let field = format!("success_proxies[{place}]");
        if let Some(surface) = surface {
            measured(&field, proxy, surface, walk);
        }
        if read.iter().take(*place).any(|(_, other)| other.metric == proxy.metric) {
            walk.problem(&format!("{field}.metric"), format!("{} is there twice", quote(&proxy.metric)), "");
        }
        if let Some(ages) = &draft.plan.ages
            && !ages.contains(&proxy.age)
        {
            let why =
                format!("it is compared at {}, and exposure_plan.snapshot_ages does not read at that age", proxy.age);
            walk.problem(&format!("{field}.age"), why, &format!("snapshot_ages = [\"{}\"]", proxy.age));
        }
    }
    how_many(draft.kind, proxies.len(), &read, surface, walk);
}

fn measured(field: &str, proxy: &Proxy, surface: &Surface, walk: &mut Walk<'_>) {
    if surface.metric(&proxy.metric).is_some() {
        return;
    }
    let names: Vec<&str> = surface.metrics.iter().map(|metric| metric.name.as_str()).collect();
    let retention = if surface.retention_available { "" } else { " (no retention there)" };
    let why = format!(
        "{} is not measured on {}, which gives {}{retention}",
        quote(&proxy.metric),
        surface.id.0,
        names.join(", ")
    );
    let example = names.first().map(|name| format!("metric = \"{name}\"")).unwrap_or_default();
    walk.problem(&format!("{field}.metric"), why, &example);
}

fn how_many(
    kind: Option<Kind>,
    count: usize,
    read: &[(usize, &Proxy)],
    surface: Option<&Surface>,
    walk: &mut Walk<'_>,
) {
    let field = "success_proxies";
    if count > PROXIES_MAX {
        walk.problem(field, format!("there are {count}; at most {PROXIES_MAX}, the primary one first"), "");
        return;
    }
    let Some(kind) = kind else { return };
    let least = match kind {
        Kind::Micro | Kind::Batch => 2,
        Kind::Engagement | Kind::Lane => 1,
    };
    let Some(surface) = surface else {
        if count < least {
            walk.problem(field, format!("there are {count}; a {kind} experiment has at least {least}"), "");
        }
        return;
    };
    let offered = surface.families();
    let least = least.min(surface.metrics.len());
    let names = |family: &Family| -> Vec<&str> {
        surface.metrics.iter().filter(|m| m.family == *family).map(|m| m.name.as_str()).collect()
    };
    let offer: Vec<String> = offered.iter().map(|family| format!("{family} ({})", names(family).join(", "))).collect();
    let have: BTreeSet<Family> =
        read.iter().filter_map(|(_, p)| surface.metric(&p.metric)).map(|metric| metric.family).collect();
    if count < least {
        let why = format!("there are {count}; a {kind} experiment has at least {least}: {}", offer.join("; "));
        walk.problem(field, why, "{ metric = \"repostCount\", direction = \"up\", age = \"24h\" }");
    } else if have.len() < least.min(offered.len())
        && read.len() == count
        && read.iter().all(|(_, p)| surface.metric(&p.metric).is_some())
    {
        let why = format!("they are all of one family; take a second one: {}", offer.join("; "));
        walk.problem(field, why, "{ metric = \"repostCount\", direction = \"up\", age = \"24h\" }");
    }
}

fn ages(draft: &Draft, surface: Option<&Surface>, walk: &mut Walk<'_>) {
    let Some(ages) = &draft.plan.ages else { return };
    let field = "exposure_plan.snapshot_ages";
    let example = "snapshot_ages = [\"1h\", \"6h\", \"24h\"]";
    if ages.is_empty() {
        walk.problem(field, "it is empty: nothing would be measured", example);
    }
    if ages.iter().zip(ages.iter().skip(1)).any(|(a, b)| a >= b) {
        walk.problem(field, "the ages rise, and none is there twice", example);
    }
    if ages.iter().any(|SnapshotAge(age)| *age <= Span::ZERO || *age > AGE_MAX) {
        walk.problem(field, format!("an age is more than nothing and at most {AGE_MAX}"), example);
    }
    if let Some(surface) = surface
        && let Some(closes) = surface.read.closes
        && ages.iter().any(|SnapshotAge(age)| *age >= closes)
    {
        let why = format!("{} can be read only before {closes}", surface.id.0);
        walk.problem(field, why, "snapshot_ages = [\"6h\", \"20h\", \"23h\"]");
    }
}

fn window(draft: &Draft, walk: &mut Walk<'_>) {
    let Some(window) = &draft.window else { return };
    if window.start >= window.end {
        let why = format!("it ends at {}, which is not after its start at {}", window.end, window.start);
        walk.problem("run_window", why, "");
        return;
    }
    if draft.kind == Some(Kind::Batch) {
        // A week from a Monday morning to a Sunday evening has a few hours less than seven days; where the clocks go
        // back it has one more.
        let span = window.end.since(window.start).micros();
        let over = span.saturating_add(Span::days(1).micros()).rem_euclid(Span::days(7).micros());
        let whole =
            over <= Span::days(1).micros().saturating_add(Span::hours(1).micros()) && span >= Span::days(6).micros();
        if !whole {
            let why =
                format!("a batch covers whole weeks, and this is {}", days_and_hours(window.end.since(window.start)));
            walk.problem(
                "run_window",
                why,
                "run_window = { start = \"2027-01-11T00:00:00Z\", end = \"2027-01-17T23:59:59Z\" }",
            );
        }
    }
}

fn days_and_hours(span: Span) -> String {
    let hours = span.whole_seconds().div_euclid(3600);
    format!("{} days and {} hours", hours.div_euclid(24), hours.rem_euclid(24))
}

fn times(draft: &Draft, walk: &mut Walk<'_>) {
    let plan = &draft.plan;
    if !plan.says_when {
        let example = "times = [\"09:10\", \"17:30\"]";
        walk.problem("exposure_plan.times", "it is missing, and so is slots: nothing says when posts go out", example);
        return;
    }
    if !plan.times.is_empty() && !plan.slots.is_empty() {
        walk.problem("exposure_plan.slots", "times and slots are both there; keep one of them", "");
    }
    for (place, time) in plan.times.iter().enumerate() {
        let field = format!("exposure_plan.times[{place}]");
        if time.len() != 5 || NaiveTime::parse_from_str(time, "%H:%M").is_err() {
            walk.problem(&field, format!("{} is not a time of day", quote(time)), "\"09:10\"");
        } else if plan.times.iter().take(place).any(|other| other == time) {
            walk.problem(&field, format!("{time} is there twice"), "");
        }
    }
    for (place, day) in plan.days.iter().enumerate() {
        let field = format!("exposure_plan.days[{place}]");
        if !WEEKDAYS.contains(&day.as_str()) {
            walk.problem(&field, format!("{} is none of {}", quote(day), WEEKDAYS.join(", ")), "\"mon\"");
        } else if plan.days.iter().take(place).any(|other| other == day) {
            walk.problem(&field, format!("{day} is there twice"), "");
        }
    }
    if !plan.days.is_empty() && plan.times.is_empty() && !plan.slots.is_empty() {
        walk.problem("exposure_plan.days", "days are for times; slots name their own", "");
    }
}

fn slots(draft: &Draft, walk: &mut Walk<'_>) {
    let slots = &draft.plan.slots;
    let field = "exposure_plan.slots";
    if slots.is_empty() {
        return;
    }
    let count = u32::try_from(slots.len()).unwrap_or(u32::MAX);
    if let Some(total) = posts_total(draft).filter(|total| *total != count) {
        walk.problem(
            field,
            format!("there are {count} slots for {total} posts (posts per variant times variants)"),
            "",
        );
    }
    let gap = draft.plan.spacing.unwrap_or(Span::ZERO);
    for (place, (earlier, later)) in slots.iter().zip(slots.iter().skip(1)).enumerate() {
        let field = format!("{field}[{}]", place.saturating_add(1));
        if later <= earlier {
            walk.problem(&field, format!("{later} is not after the slot before it, {earlier}"), "");
        } else if later.since(*earlier) < gap {
            walk.problem(
                &field,
                format!("{later} is {} after the slot before it; spacing says {gap}", later.since(*earlier)),
                "",
            );
        }
    }
    if let Some(window) = &draft.window {
        for (place, slot) in slots.iter().enumerate().filter(|(_, slot)| **slot < window.start || **slot > window.end) {
            let why = format!("{slot} is outside the run window, {} to {}", window.start, window.end);
            walk.problem(&format!("{field}[{place}]"), why, "");
        }
    }
}
