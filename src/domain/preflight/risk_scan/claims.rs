//! Offers and claims: what a text promises, and how that differs from what the client approved.
//!
//! Decides by difference, not by memory: unchanged claims are free, a better offer or new proof is not. The weight of a
//! difference is data (`claims.toml`). What counts as approved text is `approval`'s business.
//!
//! Limits: claims are compared by kind and value, so a claim moved from one product to another looks unchanged. Where
//! the direction that favours the reader cannot be told (times; a price beside another one), any change counts as better.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::claims_data::{ClaimKind, Meaning};
use super::finding::{ApprovalLevel, Severity};
use super::literal::Presence;
use super::normalise::normalise;
use super::pack::Packs;
use super::pattern::{Pattern, any_in};
use super::post::ScanInput;
use super::scope::Scope;
use super::view::View;

/// Something a text offers or asserts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Claim {
    pub kind: ClaimKind,
    /// In normalised words, as `20 off`, `£ 40`, `sunday`.
    pub value: String,
}

/// One difference from the approved texts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimChange {
    pub kind: ClaimKind,
    /// What the new text says; when it was removed or lost, what it no longer says.
    pub value: String,
    /// What the approved text said instead, when it was changed.
    pub was: Option<String>,
    pub severity: Severity,
    pub approval: ApprovalLevel,
    /// As `claims.better-offer`.
    pub rule: String,
}

impl Packs {
    /// Every claim of a text, sorted; one that is made twice is there twice.
    pub fn claims(&self, text: &str, locale: &str) -> Vec<Claim> {
        let view = View::of_part(0, &normalise(text, locale).plain);
        let presence = self.literals.presence(view.text());
        let mut claims = Vec::new();
        for extract in &self.claims.extracts {
            let excepted: Vec<Range<usize>> =
                extract.except.iter().flat_map(|pattern| pattern.matches(view.text(), &presence)).collect();
            let claimed = extract.pattern.groups(view.text()).into_iter().filter(|(range, _)| {
                !excepted.iter().any(|except| except.start < range.end && range.start < except.end)
            });
            claims.extend(claimed.map(|(_, groups)| Claim { kind: extract.kind, value: groups.join(" ") }));
        }
        claims.sort();
        claims
    }

    /// How the words of a post differ from the texts its client approved, heaviest first. Without an approved text every
    /// claim is new. A line the approved text had to have and the post no longer has is a change too.
    pub fn claim_changes(&self, post: &ScanInput, approved: &[String]) -> Vec<ClaimChange> {
        let words: Vec<&str> = post.facets.iter().map(|(_, text)| text.as_str()).collect();
        let new: Vec<Claim> = words.iter().flat_map(|text| self.claims(text, &post.locale)).collect();
        let old: Vec<Vec<Claim>> = approved.iter().map(|text| self.claims(text, &post.locale)).collect();
        let mut changes = self.lost_disclosures(post, approved, &new, &old);
        changes.extend(self.differences(new, old.concat()));
        changes.sort_by(|a, b| {
            let key =
                |c: &ClaimChange| (c.severity, std::cmp::Reverse(c.approval), c.kind, c.value.clone(), c.was.clone());
            key(a).cmp(&key(b))
        });
        changes
    }

    fn differences(&self, new: Vec<Claim>, old: Vec<Claim>) -> Vec<ClaimChange> {
        let (added, removed) = apart(new.clone(), old);
        let mut by_kind: BTreeMap<ClaimKind, (Vec<String>, Vec<String>)> = BTreeMap::new();
        for claim in added {
            by_kind.entry(claim.kind).or_default().0.push(claim.value);
        }
        for claim in removed {
            by_kind.entry(claim.kind).or_default().1.push(claim.value);
        }
        let mut changes = Vec::new();
        for (kind, (added, removed)) in by_kind {
            let several = new.iter().filter(|claim| claim.kind == kind).count() > 1;
            for (value, was) in paired(kind, added, removed) {
                changes.extend(self.change(kind, value, was, several));
            }
        }
        changes
    }

    /// The first meaning of the file that fits.
    fn change(&self, kind: ClaimKind, new: Option<String>, old: Option<String>, several: bool) -> Option<ClaimChange> {
        let fits = meanings(kind, new.as_deref(), old.as_deref(), several);
        let weight = self.claims.weights.iter().find(|weight| fits.contains(&weight.meaning))?;
        let (value, was) = match (new, old) {
            (Some(value), was) => (value, was),
            (None, Some(value)) => (value, None),
            (None, None) => return None,
        };
        let (severity, approval) = (weight.severity, weight.approval);
        Some(ClaimChange { kind, value, was, severity, approval, rule: weight.meaning.rule().to_owned() })
    }

    /// Lines that an approved text had to have, or that always matter, and that the post lacks. With several approved
    /// texts only those count that share a claim with the post: it was made from them.
    fn lost_disclosures(
        &self,
        post: &ScanInput,
        approved: &[String],
        new: &[Claim],
        old: &[Vec<Claim>],
    ) -> Vec<ClaimChange> {
        let alone = !post.facets.iter().any(|(facet, _)| facet.in_plain_sight());
        let visible = post.facets.iter().filter(|(facet, _)| alone || facet.in_plain_sight());
        let now = Read::of(self, visible.map(|(_, text)| text.as_str()), &post.locale);
        let before: Vec<Read> = approved
            .iter()
            .zip(old)
            .filter(|(_, claims)| approved.len() == 1 || claims.iter().any(|claim| new.contains(claim)))
            .map(|(text, _)| Read::of(self, [text.as_str()], &post.locale))
            .collect();
        let scope = Scope::of(post);
        let rules = self
            .packs
            .iter()
            .filter(|pack| pack.runs_for(&post.locale))
            .flat_map(|pack| &pack.rules)
            .filter(|rule| rule.severity != Severity::Info && scope.holds(&rule.applies_to));
        let demanded = rules.flat_map(|rule| {
            let triggers = before.iter().filter(|read| read.holds(&rule.patterns));
            let groups = triggers.flat_map(|read| rule.requires.iter().filter(|group| read.holds(&group.any)));
            groups.filter(|group| !now.holds(&group.any)).map(|group| group.label.clone()).collect::<Vec<_>>()
        });
        let always = self.claims.lines.iter().filter(|line| {
            let of_line = std::slice::from_ref(&line.pattern);
            before.iter().any(|read| read.holds(of_line)) && !now.holds(of_line)
        });
        let lost: BTreeSet<String> = demanded.chain(always.map(|line| line.label.to_owned())).collect();
        let weight = self.claims.weight(Meaning::DisclosureLost);
        lost.into_iter()
            .map(|value| ClaimChange {
                kind: ClaimKind::Disclosure,
                value,
                was: None,
                severity: weight.severity,
                approval: weight.approval,
                rule: weight.meaning.rule().to_owned(),
            })
            .collect()
    }
}

/// A text ready to be looked through.
struct Read {
    view: View,
    presence: Presence,
}

impl Read {
    fn of<'a>(packs: &Packs, texts: impl IntoIterator<Item = &'a str>, locale: &str) -> Self {
        let views: Vec<View> = texts.into_iter().map(|text| View::of_part(0, &normalise(text, locale).plain)).collect();
        let view = View::joined(&views);
        Self { presence: packs.literals.presence(view.text()), view }
    }

    fn holds(&self, any: &[Pattern]) -> bool {
        any_in(any, self.view.text(), &self.presence)
    }
}

/// What the first has more than the second, and the second more than the first, as multisets. `guarantee`, `guaranteed`
/// and `guarantees` are one claim.
fn apart(new: Vec<Claim>, old: Vec<Claim>) -> (Vec<Claim>, Vec<Claim>) {
    let mut removed = old;
    let mut added = Vec::new();
    for claim in new {
        let same = |other: &Claim| other.kind == claim.kind && stem(other) == stem(&claim);
        match removed.iter().position(same) {
            Some(at) => {
                removed.swap_remove(at);
            }
            None => added.push(claim),
        }
    }
    removed.sort();
    (added, removed)
}

fn stem(claim: &Claim) -> &str {
    if claim.kind != ClaimKind::Guarantee {
        return &claim.value;
    }
    let value = claim.value.as_str();
    match value {
        "warranties" => "warranty",
        "garantizado" | "garantizada" | "garantia" => "garantia",
        "garantiert" | "garantier" | "garantie" => "garantie",
        _ if value.starts_with("guarantee") => "guarantee",
        _ if value.starts_with("promise") => "promise",
        _ => value,
    }
}

/// Pairs what was added with what was removed in its place: for numbers, those of one unit in rising order; for dates, in
/// order. Everything else is added or removed.
fn paired(kind: ClaimKind, added: Vec<String>, removed: Vec<String>) -> Vec<(Option<String>, Option<String>)> {
    let by_unit = |values: Vec<String>| {
        let mut units: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for value in values {
            let unit = if kind == ClaimKind::Deadline { String::new() } else { Amount::of(kind, &value).unit };
            units.entry(unit).or_default().push(value);
        }
        for values in units.values_mut() {
            values.sort_by(|a, b| Amount::of(kind, a).number.total_cmp(&Amount::of(kind, b).number).then(a.cmp(b)));
        }
        units
    };
    if !is_number(kind) && kind != ClaimKind::Deadline {
        let added = added.into_iter().map(|value| (Some(value), None));
        return added.chain(removed.into_iter().map(|value| (None, Some(value)))).collect();
    }
    let mut old = by_unit(removed);
    let mut pairs = Vec::new();
    for (unit, values) in by_unit(added) {
        let mut was = old.remove(&unit).unwrap_or_default().into_iter();
        pairs.extend(values.into_iter().map(|value| (Some(value), was.next())));
        pairs.extend(was.map(|value| (None, Some(value))));
    }
    pairs.extend(old.into_values().flatten().map(|value| (None, Some(value))));
    pairs
}

fn is_number(kind: ClaimKind) -> bool {
    match kind {
        ClaimKind::Percent | ClaimKind::Price | ClaimKind::Quantity | ClaimKind::Multiple => true,
        ClaimKind::Free
        | ClaimKind::Guarantee
        | ClaimKind::Deadline
        | ClaimKind::Superlative
        | ClaimKind::Proof
        | ClaimKind::Origin
        | ClaimKind::Green
        | ClaimKind::Rating
        | ClaimKind::Disclosure => false,
    }
}

/// Every meaning a difference has. One that is not listed in the file's order before another gives way to it.
fn meanings(kind: ClaimKind, new: Option<&str>, old: Option<&str>, several: bool) -> Vec<Meaning> {
    let gone = if new.is_none() { vec![Meaning::Removed] } else { Vec::new() };
    match kind {
        ClaimKind::Disclosure => vec![Meaning::DisclosureLost],
        ClaimKind::Deadline => vec![Meaning::Deadline],
        _ if new.is_none() => gone,
        ClaimKind::Guarantee | ClaimKind::Proof | ClaimKind::Origin | ClaimKind::Green | ClaimKind::Rating => {
            vec![Meaning::NewProof]
        }
        ClaimKind::Free => vec![Meaning::NewFree],
        ClaimKind::Superlative => vec![Meaning::NewSuperlative],
        ClaimKind::Percent | ClaimKind::Price | ClaimKind::Quantity | ClaimKind::Multiple => match (new, old) {
            (Some(new), Some(old)) if favours(kind, new, old, several) => {
                vec![Meaning::BetterOffer, Meaning::ChangedNumber]
            }
            _ => vec![Meaning::ChangedNumber],
        },
    }
}

/// Whether the new value may be better for the reader than the old one of the same unit.
fn favours(kind: ClaimKind, new: &str, old: &str, several: bool) -> bool {
    let (new, old) = (Amount::of(kind, new), Amount::of(kind, old));
    let lower_is_better = match kind {
        // A higher price beside another one may be the crossed-out one.
        ClaimKind::Price if several => return true,
        ClaimKind::Price => true,
        ClaimKind::Percent => new.unit == "apr",
        // Two weeks less to wait, two weeks more to try: the unit does not tell.
        ClaimKind::Quantity if is_time(&new.unit) => return true,
        ClaimKind::Quantity
        | ClaimKind::Multiple
        | ClaimKind::Free
        | ClaimKind::Guarantee
        | ClaimKind::Deadline
        | ClaimKind::Superlative
        | ClaimKind::Proof
        | ClaimKind::Origin
        | ClaimKind::Green
        | ClaimKind::Rating
        | ClaimKind::Disclosure => false,
    };
    if lower_is_better { new.number < old.number } else { new.number > old.number }
}

fn is_time(unit: &str) -> bool {
    ["minute", "hour", "day", "week", "month", "year"].iter().any(|time| unit.starts_with(time))
}

/// A value taken apart: `£ 5 k month` is 5000 of `£ month`.
#[derive(Debug)]
struct Amount {
    number: f64,
    unit: String,
}

impl Amount {
    fn of(kind: ClaimKind, value: &str) -> Self {
        let mut number = None;
        let mut unit = Vec::new();
        for word in value.split_whitespace() {
            match (number, word) {
                (None, _) if number_of(word).is_some() => number = number_of(word),
                (Some(n), "k") if kind == ClaimKind::Price => number = Some(n * 1e3),
                (Some(n), "m") if kind == ClaimKind::Price => number = Some(n * 1e6),
                // One day or more of them is one unit.
                _ => unit.push(word.strip_suffix('s').filter(|word| word.len() > 1).unwrap_or(word)),
            }
        }
        Self { number: number.unwrap_or(0.0), unit: unit.join(" ") }
    }
}

fn number_of(word: &str) -> Option<f64> {
    match word {
        "twice" | "double" => Some(2.0),
        "triple" => Some(3.0),
        "half" => Some(0.5),
        _ => word.parse().ok().filter(|number: &f64| number.is_finite()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::embedded::shared;
    use super::super::post::FacetName;
    use super::*;

    fn changes(new: &str, approved: &[&str]) -> Vec<(String, String, Option<String>)> {
        let packs = shared();
        let approved: Vec<String> = approved.iter().map(|text| (*text).to_owned()).collect();
        let post = ScanInput {
            facets: vec![(FacetName::Caption, new.into())],
            locale: "en".into(),
            industries: vec!["gambling".into()],
            regions: vec!["UK".into()],
            ..ScanInput::default()
        };
        packs.claim_changes(&post, &approved).into_iter().map(|c| (c.rule, c.value, c.was)).collect()
    }

    fn rules(new: &str, approved: &[&str]) -> Vec<String> {
        changes(new, approved).into_iter().map(|change| change.0).collect()
    }

    #[test]
    fn unchanged_claims_are_free() {
        let text = "20% off until Sunday. Money back guaranteed. Free delivery over £40.";
        assert!(rules(text, &[text]).is_empty());
        assert!(rules("Money back guarantee", &["Money back guaranteed"]).is_empty());
        assert!(rules("20% off", &["Cheese.", "20% off and more"]).is_empty());
    }

    #[test]
    fn a_better_offer_weighs_more_than_a_changed_one() {
        assert_eq!(
            changes("25% off", &["20% off"]),
            [("claims.better-offer".into(), "25 off".into(), Some("20 off".into()))]
        );
        assert_eq!(rules("10% off", &["20% off"]), ["claims.changed-number"]);
        assert_eq!(rules("Now £30", &["Now £40"]), ["claims.better-offer"]);
        assert_eq!(rules("Now £50", &["Now £40"]), ["claims.changed-number"]);
        assert_eq!(rules("Was £60, now £40", &["Was £50, now £40"]), ["claims.better-offer"]);
        assert_eq!(rules("4x faster", &["3x faster"]), ["claims.better-offer"]);
        assert_eq!(rules("5% apr", &["6% apr"]), ["claims.better-offer"]);
        assert_eq!(rules("In 7 days", &["In 14 days"]), ["claims.better-offer"]);
    }

    #[test]
    fn without_an_approved_text_every_claim_is_new() {
        assert_eq!(
            rules("The best. Clinically tested. Free tea. 5% off until Sunday.", &[]),
            [
                "claims.new-free",
                "claims.new-proof",
                "claims.new-proof",
                "claims.changed-number",
                "claims.deadline",
                "claims.new-superlative"
            ]
        );
    }

    #[test]
    fn deadlines_weigh_in_every_direction_and_other_losses_do_not() {
        assert_eq!(
            changes("Ends 9 March", &["Ends 8 March"]),
            [("claims.deadline".into(), "9 march".into(), Some("8 march".into()))]
        );
        assert_eq!(rules("Tea", &["Ends 8 March"]), ["claims.deadline"]);
        assert_eq!(rules("Tea", &["20% off"]), ["claims.removed"]);
    }

    #[test]
    fn a_lost_disclosure_blocks_and_comes_first() {
        let lost = changes("Free bets. 10% off", &["Free bets. BeGambleAware.org"]);
        assert_eq!(
            lost,
            [
                ("claims.disclosure-lost".into(), "18+ and help line".into(), None),
                ("claims.changed-number".into(), "10 off".into(), None)
            ]
        );
        assert_eq!(changes("Tea", &["Tea. 18+"]), [("claims.disclosure-lost".into(), "age line".into(), None)]);
        assert_eq!(changes("Tea", &["#ad Tea"]), [("claims.disclosure-lost".into(), "ad label".into(), None)]);
        assert!(rules("Free tea 18+", &["Free tea. 18+ BeGambleAware.org"]).is_empty());
    }

    #[test]
    fn a_text_the_post_was_not_made_from_demands_nothing() {
        assert!(rules("Free tea", &["Free tea", "Win a prize. 18+ T&Cs apply"]).is_empty());
    }
}
