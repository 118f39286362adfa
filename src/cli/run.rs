//! A run from arguments to exit code.
//!
//! Decides where data, notes and errors go, and what the exit code is. `expos engine run` is told apart here, because the
//! engine is the program's to start.

use std::ffi::OsString;
use std::sync::Arc;

use clap::Parser;
use clap::error::ErrorKind;
use clock::Clock;
use desk::Problem;

use crate::args::{Cli, Global, Noun};
use crate::environment::Environment;
use crate::error::{Failure, Reader, draw as draw_error, words};
use crate::exit;
use crate::io::Io;
use crate::noun;
use crate::output::{Told, draw};
use crate::session::Session;
use crate::text::{Color, Look, Text};

/// How a run ended.
pub type Exit = u8;

/// Reads the arguments. Help and version are printed here; what cannot be read is told, with exit code 2.
pub fn parse(
    arguments: impl IntoIterator<Item = OsString>,
    environment: &Environment,
    io: &mut Io,
) -> Result<Cli, Exit> {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let error = match Cli::try_parse_from(&arguments) {
        Ok(cli) => return Ok(cli),
        Err(error) => error,
    };
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        let color = environment.color(crate::args::ColorChoice::Auto, io.out_is_tty);
        let text = if color == Color::On { error.render().ansi().to_string() } else { error.render().to_string() };
        return Err(match io.data(&text) {
            Err(error) => tell(io, environment, &Global::default(), &Failure::Written(error)),
            Ok(()) => exit::DONE,
        });
    }
    let json = arguments.iter().take_while(|a| *a != "--").any(|a| a == "--json");
    Err(usage(&error, json, environment, io))
}

fn usage(error: &clap::Error, json: bool, environment: &Environment, io: &mut Io) -> Exit {
    let text = error.render().to_string();
    if json {
        let mut paragraphs = text.split("\n\n").map(|p| p.trim().replace('\n', " "));
        let why = paragraphs.next().unwrap_or_default();
        let why = why.strip_prefix("error: ").unwrap_or(&why).to_owned();
        let mend = paragraphs.next().unwrap_or_default();
        let failure = Failure::Usage { what: "the command".to_owned(), why, mend };
        io.aside(&draw_error(&words(&failure), Reader::Program));
    } else {
        let color = environment.color(crate::args::ColorChoice::Auto, io.err_is_tty);
        // What was typed is quoted in it, and is as little to be trusted as any other text.
        let lines = Text::lines(text.trim_end());
        let drawn: String = lines.iter().map(|line| line.drawn(color) + "\n").collect();
        io.aside(&drawn);
    }
    exit::USAGE
}

/// Carries out what the arguments say, with the process's streams and the desk of the home that they name.
pub async fn run(cli: Cli, environment: &Environment, clock: Arc<dyn Clock>, io: &mut Io) -> Exit {
    let global = cli.global.clone();
    let mut session = Session::new(io, &global, environment, clock);
    match cli.noun {
        Some(noun) => finish(noun, &mut session).await,
        None => exit::USAGE,
    }
}

/// Carries out a verb and prints what it has to tell.
pub(crate) async fn finish(noun: Noun, session: &mut Session<'_>) -> Exit {
    let (global, environment) = (session.global, session.environment);
    let fallback = if matches!(noun, Noun::Health) { Some(noun::engine::CANNOT_TELL) } else { None };
    match dispatch(noun, session).await {
        Ok(told) => print(&told, session),
        Err(failure) => {
            let exit = tell(session.io, environment, global, &failure);
            fallback.unwrap_or(exit)
        }
    }
}

fn print(told: &Told, session: &mut Session<'_>) -> Exit {
    if told.dry_run {
        session.note("dry run: nothing was changed; without --dry-run it would say:");
    }
    let drawn = draw(told, session.paper());
    if let Err(error) = session.io.data(&drawn) {
        if error.kind() == std::io::ErrorKind::BrokenPipe {
            return told.exit;
        }
        return tell(session.io, session.environment, session.global, &Failure::Written(error));
    }
    for note in &told.notes {
        session.note(note);
    }
    if let (Some(next), false, false) = (&told.next, session.global.quiet, session.global.json) {
        let color = session.aside_color();
        let line =
            format!("{} {}\n", Text::of("next:").look(Look::Dim).drawn(color), Text::of(next.as_str()).drawn(color));
        session.io.aside(&line);
    }
    told.exit
}

/// Tells what went wrong; a reader that went away ends the program quietly.
pub(crate) fn tell(io: &mut Io, environment: &Environment, global: &Global, failure: &Failure) -> Exit {
    if matches!(failure, Failure::Written(error) if error.kind() == std::io::ErrorKind::BrokenPipe) {
        return exit::DONE;
    }
    let words = words(failure);
    let reader =
        if global.json { Reader::Program } else { Reader::Person(environment.color(global.color, io.err_is_tty)) };
    io.aside(&draw_error(&words, reader));
    words.exit
}

/// Tells of a failure outside this crate: the engine's.
pub fn failed(why: impl Into<String>, environment: &Environment, io: &mut Io) -> Exit {
    tell(io, environment, &Global::default(), &Failure::failed(why))
}

/// Tells of what the desk said to a face outside this crate.
pub fn refused(problem: Problem, environment: &Environment, io: &mut Io) -> Exit {
    tell(io, environment, &Global::default(), &Failure::from(problem))
}

/// Tells that Ctrl-C ended the run.
pub fn interrupted(io: &mut Io) -> Exit {
    io.aside("\ninterrupted; what was asked for may have been done: `expos events tail` shows it\n");
    exit::INTERRUPTED
}

async fn dispatch(noun: Noun, session: &mut Session<'_>) -> Result<Told, Failure> {
    match noun {
        Noun::Init(init) => noun::program::init(session, &init).await,
        Noun::Client(verb) => noun::client::run(session, verb).await,
        Noun::Policy(verb) => noun::policy::run(session, verb).await,
        Noun::User(verb) => noun::user::run(session, verb).await,
        Noun::Account(verb) => noun::account::run(session, verb).await,
        Noun::Brief(verb) => noun::brief::run(session, verb).await,
        Noun::Experiment(verb) => noun::experiment::run(session, verb).await,
        Noun::Variant(verb) => noun::variant::run(session, verb).await,
        Noun::Preflight(verb) => noun::preflight::run(session, verb).await,
        Noun::Queue(verb) => noun::queue::run(session, verb).await,
        Noun::Undo(undo) => noun::queue::undo(session, undo).await,
        Noun::Checkin(verb) => noun::checkin::run(session, verb).await,
        Noun::Calendar(verb) => noun::calendar::run(session, verb).await,
        Noun::Layer(verb) => noun::layer::run(session, verb).await,
        Noun::Post(verb) => noun::post::run(session, verb).await,
        Noun::Snapshot(verb) => noun::snapshot::run(session, verb).await,
        Noun::Outcome(verb) => noun::outcome::run(session, verb).await,
        Noun::Report(verb) => noun::report::run(session, verb).await,
        Noun::Learning(verb) => noun::learning::run(session, verb).await,
        Noun::Reply(verb) => noun::reply::run(session, verb).await,
        Noun::Escalation(verb) => noun::escalation::run(session, verb).await,
        Noun::Engine(verb) => noun::engine::run(session, verb).await,
        Noun::Demo(_) => Err(Failure::failed("the demo is started by the program")),
        Noun::StopAll(stop) => noun::engine::stop_all(session, stop).await,
        Noun::Health => noun::engine::health(session).await,
        Noun::Audit(verb) => noun::audit::run(session, verb).await,
        Noun::Store(verb) => noun::store::run(session, verb).await,
        Noun::Events(verb) => noun::events::run(session, verb).await,
        Noun::Matrix => Ok(noun::program::matrix()),
        Noun::Version => Ok(noun::program::version()),
        Noun::Completions(completions) => noun::program::completions(&completions),
        Noun::Man(man) => noun::program::man(&man),
        Noun::Config(verb) => noun::program::config(session, &verb),
    }
}
