//! `claims.toml`: what counts as an offer or a claim, and what a difference means.
//!
//! Decides only the shape of that file. Extracting and comparing is `claims`' business.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::finding::{ApprovalLevel, Severity};
use super::literal::Literals;
use super::pack::{PackError, read, refusal, right_format};
use super::pattern::{Lists, Pattern};
use super::rule::BadRule;

/// What a claim is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ClaimKind {
    Percent,
    Price,
    Free,
    Guarantee,
    Deadline,
    Quantity,
    Multiple,
    Superlative,
    Proof,
    Origin,
    Green,
    Rating,
    /// A risk line, condition, age line or label. Never extracted; only ever lost.
    Disclosure,
}

impl fmt::Display for ClaimKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Percent => "percent",
            Self::Price => "price",
            Self::Free => "free",
            Self::Guarantee => "guarantee",
            Self::Deadline => "deadline",
            Self::Quantity => "quantity",
            Self::Multiple => "multiple",
            Self::Superlative => "superlative",
            Self::Proof => "proof",
            Self::Origin => "origin",
            Self::Green => "green",
            Self::Rating => "rating",
            Self::Disclosure => "disclosure",
        })
    }
}

/// A meaning of a difference, by the id it has in the file. The file says how much it weighs and which comes first; the
/// sentence under `when` is for its reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(super) enum Meaning {
    #[serde(rename = "claims.new-proof")]
    NewProof,
    #[serde(rename = "claims.better-offer")]
    BetterOffer,
    #[serde(rename = "claims.new-free")]
    NewFree,
    #[serde(rename = "claims.deadline")]
    Deadline,
    #[serde(rename = "claims.changed-number")]
    ChangedNumber,
    #[serde(rename = "claims.new-superlative")]
    NewSuperlative,
    #[serde(rename = "claims.disclosure-lost")]
    DisclosureLost,
    #[serde(rename = "claims.removed")]
    Removed,
}

const MEANINGS: [Meaning; 8] = [
    Meaning::NewProof,
    Meaning::BetterOffer,
    Meaning::NewFree,
    Meaning::Deadline,
    Meaning::ChangedNumber,
    Meaning::NewSuperlative,
    Meaning::DisclosureLost,
    Meaning::Removed,
];

impl Meaning {
    pub(super) fn rule(self) -> &'static str {
        match self {
            Self::NewProof => "claims.new-proof",
            Self::BetterOffer => "claims.better-offer",
            Self::NewFree => "claims.new-free",
            Self::Deadline => "claims.deadline",
            Self::ChangedNumber => "claims.changed-number",
            Self::NewSuperlative => "claims.new-superlative",
            Self::DisclosureLost => "claims.disclosure-lost",
            Self::Removed => "claims.removed",
        }
    }
}

#[derive(Debug)]
pub(super) struct ClaimRules {
    pub(super) extracts: Vec<Extract>,
    /// In order of the file: the first that fits holds.
    pub(super) weights: Vec<Weight>,
    /// Lines that an approved text may not lose, whatever else it says.
    pub(super) lines: Vec<Line>,
}

#[derive(Debug)]
pub(super) struct Line {
    pub(super) label: &'static str,
    pub(super) pattern: Pattern,
}

/// Labels, conditions and age lines, in normalised words. What a rule demands besides is in the packs.
const LINES: [(&str, &str); 3] = [
    ("ad label", "<<ad_label>>"),
    (
        "terms and conditions",
        r"\bt ?& ?cs?\b|\bt c s\b|\bterms (?:apply|and conditions)\b|\bconditions apply\b|\b(?:official|full) rules\b|\bbases legales\b|\bteilnahmebedingungen\b",
    ),
    ("age line", r"\b(?:16|18|19|20|21)\+|\+(?:18|21)\b|\b(?:over|ab) (?:16|18|21)\b|\b(?:18|21) (?:and|or) over\b"),
];

#[derive(Debug)]
pub(super) struct Extract {
    pub(super) kind: ClaimKind,
    pub(super) pattern: Pattern,
    pub(super) except: Vec<Pattern>,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Weight {
    pub(super) meaning: Meaning,
    pub(super) severity: Severity,
    pub(super) approval: ApprovalLevel,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClaimsFile {
    schema_version: u32,
    extract: Vec<WrittenExtract>,
    change: Vec<WrittenChange>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenExtract {
    kind: ClaimKind,
    pattern: String,
    #[expect(dead_code, reason = "says in words which groups make the value; all that take part do")]
    value: String,
    #[serde(default)]
    except: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenChange {
    #[expect(dead_code, reason = "a sentence for whoever reads the file; its meaning is the rule's")]
    when: String,
    severity: Severity,
    approval: ApprovalLevel,
    rule: Meaning,
}

impl ClaimRules {
    pub(super) fn read(file: &str, text: &str, lists: &Lists, literals: &mut Literals) -> Result<Self, PackError> {
        let written: ClaimsFile = read(file, text)?;
        right_format(file, written.schema_version)?;
        let weights: Vec<Weight> = written
            .change
            .iter()
            .map(|change| Weight { meaning: change.rule, severity: change.severity, approval: change.approval })
            .collect();
        // A difference without a weight would be free.
        for meaning in MEANINGS {
            let count = weights.iter().filter(|weight| weight.meaning == meaning).count();
            if count != 1 {
                let why = if count == 0 { "there is no change with this rule" } else { "the rule stands twice" };
                return Err(refusal(file, meaning.rule(), BadRule::Senseless(why)));
            }
        }
        let mut lines = Vec::new();
        for (label, written) in LINES {
            let pattern = Pattern::new(written, &Lists::new(), lists, literals)
                .map_err(|why| refusal(file, label, BadRule::Pattern { written: written.to_owned(), why }))?;
            lines.push(Line { label, pattern });
        }
        let mut extracts = Vec::new();
        for extract in written.extract {
            let mut one = |written: &String| {
                Pattern::new(written, &Lists::new(), lists, literals).map_err(|why| {
                    refusal(file, &extract.kind.to_string(), BadRule::Pattern { written: written.clone(), why })
                })
            };
            let pattern = one(&extract.pattern)?;
            let except = extract.except.iter().map(one).collect::<Result<_, _>>()?;
            extracts.push(Extract { kind: extract.kind, pattern, except });
        }
        Ok(Self { extracts, weights, lines })
    }

    pub(super) fn weight(&self, meaning: Meaning) -> Weight {
        let heaviest = Weight { meaning, severity: Severity::Block, approval: ApprovalLevel::Manual };
        self.weights.iter().copied().find(|weight| weight.meaning == meaning).unwrap_or(heaviest)
    }
}
