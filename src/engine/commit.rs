//! The commit: the one moment at which a post may become visible.
//!
//! Decides the order and nothing else: identity and posts by hand are read; one transaction re-checks everything and writes
//! `committing`; only its durable end gives a permit (rules 1 and 2); the adapter sends once, within five seconds (rules 4
//! and 5); what came of it is recorded. There is no loop here: another attempt is another transaction.

use std::sync::Arc;

use domain::id::PostId;
use domain::post::{CommitOutcome, Post, PostCommand};
use domain::time::Span;
use platforms::{Adapter, IdentityError, Login};
use store::facts::commit_facts;
use store::follow::post_decide;
use store::{Cause, Tx};

use crate::error::allowed;
use crate::logins::NoLogin;
use crate::{EngineError, Inner, Task};

/// What came of trying to send.
pub(crate) enum Sent {
    /// A request left, or its attempt was recorded; the post says what came of it.
    Tried,
    /// An attempt was recorded and nothing is out: another one may follow, but not at once.
    Again,
    /// Nothing was recorded; try again later.
    NotNow(String),
}

impl Inner {
    /// Sends one post whose account is taken by the caller.
    pub(crate) async fn send(self: &Arc<Self>, post: &Post, task: Task) -> Result<Sent, EngineError> {
        let (login, adapter) = match self.login(&post.account).await? {
            Ok(found) => found,
            Err(no) => return Ok(Sent::NotNow(no.why())),
        };
        if let Err(no) = self.is_itself(&login, &adapter).await? {
            return Ok(Sent::NotNow(no.why()));
        }
        if !self.see_by_hand(&login.account, &adapter, Span::hours(26)).await? {
            return Ok(Sent::NotNow("it cannot be told what else stands on the account".to_owned()));
        }
        // An answer that came until now may have stopped the account: its hold must stand before anything is recorded.
        self.heed().await?;
        if self.is_stopping() {
            return Ok(Sent::NotNow("the engine was asked to end".to_owned()));
        }
        let around = self.surroundings();
        // Read before the record: whatever passes from here on counts against the five seconds (rule 5).
        let recorded_boot = self.clock.boot();
        let id = post.id;
        let leave = self.store.write_with_permits(Cause::engine(task.as_str()), move |tx: &mut Tx<'_>| {
            let post: Post = tx.load(&id)?;
            let facts = commit_facts(tx, &post, &around)?;
            post_decide(tx, id, PostCommand::Commit(Box::new(facts)))
        });
        let (_, permits) = match allowed(leave.await)? {
            Ok(given) => given,
            Err(refusal) => return Ok(Sent::NotNow(refusal.to_string())),
        };
        let Some(permit) = permits.into_iter().next() else {
            // The approval was found void, or the handle made from something else: that was recorded instead.
            return Ok(Sent::Tried);
        };
        let attempt = permit.attempt();
        let outcome = adapter.commit(&login, permit, recorded_boot).await;
        let again = matches!(outcome, CommitOutcome::NotSent { .. } | CommitOutcome::Refused { again: true, .. });
        self.record_end(id, attempt, outcome, task).await?;
        Ok(if again { Sent::Again } else { Sent::Tried })
    }

    async fn record_end(
        &self,
        id: PostId,
        attempt: u32,
        outcome: CommitOutcome,
        task: Task,
    ) -> Result<(), EngineError> {
        match &outcome {
            CommitOutcome::Accepted(_) => self.pulse.went_well(task),
            CommitOutcome::Refused { why, .. } | CommitOutcome::NotSent { why } | CommitOutcome::InDoubt { why } => {
                self.pulse.went_wrong(task, format!("post {id} attempt {attempt}: {why}"));
            }
        }
        let written = self.store.write(Cause::engine(task.as_str()), move |tx| {
            let at = tx.now();
            post_decide(tx, id, PostCommand::End { attempt, at, outcome })?;
            Ok(())
        });
        // A refusal means that the attempt was settled meanwhile; nothing is lost by not recording it twice.
        match allowed(written.await) {
            Err(EngineError::Store(error)) => Err(EngineError::NotRecorded(error)),
            other => other.map(|_settled| ()),
        }
    }

    /// Asks the platform whom the session belongs to; another one stops the account.
    pub(crate) async fn is_itself(
        &self,
        login: &Login,
        adapter: &Arc<dyn Adapter>,
    ) -> Result<Result<(), NoLogin>, EngineError> {
        match adapter.check_identity(login).await {
            Ok(()) => Ok(Ok(())),
            Err(IdentityError::Other { found }) => {
                let why = format!("the login belongs to {found}, the account is {}", login.identity.id);
                self.lose_login(&login.account.id, why.clone()).await?;
                Ok(Err(NoLogin::Lost(why)))
            }
            Err(IdentityError::Expired) => Ok(self
                .refresh(login.clone(), adapter)
                .await?
                .map(|_| ())
                .and(Err(NoLogin::Later("the session was refreshed".to_owned())))),
            Err(IdentityError::Lost(why)) => {
                self.lose_login(&login.account.id, why.clone()).await?;
                Ok(Err(NoLogin::Lost(why)))
            }
            Err(IdentityError::CannotTell(why)) => Ok(Err(NoLogin::Later(why))),
        }
    }
}
