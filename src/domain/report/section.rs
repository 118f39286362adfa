//! The order and the words in which a report is read, the same for a terminal and for Markdown.

use super::{Item, Report, has_order};
use crate::outcome::{Finding, ProxyOutcome, Ranked, Ratio, Verdict, one_in, percent};

/// What stands where something is not known.
const UNKNOWN: &str = "n/a";

/// A piece of a section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// A sentence.
    Line(String),
    /// One of a list.
    Bullet(String),
    /// A name with its value.
    Field(&'static str, String),
    /// A table: heads, rows.
    Table(Vec<&'static str>, Vec<Vec<String>>),
}

/// A section of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// Its title.
    pub title: String,
    /// What it holds, in order.
    pub parts: Vec<Part>,
}

impl Report {
    /// Returns it in sections, in the order in which they are read.
    pub fn sections(&self) -> Vec<Section> {
        let section = |title: &str, parts: Vec<Part>| Section { title: title.to_owned(), parts };
        vec![
            section(&format!("{} {}", self.code, self.name), self.head()),
            section("What was found", self.found()),
            section("Comparable?", self.comparable()),
            section(&format!("Effects at {}", self.outcome.age), self.effects()),
            section("What could mislead", self.mislead()),
            section("What went otherwise than planned", bullets(&self.deviations, "nothing")),
            section("Warnings it was approved over", bullets(&self.waivers, "none")),
            section("Decision", self.decided()),
            section("What it rests on", self.rests_on()),
        ]
    }

    fn head(&self) -> Vec<Part> {
        let mut parts = vec![
            Part::Line(self.summary.clone()),
            Part::Field("client", self.client.to_string()),
            Part::Field("hypothesis", self.hypothesis.clone()),
            Part::Field("tests", format!("{} on {} ({})", self.variable, self.surface, self.kind)),
            Part::Field("stage", self.stage.clone()),
            Part::Field("reviewed", self.reviewed.in_zone(self.zone)),
        ];
        if let Some(parent) = &self.parent {
            parts.push(Part::Field("came out of", format!("{}: {}", parent.code, parent.why)));
        }
        parts
    }

    fn found(&self) -> Vec<Part> {
        let outcome = &self.outcome;
        let mut parts = vec![
            Part::Field("says", outcome.say.as_str().to_owned()),
            Part::Field("winner", outcome.winner.map_or_else(|| UNKNOWN.to_owned(), |letter| letter.to_string())),
            Part::Field("confidence", outcome.confidence.map_or(UNKNOWN, |word| word.as_str()).to_owned()),
            Part::Field("next", self.next.clone()),
        ];
        parts.extend(outcome.would_change.iter().map(|line| Part::Bullet(format!("would change it: {line}"))));
        parts
    }

    fn comparable(&self) -> Vec<Part> {
        let outcome = &self.outcome;
        let count = |count: Option<usize>| count.map_or_else(|| UNKNOWN.to_owned(), |count| count.to_string());
        let posts = outcome.variants.iter().map(|each| {
            let numbers = [each.planned, each.out, each.read].map(|number| number.to_string());
            std::iter::once(each.letter.to_string()).chain(numbers).chain([count(each.comparable)]).collect()
        });
        let checks = |finding: &Finding| {
            let number = finding.statistic.map_or_else(|| UNKNOWN.to_owned(), number);
            vec![finding.check.to_string(), finding.verdict.as_str().to_owned(), number, finding.sentence.clone()]
        };
        let went = &self.reliability;
        let told = format!(
            "{} of {} due posts were out and read back; {} not read back, {} failed, {} missed",
            went.verified, went.due, went.unverified, went.failed, went.missed
        );
        vec![
            Part::Field("verdict", outcome.comparable.map_or(UNKNOWN, Verdict::as_str).to_owned()),
            Part::Field("publishing", told),
            Part::Table(vec!["variant", "planned", "out", "read", "comparable"], posts.collect()),
            Part::Table(vec!["check", "says", "number", "why"], outcome.checks.iter().map(checks).collect()),
        ]
    }

    fn effects(&self) -> Vec<Part> {
        let outcome = &self.outcome;
        let mut parts = vec![Part::Table(
            vec!["proxy", "variant", "against A", "likely range", "by luck", "says"],
            outcome.proxies.iter().flat_map(effect).collect(),
        )];
        if has_order(outcome) {
            let change = |ratio: Option<f64>| ratio.map_or_else(|| UNKNOWN.to_owned(), percent);
            let row = |ranked: &Ranked| {
                let chance = format!("{:.0} %", ranked.chance * 100.0);
                let luck = ranked.p.map_or_else(|| UNKNOWN.to_owned(), one_in);
                vec![ranked.letter.to_string(), chance, change(ranked.overall), change(ranked.expected), luck]
            };
            let rows = outcome.ranking.iter().map(row).collect();
            parts.push(Part::Table(vec!["variant", "likely best", "all proxies", "expect", "by luck"], rows));
        }
        parts
    }

    fn mislead(&self) -> Vec<Part> {
        let row = |item: &Item| {
            let (says, by, note) = match &item.signature {
                None => ("not signed".to_owned(), UNKNOWN.to_owned(), String::new()),
                Some(signed) => {
                    let by = format!("{} at {}", signed.by, signed.at.in_zone(self.zone));
                    (signed.says.as_str().to_owned(), by, signed.note.clone())
                }
            };
            vec![item.confounder.key.clone(), says, by, item.confounder.what.clone(), note]
        };
        vec![Part::Table(vec!["item", "signed", "by", "what", "note"], self.confounders.iter().map(row).collect())]
    }

    fn decided(&self) -> Vec<Part> {
        let mut parts = Vec::new();
        match &self.decision {
            None => parts.push(Part::Line("nothing is decided yet".to_owned())),
            Some(decision) => {
                parts.push(Part::Field("decision", decision.choice.as_str().to_owned()));
                parts.push(Part::Field("why", decision.why.clone()));
                parts.push(Part::Field("by", format!("{} at {}", decision.by, decision.at.in_zone(self.zone))));
                if decision.against {
                    parts.push(Part::Line("it goes against what the winner rule recommends".to_owned()));
                }
                parts.extend(decision.contents.iter().map(|hash| Part::Field("shipped", hash.to_string())));
                parts.extend(decision.child.iter().map(|child| Part::Field("goes on as", child.code.clone())));
            }
        }
        parts.extend(self.learnings.iter().map(|learning| Part::Field("remembered", learning.clone())));
        parts
    }

    fn rests_on(&self) -> Vec<Part> {
        vec![
            Part::Field("seed", self.outcome.seed.to_string()),
            Part::Field("rules", self.rules.clone()),
            Part::Field("evidence", self.evidence.to_string()),
            Part::Field("report", self.hash.to_string()),
            Part::Line(self.says_nothing.clone()),
        ]
    }
}

fn bullets(lines: &[String], none: &str) -> Vec<Part> {
    if lines.is_empty() {
        return vec![Part::Line(none.to_owned())];
    }
    lines.iter().cloned().map(Part::Bullet).collect()
}

fn effect(proxy: &ProxyOutcome) -> Vec<Vec<String>> {
    let name = if proxy.per_view { format!("{} a view", proxy.words) } else { proxy.words.clone() };
    if proxy.ratios.is_empty() {
        let why = proxy.aside.clone().unwrap_or_else(|| "not compared".to_owned());
        let unknown = || UNKNOWN.to_owned();
        return vec![vec![name, unknown(), unknown(), unknown(), unknown(), why]];
    }
    let row = |ratio: &Ratio| {
        let says = match (ratio.harmed, ratio.leads) {
            (true, _) => "worse",
            (false, true) => "leads",
            (false, false) => "-",
        };
        let cells = [ratio.letter.to_string(), format!("{:.2}", ratio.ratio), range(ratio), one_in(ratio.p_up)];
        std::iter::once(name.clone()).chain(cells).chain([says.to_owned()]).collect()
    };
    proxy.ratios.iter().map(row).collect()
}

fn range(ratio: &Ratio) -> String {
    let end = |end: Option<f64>| end.map_or_else(|| "?".to_owned(), |end| format!("{end:.2}"));
    match (ratio.low, ratio.high) {
        (None, None) => UNKNOWN.to_owned(),
        (low, high) => format!("{} to {}", end(low), end(high)),
    }
}

fn number(number: f64) -> String {
    if number.fract() == 0.0 { format!("{number:.0}") } else { format!("{number:.2}") }
}
