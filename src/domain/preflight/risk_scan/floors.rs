//! Who must approve, before any text is read, and what findings add to it (`approvals.toml`).
//!
//! Decides the least level of a post, and whether a finding can be waived at all. Who holds which role, and that nobody
//! approves or waives their own work, is the desk's business.
//!
//! Invariant: a floor is never lowered, by no finding and by the absence of none.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::claims::ClaimChange;
use super::finding::{ApprovalLevel, RiskFinding, Severity};
use super::pack::{PackError, Packs, read, right_format};
use super::scope::industry_name;

/// A fact about a post that raises its level whatever it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FloorFact {
    LaneBrowser,
    OpenEscalation,
    Sponsored,
    MadeForKids,
    AiSyntheticPerson,
    #[serde(rename = "new_client_first_10_posts")]
    NewClientFirst10Posts,
    RulePackChangedSinceApproval,
}

/// The least level of a post, and all that asked for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Floor {
    pub level: ApprovalLevel,
    /// The highest first. Empty at level auto.
    pub reasons: Vec<FloorReason>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FloorReason {
    pub level: ApprovalLevel,
    pub reason: String,
}

/// The level of a post after everything was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum PostLevel {
    /// These rules must be mended; nobody can approve the post and nobody can waive them.
    Blocked {
        rules: Vec<String>,
    },
    At(Floor),
}

/// Whether a finding can be set aside for a while.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Waiver {
    Never {
        why: String,
    },
    /// With a reason, by someone who is not the author (regulated clients: a reviewer), for at most so many days.
    Allowed {
        days_max: u32,
    },
}

/// The file as read.
#[derive(Debug)]
pub(super) struct Approvals {
    by_industry: BTreeMap<String, ApprovalLevel>,
    by_fact: BTreeMap<FloorFact, ApprovalLevel>,
    waivable: Vec<Severity>,
    never_waived: Vec<String>,
    waiver_days_max: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ApprovalsFile {
    schema_version: u32,
    level: Levels,
    floor: Floors,
    #[expect(dead_code, reason = "sentences for whoever reads the file; what they say is `approval_level`")]
    after_findings: AfterFindings,
    waiver: WrittenWaiver,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Levels {
    auto: Rank,
    review: Rank,
    manual: Rank,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rank {
    rank: u32,
    #[expect(dead_code, reason = "a sentence for whoever reads the file")]
    meaning: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Floors {
    industry: BTreeMap<String, ApprovalLevel>,
    other: BTreeMap<FloorFact, ApprovalLevel>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "sentences for whoever reads the file")]
struct AfterFindings {
    block: String,
    warn: String,
    info: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenWaiver {
    severity: Vec<Severity>,
    #[expect(dead_code, reason = "a sentence; who may waive is the desk's rule")]
    who: String,
    #[expect(dead_code, reason = "a sentence; what a waiver holds is `approval`'s rule")]
    scope: Vec<String>,
    never: Vec<String>,
    max_days: u32,
}

impl Approvals {
    pub(super) fn read(file: &str, text: &str) -> Result<Self, PackError> {
        let written: ApprovalsFile = read(file, text)?;
        right_format(file, written.schema_version)?;
        let refuse = |why: &str| Err(PackError::Unreadable { file: file.to_owned(), why: why.to_owned() });
        let levels = written.level;
        if !(levels.auto.rank < levels.review.rank && levels.review.rank < levels.manual.rank) {
            return refuse("[level]: the ranks must rise from auto over review to manual");
        }
        if written.waiver.severity.contains(&Severity::Block) {
            return refuse("[waiver]: a block is never waived; only warn and info may stand under severity");
        }
        Ok(Self {
            by_industry: written.floor.industry,
            by_fact: written.floor.other,
            waivable: written.waiver.severity,
            never_waived: written.waiver.never,
            waiver_days_max: written.waiver.max_days,
        })
    }
}

impl Packs {
    /// The least level of a post of a client in these industries with these facts, whatever it says.
    pub fn approval_floor(&self, industries: &[String], facts: &[FloorFact]) -> Floor {
        let industries = industries.iter().filter_map(|industry| {
            let level = self.approvals.by_industry.get(&industry_name(industry))?;
            Some(FloorReason { level: *level, reason: format!("the client's industry is {industry}") })
        });
        let facts = facts.iter().filter_map(|fact| {
            let level = self.approvals.by_fact.get(fact)?;
            Some(FloorReason { level: *level, reason: fact.says().to_owned() })
        });
        floor(industries.chain(facts).collect())
    }

    /// Whether the law or the agency sets a floor for one of these industries.
    pub fn is_regulated(&self, industries: &[String]) -> bool {
        industries.iter().any(|industry| {
            self.approvals.by_industry.get(&industry_name(industry)).is_some_and(|level| *level > ApprovalLevel::Auto)
        })
    }

    /// The level of a post: the highest of its floor, its claim changes and its findings. A warning is never auto, and
    /// a block cannot be approved.
    pub fn approval_level(&self, floor_before: &Floor, changes: &[ClaimChange], findings: &[RiskFinding]) -> PostLevel {
        let of_changes = changes.iter().map(|change| (change.severity, change.approval, change.rule.as_str()));
        let of_findings = findings.iter().map(|found| (found.severity, found.approval, found.rule.as_str()));
        let all: Vec<(Severity, ApprovalLevel, &str)> = of_changes.chain(of_findings).collect();
        let mut rules: Vec<String> = all
            .iter()
            .filter(|(severity, _, _)| *severity == Severity::Block)
            .map(|(_, _, rule)| (*rule).to_owned())
            .collect();
        if !rules.is_empty() {
            rules.sort();
            rules.dedup();
            return PostLevel::Blocked { rules };
        }
        let mut reasons = floor_before.reasons.clone();
        for (severity, approval, rule) in all {
            let level = match severity {
                Severity::Block | Severity::Info => approval,
                Severity::Warn => approval.max(ApprovalLevel::Review),
            };
            reasons.push(FloorReason { level, reason: rule.to_owned() });
        }
        let mut after = floor(reasons);
        after.level = after.level.max(floor_before.level);
        PostLevel::At(after)
    }

    /// Whether this finding may be waived.
    pub fn waiver(&self, finding: &RiskFinding) -> Waiver {
        if !self.approvals.waivable.contains(&finding.severity) {
            let why = match finding.severity {
                Severity::Block => "a block must be mended; nobody can waive it",
                Severity::Warn => "the agency's approvals.toml allows no waiver of warnings",
                Severity::Info => "a note needs no waiver",
            };
            return Waiver::Never { why: why.to_owned() };
        }
        let tail = finding.rule.split_once('.').map_or("", |(_, tail)| tail);
        let names = [finding.pack.clone(), finding.rule.clone(), format!("{}.{tail}", finding.pack)];
        match self.approvals.never_waived.iter().find(|never| names.iter().any(|name| name.starts_with(*never))) {
            Some(never) => Waiver::Never { why: format!("rules of {never} are never waived") },
            None => Waiver::Allowed { days_max: self.approvals.waiver_days_max },
        }
    }
}

impl FloorFact {
    fn says(self) -> &'static str {
        match self {
            Self::LaneBrowser => "it is posted by hand in the browser",
            Self::OpenEscalation => "an escalation is open on the account",
            Self::Sponsored => "it is a paid partnership or branded content",
            Self::MadeForKids => "it is made for children",
            Self::AiSyntheticPerson => "it shows a person who was generated",
            Self::NewClientFirst10Posts => "it is among the first ten posts of a new client",
            Self::RulePackChangedSinceApproval => "the rule packs changed since it was approved",
        }
    }
}

fn floor(mut reasons: Vec<FloorReason>) -> Floor {
    reasons.retain(|reason| reason.level > ApprovalLevel::Auto);
    reasons.sort_by_key(|reason| Reverse(reason.level));
    reasons.dedup();
    Floor { level: reasons.first().map(|reason| reason.level).unwrap_or_default(), reasons }
}

#[cfg(test)]
mod tests {
    use super::super::embedded::{embedded, overlay, shared};
    use super::*;

    fn finding(pack: &str, rule: &str, severity: Severity, approval: ApprovalLevel) -> RiskFinding {
        RiskFinding {
            rule: rule.into(),
            title: String::new(),
            pack: pack.into(),
            pack_version: 1,
            severity,
            family: String::new(),
            approval,
            facet: None,
            spans: Vec::new(),
            excerpt: String::new(),
            missing: Vec::new(),
            why: String::new(),
            mend: String::new(),
            sources: Vec::new(),
        }
    }

    #[test]
    fn the_highest_floor_holds_and_every_reason_is_told() {
        let floor = shared().approval_floor(&["food".into(), "alcohol".into()], &[FloorFact::OpenEscalation]);
        assert_eq!(floor.level, ApprovalLevel::Manual);
        let told: Vec<&str> = floor.reasons.iter().map(|reason| reason.reason.as_str()).collect();
        assert_eq!(told, ["an escalation is open on the account", "the client's industry is alcohol"]);
        assert_eq!(shared().approval_floor(&["food".into()], &[]).level, ApprovalLevel::Auto);
        assert_eq!(shared().approval_floor(&["Healthcare".into()], &[]).level, ApprovalLevel::Review);
    }

    #[test]
    fn every_fact_has_a_floor() {
        for fact in [
            FloorFact::LaneBrowser,
            FloorFact::OpenEscalation,
            FloorFact::Sponsored,
            FloorFact::MadeForKids,
            FloorFact::AiSyntheticPerson,
            FloorFact::NewClientFirst10Posts,
            FloorFact::RulePackChangedSinceApproval,
        ] {
            assert!(shared().approval_floor(&[], &[fact]).level >= ApprovalLevel::Review, "{fact:?}");
        }
    }

    #[test]
    fn a_warning_is_never_auto_and_a_block_is_never_approved() {
        let packs = shared();
        let auto = packs.approval_floor(&[], &[]);
        let warn = finding("engagement-bait", "bait.share", Severity::Warn, ApprovalLevel::Auto);
        let info = finding("giveaways", "promo.platform-release", Severity::Info, ApprovalLevel::Auto);
        let block = finding("finance", "finance.insured", Severity::Block, ApprovalLevel::Manual);
        let level = |findings: &[RiskFinding]| match packs.approval_level(&auto, &[], findings) {
            PostLevel::At(floor) => Some(floor.level),
            PostLevel::Blocked { .. } => None,
        };
        assert_eq!(level(&[]), Some(ApprovalLevel::Auto));
        assert_eq!(level(std::slice::from_ref(&info)), Some(ApprovalLevel::Auto));
        assert_eq!(level(std::slice::from_ref(&warn)), Some(ApprovalLevel::Review));
        assert_eq!(level(&[warn, block]), None);
    }

    #[test]
    fn only_warnings_outside_the_guarded_packs_are_waived() {
        let packs = shared();
        let waiver = |pack, rule, severity| packs.waiver(&finding(pack, rule, severity, ApprovalLevel::Review));
        assert_eq!(waiver("health", "health.detox", Severity::Warn), Waiver::Allowed { days_max: 90 });
        for (pack, rule, severity) in [
            ("health", "health.detox", Severity::Block),
            ("privacy-pii", "pii.request-contact", Severity::Warn),
            ("political", "politics.voter-suppression", Severity::Warn),
            ("children", "kids.hfss", Severity::Warn),
        ] {
            assert!(matches!(waiver(pack, rule, severity), Waiver::Never { .. }), "{rule}");
        }
    }

    #[test]
    fn an_agency_may_not_make_blocks_waivable() {
        let (_, text) = embedded().into_iter().find(|(name, _)| name == "approvals.toml").expect("the file");
        let loosened = text.replace("severity = [\"warn\"]", "severity = [\"warn\", \"block\"]");
        assert_ne!(loosened, text);
        let refused = Packs::load(&overlay(&[("approvals.toml".into(), loosened)])).expect_err("a refusal");
        assert!(refused.to_string().contains("a block is never waived"));
    }
}
