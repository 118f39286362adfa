//! The operator's editor on a document, and what becomes of the text when the desk says no: it is kept.

use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;
use std::process::Command;

use domain::refusal::Refusal;

use crate::error::Failure;
use crate::input;
use crate::io::Io;

/// A document after it was edited.
#[derive(Debug)]
pub(crate) struct Edited {
    /// What it says now.
    pub(crate) text: String,
    file: tempfile::TempPath,
}

impl Edited {
    /// Keeps the text, and returns where.
    pub(crate) fn keep(self) -> Option<PathBuf> {
        self.file.keep().ok()
    }
}

/// Opens a document in the editor, in a file that nobody else can read. One that comes back unchanged is nothing to do.
pub(crate) async fn edit(io: &mut Io, editor: Option<OsString>, what: &str, before: &str) -> Result<Edited, Failure> {
    let failed =
        |error: std::io::Error| Failure::failed(format!("{what}: the file for the editor cannot be written: {error}"));
    let mut file = tempfile::Builder::new().prefix("expos-").suffix(".toml").tempfile().map_err(failed)?;
    file.write_all(before.as_bytes()).map_err(failed)?;
    let file = file.into_temp_path();
    let editor = editor.unwrap_or_else(|| OsString::from("vi"));
    let path = file.to_path_buf();
    let ran = tokio::task::spawn_blocking({
        let editor = editor.clone();
        move || run(&editor, path)
    });
    let status = ran.await.map_err(|e| Failure::failed(format!("{what}: {e}")))?;
    let told = editor.to_string_lossy().into_owned();
    let status = status.map_err(|e| Failure::failed(format!("{what}: the editor `{told}` cannot be started: {e}")))?;
    if !status.success() {
        return Err(Failure::failed(format!("{what}: the editor `{told}` ended with {status}; nothing was changed")));
    }
    let text = input::document(io, &file).await?;
    if text == before {
        return Err(Refusal::nothing(what, "nothing was changed").into());
    }
    Ok(Edited { text, file })
}

/// The variable may hold arguments, so the shell reads it; the file's name is never part of what the shell reads.
fn run(editor: &OsString, path: PathBuf) -> std::io::Result<std::process::ExitStatus> {
    Command::new("/bin/sh").arg("-c").arg("exec $0 \"$1\"").arg(editor).arg(path).status()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::words;
    use crate::io::tests::pipes;

    async fn with(editor: &str) -> Result<Edited, Failure> {
        let (mut io, _, _) = pipes(std::io::empty());
        edit(&mut io, Some(editor.into()), "policy of acme", "a = 1\n").await
    }

    #[tokio::test]
    async fn an_edit_comes_back_and_can_be_kept() {
        let edited = with("sed -i s/1/2/").await.unwrap();
        assert_eq!(edited.text, "a = 2\n");
        let kept = edited.keep().unwrap();
        assert_eq!(std::fs::read_to_string(&kept).unwrap(), "a = 2\n");
        std::fs::remove_file(kept).unwrap();
    }

    #[tokio::test]
    async fn an_unchanged_document_is_nothing_to_do_and_a_broken_editor_a_failure() {
        assert_eq!(words(&with("true").await.unwrap_err()).exit, 9);
        assert_eq!(words(&with("false").await.unwrap_err()).exit, 1);
        assert_eq!(words(&with("/nowhere/editor").await.unwrap_err()).exit, 1);
    }
}
