//! The rules of records: what a post, a like, a follow or a profile must hold to be taken.
//!
//! Decided here: the rules of the collections that people use, from the network's lexicons. A collection that is not known is
//! taken as it is, unless the caller asks for its rules to be checked. Where a record may point, and whether a blob is
//! there, is the repository's business.
//!
//! Invariant: a complaint names the place and the rule, never what stood there.

use serde_json::{Map, Value};
use unicode_segmentation::UnicodeSegmentation as _;

use super::cbor::is_cid;
use super::names::{is_datetime, is_did, is_language, is_tid, record_uri};

pub(crate) const POST: &str = "app.bsky.feed.post";
pub(crate) const LIKE: &str = "app.bsky.feed.like";
pub(crate) const REPOST: &str = "app.bsky.feed.repost";
pub(crate) const FOLLOW: &str = "app.bsky.graph.follow";
pub(crate) const BLOCK: &str = "app.bsky.graph.block";
pub(crate) const PROFILE: &str = "app.bsky.actor.profile";

const IMAGE_BYTES: u64 = 2_000_000;
const THUMB_BYTES: u64 = 1_000_000;
const VIDEO_BYTES: u64 = 100_000_000;

/// Whether the rules of a collection are known here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Checked {
    Valid,
    Unknown,
}

/// What is wrong, at which place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Complaint(String);

type Ruled = Result<(), Complaint>;

/// Checks a record and its key.
pub(crate) fn check(collection: &str, rkey: &str, record: &Value) -> Result<Checked, String> {
    let rules: fn(&At<'_>) -> Ruled = match collection {
        POST => post,
        LIKE | REPOST => pointer,
        FOLLOW | BLOCK => person,
        PROFILE => profile,
        _ => return Ok(Checked::Unknown),
    };
    if collection == PROFILE {
        if rkey != "self" {
            return Err(format!("Invalid record key for {collection}: expected self"));
        }
    } else if !is_tid(rkey) {
        return Err(format!("Invalid record key for {collection}: Invalid TID"));
    }
    let at = At { value: record, path: "$.record".to_owned() };
    rules(&at).map(|()| Checked::Valid).map_err(|Complaint(why)| format!("Invalid {collection} record: {why}"))
}

/// The blobs that a record holds: identifier, kind, size.
pub(crate) fn blobs(record: &Value) -> Vec<(String, String, u64)> {
    let mut found = Vec::new();
    let mut open = vec![record];
    while let Some(value) = open.pop() {
        match value {
            Value::Object(map) if map.get("$type").and_then(Value::as_str) == Some("blob") => {
                if let (Some(cid), Some(mime), Some(size)) = (
                    map.get("ref").and_then(|link| link.get("$link")).and_then(Value::as_str),
                    map.get("mimeType").and_then(Value::as_str),
                    map.get("size").and_then(Value::as_u64),
                ) {
                    found.push((cid.to_owned(), mime.to_owned(), size));
                }
            }
            Value::Object(map) => open.extend(map.values()),
            Value::Array(items) => open.extend(items),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    found
}

fn post(at: &At<'_>) -> Ruled {
    at.need("text")?.text(Some(300), 3000)?;
    at.need("createdAt")?.text_that("datetime", is_datetime)?;
    at.maybe("langs", |langs| langs.list(3, |lang| lang.text_that("language", is_language)))?;
    at.maybe("tags", |tags| tags.list(8, |tag| tag.text(Some(64), 640)))?;
    at.maybe("facets", |facets| facets.list(usize::MAX, facet))?;
    at.maybe("reply", |reply| {
        strong_ref(&reply.need("root")?)?;
        strong_ref(&reply.need("parent")?)
    })?;
    at.maybe("labels", labels)?;
    at.maybe("embed", |embed| match embed.kind()? {
        "app.bsky.embed.record" => strong_ref(&embed.need("record")?),
        "app.bsky.embed.recordWithMedia" => {
            strong_ref(&embed.need("record")?.need("record")?)?;
            media(&embed.need("media")?)
        }
        _ => media(embed),
    })
}

fn pointer(at: &At<'_>) -> Ruled {
    strong_ref(&at.need("subject")?)?;
    at.need("createdAt")?.text_that("datetime", is_datetime)
}

fn person(at: &At<'_>) -> Ruled {
    at.need("subject")?.text_that("did", is_did)?;
    at.need("createdAt")?.text_that("datetime", is_datetime)
}

fn profile(at: &At<'_>) -> Ruled {
    at.object()?;
    at.maybe("displayName", |name| name.text(Some(64), 640))?;
    at.maybe("description", |text| text.text(Some(256), 2560))?;
    at.maybe("createdAt", |date| date.text_that("datetime", is_datetime))?;
    let picture = |blob: &At<'_>| blob.blob(&["image/png", "image/jpeg"], THUMB_BYTES);
    at.maybe("avatar", picture)?;
    at.maybe("banner", picture)?;
    at.maybe("pinnedPost", strong_ref)?;
    at.maybe("labels", labels)
}

fn facet(at: &At<'_>) -> Ruled {
    let index = at.need("index")?;
    index.need("byteStart")?.whole(0)?;
    index.need("byteEnd")?.whole(0)?;
    at.need("features")?.list(usize::MAX, |feature| match feature.kind()? {
        "app.bsky.richtext.facet#link" => feature.need("uri")?.text_that("uri", is_uri),
        "app.bsky.richtext.facet#mention" => feature.need("did")?.text_that("did", is_did),
        "app.bsky.richtext.facet#tag" => feature.need("tag")?.text(Some(64), 640),
        _ => Ok(()),
    })
}

fn labels(at: &At<'_>) -> Ruled {
    match at.kind()? {
        "com.atproto.label.defs#selfLabels" => at.need("values")?.list(10, |label| label.need("val")?.text(None, 128)),
        _ => Ok(()),
    }
}

fn media(at: &At<'_>) -> Ruled {
    match at.kind()? {
        "app.bsky.embed.images" => at.need("images")?.list(4, |image| {
            image.need("image")?.blob(&["image/*"], IMAGE_BYTES)?;
            image.need("alt")?.text(None, usize::MAX)?;
            image.maybe("aspectRatio", ratio)
        }),
        "app.bsky.embed.external" => {
            let external = at.need("external")?;
            external.need("uri")?.text_that("uri", is_uri)?;
            external.need("title")?.text(None, usize::MAX)?;
            external.need("description")?.text(None, usize::MAX)?;
            external.maybe("thumb", |thumb| thumb.blob(&["image/*"], THUMB_BYTES))
        }
        "app.bsky.embed.video" => {
            at.need("video")?.blob(&["video/mp4"], VIDEO_BYTES)?;
            at.maybe("alt", |alt| alt.text(Some(1000), 10_000))?;
            at.maybe("aspectRatio", ratio)
        }
        _ => Ok(()),
    }
}

fn ratio(at: &At<'_>) -> Ruled {
    at.need("width")?.whole(1)?;
    at.need("height")?.whole(1)
}

fn strong_ref(at: &At<'_>) -> Ruled {
    at.need("uri")?.text_that("at-uri", |uri| record_uri(uri).is_some())?;
    at.need("cid")?.text_that("cid", is_cid)
}

fn is_uri(text: &str) -> bool {
    let scheme = text.split_once(':').map(|(scheme, rest)| (scheme, !rest.is_empty()));
    text.len() <= 8192
        && !text.contains(char::is_whitespace)
        && scheme.is_some_and(|(scheme, has_rest)| {
            has_rest
                && scheme.starts_with(|c: char| c.is_ascii_alphabetic())
                && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b))
        })
}

/// A place in a record.
struct At<'a> {
    value: &'a Value,
    path: String,
}

impl<'a> At<'a> {
    fn object(&self) -> Result<&'a Map<String, Value>, Complaint> {
        self.value.as_object().ok_or_else(|| self.not("an object"))
    }

    /// The member of that name, which must be there.
    fn need(&self, name: &str) -> Result<At<'a>, Complaint> {
        let value = self.object()?.get(name);
        let value = value.ok_or_else(|| Complaint(format!("Missing required key \"{name}\" at {}", self.path)))?;
        Ok(At { value, path: format!("{}.{name}", self.path) })
    }

    fn maybe(&self, name: &str, rule: impl FnOnce(&At<'a>) -> Ruled) -> Ruled {
        match self.object()?.get(name) {
            None => Ok(()),
            Some(value) => rule(&At { value, path: format!("{}.{name}", self.path) }),
        }
    }

    fn kind(&self) -> Result<&'a str, Complaint> {
        self.object()?.get("$type").and_then(Value::as_str).ok_or_else(|| self.not("an object with a \"$type\""))
    }

    fn text(&self, graphemes_max: Option<usize>, bytes_max: usize) -> Ruled {
        let text = self.value.as_str().ok_or_else(|| self.not("a string"))?;
        if text.len() > bytes_max {
            return Err(self.too_big("string", bytes_max, "", text.len()));
        }
        // A text has no more graphemes than bytes, and most are short.
        if let Some(max) = graphemes_max.filter(|max| text.len() > *max) {
            let graphemes = text.graphemes(true).count();
            if graphemes > max {
                return Err(self.too_big("string", max, " graphemes", graphemes));
            }
        }
        Ok(())
    }

    fn text_that(&self, name: &str, is: impl FnOnce(&str) -> bool) -> Ruled {
        let text = self.value.as_str().ok_or_else(|| self.not("a string"))?;
        if is(text) { Ok(()) } else { Err(Complaint(format!("Invalid {name} format at {}", self.path))) }
    }

    fn whole(&self, min: i64) -> Ruled {
        let number = self.value.as_i64().ok_or_else(|| self.not("an integer"))?;
        if number >= min {
            Ok(())
        } else {
            Err(Complaint(format!("integer too small (minimum {min}) at {}", self.path)))
        }
    }

    fn list(&self, max: usize, rule: impl Fn(&At<'a>) -> Ruled) -> Ruled {
        let items = self.value.as_array().ok_or_else(|| self.not("an array"))?;
        if items.len() > max {
            return Err(self.too_big("array", max, "", items.len()));
        }
        for (place, value) in items.iter().enumerate() {
            rule(&At { value, path: format!("{}[{place}]", self.path) })?;
        }
        Ok(())
    }

    fn blob(&self, accept: &[&str], bytes_max: u64) -> Ruled {
        if self.kind()? != "blob" {
            return Err(self.not("a blob"));
        }
        self.need("ref")?.need("$link")?.text_that("cid", is_cid)?;
        let mime = self.need("mimeType")?;
        let is_accepted = |text: &str| {
            accept.iter().any(|kind| match kind.strip_suffix('*') {
                Some(start) => text.starts_with(start),
                None => text == *kind,
            })
        };
        if !mime.value.as_str().is_some_and(is_accepted) {
            return Err(Complaint(format!("Expected mime type {} at {}", accept.join(", "), mime.path)));
        }
        let size = self.need("size")?;
        match size.value.as_u64() {
            Some(bytes) if bytes <= bytes_max => Ok(()),
            Some(bytes) => Err(Complaint(format!("blob too big (maximum {bytes_max}, got {bytes}) at {}", self.path))),
            None => Err(size.not("an integer")),
        }
    }

    fn not(&self, what: &str) -> Complaint {
        Complaint(format!("Expected {what} value type at {}", self.path))
    }

    fn too_big(&self, what: &str, max: usize, unit: &str, got: usize) -> Complaint {
        Complaint(format!("{what} too big (maximum {max}{unit}, got {got}) at {}", self.path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const KEY: &str = "3jzfcijpj2z2a";

    fn image(size: u64, mime: &str) -> Value {
        let link = super::super::cbor::blob_cid(b"x");
        json!({"alt": "x", "image": {"$type": "blob", "ref": {"$link": link}, "mimeType": mime, "size": size}})
    }

    fn with(name: &str, value: Value) -> Result<Checked, String> {
        let mut record = json!({"$type": POST, "text": "Rye", "createdAt": "2026-11-24T09:00:00Z"});
        record[name] = value;
        check(POST, KEY, &record)
    }

    fn refused(name: &str, value: Value, words: &str) {
        let error = with(name, value).unwrap_err();
        assert!(error.contains(words), "{name}: {error}");
    }

    #[test]
    fn a_posts_text_has_three_hundred_graphemes_and_three_thousand_bytes() {
        assert_eq!(with("text", json!("ä".repeat(300))), Ok(Checked::Valid));
        refused("text", json!("ab".repeat(150) + "c"), "string too big (maximum 300 graphemes, got 301)");
        let family = "👩‍👩‍👧‍👦"; // one grapheme, 25 bytes
        assert_eq!(with("text", json!(family.repeat(120))), Ok(Checked::Valid));
        refused("text", json!(family.repeat(121)), "string too big (maximum 3000, got 3025)");
        refused("text", json!(7), "Expected a string");
    }

    #[test]
    fn dates_languages_tags_labels_and_facets_have_their_rules() {
        refused("createdAt", json!("yesterday"), "Invalid datetime");
        refused("langs", json!(["en", "de", "fr", "it"]), "array too big (maximum 3, got 4)");
        refused("langs", json!(["en-a"]), "Invalid language");
        refused("tags", json!(vec!["x"; 9]), "maximum 8");
        refused("tags", json!(["x".repeat(65)]), "maximum 64 graphemes");
        let label = |val: &str| json!({"$type": "com.atproto.label.defs#selfLabels", "values": [{"val": val}]});
        assert_eq!(with("labels", label("bot")), Ok(Checked::Valid));
        refused("labels", label(&"x".repeat(129)), "maximum 128");
        let facet =
            |start: i64, feature: Value| json!([{"index": {"byteStart": start, "byteEnd": 3}, "features": [feature]}]);
        let link = |uri: &str| json!({"$type": "app.bsky.richtext.facet#link", "uri": uri});
        assert_eq!(with("facets", facet(0, link("https://example.com"))), Ok(Checked::Valid));
        refused("facets", facet(-1, link("https://example.com")), "integer too small");
        refused("facets", facet(0, link("no uri")), "Invalid uri");
        refused("facets", facet(0, json!({"$type": "app.bsky.richtext.facet#mention", "did": "bob"})), "Invalid did");
    }

    #[test]
    fn pictures_are_four_of_two_million_bytes_with_alternative_text() {
        let images = |images: Vec<Value>| json!({"$type": "app.bsky.embed.images", "images": images});
        assert_eq!(with("embed", images(vec![image(2_000_000, "image/webp"); 4])), Ok(Checked::Valid));
        refused("embed", images(vec![image(1, "image/png"); 5]), "array too big (maximum 4, got 5)");
        refused("embed", images(vec![image(2_000_001, "image/png")]), "blob too big");
        refused("embed", images(vec![image(1, "video/mp4")]), "Expected mime type image/*");
        let mut bare = image(1, "image/png");
        bare.as_object_mut().unwrap().remove("alt");
        refused("embed", images(vec![bare]), "Missing required key \"alt\" at $.record.embed.images[0]");
    }

    #[test]
    fn keys_are_times_but_for_the_profile() {
        let like = json!({"subject": {"uri": format!("at://did:plc:a/{POST}/{KEY}"), "cid": super::super::cbor::blob_cid(b"x")}, "createdAt": "2026-11-24T09:00:00Z"});
        assert_eq!(check(LIKE, KEY, &like), Ok(Checked::Valid));
        assert!(check(LIKE, "self", &like).unwrap_err().contains("Invalid TID"));
        assert_eq!(check(PROFILE, "self", &json!({"displayName": "Rye"})), Ok(Checked::Valid));
        assert!(check(PROFILE, KEY, &json!({})).unwrap_err().contains("expected self"));
        assert_eq!(check("com.example.note", "any", &json!({"x": 1})), Ok(Checked::Unknown));
    }

    #[test]
    fn blobs_are_found_wherever_they_stand() {
        let record = json!({"a": [{"b": image(5, "image/png")}], "c": {"$type": "blob"}});
        let found = blobs(&record);
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].1.as_str(), found[0].2), ("image/png", 5));
    }
}
