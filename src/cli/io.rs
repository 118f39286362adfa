//! Streams: what is written to and read from, passed in so that nothing else touches them.
//!
//! Decides that a reader who went away ends the program quietly, and that a typed secret is not echoed and the terminal is
//! given back as it was, also when the question is broken off.

use std::fmt;
use std::io::{self, IsTerminal, Read, Write};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};

/// Where output goes and input comes from.
pub struct Io {
    /// Standard output: data.
    pub out: Box<dyn Write>,
    /// Standard error: everything else.
    pub err: Box<dyn Write>,
    /// Standard input; taken while it is being read.
    pub input: Option<Box<dyn Read + Send>>,
    /// Standard output is a terminal.
    pub out_is_tty: bool,
    /// Standard error is a terminal.
    pub err_is_tty: bool,
    /// Standard input is a terminal.
    pub in_is_tty: bool,
    /// Columns of the terminal that standard output is.
    pub width: Option<usize>,
}

impl Io {
    /// Returns the process's own streams.
    pub fn real() -> Self {
        let out_is_tty = io::stdout().is_terminal();
        Self {
            out: Box::new(io::stdout()),
            err: Box::new(io::stderr()),
            input: Some(Box::new(io::stdin())),
            out_is_tty,
            err_is_tty: io::stderr().is_terminal(),
            in_is_tty: io::stdin().is_terminal(),
            width: if out_is_tty {
                tcgetwinsize(io::stdout()).ok().map(|size| usize::from(size.ws_col)).filter(|w| *w > 0)
            } else {
                None
            },
        }
    }

    /// Writes data.
    pub(crate) fn data(&mut self, text: &str) -> io::Result<()> {
        self.out.write_all(text.as_bytes()).and_then(|()| self.out.flush())
    }

    /// Writes anything else. A standard error that is gone is no reason to stop.
    pub(crate) fn aside(&mut self, text: &str) {
        let _gone = self.err.write_all(text.as_bytes()).and_then(|()| self.err.flush());
    }

    /// Reads at most `limit` bytes of standard input, and one more, which says that there was more. The reading is done on
    /// a thread of its own, so that Ctrl-C ends it.
    pub(crate) async fn read_input(&mut self, limit: u64) -> io::Result<Vec<u8>> {
        self.reading(move |input| {
            let mut bytes = Vec::new();
            input.take(limit.saturating_add(1)).read_to_end(&mut bytes).map(|_| bytes)
        })
        .await
    }

    /// Reads the first line of standard input without its end, at most `limit` bytes of it; one more says that there was
    /// more.
    pub(crate) async fn read_line(&mut self, limit: usize) -> io::Result<Vec<u8>> {
        self.reading(move |input| line_of(input, limit)).await
    }

    async fn reading<T: Send + 'static>(
        &mut self,
        read: impl FnOnce(&mut dyn Read) -> io::Result<T> + Send + 'static,
    ) -> io::Result<T> {
        let Some(mut input) = self.input.take() else {
            return Err(io::Error::other("it is read already"));
        };
        let worked = tokio::task::spawn_blocking(move || {
            let read = read(&mut *input);
            (input, read)
        })
        .await;
        let (input, read) = worked.map_err(io::Error::other)?;
        self.input = Some(input);
        read
    }
}

fn line_of(input: &mut dyn Read, limit: usize) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    let mut byte = [0_u8; 1];
    // One byte at a time, so that nothing after the line is taken.
    while line.len() <= limit {
        match input.read(&mut byte) {
            Ok(0) => break,
            Ok(_) if byte == *b"\n" => break,
            Ok(_) => line.extend(byte),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    Ok(line)
}

impl fmt::Debug for Io {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Io")
            .field("out_is_tty", &self.out_is_tty)
            .field("in_is_tty", &self.in_is_tty)
            .finish_non_exhaustive()
    }
}

/// While it lives, the terminal on standard input does not show what is typed.
pub(crate) struct Hidden {
    before: Termios,
}

impl Hidden {
    /// Stops the echo; the end of the line is still shown.
    pub(crate) fn begin() -> io::Result<Self> {
        let before = tcgetattr(io::stdin())?;
        let mut quiet = before.clone();
        quiet.local_modes.remove(LocalModes::ECHO);
        quiet.local_modes.insert(LocalModes::ECHONL | LocalModes::ICANON);
        tcsetattr(io::stdin(), OptionalActions::Flush, &quiet)?;
        Ok(Self { before })
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        let _nothing_left_to_try = tcsetattr(io::stdin(), OptionalActions::Now, &self.before);
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    /// What was written, for a look at it afterwards.
    #[derive(Clone, Default)]
    pub(crate) struct Page(Arc<Mutex<Vec<u8>>>);

    impl Page {
        pub(crate) fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }
    }

    impl Write for Page {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// Streams of a pipe, with some input.
    pub(crate) fn pipes(input: impl Read + Send + 'static) -> (Io, Page, Page) {
        let (out, err) = (Page::default(), Page::default());
        let io = Io {
            out: Box::new(out.clone()),
            err: Box::new(err.clone()),
            input: Some(Box::new(input)),
            out_is_tty: false,
            err_is_tty: false,
            in_is_tty: false,
            width: None,
        };
        (io, out, err)
    }

    #[tokio::test]
    async fn a_line_is_read_without_what_follows() {
        let (mut io, _, _) = pipes(&b"secret\r\nnext"[..]);
        assert_eq!(io.read_line(100).await.unwrap(), b"secret");
        assert_eq!(io.read_input(100).await.unwrap(), b"next");
        let (mut io, _, _) = pipes(io::repeat(b'x'));
        assert_eq!(io.read_line(10).await.unwrap().len(), 11);
    }
}
