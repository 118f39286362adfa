//! Names on the network: keys that are times, handles, method names, addresses of records, dates and languages.
//!
//! Decided here: which texts are such names, and how new keys are made. Source: AT Protocol, "Record Key", "TID", "Handle",
//! "NSID", "AT URI"; RFC 3339; RFC 5646 for languages.
//!
//! Invariant: keys made one after the other on one repository grow, whatever the clock does.

use chrono::{DateTime, Utc};

const SORTABLE: &[u8; 32] = b"234567abcdefghijklmnopqrstuvwxyz";
/// Bits of a key that are not its time.
const CLOCK_BITS: u32 = 10;

/// Returns the key of a time: 53 bits of microseconds, then 10 bits that tell makers apart.
pub(crate) fn tid(micros: u64, maker: u64) -> String {
    let number = (micros & ((1 << 53) - 1)) << CLOCK_BITS | maker & 0x3ff;
    (0..13_u32)
        .rev()
        .map(|place| {
            let digit = usize::try_from(number >> (place * 5) & 31).unwrap_or(0);
            char::from(SORTABLE.get(digit).copied().unwrap_or(b'2'))
        })
        .collect()
}

/// Returns the time of a key; `None` where the text is no such key.
pub(crate) fn tid_micros(key: &str) -> Option<u64> {
    let digit = |byte| SORTABLE.iter().position(|digit| *digit == byte).and_then(|place| u64::try_from(place).ok());
    let number = key.bytes().try_fold(0_u64, |number, byte| Some(number << 5 | digit(byte)?));
    number.filter(|_| is_tid(key)).map(|number| number >> CLOCK_BITS)
}

/// Returns a time as keys count it.
pub(crate) fn micros(at: DateTime<Utc>) -> u64 {
    u64::try_from(at.timestamp_micros()).unwrap_or(0)
}

/// Returns whether a text is a key that is a time.
pub(crate) fn is_tid(text: &str) -> bool {
    text.len() == 13
        && text.bytes().all(|byte| SORTABLE.contains(&byte))
        && text.bytes().next().is_some_and(|first| SORTABLE.iter().take(16).any(|digit| *digit == first))
}

/// Returns whether a text may be a record's key at all.
pub(crate) fn is_rkey(text: &str) -> bool {
    (1..=512).contains(&text.len())
        && text != "."
        && text != ".."
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._:~-".contains(&byte))
}

/// Returns whether a text names a method or a collection.
pub(crate) fn is_nsid(text: &str) -> bool {
    let parts: Vec<&str> = text.split('.').collect();
    text.len() <= 317
        && parts.len() >= 3
        && parts.iter().all(|part| {
            !part.is_empty() && part.len() <= 63 && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        })
        && parts.last().is_some_and(|name| name.bytes().all(|b| b.is_ascii_alphanumeric()))
}

/// Returns whether a text is a handle, in lower case.
pub(crate) fn is_handle(text: &str) -> bool {
    text.len() <= 253
        && text.contains('.')
        && text.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        })
        && text.rsplit('.').next().is_some_and(|last| last.starts_with(|c: char| c.is_ascii_lowercase()))
}

/// Returns whether a text has the form of a DID.
pub(crate) fn is_did(text: &str) -> bool {
    let mut parts = text.splitn(3, ':');
    let method = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase());
    let id = |part: &str| {
        !part.is_empty()
            && !part.ends_with([':', '%'])
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"._:%-".contains(&b))
    };
    text.len() <= 2048
        && parts.next() == Some("did")
        && parts.next().is_some_and(method)
        && parts.next().is_some_and(id)
}

/// The address of a record, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RecordUri<'a> {
    /// A DID or a handle.
    pub(crate) repo: &'a str,
    pub(crate) collection: &'a str,
    pub(crate) rkey: &'a str,
}

/// Reads `at://REPO/COLLECTION/KEY`; `None` where it is anything else.
pub(crate) fn record_uri(text: &str) -> Option<RecordUri<'_>> {
    let mut parts = text.strip_prefix("at://")?.split('/');
    let uri = RecordUri { repo: parts.next()?, collection: parts.next()?, rkey: parts.next()? };
    let good = (is_did(uri.repo) || is_handle(uri.repo)) && is_nsid(uri.collection) && is_rkey(uri.rkey);
    (good && parts.next().is_none()).then_some(uri)
}

/// Returns whether a text is a date as records have it: RFC 3339 with a capital `T` and a zone that is known.
pub(crate) fn is_datetime(text: &str) -> bool {
    text.len() <= 64
        && text.as_bytes().get(10) == Some(&b'T')
        && !text.ends_with('z')
        && !text.ends_with("-00:00")
        && DateTime::parse_from_rfc3339(text).is_ok()
}

/// Returns whether a text is a well-formed language tag.
pub(crate) fn is_language(text: &str) -> bool {
    if !text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
        return false;
    }
    let mut parts = text.split('-').peekable();
    let alpha = |part: &str, sizes: std::ops::RangeInclusive<usize>| {
        sizes.contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphabetic())
    };
    let any = |part: &str, sizes: std::ops::RangeInclusive<usize>| sizes.contains(&part.len());
    let Some(first) = parts.next() else { return false };
    if first.eq_ignore_ascii_case("x") || (first.eq_ignore_ascii_case("i") && parts.peek().is_some()) {
        let rest: Vec<&str> = parts.collect();
        return !rest.is_empty() && rest.iter().all(|part| any(part, 1..=8));
    }
    if !alpha(first, 2..=8) {
        return false;
    }
    let mut extended = 0;
    while first.len() <= 3 && extended < 3 && parts.next_if(|part| alpha(part, 3..=3)).is_some() {
        extended += 1;
    }
    parts.next_if(|part| alpha(part, 4..=4));
    parts.next_if(|part| alpha(part, 2..=2) || (part.len() == 3 && part.bytes().all(|b| b.is_ascii_digit())));
    let is_variant =
        |part: &str| any(part, 5..=8) || (part.len() == 4 && part.starts_with(|c: char| c.is_ascii_digit()));
    while parts.next_if(|part| is_variant(part)).is_some() {}
    while let Some(single) = parts.next_if(|part| part.len() == 1) {
        let smallest = if single.eq_ignore_ascii_case("x") { 1 } else { 2 };
        let mut values = 0;
        while parts.next_if(|part| any(part, smallest..=8)).is_some() {
            values += 1;
        }
        if values == 0 {
            return false;
        }
    }
    parts.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn keys_that_are_times_have_thirteen_of_their_letters() {
        assert_eq!(tid(0, 0), "2222222222222");
        assert_eq!(tid((1 << 53) - 1, 0x3ff), "bzzzzzzzzzzzz");
        for good in ["3jzfcijpj2z2a", "7777777777777", "3zzzzzzzzzzzz"] {
            assert!(is_tid(good), "{good}");
        }
        for bad in
            ["", "3jzfcijpj2z21", "0000000000000", "3jzfcijpj2z2aa", "zzzzzzzzzzzzz", "kjzfcijpj2z2a", "3JZFCIJPJ2Z2A"]
        {
            assert!(!is_tid(bad), "{bad}");
            assert_eq!(tid_micros(bad), None, "{bad}");
        }
    }

    #[test]
    fn names_are_told_from_what_is_none() {
        assert!(is_nsid("app.bsky.feed.post") && !is_nsid("post") && !is_nsid("a.b.c d") && !is_nsid("a.b.c-d"));
        assert!(
            is_handle("acme.test")
                && !is_handle("acme")
                && !is_handle("-a.test")
                && !is_handle("a.1")
                && !is_handle("A.test")
        );
        assert!(is_did("did:plc:abc") && is_did("did:web:localhost%3A80") && !is_did("did:plc:") && !is_did("plc:a"));
        assert!(is_rkey("self") && is_rkey("a:b~c") && !is_rkey("..") && !is_rkey("") && !is_rkey("a/b"));
        let uri = record_uri("at://did:plc:abc/app.bsky.feed.post/3k").unwrap();
        assert_eq!((uri.repo, uri.collection, uri.rkey), ("did:plc:abc", "app.bsky.feed.post", "3k"));
        for bad in ["at://did:plc:abc/app.bsky.feed.post", "https://a.test/app.bsky.feed.post/3k", "at://a.test/x/3k/y"]
        {
            assert_eq!(record_uri(bad), None, "{bad}");
        }
    }

    #[test]
    fn dates_and_languages_are_told_from_what_is_none() {
        for good in ["2026-11-24T09:00:00Z", "2026-11-24T09:00:00.123456+01:00"] {
            assert!(is_datetime(good), "{good}");
        }
        for bad in [
            "2026-11-24",
            "2026-11-24 09:00:00Z",
            "2026-11-24T09:00:00",
            "2026-13-24T09:00:00Z",
            "2026-11-24T09:00:00-00:00",
        ] {
            assert!(!is_datetime(bad), "{bad}");
        }
        for good in
            ["en", "de-AT", "zh-Hant-TW", "sl-rozaj-biske", "en-a-bbb-x-a", "x-a", "i-klingon", "zh-yue", "es-419"]
        {
            assert!(is_language(good), "{good}");
        }
        for bad in ["", "e", "en-a", "en-", "en-x", "123", "en_US", "english-language-tag", "en-US-US"] {
            assert!(!is_language(bad), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn keys_sort_as_their_times(a in 0_u64..1 << 53, b in 0_u64..1 << 53, maker: u64) {
            prop_assert_eq!(tid(a, maker).cmp(&tid(b, maker)), a.cmp(&b));
            prop_assert!(is_tid(&tid(a, maker)) && is_rkey(&tid(a, maker)));
            prop_assert_eq!(tid_micros(&tid(a, maker)), Some(a));
        }
    }
}
