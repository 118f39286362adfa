//! Errors: one function turns anything that went wrong into words and an exit code.
//!
//! Decides the wording on paper (`error: what: why`, then `hint: …`) and in JSON. What was refused and why comes from whom
//! it was asked of.

use desk::Problem;
use domain::refusal::{Refusal, RefusalKind};
use serde_json::json;

use crate::exit;
use crate::json;
use crate::output::SCHEMA;
use crate::text::{Color, Look, Text};

/// Why a verb did not do what it was asked.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The desk, or what was given to it.
    Problem(Problem),
    /// The command lacks something: what, why, the command to give instead.
    Usage {
        /// What was asked.
        what: String,
        /// Why that is not enough.
        why: String,
        /// What to write.
        mend: String,
    },
    /// A stream could not be written.
    Written(std::io::Error),
}

impl Failure {
    /// Something given is not well-formed.
    pub(crate) fn invalid(
        rule: &str,
        what: impl Into<String>,
        why: impl Into<String>,
        mend: impl Into<String>,
    ) -> Self {
        Self::from(Refusal::invalid(rule, what, why, mend))
    }

    /// The world did not answer.
    pub(crate) fn failed(why: impl Into<String>) -> Self {
        Self::Problem(Problem::Failed(why.into()))
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Problem(Problem::Refused(refusal))
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::Written(error)
    }
}

/// Anything that went wrong, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Words {
    kind: &'static str,
    rule: String,
    what: String,
    why: String,
    mend: String,
    /// One line each, where several things are wrong.
    problems: Vec<String>,
    /// The exit code.
    pub(crate) exit: u8,
}

impl Words {
    fn new(kind: &'static str, exit: u8) -> Self {
        Self {
            kind,
            rule: kind.to_owned(),
            what: String::new(),
            why: String::new(),
            mend: String::new(),
            problems: Vec::new(),
            exit,
        }
    }
}

/// Turns whatever went wrong into words and an exit code.
pub(crate) fn words(failure: &Failure) -> Words {
    match failure {
        Failure::Problem(problem) => {
            let exit = problem.exit_code();
            match problem {
                Problem::Refused(refusal) => of_refusal(refusal, exit),
                Problem::Invalid(lines) => {
                    let why =
                        if lines.len() == 1 { "1 problem".to_owned() } else { format!("{} problems", lines.len()) };
                    Words {
                        problems: lines.clone(),
                        why,
                        what: "what was given".to_owned(),
                        ..Words::new("invalid", exit)
                    }
                }
                Problem::Failed(why) => Words { why: why.clone(), ..Words::new("failed", exit) },
                Problem::Unreachable(why) => {
                    let mend = if why.contains("expos ") { "" } else { "start it with `expos engine run`" };
                    Words { why: why.clone(), mend: mend.to_owned(), ..Words::new("unreachable", exit) }
                }
            }
        }
        Failure::Usage { what, why, mend } => {
            Words { what: what.clone(), why: why.clone(), mend: mend.clone(), ..Words::new("usage", exit::USAGE) }
        }
        Failure::Written(error) => {
            Words { why: format!("the output cannot be written: {error}"), ..Words::new("failed", exit::FAILED) }
        }
    }
}

fn of_refusal(refusal: &Refusal, exit: u8) -> Words {
    let kind = match refusal.kind {
        RefusalKind::Rule => "rule",
        RefusalKind::NotFound => "not_found",
        RefusalKind::NotAllowed => "not_allowed",
        RefusalKind::Changed => "changed",
        RefusalKind::Invalid => "invalid",
        RefusalKind::Nothing => "nothing",
    };
    Words {
        rule: refusal.rule.clone(),
        what: refusal.what.clone(),
        why: refusal.why.clone(),
        mend: refusal.mend.clone(),
        ..Words::new(kind, exit)
    }
}

/// Who reads the error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reader {
    /// A person.
    Person(Color),
    /// A program.
    Program,
}

/// Returns what goes to standard error.
pub(crate) fn draw(words: &Words, reader: Reader) -> String {
    match reader {
        Reader::Program => {
            let mut error = json!({
                "kind": words.kind, "rule": words.rule, "what": words.what, "why": words.why, "mend": words.mend, "exit": words.exit
            });
            if let (false, Some(object)) = (words.problems.is_empty(), error.as_object_mut()) {
                object.insert("problems".to_owned(), json!(words.problems));
            }
            json::line(&json!({"schema": SCHEMA, "error": error})) + "\n"
        }
        Reader::Person(color) => {
            let error = Text::of("error:").look(Look::Bad).drawn(color);
            let hint = Text::of("hint:").look(Look::Dim).drawn(color);
            let mut out = String::new();
            for line in sentences(words) {
                out.push_str(&format!("{error} {}\n", Text::of(line).drawn(color)));
            }
            if !words.mend.is_empty() {
                out.push_str(&format!("{hint} {}\n", Text::of(words.mend.as_str()).drawn(color)));
            }
            out
        }
    }
}

fn sentences(words: &Words) -> Vec<String> {
    if !words.problems.is_empty() {
        return words.problems.clone();
    }
    // A failure may hold a cause of several lines: each stays a line.
    let whole = if words.what.is_empty() { words.why.clone() } else { format!("{}: {}", words.what, words.why) };
    whole.lines().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(kind: RefusalKind) -> Failure {
        Refusal::new(kind, "a.rule", "post 3", "it is late", "move it").into()
    }

    #[test]
    fn each_problem_has_its_exit_code_and_kind() {
        let cases = [
            (refused(RefusalKind::Rule), 3, "rule"),
            (refused(RefusalKind::NotFound), 4, "not_found"),
            (refused(RefusalKind::NotAllowed), 5, "not_allowed"),
            (refused(RefusalKind::Changed), 6, "changed"),
            (refused(RefusalKind::Invalid), 8, "invalid"),
            (refused(RefusalKind::Nothing), 9, "nothing"),
            (Failure::Problem(Problem::Invalid(vec!["a".to_owned()])), 8, "invalid"),
            (Failure::failed("no disk"), 1, "failed"),
            (Failure::Problem(Problem::Unreachable("nobody".to_owned())), 7, "unreachable"),
            (Failure::Usage { what: "x".to_owned(), why: "y".to_owned(), mend: "z".to_owned() }, 2, "usage"),
            (Failure::Written(std::io::Error::other("full")), 1, "failed"),
        ];
        for (failure, exit, kind) in cases {
            let words = words(&failure);
            assert_eq!((words.exit, words.kind), (exit, kind), "{failure:?}");
            let json: serde_json::Value = serde_json::from_str(&draw(&words, Reader::Program)).unwrap();
            assert_eq!(json["error"]["exit"], exit);
            assert_eq!(json["schema"], 1);
        }
    }

    #[test]
    fn a_refusal_is_one_sentence_and_a_hint() {
        let drawn = draw(&words(&refused(RefusalKind::Rule)), Reader::Person(Color::Off));
        assert_eq!(drawn, "error: post 3: it is late\nhint: move it\n");
    }

    #[test]
    fn several_problems_are_a_line_each() {
        let failure = Failure::Problem(Problem::Invalid(vec!["line 1: a".to_owned(), "line 2: b".to_owned()]));
        assert_eq!(draw(&words(&failure), Reader::Person(Color::Off)), "error: line 1: a\nerror: line 2: b\n");
        let json: serde_json::Value = serde_json::from_str(&draw(&words(&failure), Reader::Program)).unwrap();
        assert_eq!(json["error"]["problems"], json!(["line 1: a", "line 2: b"]));
    }

    #[test]
    fn hostile_words_are_never_raw() {
        let failure = Refusal::rule("r", "\u{1b}]0;x\u{7}", "the platform said \u{9b}2J\u{202e}", "try \u{1b}c").into();
        for reader in [Reader::Person(Color::Off), Reader::Program] {
            let drawn = draw(&words(&failure), reader);
            assert!(!drawn.chars().any(|c| (c.is_control() && c != '\n') || c == '\u{202e}'), "{drawn:?}");
        }
    }
}
