//! Replies: a person answers one comment, or decides that it needs no answer.
//!
//! Decides what must hold before a reply is recorded: the thread is the one that was seen, the guards pass, nothing stops
//! the account, and the last reply of the account was long enough ago. What is recorded here the engine's `reply` task sends,
//! once. There is no other way in: no command answers more than one conversation.

use domain::approval::{Approval, ApprovalLevel, Approver, fingerprint};
use domain::calendar::quiet::quiet_at;
use domain::client::Client;
use domain::engagement::{Asked, Conversation, ConversationCommand, REPLY_FLOOR, REPLY_PATIENCE};
use domain::experiment::Experiment;
use domain::hash::Digest;
use domain::id::{ConversationId, PostId};
use domain::post::{Post, PostCommand, PostEvent, PostKind, PostState};
use domain::preflight::reply::{ReplyFacts, look};
use domain::preflight::{Finding, Severity, digest};
use domain::refusal::Refusal;
use domain::role::{Action, NotOwn, Ownership, authorise};
use domain::text::Untrusted;
use domain::time::Window;
use domain::variant::Lane;
use serde_json::json;
use store::facts::{account_trouble, holds_above, present_binding, reply_settings};
use store::follow::{conversation_decide, post_decide};
use store::{Stop, StoreError, Tx};

use super::Context;
use crate::command::Done;
use crate::reply::{next_at, suggestion};
use crate::rounds::Engine;

/// The fewest digits that name what a person saw.
const SEEN_MIN: usize = 8;

/// What a person asks.
pub(super) struct Ask {
    pub(super) conversation: ConversationId,
    pub(super) text: String,
    pub(super) seen: String,
}

fn load(context: &Context, tx: &mut Tx<'_>, id: ConversationId) -> Result<Conversation, Stop> {
    let conversation: Conversation = tx.load(&id)?;
    context.check_scope(&conversation.client, "reply", &id.to_string())?;
    Ok(conversation)
}

pub(super) fn send(context: &mut Context, tx: &mut Tx<'_>, ask: Ask) -> Result<Done, Stop> {
    let before = load(context, tx, ask.conversation)?;
    let client: Client = tx.load(&before.client)?;
    let experiment: Experiment = tx.load(&before.experiment)?;
    let root: Post = tx.load(&before.post)?;
    let now = tx.now();
    let text = Untrusted::new(ask.text);
    let suggested = suggestion(&context.rules.replies, &client, &experiment, Some(&root), &before).made().cloned();
    let asked = Asked {
        post: PostId::new(now, context.random()),
        by: context.writer(),
        at: now,
        text: text.clone(),
        seen: seen(&before, &ask.seen)?,
        suggested,
    };
    let id = asked.post;
    let after = conversation_decide(tx, before.id, ConversationCommand::Send(Box::new(asked)))?;
    let findings = guarded(context, &client, &root, &text, &before)?;
    let Some(content) = after.present_content(id, &reply_settings(&experiment)) else {
        return Err(Stop::Failed(StoreError::missing("reply", &id.to_string())));
    };
    let above = root.state.clone();
    let reply = Post {
        id,
        kind: PostKind::Reply,
        number: u32::try_from(after.replies.len()).unwrap_or(u32::MAX),
        block: 0,
        lane: Lane::Api,
        window: Window { from: now, until: now.plus(REPLY_PATIENCE) },
        content: content.hash(),
        duplicate_key: content.duplicate_key(),
        repeat: false,
        approval: None,
        voided: None,
        attempts: Vec::new(),
        state: PostState::Planned { retry_at: None },
        altered_to: None,
        snapshots: Vec::new(),
        conversation: Some(after.id),
        ..root
    };
    if let PostState::Removed { at, .. } = above {
        let why = format!("our post above it is gone since {at}");
        let mend = "skip it with `expos reply skip`, or answer on the platform".to_owned();
        return Err(Refusal::rule("reply.post-gone", before.what(), why, mend).into());
    }
    nothing_stops(tx, &before, &reply, &client, &experiment)?;
    tx.append::<Post>(&id, vec![PostEvent::PostPlanned { post: Box::new(reply.clone()) }])?;
    let binding = present_binding(tx, &experiment, &client, &reply, &context.rules.version)?;
    let shown = fingerprint(&[(id, binding.clone())], digest(&findings), &[]);
    let word = Approver { uid: Some(context.person.uid), name: context.person.name.clone(), at: now, shown };
    let approval = Approval { binding, fingerprint: shown, by: vec![word] };
    post_decide(tx, id, PostCommand::Approve(Box::new(approval)))?;
    Ok(told(context, tx, &after, id)?)
}

fn told(context: &Context, tx: &Tx<'_>, conversation: &Conversation, id: PostId) -> Result<Done, StoreError> {
    let handle = tx.account(&conversation.account)?.map_or_else(String::new, |account| account.handle);
    let Some(reply) = conversation.sending() else {
        return Err(StoreError::missing("reply", &id.to_string()));
    };
    let data = json!({
        "conversation": conversation.id,
        "reply": id,
        "changed": reply.changed,
        "own": reply.own,
        "next_at": tx.now().plus(REPLY_FLOOR),
    });
    let done = Done::new(format!("on its way as @{handle} by {}: {}", reply.by.name, reply.text.show()), data);
    let done = match (&reply.suggested, reply.own) {
        (Some(made), false) => done.line(format!("{} % of `{}` changed", reply.changed, made.template)),
        (Some(made), true) => {
            done.line(format!("{} % of `{}` changed: it counts as your own words", reply.changed, made.template))
        }
        (None, _) => done.line("in your own words"),
    };
    let done = match context.engine {
        Engine::Runs => done,
        Engine::Absent => done.line("no engine runs: it goes out only if one is started within 10 minutes"),
    };
    Ok(done.next(format!("expos post cancel {id} --reason TEXT")))
}

/// Reads what a person saw, of which they name the first digits.
fn seen(conversation: &Conversation, named: &str) -> Result<Digest, Refusal> {
    if named.len() < SEEN_MIN || !named.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(Refusal::invalid(
            "reply.seen",
            conversation.what(),
            format!("what you saw is named by at least {SEEN_MIN} of its first hexadecimal digits"),
            format!("copy them from `expos reply show {}`", conversation.id),
        ));
    }
    let present = conversation.state();
    let is_it = present.to_string().starts_with(&named.to_ascii_lowercase());
    Ok(if is_it { present } else { Digest::of(named.as_bytes()) })
}

/// Lets the guards look at exactly this text. What they ask a second look for needs a person who may give it.
fn guarded(
    context: &Context,
    client: &Client,
    root: &Post,
    text: &Untrusted,
    conversation: &Conversation,
) -> Result<Vec<Finding>, Stop> {
    let rules = &context.rules;
    let surface = rules.surfaces.get(&root.surface).ok_or_else(|| StoreError::missing("surface", &root.surface.0))?;
    let facts = ReplyFacts { client, surface, surfaces: &rules.surfaces, packs: &rules.packs, text };
    let (findings, level) = look(facts);
    if let Some(found) = findings.iter().find(|finding| finding.severity == Severity::Block) {
        let why = format!("{} {}: {}", found.guard, found.rule, found.why);
        return Err(Refusal::rule("reply.guard", conversation.what(), why, found.mend.clone()).into());
    }
    if level == ApprovalLevel::Manual {
        let own = Ownership { authors: &[], not_own: NotOwn::Off };
        let found = findings.iter().find(|finding| finding.level == Some(level));
        let why = found.map_or_else(String::new, |found| format!("{} {}: {}", found.guard, found.rule, found.why));
        authorise(Action::ApproveManual, context.person.role, context.person.uid, own).map_err(|refusal| Refusal {
            what: conversation.what(),
            why: format!("{}; {why}", refusal.why),
            ..refusal
        })?;
    }
    Ok(findings)
}

/// Refuses while something stops what goes out on the account, so that a person is told at once; the commit asks again.
fn nothing_stops(
    tx: &Tx<'_>,
    conversation: &Conversation,
    reply: &Post,
    client: &Client,
    experiment: &Experiment,
) -> Result<(), Stop> {
    let refuse =
        |rule: &str, why: String, mend: String| Err(Refusal::rule(rule, conversation.what(), why, mend).into());
    if let Some(hold) = holds_above(tx, reply, client, experiment)?.into_iter().next() {
        return refuse("reply.held", hold, "a person resumes it, with a reason".to_owned());
    }
    if let Some(why) = account_trouble(tx, reply)? {
        return refuse("reply.account", why, "connect the account again".to_owned());
    }
    let now = tx.now();
    if let Some(quiet) = quiet_at(&client.policy, client.zone, now) {
        return refuse("reply.quiet", quiet.to_string(), "answer it when that is over".to_owned());
    }
    if let Some(next) = next_at(tx, conversation)? {
        let left = next.since(now).whole_seconds().saturating_add(1);
        let why = format!("the last reply on {} was less than {REPLY_FLOOR} ago", conversation.account);
        return refuse("reply.floor", why, format!("send it in {left} s; replies go out one at a time"));
    }
    Ok(())
}

pub(super) fn skip(context: &Context, tx: &mut Tx<'_>, id: ConversationId, why: String) -> Result<Done, Stop> {
    let before = load(context, tx, id)?;
    let command = ConversationCommand::Skip { by: context.writer(), at: tx.now(), why };
    let after = conversation_decide(tx, before.id, command)?;
    let data = json!({"conversation": after.id, "standing": after.standing()});
    Ok(Done::new("it is answered by nobody, until somebody writes in it again", data).next("expos reply list"))
}
