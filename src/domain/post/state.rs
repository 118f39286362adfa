//! The states of a post, what can happen to it, and what an attempt is known to have done.
//!
//! Decides only the shapes and the fold; which event a command gives is decided in `mod`, `commit` and `settle`. A state
//! holds what only it has: no optional handle, no optional address.

use serde::{Deserialize, Serialize};

use super::Handle;
use crate::actor::Actor;
use crate::aggregate::Epoch;
use crate::approval::{Approval, Field};
use crate::brief::SurfaceId;
use crate::hash::{ContentHash, Digest};
use crate::id::{AccountId, ClientId, ConversationId, ExperimentId, PostId, VariantId};
use crate::time::{SnapshotAge, UtcTime, Window};
use crate::variant::Lane;

/// What sort of thing goes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PostKind {
    /// A post of its own.
    Post,
    /// An answer under somebody's post; a person sends it.
    Reply,
}

impl PostKind {
    /// Returns the word that screens and the read table use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Post => "post",
            Self::Reply => "reply",
        }
    }
}

/// A post as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Post {
    /// Its id.
    pub id: PostId,
    /// A post or a reply.
    pub kind: PostKind,
    /// What it belongs to.
    pub experiment: ExperimentId,
    /// Whose it is.
    pub client: ClientId,
    /// Who shows it.
    pub account: AccountId,
    /// Where.
    pub surface: SurfaceId,
    /// Which version.
    pub variant: VariantId,
    /// The version's letter.
    pub letter: char,
    /// Which round of the version, from 0.
    pub round: u32,
    /// The slot's number in the plan, from 1; never used again.
    pub number: u32,
    /// The block in which its label was shuffled, from 0.
    pub block: u32,
    /// How it gets out.
    pub lane: Lane,
    /// The slot, and its end of grace.
    pub window: Window,
    /// The bytes it shows.
    pub content: ContentHash,
    /// The text and pictures that the duplicate guard compares.
    pub duplicate_key: Digest,
    /// The plan says that the same may go out again.
    pub repeat: bool,
    /// A person's word for it.
    pub approval: Option<Approval>,
    /// Why the last approval is void.
    pub voided: Option<(Field, String)>,
    /// Every try to make it visible.
    pub attempts: Vec<Attempt>,
    /// Where it is in its life.
    pub state: PostState,
    /// What the platform shows instead of what was approved, where that was seen.
    pub altered_to: Option<String>,
    /// The ages at which its metrics were read.
    pub snapshots: Vec<SnapshotAge>,
    /// The conversation that a reply answers in; none for a post of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversation: Option<ConversationId>,
}

/// Where a post is in its life.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum PostState {
    /// No handle.
    Planned {
        /// Not to be made ready before.
        retry_at: Option<UtcTime>,
    },
    /// It is being made ready; nothing is visible.
    Preparing,
    /// Ready; every attempt so far is final.
    Prepared {
        /// What makes it visible.
        handle: Handle,
    },
    /// The request of the last attempt may be on its way, or may have arrived.
    Committing,
    /// We cannot tell whether it is out.
    Unconfirmed {
        /// Why.
        why: String,
        /// Since when.
        since: UtcTime,
    },
    /// A card waits for a person.
    AwaitingOperator,
    /// A person has the card in hand.
    Claimed {
        /// Who.
        by: Actor,
        /// Since when.
        at: UtcTime,
        /// The end of the lease.
        until: UtcTime,
    },
    /// Out.
    Published {
        /// Where.
        live: Live,
    },
    /// Out, and read back by somebody who is not logged in.
    Verified {
        /// Where.
        live: Live,
        /// What was seen.
        proof: Proof,
    },
    /// It was out, and is gone.
    Removed {
        /// Where it was.
        live: Live,
        /// When this was seen.
        at: UtcTime,
        /// What was seen.
        evidence: String,
    },
    /// Never visible, and nothing will make it so.
    Failed {
        /// Why.
        why: String,
    },
    /// Its slot passed; never sent late.
    Missed {
        /// When this was noticed.
        at: UtcTime,
        /// Why.
        why: String,
    },
    /// A person dropped it.
    Cancelled {
        /// Who.
        by: Actor,
        /// Why.
        reason: String,
    },
}

impl PostState {
    /// Returns the word that screens use.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Planned { .. } => "planned",
            Self::Preparing => "preparing",
            Self::Prepared { .. } => "prepared",
            Self::Committing => "committing",
            Self::Unconfirmed { .. } => "unconfirmed",
            Self::AwaitingOperator => "awaiting operator",
            Self::Claimed { .. } => "claimed",
            Self::Published { .. } => "published",
            Self::Verified { .. } => "verified",
            Self::Removed { .. } => "removed",
            Self::Failed { .. } => "failed",
            Self::Missed { .. } => "missed",
            Self::Cancelled { .. } => "cancelled",
        }
    }

    /// Tells whether nothing is visible and nothing is under way that could make it so, but something may come.
    pub const fn is_unsent(&self) -> bool {
        matches!(self, Self::Planned { .. } | Self::Preparing | Self::Prepared { .. } | Self::AwaitingOperator)
    }

    /// Tells whether it may be visible or not, and we do not know.
    pub const fn is_in_doubt(&self) -> bool {
        matches!(self, Self::Committing | Self::Unconfirmed { .. } | Self::Claimed { .. })
    }

    /// Tells whether it counts as published for pacing and duplicates: out, in doubt, or out once.
    pub const fn counts_as_out(&self) -> bool {
        self.is_in_doubt() || matches!(self, Self::Published { .. } | Self::Verified { .. } | Self::Removed { .. })
    }

    /// Tells whether nothing more will happen to it by itself.
    pub const fn is_settled(&self) -> bool {
        matches!(
            self,
            Self::Published { .. }
                | Self::Verified { .. }
                | Self::Removed { .. }
                | Self::Failed { .. }
                | Self::Missed { .. }
                | Self::Cancelled { .. }
        )
    }
}

/// Where a post is to be seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Live {
    /// The platform's own id: an AT URI.
    pub id: String,
    /// The address that people open.
    pub url: String,
    /// The platform's digest of what it shows, where it has one: a CID.
    pub digest: String,
    /// When it was published, by the platform's record.
    pub at: UtcTime,
}

/// An independent read-back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    /// When.
    pub at: UtcTime,
    /// Who looked, and how: `public read at https://…`.
    pub looked: String,
    /// The address that was seen.
    pub url: String,
    /// The platform's id.
    pub id: String,
    /// The platform's digest of what was seen.
    pub digest: String,
    /// SHA-256 of the text that was seen.
    pub text: Digest,
}

/// One try to make a post visible.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// From 1.
    pub number: u32,
    /// With which handle.
    pub handle: Handle,
    /// Under which epoch.
    pub epoch: Epoch,
    /// When `committing` was recorded.
    pub started: UtcTime,
    /// When we stopped sending.
    pub ended: Option<UtcTime>,
    /// What became of it, once that is known.
    pub end: Option<AttemptEnd>,
    /// Looks that did not settle it.
    pub looks: u32,
    /// The last of them saw that it is not there; false while none did, or where the look itself could not tell.
    pub absent: bool,
    /// When the last of them ended.
    pub last_look: Option<UtcTime>,
}

/// What became of an attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "how", rename_all = "snake_case")]
pub enum AttemptEnd {
    /// It made the post visible.
    Live,
    /// The platform refused it, in words that it documents as "not done".
    Refused {
        /// The platform's words.
        why: String,
    },
    /// No byte left.
    NotSent {
        /// Why.
        why: String,
    },
    /// It can no longer become visible, by a look that proves it.
    Never,
    /// A person swore that it is not live.
    Attested {
        /// Who.
        by: Actor,
    },
}

impl Attempt {
    /// Tells whether this attempt can no longer make the post visible.
    pub const fn is_final_absence(&self) -> bool {
        match &self.end {
            Some(
                AttemptEnd::Refused { .. }
                | AttemptEnd::NotSent { .. }
                | AttemptEnd::Never
                | AttemptEnd::Attested { .. },
            ) => true,
            Some(AttemptEnd::Live) | None => false,
        }
    }
}

/// How the one request of an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CommitOutcome {
    /// The platform answered with an id.
    Accepted(Live),
    /// The platform refused, in a way that its table of refusals lists (rule 17).
    Refused {
        /// The platform's words.
        why: String,
        /// Trying again may help: a login to refresh.
        again: bool,
    },
    /// No byte left.
    NotSent {
        /// Why.
        why: String,
    },
    /// Anything else. Doubt is no error.
    InDoubt {
        /// What was seen.
        why: String,
    },
}

/// What a look may conclude.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Observation {
    /// It is there, as prepared.
    Live(Live),
    /// It is not there and can never be, by this proof.
    Never(String),
    /// It is not there now.
    NotYet,
    /// The look itself does not say.
    CannotTell(String),
}

/// What undo, cancel and pause can promise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum Answer {
    /// Nothing has gone out, or will.
    Stopped,
    /// It may be out; no further attempt; you will be told.
    TooLate {
        /// When the attempt was recorded.
        since: UtcTime,
        /// Which.
        attempt: u32,
    },
    /// It is out.
    Out {
        /// Where.
        url: String,
    },
    /// A person holds the card and is asked.
    Asked {
        /// Who.
        holder: String,
    },
}

/// What happened to a post.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum PostEvent {
    /// It was planned.
    PostPlanned {
        /// As it began.
        post: Box<Post>,
    },
    /// A person approved it as it stood.
    PostApproved {
        /// Everything the word is bound to.
        approval: Box<Approval>,
    },
    /// The approval no longer holds.
    ApprovalVoided {
        /// Which field changed.
        field: Field,
        /// Who or what changed it.
        why: String,
    },
    /// A person took the approval back.
    ApprovalTakenBack {
        /// Who.
        by: Actor,
        /// When.
        at: UtcTime,
        /// What they were promised.
        answer: Answer,
    },
    /// A person asked to stop it when it was out.
    StopCameLate {
        /// Who.
        by: Actor,
        /// When.
        at: UtcTime,
        /// What they were told.
        answer: Answer,
    },
    /// What it shows was edited; a handle made before is void.
    ContentChanged {
        /// The new hash.
        content: ContentHash,
        /// The new hash of text and pictures.
        duplicate_key: Digest,
    },
    /// Its slot was moved.
    SlotMoved {
        /// Where to.
        window: Window,
    },
    /// The engine began to make it ready.
    PreparingBegun,
    /// It is ready.
    PostPrepared {
        /// What will make it visible.
        handle: Box<Handle>,
    },
    /// It could not be made ready; it will be tried again.
    PreparePutOff {
        /// Why.
        why: String,
        /// When.
        retry_at: UtcTime,
    },
    /// Its handle is void.
    HandleDropped {
        /// Why.
        why: String,
    },
    /// Leave was recorded: after this, one request may leave.
    PostCommitting {
        /// The attempt.
        attempt: Box<Attempt>,
        /// What the decision rested on, in words, for whoever asks in years.
        facts: String,
    },
    /// The request of an attempt ended and does not say whether it is out.
    AttemptInDoubt {
        /// Which.
        attempt: u32,
        /// When.
        at: UtcTime,
        /// What was seen.
        why: String,
    },
    /// An attempt can no longer make it visible.
    AttemptSettled {
        /// Which.
        attempt: u32,
        /// When.
        at: UtcTime,
        /// How.
        end: AttemptEnd,
    },
    /// A look did not settle it.
    LookedInVain {
        /// For which attempt.
        attempt: u32,
        /// When.
        at: UtcTime,
        /// It is not there now; false where the look could not tell.
        absent: bool,
        /// What it said.
        why: String,
    },
    /// We cannot tell.
    PostUnconfirmed {
        /// When.
        at: UtcTime,
        /// Why.
        why: String,
    },
    /// It is out.
    PostPublished {
        /// Where.
        live: Live,
        /// Who said so: the platform's answer, a look, or a person.
        by: Actor,
    },
    /// It was read back.
    PostVerified {
        /// What was seen.
        proof: Box<Proof>,
    },
    /// It is gone.
    PostRemoved {
        /// When this was seen.
        at: UtcTime,
        /// What was seen.
        evidence: String,
    },
    /// It shows something else than was approved.
    PostAltered {
        /// When this was seen.
        at: UtcTime,
        /// What is there.
        found: String,
    },
    /// Its metrics were read; they stand in rows of their own.
    SnapshotTaken {
        /// At which age.
        age: SnapshotAge,
        /// When.
        at: UtcTime,
        /// Rows.
        rows: u32,
        /// Their digest.
        digest: Digest,
    },
    /// It is a card for a person.
    HandedOff,
    /// A person took the card.
    CardClaimed {
        /// Who.
        by: Actor,
        /// When.
        at: UtcTime,
        /// The end of the lease.
        until: UtcTime,
    },
    /// The person gave the card back.
    CardGivenBack {
        /// Who.
        by: Actor,
        /// Why.
        reason: String,
    },
    /// A person swore that it is not live.
    NotLiveAttested {
        /// Who.
        by: Actor,
        /// When.
        at: UtcTime,
    },
    /// Never visible, and nothing will make it so.
    PostFailed {
        /// Why.
        why: String,
    },
    /// Its slot passed.
    PostMissed {
        /// When this was noticed.
        at: UtcTime,
        /// Why.
        why: String,
    },
    /// A person dropped it.
    PostCancelled {
        /// Who.
        by: Actor,
        /// When.
        at: UtcTime,
        /// Why.
        reason: String,
    },
}

impl Post {
    /// Returns where it is to be seen, if it is out or was.
    pub const fn live(&self) -> Option<&Live> {
        match &self.state {
            PostState::Published { live } | PostState::Verified { live, .. } | PostState::Removed { live, .. } => {
                Some(live)
            }
            PostState::Planned { .. }
            | PostState::Preparing
            | PostState::Prepared { .. }
            | PostState::Committing
            | PostState::Unconfirmed { .. }
            | PostState::AwaitingOperator
            | PostState::Claimed { .. }
            | PostState::Failed { .. }
            | PostState::Missed { .. }
            | PostState::Cancelled { .. } => None,
        }
    }

    /// Returns the moment at which it counts in pacing: when it was published, or when its last attempt began, or its slot.
    pub fn pacing_time(&self) -> UtcTime {
        match self.live() {
            Some(live) => live.at,
            None => self.attempts.last().filter(|_| self.state.is_in_doubt()).map_or(self.window.from, |a| a.started),
        }
    }

    pub(super) fn fold(&mut self, event: &PostEvent) {
        match event {
            PostEvent::PostPlanned { post } => *self = (**post).clone(),
            PostEvent::PostApproved { approval } => {
                self.approval = Some((**approval).clone());
                self.voided = None;
            }
            PostEvent::ApprovalVoided { field, why } => {
                self.approval = None;
                self.voided = Some((*field, why.clone()));
            }
            PostEvent::ApprovalTakenBack { .. } => self.approval = None,
            PostEvent::StopCameLate { .. } => {}
            PostEvent::ContentChanged { content, duplicate_key } => {
                self.content = *content;
                self.duplicate_key = *duplicate_key;
                self.drop_handle();
            }
            PostEvent::SlotMoved { window } => {
                self.window = *window;
                // A handle bears the slot it was made for: its name and its time.
                self.drop_handle();
            }
            PostEvent::PreparingBegun => self.state = PostState::Preparing,
            PostEvent::PostPrepared { handle } => self.state = PostState::Prepared { handle: (**handle).clone() },
            PostEvent::PreparePutOff { retry_at, .. } => self.state = PostState::Planned { retry_at: Some(*retry_at) },
            PostEvent::HandleDropped { .. } => self.drop_handle(),
            PostEvent::PostCommitting { attempt, .. } => {
                self.attempts.push((**attempt).clone());
                self.state = PostState::Committing;
            }
            PostEvent::AttemptInDoubt { attempt, at, .. } => self.with_attempt(*attempt, |a| a.ended = Some(*at)),
            PostEvent::AttemptSettled { attempt, at, end } => self.settle_attempt(*attempt, *at, end),
            PostEvent::LookedInVain { attempt, at, absent, .. } => self.with_attempt(*attempt, |a| {
                a.looks = a.looks.saturating_add(1);
                a.absent = *absent;
                a.last_look = Some(*at);
            }),
            PostEvent::PostUnconfirmed { at, why } => {
                self.state = PostState::Unconfirmed { why: why.clone(), since: *at }
            }
            PostEvent::PostPublished { live, .. } => {
                if let Some(last) = self.attempts.iter_mut().rev().find(|a| a.end.is_none()) {
                    last.ended = last.ended.or(Some(live.at));
                    last.end = Some(AttemptEnd::Live);
                }
                self.state = PostState::Published { live: live.clone() };
            }
            PostEvent::PostVerified { proof } => {
                if let PostState::Published { live } | PostState::Verified { live, .. } = &self.state {
                    self.state = PostState::Verified { live: live.clone(), proof: (**proof).clone() };
                }
            }
            PostEvent::PostRemoved { at, evidence } => {
                if let Some(live) = self.live().cloned() {
                    self.state = PostState::Removed { live, at: *at, evidence: evidence.clone() };
                }
            }
            PostEvent::PostAltered { found, .. } => self.altered_to = Some(found.clone()),
            PostEvent::SnapshotTaken { age, .. } => self.snapshots.push(*age),
            PostEvent::HandedOff | PostEvent::CardGivenBack { .. } => self.state = PostState::AwaitingOperator,
            PostEvent::CardClaimed { by, at, until } => {
                self.state = PostState::Claimed { by: by.clone(), at: *at, until: *until }
            }
            PostEvent::NotLiveAttested { by, at } => {
                for attempt in self.attempts.iter_mut().filter(|a| a.end.is_none()) {
                    attempt.ended = attempt.ended.or(Some(*at));
                    attempt.end = Some(AttemptEnd::Attested { by: by.clone() });
                }
                self.approval = None;
                self.state = PostState::Planned { retry_at: None };
            }
            PostEvent::PostFailed { why } => self.state = PostState::Failed { why: why.clone() },
            PostEvent::PostMissed { at, why } => self.state = PostState::Missed { at: *at, why: why.clone() },
            PostEvent::PostCancelled { by, reason, .. } => {
                self.state = PostState::Cancelled { by: by.clone(), reason: reason.clone() }
            }
        }
    }

    fn drop_handle(&mut self) {
        if matches!(self.state, PostState::Preparing | PostState::Prepared { .. }) {
            self.state = PostState::Planned { retry_at: None };
        }
    }

    fn with_attempt(&mut self, number: u32, change: impl FnOnce(&mut Attempt)) {
        if let Some(attempt) = self.attempts.iter_mut().find(|a| a.number == number) {
            change(attempt);
        }
    }

    /// A final absence frees the post for another commit: from `committing` to prepared with the same handle, from
    /// `unconfirmed` to planned, unless an earlier attempt is still open.
    fn settle_attempt(&mut self, number: u32, at: UtcTime, end: &AttemptEnd) {
        self.with_attempt(number, |a| {
            a.ended = a.ended.or(Some(at));
            a.end = Some(end.clone());
        });
        if !self.attempts.iter().all(Attempt::is_final_absence) {
            return;
        }
        let handle = self.attempts.last().map(|a| a.handle.clone());
        match (&self.state, handle) {
            (PostState::Committing, Some(handle)) if handle.content == self.content => {
                self.state = PostState::Prepared { handle }
            }
            (PostState::Committing | PostState::Unconfirmed { .. }, Some(_) | None) => {
                self.state = PostState::Planned { retry_at: None }
            }
            (
                PostState::Planned { .. }
                | PostState::Preparing
                | PostState::Prepared { .. }
                | PostState::AwaitingOperator
                | PostState::Claimed { .. }
                | PostState::Published { .. }
                | PostState::Verified { .. }
                | PostState::Removed { .. }
                | PostState::Failed { .. }
                | PostState::Missed { .. }
                | PostState::Cancelled { .. },
                Some(_) | None,
            ) => {}
        }
    }
}
