//! The guards over one reply: what a person is about to say in the client's name.
//!
//! Decides which of preflight's rules hold for a reply: its length and hidden characters (FormatGuard), the client's banned
//! words and whether the platform takes replies over its interface (PolicyGuard), and every risk rule (RiskScan). Pacing,
//! budgets and likeness to other posts are not asked: a person sends each one, and each answers something else.

use super::fold::{self, Tags};
use super::place::excerpt;
use super::risk_guard;
use super::risk_scan::{FacetName, Packs, ScanInput};
use super::{Finding, Guard, Severity};
use crate::approval::ApprovalLevel;
use crate::client::Client;
use crate::surface::{Action, Surface, Surfaces};
use crate::text::Untrusted;

const PLACE: &str = "reply";

/// Everything the guards may know of a reply.
#[derive(Debug, Clone, Copy)]
pub struct ReplyFacts<'a> {
    /// In whose name.
    pub client: &'a Client,
    /// Where.
    pub surface: &'a Surface,
    /// What platforms allow.
    pub surfaces: &'a Surfaces,
    /// The rule packs.
    pub packs: &'a Packs,
    /// What it says.
    pub text: &'a Untrusted,
}

/// Looks at a reply. Returns findings, the worst first, and the least level of approval that they ask its sender for.
pub fn look(facts: ReplyFacts<'_>) -> (Vec<Finding>, ApprovalLevel) {
    let mut findings = format(facts);
    findings.extend(policy(facts));
    findings.extend(risk(facts));
    findings.sort_by(|a, b| (a.severity, a.guard, &a.rule).cmp(&(b.severity, b.guard, &b.rule)));
    let level = findings.iter().filter_map(|finding| finding.level).max().unwrap_or(ApprovalLevel::Auto);
    (findings, level)
}

fn format(facts: ReplyFacts<'_>) -> Vec<Finding> {
    let (raw, guard) = (facts.text.raw(), Guard::FormatGuard);
    let mut findings = Vec::new();
    if raw.trim().is_empty() {
        let mend = "write what you want to say";
        findings.push(guard.finds("format.reply-empty", Severity::Block, PLACE, "it says nothing", mend));
    }
    if let Some(limit) = facts.surface.caption {
        let count = limit.unit.count(raw);
        let bytes = limit.bytes_max.filter(|max| raw.len() > *max);
        if count > limit.max || bytes.is_some() {
            let why = format!("it has {count} {}, and {} are possible", limit.unit.as_str(), limit.max);
            findings.push(guard.finds("format.reply-too-long", Severity::Block, PLACE, why, "shorten it"));
        }
    }
    if facts.text.show_lines().has_markers() {
        let why = "it holds characters that a reader cannot see";
        let mend = "type it anew instead of pasting it";
        findings.push(guard.finds("format.hidden-characters", Severity::Block, PLACE, why, mend));
    }
    if raw.contains(['{', '}']) {
        let why = "something in braces still waits for your words";
        findings.push(guard.finds(
            "format.reply-placeholder",
            Severity::Block,
            PLACE,
            why,
            "put the words in its place",
        ));
    }
    findings
}

fn policy(facts: ReplyFacts<'_>) -> Vec<Finding> {
    let guard = Guard::PolicyGuard;
    let mut findings = Vec::new();
    let allowed = facts.surfaces.platform(facts.surface.platform).is_some_and(|p| p.api.contains(&Action::Reply));
    if !allowed {
        let why = format!("replies cannot go out on {} over its interface", facts.surface.platform);
        let mend = "answer it on the platform itself";
        findings.push(guard.finds("policy.action-not-allowed", Severity::Block, PLACE, why, mend));
    }
    let words = fold::words(facts.text.raw(), Tags::Keep);
    for banned in &facts.client.kit.banned {
        let (wanted, raw) = (fold::words(banned, Tags::Keep), banned.trim());
        let found = if wanted.is_empty() {
            !raw.is_empty() && facts.text.raw().contains(raw)
        } else {
            fold::holds(&words, &wanted)
        };
        if found {
            let why = format!("`{}` is among the words that {} never uses", excerpt(raw), facts.client.name);
            let mend = format!("say it without `{}`", excerpt(raw));
            findings.push(guard.finds("policy.banned-word", Severity::Block, PLACE, why, mend));
        }
    }
    findings
}

fn risk(facts: ReplyFacts<'_>) -> Vec<Finding> {
    let policy = &facts.client.policy;
    let input = ScanInput {
        facets: vec![(FacetName::Reply, facts.text.raw().to_owned())],
        locale: policy.locale.clone(),
        platform: facts.surface.platform.as_str().to_owned(),
        industries: policy.industries.clone(),
        regions: policy.regions.clone(),
        sponsored: false,
        image_text_known: true,
        asset_new: false,
    };
    facts.packs.scan(&input).iter().map(|found| risk_guard::finding(PLACE.to_owned(), found)).collect()
}

#[cfg(test)]
mod tests {
    use super::super::tests::fixture::World;
    use super::*;

    fn look_at(world: &World, text: &str) -> (Vec<String>, ApprovalLevel) {
        let facts = world.facts();
        let text = Untrusted::new(text);
        let (findings, level) = look(ReplyFacts {
            client: facts.client,
            surface: facts.surface,
            surfaces: Surfaces::embedded(),
            packs: facts.packs,
            text: &text,
        });
        assert!(findings.iter().all(|finding| finding.place == "reply" && !finding.mend.is_empty()), "{findings:?}");
        let blocks = findings.iter().filter(|finding| finding.severity == Severity::Block);
        (blocks.map(|finding| finding.rule.clone()).collect(), level)
    }

    #[test]
    fn a_plain_answer_passes_and_what_could_not_go_out_is_blocked() {
        let mut world = World::new();
        world.client.kit.banned = vec!["artisanal".to_owned()];
        assert_eq!(look_at(&world, "Yes, from seven. Come by!"), (vec![], ApprovalLevel::Auto));
        for (text, rule) in [
            ("  ", "format.reply-empty"),
            ("Hello! {answer}", "format.reply-placeholder"),
            ("pay \u{202E}evil\u{202C} now", "format.hidden-characters"),
            ("All of it is ARTISANAL.", "policy.banned-word"),
        ] {
            assert_eq!(look_at(&world, text).0, [rule], "{text}");
        }
        assert_eq!(look_at(&world, &"é".repeat(301)).0, ["format.reply-too-long"]);
    }

    #[test]
    fn a_claim_in_a_reply_is_found_like_one_in_a_post() {
        let mut world = World::new();
        world.client.policy.industries = vec!["supplements".to_owned()];
        let (blocks, level) = look_at(&world, "Our tea cures diabetes, guaranteed.");
        assert!(blocks.iter().any(|rule| rule.starts_with("health.")), "{blocks:?}");
        assert_eq!(level, ApprovalLevel::Manual);
    }
}
