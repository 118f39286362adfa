//! Learnings: found by their words, listed, shown, retracted.

use clap::Subcommand;
use desk::query::LearningView;
use desk::{Answer, Command, Query};
use domain::outcome::{Strength, Verdict};

use crate::args::Change;
use crate::error::Failure;
use crate::output::{Block, Told, flow, keep};
use crate::session::{Session, Zones, data, take};
use crate::text::{Look, Text};

pub(crate) const EXAMPLES: &str = "\
Examples:
  expos learning search question hooks
  expos learning search replies --client acme
  expos learning list --retracted
  expos learning show 01JD3X
  expos learning retract 01JD3X --reason 'the network shows hooks no more'";

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Find what was learned by its words, or beginnings of words
    Search {
        /// The words; all of them must be there
        #[arg(required = true)]
        text: Vec<String>,
        /// Of one client
        #[arg(long)]
        client: Option<String>,
        /// The retracted ones too
        #[arg(long)]
        retracted: bool,
    },
    /// List what was learned, the newest first
    List {
        /// Of one client
        #[arg(long)]
        client: Option<String>,
        /// The retracted ones too
        #[arg(long)]
        retracted: bool,
    },
    /// Show a learning with what it rests on
    Show {
        /// Id or unique prefix
        learning: String,
    },
    /// Say that a learning no longer counts; it stays in the log
    Retract {
        /// Id or unique prefix
        learning: String,
        /// Why
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        change: Change,
    },
}

pub(crate) async fn run(session: &mut Session<'_>, verb: Verb) -> Result<Told, Failure> {
    match verb {
        Verb::Search { text, client, retracted } => {
            let client = of(session, client).await?;
            let query = Query::LearningSearch { text: text.join(" "), client, retracted };
            list(session, query, "nothing in Memory has all these words").await
        }
        Verb::List { client, retracted } => {
            let client = of(session, client).await?;
            let empty = "nothing is in Memory yet; an experiment that is decided is remembered";
            list(session, Query::LearningList { client, retracted }, empty).await
        }
        Verb::Show { learning } => {
            let found = take!(session.ask(Query::LearningShow { learning }).await?, Answer::Learning)?;
            let zones = session.zones().await?;
            Ok(Told::new(show(&found, &zones), data(&found)?))
        }
        Verb::Retract { learning, reason, change } => {
            session.act(Command::LearningRetract { learning, reason }, &change).await
        }
    }
}

async fn of(session: &mut Session<'_>, client: Option<String>) -> Result<Option<domain::id::ClientId>, Failure> {
    match client {
        Some(name) => Ok(Some(session.client(&name).await?.id)),
        None => Ok(None),
    }
}

async fn list(session: &mut Session<'_>, query: Query, empty: &str) -> Result<Told, Failure> {
    let found = take!(session.ask(query).await?, Answer::Learnings)?;
    let rows = found
        .iter()
        .map(|view| {
            let learning = &view.learning;
            vec![
                learning.id.to_string().into(),
                learning.code.as_str().into(),
                learning.say.as_str().into(),
                learning.strength.map_or("-", Strength::as_str).into(),
                standing(view),
                learning.sentence.as_str().into(),
            ]
        })
        .collect();
    let columns = vec![keep("id"), keep("experiment"), keep("said"), keep("how sure"), keep("holds"), flow("learned")];
    Ok(Told::table(columns, rows, empty, data(&found)?))
}

fn standing(view: &LearningView) -> Text {
    match (view.learning.retracted.is_some(), view.holds) {
        (true, _) => Text::of("retracted").look(Look::Bad),
        (false, true) => Text::of("yes").look(Look::Good),
        (false, false) => Text::of("expired").look(Look::Warn),
    }
}

fn show(view: &LearningView, zones: &Zones) -> Vec<Block> {
    let learning = &view.learning;
    let local = |time| zones.local(&learning.client, time);
    let about = &learning.about;
    let mut fields = vec![
        ("id", learning.id.to_string().into()),
        ("holds", standing(view)),
        ("until", local(learning.expires).into()),
        ("client", learning.client.as_str().into()),
        ("about", format!("{} on {}", about.variable, about.surface).into()),
        ("control", about.control.as_str().into()),
        ("tests", about.tests.join(" | ").into()),
        ("experiment", learning.code.as_str().into()),
        ("said", learning.say.as_str().into()),
        ("how sure", learning.strength.map_or("n/a", Strength::as_str).into()),
        ("comparable", learning.comparable.map_or("n/a", Verdict::as_str).into()),
        ("posts compared", learning.posts.to_string().into()),
        ("decided", learning.decided.as_str().into()),
        ("given", format!("{} by {}", local(learning.at), learning.by).into()),
    ];
    if let Some(offered) = &learning.offered {
        fields.push(("offered was", offered.as_str().into()));
    }
    if let Some(gone) = &learning.retracted {
        fields.push(("retracted", format!("{} by {}: {}", local(gone.at), gone.by, gone.reason).into()));
    }
    vec![Block::Line(Text::of(learning.sentence.as_str()).look(Look::Strong)), Block::Fields(fields)]
}
