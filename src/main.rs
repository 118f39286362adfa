//! The program `expos`: arguments, then the engine of a home or a face of it.
//!
//! Decides only what is put together: the engine with the desk's socket over one store (`expos engine run`), or the command
//! line. What is dangerous is closed before the first thread starts: nobody else reads what is made, nothing is dumped.

mod dashboard;
mod demo;

use std::sync::Arc;
use std::time::Duration;

use cli::{Cli, Environment, Exit, Io, Start};
use clock::{Clock, RealClock, Seeds};
use desk::query::TaskHealth;
use desk::{Beat, Desk, Home, Rules, server};
use engine::{AdapterMaker, Engine, World};
use store::{Open, Store, StoreError};
use tokio::signal::unix::{SignalKind, signal};

/// How long an engine waits for a command that has the store.
const OWNER_WAIT: Duration = Duration::from_secs(10);

fn main() -> color_eyre::Result<std::process::ExitCode> {
    color_eyre::install()?;
    close_doors();
    let environment = Environment::read();
    let mut io = Io::real();
    let cli = match cli::parse(std::env::args_os(), &environment, &mut io) {
        Ok(cli) => cli,
        Err(exit) => return Ok(exit.into()),
    };
    let start = match cli.start(&environment, &mut io) {
        Ok(start) => start,
        Err(exit) => return Ok(exit.into()),
    };
    let runtime = runtime_for(&start)?;
    let exit = match start {
        Start::Engine(home) => told(runtime.block_on(run_engine(home)), &environment, &mut io),
        Start::Dashboard(..) | Start::Demo(_) if !io.out_is_tty || !io.in_is_tty => {
            cli::failed("the dashboard needs a terminal; without one see `expos --help`", &environment, &mut io);
            cli::exit::USAGE
        }
        Start::Dashboard(home, asked) => told(runtime.block_on(dashboard::attach(home, asked)), &environment, &mut io),
        Start::Demo(asked) => told(runtime.block_on(dashboard::demo(asked)), &environment, &mut io),
        Start::Verb => runtime.block_on(run_face(cli, &environment, &mut io)),
    };
    // What still runs is a read that nobody waits for.
    runtime.shutdown_background();
    Ok(exit.into())
}

/// An attached dashboard mostly sleeps, and on one thread it sleeps deepest; whatever works for others gets every core.
fn runtime_for(start: &Start) -> std::io::Result<tokio::runtime::Runtime> {
    use tokio::runtime::Builder;
    let mut builder = match start {
        Start::Dashboard(..) => Builder::new_current_thread(),
        Start::Engine(_) | Start::Demo(_) | Start::Verb => Builder::new_multi_thread(),
    };
    builder.enable_all().build()
}

fn told(ended: Result<(), Trouble>, environment: &Environment, io: &mut Io) -> Exit {
    match ended {
        Ok(()) => cli::exit::DONE,
        Err(Trouble::Failed(why)) => cli::failed(why, environment, io),
        Err(Trouble::Desk(problem)) => cli::refused(problem, environment, io),
    }
}

/// Why an engine or a dashboard did not come up, or ended.
enum Trouble {
    /// In words.
    Failed(String),
    /// The desk said so; it has an exit code of its own.
    Desk(desk::Problem),
}

impl From<String> for Trouble {
    fn from(why: String) -> Self {
        Self::Failed(why)
    }
}

impl From<desk::Problem> for Trouble {
    fn from(problem: desk::Problem) -> Self {
        Self::Desk(problem)
    }
}

/// Files are made for their owner alone, and the process's memory, which holds logins, is nobody else's to read (T14).
fn close_doors() {
    rustix::process::umask(rustix::fs::Mode::from_bits_truncate(0o077));
    let _unsupported = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
}

async fn run_face(cli: Cli, environment: &Environment, io: &mut Io) -> Exit {
    let clock: Arc<dyn Clock> = Arc::new(RealClock);
    let finished = {
        let work = cli::run(cli, environment, clock, io);
        tokio::select! {
            biased;
            exit = work => Some(exit),
            _ = tokio::signal::ctrl_c() => None,
        }
    };
    finished.unwrap_or_else(|| cli::interrupted(io))
}

/// Runs the engine of a home and serves its desk, until a signal asks it to end.
async fn run_engine(home: Home) -> Result<(), Trouble> {
    tell_log();
    let clock: Arc<dyn Clock> = Arc::new(RealClock);
    let words = |error: &dyn std::fmt::Display| error.to_string();
    let rules = Arc::new(Rules::load(&home.rules()).map_err(|e| words(&e))?);
    let store = own(&home, &clock).await.map_err(|e| words(&e))?;
    let seed = clock::entropy_seed().map_err(|e| words(&e))?;
    let world = World { packs: rules.version.clone(), seeds: Seeds::new(seed), adapters: real_network(&clock) };
    let engine =
        Engine::new(store.clone(), home.clone(), Arc::clone(&clock), world).on_surfaces(rules.surfaces.clone());
    let desk = Desk::new(store, home.clone(), rules, clock, Some(beat_of(&engine)));
    engine.begin().await.map_err(|e| words(&e))?;
    // Before anybody can see that it runs: whoever sees it may ask it to end.
    stop_on_signal(engine.clone()).map_err(|e| words(&e))?;
    let listener = server::bind(&home.socket()).map_err(|e| words(&e))?;
    tracing::info!(home = %home.root.display(), "the engine runs; its desk answers at {}", home.socket().display());
    let (ended, end) = tokio::sync::oneshot::channel::<()>();
    let serving = tokio::spawn(server::serve(desk, listener, async move {
        let _engine_gone = end.await;
    }));
    let result = engine.run().await;
    let _server_gone = ended.send(());
    // Sessions that follow the log end with the process; nothing is owed to them.
    serving.abort();
    let _removed = std::fs::remove_file(home.socket());
    Ok(result.map_err(|e| words(&e))?)
}

/// Opens the store as its owner. A command that has it for a moment is waited for; an engine that has it is not.
async fn own(home: &Home, clock: &Arc<dyn Clock>) -> Result<Store, StoreError> {
    let end = clock.boot().plus(OWNER_WAIT);
    loop {
        match Store::open(home, Open::Owner, Arc::clone(clock)) {
            Err(StoreError::Owned { .. })
                if clock.boot() < end && std::os::unix::net::UnixStream::connect(home.socket()).is_err() =>
            {
                clock.sleep_until_boot(clock.boot().plus(Duration::from_millis(100))).await;
            }
            opened => return opened,
        }
    }
}

fn real_network(clock: &Arc<dyn Clock>) -> AdapterMaker {
    let clock = Arc::clone(clock);
    Arc::new(move |platform, allow_private| platforms::adapter_for(platform, allow_private, Arc::clone(&clock)))
}

fn beat_of(engine: &Engine) -> Beat {
    let engine = engine.clone();
    Arc::new(move || {
        let health = |b: engine::Beat| TaskHealth {
            name: b.task.to_owned(),
            since: b.since,
            last: b.last,
            next: b.next,
            steps: b.steps,
            error: b.error,
        };
        engine.beats().into_iter().map(health).collect()
    })
}

fn stop_on_signal(engine: Engine) -> std::io::Result<()> {
    let (mut term, mut int) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::spawn(async move {
        tokio::select! {
            biased;
            _ = term.recv() => {}
            _ = int.recv() => {}
        }
        tracing::info!("asked to end; requests under way are waited for");
        engine.stop();
    });
    Ok(())
}

/// One line a record on standard error; text from outside is escaped there, and never holds a secret.
fn tell_log() {
    use tracing_subscriber::EnvFilter;
    let filter = EnvFilter::try_from_env("EXPOS_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let _already = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(|| cli::LogLines::new(std::io::stderr()))
        .with_ansi(false)
        .with_target(false)
        .try_init();
}
