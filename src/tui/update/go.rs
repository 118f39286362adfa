//! Going: panes, rows, pages, what is open, what needs a person next.
//!
//! Decides where keys lead and that the way back is kept.

use domain::id::ExperimentId;

use crate::accounts;
use crate::approval::{self, Approval};
use crate::escalations;
use crate::evening;
use crate::experiments::{self, Tab, detail};
use crate::layers;
use crate::message::Ask;
use crate::midday;
use crate::model::{Model, Need, Open, Pane, Place, Spot};
use crate::morning;
use crate::rounds::{self, Step};
use crate::sheets::{self, Sheet, Subject};
use crate::theme::Role;

/// Places that can be gone back to.
const BACK_MAX: usize = 50;
/// Rows that a page key moves in a list.
const LIST_PAGE: isize = 10;

fn leave_to(model: &mut Model, place: Place) {
    if place == model.place {
        return;
    }
    let from = spot(model);
    keep_way_back(model, from);
    model.place = place;
    entered(model);
}

fn spot(model: &Model) -> Spot {
    Spot {
        place: model.place,
        step: model.step(),
        item: model.morning.queue.cursor().copied(),
        alert: model.escalations.list.cursor().copied(),
    }
}

fn keep_way_back(model: &mut Model, from: Spot) {
    model.back.push(from);
    if model.back.len() > BACK_MAX {
        model.back.remove(0);
    }
}

fn entered(model: &mut Model) {
    match (model.place.open, model.place.pane) {
        (None, Pane::Morning) => {
            model.morning.decided.clear();
            model.morning.queue.renew();
            model.escalations.list.renew();
        }
        (None, Pane::Midday) => {
            model.midday.posts.renew();
            model.escalations.list.renew();
        }
        (None, Pane::EndOfDay) => {
            model.evening.outcomes.renew();
            model.evening.decide.renew();
        }
        (None, Pane::Experiments) => model.experiments.list.renew(),
        (None, Pane::Layers) => model.layers.list.renew(),
        (None, Pane::Accounts) => model.accounts.list.renew(),
        (None, Pane::Memory) => model.memory.list.renew(),
        (None, Pane::Escalations) => model.escalations.list.renew(),
        (Some(_), _) | (None, Pane::System) => {}
    }
}

pub(super) fn to_pane(model: &mut Model, pane: Pane) {
    leave_to(model, Place { pane, open: None });
}

pub(super) fn back(model: &mut Model) {
    if let Some(Spot { place, step, item, alert }) = model.back.pop() {
        model.place = place;
        if let Some(step) = step {
            model.set_step(step);
        }
        if let Some(item) = item {
            model.morning.queue.go_to(&item);
        }
        if let Some(alert) = alert {
            model.escalations.list.go_to(&alert);
        }
        if let Some(Open::Approval(id)) = place.open {
            begin_reading(model, id);
        }
    }
}

/// One level up: what is open, a narrowed list, marks.
pub(super) fn up(model: &mut Model) {
    if model.place.open.is_some() {
        model.place.open = None;
        // The way there is no way back to it.
        if model.back.last().is_some_and(|last| last.place == model.place) {
            model.back.pop();
        }
    } else if !model.filter_text().is_empty() {
        model.filter_field().reset();
    } else if !model.morning.marked.is_empty() && model.place.pane == Pane::Morning {
        model.morning.marked.clear();
    } else {
        let key = crate::keymap::key_of(&[crate::keymap::Scope::Always], crate::keymap::Intent::Cancel);
        model.say(format!("{} twice leaves.", key.map_or_else(String::new, |key| key.to_string())), Role::Muted);
    }
}

pub(super) fn scope(model: &mut Model) {
    let of_row = || {
        let account = model.account_subject().and_then(|id| model.known.accounts.get(id)).map(|a| &a.client);
        let alert = || model.alert_subject().and_then(|id| escalations::of(model, id)).map(|e| &e.client);
        let line = model.subject().and_then(|id| model.known.line(id)).map(|line| &line.client);
        line.or(account).or_else(alert).cloned()
    };
    model.scope = if model.scope.is_some() { None } else { of_row() };
    match &model.scope {
        Some(client) => {
            let name = model.known.client_name(client);
            model.say(format!("{name} alone."), Role::Muted);
        }
        None => model.say("All clients.", Role::Muted),
    }
    cursor_into_view(model);
}

/// Puts the cursor onto a row that is shown, where it is on one that is not.
pub(super) fn cursor_into_view(model: &mut Model) {
    let queue = morning::shown_queue(model);
    into_view(&mut model.morning.queue, &queue);
    let alerts = escalations::shown(model);
    into_view(&mut model.escalations.list, &alerts);
    let posts = midday::shown(model);
    into_view(&mut model.midday.posts, &posts);
    let outcomes: Vec<ExperimentId> =
        model.evening.outcomes.order().iter().filter(|id| evening::is_shown(model, **id)).copied().collect();
    into_view(&mut model.evening.outcomes, &outcomes);
    let decide: Vec<ExperimentId> =
        model.evening.decide.order().iter().filter(|id| evening::is_shown(model, **id)).copied().collect();
    into_view(&mut model.evening.decide, &decide);
    let accounts = accounts::shown(model);
    into_view(&mut model.accounts.list, &accounts);
    let learnings = crate::memory::shown(model);
    into_view(&mut model.memory.list, &learnings);
    let layers = layers::shown(model);
    into_view(&mut model.layers.list, &layers);
    let experiments = experiments::shown(model);
    into_view(&mut model.experiments.list, &experiments);
}

fn into_view<K: Clone + PartialEq>(list: &mut crate::list::List<K>, shown: &[K]) {
    if let (Some(first), false) = (shown.first(), list.cursor().is_some_and(|cursor| shown.contains(cursor))) {
        list.go_to(first);
    }
}

pub(super) fn let_in(model: &mut Model) {
    match (model.place.open, model.place.pane) {
        (None, Pane::Morning) => {
            model.morning.decided.clear();
            model.morning.queue.renew();
            model.escalations.list.renew();
        }
        (None, Pane::Midday) => {
            model.midday.posts.renew();
            model.escalations.list.renew();
        }
        (None, Pane::EndOfDay) => {
            model.evening.outcomes.renew();
            model.evening.decide.renew();
        }
        (None, Pane::Experiments) => model.experiments.list.renew(),
        (None, Pane::Layers) => model.layers.list.renew(),
        (None, Pane::Accounts) => model.accounts.list.renew(),
        (None, Pane::Memory) => model.memory.list.renew(),
        (None, Pane::Escalations) => model.escalations.list.renew(),
        (Some(_), _) | (None, Pane::System) => {}
    }
}

/// Goes to what needs a person: forward to the most urgent thing that was not gone to yet, so that what comes in later
/// and hurries more is next; once all were, round again.
pub(super) fn to_need(model: &mut Model, forward: bool) {
    let needs = model.needs();
    let current = current_need(model);
    let at = current.and_then(|current| needs.iter().position(|need| *need == current));
    // Until the first jump nobody chose where the cursor stands.
    if let Some(current) = current.filter(|_| !model.visited.is_empty()) {
        model.visited.insert(current);
    }
    model.visited.retain(|need| needs.contains(need));
    let fresh = needs.iter().position(|need| !model.visited.contains(need));
    let count = needs.len();
    let target = match (fresh, at, forward) {
        (Some(fresh), _, true) => fresh,
        (None, Some(at), true) => (at + 1) % count.max(1),
        (_, None, _) => 0,
        (_, Some(at), false) => (at + count.saturating_sub(1)) % count.max(1),
    };
    let Some(need) = needs.get(target).copied() else { return };
    model.visited.insert(need);
    if current == Some(need) {
        model.say(format!("This is the most urgent of {count}."), Role::Muted);
        return;
    }
    let from = spot(model);
    go_to_need(model, need);
    if model.back.last().is_none_or(|last| *last != from) {
        keep_way_back(model, from);
    }
}

fn go_to_need(model: &mut Model, need: Need) {
    match need {
        Need::Engine => to_pane(model, Pane::System),
        Need::Alert(id) => {
            match model.place {
                // The round one is in shows the same list.
                Place { pane: Pane::Morning, open: None } => model.set_step(Step::Alerts),
                Place { pane: Pane::Midday, open: None } => model.set_step(Step::Escalations),
                Place { .. } => to_pane(model, Pane::Escalations),
            }
            model.escalations.list.go_to(&id);
        }
        Need::Item(id) => {
            to_pane(model, Pane::Morning);
            model.set_step(Step::Queue);
            model.morning.filter.reset();
            model.morning.queue.go_to(&id);
        }
    }
}

fn current_need(model: &Model) -> Option<Need> {
    match (model.place.open, model.place.pane) {
        (Some(Open::Approval(id) | Open::Detail(id)), _) => Some(Need::Item(id)),
        (None, Pane::Morning | Pane::Midday) => match model.step() {
            Some(Step::Alerts | Step::Escalations) => model.escalations.list.cursor().copied().map(Need::Alert),
            Some(Step::Queue) => model.morning.queue.cursor().copied().map(Need::Item),
            Some(Step::Layers | Step::Posts | Step::Replies | Step::Outcomes | Step::Decide | Step::SignOff) | None => {
                None
            }
        },
        (None, Pane::Escalations) => model.escalations.list.cursor().copied().map(Need::Alert),
        (None, Pane::System) => Some(Need::Engine),
        (None, Pane::EndOfDay | Pane::Experiments | Pane::Layers | Pane::Accounts | Pane::Memory) => None,
    }
}

pub(super) fn why_subject(model: &Model) -> Option<Subject> {
    if model.shows_alerts() {
        return model.alert_subject().map(Subject::Alert);
    }
    if let Some(account) = model.account_subject() {
        return Some(Subject::Account(account.clone()));
    }
    match model.subject() {
        Some(id) => Some(Subject::Experiment(id)),
        None => (model.place.pane == Pane::System).then_some(Subject::Engine),
    }
}

pub(super) fn open(model: &mut Model) {
    if let Some(alert) = model.alert_subject() {
        model.sheets.push(Sheet::Why(sheets::Why { subject: Subject::Alert(alert), top: 0 }));
        return;
    }
    let Some(id) = model.subject() else { return };
    match model.place.pane {
        Pane::Morning => open_approval(model, id),
        Pane::Midday => open_detail_at(model, id, Tab::Posts),
        Pane::EndOfDay => open_detail_at(model, id, Tab::Numbers),
        Pane::Experiments | Pane::Layers => open_detail(model, id),
        Pane::Memory => open_detail_at(model, id, Tab::Numbers),
        Pane::Accounts | Pane::Escalations | Pane::System => {}
    }
}

/// Opens the approval page of an item.
pub(super) fn open_approval(model: &mut Model, id: ExperimentId) {
    let pane = model.place.pane;
    leave_to(model, Place { pane, open: Some(Open::Approval(id)) });
    begin_reading(model, id);
}

fn begin_reading(model: &mut Model, id: ExperimentId) {
    model.known.pictures.clear();
    let fingerprint = model.known.item(id).map(|item| item.sheet.fingerprint.clone()).unwrap_or_default();
    model.approval = Approval { opened_ms: model.now.real_ms, fingerprint, ..Approval::default() };
    reached(model, id);
}

/// Opens one experiment by stage.
pub(super) fn open_detail(model: &mut Model, id: ExperimentId) {
    leave_to(model, Place { pane: Pane::Experiments, open: Some(Open::Detail(id)) });
    model.experiments.list.go_to(&id);
    model.experiments.tab = Tab::Now;
    model.experiments.top = 0;
    if let Some(line) = model.known.line(id) {
        model.wanted.insert(Ask::Experiment(line.code.clone()));
    }
}

/// Opens one experiment at a page of it.
pub(super) fn open_detail_at(model: &mut Model, id: ExperimentId, tab: Tab) {
    open_detail(model, id);
    model.experiments.tab = tab;
    if tab == Tab::Numbers {
        ask_numbers(model, id);
    }
}

fn ask_numbers(model: &mut Model, id: ExperimentId) {
    if let Some(line) = model.known.line(id) {
        let code = line.code.clone();
        model.wanted.extend([Ask::Snapshots(code.clone()), Ask::Outcome(code)]);
    }
}

/// Opens the pictures of the item under the cursor, whole.
pub(super) fn pictures(model: &mut Model) {
    if let Some(experiment) = model.subject() {
        model.known.pictures.retain(|_, picture| picture.is_ok());
        model.sheets.push(Sheet::Pictures(sheets::Pictures { experiment, at: 0 }));
    }
}

pub(super) fn sibling(model: &mut Model, forward: bool) {
    if let Some(Sheet::Pictures(open)) = model.sheets.last_mut() {
        let item = model.known.item(open.experiment);
        let count = item.map_or(0, |item| crate::picture::shown(item).len()).max(1);
        open.at = (open.at + if forward { 1 } else { count - 1 }) % count;
        return;
    }
    match (model.place.open, model.place.pane) {
        (Some(Open::Approval(id)), _) => {
            let tests = approval::present_page(model, id).tests;
            let top = model.approval.top;
            // The title above a variant stays in sight.
            let places = tests.iter().map(|line| line.saturating_sub(1));
            let target = if forward {
                places.clone().find(|line| *line > top)
            } else {
                places.clone().rfind(|line| *line < top)
            };
            let target = target.or_else(|| if forward { places.clone().next() } else { places.clone().next_back() });
            let extent = approval::extent(model, id);
            model.approval.top = target.unwrap_or(top).min(extent.0.saturating_sub(extent.1));
            model.approval.scrolled |= model.approval.top != top;
            reached(model, id);
        }
        (Some(Open::Detail(id)), _) => {
            model.experiments.tab = model.experiments.tab.turned(forward);
            model.experiments.top = 0;
            if model.experiments.tab == Tab::Numbers {
                ask_numbers(model, id);
            }
        }
        (None, Pane::Morning | Pane::Midday | Pane::EndOfDay) => {
            let (Some(round), Some(step)) = (rounds::of_pane(model.place.pane), model.step()) else { return };
            let all = rounds::steps(round);
            let at = all.iter().position(|other| *other == step).unwrap_or(0);
            let by = if forward { 1 } else { all.len().saturating_sub(1) };
            if let Some(next) = all.get((at + by) % all.len().max(1)) {
                model.set_step(*next);
            }
        }
        (None, Pane::Layers) => {
            let at = model.layers.fortnight;
            model.layers.fortnight = if forward { at.saturating_add(1).min(25) } else { at.saturating_sub(1) };
        }
        (None, Pane::Experiments | Pane::Accounts | Pane::Escalations | Pane::Memory | Pane::System) => {}
    }
}

/// Moves by rows: the cursor of a list, or what is shown of a page.
pub(super) fn rows(model: &mut Model, by: isize) {
    if let Some(sheet) = model.sheets.last() {
        let extent = sheets::extent(model, sheet);
        scroll_sheet(model, by, extent);
        return;
    }
    match (model.place.open, model.place.pane) {
        (Some(Open::Approval(id)), _) => {
            let extent = approval::extent(model, id);
            let before = model.approval.top;
            model.approval.top = scrolled(before, by, extent);
            model.approval.scrolled |= model.approval.top != before;
            reached(model, id);
        }
        (Some(Open::Detail(id)), _) => {
            let extent = detail::extent(model, id);
            model.experiments.top = scrolled(model.experiments.top, by, extent);
        }
        (None, Pane::Morning | Pane::Midday | Pane::EndOfDay) => match model.step() {
            Some(Step::Queue) => {
                let shown = morning::shown_queue(model);
                model.morning.queue.step(&shown, by);
            }
            Some(Step::Alerts | Step::Escalations) => {
                let shown = escalations::shown(model);
                model.escalations.list.step(&shown, by);
            }
            Some(Step::Layers) => {
                let all = model.known.layers.iter().flatten().count();
                model.morning.layers_top = scrolled(model.morning.layers_top, by, (all, 1));
            }
            Some(Step::Posts) => {
                let shown = midday::shown(model);
                model.midday.posts.step(&shown, by);
            }
            Some(Step::Outcomes) => {
                let shown = evening::shown(model);
                model.evening.outcomes.step(&shown, by);
            }
            Some(Step::Decide) => {
                let shown = evening::shown(model);
                model.evening.decide.step(&shown, by);
            }
            Some(Step::Replies | Step::SignOff) | None => {}
        },
        (None, Pane::Experiments) => {
            let shown = experiments::shown(model);
            model.experiments.list.step(&shown, by);
        }
        (None, Pane::Layers) => {
            let shown = layers::shown(model);
            model.layers.list.step(&shown, by);
        }
        (None, Pane::Memory) => {
            let shown = crate::memory::shown(model);
            model.memory.list.step(&shown, by);
        }
        (None, Pane::Accounts) => {
            let shown = accounts::shown(model);
            model.accounts.list.step(&shown, by);
        }
        (None, Pane::Escalations) => {
            let shown = escalations::shown(model);
            model.escalations.list.step(&shown, by);
        }
        (None, Pane::System) => {
            let extent = crate::system::extent(model);
            model.system_top = scrolled(model.system_top, by, extent);
        }
    }
}

/// Moves by pages.
pub(super) fn pages(model: &mut Model, by: isize) {
    let height = match (model.sheets.last(), model.place.open, model.place.pane) {
        (Some(sheet), _, _) => sheets::extent(model, sheet).1,
        (None, Some(Open::Approval(id)), _) => approval::extent(model, id).1,
        (None, Some(Open::Detail(id)), _) => detail::extent(model, id).1,
        (None, None, Pane::System) => crate::system::extent(model).1,
        (
            None,
            None,
            Pane::Morning
            | Pane::Midday
            | Pane::EndOfDay
            | Pane::Experiments
            | Pane::Layers
            | Pane::Accounts
            | Pane::Escalations
            | Pane::Memory,
        ) => 0,
    };
    // One line of a page stays, so that the eye finds its place.
    let page = isize::try_from(height.saturating_sub(1)).unwrap_or(LIST_PAGE);
    rows(model, by.saturating_mul(if page > 0 { page } else { LIST_PAGE }));
}

fn scrolled(top: usize, by: isize, (all, height): (usize, usize)) -> usize {
    top.saturating_add_signed(by).min(all.saturating_sub(height))
}

fn scroll_sheet(model: &mut Model, by: isize, extent: (usize, usize)) {
    match model.sheets.last_mut() {
        Some(Sheet::Approve(approve)) => approve.top = scrolled(approve.top, by, extent),
        Some(Sheet::SignOff(sign)) => sign.top = scrolled(sign.top, by, extent),
        Some(Sheet::Why(why)) => why.top = scrolled(why.top, by, extent),
        Some(Sheet::Answer(answer)) => answer.top = scrolled(answer.top, by, extent),
        Some(Sheet::Decide(decide)) => decide.top = scrolled(decide.top, by, extent),
        Some(Sheet::Mislead(sheet)) => {
            let items = match model.known.reviews.get(&sheet.code) {
                Some(Ok(review)) => review.confounders.len(),
                Some(Err(_)) | None => 0,
            };
            sheet.at = sheet.at.saturating_add_signed(by).min(items.saturating_sub(1));
        }
        Some(Sheet::Messages(top)) => *top = scrolled(*top, by, extent),
        Some(Sheet::Help(search)) => {
            let query = search.query.value().to_owned();
            let chosen = search.chosen;
            let rows = sheets::search::help_rows(model, &query).len();
            choose(model, chosen.saturating_add_signed(by).min(rows.saturating_sub(1)));
        }
        Some(Sheet::Palette(search)) => {
            let query = search.query.value().to_owned();
            let chosen = search.chosen;
            let rows = sheets::search::palette_rows(model, &query).len();
            choose(model, chosen.saturating_add_signed(by).min(rows.saturating_sub(1)));
        }
        Some(
            Sheet::Pictures(_)
            | Sheet::Refuse(_)
            | Sheet::Stop(_)
            | Sheet::Resume(_)
            | Sheet::Retract(_)
            | Sheet::Hand(_)
            | Sheet::Leave,
        )
        | None => {}
    }
}

fn choose(model: &mut Model, row: usize) {
    if let Some(Sheet::Help(search) | Sheet::Palette(search)) = model.sheets.last_mut() {
        search.chosen = row;
    }
}

/// Notes how far the page was on the screen.
pub(super) fn reached(model: &mut Model, id: ExperimentId) {
    let (all, height) = approval::extent(model, id);
    if model.known.item(id).is_some() && model.size.class() != crate::frame::Class::TooSmall {
        let until = (model.approval.top + height).min(all);
        model.approval.reached = model.approval.reached.max(until);
    }
}

/// Keeps scrolled pages within their ends after anything changed.
pub(super) fn keep_in_view(model: &mut Model) {
    match model.place.open {
        Some(Open::Approval(id)) => {
            let extent = approval::extent(model, id);
            model.approval.top = scrolled(model.approval.top, 0, extent);
            reached(model, id);
        }
        Some(Open::Detail(id)) => {
            let extent = detail::extent(model, id);
            model.experiments.top = scrolled(model.experiments.top, 0, extent);
        }
        None => {}
    }
}
