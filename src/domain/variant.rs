//! Variants (B): versions of the content that differ from the control in one variable only.
//!
//! Decides what content is, when two contents are equal in a facet, what its hash covers, and the single-variable rule.
//! Texts are equal when their normalised forms are; pictures when their files' digests and their alt texts are.
//! Whether the content may be published is preflight's business.
//!
//! Invariant: a variant that passes differs from the control in the variable, and in nothing else, in every round.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::brief::quote;
use crate::hash::{ContentHash, Digest, Framed};
use crate::id::VariantId;
use crate::refusal::Refusal;
use crate::text::Untrusted;

/// One part of a variant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Facet {
    /// The first line, or the first seconds.
    Hook,
    /// The body of the text.
    Caption,
    /// What the reader is asked to do.
    Cta,
    /// The form: text, picture, carousel.
    Format,
    /// The picture that stands for a video.
    Cover,
    /// The title, where a surface has one.
    Title,
    /// The tags at the end.
    Hashtags,
    /// Music and sound.
    Audio,
    /// The pattern of content.
    Blueprint,
    /// How the post gets out.
    Lane,
    /// The template of a reply.
    ReplyTemplate,
}

impl Facet {
    /// All facets, in reading order.
    pub const ALL: [Self; 11] = [
        Self::Title,
        Self::Hook,
        Self::Caption,
        Self::Cta,
        Self::Hashtags,
        Self::Format,
        Self::Cover,
        Self::Audio,
        Self::Blueprint,
        Self::Lane,
        Self::ReplyTemplate,
    ];

    /// The facets whose texts a reader sees, in the order they are read.
    pub const READ: [Self; 5] = [Self::Title, Self::Hook, Self::Caption, Self::Cta, Self::Hashtags];

    /// Returns the word that briefs and screens use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hook => "hook",
            Self::Caption => "caption",
            Self::Cta => "cta",
            Self::Format => "format",
            Self::Cover => "cover",
            Self::Title => "title",
            Self::Hashtags => "hashtags",
            Self::Audio => "audio",
            Self::Blueprint => "blueprint",
            Self::Lane => "lane",
            Self::ReplyTemplate => "reply_template",
        }
    }
}

impl fmt::Display for Facet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How a post gets out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Lane {
    /// The platform's interface.
    Api,
    /// A person posts it.
    Browser,
    /// The interface first, a person after a proven refusal.
    Hybrid,
}

impl Lane {
    /// Returns the word that briefs and screens use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Browser => "browser",
            Self::Hybrid => "hybrid",
        }
    }
}

impl fmt::Display for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A picture, kept in the home by its digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asset {
    /// The facet it belongs to: `format` unless the brief says otherwise.
    pub facet: Facet,
    /// The file's name as the brief gave it.
    pub file: Untrusted,
    /// SHA-256 of the file's bytes.
    pub digest: Digest,
    /// The type read from the bytes, as in `image/png`.
    pub mime: String,
    /// Bytes.
    pub bytes: u64,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// The text for those who do not see it.
    pub alt: Untrusted,
    /// Whether the file says where it was taken.
    pub has_gps: bool,
}

/// What a platform is told beside text and pictures.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SurfaceSettings {
    /// Languages of the text, as BCP 47 tags, at most three.
    pub langs: Vec<String>,
    /// Labels that the account puts on itself, as the platform names them.
    pub labels: Vec<String>,
    /// The post is a paid partnership.
    pub sponsored: bool,
    /// Pictures or text were made by a model and the platform wants that said.
    pub synthetic: bool,
}

/// A record as the platform names it, down to its words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordRef {
    /// The platform's id: an AT URI.
    pub uri: String,
    /// The platform's digest of what it says: a CID.
    pub cid: String,
}

/// What a reply answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplyTo {
    /// The post that the thread stands under.
    pub root: RecordRef,
    /// The comment that it answers.
    pub parent: RecordRef,
}

/// Everything one post shows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// The texts by facet; a facet without text is absent.
    pub facets: BTreeMap<Facet, Untrusted>,
    /// The pictures, in the order shown.
    pub assets: Vec<Asset>,
    /// What the platform is told beside them.
    pub settings: SurfaceSettings,
    /// What it answers; none for a post of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply: Option<ReplyTo>,
}

impl Content {
    /// Returns the text as it goes out: title, hook, caption, cta and hashtags, parted by empty lines.
    pub fn text(&self) -> String {
        let parts: Vec<&str> = Facet::READ
            .iter()
            .filter_map(|facet| self.facets.get(facet))
            .map(Untrusted::raw)
            .filter(|text| !text.is_empty())
            .collect();
        parts.join("\n\n")
    }

    /// Returns the hash that approvals and handles are bound to. It covers the raw bytes of every facet, every asset's
    /// digest, alt text, facet and place, the settings, and what a reply answers; not the file's name.
    pub fn hash(&self) -> ContentHash {
        let mut framed = Framed::new("expos.content.1");
        for (facet, text) in &self.facets {
            framed = framed.text(facet.as_str()).text(text.raw());
        }
        framed = framed.text("assets");
        for asset in &self.assets {
            framed = framed.text(asset.facet.as_str()).field(asset.digest.bytes()).text(asset.alt.raw());
        }
        framed = framed.text("settings");
        for lang in &self.settings.langs {
            framed = framed.text("lang").text(lang);
        }
        for label in &self.settings.labels {
            framed = framed.text("label").text(label);
        }
        let flag = |on: bool| if on { "yes" } else { "no" };
        framed = framed.text(flag(self.settings.sponsored)).text(flag(self.settings.synthetic));
        if let Some(ReplyTo { root, parent }) = &self.reply {
            framed = framed.text("reply").text(&root.uri).text(&root.cid).text(&parent.uri).text(&parent.cid);
        }
        ContentHash(framed.digest())
    }

    /// Returns the hash of media and caption alone, which the duplicate guard compares (I9): normalised text, digests.
    pub fn duplicate_key(&self) -> Digest {
        let mut framed = Framed::new("expos.duplicate.1").text(&Untrusted::new(self.text()).normalised());
        for asset in &self.assets {
            framed = framed.field(asset.digest.bytes());
        }
        // The same words to somebody else are another reply, and never a repeated post.
        if let Some(ReplyTo { parent, .. }) = &self.reply {
            framed = framed.text("reply").text(&parent.uri);
        }
        framed.digest()
    }

    /// Returns the facets in which two contents differ, in reading order; settings are told apart by the caller.
    pub fn differing_facets(&self, other: &Self) -> Vec<Facet> {
        Facet::ALL.into_iter().filter(|facet| !self.same_facet(other, *facet)).collect()
    }

    /// What stands in a facet, for a sentence: the text, clipped and between quotes, and the names of its pictures.
    fn shown_facet(&self, facet: Facet) -> String {
        let text = self.facets.get(&facet).filter(|text| !text.is_empty()).map(|text| quote(text.raw()));
        let pictures = self.assets.iter().filter(|asset| asset.facet == facet).map(|asset| quote(asset.file.raw()));
        let parts: Vec<String> = text.into_iter().chain(pictures).collect();
        if parts.is_empty() { "nothing".to_owned() } else { parts.join(" ") }
    }

    fn same_facet(&self, other: &Self, facet: Facet) -> bool {
        let text = |c: &Self| c.facets.get(&facet).map(Untrusted::normalised).unwrap_or_default();
        let assets = |c: &Self| -> Vec<(Digest, String)> {
            c.assets.iter().filter(|a| a.facet == facet).map(|a| (a.digest, a.alt.normalised())).collect()
        };
        text(self) == text(other) && assets(self) == assets(other)
    }
}

/// One version of the content inside an experiment: what it shows in each round.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Variant {
    /// Kept over edits.
    pub id: VariantId,
    /// `A` is the control; tests follow in the brief's order.
    pub letter: char,
    /// Counts edits, from 1.
    pub revision: u32,
    /// What goes out in each round; at least one. A plan with more posts a variant than rounds starts again at the
    /// first, which the duplicate guard refuses unless the plan says `repeat`.
    pub rounds: Vec<Content>,
}

impl Variant {
    /// Returns the content of a round, counted from 0.
    pub fn content(&self, round: usize) -> Option<&Content> {
        let count = self.rounds.len();
        if count == 0 { None } else { self.rounds.get(round % count) }
    }

    /// Tells whether this is the control.
    pub fn is_control(&self) -> bool {
        self.letter == 'A'
    }
}

/// Checks the single-variable rule over a control and its tests.
///
/// Every test differs from the control in the variable, in every round, and in nothing else; no two tests are equal.
pub fn check_single_variable(variable: Facet, variants: &[Variant]) -> Result<(), Refusal> {
    let rounds: Vec<(char, &[Content])> = variants.iter().map(|v| (v.letter, v.rounds.as_slice())).collect();
    check_rounds(variable, &rounds)
}

/// The same over letters and what each shows in each round, for what is not yet kept as a variant.
pub(crate) fn check_rounds(variable: Facet, variants: &[(char, &[Content])]) -> Result<(), Refusal> {
    let refuse =
        |what: String, why: String, mend: String| Err(Refusal::rule("variant.single-variable", what, why, mend));
    let Some(((_, control), tests)) = variants.split_first() else {
        return refuse(
            "the experiment".to_owned(),
            "it has no variants".to_owned(),
            "give a control and at least one test variant".to_owned(),
        );
    };
    if tests.is_empty() {
        return refuse(
            "the experiment".to_owned(),
            "it has a control and nothing to compare it with".to_owned(),
            "add a test variant".to_owned(),
        );
    }
    for (place, (letter, test)) in tests.iter().enumerate() {
        if test.len() != control.len() {
            return refuse(
                format!("variant {letter}"),
                format!("it has {} rounds, the control {}", test.len(), control.len()),
                "give every variant the same rounds".to_owned(),
            );
        }
        for (round, (mine, theirs)) in test.iter().zip(*control).enumerate() {
            check_round(variable, *letter, round, mine, theirs)?;
        }
        for (other_letter, other) in tests.iter().take(place) {
            if let Some(round) = test.iter().zip(*other).position(|(a, b)| !a.differing_facets(b).contains(&variable)) {
                return refuse(
                    format!("variant {letter} round {}", round.saturating_add(1)),
                    format!("its {variable} is equal to that of variant {other_letter}"),
                    format!("give each test a {variable} of its own, or drop one"),
                );
            }
        }
    }
    Ok(())
}

fn check_round(variable: Facet, letter: char, round: usize, test: &Content, control: &Content) -> Result<(), Refusal> {
    let differing = test.differing_facets(control);
    let what = format!("variant {letter} round {}", round.saturating_add(1));
    let others: Vec<&str> = differing.iter().filter(|f| **f != variable).map(|f| f.as_str()).collect();
    if !others.is_empty() {
        return Err(Refusal::rule(
            "variant.single-variable",
            what,
            format!(
                "{variable} is under test, but {} differs from the control too: {}",
                others.join(", "),
                side_by_side(letter, &differing, test, control)
            ),
            format!("make {} equal to the control's, or test it in an experiment of its own", others.join(", ")),
        ));
    }
    if test.settings != control.settings {
        return Err(Refusal::rule(
            "variant.single-variable",
            what,
            "its surface settings (languages, labels, flags) differ from the control's",
            "make them equal to the control's",
        ));
    }
    if differing.is_empty() && variable != Facet::Lane {
        return Err(Refusal::rule(
            "variant.single-variable",
            what,
            format!("its {variable} is equal to the control's"),
            format!("give it a {variable} of its own"),
        ));
    }
    Ok(())
}

/// What the control and a test show in each of these facets, beside each other.
fn side_by_side(letter: char, facets: &[Facet], test: &Content, control: &Content) -> String {
    let pair = |facet: &Facet| {
        format!("{facet} A {} against {letter} {}", control.shown_facet(*facet), test.shown_facet(*facet))
    };
    facets.iter().map(pair).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::UtcTime;

    fn content(parts: &[(Facet, &str)]) -> Content {
        Content {
            facets: parts.iter().map(|(f, t)| (*f, Untrusted::new((*t).to_owned()))).collect(),
            ..Content::default()
        }
    }

    fn variant(letter: char, rounds: Vec<Content>) -> Variant {
        Variant { id: VariantId::new(UtcTime::from_micros(0), [letter as u8; 10]), letter, revision: 1, rounds }
    }

    #[test]
    fn a_test_that_changes_two_facets_is_refused_with_the_second_named() {
        let control = variant('A', vec![content(&[(Facet::Hook, "one"), (Facet::Caption, "body")])]);
        let test = variant('B', vec![content(&[(Facet::Hook, "two"), (Facet::Caption, "other")])]);
        let refusal = check_single_variable(Facet::Hook, &[control.clone(), test]).unwrap_err();
        assert!(refusal.why.contains("caption"), "{refusal}");
        for shown in ["hook A `one` against B `two`", "caption A `body` against B `other`"] {
            assert!(refusal.why.contains(shown), "both stand beside each other: {refusal}");
        }
        let fine = variant('B', vec![content(&[(Facet::Hook, "two"), (Facet::Caption, "body")])]);
        check_single_variable(Facet::Hook, &[control, fine]).unwrap();
    }

    #[test]
    fn spacing_and_composed_letters_are_no_difference() {
        let control = variant('A', vec![content(&[(Facet::Hook, "caf\u{e9}  "), (Facet::Caption, "x")])]);
        let test = variant('B', vec![content(&[(Facet::Hook, "cafe\u{301}"), (Facet::Caption, "x")])]);
        assert!(check_single_variable(Facet::Hook, &[control, test]).unwrap_err().why.contains("equal"));
    }

    #[test]
    fn two_equal_tests_are_refused() {
        let c = |t: &str| vec![content(&[(Facet::Hook, t)])];
        let all = [variant('A', c("a")), variant('B', c("b")), variant('C', c("b"))];
        assert!(check_single_variable(Facet::Hook, &all).is_err());
    }

    #[test]
    fn one_letter_changes_the_hash_and_a_file_name_does_not() {
        let one = content(&[(Facet::Hook, "one")]);
        assert_ne!(one.hash(), content(&[(Facet::Hook, "onf")]).hash());
        assert_ne!(one.hash(), content(&[(Facet::Caption, "one")]).hash());
        let asset = |name: &str| Asset {
            facet: Facet::Format,
            file: Untrusted::new(name.to_owned()),
            digest: Digest::of(b"x"),
            mime: "image/png".to_owned(),
            bytes: 1,
            width: 1,
            height: 1,
            alt: Untrusted::new("alt".to_owned()),
            has_gps: false,
        };
        let with = |name: &str| Content { assets: vec![asset(name)], ..one.clone() };
        assert_eq!(with("a.png").hash(), with("b.png").hash());
        assert_ne!(with("a.png").hash(), one.hash());
    }
}
