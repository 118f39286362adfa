//! The desk's door, as the face sees it, so that tests can stand in for it.

use std::future::Future;
use std::pin::Pin;

use desk::query::EventLine;
use desk::{Answer, Command, Done, Mode, Problem, Query};
use domain::id::CommandId;
use futures_util::StreamExt;
use futures_util::stream::LocalBoxStream;

/// Something that the desk will answer.
pub(crate) type Wait<'a, T> = Pin<Box<dyn Future<Output = Result<T, Problem>> + 'a>>;

/// Events as they happen.
pub(crate) type Events<'a> = LocalBoxStream<'a, Result<EventLine, Problem>>;

/// The one way to the desk.
pub(crate) trait Door {
    /// Carries a command out, or tells what it would do.
    fn act(&self, id: CommandId, command: Command, mode: Mode) -> Wait<'_, Done>;
    /// Answers a question.
    fn ask(&self, query: Query) -> Wait<'_, Answer>;
    /// Tells of events after that number, as they happen.
    fn follow(&self, after: u64) -> Wait<'_, Events<'_>>;
    /// Tells whether somebody else, the engine, has the store.
    fn is_remote(&self) -> bool;
}

impl Door for desk::local::Door {
    fn act(&self, id: CommandId, command: Command, mode: Mode) -> Wait<'_, Done> {
        Box::pin(Self::act(self, id, command, mode))
    }

    fn ask(&self, query: Query) -> Wait<'_, Answer> {
        Box::pin(Self::ask(self, query))
    }

    fn follow(&self, after: u64) -> Wait<'_, Events<'_>> {
        Box::pin(async move { Self::follow(self, after).await.map(StreamExt::boxed_local) })
    }

    fn is_remote(&self) -> bool {
        Self::is_remote(self)
    }
}
