//! What is to be started: the engine, the dashboard, the demo, or a verb of the command line.
//!
//! Decides which of them the arguments ask for. Starting the first three is the program's, since a face runs neither engine
//! nor another face.

use std::path::PathBuf;

use clap::Args;
use desk::Home;
use domain::id::ClientId;

use crate::args::{Cli, Noun};
use crate::environment::Environment;
use crate::io::Io;
use crate::noun;
use crate::run::{Exit, tell};

/// What the arguments ask for.
#[derive(Debug)]
pub enum Start {
    /// `expos engine run`.
    Engine(Home),
    /// `expos`.
    Dashboard(Home, Dashboard),
    /// `expos demo`.
    Demo(Demo),
    /// A verb.
    Verb,
}

/// How the dashboard opens.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Dashboard")]
pub struct Dashboard {
    /// Which pane opens: morning, experiments, system
    #[arg(long, value_name = "NAME")]
    pub pane: Option<String>,
    /// Only this client
    #[arg(long, value_name = "CLIENT")]
    pub client: Option<ClientId>,
    /// dark, light or mono
    #[arg(long, value_name = "THEME")]
    pub theme: Option<String>,
    /// Look, and change nothing
    #[arg(long)]
    pub read_only: bool,
}

/// How the demo opens.
#[derive(Debug, Clone, Default, Args)]
pub struct Demo {
    /// How fast the agency's clock runs at first; + and - change it
    #[arg(long, value_name = "TIMES")]
    pub speed: Option<f64>,
    /// Open at this time of the demo's Monday, office time, and stand still unless --speed is given
    #[arg(long, value_name = "HH:MM")]
    pub at: Option<String>,
    /// Everything that is drawn comes from this number: same seed and time, same screens
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// Who sits at it: mira, tomas, ines, paul
    #[arg(long = "as", value_name = "USER")]
    pub seat: Option<String>,
    /// Keep the demo's home here; else it is gone afterwards
    #[arg(skip)]
    pub home: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) look: Look,
}

/// How the demo's dashboard looks.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Look {
    /// dark, light or mono
    #[arg(long, value_name = "THEME")]
    pub(crate) theme: Option<String>,
    /// Which pane opens: morning, experiments, system
    #[arg(long, value_name = "NAME")]
    pub(crate) pane: Option<String>,
}

impl Demo {
    /// Returns how its dashboard opens.
    pub fn dashboard(&self) -> Dashboard {
        Dashboard { pane: self.look.pane.clone(), theme: self.look.theme.clone(), ..Dashboard::default() }
    }
}

impl Cli {
    /// Tells what is to be started; what is wrong with the home is told, with its exit code.
    pub fn start(&self, environment: &Environment, io: &mut Io) -> Result<Start, Exit> {
        let home = |io: &mut Io| {
            environment.home(&self.global).map_err(|failure| tell(io, environment, &self.global, &failure))
        };
        match &self.noun {
            Some(Noun::Engine(noun::engine::Verb::Run)) => home(io).map(Start::Engine),
            Some(Noun::Demo(demo)) => Ok(Start::Demo(Demo { home: self.global.home.clone(), ..demo.clone() })),
            None => home(io).map(|home| Start::Dashboard(home, self.dashboard.clone())),
            Some(_) => Ok(Start::Verb),
        }
    }
}
