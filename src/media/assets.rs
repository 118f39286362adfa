//! The asset store: pictures kept under their own hash.
//!
//! Decides how a picture gets in (copied, never linked, so that a later change of the operator's file changes nothing)
//! and how it gets out (hashed again, so that a change of the stored file is found before it is published). What an
//! asset is used for is in the variants' facets.
//!
//! Layout: `ab/abcd…`, the SHA-256 in hexadecimal below its first two digits; mode 0400, folders 0700. A file appears
//! whole and durable or not at all: written aside, synced, renamed, and the folders synced.

use std::fs::File;
use std::io::Write;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};

use domain::hash::Digest;
use rustix::fs::{AtFlags, Mode, OFlags, fchmod, fsync, mkdirat, openat, renameat, unlinkat};
use rustix::io::Errno;

use crate::beneath::{self, open_folder};
use crate::picture::{Kind, look};
use crate::refusal::MediaRefusal;

/// What is known of an asset from its import on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Imported {
    /// SHA-256 of the file as it is stored; its name in the store.
    pub digest: Digest,
    pub kind: Kind,
    /// The media type, as an upload names it.
    pub mime: &'static str,
    /// Pixels as stored, before any orientation that the metadata asks for.
    pub width: u32,
    pub height: u32,
    /// Length of the file.
    pub bytes: u64,
    /// Whether its metadata has a place for where it was taken; preflight makes a finding of it.
    pub has_gps: bool,
}

/// Reads the picture `name` beneath `root`, checks it, and copies it into `store`.
///
/// `name` is relative to `root`, its parts divided by `/`. Importing the same bytes again gives the same asset and mends
/// a damaged copy. Both folders have to be there. Blocks; decodes the whole picture.
///
/// # Errors
/// Says why the file is not taken, or what the store could not do.
pub fn import(root: &Path, name: &str, store: &Path) -> Result<Imported, MediaRefusal> {
    let bytes = beneath::read(root, name)?;
    let picture = look(&bytes)?;
    let digest = Digest::of(&bytes);
    keep(store, &digest, &bytes)?;
    Ok(Imported {
        digest,
        kind: picture.kind,
        mime: picture.kind.mime(),
        width: picture.width,
        height: picture.height,
        bytes: u64::try_from(bytes.len()).unwrap_or(u64::MAX),
        has_gps: picture.has_gps,
    })
}

/// Returns a stored picture's bytes, after hashing them again.
///
/// # Errors
/// `Missing` when the store has no such asset, `Damaged` when its bytes are not those that were imported.
pub fn open_verified(store: &Path, digest: &Digest) -> Result<Vec<u8>, MediaRefusal> {
    let (folder, file) = place(digest);
    let bytes = beneath::read(store, &format!("{folder}/{file}")).map_err(|refusal| {
        let missing = matches!(refusal, MediaRefusal::NotFound { .. });
        if missing { MediaRefusal::Missing { digest: *digest } } else { refusal }
    })?;
    let found = Digest::of(&bytes);
    if found == *digest {
        return Ok(bytes);
    }
    Err(MediaRefusal::Damaged { digest: *digest, found })
}

/// The folder and the file of an asset.
fn place(digest: &Digest) -> (String, String) {
    let file = digest.to_string();
    (file.chars().take(2).collect(), file)
}

fn keep(store: &Path, digest: &Digest, bytes: &[u8]) -> Result<(), MediaRefusal> {
    let store = open_folder(store)?;
    let (folder, file) = place(digest);
    match mkdirat(&store, &folder, Mode::RWXU) {
        Ok(()) | Err(Errno::EXIST) => {}
        Err(errno) => return Err(failed("make a folder", errno)),
    }
    let folder =
        openat(&store, &folder, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty())
            .map_err(|errno| failed("open a folder", errno))?;
    let (aside, open) = create(&folder)?;
    let kept = write(open, bytes)
        .and_then(|()| renameat(&folder, &aside, &folder, &file).map_err(|errno| failed("name a file", errno)));
    if kept.is_err() {
        // The refusal that led here says more than a failure to tidy up could.
        unlinkat(&folder, &aside, AtFlags::empty()).ok();
    }
    kept?;
    sync(&folder)?;
    sync(&store)
}

/// Makes a new file beside the assets, under a name that no digest has.
fn create(folder: &OwnedFd) -> Result<(String, File), MediaRefusal> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    loop {
        let name = format!(".aside-{}-{}", process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        match openat(folder, &name, flags, Mode::RUSR | Mode::WUSR) {
            Ok(file) => return Ok((name, file.into())),
            // Left by a process of the same number that died; the count moves on.
            Err(Errno::EXIST) => {}
            Err(errno) => return Err(failed("make a file", errno)),
        }
    }
}

fn write(mut file: File, bytes: &[u8]) -> Result<(), MediaRefusal> {
    file.write_all(bytes).map_err(|source| MediaRefusal::StoreFailed { operation: "write a file", source })?;
    fchmod(&file, Mode::RUSR).map_err(|errno| failed("protect a file", errno))?;
    fsync(&file).map_err(|errno| failed("make a file durable", errno))
}

fn sync(folder: &OwnedFd) -> Result<(), MediaRefusal> {
    fsync(folder).map_err(|errno| failed("make a folder durable", errno))
}

fn failed(operation: &'static str, errno: Errno) -> MediaRefusal {
    MediaRefusal::StoreFailed { operation, source: errno.into() }
}

#[cfg(test)]
mod tests;
