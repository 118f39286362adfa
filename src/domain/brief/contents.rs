//! From a brief to what each variant shows in each round.
//!
//! Decides which text wins where several levels give one. From the general to the special: the variant's own facets,
//! what the plan's round gives to every variant, what the variant's round gives. A test takes from the control every
//! facet that none of its own levels gives, but the variable: that one is the test's to give. Whether the results keep
//! the single-variable rule is `variant`'s business.
//!
//! Invariant: nothing that a brief gives for a test is replaced by something of the control's.

use std::collections::BTreeMap;

use super::{AssetRef, Brief, ExposurePlan, RoundText, VariantText};
use crate::hash::Digest;
use crate::refusal::Refusal;
use crate::text::Untrusted;
use crate::variant::{Asset, Content, Facet, check_rounds};

impl Brief {
    /// Returns how many rounds the brief tells apart, at least 1; `None` where its lists of rounds disagree.
    pub fn round_count(&self) -> Option<usize> {
        let variants = std::iter::once(&self.control_variant).chain(&self.test_variants);
        let lists = variants.map(|variant| variant.rounds.len()).chain([self.exposure_plan.rounds.len()]);
        let mut count = 1;
        let mut given = None;
        for length in lists.filter(|length| *length > 0) {
            if given.is_some_and(|other| other != length) {
                return None;
            }
            given = Some(length);
            count = length;
        }
        Some(count)
    }

    /// Returns the content of every variant in every round, the control first, tests in the brief's order.
    ///
    /// `assets` finds a picture that the brief names. Refused when one is not there, or the lists of rounds disagree.
    pub fn contents(&self, assets: &dyn Fn(&AssetRef) -> Option<Asset>) -> Result<Vec<Vec<Content>>, Refusal> {
        let rounds = self.round_count().ok_or_else(|| {
            Refusal::invalid(
                "brief.rounds-differ",
                "the brief's rounds",
                "its lists of rounds have different lengths",
                "give every list of rounds as many entries as the others, or none",
            )
        })?;
        let control: Vec<Layers<'_>> = self.layers(&self.control_variant, rounds);
        let mut all = vec![control.iter().map(|layers| layers.content(self, None, assets)).collect::<Result<_, _>>()?];
        for test in &self.test_variants {
            let own = self.layers(test, rounds);
            let contents = own.iter().zip(&control).map(|(own, control)| own.content(self, Some(control), assets));
            all.push(contents.collect::<Result<_, _>>()?);
        }
        Ok(all)
    }

    /// Checks the single-variable rule as far as the brief alone can tell: a picture counts by its name and alt text.
    pub fn check_single_variable(&self) -> Result<(), Refusal> {
        let by_name = |asset: &AssetRef| {
            Some(Asset {
                facet: asset.facet,
                file: asset.file.clone(),
                digest: Digest::of(asset.file.raw().as_bytes()),
                mime: String::new(),
                bytes: 0,
                width: 0,
                height: 0,
                alt: asset.alt.clone(),
                has_gps: false,
            })
        };
        let contents = self.contents(&by_name)?;
        let rounds: Vec<(char, &[Content])> = ('A'..='Z').zip(contents.iter().map(Vec::as_slice)).collect();
        check_rounds(self.variable_under_test, &rounds)
    }

    fn layers<'a>(&'a self, variant: &'a VariantText, rounds: usize) -> Vec<Layers<'a>> {
        (0..rounds).map(|round| Layers::of(variant, &self.exposure_plan, round)).collect()
    }
}

/// One variant in one round: every facet with the text that wins, and the pictures that win.
struct Layers<'a> {
    facets: BTreeMap<Facet, &'a Untrusted>,
    assets: &'a [AssetRef],
}

impl<'a> Layers<'a> {
    fn of(variant: &'a VariantText, plan: &'a ExposurePlan, round: usize) -> Self {
        let mut layers =
            Self { facets: variant.facets.iter().map(|(f, t)| (*f, t)).collect(), assets: &variant.assets };
        layers.add(plan.rounds.get(round));
        layers.add(variant.rounds.get(round));
        layers
    }

    fn add(&mut self, round: Option<&'a RoundText>) {
        let Some(round) = round else { return };
        self.facets.extend(round.facets.iter().map(|(facet, text)| (*facet, text)));
        if !round.assets.is_empty() {
            self.assets = &round.assets;
        }
    }

    fn content(
        &self,
        brief: &Brief,
        control: Option<&Self>,
        assets: &dyn Fn(&AssetRef) -> Option<Asset>,
    ) -> Result<Content, Refusal> {
        let variable = brief.variable_under_test;
        let mut facets: BTreeMap<Facet, Untrusted> = BTreeMap::new();
        let mut named: Vec<&AssetRef> = self.assets.iter().collect();
        if let Some(control) = control {
            let shared = control.facets.iter().filter(|(facet, _)| **facet != variable);
            facets.extend(shared.map(|(facet, text)| (*facet, (*text).clone())));
            let missing =
                |asset: &&AssetRef| asset.facet != variable && self.assets.iter().all(|a| a.facet != asset.facet);
            named.extend(control.assets.iter().filter(missing));
        }
        facets.extend(self.facets.iter().map(|(facet, text)| (*facet, (*text).clone())));
        facets.retain(|_, text| !text.is_empty());
        let assets = named.into_iter().map(|asset| found(asset, assets)).collect::<Result<_, _>>()?;
        Ok(Content { facets, assets, settings: brief.exposure_plan.settings.clone(), reply: None })
    }
}

/// The picture with the place, name and alt text that this brief gives it.
fn found(named: &AssetRef, assets: &dyn Fn(&AssetRef) -> Option<Asset>) -> Result<Asset, Refusal> {
    let asset = assets(named).ok_or_else(|| {
        Refusal::invalid(
            "brief.asset-missing",
            format!("picture {}", super::read::quote(named.file.raw())),
            "it is not among the client's assets",
            "put it into the client's asset folder, or correct the name",
        )
    })?;
    Ok(Asset { facet: named.facet, file: named.file.clone(), alt: named.alt.clone(), ..asset })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::brief::{TEMPLATES, read};
    use crate::hash::Digest;

    fn brief(template: &str) -> Brief {
        let template = TEMPLATES.iter().find(|t| t.name == template).unwrap();
        read(template.text).unwrap()
    }

    fn picture(named: &AssetRef) -> Option<Asset> {
        Some(Asset {
            facet: Facet::Audio,
            file: "stored".into(),
            digest: Digest::of(named.file.raw().as_bytes()),
            mime: "image/png".to_owned(),
            bytes: 10,
            width: 4,
            height: 3,
            alt: "stored".into(),
            has_gps: false,
        })
    }

    fn text(content: &Content, facet: Facet) -> &str {
        content.facets.get(&facet).map_or("", |t| t.raw())
    }

    #[test]
    fn every_round_has_its_shared_body_and_its_own_hook() {
        let all = brief("hook-swap").contents(&picture).unwrap();
        assert_eq!((all.len(), all[0].len(), all[1].len()), (2, 5, 5));
        for (control, test) in all[0].iter().zip(&all[1]) {
            assert_eq!(control.differing_facets(test), [Facet::Hook]);
            assert_eq!(text(control, Facet::Caption), text(test, Facet::Caption));
            assert_eq!(control.settings.langs, ["en"]);
        }
        assert_ne!(all[0][0].text(), all[0][1].text());
    }

    #[test]
    fn the_special_level_wins_and_a_test_keeps_what_it_gives() {
        let mut brief = brief("hook-swap");
        let round = |facet, words: &str| RoundText { facets: BTreeMap::from([(facet, words.into())]), assets: vec![] };
        brief.control_variant = VariantText {
            facets: BTreeMap::from([
                (Facet::Hook, "h".into()),
                (Facet::Caption, "own".into()),
                (Facet::Cta, "go".into()),
            ]),
            ..VariantText::default()
        };
        brief.exposure_plan.rounds = vec![round(Facet::Caption, "shared"), RoundText::default()];
        brief.test_variants = vec![VariantText {
            facets: BTreeMap::from([(Facet::Hook, "k".into())]),
            assets: vec![],
            rounds: vec![RoundText::default(), round(Facet::Caption, "special")],
        }];
        let all = brief.contents(&picture).unwrap();
        assert_eq!(text(&all[0][0], Facet::Caption), "shared");
        assert_eq!(text(&all[0][1], Facet::Caption), "own");
        assert_eq!(text(&all[1][1], Facet::Caption), "special");
        assert_eq!(text(&all[1][0], Facet::Cta), "go");
        brief.test_variants[0].facets.remove(&Facet::Hook);
        assert_eq!(text(&brief.contents(&picture).unwrap()[1][0], Facet::Hook), "", "the variable is never borrowed");
    }

    #[test]
    fn pictures_keep_the_briefs_words_and_a_missing_one_is_refused() {
        let brief = brief("format-swap");
        let all = brief.contents(&picture).unwrap();
        assert_eq!(all[0][0].assets.len(), 1);
        assert_eq!(all[1][0].assets.len(), 2);
        let asset = &all[1][0].assets[0];
        assert_eq!(
            (asset.facet, asset.file.raw(), asset.alt.raw()),
            (Facet::Format, "hall-before.png", "A dark hall with brown doors")
        );
        let refusal = brief.contents(&|_| None).unwrap_err();
        assert!(refusal.what.contains("hall-after.png"), "{refusal}");
    }

    #[test]
    fn a_picture_that_is_not_under_test_is_the_controls() {
        let mut brief = brief("hook-swap");
        let cover = |file: &str| AssetRef { file: file.into(), alt: "a".into(), facet: Facet::Format };
        brief.control_variant.assets = vec![cover("a.png"), cover("b.png")];
        let all = brief.contents(&picture).unwrap();
        assert_eq!(all[0][2].assets, all[1][2].assets);
        assert_eq!(all[1][2].assets.len(), 2);
    }

    #[test]
    fn rounds_of_different_lengths_are_refused() {
        let mut brief = brief("hook-swap");
        brief.control_variant.rounds.pop();
        assert_eq!(brief.round_count(), None);
        assert_eq!(brief.contents(&picture).unwrap_err().rule, "brief.rounds-differ");
    }
}
