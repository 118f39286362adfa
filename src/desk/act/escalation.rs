//! Escalations: taken by somebody, settled with a sentence.

use domain::escalation::{Escalation, EscalationCommand, EscalationEnd, Subject};
use domain::id::EscalationId;
use domain::post::Post;
use domain::refusal::Refusal;
use serde_json::json;
use store::{Stop, Tx};

use super::Context;
use crate::command::Done;

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
