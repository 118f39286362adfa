//! Variants: shown, compared with the control, edited facet by facet.

use std::path::PathBuf;

use clap::Subcommand;
use desk::Command;
use desk::query::ExperimentView;
use domain::refusal::Refusal;
use domain::text::Untrusted;
use domain::variant::{Content, Facet, Variant};
use serde_json::json;

use super::head;
use crate::args::Change;
use crate::error::Failure;
use crate::output::{Block, Told, flow, keep};
use crate::session::{Session, data};
use crate::suggest::nearest;
use crate::text::Text;

pub(crate) const EXAMPLES: &str = "\
Examples:
  expos variant list ACME-001
  expos variant diff ACME-001               each test against the control
  expos variant edit ACME-001 B --facet hook --text 'Fresh at seven'
  expos variant edit ACME-001 A --facet caption - < caption.txt";

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// List an experiment's variants
    List {
        /// Experiment: code, id or unique prefix
        experiment: String,
    },
    /// Show a variant
    Show {
        /// Experiment: code, id or unique prefix
        experiment: String,
        /// Its letter; A is the control
        letter: char,
    },
    /// Show in which facets tests differ from the control
    Diff {
        /// Experiment: code, id or unique prefix
        experiment: String,
        /// One test alone
        letter: Option<char>,
    },
    /// Replace one text of a variant
    Edit {
        /// Experiment: code, id or unique prefix
        experiment: String,
        /// Its letter; A is the control
        letter: char,
        /// Text file, or - for standard input
        #[arg(required_unless_present = "text")]
        file: Option<PathBuf>,
        /// Which text: hook, caption, cta, title, hashtags, …
        #[arg(long)]
        facet: String,
        /// In which round, from 1
        #[arg(long, default_value_t = 1)]
        round: u32,
        /// The text itself; an empty one takes the facet away
        #[arg(long, conflicts_with = "file")]
        text: Option<String>,
        #[command(flatten)]
        change: Change,
    },
}

pub(crate) async fn run(session: &mut Session<'_>, verb: Verb) -> Result<Told, Failure> {
    match verb {
        Verb::List { experiment } => {
            let view = session.experiment(&experiment).await?;
            Ok(list(&view, data(&view.variants)?))
        }
        Verb::Show { experiment, letter } => {
            let view = session.experiment(&experiment).await?;
            let variant = of_letter(&view, letter)?;
            Ok(Told::new(show(variant), data(variant)?))
        }
        Verb::Diff { experiment, letter } => {
            let view = session.experiment(&experiment).await?;
            diff(&view, letter)
        }
        Verb::Edit { experiment, letter, file, facet, round, text, change } => {
            let facet = facet_of(&facet)?;
            let text = match (text, file) {
                (Some(text), _) => text,
                (None, Some(file)) => without_last_break(session.document(&file).await?),
                (None, None) => String::new(),
            };
            let command = Command::VariantEdit { experiment: experiment.clone(), letter, round, facet, text };
            session.act_on("experiment", &experiment, command, &change).await
        }
    }
}

/// Editors end a file with a line break that nobody meant as part of the text.
fn without_last_break(mut text: String) -> String {
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    text
}

fn facet_of(word: &str) -> Result<Facet, Failure> {
    Facet::ALL.into_iter().find(|facet| facet.as_str() == word).ok_or_else(|| {
        let all: Vec<&str> = Facet::ALL.iter().map(|f| f.as_str()).collect();
        let near =
            nearest(word, all.iter().copied()).map_or_else(String::new, |near| format!("did you mean `{near}`? "));
        let word: String = word.chars().take(64).collect();
        Failure::invalid(
            "variant.facet",
            format!("facet {word}"),
            "there is no such facet",
            format!("{near}they are {}", all.join(", ")),
        )
    })
}

fn of_letter(view: &ExperimentView, letter: char) -> Result<&Variant, Failure> {
    let letter = letter.to_ascii_uppercase();
    view.variants.iter().find(|v| v.letter == letter).ok_or_else(|| {
        let mut refusal = Refusal::not_found("variant", &format!("{letter} of {}", view.line.code));
        refusal.mend = format!("list them with `expos variant list {}`", view.line.code);
        refusal.into()
    })
}

fn list(view: &ExperimentView, data: serde_json::Value) -> Told {
    let rows = view.variants.iter().map(|variant| {
        let first = variant.content(0).map(Content::text).unwrap_or_default();
        let part = if variant.is_control() { "control" } else { "test" };
        let count = variant.rounds.len().to_string();
        vec![
            variant.letter.to_string().into(),
            part.into(),
            variant.revision.to_string().into(),
            count.into(),
            Text::of(first),
        ]
    });
    let columns = vec![keep("letter"), keep("part"), keep("revision"), keep("rounds"), flow("first round")];
    Told::table(columns, rows.collect(), "this experiment has no variants", data)
}

fn show(variant: &Variant) -> Vec<Block> {
    let part = if variant.is_control() { "the control" } else { "a test" };
    let mut blocks =
        vec![Block::Line(Text::of(format!("variant {}: {part}, revision {}", variant.letter, variant.revision)))];
    for (round, content) in variant.rounds.iter().enumerate() {
        blocks.extend(head(&format!("round {}", round.saturating_add(1))));
        blocks.extend(content_blocks(content));
    }
    blocks
}

fn content_blocks(content: &Content) -> Vec<Block> {
    let mut blocks = Vec::new();
    for facet in Facet::ALL {
        if let Some(text) = content.facets.get(&facet) {
            blocks.push(Block::Line(Text::of(format!("{facet}:"))));
            blocks.push(Block::Quote(Text::lines(text.raw())));
        }
    }
    blocks.extend(content.assets.iter().map(|asset| Block::Line(asset_line(asset))));
    blocks
}

/// Draws a picture: what it is, by its digest, and its text for those who do not see it.
pub(crate) fn asset_line(asset: &domain::variant::Asset) -> Text {
    let gps = if asset.has_gps { "; SAYS WHERE IT WAS TAKEN" } else { "" };
    Text::of(format!(
        "picture ({}): {} {}x{} {} bytes sha256 {}{gps}; alt: {}",
        asset.facet,
        asset.mime,
        asset.width,
        asset.height,
        asset.bytes,
        asset.digest.short(),
        asset.alt.raw()
    ))
}

fn diff(view: &ExperimentView, letter: Option<char>) -> Result<Told, Failure> {
    let control = of_letter(view, 'A')?;
    let tests: Vec<&Variant> = match letter {
        Some(letter) => vec![of_letter(view, letter)?],
        None => view.variants.iter().filter(|v| !v.is_control()).collect(),
    };
    let (mut blocks, mut told) = (Vec::new(), Vec::new());
    for test in tests {
        for (round, (mine, theirs)) in test.rounds.iter().zip(&control.rounds).enumerate() {
            let facets = mine.differing_facets(theirs);
            let number = round.saturating_add(1);
            blocks.push(Block::Line(Text::of(format!(
                "{} against A, round {number}: {}",
                test.letter,
                words(&facets)
            ))));
            for facet in &facets {
                blocks.push(Block::Line(Text::of(format!("{facet} A:"))));
                blocks.push(facet_quote(theirs, *facet));
                blocks.push(Block::Line(Text::of(format!("{facet} {}:", test.letter))));
                blocks.push(facet_quote(mine, *facet));
            }
            told.push(json!({"letter": test.letter, "round": number, "facets": facets}));
        }
    }
    Ok(Told::new(blocks, told.into()))
}

fn words(facets: &[Facet]) -> String {
    if facets.is_empty() {
        "equal".to_owned()
    } else {
        facets.iter().map(|f| f.as_str()).collect::<Vec<_>>().join(", ")
    }
}

fn facet_quote(content: &Content, facet: Facet) -> Block {
    let mut lines = content.facets.get(&facet).map(Untrusted::raw).map(Text::lines).unwrap_or_default();
    lines.extend(content.assets.iter().filter(|asset| asset.facet == facet).map(asset_line));
    Block::Quote(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_break_at_the_end_is_the_editors() {
        for (given, kept) in [("a\n", "a"), ("a\r\n", "a"), ("a\n\n", "a\n"), ("a", "a"), ("", "")] {
            assert_eq!(without_last_break(given.to_owned()), kept);
        }
    }

    #[test]
    fn a_facet_is_named_as_briefs_name_it() {
        assert_eq!(facet_of("hook").unwrap(), Facet::Hook);
        assert!(format!("{:?}", facet_of("hok").unwrap_err()).contains("did you mean `hook`?"));
    }
}
