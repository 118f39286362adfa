//! The journal: what a twin was asked, and what that did.
//!
//! Decided here: how it is kept. In memory always; on disk, where a file is given, as one JSON line for each request that
//! holds the request's entry and the changes it made, written and synced before the answer leaves. A last line that broke
//! off was never answered and is cut away when the file is opened again.
//!
//! Invariant: what was answered is in the file; a line is whole or is not there.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::Fault;

/// One request, or one thing that was done by hand (method `HAND`) or set up (method `SET`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Counted from 0, in the order of being applied.
    pub number: u64,
    /// When it was applied, or would have been.
    pub at: DateTime<Utc>,
    /// As on the wire.
    pub method: String,
    /// With its query.
    pub path: String,
    /// The method's name behind `/xrpc/`; empty for other paths.
    pub nsid: String,
    /// The account that the request proved to speak for.
    pub who: Option<String>,
    /// The address of the record that was written or would have been.
    pub key: Option<String>,
    /// What the server answered; `None` where it was never asked.
    pub status: Option<u16>,
    /// Whether it changed anything.
    pub applied: bool,
    /// What the road did to it.
    pub fault: Option<Fault>,
}

/// Why a journal cannot be kept.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The file cannot be opened, read or cut.
    #[error("the journal {path} cannot be opened: {source}; check its folder and mode")]
    Open {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file cannot be written.
    #[error("the journal cannot be written: {0}; nothing more is answered")]
    Write(std::io::Error),
    /// A whole line that is none of a journal's.
    #[error("line {line} of the journal {path} is none of a journal's; it was written by something else")]
    Line {
        /// Which file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
    },
}

/// What one request left behind.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Line<C> {
    pub(crate) entry: Entry,
    #[serde(default = "Vec::new", skip_serializing_if = "Vec::is_empty")]
    pub(crate) changes: Vec<C>,
}

/// Where the lines go beside memory.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    pub(crate) entries: Vec<Entry>,
    file: Option<File>,
}

impl Journal {
    /// Opens a file, and returns with it every line that it holds already.
    pub(crate) fn open<C: DeserializeOwned>(path: &Path) -> Result<(Self, Vec<Line<C>>), JournalError> {
        let broken = |source| JournalError::Open { path: path.to_owned(), source };
        let mut file = OpenOptions::new().read(true).append(true).create(true).open(path).map_err(broken)?;
        let mut text = Vec::new();
        file.read_to_end(&mut text).map_err(broken)?;
        let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        if whole != text.len() {
            file.set_len(u64::try_from(whole).unwrap_or(u64::MAX)).map_err(broken)?;
            file.sync_all().map_err(broken)?;
            text.truncate(whole);
        }
        file.seek(SeekFrom::End(0)).map_err(broken)?;
        let mut lines = Vec::new();
        for (number, line) in text.split(|byte| *byte == b'\n').enumerate() {
            if line.is_empty() {
                continue;
            }
            let line: Line<C> = serde_json::from_slice(line)
                .map_err(|_| JournalError::Line { path: path.to_owned(), line: number + 1 })?;
            lines.push(line);
        }
        let entries = lines.iter().map(|line| line.entry.clone()).collect();
        Ok((Self { entries, file: Some(file) }, lines))
    }

    /// Keeps a line; when this returns, it is on disk.
    pub(crate) fn keep<C: Serialize>(&mut self, line: &Line<C>) -> Result<(), JournalError> {
        if let Some(file) = &mut self.file {
            let mut bytes = serde_json::to_vec(line).map_err(|error| JournalError::Write(error.into()))?;
            bytes.push(b'\n');
            file.write_all(&bytes).and_then(|()| file.sync_data()).map_err(JournalError::Write)?;
        }
        self.entries.push(line.entry.clone());
        Ok(())
    }

    pub(crate) fn next_number(&self) -> u64 {
        u64::try_from(self.entries.len()).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(number: u64) -> Entry {
        Entry {
            number,
            at: DateTime::UNIX_EPOCH,
            method: "GET".to_owned(),
            path: "/x?\n=\u{2028}".to_owned(),
            nsid: String::new(),
            who: None,
            key: None,
            status: Some(404),
            applied: false,
            fault: Some(Fault::Late(std::time::Duration::from_millis(1500))),
        }
    }

    #[test]
    fn lines_are_read_back_and_a_torn_one_is_cut_away() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        let (mut journal, lines) = Journal::open::<u8>(&path).unwrap();
        assert!(lines.is_empty());
        for number in 0..3 {
            journal.keep(&Line { entry: entry(number), changes: vec![7_u8] }).unwrap();
        }
        drop(journal);
        let whole = std::fs::read(&path).unwrap();
        for torn in [whole.len() - 1, whole.len() - 20] {
            std::fs::write(&path, &whole[..torn]).unwrap();
            let (mut journal, lines) = Journal::open::<u8>(&path).unwrap();
            assert_eq!((lines.len(), journal.next_number()), (2, 2));
            assert_eq!(lines[1].entry, entry(1));
            journal.keep(&Line { entry: entry(2), changes: vec![7_u8] }).unwrap();
            assert_eq!(std::fs::read(&path).unwrap(), whole);
        }
    }

    #[test]
    fn what_is_no_journal_is_said_to_be_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        std::fs::write(&path, "hello\n").unwrap();
        let error = Journal::open::<u8>(&path).unwrap_err();
        assert!(error.to_string().starts_with("line 1 of the journal"), "{error}");
        assert!(Journal::open::<u8>(folder.path()).unwrap_err().to_string().contains("cannot be opened"));
    }
}
