//! Preflight (C): five guards look at everything an experiment would show, before a person is asked.
//!
//! Decides what a finding is, in which order the guards speak, and what level of approval the findings ask for. Each
//! guard is a file of its own. A guard prints nothing and changes nothing; a blocking finding cannot be waived.
//!
//! Invariant: same facts, same findings, byte for byte.

pub mod budget_guard;
pub(crate) mod fold;
pub mod format_guard;
mod place;
pub mod policy_guard;
pub mod reply;
pub mod risk_guard;
pub mod risk_scan;
#[cfg(test)]
mod tests;
pub mod uniqueness_guard;

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::account::Account;
use crate::approval::ApprovalLevel;
use crate::brief::Brief;
use crate::client::Client;
use crate::hash::{Digest, Framed};
use crate::id::PostId;
use crate::surface::Surface;
use crate::time::{Span, UtcTime};
use crate::variant::Variant;

/// Who found it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Guard {
    /// Actions that the platform and the policy allow.
    PolicyGuard,
    /// Posts and operator minutes.
    BudgetGuard,
    /// Size, ratio, length.
    FormatGuard,
    /// Near-duplicates.
    UniquenessGuard,
    /// Regulated claims and disallowed content.
    RiskScan,
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Cannot be published; must be mended; never waived.
    Block,
    /// Needs a person.
    Warn,
    /// Worth knowing.
    Info,
}

impl Severity {
    /// Returns the word that screens use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Block => "block",
            Self::Warn => "warn",
            Self::Info => "info",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Guard {
    /// Returns the name that screens use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PolicyGuard => "PolicyGuard",
            Self::BudgetGuard => "BudgetGuard",
            Self::FormatGuard => "FormatGuard",
            Self::UniquenessGuard => "UniquenessGuard",
            Self::RiskScan => "RiskScan",
        }
    }
}

impl fmt::Display for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One result of a guard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Who found it.
    pub guard: Guard,
    /// The rule's name, stable for scripts: `format.caption-too-long`.
    pub rule: String,
    /// How bad it is.
    pub severity: Severity,
    /// Where: `variant B, round 2, hook`, or the brief's field.
    pub place: String,
    /// Why, with the numbers and the excerpt (raw text from outside is quoted as it is; faces show it cleaned).
    pub why: String,
    /// How to mend it.
    pub mend: String,
    /// The level of approval it asks for, where it asks for more than its severity does.
    pub level: Option<ApprovalLevel>,
}

/// A post that the account showed, or will.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NearbyPost {
    /// Ours; `None` where somebody posted by hand.
    pub post: Option<PostId>,
    /// When it was or will be out.
    pub at: UtcTime,
    /// Its text, raw.
    pub text: String,
    /// Hash of text and pictures, where they are known.
    pub duplicate_key: Option<Digest>,
    /// It belongs to the experiment that is looked at.
    pub same_experiment: bool,
}

/// What the client's week holds already, without the experiment that is looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WeekLoad {
    /// Moments of the client's posts, out or planned, on all accounts.
    pub posts: Vec<UtcTime>,
    /// Operators' minutes that they cost, all together in the busiest week.
    pub operator_minutes: u32,
}

/// Everything the guards may know. They get no clock and no store.
#[derive(Debug)]
pub struct PreflightFacts<'a> {
    /// What was asked.
    pub brief: &'a Brief,
    /// For whom.
    pub client: &'a Client,
    /// Where.
    pub account: &'a Account,
    /// The surface's limits.
    pub surface: &'a Surface,
    /// What would be shown; the first is the control.
    pub variants: &'a [Variant],
    /// The slots the plan would use, where it has been drawn.
    pub slots: &'a [UtcTime],
    /// The account's posts inside the duplicate window.
    pub nearby: &'a [NearbyPost],
    /// The client's load.
    pub week: &'a WeekLoad,
    /// The rule packs.
    pub packs: &'a risk_scan::Packs,
    /// How many posts this client ever put out.
    pub posts_before: u32,
    /// An escalation on the account is open.
    pub open_escalation: bool,
    /// The moment of looking.
    pub now: UtcTime,
}

/// Runs all five guards.
///
/// Returns findings in the order guard, severity, place; the level is the highest that the client's industries, its
/// policy, the lane, an open escalation, the brief and the findings ask for, with the reasons in words.
pub fn run(facts: &PreflightFacts<'_>) -> (Vec<Finding>, Level) {
    let mut findings = policy_guard::look(facts);
    findings.extend(budget_guard::look(facts));
    findings.extend(format_guard::look(facts));
    findings.extend(uniqueness_guard::look(facts));
    let (risks, floors) = risk_guard::look(facts);
    findings.extend(risks);
    findings.sort_by(|a, b| (a.guard, a.severity, &a.place, &a.rule).cmp(&(b.guard, b.severity, &b.place, &b.rule)));
    let mut level = Level::default();
    level.raise(facts.brief.approval_level, "the brief asks for it");
    level.raise(facts.client.policy.approval_level, "the client's policy asks for it");
    for (floor, why) in floors {
        level.raise(floor, &why);
    }
    for finding in &findings {
        let asked = match finding.severity {
            Severity::Block | Severity::Warn => {
                finding.level.unwrap_or(ApprovalLevel::Review).max(ApprovalLevel::Review)
            }
            Severity::Info => finding.level.unwrap_or(ApprovalLevel::Auto),
        };
        level.raise(asked, &format!("{} found {}", finding.guard, finding.rule));
    }
    if facts.client.policy.regulated {
        level.raise(ApprovalLevel::Manual, "the client is regulated: two persons");
    }
    (findings, level)
}

/// How much approval is needed, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Level {
    /// The highest that anything asked for.
    pub level: ApprovalLevel,
    /// Who asked for that level.
    pub reasons: Vec<String>,
}

impl Default for Level {
    fn default() -> Self {
        Self { level: ApprovalLevel::Auto, reasons: Vec::new() }
    }
}

impl Level {
    fn raise(&mut self, to: ApprovalLevel, why: &str) {
        if to > self.level {
            self.level = to;
            self.reasons.clear();
        }
        if to == self.level && to != ApprovalLevel::Auto && !self.reasons.iter().any(|r| r == why) {
            self.reasons.push(why.to_owned());
        }
    }
}

/// Findings that come and go with the hour alone: they change nothing of what would be shown.
const OF_THE_HOUR: [&str; 2] = ["budget.too-soon", "budget.slots-over"];

/// Returns the digest of findings as a sheet shows them; part of the fingerprint. Findings of the hour are left out, or
/// no sheet could be approved after it was read.
pub fn digest(findings: &[Finding]) -> Digest {
    findings
        .iter()
        .filter(|f| !OF_THE_HOUR.contains(&f.rule.as_str()))
        .fold(Framed::new("expos.findings.1"), |framed, f| {
            framed.text(f.guard.as_str()).text(&f.rule).text(f.severity.as_str()).text(&f.place).text(&f.why)
        })
        .digest()
}

/// Operators' minutes that an experiment costs: reading each variant, and each post that a person puts out by hand.
pub fn operator_minutes(variants: u32, browser_posts: u32) -> u32 {
    variants.saturating_mul(2).saturating_add(browser_posts.saturating_mul(6))
}

/// How close to its slot a post must be ready.
pub const PREPARED_BEFORE: Span = Span::minutes(10);
