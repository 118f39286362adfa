//! The engine: how it is, held and released. Running it is the program's business.
//!
//! Decides the exit codes of `expos health`: 0 well, 1 degraded, 2 dead or held, 3 cannot tell.

use clap::{Args, Subcommand};
use desk::query::{Health, Verdict};
use desk::{Answer, Command, Query, Stoppable};

use super::{head, hold_options, reason_or, seen};
use crate::args::{Change, Raise, quoted};
use crate::error::Failure;
use crate::exit;
use crate::output::{Block, Told, flow, keep};
use crate::session::{Session, data, take};
use crate::text::{Look, Text};

/// The exit code of `expos health` where nothing can be learned.
pub(crate) const CANNOT_TELL: u8 = 3;

pub(crate) const EXAMPLES: &str = "\
Examples:
  expos engine run                          until Ctrl-C or SIGTERM
  expos engine status
  expos engine hold --reason 'checking the store'
  expos engine release --reason 'store is fine' --yes";

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Run the engine and serve the desk, until Ctrl-C or SIGTERM
    Run,
    /// Show how the engine and its tasks are
    Status,
    /// Send nothing until released, at once
    Hold {
        /// Why
        #[arg(long)]
        reason: Option<String>,
        #[command(flatten)]
        change: Change,
    },
    /// Let the engine send again
    Release {
        /// Why
        #[arg(long)]
        reason: String,
        /// Which hold ends, as `show` names it; may be given again [default: all that stand now]
        #[arg(long = "hold", value_name = "NAME")]
        holds: Vec<String>,
        #[command(flatten)]
        raise: Raise,
    },
}

/// Put everything on hold, at once.
#[derive(Debug, Args)]
pub(crate) struct StopAll {
    /// Why
    #[arg(long)]
    reason: Option<String>,
    #[command(flatten)]
    change: Change,
}

pub(crate) async fn run(session: &mut Session<'_>, verb: Verb) -> Result<Told, Failure> {
    match verb {
        Verb::Run => Err(Failure::failed("the engine is started by the program itself")),
        Verb::Status => Ok(health(session).await?.exit(exit::DONE)),
        Verb::Hold { reason, change } => hold(session, reason, &change).await,
        Verb::Release { reason, holds, raise } => {
            let options = hold_options(&holds);
            raise.check("the engine", &format!("expos engine release --reason {}{options}", quoted(&reason)))?;
            let health = take!(session.ask(Query::Health).await?, Answer::Health)?;
            let holds = seen(holds, &health.holds);
            session.act(Command::Resume { target: Stoppable::Agency, reason, holds }, &raise.change).await
        }
    }
}

pub(crate) async fn stop_all(session: &mut Session<'_>, stop: StopAll) -> Result<Told, Failure> {
    hold(session, stop.reason, &stop.change).await
}

async fn hold(session: &mut Session<'_>, reason: Option<String>, change: &Change) -> Result<Told, Failure> {
    session.act(Command::Pause { target: Stoppable::Agency, reason: reason_or(reason) }, change).await
}

/// Tells how the engine is; the exit code says it too.
pub(crate) async fn health(session: &mut Session<'_>) -> Result<Told, Failure> {
    let health = take!(session.ask(Query::Health).await?, Answer::Health)?;
    Ok(draw(&health, data(&health)?))
}

fn draw(health: &Health, data: serde_json::Value) -> Told {
    let (word, look, exit) = match health.verdict {
        Verdict::Well => ("well", Look::Good, 0),
        Verdict::Degraded => ("degraded", Look::Warn, 1),
        Verdict::DeadOrHeld => ("dead or held", Look::Bad, 2),
    };
    let mut fields = vec![("engine", Text::of(word).look(look))];
    if !health.tasks.is_empty() {
        fields.push(("pid", health.pid.to_string().into()));
    }
    fields.push(("epoch", health.epoch.to_string().into()));
    fields.push(("events", health.head.to_string().into()));
    if let Some(now) = health.now {
        fields.push(("clock", now.to_string().into()));
    }
    let mut blocks = vec![Block::Fields(fields)];
    // One that is well says only that, and the first field has said it.
    blocks.extend(
        health
            .lines
            .iter()
            .filter(|line| line.as_str() != word)
            .map(|line| Block::Line(Text::of(line.as_str()).look(look))),
    );
    if !health.tasks.is_empty() {
        blocks.extend(head("tasks"));
        let time = |t: Option<domain::time::UtcTime>| t.map_or_else(|| Text::of("-"), |t| t.to_string().into());
        let rows = health.tasks.iter().map(|task| {
            vec![
                task.name.as_str().into(),
                time(task.last),
                time(task.next),
                task.steps.to_string().into(),
                task.error.as_deref().map_or_else(|| Text::of("-"), |e| Text::of(e).look(Look::Bad)),
            ]
        });
        blocks.push(Block::Table(
            vec![keep("task"), keep("last"), keep("next"), keep("steps"), flow("error")],
            rows.collect(),
        ));
    }
    Told::new(blocks, data).exit(exit)
}
