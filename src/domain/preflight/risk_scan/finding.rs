//! What a scan returns.
//!
//! Nothing is decided here. Ranges are of the text as written, not of what was matched.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::post::FacetName;

/// How much a finding weighs. Ordered from the heaviest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Cannot be published; never waived.
    Block,
    /// Needs a person.
    Warn,
    /// A note.
    Info,
}

/// Who must approve. Ordered from the lowest.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ApprovalLevel {
    /// No person, where policy allows that and nothing was found.
    #[default]
    Auto,
    /// One operator or reviewer who is not the author.
    Review,
    /// A reviewer who is neither author nor last editor, with a written reason; regulated clients: two.
    Manual,
}

/// A stretch of one facet as written.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Span {
    /// Index into [`super::ScanInput::facets`].
    pub part: usize,
    pub facet: FacetName,
    /// Bytes of that facet's text, on character boundaries.
    pub bytes: Range<usize>,
    /// The same stretch in characters.
    pub chars: Range<usize>,
}

/// One rule met in one place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RiskFinding {
    /// As `health.disease-cure`; `scan.*` for what the scan itself has to say.
    pub rule: String,
    pub title: String,
    /// The id of the pack the rule stands in.
    pub pack: String,
    pub pack_version: u32,
    pub severity: Severity,
    pub family: String,
    /// The least level at which the post may be approved because of this finding.
    pub approval: ApprovalLevel,
    /// Where it was found. A finding over several facets stands at the first; one about the whole post at none.
    pub facet: Option<FacetName>,
    /// In order, not overlapping. Empty when the rule is about the post and not about its words.
    pub spans: Vec<Span>,
    /// The first span as written, shortened to 120 characters.
    pub excerpt: String,
    /// What the rule demands and the post does not say.
    pub missing: Vec<String>,
    pub why: String,
    pub mend: String,
    /// Names of the laws and platform rules behind it, with the section.
    pub sources: Vec<String>,
}
