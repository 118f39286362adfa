//! Links, tags and mentions in a text, with the bytes they stand at.
//!
//! Decided here: what in a text is one. A link begins with http:// or https://, a tag with #, a mention with @, each at the
//! start of the text, after a space or after an opening bracket; punctuation at the end belongs to the sentence. Whether a
//! mentioned handle exists is asked in `prepare`.
//!
//! Offsets count bytes of UTF-8, the end excluded. Invariant: they lie on character boundaries, are in order and apart.

use std::ops::Range;

use serde_json::{Value, json};
use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory};

use super::name::{Did, HandleName};

/// The longest tag, without its `#`: `app.bsky.richtext.facet#tag`.
const TAG_GRAPHEMES_MAX: usize = 64;
const TAG_BYTES_MAX: usize = 640;

/// What stands somewhere in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Mark {
    /// An address.
    Link(String),
    /// A tag, without its `#`.
    Tag(String),
    /// Somebody's handle.
    Mention(HandleName),
}

/// A mark and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    /// Bytes.
    pub(crate) at: Range<usize>,
    /// What.
    pub(crate) mark: Mark,
}

/// Finds the marks of a text, in order.
pub(crate) fn find(text: &str) -> Vec<Found> {
    words(text).filter_map(|(start, word)| mark(start, word)).collect()
}

/// Returns a link's, tag's or resolved mention's facet, as a record holds it.
pub(crate) fn facet(at: &Range<usize>, feature: &Value) -> Value {
    json!({"index": {"byteStart": at.start, "byteEnd": at.end}, "features": [feature]})
}

/// Returns the feature of a mark; `None` for a mention of somebody who was not found.
pub(crate) fn feature(mark: &Mark, mentioned: Option<&Did>) -> Option<Value> {
    match mark {
        Mark::Link(uri) => Some(json!({"$type": "app.bsky.richtext.facet#link", "uri": uri})),
        Mark::Tag(tag) => Some(json!({"$type": "app.bsky.richtext.facet#tag", "tag": tag})),
        Mark::Mention(_) => {
            mentioned.map(|did| json!({"$type": "app.bsky.richtext.facet#mention", "did": did.as_str()}))
        }
    }
}

/// Parts a text at its spaces; each word with its first byte.
fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut rest = text;
    let mut at = 0;
    std::iter::from_fn(move || {
        let begin = rest.find(|c: char| !c.is_whitespace())?;
        let (_, tail) = rest.split_at_checked(begin)?;
        let end = tail.find(char::is_whitespace).unwrap_or(tail.len());
        let (word, after) = tail.split_at_checked(end)?;
        let start = at + begin;
        at = start + end;
        rest = after;
        Some((start, word))
    })
}

fn mark(start: usize, word: &str) -> Option<Found> {
    let inner = word.trim_start_matches(['(', '[', '{', '<', '"', '\'', '«', '“', '„', '‘', '「', '（']);
    let start = start + (word.len() - inner.len());
    let (length, mark) = link(inner).or_else(|| tag(inner)).or_else(|| mention(inner))?;
    Some(Found { at: start..start + length, mark })
}

fn link(word: &str) -> Option<(usize, Mark)> {
    let (scheme, _) = word.split_once("://")?;
    if !scheme.eq_ignore_ascii_case("https") && !scheme.eq_ignore_ascii_case("http") {
        return None;
    }
    let mut uri = word;
    loop {
        let shorter = uri.trim_end_matches([
            '.', ',', ';', ':', '!', '?', '"', '\'', '»', '”', '“', '’', '>', '…', '」', '。', '、',
        ]);
        let closed = ['(', '[', '{', '（'].into_iter().zip([')', ']', '}', '）']).find_map(|(open, close)| {
            let odd = shorter.matches(close).count() > shorter.matches(open).count();
            if odd { shorter.strip_suffix(close) } else { None }
        });
        match closed {
            Some(inner) => uri = inner,
            None => {
                uri = shorter;
                break;
            }
        }
    }
    let (_, rest) = uri.split_once("://")?;
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    (!host.is_empty() && !host.starts_with(['.', ':', '@'])).then(|| (uri.len(), Mark::Link(uri.to_owned())))
}

fn tag(word: &str) -> Option<(usize, Mark)> {
    let body = word.strip_prefix(['#', '＃']).filter(|body| !body.starts_with('\u{FE0F}'))?;
    let ends = |c: char| matches!(c, '\u{AD}' | '\u{2060}' | '\u{200A}'..='\u{200D}' | '\u{20E2}');
    let body = body.split(ends).next().unwrap_or_default();
    let body = body.trim_end_matches(is_punctuation);
    let says_something = body.chars().any(|c| !c.is_ascii_digit() && !is_punctuation(c));
    let fits = domain::text::grapheme_count(body) <= TAG_GRAPHEMES_MAX && body.len() <= TAG_BYTES_MAX;
    let sign = word.chars().next().map_or(0, char::len_utf8);
    (says_something && fits).then(|| (sign + body.len(), Mark::Tag(body.to_owned())))
}

fn mention(word: &str) -> Option<(usize, Mark)> {
    let body = word.strip_prefix('@')?;
    let end = body.find(|c: char| !c.is_ascii_alphanumeric() && c != '.' && c != '-').unwrap_or(body.len());
    let (name, after) = body.split_at_checked(end)?;
    // Somebody's mail address, or a page of another network.
    if after.starts_with(['@', '/', '_']) {
        return None;
    }
    let name = name.trim_end_matches(['.', '-']);
    HandleName::parse(name).map(|handle| (1 + name.len(), Mark::Mention(handle)))
}

fn is_punctuation(c: char) -> bool {
    c.general_category_group() == GeneralCategoryGroup::Punctuation
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Each mark as its sort, what the text holds there, and what it stands for where that differs.
    fn check(text: &str, expected: &[&str]) {
        let seen: Vec<String> = find(text)
            .into_iter()
            .map(|found| {
                let there = text.get(found.at).unwrap();
                match found.mark {
                    Mark::Link(uri) => {
                        assert_eq!(uri, there);
                        uri
                    }
                    Mark::Tag(tag) => {
                        assert!(there.ends_with(&tag));
                        there.to_owned()
                    }
                    Mark::Mention(handle) => {
                        assert_eq!(handle.as_str(), there.trim_start_matches('@').to_lowercase());
                        there.to_owned()
                    }
                }
            })
            .collect();
        assert_eq!(seen, expected, "{text}");
    }

    #[test]
    fn links_end_where_the_sentence_goes_on() {
        check("see https://acme.com/a.", &["https://acme.com/a"]);
        check("(https://acme.com/a)", &["https://acme.com/a"]);
        check("https://en.example.org/Rye_(bread)!", &["https://en.example.org/Rye_(bread)"]);
        check("(see https://en.example.org/Rye_(bread)).", &["https://en.example.org/Rye_(bread)"]);
        check("HTTPS://ACME.com?x=1&y=#z", &["HTTPS://ACME.com?x=1&y=#z"]);
        check("“https://acme.com”, he said", &["https://acme.com"]);
        check("ftp://acme.com https:// http://. acme.com mailto:a@b.com", &[]);
    }

    #[test]
    fn tags_are_words_and_not_numbers() {
        check("#bread #Rye_Bread! #2026 #2026goals #", &["#bread", "#Rye_Bread", "#2026goals"]);
        check("＃日本語、 #🍞 #ümlaut", &["＃日本語", "#🍞", "#ümlaut"]);
        check("a#b (#c) #d\u{200B}e", &["#c", "#d"]);
        check("#\u{FE0F}\u{20E3} keycap", &[]);
        check(&format!("#{}", "x".repeat(64)), &[&format!("#{}", "x".repeat(64))]);
        check(&format!("#{}", "x".repeat(65)), &[]);
    }

    #[test]
    fn mentions_are_handles_and_not_addresses() {
        check("thanks @Alice.bsky.social, and @bob.test.", &["@Alice.bsky.social", "@bob.test"]);
        check("@acme @a@b.com x@y.com @user@mastodon.social @a.com/x", &[]);
        check("@alice.test's", &["@alice.test"]);
    }

    #[test]
    fn offsets_are_bytes() {
        let found = find("🍞ü #brot");
        assert_eq!(found, [Found { at: 7..12, mark: Mark::Tag("brot".to_owned()) }]);
        let facet = facet(&found[0].at, &feature(&found[0].mark, None).unwrap());
        assert_eq!(facet["index"], json!({"byteStart": 7, "byteEnd": 12}));
        assert_eq!(facet["features"][0]["tag"], "brot");
        assert_eq!(feature(&Mark::Mention(HandleName::parse("a.test").unwrap()), None), None);
    }

    proptest! {
        #[test]
        fn marks_stand_on_characters_in_order_and_apart(text in "([#@ (]|https://|[a-z0-9.é🍞\u{200B}]{0,6}|\\PC){0,30}") {
            let mut end = 0;
            for found in find(&text) {
                prop_assert!(text.get(found.at.clone()).is_some());
                prop_assert!(found.at.start >= end && found.at.end > found.at.start);
                end = found.at.end;
            }
        }
    }
}
