//! The scan: every rule in scope against every facet, then against the facets joined.
//!
//! Decides when a rule is met and what the finding says. What a rule looks for is the packs' business, what a finding
//! leads to is `floors`' and the guards'.
//!
//! Each facet is matched alone and then all together, so that a claim split over facets is found. A rule met in a facet
//! is not reported again for the joined text.

use std::collections::BTreeMap;

use super::finding::{ApprovalLevel, RiskFinding, Severity, Span};
use super::literal::Presence;
use super::normalise::normalise;
use super::pack::{Pack, Packs};
use super::pattern::any_in;
use super::post::{FacetName, ScanInput};
use super::raw::{raw_places, raw_view};
use super::rule::{Override, Requirement, Rule, Trigger, Where};
use super::scope::Scope;
use super::view::{Place, View};

/// How far into the running text a reader sees before it is cut, in characters.
const BEFORE_THE_CUT: usize = 125;
/// Characters of an excerpt.
const EXCERPT: usize = 120;

/// A view with what is known of it.
#[derive(Debug)]
struct Sight {
    view: View,
    presence: Presence,
    /// Where phrases stand that take back what came before.
    denials: Vec<usize>,
}

/// A text in its views: a facet, or all facets joined.
#[derive(Debug)]
struct Text {
    /// One or two: plain, and undisguised when that differs.
    sights: Vec<Sight>,
    raw: Option<View>,
}

/// A post made ready: its texts, and what demanded phrases are looked for in.
#[derive(Debug)]
struct Prepared<'a> {
    post: &'a ScanInput,
    scope: Scope,
    facets: Vec<Text>,
    /// Absent when there is at most one facet with words.
    joined: Option<Text>,
    in_sight: Vec<Sight>,
    caption: Vec<Sight>,
    caption_or_image: Vec<Sight>,
    title: Vec<Sight>,
    /// Byte in each facet at which the first 125 characters of the running text end.
    cut: BTreeMap<usize, usize>,
}

impl Packs {
    /// Every rule the post meets, by severity, facet and position.
    pub fn scan(&self, post: &ScanInput) -> Vec<RiskFinding> {
        let prepared = self.prepare(post);
        let mut findings = self.notes_on_the_scan(post);
        for pack in self.packs.iter().filter(|pack| pack.runs_for(&post.locale)) {
            for rule in pack.rules.iter().filter(|rule| prepared.scope.holds(&rule.applies_to)) {
                findings.extend(self.findings_of(pack, rule, &prepared));
            }
        }
        findings.sort_by(|a, b| key(a).cmp(&key(b)));
        findings
    }

    fn findings_of(&self, pack: &Pack, rule: &Rule, prepared: &Prepared<'_>) -> Vec<RiskFinding> {
        if rule.trigger == Some(Trigger::Always) {
            return self.finding(pack, rule, prepared, None, Vec::new()).into_iter().collect();
        }
        let mut found: Vec<RiskFinding> = Vec::new();
        for text in &prepared.facets {
            let places = self.places(rule, text);
            if !places.is_empty() {
                found.extend(self.finding(pack, rule, prepared, Some(text), places));
            }
        }
        let Some(joined) = prepared.joined.as_ref().filter(|_| found.is_empty()) else { return found };
        let across: Vec<Place> =
            self.groups_of_places(rule, joined).into_iter().filter(|g| g.len() > 1).flatten().collect();
        if !across.is_empty() {
            found.extend(self.finding(pack, rule, prepared, Some(joined), across));
        }
        found
    }

    /// Where the rule is met in a text, in order, overlaps made one.
    fn places(&self, rule: &Rule, text: &Text) -> Vec<Place> {
        self.groups_of_places(rule, text).into_iter().flatten().collect()
    }

    /// The places of each match of a text. None when the rule is not met there.
    fn groups_of_places(&self, rule: &Rule, text: &Text) -> Vec<Vec<Place>> {
        let mut groups: Vec<Vec<Place>> =
            text.sights.iter().flat_map(|sight| self.groups_in_view(rule, sight)).collect();
        if let Some(raw) = &text.raw {
            let cleared = text.sights.first().is_some_and(|plain| any_in(&rule.unless, plain.text(), &plain.presence));
            if !cleared {
                groups.extend(raw_places(rule, raw, &self.literals).into_iter().map(|place| vec![place]));
            }
        }
        groups
    }

    fn groups_in_view(&self, rule: &Rule, sight: &Sight) -> Vec<Vec<Place>> {
        let mut matches: Vec<_> = rule
            .patterns
            .iter()
            .flat_map(|pattern| {
                pattern.matches_that(sight.text(), &sight.presence, |range| {
                    !rule.negation || !self.negation.clears(&sight.view, &sight.presence, &sight.denials, range)
                })
            })
            .collect();
        if matches.is_empty()
            || (!rule.also.is_empty() && !any_in(&rule.also, sight.text(), &sight.presence))
            || any_in(&rule.unless, sight.text(), &sight.presence)
        {
            return Vec::new();
        }
        matches.sort_by_key(|range| (range.start, range.end));
        matches.dedup();
        matches.into_iter().map(|range| sight.view.places(range)).filter(|group| !group.is_empty()).collect()
    }

    /// The finding, unless everything the rule demands is there.
    fn finding(
        &self,
        pack: &Pack,
        rule: &Rule,
        prepared: &Prepared<'_>,
        text: Option<&Text>,
        places: Vec<Place>,
    ) -> Option<RiskFinding> {
        let missing: Vec<String> =
            rule.requires.iter().filter(|group| !prepared.satisfies(group)).map(|group| group.label.clone()).collect();
        if missing.is_empty() && !rule.requires.is_empty() {
            return None;
        }
        let (mut severity, mut approval) = (rule.severity, rule.approval);
        for change in rule.overrides.iter().filter(|change| prepared.holds(change, text)) {
            severity = change.severity.unwrap_or(severity);
            approval = change.approval.unwrap_or(approval);
        }
        let spans = spans(prepared.post, places);
        Some(RiskFinding {
            rule: rule.id.clone(),
            title: rule.title.clone(),
            pack: pack.id.clone(),
            pack_version: pack.version,
            severity,
            family: rule.family.clone(),
            approval,
            facet: spans.first().map(|span| span.facet),
            excerpt: excerpt(prepared.post, spans.first()),
            spans,
            missing,
            why: rule.why.clone(),
            mend: rule.mend.clone(),
            sources: rule.sources.clone(),
        })
    }

    fn prepare<'a>(&self, post: &'a ScanInput) -> Prepared<'a> {
        let sight = |view: View| {
            let presence = self.literals.presence(view.text());
            Sight { denials: self.negation.denials(&view, &presence), presence, view }
        };
        let mut facets = Vec::new();
        let mut plain: Vec<(usize, FacetName, View)> = Vec::new();
        let mut second: Vec<(usize, FacetName, View)> = Vec::new();
        for (part, (facet, words)) in post.facets.iter().enumerate() {
            let views = normalise(words, &post.locale);
            let of = |cells| View::of_part(part, cells);
            plain.push((part, *facet, of(&views.plain)));
            second.push((part, *facet, of(views.second.as_ref().unwrap_or(&views.plain))));
            let sights =
                [Some(&views.plain), views.second.as_ref()].into_iter().flatten().map(|cells| sight(of(cells)));
            facets.push(Text { sights: sights.collect(), raw: Some(raw_view(part, &views.raw)) });
        }
        plain.sort_by_key(|(part, facet, _)| (*facet, *part));
        second.sort_by_key(|(part, facet, _)| (*facet, *part));
        let disguised = facets.iter().any(|text: &Text| text.sights.len() > 1);
        let join = |wanted: &dyn Fn(FacetName) -> bool| -> Vec<Sight> {
            let of = |views: &[(usize, FacetName, View)]| {
                View::joined(views.iter().filter(|(_, facet, _)| wanted(*facet)).map(|(_, _, view)| view))
            };
            [Some(of(&plain)), disguised.then(|| of(&second))].into_iter().flatten().map(&sight).collect()
        };
        // A reply or first comment scanned on its own is what its reader sees.
        let alone = !post.facets.iter().any(|(facet, _)| facet.in_plain_sight());
        Prepared {
            post,
            scope: Scope::of(post),
            in_sight: join(&|facet| alone || facet.in_plain_sight()),
            caption: join(&|facet| alone || facet.in_caption()),
            caption_or_image: join(&|facet| alone || facet.in_caption() || facet == FacetName::OnImage),
            title: join(&|facet| facet == FacetName::Title),
            cut: cut(post, alone),
            joined: (facets.len() > 1).then(|| Text { sights: join(&|_| true), raw: None }),
            facets,
        }
    }

    /// What the scan has to say about itself: silence must not look like a pass.
    fn notes_on_the_scan(&self, post: &ScanInput) -> Vec<RiskFinding> {
        let mut notes = Vec::new();
        if !self.knows_locale(&post.locale) {
            notes.push(note(
                "scan.locale-unsupported",
                (Severity::Warn, ApprovalLevel::Review),
                "No rules for this language",
                format!("There are no rules for the locale `{}`; only English wording was looked for.", post.locale),
                "Have someone who reads the language check the post, or add a pack for it.",
            ));
        }
        if !post.image_text_known && post.asset_new {
            let severity = if self.is_regulated(&post.industries) { Severity::Warn } else { Severity::Info };
            notes.push(note(
                "scan.image-text-unknown",
                (severity, ApprovalLevel::Auto),
                "Text on the image is not known",
                "Words on the image or spoken in the video were not given, so no rule has seen them.".into(),
                "Give a sidecar transcript of on-screen and spoken text, or say that there is none.",
            ));
        }
        notes
    }
}

impl Sight {
    fn text(&self) -> &str {
        self.view.text()
    }
}

impl Prepared<'_> {
    /// Whether a phrase of the group stands where it must, in either view.
    fn satisfies(&self, group: &Requirement) -> bool {
        let is_in = |sights: &[Sight]| sights.iter().any(|sight| any_in(&group.any, sight.text(), &sight.presence));
        match group.place {
            Where::Anywhere => is_in(&self.in_sight),
            Where::CaptionOrImage => is_in(&self.caption_or_image),
            Where::First125OrTitle => {
                is_in(&self.title) || self.caption.iter().any(|sight| self.is_before_the_cut(group, sight))
            }
        }
    }

    /// Whether a phrase of the group stands whole in the first 125 characters of the running text.
    fn is_before_the_cut(&self, group: &Requirement, caption: &Sight) -> bool {
        group.any.iter().flat_map(|pattern| pattern.matches(caption.text(), &caption.presence)).any(|range| {
            let places = caption.view.places(range);
            !places.is_empty()
                && places.iter().all(|place| self.cut.get(&place.part).is_some_and(|cut| place.bytes.end <= *cut))
        })
    }

    fn holds(&self, change: &Override, text: Option<&Text>) -> bool {
        let seen = |pattern: &super::pattern::Pattern| {
            text.is_some_and(|text| text.sights.iter().any(|sight| pattern.is_in(sight.text(), &sight.presence)))
        };
        (change.regions.is_empty() || self.scope.in_regions(&change.regions))
            && (change.platforms.is_empty() || self.scope.on_platforms(&change.platforms))
            && change.when_match.as_ref().is_none_or(seen)
            && change.when_absent.as_ref().is_none_or(|pattern| !seen(pattern))
    }
}

/// Byte in each facet of the running text at which its first 125 characters end.
fn cut(post: &ScanInput, alone: bool) -> BTreeMap<usize, usize> {
    let mut running: Vec<(FacetName, usize, &str)> = post
        .facets
        .iter()
        .enumerate()
        .filter(|(_, (facet, _))| alone || facet.in_caption())
        .map(|(part, (facet, words))| (*facet, part, words.as_str()))
        .collect();
    running.sort_by_key(|(facet, part, _)| (*facet, *part));
    let mut left = BEFORE_THE_CUT;
    let mut cut = BTreeMap::new();
    for (_, part, words) in running {
        cut.insert(part, words.char_indices().nth(left).map_or(words.len(), |(at, _)| at));
        left = left.saturating_sub(words.chars().count());
    }
    cut
}

/// Places in facets as spans: in reading order, overlaps made one.
fn spans(post: &ScanInput, places: Vec<Place>) -> Vec<Span> {
    let mut placed: Vec<(FacetName, Place)> =
        places.into_iter().filter_map(|place| Some((post.facets.get(place.part)?.0, place))).collect();
    placed.sort_by(|(a_facet, a), (b_facet, b)| {
        (a_facet, a.part, a.bytes.start, a.bytes.end).cmp(&(b_facet, b.part, b.bytes.start, b.bytes.end))
    });
    let mut merged: Vec<(FacetName, Place)> = Vec::new();
    for (facet, place) in placed {
        match merged.last_mut().filter(|(_, last)| last.part == place.part && place.bytes.start < last.bytes.end) {
            Some((_, last)) => last.bytes.end = last.bytes.end.max(place.bytes.end),
            None => merged.push((facet, place)),
        }
    }
    let mut counted: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    merged
        .into_iter()
        .map(|(facet, place)| {
            let words = post.facets.get(place.part).map(|(_, words)| words.as_str()).unwrap_or_default();
            let starts = counted.entry(place.part).or_insert_with(|| words.char_indices().map(|(at, _)| at).collect());
            let chars = |byte: usize| starts.partition_point(|start| *start < byte);
            Span {
                part: place.part,
                facet,
                chars: chars(place.bytes.start)..chars(place.bytes.end),
                bytes: place.bytes,
            }
        })
        .collect()
}

fn excerpt(post: &ScanInput, span: Option<&Span>) -> String {
    let Some(span) = span else { return String::new() };
    let words = post.facets.get(span.part).and_then(|(_, words)| words.get(span.bytes.clone())).unwrap_or_default();
    match words.char_indices().nth(EXCERPT) {
        Some((end, _)) => format!("{}…", words.get(..end).unwrap_or_default()),
        None => words.to_owned(),
    }
}

fn note(
    rule: &str,
    (severity, approval): (Severity, ApprovalLevel),
    title: &str,
    why: String,
    mend: &str,
) -> RiskFinding {
    RiskFinding {
        rule: rule.to_owned(),
        title: title.to_owned(),
        pack: "scan".to_owned(),
        pack_version: 1,
        severity,
        family: "scan".to_owned(),
        approval,
        facet: None,
        spans: Vec::new(),
        excerpt: String::new(),
        missing: Vec::new(),
        why,
        mend: mend.to_owned(),
        sources: Vec::new(),
    }
}

fn key(finding: &RiskFinding) -> (Severity, Option<FacetName>, usize, usize, &str) {
    let first = finding.spans.first();
    (
        finding.severity,
        finding.facet,
        first.map_or(0, |span| span.part),
        first.map_or(0, |span| span.bytes.start),
        &finding.rule,
    )
}
