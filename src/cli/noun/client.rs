//! Clients: taken on, shown, edited as TOML, stopped and let go on.

use std::path::PathBuf;

use clap::Subcommand;
use desk::query::ClientView;
use desk::{Command, Stoppable};
use domain::id::ClientId;
use serde_json::json;

use super::{hold_cell, hold_options, holds, reason_or, seen, toml_document};
use crate::args::{Change, Raise, quoted};
use crate::error::Failure;
use crate::output::{Block, Told, flow, keep};
use crate::session::{Opened, Session, data, zones_of};
use crate::text::Text;

pub(crate) const EXAMPLES: &str = "\
Examples:
  expos client new acme --name 'Acme Bakery' --zone Europe/London
  expos client edit acme > acme.toml        print it as TOML
  expos client edit acme acme.toml          and give it back
  expos client pause acme                   nothing of it goes out";

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Take on a client
    New {
        /// Short name: 2 to 32 of a-z, 0-9 and -
        client: String,
        /// Full name [default: the short one]
        #[arg(long)]
        name: Option<String>,
        /// Time zone, as in Europe/London
        #[arg(long)]
        zone: String,
        #[command(flatten)]
        change: Change,
    },
    /// List clients
    List,
    /// Show a client with its kit
    Show {
        /// Short name
        client: String,
    },
    /// Change name, zone and kit, as TOML
    Edit {
        /// Short name
        client: String,
        /// TOML file, or - for standard input; without one the editor opens
        file: Option<PathBuf>,
        #[command(flatten)]
        change: Change,
    },
    /// Stop everything of a client, at once
    Pause {
        /// Short name
        client: String,
        /// Why
        #[arg(long)]
        reason: Option<String>,
        #[command(flatten)]
        change: Change,
    },
    /// Let a client go on
    Resume {
        /// Short name
        client: String,
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

pub(crate) async fn run(session: &mut Session<'_>, verb: Verb) -> Result<Told, Failure> {
    match verb {
        Verb::New { client, name, zone, change } => {
            let id: ClientId = client.parse().map_err(|e: domain::id::BadId| {
                Failure::invalid(
                    "client.id",
                    "the client's short name",
                    e.to_string(),
                    "give it as in `expos client new acme`",
                )
            })?;
            session.act(Command::ClientNew { client: id, name: name.unwrap_or(client), zone }, &change).await
        }
        Verb::List => {
            let clients = session.clients().await?;
            Ok(list(&clients, data(&clients)?))
        }
        Verb::Show { client } => {
            let client = session.client(&client).await?;
            Ok(Told::new(show(&client)?, data(&client)?))
        }
        Verb::Edit { client, file, change } => edit(session, &client, file, &change).await,
        Verb::Pause { client, reason, change } => {
            let target = Stoppable::Client(session.existing("client", &client).await?);
            session.act_on("client", &client, Command::Pause { target, reason: reason_or(reason) }, &change).await
        }
        Verb::Resume { client, reason, holds, raise } => {
            let options = hold_options(&holds);
            let again = format!("expos client resume {} --reason {}{options}", quoted(&client), quoted(&reason));
            raise.check(format!("client {client}"), &again)?;
            let view = session.client(&client).await?;
            let (target, holds) = (Stoppable::Client(view.id), seen(holds, &view.holds));
            session.act_on("client", &client, Command::Resume { target, reason, holds }, &raise.change).await
        }
    }
}

async fn edit(session: &mut Session<'_>, name: &str, file: Option<PathBuf>, change: &Change) -> Result<Told, Failure> {
    if let Some(file) = file {
        let client = session.existing("client", name).await?;
        let toml = session.document(&file).await?;
        return session.act_on("client", name, Command::ClientEdit { client, toml }, change).await;
    }
    let view = session.client(name).await?;
    match session.open(&format!("client {}", view.id), &form(&view)?).await? {
        Opened::Printed(told) => Ok(told),
        Opened::Edited(edited) => {
            let toml = edited.text.clone();
            session.act_edited(edited, Command::ClientEdit { client: view.id, toml }, change).await
        }
    }
}

/// Returns what `client edit` shows and takes back.
fn form(client: &ClientView) -> Result<String, Failure> {
    toml_document(
        &format!("client {}", client.id),
        &json!({"name": client.name, "zone": client.zone, "kit": without_none(&client.kit)?}),
    )
}

/// TOML has no word for nothing: what is not set is left out.
fn without_none(kit: &domain::client::BrandKit) -> Result<serde_json::Value, Failure> {
    let mut value = data(kit)?;
    if let Some(object) = value.as_object_mut() {
        object.retain(|_, value| !value.is_null());
    }
    Ok(value)
}

fn list(clients: &[ClientView], data: serde_json::Value) -> Told {
    let rows = clients
        .iter()
        .map(|c| {
            vec![
                Text::of(c.id.as_str()),
                Text::of(c.zone.as_str()),
                regulated(c),
                hold_cell(&c.holds),
                Text::of(c.name.as_str()),
            ]
        })
        .collect();
    let columns = vec![keep("client"), keep("zone"), keep("regulated"), keep("hold"), flow("name")];
    Told::table(columns, rows, "no clients yet; take one on with `expos client new`", data)
}

fn regulated(client: &ClientView) -> Text {
    Text::of(if client.policy.regulated { "yes" } else { "no" })
}

fn show(client: &ClientView) -> Result<Vec<Block>, Failure> {
    let zones = zones_of(std::slice::from_ref(client));
    let mut blocks = vec![Block::Fields(vec![
        ("client", client.id.as_str().into()),
        ("name", client.name.as_str().into()),
        ("zone", client.zone.as_str().into()),
        ("regulated", regulated(client)),
        ("policy", format!("version {}", client.policy_version).into()),
        ("house", client.house.to_string().into()),
    ])];
    blocks.extend(holds(&client.holds, &|time| zones.local(&client.id, time)));
    blocks.extend(super::head("kit"));
    blocks.push(Block::Document(toml_document("the kit", &without_none(&client.kit)?)?));
    Ok(blocks)
}
