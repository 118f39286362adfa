//! Morning: is every account safe, does anything collide, what goes out?
//!
//! Decides what each row of the queue is waiting for, and which rows count as clean. Approving itself is
//! a sheet's business, the whole of an item the approval page's.

mod day;
pub(crate) mod preview;
pub(crate) mod view;

use std::collections::{BTreeMap, BTreeSet};

use desk::query::{ExperimentLine, QueueLine};
use domain::approval::ApprovalLevel;
use domain::experiment::Stage;
use domain::experiment::later::Later;
use domain::hold::Hold;
use domain::id::ExperimentId;
use domain::preflight::Severity;
use domain::time::{UtcTime, Zone};
use tui_input::Input;

pub(crate) use day::strip;

use crate::rounds::Step;

use crate::can::is_paused;
use crate::filter::Filter;
use crate::list::List;
use crate::model::Model;
use crate::sign::Sign;
use crate::when;

/// What became of an item in this round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decided {
    Approved,
    /// One word of two.
    Word,
    Refused,
}

/// The state of the pane.
#[derive(Debug, Clone, Default)]
pub(crate) struct Morning {
    pub(crate) step: Step,
    /// A person chose the step.
    pub(crate) chosen: bool,
    pub(crate) layers_top: usize,
    pub(crate) queue: List<ExperimentId>,
    pub(crate) marked: BTreeSet<ExperimentId>,
    pub(crate) last_mark: Option<ExperimentId>,
    /// Items that were on the screen in full, with the fingerprint they had.
    pub(crate) seen: BTreeMap<ExperimentId, String>,
    /// Items that were opened and looked at, though not to their end, with the fingerprint they had.
    pub(crate) begun: BTreeMap<ExperimentId, String>,
    pub(crate) decided: BTreeMap<ExperimentId, Decided>,
    pub(crate) filter: Input,
}

/// What a stop stands over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stopped {
    Experiment,
    Account,
    Client,
}

/// Why an item is not clean, or that it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Standing {
    Loading,
    Clean,
    Blocked(usize),
    Warned(usize),
    NotMine,
    Own,
    NeedsManual,
    SecondWord,
    ByHand,
    Held(Stopped),
    NotOneVariable,
    Unopened,
    Voided,
    Later(UtcTime),
}

impl Standing {
    /// Returns why it is left out of what is approved together.
    pub(crate) fn reason(&self, now: UtcTime, zone: Zone) -> String {
        match self {
            Self::Loading => "not read yet".to_owned(),
            Self::Clean => "clean".to_owned(),
            Self::Blocked(n) => format!("{n} block, it cannot go out"),
            Self::Warned(n) => format!("{n} warning, open it"),
            Self::NotMine => "a reviewer must give the word".to_owned(),
            Self::Own => "your own work, somebody else must".to_owned(),
            Self::NeedsManual => "level manual, open it".to_owned(),
            Self::SecondWord => "needs two persons, open it".to_owned(),
            Self::ByHand => "a person posts it, open it".to_owned(),
            Self::Held(Stopped::Experiment) => "it is stopped, open it".to_owned(),
            Self::Held(Stopped::Account) => "its account is stopped".to_owned(),
            Self::Held(Stopped::Client) => "its client is stopped".to_owned(),
            Self::NotOneVariable => "more than one thing differs".to_owned(),
            Self::Unopened => "its client wants each one opened".to_owned(),
            Self::Voided => "its last approval is void, open it".to_owned(),
            Self::Later(until) => later_words(*until, now, zone),
        }
    }
}

/// Tells how an item of the queue stands.
pub(crate) fn standing(model: &Model, line: &QueueLine) -> Standing {
    let Some(item) = model.known.item(line.line.id) else { return Standing::Loading };
    let [block, warn, _] = line.findings;
    let own = model.known.details.get(&line.line.id).is_some_and(|view| {
        let me = model.known.me.as_ref().map(|me| me.name.as_str());
        me.is_some_and(|me| view.author == me || view.editor == me)
    });
    let alone = item.sheet.notes.iter().any(|note| note.contains("nobody else looks at your own work"));
    if block > 0 {
        Standing::Blocked(block)
    } else if !item.strays().is_empty() {
        Standing::NotOneVariable
    } else if let Some(later) = later(model, line.line.id) {
        Standing::Later(later.until)
    } else if !model.may_approve(&line.level) {
        Standing::NotMine
    } else if own && !alone {
        Standing::Own
    } else if let Some(stopped) = stopped(model, line) {
        Standing::Held(stopped)
    } else if item.sheet.posts.iter().any(|post| post.line.voided.is_some()) {
        Standing::Voided
    } else if warn > 0 {
        Standing::Warned(warn)
    } else if line.needed > 1 {
        Standing::SecondWord
    } else if line.level.level == ApprovalLevel::Manual {
        Standing::NeedsManual
    } else if wants_opening(model, line) {
        Standing::Unopened
    } else if item.bindings().lanes.contains("browser") {
        Standing::ByHand
    } else {
        Standing::Clean
    }
}

/// A client may want each item opened before a word for it is given.
fn wants_opening(model: &Model, line: &QueueLine) -> bool {
    let client = model.known.clients.get(&line.line.client);
    client.is_some_and(|client| client.policy.open_each) && !crate::approval::is_seen(model, line.line.id)
}

/// Returns what of an item is stopped, the nearest first.
fn stopped(model: &Model, line: &QueueLine) -> Option<Stopped> {
    let id = line.line.id;
    if is_paused(&line.line) || model.known.line(id).is_some_and(is_paused) {
        return Some(Stopped::Experiment);
    }
    holds(model, id).first().map(|(stopped, _)| *stopped)
}

/// Returns the holds over an item, its own first.
pub(crate) fn holds(model: &Model, id: ExperimentId) -> Vec<(Stopped, &Hold)> {
    // Its own are told with its details, which may be older than its state.
    let own = model.known.details.get(&id).filter(|_| model.known.line(id).is_some_and(is_paused));
    let mut all: Vec<_> = own.iter().flat_map(|view| &view.holds).map(|hold| (Stopped::Experiment, hold)).collect();
    let Some(item) = model.known.items.get(&id) else { return all };
    let accounts = item.accounts().into_iter().filter_map(|id| model.known.accounts.get(id));
    all.extend(accounts.flat_map(|account| &account.holds).map(|hold| (Stopped::Account, hold)));
    let client = model.known.clients.get(item.client());
    all.extend(client.iter().flat_map(|client| &client.holds).map(|hold| (Stopped::Client, hold)));
    all
}

/// Tells whether an item may be approved together with others.
pub(crate) fn is_clean(model: &Model, id: ExperimentId) -> bool {
    let line = model.known.queue.as_ref().and_then(|queue| queue.get(&id));
    is_waiting(model, id) && line.is_some_and(|line| standing(model, line) == Standing::Clean)
}

/// Returns until when an item is put off, and by whom; none once its time has come.
pub(crate) fn later(model: &Model, id: ExperimentId) -> Option<&Later> {
    let line = model.known.queue.as_ref().and_then(|queue| queue.get(&id))?;
    line.later.as_ref().filter(|later| later.until > model.wall())
}

/// Says when an item is back: `later, back 13:00`, or `later, back Tue 09:00`.
pub(crate) fn later_words(until: UtcTime, now: UtcTime, zone: Zone) -> String {
    format!("later, back {}", when::clock_then(until, now, zone))
}

/// Tells whether an item still waits for a word that nobody is giving.
pub(crate) fn is_waiting(model: &Model, id: ExperimentId) -> bool {
    model.morning.queue.is_current(&id) && !model.is_pending(id)
}

/// Returns a row's state.
pub(crate) fn sign(model: &Model, id: ExperimentId) -> Sign {
    if model.is_pending(id) {
        return Sign::sent("sent");
    }
    let decided = model.morning.decided.get(&id);
    let line = model.known.queue.as_ref().and_then(|queue| queue.get(&id));
    let Some(line) = line.filter(|_| model.morning.queue.is_current(&id)) else {
        return match decided {
            Some(Decided::Approved) => Sign::done("approved"),
            Some(Decided::Word) => Sign::done("your word"),
            Some(Decided::Refused) => Sign::planned("refused"),
            None => left_by(model.known.line(id)),
        };
    };
    if decided == Some(&Decided::Word) {
        return Sign::done("your word");
    }
    match standing(model, line) {
        Standing::Loading => Sign::stale("reading"),
        Standing::Clean => Sign::done("clean"),
        Standing::Blocked(_) => Sign::failed("blocked"),
        Standing::Warned(n) => Sign::warning(format!("{n} warn")),
        Standing::NotMine => Sign::warning("reviewer"),
        Standing::Own => Sign::warning("own work"),
        Standing::NeedsManual => Sign::warning("manual"),
        Standing::SecondWord => Sign::warning("2 people"),
        Standing::ByHand => Sign::by_hand("by hand"),
        Standing::Held(_) => Sign::paused("stopped"),
        Standing::NotOneVariable => Sign::failed("2 differ"),
        Standing::Unopened => Sign::warning("to open"),
        Standing::Voided => Sign::warning("void"),
        Standing::Later(_) => Sign::planned("later"),
    }
}

/// Returns the state of an item that left the queue by somebody else's hand.
fn left_by(line: Option<&ExperimentLine>) -> Sign {
    match line.map(|line| &line.stage) {
        Some(Stage::Scheduled | Stage::Running | Stage::Maturing | Stage::Reviewing) => Sign::done("approved"),
        Some(Stage::Drafting | Stage::Creating | Stage::Preflight) => Sign::planned("sent back"),
        Some(Stage::AwaitingApproval | Stage::Completed { .. } | Stage::Invalid { .. }) | None => Sign::planned("gone"),
    }
}

/// Returns the ids that the filter and the scope leave, in the list's order.
pub(crate) fn shown_queue(model: &Model) -> Vec<ExperimentId> {
    let filter = Filter::read(model.morning.filter.value());
    model.morning.queue.order().iter().filter(|id| keeps(model, &filter, **id)).copied().collect()
}

/// Tells whether filter and scope leave an item.
pub(crate) fn is_shown(model: &Model, id: ExperimentId) -> bool {
    keeps(model, &Filter::read(model.morning.filter.value()), id)
}

fn keeps(model: &Model, filter: &Filter, id: ExperimentId) -> bool {
    let Some(line) = model.known.line(id) else { return true };
    let sign = sign(model, id);
    let item = model.known.items.get(&id);
    let handles = item.map(|item| item.accounts().iter().map(|a| model.known.handle(a)).collect::<Vec<_>>());
    let text = format!("{} {} {}", line.name, line.code, handles.unwrap_or_default().join(" "));
    model.in_scope(&line.client) && filter.keeps(line.client.as_str(), &sign.word.plain(), &text)
}

/// Returns what is marked, in the list's order: what filter and scope leave of it, and what they hide.
pub(crate) fn marked(model: &Model) -> (Vec<ExperimentId>, Vec<ExperimentId>) {
    let filter = Filter::read(model.morning.filter.value());
    let marked = model.morning.queue.order().iter().filter(|id| model.morning.marked.contains(id));
    marked.partition(|id| keeps(model, &filter, **id))
}

/// Returns how many items wait for a word, and how many of them are clean.
pub(crate) fn left(model: &Model) -> (usize, usize) {
    let waits: Vec<ExperimentId> = waiting(model).filter(|id| later(model, *id).is_none()).collect();
    let clean = waits.iter().filter(|id| is_clean(model, **id)).count();
    (waits.len(), clean)
}

/// Returns how many items are put off.
pub(crate) fn put_off(model: &Model) -> usize {
    waiting(model).filter(|id| later(model, *id).is_some()).count()
}

/// Returns the items of the scope that wait for a word, those that are put off with them, whatever the filter hides.
fn waiting(model: &Model) -> impl Iterator<Item = ExperimentId> + '_ {
    let queue = &model.morning.queue;
    let all = queue.order().iter().chain(queue.arriving()).copied();
    let mine = |id: &ExperimentId| model.known.line(*id).is_some_and(|line| model.in_scope(&line.client));
    all.filter(|id| is_waiting(model, *id)).filter(mine)
}

/// Returns the findings of an item in words, and whether they are as they should be.
pub(crate) fn findings_in_words(item: &crate::item::Item) -> (String, bool) {
    let (block, warn, info) = (item.count(Severity::Block), item.count(Severity::Warn), item.count(Severity::Info));
    let notes = match info {
        0 => String::new(),
        1 => ", 1 note".to_owned(),
        n => format!(", {n} notes"),
    };
    match (block, warn) {
        (0, 0) => (format!("none to mend{notes}"), true),
        (0, 1) => (format!("1 warning{notes}"), false),
        (0, n) => (format!("{n} warnings{notes}"), false),
        (n, 0) => (format!("{n} block{notes}"), false),
        (n, m) => (format!("{n} block, {m} warn{notes}"), false),
    }
}
