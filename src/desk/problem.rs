//! Problems: why the desk did not do or answer something.
//!
//! Decides the three sorts and their exit codes; a refusal is a rule's word, a failure the world's. What an error says is
//! fit to be shown: no secret, and nothing of clients that the asker may not see.

use domain::refusal::{Refusal, RefusalKind};
use serde::{Deserialize, Serialize};
use store::{StoreError, WriteError};

/// Why not.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "problem", content = "value", rename_all = "snake_case")]
pub enum Problem {
    /// A rule says no.
    #[error("{0}")]
    Refused(Refusal),
    /// Several things are wrong with what was given, a line each.
    #[error("{}", .0.join("\n"))]
    Invalid(Vec<String>),
    /// The world did not answer: the disk, the store.
    #[error("{0}")]
    Failed(String),
    /// Nobody is at the desk.
    #[error("{0}")]
    Unreachable(String),
}

impl Problem {
    /// Somebody who is no person here.
    pub fn stranger() -> Self {
        Self::Refused(Refusal::new(
            RefusalKind::NotAllowed,
            "stranger",
            "you",
            "this home does not know your Unix user",
            "ask an admin for `expos user grant`",
        ))
    }

    /// Returns the exit code of the command line.
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Refused(refusal) => match refusal.kind {
                RefusalKind::Rule => 3,
                RefusalKind::NotFound => 4,
                RefusalKind::NotAllowed => 5,
                RefusalKind::Changed => 6,
                RefusalKind::Invalid => 8,
                RefusalKind::Nothing => 9,
            },
            Self::Invalid(_) => 8,
            Self::Failed(_) => 1,
            Self::Unreachable(_) => 7,
        }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.to_string())
    }
}

impl From<WriteError> for Problem {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Refused(refusal) => Self::Refused(refusal),
            WriteError::Failed(error) => Self::Failed(error.to_string()),
            WriteError::Undone => Self::Failed("it was only tried".to_owned()),
        }
    }
}
