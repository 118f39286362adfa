//! The log: its last events, and those that come.

use clap::Subcommand;
use desk::query::EventLine;
use desk::{Answer, Query};
use domain::time::UtcTime;
use futures_util::StreamExt;

use crate::error::Failure;
use crate::output::{Block, Form, Told, draw, flow, keep};
use crate::session::{Session, data, take};
use crate::text::Text;

pub(crate) const EXAMPLES: &str = "\
Examples:
  expos events tail
  expos events tail --follow --json         one JSON object a line
  expos events tail --after 120 --count 50";

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Show the last events
    Tail {
        /// Go on as they happen, until Ctrl-C
        #[arg(short, long)]
        follow: bool,
        /// After the event of this number [default: the last ones]
        #[arg(long, value_name = "N")]
        after: Option<u64>,
        /// At most so many, up to 500
        #[arg(short = 'n', long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=500))]
        count: u32,
    },
}

pub(crate) async fn run(session: &mut Session<'_>, verb: Verb) -> Result<Told, Failure> {
    let Verb::Tail { follow, after, count } = verb;
    let after = match after {
        Some(after) => after,
        None => take!(session.ask(Query::StoreInfo).await?, Answer::Store)?.events.saturating_sub(u64::from(count)),
    };
    let lines = take!(session.ask(Query::Events { after, limit: count }).await?, Answer::Events)?;
    if !follow {
        let told = data(&lines)?;
        return Ok(list(&lines, &|time| time.to_string(), told));
    }
    let last = lines.last().map_or(after, |line| line.n);
    for line in lines {
        print(session, &line)?;
    }
    let door = session.door().await?;
    let mut coming = door.follow(last).await?;
    while let Some(line) = coming.next().await {
        print(session, &line?)?;
    }
    Err(Failure::Problem(desk::Problem::Unreachable("the desk closed the stream of events".to_owned())))
}

fn print(session: &mut Session<'_>, line: &EventLine) -> Result<(), Failure> {
    let paper = session.paper();
    let told = match paper.form {
        Form::Json => Told::new(Vec::new(), data(line)?),
        Form::Human => Told::lines(
            [row(line, &|time| time.to_string()).iter().map(Text::plain).collect::<Vec<_>>().join("  ")],
            data(line)?,
        ),
        Form::Plain => Told::new(vec![table(std::slice::from_ref(line), &|time| time.to_string())], data(line)?),
    };
    Ok(session.io.data(&draw(&told, paper))?)
}

fn columns() -> Vec<crate::output::Column> {
    vec![keep("n"), keep("at"), keep("event"), keep("by"), flow("stream"), flow("cause")]
}

fn row(line: &EventLine, local: &dyn Fn(UtcTime) -> String) -> Vec<Text> {
    vec![
        line.n.to_string().into(),
        local(line.at).into(),
        line.event.as_str().into(),
        line.actor.as_str().into(),
        line.stream.as_str().into(),
        line.cause.as_str().into(),
    ]
}

/// Draws events under heads.
pub(crate) fn table(lines: &[EventLine], local: &dyn Fn(UtcTime) -> String) -> Block {
    Block::Table(columns(), lines.iter().map(|line| row(line, local)).collect())
}

/// Tells events; where there are none, a note says so.
pub(crate) fn list(lines: &[EventLine], local: &dyn Fn(UtcTime) -> String, data: serde_json::Value) -> Told {
    Told::table(columns(), lines.iter().map(|line| row(line, local)).collect(), "nothing happened", data)
}
