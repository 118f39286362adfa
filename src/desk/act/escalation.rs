//! Escalations: taken by somebody, handed over, put off, settled with a sentence.
//!
//! Decides whom one may be given to, and when the next round is that bounds how long it may wait.

use domain::checkin::Round;
use domain::escalation::{Escalation, EscalationCommand, EscalationEnd, PutOff, Subject};
use domain::id::EscalationId;
use domain::post::Post;
use domain::refusal::Refusal;
use domain::role::{Action, NotOwn, Ownership, authorise};
use domain::time::{UtcTime, Zone};
use serde_json::json;
use store::{Stop, Tx};

use super::Context;
use crate::command::Done;
use crate::rounds::zone_of;

fn load(context: &Context, tx: &mut Tx<'_>, id: EscalationId) -> Result<Escalation, Stop> {
    let escalation: Escalation = tx.load(&id)?;
    context.check_scope(&escalation.client, "escalation", &id.to_string())?;
    Ok(escalation)
}

pub(super) fn take(context: &Context, tx: &mut Tx<'_>, id: EscalationId) -> Result<Done, Stop> {
    let events = load(context, tx, id)?.decide(EscalationCommand::Take { by: context.person.name.clone() })?;
    let after = tx.append::<Escalation>(&id, events)?;
    Ok(Done::new(format!("escalation {id} is yours"), json!({"escalation": id, "owner": after.owner})))
}

/// Gives it to somebody who may settle it, or back to whoever takes it.
pub(super) fn hand(context: &Context, tx: &mut Tx<'_>, id: EscalationId, to: Option<String>) -> Result<Done, Stop> {
    let open = load(context, tx, id)?;
    if let Some(name) = &to {
        let own = Ownership { authors: &[], not_own: NotOwn::Off };
        let agency = tx.agency()?;
        let mut people = agency.people.values().filter(|p| p.name == *name && p.sees(&open.client));
        if !people.any(|p| authorise(Action::Decide, p.role, p.uid, own).is_ok()) {
            let why = format!("nobody called {name} may settle what {} asks", open.client);
            let mend = "name somebody of that client; see `expos user list`";
            return Err(Refusal::rule("escalation.hand", format!("escalation {id}"), why, mend).into());
        }
    }
    let after = tx.append::<Escalation>(&id, open.decide(EscalationCommand::HandOver { to })?)?;
    let line = match &after.owner {
        Some(owner) => format!("escalation {id} is {owner}'s now"),
        None => format!("escalation {id} waits for whoever takes it"),
    };
    Ok(Done::new(line, json!({"escalation": id, "owner": after.owner})))
}

pub(super) fn later(
    context: &Context,
    tx: &mut Tx<'_>,
    id: EscalationId,
    until: Option<UtcTime>,
    zone: Zone,
) -> Result<Done, Stop> {
    let open = load(context, tx, id)?;
    let now = tx.now();
    let next = Round::next(now, zone_of(tx, &context.person.scope)?);
    let Some((_, next_round)) = next else {
        let what = format!("escalation {id}");
        return Err(Refusal::invalid("escalation.later", what, "no round follows", "settle it now").into());
    };
    let ask = PutOff { by: context.person.name.clone(), until, now, next_round };
    let after = tx.append::<Escalation>(&id, open.decide(EscalationCommand::PutOff(ask))?)?;
    let until = after.later.map_or(now, |later| later.until);
    let line = format!("escalation {id} is put off until {}; it comes back by itself", until.in_zone(zone));
    Ok(Done::new(line, json!({"escalation": id, "until": until})).next(format!("expos escalation take {id}")))
}

pub(super) fn resolve(context: &Context, tx: &mut Tx<'_>, id: EscalationId, reason: String) -> Result<Done, Stop> {
    let open = load(context, tx, id)?;
    if let Subject::Post { post, .. } = open.subject {
        let post: Post = tx.load(&post)?;
        if post.state.is_in_doubt() {
            let why = format!("{} is {}: words do not settle that", post.what(), post.state.word());
            let mend = format!("expos post confirm {} --live URL, or --not-live", post.id);
            return Err(Refusal::rule("escalation.in-doubt", format!("escalation {id}"), why, mend).into());
        }
    }
    let end = EscalationEnd { by: context.actor(), at: tx.now(), how: reason };
    let events = open.decide(EscalationCommand::Resolve(end))?;
    tx.append::<Escalation>(&id, events)?;
    Ok(Done::new(format!("escalation {id} is settled"), json!({"escalation": id})))
}
