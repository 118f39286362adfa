//! Conversations as a person sees them: what waits, what may be said, when the next reply may go out.
//!
//! Decides the words of a row, and that what is shown and what a command is compared with are made here alike. The rules are
//! `domain::engagement`'s.

use domain::client::Client;
use domain::engagement::{
    Catalogue, Comment, Conversation, Fate, Looked, REPLY_FLOOR, Reply, Standing, Suggestion, suggest,
};
use domain::experiment::Experiment;
use domain::post::Post;
use domain::text::Untrusted;
use domain::time::UtcTime;
use domain::variant::Facet;
use store::{StoreError, View};

use crate::query::{ReplyLine, ReplyView, ThreadLine};
use crate::rules::Rules;

/// Suggests an answer to what waits in a conversation; to what was said last where nothing does.
pub(crate) fn suggestion(
    catalogue: &Catalogue,
    client: &Client,
    experiment: &Experiment,
    post: Option<&Post>,
    conversation: &Conversation,
) -> Suggestion {
    let Some(comment) = conversation.waiting().or_else(|| said_last(conversation)) else {
        return Suggestion::None { tag: None, why: "nothing of it is left".to_owned() };
    };
    let content = post.and_then(|post| store::facts::content_of(experiment, post));
    let tested = content.and_then(|content| content.facets.get(&Facet::ReplyTemplate));
    suggest(Looked {
        comment: &comment.text,
        kit: &client.kit,
        tested: tested.map(|text| (conversation.letter, text)),
        catalogue,
    })
}

fn said_last(conversation: &Conversation) -> Option<&Comment> {
    conversation.shown().into_iter().rev().find(|comment| !comment.ours)
}

/// Returns when the next reply of the account may be sent; `None` where it may be at once.
pub(crate) fn next_at(view: &View<'_>, conversation: &Conversation) -> Result<Option<UtcTime>, StoreError> {
    let last = view.last_reply_on_account(&conversation.account)?;
    Ok(last.map(|last| last.plus(REPLY_FLOOR)).filter(|next| *next > view.now()))
}

/// What a row and a page are made of.
pub(crate) struct Known {
    client: Client,
    experiment: Experiment,
    post: Option<Post>,
}

impl Known {
    pub(crate) fn read(view: &View<'_>, conversation: &Conversation) -> Result<Self, StoreError> {
        let client = view.client(&conversation.client)?;
        let experiment = view.experiment(conversation.experiment)?;
        Ok(Self {
            client: client.ok_or_else(|| StoreError::missing("client", conversation.client.as_str()))?,
            experiment: experiment
                .ok_or_else(|| StoreError::missing("experiment", &conversation.experiment.to_string()))?,
            post: view.post(conversation.post)?,
        })
    }
}

/// Returns a conversation as a row.
pub(crate) fn line(view: &View<'_>, rules: &Rules, conversation: &Conversation) -> Result<ReplyLine, StoreError> {
    let known = Known::read(view, conversation)?;
    line_of(view, rules, &known, conversation)
}

fn line_of(
    view: &View<'_>,
    rules: &Rules,
    known: &Known,
    conversation: &Conversation,
) -> Result<ReplyLine, StoreError> {
    let handle = view.account(&conversation.account)?.map_or_else(String::new, |account| account.handle);
    let standing = conversation.standing();
    let reply = conversation.replies.iter().rev().find(|reply| !matches!(reply.fate, Fate::Not { .. }));
    let answered = reply.filter(|_| matches!(standing, Standing::Sending | Standing::Answered));
    let shown = conversation
        .waiting()
        .or_else(|| answered.and_then(|reply| conversation.comments.iter().find(|comment| comment.uri == reply.to.uri)))
        .or_else(|| said_last(conversation))
        .or(conversation.comments.first());
    let suggestion = suggestion(&rules.replies, &known.client, &known.experiment, known.post.as_ref(), conversation);
    let (state, told) = words(conversation, standing, answered, &suggestion, known);
    let post_text = known.post.as_ref().and_then(|post| store::facts::content_of(&known.experiment, post));
    Ok(ReplyLine {
        conversation: conversation.id,
        client: conversation.client.clone(),
        account: conversation.account.clone(),
        handle,
        experiment: known.experiment.code.clone(),
        letter: conversation.letter,
        post: conversation.post,
        post_text: post_text.map(|content| content.text()).unwrap_or_default(),
        post_url: known.post.as_ref().and_then(Post::live).map(|live| live.url.clone()),
        who: shown.map(|comment| comment.handle.clone()).unwrap_or_default(),
        text: shown.map(|comment| comment.text.clone()).unwrap_or_default(),
        at: shown.map_or_else(|| conversation.asked_at(), |comment| comment.at),
        state,
        told,
        changed: answered.map(|reply| reply.changed),
        own: answered.map(|reply| reply.own),
        reply: answered.map(|reply| reply.post),
        reply_url: answered
            .and_then(|reply| if let Fate::Out { url, .. } = &reply.fate { Some(url.clone()) } else { None }),
        seen: conversation.state().to_string(),
        next_at: next_at(view, conversation)?,
        suggestion,
    })
}

/// Returns the state in a word, and told in full.
fn words(
    conversation: &Conversation,
    standing: Standing,
    answered: Option<&Reply>,
    suggestion: &Suggestion,
    known: &Known,
) -> (String, String) {
    let clock = |at: UtcTime| {
        let local = known.client.zone.local(at);
        format!("{:02}:{:02}", local.hour, local.minute)
    };
    let edited = |reply: &Reply| match reply.changed {
        0 => String::new(),
        _ if reply.suggested.is_none() => "in own words, ".to_owned(),
        changed => format!("edited, {changed} % changed, "),
    };
    let (state, told) = match (standing, answered, &conversation.skipped) {
        (Standing::Waiting, _, _) => match suggestion {
            Suggestion::Made(made) => ("suggested", format!("suggested: {}", made.template)),
            Suggestion::None { tag: Some(tag), why } => ("own words", format!("{tag}: {why}")),
            Suggestion::None { tag: None, why } => ("own words", why.clone()),
        },
        (Standing::Sending, Some(reply), _) => {
            ("sending", format!("{}being sent since {} by {}", edited(reply), clock(reply.at), reply.by.name))
        }
        (Standing::Answered, Some(reply), _) => {
            ("sent", format!("{}sent {} by {}", edited(reply), clock(reply.at), reply.by.name))
        }
        (Standing::Skipped, _, Some(skip)) => {
            ("skipped", format!("skipped {} by {}: {}", clock(skip.at), skip.by.name, skip.why))
        }
        (Standing::Answered | Standing::Sending | Standing::Skipped, _, _) => {
            ("by hand", "answered by hand on the platform".to_owned())
        }
        (Standing::Gone, _, _) => ("taken back", "whoever wrote took it back".to_owned()),
    };
    (state.to_owned(), told)
}

/// Returns a conversation whole: its thread with the newest last, what is suggested and what stands in the way.
pub(crate) fn whole(view: &View<'_>, rules: &Rules, conversation: &Conversation) -> Result<ReplyView, StoreError> {
    let known = Known::read(view, conversation)?;
    let mut thread: Vec<ThreadLine> = conversation.shown().into_iter().map(comment_line).collect();
    thread.extend(conversation.replies.iter().filter(|r| !matches!(r.fate, Fate::Not { .. })).map(reply_line));
    thread.sort_by_key(|line| line.at);
    let surface = known.post.as_ref().and_then(|post| rules.surfaces.get(&post.surface));
    let lost = conversation.replies.iter().filter_map(|reply| match &reply.fate {
        Fate::Not { why, at } => Some(format!("{at}: {}'s reply did not go out: {why}", reply.by.name)),
        Fate::Sending | Fate::Out { .. } => None,
    });
    let mut notes: Vec<String> = lost.collect();
    if let Some(account) = view.account(&conversation.account)? {
        let holds =
            [(format!("account {}", account.id), &account.holds), ("the client".to_owned(), &known.client.holds)];
        for (what, holds) in holds {
            notes.extend(holds.list().iter().map(|hold| format!("{what} is on hold: {}", hold.reason)));
        }
    }
    Ok(ReplyView {
        line: line_of(view, rules, &known, conversation)?,
        thread,
        letters_max: surface.and_then(|surface| surface.caption).map(|limit| limit.max),
        notes,
    })
}

fn comment_line(comment: &Comment) -> ThreadLine {
    ThreadLine {
        who: comment.handle.clone(),
        text: comment.text.clone(),
        at: comment.at,
        ours: comment.ours,
        by: None,
        edited: comment.edits > 0,
    }
}

fn reply_line(reply: &Reply) -> ThreadLine {
    ThreadLine {
        who: Untrusted::new(reply.by.name.clone()),
        text: reply.text.clone(),
        at: reply.at,
        ours: true,
        by: Some(reply.by.name.clone()),
        edited: false,
    }
}
