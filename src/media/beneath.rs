//! Opening a named file beneath a folder, and nothing else.
//!
//! Decides which names are fit and what may be opened: a regular file, on the folder's own file system, reached by no
//! link of any sort. What its bytes are is decided in [`crate::picture`].
//!
//! The kernel resolves the name in one call (`openat2`), so that nothing can be swapped between a check and its use. The
//! file is first opened as a mere place (`O_PATH`), since opening a device or a pipe for reading can act on it; then for
//! reading, and it must still be the same file.

use std::fs::File;
use std::io::Read;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use rustix::fs::{FileType, Mode, OFlags, ResolveFlags, Stat, fstat, open, openat2};
use rustix::io::Errno;

use crate::limits::{BYTES_MAX, NAME_BYTES_MAX, NAME_PARTS_MAX};
use crate::refusal::{FileKind, MediaRefusal, Name, NameFault};

/// Returns the bytes of the file `name` beneath `root`; at most [`BYTES_MAX`].
pub(crate) fn read(root: &Path, name: &str) -> Result<Vec<u8>, MediaRefusal> {
    if let Some(fault) = fault(name) {
        return Err(MediaRefusal::Name { name: Name::of(name), fault });
    }
    let root = open_folder(root)?;
    let place = resolve(&root, name, OFlags::PATH)?;
    let expected = regular(&place, name)?;
    let file = resolve(&root, name, OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY)?;
    let found = regular(&file, name)?;
    if (found.st_dev, found.st_ino) != (expected.st_dev, expected.st_ino) {
        return Err(MediaRefusal::Swapped { name: Name::of(name) });
    }
    if u64::try_from(found.st_size).is_ok_and(|size| size > BYTES_MAX) {
        return Err(MediaRefusal::TooLarge);
    }
    // The size is only what the file system says; what counts is what can be read.
    let mut bytes = Vec::new();
    File::from(file)
        .take(BYTES_MAX + 1)
        .read_to_end(&mut bytes)
        .map_err(|source| MediaRefusal::ReadFailed { name: Name::of(name), source })?;
    match u64::try_from(bytes.len()) {
        Ok(0) => Err(MediaRefusal::Empty),
        Ok(read) if read <= BYTES_MAX => Ok(bytes),
        Ok(_) | Err(_) => Err(MediaRefusal::TooLarge),
    }
}

/// Opens a folder that the configuration names; the way to it may hold links, as the operator laid it out.
pub(crate) fn open_folder(path: &Path) -> Result<OwnedFd, MediaRefusal> {
    open(path, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
        .map_err(|errno| MediaRefusal::FolderClosed { path: path.to_owned(), source: errno.into() })
}

fn fault(name: &str) -> Option<NameFault> {
    if name.starts_with('/') {
        return Some(NameFault::Absolute);
    }
    if name.chars().any(|c| c.is_control() || c == '\\') {
        return Some(NameFault::Characters);
    }
    if name.split('/').nth(NAME_PARTS_MAX).is_some() {
        return Some(NameFault::TooDeep);
    }
    name.split('/').find_map(|part| match part {
        "" => Some(NameFault::Empty),
        "." | ".." => Some(NameFault::Dots),
        _ if part.len() > NAME_BYTES_MAX => Some(NameFault::TooLong),
        _ => None,
    })
}

fn resolve(root: &OwnedFd, name: &str, flags: OFlags) -> Result<OwnedFd, MediaRefusal> {
    const RESOLVE: ResolveFlags = ResolveFlags::BENEATH
        .union(ResolveFlags::NO_SYMLINKS)
        .union(ResolveFlags::NO_MAGICLINKS)
        .union(ResolveFlags::NO_XDEV);
    /// The kernel asks for another try when something on the way was renamed meanwhile.
    const TRIES: u32 = 16;
    let told = || Name::of(name);
    let mut tries = 0;
    loop {
        tries += 1;
        let errno = match openat2(root, name, flags | OFlags::CLOEXEC, Mode::empty(), RESOLVE) {
            Ok(file) => return Ok(file),
            Err(errno) => errno,
        };
        return Err(match errno {
            Errno::AGAIN | Errno::INTR if tries < TRIES => continue,
            Errno::AGAIN | Errno::INTR => MediaRefusal::Swapped { name: told() },
            Errno::LOOP | Errno::XDEV => MediaRefusal::Outside { name: told() },
            Errno::NOENT | Errno::NOTDIR => MediaRefusal::NotFound { name: told() },
            Errno::NOSYS => MediaRefusal::OpenUnsupported,
            _ => MediaRefusal::ReadFailed { name: told(), source: errno.into() },
        });
    }
}

fn regular(file: impl AsFd, name: &str) -> Result<Stat, MediaRefusal> {
    let stat = fstat(file).map_err(|errno| MediaRefusal::ReadFailed { name: Name::of(name), source: errno.into() })?;
    let found = match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => return Ok(stat),
        FileType::Directory => FileKind::Folder,
        FileType::Symlink => FileKind::Link,
        FileType::Fifo => FileKind::Pipe,
        FileType::Socket => FileKind::Socket,
        FileType::CharacterDevice | FileType::BlockDevice => FileKind::Device,
        FileType::Unknown => FileKind::Other,
    };
    Err(MediaRefusal::NotRegular { name: Name::of(name), found })
}

#[cfg(test)]
mod tests;
