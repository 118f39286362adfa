//! Check-ins: a round is signed.
//!
//! Decides nothing about what is left or done: that is read in the transaction that signs (`rounds`), so that a face
//! cannot leave anything out. A face may name what it showed; where that has changed since, nobody signs unseen.

use domain::checkin::{Checkin, Look, Round};
use domain::experiment::Writer;
use domain::id::{CheckinId, ClientId};
use domain::refusal::Refusal;
use domain::role::Scope;
use serde_json::json;
use store::{Stop, Tx};

use super::Context;
use crate::command::{Done, Looked};
use crate::rounds::{Of, covered};

/// What is asked.
pub(super) struct Ask {
    pub(super) round: Round,
    pub(super) client: Option<ClientId>,
    pub(super) looked: Vec<Looked>,
    pub(super) used_s: u64,
    pub(super) note: String,
    pub(super) shown: Option<String>,
}

pub(super) fn sign(context: &mut Context, tx: &mut Tx<'_>, ask: Ask) -> Result<Done, Stop> {
    if let Some(client) = &ask.client {
        context.client(tx, client)?;
    }
    let covers = covered(&context.person, ask.client);
    let of = Of::new(&*tx, &context.person, &covers, context.engine)?;
    let standing = of.round(ask.round)?;
    let before = tx.checkins_on(standing.date)?;
    let now = tx.now();
    // How far the whole log is would tell those who see some clients how much happens to the others (T7).
    let log = match &covers {
        Scope::All => tx.head()?,
        Scope::Only(_) => tx.last_event(&covers)?.map_or(0, |last| last.n),
    };
    let checkin = Checkin {
        id: CheckinId::new(now, context.random()),
        round: ask.round,
        date: standing.date,
        zone: standing.zone,
        covers,
        by: Writer { uid: context.person.uid, name: context.person.name.clone() },
        at: now,
        looked: ask.looked.into_iter().map(Look::from).collect(),
        done: standing.done,
        left: standing.left,
        alerts: standing.alerts,
        used_s: ask.used_s,
        note: ask.note,
        log,
    };
    let events = checkin.clone().sign(&before)?;
    if ask.shown.is_some_and(|shown| shown != standing.shown) {
        let what = format!("the {} round", checkin.round);
        return Err(
            Refusal::changed(what, "the day, the clients, or what is left or open is not what was shown").into()
        );
    }
    tx.append::<Checkin>(&checkin.id, events)?;
    let anchor = (context.person.scope == Scope::All).then(|| tx.head_hash().short());
    Ok(told(&checkin, anchor.as_deref()))
}

fn told(checkin: &Checkin, anchor: Option<&str>) -> Done {
    let name = match &checkin.covers {
        Scope::All => "all clients".to_owned(),
        Scope::Only(clients) => clients.iter().map(ClientId::as_str).collect::<Vec<_>>().join(", "),
    };
    let data = json!({"checkin": checkin.id, "round": checkin.round, "date": checkin.date, "by": checkin.by.name,
        "done": checkin.done, "left": checkin.left, "alerts": checkin.alerts, "head": anchor});
    let first = format!("the {} round of {} is signed by {} for {name}", checkin.round, checkin.date, checkin.by.name);
    let mut done = Done::new(first, data);
    if !checkin.done.is_empty() {
        let deeds = &checkin.done;
        done = done.line(format!(
            "done: {} approved ({} posts), {} passed on, {} sent back, {} settled",
            deeds.approved.len(),
            deeds.posts,
            deeds.passed_on.len(),
            deeds.rejected.len(),
            deeds.settled.len()
        ));
    }
    for left in &checkin.left {
        done = done.line(format!("left: {}; {}", left.what, left.to));
    }
    if let Some(anchor) = anchor {
        done = done.line(format!("the log stands at {anchor}"));
    }
    done.next(format!("expos checkin show {}", checkin.id))
}
