//! Why a file is not taken, or an asset not given: what, why, what to do.
//!
//! Names come from outside: they are drawn escaped and cut here, so that a message is fit for a log and a screen.

use std::fmt;
use std::io;
use std::path::PathBuf;

use domain::hash::Digest;

use crate::limits;
use crate::picture::Kind;

/// Why a picture is not imported, or a stored one not handed out.
#[derive(Debug, thiserror::Error)]
pub enum MediaRefusal {
    #[error("{name} cannot name an asset: {fault}")]
    Name { name: Name, fault: NameFault },
    #[error("the folder {path:?} cannot be opened; it has to be there and readable by the engine's user")]
    FolderClosed { path: PathBuf, source: io::Error },
    #[error("there is no file {name} in the asset folder")]
    NotFound { name: Name },
    #[error("{name} passes through a link or leaves the asset folder; copy the file itself into the folder")]
    Outside { name: Name },
    #[error("{name} is {found}; only regular files become assets")]
    NotRegular { name: Name, found: FileKind },
    #[error("{name} was replaced by something else while it was opened; import it again when it rests")]
    Swapped { name: Name },
    #[error("{name} cannot be read")]
    ReadFailed { name: Name, source: io::Error },
    #[error("this system cannot open files safely beneath a folder (openat2 is missing); Linux 5.6 or later is needed")]
    OpenUnsupported,

    #[error("the file is empty")]
    Empty,
    #[error("the file is larger than {} bytes; make it smaller", limits::BYTES_MAX)]
    TooLarge,
    #[error("the file is no JPEG, PNG, WebP or GIF, whatever its name says")]
    UnknownKind,
    #[error("the {kind} has {found} frames; at most {max} are taken")]
    Frames { kind: Kind, found: u32, max: u32 },
    #[error("the picture is {width} × {height} pixels; no side may be longer than {}", limits::SIDE_MAX)]
    Side { width: u32, height: u32 },
    #[error("the picture has {found} pixels; at most {} are taken", limits::PIXELS_MAX)]
    Pixels { found: u64 },
    #[error("the picture would take {found} bytes in memory; at most {} are given", limits::DECODED_MAX)]
    Decoded { found: u64 },
    #[error("the picture's colour profile has {found} bytes; at most {} are taken", limits::PROFILE_MAX)]
    Profile { found: u64 },
    #[error("the {kind} is damaged: {what}; export it again")]
    Malformed { kind: Kind, what: &'static str },
    #[error("the {kind} cannot be decoded; export it again")]
    Undecodable { kind: Kind, source: image::ImageError },
    #[error("the {kind} broke its decoder; do not use this file, and report it")]
    DecoderBroke { kind: Kind },

    #[error("the asset store could not {operation}")]
    StoreFailed { operation: &'static str, source: io::Error },
    #[error("the asset store has no asset {digest}; import the picture again")]
    Missing { digest: Digest },
    #[error("asset {digest} is damaged: its file now hashes to {found}; nothing is published from it; import it again")]
    Damaged { digest: Digest, found: Digest },
}

/// What makes a name unfit, before any file is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameFault {
    #[error("it is empty or has an empty part")]
    Empty,
    #[error("it begins at the root of the disk; give it relative to the asset folder")]
    Absolute,
    #[error("it has a part `.` or `..`; give it straight")]
    Dots,
    #[error("a part is longer than {} bytes", limits::NAME_BYTES_MAX)]
    TooLong,
    #[error("it has more than {} parts", limits::NAME_PARTS_MAX)]
    TooDeep,
    #[error("it has a control character or a backslash")]
    Characters,
}

/// What stands where a regular file should.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    Folder,
    Link,
    Pipe,
    Socket,
    Device,
    Other,
}

impl fmt::Display for FileKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            FileKind::Folder => "a folder",
            FileKind::Link => "a link",
            FileKind::Pipe => "a pipe",
            FileKind::Socket => "a socket",
            FileKind::Device => "a device",
            FileKind::Other => "no file of a known sort",
        })
    }
}

/// A file's name as it may be told: quoted, escaped, at most 80 characters of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name(String);

impl Name {
    pub(crate) fn of(raw: &str) -> Self {
        const TOLD_MAX: usize = 80;
        let mut told: String = raw.chars().take(TOLD_MAX).collect();
        if told.len() < raw.len() {
            told.push('…');
        }
        // Debug escapes controls, bidi and zero-width characters.
        Self(format!("{told:?}"))
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
