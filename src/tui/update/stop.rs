//! Stopping and going on.
//!
//! Decides that a stop is sent at once and asks nothing but which, and that going on needs a reason and a key.

use desk::{Command, Stoppable};
use domain::hold::Hold;
use domain::id::ExperimentId;

use super::{new_group, send};
use crate::can;
use crate::message::{Ask, Effects};
use crate::model::{Doing, Model, Pane};
use crate::sheets::{self, Reasoned, Resume, Sheet, Stop};
use crate::theme::Role;

pub(super) fn open(model: &mut Model) {
    let (experiment, account) = (model.subject(), model.account_subject().cloned());
    model.sheets.push(Sheet::Stop(Stop { experiment, account, name: tui_input::Input::default() }));
}

pub(super) fn numbered(model: &mut Model, number: u8, effects: &mut Effects) {
    let Some(Sheet::Stop(sheet)) = model.sheets.last() else { return };
    let found = sheets::stoppables(model, sheet).into_iter().find(|(n, _, _)| *n == number);
    let Some((_, target, name)) = found else {
        model.say("There is nothing of that sort under the cursor.", Role::Warn);
        return;
    };
    model.sheets.pop();
    stop(model, target, name, effects);
}

/// Returns what a typed name may mean, the nearest first.
pub(crate) fn named(model: &Model, typed: &str) -> Vec<(Stoppable, String)> {
    let typed = typed.trim().to_lowercase();
    if typed.is_empty() {
        return Vec::new();
    }
    let experiments = model.known.experiments.iter().flatten().filter(|(_, line)| !line.stage.is_over());
    let mut all: Vec<(Stoppable, String)> = experiments
        .map(|(_, line)| (Stoppable::Experiment(line.code.clone()), format!("{} {}", line.code, line.name)))
        .collect();
    all.extend(model.known.accounts.values().map(|a| (Stoppable::Account(a.id.clone()), format!("@{}", a.handle))));
    all.extend(model.known.clients.values().map(|c| (Stoppable::Client(c.id.clone()), c.name.clone())));
    all.retain(|(_, name)| name.to_lowercase().contains(&typed));
    all.sort_by_key(|(_, name)| (!name.to_lowercase().starts_with(&typed), name.len()));
    all
}

pub(super) fn by_name(model: &mut Model, effects: &mut Effects) {
    let Some(Sheet::Stop(sheet)) = model.sheets.last() else { return };
    let typed = sheet.name.value().trim().to_lowercase();
    let found = named(model, &typed);
    let exact = found.iter().filter(|(_, name)| name.to_lowercase() == typed).count();
    match found.as_slice() {
        [] if typed.is_empty() => {}
        [] => model.say("Nothing is called so; nothing was stopped.", Role::Warn),
        [(target, name)] => {
            let (target, name) = (target.clone(), name.clone());
            model.sheets.pop();
            stop(model, target, name, effects);
        }
        [(target, name), ..] if exact == 1 => {
            let (target, name) = (target.clone(), name.clone());
            model.sheets.pop();
            stop(model, target, name, effects);
        }
        several => {
            let text = format!("{} are called so; type more. Nothing was stopped.", several.len());
            model.say(text, Role::Warn);
        }
    }
}

/// Returns the experiment that is stopped or goes on, where it is one.
pub(super) fn experiment_of(model: &Model, target: &Stoppable) -> Option<ExperimentId> {
    match target {
        Stoppable::Experiment(code) => {
            model.known.experiments.iter().flatten().find(|(_, line)| line.code == *code).map(|(id, _)| *id)
        }
        Stoppable::Agency | Stoppable::Client(_) | Stoppable::Account(_) => None,
    }
}

fn stop(model: &mut Model, target: Stoppable, name: String, effects: &mut Effects) {
    let experiment = experiment_of(model, &target);
    let group = new_group(model);
    let command = Command::Pause { target: target.clone(), reason: "stopped from the dashboard".to_owned() };
    send(model, effects, group, experiment, Doing::Stop(target, name, None), command);
}

/// Pauses what is under the cursor at once, or opens the sheet that lets it go on; on System that of everything.
pub(super) fn pause(model: &mut Model, effects: &mut Effects) {
    if model.place.pane == Pane::System && model.place.open.is_none() {
        open_resume(model, Stoppable::Agency, "everything".to_owned());
        return;
    }
    if let Some(account) = model.account_subject().and_then(|id| model.known.accounts.get(id)).cloned() {
        let (target, name) = (Stoppable::Account(account.id.clone()), format!("@{}", account.handle));
        if account.holds.is_empty() {
            stop(model, target, name, effects);
        } else {
            open_resume(model, target, name);
        }
        return;
    }
    let Some(line) = model.subject().and_then(|id| model.known.line(id)).cloned() else { return };
    let target = Stoppable::Experiment(line.code.clone());
    if can::is_paused(&line) {
        open_resume(model, target, line.code);
    } else {
        stop(model, target, line.code, effects);
    }
}

/// Opens the sheet that lets something go on.
pub(super) fn open_resume(model: &mut Model, target: Stoppable, name: String) {
    let now = model.now.real_ms;
    let holds = holds_of(model, &target);
    if holds.is_empty() {
        ask_holds(model, &target);
    }
    model.sheets.push(Sheet::Resume(Reasoned::new(Resume { target, name, holds }, now)));
}

/// Returns what stops something, as far as the desk has told.
pub(crate) fn holds_of(model: &Model, target: &Stoppable) -> Vec<Hold> {
    match target {
        Stoppable::Agency => model.known.health.as_ref().map(|health| health.holds.clone()),
        Stoppable::Client(id) => model.known.clients.get(id).map(|client| client.holds.clone()),
        Stoppable::Account(id) => model.known.accounts.get(id).map(|account| account.holds.clone()),
        Stoppable::Experiment(code) => {
            let line = |view: &&desk::query::ExperimentView| view.line.code == *code;
            model.known.details.values().find(line).map(|view| view.holds.clone())
        }
    }
    .unwrap_or_default()
}

/// Asks for what stops something, where a sheet could not show it yet.
pub(super) fn ask_holds(model: &mut Model, target: &Stoppable) {
    let ask = match target {
        Stoppable::Agency => Ask::Health,
        Stoppable::Client(_) => Ask::Clients,
        Stoppable::Account(_) => Ask::Accounts,
        Stoppable::Experiment(code) => Ask::Experiment(code.clone()),
    };
    model.wanted.insert(ask);
    model.ask_at_ms = None;
}

pub(super) fn resume(model: &mut Model, effects: &mut Effects) {
    let Some(Sheet::Resume(sheet)) = model.sheets.last() else { return };
    let reason = sheet.text.value().trim().to_owned();
    if reason.is_empty() {
        model.say("It needs a reason; nothing was done.", Role::Warn);
        return;
    }
    let Resume { target, name, holds } = sheet.what.clone();
    let link = || model.link.why_nothing_may_start(model.now).map(str::to_owned);
    if let Some(why) = can::why_not_resumed(model, &target).or_else(link) {
        model.say(super::sentence(&format!("It does not go on: {why}")), Role::Danger);
        return;
    }
    if holds.is_empty() {
        // Nothing is ended that was not shown: what the desk told meanwhile is shown first.
        let (known, now) = (holds_of(model, &target), model.now.real_ms);
        ask_holds(model, &target);
        if let Some(Sheet::Resume(sheet)) = model.sheets.last_mut() {
            sheet.what.holds = known;
            sheet.shown_ms = now;
        }
        model.say("What stops it was not shown yet; look, then press it again.", Role::Attention);
        return;
    }
    model.sheets.pop();
    let group = new_group(model);
    let experiment = experiment_of(model, &target);
    let command = Command::Resume { target, reason, holds: holds.iter().map(Hold::key).collect() };
    send(model, effects, group, experiment, Doing::Resume(name), command);
}

/// Mends the account under the cursor: the sheet that lets it go on, or how it logs in again.
pub(super) fn mend(model: &mut Model) {
    use crate::accounts::Health;
    let Some(account) = model.account_subject().and_then(|id| model.known.accounts.get(id)).cloned() else { return };
    match crate::accounts::health(model, &account) {
        Health::Paused => {
            open_resume(model, Stoppable::Account(account.id.clone()), format!("@{}", account.handle));
        }
        Health::NeedsLogin | Health::LoggingIn => {
            let command = format!(
                "expos account connect {} --account {} --client {} --handle {}",
                account.platform, account.id, account.client, account.handle
            );
            model.say(format!("In a shell: {command}"), Role::Attention);
        }
        Health::Watched | Health::Well => {}
    }
}
