//! The walk over a parsed file: one value at a time, each problem with its path and line.
//!
//! Decides how a wrong type, a missing field and an unknown field are told, and which known name an unknown one was
//! probably meant to be. Which fields there are is decided in `fields`.

use std::collections::HashMap;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::Problem;
use super::excerpt::{clip, quote};

/// One table, with its path in the file.
#[derive(Clone)]
pub(super) struct At<'t> {
    pub(super) path: String,
    pub(super) table: &'t DeTable<'t>,
}

/// One value, with its path in the file.
pub(super) struct Found<'t> {
    pub(super) path: String,
    pub(super) value: &'t DeValue<'t>,
}

/// Collects problems while the file is walked.
pub(super) struct Walk<'t> {
    text: &'t str,
    /// Where each field that was visited begins, in bytes.
    seen: HashMap<String, usize>,
    problems: Vec<Problem>,
}

impl<'t> Walk<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text, seen: HashMap::new(), problems: Vec::new() }
    }

    pub(super) fn into_problems(self) -> Vec<Problem> {
        self.problems
    }

    /// Tells a problem of a field; its line is that of the field, or of the table that should have it.
    pub(super) fn problem(&mut self, field: &str, why: impl Into<String>, example: &str) {
        self.problem_at(self.place(field), field, why.into(), example);
    }

    pub(super) fn problem_at(&mut self, offset: Option<usize>, field: &str, why: String, example: &str) {
        let line = offset.map(|offset| self.line(offset));
        self.problems.push(Problem { field: field.to_owned(), line, why, example: example.to_owned() });
    }

    /// Makes a problem after which nothing else is looked at.
    pub(super) fn whole(&self, field: &str, why: String) -> Problem {
        Problem { field: clip(field), line: self.place(field).map(|at| self.line(at)), why, example: String::new() }
    }

    fn line(&self, offset: usize) -> usize {
        self.text.bytes().take(offset).filter(|byte| *byte == b'\n').count().saturating_add(1)
    }

    fn place(&self, field: &str) -> Option<usize> {
        let mut rest = field;
        loop {
            if let Some(offset) = self.seen.get(rest) {
                return Some(*offset);
            }
            rest = rest.rfind(['.', '[']).and_then(|end| rest.get(..end))?;
        }
    }

    /// Names every key that is not known.
    pub(super) fn unknown(&mut self, at: &At<'t>, known: &[&str]) {
        for key in at.table.keys() {
            let name: &str = key.get_ref();
            if known.contains(&name) {
                continue;
            }
            let meant = nearest(name, known);
            let why = match meant {
                Some(meant) => format!("there is no such field; did you mean `{meant}`?"),
                None => format!("there is no such field; here are {}", known.join(", ")),
            };
            self.problem_at(Some(key.span().start), &join(&at.path, name), why, "");
        }
    }

    /// Returns a value that must be there.
    pub(super) fn need(&mut self, at: &At<'t>, key: &str, example: &str) -> Option<Found<'t>> {
        let found = self.find(at, key);
        if found.is_none() {
            self.problem(&join(&at.path, key), "it is missing", example);
        }
        found
    }

    /// Returns a value that may be there.
    pub(super) fn find(&mut self, at: &At<'t>, key: &str) -> Option<Found<'t>> {
        let (key, value) = at.table.get_key_value(key)?;
        let path = join(&at.path, key.get_ref());
        self.seen.insert(path.clone(), key.span().start);
        Some(Found { path, value: value.get_ref() })
    }

    pub(super) fn table(&mut self, found: &Found<'t>, example: &str) -> Option<At<'t>> {
        let DeValue::Table(table) = found.value else { return self.wrong(found, "a table", example) };
        Some(At { path: found.path.clone(), table })
    }

    pub(super) fn list(&mut self, found: &Found<'t>, example: &str) -> Option<Vec<Found<'t>>> {
        let DeValue::Array(items) = found.value else { return self.wrong(found, "a list", example) };
        let each = items.iter().enumerate().map(|(place, item): (usize, &'t Spanned<DeValue<'t>>)| {
            let path = format!("{}[{place}]", found.path);
            self.seen.insert(path.clone(), item.span().start);
            Found { path, value: item.get_ref() }
        });
        Some(each.collect())
    }

    /// Returns a list of tables; an entry that is none is told and stands as nothing.
    pub(super) fn tables(&mut self, found: &Found<'t>, example: &str) -> Option<Vec<Option<At<'t>>>> {
        let items = self.list(found, example)?;
        Some(items.iter().map(|item| self.table(item, example)).collect())
    }

    pub(super) fn text(&mut self, found: &Found<'t>, example: &str) -> Option<&'t str> {
        let DeValue::String(text) = found.value else { return self.wrong(found, "text in quotes", example) };
        Some(text.as_ref())
    }

    /// Returns a text that says something.
    pub(super) fn words(&mut self, found: &Found<'t>, most: usize, example: &str) -> Option<&'t str> {
        let text = self.text(found, example)?;
        let length = text.chars().count();
        if text.trim().is_empty() {
            self.problem(&found.path, "it is empty", example);
            return None;
        }
        if length > most {
            self.problem(&found.path, format!("it has {length} characters; at most {most} are taken"), example);
            return None;
        }
        Some(text)
    }

    /// Returns a text that one of our own types reads; a date and time may stand without quotes.
    pub(super) fn parsed<T, E: std::fmt::Display>(
        &mut self,
        found: &Found<'t>,
        example: &str,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Option<T> {
        let text = if let DeValue::Datetime(time) = found.value {
            time.to_string()
        } else {
            self.text(found, example)?.to_owned()
        };
        match parse(&text) {
            Ok(value) => Some(value),
            Err(error) => {
                // The error quotes the text, which came from outside.
                self.problem(&found.path, crate::text::Untrusted::new(error.to_string()).show().as_str(), example);
                None
            }
        }
    }

    /// Returns which of some words it is.
    pub(super) fn word<T: Copy>(&mut self, found: &Found<'t>, words: &[(&'static str, T)], example: &str) -> Option<T> {
        let text = self.text(found, example)?;
        if let Some((_, value)) = words.iter().find(|(word, _)| *word == text) {
            return Some(*value);
        }
        let names: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let meant = nearest(text, &names).map(|meant| format!("; did you mean `{meant}`?")).unwrap_or_default();
        self.problem(&found.path, format!("{} is none of {}{meant}", quote(text), names.join(", ")), example);
        None
    }

    pub(super) fn flag(&mut self, found: &Found<'t>, example: &str) -> Option<bool> {
        let DeValue::Boolean(flag) = found.value else { return self.wrong(found, "true or false", example) };
        Some(*flag)
    }

    pub(super) fn count(&mut self, found: &Found<'t>, least: u32, most: u32, example: &str) -> Option<u32> {
        let DeValue::Integer(number) = found.value else { return self.wrong(found, "a whole number", example) };
        let value = i128::from_str_radix(number.as_str(), number.radix()).ok();
        let fits = value.and_then(|v| u32::try_from(v).ok()).filter(|v| (least..=most).contains(v));
        if fits.is_none() {
            let shown = clip(&number.to_string());
            self.problem(&found.path, format!("it is {shown}, and must be from {least} to {most}"), example);
        }
        fits
    }

    pub(super) fn number(&mut self, found: &Found<'t>, example: &str) -> Option<f64> {
        let value: Option<f64> = if let DeValue::Float(number) = found.value {
            number.as_str().parse().ok()
        } else if let DeValue::Integer(number) = found.value {
            i64::from_str_radix(number.as_str(), number.radix()).ok().and_then(|v| v.to_string().parse().ok())
        } else {
            return self.wrong(found, "a number", example);
        };
        let value = value.filter(|v| v.is_finite() && *v >= 0.0);
        if value.is_none() {
            self.problem(&found.path, "it must be a finite number, 0 or more", example);
        }
        value
    }

    fn wrong<T>(&mut self, found: &Found<'t>, wanted: &str, example: &str) -> Option<T> {
        let is = match found.value {
            DeValue::String(text) => format!("the text {}", quote(text)),
            DeValue::Integer(number) => format!("the number {}", clip(&number.to_string())),
            DeValue::Float(number) => format!("the number {}", clip(number.as_str())),
            DeValue::Boolean(flag) => format!("{flag}"),
            DeValue::Datetime(time) => format!("the time {time}"),
            DeValue::Array(_) => "a list".to_owned(),
            DeValue::Table(_) => "a table".to_owned(),
        };
        self.problem(&found.path, format!("it is {is}, and must be {wanted}"), example);
        None
    }
}

/// Returns a path one key longer; a key that is no plain word is quoted and cut.
pub(super) fn join(path: &str, key: &str) -> String {
    let plain =
        !key.is_empty() && key.len() <= 64 && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    let key = if plain { key.to_owned() } else { quote(key) };
    if path.is_empty() { key } else { format!("{path}.{key}") }
}

/// Returns what the parser said, in our words where it is one of the few that people meet.
pub(super) fn syntax(message: &str) -> String {
    let message = message.lines().next().unwrap_or_default();
    match message {
        "duplicate key" => "this key is there twice; keep one".to_owned(),
        "recursion limit" => "tables and lists lie too deep in each other".to_owned(),
        other => format!("this is not TOML: {}", clip(other)),
    }
}

/// Returns the known word that an unknown one is most like, if it is like one at all.
fn nearest<'k>(unknown: &str, known: &[&'k str]) -> Option<&'k str> {
    if unknown.len() > 64 {
        return None;
    }
    let unknown = unknown.to_lowercase();
    let close = known.iter().map(|word| (distance(&unknown, word), *word)).min();
    if let Some((far, word)) = close
        && far <= (word.len() / 3).max(1)
    {
        return Some(word);
    }
    let inside =
        |word: &&&str| unknown.len() >= 4 && (word.contains(&unknown) || (word.len() >= 4 && unknown.contains(**word)));
    known.iter().find(inside).copied()
}

/// Edits of one letter (drop, add, change) from one word to the other.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = i;
        let mut left = i.saturating_add(1);
        if let Some(first) = row.first_mut() {
            *first = left;
        }
        for (y, cell) in b.iter().zip(row.iter_mut().skip(1)) {
            let cost = diagonal.saturating_add(usize::from(x != *y));
            diagonal = *cell;
            *cell = cost.min(left.saturating_add(1)).min(diagonal.saturating_add(1));
            left = *cell;
        }
    }
    row.last().copied().unwrap_or(usize::MAX)
}
