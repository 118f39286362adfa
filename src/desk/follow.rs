//! Following: the log as it grows, for one person.
//!
//! Decides that the stream ends when the person is no longer one or the store closes, and that a role or scope that changes
//! acts on the very next events. How they travel is the face's or the socket's.

use futures_util::{Stream, stream};
use store::EventRecord;

use crate::ask::event_line;
use crate::query::EventLine;
use crate::{Desk, Peer, Problem};

/// How many events one read takes.
const AT_ONCE: u32 = 200;

impl Desk {
    /// Returns the events of a person's clients after a number, as they happen, in batches that are never empty.
    pub async fn follow(
        &self,
        peer: Peer,
        after: u64,
    ) -> Result<impl Stream<Item = Vec<EventLine>> + Send + use<>, Problem> {
        self.person(peer).await?;
        let following = Following { desk: self.clone(), peer, after, changes: self.store().changes() };
        Ok(stream::unfold(following, |following| async move { following.next().await }))
    }
}

struct Following {
    desk: Desk,
    peer: Peer,
    after: u64,
    changes: tokio::sync::watch::Receiver<u64>,
}

impl Following {
    async fn next(mut self) -> Option<(Vec<EventLine>, Self)> {
        loop {
            self.changes.mark_unchanged();
            let person = self.desk.person(self.peer).await.ok()?;
            let after = self.after;
            let read = self.desk.store().read(move |view| {
                let head = view.head()?;
                Ok((view.events(&person.scope, after, AT_ONCE)?, head))
            });
            let (records, head): (Vec<EventRecord>, u64) = read.await.ok()?;
            if let Some(last) = records.last() {
                self.after = last.n;
                return Some((records.iter().map(event_line).collect(), self));
            }
            self.after = self.after.max(head);
            self.changes.changed().await.ok()?;
        }
    }
}
