//! Undo: the log read backwards, one act of one's own at a time.
//!
//! Decides which act is the last that can be taken back, that one of more than 30 s ago is named before it is, and that
//! taking back a stop is a start: at once within two minutes if nothing of it changed, else with a reason. What the desk
//! can promise it answers.

use desk::query::EventLine;
use desk::{Command, Stoppable};
use domain::experiment::Stage;
use domain::time::{Span, UtcTime};

use super::{new_group, send, stop};
use crate::can::{self, is_paused};
use crate::keymap::{Intent, Scope, key_of};
use crate::message::Effects;
use crate::model::{Act, Acted, Doing, Model};
use crate::theme::Role;
use crate::when;

/// After this long, in the agency's time, the act is named first.
const NAMED_AFTER: Span = Span::from_micros(30_000_000);
/// How long, in the agency's time, a stop can be taken back without a reason.
const STOP_BACK: Span = Span::from_micros(120_000_000);
/// How long the key that was asked for again is waited for.
const AGAIN_MS: u64 = 10_000;

pub(super) fn undo(model: &mut Model, effects: &mut Effects) {
    let stays = let_go_of_what_stays(model);
    let (what, age, in_session, at) = match model.acts.last() {
        Some(act) => {
            let words = when::relative(act.at.wall, model.wall());
            (act.what.clone(), words, true, Some(act.at.wall))
        }
        None => match from_log(model) {
            Some((what, at)) => (what, when::relative(at, model.wall()), false, None),
            None => {
                if stays {
                    model.say(format!("Your stop stays. {}", can::who_lets_all_go_on()), Role::Warn);
                }
                return;
            }
        },
    };
    // Whoever meant the stop that stays did not mean the act before it.
    let recent = at.is_some_and(|at| is_within(model, at, NAMED_AFTER)) && !stays;
    let said = model.undo_said.is_some_and(|at| model.now.real_ms.saturating_sub(at) <= AGAIN_MS);
    if !recent && !said {
        model.undo_said = Some(model.now.real_ms);
        let key = key_of(&[Scope::Anywhere], Intent::Undo).map_or_else(String::new, |key| key.to_string());
        let who = if stays { format!("{} ", can::who_lets_all_go_on()) } else { String::new() };
        model.say(format!("{who}{key} again takes back: {}, {age}.", words(&what)), Role::Attention);
        return;
    }
    model.undo_said = None;
    if in_session {
        model.acts.pop();
    }
    take_back(model, what, at, effects);
}

/// Tells whether something was at most so long ago. What counts is how far the agency's day went on, since that is what
/// posts go out by; a clock that went back tells nothing.
fn is_within(model: &Model, at: UtcTime, most: Span) -> bool {
    let age = model.wall().since(at);
    age >= Span::ZERO && age <= most
}

/// Tells whether the log has anything new of what was stopped, after one's own stop.
fn has_changed(model: &Model, target: &Stoppable, since: UtcTime) -> bool {
    let stream = match target {
        Stoppable::Agency => "agency".to_owned(),
        Stoppable::Client(id) => format!("client/{id}"),
        Stoppable::Account(id) => format!("account/{id}"),
        Stoppable::Experiment(_) => match stop::experiment_of(model, target) {
            Some(id) => format!("experiment/{id}"),
            None => return true,
        },
    };
    let me = model.known.me.as_ref().map(|me| me.name.as_str());
    let own_stop = |event: &&EventLine| {
        let stop = ["agency_held", "client_held", "account_held", "experiment_paused"].contains(&event.event.as_str());
        stop && Some(event.actor.as_str()) == me && event.at <= since
    };
    let of_it = |event: &&EventLine| event.stream == stream || event.stream.starts_with(&format!("{stream}/"));
    let events = || model.known.events.iter().rev().filter(of_it);
    match events().find(own_stop).map(|event| event.n) {
        Some(stop) => events().any(|event| event.n > stop),
        // It was not told of yet, and stands before its answer.
        None => events().any(|event| event.at > since),
    }
}

/// Lets go of last acts that no key of this person takes back; tells whether there were any.
fn let_go_of_what_stays(model: &mut Model) -> bool {
    let before = model.acts.len();
    while let Some(Act { what: Acted::Stopped(target, ..), .. }) = model.acts.last()
        && can::why_not_resumed(model, target).is_some()
    {
        model.acts.pop();
    }
    model.acts.len() < before
}

fn words(what: &Acted) -> String {
    match what {
        Acted::Approved(all) => {
            let codes: Vec<&str> = all.iter().map(|(_, code)| code.as_str()).collect();
            format!("your approval of {}", codes.join(", "))
        }
        Acted::Refused(_, code) => format!("your refusal of {code}"),
        Acted::PutOff(_, code) => format!("that you put {code} off"),
        Acted::Stopped(_, name, _) => format!("your stop, {name}"),
    }
}

fn take_back(model: &mut Model, what: Acted, at: Option<UtcTime>, effects: &mut Effects) {
    match what {
        Acted::Approved(all) => {
            let group = new_group(model);
            for (id, code) in all {
                let command = Command::Undo { experiment: code.clone(), post: None };
                send(model, effects, group, Some(id), Doing::TakeBack(code), command);
            }
        }
        Acted::Refused(id, code) => {
            // Its slots were given up; a new plan brings it back into the queue.
            let group = new_group(model);
            let command = Command::Submit { experiment: code.clone() };
            send(model, effects, group, Some(id), Doing::TakeBack(code), command);
        }
        Acted::PutOff(id, code) => {
            let group = new_group(model);
            let command = Command::QueueBack { experiment: code.clone() };
            send(model, effects, group, Some(id), Doing::TakeBack(code), command);
        }
        Acted::Stopped(target, name, Some(hold))
            if at.is_some_and(|at| is_within(model, at, STOP_BACK) && !has_changed(model, &target, at)) =>
        {
            if let Some(why) = model.link.why_nothing_may_start(model.now) {
                model.say(format!("The stop stays: {why}."), Role::Warn);
                return;
            }
            let group = new_group(model);
            let experiment = stop::experiment_of(model, &target);
            let reason = "the stop was taken back at once".to_owned();
            let command = Command::Resume { target, reason, holds: vec![hold] };
            send(model, effects, group, experiment, Doing::Resume(name), command);
        }
        Acted::Stopped(target, name, _) => stop::open_resume(model, target, name),
    }
}

/// Returns my own last act that still stands, from the log: also after a restart, or from the command line.
pub(crate) fn from_log(model: &Model) -> Option<(Acted, UtcTime)> {
    let me = &model.known.me.as_ref()?.name;
    let own = model.known.events.iter().rev().filter(|event| event.actor == *me);
    own.filter_map(|event| {
        let id = event.stream.strip_prefix("experiment/")?.parse().ok()?;
        let line = model.known.line(id)?;
        if model.is_pending(id) {
            return None;
        }
        let code = line.code.clone();
        let act = match event.event.as_str() {
            "word_given" if matches!(line.stage, Stage::Scheduled | Stage::Running) => {
                Acted::Approved(vec![(id, code)])
            }
            "experiment_rejected" if line.stage == Stage::Preflight => Acted::Refused(id, code),
            "experiment_put_off" if crate::morning::later(model, id).is_some() => Acted::PutOff(id, code),
            "experiment_paused" if is_paused(line) => Acted::Stopped(Stoppable::Experiment(code.clone()), code, None),
            _ => return None,
        };
        Some((act, event.at))
    })
    .next()
}
