//! Posts (D, F): one variant in one slot, with its own life.
//!
//! Decides what a command means in each state, as the table below; what must be true at a commit is `commit`, what a
//! handle and a permit are is `handle`, states and events are `state`. When something is due is the engine's business.
//!
//! | state | leaves by |
//! |---|---|
//! | planned | begin prepare → preparing; hand off → awaiting operator; cancel → cancelled; window closed → missed |
//! | preparing | handle → prepared; error → planned or failed; cancel → cancelled |
//! | prepared | commit → committing; content changed, handle expired → planned; cancel → cancelled; window closed → missed |
//! | committing | id → published; refusal → prepared, failed or awaiting; looks: live → published, never → prepared, else unconfirmed |
//! | unconfirmed | live → published; never → planned; same handle again → committing; a person: live → published, not live → planned |
//! | awaiting operator | claim → claimed; cancel → cancelled; window closed → missed |
//! | claimed | live → published; given back → awaiting; unsure, no answer → unconfirmed |
//! | published | verified → verified; gone → removed |
//! | verified | read back again → verified; gone → removed |
//! | failed, missed, cancelled, removed | – |
//!
//! Invariants: I4 (states tell the truth), I6 (only these transitions), I7 (attempts are append-only), and after
//! `committing` no path reaches another handle's commit without proof that every attempt before is final.

mod commit;
mod handle;
mod settle;
mod state;
#[cfg(test)]
mod tests;

pub use commit::{CommitFacts, LayerFact};
pub use handle::{CommitPermit, Handle, Repeat, SEND_WITHIN};
pub use settle::{ATTEMPTS_MAX, LOOKS};
pub use state::{
    Answer, Attempt, AttemptEnd, CommitOutcome, Live, Observation, Post, PostEvent, PostKind, PostState, Proof,
};

use crate::actor::Actor;
use crate::aggregate::{Aggregate, Epoch, StreamKind};
use crate::approval::{Approval, Field};
use crate::hash::{ContentHash, Digest};
use crate::refusal::Refusal;
use crate::time::{Span, UtcTime, Window};
use crate::variant::Lane;

/// How long after an attempt ended a person's "not live" is believed (rule 12).
pub const QUARANTINE: Span = Span::minutes(15);

/// How long a browser card is held.
pub const LEASE: Span = Span::minutes(30);

/// How long a holder may leave the question unanswered.
pub const LEASE_ANSWER: Span = Span::minutes(15);

/// What is asked of a post.
#[derive(Debug, Clone, PartialEq)]
pub enum PostCommand {
    /// A person approved it as it stands.
    Approve(Box<Approval>),
    /// Something that the approval was bound to changed.
    Void {
        /// What.
        field: Field,
        /// Who or what changed it.
        why: String,
    },
    /// What it shows was edited.
    Edit {
        /// The new content's hash.
        content: ContentHash,
        /// The new text's and pictures' hash.
        duplicate_key: Digest,
    },
    /// Its slot was moved.
    Move {
        /// The new slot and its grace.
        window: Window,
    },
    /// A person takes the approval back.
    Undo {
        /// Who.
        by: Actor,
        /// When.
        at: UtcTime,
    },
    /// A person drops it.
    Cancel {
        /// Who.
        by: Actor,
        /// When.
        at: UtcTime,
        /// Why.
        reason: String,
    },
    /// The engine begins to make it ready.
    BeginPrepare,
    /// It is ready.
    Prepared(Box<Handle>),
    /// It could not be made ready.
    PrepareFailed {
        /// Why.
        why: String,
        /// When it may be tried again; `None` where trying again cannot help.
        retry_at: Option<UtcTime>,
    },
    /// The handle is no longer good.
    HandleExpired,
    /// The engine asks for leave to make it visible.
    Commit(Box<CommitFacts>),
    /// The request of an attempt has ended.
    End {
        /// Which attempt.
        attempt: u32,
        /// When.
        at: UtcTime,
        /// How.
        outcome: CommitOutcome,
    },
    /// The engine looked.
    Look {
        /// For which attempt.
        attempt: u32,
        /// When the look began.
        began: UtcTime,
        /// When it ended.
        at: UtcTime,
        /// What it saw.
        observation: Observation,
    },
    /// The owner of the attempt died; its lock is ours now.
    TakeOver {
        /// Which attempt.
        attempt: u32,
        /// When the lock was taken.
        at: UtcTime,
    },
    /// Its window has closed.
    WindowClosed {
        /// When this was noticed.
        at: UtcTime,
    },
    /// It was read back, live and as approved.
    Verify(Box<Proof>),
    /// It was read back, and is gone.
    Gone {
        /// When.
        at: UtcTime,
        /// What was seen.
        evidence: String,
    },
    /// It was read back, and is not what was approved.
    Altered {
        /// When.
        at: UtcTime,
        /// What is there now: a CID.
        found: String,
    },
    /// Its metrics were read.
    Snapshot {
        /// At which age.
        age: crate::time::SnapshotAge,
        /// When.
        at: UtcTime,
        /// Rows.
        rows: u32,
        /// Their digest.
        digest: Digest,
    },
    /// It becomes a card for a person.
    HandOff,
    /// A person takes the card; checked as a commit.
    Claim {
        /// Who.
        by: Actor,
        /// When.
        at: UtcTime,
        /// Everything a commit would check.
        facts: Box<CommitFacts>,
    },
    /// The person gives the card back, unpublished.
    GiveBack {
        /// Who.
        by: Actor,
        /// Why.
        reason: String,
    },
    /// The person does not know whether it is out.
    Unsure {
        /// Who.
        by: Actor,
        /// When.
        at: UtcTime,
    },
    /// The lease is over and nobody answered.
    LeaseOver {
        /// When.
        at: UtcTime,
    },
    /// A person says that it is live.
    ConfirmLive {
        /// Who.
        by: Actor,
        /// When.
        at: UtcTime,
        /// Its address.
        url: String,
    },
    /// A person swears that it is not live.
    ConfirmNotLive {
        /// Who.
        by: Actor,
        /// When.
        at: UtcTime,
    },
    /// The store came back from a backup: the past is uncertain (rule 14).
    Restored {
        /// When.
        at: UtcTime,
    },
}

impl Post {
    /// Decides what a command means now. Pure: same post, command and facts, same answer.
    pub fn decide(&self, command: PostCommand) -> Result<Vec<PostEvent>, Refusal> {
        match command {
            PostCommand::Approve(approval) => self.approve(*approval),
            PostCommand::Void { field, why } => self.void(field, why),
            PostCommand::Edit { content, duplicate_key } => self.edit(content, duplicate_key),
            PostCommand::Move { window } => self.move_to(window),
            PostCommand::Undo { by, at } => self.undo(by, at),
            PostCommand::Cancel { by, at, reason } => self.cancel(by, at, reason),
            PostCommand::BeginPrepare => self.begin_prepare(),
            PostCommand::Prepared(handle) => self.prepared(*handle),
            PostCommand::PrepareFailed { why, retry_at } => self.prepare_failed(why, retry_at),
            PostCommand::HandleExpired => self.handle_expired(),
            PostCommand::Commit(facts) => self.commit(&facts),
            PostCommand::End { attempt, at, outcome } => self.end_attempt(attempt, at, outcome),
            PostCommand::Look { attempt, began, at, observation } => self.look(attempt, began, at, observation),
            PostCommand::TakeOver { attempt, at } => self.take_over(attempt, at),
            PostCommand::WindowClosed { at } => self.window_closed(at),
            PostCommand::Verify(proof) => self.verify(*proof),
            PostCommand::Gone { at, evidence } => self.gone(at, evidence),
            PostCommand::Altered { at, found } => self.altered(at, found),
            PostCommand::Snapshot { age, at, rows, digest } => self.snapshot(age, at, rows, digest),
            PostCommand::HandOff => self.hand_off(),
            PostCommand::Claim { by, at, facts } => self.claim(by, at, &facts),
            PostCommand::GiveBack { by, reason } => self.give_back(by, reason),
            PostCommand::Unsure { by, at } => self.unsure(by, at),
            PostCommand::LeaseOver { at } => self.lease_over(at),
            PostCommand::ConfirmLive { by, at, url } => self.confirm_live(by, at, url),
            PostCommand::ConfirmNotLive { by, at } => self.confirm_not_live(by, at),
            PostCommand::Restored { at } => self.restored(at),
        }
    }

    fn wrong_state(&self, rule: &str, wanted: &str) -> Refusal {
        Refusal::rule(
            rule,
            self.what(),
            format!("it is {}", self.state.word()),
            format!("only a post that is {wanted} takes this"),
        )
    }

    /// Returns the words that refusals and screens use for this post.
    pub fn what(&self) -> String {
        match self.kind {
            PostKind::Post => format!("post {} ({}{})", self.id, self.letter, self.number),
            PostKind::Reply => format!("reply {}", self.id),
        }
    }

    fn approve(&self, approval: Approval) -> Result<Vec<PostEvent>, Refusal> {
        if !self.state.is_unsent() {
            return Err(self.wrong_state("post.approve", "not out yet"));
        }
        if approval.binding.content != self.content || approval.binding.window != self.window {
            return Err(Refusal::changed(self.what(), "its content or slot is not the one that was shown"));
        }
        Ok(vec![PostEvent::PostApproved { approval: Box::new(approval) }])
    }

    fn void(&self, field: Field, why: String) -> Result<Vec<PostEvent>, Refusal> {
        if self.approval.is_none() {
            return Err(Refusal::nothing(self.what(), "it has no approval"));
        }
        if self.state.is_unsent() || self.state.is_in_doubt() {
            Ok(vec![PostEvent::ApprovalVoided { field, why }])
        } else {
            Err(self.wrong_state("post.void", "not out yet"))
        }
    }

    fn edit(&self, content: ContentHash, duplicate_key: Digest) -> Result<Vec<PostEvent>, Refusal> {
        if !self.state.is_unsent() {
            return Err(self.wrong_state("post.edit", "not out yet"));
        }
        if content == self.content {
            return Err(Refusal::nothing(self.what(), "its content is the same"));
        }
        let mut events = vec![PostEvent::ContentChanged { content, duplicate_key }];
        if self.approval.is_some() {
            events.push(PostEvent::ApprovalVoided { field: Field::Content, why: "the content was edited".to_owned() });
        }
        Ok(events)
    }

    fn move_to(&self, window: Window) -> Result<Vec<PostEvent>, Refusal> {
        if !self.state.is_unsent() {
            return Err(self.wrong_state("post.move", "not out yet"));
        }
        if window == self.window {
            return Err(Refusal::nothing(self.what(), "that is its slot already"));
        }
        let mut events = vec![PostEvent::SlotMoved { window }];
        if self.approval.is_some() {
            events.push(PostEvent::ApprovalVoided { field: Field::Slot, why: "the slot was moved".to_owned() });
        }
        Ok(events)
    }

    fn undo(&self, by: Actor, at: UtcTime) -> Result<Vec<PostEvent>, Refusal> {
        match &self.state {
            PostState::Planned { .. }
            | PostState::Preparing
            | PostState::Prepared { .. }
            | PostState::AwaitingOperator => {
                if self.approval.is_none() {
                    return Err(Refusal::nothing(self.what(), "it has no approval to take back"));
                }
                Ok(vec![PostEvent::ApprovalTakenBack { by, at, answer: Answer::Stopped }])
            }
            PostState::Committing | PostState::Unconfirmed { .. } | PostState::Claimed { .. } => {
                Ok(vec![PostEvent::ApprovalTakenBack { by, at, answer: self.answer() }])
            }
            PostState::Published { .. } | PostState::Verified { .. } => {
                Ok(vec![PostEvent::StopCameLate { by, at, answer: self.answer() }])
            }
            PostState::Removed { .. }
            | PostState::Failed { .. }
            | PostState::Missed { .. }
            | PostState::Cancelled { .. } => Err(Refusal::nothing(self.what(), format!("it is {}", self.state.word()))),
        }
    }

    fn cancel(&self, by: Actor, at: UtcTime, reason: String) -> Result<Vec<PostEvent>, Refusal> {
        match &self.state {
            PostState::Planned { .. }
            | PostState::Preparing
            | PostState::Prepared { .. }
            | PostState::AwaitingOperator => Ok(vec![PostEvent::PostCancelled { by, at, reason }]),
            PostState::Committing
            | PostState::Unconfirmed { .. }
            | PostState::Claimed { .. }
            | PostState::Published { .. }
            | PostState::Verified { .. } => self.undo(by, at),
            PostState::Removed { .. }
            | PostState::Failed { .. }
            | PostState::Missed { .. }
            | PostState::Cancelled { .. } => Err(Refusal::nothing(self.what(), format!("it is {}", self.state.word()))),
        }
    }

    /// Returns what undo, cancel and pause can promise now (I3).
    pub fn answer(&self) -> Answer {
        match &self.state {
            PostState::Planned { .. }
            | PostState::Preparing
            | PostState::Prepared { .. }
            | PostState::AwaitingOperator
            | PostState::Failed { .. }
            | PostState::Missed { .. }
            | PostState::Cancelled { .. } => Answer::Stopped,
            PostState::Committing | PostState::Unconfirmed { .. } => Answer::TooLate {
                since: self.attempts.last().map_or(UtcTime::from_micros(0), |a| a.started),
                attempt: self.attempts.last().map_or(0, |a| a.number),
            },
            PostState::Claimed { by, .. } => Answer::Asked { holder: by.name().to_owned() },
            PostState::Published { live } | PostState::Verified { live, .. } | PostState::Removed { live, .. } => {
                Answer::Out { url: live.url.clone() }
            }
        }
    }

    fn begin_prepare(&self) -> Result<Vec<PostEvent>, Refusal> {
        match self.state {
            PostState::Planned { .. } if self.lane != Lane::Browser => {
                if self.approval.is_some() {
                    Ok(vec![PostEvent::PreparingBegun])
                } else {
                    Err(Refusal::rule("post.unapproved", self.what(), "it has no approval", "approve it first"))
                }
            }
            PostState::Planned { .. }
            | PostState::Preparing
            | PostState::Prepared { .. }
            | PostState::Committing
            | PostState::Unconfirmed { .. }
            | PostState::AwaitingOperator
            | PostState::Claimed { .. }
            | PostState::Published { .. }
            | PostState::Verified { .. }
            | PostState::Removed { .. }
            | PostState::Failed { .. }
            | PostState::Missed { .. }
            | PostState::Cancelled { .. } => Err(self.wrong_state("post.prepare", "planned on the api or hybrid lane")),
        }
    }

    fn prepared(&self, handle: Handle) -> Result<Vec<PostEvent>, Refusal> {
        if self.state != PostState::Preparing {
            return Err(self.wrong_state("post.prepared", "preparing"));
        }
        if handle.content != self.content {
            return Ok(vec![PostEvent::HandleDropped {
                why: "the content changed while it was made ready".to_owned(),
            }]);
        }
        Ok(vec![PostEvent::PostPrepared { handle: Box::new(handle) }])
    }

    fn prepare_failed(&self, why: String, retry_at: Option<UtcTime>) -> Result<Vec<PostEvent>, Refusal> {
        if self.state != PostState::Preparing {
            return Err(self.wrong_state("post.prepare-failed", "preparing"));
        }
        Ok(vec![match retry_at {
            Some(retry_at) => PostEvent::PreparePutOff { why, retry_at },
            None => PostEvent::PostFailed { why },
        }])
    }

    fn handle_expired(&self) -> Result<Vec<PostEvent>, Refusal> {
        if matches!(self.state, PostState::Prepared { .. }) {
            Ok(vec![PostEvent::HandleDropped { why: "the handle expired".to_owned() }])
        } else {
            Err(self.wrong_state("post.expired", "prepared"))
        }
    }

    fn window_closed(&self, at: UtcTime) -> Result<Vec<PostEvent>, Refusal> {
        if at <= self.window.until {
            return Err(Refusal::rule(
                "post.window",
                self.what(),
                format!("its window is open until {}", self.window.until),
                "wait for it to close",
            ));
        }
        match self.state {
            PostState::Planned { .. } | PostState::Prepared { .. } | PostState::AwaitingOperator => {
                let why = if self.approval.is_none() {
                    "the slot passed without an approval"
                } else {
                    "the slot passed before it could go out"
                };
                Ok(vec![PostEvent::PostMissed { at, why: why.to_owned() }])
            }
            PostState::Preparing
            | PostState::Committing
            | PostState::Unconfirmed { .. }
            | PostState::Claimed { .. }
            | PostState::Published { .. }
            | PostState::Verified { .. }
            | PostState::Removed { .. }
            | PostState::Failed { .. }
            | PostState::Missed { .. }
            | PostState::Cancelled { .. } => Err(self.wrong_state("post.missed", "waiting for its slot")),
        }
    }

    /// Takes a read-back. One that is seen again as it was approved leaves a proof of that moment, too: until then it was
    /// live and unchanged.
    fn verify(&self, proof: Proof) -> Result<Vec<PostEvent>, Refusal> {
        let last = if let PostState::Verified { proof, .. } = &self.state { Some(proof.at) } else { None };
        match last {
            Some(last) if proof.at <= last => {
                Err(Refusal::nothing(self.what(), format!("it was read back at {last}, and this is no later look")))
            }
            Some(_) => Ok(vec![PostEvent::PostVerified { proof: Box::new(proof) }]),
            None if matches!(self.state, PostState::Published { .. }) => {
                Ok(vec![PostEvent::PostVerified { proof: Box::new(proof) }])
            }
            None => Err(self.wrong_state("post.verify", "published")),
        }
    }

    fn gone(&self, at: UtcTime, evidence: String) -> Result<Vec<PostEvent>, Refusal> {
        if matches!(self.state, PostState::Published { .. } | PostState::Verified { .. }) {
            Ok(vec![PostEvent::PostRemoved { at, evidence }])
        } else {
            Err(self.wrong_state("post.gone", "published"))
        }
    }

    fn altered(&self, at: UtcTime, found: String) -> Result<Vec<PostEvent>, Refusal> {
        if !matches!(self.state, PostState::Published { .. } | PostState::Verified { .. }) {
            return Err(self.wrong_state("post.altered", "published"));
        }
        if self.altered_to.as_deref() == Some(found.as_str()) {
            return Err(Refusal::nothing(self.what(), "that is known"));
        }
        Ok(vec![PostEvent::PostAltered { at, found }])
    }

    fn snapshot(
        &self,
        age: crate::time::SnapshotAge,
        at: UtcTime,
        rows: u32,
        digest: Digest,
    ) -> Result<Vec<PostEvent>, Refusal> {
        if self.live().is_none() {
            return Err(self.wrong_state("post.snapshot", "published"));
        }
        if self.snapshots.contains(&age) {
            return Err(Refusal::nothing(self.what(), format!("the snapshot at {age} was taken")));
        }
        Ok(vec![PostEvent::SnapshotTaken { age, at, rows, digest }])
    }

    fn hand_off(&self) -> Result<Vec<PostEvent>, Refusal> {
        if matches!(self.state, PostState::Planned { .. }) && self.lane == Lane::Browser {
            Ok(vec![PostEvent::HandedOff])
        } else {
            Err(self.wrong_state("post.hand-off", "planned on the browser lane"))
        }
    }

    fn claim(&self, by: Actor, at: UtcTime, facts: &CommitFacts) -> Result<Vec<PostEvent>, Refusal> {
        if self.state != PostState::AwaitingOperator {
            return Err(self.wrong_state("post.claim", "waiting for an operator"));
        }
        self.check_leave(facts)?;
        let until = at.plus(LEASE).min(self.window.until);
        Ok(vec![PostEvent::CardClaimed { by, at, until }])
    }

    fn give_back(&self, by: Actor, reason: String) -> Result<Vec<PostEvent>, Refusal> {
        if !matches!(self.state, PostState::Claimed { .. }) {
            return Err(self.wrong_state("post.give-back", "claimed"));
        }
        if reason.trim().is_empty() {
            return Err(Refusal::invalid(
                "post.reason",
                self.what(),
                "giving a card back needs a reason",
                "say why it was not published",
            ));
        }
        Ok(vec![PostEvent::CardGivenBack { by, reason }])
    }

    fn unsure(&self, by: Actor, at: UtcTime) -> Result<Vec<PostEvent>, Refusal> {
        if matches!(self.state, PostState::Claimed { .. }) {
            Ok(vec![PostEvent::PostUnconfirmed { at, why: format!("{by} does not know whether it is out") }])
        } else {
            Err(self.wrong_state("post.unsure", "claimed"))
        }
    }

    fn lease_over(&self, at: UtcTime) -> Result<Vec<PostEvent>, Refusal> {
        match &self.state {
            PostState::Claimed { by, until, .. } if at >= until.plus(LEASE_ANSWER) => {
                Ok(vec![PostEvent::PostUnconfirmed { at, why: format!("{by} held the card and did not answer") }])
            }
            PostState::Claimed { until, .. } => Err(Refusal::rule(
                "post.lease",
                self.what(),
                format!("the holder has until {} to answer", until.plus(LEASE_ANSWER)),
                "ask the holder",
            )),
            PostState::Planned { .. }
            | PostState::Preparing
            | PostState::Prepared { .. }
            | PostState::Committing
            | PostState::Unconfirmed { .. }
            | PostState::AwaitingOperator
            | PostState::Published { .. }
            | PostState::Verified { .. }
            | PostState::Removed { .. }
            | PostState::Failed { .. }
            | PostState::Missed { .. }
            | PostState::Cancelled { .. } => Err(self.wrong_state("post.lease", "claimed")),
        }
    }

    fn restored(&self, at: UtcTime) -> Result<Vec<PostEvent>, Refusal> {
        let why = "the store came back from a backup: what happened since is not known".to_owned();
        match self.state {
            PostState::Prepared { .. }
            | PostState::Committing
            | PostState::AwaitingOperator
            | PostState::Claimed { .. }
            | PostState::Planned { .. }
            | PostState::Preparing => Ok(vec![PostEvent::PostUnconfirmed { at, why }]),
            PostState::Unconfirmed { .. }
            | PostState::Published { .. }
            | PostState::Verified { .. }
            | PostState::Removed { .. }
            | PostState::Failed { .. }
            | PostState::Missed { .. }
            | PostState::Cancelled { .. } => Err(Refusal::nothing(self.what(), "it is settled, or in doubt already")),
        }
    }
}

impl Aggregate for Post {
    type Event = PostEvent;
    const KIND: StreamKind = StreamKind::Post;

    fn begin(event: &PostEvent) -> Option<Self> {
        if let PostEvent::PostPlanned { post } = event { Some((**post).clone()) } else { None }
    }

    fn apply(&mut self, event: &PostEvent) {
        self.fold(event);
    }
}

/// Names an attempt for the record.
pub(crate) fn new_attempt(number: u32, handle: Handle, epoch: Epoch, started: UtcTime) -> Attempt {
    Attempt { number, handle, epoch, started, ended: None, end: None, looks: 0, absent: false, last_look: None }
}
