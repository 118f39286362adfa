//! Settling: what becomes of a post whose request has left.
//!
//! Decides what an answer, a look, a dead owner and a person's word mean. Doubt is a case of its own: only a final absence
//! opens another commit (rule 8), and nothing that happens after a commit turns a published post into a failed one.

use super::{
    Attempt, AttemptEnd, CommitOutcome, LEASE_ANSWER, Live, Observation, Post, PostEvent, PostState, QUARANTINE, Repeat,
};
use crate::actor::Actor;
use crate::refusal::Refusal;
use crate::time::{Span, UtcTime};
use crate::variant::Lane;

/// How many attempts of one handle may be in doubt (rule 8).
pub const ATTEMPTS_MAX: usize = 3;

/// When a look is due, counted from the end of the attempt; after the last the post is unconfirmed, and is looked at
/// every hour for two days.
pub const LOOKS: [Span; 7] = [
    Span::seconds(5),
    Span::seconds(15),
    Span::seconds(45),
    Span::minutes(2),
    Span::minutes(5),
    Span::minutes(10),
    Span::minutes(15),
];

const SLOW_LOOK: Span = Span::hours(1);
const SLOW_LOOKS_END: Span = Span::hours(48);

impl Post {
    /// Returns when the next look at a post in doubt is due; `None` where no attempt waits for one.
    pub fn look_due(&self) -> Option<UtcTime> {
        if !matches!(self.state, PostState::Committing | PostState::Unconfirmed { .. }) {
            return None;
        }
        let attempt = self.open_attempt()?;
        let ended = attempt.ended?;
        let planned = usize::try_from(attempt.looks).ok().and_then(|n| LOOKS.get(n)).map(|after| ended.plus(*after));
        let due = planned.or_else(|| attempt.last_look.map(|last| last.plus(SLOW_LOOK)))?;
        if due.since(ended) > SLOW_LOOKS_END { None } else { Some(due) }
    }

    /// Returns the latest attempt of which it is not known what became.
    pub fn open_attempt(&self) -> Option<&Attempt> {
        self.attempts.iter().rev().find(|a| a.end.is_none())
    }

    pub(super) fn end_attempt(
        &self,
        number: u32,
        at: UtcTime,
        outcome: CommitOutcome,
    ) -> Result<Vec<PostEvent>, Refusal> {
        if let CommitOutcome::Accepted(live) = outcome {
            return self.accepted(number, live);
        }
        let open = self.attempts.last().filter(|a| a.number == number && a.end.is_none() && a.ended.is_none());
        if open.is_none() || self.state != PostState::Committing {
            return Err(Refusal::rule(
                "attempt.stale",
                self.what(),
                format!("attempt {number} is not the open one"),
                "nothing is recorded",
            ));
        }
        let earlier_final = self.attempts.iter().filter(|a| a.number != number).all(Attempt::is_final_absence);
        let settled = |end: AttemptEnd| PostEvent::AttemptSettled { attempt: number, at, end };
        Ok(match outcome {
            CommitOutcome::Accepted(_) => Vec::new(),
            CommitOutcome::InDoubt { why } => vec![PostEvent::AttemptInDoubt { attempt: number, at, why }],
            CommitOutcome::NotSent { why } if earlier_final => vec![settled(AttemptEnd::NotSent { why })],
            CommitOutcome::Refused { why, again } if earlier_final => {
                self.refused(settled(AttemptEnd::Refused { why: why.clone() }), why, again)
            }
            CommitOutcome::NotSent { why } => {
                self.repeat_came_to_nothing(settled(AttemptEnd::NotSent { why: why.clone() }), at, &why)
            }
            CommitOutcome::Refused { why, .. } => {
                self.repeat_came_to_nothing(settled(AttemptEnd::Refused { why: why.clone() }), at, &why)
            }
        })
    }

    fn repeat_came_to_nothing(&self, settled: PostEvent, at: UtcTime, why: &str) -> Vec<PostEvent> {
        let why = format!("the repeat did not go through ({why}); the attempt before is still in doubt");
        vec![settled, PostEvent::PostUnconfirmed { at, why }]
    }

    fn refused(&self, settled: PostEvent, why: String, again: bool) -> Vec<PostEvent> {
        match (again, self.lane) {
            (true, Lane::Api | Lane::Browser | Lane::Hybrid) => vec![settled],
            (false, Lane::Hybrid) => vec![settled, PostEvent::HandedOff],
            (false, Lane::Api | Lane::Browser) => vec![settled, PostEvent::PostFailed { why }],
        }
    }

    /// A late "ok" for an old attempt still means published (rule 7).
    fn accepted(&self, number: u32, live: Live) -> Result<Vec<PostEvent>, Refusal> {
        if !self.attempts.iter().any(|a| a.number == number) {
            return Err(Refusal::rule(
                "attempt.unknown",
                self.what(),
                format!("there is no attempt {number}"),
                "nothing is recorded",
            ));
        }
        match self.state {
            PostState::Published { .. } | PostState::Verified { .. } | PostState::Removed { .. } => {
                Err(Refusal::nothing(self.what(), "it is known to be out"))
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
            | PostState::Cancelled { .. } => Ok(vec![PostEvent::PostPublished { live, by: Actor::Engine }]),
        }
    }

    pub(super) fn look(
        &self,
        number: u32,
        began: UtcTime,
        at: UtcTime,
        observation: Observation,
    ) -> Result<Vec<PostEvent>, Refusal> {
        let stale = |why: &str| Err(Refusal::rule("look.stale", self.what(), why, "look again"));
        if !matches!(self.state, PostState::Committing | PostState::Unconfirmed { .. }) {
            return Err(self.wrong_state("look.state", "in doubt"));
        }
        let Some(attempt) = self.open_attempt().filter(|a| a.number == number) else {
            return stale("it names another attempt");
        };
        let Some(ended) = attempt.ended else {
            return stale("the attempt has not ended");
        };
        if began < ended {
            return stale("it began before the attempt ended");
        }
        Ok(match observation {
            Observation::Live(live) => vec![PostEvent::PostPublished { live, by: Actor::Engine }],
            Observation::Never(_) => self
                .open_attempts()
                .map(|a| PostEvent::AttemptSettled { attempt: a.number, at, end: AttemptEnd::Never })
                .collect(),
            Observation::NotYet => self.not_yet(attempt, at),
            Observation::CannotTell(why) => self.cannot_tell(number, at, why),
        })
    }

    fn open_attempts(&self) -> impl Iterator<Item = &Attempt> {
        self.attempts.iter().filter(|a| a.end.is_none())
    }

    /// One look is enough where the same handle may be sent again: the repeat settles it, and it goes by `unconfirmed`.
    fn not_yet(&self, attempt: &Attempt, at: UtcTime) -> Vec<PostEvent> {
        let why = "it is not there".to_owned();
        let mut events = vec![PostEvent::LookedInVain { attempt: attempt.number, at, absent: true, why }];
        let used_up = usize::try_from(attempt.looks).is_ok_and(|n| n.saturating_add(1) >= LOOKS.len());
        if self.state == PostState::Committing {
            if attempt.handle.repeat == Repeat::Always {
                events.push(PostEvent::PostUnconfirmed {
                    at,
                    why: "it is not there; the same handle may be sent again".to_owned(),
                });
            } else if used_up {
                events
                    .push(PostEvent::PostUnconfirmed { at, why: "looks are used up, and none has seen it".to_owned() });
            }
        }
        events
    }

    fn cannot_tell(&self, number: u32, at: UtcTime, why: String) -> Vec<PostEvent> {
        let mut events = vec![PostEvent::LookedInVain { attempt: number, at, absent: false, why: why.clone() }];
        if self.state == PostState::Committing {
            events.push(PostEvent::PostUnconfirmed { at, why: format!("the look could not tell: {why}") });
        }
        events
    }

    pub(super) fn take_over(&self, number: u32, at: UtcTime) -> Result<Vec<PostEvent>, Refusal> {
        let open = self.attempts.last().filter(|a| a.number == number && a.end.is_none() && a.ended.is_none());
        if self.state != PostState::Committing || open.is_none() {
            return Err(Refusal::nothing(self.what(), format!("attempt {number} has ended")));
        }
        let why = "the engine that sent it ended; its lock is ours".to_owned();
        Ok(vec![PostEvent::AttemptInDoubt { attempt: number, at, why }])
    }

    pub(super) fn confirm_live(&self, by: Actor, at: UtcTime, url: String) -> Result<Vec<PostEvent>, Refusal> {
        if !matches!(self.state, PostState::Unconfirmed { .. } | PostState::Claimed { .. }) {
            return Err(self.wrong_state("post.confirm", "unconfirmed or claimed"));
        }
        let fine = (url.starts_with("https://") || url.starts_with("at://"))
            && url.len() <= 2000
            && !url.chars().any(|c| c.is_control() || c.is_whitespace());
        if !fine {
            return Err(Refusal::invalid(
                "post.url",
                self.what(),
                "the address is not one that can be opened",
                "give the post's address, as in https://…",
            ));
        }
        let last = self.attempts.last();
        let live = Live {
            id: last.map_or_else(String::new, |a| a.handle.key.clone()),
            url,
            digest: last.map_or_else(String::new, |a| a.handle.expected.clone()),
            at: last.map_or(at, |a| a.started),
        };
        Ok(vec![PostEvent::PostPublished { live, by }])
    }

    pub(super) fn confirm_not_live(&self, by: Actor, at: UtcTime) -> Result<Vec<PostEvent>, Refusal> {
        let PostState::Unconfirmed { since, .. } = &self.state else {
            return Err(self.wrong_state("post.confirm", "unconfirmed"));
        };
        let ended = self.attempts.last().map_or(Some(*since), |a| a.ended);
        let Some(ended) = ended else {
            return Err(Refusal::rule("post.quarantine", self.what(), "the sender has not ended", "wait until it has"));
        };
        let free = ended.max(*since).plus(QUARANTINE);
        if at < free {
            return Err(Refusal::rule(
                "post.quarantine",
                self.what(),
                format!("a late request may still arrive until {free}"),
                format!("look at the account, and say so after {free}"),
            ));
        }
        Ok(vec![PostEvent::NotLiveAttested { by, at }])
    }

    /// Returns when a claimed card becomes unconfirmed by itself.
    pub fn lease_end(&self) -> Option<UtcTime> {
        if let PostState::Claimed { until, .. } = &self.state { Some(until.plus(LEASE_ANSWER)) } else { None }
    }
}
