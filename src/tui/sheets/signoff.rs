//! The sheet before a round is signed: what was looked at, what was done, what is left and to whom, the note.
//!
//! Decides its order. What is left, open and done is the desk's word, as it stood when the sheet was opened; a sheet whose
//! round changes is closed by `update`, never quietly redrawn.

use desk::rounds::RoundView;
use domain::checkin::{Deeds, Left, LeftOf, Named, OpenAlert, Round};
use domain::id::ClientId;
use domain::time::Zone;
use tui_input::Input;

use super::{Content, Sheet, confirm_foot, field_line};
use crate::clean::Clean;
use crate::keymap::{Intent, Scope, key_of};
use crate::line::{Line, Look, ledger};
use crate::model::Model;
use crate::morning::preview::counted;
use crate::rounds::{self, Step, looked_words, steps};
use crate::theme::Role;
use crate::when;

/// A round that is about to be signed.
#[derive(Debug, Clone)]
pub(crate) struct SignOff {
    pub(crate) of: Round,
    /// For one client alone.
    pub(crate) client: Option<ClientId>,
    /// What stands on it; none until the desk has said.
    pub(crate) round: Option<Box<RoundView>>,
    /// Since when that stands there.
    pub(crate) shown_ms: u64,
    pub(crate) note: Input,
    pub(crate) typing: bool,
    pub(crate) top: usize,
    /// Lines that were on the screen, from the first.
    pub(crate) reached: usize,
}

/// The column of values.
const STOP: usize = 15;

pub(super) fn content(model: &Model, sheet: &Sheet, sign: &SignOff, width: usize) -> Content {
    let mut lines = looked(model, sign.of, width);
    match &sign.round {
        None => lines.push(Line::new().muted("working: what is left is being read")),
        Some(round) => {
            lines.extend(done(model, &round.done, width));
            lines.extend(left(model, &round.left, width));
            lines.extend(alerts(&round.alerts, width));
            lines.extend(next(model, round));
        }
    }
    let me = model.known.me.as_ref().map_or("", |me| me.name.as_str());
    let minutes = rounds::minutes(model, sign.of);
    let aside = format!("{me}, {minutes:02} of {} min", rounds::budget_min(sign.of));
    let name = rounds::pane(sign.of).name();
    // The day is the desk's word, as all on this sheet is.
    let day = |round: &RoundView| {
        round.begins.map_or_else(|| round.date.to_string(), |begins| when::weekday_day(begins, round.zone))
    };
    let title = match &sign.round {
        Some(round) => format!("Sign off: {name}, {}", day(round)),
        None => format!("Sign off: {name}"),
    };
    // What is typed is always in sight, however much is left.
    let mut below = vec![Line::new(), field_line("note", &sign.note, sign.typing)];
    below.extend(if sign.typing { typing_foot() } else { foot(model, sheet, sign, lines.len()) });
    Content { title: title.into(), aside: aside.into(), lines, foot: below, top: sign.top }
}

fn typing_foot() -> Vec<Line> {
    let key = |intent| key_of(&[Scope::Field], intent).map_or_else(String::new, |key| key.to_string());
    let line = Line::new().key(key(Intent::Confirm)).plain("  ").muted("ends the note");
    vec![Line::new(), line.goto(28).key(key(Intent::Dismiss)).plain("  ").muted("stops typing")]
}

fn foot(model: &Model, sheet: &Sheet, sign: &SignOff, lines: usize) -> Vec<Line> {
    let key = |intent| key_of(&[Scope::SignSheet], intent).map_or_else(String::new, |key| key.to_string());
    let words = match &sign.round {
        Some(_) => format!("sign for {}", whose(model, sign.client.as_ref())),
        None => "working".to_owned(),
    };
    let dismiss = (key(Intent::Dismiss), "not yet");
    let mut foot = if sign.round.is_some() && lines > sign.reached {
        // Nobody signs for what they did not see (T8).
        let line = Line::new().muted(key(Intent::Confirm)).muted("  signs at the end");
        let at = line.end().max(20) + 4;
        vec![Line::new(), line.goto(at).key(dismiss.0).plain("  ").muted(dismiss.1)]
    } else {
        confirm_foot(model, sheet, (key(Intent::Confirm), words), dismiss)
    };
    if let Some(last) = foot.pop() {
        foot.push(last.plain("    ").key(key(Intent::Words)).plain("  ").muted("note"));
    }
    foot
}

fn whose(model: &Model, client: Option<&ClientId>) -> String {
    client.map_or_else(|| "all clients".to_owned(), |client| model.known.client_name(client))
}

fn looked(model: &Model, round: Round, width: usize) -> Vec<Line> {
    let mut lines = vec![Line::new().bold("Looked at")];
    for step in rounds::steps(round).iter().copied().filter(|step| *step != Step::SignOff) {
        let label = Line::new().goto(2).muted(step.name().to_lowercase());
        // What stood there when it was looked at, as the signature says it.
        let seen = model.rounds.looked.get(&(round, step)).map(|looked| looked.what.clone());
        let what = seen.unwrap_or_else(|| steps::what(model, step));
        let line = match looked_words(model, round, step) {
            Some(times) => {
                let room = width.saturating_sub(STOP + times.chars().count() + 2);
                label.goto(STOP).plain(Clean::of(what).cut(room)).right(times, Look::of(Role::Muted))
            }
            None => label.goto(STOP).put("! not looked at", Look::of(Role::Warn)).muted(format!("  {what}")),
        };
        lines.push(line);
    }
    lines.push(Line::new());
    lines
}

fn done(model: &Model, deeds: &Deeds, width: usize) -> Vec<Line> {
    let mut lines = vec![Line::new().bold("Done")];
    let row = |label: &'static str, text: String| {
        let wrapped = ledger("", STOP, &Clean::of(text), Look::default(), width);
        wrapped.into_iter().enumerate().map(move |(at, line)| if at == 0 { with_label(label, line) } else { line })
    };
    let names = |all: &[Named]| all.iter().map(|named| name(model, named)).collect::<Vec<_>>().join(", ");
    if !deeds.approved.is_empty() {
        let count = counted(deeds.approved.len(), "experiment");
        let posts = counted(usize::try_from(deeds.posts).unwrap_or(0), "post");
        lines.extend(row("approved", format!("{count}, {posts}")));
    }
    if !deeds.passed_on.is_empty() {
        lines.extend(row("sent on", format!("{}: your word is given, one more is needed", names(&deeds.passed_on))));
    }
    if !deeds.rejected.is_empty() {
        lines.extend(row("sent back", names(&deeds.rejected)));
    }
    if !deeds.settled.is_empty() {
        lines.extend(row("settled", counted(deeds.settled.len(), "alert")));
    }
    if deeds.is_empty() {
        lines.push(Line::new().goto(2).muted("nothing that still stands"));
    }
    lines.push(Line::new());
    lines
}

fn with_label(label: &'static str, line: Line) -> Line {
    let mut labelled = Line::new().goto(2).muted(label);
    labelled.left.extend(line.left);
    labelled
}

/// Returns what people call an experiment.
fn name(model: &Model, named: &Named) -> String {
    model.known.line(named.experiment).map_or_else(|| named.code.clone(), |line| line.name.clone())
}

fn left(model: &Model, left: &[Left], width: usize) -> Vec<Line> {
    let mut lines = vec![Line::new().bold("Left")];
    if left.is_empty() {
        lines.push(Line::new().goto(2).muted("nothing"));
    }
    for (number, left) in (1_usize..).zip(left) {
        let text = Clean::of(format!("{}: {}{}", left.what.trim_end_matches('.'), left.to, before(model, left)));
        for (at, part) in text.wrapped(width.saturating_sub(5)).into_iter().enumerate() {
            let line = if at == 0 { Line::new().goto(2).muted(number.to_string()) } else { Line::new() };
            lines.push(line.goto(5).plain(part));
        }
    }
    lines.push(Line::new());
    lines
}

/// The alerts that the signature tells of, those in good hands too.
fn alerts(alerts: &[OpenAlert], width: usize) -> Vec<Line> {
    if alerts.is_empty() {
        return Vec::new();
    }
    let mut lines = vec![Line::new().bold("Open alerts")];
    for alert in alerts {
        let owner = alert.owner.as_ref().map_or_else(|| "nobody has it".to_owned(), |owner| format!("{owner} has it"));
        let text = Clean::of(format!("{}: {owner}", alert.rule));
        let look = if alert.owner.is_some() { Look::default() } else { Look::of(Role::Warn) };
        for (at, line) in ledger("", STOP, &text, look, width).into_iter().enumerate() {
            lines.push(if at == 0 { with_label(alert.urgency.as_str(), line) } else { line });
        }
    }
    lines.push(Line::new());
    lines
}

fn before(model: &Model, left: &Left) -> String {
    let zone = zone_of(model, left);
    let words = |at| format!(", before {} {}", when::day_clock(at, zone), when::city(zone));
    left.before.map_or_else(String::new, words)
}

/// Slots stand in the zone of their client.
fn zone_of(model: &Model, left: &Left) -> Zone {
    match &left.of {
        LeftOf::Experiment(named) => {
            let line = model.known.line(named.experiment);
            line.map_or(model.setting.zone, |line| model.known.zone(&line.client))
        }
        LeftOf::Escalation { escalation } => {
            let found = model.known.escalations.iter().flatten().find(|e| e.id == *escalation);
            found.map_or(model.setting.zone, |found| model.known.zone(&found.client))
        }
        LeftOf::Post { .. } | LeftOf::Conversation { .. } | LeftOf::Engine => model.setting.zone,
    }
}

fn next(model: &Model, round: &RoundView) -> Vec<Line> {
    let zone = model.setting.zone;
    let slot = round.next.map(|next| {
        format!("{} {}, {}", when::day_clock(next, zone), when::city(zone), when::relative(next, model.wall()))
    });
    let after =
        round.after.map(|next| format!("{} round from {}", next.round, when::clock_then(next.at, model.wall(), zone)));
    let words: Vec<String> = slot.into_iter().chain(after).collect();
    if words.is_empty() {
        return Vec::new();
    }
    vec![Line::new().muted("Next: ").muted(words.join("; ")).muted(".")]
}
