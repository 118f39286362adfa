//! Escalations: what a person must settle.

use clap::Subcommand;
use desk::query::EscalationView;
use desk::{Answer, Command, Query};
use domain::escalation::{Subject, Urgency};
use domain::id::EscalationId;

use super::head;
use crate::args::Change;
use crate::error::Failure;
use crate::output::{Block, Told, flow, keep};
use crate::session::{Session, Zones, data, take};
use crate::text::{Look, Text};

pub(crate) const EXAMPLES: &str = "\
Examples:
  expos escalation list
  expos escalation take 01JD3X
  expos escalation later 01JD3X
  expos escalation hand 01JD3X --to tomas
  expos escalation resolve 01JD3X --reason 'confirmed by hand'";

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// List what is open
    List {
        /// The settled ones too
        #[arg(long)]
        all: bool,
    },
    /// Show an escalation with its evidence
    Show {
        /// Id or unique prefix
        escalation: String,
    },
    /// Make it yours
    Take {
        /// Id or unique prefix
        escalation: String,
        #[command(flatten)]
        change: Change,
    },
    /// Look at it later: as long as its urgency allows, or until a time before that
    Later {
        /// Id or unique prefix
        escalation: String,
        /// 13:00, 'tomorrow 9', 2026-11-25T09:10:00Z
        time: Option<String>,
        #[command(flatten)]
        change: Change,
    },
    /// Give it to somebody else, or back to whoever takes it
    Hand {
        /// Id or unique prefix
        escalation: String,
        /// Whom; whoever takes it where left out
        #[arg(long)]
        to: Option<String>,
        #[command(flatten)]
        change: Change,
    },
    /// Say that and how it was settled
    Resolve {
        /// Id or unique prefix
        escalation: String,
        /// How
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        change: Change,
    },
}

pub(crate) async fn run(session: &mut Session<'_>, verb: Verb) -> Result<Told, Failure> {
    match verb {
        Verb::List { all } => {
            let found = take!(session.ask(Query::EscalationList { all }).await?, Answer::Escalations)?;
            let zones = session.zones().await?;
            Ok(list(&found, &zones, data(&found)?))
        }
        Verb::Show { escalation } => {
            let escalation = id(session, &escalation).await?;
            let found = take!(session.ask(Query::EscalationShow { escalation }).await?, Answer::Escalation)?;
            let zones = session.zones().await?;
            Ok(Told::new(show(&found, &zones), data(&found)?))
        }
        Verb::Take { escalation, change } => {
            let escalation = id(session, &escalation).await?;
            session.act(Command::EscalationTake { escalation }, &change).await
        }
        Verb::Later { escalation, time, change } => {
            let escalation = id(session, &escalation).await?;
            let (zone, until) = (session.zone(), session.until(time.as_deref())?);
            session.act(Command::EscalationLater { escalation, until, zone }, &change).await
        }
        Verb::Hand { escalation, to, change } => {
            let escalation = id(session, &escalation).await?;
            session.act(Command::EscalationHand { escalation, to }, &change).await
        }
        Verb::Resolve { escalation, reason, change } => {
            let escalation = id(session, &escalation).await?;
            session.act(Command::EscalationResolve { escalation, reason }, &change).await
        }
    }
}

/// Finds the one escalation that an id or the beginning of one names.
async fn id(session: &mut Session<'_>, named: &str) -> Result<EscalationId, Failure> {
    if let Ok(id) = named.parse() {
        return Ok(id);
    }
    let all = take!(session.ask(Query::EscalationList { all: true }).await?, Answer::Escalations)?;
    let prefix = named.to_ascii_uppercase();
    let found: Vec<EscalationId> =
        all.iter().map(|e| e.id).filter(|id| !prefix.is_empty() && id.to_string().starts_with(&prefix)).collect();
    match found.as_slice() {
        [one] => Ok(*one),
        [] => Err(session.missing("escalation", named).await),
        [one, two, ..] => Err(Failure::invalid(
            "ambiguous",
            format!("escalation {named}"),
            format!("{} begin so, {one} and {two} among them", found.len()),
            "give more of it",
        )),
    }
}

fn urgency(urgency: Urgency) -> Text {
    let look = match urgency {
        Urgency::Critical => Look::Bad,
        Urgency::High => Look::Warn,
        Urgency::Normal => Look::Plain,
    };
    Text::of(urgency.as_str()).look(look)
}

fn list(escalations: &[EscalationView], zones: &Zones, data: serde_json::Value) -> Told {
    let rows = escalations.iter().map(|e| {
        vec![
            e.id.to_string().into(),
            urgency(e.urgency),
            e.client.as_str().into(),
            zones.local(&e.client, e.due).into(),
            e.owner.as_deref().unwrap_or("nobody").into(),
            Text::of(if e.end.is_some() { "settled" } else { "open" }),
            e.what.as_str().into(),
        ]
    });
    let columns =
        vec![keep("escalation"), keep("urgency"), keep("client"), keep("due"), keep("owner"), keep("is"), flow("what")];
    Told::table(columns, rows.collect(), "nothing is open", data)
}

fn show(escalation: &EscalationView, zones: &Zones) -> Vec<Block> {
    let local = |time| zones.local(&escalation.client, time);
    let about = match &escalation.subject {
        Subject::Post { post, .. } => format!("post {post}"),
        Subject::Account { account } => format!("account {account}"),
    };
    let mut fields = vec![
        ("escalation", escalation.id.to_string().into()),
        ("what", escalation.what.as_str().into()),
        ("rule", escalation.rule.as_str().into()),
        ("urgency", urgency(escalation.urgency)),
        ("client", escalation.client.as_str().into()),
        ("about", about.into()),
        ("opened", local(escalation.opened).into()),
        ("due", local(escalation.due).into()),
        ("owner", escalation.owner.as_deref().unwrap_or("nobody").into()),
    ];
    if let Some(later) = &escalation.later {
        fields.push(("put off", format!("until {} by {}", local(later.until), later.by).into()));
    }
    if let Some(end) = &escalation.end {
        fields.push(("settled", format!("{} by {}: {}", local(end.at), end.by.name(), end.how).into()));
    }
    let mut blocks = vec![Block::Fields(fields)];
    blocks.extend(head("evidence"));
    blocks.extend(escalation.evidence.iter().map(|line| Block::Quote(Text::lines(line.as_str()))));
    blocks.extend(head("what can be done"));
    blocks.extend(escalation.answers.iter().map(|line| Block::Line(line.as_str().into())));
    blocks
}
