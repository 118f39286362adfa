//! The queue: what waits for a word, shown whole, approved exactly as shown, sent back, taken back.
//!
//! Decides that a word is given only with the fingerprint that `queue show` printed last, below all that it covers (T8).

use clap::{Args, Subcommand};
use desk::query::{QueueLine, Sheet, SheetPost};
use desk::{Answer, Command, Query};

use super::experiment::fields;
use super::variant::asset_line;
use super::{findings, head};
use crate::args::{Change, Raise, quoted};
use crate::error::Failure;
use crate::output::{Block, Told, flow, keep};
use crate::session::{Session, Zones, data, take};
use crate::text::{Look, Text};

pub(crate) const EXAMPLES: &str = "\
Examples:
  expos queue list                          what waits, with fingerprints
  expos queue show ACME-001                 all that a word would cover
  expos queue approve ACME-001 --fingerprint 7f3a91c2 --yes
  expos queue reject ACME-001 --reason 'off brand'
  expos queue later ACME-001 13:00          it comes back by itself";

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// List what waits for a word
    List,
    /// Show all that a word would cover, and last its fingerprint
    Show {
        /// Experiment: code, id or unique prefix
        experiment: String,
    },
    /// Give your word for exactly what was shown
    Approve {
        /// Experiment: code, id or unique prefix
        experiment: String,
        /// What `queue show` printed last; at least 8 digits
        #[arg(long, value_name = "H")]
        fingerprint: Option<String>,
        #[command(flatten)]
        raise: Raise,
    },
    /// Send it back
    Reject {
        /// Experiment: code, id or unique prefix
        experiment: String,
        /// Why
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        change: Change,
    },
    /// Put it off until a time, the next round where none is named
    Later {
        /// Experiment: code, id or unique prefix
        experiment: String,
        /// 13:00, 'tomorrow 9', 2026-11-25T09:10:00Z; in time before its first slot
        time: Option<String>,
        #[command(flatten)]
        change: Change,
    },
    /// Take it up again before its time
    Back {
        /// Experiment: code, id or unique prefix
        experiment: String,
        #[command(flatten)]
        change: Change,
    },
}

/// Put an item off, and take it up again.
async fn later(
    session: &mut Session<'_>,
    experiment: String,
    time: Option<String>,
    change: &Change,
) -> Result<Told, Failure> {
    let (zone, until) = (session.zone(), session.until(time.as_deref())?);
    let command = Command::QueueLater { experiment: experiment.clone(), until, zone };
    session.act_on("experiment", &experiment, command, change).await
}

/// Take an approval back.
#[derive(Debug, Args)]
pub(crate) struct Undo {
    /// Experiment: code, id or unique prefix
    experiment: String,
    /// One post alone: id or unique prefix
    #[arg(long)]
    post: Option<String>,
    #[command(flatten)]
    change: Change,
}

pub(crate) async fn run(session: &mut Session<'_>, verb: Verb) -> Result<Told, Failure> {
    match verb {
        Verb::List => {
            let lines = take!(session.ask(Query::QueueList).await?, Answer::Queue)?;
            let zones = session.zones().await?;
            Ok(list(&lines, &zones, data(&lines)?))
        }
        Verb::Show { experiment } => {
            let sheet = sheet(session, &experiment).await?;
            let zones = session.zones().await?;
            Ok(Told::new(draw(&sheet, &zones), data(&sheet)?).next(format!(
                "expos queue approve {} --fingerprint {} --yes",
                sheet.line.code,
                short(&sheet.fingerprint)
            )))
        }
        Verb::Approve { experiment, fingerprint, raise } => approve(session, &experiment, fingerprint, &raise).await,
        Verb::Later { experiment, time, change } => later(session, experiment, time, &change).await,
        Verb::Back { experiment, change } => {
            let command = Command::QueueBack { experiment: experiment.clone() };
            session.act_on("experiment", &experiment, command, &change).await
        }
        Verb::Reject { experiment, reason, change } => {
            session
                .act_on("experiment", &experiment, Command::Reject { experiment: experiment.clone(), reason }, &change)
                .await
        }
    }
}

pub(crate) async fn undo(session: &mut Session<'_>, undo: Undo) -> Result<Told, Failure> {
    let post = match &undo.post {
        Some(name) => Some(session.post(name).await?.line.id),
        None => None,
    };
    let command = Command::Undo { experiment: undo.experiment.clone(), post };
    session.act_on("experiment", &undo.experiment, command, &undo.change).await
}

async fn approve(
    session: &mut Session<'_>,
    experiment: &str,
    fingerprint: Option<String>,
    raise: &Raise,
) -> Result<Told, Failure> {
    let Some(fingerprint) = fingerprint else {
        if raise.change.dry_run {
            return rehearse(session, experiment, &raise.change).await;
        }
        return Err(Failure::Usage {
            what: format!("experiment {experiment}"),
            why: "a word is given for exactly what was shown, so it needs --fingerprint".to_owned(),
            mend: format!("look first: `expos queue show {}`; its last line is the fingerprint", quoted(experiment)),
        });
    };
    let again = format!("expos queue approve {} --fingerprint {}", quoted(experiment), quoted(&fingerprint));
    raise.check(format!("experiment {experiment}"), &again)?;
    let command = Command::Approve { experiment: experiment.to_owned(), fingerprint };
    session.act_on("experiment", experiment, command, &raise.change).await
}

/// Shows the sheet and what a word for it would do.
async fn rehearse(session: &mut Session<'_>, experiment: &str, change: &Change) -> Result<Told, Failure> {
    let sheet = sheet(session, experiment).await?;
    let zones = session.zones().await?;
    let command = Command::Approve { experiment: sheet.line.code.clone(), fingerprint: sheet.fingerprint.clone() };
    let mut told = session.act(command, change).await?;
    let mut blocks = draw(&sheet, &zones);
    blocks.push(Block::Gap);
    blocks.append(&mut told.blocks);
    told.blocks = blocks;
    told.next = None;
    Ok(told)
}

async fn sheet(session: &mut Session<'_>, name: &str) -> Result<Sheet, Failure> {
    match session.ask(Query::QueueShow { experiment: name.to_owned() }).await {
        Ok(answer) => take!(answer, Answer::Sheet).map(|sheet| *sheet),
        Err(failure) => Err(session.suggest(failure, "experiment", name).await),
    }
}

/// The digits that are typed: sixteen of the fingerprint.
fn short(fingerprint: &str) -> String {
    fingerprint.chars().take(16).collect()
}

fn list(lines: &[QueueLine], zones: &Zones, data: serde_json::Value) -> Told {
    let rows = lines.iter().map(|line| {
        let [block, warn, info] = line.findings;
        let look = if block > 0 {
            Look::Bad
        } else if warn > 0 {
            Look::Warn
        } else {
            Look::Plain
        };
        vec![
            line.line.code.as_str().into(),
            line.line.client.as_str().into(),
            line.level.level.as_str().into(),
            format!("{}/{}", line.words, line.needed).into(),
            Text::of(format!("{block} block {warn} warn {info} info")).look(look),
            line.first.map_or_else(|| Text::of("-"), |first| zones.local(&line.line.client, first).into()),
            short(&line.fingerprint).into(),
            line.line.name.as_str().into(),
        ]
    });
    let columns = vec![
        keep("code"),
        keep("client"),
        keep("level"),
        keep("words"),
        keep("findings"),
        keep("first slot"),
        keep("fingerprint"),
        flow("name"),
    ];
    let mut told = Told::table(columns, rows.collect(), "nothing waits for approval", data);
    for line in lines {
        if let Some(later) = &line.later {
            let until = zones.local(&line.line.client, later.until);
            told = told.note(format!("{} was put off until {until} by {}", line.line.code, later.by));
        }
    }
    told
}

/// Draws the sheet; the fingerprint is its last line, below all that it stands for.
fn draw(sheet: &Sheet, zones: &Zones) -> Vec<Block> {
    let mut lines = fields(&sheet.line, zones);
    lines.extend(of_brief(&sheet.brief));
    lines.push(("level", format!("{} {}", sheet.level.level, sheet.level.reasons.join("; ")).into()));
    let by = if sheet.words.is_empty() { String::new() } else { format!(": {}", sheet.words.join(", ")) };
    lines.push(("words", format!("{} of {}{by}", sheet.words.len(), sheet.needed).into()));
    let mut blocks = vec![Block::Fields(lines)];
    for post in &sheet.posts {
        blocks.extend(of_post(post, zones, &sheet.line.client));
    }
    blocks.extend(head("findings"));
    if sheet.findings.is_empty() {
        blocks.push(Block::Line("none".into()));
    }
    blocks.extend(findings(&sheet.findings));
    for note in &sheet.notes {
        blocks.push(Block::Line(Text::of(format!("note: {note}")).look(Look::Warn)));
    }
    blocks.push(Block::Gap);
    blocks.push(Block::Fields(vec![("fingerprint", Text::of(sheet.fingerprint.as_str()).look(Look::Strong))]));
    blocks
}

fn of_brief(brief: &str) -> Vec<(&'static str, Text)> {
    let Ok(table) = brief.parse::<toml::Table>() else { return Vec::new() };
    let text = |key: &str| table.get(key).and_then(toml::Value::as_str);
    let mut fields = Vec::new();
    if let Some(hypothesis) = text("hypothesis") {
        fields.push(("hypothesis", Text::of(hypothesis)));
    }
    if let Some(variable) = text("variable_under_test") {
        fields.push(("variable", Text::of(variable)));
    }
    fields
}

fn of_post(post: &SheetPost, zones: &Zones, client: &domain::id::ClientId) -> Vec<Block> {
    let line = &post.line;
    let mut blocks: Vec<Block> = head(&format!(
        "post {}: {} on {} ({}), variant {} round {}, block {}, lane {}",
        line.number,
        line.local,
        line.account,
        post.binding.identity,
        line.letter,
        line.round,
        line.block,
        post.binding.lane.as_str()
    ))
    .into();
    blocks.push(Block::Line(Text::of(format!(
        "until {}; policy {}; content {}; {}",
        zones.local(client, post.binding.window.until),
        post.binding.policy,
        post.binding.content.0.short(),
        line.id
    ))));
    if let Some((field, why)) = &line.voided {
        blocks.push(Block::Line(Text::of(format!("its last approval is void: {field}: {why}")).look(Look::Warn)));
    }
    let lines = Text::lines(post.text.as_str());
    if lines.iter().any(Text::has_markers) {
        blocks.push(Block::Line(
            Text::of("its text holds hidden characters; each is drawn as its name").look(Look::Warn),
        ));
    }
    blocks.push(Block::Quote(lines));
    blocks.extend(post.assets.iter().map(|asset| Block::Line(asset_line(asset))));
    blocks
}
