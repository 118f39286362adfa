//! The dashboard: a face of the desk in a terminal. No rules, no SQL, no network.
//!
//! Decides what operators see and press. Elm-shaped: a [`Model`] that is everything the screen is a function of, one
//! [`Message`] in, [`Effects`] out, [`view`] a pure function, and a runner that alone touches terminal, desk and time.
//! What may be done is the desk's business, and its answer holds; nothing is shown as done before it came.

mod accounts;
mod approval;
mod can;
mod clean;
mod demo;
mod diff;
mod escalations;
mod evening;
mod experiments;
mod filter;
mod frame;
mod item;
mod key;
mod keymap;
mod known;
mod layers;
mod line;
mod link;
mod list;
mod memory;
mod message;
mod midday;
mod model;
mod morning;
mod pen;
mod picture;
mod rounds;
mod runner;
mod sheets;
mod sign;
mod system;
#[cfg(test)]
mod tests;
mod theme;
mod update;
mod when;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use clock::ScaledClock;
use desk::local::Door;
use domain::id::ClientId;
use domain::time::Zone;

pub use frame::{Size, view};
pub use key::Key;
pub use message::{Ask, Effects, Message, Moment, Picture, Redraw, What};
pub use model::{Model, Pane};
pub use pen::Symbols;
pub use runner::run;
pub use theme::{Colours, Theme, ThemeError, ThemeName};
pub use update::{Wake, next_wake, update};

/// How the engine of this home is started and stopped: in a session of its own, so that the end of a screen, a line that
/// drops or a suspended dashboard never touch it.
#[derive(Clone)]
pub struct EngineHands {
    /// Starts it and returns its desk. A near desk has been closed by then, and is not opened again where this fails: the
    /// screen then says that no desk is open, and the same key tries again.
    pub start: Arc<dyn Fn() -> Started + Send + Sync>,
    /// Asks it to end.
    pub stop: Arc<dyn Fn() -> Stopped + Send + Sync>,
}

/// An engine that is being started.
pub type Started = Pin<Box<dyn Future<Output = Result<Door, String>> + Send>>;

/// An engine that is being stopped.
pub type Stopped = Pin<Box<dyn Future<Output = Result<(), String>> + Send>>;

/// What is set for as long as the dashboard is open.
#[derive(Clone)]
pub struct Options {
    /// The colours' theme.
    pub theme: ThemeName,
    /// How many colours the terminal has.
    pub colours: Colours,
    /// Which signs it can draw.
    pub symbols: Symbols,
    /// The pane to open in.
    pub pane: Option<Pane>,
    /// One client alone.
    pub client: Option<ClientId>,
    /// Nothing may be done, whatever the role.
    pub read_only: bool,
    /// The operator's own zone, for the clock.
    pub zone: Zone,
    /// The demo's clock: its speed stands in every header, and keys change it. None in any other home.
    pub demo: Option<ScaledClock>,
    /// What the line to the terminal takes; sheets wait for it.
    pub line_delay: Duration,
    /// How the engine is started from here; none where it cannot be, and then no key does it.
    pub engine: Option<EngineHands>,
    /// The engine was started for this screen: leaving asks what becomes of it.
    pub engine_is_ours: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            theme: ThemeName::default(),
            colours: Colours::default(),
            symbols: Symbols::default(),
            pane: None,
            client: None,
            read_only: false,
            zone: Zone::UTC,
            demo: None,
            line_delay: Duration::ZERO,
            engine: None,
            engine_is_ours: false,
        }
    }
}

/// Why the dashboard could not be drawn, or had to end.
#[derive(Debug, thiserror::Error)]
pub enum TuiError {
    /// Standard input or output is no terminal.
    #[error("the dashboard needs a terminal on standard input and output; without one use `expos --help`")]
    NoTerminal,
    /// The terminal did not do as asked.
    #[error("the terminal cannot be used: {0}")]
    Terminal(#[from] std::io::Error),
    /// The theme cannot be used.
    #[error(transparent)]
    Theme(#[from] ThemeError),
    /// The system gave no randomness.
    #[error("a command needs an id, and the system gave no randomness: {0}")]
    Entropy(String),
}
