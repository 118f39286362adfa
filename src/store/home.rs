//! The home: the folder of one agency, and what stands where in it.
//!
//! Decides the names, the rights (personal: nobody else reads anything; shared: the group may reach the socket and nothing
//! more) and which paths are refused: links, files of other users, network disks. What is in the files is `connection`,
//! `vault`, and other crates' business.
//!
//! Invariant: the store's file is never opened by anything but SQLite while a store is open; closing such a descriptor
//! would drop SQLite's own locks.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use domain::agency::HomeKind;
use domain::id::{ClientId, StoreId};
use zeroize::Zeroizing;

use crate::StoreError;

/// The folder of one agency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Home {
    /// Where it is.
    pub root: PathBuf,
}

impl Home {
    /// Names a home; nothing is looked at yet.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// Returns the store's file.
    pub fn db(&self) -> PathBuf {
        self.root.join("store.db")
    }

    /// Returns the file whose lock makes an engine the owner.
    pub fn lock(&self) -> PathBuf {
        self.root.join("engine.lock")
    }

    /// Returns the file of the master key; without it no login in the store can be opened.
    pub fn key(&self) -> PathBuf {
        self.root.join("master.key")
    }

    /// Returns the file that says which store belongs here.
    pub fn id_file(&self) -> PathBuf {
        self.root.join("store.id")
    }

    /// Returns the folder from which a client's briefs take pictures.
    pub fn assets(&self, client: &ClientId) -> PathBuf {
        self.root.join("assets").join(client.as_str())
    }

    /// Returns the folder of the content-addressed copies, which alone are published.
    pub fn content_store(&self) -> PathBuf {
        self.root.join("content")
    }

    /// Returns the folder of the socket.
    pub fn run(&self) -> PathBuf {
        self.root.join("run")
    }

    /// Returns the desk's socket.
    pub fn socket(&self) -> PathBuf {
        self.run().join("desk.sock")
    }

    /// Returns the folder of rule packs and limits that replace the built-in ones.
    pub fn rules(&self) -> PathBuf {
        self.root.join("rules")
    }

    /// Returns the configuration.
    pub fn config(&self) -> PathBuf {
        self.root.join("expos.toml")
    }

    /// Tells whether there is a store here.
    pub fn exists(&self) -> bool {
        self.db().symlink_metadata().is_ok()
    }

    /// Makes the folders and the master key where they are missing. May be repeated; an existing key is kept.
    ///
    /// Refuses a root that is a link, another user's, or open to others' writing.
    pub fn create(&self, kind: HomeKind) -> Result<(), StoreError> {
        let open_to_group = match kind {
            HomeKind::Personal => 0o700,
            HomeKind::Shared => 0o750,
        };
        make_folder(&self.root, open_to_group)?;
        self.check_root()?;
        make_folder(&self.root.join("assets"), 0o700)?;
        make_folder(&self.content_store(), 0o700)?;
        make_folder(&self.run(), open_to_group)?;
        if self.key().symlink_metadata().is_err() {
            let key = Zeroizing::new(clock::fresh_bytes::<32>()?);
            write_new(&self.key(), key.as_slice(), 0o400)?;
        }
        sync_folder(&self.root)
    }

    /// Checks that the home can be trusted: ours, local, and its store a plain file of its own.
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        self.check_root()?;
        let db = self.db();
        let found = match db.symlink_metadata() {
            Ok(found) => found,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(StoreError::NoHome { root: self.root.display().to_string() });
            }
            Err(error) => return Err(StoreError::file(&db, &error)),
        };
        let refuse = |why: &str| Err(StoreError::Unsafe { path: db.display().to_string(), why: why.to_owned() });
        if !found.file_type().is_file() {
            return refuse("it is a link or no file; a store is a plain file in its own home");
        }
        if found.nlink() > 1 {
            return refuse("it has a second name (a hard link); two engines could run on it, remove the other name");
        }
        if found.uid() != rustix::process::geteuid().as_raw() {
            return refuse("it belongs to another user; run as that user");
        }
        // SQLite would give the files that it makes beside it the same rights, and those would stay when these are mended.
        if found.mode() & 0o600 != 0o600 {
            return refuse("its owner may not read and write it; mend its rights with `chmod 0600`");
        }
        check_local(&self.root)
    }

    fn check_root(&self) -> Result<(), StoreError> {
        let found = self.root.symlink_metadata().map_err(|error| {
            if error.kind() == std::io::ErrorKind::NotFound {
                StoreError::NoHome { root: self.root.display().to_string() }
            } else {
                StoreError::file(&self.root, &error)
            }
        })?;
        let refuse = |why: &str| Err(StoreError::Unsafe { path: self.root.display().to_string(), why: why.to_owned() });
        if !found.file_type().is_dir() {
            return refuse("a home is a folder, not a link or a file; name the folder itself");
        }
        if found.uid() != rustix::process::geteuid().as_raw() {
            return refuse("it belongs to another user; run as that user");
        }
        if found.mode() & 0o022 != 0 {
            return refuse("others may write in it; take that away with `chmod go-w`");
        }
        Ok(())
    }

    /// Reads the master key, after checking that nobody else could.
    pub(crate) fn read_key(&self) -> Result<Zeroizing<[u8; 32]>, StoreError> {
        let path = self.key();
        let refuse = |why: &str| Err(StoreError::Unsafe { path: path.display().to_string(), why: why.to_owned() });
        let no_follow = rustix::fs::OFlags::NOFOLLOW.bits();
        let Ok(no_follow) = i32::try_from(no_follow) else {
            return refuse("this system cannot open it without following links");
        };
        let mut file = OpenOptions::new()
            .read(true)
            .custom_flags(no_follow)
            .open(&path)
            .map_err(|error| StoreError::file(&path, &error))?;
        let found = file.metadata().map_err(|error| StoreError::file(&path, &error))?;
        if !found.file_type().is_file() || found.uid() != rustix::process::geteuid().as_raw() {
            return refuse("the master key is a plain file of the user who owns the home");
        }
        if found.mode() & 0o7777 != 0o400 {
            return refuse(
                "the master key must be readable by its owner alone; `chmod 0400` it, and if others could read it, rotate it",
            );
        }
        let mut key = Zeroizing::new([0u8; 32]);
        let whole = file.read_exact(key.as_mut_slice()).and_then(|()| file.read(&mut [0u8; 1]));
        match whole {
            Ok(0) => Ok(key),
            Ok(_) => refuse("a master key has 32 bytes, this one has more"),
            Err(_) => refuse("a master key has 32 bytes, this one has fewer"),
        }
    }

    /// Writes which store belongs here.
    pub(crate) fn write_id(&self, id: StoreId) -> Result<(), StoreError> {
        write_new(&self.id_file(), id.to_string().as_bytes(), 0o400)
    }

    /// Returns which store belongs here.
    pub(crate) fn read_id(&self) -> Result<StoreId, StoreError> {
        let path = self.id_file();
        let text = fs::read_to_string(&path).map_err(|error| StoreError::file(&path, &error))?;
        crate::convert::parse(&path.display().to_string(), text.trim())
    }

    /// Describes where the store stands: path, device, inode and machine. Another text at the next run means that the
    /// store was copied or moved.
    pub(crate) fn place(&self) -> Result<String, StoreError> {
        let db = self.db();
        let path = fs::canonicalize(&self.root).map_err(|error| StoreError::file(&self.root, &error))?;
        let found = db.symlink_metadata().map_err(|error| StoreError::file(&db, &error))?;
        let machine = fs::read_to_string("/etc/machine-id").unwrap_or_default();
        Ok(format!("{} file {}:{} machine {}", path.display(), found.dev(), found.ino(), machine.trim()))
    }
}

fn make_folder(path: &Path, mode: u32) -> Result<(), StoreError> {
    match DirBuilder::new().mode(mode).create(path) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            DirBuilder::new().recursive(true).mode(mode).create(path).map_err(|error| StoreError::file(path, &error))
        }
        Err(error) => Err(StoreError::file(path, &error)),
    }
}

/// Writes a file that must not exist, whole, synced, with rights from the first moment on.
pub(crate) fn write_new(path: &Path, bytes: &[u8], mode: u32) -> Result<(), StoreError> {
    let failed = |error: std::io::Error| StoreError::file(path, &error);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path).map_err(failed)?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(failed)
}

/// Makes new names in a folder durable.
pub(crate) fn sync_folder(path: &Path) -> Result<(), StoreError> {
    fs::File::open(path).and_then(|folder| folder.sync_all()).map_err(|error| StoreError::file(path, &error))
}

/// File systems over a network, by the number that Linux gives them.
const NETWORK_DISKS: [(u64, &str); 6] = [
    (0x6969, "NFS"),
    (0x517B, "SMB"),
    (0xFE53_4D42, "SMB"),
    (0xFF53_4D42, "CIFS"),
    (0x6573_5546, "FUSE"),
    (0x0102_1997, "9P"),
];

fn check_local(path: &Path) -> Result<(), StoreError> {
    let found = rustix::fs::statfs(path).map_err(|error| StoreError::file(path, &error.into()))?;
    let sort = u64::try_from(found.f_type).unwrap_or(0) & 0xFFFF_FFFF;
    match NETWORK_DISKS.iter().find(|(number, _)| *number == sort) {
        Some((_, kind)) => Err(StoreError::NetworkDisk { path: path.display().to_string(), kind }),
        None => Ok(()),
    }
}

/// Returns the free bytes for this user on the disk of a path.
pub(crate) fn free_bytes(path: &Path) -> Option<u64> {
    let found = rustix::fs::statvfs(path).ok()?;
    found.f_bavail.checked_mul(found.f_frsize)
}
