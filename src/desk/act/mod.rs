//! Acting: a command becomes events, inside one write transaction.
//!
//! Decides the order: what must be read from disk first (a brief's pictures), then one transaction in which everything is
//! loaded, decided and appended. One file for each noun that people act on.

mod account;
mod brief;
mod checkin;
mod client;
mod decision;
mod escalation;
mod experiment;
mod hold;
mod later;
mod people;
mod post;
mod queue;
mod reply;

use std::collections::BTreeMap;
use std::sync::Arc;

pub(crate) use queue::is_waiting;

use domain::actor::{Actor, Person};
use domain::client::Client;
use domain::experiment::{Experiment, Writer};
use domain::hash::Framed;
use domain::hold::Release;
use domain::id::{ClientId, CommandId};
use domain::post::Post;
use domain::refusal::{Refusal, RefusalKind};
use domain::variant::Asset;
use store::{Cause, Remembered, Stop, StoreError, Tx, WriteError};

use crate::command::{Command, Done};
use crate::rounds::Engine;
use crate::{Desk, Mode, Problem, Rules};

/// What every command may use beside the transaction.
pub(crate) struct Context {
    pub(crate) person: Person,
    pub(crate) rules: Arc<Rules>,
    /// Fresh randomness, from which ids and seeds are made.
    pub(crate) entropy: [u8; 32],
    drawn: u64,
    /// Whether anything goes out at all.
    pub(crate) engine: Engine,
    /// A brief's pictures, read before the transaction, by the name that the brief gives.
    pub(crate) assets: BTreeMap<String, Asset>,
    /// The brief that the command holds, read before the transaction.
    pub(crate) brief: Option<domain::brief::Brief>,
}

impl Context {
    /// Returns the random part of a new id.
    pub(crate) fn random(&mut self) -> [u8; 10] {
        let mut out = [0_u8; 10];
        let digest = self.draw();
        out.iter_mut().zip(digest.bytes()).for_each(|(to, from)| *to = *from);
        out
    }

    /// Returns a new seed, to be recorded.
    pub(crate) fn seed(&mut self) -> u64 {
        // 53 bits, so that every program that reads JSON gets the same number.
        self.draw().bytes().iter().take(8).fold(0_u64, |all, byte| (all << 8) | u64::from(*byte)) >> 11
    }

    fn draw(&mut self) -> domain::hash::Digest {
        self.drawn = self.drawn.saturating_add(1);
        Framed::new("expos.desk.random").field(&self.entropy).field(&self.drawn.to_be_bytes()).digest()
    }

    pub(crate) fn actor(&self) -> Actor {
        Actor::from(&self.person)
    }

    pub(crate) fn writer(&self) -> Writer {
        Writer { uid: self.person.uid, name: self.person.name.clone() }
    }

    /// Checks that a client is within the person's scope; outside it does not exist for them (T7).
    pub(crate) fn check_scope(&self, client: &ClientId, noun: &str, name: &str) -> Result<(), Refusal> {
        if self.person.sees(client) { Ok(()) } else { Err(Refusal::not_found(noun, name)) }
    }

    pub(crate) fn client(&self, tx: &mut Tx<'_>, id: &ClientId) -> Result<Client, Stop> {
        self.check_scope(id, "client", id.as_str())?;
        tx.load::<Client>(id)
    }

    pub(crate) fn experiment(&self, tx: &Tx<'_>, name: &str) -> Result<Experiment, Stop> {
        match tx.experiment_by_name(&self.person.scope, name)? {
            Some(found) => Ok(found),
            None if tx.begins_several_experiments(&self.person.scope, name)? => {
                Err(Refusal::ambiguous("experiment", name).into())
            }
            None => Err(Refusal::not_found("experiment", name).into()),
        }
    }

    pub(crate) fn post(&self, tx: &mut Tx<'_>, id: domain::id::PostId) -> Result<Post, Stop> {
        let post: Post = tx.load(&id)?;
        self.check_scope(&post.client, "post", &id.to_string())?;
        Ok(post)
    }
}

pub(crate) async fn carry_out(
    desk: &Desk,
    person: Person,
    id: CommandId,
    command: Command,
    mode: Mode,
    cause: Cause,
) -> Result<Done, Problem> {
    let entropy = desk.chance.entropy()?;
    let uid = person.uid;
    let mut context = Context {
        person,
        rules: Arc::clone(&desk.rules),
        entropy,
        drawn: 0,
        engine: desk.engine(),
        assets: BTreeMap::new(),
        brief: None,
    };
    if let Err(problem) = brief::read_ahead(desk, &mut context, &command).await {
        return match problem {
            Problem::Refused(refusal) => Err(refused(desk, cause, refusal).await),
            Problem::Invalid(_) | Problem::Failed(_) | Problem::Unreachable(_) => Err(problem),
        };
    }
    let told = Arc::new(std::sync::Mutex::new(None));
    let tell = Arc::clone(&told);
    let written = desk
        .store
        .write(cause, move |tx| {
            if let Some(first) = tx.command_answer(id, uid)? {
                return answered(first);
            }
            still_the_same(&context, tx)?;
            let done = dispatch(&mut context, tx, command)?;
            if mode == Mode::DryRun {
                if let Ok(mut slot) = tell.lock() {
                    *slot = Some(done);
                }
                return Err(Stop::Undo);
            }
            let answer = serde_json::to_value(&done).unwrap_or(serde_json::Value::Null);
            tx.remember_command(id, uid, &answer)?;
            Ok(done)
        })
        .await;
    match written {
        Err(WriteError::Undone) => {
            let done = told.lock().ok().and_then(|mut slot| slot.take());
            done.ok_or_else(|| Problem::Failed("the dry run gave no answer".to_owned()))
        }
        other => Ok(other?),
    }
}

/// Names what a command is recorded under. A dry run uses up no id: what it is refused stands under another name.
pub(crate) fn cause_of(cause: Cause, mode: Mode) -> Cause {
    match mode {
        Mode::Do => cause,
        Mode::DryRun => Cause::new(cause.actor, format!("{} dry run", cause.cause)),
    }
}

/// Gives the first answer again to a command that came twice at once (T21).
fn answered(first: Remembered) -> Result<Done, Stop> {
    match first {
        Remembered::Done(done) => serde_json::from_value(done).map_err(|e| {
            Stop::Failed(StoreError::Failed { why: format!("the first answer to this command cannot be read: {e}") })
        }),
        Remembered::Refused(refusal) => Err(refusal.into()),
    }
}

/// A role that changed since the command was let in acts at once (I17).
fn still_the_same(context: &Context, tx: &Tx<'_>) -> Result<(), Stop> {
    if tx.person(context.person.uid)?.as_ref() == Some(&context.person) {
        return Ok(());
    }
    let why = "what you may do here changed while this was on its way";
    Err(Refusal::new(RefusalKind::NotAllowed, "role.changed", "you", why, "look again, then repeat it").into())
}

/// Records a refusal that was decided outside a transaction, and gives it back as a problem (I13).
pub(crate) async fn refused(desk: &Desk, cause: Cause, refusal: Refusal) -> Problem {
    let told = refusal.clone();
    match desk.store.write(cause, move |_| Err::<(), Stop>(refusal.into())).await {
        Ok(()) => Problem::Refused(told),
        Err(error) => error.into(),
    }
}

fn dispatch(context: &mut Context, tx: &mut Tx<'_>, command: Command) -> Result<Done, Stop> {
    match command {
        Command::UserGrant { uid, name, role, clients } => people::grant(context, tx, uid, name, role, clients),
        Command::UserRevoke { uid } => people::revoke(context, tx, uid),
        Command::ClientNew { client, name, zone } => client::new(context, tx, client, name, &zone),
        Command::ClientEdit { client, toml } => client::edit(context, tx, &client, &toml),
        Command::PolicyEdit { client, toml } => client::edit_policy(context, tx, &client, &toml),
        Command::AccountConnect { account, client, platform, handle, servers, password } => {
            account::connect(context, tx, account::Ask { account, client, platform, handle, servers, password })
        }
        Command::AccountDisconnect { account } => account::disconnect(context, tx, &account),
        Command::Pause { target, reason } => hold::pause(context, tx, target, reason),
        Command::Resume { target, reason, holds } => hold::resume(context, tx, target, Release { reason, holds }),
        Command::BriefNew { .. } => brief::new(context, tx),
        Command::BriefEdit { experiment, .. } => brief::edit(context, tx, &experiment),
        Command::VariantEdit { experiment, letter, round, facet, text } => {
            brief::edit_variant(context, tx, &experiment, brief::Place { letter, round, facet }, text)
        }
        Command::PreflightRun { experiment } => brief::preflight(context, tx, &experiment),
        Command::Submit { experiment } => queue::submit(context, tx, &experiment),
        Command::Approve { experiment, fingerprint } => queue::approve(context, tx, &experiment, &fingerprint),
        Command::Reject { experiment, reason } => queue::reject(context, tx, &experiment, reason),
        Command::QueueLater { experiment, until, zone } => later::later(context, tx, &experiment, until, zone),
        Command::QueueBack { experiment } => later::back(context, tx, &experiment),
        Command::Undo { experiment, post } => queue::undo(context, tx, &experiment, post),
        Command::Drop { experiment, reason } => experiment::drop_draft(context, tx, &experiment, reason),
        Command::StopExperiment { experiment, reason } => experiment::stop(context, tx, &experiment, reason),
        Command::PostCancel { post, reason } => post::cancel(context, tx, post, reason),
        Command::PostMove { post, to } => post::move_to(context, tx, post, to),
        Command::PostConfirm { post, verdict } => post::confirm(context, tx, post, verdict),
        Command::ReplySend { conversation, text, seen } => {
            reply::send(context, tx, reply::Ask { conversation, text, seen })
        }
        Command::ReplySkip { conversation, reason } => reply::skip(context, tx, conversation, reason),
        Command::EscalationTake { escalation } => escalation::take(context, tx, escalation),
        Command::EscalationHand { escalation, to } => escalation::hand(context, tx, escalation, to),
        Command::EscalationLater { escalation, until, zone } => escalation::later(context, tx, escalation, until, zone),
        Command::EscalationResolve { escalation, reason } => escalation::resolve(context, tx, escalation, reason),
        Command::OutcomeSign { experiment, keys, says, note } => {
            decision::sign(context, tx, &experiment, decision::Words { keys, says, note })
        }
        Command::Decide { experiment, decision, reason, learning } => {
            decision::decide(context, tx, &experiment, decision::Ask { choice: decision, reason, learning })
        }
        Command::LearningRetract { learning, reason } => decision::retract(context, tx, &learning, reason),
        Command::CheckinSign { round, client, looked, used_s, note, shown } => {
            checkin::sign(context, tx, checkin::Ask { round, client, looked, used_s, note, shown })
        }
    }
}
