//! Holds: stopping is one step; going on needs a reason, and after a breach a reviewer and a fresh preflight.
//!
//! A resume ends the holds that it names, which are those that its person saw: one that came meanwhile stays and is told.
//! A pause answers with the posts that are in doubt: they may be out, and nothing recalls them (I3).

use std::collections::BTreeSet;

use domain::account::{Account, AccountCommand};
use domain::agency::{Agency, AgencyCommand};
use domain::client::{Client, ClientCommand};
use domain::experiment::{Experiment, ExperimentCommand};
use domain::hold::{Hold, HoldCause, HoldKey, Holds, Release};
use domain::post::Post;
use domain::refusal::Refusal;
use domain::role::{Action, NotOwn, Ownership, Scope, authorise};
use serde_json::json;
use store::follow::experiment_decide;
use store::{Stop, Tx};

use super::Context;
use crate::command::{Done, Stoppable};

pub(super) fn pause(context: &Context, tx: &mut Tx<'_>, target: Stoppable, reason: String) -> Result<Done, Stop> {
    let hold = Hold::new(HoldCause::Operator, context.person.name.clone(), tx.now(), reason);
    let key = hold.key();
    let (what, in_doubt) = match target {
        Stoppable::Agency => {
            let agency: Agency = tx.load(&())?;
            let events = agency.decide(AgencyCommand::Hold(hold), context.person.uid)?;
            tx.append::<Agency>(&(), events)?;
            ("everything".to_owned(), doubtful(context, tx, |_| true)?)
        }
        Stoppable::Client(id) => {
            let client = context.client(tx, &id)?;
            let events = client.decide(ClientCommand::Hold(hold))?;
            tx.append::<Client>(&id, events)?;
            (format!("client {id}"), doubtful(context, tx, |p| p.client == id)?)
        }
        Stoppable::Account(id) => {
            let account: Account = tx.load(&id)?;
            context.check_scope(&account.client, "account", id.as_str())?;
            let events = account.decide(AccountCommand::Hold(hold))?;
            tx.append::<Account>(&id, events)?;
            (format!("account {id}"), doubtful(context, tx, |p| p.account == id)?)
        }
        Stoppable::Experiment(name) => {
            let experiment = context.experiment(tx, &name)?;
            experiment_decide(tx, experiment.id, ExperimentCommand::Pause(hold))?;
            (format!("experiment {}", experiment.code), doubtful(context, tx, |p| p.experiment == experiment.id)?)
        }
    };
    let mut done = Done::new(
        format!("{what} is on hold; nothing of it goes out"),
        json!({"held": what, "hold": key, "in_doubt": in_doubt}),
    );
    for line in in_doubt {
        done = done.line(format!("may be out: {line}; you will be told"));
    }
    Ok(done)
}

fn doubtful(context: &Context, tx: &Tx<'_>, mine: impl Fn(&Post) -> bool) -> Result<Vec<String>, Stop> {
    let posts = tx.posts_in_state(&context.person.scope, &["committing", "unconfirmed", "claimed"])?;
    Ok(posts.iter().filter(|p| mine(p)).map(Post::what).collect())
}

/// Ends the holds that the command names. What came meanwhile stays and is told.
pub(super) fn resume(context: &Context, tx: &mut Tx<'_>, target: Stoppable, release: Release) -> Result<Done, Stop> {
    let reason = release.reason.clone();
    let named = release.holds.clone();
    let (what, left) = match target {
        Stoppable::Agency => {
            if context.person.scope != Scope::All {
                super::people::all_clients(context)?;
            }
            let agency: Agency = tx.load(&())?;
            let events = agency.decide(AgencyCommand::Release(release), context.person.uid)?;
            ("the engine".to_owned(), tx.append::<Agency>(&(), events)?.holds)
        }
        Stoppable::Client(id) => {
            let client = context.client(tx, &id)?;
            may_resume(context, &client.holds, &named)?;
            let events = client.decide(ClientCommand::Release(release))?;
            look_anew(context, tx, &client.holds, &named, |post| post.client == id)?;
            (format!("client {id}"), tx.append::<Client>(&id, events)?.holds)
        }
        Stoppable::Account(id) => {
            let account: Account = tx.load(&id)?;
            context.check_scope(&account.client, "account", id.as_str())?;
            may_resume(context, &account.holds, &named)?;
            let events = account.decide(AccountCommand::Release { release, at: tx.now() })?;
            look_anew(context, tx, &account.holds, &named, |post| post.account == id)?;
            let after = tx.append::<Account>(&id, events)?;
            store::breach::released(tx, &account, &after, &context.actor(), &reason)?;
            (format!("account {id}"), after.holds)
        }
        Stoppable::Experiment(name) => {
            let experiment = context.experiment(tx, &name)?;
            may_resume(context, &experiment.holds, &named)?;
            let command = ExperimentCommand::Resume(release);
            experiment.decide(command.clone())?;
            fresh_preflight(context, tx, &experiment)?;
            let after = experiment_decide(tx, experiment.id, command)?;
            (format!("experiment {}", experiment.code), after.holds)
        }
    };
    let line = match (left.is_free(), what.as_str()) {
        (true, "the engine") => "the engine sends again".to_owned(),
        (true, _) => format!("{what} goes on"),
        (false, _) => format!("what you saw is ended, and {what} stays on hold"),
    };
    let still: Vec<_> = left.list().iter().map(|h| json!({"hold": h.key(), "reason": h.reason, "by": h.by})).collect();
    let mut done = Done::new(line.clone(), json!({"resumed": line, "left": still}));
    for hold in left.list() {
        done = done.line(format!("still stops it: {}, since {} by {}: {}", hold.key(), hold.at, hold.by, hold.reason));
    }
    Ok(done)
}

fn may_resume(context: &Context, holds: &Holds, named: &[HoldKey]) -> Result<(), Refusal> {
    let breach = holds.named(named).any(|hold| hold.cause != HoldCause::Operator);
    let action = if breach { Action::ResumeBreach } else { Action::ResumeOperator };
    let own = Ownership { authors: &[], not_own: NotOwn::Off };
    authorise(action, context.person.role, context.person.uid, own)
}

/// After a breach the guards look anew at everything that a resume lets out: all experiments with something unsent there
/// that nothing else of their own stops.
fn look_anew(
    context: &Context,
    tx: &mut Tx<'_>,
    holds: &Holds,
    named: &[HoldKey],
    mine: impl Fn(&Post) -> bool,
) -> Result<(), Stop> {
    if !holds.named(named).any(|hold| hold.cause == HoldCause::Breach) {
        return Ok(());
    }
    let unsent = tx.posts_in_state(&Scope::All, &["planned", "preparing", "prepared", "awaiting operator"])?;
    let ids: BTreeSet<_> = unsent.iter().filter(|post| mine(post)).map(|post| post.experiment).collect();
    for id in ids {
        let experiment: Experiment = tx.load(&id)?;
        if experiment.holds.is_free() {
            fresh_preflight(context, tx, &experiment)?;
        }
    }
    Ok(())
}

fn fresh_preflight(context: &Context, tx: &mut Tx<'_>, experiment: &Experiment) -> Result<(), Stop> {
    let client: Client = tx.load(&experiment.client)?;
    let (findings, _) = crate::preflight::look(tx, &context.rules, experiment, &client)?;
    let block = findings.iter().find(|f| f.severity == domain::preflight::Severity::Block);
    match block {
        None => Ok(()),
        Some(found) => Err(Refusal::rule(
            "experiment.blocked",
            format!("experiment {}", experiment.code),
            format!("{} found {}: {}", found.guard, found.rule, found.why),
            found.mend.clone(),
        )
        .into()),
    }
}
