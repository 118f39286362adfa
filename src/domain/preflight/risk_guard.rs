//! RiskScan's place among the guards: what is scanned, and how its findings and floors are told.
//!
//! Decides which texts of which post are handed to the scan with which facts of the client. What the words mean is decided
//! in `risk_scan`, by the packs.

use std::collections::{BTreeMap, BTreeSet};

use super::place::{Shown, excerpt, shown};
use super::risk_scan::{self, FacetName, FloorFact, RiskFinding, ScanInput};
use super::{Finding, Guard, PreflightFacts, Severity};
use crate::approval::ApprovalLevel;
use crate::brief::Kind;
use crate::text::Untrusted;
use crate::variant::{Content, Facet, Lane};

const GUARD: Guard = Guard::RiskScan;
/// Among so many posts a client counts as new.
const NEW_CLIENT_POSTS: u32 = 10;

/// Looks at everything that would be shown.
///
/// Returns the findings, and the least levels of approval that hold whatever the words say, each with its reason.
pub fn look(facts: &PreflightFacts<'_>) -> (Vec<Finding>, Vec<(ApprovalLevel, String)>) {
    let mut findings = Vec::new();
    // Variants share most of their words: what one scan finds in the same words is not scanned again.
    let mut scanned: BTreeMap<crate::hash::ContentHash, Vec<RiskFinding>> = BTreeMap::new();
    for one in shown(facts) {
        let input = input(facts, one.content);
        let found = scanned.entry(one.content.hash()).or_insert_with(|| facts.packs.scan(&input));
        findings.extend(found.iter().map(|found| told(&one, found)));
    }
    (findings, floors(facts))
}

fn input(facts: &PreflightFacts<'_>, content: &Content) -> ScanInput {
    let policy = &facts.client.policy;
    let names = [
        (Facet::Hook, FacetName::Hook),
        (Facet::Caption, FacetName::Caption),
        (Facet::Cta, FacetName::Cta),
        (Facet::Title, FacetName::Title),
        (Facet::Hashtags, FacetName::Hashtags),
        (Facet::ReplyTemplate, FacetName::Reply),
    ];
    let texts = names.into_iter().filter_map(|(facet, name)| Some((name, content.facets.get(&facet)?)));
    let alts = content.assets.iter().map(|asset| (FacetName::Alt, &asset.alt)).filter(|(_, alt)| !alt.is_empty());
    // A post's own language comes first; the client's stands in where it says none.
    let locale = content.settings.langs.first().unwrap_or(&policy.locale);
    ScanInput {
        facets: texts.chain(alts).map(|(name, text)| (name, Untrusted::raw(text).to_owned())).collect(),
        locale: locale.clone(),
        platform: facts.surface.platform.as_str().to_owned(),
        industries: policy.industries.clone(),
        regions: policy.regions.clone(),
        sponsored: content.settings.sponsored,
        // Nothing here reads the words inside a picture.
        image_text_known: content.assets.is_empty(),
        asset_new: !content.assets.is_empty(),
    }
}

fn told(one: &Shown<'_>, found: &RiskFinding) -> Finding {
    finding(found.facet.map_or_else(|| one.place(), |facet| one.part(facet)), found)
}

/// Gives what a scan found the shape of a finding.
pub(super) fn finding(place: String, found: &RiskFinding) -> Finding {
    let mut why = found.why.clone();
    if !found.excerpt.is_empty() {
        why = format!("`{}`: {why}", excerpt(&found.excerpt));
    }
    if !found.missing.is_empty() {
        why = format!("{why} (missing: {})", found.missing.join(", "));
    }
    if !found.sources.is_empty() {
        why = format!("{why} [{}]", found.sources.join("; "));
    }
    let mut finding = GUARD.finds(&found.rule, severity(found.severity), place, why, found.mend.as_str());
    finding.level = Some(level(found.approval)).filter(|level| *level != ApprovalLevel::Auto);
    finding
}

const fn severity(of: risk_scan::Severity) -> Severity {
    match of {
        risk_scan::Severity::Block => Severity::Block,
        risk_scan::Severity::Warn => Severity::Warn,
        risk_scan::Severity::Info => Severity::Info,
    }
}

const fn level(of: risk_scan::ApprovalLevel) -> ApprovalLevel {
    match of {
        risk_scan::ApprovalLevel::Auto => ApprovalLevel::Auto,
        risk_scan::ApprovalLevel::Review => ApprovalLevel::Review,
        risk_scan::ApprovalLevel::Manual => ApprovalLevel::Manual,
    }
}

fn floors(facts: &PreflightFacts<'_>) -> Vec<(ApprovalLevel, String)> {
    let settings = &facts.brief.exposure_plan.settings;
    let mut known = Vec::new();
    if by_hand(facts) {
        known.push(FloorFact::LaneBrowser);
    }
    if facts.open_escalation {
        known.push(FloorFact::OpenEscalation);
    }
    if settings.sponsored {
        known.push(FloorFact::Sponsored);
    }
    if settings.synthetic {
        known.push(FloorFact::AiSyntheticPerson);
    }
    if facts.posts_before < NEW_CLIENT_POSTS {
        known.push(FloorFact::NewClientFirst10Posts);
    }
    let floor = facts.packs.approval_floor(&facts.client.policy.industries, &known);
    let mut seen = BTreeSet::new();
    let reasons = floor.reasons.into_iter().filter(|reason| seen.insert(reason.reason.clone()));
    reasons.map(|reason| (level(reason.level), reason.reason)).collect()
}

/// Whether a person posts some of it, or may have to. Replies have rules of their own: a person sends each.
fn by_hand(facts: &PreflightFacts<'_>) -> bool {
    if facts.brief.kind == Kind::Engagement {
        return false;
    }
    let lanes = facts
        .variants
        .iter()
        .flat_map(|variant| &variant.rounds)
        .filter_map(|content| content.facets.get(&Facet::Lane));
    let tested = lanes.into_iter().any(|lane| lane.raw() != Lane::Api.as_str());
    tested || facts.brief.exposure_plan.lane != Lane::Api
}

#[cfg(test)]
mod tests {
    use super::super::tests::fixture::{World, rules};
    use super::*;

    #[test]
    fn a_claim_is_found_in_its_place_with_what_it_asks_for() {
        let mut world = World::new();
        assert_eq!(look(&world.facts()), (vec![], vec![]));
        world.client.policy.industries = vec!["supplements".to_owned()];
        world.say(1, 1, Facet::Caption, "Our tea cures diabetes, guaranteed.");
        let (found, floors) = look(&world.facts());
        let blocked = found.iter().find(|finding| finding.severity == Severity::Block).unwrap();
        assert!(blocked.place.starts_with("variant B, round 2") && blocked.rule.starts_with("health."), "{blocked:?}");
        assert!(blocked.why.contains("cures diabetes") && !blocked.mend.is_empty(), "{blocked:?}");
        assert_eq!(floors[0].0, ApprovalLevel::Manual);
        assert!(floors[0].1.contains("supplements"));
    }

    #[test]
    fn facts_beside_the_words_raise_the_level() {
        let mut world = World::new();
        world.posts_before = 9;
        world.open_escalation = true;
        world.brief.exposure_plan.lane = Lane::Hybrid;
        world.brief.exposure_plan.settings.sponsored = true;
        let floors = look(&world.facts()).1;
        assert_eq!(floors[0].0, ApprovalLevel::Manual);
        assert_eq!(floors.len(), 4, "{floors:?}");
        assert!(look(&World::of("reply-patterns").facts()).1.is_empty());
        assert_eq!(look(&World::of("lane-trial").facts()).1.len(), 1);
    }

    #[test]
    fn a_picture_whose_words_are_unknown_is_noted() {
        let (found, _) = look(&World::of("format-swap").facts());
        assert_eq!(rules(&found), ["scan.image-text-unknown"; 4]);
        assert!(found.iter().all(|finding| finding.severity == Severity::Info));
    }

    #[test]
    fn all_guards_together_give_the_level_and_the_same_answer_twice() {
        let mut world = World::new();
        world.say(1, 1, Facet::Caption, "pay \u{202E}evil\u{202C} now");
        let (findings, level) = super::super::run(&world.facts());
        assert_eq!(rules(&findings), ["format.hidden-characters"]);
        assert_eq!(level.level, ApprovalLevel::Review);
        assert_eq!(super::super::run(&world.facts()), (findings, level));
    }
}
