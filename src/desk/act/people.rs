//! People: who may use this home, and as what.

use std::collections::BTreeSet;

use domain::actor::Person;
use domain::agency::{Agency, AgencyCommand, AgencyEvent};
use domain::id::ClientId;
use domain::refusal::Refusal;
use domain::role::{Role, Scope};
use serde_json::json;
use store::{Stop, Tx};

use super::Context;
use crate::command::Done;

/// Unix uids that are nobody's: root is for break-glass alone, 65534 is what a hidden user looks like (T1, T2).
const NOBODY: u32 = 65_534;

pub(super) fn grant(
    context: &Context,
    tx: &mut Tx<'_>,
    uid: u32,
    name: String,
    role: Role,
    clients: Vec<ClientId>,
) -> Result<Done, Stop> {
    all_clients(context)?;
    let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b'$');
    if !(1..=64).contains(&name.len()) || !name.bytes().all(fits) {
        let what = format!("uid {uid}");
        let why = "its name has to be a Unix user's: 1 to 64 letters, digits, dots, dashes";
        return Err(Refusal::invalid("people.name", what, why, "give the name as `id -un` prints it").into());
    }
    if uid == NOBODY {
        return Err(Refusal::rule(
            "people.nobody",
            format!("uid {uid}"),
            "it is what a user without a name here looks like",
            "grant a real Unix user",
        )
        .into());
    }
    for client in &clients {
        context.client(tx, client)?;
    }
    let scope = if clients.is_empty() { Scope::All } else { Scope::Only(clients.into_iter().collect::<BTreeSet<_>>()) };
    let agency: Agency = tx.load(&())?;
    let events =
        agency.decide(AgencyCommand::Grant(Person { uid, name: name.clone(), role, scope }), context.person.uid)?;
    let in_force = events.iter().any(|e| matches!(e, AgencyEvent::NotOwnInForce));
    tx.append::<Agency>(&(), events)?;
    let done = Done::new(format!("{name} ({uid}) is {role} now"), json!({"uid": uid, "name": name, "role": role}));
    Ok(if in_force { done.line("from now on nobody approves their own work") } else { done })
}

pub(super) fn revoke(context: &Context, tx: &mut Tx<'_>, uid: u32) -> Result<Done, Stop> {
    all_clients(context)?;
    let agency: Agency = tx.load(&())?;
    let events = agency.decide(AgencyCommand::Revoke { uid }, context.person.uid)?;
    tx.append::<Agency>(&(), events)?;
    Ok(Done::new(format!("uid {uid} is no longer a person here"), json!({"uid": uid})))
}

/// People are the whole agency's: an admin of some clients may not change them.
pub(super) fn all_clients(context: &Context) -> Result<(), Refusal> {
    if context.person.scope == Scope::All {
        return Ok(());
    }
    Err(Refusal::new(
        domain::refusal::RefusalKind::NotAllowed,
        "people.scope",
        "the agency's people and clients",
        "you are limited to some clients",
        "ask an admin for all clients",
    ))
}
