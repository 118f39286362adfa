//! How layers are drawn: lanes over fourteen days, by client, and the one under the cursor.
//!
//! Decides the columns and the signs of a day; days are those of each client's zone.

use chrono::{Datelike, NaiveDate};
use domain::time::Zone;
use ratatui::layout::Rect;

use super::{Held, client, collisions, days, free_from, holder, of, on_day, short, shown};
use crate::clean::Clean;
use crate::frame::Class;
use crate::line::{Line, Look, ledger};
use crate::model::Model;
use crate::morning::preview::counted;
use crate::morning::view::{columns, split};
use crate::pen::{Pen, text_width};
use crate::theme::Role;
use crate::when;

/// The column of values.
const STOP: usize = 10;

/// Draws the pane.
pub(crate) fn draw(model: &Model, pen: &mut Pen<'_>, area: Rect) {
    let (_, area) = split(area, 1);
    let class = model.size.class();
    if class >= Class::L {
        let (list, beside) = columns(area, area.width.saturating_sub(56));
        pen.lines(list, &list_lines(model, text_width(list), usize::from(list.height)));
        pen.divider(Rect { x: list.right().saturating_sub(1), width: 1, ..list });
        pen.lines(beside, &page(model, text_width(beside)));
        return;
    }
    let width = text_width(area);
    let below = if class == Class::Tiny { Vec::new() } else { page(model, width) };
    let room = usize::from(area.height);
    let lines = list_lines(model, width, room.saturating_sub(below.len() + 1).max(room.min(9)));
    let (list_area, rest) = split(area, lines.len());
    pen.lines(list_area, &lines);
    pen.lines(split(rest, 1).1, &below);
}

/// The columns at a width: the name, a day, and whether the holder stands at the end.
struct Columns {
    name: usize,
    day: usize,
    holder: bool,
}

impl Columns {
    fn of(width: usize) -> Self {
        let day = if width >= 90 { 3 } else { 2 };
        let holder = width >= 70;
        let rest = width.saturating_sub(day * 14 + if holder { 20 } else { 0 });
        Self { name: rest.clamp(14, 40), day, holder }
    }
}

fn list_lines(model: &Model, width: usize, height: usize) -> Vec<Line> {
    let shown = shown(model);
    let at = Columns::of(width);
    let any = days(model, model.setting.zone);
    let span = match (any.first(), any.last()) {
        (Some(first), Some(last)) => format!("{} to {}", first.format("%-d %b"), last.format("%-d %b")),
        _ => String::new(),
    };
    let title = if model.link.state(model.now).is_old() { "Layers ~" } else { "Layers" };
    let mut lines = vec![Line::title(title, format!("who holds what, {span}"))];
    if shown.is_empty() {
        let words = if model.known.layers.is_none() {
            "working"
        } else if !model.layers.filter.value().is_empty() {
            "Nothing here matches the filter."
        } else {
            "No layers in use: an experiment takes one when it is submitted."
        };
        lines.push(Line::new().muted(words));
        return lines;
    }
    let mut rows: Vec<(Option<&String>, Line)> = Vec::new();
    let mut last = None;
    for name in &shown {
        let of = client(name);
        if of != last {
            let zone = of.as_ref().map_or(Zone::UTC, |client| model.known.zone(client));
            let name = of.as_ref().map_or_else(String::new, |client| model.known.client_name(client));
            rows.push((None, heads(&name, &at, &days(model, zone))));
            last = of;
        }
        rows.push((Some(name), lane(model, name, &at)));
    }
    let room = height.saturating_sub(3).max(2);
    let cursor = model.layers.list.cursor();
    let place = rows.iter().position(|(name, _)| name.is_some() && *name == cursor).unwrap_or(0);
    // The head of its client stays in sight.
    let top = if place < room { 0 } else { place + 1 - room };
    lines.extend(rows.into_iter().skip(top).take(room).map(|(_, line)| line));
    lines.push(Line::new());
    lines.push(legend(model));
    lines
}

fn heads(name: &str, at: &Columns, days: &[NaiveDate]) -> Line {
    let line = Line::new().cell(Clean::of(name.to_owned()), Look::default(), at.name, 1);
    // Numbers of neighbouring days would run into one another where a day has two columns.
    let every = if at.day > 2 { 1 } else { 2 };
    days.iter().step_by(every).fold(line, |line, day| {
        let look = if day.day() == 1 { Look::bold(Role::Text) } else { Look::of(Role::Muted) };
        line.cell(format!("{:02}", day.day()), look, at.day * every, 1)
    })
}

fn lane(model: &Model, name: &str, at: &Columns) -> Line {
    let here = model.layers.list.cursor().map(String::as_str) == Some(name);
    let zone = client(name).map_or(Zone::UTC, |client| model.known.zone(&client));
    let mut line = Line::new().cell(format!("  {}", short(name)), Look::default(), at.name, 1);
    let Some(layer) = of(model, name) else { return line.muted("gone").selected(here) };
    for date in days(model, zone) {
        let (sign, look) = drawn(on_day(model, layer, date, zone));
        line = line.cell(Clean::drawn(sign, at.day - 1), look, at.day, 1);
    }
    if at.holder {
        let waits = layer.tenures.iter().filter(|tenure| tenure.window.until >= model.wall()).count();
        let words = holder(model, name).map_or_else(|| "free".to_owned(), |tenure| tenure.code.clone());
        let more = if waits > 1 { format!(", {} wait", waits - 1) } else { String::new() };
        line = line.plain(" ").plain(Clean::of(words)).muted(more);
    }
    line.selected(here)
}

/// The sign of a day.
const fn drawn(held: Held) -> (char, Look) {
    match held {
        Held::Free => ('·', Look::of(Role::Rule)),
        Held::Taken => ('█', Look::of(Role::Info)),
        Held::Paused => ('=', Look::of(Role::Warn)),
        Held::Wanted => ('▒', Look::of(Role::Muted)),
        Held::Collision => ('x', Look::bold(Role::Danger)),
    }
}

fn legend(model: &Model) -> Line {
    let all = [
        (Held::Taken, " held   "),
        (Held::Paused, " held, paused   "),
        (Held::Wanted, " wanted   "),
        (Held::Collision, " collision   "),
        (Held::Free, " free"),
    ];
    let line = all.into_iter().fold(Line::new(), |line, (held, words)| {
        let (sign, look) = drawn(held);
        line.put(Clean::drawn(sign, 2), look).muted(words)
    });
    match collisions(model).len() {
        0 => line,
        n => line.right(counted(n, "collision"), Look::bold(Role::Danger)),
    }
}

/// Returns the layer under the cursor: who holds it, who waits, from when it is free.
fn page(model: &Model, width: usize) -> Vec<Line> {
    let Some(name) = model.layers.list.cursor().filter(|name| super::is_shown(model, name)) else { return Vec::new() };
    let Some(layer) = of(model, name) else { return Vec::new() };
    let of = client(name);
    let zone = of.as_ref().map_or(Zone::UTC, |client| model.known.zone(client));
    let whose = of.map_or_else(String::new, |client| model.known.client_name(&client));
    let mut lines = vec![Line::title(Clean::of(short(name)), Clean::of(whose).cut(width / 2))];
    let coming: Vec<_> = layer.tenures.iter().filter(|tenure| tenure.window.until >= model.wall()).collect();
    for (row, tenure) in coming.iter().enumerate() {
        let now = tenure.window.from <= model.wall();
        let label = match (row, now) {
            (_, true) => "Now",
            (0, false) => "Next",
            (1, false) if coming.first().is_some_and(|first| first.window.from <= model.wall()) => "Next",
            (_, false) => "",
        };
        let known = model.known.line(tenure.experiment);
        let stage = known.map_or_else(String::new, |line| {
            let stage = if crate::can::is_paused(line) { "paused" } else { line.stage.word() };
            format!("{}, {stage}", line.name)
        });
        let days = when::days(tenure.window.from, tenure.window.until, zone);
        let text = format!("{}  {stage}  {days}", tenure.code);
        lines.extend(ledger(label, STOP, &Clean::of(text), Look::default(), width));
    }
    if coming.is_empty() {
        lines.extend(ledger("Now", STOP, &Clean::of("nobody holds it"), Look::default(), width));
    }
    let free = match free_from(model, layer, zone) {
        Some(date) if date == zone.local(model.wall()).date => "today".to_owned(),
        Some(date) => format!("from {}", date.format("%a %-d %b")),
        None => "not within a year".to_owned(),
    };
    lines.extend(ledger("Free", STOP, &Clean::of(free), Look::default(), width));
    let last = layer.tenures.iter().rev().find(|tenure| tenure.window.until < model.wall());
    if let Some(last) = last {
        let text = format!("{}, until {}", last.code, when::day(last.window.until, zone));
        lines.extend(ledger("Before", STOP, &Clean::of(text), Look::of(Role::Muted), width));
    }
    lines
}
