//! Proxies as a brief declared them, read at the one age.
//!
//! Decides which declared proxies take part, and how each is measured: a level, views, a count for each view, or a count
//! alone where the surface tells no views. What takes no part says why.

use science::inference::{Direction as Better, Measure, Raw, Sort, log_values};

use super::evidence::Slot;
use super::{Middle, ProxyOutcome, words};
use crate::brief::{Brief, Direction};
use crate::surface::{Family, Surface};
use crate::time::SnapshotAge;

/// Names under which surfaces tell how many saw a post, the best first.
const VIEWS: [&str; 6] = ["views", "view_count", "video_views", "plays", "impressions", "reach"];

/// A declared proxy that takes part.
pub(super) struct Declared {
    /// Its place in the brief.
    pub(super) place: usize,
    pub(super) metric: String,
    pub(super) measure: Measure,
    pub(super) sort: Sort,
    /// By slot, on the log scale.
    pub(super) values: Vec<Option<f64>>,
}

impl Declared {
    /// Its values with gaps filled: posts with a gap are not comparable, so that the filling is never looked at.
    pub(super) fn filled(&self) -> Vec<f64> {
        self.values.iter().map(|value| value.unwrap_or(0.0)).collect()
    }

    /// Whether a slot's post gives a value to compare.
    pub(super) fn has(&self, at: usize) -> bool {
        self.values.get(at).is_some_and(Option::is_some)
    }

    /// Its name in a sentence.
    pub(super) fn said(&self) -> String {
        match self.measure {
            Measure::Rate => format!("{} a view", words(&self.metric)),
            Measure::Level | Measure::Views | Measure::Count => words(&self.metric),
        }
    }
}

/// All declared proxies.
pub(super) struct Proxies {
    pub(super) taking_part: Vec<Declared>,
    declared: Vec<ProxyOutcome>,
    /// The metric that tells how many saw a post.
    pub(super) views: Option<String>,
    /// The one age.
    pub(super) age: SnapshotAge,
}

impl Proxies {
    pub(super) fn read(brief: &Brief, surface: Option<&Surface>, age: SnapshotAge, slots: &[Slot<'_>]) -> Self {
        let views = surface.and_then(|surface| VIEWS.iter().find(|name| surface.metric(name).is_some()));
        let views = views.map(|name| (*name).to_owned());
        let mut found = Self { taking_part: Vec::new(), declared: Vec::new(), views, age };
        for (place, proxy) in brief.success_proxies.iter().enumerate() {
            let known = surface.and_then(|surface| surface.metric(&proxy.metric));
            let family = known.map(|metric| metric.family);
            let unit = known.map_or("count", |metric| metric.unit.as_str());
            let (measure, sort) = measured(&proxy.metric, family, unit, found.views.is_some());
            let raw: Vec<Raw> = slots
                .iter()
                .map(|slot| Raw {
                    value: slot.value(&proxy.metric, age),
                    views: found.views.as_ref().and_then(|views| slot.value(views, age)),
                    forecast: None,
                })
                .collect();
            let better = match proxy.direction {
                Direction::Up => Better::Up,
                Direction::Down => Better::Down,
            };
            let (values, refused) = match log_values(measure, better, &raw) {
                Ok(values) => (values, None),
                Err(error) => (vec![None; slots.len()], Some(error.to_string())),
            };
            let aside = if proxy.age != age {
                Some(format!("declared at {}, not at {age}; ages are not mixed", proxy.age))
            } else if let Some(why) = refused {
                Some(why)
            } else if values.iter().all(Option::is_none) {
                Some(format!("not read on any post at {age}"))
            } else {
                None
            };
            found.declared.push(ProxyOutcome {
                metric: proxy.metric.clone(),
                words: words(&proxy.metric),
                family: family.map(|family| family.as_str().to_owned()),
                per_view: measure == Measure::Rate,
                age: proxy.age,
                aside: aside.clone(),
                middles: Vec::new(),
                ratios: Vec::new(),
            });
            if aside.is_none() {
                found.taking_part.push(Declared { place, metric: proxy.metric.clone(), measure, sort, values });
            }
        }
        found
    }

    /// Shows every declared proxy with its readings by variant, each at the age at which it was declared.
    pub(super) fn outcomes(&self, slots: &[Slot<'_>], variants: usize) -> Vec<ProxyOutcome> {
        let shown = |proxy: &ProxyOutcome| {
            let middles = (0..variants).map(|variant| {
                let of = slots.iter().filter(|slot| slot.planned.variant == variant);
                let mut read: Vec<f64> = of.filter_map(|slot| slot.value(&proxy.metric, proxy.age)).collect();
                read.sort_by(f64::total_cmp);
                Middle { letter: science::inference::letter(variant), posts: read.len(), value: middle(&read) }
            });
            ProxyOutcome { middles: middles.collect(), ..proxy.clone() }
        };
        self.declared.iter().map(shown).collect()
    }
}

fn middle(sorted: &[f64]) -> Option<f64> {
    let half = sorted.len() / 2;
    let upper = *sorted.get(half)?;
    if sorted.len().is_multiple_of(2) { Some((sorted.get(half.checked_sub(1)?)? + upper) / 2.0) } else { Some(upper) }
}

fn measured(metric: &str, family: Option<Family>, unit: &str, views: bool) -> (Measure, Sort) {
    if VIEWS.contains(&metric) {
        return (Measure::Views, Sort::Views);
    }
    let counted = matches!(unit, "count" | "accounts");
    match (family, counted, views) {
        (Some(Family::Retention), false, _) => (Measure::Level, Sort::Retention),
        (_, false, _) => (Measure::Level, Sort::Views),
        (_, true, false) => (Measure::Count, Sort::Count),
        (Some(Family::Conversation), true, true) => (Measure::Rate, Sort::Conversation),
        (Some(Family::Retention | Family::Distribution) | None, true, true) => (Measure::Rate, Sort::Sharing),
    }
}
