//! A rule: as written in a pack, and ready to be matched.
//!
//! Decides what a rule may say and that it makes sense; what a pack may hold is `pack`'s business.

use serde::Deserialize;

use super::finding::{ApprovalLevel, Severity};
use super::literal::Literals;
use super::pattern::{BadPattern, Lists, Pattern};
use super::scope::AppliesTo;

/// As in a pack file. An unknown key is refused.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenRule {
    pub(super) id: String,
    title: String,
    severity: Severity,
    why: String,
    mend: String,
    pub(super) source: Vec<String>,
    #[serde(default)]
    approval: ApprovalLevel,
    #[serde(default)]
    family: Option<String>,
    #[serde(default)]
    applies_to: AppliesTo,
    #[serde(default)]
    patterns: Vec<String>,
    #[serde(default)]
    patterns_raw: Vec<String>,
    #[serde(default)]
    check: Option<Check>,
    #[serde(default)]
    trigger: Option<Trigger>,
    #[serde(default)]
    also: Vec<String>,
    #[serde(default)]
    unless: Vec<String>,
    #[serde(default = "yes")]
    negation: bool,
    #[serde(default)]
    requires: Vec<WrittenRequirement>,
    #[serde(default, rename = "override")]
    overrides: Vec<WrittenOverride>,
}

fn yes() -> bool {
    true
}

/// What else must hold for a raw match.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Check {
    /// A run of digits in it is a card number by ISO/IEC 7812-1, annex B.
    Luhn,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Trigger {
    /// The rule is met by every post in its scope.
    Always,
}

/// Where a demanded phrase counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Where {
    /// Anywhere a reader sees without a click.
    #[default]
    Anywhere,
    /// In the running text or on the image.
    CaptionOrImage,
    /// Whole, in the first 125 characters of the running text, or in the title.
    #[serde(rename = "first_125_or_title")]
    First125OrTitle,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenRequirement {
    label: String,
    any: Vec<String>,
    #[serde(default, rename = "where")]
    place: Where,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenOverride {
    severity: Option<Severity>,
    approval: Option<ApprovalLevel>,
    #[serde(default)]
    regions: Vec<String>,
    #[serde(default)]
    platforms: Vec<String>,
    when_match: Option<String>,
    when_absent: Option<String>,
}

/// Ready to be matched.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) severity: Severity,
    pub(super) approval: ApprovalLevel,
    pub(super) family: String,
    pub(super) why: String,
    pub(super) mend: String,
    /// Names of the sources, with the section.
    pub(super) sources: Vec<String>,
    pub(super) applies_to: AppliesTo,
    pub(super) patterns: Vec<Pattern>,
    pub(super) patterns_raw: Vec<Pattern>,
    pub(super) check: Option<Check>,
    pub(super) trigger: Option<Trigger>,
    pub(super) also: Vec<Pattern>,
    pub(super) unless: Vec<Pattern>,
    pub(super) negation: bool,
    pub(super) requires: Vec<Requirement>,
    pub(super) overrides: Vec<Override>,
}

/// A group of phrases of which one must be there.
#[derive(Debug)]
pub(super) struct Requirement {
    pub(super) label: String,
    pub(super) any: Vec<Pattern>,
    pub(super) place: Where,
}

/// A change of weight that holds when all its conditions do.
#[derive(Debug)]
pub(super) struct Override {
    pub(super) severity: Option<Severity>,
    pub(super) approval: Option<ApprovalLevel>,
    pub(super) regions: Vec<String>,
    pub(super) platforms: Vec<String>,
    pub(super) when_match: Option<Pattern>,
    pub(super) when_absent: Option<Pattern>,
}

/// Why a rule is refused.
#[derive(Debug)]
pub(super) enum BadRule {
    Pattern { written: String, why: BadPattern },
    Senseless(&'static str),
}

impl WrittenRule {
    /// Checks and prepares the rule. `sources` are the names that stand for its keys.
    pub(super) fn ready(
        self,
        family: &str,
        sources: Vec<String>,
        local: &Lists,
        shared: &Lists,
        literals: &mut Literals,
    ) -> Result<Rule, BadRule> {
        self.makes_sense()?;
        let mut one = |written: &String| {
            Pattern::new(written, local, shared, literals)
                .map_err(|why| BadRule::Pattern { written: written.clone(), why })
        };
        let mut requires = Vec::new();
        for group in &self.requires {
            let any = all(&group.any, &mut one)?;
            requires.push(Requirement { label: group.label.clone(), any, place: group.place });
        }
        let mut overrides = Vec::new();
        for change in &self.overrides {
            overrides.push(Override {
                severity: change.severity,
                approval: change.approval,
                regions: change.regions.iter().map(|region| region.to_uppercase()).collect(),
                platforms: change.platforms.clone(),
                when_match: change.when_match.as_ref().map(&mut one).transpose()?,
                when_absent: change.when_absent.as_ref().map(&mut one).transpose()?,
            });
        }
        Ok(Rule {
            patterns: all(&self.patterns, &mut one)?,
            patterns_raw: all(&self.patterns_raw, &mut one)?,
            also: all(&self.also, &mut one)?,
            unless: all(&self.unless, &mut one)?,
            requires,
            overrides,
            id: self.id,
            title: self.title,
            severity: self.severity,
            approval: self.approval,
            family: self.family.unwrap_or_else(|| family.to_owned()),
            why: self.why,
            mend: self.mend,
            sources,
            applies_to: self.applies_to,
            check: self.check,
            trigger: self.trigger,
            negation: self.negation,
        })
    }

    fn makes_sense(&self) -> Result<(), BadRule> {
        if self.id.trim().is_empty() {
            return Err(BadRule::Senseless("the id is empty"));
        }
        if self.patterns.is_empty() && self.patterns_raw.is_empty() && self.trigger.is_none() {
            return Err(BadRule::Senseless("it has neither patterns nor a trigger, so it can never be met"));
        }
        if self.check.is_some() && self.patterns_raw.is_empty() {
            return Err(BadRule::Senseless("a check needs patterns_raw to check"));
        }
        if self.requires.iter().any(|group| group.any.is_empty()) {
            return Err(BadRule::Senseless("a group under requires has no patterns, so nothing can satisfy it"));
        }
        if self.overrides.iter().any(|change| change.severity.is_none() && change.approval.is_none()) {
            return Err(BadRule::Senseless("an override changes neither severity nor approval"));
        }
        Ok(())
    }
}

fn all(written: &[String], one: &mut impl FnMut(&String) -> Result<Pattern, BadRule>) -> Result<Vec<Pattern>, BadRule> {
    written.iter().map(one).collect()
}
