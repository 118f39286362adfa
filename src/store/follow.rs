//! Following: what happens to a post is told to its experiment and to people, in the same transaction.
//!
//! Decides which consequence a change of a post has: a stage of its experiment, an escalation opened or ended. Every
//! change of a post, the engine's or the desk's, goes through [`post_decide`], so that none is forgotten (I5, I13).

use domain::account::Account;
use domain::actor::Actor;
use domain::engagement::{Conversation, ConversationCommand};
use domain::escalation::{Escalation, EscalationCommand, EscalationEnd, EscalationEvent, Subject, Urgency};
use domain::experiment::{Experiment, ExperimentCommand, Stage};
use domain::hash::Framed;
use domain::id::{ClientId, ConversationId, EscalationId, PostId};
use domain::post::{Post, PostCommand, PostEvent, PostKind, PostState};
use domain::role::Scope;
use domain::time::Span;

use crate::breach;
use crate::{Escalations, Stop, StoreError, Tx};

/// Puts a command to a post: load, decide, append, follow. Returns the post as it is then, and what happened.
pub fn post_decide(tx: &mut Tx<'_>, id: PostId, command: PostCommand) -> Result<(Post, Vec<PostEvent>), Stop> {
    let before: Post = tx.load(&id)?;
    let events = before.decide(command)?;
    let after = tx.append::<Post>(&id, events.clone())?;
    follow(tx, &before, &after, &events)?;
    Ok((after, events))
}

/// Puts a command to an experiment.
pub fn experiment_decide(
    tx: &mut Tx<'_>,
    id: domain::id::ExperimentId,
    command: ExperimentCommand,
) -> Result<Experiment, Stop> {
    let before: Experiment = tx.load(&id)?;
    let events = before.decide(command)?;
    Ok(tx.append::<Experiment>(&id, events)?)
}

/// Puts a command to a conversation.
pub fn conversation_decide(
    tx: &mut Tx<'_>,
    id: ConversationId,
    command: ConversationCommand,
) -> Result<Conversation, Stop> {
    let before: Conversation = tx.load(&id)?;
    let events = before.decide(command)?;
    Ok(tx.append::<Conversation>(&id, events)?)
}

fn follow(tx: &mut Tx<'_>, before: &Post, after: &Post, events: &[PostEvent]) -> Result<(), Stop> {
    if let Some(conversation) = after.conversation {
        reply_moved(tx, conversation, after, events)?;
    }
    let mut is_failure = false;
    for event in events {
        match event {
            // A reply is no part of its experiment's plan: what becomes of it moves the conversation alone.
            PostEvent::ApprovalVoided { .. } | PostEvent::ApprovalTakenBack { .. } if after.kind == PostKind::Reply => {
            }
            PostEvent::ApprovalVoided { field, why } => {
                let why = format!("{}: {field}: {why}", after.what());
                experiment_decide(tx, after.experiment, ExperimentCommand::LoseApproval { why })?;
            }
            PostEvent::ApprovalTakenBack { by, .. } => {
                let why = format!("{}: {by} took the approval back", after.what());
                experiment_decide(tx, after.experiment, ExperimentCommand::LoseApproval { why })?;
            }
            PostEvent::PostPublished { live, .. } => {
                if after.kind == PostKind::Post {
                    experiment_decide(tx, after.experiment, ExperimentCommand::PostOut)?;
                }
                end_escalations(tx, after, &format!("it is out: {}", live.url))?;
            }
            PostEvent::PostUnconfirmed { why, .. } => doubt(tx, after, why)?,
            PostEvent::NotLiveAttested { by, .. } => {
                let why = format!("{}: {by} swore that it is not live", after.what());
                if after.kind == PostKind::Post {
                    experiment_decide(tx, after.experiment, ExperimentCommand::LoseApproval { why })?;
                }
                end_escalations(tx, after, &format!("{by} swore that it is not live"))?
            }
            PostEvent::AttemptSettled { .. } => {
                is_failure = true;
                if before.state.is_in_doubt() && !after.state.is_in_doubt() {
                    end_escalations(tx, after, "it did not go out")?;
                }
            }
            PostEvent::PostFailed { why } => {
                is_failure = true;
                open(tx, after, "post.failed", Urgency::Normal, format!("{} did not go out: {why}", after.what()))?
            }
            PostEvent::PostRemoved { evidence, .. } => {
                open(
                    tx,
                    after,
                    "post.removed",
                    Urgency::High,
                    format!("{} was live and is gone: {evidence}", after.what()),
                )?;
            }
            PostEvent::PostAltered { found, .. } => {
                open(
                    tx,
                    after,
                    "post.altered",
                    Urgency::High,
                    format!("{} shows something else than was approved ({found})", after.what()),
                )?;
            }
            PostEvent::PostMissed { why, .. } if after.kind == PostKind::Reply => {
                let words = format!("{} was not sent in time and is never sent late: {why}", after.what());
                open(tx, after, "reply.missed", Urgency::Normal, words)?;
            }
            // What a person had approved and did not go out is told; what nobody had approved waited in the queue.
            PostEvent::PostMissed { why, .. } if before.approval.is_some() => {
                let words = format!("{} missed its slot and is never sent late: {why}", after.what());
                open(tx, after, "post.missed", Urgency::Normal, words)?;
            }
            PostEvent::PostPlanned { .. }
            | PostEvent::PostApproved { .. }
            | PostEvent::StopCameLate { .. }
            | PostEvent::ContentChanged { .. }
            | PostEvent::SlotMoved { .. }
            | PostEvent::PreparingBegun
            | PostEvent::PostPrepared { .. }
            | PostEvent::PreparePutOff { .. }
            | PostEvent::HandleDropped { .. }
            | PostEvent::PostCommitting { .. }
            | PostEvent::AttemptInDoubt { .. }
            | PostEvent::LookedInVain { .. }
            | PostEvent::PostVerified { .. }
            | PostEvent::SnapshotTaken { .. }
            | PostEvent::HandedOff
            | PostEvent::CardClaimed { .. }
            | PostEvent::CardGivenBack { .. }
            | PostEvent::PostMissed { .. }
            | PostEvent::PostCancelled { .. } => {}
        }
    }
    // The evidence on how an account publishes is of its posts.
    if is_failure && after.kind == PostKind::Post {
        breach::publish_failed(tx, after)?;
    }
    if after.kind == PostKind::Post && after.state.is_settled() && !before.state.is_settled() {
        all_settled(tx, after)?;
    }
    Ok(())
}

/// What becomes of a reply is told to its conversation. One whose person's word holds no longer, and that is not out, is
/// given up at once: a person looks at the thread again, and sends anew or not at all.
fn reply_moved(tx: &mut Tx<'_>, id: ConversationId, reply: &Post, events: &[PostEvent]) -> Result<(), Stop> {
    let (post, now) = (reply.id, tx.now());
    let mut given_up = None;
    for event in events {
        let lost = match event {
            PostEvent::PostPublished { live, .. } => {
                let (id_there, url, at) = (live.id.clone(), live.url.clone(), live.at);
                conversation_decide(tx, id, ConversationCommand::Out { post, id: id_there, url, at })?;
                None
            }
            PostEvent::ApprovalVoided { .. } => {
                given_up = Some("the thread changed before it could be sent".to_owned());
                None
            }
            PostEvent::ApprovalTakenBack { by, .. } => {
                given_up = Some(format!("{by} took it back"));
                None
            }
            PostEvent::NotLiveAttested { by, .. } => {
                given_up = Some(format!("{by} swore that it is not live"));
                None
            }
            PostEvent::PostFailed { why } | PostEvent::PostMissed { why, .. } => Some(why.clone()),
            PostEvent::PostCancelled { by, reason, .. } => Some(format!("{by}: {reason}")),
            PostEvent::PostPlanned { .. }
            | PostEvent::PostApproved { .. }
            | PostEvent::StopCameLate { .. }
            | PostEvent::ContentChanged { .. }
            | PostEvent::SlotMoved { .. }
            | PostEvent::PreparingBegun
            | PostEvent::PostPrepared { .. }
            | PostEvent::PreparePutOff { .. }
            | PostEvent::HandleDropped { .. }
            | PostEvent::PostCommitting { .. }
            | PostEvent::AttemptInDoubt { .. }
            | PostEvent::AttemptSettled { .. }
            | PostEvent::LookedInVain { .. }
            | PostEvent::PostUnconfirmed { .. }
            | PostEvent::PostVerified { .. }
            | PostEvent::PostRemoved { .. }
            | PostEvent::PostAltered { .. }
            | PostEvent::SnapshotTaken { .. }
            | PostEvent::HandedOff
            | PostEvent::CardClaimed { .. }
            | PostEvent::CardGivenBack { .. } => None,
        };
        if let Some(why) = lost {
            conversation_decide(tx, id, ConversationCommand::Lost { post, why, at: now })?;
        }
    }
    match given_up.filter(|_| reply.state.is_unsent()) {
        Some(reason) => post_decide(tx, post, PostCommand::Cancel { by: Actor::Engine, at: now, reason }).map(|_| ()),
        None => Ok(()),
    }
}

fn all_settled(tx: &mut Tx<'_>, post: &Post) -> Result<(), Stop> {
    let posts = tx.posts_of(post.experiment)?;
    if posts.iter().all(|p| p.state.is_settled()) {
        let any_out = posts.iter().any(|p| p.live().is_some());
        let after = experiment_decide(tx, post.experiment, ExperimentCommand::AllSettled { any_out })?;
        // What is invalid keeps its layer until a person cloned or abandoned it: a clone takes it over.
        if matches!(after.stage, Stage::Completed { .. }) {
            release_layer(tx, &after, "the experiment is over")?;
        }
    }
    Ok(())
}

/// Frees an experiment's layer, where it holds one; a post in doubt keeps its place there until it is settled.
pub fn release_layer(tx: &mut Tx<'_>, experiment: &Experiment, reason: &str) -> Result<(), Stop> {
    use domain::calendar::layer::{Layer, LayerCommand};
    let Some(id) = experiment.layer() else { return Ok(()) };
    if tx.posts_of(experiment.id)?.iter().any(|p| p.state.is_in_doubt()) {
        return Ok(());
    }
    let Some((layer, _)) = tx.find::<Layer>(&id)? else { return Ok(()) };
    match layer.decide(LayerCommand::Release { experiment: experiment.id, reason: reason.to_owned() }) {
        Ok(events) => {
            tx.append::<Layer>(&id, events)?;
            Ok(())
        }
        Err(_not_held) => Ok(()),
    }
}

/// A post in doubt becomes a person's business unless the same handle may simply be sent again.
fn doubt(tx: &mut Tx<'_>, post: &Post, why: &str) -> Result<(), Stop> {
    let may_repeat = post.handle_to_repeat(tx.now()).is_ok() && post.approval.is_some() && post.window.holds(tx.now());
    if may_repeat { Ok(()) } else { escalate_doubt(tx, post, why) }
}

/// Opens the escalation of a post in doubt, with all that is known; once.
pub fn escalate_doubt(tx: &mut Tx<'_>, post: &Post, why: &str) -> Result<(), Stop> {
    open(
        tx,
        post,
        "post.unconfirmed",
        Urgency::Critical,
        format!("{}: we cannot tell whether it is out: {why}", post.what()),
    )
}

fn open(tx: &mut Tx<'_>, post: &Post, rule: &str, urgency: Urgency, what: String) -> Result<(), Stop> {
    let trouble = Trouble {
        client: post.client.clone(),
        subject: Subject::Post { post: post.id, experiment: post.experiment },
        rule,
        urgency,
        what,
        evidence: evidence(post),
        answers: answers(post),
        owner: None,
        due: USUAL_DUE,
    };
    open_once(tx, trouble)
}

/// How long a person has where nothing is known to be worse.
const USUAL_DUE: Span = Span::hours(2);

/// Opens an escalation about a post, once for each rule.
pub fn escalate_post(tx: &mut Tx<'_>, post: &Post, rule: &str, urgency: Urgency, what: String) -> Result<(), Stop> {
    open(tx, post, rule, urgency, what)
}

/// Opens the escalation of an account that cannot be used, once. Where a breach of it is before a person already, that one
/// is told of it instead.
pub fn escalate_account(tx: &mut Tx<'_>, account: &Account, rule: &str, why: &str) -> Result<(), Stop> {
    if breach::add_evidence(tx, account, &format!("{}: {why}", tx.now()))? {
        return Ok(());
    }
    let trouble = Trouble {
        client: account.client.clone(),
        subject: Subject::Account { account: account.id.clone() },
        rule,
        urgency: Urgency::High,
        what: format!("account {}: {why}", account.id),
        evidence: vec![format!("handle {}, identity {}", account.handle, account.identity_id())],
        answers: vec![format!(
            "expos account connect {} --account {} --client {} --handle {}",
            account.platform, account.id, account.client, account.handle
        )],
        owner: None,
        due: USUAL_DUE,
    };
    open_once(tx, trouble)
}

/// What is to be put before a person.
pub(crate) struct Trouble<'a> {
    pub(crate) client: ClientId,
    pub(crate) subject: Subject,
    pub(crate) rule: &'a str,
    pub(crate) urgency: Urgency,
    pub(crate) what: String,
    pub(crate) evidence: Vec<String>,
    pub(crate) answers: Vec<String>,
    /// Whose it is, where that is known.
    pub(crate) owner: Option<String>,
    /// How long from now until somebody should have settled it.
    pub(crate) due: Span,
}

/// Opens an escalation, unless one of its rule about the same thing is open.
pub(crate) fn open_once(tx: &mut Tx<'_>, trouble: Trouble<'_>) -> Result<(), Stop> {
    let same = |e: &Escalation| e.rule == trouble.rule && e.subject == trouble.subject;
    if tx.escalations(&Scope::All, Escalations::Open)?.iter().any(same) {
        return Ok(());
    }
    let now = tx.now();
    // An id needs no secrecy, only to be its own: what it is about, when, and what was recorded before.
    let digest = Framed::new("expos.escalation.1")
        .text(&format!("{:?}", trouble.subject))
        .text(trouble.rule)
        .text(&now.to_string())
        .field(tx.head_hash().bytes())
        .digest();
    let mut random = [0_u8; 10];
    random.iter_mut().zip(digest.bytes()).for_each(|(to, from)| *to = *from);
    let id = EscalationId::new(now, random);
    let escalation = Escalation {
        id,
        client: trouble.client,
        subject: trouble.subject,
        rule: trouble.rule.to_owned(),
        urgency: trouble.urgency,
        what: trouble.what,
        evidence: trouble.evidence,
        answers: trouble.answers,
        owner: trouble.owner,
        opened: now,
        due: now.plus(trouble.due),
        later: None,
        end: None,
    };
    tx.append::<Escalation>(&id, vec![EscalationEvent::EscalationOpened { escalation: Box::new(escalation) }])?;
    Ok(())
}

fn evidence(post: &Post) -> Vec<String> {
    let mut lines = vec![format!("state {}, slot {}, account {}", post.state.word(), post.window.from, post.account)];
    for attempt in &post.attempts {
        let ended = attempt.ended.map_or_else(|| "not ended".to_owned(), |t| format!("ended {t}"));
        lines.push(format!(
            "attempt {} of {} as {} began {}, {ended}, {} looks, {}",
            attempt.number,
            attempt.handle.key,
            attempt.handle.expected,
            attempt.started,
            attempt.looks,
            attempt.end.as_ref().map_or("not settled", |_| "settled"),
        ));
    }
    lines
}

fn answers(post: &Post) -> Vec<String> {
    if matches!(post.state, PostState::Unconfirmed { .. }) {
        vec![format!("expos post confirm {} --live URL", post.id), format!("expos post confirm {} --not-live", post.id)]
    } else {
        vec![format!("expos post why {}", post.id), "expos escalation resolve ID --reason TEXT".to_owned()]
    }
}

fn open_escalations(tx: &Tx<'_>, post: &Post) -> Result<Vec<Escalation>, StoreError> {
    let about = |e: &Escalation| matches!(&e.subject, Subject::Post { post: id, .. } if *id == post.id);
    Ok(tx.escalations(&Scope::All, Escalations::Open)?.into_iter().filter(about).collect())
}

fn end_escalations(tx: &mut Tx<'_>, post: &Post, how: &str) -> Result<(), Stop> {
    let now = tx.now();
    for open in open_escalations(tx, post)?.into_iter().filter(|e| e.rule == "post.unconfirmed") {
        let end = EscalationEnd { by: Actor::Engine, at: now, how: how.to_owned() };
        let events = open.decide(EscalationCommand::Resolve(end))?;
        tx.append::<Escalation>(&open.id, events)?;
    }
    Ok(())
}
