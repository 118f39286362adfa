//! Reads, checks, fingerprints and previews pictures.
//!
//! Decides whether a file that an operator or an agent named may become an asset, and keeps what may: copied into a
//! store where its name is its own hash, and hashed again whenever it is read. Whether a picture suits a surface is
//! preflight's business; who may import, the desk's.
//!
//! Invariants: only a regular file beneath the client's asset root is ever opened, by no link (threat T17); what is
//! published is what was hashed at import (T18); no picture takes more memory than [`limits`] allow, whatever its file
//! claims (T16).

mod animation;
mod assets;
mod beneath;
pub mod limits;
mod location;
mod picture;
mod refusal;
mod thumbnail;

pub use assets::{Imported, import, open_verified};
pub use picture::Kind;
pub use refusal::{FileKind, MediaRefusal, Name, NameFault};
pub use thumbnail::{Thumbnail, fitted, thumbnail};
