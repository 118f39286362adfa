//! Replies at the desk: one at a time, by a person, on the thread that they saw, and by nobody else (K3, P6, I1).

use std::collections::BTreeSet;

use domain::agency::HomeKind;
use domain::approval::Approver;
use domain::checkin::{LeftOf, Round, Step};
use domain::engagement::{Asked, Conversation, ConversationCommand, Fate, Standing, Suggestion};
use domain::experiment::Writer;
use domain::hash::Digest;
use domain::hold::HoldCause;
use domain::id::PostId;
use domain::post::{CommitOutcome, Live, Post, PostCommand, PostEvent, PostKind, PostState, Repeat};
use domain::refusal::RefusalKind;
use domain::role::Role;
use domain::text::Untrusted;
use domain::time::Span;

use super::fixture::*;
use super::matrix::one_of_each;
use crate::query::{ReplyLine, ReplyView};
use crate::{Answer, Command, Query};

const QUESTION: &str = "Do you open on Sundays?";

async fn open(said: &[&str]) -> (World, Conversation) {
    let world = World::small(HomeKind::Personal).await;
    let code = world.approved(ADA, &BriefText::new("alpha", "rye", "2027-03-02")).await;
    let conversation = world.comment_on(&world.posts(&code).await[0], said).await;
    (world, conversation)
}

fn send(conversation: &Conversation, text: &str) -> Command {
    let seen = conversation.state().to_string();
    Command::ReplySend { conversation: conversation.id, text: text.to_owned(), seen }
}

async fn lines(world: &World, all: bool) -> Vec<ReplyLine> {
    let Answer::Replies(lines) = world.ask(ADA, Query::ReplyList { all }).await else { panic!("no list") };
    lines
}

async fn shown(world: &World, conversation: &Conversation) -> ReplyView {
    let query = Query::ReplyShow { conversation: conversation.id.to_string() };
    let Answer::Reply(view) = world.ask(ADA, query).await else { panic!("no page") };
    *view
}

/// Sends, and returns the reply as a post.
async fn sent(world: &World, conversation: &Conversation, text: &str) -> PostId {
    let done = world.act(ADA, send(conversation, text)).await;
    done.data["reply"].as_str().unwrap().parse().unwrap()
}

fn live(world: &World) -> Live {
    let url = "https://bsky.app/profile/a/post/b".to_owned();
    Live { id: "at://reply".to_owned(), url, digest: "bafy".to_owned(), at: world.now() }
}

#[tokio::test]
async fn a_person_answers_one_comment_and_it_goes_out_by_the_protocol_of_every_post() {
    let (world, conversation) = open(&[QUESTION]).await;
    let line = lines(&world, false).await.remove(0);
    assert_eq!((line.state.as_str(), line.text.raw()), ("suggested", QUESTION));
    let Suggestion::Made(made) = &line.suggestion else { panic!("{line:?}") };
    let before = world.show(&line.experiment).await;
    let reply = sent(&world, &conversation, &made.text).await;
    let post = world.post(reply).await;
    assert_eq!((post.text.as_str(), post.line.state.as_str()), (made.text.as_str(), "planned"));
    assert_eq!(post.approval.as_ref().unwrap().by.iter().map(|by| by.uid).collect::<Vec<_>>(), [Some(ADA)]);
    assert_eq!(lines(&world, false).await[0].state, "sending");
    world.prepare(reply, Repeat::Always).await;
    world.commit(reply).await;
    world.end(reply, CommitOutcome::Accepted(live(&world))).await;
    assert_eq!(lines(&world, false).await, vec![]);
    let line = lines(&world, true).await.remove(0);
    assert_eq!((line.state.as_str(), line.told.as_str()), ("sent", "sent 08:00 by ada"));
    assert_eq!((line.changed, line.own, line.reply_url), (Some(0), Some(false), Some(live(&world).url)));
    let thread = shown(&world, &conversation).await.thread;
    assert_eq!(thread.iter().map(|said| said.ours).collect::<Vec<_>>(), [false, true]);
    // It is no part of its experiment: neither its plan nor its stage knows of it.
    let after = world.show(&line.experiment).await;
    assert_eq!((after.posts.len(), &after.line.stage), (before.posts.len(), &before.line.stage));
    assert_eq!(world.desk.store().rebuild_compare().await.unwrap(), vec![]);
}

#[tokio::test]
async fn a_reply_is_refused_where_the_thread_moved_and_the_new_comment_is_shown() {
    let (world, conversation) = open(&[QUESTION]).await;
    let post = world.desk.store().read(move |view| view.post(conversation.post)).await.unwrap().unwrap();
    let now = world.comment_on(&post, &[QUESTION, "Never mind, I found it."]).await;
    let refusal = world.refused(ADA, send(&conversation, "We do.")).await;
    assert_eq!(refusal.kind, RefusalKind::Changed);
    assert!(refusal.why.contains("Never mind, I found it."), "{refusal}");
    for bad in ["", "12345", "zzzzzzzz"] {
        let command = Command::ReplySend { conversation: now.id, text: "We do.".to_owned(), seen: bad.to_owned() };
        assert_eq!(world.refused(ADA, command).await.rule, "reply.seen", "{bad}");
    }
    let short = now.state().to_string().chars().take(8).collect();
    world.act(ADA, Command::ReplySend { conversation: now.id, text: "Good!".to_owned(), seen: short }).await;
}

#[tokio::test]
async fn a_thread_that_moves_before_the_commit_gives_no_leave_and_waits_for_a_person_again() {
    let (world, conversation) = open(&[QUESTION]).await;
    let reply = sent(&world, &conversation, "We do, from eight.").await;
    world.prepare(reply, Repeat::Always).await;
    let post = world.desk.store().read(move |view| view.post(conversation.post)).await.unwrap().unwrap();
    world.comment_on(&post, &[QUESTION, "Never mind, I found it."]).await;
    assert_eq!(world.try_commit(reply).await.unwrap().len(), 0, "no permit");
    assert_eq!(world.post(reply).await.line.state, "cancelled");
    let now = world.conversation(conversation.id).await;
    assert_eq!(now.standing(), Standing::Waiting);
    assert!(shown(&world, &now).await.notes.iter().any(|note| note.contains("thread changed")));
}

#[tokio::test]
async fn two_replies_of_an_account_are_twenty_seconds_apart_and_the_wait_is_told() {
    let (world, first) = open(&[QUESTION]).await;
    let posts = world.posts(&lines(&world, false).await[0].experiment).await;
    let second = world.comment_on(&posts[1], &["What is in the crust?"]).await;
    let reply = sent(&world, &first, "We do, from eight.").await;
    world.clock.advance(Span::seconds(7).to_std());
    let refusal = world.refused(ADA, send(&second, "Rye and water.")).await;
    assert_eq!(refusal.rule, "reply.floor");
    assert!(refusal.mend.contains("14 s"), "{refusal}");
    assert_eq!(shown(&world, &second).await.line.next_at, Some(world.now().plus(Span::seconds(13))));
    world.clock.advance(Span::seconds(13).to_std());
    let other = sent(&world, &second, "Rye and water.").await;
    // The commit asks once more: what went out late pushes the next one back.
    for post in [reply, other] {
        world.prepare(post, Repeat::Always).await;
    }
    world.commit(reply).await;
    world.end(reply, CommitOutcome::Accepted(live(&world))).await;
    assert!(world.try_commit(other).await.unwrap_err().rule.starts_with("pacing."));
    world.clock.advance(Span::seconds(21).to_std());
    world.commit(other).await;
}

#[tokio::test]
async fn what_the_guards_or_a_hold_forbid_is_refused_and_changes_nothing() {
    let (world, conversation) = open(&[QUESTION]).await;
    world.grant(2001, Role::Operator, &[]).await;
    let long = "x".repeat(301);
    for text in [" ", "Hello! {answer}", "pay \u{202e}evil\u{202c} now", long.as_str()] {
        let refusal = world.refused(2001, send(&conversation, text)).await;
        assert_eq!((refusal.rule.as_str(), refusal.kind), ("reply.guard", RefusalKind::Rule), "{refusal}");
    }
    let toml = "name = \"The alpha\"\nzone = \"UTC\"\n[kit]\nbanned = [\"artisanal\"]\n".to_owned();
    world.act(ADA, Command::ClientEdit { client: client("alpha"), toml }).await;
    assert_eq!(world.refused(2001, send(&conversation, "All is artisanal.")).await.rule, "reply.guard");
    world.hold_account("alpha-bs", HoldCause::Breach).await;
    let refusal = world.refused(2001, send(&conversation, "We do.")).await;
    assert_eq!(refusal.rule, "reply.held");
    assert!(refusal.why.contains("too many failures"), "{refusal}");
    assert_eq!(world.conversation(conversation.id).await, conversation);
    let skipped = Command::ReplySkip { conversation: conversation.id, reason: "closed".to_owned() };
    world.act(2001, skipped).await;
    assert_eq!(lines(&world, true).await[0].told, "skipped 08:00 by u2001: closed");
}

#[tokio::test]
async fn in_quiet_hours_nobody_is_answered() {
    let (world, conversation) = open(&[QUESTION]).await;
    world.go_to("2027-03-01T22:00:00Z");
    assert_eq!(world.refused(ADA, send(&conversation, "We do.")).await.rule, "reply.quiet");
}

#[tokio::test]
async fn an_answer_is_taken_back_until_its_commit_begins_and_not_after() {
    let (world, conversation) = open(&[QUESTION]).await;
    let reply = sent(&world, &conversation, "We do, from eight.").await;
    world.prepare(reply, Repeat::Always).await;
    let cancel = |post| Command::PostCancel { post, reason: "a slip".to_owned() };
    let done = world.act(ADA, cancel(reply)).await;
    assert_eq!(done.data["state"], "cancelled");
    assert_eq!(world.conversation(conversation.id).await.standing(), Standing::Waiting);
    world.clock.advance(Span::seconds(21).to_std());
    let again = world.conversation(conversation.id).await;
    let reply = sent(&world, &again, "We do, from nine.").await;
    world.prepare(reply, Repeat::Always).await;
    world.commit(reply).await;
    let done = world.act(ADA, cancel(reply)).await;
    assert_eq!(done.data["answer"]["answer"], "too_late");
    world.end(reply, CommitOutcome::Accepted(live(&world))).await;
    assert_eq!(world.conversation(conversation.id).await.standing(), Standing::Answered);
}

#[tokio::test]
async fn a_reply_that_was_not_sent_in_time_is_never_sent_late_and_somebody_is_told() {
    let (world, conversation) = open(&[QUESTION]).await;
    let reply = sent(&world, &conversation, "We do, from eight.").await;
    world.clock.advance(Span::minutes(11).to_std());
    world.drive(reply, PostCommand::WindowClosed { at: world.now() }).await;
    let now = world.conversation(conversation.id).await;
    assert!(matches!(now.replies[0].fate, Fate::Not { .. }) && now.standing() == Standing::Waiting);
    let Answer::Escalations(told) = world.ask(ADA, Query::EscalationList { all: false }).await else { panic!() };
    assert_eq!(told.iter().filter(|e| e.rule == "reply.missed").count(), 1, "{told:?}");
}

#[tokio::test]
async fn no_leave_is_given_for_a_reply_that_no_person_asked_for() {
    let (world, conversation) = open(&[QUESTION]).await;
    // All that a person's command leaves behind, written by the engine, its word forged too.
    let model = world.desk.store().read(move |view| view.post(conversation.post)).await.unwrap().unwrap();
    let forged = PostId::new(world.now(), [9; 10]);
    let asked = Asked {
        post: forged,
        by: Writer { uid: ADA, name: "ada".to_owned() },
        at: world.now(),
        text: Untrusted::new("We do."),
        seen: conversation.state(),
        suggested: None,
    };
    let id = conversation.id;
    let settings = store::facts::reply_settings(&world.stored(&lines(&world, false).await[0].experiment).await);
    world
        .engine(move |tx| {
            let command = ConversationCommand::Send(Box::new(asked));
            let after = store::follow::conversation_decide(tx, id, command)?;
            let content = after.present_content(forged, &settings).unwrap();
            let window = domain::time::Window { from: tx.now(), until: tx.now().plus(Span::minutes(10)) };
            let mut approval = model.approval.clone().unwrap();
            approval.binding.content = content.hash();
            approval.binding.window = window;
            let shown = approval.fingerprint;
            approval.by = vec![Approver { uid: Some(ADA), name: "ada".to_owned(), at: tx.now(), shown }];
            let post = Post {
                id: forged,
                kind: PostKind::Reply,
                window,
                content: content.hash(),
                duplicate_key: Digest::of(b"reply"),
                approval: Some(approval),
                state: PostState::Planned { retry_at: None },
                conversation: Some(id),
                ..model
            };
            Ok(tx.append::<Post>(&forged, vec![PostEvent::PostPlanned { post: Box::new(post) }])?)
        })
        .await;
    world.prepare(forged, Repeat::Always).await;
    let refusal = world.try_commit(forged).await.unwrap_err();
    assert_eq!(refusal.rule, "commit.reply-of-nobody", "{refusal}");
}

#[test]
fn no_command_answers_more_than_one_conversation() {
    let mut answering = BTreeSet::new();
    for command in one_of_each() {
        let written = serde_json::to_value(&command).unwrap();
        let name = written["do"].as_str().unwrap().to_owned();
        for (field, value) in written.as_object().unwrap() {
            if field.starts_with("conversation") {
                assert!(value.is_string(), "{name} takes {field} {value}");
                answering.insert(name.clone());
            }
        }
    }
    assert_eq!(answering, BTreeSet::from(["reply_send".to_owned(), "reply_skip".to_owned()]));
}

#[tokio::test]
async fn whoever_got_no_answer_is_left_at_midday_in_words_that_a_screen_can_take() {
    let (world, conversation) = open(&["\u{1b}[2JDo you open\u{202e} on Sundays?"]).await;
    world.go_to("2027-03-01T13:00:00Z");
    let left = async || {
        let Answer::Rounds(rounds) = world.ask(ADA, Query::CheckinStatus { client: None }).await else { panic!() };
        let midday = rounds.into_iter().find(|round| round.round == Round::Midday).unwrap();
        midday.left.into_iter().filter(|left| left.step == Step::Replies).collect::<Vec<_>>()
    };
    let found = left().await;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].of, LeftOf::Conversation { conversation: conversation.id });
    assert!(found[0].what.contains("reader0.example.com waits for an answer on alpha-bs"), "{}", found[0].what);
    assert!(!found[0].what.contains(['\u{1b}', '\u{202e}']), "{}", found[0].what);
    world.act(ADA, send(&conversation, "We do, from eight.")).await;
    assert_eq!(left().await, vec![]);
}

#[tokio::test]
async fn nobody_is_answered_under_a_post_that_is_gone() {
    let (world, conversation) = open(&[QUESTION]).await;
    let above = conversation.post;
    world.go_to("2027-03-02T09:00:00Z");
    world.prepare(above, Repeat::Always).await;
    world.commit(above).await;
    world.end(above, CommitOutcome::Accepted(live(&world))).await;
    world.drive(above, PostCommand::Gone { at: world.now(), evidence: "both servers have none".to_owned() }).await;
    let refusal = world.refused(ADA, send(&conversation, "We do.")).await;
    assert_eq!(refusal.rule, "reply.post-gone", "{refusal}");
    world.act(ADA, Command::ReplySkip { conversation: conversation.id, reason: "it is gone".to_owned() }).await;
}

#[tokio::test]
async fn replies_and_posts_are_paced_apart() {
    let (world, conversation) = open(&[QUESTION]).await;
    let posts = world.posts(&lines(&world, false).await[0].experiment).await;
    world.go_to("2027-03-02T08:59:50Z");
    let reply = sent(&world, &conversation, "We do, from eight.").await;
    world.prepare(reply, Repeat::Always).await;
    world.commit(reply).await;
    // One request of an account is under way at a time, whichever kind it is.
    world.prepare(posts[0].id, Repeat::Always).await;
    world.go_to("2027-03-02T09:00:00Z");
    assert_eq!(world.try_commit(posts[0].id).await.unwrap_err().rule, "commit.in-flight");
    world.end(reply, CommitOutcome::Accepted(live(&world))).await;
    // The policy's half hour is between posts.
    world.commit(posts[0].id).await;
}
