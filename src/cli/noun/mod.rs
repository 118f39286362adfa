//! The nouns: a file each, with its verbs, what they ask of the desk, and how the answers read.
//!
//! Here stands only what several nouns draw alike.

pub(crate) mod account;
pub(crate) mod audit;
pub(crate) mod brief;
pub(crate) mod calendar;
pub(crate) mod checkin;
pub(crate) mod client;
pub(crate) mod engine;
pub(crate) mod escalation;
pub(crate) mod events;
pub(crate) mod experiment;
pub(crate) mod layer;
pub(crate) mod learning;
pub(crate) mod outcome;
pub(crate) mod policy;
pub(crate) mod post;
pub(crate) mod preflight;
pub(crate) mod program;
pub(crate) mod queue;
pub(crate) mod reply;
pub(crate) mod report;
pub(crate) mod snapshot;
pub(crate) mod store;
#[cfg(test)]
mod tests;
pub(crate) mod user;
pub(crate) mod variant;

use std::fmt::Write as _;

use domain::hold::{Hold, HoldCause, HoldKey};
use domain::preflight::{Finding, Severity};
use domain::time::UtcTime;
use serde::Serialize;

use crate::error::Failure;
use crate::json::is_hidden;
use crate::output::Block;
use crate::text::{Look, Text};

/// Puts a reason in where none was given: stopping asks nothing.
pub(crate) fn reason_or(reason: Option<String>) -> String {
    reason.unwrap_or_else(|| "asked for on the command line".to_owned())
}

/// Draws what stops something, a line each.
pub(crate) fn holds(holds: &[Hold], local: &dyn Fn(UtcTime) -> String) -> Vec<Block> {
    holds
        .iter()
        .map(|hold| Block::Line(Text::of(format!("on hold: {}", hold_words(hold, local))).look(Look::Warn)))
        .collect()
}

fn hold_words(hold: &Hold, local: &dyn Fn(UtcTime) -> String) -> String {
    let cause = match hold.cause {
        HoldCause::Operator => "",
        HoldCause::Breach => "guardrail crossed, ",
        HoldCause::Restore => "store restored or moved, ",
        HoldCause::Clock => "clock jumped, ",
    };
    format!("{}, {cause}since {} by {}: {}", hold.key(), local(hold.at), hold.by, hold.reason)
}

/// Returns which holds a resume ends: those that its person named, else those that stand as it is asked for.
pub(crate) fn seen(named: Vec<String>, standing: &[Hold]) -> Vec<HoldKey> {
    if named.is_empty() {
        standing.iter().map(Hold::key).collect()
    } else {
        named.into_iter().map(HoldKey::new).collect()
    }
}

/// Writes the holds that were named as they were given.
pub(crate) fn hold_options(named: &[String]) -> String {
    named.iter().map(|name| format!(" --hold {}", crate::args::quoted(name))).collect()
}

/// Returns the word for held or not.
pub(crate) fn hold_cell(holds: &[Hold]) -> Text {
    if holds.is_empty() { Text::of("-") } else { Text::of("on hold").look(Look::Warn) }
}

/// Draws what the guards found, a line each, the worst first.
pub(crate) fn findings(findings: &[Finding]) -> Vec<Block> {
    let mut sorted: Vec<&Finding> = findings.iter().collect();
    sorted.sort_by_key(|finding| finding.severity);
    sorted.into_iter().map(|finding| Block::Line(finding_line(finding))).collect()
}

fn finding_line(finding: &Finding) -> Text {
    let look = match finding.severity {
        Severity::Block => Look::Bad,
        Severity::Warn => Look::Warn,
        Severity::Info => Look::Plain,
    };
    Text::of(format!(
        "{} {} {} {}: {}; {}",
        finding.severity, finding.guard, finding.rule, finding.place, finding.why, finding.mend
    ))
    .look(look)
}

/// Draws a head over what follows.
pub(crate) fn head(words: &str) -> [Block; 2] {
    [Block::Gap, Block::Line(Text::of(words).look(Look::Strong))]
}

/// Writes something as TOML in which nothing is hidden, each value on one line, and which reads back as the same.
pub(crate) fn toml_document(what: &str, value: &impl Serialize) -> Result<String, Failure> {
    let cannot = |why: String| Failure::failed(format!("{what} cannot be written as TOML: {why}"));
    let table = toml::Table::try_from(value).map_err(|error| cannot(error.to_string()))?;
    let mut text = String::new();
    write_table(&mut text, "", &table);
    let read = text.parse::<toml::Table>().map_err(|error| cannot(error.message().to_owned()))?;
    if read == table { Ok(text) } else { Err(cannot("it does not read back as it was".to_owned())) }
}

fn write_table(text: &mut String, path: &str, table: &toml::Table) {
    for (key, value) in table.iter().filter(|(_, value)| !value.is_table()) {
        text.push_str(&format!("{key} = {}\n", written(value)));
    }
    for (key, value) in table {
        if let Some(inner) = value.as_table() {
            let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
            text.push_str(&format!("\n[{path}]\n"));
            write_table(text, &path, inner);
        }
    }
}

fn written(value: &toml::Value) -> String {
    match value {
        toml::Value::String(string) => written_string(string),
        toml::Value::Array(values) => format!("[{}]", values.iter().map(written).collect::<Vec<_>>().join(", ")),
        toml::Value::Table(table) => {
            let pairs: Vec<String> = table.iter().map(|(key, value)| format!("{key} = {}", written(value))).collect();
            format!("{{ {} }}", pairs.join(", "))
        }
        toml::Value::Integer(_) | toml::Value::Float(_) | toml::Value::Boolean(_) | toml::Value::Datetime(_) => {
            value.to_string()
        }
    }
}

fn written_string(string: &str) -> String {
    let mut out = String::from("\"");
    for c in string.chars() {
        // Writing into a string cannot fail.
        match u32::from(c) {
            _ if c == '"' || c == '\\' => write!(out, "\\{c}").unwrap_or_default(),
            _ if c == '\n' => out.push_str("\\n"),
            _ if !is_hidden(c) => out.push(c),
            number if number > 0xFFFF => write!(out, "\\U{number:08X}").unwrap_or_default(),
            number => write!(out, "\\u{number:04X}").unwrap_or_default(),
        }
    }
    out.push('"');
    out
}

/// Reads TOML, with a refusal that names the line.
pub(crate) fn from_toml<T: serde::de::DeserializeOwned>(what: &str, text: &str) -> Result<T, Failure> {
    toml::from_str(text).map_err(|error| {
        let before = error.span().and_then(|span| text.get(..span.start));
        let place =
            before.map_or_else(String::new, |b| format!("line {}: ", b.matches('\n').count().saturating_add(1)));
        let why: String = error.message().chars().take(300).collect();
        Failure::invalid("form.toml", what, format!("{place}{}", why.replace('\n', " ")), "correct it and try again")
    })
}
