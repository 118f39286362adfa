//! Items: one sheet of the queue, taken apart for the eye.
//!
//! Decides, from the sheet alone, what all variants share, what differs, and on which days posts go out. What an approval
//! covers is the desk's sheet and its fingerprint; nothing here adds to it. Where the brief does not give what goes out,
//! word for word, that is said, and the whole texts stand alone.

use std::collections::{BTreeMap, BTreeSet};

use desk::query::{Sheet, SheetPost};
use domain::brief::{self, Brief};
use domain::id::{AccountId, ClientId};
use domain::preflight::Severity;
use domain::text::Untrusted;
use domain::time::UtcTime;
use domain::variant::{Asset, Content, Facet};

/// A sheet with what can be read from it.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    pub(crate) sheet: Sheet,
    pub(crate) brief: Option<Brief>,
    /// What every variant shows, round by round: `rounds[round][variant]`. Empty where the brief does not tell.
    pub(crate) rounds: Vec<Vec<Content>>,
    /// Facets that every variant shows alike in every round.
    pub(crate) same: Vec<Facet>,
    /// Facets that differ, the variable among them.
    pub(crate) differing: Vec<Facet>,
    /// What the brief gives is, word for word, what the posts show.
    pub(crate) word_for_word: bool,
}

/// One content, and when it goes out.
#[derive(Debug, Clone)]
pub(crate) struct Going<'a> {
    pub(crate) letter: char,
    pub(crate) round: u32,
    pub(crate) text: &'a str,
    pub(crate) assets: &'a [Asset],
    pub(crate) posts: Vec<&'a SheetPost>,
}

impl Item {
    /// Takes a sheet apart.
    pub(crate) fn of(sheet: Sheet) -> Self {
        let brief = brief::read(&sheet.brief).ok();
        let by_variant = brief.as_ref().and_then(|brief| contents(brief, &sheet)).unwrap_or_default();
        let rounds = by_round(&by_variant);
        let (same, differing) = compare(&rounds);
        let word_for_word = !rounds.is_empty() && sheet.posts.iter().all(|post| is_as_written(post, &by_variant));
        Self { sheet, brief, rounds, same, differing, word_for_word }
    }

    pub(crate) fn client(&self) -> &ClientId {
        &self.sheet.line.client
    }

    pub(crate) fn variable(&self) -> Option<Facet> {
        self.brief.as_ref().map(|brief| brief.variable_under_test)
    }

    /// Facets that differ though they are not under test.
    pub(crate) fn strays(&self) -> Vec<Facet> {
        let variable = self.variable();
        self.differing.iter().copied().filter(|facet| Some(*facet) != variable).collect()
    }

    pub(crate) fn variants(&self) -> usize {
        self.brief.as_ref().map_or_else(|| self.letters().len(), |brief| brief.test_variants.len() + 1)
    }

    fn letters(&self) -> BTreeSet<char> {
        self.sheet.posts.iter().map(|post| post.line.letter).collect()
    }

    pub(crate) fn accounts(&self) -> BTreeSet<&AccountId> {
        self.sheet.posts.iter().map(|post| &post.line.account).collect()
    }

    pub(crate) fn first(&self) -> Option<UtcTime> {
        self.sheet.posts.iter().map(|post| post.line.slot).min()
    }

    pub(crate) fn last(&self) -> Option<UtcTime> {
        self.sheet.posts.iter().map(|post| post.line.slot).max()
    }

    /// Returns how many findings there are of a severity.
    pub(crate) fn count(&self, severity: Severity) -> usize {
        self.sheet.findings.iter().filter(|finding| finding.severity == severity).count()
    }

    /// Returns the rounds that the posts on the sheet show, from 0.
    pub(crate) fn rounds_shown(&self) -> BTreeSet<usize> {
        let round = |post: &SheetPost| usize::try_from(post.line.round.saturating_sub(1)).unwrap_or(0);
        self.sheet.posts.iter().map(round).filter(|round| *round < self.rounds.len()).collect()
    }

    /// Returns each content that goes out, once, with its posts: by round, then letter.
    pub(crate) fn going_out(&self) -> Vec<Going<'_>> {
        let mut found: BTreeMap<(u32, char, String), Going<'_>> = BTreeMap::new();
        for post in &self.sheet.posts {
            let line = &post.line;
            let key = (line.round, line.letter, post.binding.content.0.to_string());
            let fresh = || Going {
                letter: line.letter,
                round: line.round,
                text: &post.text,
                assets: &post.assets,
                posts: Vec::new(),
            };
            found.entry(key).or_insert_with(fresh).posts.push(post);
        }
        found.into_values().collect()
    }

    /// Returns one word on the contents, accounts, lanes and rules that a word binds to.
    pub(crate) fn bindings(&self) -> Bindings {
        let mut all = Bindings::default();
        for post in &self.sheet.posts {
            all.contents.insert(post.binding.content.0.to_string());
            all.assets.extend(post.assets.iter().map(|asset| asset.digest.to_string()));
            all.identities.insert(post.binding.identity.clone());
            all.lanes.insert(post.binding.lane.as_str());
            all.policies.insert(post.binding.policy.policy);
            all.until = all.until.max(Some(post.binding.window.until));
        }
        all
    }
}

/// What a word binds to, counted.
#[derive(Debug, Clone, Default)]
pub(crate) struct Bindings {
    pub(crate) contents: BTreeSet<String>,
    pub(crate) assets: BTreeSet<String>,
    pub(crate) identities: BTreeSet<String>,
    pub(crate) lanes: BTreeSet<&'static str>,
    pub(crate) policies: BTreeSet<u32>,
    pub(crate) until: Option<UtcTime>,
}

/// Returns what the brief gives, `[variant][round]`; pictures are those of the sheet.
fn contents(brief: &Brief, sheet: &Sheet) -> Option<Vec<Vec<Content>>> {
    let find = |asset: &brief::AssetRef| {
        let all = sheet.posts.iter().flat_map(|post| &post.assets);
        all.into_iter().find(|a| a.file == asset.file && a.facet == asset.facet && a.alt == asset.alt).cloned()
    };
    brief.contents(&find).ok()
}

fn by_round(by_variant: &[Vec<Content>]) -> Vec<Vec<Content>> {
    let rounds = by_variant.first().map_or(0, Vec::len);
    let of_round = |round| by_variant.iter().filter_map(|rounds| rounds.get(round).cloned()).collect();
    (0..rounds).map(of_round).collect()
}

fn compare(rounds: &[Vec<Content>]) -> (Vec<Facet>, Vec<Facet>) {
    let mut present = BTreeSet::new();
    let mut differing = BTreeSet::new();
    for contents in rounds {
        for content in contents {
            present.extend(content.facets.iter().filter(|(_, text)| !text.is_empty()).map(|(facet, _)| *facet));
            present.extend(content.assets.iter().map(|asset| asset.facet));
        }
        if let Some((control, tests)) = contents.split_first() {
            differing.extend(tests.iter().flat_map(|test| test.differing_facets(control)));
        }
    }
    let order = |wanted: &dyn Fn(&Facet) -> bool| Facet::ALL.into_iter().filter(wanted).collect();
    (order(&|facet| present.contains(facet) && !differing.contains(facet)), order(&|facet| differing.contains(facet)))
}

fn is_as_written(post: &SheetPost, by_variant: &[Vec<Content>]) -> bool {
    let variant = u32::from(post.line.letter).checked_sub(u32::from('A')).and_then(|at| usize::try_from(at).ok());
    let round = usize::try_from(post.line.round.saturating_sub(1)).ok();
    let content = variant.and_then(|at| by_variant.get(at)).zip(round).and_then(|(rounds, round)| rounds.get(round));
    content.is_some_and(|content| content.hash() == post.binding.content)
}

/// Returns the text of a facet, raw.
pub(crate) fn facet_text(content: &Content, facet: Facet) -> String {
    content.facets.get(&facet).map(Untrusted::raw).unwrap_or_default().to_owned()
}
