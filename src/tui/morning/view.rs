//! How Morning is drawn: steps, the list of the present step, the preview of the row under the cursor.
//!
//! Decides only places. Sizes: S and M list over preview, L list beside preview with the steps as a rail, XL all columns
//! of the list and a third column with days, layer and history.

use domain::checkin::Round;
use domain::id::ExperimentId;
use domain::time::Span;
use ratatui::layout::Rect;

use super::{preview, shown_queue, sign, strip};
use crate::clean::Clean;
use crate::escalations;
use crate::frame::Class;
use crate::line::{Line, Look};
use crate::list::page_start;
use crate::model::Model;
use crate::pen::Pen;
use crate::rounds::view::{Parts, sign_off};
use crate::rounds::{Step, steps, view as frame};
use crate::theme::Role;
use crate::when;

/// Draws the pane.
pub(crate) fn draw(model: &Model, pen: &mut Pen<'_>, area: Rect) {
    let parts = Parts {
        round: Round::Morning,
        rows: &|width| row_count(model, width),
        list: &|width, height| list_lines(model, width, height, model.size.class()),
        preview: &|width| preview_lines(model, width),
        around: &|width| third_column(model, width),
        widths: [(51, 0), (46, 50)],
    };
    frame::draw(model, pen, area, &parts);
}

/// Parts an area after so many rows.
pub(crate) fn split(area: Rect, rows: usize) -> (Rect, Rect) {
    let rows = u16::try_from(rows).unwrap_or(u16::MAX).min(area.height);
    let above = Rect { height: rows, ..area };
    (above, Rect { y: area.y.saturating_add(rows), height: area.height.saturating_sub(rows), ..area })
}

/// Parts an area after so many columns.
pub(crate) fn columns(area: Rect, left: u16) -> (Rect, Rect) {
    let left = left.min(area.width);
    let first = Rect { width: left, ..area };
    (first, Rect { x: area.x.saturating_add(left), width: area.width.saturating_sub(left), ..area })
}

fn row_count(model: &Model, width: usize) -> usize {
    match model.morning.step {
        Step::Alerts => escalations::shown(model).len() + 1,
        Step::Layers => model.known.layers.iter().flatten().count(),
        Step::SignOff => sign_off(model, Round::Morning, width).len(),
        Step::Queue | Step::Posts | Step::Escalations | Step::Replies | Step::Outcomes | Step::Decide => {
            shown_queue(model).len()
        }
    }
}

fn list_lines(model: &Model, width: usize, height: usize, class: Class) -> Vec<Line> {
    match model.morning.step {
        Step::Alerts => escalations::view::list_lines(model, width, height.saturating_sub(1)),
        Step::Layers => layers(model, width, height, class),
        Step::SignOff => sign_off(model, Round::Morning, width),
        Step::Queue | Step::Posts | Step::Escalations | Step::Replies | Step::Outcomes | Step::Decide => {
            queue(model, width, height, class)
        }
    }
}

fn empty(loading: bool, words: &'static str) -> Line {
    Line::new().muted(if loading { "working" } else { words })
}

fn queue(model: &Model, width: usize, height: usize, class: Class) -> Vec<Line> {
    let shown = shown_queue(model);
    let mut lines = vec![queue_title(model, shown.len())];
    let layout = Columns::of(class, width);
    if class != Class::S && class != Class::Tiny {
        lines.push(layout.heads());
    }
    if shown.is_empty() {
        let filtered = !model.morning.filter.value().is_empty();
        let words =
            if filtered { "Nothing here matches the filter." } else { "Queue empty: nothing waits for a word." };
        lines.push(empty(model.known.queue.is_none(), words));
        return lines;
    }
    let at = model.morning.queue.cursor().and_then(|cursor| shown.iter().position(|id| id == cursor)).unwrap_or(0);
    let rows = shown.iter().skip(page_start(at, height)).take(height);
    lines.extend(rows.map(|id| layout.row(model, *id)));
    lines
}

fn queue_title(model: &Model, shown: usize) -> Line {
    let (marked, hidden) = super::marked(model);
    let waiting = model.morning.queue.waiting();
    let mut parts = Vec::new();
    if waiting > 0 {
        parts.push(format!("{waiting} new, r lets them in"));
    } else if model.morning.queue.is_out_of_order() {
        parts.push("r sorts them".to_owned());
    }
    match (marked.len(), hidden.len()) {
        (0, 0) => parts.push(preview::counted(shown, "item")),
        (marked, 0) => parts.push(format!("{marked} of {shown} marked")),
        (marked, hidden) => parts.push(format!("{marked} of {shown} marked, {hidden} not shown")),
    }
    if model.size.class() != Class::S && model.size.class() != Class::Tiny {
        parts.push(when::weekday_day(model.wall(), model.setting.zone));
    }
    let title = if model.link.state(model.now).is_old() { "Queue ~" } else { "Queue" };
    Line::title(title, parts.join("   "))
}

/// The columns of the queue at a size.
struct Columns {
    state: usize,
    name: usize,
    account: usize,
    surface: usize,
    variable: usize,
    size: usize,
    slot: usize,
    gap: usize,
    /// Of the whole row.
    width: usize,
}

impl Columns {
    fn of(class: Class, width: usize) -> Self {
        // Whatever is left goes to the name; it is what people know an experiment by.
        let (state, account, surface, variable, size, slot, gap) = match class {
            Class::TooSmall | Class::Tiny => (12, 0, 0, 0, 0, 14, 1),
            Class::S => (11, 13, 0, 8, 0, 13, 1),
            Class::M | Class::Xl => (12, 14, 9, 9, 8, 13, 1),
            Class::L => (12, 15, 0, 9, 0, 13, 1),
        };
        let fixed = state + account + surface + variable + size + slot + 8;
        Self {
            state,
            name: width.saturating_sub(fixed).clamp(10, 40),
            account,
            surface,
            variable,
            size,
            slot,
            gap,
            width,
        }
    }

    fn heads(&self) -> Line {
        let muted = Look::of(Role::Muted);
        let cells: [(&'static str, usize); 7] = [
            ("state", self.state),
            ("experiment", self.name),
            ("account", self.account),
            ("surface", self.surface),
            ("variable", self.variable),
            ("size", self.size),
            ("first slot", self.slot),
        ];
        let line = cells
            .into_iter()
            .fold(Line::new(), |line, (head, width)| if width == 0 { line } else { line.cell(head, muted, width, 1) });
        line.right("in", muted)
    }

    fn row(&self, model: &Model, id: ExperimentId) -> Line {
        let here = model.morning.queue.cursor() == Some(&id);
        let sign = sign(model, id);
        let mut line = sign.put(Line::new(), self.state, self.gap);
        let muted = Look::of(Role::Muted);
        let known = model.known.line(id);
        let name = known.map_or_else(String::new, |line| line.name.clone());
        line = line.cell(name, Look::default(), self.name, self.gap);
        let item = model.known.items.get(&id);
        if self.account > 0 {
            let handle = item.and_then(|item| item.accounts().first().map(|a| model.known.handle(a)));
            line = line.cell(handle.unwrap_or_default(), muted, self.account, self.gap);
        }
        if self.surface > 0 {
            let platform = item.and_then(|item| item.brief.as_ref()?.platforms.first().copied());
            line = line.cell(platform.map_or("", |p| p.as_str()), muted, self.surface, self.gap);
        }
        if self.variable > 0 {
            let variable = item.and_then(crate::item::Item::variable).map_or("", |facet| facet.as_str());
            line = line.cell(variable, Look::default(), self.variable, self.gap);
        }
        if self.size > 0 {
            let size = item.map(|item| format!("{}v {:>2}p", item.variants(), item.sheet.posts.len()));
            line = line.cell(size.unwrap_or_default(), muted, self.size, self.gap);
        }
        let waiting = model.known.queue.as_ref().and_then(|queue| queue.get(&id));
        let first = waiting.and_then(|line| line.first).or_else(|| item.and_then(crate::item::Item::first));
        if let Some(later) = super::later(model, id) {
            // Whoever put it off decides nothing before then; when it is back says more than its slot.
            let words = super::later_words(later.until, model.wall(), model.setting.zone);
            return line.right(words, muted).selected(here).marked(model.morning.marked.contains(&id));
        }
        if let (Some(first), Some(known)) = (first, known) {
            let zone = model.known.zone(&known.client);
            if let Some(others) = model.known.on_this(id) {
                // The hour stays in sight beside it; what stands before is cut where there is no room.
                let at = line.end().min(self.width.saturating_sub(others.width() + 6));
                line = line.goto(at).plain(when::clock(first, zone)).right(others, Look::of(Role::Attention));
                return line.selected(here).marked(model.morning.marked.contains(&id));
            }
            let place = Clean::of(when::city(zone)).cut(self.slot.saturating_sub(6 + self.gap));
            line = line.plain(when::clock(first, zone)).plain(" ").put(place, muted);
            line = line.right(when::until(first, model.wall()), Look::default());
        }
        line.selected(here).marked(model.morning.marked.contains(&id))
    }
}

fn preview_lines(model: &Model, width: usize) -> Vec<Line> {
    match model.morning.step {
        Step::Alerts => escalations::view::page(model, width),
        Step::Layers
        | Step::SignOff
        | Step::Posts
        | Step::Escalations
        | Step::Replies
        | Step::Outcomes
        | Step::Decide => Vec::new(),
        Step::Queue => {
            let shown = shown_queue(model);
            let Some(id) = model.previewed() else { return Vec::new() };
            let at = shown.iter().position(|other| *other == id).map_or(1, |at| at + 1);
            preview::lines(model, id, (at, shown.len()), width)
        }
    }
}

fn third_column(model: &Model, width: usize) -> Vec<Line> {
    match model.previewed().filter(|_| model.morning.step == Step::Queue) {
        Some(id) => around(model, id, width),
        None => Vec::new(),
    }
}

/// Returns what stands around an experiment: the days it goes out on, its layer with whoever comes after, its history.
pub(crate) fn around(model: &Model, id: ExperimentId, width: usize) -> Vec<Line> {
    let mut lines = Vec::new();
    if let Some(item) = model.known.item(id) {
        let zone = model.known.zone(item.client());
        let gap = model.known.clients.get(item.client()).map_or(Span::ZERO, |client| client.policy.min_gap);
        lines.push(Line::title("The days", when::city(zone)));
        lines.extend(days(model, item, zone, gap, width));
        lines.push(Line::new());
    }
    lines.extend(its_layer(model, id, width));
    let events: Vec<Line> = history(model, id, width);
    lines.push(Line::title("History", preview::counted(events.len(), "event")));
    if events.is_empty() {
        lines.push(Line::new().muted("Nothing among the last events."));
    }
    lines.extend(events);
    lines
}

fn its_layer(model: &Model, id: ExperimentId, width: usize) -> Vec<Line> {
    let Some(name) = model.known.details.get(&id).and_then(|detail| detail.layer.clone()) else { return Vec::new() };
    let client = model.known.line(id).map(|line| line.client.clone());
    let zone = client.map_or(domain::time::Zone::UTC, |client| model.known.zone(&client));
    let mut lines = vec![Line::title("Layer", ""), Line::new().plain(Clean::of(name.clone()).cut(width))];
    let layers = model.known.layers.iter().flatten().filter(|layer| layer.layer == name);
    for tenure in layers.flat_map(|layer| &layer.tenures).filter(|tenure| tenure.window.until >= model.wall()) {
        let mine = tenure.experiment == id;
        let until = format!("to {}", when::day(tenure.window.until, zone));
        let line = Line::new().cell(tenure.code.clone(), Look::default(), 12, 2).cell(until, Look::default(), 12, 2);
        lines.push(line.muted(if mine { "this one" } else { "another" }));
    }
    lines.push(Line::new());
    lines
}

/// Returns one strip for each day on which something goes out.
pub(crate) fn days(
    model: &Model,
    item: &crate::item::Item,
    zone: domain::time::Zone,
    gap: Span,
    width: usize,
) -> Vec<Line> {
    let mut dates: Vec<_> = item.sheet.posts.iter().map(|post| zone.local(post.line.slot).date).collect();
    dates.sort_unstable();
    dates.dedup();
    let at = 8;
    let columns = width.saturating_sub(at + 1).min(60);
    let marks = [("00", 0), ("06", columns / 4), ("12", columns / 2), ("18", columns * 3 / 4)];
    let head = marks.into_iter().fold(Line::new(), |line, (hour, column)| line.goto(at + column).muted(hour));
    let mut lines = vec![head];
    let limit = model.known.clients.get(item.client()).map_or(0, |client| client.policy.max_per_24h);
    for date in dates.iter().take(7) {
        let posts: Vec<(char, domain::time::UtcTime)> = item
            .sheet
            .posts
            .iter()
            .filter(|post| zone.local(post.line.slot).date == *date)
            .map(|post| (post.line.letter, post.line.slot))
            .collect();
        let line = Line::new().muted(date.format("%a %-d").to_string()).goto(at);
        lines.push(strip(line, &posts, zone, gap, columns));
    }
    if dates.len() > 7 {
        lines.push(Line::new().muted(format!("and {} days more", dates.len() - 7)));
    }
    let pace = format!("{}, at most {limit} in 24 h", when::span(gap));
    lines.push(Line::new().muted("least gap ━ ").muted(pace));
    lines
}

/// Returns an experiment's events, newest first.
pub(crate) fn history(model: &Model, id: ExperimentId, width: usize) -> Vec<Line> {
    let stream = format!("experiment/{id}");
    let events = model.known.events.iter().rev().filter(|event| event.stream == stream);
    events.map(|event| crate::system::event_line(model, event, width, false)).collect()
}

fn layers(model: &Model, width: usize, height: usize, class: Class) -> Vec<Line> {
    let all: Vec<_> = model.known.layers.iter().flatten().filter(|layer| !layer.tenures.is_empty()).collect();
    let mut lines = vec![Line::title("Layers", steps::what(model, Step::Layers))];
    if all.is_empty() {
        lines.push(empty(model.known.layers.is_none(), "No layers in use."));
        return lines;
    }
    let muted = Look::of(Role::Muted);
    let name = width.saturating_sub(44).clamp(20, 44);
    if class != Class::S && class != Class::Tiny {
        lines.push(
            Line::new()
                .cell("layer", muted, name, 2)
                .cell("held by", muted, 14, 2)
                .cell("until", muted, 12, 2)
                .muted("then"),
        );
    }
    for layer in all.iter().skip(model.morning.layers_top).take(height) {
        let client = layer.layer.split('/').next().and_then(|client| client.parse().ok());
        let zone = client.map_or(domain::time::Zone::UTC, |client| model.known.zone(&client));
        let mut tenures = layer.tenures.iter().filter(|tenure| tenure.window.until >= model.wall());
        let holder = tenures.next();
        let next: Vec<&str> = tenures.map(|tenure| tenure.code.as_str()).collect();
        lines.push(
            Line::new()
                .cell(layer.layer.clone(), Look::default(), name, 2)
                .cell(holder.map_or_else(|| "free".to_owned(), |t| t.code.clone()), Look::default(), 14, 2)
                .cell(holder.map_or_else(String::new, |t| when::day(t.window.until, zone)), Look::default(), 12, 2)
                .muted(next.join(", ")),
        );
    }
    lines
}
