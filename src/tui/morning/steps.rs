//! The steps of the round: what each has to say, and when it was looked at.
//!
//! Decides only the words; the work of a step is in the list below it.

use super::{Step, left};
use crate::line::{Line, Look};
use crate::model::Model;
use crate::sign::Sign;
use crate::theme::Role;
use crate::when;

/// How far a step is.
fn sign(model: &Model, step: Step, open: usize, known: bool) -> Sign {
    if !known {
        Sign::stale("")
    } else if step == model.morning.step && open > 0 {
        Sign::under_way("")
    } else if open == 0 {
        Sign::done("")
    } else if step == Step::Alerts {
        Sign::needed("")
    } else {
        Sign::planned("")
    }
}

/// What there is to do in a step, in words, and how much.
struct Told {
    open: usize,
    known: bool,
    main: String,
    aside: String,
}

fn told(model: &Model, step: Step) -> Told {
    let looked = format!(", looked at {}", when::clock(model.wall(), model.setting.zone));
    match step {
        Step::Alerts => {
            let known = model.known.escalations.is_some();
            let shown = model.known.escalations.iter().flatten().filter(|e| model.in_scope(&e.client)).count();
            let accounts = model.known.accounts.values().filter(|a| model.in_scope(&a.client)).count();
            let on = match accounts {
                0 => "no accounts yet".to_owned(),
                1 => "none open on 1 account".to_owned(),
                n => format!("none open on {n} accounts"),
            };
            let main = match shown {
                0 => String::new(),
                1 => "1 open".to_owned(),
                n => format!("{n} open"),
            };
            let aside = if shown == 0 { format!("{on}{looked}") } else { String::new() };
            Told { open: shown, known, main, aside }
        }
        Step::Layers => {
            let layers = model.known.layers.iter().flatten();
            let mine = layers.filter(|layer| {
                let client = layer.layer.split('/').next().unwrap_or_default();
                model.scope.as_ref().is_none_or(|scope| scope.as_str() == client)
            });
            let held = mine.filter(|layer| !layer.tenures.is_empty()).count();
            let aside = format!("{held} held, no collision{looked}");
            Told { open: 0, known: model.known.layers.is_some(), main: String::new(), aside }
        }
        Step::Queue => {
            let (open, clean) = left(model);
            let known = model.known.queue.is_some();
            let main = if open == 0 { String::new() } else { format!("{open} left, {clean} clean") };
            let aside = if open == 0 { format!("nothing waits{looked}") } else { String::new() };
            Told { open, known, main, aside }
        }
    }
}

/// Returns one line a step.
pub(super) fn lines(model: &Model, stop: usize) -> Vec<Line> {
    let line = |step: Step| {
        let told = told(model, step);
        let sign = sign(model, step, told.open, told.known);
        let here = step == model.morning.step;
        let number = format!("{} ", step.number());
        let line = Line::new().put(sign.symbol, Look::of(sign.role)).plain(" ");
        let line = if here { line.bold(number).bold(step.name()) } else { line.plain(number).plain(step.name()) };
        let line = line.goto(stop);
        if told.known { line.plain(told.main).muted(told.aside) } else { line.muted("working") }
    };
    Step::ALL.into_iter().map(line).collect()
}

/// Returns all steps in one line, for narrow screens.
pub(super) fn one_line(model: &Model) -> Line {
    let mut line = Line::new();
    for step in Step::ALL {
        let told = told(model, step);
        let sign = sign(model, step, told.open, told.known);
        if step != Step::Alerts {
            line = line.plain("   ");
        }
        line = line.put(sign.symbol, Look::of(sign.role)).plain(" ");
        let text = format!("{} {}", step.number(), step.name());
        line = if step == model.morning.step { line.bold(text) } else { line.plain(text) };
        if told.open > 0 {
            let word = if step == Step::Alerts { "open" } else { "left" };
            line = line.muted(format!(", {} {word}", told.open));
        }
    }
    line
}

/// Returns the rail at the left of large screens.
pub(super) fn rail(model: &Model, width: usize) -> Vec<Line> {
    let mut lines = vec![Line::new().bold("Morning"), Line::new()];
    for step in Step::ALL {
        let told = told(model, step);
        let sign = sign(model, step, told.open, told.known);
        let text = format!("{} {}", step.number(), step.name());
        let line = Line::new().put(sign.symbol, Look::of(sign.role)).plain(" ");
        lines.push(if step == model.morning.step { line.bold(text) } else { line.plain(text) });
        let parts = told.aside.split(", ").filter(|part| !part.is_empty()).map(|part| (part, Role::Muted));
        let main = told.main.split(", ").filter(|part| !part.is_empty()).map(|part| (part, Role::Text));
        for (part, role) in main.chain(parts) {
            let clean = crate::clean::Clean::of(part);
            lines.extend(crate::line::paragraph(&clean, Look::of(role), 2, width));
        }
        lines.push(Line::new());
    }
    lines
}
