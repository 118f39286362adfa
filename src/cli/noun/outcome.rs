//! Outcomes: what an experiment says, whether it may be believed, and what would change it.
//!
//! The verdict is the desk's; here it is only drawn. What is not known is `n/a`, never 0.

use clap::Subcommand;
use desk::query::OutcomeView;
use desk::{Answer, Query};
use domain::outcome::{Finding, Outcome, ProxyOutcome, Ranked, Ratio, Say, VariantCount, Verdict, one_in, percent};

use super::head;
use crate::error::Failure;
use crate::output::{Block, Column, Told, flow, keep};
use crate::session::{Session, data, take};
use crate::text::{Look, Text};

pub(crate) const EXAMPLES: &str = "\
Examples:
  expos outcome show ACME-001
  expos outcome show ACME-001 --json";

/// What stands where something is not known.
const UNKNOWN: &str = "n/a";

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Show what an experiment says: comparable or not, who is ahead, what would change it
    Show {
        /// Code, id or unique prefix
        experiment: String,
    },
}

pub(crate) async fn run(session: &mut Session<'_>, verb: Verb) -> Result<Told, Failure> {
    let Verb::Show { experiment } = verb;
    let found = match session.ask(Query::OutcomeShow { experiment: experiment.clone() }).await {
        Ok(answer) => take!(answer, Answer::Outcome)?,
        Err(failure) => return Err(session.suggest(failure, "experiment", &experiment).await),
    };
    Ok(Told::new(show(&found), data(&found)?))
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
