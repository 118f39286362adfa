//! How the list of experiments is drawn, and the one under the cursor below or beside it.
//!
//! Decides only places and columns: at L the list has the one under the cursor beside it, at XL its days, layer and history
//! in a third column.

use desk::query::ExperimentLine;
use domain::experiment::Stage;
use domain::id::ExperimentId;
use ratatui::layout::Rect;

use super::{detail, shown, sign};
use crate::clean::Clean;
use crate::frame::Class;
use crate::line::{Line, Look};
use crate::list::page_start;
use crate::model::Model;
use crate::morning::preview::counted;
use crate::morning::view::{columns, split};
use crate::pen::{Pen, text_width};
use crate::theme::Role;
use crate::when;

/// Draws the pane.
pub(crate) fn draw(model: &Model, pen: &mut Pen<'_>, area: Rect) {
    let (_, area) = split(area, 1);
    let class = model.size.class();
    if class >= Class::L {
        let third = if class == Class::Xl { 50 } else { 0 };
        let (list, beside) = columns(area, area.width.saturating_sub(60 + third));
        let (preview, around) = columns(beside, 60);
        let height = usize::from(list.height.saturating_sub(2));
        pen.lines(list, &list_lines(model, text_width(list), height));
        pen.divider(Rect { x: list.right().saturating_sub(1), width: 1, ..list });
        pen.lines(preview, &preview_lines(model, text_width(preview)));
        if let Some(id) = model.previewed().filter(|_| around.width > 0) {
            pen.divider(Rect { x: preview.right().saturating_sub(1), width: 1, ..preview });
            pen.lines(around, &crate::morning::view::around(model, id, text_width(around)));
        }
        return;
    }
    let width = text_width(area);
    let preview = if class == Class::Tiny { Vec::new() } else { preview_lines(model, width) };
    let room = usize::from(area.height);
    let rows = shown(model).len().max(1);
    let wanted = if preview.is_empty() { 0 } else { preview.len().min(9) + 1 };
    let list = rows.min(room.saturating_sub(2 + wanted).max(room.saturating_sub(2).min(6)));
    let (list_area, rest) = split(area, 2 + list);
    pen.lines(list_area, &list_lines(model, width, list));
    let (_, rest) = split(rest, 1);
    pen.lines(rest, &preview);
}

fn list_lines(model: &Model, width: usize, height: usize) -> Vec<Line> {
    let shown = shown(model);
    let waiting = model.experiments.list.waiting();
    let is_running = |id: &&ExperimentId| model.known.line(**id).is_some_and(|line| line.status == "running");
    let running = shown.iter().filter(is_running).count();
    let mut aside = format!("{running} running   {}", counted(shown.len(), "experiment"));
    if waiting > 0 {
        aside = format!("{waiting} new, r lets them in   {aside}");
    }
    let title = if model.link.state(model.now).is_old() { "Experiments ~" } else { "Experiments" };
    let mut lines = vec![Line::title(title, aside)];
    if shown.is_empty() {
        let words = if model.known.experiments.is_none() {
            "working"
        } else if model.experiments.filter.value().is_empty() {
            "No experiments. `expos brief new` takes in the first brief."
        } else {
            "Nothing here matches the filter."
        };
        lines.push(Line::new().muted(words));
        return lines;
    }
    let muted = Look::of(Role::Muted);
    let layout = Columns::of(width);
    lines.push(layout.heads(muted));
    let at = model.experiments.list.cursor().and_then(|cursor| shown.iter().position(|id| id == cursor)).unwrap_or(0);
    let rows = shown.iter().skip(page_start(at, height)).take(height);
    lines.extend(rows.filter_map(|id| layout.row(model, *id)));
    lines
}

struct Columns {
    state: usize,
    code: usize,
    name: usize,
    client: usize,
    kind: usize,
    posts: usize,
}

impl Columns {
    fn of(width: usize) -> Self {
        let (code, client, kind) = match width {
            0..60 => (0, 0, 0),
            60..88 => (9, 0, 0),
            88..104 => (9, 18, 0),
            _ => (9, 18, 11),
        };
        let (state, posts) = (21, 8);
        let name = width.saturating_sub(state + code + client + kind + posts + 14).clamp(12, 44);
        Self { state, code, name, client, kind, posts }
    }

    fn heads(&self, muted: Look) -> Line {
        let cells: [(&'static str, usize); 6] = [
            ("stage", self.state),
            ("code", self.code),
            ("name", self.name),
            ("client", self.client),
            ("kind", self.kind),
            ("out", self.posts),
        ];
        let line = cells
            .into_iter()
            .fold(Line::new(), |line, (head, width)| if width == 0 { line } else { line.cell(head, muted, width, 2) });
        line.right("next", muted)
    }

    fn row(&self, model: &Model, id: ExperimentId) -> Option<Line> {
        let line = model.known.line(id)?;
        let muted = Look::of(Role::Muted);
        let here = model.experiments.list.cursor() == Some(&id);
        let mut row = sign(model, line).put(Line::new(), self.state, 2);
        if self.code > 0 {
            row = row.cell(line.code.clone(), muted, self.code, 1);
        }
        row = row.cell(line.name.clone(), Look::default(), self.name, 2);
        if self.client > 0 {
            row = row.cell(model.known.client_name(&line.client), muted, self.client, 2);
        }
        if self.kind > 0 {
            row = row.cell(line.kind.clone(), muted, self.kind, 2);
        }
        let posts = if line.planned == 0 { "-".to_owned() } else { format!("{}/{}", line.out, line.planned) };
        Some(row.cell(posts, Look::default(), self.posts, 2).right(next(model, line), muted).selected(here))
    }
}

/// Returns what comes next, in words.
pub(super) fn next(model: &Model, line: &ExperimentLine) -> String {
    match (&line.stage, line.next) {
        (Stage::AwaitingApproval, _) => "a word".to_owned(),
        (Stage::Reviewing, _) => "a decision".to_owned(),
        (Stage::Completed { how }, _) => how.clone(),
        (Stage::Invalid { .. }, _) => "not comparable".to_owned(),
        (Stage::Drafting | Stage::Creating | Stage::Preflight, _) => "to be submitted".to_owned(),
        (Stage::Scheduled | Stage::Running | Stage::Maturing, Some(next)) => when::relative(next, model.wall()),
        (Stage::Scheduled | Stage::Running | Stage::Maturing, None) => "metrics".to_owned(),
    }
}

fn preview_lines(model: &Model, width: usize) -> Vec<Line> {
    let Some(id) = model.previewed() else { return Vec::new() };
    let Some(line) = model.known.line(id) else { return Vec::new() };
    let mut lines = vec![Line::title(line.name.clone(), line.code.clone())];
    lines.push(detail::strip(line, width));
    lines.push(Line::new());
    lines.extend(detail::now(model, id, width).into_iter().take(12));
    lines.into_iter().map(|line| clip(line, width)).collect()
}

fn clip(line: Line, width: usize) -> Line {
    let left = line.left.into_iter().map(|piece| crate::line::Piece { text: Clean::cut(&piece.text, width), ..piece });
    Line { left: left.collect(), ..line }
}
