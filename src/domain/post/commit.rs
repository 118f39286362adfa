//! The commit: everything that could forbid a post, checked at once (rule 1).
//!
//! Decides whether leave is given, from facts that the store read inside the one write transaction in which this runs.
//! Nothing here sends anything; the permit is made by the store after its COMMIT returned (rule 2).
//!
//! Invariant: I2. A `PostCommitting` event exists only if approved hash = handle's hash = present hash, nothing above the
//! post stops it, now is inside the window, pacing is free and the layer is held. A reply is sent by a person: its leave
//! needs, beside all that, the stored command of the very person whose word it bears.

use super::{ATTEMPTS_MAX, Attempt, Handle, Post, PostEvent, PostKind, PostState, Repeat, new_attempt};
use crate::aggregate::Epoch;
use crate::approval::Binding;
use crate::calendar::pacing::{PacingLimits, pace};
use crate::id::PostId;
use crate::refusal::Refusal;
use crate::time::UtcTime;

/// Whether the experiment has its layer to itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LayerFact {
    /// It holds it now.
    Held,
    /// It tests nothing and needs none.
    NotNeeded,
    /// It does not; in words.
    NotHeld(String),
}

/// What the store read inside the transaction.
#[derive(Debug, Clone, PartialEq)]
pub struct CommitFacts {
    /// The moment of the decision.
    pub now: UtcTime,
    /// The epoch that the writer holds; it was compared with the store's before.
    pub epoch: Epoch,
    /// What the post would be, as everything stands now: content made again from facets and stored assets.
    pub present: Binding,
    /// Everything that stops the post from above: agency, client, account, experiment; in words.
    pub holds: Vec<String>,
    /// Why the account cannot be used, if so.
    pub account: Option<String>,
    /// The account's limits.
    pub limits: PacingLimits,
    /// The account's other posts that are or may be visible, those by hand too.
    pub others: Vec<UtcTime>,
    /// Quiet hours or a blackout, if it is such a time.
    pub quiet: Option<String>,
    /// The same text and pictures, out or in doubt on the account inside the duplicate window.
    pub duplicate: Option<(PostId, UtcTime)>,
    /// Where the plan says `repeat`: the moment before which the same may not be shown again.
    pub repeat_from: Option<UtcTime>,
    /// Another post of the account whose request is under way.
    pub in_flight: Option<PostId>,
    /// The layer.
    pub layer: LayerFact,
    /// The clock jumped: nothing goes out before this (I18).
    pub clock_hold: Option<UtcTime>,
    /// For a reply: the Unix user whose stored command asked for it, as the log says.
    pub asked_by: Option<u32>,
}

impl Post {
    pub(super) fn commit(&self, facts: &CommitFacts) -> Result<Vec<PostEvent>, Refusal> {
        let handle = self.handle_to_commit(facts)?;
        if let Some(approval) = &self.approval
            && let Some(field) = approval.binding.differs(&facts.present)
        {
            let why = format!("the {field} is no longer as approved");
            return Ok(vec![PostEvent::ApprovalVoided { field, why }]);
        }
        self.check_leave(facts)?;
        if handle.content != facts.present.content {
            return Ok(vec![PostEvent::HandleDropped { why: "the handle was made from other content".to_owned() }]);
        }
        if handle.identity != facts.present.identity {
            return Ok(vec![PostEvent::HandleDropped { why: "the handle was made for another login".to_owned() }]);
        }
        let number = self.attempts.last().map_or(1, |a| a.number.saturating_add(1));
        let attempt = new_attempt(number, handle.clone(), facts.epoch, facts.now);
        Ok(vec![PostEvent::PostCommitting { attempt: Box::new(attempt), facts: facts.words() }])
    }

    /// Returns the handle whose commit may be asked for in this state: the prepared one, or after doubt the same one
    /// again where the platform deduplicates it (rules 8 and 9).
    fn handle_to_commit(&self, facts: &CommitFacts) -> Result<&Handle, Refusal> {
        match &self.state {
            PostState::Prepared { handle } => {
                if handle.expires.is_some_and(|end| end <= facts.now) {
                    return Err(Refusal::rule(
                        "commit.expired",
                        self.what(),
                        "its handle expired",
                        "it is made ready again",
                    ));
                }
                if self.attempts.iter().all(Attempt::is_final_absence) {
                    Ok(handle)
                } else {
                    Err(Refusal::rule(
                        "commit.in-doubt",
                        self.what(),
                        "an earlier attempt is not final",
                        "wait until it is settled",
                    ))
                }
            }
            PostState::Unconfirmed { .. } => self.handle_to_repeat(facts.now),
            PostState::Planned { .. }
            | PostState::Preparing
            | PostState::Committing
            | PostState::AwaitingOperator
            | PostState::Claimed { .. }
            | PostState::Published { .. }
            | PostState::Verified { .. }
            | PostState::Removed { .. }
            | PostState::Failed { .. }
            | PostState::Missed { .. }
            | PostState::Cancelled { .. } => Err(self.wrong_state("commit.state", "prepared")),
        }
    }

    /// Returns the handle of the last attempt where it may be sent again: same handle, same bytes, at most three times,
    /// after a look that began when the attempt had ended and saw nothing.
    pub fn handle_to_repeat(&self, now: UtcTime) -> Result<&Handle, Refusal> {
        let refuse =
            |why: &str| Err(Refusal::rule("commit.repeat", self.what(), why, "look again, or let a person settle it"));
        let Some(last) = self.open_attempt() else { return refuse("no attempt of it is in doubt") };
        let open = self.attempts.iter().filter(|a| !a.is_final_absence()).count();
        if last.ended.is_none() || !last.absent {
            return refuse("no look has seen that it is not there");
        }
        if open >= ATTEMPTS_MAX {
            return refuse("it was sent three times");
        }
        let first = self.attempts.iter().find(|a| !a.is_final_absence()).unwrap_or(last);
        match last.handle.repeat {
            Repeat::Always => Ok(&last.handle),
            Repeat::Within { window } if now.since(first.started).micros() <= window.micros() / 2 => Ok(&last.handle),
            Repeat::Within { .. } => refuse("half of the platform's window for repeats has passed"),
            Repeat::Never => refuse("the platform would show it twice"),
        }
    }

    /// Checks everything that a commit and a browser card have in common.
    pub(super) fn check_leave(&self, facts: &CommitFacts) -> Result<(), Refusal> {
        let refuse = |rule: &str, why: String, mend: &str| Err(Refusal::rule(rule, self.what(), why, mend));
        let Some(approval) = &self.approval else {
            return refuse("commit.unapproved", "it has no approval".to_owned(), "approve it as it stands");
        };
        if let Some(field) = approval.binding.differs(&facts.present) {
            return refuse("commit.void", format!("the {field} is no longer as approved"), "approve it as it stands");
        }
        if approval.binding.content != self.content {
            return refuse("commit.void", "the content is no longer as approved".to_owned(), "approve it as it stands");
        }
        if self.kind == PostKind::Reply && !self.is_a_persons(facts.asked_by) {
            return refuse(
                "commit.reply-of-nobody",
                "no stored command of a person asks for it".to_owned(),
                "a person sends each reply, with `expos reply send`",
            );
        }
        if let Some(hold) = facts.holds.first() {
            return refuse("commit.held", hold.clone(), "a person resumes it, with a reason");
        }
        if let Some(until) = facts.clock_hold.filter(|until| facts.now < *until) {
            return refuse(
                "commit.clock",
                format!("the clock jumped; nothing goes out before {until}"),
                "wait, or check the box's clock",
            );
        }
        if facts.now < self.window.from {
            return refuse("commit.early", format!("its slot is {}", self.window.from), "wait for the slot");
        }
        if facts.now > self.window.until {
            return refuse(
                "commit.late",
                format!("its window closed at {}", self.window.until),
                "plan a new slot; nothing is sent late",
            );
        }
        if let Some(why) = &facts.account {
            return refuse("commit.account", why.clone(), "connect the account again");
        }
        if let Some(quiet) = &facts.quiet {
            return refuse("commit.quiet", quiet.clone(), "move the slot");
        }
        if let LayerFact::NotHeld(why) = &facts.layer {
            return refuse("commit.layer", why.clone(), "wait for the layer, or stop its holder");
        }
        if let Some(other) = facts.in_flight {
            return refuse(
                "commit.in-flight",
                format!("post {other} of the account is being sent"),
                "one at a time; it is tried again at once",
            );
        }
        self.check_duplicate(facts)?;
        pace(facts.limits, &facts.others, facts.now).map_err(|breach| breach.refusal(self.what(), facts.limits))
    }

    /// Tells whether the one word that a reply has is that of the person whose command the log holds.
    fn is_a_persons(&self, asked_by: Option<u32>) -> bool {
        let words = self.approval.iter().flat_map(|approval| &approval.by).map(|approver| approver.uid);
        asked_by.is_some() && words.eq([asked_by])
    }

    fn check_duplicate(&self, facts: &CommitFacts) -> Result<(), Refusal> {
        let Some((other, at)) = facts.duplicate else { return Ok(()) };
        if !self.repeat {
            return Err(Refusal::rule(
                "commit.duplicate",
                self.what(),
                format!("the same text and pictures went out as post {other} at {at}"),
                "change it, or say `repeat = true` in the plan",
            ));
        }
        match facts.repeat_from {
            Some(from) if facts.now < from => Err(Refusal::rule(
                "commit.repeat-gap",
                self.what(),
                format!("the same went out at {at}; the client's policy allows it again at {from}"),
                "move the slot",
            )),
            Some(_) | None => Ok(()),
        }
    }
}

impl CommitFacts {
    /// Words what the decision rested on, for the event.
    fn words(&self) -> String {
        let nearest = self.others.iter().map(|other| self.now.distance(*other)).min();
        format!(
            "content {} account {} as {} lane {} window {} policy {} nearest {} of {} gap {} cap {} epoch {}",
            self.present.content,
            self.present.account,
            self.present.identity,
            self.present.lane,
            self.present.window,
            self.present.policy,
            nearest.map_or_else(|| "none".to_owned(), |d| d.to_string()),
            self.others.len(),
            self.limits.min_gap,
            self.limits.max_per_24h,
            self.epoch.0,
        )
    }
}
