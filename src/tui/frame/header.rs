//! The header: where one is, what needs a person, whether it is true, what time it is; below it the strip, or the alarm.
//!
//! Decides words and weight. Whether desk and engine are well is `link`'s business.

use crate::clean::Clean;
use crate::keymap::{Intent, Scope, key_of};
use crate::line::{Fill, Line, Look};
use crate::link::State;
use crate::model::{Model, Open, Pane};
use crate::morning;
use crate::pen::text_width;
use crate::rounds;
use crate::theme::{Pair, Role};
use crate::when;

use super::Class;

/// Returns row 1.
pub(super) fn line(model: &Model) -> Line {
    let class = model.size.class();
    let mut line = crumbs(model);
    if let Some(speed) = model.speed {
        line = line.plain("   ").put(crate::demo::label(speed), Look::bold(Role::Attention));
    }
    if model.place.open.is_none() {
        line = round(model, line);
    }
    if model.place.open.is_some() {
        return right(model, line, class);
    }
    if class >= Class::M {
        let scope = model.scope.as_ref().map_or_else(|| "all clients".to_owned(), |c| model.known.client_name(c));
        let with_scope = line.clone().plain("   ").muted(scope);
        // All of them goes without saying where there is no room to say it.
        let taken = right(model, with_scope.clone(), class).right_width() + 1;
        if model.scope.is_some() || with_scope.end() + taken <= text_width(model.size.area()) {
            line = with_scope;
        }
    } else if let Some(scope) = &model.scope {
        line = line.plain("   ").muted(scope.to_string());
    }
    right(model, line, class)
}

fn crumbs(model: &Model) -> Line {
    let pane = model.place.pane.name();
    match model.place.open {
        None => Line::new().bold(pane),
        Some(Open::Approval(id) | Open::Detail(id)) => {
            let name = model.known.line(id).map_or_else(String::new, |line| line.name.clone());
            // Who else is on it comes before whatever else there is room for.
            let others = model.known.on_this(id);
            let room = usize::from(model.size.width / if others.is_some() { 5 } else { 3 });
            let line = Line::new().muted(pane).muted(" / ");
            let line = match others {
                Some(others) if model.size.class() == Class::Tiny => line.put(others, Look::of(Role::Attention)),
                Some(others) => {
                    line.bold(Clean::of(name).cut(room)).plain("   ").put(others, Look::of(Role::Attention))
                }
                None => line.bold(Clean::of(name).cut(room)),
            };
            match model.place.open {
                Some(Open::Approval(id)) => {
                    let shown = morning::shown_queue(model);
                    let line = match shown.iter().position(|other| *other == id) {
                        // In a narrow demo how fast its clock runs is told instead.
                        Some(_) if model.speed.is_some() && model.size.class() < Class::M => line,
                        Some(at) => line.plain("   ").muted(format!("{} of {}", at + 1, shown.len())),
                        None => line,
                    };
                    match morning::later(model, id) {
                        Some(later) => {
                            line.plain("   ").muted(morning::later_words(later.until, model.wall(), model.setting.zone))
                        }
                        None => line,
                    }
                }
                Some(Open::Detail(_)) | None => line,
            }
        }
    }
}

fn round(model: &Model, line: Line) -> Line {
    let (Some(round), Some(step)) = (rounds::of_pane(model.place.pane), model.step()) else { return line };
    let number = step.number(round);
    let of = rounds::steps(round).len();
    // Beside a demo's speed there is room for the short form alone.
    let short = model.speed.is_some() && model.size.class() < Class::M;
    let line =
        line.plain("   ").muted(if short { format!("step {number}/{of}") } else { format!("step {number} of {of}") });
    if model.size.class() == Class::Tiny {
        return line;
    }
    let (minutes, budget) = (rounds::minutes(model, round), rounds::budget_min(round));
    let text = format!("{minutes:02} of {budget} min");
    if minutes >= budget {
        line.plain("   ").put("! ", Look::of(Role::Warn)).put(text, Look::of(Role::Warn))
    } else if minutes * 10 >= budget * 8 {
        line.plain("   ").put("! ", Look::of(Role::Warn)).muted(text)
    } else {
        line.plain("   ").muted(text)
    }
}

fn right(model: &Model, line: Line, class: Class) -> Line {
    let muted = Look::of(Role::Muted);
    let needs = model.needs().len();
    let mut line = line;
    if needs > 0 {
        let words = match (class >= Class::M, needs) {
            (false, _) => "",
            (true, 1) => " needs you",
            (true, _) => " need you",
        };
        line = line
            .right("✦ ", Look::of(Role::Attention))
            .right(needs.to_string(), Look::bold(Role::Attention))
            .right(words, Look::of(Role::Attention))
            .right("   ", muted);
    }
    let (text, look): (Clean, Look) = match model.link.state(model.now) {
        State::Opening => ("opening".into(), muted),
        State::Live if model.setting.read_only => ("read only".into(), muted),
        State::Live => ("live".into(), muted),
        State::Troubled(lines) => (trouble(&lines, class).into(), Look::of(Role::Warn)),
        State::Held(_) => ("= on hold".into(), Look::of(Role::Warn)),
        State::Stale(silent) => {
            let seconds = silent.as_secs();
            (format!("~ stale {:02}:{:02}", seconds / 60, seconds % 60).into(), Look::of(Role::Warn))
        }
        State::Lost { .. } | State::ShutOut { .. } => ("✗ desk".into(), Look::bold(Role::Danger)),
        State::EngineDead { .. } => ("✗ engine".into(), Look::bold(Role::Danger)),
    };
    let zone = model.setting.zone;
    line.right(text, look).right("   ", muted).right(
        format!("{} {}", when::clock(model.wall(), zone), when::abbreviation(model.wall(), zone)),
        Look::default(),
    )
}

/// Says what is wrong with the engine: the task that is late by its name, where there is room for it.
fn trouble(lines: &[String], class: Class) -> String {
    let late = lines.iter().find(|line| line.starts_with("late "));
    match late {
        Some(line) if class >= Class::M => format!("! {line}"),
        Some(_) => "! late".to_owned(),
        None => "! engine".to_owned(),
    }
}

/// Returns row 2: the alarm while nothing goes out, the strip where there is room, else a thin line.
pub(super) fn second(model: &Model) -> Line {
    let zone = model.setting.zone;
    let alarm = |text: String, right: String| {
        let mut line = Line::new().bold("✗ ").bold(text).right(right, Look::bold(Role::Text));
        line.paint = Some(Pair::Alarm);
        line
    };
    match model.link.state(model.now) {
        State::EngineDead { since } => {
            let next = next_slot(model);
            let costs = next.map_or_else(String::new, |next| format!(" Next slot {next}."));
            let text = format!("No engine since {}: nothing goes out.{costs}", when::clock(since, zone));
            alarm(text, start_words(model))
        }
        State::Lost { since, why } => {
            let text = format!("Desk lost since {}: {why}.", when::clock(since, zone));
            alarm(text, start_words(model))
        }
        State::ShutOut { why } => alarm(format!("The desk does not serve you: {why}."), String::new()),
        State::Opening | State::Live | State::Troubled(_) | State::Held(_) | State::Stale(_) => {
            let strip = model.place.open.is_none() && model.size.class() >= Class::M;
            if strip { strip_line(model) } else { Line { fill: Fill::Thin, ..Line::new() } }
        }
    }
}

/// Says how the engine is started from here, where it can be.
fn start_words(model: &Model) -> String {
    if model.starting_engine {
        return "starting".to_owned();
    }
    if !model.setting.can_start_engine || model.setting.read_only {
        return String::new();
    }
    let system = key_of(&[Scope::Anywhere], Intent::PaneSystem);
    let start = key_of(&[Scope::System], Intent::StartEngine);
    match (model.place.pane, start, system) {
        (Pane::System, Some(start), _) => format!("{start} starts it"),
        (
            Pane::Morning
            | Pane::Midday
            | Pane::EndOfDay
            | Pane::Experiments
            | Pane::Layers
            | Pane::Accounts
            | Pane::Escalations
            | Pane::Memory,
            Some(start),
            Some(system),
        ) => {
            format!("{system} {start} starts it")
        }
        (_, None, _) | (_, _, None) => String::new(),
    }
}

fn next_slot(model: &Model) -> Option<String> {
    let lines = model.known.experiments.iter().flatten().map(|(_, line)| line);
    let next = lines
        .filter(|line| matches!(line.status.as_str(), "running"))
        .filter_map(|line| Some((line.next?, line.client.clone())))
        .min_by_key(|(next, _)| *next)?;
    let zone = model.known.zone(&next.1);
    Some(format!("{} {}", when::clock(next.0, zone), when::city(zone)))
}

/// The key of a pane.
const fn intent(pane: Pane) -> Intent {
    match pane {
        Pane::Morning => Intent::PaneMorning,
        Pane::Midday => Intent::PaneMidday,
        Pane::EndOfDay => Intent::PaneEndOfDay,
        Pane::Experiments => Intent::PaneExperiments,
        Pane::Layers => Intent::PaneLayers,
        Pane::Accounts => Intent::PaneAccounts,
        Pane::Escalations => Intent::PaneEscalations,
        Pane::Memory => Intent::PaneMemory,
        Pane::System => Intent::PaneSystem,
    }
}

/// What a pane is called where there is little room.
const fn short(pane: Pane) -> &'static str {
    match pane {
        Pane::EndOfDay => "Day",
        Pane::Experiments => "Exper.",
        Pane::Escalations => "Escal.",
        Pane::Morning | Pane::Midday | Pane::Layers | Pane::Accounts | Pane::Memory | Pane::System => pane.name(),
    }
}

fn strip_line(model: &Model) -> Line {
    let room = text_width(model.size.area());
    let wide = strip_of(model, Pane::name, 3);
    if wide.end() <= room {
        return wide;
    }
    let narrow = strip_of(model, short, 2);
    if narrow.end() <= room { narrow } else { strip_of(model, short, 1) }
}

fn strip_of(model: &Model, name: fn(Pane) -> &'static str, gap: usize) -> Line {
    let mut line = Line::new();
    for pane in Pane::ALL {
        let key = key_of(&[Scope::Anywhere], intent(pane)).map_or_else(String::new, |key| key.to_string());
        if pane != Pane::Morning {
            line = line.plain(" ".repeat(gap));
        }
        line = if pane == model.place.pane {
            line.bold(key).bold(" ").bold(name(pane))
        } else {
            line.put(key, Look::of(Role::Accent)).muted(" ").muted(name(pane))
        };
        let open = crate::escalations::waiting(model);
        if pane == Pane::Escalations && open > 0 {
            line = line.plain(" ").put(format!("✦{open}"), Look::of(Role::Attention));
        }
    }
    line
}
