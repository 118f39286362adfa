//! The sheet before an approval: what will happen, to what it binds, what is left out, until when it can be undone.
//!
//! Decides that every item stands on it with the fingerprint it had when the sheet was opened; a sheet whose items
//! change is closed by `update`, never quietly redrawn.

use domain::hold::Hold;
use domain::id::ExperimentId;

use super::{Content, Sheet, confirm_foot};
use crate::approval::{is_seen, unseen_words};
use crate::can::is_paused;
use crate::clean::Clean;
use crate::diff;
use crate::item::{Item, facet_text};
use crate::keymap::{Intent, Scope, key_of};
use crate::line::{Line, Look, ledger, paragraph};
use crate::link::State;
use crate::model::Model;
use crate::morning::preview::{binds, counted, fingerprint, one_line, value};
use crate::morning::{self, Stopped};
use crate::theme::Role;
use crate::when;

/// What is to be approved.
#[derive(Debug, Clone)]
pub(crate) struct Approve {
    /// Items with the fingerprints that stand on the sheet; none until its sheet was read.
    pub(crate) items: Vec<(ExperimentId, Option<String>)>,
    /// What was marked or shown and is not on it, and why.
    pub(crate) left_out: Vec<(ExperimentId, String)>,
    /// Since when every item stands on it.
    pub(crate) complete_ms: Option<u64>,
    pub(crate) top: usize,
}

/// The column of values.
const STOP: usize = 12;

pub(super) fn content(model: &Model, sheet: &Sheet, approve: &Approve, width: usize) -> Content {
    let items: Vec<&Item> = approve.items.iter().filter_map(|(id, _)| model.known.item(*id)).collect();
    let mut lines = Vec::new();
    lines.extend(head(model, &items));
    lines.push(Line::new());
    match items.as_slice() {
        [only] => lines.extend(one(model, only, width)),
        several => {
            lines.extend(several.iter().map(|item| row(model, item, width)));
            lines.push(Line::new());
        }
    }
    lines.extend(left_out(model, approve, width));
    lines.extend(accounts(model, &items, width));
    lines.extend(bound(model, &items, width));
    let engine = match model.link.state(model.now) {
        State::EngineDead { .. } => Some("no engine runs: what is approved goes out once one does"),
        State::Held(_) => Some("everything is on hold: what is approved goes out once that is over"),
        State::Opening
        | State::Live
        | State::Troubled(_)
        | State::Stale(_)
        | State::Lost { .. }
        | State::ShutOut { .. } => None,
    };
    if let Some(text) = engine {
        lines.push(Line::new().muted("Engine").goto(STOP).put("! ", Look::of(Role::Warn)).plain(text));
    }
    let what = match approve.items.len() {
        1 => "approve this one".to_owned(),
        n => format!("approve these {n}"),
    };
    let what = if approve.complete_ms.is_some() { what } else { "working: sheets are being read".to_owned() };
    let key = |intent| key_of(&[Scope::ApproveSheet], intent).map_or_else(String::new, |key| key.to_string());
    let foot = confirm_foot(model, sheet, (key(Intent::Confirm), what), (key(Intent::Dismiss), "do nothing"));
    let aside = format!("{}, nothing further below", counted(approve.items.len(), "item"));
    Content { title: "What will happen".into(), aside: aside.into(), lines, foot, top: approve.top }
}

fn head(model: &Model, items: &[&Item]) -> Vec<Line> {
    let posts: usize = items.iter().map(|item| item.sheet.posts.len()).sum();
    let mut accounts: Vec<_> = items.iter().flat_map(|item| item.accounts()).collect();
    accounts.sort();
    accounts.dedup();
    let what = match items {
        [only] => only.sheet.line.code.clone(),
        several => counted(several.len(), "experiment"),
    };
    let head = format!("Approve {what}: {} on {}.", counted(posts, "post"), counted(accounts.len(), "account"));
    let mut lines = vec![Line::new().bold(head)];
    let first = items.iter().filter_map(|item| Some((item.first()?, item.client()))).min_by_key(|(at, _)| *at);
    let last = items.iter().filter_map(|item| Some((item.last()?, item.client()))).max_by_key(|(at, _)| *at);
    if let (Some((first, client)), Some((last, of_last))) = (first, last) {
        let zone = model.known.zone(client);
        lines.push(
            Line::new()
                .plain(format!("First {} {}", when::day_clock(first, zone), when::city(zone)))
                .muted(format!(", {}; ", when::relative(first, model.wall())))
                .plain(format!("last {}", when::day(last, model.known.zone(of_last))))
                .muted("."),
        );
    }
    lines
}

fn row(model: &Model, item: &Item, width: usize) -> Line {
    let muted = Look::of(Role::Muted);
    let line = &item.sheet.line;
    let handle = item.accounts().first().map_or_else(String::new, |account| model.known.handle(account));
    let name = if width < 80 { 22 } else { 26 };
    let mut row = Line::new().cell(line.name.clone(), Look::default(), name, 2).cell(handle, muted, 20, 2);
    if width >= 88 {
        let variable = item.variable().map_or("", |facet| facet.as_str());
        row = row.cell(variable, Look::default(), 9, 2);
        for (place, text) in variants(item).into_iter().enumerate() {
            row = if place == 0 { row } else { row.muted(" · ") };
            row = row.plain(one_line(&text).cut(15));
        }
    }
    if width >= 120 {
        row = row.right(fingerprint(&item.sheet.fingerprint), muted).right("   ", muted);
    }
    if is_seen(model, line.id) {
        row.right("opened", muted)
    } else {
        row.right(unseen_words(model, line.id), Look::of(Role::Warn))
    }
}

/// Returns what each variant shows of the variable in the first round.
fn variants(item: &Item) -> Vec<String> {
    let Some(variable) = item.variable() else { return Vec::new() };
    let first = item.rounds_shown().first().and_then(|round| item.rounds.get(*round));
    first.map(|contents| contents.iter().map(|content| value(content, variable)).collect()).unwrap_or_default()
}

/// One item alone: its sentence, what differs in every round, its findings.
fn one(model: &Model, item: &Item, width: usize) -> Vec<Line> {
    let mut lines = Vec::new();
    if let Some(brief) = &item.brief {
        lines.extend(paragraph(&Clean::of(brief.hypothesis.raw()), Look::default(), 0, width));
    }
    if let Some(variable) = item.variable() {
        for round in item.rounds_shown() {
            let Some(contents) = item.rounds.get(round) else { continue };
            for (content, letter) in contents.iter().zip('A'..='Z') {
                let text = facet_text(content, variable);
                let text = if text.is_empty() { value(content, variable) } else { text };
                let control = contents.first().map(|control| facet_text(control, variable)).unwrap_or_default();
                let painted = if letter == 'A' { Clean::lines(&text) } else { diff::against(&control, &text) };
                let mut first = true;
                for clean in painted {
                    for part in clean.wrapped(width.saturating_sub(STOP)) {
                        let line = if first {
                            crate::morning::preview::lettered(letter, STOP)
                        } else {
                            Line::new().goto(STOP)
                        };
                        first = false;
                        lines.push(line.plain(part));
                    }
                }
            }
        }
    } else {
        for going in item.going_out() {
            lines.extend(ledger("", STOP, &one_line(going.text), Look::default(), width));
        }
    }
    lines.push(Line::new());
    let (words, clean) = crate::morning::findings_in_words(item);
    let look = if clean { Look::default() } else { Look::of(Role::Warn) };
    lines.extend(ledger("Findings", STOP, &Clean::of(words), look, width));
    if is_seen(model, item.sheet.line.id) {
        lines.push(Line::new().muted("Seen").goto(STOP).muted("opened, in full"));
    } else {
        let words = unseen_words(model, item.sheet.line.id);
        lines.push(Line::new().muted("Seen").goto(STOP).put(words, Look::of(Role::Warn)));
    }
    lines.extend(stopped(model, item, width));
    for note in &item.sheet.notes {
        lines.extend(ledger("Note", STOP, &Clean::of(note.clone()), Look::of(Role::Warn), width));
    }
    if item.sheet.needed > 1 {
        let text = format!("{} of {} given; yours is one", item.sheet.words.len(), item.sheet.needed);
        lines.push(Line::new().muted("Words").goto(STOP).put(text, Look::of(Role::Warn)));
    }
    lines
}

/// Says what of an item is stopped, by whom and why: a word for it sends nothing until that is over.
fn stopped(model: &Model, item: &Item, width: usize) -> Vec<Line> {
    let id = item.sheet.line.id;
    let zone = model.known.zone(item.client());
    let whose = |stopped| match stopped {
        Stopped::Experiment => "it is",
        Stopped::Account => "its account is",
        Stopped::Client => "its client is",
    };
    let words = |(stopped, hold): (Stopped, &Hold)| {
        format!(
            "! {} stopped by {} at {}: {}",
            whose(stopped),
            hold.by,
            when::day_clock(hold.at, zone),
            hold.reason.trim_end_matches('.')
        )
    };
    let mut told: Vec<String> = morning::holds(model, id).into_iter().map(words).collect();
    if told.is_empty() && model.known.line(id).is_some_and(is_paused) {
        told.push("! it is stopped".to_owned());
    }
    if told.is_empty() {
        return Vec::new();
    }
    told.push("nothing of it goes out until it is let go on".to_owned());
    let labels = std::iter::once("Stopped").chain(std::iter::repeat(""));
    let rows = told.into_iter().zip(labels);
    rows.flat_map(|(text, label)| ledger(label, STOP, &Clean::of(text), Look::of(Role::Warn), width)).collect()
}

fn left_out(model: &Model, approve: &Approve, width: usize) -> Vec<Line> {
    let mut lines = Vec::new();
    for (id, why) in &approve.left_out {
        let name = model.known.line(*id).map_or_else(String::new, |line| line.name.clone());
        let label = if lines.is_empty() { "Left out" } else { "" };
        lines.extend(ledger(label, STOP, &Clean::of(format!("! {name}: {why}")), Look::of(Role::Warn), width));
    }
    lines
}

fn accounts(model: &Model, items: &[&Item], width: usize) -> Vec<Line> {
    let mut counts = std::collections::BTreeMap::new();
    for post in items.iter().flat_map(|item| &item.sheet.posts) {
        *counts.entry(&post.line.account).or_insert(0_usize) += 1;
    }
    let words: Vec<String> =
        counts.iter().map(|(account, n)| format!("{} {}", model.known.handle(account), counted(*n, "post"))).collect();
    ledger("Accounts", STOP, &Clean::of(words.join(", ")), Look::default(), width)
}

fn bound(model: &Model, items: &[&Item], width: usize) -> Vec<Line> {
    let mut lines = match items {
        [only] => vec![binds(model, only, STOP, width)],
        _ => {
            let text = "contents, pictures, accounts, lanes, slots and policy, each as listed";
            ledger("Binds to", STOP, &text.into(), Look::default(), width)
        }
    };
    let text = "If any of it changes, that item's approval is void and comes back here.";
    lines.extend(ledger("", STOP, &text.into(), Look::of(Role::Muted), width));
    let undo = key_of(&[Scope::Anywhere], Intent::Undo).map_or_else(String::new, |key| key.to_string());
    lines.push(Line::new().muted("Undo").goto(STOP).key(undo).muted(" for each post until its commit starts"));
    lines
}
