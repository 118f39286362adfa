//! FormatGuard: whether the surface takes the texts and pictures as they are.
//!
//! Decides from the surface's limits alone, in the units that the platform counts. Text is judged as it goes out, all
//! facets joined. Whether the words may be said is PolicyGuard's and RiskScan's business. Durations belong to videos,
//! which no adapter of this program sends.

use std::collections::BTreeSet;

use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

use super::place::{Shown, excerpt, shown};
use super::{Finding, Guard, PreflightFacts, Severity};
use crate::brief::Kind;
use crate::surface::{Surface, TextLimit};
use crate::text::{Untrusted, grapheme_count};
use crate::variant::{Asset, Content, Facet};

const GUARD: Guard = Guard::FormatGuard;
/// The most languages of a post.
const LANGS_MAX: usize = 3;

/// Looks at everything that would be shown.
pub fn look(facts: &PreflightFacts<'_>) -> Vec<Finding> {
    let mut findings: Vec<Finding> = shown(facts).iter().flat_map(|one| content(facts, one)).collect();
    findings.extend(langs(facts));
    findings
}

fn content(facts: &PreflightFacts<'_>, one: &Shown<'_>) -> Vec<Finding> {
    let surface = facts.surface;
    let reply = facts.brief.kind == Kind::Engagement;
    let facet = |facet| one.content.facets.get(&facet).map_or("", Untrusted::raw);
    // A title counts by itself where the surface has one, and as a line of the text where it has none.
    let (text, title) = match (reply, surface.title) {
        (true, _) => (facet(Facet::ReplyTemplate).to_owned(), None),
        (false, None) => (one.content.text(), None),
        (false, Some(limit)) => {
            let mut rest = one.content.clone();
            rest.facets.remove(&Facet::Title);
            (rest.text(), Some(limit))
        }
    };
    let mut findings = Vec::new();
    if let Some(limit) = title {
        findings.extend(length(one, "title", facet(Facet::Title), limit));
    }
    if let Some(limit) = surface.caption {
        findings.extend(length(one, "text", &text, limit));
    }
    findings.extend(hidden(one));
    if !reply {
        findings.extend(emptiness(surface, one, &text));
        findings.extend(pictures(surface, one));
        findings.extend(tag_count(facts, one));
    }
    findings
}

fn block(rule: &str, place: String, why: String, mend: impl Into<String>) -> Finding {
    GUARD.finds(rule, Severity::Block, place, why, mend)
}

fn length(one: &Shown<'_>, part: &str, text: &str, limit: TextLimit) -> Vec<Finding> {
    let mut findings = Vec::new();
    let count = limit.unit.count(text);
    if limit.max == 0 && count > 0 {
        return vec![block(
            "format.no-text",
            one.part(part),
            "this surface shows no text".to_owned(),
            "put the words into the picture",
        )];
    }
    if count > limit.max {
        let why = format!("it has {count} {}, the surface takes {}", limit.unit.as_str(), limit.max);
        let mend = format!("shorten it by {}", count.saturating_sub(limit.max));
        findings.push(block("format.text-too-long", one.part(part), why, mend));
    }
    if let Some(most) = limit.bytes_max
        && text.len() > most
    {
        let why = format!("it has {} bytes, the surface takes {most}; emoji and marks take many", text.len());
        let mend = format!("shorten it by {} bytes", text.len().saturating_sub(most));
        findings.push(block("format.text-bytes", one.part(part), why, mend));
    }
    findings
}

/// Characters that a reader cannot see or that turn the text around belong in no post without a person's look.
fn hidden(one: &Shown<'_>) -> Vec<Finding> {
    let shown_facets = Facet::READ.into_iter().chain([Facet::ReplyTemplate]);
    let texts = shown_facets.filter_map(|facet| Some((facet.to_string(), one.content.facets.get(&facet)?)));
    let alts = one.content.assets.iter().enumerate();
    let texts =
        texts.chain(alts.map(|(i, asset)| (format!("alt text of picture {}", i.saturating_add(1)), &asset.alt)));
    texts
        .filter(|(_, text)| text.show_lines().has_markers())
        .map(|(part, _)| {
            GUARD.finds(
                "format.hidden-characters",
                Severity::Warn,
                one.part(part),
                "it holds characters that a reader cannot see, or that change the direction of reading",
                "type it anew, or take them out",
            )
        })
        .collect()
}

fn emptiness(surface: &Surface, one: &Shown<'_>, text: &str) -> Vec<Finding> {
    let unseen = |c: char| c.is_whitespace() || c.is_control() || c.general_category() == GeneralCategory::Format;
    let mut findings = Vec::new();
    let count = one.content.assets.len();
    if count == 0 && text.chars().all(unseen) {
        findings.push(block(
            "format.empty",
            one.place(),
            "there is nothing to see in it".to_owned(),
            "give it a text or a picture",
        ));
    } else if count < surface.media.count_min {
        let why = format!("it has {count} pictures or videos, {} needs {}", surface.id.0, surface.media.count_min);
        findings.push(block("format.media-missing", one.place(), why, "add what is missing, or take another surface"));
    }
    findings
}

fn pictures(surface: &Surface, one: &Shown<'_>) -> Vec<Finding> {
    let count = one.content.assets.len();
    let mut findings = Vec::new();
    if let Some(most) = surface.media.count_max
        && count > most
    {
        let why = format!("it has {count} pictures, {} takes {most}", surface.id.0);
        findings.push(block(
            "format.media-count",
            one.place(),
            why,
            format!("take {} out", count.saturating_sub(most)),
        ));
    }
    for (place, asset) in one.content.assets.iter().enumerate() {
        findings.extend(picture(surface, one, place.saturating_add(1), asset));
    }
    findings
}

fn picture(surface: &Surface, one: &Shown<'_>, number: usize, asset: &Asset) -> Vec<Finding> {
    let media = &surface.media;
    let place = || one.part(format!("picture {number} ({})", excerpt(asset.file.raw())));
    let mut findings = Vec::new();
    if !media.takes(&asset.mime) {
        let why = format!("it is {}, {} takes {}", asset.mime, surface.id.0, media.kinds.join(", "));
        findings.push(block("format.media-kind", place(), why, "save it as another kind"));
    }
    let video = asset.mime.starts_with("video/");
    let most = if video { media.video_bytes_max } else { media.image_bytes_max };
    if let Some(most) = most
        && asset.bytes > most
    {
        let why = format!("it has {} bytes, {} takes {most}", asset.bytes, surface.id.0);
        findings.push(block("format.media-bytes", place(), why, "save it smaller"));
    }
    findings.extend(alt_text(surface, &place(), asset));
    findings.extend(shape(surface, &place(), asset));
    if asset.has_gps {
        findings.push(GUARD.finds(
            "format.gps",
            Severity::Warn,
            place(),
            "the file says where it was taken, and everybody could read that",
            "save it without the location",
        ));
    }
    findings
}

fn alt_text(surface: &Surface, place: &str, asset: &Asset) -> Option<Finding> {
    let alt = asset.alt.raw();
    if surface.media.alt_required && alt.trim().is_empty() {
        let why = "it has no text for those who do not see it".to_owned();
        return Some(block("format.alt-missing", place.to_owned(), why, "say in `alt` what is to be seen"));
    }
    let most = surface.media.alt_max?;
    let count = alt.chars().count();
    let why = format!("its alt text has {count} characters, {} takes {most}", surface.id.0);
    (count > most).then(|| {
        block("format.alt-too-long", place.to_owned(), why, format!("shorten it by {}", count.saturating_sub(most)))
    })
}

fn shape(surface: &Surface, place: &str, asset: &Asset) -> Vec<Finding> {
    let media = &surface.media;
    let mut findings = Vec::new();
    if asset.width == 0 || asset.height == 0 {
        let why = format!("it measures {} by {} pixels", asset.width, asset.height);
        return vec![block("format.media-size", place.to_owned(), why, "take a picture that can be seen")];
    }
    let ratio = f64::from(asset.width) / f64::from(asset.height);
    if media.ratio_min.is_some_and(|least| ratio < least - 0.005)
        || media.ratio_max.is_some_and(|most| ratio > most + 0.005)
    {
        let bound = |bound: Option<f64>| bound.map_or_else(|| "any".to_owned(), |bound| bound.to_string());
        let why = format!(
            "its width over height is {ratio:.3} ({} by {}), {} takes {} to {}",
            asset.width,
            asset.height,
            surface.id.0,
            bound(media.ratio_min),
            bound(media.ratio_max)
        );
        findings.push(block("format.media-ratio", place.to_owned(), why, "crop it"));
    }
    if let Some(least) = media.width_min
        && asset.width < least
    {
        let why = format!("it is {} pixels wide, {} takes {least} or more", asset.width, surface.id.0);
        findings.push(block("format.media-size", place.to_owned(), why, "take a larger picture"));
    }
    let pixels = u64::from(asset.width).saturating_mul(u64::from(asset.height));
    if let Some(most) = media.pixels_max
        && pixels > most
    {
        let why = format!("it has {pixels} pixels, {} takes {most}", surface.id.0);
        findings.push(block("format.media-size", place.to_owned(), why, "save it smaller"));
    }
    findings
}

/// Returns the tags of a post, without their `#`, each once, in the order of the text.
pub(super) fn tags(content: &Content) -> Vec<String> {
    let text = content.text();
    let listed = content.facets.get(&Facet::Hashtags).map_or("", Untrusted::raw);
    let in_text = text.split_whitespace().filter(|word| word.starts_with(['#', '＃']));
    // In their own facet tags may stand without the sign.
    let words = in_text.chain(listed.split(|c: char| c.is_whitespace() || c == ','));
    let mut seen = BTreeSet::new();
    let bare = words.map(|word| {
        word.trim_start_matches(['#', '＃']).trim_end_matches(|c: char| c.is_ascii_punctuation()).to_owned()
    });
    bare.filter(|tag| !tag.is_empty() && seen.insert(tag.to_lowercase())).collect()
}

fn tag_count(facts: &PreflightFacts<'_>, one: &Shown<'_>) -> Vec<Finding> {
    let tags = tags(one.content);
    let limits = facts.surface.tags;
    let kit = facts.client.kit.hashtags_max.and_then(|most| usize::try_from(most).ok());
    let count = tags.len();
    let place = || one.part(Facet::Hashtags);
    let mut findings = Vec::new();
    if let Some(most) = limits.max
        && count > most
    {
        let why = format!("it has {count} tags, {} takes {most}", facts.surface.id.0);
        findings.push(block("format.tags", place(), why, format!("take {} out", count.saturating_sub(most))));
    } else if let Some(most) = limits.warn_above
        && count > most
    {
        let why = format!("it has {count} tags; more than {most} are cut by the app");
        findings.push(GUARD.finds("format.tags-many", Severity::Warn, place(), why, format!("keep {most}")));
    }
    if let Some(most) = kit
        && count > most
    {
        let why = format!("it has {count} tags, the client's kit allows {most}");
        findings.push(block("format.tags-kit", place(), why, format!("take {} out", count.saturating_sub(most))));
    }
    if let Some(most) = limits.graphemes_max {
        for tag in tags.iter().filter(|tag| grapheme_count(tag) > most) {
            let why = format!("#{} has {} characters, a tag has at most {most}", excerpt(tag), grapheme_count(tag));
            findings.push(block("format.tag-too-long", place(), why, "shorten the tag"));
        }
    }
    findings
}

fn langs(facts: &PreflightFacts<'_>) -> Vec<Finding> {
    let langs = &facts.brief.exposure_plan.settings.langs;
    let place = "exposure_plan.settings.langs";
    let mut findings = Vec::new();
    if langs.len() > LANGS_MAX {
        let why = format!("there are {} languages; a post has at most {LANGS_MAX}", langs.len());
        findings.push(block("format.langs", place.to_owned(), why, "keep those it is written in"));
    }
    for lang in langs.iter().filter(|lang| !is_language(lang)) {
        let why = format!("`{}` is not a language tag", excerpt(lang));
        findings.push(block("format.lang-unknown", place.to_owned(), why, "write it as `en` or `pt-BR`"));
    }
    findings
}

/// Tells whether a text has the form of a BCP 47 tag: two or three letters, then parts of up to eight.
fn is_language(text: &str) -> bool {
    let mut parts = text.split('-');
    let primary =
        parts.next().is_some_and(|part| (2..=3).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_lowercase()));
    primary && parts.all(|part| (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric()))
}

#[cfg(test)]
mod tests {
    use super::super::tests::fixture::{World, picture, rules};
    use super::*;

    /// Looks at the hook swap after one content of it was changed.
    fn check(change: impl FnOnce(&mut World), expected: &[&str]) -> Vec<Finding> {
        let mut world = World::new();
        change(&mut world);
        let found = look(&world.facts());
        assert_eq!(rules(&found), expected, "{found:#?}");
        found
    }

    #[test]
    fn templates_fit_their_surface() {
        for template in
            ["hook-swap", "caption-swap", "cta-swap", "format-swap", "batch-week", "reply-patterns", "lane-trial"]
        {
            assert!(look(&World::of(template).facts()).is_empty(), "{template}");
        }
    }

    #[test]
    fn bluesky_counts_graphemes_and_bytes_of_the_whole_text() {
        let alone = |world: &mut World, text: &str| {
            world.content(0, 0).facets.clear();
            world.say(0, 0, Facet::Hook, text);
        };
        check(|world| alone(world, &"é".repeat(300)), &[]);
        let found = check(|world| alone(world, &"e\u{301}".repeat(301)), &["format.text-too-long"]);
        assert!(found[0].why.contains("301 graphemes") && found[0].mend == "shorten it by 1", "{found:?}");
        // One family of emoji is one grapheme of 25 bytes.
        check(|world| alone(world, &"👨\u{200D}👩\u{200D}👧\u{200D}👦".repeat(120)), &[]);
        let found =
            check(|world| alone(world, &"👨\u{200D}👩\u{200D}👧\u{200D}👦".repeat(121)), &["format.text-bytes"]);
        assert!(found[0].why.contains("3025 bytes"), "{found:?}");
        // Facets are joined by an empty line, which counts.
        check(
            |world| {
                alone(world, &"a".repeat(149));
                world.say(0, 0, Facet::Caption, &"b".repeat(150));
            },
            &["format.text-too-long"],
        );
    }

    #[test]
    fn an_empty_post_is_refused_however_it_is_empty() {
        for text in ["", " \n\t ", "\u{200B}\u{2060}", "\u{202E}"] {
            let mut world = World::new();
            world.content(0, 0).facets.clear();
            world.say(0, 0, Facet::Hook, text);
            assert!(rules(&look(&world.facts())).contains(&"format.empty"), "{text:?}");
        }
        check(
            |world| {
                world.content(0, 0).facets.clear();
                world.content(0, 0).assets = vec![picture("a.png")];
            },
            &[],
        );
    }

    #[test]
    fn pictures_are_counted_measured_and_described() {
        let one = |change: fn(&mut Asset)| {
            move |world: &mut World| {
                let mut asset = picture("a.png");
                change(&mut asset);
                world.content(1, 3).assets = vec![asset];
            }
        };
        let found = check(one(|a| a.alt = "  ".into()), &["format.alt-missing"]);
        assert_eq!(found[0].place, "variant B, round 4, picture 1 (a.png)");
        check(one(|a| a.bytes = 2_000_001), &["format.media-bytes"]);
        check(one(|a| a.bytes = 2_000_000), &[]);
        check(one(|a| a.mime = "application/pdf".to_owned()), &["format.media-kind"]);
        check(one(|a| a.width = 0), &["format.media-size"]);
        let found = check(one(|a| a.has_gps = true), &["format.gps"]);
        assert_eq!(found[0].severity, Severity::Warn);
        check(|w| w.content(0, 0).assets = (0..4).map(|i| picture(&i.to_string())).collect(), &[]);
        check(|w| w.content(0, 0).assets = (0..5).map(|i| picture(&i.to_string())).collect(), &["format.media-count"]);
    }

    #[test]
    fn other_surfaces_have_limits_of_their_own() {
        let mut world = World::of("format-swap");
        world.surface("ig_feed.image");
        let found = look(&world.facts());
        assert_eq!(found.iter().filter(|f| f.rule == "format.media-kind").count(), 6, "PNG is not taken");
        assert_eq!(found.iter().filter(|f| f.rule == "format.media-count").count(), 2);
        for variant in &mut world.variants {
            for content in &mut variant.rounds {
                content.assets.truncate(1);
                content.assets[0].mime = "image/jpeg".to_owned();
                (content.assets[0].width, content.assets[0].height) = (300, 500);
            }
        }
        assert_eq!(rules(&look(&world.facts())), ["format.media-ratio", "format.media-size"].repeat(4));
        let mut world = World::new();
        world.surface("ig_stories");
        let found = look(&world.facts());
        assert_eq!(rules(&found)[..2], ["format.no-text", "format.media-missing"]);
        let mut world = World::new();
        world.surface("tiktok_photo");
        world.say(0, 0, Facet::Title, &"t".repeat(91));
        assert!(
            look(&world.facts())
                .iter()
                .any(|f| f.rule == "format.text-too-long" && f.place == "variant A, round 1, title")
        );
        let mut world = World::of("format-swap");
        world.surface("linkedin_org_post");
        (world.content(0, 0).assets[0].width, world.content(0, 0).assets[0].height) = (8_000, 6_000);
        assert_eq!(rules(&look(&world.facts())), ["format.media-size"]);
        world.surface("mastodon_post");
        world.content(0, 0).assets[0] = picture("a.png");
        world.content(0, 0).assets[0].alt = "x".repeat(1_501).into();
        assert_eq!(rules(&look(&world.facts())), ["format.alt-too-long"]);
    }

    #[test]
    fn tags_are_counted_once_wherever_they_stand() {
        let eight = "#a #b #c #d #e #f #g #h";
        check(|world| world.say(0, 0, Facet::Hashtags, eight), &[]);
        check(|world| world.say(0, 0, Facet::Hashtags, &format!("{eight} #A")), &[]);
        check(|world| world.say(0, 0, Facet::Hashtags, &format!("{eight} i")), &["format.tags"]);
        check(
            |world| {
                world.client.kit.hashtags_max = Some(2);
                world.say(0, 0, Facet::Hashtags, "#a #b");
                world.say(0, 0, Facet::Cta, "More at #c.");
            },
            &["format.tags-kit"],
        );
        check(|world| world.say(0, 0, Facet::Hashtags, &format!("#{}", "x".repeat(65))), &["format.tag-too-long"]);
        let mut world = World::new();
        world.surface("ig_reels");
        world.say(0, 0, Facet::Hashtags, "#a #b #c #d #e #f");
        assert!(rules(&look(&world.facts())).contains(&"format.tags-many"));
    }

    #[test]
    fn languages_are_three_tags_at_most() {
        let langs = |langs: &[&str]| {
            let langs: Vec<String> = langs.iter().map(|lang| (*lang).to_owned()).collect();
            move |world: &mut World| world.brief.exposure_plan.settings.langs = langs
        };
        check(langs(&["en", "pt-BR", "zh-Hant-TW"]), &[]);
        check(langs(&["en", "de", "fr", "es"]), &["format.langs"]);
        check(langs(&["english"]), &["format.lang-unknown"]);
        check(langs(&["e", "en_GB"]), &["format.lang-unknown", "format.lang-unknown"]);
    }

    #[test]
    fn what_a_reader_cannot_see_asks_for_a_person() {
        let found = check(
            |world| world.say(1, 0, Facet::Caption, "pay \u{202E}evil\u{202C} now"),
            &["format.hidden-characters"],
        );
        assert_eq!(found[0].place, "variant B, round 1, caption");
        check(|world| world.say(1, 0, Facet::Caption, "two\nlines 👩\u{200D}🌾"), &[]);
    }

    #[test]
    fn a_reply_is_measured_like_a_post() {
        let mut world = World::of("reply-patterns");
        world.say(1, 0, Facet::ReplyTemplate, &"x".repeat(301));
        assert_eq!(rules(&look(&world.facts())), ["format.text-too-long"]);
    }
}
