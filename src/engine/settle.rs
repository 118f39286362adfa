//! Settle: what is in doubt is looked at until it is known.
//!
//! Decides what a new owner does first (R16): every attempt of a dead engine has ended, by the lock that is ours now. Looks
//! only read (rule 10). Where a platform deduplicates a handle for ever, a look that saw nothing opens the same commit once
//! more, through the same transaction as the first (rule 8).

use std::sync::Arc;

use domain::hold::{Hold, HoldCause};
use domain::post::{Post, PostCommand, PostState};
use domain::role::Scope;
use domain::time::{Span, UtcTime};
use store::Cause;
use store::follow::{escalate_doubt, post_decide};

use crate::commit::Sent;
use crate::error::allowed;
use crate::{EngineError, Inner, Task, sooner};

/// How long a repeat may be put off before a person is told.
const PATIENCE: Span = Span::minutes(2);

impl Inner {
    /// Everything that a dead engine left: attempts without an end have ended, preparations begin again.
    pub(crate) async fn settle_after_restart(&self) -> Result<(), EngineError> {
        let left = self.store.read(|view| view.posts_in_state(&Scope::All, &["committing", "preparing"])).await?;
        for post in left {
            let id = post.id;
            let open = post.attempts.last().filter(|a| a.ended.is_none() && a.end.is_none()).map(|a| a.number);
            let written = self.store.write(Cause::engine(Task::Settle.as_str()), move |tx| {
                let at = tx.now();
                let command = match (&post.state, open) {
                    (PostState::Preparing, _) => {
                        PostCommand::PrepareFailed { why: "the engine ended meanwhile".to_owned(), retry_at: Some(at) }
                    }
                    (_, Some(attempt)) => PostCommand::TakeOver { attempt, at },
                    (_, None) => return Ok(()),
                };
                post_decide(tx, id, command)?;
                Ok(())
            });
            allowed(written.await)?.ok();
        }
        Ok(())
    }

    /// A store that stands elsewhere than at its last run may be a copy: nothing goes out until a person says so (F11).
    pub(crate) async fn hold_if_moved(&self) -> Result<(), EngineError> {
        let moved = self.store.moved().zip(self.store.new_place());
        let Some((why, place)) = moved.map(|(why, place)| (why.to_owned(), place.to_owned())) else { return Ok(()) };
        let written = self.store.write(Cause::engine(Task::Settle.as_str()), move |tx| {
            let _founded: domain::agency::Agency = tx.load(&())?;
            let hold = Hold::new(HoldCause::Restore, "engine", tx.now(), why);
            tx.append::<domain::agency::Agency>(&(), vec![domain::agency::AgencyEvent::AgencyHeld { hold }])?;
            // With the hold or not at all: an engine that dies in between must find the store moved once more.
            tx.remember_place(&place)?;
            Ok(())
        });
        allowed(written.await)?.ok();
        Ok(())
    }

    pub(crate) async fn settle(self: &Arc<Self>) -> Result<Option<UtcTime>, EngineError> {
        let now = self.now();
        let mut next = None;
        for post in self.store.read(|view| view.posts_in_state(&Scope::All, &["committing", "unconfirmed"])).await? {
            let when = self.due_in_doubt(&post);
            match when {
                Some(when) if when <= now => self.settle_beside(post),
                Some(when) => next = sooner(next, Some(when)),
                None => {}
            }
        }
        Ok(next)
    }

    /// Returns when something can be done about a post in doubt: a repeat at once, else the next look.
    fn due_in_doubt(&self, post: &Post) -> Option<UtcTime> {
        let again = self.due_again(&key(post));
        let look = post.look_due().map(|due| due.max(again));
        if self.may_repeat(post) { sooner(look, Some(again.max(post.window.from))) } else { look }
    }

    fn may_repeat(&self, post: &Post) -> bool {
        let now = self.now();
        post.approval.is_some()
            && now <= post.window.until
            && matches!(post.state, PostState::Unconfirmed { .. })
            && post.handle_to_repeat(now).is_ok()
    }

    fn settle_beside(self: &Arc<Self>, post: Post) {
        let Some(taken) = self.take_account(&post.account) else { return };
        let inner = Arc::clone(self);
        self.beside(Task::Settle, taken, async move { inner.settle_one(&post).await });
    }

    async fn settle_one(self: &Arc<Self>, post: &Post) -> Result<(), EngineError> {
        let id = post.id;
        let Some(post) = self.store.read(move |view| view.post(id)).await? else { return Ok(()) };
        if post.look_due().is_some_and(|due| due <= self.now()) {
            return self.look_at(&post).await;
        }
        if !self.may_repeat(&post) {
            return Ok(());
        }
        match self.send(&post, Task::Settle).await? {
            Sent::Tried => {}
            Sent::Again => {
                self.try_again(&key(&post));
            }
            Sent::NotNow(why) => {
                self.try_again(&key(&post));
                let since = if let PostState::Unconfirmed { since, .. } = &post.state { *since } else { self.now() };
                if self.now().since(since) > PATIENCE {
                    let why = format!("it is not there, and may not be sent again now: {why}");
                    self.escalate(&post, why).await?;
                }
            }
        }
        Ok(())
    }

    async fn look_at(self: &Arc<Self>, post: &Post) -> Result<(), EngineError> {
        let Some(attempt) = post.open_attempt() else { return Ok(()) };
        let (number, handle) = (attempt.number, attempt.handle.clone());
        let began = self.now();
        let observation = match self.login(&post.account).await? {
            Ok((login, adapter)) => adapter.observe(&login, &handle).await,
            Err(no) => domain::post::Observation::CannotTell(no.why()),
        };
        let id = post.id;
        let written = self.store.write(Cause::engine(Task::Settle.as_str()), move |tx| {
            let at = tx.now();
            let (after, _) = post_decide(tx, id, PostCommand::Look { attempt: number, began, at, observation })?;
            if let PostState::Unconfirmed { why, .. } = &after.state
                && (after.approval.is_none() || !after.window.holds(at) || after.handle_to_repeat(at).is_err())
            {
                escalate_doubt(tx, &after, why)?;
            }
            Ok(())
        });
        if let Err(refusal) = allowed(written.await)? {
            self.try_again(&key(post));
            self.pulse.went_wrong(Task::Settle, refusal.to_string());
        } else {
            self.succeeded(&key(post));
        }
        Ok(())
    }

    async fn escalate(&self, post: &Post, why: String) -> Result<(), EngineError> {
        let id = post.id;
        let written = self.store.write(Cause::engine(Task::Settle.as_str()), move |tx| {
            let post: Post = tx.load(&id)?;
            if post.state.is_in_doubt() { escalate_doubt(tx, &post, &why) } else { Ok(()) }
        });
        allowed(written.await)?.ok();
        Ok(())
    }
}

fn key(post: &Post) -> String {
    format!("settle {}", post.id)
}
