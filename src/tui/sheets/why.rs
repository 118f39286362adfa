//! Why: what happened, what the system did, what can be done, in that order, without codes first.
//!
//! Decides the answers for an item, an experiment, an alert and the engine. It reads what is known and changes nothing.

use domain::id::{AccountId, EscalationId, ExperimentId};

use super::{Content, Why};
use crate::can::{Can, can, is_paused};
use crate::clean::Clean;
use crate::keymap::{Intent, Scope, key_of, valid};
use crate::line::{Line, Look, ledger};
use crate::link::State;
use crate::model::Model;
use crate::morning;
use crate::theme::Role;
use crate::when;

/// What is asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Subject {
    Experiment(ExperimentId),
    Alert(EscalationId),
    Account(AccountId),
    Engine,
}

const STOP: usize = 15;

pub(super) fn content(model: &Model, why: &Why, width: usize) -> Content {
    let (title, mut lines) = match &why.subject {
        Subject::Experiment(id) => of_experiment(model, *id, width),
        Subject::Alert(id) => of_alert(model, *id, width),
        Subject::Account(id) => of_account(model, id, width),
        Subject::Engine => of_engine(model, width),
    };
    let greyed = greyed(model);
    if !greyed.is_empty() {
        lines.push(Line::new());
        for (row, (key, words)) in greyed.iter().enumerate() {
            let label = if row == 0 { "Not now" } else { "" };
            lines.extend(ledger(label, STOP, &Clean::of(format!("{key}: {words}")), Look::of(Role::Muted), width));
        }
    }
    let close = key_of(&[Scope::WhySheet], Intent::Dismiss).map_or_else(String::new, |k| k.to_string());
    let foot = vec![Line::new(), Line::new().key(close).plain("  ").muted("close")];
    Content { title: Clean::of(title), aside: "why it is like this".into(), lines, foot, top: why.top }
}

/// Returns what was said, newest first, each whole.
pub(super) fn messages(model: &Model, top: usize, width: usize) -> Content {
    let zone = model.setting.zone;
    let mut lines = Vec::new();
    for (at, said) in model.log.iter().rev() {
        let mut first = true;
        for part in said.text.wrapped(width.saturating_sub(STOP)) {
            let line = if first { Line::new().muted(when::clock_seconds(*at, zone)) } else { Line::new() };
            first = false;
            lines.push(line.goto(STOP).put(part, Look::of(said.tone)));
        }
    }
    if lines.is_empty() {
        lines.push(Line::new().muted("Nothing was said yet."));
    }
    let close = key_of(&[Scope::WhySheet], Intent::Dismiss).map_or_else(String::new, |k| k.to_string());
    let foot = vec![Line::new(), Line::new().key(close).plain("  ").muted("close")];
    Content { title: "Messages".into(), aside: "newest first".into(), lines, foot, top }
}

/// Keys of this place that do not work now, and why.
fn greyed(model: &Model) -> Vec<(String, String)> {
    let refused = |row: &&crate::keymap::Binding| match can(model, row.intent) {
        Can::Not(why) => Some((format!("{} {}", row.keys.first()?, row.label), why)),
        Can::Yes | Can::As(_) => None,
    };
    valid(&model.scopes_under(1))
        .iter()
        .filter(|row| row.hint && row.scope != Scope::Anywhere)
        .filter_map(refused)
        .collect()
}

fn of_experiment(model: &Model, id: ExperimentId, width: usize) -> (String, Vec<Line>) {
    let Some(line) = model.known.line(id) else { return (String::new(), Vec::new()) };
    let mut lines = Vec::new();
    let mut add = |label: &'static str, text: String, role: Role| {
        lines.extend(ledger(label, STOP, &Clean::of(text), Look::of(role), width));
    };
    let waiting = model.known.queue.as_ref().and_then(|queue| queue.get(&id));
    let zone = model.known.zone(&line.client);
    if is_paused(line) {
        for hold in model.known.details.get(&id).map(|view| view.holds.as_slice()).unwrap_or_default() {
            let at = when::day_clock(hold.at, zone);
            add("What happened", format!("{} stopped it at {at}: {}", hold.by, hold.reason), Role::Text);
        }
        add("What was done", "nothing unsent of it goes out; what is out stays out".to_owned(), Role::Text);
        add("What can be", "let it go on, with a reason; the guards look again first".to_owned(), Role::Text);
    } else if let Some(queued) = waiting {
        let level = &queued.level;
        let reasons =
            if level.reasons.is_empty() { "its level asks for it".to_owned() } else { level.reasons.join("; ") };
        add("What happened", format!("it waits for a person's word: level {}, {reasons}", level.level), Role::Text);
        if let Some(item) = model.known.item(id) {
            for post in &item.sheet.posts {
                if let Some((field, why)) = &post.line.voided {
                    let text =
                        format!("{} {}: the last approval is void, {field}: {why}", post.line.letter, post.line.number);
                    add("", text, Role::Warn);
                }
            }
            for finding in &item.sheet.findings {
                add("", format!("{} {}: {}", finding.guard, finding.place, finding.why), Role::Text);
                add("", format!("mend: {}", finding.mend), Role::Muted);
            }
        }
        add("What was done", "nothing goes out; its slots are kept".to_owned(), Role::Text);
        let standing = morning::standing(model, queued);
        let can_be = if standing == morning::Standing::Clean {
            "approve it, refuse it, or look at it whole".to_owned()
        } else {
            standing.reason(model.wall(), model.setting.zone)
        };
        add("What can be", can_be, Role::Text);
    } else {
        add("What happened", format!("it is {}", line.stage.word()), Role::Text);
        let voided = model.known.details.get(&id).map(|view| view.posts.as_slice()).unwrap_or_default();
        for post in voided.iter().filter(|post| post.voided.is_some()) {
            if let Some((field, why)) = &post.voided {
                add("", format!("{} {}: approval void, {field}: {why}", post.letter, post.number), Role::Warn);
            }
        }
        add(
            "What comes",
            line.next.map_or_else(|| "no post waits".to_owned(), |n| when::relative(n, model.wall())),
            Role::Text,
        );
    }
    (line.name.clone(), lines)
}

fn of_alert(model: &Model, id: EscalationId, width: usize) -> (String, Vec<Line>) {
    let Some(alert) = model.known.escalations.iter().flatten().find(|e| e.id == id) else {
        return (String::new(), vec![Line::new().muted("It is settled.")]);
    };
    let mut lines = ledger("What happened", STOP, &Clean::of(alert.what.clone()), Look::default(), width);
    for (row, evidence) in alert.evidence.iter().enumerate() {
        let label = if row == 0 { "What was seen" } else { "" };
        lines.extend(ledger(label, STOP, &Clean::of(evidence.clone()), Look::default(), width));
    }
    for (row, answer) in alert.answers.iter().enumerate() {
        let label = if row == 0 { "What can be" } else { "" };
        lines.extend(ledger(label, STOP, &Clean::of(answer.clone()), Look::default(), width));
    }
    (alert.rule.clone(), lines)
}

fn of_account(model: &Model, id: &AccountId, width: usize) -> (String, Vec<Line>) {
    let Some(account) = model.known.accounts.get(id) else { return (id.to_string(), Vec::new()) };
    let mut lines = Vec::new();
    let mut add = |label: &'static str, text: String, role: Role| {
        lines.extend(ledger(label, STOP, &Clean::of(text), Look::of(role), width));
    };
    let zone = model.setting.zone;
    if account.holds.is_empty() {
        let word = crate::accounts::sign(model, account).word.plain();
        add("What happened", format!("nothing stops it; it is {word}"), Role::Text);
    }
    for hold in &account.holds {
        let since = when::day_clock(hold.at, zone);
        add("What happened", format!("{} stopped it at {since}: {}", hold.by, hold.reason), Role::Text);
    }
    for watch in &account.watched {
        let since = when::day_clock(watch.at, zone);
        let text = format!("since {since} it is watched: {}, {}", model.known.handle(&watch.of), watch.why);
        add("What was seen", text, Role::Text);
    }
    if !account.holds.is_empty() {
        add("What was done", "nothing unsent on it goes out; what is out stays out".to_owned(), Role::Text);
        let text = "let it go on with a reason: the sheet names what ends, the guards look again first";
        add("What can be", text.to_owned(), Role::Text);
    }
    (format!("@{}", account.handle), lines)
}

fn of_engine(model: &Model, width: usize) -> (String, Vec<Line>) {
    let text = match model.link.state(model.now) {
        State::Live => "the engine runs and the desk answers".to_owned(),
        State::Opening => "the desk has not answered yet".to_owned(),
        State::Troubled(lines) | State::Held(lines) => lines.join("; "),
        State::Stale(silent) => format!("the desk has been silent for {} s", silent.as_secs()),
        State::Lost { why, .. } | State::ShutOut { why } => why,
        State::EngineDead { .. } => "no engine holds this home: whoever ran it ended it, or it died".to_owned(),
    };
    let mut lines = ledger("What happened", STOP, &Clean::of(text), Look::default(), width);
    if model.known.health.as_ref().is_some_and(|health| !health.holds.is_empty()) {
        let key = key_of(&[Scope::System], Intent::Pause).map_or_else(String::new, |key| key.to_string());
        let text = format!("{} lets everything go on with {key}, and a reason", crate::can::who_releases());
        lines.extend(ledger("What can be", STOP, &Clean::of(text), Look::default(), width));
    }
    let done = "posts that were on their way are looked at before anything is sent again";
    lines.extend(ledger("What is done", STOP, &done.into(), Look::default(), width));
    ("Engine".to_owned(), lines)
}
