//! The command line, a face: no rules, no SQL, no network.
//!
//! Decides how arguments become commands and questions, and how answers, refusals and failures become words and exit codes.
//! What may be done is the desk's business; who runs the engine is the program's. Nothing here writes to a stream that it
//! was not given.
//!
//! Invariants: standard output holds data alone, everything else goes to standard error; no text from outside reaches
//! either without having been cleaned (T10, T11); nothing is asked of a person who is not there.

mod args;
mod door;
mod editor;
mod environment;
mod error;
mod input;
mod io;
mod json;
mod log;
mod noun;
mod output;
mod run;
mod session;
mod start;
mod suggest;
mod text;
mod when;

pub use args::Cli;
pub use environment::Environment;
pub use io::Io;
pub use log::LogLines;
pub use run::{Exit, failed, interrupted, parse, refused, run};
pub use start::{Dashboard, Demo, Start};

/// Exit codes of every verb but `health` and `audit verify`, which have their own.
pub mod exit {
    /// Done.
    pub const DONE: u8 = 0;
    /// The world did not answer as it should.
    pub const FAILED: u8 = 1;
    /// The command was not understood, or lacks a word that it needs.
    pub const USAGE: u8 = 2;
    /// Nobody is at the desk.
    pub const UNREACHABLE: u8 = 7;
    /// What was given is not well-formed.
    pub const INVALID: u8 = 8;
    /// It is so already.
    pub const NOTHING: u8 = 9;
    /// Ended by Ctrl-C.
    pub const INTERRUPTED: u8 = 130;
}
