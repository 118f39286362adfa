//! Experiments: listed, shown, put before a person, stopped.

use clap::{Subcommand, ValueEnum};
use desk::query::{EventLine, ExperimentLine, ExperimentView, GuardrailLine};
use desk::{Answer, Command, Query, Stoppable};
use domain::brief::GuardrailAction;
use domain::experiment::Stage;
use domain::review::Choice;

use super::{events, findings, head, hold_options, holds, post, reason_or, seen};
use crate::args::{Change, Raise, quoted};
use crate::error::Failure;
use crate::output::{Block, Told, flow, keep};
use crate::session::{Session, Zones, data, take};
use crate::text::{Look, Text};

pub(crate) const EXAMPLES: &str = "\
Examples:
  expos experiment list --client acme
  expos experiment submit ACME-001          take the layer, draw the plan
  expos experiment pause ACME-001
  expos experiment resume ACME-001 --reason 'challenge solved' --yes
  expos experiment decide ACME-001 ship --reason 'questions work here'
  expos experiment decide ACME-001 iterate --reason 'more posts are needed'";

/// A decision, as it is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Decided {
    /// The winner is what goes out from now on
    Ship,
    /// A new draft begins from this one, and keeps its layer
    Iterate,
    /// Nothing more is done about it
    Abandon,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// List experiments
    List {
        /// Of one client
        #[arg(long)]
        client: Option<String>,
        /// The finished ones too
        #[arg(long)]
        all: bool,
    },
    /// Show an experiment
    Show {
        /// Code, id or unique prefix
        experiment: String,
    },
    /// Take the layer, draw the plan and put it before a person
    Submit {
        /// Code, id or unique prefix
        experiment: String,
        #[command(flatten)]
        change: Change,
    },
    /// Forget a draft
    Drop {
        /// Code, id or unique prefix
        experiment: String,
        /// Why
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        change: Change,
    },
    /// Stop an experiment for now, at once
    Pause {
        /// Code, id or unique prefix
        experiment: String,
        /// Why
        #[arg(long)]
        reason: Option<String>,
        #[command(flatten)]
        change: Change,
    },
    /// Let an experiment go on
    Resume {
        /// Code, id or unique prefix
        experiment: String,
        /// Why
        #[arg(long)]
        reason: String,
        /// Which hold ends, as `show` names it; may be given again [default: all that stand now]
        #[arg(long = "hold", value_name = "NAME")]
        holds: Vec<String>,
        #[command(flatten)]
        raise: Raise,
    },
    /// End a running experiment for good
    Stop {
        /// Code, id or unique prefix
        experiment: String,
        /// Why
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        change: Change,
    },
    /// Decide about a reviewed experiment: ship the winner, iterate or abandon
    Decide {
        /// Code, id or unique prefix
        experiment: String,
        /// What is done about it
        #[arg(value_name = "WHAT")]
        decision: Decided,
        /// Why
        #[arg(long)]
        reason: String,
        /// Which variant is shipped [the winner]
        #[arg(long)]
        variant: Option<char>,
        /// What is remembered [the sentence that `outcome show` offers]
        #[arg(long)]
        learning: Option<String>,
        #[command(flatten)]
        change: Change,
    },
    /// Show all that happened to an experiment and its posts
    History {
        /// Code, id or unique prefix
        experiment: String,
    },
}

pub(crate) async fn run(session: &mut Session<'_>, verb: Verb) -> Result<Told, Failure> {
    match verb {
        Verb::List { client, all } => {
            let client = match client {
                Some(name) => Some(session.client(&name).await?.id),
                None => None,
            };
            let lines = session.experiments(client, all).await?;
            let zones = session.zones().await?;
            Ok(list(&lines, &zones, data(&lines)?))
        }
        Verb::Show { experiment } => {
            let view = session.experiment(&experiment).await?;
            let zones = session.zones().await?;
            Ok(Told::new(show(&view, &zones), data(&view)?))
        }
        Verb::Submit { experiment, change } => {
            session.act_on("experiment", &experiment, Command::Submit { experiment: experiment.clone() }, &change).await
        }
        Verb::Drop { experiment, reason, change } => {
            session
                .act_on("experiment", &experiment, Command::Drop { experiment: experiment.clone(), reason }, &change)
                .await
        }
        Verb::Pause { experiment, reason, change } => {
            let command =
                Command::Pause { target: Stoppable::Experiment(experiment.clone()), reason: reason_or(reason) };
            session.act_on("experiment", &experiment, command, &change).await
        }
        Verb::Resume { experiment, reason, holds, raise } => {
            let options = hold_options(&holds);
            let again =
                format!("expos experiment resume {} --reason {}{options}", quoted(&experiment), quoted(&reason));
            raise.check(format!("experiment {experiment}"), &again)?;
            let holds = seen(holds, &session.experiment(&experiment).await?.holds);
            let command = Command::Resume { target: Stoppable::Experiment(experiment.clone()), reason, holds };
            session.act_on("experiment", &experiment, command, &raise.change).await
        }
        Verb::Stop { experiment, reason, change } => {
            session
                .act_on(
                    "experiment",
                    &experiment,
                    Command::StopExperiment { experiment: experiment.clone(), reason },
                    &change,
                )
                .await
        }
        Verb::Decide { experiment, decision, reason, variant, learning, change } => {
            let decision = match decision {
                Decided::Ship => Choice::Ship { letter: shipped(session, &experiment, variant).await? },
                Decided::Iterate => Choice::Iterate,
                Decided::Abandon => Choice::Abandon,
            };
            let command = Command::Decide { experiment: experiment.clone(), decision, reason, learning };
            session.act_on("experiment", &experiment, command, &change).await
        }
        Verb::History { experiment } => {
            let view = session.experiment(&experiment).await?;
            let lines = history(session, &view).await?;
            let zones = session.zones().await?;
            let told = data(&lines)?;
            Ok(events::list(&lines, &|time| zones.local(&view.line.client, time), told))
        }
    }
}

/// Returns the variant to ship: the one that was named, else the one that the review speaks of.
async fn shipped(session: &mut Session<'_>, experiment: &str, named: Option<char>) -> Result<char, Failure> {
    if let Some(letter) = named {
        return Ok(letter.to_ascii_uppercase());
    }
    let review = match session.ask(Query::ReviewShow { experiment: experiment.to_owned() }).await {
        Ok(answer) => take!(answer, Answer::Review)?,
        Err(failure) => return Err(session.suggest(failure, "experiment", experiment).await),
    };
    let ship = review.answers.iter().find_map(|answer| match answer.choice {
        Choice::Ship { letter } => Some(letter),
        Choice::Iterate | Choice::Abandon => None,
    });
    // Without one the desk says why none can be shipped.
    Ok(ship.unwrap_or('B'))
}

/// The most events that a page of the log holds.
const PAGE: u32 = 500;

async fn history(session: &mut Session<'_>, view: &ExperimentView) -> Result<Vec<EventLine>, Failure> {
    let mut streams: Vec<String> = view.posts.iter().map(|p| format!("post/{}", p.id)).collect();
    streams.push(format!("experiment/{}", view.line.id));
    let (mut found, mut after) = (Vec::new(), 0);
    loop {
        let page = take!(session.ask(Query::Events { after, limit: PAGE }).await?, Answer::Events)?;
        let Some(last) = page.last() else { return Ok(found) };
        if last.n <= after {
            return Ok(found);
        }
        after = last.n;
        found.extend(page.into_iter().filter(|event| streams.contains(&event.stream)));
    }
}

fn list(lines: &[ExperimentLine], zones: &Zones, data: serde_json::Value) -> Told {
    let rows = lines.iter().map(|line| row(line, zones)).collect();
    let columns = vec![
        keep("code"),
        keep("client"),
        keep("kind"),
        keep("status"),
        keep("stage"),
        keep("out"),
        keep("next slot"),
        flow("name"),
    ];
    Told::table(columns, rows, "no experiments; take in a brief with `expos brief new`", data)
}

fn row(line: &ExperimentLine, zones: &Zones) -> Vec<Text> {
    vec![
        line.code.as_str().into(),
        line.client.as_str().into(),
        line.kind.as_str().into(),
        status(&line.status),
        line.stage.word().into(),
        format!("{}/{}", line.out, line.planned).into(),
        line.next.map_or_else(|| Text::of("-"), |next| zones.local(&line.client, next).into()),
        line.name.as_str().into(),
    ]
}

fn status(word: &str) -> Text {
    let look = match word {
        "paused" => Look::Warn,
        "invalid" => Look::Bad,
        "running" => Look::Good,
        _ => Look::Plain,
    };
    Text::of(word).look(look)
}

/// Draws what lists and sheets say of an experiment alike.
pub(crate) fn fields(line: &ExperimentLine, zones: &Zones) -> Vec<(&'static str, Text)> {
    let mut fields = vec![
        ("experiment", line.code.as_str().into()),
        ("id", line.id.to_string().into()),
        ("name", line.name.as_str().into()),
        ("client", line.client.as_str().into()),
        ("kind", line.kind.as_str().into()),
        ("status", status(&line.status)),
        ("stage", line.stage.word().into()),
    ];
    match &line.stage {
        Stage::Completed { how } => fields.push(("ended", how.as_str().into())),
        Stage::Invalid { why } => fields.push(("why", why.as_str().into())),
        Stage::Drafting
        | Stage::Creating
        | Stage::Preflight
        | Stage::AwaitingApproval
        | Stage::Scheduled
        | Stage::Running
        | Stage::Maturing
        | Stage::Reviewing => {}
    }
    fields.push(("out", format!("{} of {} posts", line.out, line.planned).into()));
    if let Some(next) = line.next {
        fields.push(("next slot", zones.local(&line.client, next).into()));
    }
    fields
}

fn guardrail(line: &GuardrailLine) -> Block {
    let then = match line.action {
        GuardrailAction::Pause => "pause",
        GuardrailAction::Warn => "warn",
    };
    let look = match line.state.as_str() {
        "crossed" => Look::Bad,
        "not observable" => Look::Warn,
        _ => Look::Plain,
    };
    Block::Line(Text::of(format!("{} {then} {}: {}", line.signal, line.state, line.why)).look(look))
}

fn show(view: &ExperimentView, zones: &Zones) -> Vec<Block> {
    let mut fields = fields(&view.line, zones);
    fields.push(("level", format!("{} {}", view.level.level, view.level.reasons.join("; ")).into()));
    fields.push(("author", view.author.as_str().into()));
    fields.push(("last editor", view.editor.as_str().into()));
    if let Some(layer) = &view.layer {
        fields.push(("layer", layer.as_str().into()));
    }
    if let Some(seed) = view.seed {
        fields.push(("seed", seed.to_string().into()));
    }
    if !view.words.is_empty() {
        fields.push(("approved by", view.words.join(", ").into()));
    }
    if let Some(parent) = &view.parent {
        fields.push(("came out of", format!("{}: {}", parent.code, parent.why).into()));
    }
    if let Some(decision) = &view.decision {
        fields.push(("decided", format!("{} by {}: {}", decision.choice.as_str(), decision.by, decision.why).into()));
    }
    if let Some(child) = &view.child {
        fields.push(("goes on as", child.code.as_str().into()));
    }
    let letters: Vec<String> =
        view.variants.iter().map(|v| format!("{} (revision {})", v.letter, v.revision)).collect();
    fields.push(("variants", letters.join(", ").into()));
    let mut blocks = vec![Block::Fields(fields)];
    blocks.extend(holds(&view.holds, &|time| zones.local(&view.line.client, time)));
    if !view.guardrails.is_empty() {
        blocks.extend(head("guardrails"));
        blocks.extend(view.guardrails.iter().map(guardrail));
    }
    if !view.findings.is_empty() {
        blocks.extend(head("findings"));
        blocks.extend(findings(&view.findings));
    }
    if !view.posts.is_empty() {
        blocks.extend(head("posts"));
        blocks.push(post::table(&view.posts));
    }
    blocks
}
