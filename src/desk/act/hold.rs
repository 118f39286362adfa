//! Holds: stopping is one step; going on needs a reason, and after a breach a reviewer.
//!
//! A pause answers with the posts that are in doubt: they may be out, and nothing recalls them (I3).

use domain::account::{Account, AccountCommand};
use domain::agency::{Agency, AgencyCommand};
use domain::client::{Client, ClientCommand};
use domain::experiment::ExperimentCommand;
use domain::hold::{Hold, HoldCause, Holds};
use domain::post::Post;
use domain::refusal::Refusal;
use domain::role::{Action, NotOwn, Ownership, Scope, authorise};
use serde_json::json;
use store::follow::experiment_decide;
use store::{Stop, Tx};

use super::Context;
use crate::command::{Done, Stoppable};

pub(super) fn pause(context: &Context, tx: &mut Tx<'_>, target: Stoppable, reason: String) -> Result<Done, Stop> {
    let hold = Hold { cause: HoldCause::Operator, by: context.person.name.clone(), at: tx.now(), reason };
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
    let mut done =
        Done::new(format!("{what} is on hold; nothing of it goes out"), json!({"held": what, "in_doubt": in_doubt}));
    for line in in_doubt {
        done = done.line(format!("may be out: {line}; you will be told"));
    }
    Ok(done)
}

fn doubtful(context: &Context, tx: &Tx<'_>, mine: impl Fn(&Post) -> bool) -> Result<Vec<String>, Stop> {
    let posts = tx.posts_in_state(&context.person.scope, &["committing", "unconfirmed", "claimed"])?;
    Ok(posts.iter().filter(|p| mine(p)).map(Post::what).collect())
}

pub(super) fn resume(context: &Context, tx: &mut Tx<'_>, target: Stoppable, reason: String) -> Result<Done, Stop> {
    let line = match target {
        Stoppable::Agency => {
            if context.person.scope != Scope::All {
                super::people::all_clients(context)?;
            }
            let agency: Agency = tx.load(&())?;
            let events = agency.decide(AgencyCommand::Release { reason }, context.person.uid)?;
            tx.append::<Agency>(&(), events)?;
            "the engine sends again".to_owned()
        }
        Stoppable::Client(id) => {
            let client = context.client(tx, &id)?;
            may_resume(context, &client.holds)?;
            let events = client.decide(ClientCommand::Release { reason })?;
            tx.append::<Client>(&id, events)?;
            format!("client {id} goes on")
        }
        Stoppable::Account(id) => {
            let account: Account = tx.load(&id)?;
            context.check_scope(&account.client, "account", id.as_str())?;
            may_resume(context, &account.holds)?;
            let events = account.decide(AccountCommand::Release { reason })?;
            tx.append::<Account>(&id, events)?;
            format!("account {id} goes on")
        }
        Stoppable::Experiment(name) => {
            let experiment = context.experiment(tx, &name)?;
            may_resume(context, &experiment.holds)?;
            fresh_preflight(context, tx, &experiment)?;
            experiment_decide(tx, experiment.id, ExperimentCommand::Resume { reason })?;
            format!("experiment {} goes on", experiment.code)
        }
    };
    Ok(Done::new(line.clone(), json!({"resumed": line})))
}

fn may_resume(context: &Context, holds: &Holds) -> Result<(), Refusal> {
    let action = if holds.has_breach() { Action::ResumeBreach } else { Action::ResumeOperator };
    let own = Ownership { authors: &[], not_own: NotOwn::Off };
    authorise(action, context.person.role, context.person.uid, own)
}

fn fresh_preflight(
    context: &Context,
    tx: &mut Tx<'_>,
    experiment: &domain::experiment::Experiment,
) -> Result<(), Stop> {
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
