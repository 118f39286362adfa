//! Input: documents from a file or, as `-`, from standard input.
//!
//! Decides that nothing is read whose size is not known to be small: a file is looked at before it is opened for reading,
//! a pipe is read to the limit and no further. What a document means is the desk's business.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use crate::error::Failure;
use crate::io::Io;

/// The most bytes of a brief, policy or client.
pub(crate) const DOCUMENT_MAX: u64 = 256 * 1024;

/// Reads a document from a file, or from standard input where it is `-`.
pub(crate) async fn document(io: &mut Io, name: &Path) -> Result<String, Failure> {
    if name.as_os_str() == "-" {
        let bytes = io.read_input(DOCUMENT_MAX).await.map_err(|error| cannot("standard input", &error.to_string()))?;
        return text("standard input", bytes);
    }
    let what = format!("file {}", name.display());
    let bytes = read_file(name).map_err(|why| cannot(&what, &why))?;
    text(&what, bytes)
}

fn read_file(name: &Path) -> Result<Vec<u8>, String> {
    // Opening a FIFO without anybody at its other end, or a terminal, must not hang.
    let flags = rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOCTTY;
    let flags = i32::try_from(flags.bits()).map_err(|_| "this system cannot open it".to_owned())?;
    let file = File::options().read(true).custom_flags(flags).open(name).map_err(|error| {
        if error.kind() == std::io::ErrorKind::NotFound {
            "there is no such file".to_owned()
        } else {
            error.to_string()
        }
    })?;
    let found = file.metadata().map_err(|error| error.to_string())?;
    if found.is_dir() {
        return Err("it is a folder".to_owned());
    }
    if !found.is_file() {
        return Err(
            "it is a pipe or a device, not a file; to read from a pipe give - and connect standard input".to_owned()
        );
    }
    if found.len() > DOCUMENT_MAX {
        return Err(format!("it has {} bytes; the most is {DOCUMENT_MAX}", found.len()));
    }
    let mut bytes = Vec::new();
    file.take(DOCUMENT_MAX.saturating_add(1)).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    Ok(bytes)
}

fn text(what: &str, bytes: Vec<u8>) -> Result<String, Failure> {
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > DOCUMENT_MAX {
        return Err(cannot(what, &format!("it has more than {DOCUMENT_MAX} bytes")));
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let line = error.as_bytes().iter().take(error.utf8_error().valid_up_to()).filter(|b| **b == b'\n').count();
        cannot(what, &format!("line {} is not UTF-8 text", line.saturating_add(1)))
    })?;
    match text.chars().position(|c| c == '\0') {
        Some(_) => Err(cannot(what, "it is no text: it holds a zero byte")),
        None => Ok(text),
    }
}

fn cannot(what: &str, why: &str) -> Failure {
    Failure::invalid("input.unreadable", what, why, "give a text file of at most 256 KiB, or - for standard input")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::words;
    use crate::io::tests::pipes;

    async fn refused(io: &mut Io, name: &Path) -> String {
        let failure = document(io, name).await.unwrap_err();
        assert_eq!(words(&failure).exit, 8);
        format!("{failure:?}")
    }

    #[tokio::test]
    async fn what_is_no_small_text_file_is_refused_without_reading_it() {
        let folder = tempfile::tempdir().unwrap();
        let (mut io, _, _) = pipes(std::io::empty());
        let path = |name: &str| folder.path().join(name);
        File::create(path("big")).unwrap().set_len(50 * 1024 * 1024).unwrap();
        rustix::fs::mknodat(rustix::fs::CWD, path("fifo"), rustix::fs::FileType::Fifo, rustix::fs::Mode::RUSR, 0)
            .unwrap();
        std::fs::write(path("binary"), b"kind = 1\n\xff\xfe").unwrap();
        std::fs::write(path("zero"), b"a\0b").unwrap();
        for (name, why) in [
            ("big", "52428800 bytes"),
            ("fifo", "pipe or a device"),
            ("binary", "line 2 is not UTF-8"),
            ("zero", "zero byte"),
            ("none", "no such file"),
            (".", "folder"),
        ] {
            let told = refused(&mut io, &path(name)).await;
            assert!(told.contains(why), "{name}: {told}");
        }
        assert!(refused(&mut io, Path::new("/dev/zero")).await.contains("pipe or a device"));
    }

    #[tokio::test]
    async fn an_endless_pipe_is_read_to_the_limit_alone() {
        let (mut io, _, _) = pipes(std::io::repeat(b'a'));
        assert!(refused(&mut io, Path::new("-")).await.contains("more than"));
        let (mut io, _, _) = pipes(&b"kind = \"micro\"\n"[..]);
        assert_eq!(document(&mut io, Path::new("-")).await.unwrap(), "kind = \"micro\"\n");
    }
}
