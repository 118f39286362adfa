//! The calendar: what goes out when, and moving one slot.

use clap::Subcommand;
use desk::query::PostLine;
use desk::{Answer, Command, Query};
use domain::time::{Span, Zone};

use super::post;
use crate::args::Change;
use crate::error::Failure;
use crate::output::Told;
use crate::session::{Session, data, take};
use crate::when;

pub(crate) const EXAMPLES: &str = "\
Examples:
  expos calendar show --client acme --days 3
  expos calendar move 01JD3X 11:30          in the client's zone
  expos calendar move 01JD3X 'tomorrow 9' --dry-run";

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Show what goes out, in slot order
    Show {
        /// Of one client
        #[arg(long)]
        client: Option<String>,
        /// So many days from now
        #[arg(long, default_value_t = 7)]
        days: u16,
    },
    /// Move a post to another slot
    Move {
        /// Post: id or unique prefix
        post: String,
        /// 11:30, 'tomorrow 9', 'fri 14:00', 2026-11-25T09:10:00Z
        time: String,
        #[command(flatten)]
        change: Change,
    },
}

pub(crate) async fn run(session: &mut Session<'_>, verb: Verb) -> Result<Told, Failure> {
    match verb {
        Verb::Show { client, days } => show(session, client, days).await,
        Verb::Move { post, time, change } => move_to(session, &post, &time, &change).await,
    }
}

async fn show(session: &mut Session<'_>, client: Option<String>, days: u16) -> Result<Told, Failure> {
    let mut posts = take!(session.ask(Query::PostList { experiment: None }).await?, Answer::Posts)?;
    if let Some(name) = client {
        let client = session.client(&name).await?.id;
        let accounts = session.accounts().await?;
        posts.retain(|post| accounts.iter().any(|a| a.id == post.account && a.client == client));
    }
    let now = session.now();
    let end = now.plus(Span::days(i64::from(days)));
    // What is late but not settled stands in the calendar too.
    let waits =
        |post: &PostLine| ["planned", "preparing", "prepared", "awaiting operator"].contains(&post.state.as_str());
    posts.retain(|post| post.slot <= end && (post.slot >= now || waits(post)));
    posts.sort_by_key(|post| (post.slot, post.id));
    let told = data(&posts)?;
    Ok(post::list(&posts, "nothing is planned for these days", told))
}

async fn move_to(session: &mut Session<'_>, name: &str, time: &str, change: &Change) -> Result<Told, Failure> {
    let post = session.post(name).await?;
    let experiment = session.experiment(&post.line.experiment).await?;
    let zones = session.zones().await?;
    let zone = zones.0.get(&experiment.line.client).copied().unwrap_or(Zone::UTC);
    let to = when::parse(time, zone, session.now())
        .map_err(|bad| Failure::invalid("time.unknown", "the time", bad.why(time, zone), when::BadWhen::MEND))?;
    session.note(&format!("`{time}` is read as {} ({zone})", to.in_zone(zone)));
    session.act(Command::PostMove { post: post.line.id, to }, change).await
}
