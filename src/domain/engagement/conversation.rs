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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregate::fold;
    use crate::refusal::RefusalKind;
    use crate::time::Span;
    use proptest::prelude::*;

    fn t(seconds: i64) -> UtcTime {
        UtcTime::from_micros(1_800_000_000_000_000).plus(Span::seconds(seconds))
    }

    fn said(name: &str, seconds: i64) -> Sighting {
        Sighting {
            uri: format!("at://{name}"),
            cid: format!("cid of {name}"),
            parent: "at://post".to_owned(),
            author: format!("did:{name}"),
            handle: Untrusted::new(format!("{name}.test")),
            text: Untrusted::new(format!("what {name} says")),
            at: t(seconds),
            ours: false,
        }
    }

    fn empty() -> Conversation {
        Conversation {
            id: ConversationId::new(t(0), [1; 10]),
            client: "acme".parse().unwrap(),
            account: "acme-bs".parse().unwrap(),
            experiment: ExperimentId::new(t(0), [2; 10]),
            post: PostId::new(t(0), [3; 10]),
            variant: VariantId::new(t(0), [4; 10]),
            letter: 'A',
            root: RecordRef { uri: "at://post".to_owned(), cid: "cid of post".to_owned() },
            began: "at://ann".to_owned(),
            comments: Vec::new(),
            replies: Vec::new(),
            skipped: None,
        }
    }

    fn opened(found: &[Sighting]) -> Conversation {
        let event = Conversation::open(empty(), found, t(100)).unwrap();
        fold(None, &[event]).unwrap()
    }

    fn then(before: &Conversation, command: ConversationCommand) -> Conversation {
        let events = before.decide(command).unwrap();
        fold(Some(before.clone()), &events).unwrap()
    }

    fn see(before: &Conversation, found: &[Sighting], at: i64) -> Conversation {
        then(before, ConversationCommand::See { found: found.to_vec(), at: t(at) })
    }

    fn mia() -> Writer {
        Writer { uid: 1003, name: "mia".to_owned() }
    }

    fn asked(n: u8, text: &str, seen: Digest) -> Box<Asked> {
        let suggested =
            Suggested { template: "thanks".to_owned(), text: "Thank you very much.".to_owned(), rests: Vec::new() };
        let post = PostId::new(t(200), [n; 10]);
        let text = Untrusted::new(text);
        Box::new(Asked { post, by: mia(), at: t(200), text, seen, suggested: Some(suggested) })
    }

    fn send(before: &Conversation, n: u8) -> Conversation {
        then(before, ConversationCommand::Send(asked(n, "Thank you very much!", before.state())))
    }

    fn out(before: &Conversation, n: u8) -> Conversation {
        let post = PostId::new(t(200), [n; 10]);
        let (id, url) = (format!("at://reply {n}"), "https://x.test".to_owned());
        then(before, ConversationCommand::Out { post, id, url, at: t(210) })
    }

    fn lost(before: &Conversation, n: u8) -> Conversation {
        let why = "the thread changed".to_owned();
        then(before, ConversationCommand::Lost { post: PostId::new(t(200), [n; 10]), why, at: t(210) })
    }

    #[test]
    fn a_thread_of_our_own_accounts_alone_is_no_conversation() {
        let ours = Sighting { ours: true, ..said("us", 1) };
        assert_eq!(Conversation::open(empty(), std::slice::from_ref(&ours), t(100)), None);
        let answered = opened(&[said("ann", 1), Sighting { at: t(2), ..ours }]);
        assert_eq!(answered.standing(), Standing::Answered, "somebody answered by hand");
        assert_eq!(see(&answered, &[said("ann", 1), said("us", 2), said("ben", 3)], 110).standing(), Standing::Waiting);
    }

    #[test]
    fn the_newest_comment_is_answered_once_and_a_later_one_waits_anew() {
        let open = opened(&[said("ben", 2), said("ann", 1)]);
        assert_eq!(open.waiting().unwrap().uri, "at://ben");
        let sending = send(&open, 1);
        assert_eq!((sending.standing(), sending.waiting()), (Standing::Sending, None));
        assert_eq!(sending.sending().unwrap().to.uri, "at://ben");
        let again = sending.decide(ConversationCommand::Send(asked(2, "Twice.", sending.state()))).unwrap_err();
        assert!(again.kind == RefusalKind::Changed && again.why.contains("mia"), "{again}");
        let done = out(&sending, 1);
        assert_eq!(done.standing(), Standing::Answered);
        let nothing = done.decide(ConversationCommand::Send(asked(2, "Twice.", done.state()))).unwrap_err();
        assert_eq!(nothing.kind, RefusalKind::Nothing);
        // One that was written before the answer and seen only after it waits too.
        let later = see(&done, &[said("ann", 1), said("ben", 2), said("cat", 150)], 220);
        assert_eq!(later.waiting().unwrap().uri, "at://cat");
    }

    #[test]
    fn a_send_is_refused_where_the_thread_is_not_the_one_that_was_seen_and_shows_what_is_new() {
        let open = opened(&[said("ann", 1)]);
        let seen = open.state();
        let hostile = Sighting { text: Untrusted::new("\u{1b}[2Jnow \u{202e}this"), ..said("ben", 2) };
        for changed in [
            see(&open, &[said("ann", 1), hostile], 110),
            see(&open, &[Sighting { cid: "other".to_owned(), ..said("ann", 1) }], 110),
            see(&open, &[], 110),
        ] {
            let refusal = changed.decide(ConversationCommand::Send(asked(1, "Hello.", seen))).unwrap_err();
            assert_eq!(refusal.kind, RefusalKind::Changed, "{refusal}");
            assert!(refusal.mend.contains("expos reply show"), "{refusal}");
            assert!(!refusal.why.contains(['\u{1b}', '\u{202e}']), "{refusal}");
        }
        let newer = see(&open, &[said("ann", 1), said("ben", 2)], 110);
        let refusal = newer.decide(ConversationCommand::Send(asked(1, "Hello.", seen))).unwrap_err();
        assert!(refusal.why.contains("ben.test") && refusal.why.contains("what ben says"), "{refusal}");
        assert_eq!(see(&open, &[said("ann", 1)], 110).state(), seen, "a look that finds nothing new changes nothing");
    }

    #[test]
    fn the_word_for_a_reply_holds_only_while_the_thread_stays_as_it_was() {
        let settings = SurfaceSettings::default();
        let sending = send(&opened(&[said("ann", 1)]), 1);
        let post = sending.sending().unwrap().post;
        let content = sending.present_content(post, &settings).unwrap();
        assert_eq!(content.text(), "Thank you very much!");
        assert_eq!(content.reply.as_ref().unwrap().parent.uri, "at://ann");
        let edited = see(&sending, &[Sighting { cid: "other".to_owned(), ..said("ann", 1) }], 205);
        assert_eq!(edited.present_content(post, &settings), None);
        assert_eq!(see(&sending, &[], 205).present_content(post, &settings), None);
        let lost = lost(&sending, 1);
        assert_eq!((lost.present_content(post, &settings), lost.standing()), (None, Standing::Waiting));
        assert!(lost.content_of(post, &settings).is_some(), "what it said is still told");
    }

    #[test]
    fn what_was_changed_by_more_than_two_fifths_is_the_persons_own() {
        let open = opened(&[said("ann", 1)]);
        let of = |text: &str| {
            let sent = then(&open, ConversationCommand::Send(asked(1, text, open.state())));
            let reply = sent.sending().unwrap();
            (reply.changed, reply.own)
        };
        assert_eq!(of("Thank you very much."), (0, false));
        assert_eq!(of("Thank you very muck!"), (10, false));
        assert!(of("Come by at seven, we bake until noon.").1);
        let unsuggested = Asked { suggested: None, ..*asked(1, "Come by.", open.state()) };
        let sent = then(&open, ConversationCommand::Send(Box::new(unsuggested)));
        assert!(sent.sending().unwrap().own);
    }

    #[test]
    fn skipping_needs_a_reason_and_lasts_until_somebody_writes_again() {
        let open = opened(&[said("ann", 1)]);
        let skip = |why: &str| ConversationCommand::Skip { by: mia(), at: t(120), why: why.to_owned() };
        assert_eq!(open.decide(skip(" ")).unwrap_err().rule, "reply.reason");
        let skipped = then(&open, skip("only a greeting"));
        assert_eq!(skipped.standing(), Standing::Skipped);
        assert_eq!(skipped.decide(skip("again")).unwrap_err().kind, RefusalKind::Nothing);
        assert_eq!(see(&skipped, &[said("ann", 1), said("ann2", 9)], 130).standing(), Standing::Waiting);
    }

    #[test]
    fn a_comment_that_was_taken_back_waits_for_nothing_until_it_is_there_again() {
        let open = opened(&[said("ann", 1)]);
        let gone = see(&open, &[], 110);
        assert_eq!((gone.standing(), gone.shown().len()), (Standing::Gone, 0));
        assert_eq!(see(&gone, &[said("ann", 1)], 120).standing(), Standing::Waiting);
    }

    #[test]
    fn what_is_kept_of_a_thread_is_bounded() {
        let many: Vec<Sighting> = (0..500).map(|n| said(&format!("n{n}"), n)).collect();
        let open = opened(&many);
        assert_eq!(see(&open, &many, 110).comments.len(), COMMENTS_MAX);
        let long = Sighting { text: Untrusted::new("x".repeat(9_000)), ..said("ann", 1) };
        assert_eq!(opened(&[long]).comments[0].text.raw().chars().count(), TEXT_MAX);
    }

    proptest! {
        #[test]
        fn nothing_is_answered_twice_whatever_happens_in_whatever_order(acts in proptest::collection::vec(0_u8..8, 1..40)) {
            let mut now = opened(&[said("n0", 0)]);
            let mut found = vec![said("n0", 0)];
            for (step, act) in acts.into_iter().enumerate() {
                let n = u8::try_from(step).unwrap();
                let at = 300 + i64::from(n);
                match act {
                    0 | 1 => {
                        found.push(said(&format!("n{}", n + 1), at));
                        now = see(&now, &found, at);
                    }
                    2 => { found.pop(); now = see(&now, &found, at); }
                    3 | 4 => if let Ok(events) = now.decide(ConversationCommand::Send(asked(n, "Hello.", now.state()))) {
                        now = fold(Some(now), &events).unwrap();
                    },
                    5 => if let Some(post) = now.sending().map(|r| r.post) {
                        let command = ConversationCommand::Out { post, id: format!("at://{n}"), url: String::new(), at: t(at) };
                        now = then(&now, command);
                    },
                    6 => if let Some(post) = now.sending().map(|r| r.post) {
                        now = then(&now, ConversationCommand::Lost { post, why: "x".to_owned(), at: t(at) });
                    },
                    _ => if now.waiting().is_some() {
                        now = then(&now, ConversationCommand::Skip { by: mia(), at: t(at), why: "x".to_owned() });
                    },
                }
                let live: Vec<&Reply> = now.replies.iter().filter(|r| !matches!(r.fate, Fate::Not { .. })).collect();
                let mut to: Vec<&str> = live.iter().map(|r| r.to.uri.as_str()).collect();
                to.sort_unstable();
                let all = to.len();
                to.dedup();
                prop_assert_eq!(all, to.len(), "a comment has two replies");
                prop_assert!(now.replies.iter().filter(|r| r.fate == Fate::Sending).count() <= 1);
            }
        }
    }
}
