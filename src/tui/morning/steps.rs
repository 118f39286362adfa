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

/// Returns the alerts that are open for the clients that are shown.
fn alerts_open(model: &Model) -> usize {
    model.known.escalations.iter().flatten().filter(|e| model.in_scope(&e.client)).count()
}

/// Returns what stands at a step, in words: what a signature says was seen there.
pub(crate) fn what(model: &Model, step: Step) -> String {
    match step {
        Step::Alerts => match (alerts_open(model), accounts(model)) {
            (0, 0) => "no accounts yet".to_owned(),
            (0, 1) => "none open on 1 account".to_owned(),
            (0, n) => format!("none open on {n} accounts"),
            (1, _) => "1 open".to_owned(),
            (n, _) => format!("{n} open"),
        },
        Step::Layers => {
            let layers = model.known.layers.iter().flatten();
            let mine = layers.filter(|layer| {
                let client = layer.layer.split('/').next().unwrap_or_default();
                model.scope.as_ref().is_none_or(|scope| scope.as_str() == client)
            });
            let held = mine.filter(|layer| !layer.tenures.is_empty()).count();
            match crate::layers::collisions(model).len() {
                0 => format!("{held} held, no collision"),
                n => format!("{held} held, {}", super::preview::counted(n, "collision")),
            }
        }
        Step::Queue => match (super::left(model).0, super::put_off(model)) {
            (0, 0) => "nothing waits".to_owned(),
            (0, later) => format!("{later} later"),
            (n, 0) => super::preview::counted(n, "item"),
            (n, later) => format!("{}, {later} later", super::preview::counted(n, "item")),
        },
        Step::SignOff => super::signed_words(model).unwrap_or_default(),
    }
}

fn accounts(model: &Model) -> usize {
    model.known.accounts.values().filter(|a| model.in_scope(&a.client)).count()
}

/// Tells whether a step has nothing to do.
pub(crate) fn is_done(model: &Model, step: Step) -> bool {
    let told = told(model, step);
    told.known && told.open == 0
}

fn told(model: &Model, step: Step) -> Told {
    let looked = || format!("{}, looked at {}", what(model, step), when::clock(model.wall(), model.setting.zone));
    match step {
        Step::Alerts => {
            let open = alerts_open(model);
            let known = model.known.escalations.is_some();
            let (main, aside) = if open == 0 { (String::new(), looked()) } else { (what(model, step), String::new()) };
            Told { open, known, main, aside }
        }
        Step::Layers => {
            let open = crate::layers::collisions(model).len();
            let known = model.known.layers.is_some();
            let (main, aside) = if open == 0 { (String::new(), looked()) } else { (what(model, step), String::new()) };
            Told { open, known, main, aside }
        }
        Step::Queue => {
            let (open, clean) = left(model);
            let known = model.known.queue.is_some();
            let main = if open == 0 { String::new() } else { format!("{open} left, {clean} clean") };
            let later = super::put_off(model);
            let main = match (later, main.is_empty()) {
                (0, _) => main,
                (n, true) => format!("{n} later"),
                (n, false) => format!("{main}, {n} later"),
            };
            let nothing = || format!("nothing waits, looked at {}", when::clock(model.wall(), model.setting.zone));
            let aside = if open == 0 && later == 0 { nothing() } else { String::new() };
            Told { open, known, main, aside }
        }
        Step::SignOff => {
            let signed = super::signed_words(model);
            let known = model.known.rounds.is_some();
            Told { open: usize::from(signed.is_none()), known, main: String::new(), aside: signed.unwrap_or_default() }
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
        // Its name is longer than the column, and stands last.
        let line = if step == Step::SignOff { line.plain("  ") } else { line.goto(stop) };
        if told.known { line.plain(told.main).muted(told.aside) } else { line.muted("working") }
    };
    Step::ALL.into_iter().map(line).collect()
}

/// Returns all steps in one line, for narrow screens.
pub(super) fn one_line(model: &Model) -> Line {
    let gap = if model.size.class() == crate::frame::Class::Tiny { "  " } else { "   " };
    let mut line = Line::new();
    for step in Step::ALL {
        let told = told(model, step);
        let sign = sign(model, step, told.open, told.known);
        if step != Step::Alerts {
            line = line.plain(gap);
        }
        line = line.put(sign.symbol, Look::of(sign.role)).plain(" ");
        let name = if step == Step::SignOff && told.open == 0 { told.aside.clone() } else { step.name().to_owned() };
        let text = format!("{} {name}", step.number());
        line = if step == model.morning.step { line.bold(text) } else { line.plain(text) };
        let word = match step {
            Step::Alerts => "open",
            Step::Layers | Step::Queue => "left",
            Step::SignOff => continue,
        };
        if told.open > 0 {
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
