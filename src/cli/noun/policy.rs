//! Policies: what a client allows, edited as TOML.

use std::path::PathBuf;

use clap::Subcommand;
use desk::{Command, Problem};
use domain::client::Policy;
use serde_json::json;

use super::{from_toml, toml_document};
use crate::args::Change;
use crate::error::Failure;
use crate::output::{Block, Told};
use crate::session::{Opened, Session, data};

pub(crate) const EXAMPLES: &str = "\
Examples:
  expos policy edit acme > policy.toml      print it as TOML
  expos policy check policy.toml            exit 8 and a line per problem
  expos policy edit acme policy.toml        void what was approved under the old";

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Show a client's policy, as TOML
    Show {
        /// Client
        client: String,
    },
    /// Change a client's policy, as TOML
    Edit {
        /// Client
        client: String,
        /// TOML file, or - for standard input; without one the editor opens
        file: Option<PathBuf>,
        #[command(flatten)]
        change: Change,
    },
    /// Check a policy without giving it to anybody
    Check {
        /// TOML file, or - for standard input
        file: PathBuf,
    },
}

pub(crate) async fn run(session: &mut Session<'_>, verb: Verb) -> Result<Told, Failure> {
    match verb {
        Verb::Show { client } => {
            let view = session.client(&client).await?;
            Ok(Told::new(vec![Block::Document(document(view.id.as_str(), &view.policy)?)], data(&view.policy)?)
                .note(format!("version {}", view.policy_version)))
        }
        Verb::Edit { client, file: Some(file), change } => {
            let id = session.existing("client", &client).await?;
            let toml = session.document(&file).await?;
            session.act_on("client", &client, Command::PolicyEdit { client: id, toml }, &change).await
        }
        Verb::Edit { client, file: None, change } => {
            let view = session.client(&client).await?;
            match session.open(&format!("policy of {}", view.id), &document(view.id.as_str(), &view.policy)?).await? {
                Opened::Printed(told) => Ok(told),
                Opened::Edited(edited) => {
                    let toml = edited.text.clone();
                    session.act_edited(edited, Command::PolicyEdit { client: view.id, toml }, &change).await
                }
            }
        }
        Verb::Check { file } => {
            let text = session.document(&file).await?;
            let policy: Policy = from_toml("the policy", &text)?;
            match policy.problems() {
                problems if problems.is_empty() => {
                    Ok(Told::lines(["the policy is in order".to_owned()], json!({"problems": []})))
                }
                problems => Err(Problem::Invalid(problems).into()),
            }
        }
    }
}

fn document(client: &str, policy: &Policy) -> Result<String, Failure> {
    let mut value = data(policy)?;
    if let Some(object) = value.as_object_mut() {
        object.retain(|_, value| !value.is_null());
    }
    toml_document(&format!("policy of {client}"), &value)
}
