//! Conversations: a thread under one of our posts, from the comment that began it.
//!
//! Decides what of a thread waits for an answer, when an answer is refused because the thread is not the one that was seen,
//! and that one comment gets one reply. What the reply's text may say is preflight's business; that it goes out once, and
//! only on a person's word, the post's.
//!
//! | standing | means | leaves by |
//! |---|---|---|
//! | waiting | somebody wrote and nobody answered | a person sends → sending; skips → skipped; all taken back → gone |
//! | sending | a person's reply is on its way | out → answered; did not go out → waiting |
//! | answered, skipped | nothing waits | a new comment → waiting |
//! | gone | whoever wrote took all of it back | a new comment → waiting |

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use super::distance::{OWN_ABOVE, percent_changed};
use super::suggest::Suggested;
use crate::aggregate::{Aggregate, StreamKind};
use crate::experiment::Writer;
use crate::hash::{Digest, Framed};
use crate::id::{AccountId, ClientId, ConversationId, ExperimentId, PostId, VariantId};
use crate::refusal::Refusal;
use crate::text::Untrusted;
use crate::time::UtcTime;
use crate::variant::{Content, Facet, RecordRef, ReplyTo, SurfaceSettings};

/// The most letters that are kept of what somebody wrote.
pub const TEXT_MAX: usize = 1_000;

/// The most comments that are kept of one thread; what comes after them is read on the platform.
const COMMENTS_MAX: usize = 200;

/// Columns of a comment inside a refusal.
const EXCERPT: usize = 100;

/// Returns text from outside cut to what is kept of it.
pub fn clipped(text: &Untrusted) -> Untrusted {
    Untrusted::new(text.raw().chars().take(TEXT_MAX).collect::<String>())
}

/// One comment, as it was last seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comment {
    /// The platform's id.
    pub uri: String,
    /// The platform's digest of what it says now.
    pub cid: String,
    /// What it answers: our post, or another comment.
    pub parent: String,
    /// The platform's id of its author.
    pub author: String,
    /// The author's name at that moment.
    pub handle: Untrusted,
    /// What it says.
    pub text: Untrusted,
    /// When the platform saw it.
    pub at: UtcTime,
    /// When we first did.
    pub seen: UtcTime,
    /// One of the agency's own accounts wrote it by hand: it is no comment to answer. What went out as a reply of this
    /// program stands in `replies` alone.
    pub ours: bool,
    /// Since when it is no longer shown.
    pub gone: Option<UtcTime>,
    /// How often its words changed.
    pub edits: u32,
}

/// A comment as a look found it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting {
    /// The platform's id.
    pub uri: String,
    /// The platform's digest.
    pub cid: String,
    /// What it answers.
    pub parent: String,
    /// The platform's id of its author.
    pub author: String,
    /// The author's name.
    pub handle: Untrusted,
    /// What it says.
    pub text: Untrusted,
    /// When the platform saw it.
    pub at: UtcTime,
    /// One of the agency's own accounts wrote it.
    pub ours: bool,
}

impl Sighting {
    fn comment(&self, seen: UtcTime) -> Comment {
        Comment {
            uri: self.uri.clone(),
            cid: self.cid.clone(),
            parent: self.parent.clone(),
            author: self.author.clone(),
            handle: clipped(&self.handle),
            text: clipped(&self.text),
            at: self.at,
            seen,
            ours: self.ours,
            gone: None,
            edits: 0,
        }
    }
}

/// What became of a reply.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Fate {
    /// It is on its way, or we cannot tell.
    Sending,
    /// It is out.
    Out {
        /// The platform's id.
        id: String,
        /// Where people see it.
        url: String,
        /// When.
        at: UtcTime,
    },
    /// It did not go out, and will not.
    Not {
        /// Why.
        why: String,
        /// When this was known.
        at: UtcTime,
    },
}

/// A reply that a person asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// The post of kind reply that it goes out as.
    pub post: PostId,
    /// Who sent it.
    pub by: Writer,
    /// When they did.
    pub at: UtcTime,
    /// Exactly what it says.
    pub text: Untrusted,
    /// The comment that it answers.
    pub to: RecordRef,
    /// What was suggested, where something was.
    pub suggested: Option<Suggested>,
    /// How many percent of the suggestion were changed; all of it where nothing was suggested.
    pub changed: u8,
    /// It counts as the person's own, not as the template's.
    pub own: bool,
    /// How many comments of the thread stood before them.
    pub covers: usize,
    /// The thread as it stood when it was asked for, by [`Conversation::heard`].
    pub heard: Digest,
    /// What became of it.
    pub fate: Fate,
}

/// A person's word that a thread needs no answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skip {
    /// Who.
    pub by: Writer,
    /// When.
    pub at: UtcTime,
    /// Why; it feeds the test of templates.
    pub why: String,
    /// How many comments stood before them.
    pub covers: usize,
}

/// Where a conversation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It waits for a person.
    Waiting,
    /// A reply is on its way.
    Sending,
    /// A reply is out, or somebody answered by hand.
    Answered,
    /// A person decided that none is needed.
    Skipped,
    /// Nothing of it is left.
    Gone,
}

impl Standing {
    /// Returns the word that screens and the read table use.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Sending => "sending",
            Self::Answered => "answered",
            Self::Skipped => "skipped",
            Self::Gone => "gone",
        }
    }
}

/// A thread under one of our posts, as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conversation {
    /// Its id.
    pub id: ConversationId,
    /// Whose account it is.
    pub client: ClientId,
    /// The account.
    pub account: AccountId,
    /// What our post belongs to.
    pub experiment: ExperimentId,
    /// Our post.
    pub post: PostId,
    /// Which version it showed.
    pub variant: VariantId,
    /// That version's letter.
    pub letter: char,
    /// Our post as the platform names it.
    pub root: RecordRef,
    /// The platform's id of the comment right under our post that began it; kept when that is taken back.
    pub began: String,
    /// What was written, in the order in which we saw it; the first began it.
    pub comments: Vec<Comment>,
    /// What persons answered.
    pub replies: Vec<Reply>,
    /// The last time that a person decided to answer nothing.
    pub skipped: Option<Skip>,
}

/// A reply that a person asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The post that it would go out as.
    pub post: PostId,
    /// Who asks.
    pub by: Writer,
    /// When.
    pub at: UtcTime,
    /// Exactly what it says.
    pub text: Untrusted,
    /// The thread as they saw it, by [`Conversation::state`].
    pub seen: Digest,
    /// What was suggested to them.
    pub suggested: Option<Suggested>,
}

/// What is asked of a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConversationCommand {
    /// The engine read the thread.
    See {
        /// What stands there.
        found: Vec<Sighting>,
        /// When it was read.
        at: UtcTime,
    },
    /// A person answers.
    Send(Box<Asked>),
    /// A person answers nothing.
    Skip {
        /// Who.
        by: Writer,
        /// When.
        at: UtcTime,
        /// Why.
        why: String,
    },
    /// A reply is out.
    Out {
        /// Which.
        post: PostId,
        /// The platform's id.
        id: String,
        /// Where.
        url: String,
        /// When.
        at: UtcTime,
    },
    /// A reply did not go out, and will not.
    Lost {
        /// Which.
        post: PostId,
        /// Why.
        why: String,
        /// When this was known.
        at: UtcTime,
    },
}

/// What happened to a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ConversationEvent {
    /// Somebody wrote under our post.
    ConversationOpened {
        /// As it began.
        conversation: Box<Conversation>,
    },
    /// A comment was seen for the first time.
    CommentSeen {
        /// It.
        comment: Box<Comment>,
    },
    /// A comment says something else, or is shown again.
    CommentChanged {
        /// Which.
        uri: String,
        /// Its new digest.
        cid: String,
        /// What it says now.
        text: Untrusted,
        /// When this was seen.
        at: UtcTime,
    },
    /// A comment is no longer shown.
    CommentGone {
        /// Which.
        uri: String,
        /// When this was seen.
        at: UtcTime,
    },
    /// A person asked for exactly this reply.
    ReplyAsked {
        /// It.
        reply: Box<Reply>,
    },
    /// A reply is out.
    ReplyOut {
        /// Which.
        post: PostId,
        /// The platform's id.
        id: String,
        /// Where.
        url: String,
        /// When.
        at: UtcTime,
    },
    /// A reply did not go out, and will not.
    ReplyLost {
        /// Which.
        post: PostId,
        /// Why.
        why: String,
        /// When this was known.
        at: UtcTime,
    },
    /// A person answered nothing.
    ConversationSkipped {
        /// Who and why.
        skip: Skip,
    },
}

impl Conversation {
    /// Begins a conversation with what stands in its thread; `None` where none of it is somebody else's.
    pub fn open(empty: Self, found: &[Sighting], at: UtcTime) -> Option<ConversationEvent> {
        let mut comments: Vec<Comment> = found.iter().take(COMMENTS_MAX).map(|one| one.comment(at)).collect();
        comments.sort_by(|a, b| (a.at, &a.uri).cmp(&(b.at, &b.uri)));
        if comments.iter().all(|comment| comment.ours) {
            return None;
        }
        let conversation = Box::new(Self { comments, ..empty });
        Some(ConversationEvent::ConversationOpened { conversation })
    }

    /// Returns the words that refusals and screens use for it.
    pub fn what(&self) -> String {
        format!("conversation {}", self.id)
    }

    /// Returns its comments that are still shown, oldest first.
    pub fn shown(&self) -> Vec<&Comment> {
        let mut shown: Vec<&Comment> = self.comments.iter().filter(|comment| comment.gone.is_none()).collect();
        shown.sort_by(|a, b| (a.at, &a.uri).cmp(&(b.at, &b.uri)));
        shown
    }

    /// Returns the comment that waits for an answer: the newest of somebody else that no person has dealt with.
    pub fn waiting(&self) -> Option<&Comment> {
        if self.sending().is_some() {
            return None;
        }
        let dealt = self.dealt_with();
        // Whoever answers by hand has read what stands above.
        let by_hand = self.comments.iter().filter(|comment| comment.ours).map(|comment| comment.at).max();
        let open = self.comments.iter().enumerate().filter(|(place, comment)| {
            *place >= dealt && !comment.ours && comment.gone.is_none() && by_hand.is_none_or(|at| comment.at > at)
        });
        open.map(|(_, comment)| comment).max_by(|a, b| (a.at, &a.uri).cmp(&(b.at, &b.uri)))
    }

    /// Returns since when it waits; when somebody wrote last where it does not.
    pub fn asked_at(&self) -> UtcTime {
        let newest = || self.comments.iter().map(|comment| comment.at).max();
        self.waiting().map(|comment| comment.at).or_else(newest).unwrap_or(UtcTime::from_micros(0))
    }

    /// Returns how many of its comments stood before a person who answered or decided not to.
    fn dealt_with(&self) -> usize {
        let answered = self.replies.iter().filter(|reply| !matches!(reply.fate, Fate::Not { .. }));
        let answered = answered.map(|reply| reply.covers).max().unwrap_or(0);
        answered.max(self.skipped.as_ref().map_or(0, |skip| skip.covers))
    }

    /// Returns the reply that is on its way.
    pub fn sending(&self) -> Option<&Reply> {
        self.replies.iter().find(|reply| reply.fate == Fate::Sending)
    }

    /// Returns where it is.
    pub fn standing(&self) -> Standing {
        if self.sending().is_some() {
            return Standing::Sending;
        }
        if self.waiting().is_some() {
            return Standing::Waiting;
        }
        let answered = self.replies.iter().filter(|reply| matches!(reply.fate, Fate::Out { .. })).map(|r| r.at).max();
        match (&self.skipped, answered) {
            (Some(skip), answered) if answered.is_none_or(|at| at < skip.at) => Standing::Skipped,
            (_, Some(_)) => Standing::Answered,
            (_, None) if self.comments.iter().any(|comment| comment.ours && comment.gone.is_none()) => {
                Standing::Answered
            }
            (_, None) => Standing::Gone,
        }
    }

    /// Returns the name of what stands in the thread: every comment with its words, and what is no longer shown.
    pub fn heard(&self) -> Digest {
        let begin = Framed::new("expos.thread.1").text(&self.id.to_string());
        let add = |framed: Framed, comment: &Comment| {
            let shown = if comment.gone.is_some() { "gone" } else { "shown" };
            framed.text(&comment.uri).text(&comment.cid).text(shown)
        };
        self.comments.iter().fold(begin, add).digest()
    }

    /// Returns the name of all that a person sees: the thread and what was answered. A command names it, and is refused
    /// where it has changed.
    pub fn state(&self) -> Digest {
        let framed = Framed::new("expos.conversation.1").field(self.heard().bytes());
        let framed = self.replies.iter().fold(framed, |framed, reply| {
            let fate = match reply.fate {
                Fate::Sending => "sending",
                Fate::Out { .. } => "out",
                Fate::Not { .. } => "not",
            };
            framed.text(&reply.post.to_string()).text(fate)
        });
        framed.text(self.skipped.as_ref().map_or("", |skip| skip.why.as_str())).digest()
    }

    /// Returns what a reply would show as everything stands now: `None` where the thread is not the one that its person
    /// saw, so that the word for it holds no longer.
    pub fn present_content(&self, post: PostId, settings: &SurfaceSettings) -> Option<Content> {
        let reply = self.replies.iter().find(|reply| reply.post == post && reply.fate == Fate::Sending)?;
        (reply.heard == self.heard()).then(|| self.content(reply, settings))
    }

    /// Returns what a reply shows, or showed.
    pub fn content_of(&self, post: PostId, settings: &SurfaceSettings) -> Option<Content> {
        self.replies.iter().find(|reply| reply.post == post).map(|reply| self.content(reply, settings))
    }

    fn content(&self, reply: &Reply, settings: &SurfaceSettings) -> Content {
        Content {
            facets: [(Facet::Caption, reply.text.clone())].into(),
            assets: Vec::new(),
            settings: settings.clone(),
            reply: Some(ReplyTo { root: self.root.clone(), parent: reply.to.clone() }),
        }
    }

    /// Decides what a command means now.
    pub fn decide(&self, command: ConversationCommand) -> Result<Vec<ConversationEvent>, Refusal> {
        match command {
            ConversationCommand::See { found, at } => Ok(self.see(&found, at)),
            ConversationCommand::Send(asked) => self.send(*asked),
            ConversationCommand::Skip { by, at, why } => self.skip(by, at, why),
            ConversationCommand::Out { post, id, url, at } => {
                self.known(post)?;
                Ok(vec![ConversationEvent::ReplyOut { post, id, url, at }])
            }
            ConversationCommand::Lost { post, why, at } => {
                if self.known(post)?.fate != Fate::Sending {
                    return Err(Refusal::nothing(self.what(), "what became of that reply is known"));
                }
                Ok(vec![ConversationEvent::ReplyLost { post, why, at }])
            }
        }
    }

    fn known(&self, post: PostId) -> Result<&Reply, Refusal> {
        let found = self.replies.iter().find(|reply| reply.post == post);
        found.ok_or_else(|| Refusal::not_found("reply", &post.to_string()))
    }

    fn see(&self, found: &[Sighting], at: UtcTime) -> Vec<ConversationEvent> {
        let mut events = Vec::new();
        let mut fresh: Vec<&Sighting> = Vec::new();
        for one in found {
            match self.comments.iter().find(|comment| comment.uri == one.uri) {
                None => fresh.push(one),
                Some(known) if known.cid != one.cid || known.gone.is_some() => {
                    events.push(ConversationEvent::CommentChanged {
                        uri: one.uri.clone(),
                        cid: one.cid.clone(),
                        text: clipped(&one.text),
                        at,
                    });
                }
                Some(_) => {}
            }
        }
        fresh.sort_by(|a, b| (a.at, &a.uri).cmp(&(b.at, &b.uri)));
        let room = COMMENTS_MAX.saturating_sub(self.comments.len());
        events.extend(
            fresh
                .into_iter()
                .take(room)
                .map(|one| ConversationEvent::CommentSeen { comment: Box::new(one.comment(at)) }),
        );
        let missing = self.comments.iter().filter(|comment| comment.gone.is_none());
        let missing = missing.filter(|comment| !found.iter().any(|one| one.uri == comment.uri));
        events.extend(missing.map(|comment| ConversationEvent::CommentGone { uri: comment.uri.clone(), at }));
        events
    }

    fn send(&self, asked: Asked) -> Result<Vec<ConversationEvent>, Refusal> {
        if let Some(other) = self.sending() {
            let why = format!("{} is answering it since {}", other.by.name, other.at);
            return Err(Refusal::changed(self.what(), why));
        }
        if asked.seen != self.state() {
            return Err(self.changed());
        }
        let Some(comment) = self.waiting() else {
            return Err(Refusal::nothing(
                self.what(),
                format!("nothing in it waits: it is {}", self.standing().word()),
            ));
        };
        let changed = asked.suggested.as_ref().map_or(100, |made| percent_changed(&made.text, asked.text.raw()));
        let reply = Reply {
            post: asked.post,
            by: asked.by,
            at: asked.at,
            to: RecordRef { uri: comment.uri.clone(), cid: comment.cid.clone() },
            own: asked.suggested.is_none() || changed > OWN_ABOVE,
            suggested: asked.suggested,
            text: asked.text,
            changed,
            covers: self.comments.len(),
            heard: self.heard(),
            fate: Fate::Sending,
        };
        Ok(vec![ConversationEvent::ReplyAsked { reply: Box::new(reply) }])
    }

    /// Says what is there now that whoever looked did not see.
    fn changed(&self) -> Refusal {
        let newest = self.comments.iter().filter(|comment| !comment.ours).max_by_key(|comment| comment.seen);
        let why = match (self.shown().last(), newest) {
            (_, Some(comment)) if comment.gone.is_none() => format!(
                "the thread changed since you looked; the newest in it is by {} at {}: {}",
                comment.handle.show().truncated(EXCERPT),
                comment.at,
                comment.text.show().truncated(EXCERPT)
            ),
            (Some(_), _) | (None, _) => {
                "the thread changed since you looked: something in it was taken back".to_owned()
            }
        };
        let mend = format!("look at it again with `expos reply show {}`, then send what still fits", self.id);
        Refusal { mend, ..Refusal::changed(self.what(), why) }
    }

    fn skip(&self, by: Writer, at: UtcTime, why: String) -> Result<Vec<ConversationEvent>, Refusal> {
        if why.trim().is_empty() {
            let mend = "give one with --reason: it feeds the test of templates";
            return Err(Refusal::invalid("reply.reason", self.what(), "skipping needs a reason", mend));
        }
        if self.waiting().is_none() {
            return Err(Refusal::nothing(
                self.what(),
                format!("nothing in it waits: it is {}", self.standing().word()),
            ));
        }
        let skip = Skip { by, at, why, covers: self.comments.len() };
        Ok(vec![ConversationEvent::ConversationSkipped { skip }])
    }

    fn with_comment(&mut self, uri: &str, change: impl FnOnce(&mut Comment)) {
        if let Some(comment) = self.comments.iter_mut().find(|comment| comment.uri == uri) {
            change(comment);
        }
    }

    fn set_fate(&mut self, post: PostId, fate: Fate) {
        if let Some(reply) = self.replies.iter_mut().find(|reply| reply.post == post) {
            reply.fate = fate;
        }
    }
}

impl Aggregate for Conversation {
    type Event = ConversationEvent;
    const KIND: StreamKind = StreamKind::Conversation;

    fn begin(event: &ConversationEvent) -> Option<Self> {
        if let ConversationEvent::ConversationOpened { conversation } = event {
            Some((**conversation).clone())
        } else {
            None
        }
    }

    fn apply(&mut self, event: &ConversationEvent) {
        match event {
            ConversationEvent::ConversationOpened { conversation } => *self = (**conversation).clone(),
            ConversationEvent::CommentSeen { comment } => self.comments.push((**comment).clone()),
            ConversationEvent::CommentChanged { uri, cid, text, .. } => self.with_comment(uri, |comment| {
                if comment.cid != *cid {
                    comment.edits = comment.edits.saturating_add(1);
                }
                comment.cid.clone_from(cid);
                comment.text = text.clone();
                comment.gone = None;
            }),
            ConversationEvent::CommentGone { uri, at } => self.with_comment(uri, |comment| comment.gone = Some(*at)),
            ConversationEvent::ReplyAsked { reply } => self.replies.push((**reply).clone()),
            ConversationEvent::ReplyOut { post, id, url, at } => {
                self.set_fate(*post, Fate::Out { id: id.clone(), url: url.clone(), at: *at });
            }
            ConversationEvent::ReplyLost { post, why, at } => {
                self.set_fate(*post, Fate::Not { why: why.clone(), at: *at });
            }
            ConversationEvent::ConversationSkipped { skip } => self.skipped = Some(skip.clone()),
        }
    }
}
