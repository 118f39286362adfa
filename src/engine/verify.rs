//! Verify: what is out is read back by somebody who is not logged in, and that is kept as proof (F).
//!
//! Decides when it is looked at: at once, then rarer, for half an hour; a post that is not seen by then stays `published`
//! and counts as not comparable. What is out is looked at again at each snapshot: as approved, changed or gone, each is an
//! event of the post. A failed read never turns a published post into anything else.

use std::sync::Arc;

use domain::post::{Post, PostCommand, PostState};
use domain::role::Scope;
use domain::time::{Span, UtcTime};
use platforms::Verification;
use store::Cause;
use store::follow::post_decide;

use crate::error::allowed;
use crate::{EngineError, Inner, Task, sooner};

/// How long a post is looked for before it is left as published.
const LOOK_FOR: Span = Span::minutes(30);

/// How long a read server may lag behind before that counts as trouble.
const USUAL_LAG: Span = Span::minutes(1);

/// How long after publication the first look is.
const FIRST: Span = Span::from_micros(1_500_000);

impl Inner {
    pub(crate) async fn verify(self: &Arc<Self>) -> Result<Option<UtcTime>, EngineError> {
        let mut next = None;
        for post in self.store.read(|view| view.posts_in_state(&Scope::All, &["published"])).await? {
            let PostState::Published { live } = &post.state else { continue };
            if post.altered_to.is_some() {
                continue;
            }
            let since = published_at(&post, live.at);
            let key = format!("verify {}", post.id);
            let due = since.plus(FIRST).max(self.due_again(&key));
            if self.now().since(since) > LOOK_FOR {
                continue;
            }
            if due > self.now() {
                next = sooner(next, Some(due));
            } else if self.read_back(&post).await? {
                self.succeeded(&key);
            } else {
                next = sooner(next, Some(self.try_again(&key)));
            }
        }
        Ok(next)
    }

    /// Reads a post back and records what was seen. Returns false where it is worth looking again.
    pub(crate) async fn read_back(&self, post: &Post) -> Result<bool, EngineError> {
        let (Some(live), Some((account, adapter))) = (post.live().cloned(), self.adapter_of(&post.account).await?)
        else {
            return Ok(true);
        };
        let expected = post.attempts.last().map_or_else(|| live.digest.clone(), |a| a.handle.expected.clone());
        let seen = adapter.verify(&account, &live, &expected).await;
        let command = match seen {
            // Again and again: each look that sees what was approved is a fact on the exposure.
            Verification::Seen(proof)
                if matches!(post.state, PostState::Published { .. } | PostState::Verified { .. }) =>
            {
                PostCommand::Verify(Box::new(proof))
            }
            Verification::Seen(_) => return Ok(true),
            Verification::Gone { at, evidence } => PostCommand::Gone { at, evidence },
            Verification::Altered { at, found } => PostCommand::Altered { at, found },
            Verification::NotYet(_) if self.now().since(published_at(post, live.at)) <= USUAL_LAG => return Ok(false),
            Verification::NotYet(why) | Verification::CannotTell(why) => {
                self.pulse.went_wrong(Task::Verify, format!("post {}: {why}", post.id));
                return Ok(false);
            }
        };
        let id = post.id;
        let written = self.store.write(Cause::engine(Task::Verify.as_str()), move |tx| post_decide(tx, id, command));
        allowed(written.await)?.ok();
        self.pulse.went_well(Task::Verify);
        Ok(true)
    }
}

/// The moment from which looking is counted: when the last attempt ended, which is our clock's time, else the platform's.
fn published_at(post: &Post, live: UtcTime) -> UtcTime {
    let last = post.attempts.last();
    let ended = last.and_then(|a| a.ended).unwrap_or(live);
    last.and_then(|a| a.last_look).map_or(ended, |look| look.max(ended))
}
