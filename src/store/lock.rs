//! The owner's lock: exactly one engine owns a store (I11).
//!
//! Decides who is the owner: who holds the system's lock on a file of its own, for as long as the process lives. The file
//! says which process that is, for people; the lock alone counts. A lock that was lost all the same (its file deleted) is
//! what the fencing epoch is for.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;

use crate::{Home, StoreError};

/// Ownership of a home; ends when dropped.
#[derive(Debug)]
pub(crate) struct OwnerLock {
    _file: File,
}

impl OwnerLock {
    /// Takes the lock, or says who has it.
    pub(crate) fn take(home: &Home) -> Result<Self, StoreError> {
        let path = home.lock();
        let failed = |error: std::io::Error| StoreError::file(&path, &error);
        if path.symlink_metadata().is_ok_and(|found| !found.file_type().is_file()) {
            return Err(StoreError::Unsafe {
                path: path.display().to_string(),
                why: "the lock is a plain file; remove what is there".to_owned(),
            });
        }
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                let pid = file.read_to_string(&mut text).ok().and_then(|_| text.trim().parse().ok());
                return Err(StoreError::Owned { pid });
            }
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        file.set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| writeln!(file, "{}", std::process::id()))
            .map_err(failed)?;
        Ok(Self { _file: file })
    }
}
