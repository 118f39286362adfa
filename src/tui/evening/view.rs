//! How the end of the day is drawn: experiments with what they say so far, and the one under the cursor.
//!
//! Decides columns. What an experiment says is drawn as on its own page.

use domain::checkin::Round;
use domain::experiment::Stage;
use domain::id::ExperimentId;
use domain::outcome::{Outcome, Say};
use ratatui::layout::Rect;

use super::{asks_for_decision, list, shown, under_cursor};
use crate::can::is_paused;
use crate::clean::Clean;
use crate::frame::Class;
use crate::line::{Line, Look, paragraph};
use crate::list::page_start;
use crate::model::Model;
use crate::morning::preview::counted;
use crate::pen::Pen;
use crate::rounds::view::{Parts, sign_off};
use crate::rounds::{Step, view as frame};
use crate::sign::Sign;
use crate::theme::Role;
use crate::when;

/// Draws the pane.
pub(crate) fn draw(model: &Model, pen: &mut Pen<'_>, area: Rect) {
    let parts = Parts {
        round: Round::EndOfDay,
        rows: &|width| match model.evening.step {
            Step::SignOff => sign_off(model, Round::EndOfDay, width).len(),
            Step::Outcomes
            | Step::Decide
            | Step::Alerts
            | Step::Layers
            | Step::Queue
            | Step::Posts
            | Step::Escalations
            | Step::Replies => shown(model).len(),
        },
        list: &|width, height| list_lines(model, width, height),
        preview: &|width| preview_lines(model, width),
        around: &|width| around(model, width),
        widths: [(62, 0), (70, 50)],
    };
    frame::draw(model, pen, area, &parts);
}

fn list_lines(model: &Model, width: usize, height: usize) -> Vec<Line> {
    if model.evening.step == Step::SignOff {
        return sign_off(model, Round::EndOfDay, width);
    }
    let shown = shown(model);
    let decide = model.evening.step == Step::Decide;
    let name = if decide { "Decide" } else { "Today" };
    let old = model.link.state(model.now).is_old();
    let title = if old { format!("{name} ~") } else { name.to_owned() };
    let mut aside = counted(shown.len(), "experiment");
    let waiting = list(model).waiting();
    if waiting > 0 {
        aside = format!("{waiting} new, r lets them in   {aside}");
    }
    let mut lines = vec![Line::title(title, aside)];
    if shown.is_empty() {
        let words = match (model.known.experiments.is_none(), decide) {
            (true, _) => "working",
            (false, true) => "Nothing asks for a decision.",
            (false, false) => "Nothing is out yet; what Morning approves is measured here.",
        };
        lines.push(Line::new().muted(words));
        return lines;
    }
    let at = Columns::of(width);
    let class = model.size.class();
    if class != Class::S && class != Class::Tiny {
        let muted = Look::of(Role::Muted);
        let head = Line::new().cell("state", muted, at.state, 1).cell("experiment", muted, at.name, 2);
        let head = if at.account > 0 { head.cell("client", muted, at.account, 1) } else { head };
        let head = head.cell("what it says", muted, at.says, 1);
        lines.push(head.right("next", muted));
    }
    let cursor = list(model).cursor();
    let place = cursor.and_then(|cursor| shown.iter().position(|id| id == cursor)).unwrap_or(0);
    let rows = shown.iter().skip(page_start(place, height)).take(height);
    lines.extend(rows.filter_map(|id| row(model, *id, &at)));
    lines
}

struct Columns {
    state: usize,
    name: usize,
    account: usize,
    says: usize,
}

impl Columns {
    fn of(width: usize) -> Self {
        let (account, says) = match width {
            0..70 => (0, 14),
            70..90 => (0, 24),
            _ => (18, 26),
        };
        let state = 12;
        Self { state, name: width.saturating_sub(state + account + says + 12).clamp(12, 36), account, says }
    }
}

fn row(model: &Model, id: ExperimentId, at: &Columns) -> Option<Line> {
    let line = model.known.line(id)?;
    let here = list(model).cursor() == Some(&id);
    let muted = Look::of(Role::Muted);
    let outcome = model.known.outcomes.get(&line.code);
    let sign = if model.is_pending(id) {
        Sign::sent("sent")
    } else if is_paused(line) {
        Sign::paused("paused")
    } else if line.stage == Stage::Reviewing {
        Sign::needed("all in")
    } else {
        Sign::of_stage(&line.stage, false)
    };
    let mut row = sign.put(Line::new(), at.state, 1).cell(line.name.clone(), Look::default(), at.name, 2);
    if at.account > 0 {
        row = row.cell(model.known.client_name(&line.client), muted, at.account, 1);
    }
    let says = match outcome {
        None => Line::new().muted("working"),
        Some(Err(_)) => Line::new().muted("nothing yet"),
        Some(Ok(outcome)) => Line::new().plain(in_short(outcome)),
    };
    let from = row.end();
    row.left
        .extend(says.left.into_iter().map(|piece| crate::line::Piece { text: piece.text.cut(at.says - 1), ..piece }));
    row = row.goto(from + at.says);
    let next = if asks_for_decision(line) {
        ("a decision".to_owned(), Look::of(Role::Attention))
    } else {
        let next = line.next.filter(|next| *next > model.wall());
        let next = next.map_or_else(|| "metrics".to_owned(), |next| when::relative(next, model.wall()));
        (next, muted)
    };
    Some(row.right(next.0, next.1).selected(here))
}

/// Says in a few words what an experiment says.
fn in_short(outcome: &Outcome) -> String {
    let word = outcome.confidence.map(|word| word.as_str());
    let leader = outcome.ranking.first().map(|ranked| ranked.letter);
    match (outcome.say, leader) {
        (Say::Winner, _) => outcome.winner.map_or_else(|| "a winner".to_owned(), |letter| format!("{letter} wins")),
        (Say::NotRipe, _) => {
            let (read, out) =
                outcome.variants.iter().fold((0, 0), |(read, out), count| (read + count.read, out + count.out));
            format!("{read} of {out} read at {}", outcome.age)
        }
        (Say::Invalid | Say::NothingRead, _) => outcome.say.as_str().to_owned(),
        (Say::NotEnoughPosts | Say::RestsOnSuspected | Say::NoCall, Some(leader)) => {
            format!("{leader} ahead, {}", word.unwrap_or_else(|| outcome.say.as_str()))
        }
        (Say::NotEnoughPosts | Say::RestsOnSuspected | Say::NoCall, None) => outcome.say.as_str().to_owned(),
    }
}

fn preview_lines(model: &Model, width: usize) -> Vec<Line> {
    let Some(line) = under_cursor(model).and_then(|id| model.known.line(id)) else { return Vec::new() };
    let mut lines = vec![Line::title(line.name.clone(), line.code.clone())];
    match model.known.outcomes.get(&line.code) {
        None => lines.push(Line::new().muted("working")),
        Some(Err(why)) => {
            let why = Clean::of(format!("It says nothing yet: {why}."));
            lines.extend(paragraph(&why, Look::of(Role::Muted), 0, width));
        }
        Some(Ok(outcome)) => lines.extend(crate::experiments::says(outcome, width)),
    }
    lines
}

fn around(model: &Model, width: usize) -> Vec<Line> {
    under_cursor(model).map_or_else(Vec::new, |id| crate::morning::view::around(model, id, width))
}
