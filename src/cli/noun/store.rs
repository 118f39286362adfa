//! The store: what it is, and whether its tables are what the log says.

use std::sync::Arc;

use clap::Subcommand;
use desk::{Answer, Query};

use crate::error::Failure;
use crate::output::{Block, Told};
use crate::session::{Session, data, take};

pub(crate) const EXAMPLES: &str = "\
Examples:
  expos store info
  expos store check                         rebuild the tables and compare";

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Show what the store is
    Info,
    /// Rebuild the tables from the log, aside, and compare
    Check,
}

pub(crate) async fn run(session: &mut Session<'_>, verb: Verb) -> Result<Told, Failure> {
    match verb {
        Verb::Info => {
            let info = take!(session.ask(Query::StoreInfo).await?, Answer::Store)?;
            let fields = vec![
                ("store", info.store.as_str().into()),
                ("schema", info.schema.to_string().into()),
                ("events", info.events.to_string().into()),
                ("head", info.head.as_str().into()),
                ("epoch", info.epoch.to_string().into()),
            ];
            Ok(Told::new(vec![Block::Fields(fields)], data(&info)?))
        }
        Verb::Check => {
            let done = desk::local::store_check(&session.home()?, Arc::clone(&session.clock)).await?;
            let mut told = Told::lines(done.lines, done.data);
            told.next = done.next;
            Ok(told)
        }
    }
}
