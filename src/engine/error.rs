//! Why an engine ends. A network that does not answer is no reason; only the store and our own bugs are.

use domain::refusal::Refusal;
use store::{StoreError, WriteError};

/// Why the engine cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The store failed: what was being written may or may not be there. Restart and look.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// What came of a request could not be stored: only a new owner of the store may say what became of it.
    #[error("what came of a request was not stored: {0}")]
    NotRecorded(StoreError),
    /// The store was closed.
    #[error("the store was closed")]
    StoreClosed,
    /// A task panicked: a bug of ours. Restart; the path after a crash is the daily path.
    #[error("a task of the engine died: {why}")]
    TaskDied {
        /// What the runtime says.
        why: String,
    },
}

impl EngineError {
    /// Tells whether nothing was stored, and all is well once there is room on the disk.
    pub(crate) fn is_full_disk(&self) -> bool {
        matches!(self, Self::Store(StoreError::DiskFull { .. }))
    }
}

/// Splits a write's outcome: a rule's "no" is an ordinary answer here, a failing store is not.
pub(crate) fn allowed<T>(written: Result<T, WriteError>) -> Result<Result<T, Refusal>, EngineError> {
    match written {
        Ok(value) => Ok(Ok(value)),
        Err(WriteError::Refused(refusal)) => Ok(Err(refusal)),
        Err(WriteError::Undone) => Ok(Err(Refusal::nothing("the write", "it was undone"))),
        Err(WriteError::Failed(error)) => Err(EngineError::Store(error)),
    }
}
