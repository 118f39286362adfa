//! System: is the machine well, who did what?
//!
//! Decides the order of the page. While nothing goes out: what happened, what it costs, what works, how it is mended. Else
//! the engine and its tasks, holds, people, this terminal, the last events; at L and XL the events stand beside the rest.

use std::collections::BTreeSet;

use desk::query::EventLine;
use domain::experiment::Stage;
use domain::time::UtcTime;
use ratatui::layout::Rect;

use crate::clean::Clean;
use crate::frame::Class;
use crate::keymap::{Intent, Scope, key_of};
use crate::line::{Line, Look, ledger, paragraph};
use crate::link::State;
use crate::model::Model;
use crate::morning::preview::counted;
use crate::morning::view::{columns, split};
use crate::pen::{Pen, Symbols, text_width};
use crate::sign::Sign;
use crate::theme::Role;
use crate::when;

/// The column of values.
const STOP: usize = 12;

/// Draws the pane.
pub(crate) fn draw(model: &Model, pen: &mut Pen<'_>, area: Rect) {
    let (left, right) = areas(model, area);
    let height = usize::from(area.height);
    let top = model.system_top.min(extent(model).0.saturating_sub(height));
    let (page, events) = lines(model, text_width(left), text_width(right));
    for (area, lines) in [(left, page), (right, events)] {
        let shown: Vec<Line> = lines.into_iter().skip(top).take(height).collect();
        pen.lines(area, &shown);
    }
    if right.width > 0 {
        let (_, below) = split(left, 1);
        pen.divider(Rect { x: left.right().saturating_sub(1), width: 1, ..below });
    }
}

/// Returns where the page stands, and where the events beside it; they have no place of their own below L.
fn areas(model: &Model, area: Rect) -> (Rect, Rect) {
    let beside = match model.size.class() {
        Class::TooSmall | Class::Tiny | Class::S | Class::M => 0,
        Class::L => 64,
        Class::Xl => 100,
    };
    columns(area, area.width.saturating_sub(beside))
}

/// Returns how many lines the page has, and how many fit.
pub(crate) fn extent(model: &Model) -> (usize, usize) {
    let area = model.size.content();
    let (left, right) = areas(model, area);
    let (page, events) = lines(model, text_width(left), text_width(right));
    (page.len().max(events.len()), usize::from(area.height))
}

/// Returns the page, and what stands beside it where there is room.
fn lines(model: &Model, width: usize, beside: usize) -> (Vec<Line>, Vec<Line>) {
    let mut lines = vec![Line::new()];
    match model.link.state(model.now) {
        State::EngineDead { since } => lines.extend(dead(model, since, width)),
        State::Lost { since, why } => {
            lines.push(Line::title("What happened", when::relative(since, model.wall())));
            lines.extend(paragraph(&Clean::of(format!("The desk does not answer: {why}.")), Look::default(), 0, width));
            lines.push(Line::new());
            lines.push(Line::title("What works without it", ""));
            lines.push(Line::new().muted("Works").goto(STOP).plain("reading what was known then; stopping is tried"));
            lines.push(
                Line::new()
                    .muted("Does not")
                    .goto(STOP)
                    .plain("approve, go on, settle: nothing is begun into the void"),
            );
            lines.push(Line::new().muted("Next").goto(STOP).plain("it is asked again every few seconds, by itself"));
            lines.push(Line::new());
            lines.extend(mending(model));
        }
        State::ShutOut { why } => {
            lines.push(Line::title("What happened", ""));
            let text = format!("The desk does not serve you: {why}. Everything else goes on without you.");
            lines.extend(paragraph(&Clean::of(text), Look::default(), 0, width));
        }
        State::Opening | State::Live | State::Troubled(_) | State::Held(_) | State::Stale(_) => {
            lines.extend(engine(model, width));
        }
    }
    lines.extend(people(model));
    lines.extend(terminal(model, width));
    if beside == 0 {
        lines.extend(last_events(model, width));
        return (lines, Vec::new());
    }
    let mut events = vec![Line::new()];
    events.extend(last_events(model, beside));
    (lines, events)
}

fn dead(model: &Model, since: UtcTime, width: usize) -> Vec<Line> {
    let mut lines = vec![Line::title(
        "What happened",
        format!("seen {}", when::relative(since, model.wall()).replace("in a moment", "just now")),
    )];
    for line in model.known.health.iter().flat_map(|health| &health.lines) {
        lines.extend(paragraph(&Clean::of(line.clone()), Look::default(), 0, width));
    }
    lines.push(Line::new());
    lines.push(Line::title("What it costs", "counted now, by this screen's own clock"));
    lines.extend(costs(model));
    lines.push(Line::new());
    lines.push(Line::title("What works without it", ""));
    let works = "read, pause, stop, refuse, approve";
    lines
        .push(Line::new().muted("Works").goto(STOP).plain(works).muted(" (approved posts go out once an engine runs)"));
    lines.push(Line::new().muted("Does not").goto(STOP).plain("publish, verify, collect, watch the guardrails"));
    lines.push(Line::new());
    lines.extend(mending(model));
    lines
}

/// How the engine is started, from here or by hand.
fn mending(model: &Model) -> Vec<Line> {
    let mut lines = Vec::new();
    let epoch = model.known.health.as_ref().map_or(0, |health| health.epoch);
    if model.setting.can_start_engine && !model.setting.read_only {
        let key = key_of(&[Scope::System], Intent::StartEngine).map_or_else(String::new, |key| key.to_string());
        let mut title = Line::title("", format!("epoch {epoch}, next {}", epoch + 1));
        title.left = Line::new().key(key).bold(" starts it, in this order").left;
        lines.push(title);
        for (number, step) in [
            ("1", "takes the store; nobody else may send from then on"),
            ("2", "looks at every post that may be out"),
            ("3", "marks the slots that were missed; none is sent late"),
            ("4", "goes on with what is still approved"),
        ] {
            lines.push(Line::new().muted(number).goto(3).plain(step));
        }
    } else {
        lines.push(Line::title("How it is mended", format!("epoch {epoch}")));
        lines.push(Line::new().plain("`expos engine run` starts it; nothing is sent late."));
    }
    lines.push(Line::new());
    lines
}

fn costs(model: &Model) -> Vec<Line> {
    let now = model.wall();
    let running =
        model.known.experiments.iter().flatten().map(|(_, line)| line).filter(|line| line.status == "running");
    let due: Vec<_> = running.filter_map(|line| Some((line, line.next?))).collect();
    let past = due.iter().filter(|(_, next)| *next < now).count();
    let soon = due.iter().filter(|(_, next)| *next >= now).min_by_key(|(_, next)| *next);
    let missed = match past {
        0 => Sign::done("none: no slot has passed").append(Line::new().muted("Missed").goto(STOP)),
        n => Sign::failed(format!("{}: a slot has passed; never sent late", counted(n, "experiment")))
            .append(Line::new().muted("Missed").goto(STOP)),
    };
    let at_stake = match soon {
        None => Sign::done("nothing: no approved post waits").append(Line::new().muted("At stake").goto(STOP)),
        Some((line, next)) => {
            let zone = model.known.zone(&line.client);
            let words = format!(
                "{}, the next {} {}, {}",
                counted(due.len(), "experiment"),
                when::clock(*next, zone),
                when::city(zone),
                when::relative(*next, now)
            );
            Sign::warning(words).append(Line::new().muted("At stake").goto(STOP))
        }
    };
    let maturing = model.known.experiments.iter().flatten().filter(|(_, line)| line.stage == Stage::Maturing).count();
    let numbers = match maturing {
        0 => Sign::done("none wait").append(Line::new().muted("Numbers").goto(STOP)),
        n => Sign::stale(format!("{} wait for snapshots", counted(n, "experiment")))
            .append(Line::new().muted("Numbers").goto(STOP)),
    };
    vec![missed, at_stake, numbers]
}

fn engine(model: &Model, width: usize) -> Vec<Line> {
    let Some(health) = &model.known.health else { return vec![Line::new().muted("working"), Line::new()] };
    let mut lines = vec![Line::title("Engine", format!("process {}, epoch {}", health.pid, health.epoch))];
    let sign = match model.link.state(model.now) {
        State::Live => Sign::done("well"),
        State::Held(_) => Sign::paused("on hold"),
        State::Troubled(_) => Sign::warning("in trouble"),
        State::Stale(_) => Sign::stale("silent"),
        State::Opening | State::Lost { .. } | State::ShutOut { .. } | State::EngineDead { .. } => {
            Sign::stale("not known")
        }
    };
    lines.push(sign.append(Line::new().muted("State").goto(STOP)));
    for (row, text) in health.lines.iter().filter(|line| *line != "well").enumerate() {
        let label = if row == 0 { "Says" } else { "" };
        lines.extend(ledger(label, STOP, &Clean::of(text.clone()), Look::of(Role::Warn), width));
    }
    lines.push(Line::new().muted("Log").goto(STOP).plain(counted(usize::try_from(health.head).unwrap_or(0), "event")));
    lines.push(Line::new());
    let muted = Look::of(Role::Muted);
    if !health.tasks.is_empty() {
        let zone = model.setting.zone;
        lines.push(
            Line::new()
                .cell("task", muted, 14, 2)
                .cell("last", muted, 12, 2)
                .cell("next", muted, 14, 2)
                .cell_right("steps", muted, 10, 2)
                .muted("trouble"),
        );
        for task in &health.tasks {
            let last = task.last.map_or_else(|| "-".to_owned(), |last| when::clock_seconds(last, zone));
            let next = match (task.since, task.next) {
                (Some(since), _) if model.wall().since(since).whole_seconds() > 60 => {
                    format!("since {}", when::clock(since, zone))
                }
                (Some(_) | None, next) => {
                    next.map_or_else(|| "-".to_owned(), |next| when::relative(next, model.wall()))
                }
            };
            let due = [task.next, task.since].into_iter().flatten();
            let late = due.into_iter().any(|due| model.wall().since(due).whole_seconds() > 60);
            let look = if late { Look::of(Role::Warn) } else { Look::default() };
            let mut line = Line::new()
                .cell(task.name.clone(), Look::default(), 14, 2)
                .cell(last, muted, 12, 2)
                .cell(next, look, 14, 2)
                .cell_right(task.steps.to_string(), muted, 10, 2);
            if let Some(error) = &task.error {
                line = line.put(error.clone(), Look::of(Role::Warn));
            }
            lines.push(line);
        }
        lines.push(Line::new());
    }
    lines
}

fn people(model: &Model) -> Vec<Line> {
    let on: BTreeSet<u32> = model.known.people.iter().map(|person| person.uid).collect();
    // Whoever reads this is on too.
    let aside = format!("{}, {} on now", counted(model.known.users.len(), "person"), on.len() + 1);
    let mut lines = vec![Line::title("People", aside)];
    for user in &model.known.users {
        let clients = match &user.clients {
            None => "all clients".to_owned(),
            Some(clients) => clients.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
        };
        let me = model.known.me.as_ref().is_some_and(|me| me.uid == user.uid);
        let line = Line::new()
            .cell(user.name.clone(), Look::default(), 20, 2)
            .cell(user.role.as_str(), Look::of(Role::Muted), 12, 2)
            .muted(clients);
        let mine = model.known.people.iter().filter(|person| person.uid == user.uid);
        let looks_at = mine.filter_map(|person| model.known.line(person.on?)).map(|line| line.code.as_str());
        let looks_at: Vec<&str> = looks_at.collect();
        lines.push(match (me, on.contains(&user.uid), looks_at.as_slice()) {
            (true, _, _) => line.muted("   you"),
            (false, true, []) => line.right("on now", Look::of(Role::Attention)),
            (false, true, codes) => line.right(format!("on {} now", codes.join(", ")), Look::of(Role::Attention)),
            (false, false, _) => line,
        });
    }
    lines.push(Line::new());
    lines
}

/// What this terminal can do, and so how things are drawn on it.
fn terminal(model: &Model, width: usize) -> Vec<Line> {
    let signs = match model.setting.symbols {
        Symbols::Unicode => "",
        Symbols::Ascii => ", signs in ASCII",
    };
    let pictures = if crate::picture::is_drawn(model) { "in half-blocks" } else { "told in words" };
    let text = Clean::of(format!("{}{signs}, pictures {pictures}", model.setting.theme.told()));
    let mut lines = ledger("Terminal", STOP, &text, Look::default(), width);
    lines.push(Line::new());
    lines
}

fn last_events(model: &Model, width: usize) -> Vec<Line> {
    let mut lines = vec![Line::title("Last events", "newest first")];
    lines.extend(model.known.events.iter().rev().take(40).map(|event| event_line(model, event, width, true)));
    lines
}

/// Returns an event as a line: when, who, what it is about where that is not plain, what happened.
pub(crate) fn event_line(model: &Model, event: &EventLine, width: usize, with_subject: bool) -> Line {
    let zone = model.setting.zone;
    let muted = Look::of(Role::Muted);
    let old = model.wall().since(event.at).whole_seconds() > 20 * 3_600;
    let at = if old { when::day_clock(event.at, zone) } else { when::clock_seconds(event.at, zone) };
    let (who, what) = match width {
        0..48 => (10, 12),
        48..60 => (12, 12),
        _ => (14, 16),
    };
    let line = Line::new().cell(at, muted, 14, 2).cell(event.actor.clone(), muted, who, 2);
    let line =
        if with_subject { line.cell(model.known.stream_name(&event.stream), Look::default(), what, 2) } else { line };
    line.plain(event.event.replace('_', " "))
}
