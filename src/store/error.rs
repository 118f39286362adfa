//! What a store cannot do, in words that say what to do about it.
//!
//! Decides which failures are told apart: those that somebody must treat differently. A rule's "no" is a `Refusal` of the
//! domain and no error; `Stop` and `WriteError` carry either.
//!
//! Invariant: `Unknown` is answered whenever a transaction may or may not be on the disk, and for nothing else.

use std::path::Path;

use domain::aggregate::Epoch;
use domain::refusal::Refusal;
use rusqlite::ErrorCode;

/// Why the store did not answer. Holds words, never a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The folder holds no store.
    #[error("{root} is no home of an agency: there is no store in it; make one with `expos init`")]
    NoHome {
        /// The folder.
        root: String,
    },
    /// The folder holds a store already.
    #[error("{root} is the home of an agency already; choose another folder with --home")]
    HomeExists {
        /// The folder.
        root: String,
    },
    /// The system does not let this user do it.
    #[error("{path} cannot be used: {why}; run as the user who owns the home, or mend the rights of the folder")]
    NoRights {
        /// The file or folder.
        path: String,
        /// The system's words.
        why: String,
    },
    /// The path is not what it should be: a link, another user's, open to others.
    #[error("{path} is refused: {why}")]
    Unsafe {
        /// The file or folder.
        path: String,
        /// What is wrong, and what to do.
        why: String,
    },
    /// The home is on a file system whose locks cannot be relied on.
    #[error("{path} is on a {kind} file system, where locks do not hold; move the home to a local disk")]
    NetworkDisk {
        /// The folder.
        path: String,
        /// What sort.
        kind: &'static str,
    },
    /// Another engine runs on it.
    #[error("an engine runs on this home already{}; attach to it, or end it first", .pid.map(|pid| format!(" (process {pid})")).unwrap_or_default())]
    Owned {
        /// Its process, where it said so.
        pid: Option<u32>,
    },
    /// Another engine took the store over.
    #[error("another engine took the store over (epoch {} where this one holds {}); this one must end", found.0, held.0)]
    Fenced {
        /// What this engine holds.
        held: Epoch,
        /// What the store says.
        found: Epoch,
    },
    /// The writer ended after an earlier failure.
    #[error("the store takes no more writes: {why}; start the engine again, it reads everything anew")]
    WriterEnded {
        /// The failure.
        why: String,
    },
    /// A write may or may not be on the disk.
    #[error("it cannot be told whether this was stored: {why}; start the engine again and look")]
    Unknown {
        /// What the system said.
        why: String,
    },
    /// There is no room; nothing was stored.
    #[error("the disk is full, nothing was stored: {why}; free some space, nothing else needs doing")]
    DiskFull {
        /// What is left, or the system's words.
        why: String,
    },
    /// The file is damaged.
    #[error(
        "the store is damaged: {why}; do not run on it: run `expos audit verify`, then restore the last good backup"
    )]
    Corrupt {
        /// What was found.
        why: String,
    },
    /// The store is not the one that belongs here.
    #[error("this home belongs to store {expected}, the file in it is store {found}; put the right file back")]
    WrongStore {
        /// What the home says.
        expected: String,
        /// What the file says.
        found: String,
    },
    /// A newer program made it.
    #[error(
        "the store was made by a newer expos (schema {found}, this one knows {known}); use that version or a newer one"
    )]
    NewerSchema {
        /// The store's schema number.
        found: u32,
        /// The newest one that this program knows.
        known: u32,
    },
    /// A stored text cannot be read back.
    #[error("{what} cannot be read: {why}; use the version of expos that wrote it, or run `expos audit verify`")]
    Unreadable {
        /// Which.
        what: String,
        /// Why.
        why: String,
    },
    /// Something that other things name is not there.
    #[error("{noun} {name} is named elsewhere in the store, and is not there; run `expos audit verify`")]
    Missing {
        /// What sort of thing.
        noun: String,
        /// Its name.
        name: String,
    },
    /// Something cannot be stored as it is.
    #[error("{what} cannot be stored: {why}")]
    Unstorable {
        /// Which.
        what: String,
        /// Why.
        why: String,
    },
    /// A rule of the schema stands against it.
    #[error("the store refuses it: {why}")]
    Constraint {
        /// The schema's words.
        why: String,
    },
    /// A sealed value does not open.
    #[error("the login of {account} cannot be opened: {why}; connect the account again")]
    Sealed {
        /// The account.
        account: String,
        /// Why.
        why: &'static str,
    },
    /// The system gives no randomness.
    #[error("the system gives no random bytes: {why}")]
    NoEntropy {
        /// The system's words.
        why: String,
    },
    /// The disk does not answer.
    #[error("the disk does not answer: {why}; check it, then start the engine again")]
    Disk {
        /// The system's words.
        why: String,
    },
    /// Reading or writing failed in another way.
    #[error("the store does not answer: {why}")]
    Failed {
        /// The system's words.
        why: String,
    },
}

/// Why a transaction did not go through.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Stop {
    /// A rule said no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The store failed.
    #[error(transparent)]
    Failed(#[from] StoreError),
    /// It was only tried: nothing is kept, and nothing recorded.
    #[error("tried, and undone")]
    Undo,
}

/// Why a write did not go through.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// A rule said no; where a person asked, that is recorded.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The store failed.
    #[error(transparent)]
    Failed(#[from] StoreError),
    /// It was only tried, as asked: nothing is kept.
    #[error("tried, and undone")]
    Undone,
}

impl From<Stop> for WriteError {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Refused(refusal) => Self::Refused(refusal),
            Stop::Failed(error) => Self::Failed(error),
            Stop::Undo => Self::Undone,
        }
    }
}

impl StoreError {
    /// Something that other things name is not there.
    pub fn missing(noun: &str, name: &str) -> Self {
        Self::Missing { noun: noun.to_owned(), name: name.to_owned() }
    }

    /// Words a failure of a file of the home.
    pub(crate) fn file(path: &Path, error: &std::io::Error) -> Self {
        let path = path.display().to_string();
        let why = error.to_string();
        if matches!(error.kind(), std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded) {
            return Self::DiskFull { why: format!("{path}: {why}") };
        }
        Self::NoRights { path, why }
    }

    /// Names the path, where the system's rights stand in the way of one.
    pub(crate) fn at(mut self, place: &Path) -> Self {
        if let Self::NoRights { path, .. } = &mut self {
            *path = place.display().to_string();
        }
        self
    }

    /// Says that the disk is full, where that is why it does not answer.
    pub(crate) fn or_full(self, folder: &Path) -> Self {
        let free = crate::home::free_bytes(folder).filter(|free| *free < crate::writer::DISK_SPARE);
        match (self, free) {
            (Self::Disk { why }, Some(free)) => Self::DiskFull { why: format!("{why}; {free} bytes are left") },
            (other, _) => other,
        }
    }

    /// Tells whether the file, the disk or the machine is in trouble: nothing more may be written through this handle.
    pub(crate) fn is_of_the_disk(&self) -> bool {
        matches!(
            self,
            Self::Disk { .. }
                | Self::DiskFull { .. }
                | Self::Corrupt { .. }
                | Self::NoRights { .. }
                | Self::Unknown { .. }
        )
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        let why = error.to_string();
        let code = error.sqlite_error_code();
        if code == Some(ErrorCode::DiskFull) {
            return Self::DiskFull { why };
        }
        if matches!(code, Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)) {
            return Self::Corrupt { why };
        }
        if matches!(code, Some(ErrorCode::PermissionDenied | ErrorCode::ReadOnly | ErrorCode::CannotOpen)) {
            return Self::NoRights { path: "the store".to_owned(), why };
        }
        if code == Some(ErrorCode::SystemIoFailure) {
            return Self::Disk { why };
        }
        if code == Some(ErrorCode::ConstraintViolation) {
            return Self::Constraint { why };
        }
        Self::Failed { why }
    }
}

impl From<clock::EntropyFailed> for StoreError {
    fn from(error: clock::EntropyFailed) -> Self {
        Self::NoEntropy { why: error.to_string() }
    }
}
