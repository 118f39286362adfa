//! Experiments: a draft dropped, a running one ended early. What is unsent is cancelled, what is out stays out.

use domain::experiment::ExperimentCommand;
use serde_json::json;
use store::follow::{experiment_decide, release_layer};
use store::{Stop, Tx};

use super::Context;
use super::brief::cancel_unsent;
use crate::command::Done;

pub(super) fn drop_draft(context: &Context, tx: &mut Tx<'_>, name: &str, reason: String) -> Result<Done, Stop> {
    let command = ExperimentCommand::Drop { by: context.actor(), reason: reason.clone() };
    end(context, tx, name, command, &reason, "dropped")
}

pub(super) fn stop(context: &Context, tx: &mut Tx<'_>, name: &str, reason: String) -> Result<Done, Stop> {
    let command = ExperimentCommand::Stop { by: context.actor(), reason: reason.clone() };
    end(context, tx, name, command, &reason, "stopped")
}

fn end(
    context: &Context,
    tx: &mut Tx<'_>,
    name: &str,
    command: ExperimentCommand,
    reason: &str,
    word: &str,
) -> Result<Done, Stop> {
    let experiment = context.experiment(tx, name)?;
    let after = experiment_decide(tx, experiment.id, command)?;
    let count = cancel_unsent(context, tx, &after, reason)?;
    let doubt: Vec<String> =
        tx.posts_of(after.id)?.iter().filter(|p| p.state.is_in_doubt()).map(domain::post::Post::what).collect();
    release_layer(tx, &after, word)?;
    let data = json!({"experiment": after.id, "code": after.code, "cancelled": count, "in_doubt": doubt});
    let layer = if doubt.is_empty() { "its layer is free" } else { "its layer is free once all is settled" };
    let mut done = Done::new(format!("{} {word}; {count} unsent posts are cancelled and {layer}", after.code), data);
    for line in doubt {
        done = done.line(format!("may be out: {line}; you will be told"));
    }
    Ok(done)
}
