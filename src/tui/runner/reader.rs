//! Reading: keys, pastes, sizes and the end of the terminal, each a message.
//!
//! Decides that a terminal which is gone ends the dashboard at once: a hang-up, an end of input and an input error are
//! seen before anything reads, since a read on a terminal that was closed may never return.

use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc::UnboundedSender;

use clock::{Clock, RealClock};

use super::bytes::Bytes;
use crate::TuiError;
use crate::message::What;

/// How long the dashboard may take to end after a hang-up, before the process ends without it.
const HANG_UP_MAX: Duration = Duration::from_millis(700);
/// The exit code of a process that ends by a hang-up.
const HUNG_UP: i32 = 129;

/// Watches the terminal: keys on one thread, a hang-up on another, sizes beside the runner.
pub(super) fn watch(sender: UnboundedSender<What>) -> Result<(), TuiError> {
    let mut resized = signal(SignalKind::window_change())?;
    let sizes = sender.clone();
    tokio::spawn(async move {
        while resized.recv().await.is_some() {
            if let Ok((width, height)) = ratatui::crossterm::terminal::size()
                && sizes.send(What::Resize(width, height)).is_err()
            {
                break;
            }
        }
    });
    let ends = sender.clone();
    // A runtime of its own: the runner may hang in a write that a dead line never takes.
    let watch = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    std::thread::Builder::new().name("hang-up".to_owned()).spawn(move || {
        if watch.block_on(hang_up()).is_ok() {
            let _ended = ends.send(What::HungUp);
            watch.block_on(RealClock.sleep_until_boot(RealClock.boot().plus(HANG_UP_MAX)));
            std::process::exit(HUNG_UP);
        }
    })?;
    std::thread::Builder::new().name("keys".to_owned()).spawn(move || {
        read_keys(&sender);
        let _ended = sender.send(What::HungUp);
    })?;
    Ok(())
}

/// Waits until the line is cut or the process is asked to end.
async fn hang_up() -> std::io::Result<()> {
    let (mut hup, mut term) = (signal(SignalKind::hangup())?, signal(SignalKind::terminate())?);
    // Keys send none of these in raw mode; somebody else may.
    let (mut int, mut quit) = (signal(SignalKind::interrupt())?, signal(SignalKind::quit())?);
    tokio::select! {
        biased;
        _ = hup.recv() => {}
        _ = term.recv() => {}
        _ = int.recv() => {}
        _ = quit.recv() => {}
    }
    Ok(())
}

/// Reads until the terminal is gone or nobody listens.
///
/// The bytes are read here and not by crossterm: where a change of size and a key come together, its own loop lets the key
/// lie until the next one.
fn read_keys(sender: &UnboundedSender<What>) {
    let stdin = std::io::stdin();
    let mut bytes = Bytes::new();
    let mut piece = vec![0_u8; 4_096];
    loop {
        let patience = bytes.patience().and_then(|patience| Timespec::try_from(patience).ok());
        let mut watched = [PollFd::new(&stdin, PollFlags::IN)];
        let pressed = match poll(&mut watched, patience.as_ref()) {
            Ok(0) => bytes.silence(),
            Ok(_) => {
                let [seen] = watched;
                if seen.revents().intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL) {
                    return;
                }
                match rustix::io::read(&stdin, &mut piece) {
                    // Readable with nothing to read is the end of input.
                    Ok(0) => return,
                    Ok(count) => bytes.take(piece.get(..count).unwrap_or_default()),
                    Err(Errno::INTR | Errno::AGAIN) => continue,
                    Err(_) => return,
                }
            }
            Err(Errno::INTR) => continue,
            Err(_) => return,
        };
        for what in pressed {
            if sender.send(what).is_err() {
                return;
            }
        }
    }
}
