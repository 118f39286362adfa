//! Outcomes: what an experiment says, whether it may be believed, and what would change it.
//!
//! The verdict is the desk's; here it is only drawn. What is not known is `n/a`, never 0. Once it was reviewed, what could
//! mislead and what may be decided stand beside it.

use clap::{ArgGroup, Subcommand};
use desk::query::{OutcomeView, ReviewView};
use desk::{Answer, Command, Problem, Query};
use domain::experiment::Stage;
use domain::outcome::{Finding, Outcome, ProxyOutcome, Ranked, Ratio, Say, VariantCount, Verdict, one_in, percent};

use domain::report::Item;
use domain::review::{Choice, Signed};

use super::head;
use crate::args::Change;
use crate::error::Failure;
use crate::output::{Block, Column, Told, flow, keep};
use crate::session::{Session, data, take};
use crate::text::{Look, Text};

pub(crate) const EXAMPLES: &str = "\
Examples:
  expos outcome show ACME-001
  expos outcome show ACME-001 --json
  expos outcome sign ACME-001 news boost --no --note 'asked the client'
  expos outcome sign ACME-001 campaigns --unknown";

/// What stands where something is not known.
const UNKNOWN: &str = "n/a";

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Show what an experiment says: comparable or not, who is ahead, what would change it
    Show {
        /// Code, id or unique prefix
        experiment: String,
    },
    /// Say of what could mislead whether it does; a winner is shipped once each is a no
    #[command(group(ArgGroup::new("says").required(true).args(["no", "confounds", "unknown"])))]
    Sign {
        /// Code, id or unique prefix
        #[arg(value_name = "CODE")]
        experiment: String,
        /// Which items, by their keys
        #[arg(required = true, value_name = "KEY")]
        keys: Vec<String>,
        /// It explains nothing
        #[arg(long)]
        no: bool,
        /// It explains what was seen
        #[arg(long)]
        confounds: bool,
        /// Nobody can tell; that is not a no
        #[arg(long)]
        unknown: bool,
        /// What you know of it
        #[arg(long, default_value = "")]
        note: String,
        #[command(flatten)]
        change: Change,
    },
}

pub(crate) async fn run(session: &mut Session<'_>, verb: Verb) -> Result<Told, Failure> {
    let experiment = match verb {
        Verb::Show { experiment } => experiment,
        Verb::Sign { experiment, keys, no, confounds, unknown: _, note, change } => {
            let says = match (no, confounds) {
                (true, _) => Signed::Clear,
                (false, true) => Signed::Confounds,
                (false, false) => Signed::Unknown,
            };
            let command = Command::OutcomeSign { experiment: experiment.clone(), keys, says, note };
            return session.act_on("experiment", &experiment, command, &change).await;
        }
    };
    let found = match session.ask(Query::OutcomeShow { experiment: experiment.clone() }).await {
        Ok(answer) => take!(answer, Answer::Outcome)?,
        Err(failure) => return Err(session.suggest(failure, "experiment", &experiment).await),
    };
    let mut blocks = show(&found);
    let mut told = data(&found)?;
    if let Some(review) = review(session, &found).await? {
        blocks.extend(mislead(&review));
        blocks.extend(answers(&review));
        if let Some(fields) = told.as_object_mut() {
            fields.insert("review".to_owned(), data(&review)?);
        }
    }
    Ok(Told::new(blocks, told))
}

/// Asks for the review, where there may be one.
async fn review(session: &mut Session<'_>, found: &OutcomeView) -> Result<Option<ReviewView>, Failure> {
    if !matches!(found.line.stage, Stage::Reviewing | Stage::Completed { .. } | Stage::Invalid { .. }) {
        return Ok(None);
    }
    match session.ask(Query::ReviewShow { experiment: found.line.code.clone() }).await {
        Ok(answer) => Ok(Some(*take!(answer, Answer::Review)?)),
        // It ended before there was anything to say.
        Err(Failure::Problem(Problem::Refused(refusal))) if refusal.rule == "review.too-early" => Ok(None),
        Err(failure) => Err(failure),
    }
}

fn mislead(review: &ReviewView) -> Vec<Block> {
    let mut blocks: Vec<Block> = head("what could mislead").into();
    let row = |item: &Item| {
        let (says, look) = match item.signature.as_ref().map(|signature| signature.says) {
            None => ("not signed", Look::Warn),
            Some(says @ Signed::Clear) => (says.as_str(), Look::Good),
            Some(says @ Signed::Confounds) => (says.as_str(), Look::Bad),
            Some(says @ Signed::Unknown) => (says.as_str(), Look::Warn),
        };
        let by = item.signature.as_ref().map_or("-", |signature| signature.by.name());
        vec![
            item.confounder.key.as_str().into(),
            Text::of(says).look(look),
            by.into(),
            item.confounder.what.as_str().into(),
        ]
    };
    let rows = review.confounders.iter().map(row).collect();
    blocks.push(Block::Table(vec![keep("item"), keep("signed"), keep("by"), flow("what")], rows));
    blocks
}

fn answers(review: &ReviewView) -> Vec<Block> {
    let mut blocks: Vec<Block> = head("decision").into();
    if let Some(done) = &review.decision {
        let child = done.child.as_ref().map_or_else(String::new, |child| format!(", goes on as {}", child.code));
        let line = format!("{} by {}: {}{child}", done.choice.as_str(), done.by, done.why);
        blocks.push(Block::Line(Text::of(line).look(Look::Strong)));
        return blocks;
    }
    let row = |answer: &domain::review::Answer| {
        let word = match answer.choice {
            Choice::Ship { letter } => format!("ship {letter}"),
            Choice::Iterate | Choice::Abandon => answer.choice.as_str().to_owned(),
        };
        let (may, look) = match (&answer.refused, answer.reviewer, answer.recommended) {
            (Some(_), _, _) => ("no", Look::Dim),
            (None, true, _) => ("a reviewer", Look::Warn),
            (None, false, true) => ("recommended", Look::Good),
            (None, false, false) => ("yes", Look::Plain),
        };
        let why = answer.refused.as_deref().unwrap_or(&answer.means);
        vec![word.into(), Text::of(may).look(look), why.into()]
    };
    let rows = review.answers.iter().map(row).collect();
    blocks.push(Block::Table(vec![keep("answer"), keep("may be"), flow("what comes of it, or why not")], rows));
    if let Some(offered) = &review.offered {
        blocks.push(Block::Line(Text::of(format!("offered to be remembered: {offered}"))));
    }
    blocks
}

fn show(view: &OutcomeView) -> Vec<Block> {
    let outcome = &view.outcome;
    let look = match outcome.say {
        Say::Winner => Look::Good,
        Say::Invalid => Look::Bad,
        Say::NotRipe | Say::NothingRead | Say::NotEnoughPosts | Say::RestsOnSuspected | Say::NoCall => Look::Strong,
    };
    let mut blocks = vec![Block::Line(Text::of(outcome.sentence.as_str()).look(look))];
    blocks.push(Block::Fields(fields(view)));
    blocks.extend(
        outcome
            .would_change
            .iter()
            .filter(|_| outcome.say != Say::NotRipe)
            .map(|change| Block::Line(Text::of(format!("would change it: {change}")))),
    );
    blocks.extend(head("posts"));
    blocks.push(Block::Table(
        vec![keep("variant"), keep("planned"), keep("out"), keep("read"), keep("comparable")],
        outcome.variants.iter().map(count).collect(),
    ));
    blocks.extend(checks(outcome));
    blocks.extend(ranking(outcome));
    blocks.extend(head(&format!("proxies at {}", outcome.age)));
    blocks.push(Block::Table(proxy_columns(), outcome.proxies.iter().flat_map(proxy).collect()));
    blocks
}

fn fields(view: &OutcomeView) -> Vec<(&'static str, Text)> {
    let outcome = &view.outcome;
    let comparable = match outcome.comparable {
        None => UNKNOWN,
        Some(Verdict::Ok) => "yes",
        Some(Verdict::Unavailable) => "cannot tell",
        Some(Verdict::Warn) => "yes, with warnings that somebody has to answer for",
        Some(Verdict::Invalid) => "no",
    };
    let draw = if outcome.draw_repeated { "" } else { ", which no longer gives these labels: blocks alone are kept" };
    vec![
        ("experiment", format!("{} {}", view.line.code, view.line.name).into()),
        ("stage", view.line.stage.word().into()),
        ("says", outcome.say.as_str().into()),
        ("winner", outcome.winner.map_or_else(|| UNKNOWN.to_owned(), |letter| letter.to_string()).into()),
        ("comparable", comparable.into()),
        ("confidence", outcome.confidence.map_or(UNKNOWN, |word| word.as_str()).into()),
        ("compared at", outcome.age.to_string().into()),
        ("seed", format!("{}{draw}", outcome.seed).into()),
        ("to do", outcome.next.as_str().into()),
    ]
}

fn count(count: &VariantCount) -> Vec<Text> {
    vec![
        count.letter.to_string().into(),
        count.planned.to_string().into(),
        count.out.to_string().into(),
        count.read.to_string().into(),
        count.comparable.map_or_else(|| UNKNOWN.to_owned(), |posts| posts.to_string()).into(),
    ]
}

fn checks(outcome: &Outcome) -> Vec<Block> {
    if outcome.checks.is_empty() {
        return Vec::new();
    }
    let mut blocks: Vec<Block> = head("comparable?").into();
    let row = |finding: &Finding| {
        let look = match finding.verdict {
            Verdict::Ok => Look::Good,
            Verdict::Unavailable => Look::Dim,
            Verdict::Warn => Look::Warn,
            Verdict::Invalid => Look::Bad,
        };
        vec![
            Text::of(finding.check.as_str()),
            Text::of(finding.verdict.as_str()).look(look),
            Text::of(number(finding.statistic)),
            Text::of(finding.sentence.as_str()),
        ]
    };
    let rows = outcome.checks.iter().map(row).collect();
    blocks.push(Block::Table(vec![keep("check"), keep("says"), keep("number"), flow("why")], rows));
    blocks
}

fn ranking(outcome: &Outcome) -> Vec<Block> {
    if outcome.ranking.is_empty() {
        return Vec::new();
    }
    let mut blocks: Vec<Block> = head(&format!("who is ahead at {}", outcome.age)).into();
    let row = |(ranked, place): (&Ranked, u32)| {
        let change = |ratio: Option<f64>| ratio.map_or_else(|| UNKNOWN.to_owned(), percent);
        vec![
            place.to_string().into(),
            ranked.letter.to_string().into(),
            format!("{:.0} %", ranked.chance * 100.0).into(),
            change(ranked.overall).into(),
            change(ranked.expected).into(),
            ranked.p.map_or_else(|| UNKNOWN.to_owned(), one_in).into(),
        ]
    };
    let columns =
        vec![keep("place"), keep("variant"), keep("likely best"), keep("all proxies"), keep("expect"), keep("by luck")];
    blocks.push(Block::Table(columns, outcome.ranking.iter().zip(1..).map(row).collect()));
    blocks
}

fn proxy_columns() -> Vec<Column> {
    vec![
        keep("proxy"),
        keep("family"),
        keep("middle of each"),
        keep("against A"),
        keep("ratio"),
        keep("likely range"),
        keep("by luck"),
        flow("says"),
    ]
}

/// One row for each test variant, and one where there is no comparison.
fn proxy(proxy: &ProxyOutcome) -> Vec<Vec<Text>> {
    let name = if proxy.per_view { format!("{} a view", proxy.words) } else { proxy.words.clone() };
    let middles: Vec<String> = proxy
        .middles
        .iter()
        .map(|middle| format!("{} {} ({})", middle.letter, number(middle.value), middle.posts))
        .collect();
    let row = |variant: &str, ratio: &str, range: &str, luck: &str, says: &str| -> Vec<Text> {
        vec![
            name.as_str().into(),
            proxy.family.as_deref().unwrap_or(UNKNOWN).into(),
            middles.join(", ").into(),
            variant.into(),
            ratio.into(),
            range.into(),
            luck.into(),
            says.into(),
        ]
    };
    if proxy.ratios.is_empty() {
        let why = proxy.aside.as_deref().unwrap_or("not compared yet");
        return vec![row(UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, why)];
    }
    proxy
        .ratios
        .iter()
        .map(|ratio| {
            let says = if ratio.harmed {
                "worse"
            } else if ratio.leads {
                "leads"
            } else {
                "-"
            };
            row(&ratio.letter.to_string(), &format!("{:.2}", ratio.ratio), &range(ratio), &one_in(ratio.p_up), says)
        })
        .collect()
}

fn range(ratio: &Ratio) -> String {
    let end = |end: Option<f64>| end.map_or_else(|| "?".to_owned(), |end| format!("{end:.2}"));
    match (ratio.low, ratio.high) {
        (None, None) => UNKNOWN.to_owned(),
        (low, high) => format!("{} to {}", end(low), end(high)),
    }
}

/// Whole numbers as they are, others with two decimals; `n/a` for what is not known.
fn number(number: Option<f64>) -> String {
    match number {
        None => UNKNOWN.to_owned(),
        Some(number) if number.fract() == 0.0 => format!("{number:.0}"),
        Some(number) => format!("{number:.2}"),
    }
}
