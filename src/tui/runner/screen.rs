//! The screen: the terminal taken, drawn upon and given back, whatever happens.
//!
//! Decides what is asked of the terminal (raw keys, its other screen, bracketed paste, no cursor) and that all of it is
//! undone on leaving, on an error, on a panic and while suspended. One write a frame.

use std::io::{IsTerminal, Write, stdin, stdout};
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

use ratatui::buffer::Buffer;
use ratatui::crossterm::terminal::{disable_raw_mode, enable_raw_mode};
use ratatui::layout::Rect;
use rustix::process::{Signal, kill_current_process_group};

use super::encode;
use crate::TuiError;
use crate::frame::view;
use crate::model::Model;

/// The other screen, bracketed paste, no cursor.
const TAKE: &str = "\u{1b}[?1049h\u{1b}[?2004h\u{1b}[?25l\u{1b}[2J";
/// All of it back: a frame that broke off is ended too.
const GIVE_BACK: &str = "\u{1b}[?2026l\u{1b}[m\u{1b}[?2004l\u{1b}[?25h\u{1b}[?1049l";

/// The terminal is ours; read by the panic hook.
static TAKEN: AtomicBool = AtomicBool::new(false);
static HOOK: Once = Once::new();

/// The terminal, taken.
pub(super) struct Screen {
    shown: Buffer,
    next: Buffer,
}

impl Screen {
    /// Takes the terminal.
    pub(super) fn enter() -> Result<Self, TuiError> {
        if !stdin().is_terminal() || !stdout().is_terminal() {
            return Err(TuiError::NoTerminal);
        }
        HOOK.call_once(|| {
            let before = std::panic::take_hook();
            std::panic::set_hook(Box::new(move |info| {
                give_back();
                before(info);
            }));
        });
        take()?;
        Ok(Self { shown: Buffer::empty(Rect::default()), next: Buffer::empty(Rect::default()) })
    }

    /// Gives the terminal back.
    pub(super) fn leave(&mut self) {
        give_back();
    }

    /// Returns its columns and rows.
    pub(super) fn size(&self) -> Result<(u16, u16), TuiError> {
        Ok(ratatui::crossterm::terminal::size()?)
    }

    /// Draws what changed.
    pub(super) fn draw(&mut self, model: &Model) -> Result<(), TuiError> {
        let area = model.size.area();
        if self.shown.area != area {
            return self.draw_everything(model);
        }
        self.put(model, area, false)
    }

    /// Draws every cell, whatever the terminal shows.
    pub(super) fn draw_everything(&mut self, model: &Model) -> Result<(), TuiError> {
        let area = model.size.area();
        self.shown = Buffer::empty(area);
        self.put(model, area, true)
    }

    fn put(&mut self, model: &Model, area: Rect, clear: bool) -> Result<(), TuiError> {
        self.next.resize(area);
        self.next.reset();
        view(model, area, &mut self.next);
        let bytes = encode::frame(self.shown.diff(&self.next).into_iter(), clear);
        if !bytes.is_empty() {
            write(&bytes)?;
        }
        std::mem::swap(&mut self.shown, &mut self.next);
        Ok(())
    }

    /// Stands still until the shell lets it go on, with the terminal given back meanwhile.
    ///
    /// The whole process group stops, as with any other program on this terminal; the engine is in another one.
    pub(super) fn suspend(&mut self) -> Result<(), TuiError> {
        give_back();
        kill_current_process_group(Signal::STOP).map_err(std::io::Error::from)?;
        take()
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        give_back();
    }
}

fn take() -> Result<(), TuiError> {
    enable_raw_mode()?;
    TAKEN.store(true, Ordering::SeqCst);
    write(TAKE.as_bytes())
}

fn give_back() {
    if TAKEN.swap(false, Ordering::SeqCst) {
        // On the way out: a terminal that is gone has nothing to be given back to.
        let _gone = write(GIVE_BACK.as_bytes());
        let _raw = disable_raw_mode();
    }
}

fn write(bytes: &[u8]) -> Result<(), TuiError> {
    let mut out = stdout().lock();
    out.write_all(bytes)?;
    out.flush()?;
    Ok(())
}
