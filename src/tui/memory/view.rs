//! How Memory is drawn: one sentence a row, the one under the cursor whole.
//!
//! Decides columns. What a learning may say is the domain's rule.

use desk::query::LearningView;
use domain::id::LearningId;
use ratatui::layout::Rect;

use super::{of, shown, sign, under_cursor};
use crate::clean::Clean;
use crate::frame::Class;
use crate::keymap::{Intent, Scope, key_of};
use crate::line::{Line, Look, ledger, paragraph};
use crate::list::page_start;
use crate::model::Model;
use crate::morning::preview::counted;
use crate::morning::view::{columns, split};
use crate::pen::{Pen, text_width};
use crate::theme::Role;
use crate::when;

/// The column of values.
const STOP: usize = 13;

/// Draws the pane.
pub(crate) fn draw(model: &Model, pen: &mut Pen<'_>, area: Rect) {
    let (_, area) = split(area, 1);
    let class = model.size.class();
    if class >= Class::L {
        let (list, beside) = columns(area, area.width.saturating_sub(62));
        pen.lines(list, &list_lines(model, text_width(list), usize::from(list.height.saturating_sub(2))));
        pen.divider(Rect { x: list.right().saturating_sub(1), width: 1, ..list });
        pen.lines(beside, &page(model, text_width(beside)));
        return;
    }
    let width = text_width(area);
    let below = if class == Class::Tiny { Vec::new() } else { page(model, width) };
    let room = usize::from(area.height).saturating_sub(2);
    let rows = shown(model).len().max(1);
    let list = rows.min(room.saturating_sub(below.len() + 1).max(room.min(5)));
    let (list_area, rest) = split(area, 2 + list);
    pen.lines(list_area, &list_lines(model, width, list));
    pen.lines(split(rest, 1).1, &below);
}

fn list_lines(model: &Model, width: usize, height: usize) -> Vec<Line> {
    let shown = shown(model);
    let query = model.memory.query.value().trim();
    let waiting = model.memory.list.waiting();
    let mut aside = format!("{}, newest first", counted(shown.len(), "learning"));
    if waiting > 0 {
        aside = format!("{waiting} new, r lets them in   {aside}");
    }
    let current = model.known.learnings.as_ref().is_some_and(|(text, _)| text == query);
    let old = model.link.state(model.now).is_old() || (!current && model.known.learnings.is_some());
    let title = if old { "What we know ~" } else { "What we know" };
    let mut lines = vec![Line::title(title, aside)];
    if shown.is_empty() {
        let key = key_of(&[Scope::Anywhere], Intent::PaneEndOfDay).map_or_else(String::new, |key| key.to_string());
        let words = match (current, query.is_empty()) {
            (false, _) => "working".to_owned(),
            (true, false) => "Nothing learned holds all these words.".to_owned(),
            (true, true) => {
                format!("Nothing learned yet: a decision at the end of the day, {key}, leaves a sentence here.")
            }
        };
        lines.extend(paragraph(&Clean::of(words), Look::of(Role::Muted), 0, width));
        return lines;
    }
    let at = Columns::of(width);
    let muted = Look::of(Role::Muted);
    let head = Line::new().cell("strength", muted, at.state, 1);
    let head = if at.client > 0 { head.cell("client", muted, at.client, 1) } else { head };
    lines.push(head.muted("sentence").right("learned", muted));
    let cursor = model.memory.list.cursor();
    let place = cursor.and_then(|cursor| shown.iter().position(|id| id == cursor)).unwrap_or(0);
    let rows = shown.iter().skip(page_start(place, height)).take(height);
    lines.extend(rows.filter_map(|id| row(model, *id, &at, width)));
    lines
}

struct Columns {
    state: usize,
    client: usize,
    date: usize,
}

impl Columns {
    const fn of(width: usize) -> Self {
        Self { state: 16, client: if width < 90 { 0 } else { 16 }, date: 8 }
    }
}

fn row(model: &Model, id: LearningId, at: &Columns, width: usize) -> Option<Line> {
    let view = of(model, id)?;
    let here = model.memory.list.cursor() == Some(&id);
    let muted = Look::of(Role::Muted);
    let mut line = sign(view).put(Line::new(), at.state, 1);
    if at.client > 0 {
        line = line.cell(model.known.client_name(&view.learning.client), muted, at.client, 1);
    }
    let room = width.saturating_sub(line.end() + at.date + 1);
    let sentence = crate::morning::preview::one_line(&view.learning.sentence).cut(room);
    let look = if view.holds { Look::default() } else { muted };
    let date = when::day(view.learning.at, model.known.zone(&view.learning.client));
    Some(line.put(sentence, look).right(date, muted).selected(here))
}

/// Returns the learning under the cursor, whole.
fn page(model: &Model, width: usize) -> Vec<Line> {
    under_cursor(model).map_or_else(Vec::new, |view| whole(model, view, width))
}

fn whole(model: &Model, view: &LearningView, width: usize) -> Vec<Line> {
    let learning = &view.learning;
    let zone = model.known.zone(&learning.client);
    let mut lines = vec![Line::title(format!("From {}", learning.code), model.known.client_name(&learning.client))];
    lines.extend(paragraph(&Clean::of(learning.sentence.as_str()), Look::bold(Role::Text), 0, width));
    lines.push(Line::new());
    let mut add = |label: &'static str, text: String, role: Role| {
        lines.extend(ledger(label, STOP, &Clean::of(text), Look::of(role), width));
    };
    let about = &learning.about;
    add(
        "About",
        format!("{} on {}: {} against {}", about.variable, about.surface, about.tests.join(", "), about.control),
        Role::Text,
    );
    let strength = learning.strength.map_or("n/a", |strength| strength.as_str());
    let posts = counted(learning.posts, "comparable post");
    add("Said", format!("{}, {strength}, {posts}", learning.say.as_str()), Role::Text);
    let decided = format!("{} by {}, {}", learning.decided.as_str(), learning.by, when::day_clock(learning.at, zone));
    add("Decided", decided, Role::Text);
    if let Some(offered) = &learning.offered {
        add("Was offered", offered.clone(), Role::Muted);
    }
    match &learning.retracted {
        Some(retracted) => {
            let at = when::day_clock(retracted.at, zone);
            add("Retracted", format!("{at} by {}: {}", retracted.by, retracted.reason), Role::Warn);
        }
        None if view.holds => add("Holds until", when::day(learning.expires, zone), Role::Text),
        None => add("Expired", when::day(learning.expires, zone), Role::Warn),
    }
    lines
}
