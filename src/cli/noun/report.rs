//! Reports: read on a terminal, as Markdown, or as JSON.
//!
//! What a report says is the domain's; here it is only put on paper.

use clap::Subcommand;
use desk::{Answer, Query};
use domain::report::{Part, Report, Section};

use super::head;
use crate::error::Failure;
use crate::output::{Block, Column, Told, flow, keep};
use crate::session::{Session, data, take};
use crate::text::{Look, Text};

pub(crate) const EXAMPLES: &str = "\
Examples:
  expos report show ACME-001
  expos report show ACME-001 --markdown > report.md
  expos report show ACME-001 --json";

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Show all that is known of a reviewed experiment
    Show {
        /// Code, id or unique prefix
        experiment: String,
        /// As Markdown, for a file or a message
        #[arg(long)]
        markdown: bool,
    },
}

pub(crate) async fn run(session: &mut Session<'_>, verb: Verb) -> Result<Told, Failure> {
    let Verb::Show { experiment, markdown } = verb;
    let found = match session.ask(Query::ReportShow { experiment: experiment.clone() }).await {
        Ok(answer) => take!(answer, Answer::Report)?,
        Err(failure) => return Err(session.suggest(failure, "experiment", &experiment).await),
    };
    let blocks = if markdown { vec![Block::Document(found.markdown())] } else { show(&found) };
    Ok(Told::new(blocks, data(&found)?))
}

fn show(report: &Report) -> Vec<Block> {
    let mut blocks = Vec::new();
    for (place, section) in report.sections().into_iter().enumerate() {
        if place == 0 {
            blocks.push(Block::Line(Text::of(section.title.as_str()).look(Look::Strong)));
        } else {
            blocks.extend(head(&section.title));
        }
        blocks.extend(parts(section));
    }
    blocks
}

/// Neighbouring fields stand in one list, so that their values stand under one another.
fn parts(section: Section) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut fields: Vec<(&'static str, Text)> = Vec::new();
    for part in section.parts {
        if let Part::Field(name, value) = part {
            fields.push((name, Text::of(value)));
            continue;
        }
        if !fields.is_empty() {
            blocks.push(Block::Fields(std::mem::take(&mut fields)));
        }
        match part {
            Part::Field(..) => {}
            Part::Line(line) => blocks.push(Block::Line(Text::of(line))),
            Part::Bullet(line) => blocks.push(Block::Line(Text::of(format!("- {line}")))),
            Part::Table(heads, rows) => blocks.push(table(&heads, rows)),
        }
    }
    if !fields.is_empty() {
        blocks.push(Block::Fields(fields));
    }
    blocks
}

fn table(heads: &[&'static str], rows: Vec<Vec<String>>) -> Block {
    let column = |name: &&'static str| match *name {
        "why" | "what" | "note" | "says" => flow(name),
        name => keep(name),
    };
    let columns: Vec<Column> = heads.iter().map(column).collect();
    Block::Table(columns, rows.into_iter().map(|row| row.into_iter().map(Text::of).collect()).collect())
}
