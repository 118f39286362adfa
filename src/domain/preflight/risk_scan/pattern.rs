//! A pattern of a pack: lists and macros written out, checked when it is loaded, compiled when first needed.
//!
//! Decides the syntax of patterns: that of the regex crate, and `<<name>>` for a list, `<<wN>>` for at most N words inside
//! a sentence, `<<xN>>` for at most N words across sentences, `<<num>>` for a number in digits or words.
//!
//! Compiling every pattern costs seconds and most posts need a few; parsing costs little and finds every error of
//! syntax. What parsing cannot find, a program too large to build, is refused by its weight before.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::OnceLock;

use regex::{Regex, RegexBuilder};
use regex_syntax::hir::{Class, Hir, HirKind};

use super::literal::{Literals, Needs, Presence};

/// Word lists by name.
pub(super) type Lists = BTreeMap<String, Vec<String>>;

/// Lists may name lists; deeper than this is a circle.
const DEEPEST: usize = 8;
/// States a pattern may come to, by estimate. The heaviest of ours stays under a tenth of it.
const HEAVIEST: u64 = 150_000;
/// Bytes the compiled form of a pattern under that weight always fits into.
const ROOMY: usize = 1 << 28;
/// Most words a macro may span.
const WIDEST: u32 = 60;

const NUMBER: &str = concat!(
    r"(?:\d+(?:\.\d+)?|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen",
    "|seventeen|eighteen|nineteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|(?:a |one )?hundred",
    "|(?:a |one )?thousand|dos|tres|cuatro|cinco|seis|siete|ocho|nueve|diez|veinte",
    "|zwei|drei|vier|funf|sechs|sieben|acht|neun|zehn|zwanzig)"
);

/// Why a pattern is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum BadPattern {
    UnknownList(String),
    DoesNotCompile(String),
}

#[derive(Debug)]
pub(super) struct Pattern {
    source: String,
    needs: Needs,
    compiled: OnceLock<Option<Regex>>,
}

impl Pattern {
    /// A pattern in which lists are looked up in `local` first, then in `shared`.
    pub(super) fn new(
        written: &str,
        local: &Lists,
        shared: &Lists,
        literals: &mut Literals,
    ) -> Result<Self, BadPattern> {
        let source = with_plain_boundaries(&expand(written, local, shared, 0)?);
        let hir = regex_syntax::parse(&source).map_err(|why| BadPattern::DoesNotCompile(why.to_string()))?;
        let weight = weight(&hir);
        if weight > HEAVIEST {
            return Err(BadPattern::DoesNotCompile(format!(
                "it is too large, about {weight} states where {HEAVIEST} are allowed; use fewer words or shorter spans"
            )));
        }
        Ok(Self { needs: literals.needs_of(&hir), source, compiled: OnceLock::new() })
    }

    fn regex(&self) -> Option<&Regex> {
        self.compiled.get_or_init(|| RegexBuilder::new(&self.source).size_limit(ROOMY).build().ok()).as_ref()
    }

    /// Every match in order. A pattern that cannot be built matches the whole text: silence must not look like a pass.
    pub(super) fn matches(&self, text: &str, presence: &Presence) -> Vec<Range<usize>> {
        if !self.needs.met_by(presence) {
            return Vec::new();
        }
        match self.regex() {
            Some(regex) => regex.find_iter(text).map(|found| found.range()).collect(),
            None => Vec::from([all(text)]),
        }
    }

    /// Every match that `counts`, in order. One that does not may hide a later one that begins inside it (`no cure like
    /// our tea, which cures …`): the search goes on from the character after its start.
    pub(super) fn matches_that(
        &self,
        text: &str,
        presence: &Presence,
        counts: impl Fn(&Range<usize>) -> bool,
    ) -> Vec<Range<usize>> {
        if !self.needs.met_by(presence) {
            return Vec::new();
        }
        let Some(regex) = self.regex() else { return Vec::from([all(text)]) };
        let mut matches = Vec::new();
        let mut from = 0;
        while let Some(found) = (from <= text.len()).then(|| regex.find_at(text, from)).flatten().map(|m| m.range()) {
            let counted = counts(&found);
            let next = text.get(found.start..).and_then(|rest| rest.chars().next()).map_or(1, char::len_utf8);
            from = if counted { found.end.max(found.start + next) } else { found.start + next };
            if counted {
                matches.push(found);
            }
        }
        matches
    }

    /// Whether it matches anywhere; one that cannot be built does not, so that it clears nothing.
    pub(super) fn is_in(&self, text: &str, presence: &Presence) -> bool {
        self.needs.met_by(presence) && self.regex().is_some_and(|regex| regex.is_match(text))
    }

    /// The groups of every match, with the range of the whole. Groups that took no part are left out.
    pub(super) fn groups(&self, text: &str) -> Vec<(Range<usize>, Vec<String>)> {
        let Some(regex) = self.regex() else { return Vec::new() };
        regex
            .captures_iter(text)
            .filter_map(|found| {
                let range = found.get(0)?.range();
                Some((range, found.iter().skip(1).flatten().map(|group| group.as_str().to_owned()).collect()))
            })
            .collect()
    }

    #[cfg(test)]
    pub(super) fn builds(&self) -> bool {
        self.regex().is_some()
    }

    #[cfg(test)]
    pub(super) fn source(&self) -> &str {
        &self.source
    }
}

fn all(text: &str) -> Range<usize> {
    0..text.len()
}

/// Whether any of them matches.
pub(super) fn any_in(patterns: &[Pattern], text: &str, presence: &Presence) -> bool {
    patterns.iter().any(|pattern| pattern.is_in(text, presence))
}

fn expand(written: &str, local: &Lists, shared: &Lists, depth: usize) -> Result<String, BadPattern> {
    let mut out = String::with_capacity(written.len());
    let mut rest = written;
    while let Some((before, after)) = rest.split_once("<<") {
        let Some((name, after)) = after.split_once(">>") else {
            return Err(BadPattern::DoesNotCompile("`<<` without `>>`".into()));
        };
        out.push_str(before);
        match span_of(name) {
            Some((kind, words)) if words <= WIDEST => out.push_str(&span(kind, words)),
            Some(_) => return Err(BadPattern::DoesNotCompile(format!("<<{name}>> spans more than {WIDEST} words"))),
            None if name == "num" => out.push_str(NUMBER),
            None => out.push_str(&list(name, local, shared, depth)?),
        }
        rest = after;
    }
    out.push_str(rest);
    Ok(out)
}

fn list(name: &str, local: &Lists, shared: &Lists, depth: usize) -> Result<String, BadPattern> {
    let entries = local.get(name).or_else(|| shared.get(name));
    let entries = entries.ok_or_else(|| BadPattern::UnknownList(name.to_owned()))?;
    if depth >= DEEPEST {
        return Err(BadPattern::DoesNotCompile(format!("the list {name} names itself")));
    }
    let written: Result<Vec<String>, BadPattern> =
        entries.iter().map(|entry| expand(entry, local, shared, depth + 1)).collect();
    Ok(format!("(?:{})", written?.join("|")))
}

/// `w5` is (`w`, 5); anything else names a list.
fn span_of(name: &str) -> Option<(char, u32)> {
    let kind = name.chars().next().filter(|kind| matches!(kind, 'w' | 'x'))?;
    Some((kind, name.strip_prefix(kind)?.parse().ok()?))
}

fn span(kind: char, words: u32) -> String {
    let word = if kind == 'w' { "[^ ¶]+" } else { "[^ ]+" };
    format!("(?: {word}){{0,{words}}}? ")
}

/// Normalised Latin text has no letters beyond ASCII that matter at a word's edge, and the plain boundary is what keeps
/// the matcher fast beside `¶` and `£`. A pattern that writes other letters keeps the wide one.
fn with_plain_boundaries(pattern: &str) -> String {
    if pattern.chars().any(|c| c.is_alphabetic() && !c.is_ascii()) {
        return pattern.to_owned();
    }
    let mut out = String::with_capacity(pattern.len() + 32);
    let mut rest = pattern.chars();
    while let Some(c) = rest.next() {
        match (c, c == '\\') {
            (_, true) => match rest.next() {
                Some('b') => out.push_str(r"(?-u:\b)"),
                Some(escaped) => out.extend(['\\', escaped]),
                None => out.push('\\'),
            },
            (plain, false) => out.push(plain),
        }
    }
    out
}

/// About how many states the pattern comes to when compiled.
fn weight(hir: &Hir) -> u64 {
    let all = |parts: &[Hir]| parts.iter().map(weight).fold(1_u64, u64::saturating_add);
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => 1,
        HirKind::Literal(literal) => u64::try_from(literal.0.len()).unwrap_or(u64::MAX),
        HirKind::Class(Class::Unicode(class)) => {
            u64::try_from(class.ranges().len()).unwrap_or(u64::MAX).saturating_mul(4)
        }
        HirKind::Class(Class::Bytes(class)) => u64::try_from(class.ranges().len()).unwrap_or(u64::MAX),
        HirKind::Capture(capture) => weight(&capture.sub).saturating_add(2),
        HirKind::Repetition(repetition) => {
            let times = repetition.max.unwrap_or(repetition.min.saturating_add(1)).max(repetition.min).max(1);
            weight(&repetition.sub).saturating_add(1).saturating_mul(u64::from(times))
        }
        HirKind::Concat(parts) | HirKind::Alternation(parts) => all(parts),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lists() -> Lists {
        Lists::from([
            ("pet".into(), vec!["cats?".into(), "dogs?".into()]),
            ("soon".into(), vec!["in <<num>> days".into(), "now".into()]),
            ("circle".into(), vec!["<<circle>>".into()]),
        ])
    }

    fn pattern(written: &str) -> Result<Pattern, BadPattern> {
        Pattern::new(written, &Lists::new(), &lists(), &mut Literals::default())
    }

    fn is_in(written: &str, text: &str) -> bool {
        pattern(written).expect("a pattern").regex().is_some_and(|regex| regex.is_match(text))
    }

    #[test]
    fn lists_and_macros_are_written_out() {
        assert!(is_in(r"\b<<pet>><<w2>>home\b", " cats come home "));
        assert!(!is_in(r"\b<<pet>><<w2>>home\b", " cats ¶ home "));
        assert!(is_in(r"\b<<pet>><<x2>>home\b", " cats ¶ home "));
        assert!(!is_in(r"\b<<pet>><<w2>>home\b", " cats one two three home "));
        assert!(is_in(r"\b<<soon>>\b", " in twelve days "));
    }

    #[test]
    fn bad_patterns_say_why() {
        assert_eq!(pattern("<<bird>>").err(), Some(BadPattern::UnknownList("bird".into())));
        for bad in ["(", "<<pet", "<<circle>>", "<<w61>>", r"(?:(?:\w{100}){100}){100}", r"(a)\1"] {
            assert!(matches!(pattern(bad), Err(BadPattern::DoesNotCompile(_))), "{bad}");
        }
    }

    #[test]
    fn what_is_not_refused_for_its_weight_can_be_built() {
        for heavy in [r"\w{45}", r"(?:[^ ¶]+ ){60}(?:\w{20}|\d{60})", "(?:<<pet>>){9}"] {
            assert!(pattern(heavy).expect("a pattern").builds(), "{heavy}");
        }
        assert!(pattern(r"\w{60}").is_err());
    }

    #[test]
    fn boundaries_stay_wide_beside_other_letters() {
        assert_eq!(with_plain_boundaries(r"\bcure\\b¶"), r"(?-u:\b)cure\\b¶");
        assert_eq!(with_plain_boundaries(r"\bлечит\b"), r"\bлечит\b");
    }
}
