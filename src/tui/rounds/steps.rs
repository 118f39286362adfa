//! The steps of a round: what each has to say, and when it was looked at.
//!
//! Decides only the words; the work of a step is in the list below it.

use domain::checkin::Round;

use super::{Step, note_before, note_head, signed_words, steps};
use crate::line::{Line, Look};
use crate::model::Model;
use crate::morning::preview::counted;
use crate::sign::Sign;
use crate::theme::Role;
use crate::when;
use crate::{evening, midday, morning};

/// How far a step is.
fn sign(model: &Model, step: Step, open: usize, known: bool) -> Sign {
    if !known {
        Sign::stale("")
    } else if model.step() == Some(step) && open > 0 {
        Sign::under_way("")
    } else if open == 0 {
        Sign::done("")
    } else if matches!(step, Step::Alerts | Step::Escalations) {
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
        Step::Alerts | Step::Escalations => match (alerts_open(model), accounts(model)) {
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
                n => format!("{held} held, {}", counted(n, "collision")),
            }
        }
        Step::Queue => match (morning::left(model).0, morning::put_off(model)) {
            (0, 0) => "nothing waits".to_owned(),
            (0, later) => format!("{later} later"),
            (n, 0) => counted(n, "item"),
            (n, later) => format!("{}, {later} later", counted(n, "item")),
        },
        Step::Posts => midday::what(model),
        // Nothing is collected from the networks yet, and nobody signs as if it were.
        Step::Replies => "not collected here".to_owned(),
        Step::Outcomes => evening::what(model),
        Step::Decide => match evening::undecided(model).len() {
            0 => "nothing asks for a decision".to_owned(),
            n => format!("{n} ask for a decision"),
        },
        Step::SignOff => String::new(),
    }
}

fn accounts(model: &Model) -> usize {
    model.known.accounts.values().filter(|a| model.in_scope(&a.client)).count()
}

/// Tells whether a step has nothing to do.
pub(crate) fn is_done(model: &Model, step: Step) -> bool {
    let told = told(model, Round::Morning, step);
    told.known && told.open == 0
}

fn told(model: &Model, round: Round, step: Step) -> Told {
    let clock = || when::clock(model.wall(), model.setting.zone);
    let looked = || format!("{}, looked at {}", what(model, step), clock());
    let by_count = |open: usize, known: bool| {
        let (main, aside) = if open == 0 { (String::new(), looked()) } else { (what(model, step), String::new()) };
        Told { open, known, main, aside }
    };
    match step {
        Step::Alerts | Step::Escalations => by_count(alerts_open(model), model.known.escalations.is_some()),
        Step::Layers => by_count(crate::layers::collisions(model).len(), model.known.layers.is_some()),
        Step::Queue => {
            let (open, clean) = morning::left(model);
            let known = model.known.queue.is_some();
            let main = if open == 0 { String::new() } else { format!("{open} left, {clean} clean") };
            let later = morning::put_off(model);
            let main = match (later, main.is_empty()) {
                (0, _) => main,
                (n, true) => format!("{n} later"),
                (n, false) => format!("{main}, {n} later"),
            };
            let nothing = || format!("nothing waits, looked at {}", clock());
            let aside = if open == 0 && later == 0 { nothing() } else { String::new() };
            Told { open, known, main, aside }
        }
        Step::Posts => {
            let open = midday::need_a_hand(model).len();
            let known = model.known.day_posts.is_some();
            let (main, aside) = if open == 0 {
                (String::new(), looked())
            } else {
                (
                    format!("{} a hand", if open == 1 { "1 needs".to_owned() } else { format!("{open} need") }),
                    what(model, step),
                )
            };
            let aside = if open == 0 { aside } else { format!(", {aside}") };
            Told { open, known, main, aside }
        }
        Step::Replies => Told { open: 0, known: true, main: String::new(), aside: what(model, step) },
        Step::Outcomes => {
            Told { open: 0, known: model.known.experiments.is_some(), main: String::new(), aside: looked() }
        }
        Step::Decide => by_count(evening::undecided(model).len(), model.known.experiments.is_some()),
        Step::SignOff => {
            let signed = signed_words(model, round);
            let known = model.known.rounds.is_some();
            Told { open: usize::from(signed.is_none()), known, main: String::new(), aside: signed.unwrap_or_default() }
        }
    }
}

/// Returns one line a step.
pub(crate) fn lines(model: &Model, round: Round) -> Vec<Line> {
    let widest = steps(round).iter().filter(|step| **step != Step::SignOff).map(|step| step.name().len()).max();
    let stop = widest.unwrap_or(0) + 6;
    let line = |step: &Step| {
        let step = *step;
        let told = told(model, round, step);
        let sign = sign(model, step, told.open, told.known);
        let here = model.step() == Some(step);
        let number = format!("{} ", step.number(round));
        let line = Line::new().put(sign.symbol, Look::of(sign.role)).plain(" ");
        let line = if here { line.bold(number).bold(step.name()) } else { line.plain(number).plain(step.name()) };
        // Its name is longer than the column, and stands last.
        let line = if step == Step::SignOff { line.plain("  ") } else { line.goto(stop) };
        if told.known { line.plain(told.main).muted(told.aside) } else { line.muted("working") }
    };
    steps(round).iter().map(line).collect()
}

/// Returns all steps in one line, for narrow screens.
pub(crate) fn one_line(model: &Model, round: Round) -> Line {
    let tiny = model.size.class() == crate::frame::Class::Tiny;
    let gap = if tiny { "  " } else { "   " };
    let mut line = Line::new();
    for (place, step) in steps(round).iter().copied().enumerate() {
        let told = told(model, round, step);
        let sign = sign(model, step, told.open, told.known);
        if place > 0 {
            line = line.plain(gap);
        }
        line = line.put(sign.symbol, Look::of(sign.role)).plain(" ");
        let name = if step == Step::SignOff && told.open == 0 {
            told.aside.clone()
        } else if step == Step::Escalations && tiny {
            // With its name whole there is no room for the last step.
            "Escal.".to_owned()
        } else {
            step.name().to_owned()
        };
        let text = format!("{} {name}", step.number(round));
        line = if model.step() == Some(step) { line.bold(text) } else { line.plain(text) };
        let word = match step {
            Step::Alerts | Step::Escalations => "open",
            Step::Layers | Step::Queue | Step::Posts | Step::Decide => "left",
            Step::Replies | Step::Outcomes | Step::SignOff => continue,
        };
        if told.open > 0 {
            let midday = tiny && round == Round::Midday;
            line = line.muted(if midday { format!(" {}", told.open) } else { format!(", {} {word}", told.open) });
        }
    }
    line
}

/// Returns the rail at the left of large screens.
pub(crate) fn rail(model: &Model, round: Round, width: usize) -> Vec<Line> {
    let mut lines = vec![Line::new().bold(super::pane(round).name()), Line::new()];
    for step in steps(round).iter().copied() {
        let told = told(model, round, step);
        let sign = sign(model, step, told.open, told.known);
        let text = format!("{} {}", step.number(round), step.name());
        let line = Line::new().put(sign.symbol, Look::of(sign.role)).plain(" ");
        lines.push(if model.step() == Some(step) { line.bold(text) } else { line.plain(text) });
        let parts = told.aside.split(", ").filter(|part| !part.is_empty()).map(|part| (part, Role::Muted));
        let main = told.main.split(", ").filter(|part| !part.is_empty()).map(|part| (part, Role::Text));
        for (part, role) in main.chain(parts) {
            let clean = crate::clean::Clean::of(part);
            lines.extend(crate::line::paragraph(&clean, Look::of(role), 2, width));
        }
        lines.push(Line::new());
    }
    if let Some(checkin) = note_before(model, round) {
        lines.extend(crate::line::paragraph(
            &crate::clean::Clean::of(note_head(model, checkin)),
            Look::of(Role::Muted),
            0,
            width,
        ));
        let note = crate::clean::Clean::of(checkin.note.clone());
        lines.extend(crate::line::paragraph(&note, Look::default(), 0, width).into_iter().take(12));
    }
    lines
}
