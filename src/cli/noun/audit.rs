//! The audit trail: whether the log is whole. Exit 0 whole, 3 broken, 4 cannot tell.

use clap::Subcommand;

use crate::error::Failure;
use crate::output::Told;
use crate::session::Session;

pub(crate) const EXAMPLES: &str = "\
Examples:
  expos audit verify                        0 whole, 3 broken, 4 cannot tell
  expos audit verify --json                 gives the anchor for a later --since";

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Check that no event was edited, lost, moved or put in
    Verify {
        /// An anchor that was written down: STORE:NUMBER:HASH
        #[arg(long, value_name = "ANCHOR")]
        since: Option<String>,
    },
}

pub(crate) async fn run(session: &mut Session<'_>, verb: Verb) -> Result<Told, Failure> {
    let Verb::Verify { since } = verb;
    let home = session.home()?;
    let checked = tokio::task::spawn_blocking(move || desk::local::audit_verify(&home, since.as_deref())).await;
    let (exit, lines, data) = checked.map_err(|error| Failure::failed(format!("the check broke off: {error}")))?;
    Ok(Told::lines(lines, data).exit(exit))
}
