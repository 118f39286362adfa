//! A terminal with an operator before it: a real pseudo-terminal, its screen as text, and keys pressed one by one.
//!
//! Decides how an operator waits: for what can be seen, with a limit, and for a sheet to take keys, as a person would. A key
//! is whatever one press sends; typed or pasted text counts as one. It answers no question of the program, as a terminal
//! over a slow line would not.

#![expect(clippy::expect_used, clippy::panic, reason = "a terminal that cannot be had fails the test, with words")]
#![expect(clippy::disallowed_methods, reason = "a screen is waited for in real time")]

use std::io::{Read, Write};
use std::num::NonZero;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

/// How long an operator waits for something to appear before calling it broken.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long a screen stands still before it counts as settled.
const STILL: Duration = Duration::from_millis(120);
/// After this a sheet takes keys: a little more than its own delay.
const SHEET: Duration = Duration::from_millis(450);

/// A program in a terminal.
pub(crate) struct Terminal {
    /// None once the line was cut.
    line: Option<Line>,
    child: Box<dyn Child + Send + Sync>,
    seen: Arc<Mutex<Seen>>,
    pressed: usize,
}

struct Line {
    master: Box<dyn MasterPty + Send>,
    keyboard: Box<dyn Write + Send>,
}

struct Seen {
    parser: vt100::Parser,
    bytes: Vec<u8>,
    last: Instant,
    ended: bool,
}

/// A size in columns and rows.
pub(crate) type Size = (u16, u16);

impl Terminal {
    /// Opens a terminal of a size on a program; nothing of the test's own environment gets in.
    pub(crate) fn open(program: &str, arguments: &[&str], environment: &[(&str, &str)], size: Size) -> Self {
        let pair = native_pty_system().openpty(pty_size(size)).expect("a pseudo-terminal");
        let mut command = CommandBuilder::new(program);
        command.env_clear();
        let usual =
            [("PATH", "/usr/bin:/bin:/usr/sbin"), ("LANG", "C.UTF-8"), ("TZ", "UTC"), ("TERM", "xterm-256color")];
        for (name, value) in usual.iter().chain(environment) {
            command.env(name, value);
        }
        command.args(arguments);
        command.cwd("/");
        let child = pair.slave.spawn_command(command).expect("the program starts in the terminal");
        drop(pair.slave);
        let (rows, columns) = some(size);
        let parser = vt100::Parser::new(rows, columns, 0);
        let seen = Arc::new(Mutex::new(Seen { parser, bytes: Vec::new(), last: Instant::now(), ended: false }));
        let mut screen = pair.master.try_clone_reader().expect("the terminal's screen");
        let into = Arc::clone(&seen);
        std::thread::spawn(move || {
            let mut piece = vec![0_u8; 65_536];
            loop {
                let read = screen.read(&mut piece);
                let mut seen = into.lock().expect("the screen");
                seen.last = Instant::now();
                match read {
                    // The end of a terminal is an error on Linux.
                    Ok(0) | Err(_) => {
                        seen.ended = true;
                        return;
                    }
                    Ok(count) => {
                        let piece = piece.get(..count).unwrap_or_default();
                        seen.parser.process(piece);
                        seen.bytes.extend_from_slice(piece);
                    }
                }
            }
        });
        let keyboard = pair.master.take_writer().expect("the terminal's keyboard");
        Self { line: Some(Line { master: pair.master, keyboard }), child, seen, pressed: 0 }
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().expect("the screen")
    }

    /// What the screen shows, one line a row.
    pub(crate) fn screen(&self) -> String {
        self.seen().parser.screen().contents()
    }

    /// Every byte that was written to the screen so far.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.seen().bytes.clone()
    }

    /// How many keys were pressed so far.
    pub(crate) const fn pressed(&self) -> usize {
        self.pressed
    }

    /// Presses one key, by its name or its letter, and lets the screen settle.
    pub(crate) fn press(&mut self, key: &str) {
        let sent = match key {
            "Enter" => "\r",
            "Esc" => "\u{1b}",
            "Tab" => "\t",
            "Space" => " ",
            "Up" => "\u{1b}[A",
            "Down" => "\u{1b}[B",
            "Ctrl-c" => "\u{3}",
            "Ctrl-z" => "\u{1a}",
            letter => letter,
        };
        self.send(sent);
        self.settle();
    }

    /// Presses one key and waits for nothing, as somebody does who is faster than somebody else.
    pub(crate) fn press_at_once(&mut self, key: &str) {
        self.send(key);
    }

    /// Types a text letter by letter; counts as one key.
    pub(crate) fn type_text(&mut self, text: &str) {
        self.send(text);
        self.settle();
    }

    /// Pastes a text as a terminal does that was asked for bracketed paste; counts as one key.
    pub(crate) fn paste(&mut self, text: &str) {
        self.send(&format!("\u{1b}[200~{text}\u{1b}[201~"));
        self.settle();
    }

    fn send(&mut self, text: &str) {
        self.pressed += 1;
        let line = self.line.as_mut().expect("the line stands");
        line.keyboard.write_all(text.as_bytes()).expect("the program takes keys");
        line.keyboard.flush().expect("the program takes keys");
    }

    /// Waits until nothing was written for a moment.
    pub(crate) fn settle(&self) {
        let began = Instant::now();
        std::thread::sleep(STILL);
        while self.seen().last.elapsed() < STILL && began.elapsed() < PATIENCE {
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Waits until the screen shows a text; returns the screen.
    pub(crate) fn wait_for(&self, text: &str) -> String {
        self.wait_until(&format!("`{text}`"), PATIENCE, |screen| screen.contains(text))
    }

    /// Waits until a sheet with this text is drawn and takes keys.
    pub(crate) fn wait_for_sheet(&self, text: &str) -> String {
        let screen = self.wait_for(text);
        std::thread::sleep(SHEET);
        screen
    }

    /// Waits until a text is gone from the screen; returns the screen.
    pub(crate) fn wait_until_gone(&self, text: &str) -> String {
        self.wait_until(&format!("an end of `{text}`"), PATIENCE, |screen| !screen.contains(text))
    }

    /// Waits until the screen is as wanted; returns it.
    pub(crate) fn wait_until(&self, what: &str, limit: Duration, wanted: impl Fn(&str) -> bool) -> String {
        let began = Instant::now();
        loop {
            let screen = self.screen();
            if wanted(&screen) {
                return screen;
            }
            assert!(began.elapsed() < limit, "no {what} within {limit:?}; the screen shows:\n{screen}");
            assert!(!self.seen().ended, "no {what}: the program ended; the screen shows:\n{screen}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// The row that holds a text, without its edges.
    pub(crate) fn row(&self, text: &str) -> String {
        let screen = self.screen();
        let row = screen.lines().find(|row| row.contains(text));
        row.unwrap_or_else(|| panic!("no row holds `{text}`; the screen shows:\n{screen}")).trim().to_owned()
    }

    /// Gives the window another size.
    pub(crate) fn resize(&mut self, size: Size) {
        let line = self.line.as_ref().expect("the line stands");
        let (rows, columns) = some(size);
        self.seen().parser.screen_mut().set_size(rows, columns);
        line.master.resize(pty_size(size)).expect("the terminal takes another size");
        self.settle();
    }

    /// The process in the terminal.
    pub(crate) fn pid(&self) -> u32 {
        self.child.process_id().expect("the program runs")
    }

    /// Cuts the line: where this terminal's program is an SSH client, it is killed without a word to the other end.
    pub(crate) fn cut(&mut self) {
        self.line = None;
        let client = rustix::process::Pid::from_raw(i32::try_from(self.pid()).expect("a process")).expect("a process");
        rustix::process::kill_process(client, rustix::process::Signal::KILL).expect("the client runs");
        let _reaped = self.child.wait();
    }

    /// Waits until the program has ended; returns its exit code.
    pub(crate) fn ended(&mut self, limit: Duration) -> u32 {
        let began = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("a child") {
                return status.exit_code();
            }
            assert!(began.elapsed() < limit, "the program did not end within {limit:?}:\n{}", self.screen());
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// Rows and columns, as the one who draws them wants them.
fn some((columns, rows): Size) -> (NonZero<u16>, NonZero<u16>) {
    (NonZero::new(rows).expect("rows"), NonZero::new(columns).expect("columns"))
}

const fn pty_size((columns, rows): Size) -> PtySize {
    PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 }
}
