//! A brief from TOML, with everything that is wrong with it named at once.
//!
//! Decides which text is a brief: its size, its fields, their types, and whether they make sense together without any
//! fact from outside. The walk over the file is in `walk`, the limits against hostile files in `limits`, the sense of
//! the fields in `sense`. Facts from outside (the client, its account, its policy) are preflight's business.
//!
//! Invariant: whatever the text, this returns; what it returns as a brief can be written and read again.

mod excerpt;
mod fields;
mod limits;
mod sense;
mod walk;

use std::fmt;

use toml::de::DeTable;

use super::Brief;
use crate::surface::Surfaces;
use walk::Walk;

pub(crate) use excerpt::quote;
pub use sense::SIGNALS;

/// Problems of one file beyond this many are counted, not told.
const PROBLEMS_MAX: usize = 100;

/// One thing that is wrong with a brief.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The field, as in `test_variants[1].hook`; empty for the file as a whole.
    pub field: String,
    /// The line it is on, counted from 1, where it is on one.
    pub line: Option<usize>,
    /// What was found and why that will not do.
    pub why: String,
    /// How it is written.
    pub example: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}: ")?;
        }
        if !self.field.is_empty() {
            write!(f, "{}: ", self.field)?;
        }
        f.write_str(&self.why)?;
        if self.example.is_empty() { Ok(()) } else { write!(f, "; write it as {}", self.example) }
    }
}

/// Reads a brief against the surfaces that are built in.
///
/// Fails with every problem that was found, in the order of the lines; never with none.
pub fn read(text: &str) -> Result<Brief, Vec<Problem>> {
    read_with(text, Surfaces::embedded())
}

/// Reads a brief against other surfaces than the built-in ones.
pub fn read_with(text: &str, surfaces: &Surfaces) -> Result<Brief, Vec<Problem>> {
    limits::check_text(text).map_err(|problem| vec![problem])?;
    let mut walk = Walk::new(text);
    let (root, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        for error in errors.iter().take(PROBLEMS_MAX) {
            walk.problem_at(error.span().map(|span| span.start), "", walk::syntax(error.message()), "");
        }
        return Err(told(walk.into_problems(), errors.len().saturating_sub(PROBLEMS_MAX)));
    }
    if let Err(problem) = limits::check_table(root.get_ref(), &walk) {
        return Err(vec![problem]);
    }
    let draft = fields::read(&mut walk, root.get_ref());
    sense::check(&draft, surfaces, &mut walk);
    let problems = walk.into_problems();
    match draft.finish() {
        Some(brief) if problems.is_empty() => Ok(brief),
        Some(_) | None => {
            let more = problems.len().saturating_sub(PROBLEMS_MAX);
            Err(told(problems, more))
        }
    }
}

/// Sorts, and cuts a list that nobody would read to the end.
fn told(mut problems: Vec<Problem>, more: usize) -> Vec<Problem> {
    problems.sort_by_key(|problem| problem.line.unwrap_or(usize::MAX));
    problems.truncate(PROBLEMS_MAX);
    if more > 0 || problems.is_empty() {
        let why = format!("{more} more problems are not listed; correct these first");
        problems.push(Problem { field: String::new(), line: None, why, example: String::new() });
    }
    problems
}

#[cfg(test)]
mod tests;
