//! The record of one post: what its content becomes in the network's own words.
//!
//! Decided here: whether content fits into such a record at all, and every byte of it. What the limits are is the surface's
//! row in `platforms.toml`; preflight has checked them before, and this is the last look before the bytes are fixed.
//!
//! Not said to the network: that a post is a paid partnership or made by a model; it has no field for either, so both stand
//! in the text or nowhere.

use bytes::Bytes;
use domain::brief::{Platform, SurfaceId};
use domain::hash::Digest;
use domain::surface::{Surface, Surfaces};
use domain::text::Untrusted;
use domain::time::UtcTime;
use domain::variant::{Asset, Content, RecordRef, ReplyTo};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::cid::Cid;
use super::name::{POST, PostUri};

const SURFACE: &str = "bluesky_post";
const LANGS_MAX: usize = 3;

/// A blob as its server names it, and as a record holds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Blob {
    #[serde(rename = "$type")]
    pub(crate) sort: String,
    #[serde(rename = "ref")]
    pub(crate) link: Link,
    #[serde(rename = "mimeType")]
    pub(crate) mime: String,
    pub(crate) size: u64,
}

/// A link to bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Link {
    #[serde(rename = "$link")]
    pub(crate) cid: String,
}

impl Blob {
    /// Tells whether a server's answer is about exactly these bytes.
    pub(crate) fn is_of(&self, bytes: &Bytes) -> bool {
        self.sort == "blob"
            && self.link.cid == Cid::of_blob(bytes).to_string()
            && u64::try_from(bytes.len()).is_ok_and(|size| size == self.size)
    }
}

/// Checks content and its files against the surface; the error is one sentence.
pub(crate) fn check(content: &Content, assets: &[(Asset, Bytes)]) -> Result<(), String> {
    let surfaces = Surfaces::embedded();
    let surface = surfaces.get(&SurfaceId(SURFACE.to_owned())).ok_or("the table of surfaces does not know it")?;
    check_text(&content.text(), assets.is_empty(), surface)?;
    check_pictures(content, assets, surface)?;
    if let Some(ReplyTo { root, parent }) = &content.reply {
        for (what, of) in [("the post that it stands under", root), ("what it answers", parent)] {
            if PostUri::parse(&of.uri).is_none() || of.cid.is_empty() {
                return Err(format!("{what} is not named as this network names posts: `{}`", shown(&of.uri)));
            }
        }
    }
    if content.settings.langs.len() > LANGS_MAX {
        return Err(format!("it names {} languages, and {LANGS_MAX} are possible", content.settings.langs.len()));
    }
    if let Some(bad) = content.settings.langs.iter().find(|lang| !is_language(lang)) {
        return Err(format!("`{}` is no language; write it as en or pt-BR", shown(bad)));
    }
    let known = surfaces.platform(Platform::Bluesky).map(|facts| facts.self_labels.as_slice()).unwrap_or_default();
    match content.settings.labels.iter().find(|label| !known.contains(label)) {
        Some(bad) => Err(format!(
            "`{}` is no label that an account may put on itself; known are {}",
            shown(bad),
            known.join(", ")
        )),
        None => Ok(()),
    }
}

fn check_text(text: &str, is_alone: bool, surface: &Surface) -> Result<(), String> {
    if text.is_empty() && is_alone {
        return Err("it has neither text nor pictures".to_owned());
    }
    if let Some(limit) = surface.caption {
        let count = limit.unit.count(text);
        if count > limit.max {
            return Err(format!(
                "its text has {count} {}, and {} are possible; shorten it",
                limit.unit.as_str(),
                limit.max
            ));
        }
        if let Some(max) = limit.bytes_max.filter(|max| text.len() > *max) {
            return Err(format!("its text has {} bytes, and {max} are possible; shorten it", text.len()));
        }
    }
    Ok(())
}

fn check_pictures(content: &Content, assets: &[(Asset, Bytes)], surface: &Surface) -> Result<(), String> {
    if content.assets.len() != assets.len()
        || content.assets.iter().zip(assets).any(|(planned, (given, _))| planned != given)
    {
        return Err("the pictures given are not the content's".to_owned());
    }
    if let Some(max) = surface.media.count_max.filter(|max| assets.len() > *max) {
        return Err(format!("it has {} pictures, and {max} are possible", assets.len()));
    }
    assets.iter().enumerate().try_for_each(|(place, (asset, bytes))| {
        let number = place + 1;
        if Digest::of(bytes) != asset.digest {
            return Err(format!("the bytes of picture {number} are not the ones that were approved"));
        }
        if !asset.mime.starts_with("image/") || !surface.media.takes(&asset.mime) {
            return Err(format!("file {number} is {}, and only pictures can be sent", shown(&asset.mime)));
        }
        if let Some(max) =
            surface.media.image_bytes_max.filter(|max| u64::try_from(bytes.len()).is_ok_and(|size| size > *max))
        {
            return Err(format!("picture {number} has {} bytes, and {max} are possible", bytes.len()));
        }
        if surface.media.alt_required && asset.alt.raw().trim().is_empty() {
            return Err(format!("picture {number} has no alt text; write one"));
        }
        if asset.width == 0 || asset.height == 0 {
            return Err(format!("picture {number} has no size in pixels"));
        }
        Ok(())
    })
}

fn shown(text: &str) -> String {
    Untrusted::new(text).show().truncated(60).to_string()
}

fn is_language(tag: &str) -> bool {
    let mut parts = tag.split('-');
    let first =
        parts.next().is_some_and(|part| matches!(part.len(), 2..=3) && part.bytes().all(|b| b.is_ascii_alphabetic()));
    first && parts.all(|part| matches!(part.len(), 1..=8) && part.bytes().all(|b| b.is_ascii_alphanumeric()))
}

/// Writes the record. `blobs` are the pictures' in order, `facets` as [`super::facets`] gives them.
pub(crate) fn write(content: &Content, blobs: &[Blob], facets: Vec<Value>, created: UtcTime) -> Value {
    let mut record = json!({"$type": POST, "text": content.text(), "createdAt": created_at(created)});
    if let Some(ReplyTo { root, parent }) = &content.reply {
        let named = |of: &RecordRef| json!({"uri": of.uri, "cid": of.cid});
        record["reply"] = json!({"root": named(root), "parent": named(parent)});
    }
    if !facets.is_empty() {
        record["facets"] = Value::from(facets);
    }
    if !blobs.is_empty() {
        let images: Vec<Value> = content.assets.iter().zip(blobs).map(|(asset, blob)| image(asset, blob)).collect();
        record["embed"] = json!({"$type": "app.bsky.embed.images", "images": images});
    }
    if !content.settings.langs.is_empty() {
        record["langs"] = json!(content.settings.langs);
    }
    if !content.settings.labels.is_empty() {
        let values: Vec<Value> = content.settings.labels.iter().map(|label| json!({"val": label})).collect();
        record["labels"] = json!({"$type": "com.atproto.label.defs#selfLabels", "values": values});
    }
    record
}

fn image(asset: &Asset, blob: &Blob) -> Value {
    json!({
        "image": blob,
        "alt": asset.alt.raw(),
        "aspectRatio": {"width": asset.width, "height": asset.height},
    })
}

/// Writes a time as records have it, to the millisecond.
fn created_at(time: UtcTime) -> String {
    time.to_chrono().to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bluesky::tests::{DID, PNG, picture, text};
    use domain::variant::Facet;

    fn refused(content: &Content, assets: &[(Asset, Bytes)], word: &str) {
        let why = check(content, assets).unwrap_err();
        assert!(why.contains(word), "{why}");
    }

    #[test]
    fn text_fits_to_the_last_grapheme_and_byte() {
        let of =
            |text: String| Content { facets: [(Facet::Caption, Untrusted::new(text))].into(), ..Content::default() };
        check(&of("é".repeat(300)), &[]).unwrap();
        refused(&of("é".repeat(301)), &[], "301 graphemes");
        refused(&of("👨‍👩‍👧‍👦".repeat(290)), &[], "bytes");
        refused(&Content::default(), &[], "neither");
    }

    #[test]
    fn a_picture_must_be_the_approved_one_described_and_small_enough() {
        let (content, assets) = picture("a loaf");
        check(&content, &assets).unwrap();
        check(&Content { facets: [].into(), ..content.clone() }, &assets).unwrap();
        refused(&content, &[], "not the content's");
        let swapped = vec![(assets[0].0.clone(), Bytes::from_static(b"other"))];
        refused(&content, &swapped, "approved");
        let (blind, assets) = picture("  ");
        refused(&blind, &assets, "alt");
        let change = |change: &dyn Fn(&mut Asset), word: &str| {
            let (mut content, mut assets) = picture("a loaf");
            change(&mut content.assets[0]);
            change(&mut assets[0].0);
            refused(&content, &assets, word);
        };
        change(&|asset| asset.mime = "video/mp4".to_owned(), "only pictures");
        change(&|asset| asset.width = 0, "size");
        let big = Bytes::from(vec![0; 2_000_001]);
        let (mut content, mut assets) = picture("a loaf");
        content.assets[0].digest = Digest::of(&big);
        assets[0] = (content.assets[0].clone(), big);
        refused(&content, &assets, "2000001 bytes");
        let (mut content, assets) = picture("a loaf");
        content.assets = vec![content.assets[0].clone(); 5];
        refused(&content, &vec![assets[0].clone(); 5], "5 pictures");
    }

    #[test]
    fn a_reply_names_its_thread_and_what_it_answers_down_to_their_words() {
        let of = |key: &str| RecordRef { uri: format!("at://{DID}/{POST}/{key}"), cid: format!("cid of {key}") };
        let reply = ReplyTo { root: of("3jzfcijpj2z2a"), parent: of("3jzfcijpj2z2b") };
        let content = Content { reply: Some(reply.clone()), ..text("Rye") };
        check(&content, &[]).unwrap();
        let record = write(&content, &[], vec![], "2026-11-24T09:10:00Z".parse().unwrap());
        assert_eq!(record["reply"]["root"], json!({"uri": reply.root.uri, "cid": reply.root.cid}));
        assert_eq!(record["reply"]["parent"], json!({"uri": reply.parent.uri, "cid": reply.parent.cid}));
        assert_ne!(content.hash(), text("Rye").hash());
        let elsewhere = RecordRef { uri: "https://x.test/1".to_owned(), ..of("x") };
        let bad = Content { reply: Some(ReplyTo { parent: elsewhere, ..reply }), ..text("Rye") };
        refused(&bad, &[], "what it answers");
    }

    #[test]
    fn languages_and_labels_are_the_networks_own() {
        let with = |langs: &[&str], labels: &[&str]| {
            let mut content = text("Rye");
            content.settings.langs = langs.iter().map(|l| (*l).to_owned()).collect();
            content.settings.labels = labels.iter().map(|l| (*l).to_owned()).collect();
            content
        };
        check(&with(&["en", "pt-BR", "zh-Hant-TW"], &["bot", "nudity"]), &[]).unwrap();
        refused(&with(&["en", "de", "fr", "es"], &[]), &[], "4 languages");
        refused(&with(&["english"], &[]), &[], "no language");
        refused(&with(&[], &["!hide"]), &[], "no label");
    }

    #[test]
    fn the_record_says_what_the_content_says_and_nothing_else() {
        let (mut content, assets) = picture("a loaf\u{202E}");
        content.settings.langs = vec!["en".to_owned()];
        content.settings.labels = vec!["bot".to_owned()];
        let blob = Blob {
            sort: "blob".to_owned(),
            link: Link { cid: Cid::of_blob(PNG).to_string() },
            mime: "image/png".to_owned(),
            size: PNG.len() as u64,
        };
        assert!(blob.is_of(&assets[0].1) && !blob.is_of(&Bytes::from_static(b"x")));
        let record = write(&content, &[blob], vec![], "2026-11-24T09:10:00.1239Z".parse().unwrap());
        let expected = json!({
            "$type": "app.bsky.feed.post",
            "text": "Rye bread",
            "createdAt": "2026-11-24T09:10:00.123Z",
            "embed": {"$type": "app.bsky.embed.images", "images": [{
                "image": {"$type": "blob", "ref": {"$link": Cid::of_blob(PNG).to_string()}, "mimeType": "image/png", "size": PNG.len()},
                "alt": "a loaf\u{202E}",
                "aspectRatio": {"width": 4, "height": 3},
            }]},
            "langs": ["en"],
            "labels": {"$type": "com.atproto.label.defs#selfLabels", "values": [{"val": "bot"}]},
        });
        assert_eq!(record, expected);
        let plain = write(&text("Rye"), &[], vec![], "2026-11-24T09:10:00Z".parse().unwrap());
        assert_eq!(
            plain,
            json!({"$type": "app.bsky.feed.post", "text": "Rye", "createdAt": "2026-11-24T09:10:00.000Z"})
        );
    }
}
