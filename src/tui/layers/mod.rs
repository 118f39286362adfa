//! Layers: who holds what, until when? Who waits? Does anything collide?
//!
//! Decides which layers are listed, and what each day of one shows. Who may take a layer is the domain's business.

pub(crate) mod view;

use chrono::{Days, NaiveDate, NaiveTime};
use desk::query::LayerView;
use domain::calendar::layer::Tenure;
use domain::experiment::Stage;
use domain::id::{ClientId, ExperimentId};
use domain::time::{UtcTime, Window, Zone};
use tui_input::Input;

use crate::can::is_paused;
use crate::filter::Filter;
use crate::list::List;
use crate::model::Model;

/// The days of a screen.
pub(crate) const DAYS: u64 = 14;

/// The state of the pane.
#[derive(Debug, Clone, Default)]
pub(crate) struct Layers {
    pub(crate) list: List<String>,
    pub(crate) filter: Input,
    /// How many fortnights after the present one are shown.
    pub(crate) fortnight: u64,
}

/// What a day of a layer shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Held {
    Free,
    Taken,
    Paused,
    /// Not approved yet.
    Wanted,
    Collision,
}

/// Returns the client of a layer.
pub(crate) fn client(layer: &str) -> Option<ClientId> {
    layer.split('/').next().and_then(|client| client.parse().ok())
}

/// Returns a layer's name without its client.
pub(crate) fn short(layer: &str) -> &str {
    layer.split_once('/').map_or(layer, |(_, rest)| rest)
}

/// Returns the names in the order of the pane: by client, those that were ever used.
pub(crate) fn ordered(model: &Model) -> Vec<String> {
    let used = model.known.layers.iter().flatten().filter(|layer| !layer.tenures.is_empty());
    let mut names: Vec<String> = used.map(|layer| layer.layer.clone()).collect();
    names.sort();
    names
}

/// Returns those that filter and scope leave.
pub(crate) fn shown(model: &Model) -> Vec<String> {
    model.layers.list.order().iter().filter(|name| is_shown(model, name)).cloned().collect()
}

/// Tells whether filter and scope leave one.
pub(crate) fn is_shown(model: &Model, name: &str) -> bool {
    let Some(client) = client(name) else { return true };
    let holders = of(model, name).map(|layer| layer.tenures.as_slice()).unwrap_or_default();
    let codes: Vec<&str> = holders.iter().map(|tenure| tenure.code.as_str()).collect();
    let state = if holder(model, name).is_some() { "held" } else { "free" };
    let text = format!("{name} {} {}", model.known.client_name(&client), codes.join(" "));
    let filter = Filter::read(model.layers.filter.value());
    model.in_scope(&client) && filter.keeps(client.as_str(), state, &text)
}

/// Returns a layer as it is known.
pub(crate) fn of<'a>(model: &'a Model, name: &str) -> Option<&'a LayerView> {
    model.known.layers.iter().flatten().find(|layer| layer.layer == name)
}

/// Returns who holds a layer now, or next.
pub(crate) fn holder<'a>(model: &'a Model, name: &str) -> Option<&'a Tenure> {
    of(model, name)?.tenures.iter().find(|tenure| tenure.window.until >= model.wall())
}

/// Returns the experiment that holds the layer under the cursor.
pub(crate) fn under_cursor(model: &Model) -> Option<ExperimentId> {
    let name = model.layers.list.cursor().filter(|name| is_shown(model, name))?;
    holder(model, name).map(|tenure| tenure.experiment)
}

/// Returns the days that are shown, in a zone.
pub(crate) fn days(model: &Model, zone: Zone) -> Vec<NaiveDate> {
    let first = zone.local(model.wall()).date.checked_add_days(Days::new(model.layers.fortnight.saturating_mul(DAYS)));
    (0..DAYS).filter_map(|day| first?.checked_add_days(Days::new(day))).collect()
}

/// Returns a day as a span.
fn span_of(date: NaiveDate, zone: Zone) -> Option<(UtcTime, UtcTime)> {
    Some((zone.at(date, NaiveTime::MIN)?, zone.at(date.succ_opt()?, NaiveTime::MIN)?))
}

fn meets(window: &Window, (from, until): (UtcTime, UtcTime)) -> bool {
    window.from < until && window.until > from
}

/// Tells what a day of a layer shows.
pub(crate) fn on_day(model: &Model, layer: &LayerView, date: NaiveDate, zone: Zone) -> Held {
    let Some(day) = span_of(date, zone) else { return Held::Free };
    let there: Vec<&Tenure> = layer.tenures.iter().filter(|tenure| meets(&tenure.window, day)).collect();
    let Some(first) = there.first() else { return Held::Free };
    let collides = there.iter().any(|a| there.iter().any(|b| overlap(a, b, day)));
    let line = model.known.line(first.experiment);
    match line {
        _ if collides => Held::Collision,
        Some(line) if is_paused(line) => Held::Paused,
        Some(line) if is_wanted(&line.stage) => Held::Wanted,
        Some(_) | None => Held::Taken,
    }
}

/// Tells whether two experiments hold a layer at one time of a day.
fn overlap(a: &Tenure, b: &Tenure, day: (UtcTime, UtcTime)) -> bool {
    a.experiment < b.experiment && meets(&a.window, (b.window.from.max(day.0), b.window.until.min(day.1)))
}

fn is_wanted(stage: &Stage) -> bool {
    match stage {
        Stage::Drafting | Stage::Creating | Stage::Preflight | Stage::AwaitingApproval => true,
        Stage::Scheduled
        | Stage::Running
        | Stage::Maturing
        | Stage::Reviewing
        | Stage::Completed { .. }
        | Stage::Invalid { .. } => false,
    }
}

/// Returns the layers of these clients on which two experiments meet, from now on.
pub(crate) fn collisions(model: &Model) -> Vec<&LayerView> {
    let always = (model.wall(), UtcTime::from_micros(i64::MAX));
    let mine = |layer: &&LayerView| client(&layer.layer).is_none_or(|client| model.in_scope(&client));
    let meets = |layer: &&LayerView| layer.tenures.iter().any(|a| layer.tenures.iter().any(|b| overlap(a, b, always)));
    model.known.layers.iter().flatten().filter(mine).filter(meets).collect()
}

/// Returns the first day from today on that nobody holds, within a year.
pub(crate) fn free_from(model: &Model, layer: &LayerView, zone: Zone) -> Option<NaiveDate> {
    let today = zone.local(model.wall()).date;
    (0..366).filter_map(|day| today.checked_add_days(Days::new(day))).find(|date| {
        span_of(*date, zone).is_some_and(|day| !layer.tenures.iter().any(|tenure| meets(&tenure.window, day)))
    })
}
