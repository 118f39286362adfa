//! Later: an item of the queue is put off until a time, and taken up again.
//!
//! Decides the time where none is named: the next round of the person's clients. How far it may be is the experiment's rule.

use domain::checkin::Round;
use domain::client::Client;
use domain::experiment::ExperimentCommand;
use domain::experiment::later::{Later, PutOff};
use domain::refusal::Refusal;
use domain::time::{UtcTime, Zone};
use serde_json::json;
use store::follow::experiment_decide;
use store::{Stop, Tx};

use super::Context;
use crate::command::Done;
use crate::rounds::zone_of;
use crate::sheet::waiting;

pub(super) fn later(
    context: &Context,
    tx: &mut Tx<'_>,
    name: &str,
    until: Option<UtcTime>,
    zone: Zone,
) -> Result<Done, Stop> {
    let experiment = context.experiment(tx, name)?;
    let what = format!("experiment {}", experiment.code);
    let Some(first) = waiting(tx, &experiment)?.first().map(|post| post.window.from) else {
        return Err(Refusal::nothing(what, "it does not wait for a word").into());
    };
    let now = tx.now();
    let next = Round::next(now, zone_of(tx, &context.person.scope)?);
    let until = match until.or_else(|| next.map(|(_, at)| at)) {
        Some(until) => until,
        None => return Err(Refusal::invalid("queue.later", what, "no round follows", "name a time").into()),
    };
    let later = Later { until, by: context.person.name.clone() };
    let prepare_lead = tx.load::<Client>(&experiment.client)?.policy.prepare_lead;
    let command = ExperimentCommand::PutOff(PutOff { later, now, first, prepare_lead });
    let after = experiment_decide(tx, experiment.id, command)?;
    let line = format!("{} is put off until {}; it comes back by itself", after.code, until.in_zone(zone));
    let data = json!({"experiment": after.id, "code": after.code, "until": until});
    Ok(Done::new(line, data).next(format!("expos queue back {}", after.code)))
}

pub(super) fn back(context: &Context, tx: &mut Tx<'_>, name: &str) -> Result<Done, Stop> {
    let experiment = context.experiment(tx, name)?;
    let now = tx.now();
    let after = experiment_decide(tx, experiment.id, ExperimentCommand::TakeUp { now })?;
    Ok(Done::new(format!("{} is back in the queue", after.code), json!({"experiment": after.id, "code": after.code})))
}
