//! Preflight: let the guards look again, and show what they found.

use clap::Subcommand;
use desk::Command;
use serde_json::json;

use super::findings;
use crate::args::Change;
use crate::error::Failure;
use crate::output::{Block, Told};
use crate::session::Session;
use crate::text::Text;

pub(crate) const EXAMPLES: &str = "\
Examples:
  expos preflight show ACME-001
  expos preflight run ACME-001";

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Let the guards look again
    Run {
        /// Experiment: code, id or unique prefix
        experiment: String,
        #[command(flatten)]
        change: Change,
    },
    /// Show what the guards found at their last look
    Show {
        /// Experiment: code, id or unique prefix
        experiment: String,
    },
}

pub(crate) async fn run(session: &mut Session<'_>, verb: Verb) -> Result<Told, Failure> {
    match verb {
        Verb::Run { experiment, change } => {
            session
                .act_on("experiment", &experiment, Command::PreflightRun { experiment: experiment.clone() }, &change)
                .await
        }
        Verb::Show { experiment } => {
            let view = session.experiment(&experiment).await?;
            let mut blocks = findings(&view.findings);
            let reasons = if view.level.reasons.is_empty() {
                String::new()
            } else {
                format!(": {}", view.level.reasons.join("; "))
            };
            blocks.push(Block::Line(Text::of(format!(
                "{} findings; level {}{reasons}",
                view.findings.len(),
                view.level.level
            ))));
            Ok(Told::new(blocks, json!({"experiment": view.line.code, "findings": view.findings, "level": view.level})))
        }
    }
}
