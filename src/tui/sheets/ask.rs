//! The short sheets: refuse, stop, go on, leave.
//!
//! Decides their words. Stopping asks nothing but which; going on takes a sentence, then a key.

use desk::Stoppable;
use domain::hold::HoldCause;
use domain::id::LearningId;

use super::{Content, OTHER, REASONS, Reasoned, Refuse, Resume, Sheet, Stop, confirm_foot, field_line};
use crate::clean::Clean;
use crate::keymap::{Intent, Scope, key_of};
use crate::line::{Line, Look};
use crate::link::State;
use crate::model::Model;
use crate::theme::Role;
use crate::when;

/// Where the holds stand that a resume ends.
const ENDS: usize = 8;

fn key(scope: Scope, intent: Intent) -> String {
    key_of(&[scope], intent).map_or_else(String::new, |key| key.to_string())
}

fn dismiss(scope: Scope, words: &'static str) -> Line {
    Line::new().key(key(scope, Intent::Dismiss)).plain("  ").muted(words)
}

pub(super) fn refuse(model: &Model, refuse: &Refuse) -> Content {
    let name = model.known.line(refuse.experiment).map_or_else(String::new, |line| line.name.clone());
    let mut lines = vec![Line::new().bold("Why not this one?").plain("   ").muted(name), Line::new()];
    for (number, reason) in (1_u8..).zip(REASONS) {
        let key = key(Scope::RefuseSheet, Intent::Choice(number));
        let line = if refuse.typing { Line::new().muted(key) } else { Line::new().key(key) };
        let line = line.goto(3);
        lines.push(if refuse.other && number == OTHER { line.bold(reason) } else { line.plain(reason) });
    }
    lines.push(Line::new());
    lines.push(Line::new().muted("It goes back to its author with the reason; its slots are given up."));
    if refuse.typing || !refuse.words.value().is_empty() {
        lines.push(field_line("words", &refuse.words, refuse.typing));
    }
    if refuse.other {
        let back = Line::new().key(key(Scope::Field, Intent::Confirm)).plain("  ").muted("refuses with these words");
        let back = back.goto(34).key(key(Scope::Field, Intent::Dismiss)).plain("  ").muted("back to the reasons");
        let aside = "your words are the reason".into();
        return Content { title: "Refuse".into(), aside, lines, foot: vec![Line::new(), back], top: 0 };
    }
    let words = key(Scope::RefuseSheet, Intent::Words);
    let foot = vec![
        Line::new(),
        Line::new()
            .key(words)
            .plain("  ")
            .muted("adds words")
            .goto(24)
            .key(key(Scope::RefuseSheet, Intent::Dismiss))
            .plain("  ")
            .muted("do nothing"),
    ];
    Content { title: "Refuse".into(), aside: "one key refuses".into(), lines, foot, top: 0 }
}

/// Returns what the numbers of the stop sheet stop, with their names.
pub(crate) fn stoppables(model: &Model, stop: &Stop) -> Vec<(u8, Stoppable, String)> {
    let mut all = Vec::new();
    if let Some(line) = stop.experiment.and_then(|id| model.known.line(id)) {
        all.push((
            1,
            Stoppable::Experiment(line.code.clone()),
            format!("this experiment: {} {}", line.code, line.name),
        ));
        let accounts = stop.experiment.and_then(|id| model.known.items.get(&id)).map(|item| item.accounts());
        let detail = stop.experiment.and_then(|id| model.known.details.get(&id));
        let account = accounts
            .and_then(|all| all.first().copied().cloned())
            .or_else(|| detail.and_then(|view| view.posts.first().map(|post| post.account.clone())));
        if let Some(account) = account {
            let name = format!("its account: {}", model.known.handle(&account));
            all.push((2, Stoppable::Account(account), name));
        }
        let name = format!("its client: {}", model.known.client_name(&line.client));
        all.push((3, Stoppable::Client(line.client.clone()), name));
    }
    if let Some(account) = stop.account.as_ref().and_then(|id| model.known.accounts.get(id)) {
        all.push((2, Stoppable::Account(account.id.clone()), format!("this account: @{}", account.handle)));
        let client = format!("its client: {}", model.known.client_name(&account.client));
        all.push((3, Stoppable::Client(account.client.clone()), client));
    }
    all.push((4, Stoppable::Agency, "everything, for all clients".to_owned()));
    all
}

pub(super) fn stop(model: &Model, stop: &Stop) -> Content {
    let mut lines = vec![Line::new().bold("Stop what? It stops at once and asks nothing."), Line::new()];
    let typing = !stop.name.value().is_empty();
    for (number, _, name) in stoppables(model, stop) {
        let key = key(Scope::StopSheet, Intent::Choice(number));
        let line = if typing { Line::new().muted(key) } else { Line::new().key(key) };
        lines.push(line.goto(3).plain(name));
    }
    lines.push(Line::new());
    lines.push(field_line("name", &stop.name, true));
    if typing {
        for line in crate::update::stop::named(model, stop.name.value()).iter().take(5) {
            lines.push(Line::new().goto(5).muted(line.1.clone()));
        }
    } else {
        lines.push(Line::new().goto(5).muted("or type the name of an experiment, an account or a client, then Enter"));
    }
    let foot = vec![Line::new(), dismiss(Scope::StopSheet, "do nothing")];
    Content { title: "Stop".into(), aside: "nothing unsent of it goes out".into(), lines, foot, top: 0 }
}

pub(super) fn resume(model: &Model, sheet: &Sheet, resume: &Reasoned<Resume>, width: usize) -> Content {
    let mut lines = vec![
        Line::new().bold(format!("Let {} go on.", resume.what.name)),
        Line::new().muted("The guards look again first; only what is still approved goes out, nothing is sent late."),
    ];
    for (row, hold) in resume.what.holds.iter().enumerate() {
        let label = if row == 0 { "Ends" } else { "" };
        let since = when::day_clock(hold.at, model.setting.zone);
        let text = format!("since {since} by {}: {}", hold.by, hold.reason);
        let look = if hold.cause == HoldCause::Operator { Look::default() } else { Look::of(Role::Danger) };
        lines.extend(crate::line::ledger(label, ENDS, &Clean::of(text), look, width));
    }
    lines.push(Line::new());
    lines.push(field_line("reason", &resume.text, resume.typing));
    let foot = reasoned_foot(model, sheet, Scope::ResumeSheet, "let it go on", resume.typing);
    Content { title: "Go on".into(), aside: "needs a reason".into(), lines, foot, top: 0 }
}

pub(super) fn retract(model: &Model, sheet: &Sheet, retract: &Reasoned<LearningId>, width: usize) -> Content {
    let mut lines = match crate::memory::of(model, retract.what) {
        Some(view) => {
            crate::line::paragraph(&Clean::of(view.learning.sentence.as_str()), Look::bold(Role::Text), 0, width)
        }
        None => Vec::new(),
    };
    lines.push(Line::new().muted("It no longer counts, and stays to be found with the reason."));
    lines.push(Line::new());
    lines.push(field_line("reason", &retract.text, retract.typing));
    let foot = reasoned_foot(model, sheet, Scope::RetractSheet, "retract it", retract.typing);
    Content { title: "Retract".into(), aside: "needs a reason".into(), lines, foot, top: 0 }
}

fn reasoned_foot(model: &Model, sheet: &Sheet, scope: Scope, words: &str, typing: bool) -> Vec<Line> {
    if typing {
        let (done, out) = (key(Scope::Field, Intent::Confirm), key(Scope::Field, Intent::Dismiss));
        return vec![
            Line::new(),
            Line::new()
                .key(done)
                .plain("  ")
                .muted("ends the sentence")
                .goto(28)
                .key(out)
                .plain("  ")
                .muted("stops typing"),
        ];
    }
    confirm_foot(
        model,
        sheet,
        (key(scope, Intent::Confirm), words.to_owned()),
        (key(scope, Intent::Dismiss), "do nothing"),
    )
}

pub(super) fn leave(model: &Model) -> Content {
    let alarm = matches!(model.link.state(model.now), State::EngineDead { .. });
    let text = if alarm {
        "No engine runs. Posts that were approved miss their slots until one does."
    } else {
        "The engine was started from here; it goes on without this screen."
    };
    let mut lines = vec![Line::new().bold(text), Line::new()];
    let leave = if alarm { "leave all the same" } else { "leave; the engine goes on" };
    lines.push(Line::new().key(key(Scope::LeaveSheet, Intent::Leave)).goto(3).plain(leave));
    if model.engine_is_ours {
        let stop = key(Scope::LeaveSheet, Intent::LeaveAndStop);
        lines.push(
            Line::new().key(stop).goto(3).plain("stop the engine, then leave: nothing goes out until it is started"),
        );
    }
    let foot = vec![Line::new(), dismiss(Scope::LeaveSheet, "stay")];
    Content { title: "Leave".into(), aside: "".into(), lines, foot, top: 0 }
}
