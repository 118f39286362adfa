//! The bytes and the identifier of a record: DAG-CBOR of its JSON, and CIDv1 over it.
//!
//! Decided here: how the data model's JSON becomes bytes, as the network's own servers write them. A number without a
//! fraction is a whole one, since those servers cannot tell them apart. Source: AT Protocol, "Data Model" and "Blob".
//!
//! Invariant: a record has one sequence of bytes, whatever the order of its keys in JSON.

use std::collections::BTreeMap;

use data_encoding::{BASE32_NOPAD_NOCASE, BASE64_NOPAD};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

const DEPTH_MAX: u32 = 100;
/// Whole numbers of the data model are those that a double holds.
const WHOLE_MAX: f64 = 9_007_199_254_740_991.0;

/// Version 1, DAG-CBOR, SHA-256 of 32 bytes; and the same for raw bytes.
const RECORD_HEAD: [u8; 4] = [0x01, 0x71, 0x12, 0x20];
const BLOB_HEAD: [u8; 4] = [0x01, 0x55, 0x12, 0x20];

/// What no record may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotData {
    #[error("numbers have no fraction")]
    Fraction,
    #[error("$link is no content identifier")]
    Link,
    #[error("$bytes is no base 64")]
    Bytes,
    #[error("too deep")]
    Depth,
}

/// Returns the identifier of a record.
pub(crate) fn record_cid(record: &Value) -> Result<String, NotData> {
    let mut bytes = Vec::new();
    write(&mut bytes, record, 0)?;
    Ok(cid(RECORD_HEAD, &bytes))
}

/// Returns the identifier of a blob.
pub(crate) fn blob_cid(bytes: &[u8]) -> String {
    cid(BLOB_HEAD, bytes)
}

/// Returns whether a text is an identifier of any sort that records may point to.
pub(crate) fn is_cid(text: &str) -> bool {
    binary(text).is_some()
}

/// Returns a record with its keys in the order of its bytes, as servers give it back.
pub(crate) fn ordered(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut members: Vec<(String, Value)> = map.into_iter().collect();
            members.sort_by(|(a, _), (b, _)| a.len().cmp(&b.len()).then_with(|| a.cmp(b)));
            members.into_iter().map(|(key, value)| (key, ordered(value))).collect()
        }
        Value::Array(items) => items.into_iter().map(ordered).collect(),
        plain @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => plain,
    }
}

fn cid(head: [u8; 4], bytes: &[u8]) -> String {
    let mut all = head.to_vec();
    all.extend_from_slice(&Sha256::digest(bytes));
    format!("b{}", BASE32_NOPAD_NOCASE.encode(&all).to_ascii_lowercase())
}

fn binary(text: &str) -> Option<Vec<u8>> {
    let rest = text.strip_prefix('b')?;
    let bytes = BASE32_NOPAD_NOCASE.decode(rest.as_bytes()).ok()?;
    (bytes.len() == 36 && bytes.first() == Some(&1)).then_some(bytes)
}

fn write(out: &mut Vec<u8>, value: &Value, depth: u32) -> Result<(), NotData> {
    if depth > DEPTH_MAX {
        return Err(NotData::Depth);
    }
    match value {
        Value::Null => out.push(0xf6),
        Value::Bool(false) => out.push(0xf4),
        Value::Bool(true) => out.push(0xf5),
        Value::Number(number) => {
            if let Some(n) = number.as_u64() {
                head(out, 0, n);
            } else if let Some(n) = number.as_i64() {
                // A negative number is written as what it lies below -1.
                head(out, 1, (-1_i64).abs_diff(n));
            } else {
                whole_double(out, number.as_f64().ok_or(NotData::Fraction)?)?;
            }
        }
        Value::String(text) => text_of(out, text),
        Value::Array(items) => {
            head(out, 4, size(items.len()));
            for item in items {
                write(out, item, depth + 1)?;
            }
        }
        Value::Object(map) => {
            let only = |key: &str| if map.len() == 1 { map.get(key) } else { None };
            if let Some(link) = only("$link") {
                let bytes = link.as_str().and_then(binary).ok_or(NotData::Link)?;
                out.extend_from_slice(&[0xd8, 0x2a]);
                head(out, 2, size(bytes.len()) + 1);
                out.push(0);
                out.extend_from_slice(&bytes);
            } else if let Some(bytes) = only("$bytes") {
                let text = bytes.as_str().ok_or(NotData::Bytes)?.trim_end_matches('=');
                let bytes = BASE64_NOPAD.decode(text.as_bytes()).map_err(|_| NotData::Bytes)?;
                head(out, 2, size(bytes.len()));
                out.extend_from_slice(&bytes);
            } else {
                let ordered: BTreeMap<(usize, &[u8]), (&String, &Value)> =
                    map.iter().map(|(key, value)| ((key.len(), key.as_bytes()), (key, value))).collect();
                head(out, 5, size(ordered.len()));
                for (key, value) in ordered.into_values() {
                    text_of(out, key);
                    write(out, value, depth + 1)?;
                }
            }
        }
    }
    Ok(())
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole, and within what both types hold")]
fn whole_double(out: &mut Vec<u8>, number: f64) -> Result<(), NotData> {
    if number.fract() != 0.0 || number.abs() > WHOLE_MAX {
        return Err(NotData::Fraction);
    }
    if number < 0.0 {
        head(out, 1, (-number - 1.0) as u64)
    } else {
        head(out, 0, number as u64)
    }
    Ok(())
}

fn text_of(out: &mut Vec<u8>, text: &str) {
    head(out, 3, size(text.len()));
    out.extend_from_slice(text.as_bytes());
}

/// A major type and its argument, in as few bytes as hold it.
fn head(out: &mut Vec<u8>, major: u8, argument: u64) {
    let bytes = argument.to_be_bytes();
    let major = major * 32;
    let used = match argument {
        0..=23 => {
            out.push(major + bytes[7]);
            return;
        }
        24..=0xff => 1,
        0x100..=0xffff => 2,
        0x1_0000..=0xffff_ffff => 4,
        _ => 8,
    };
    out.push(
        major
            + match used {
                1 => 24,
                2 => 25,
                4 => 26,
                _ => 27,
            },
    );
    out.extend(bytes.iter().skip(8 - used));
}

fn size(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn bytes(value: &Value) -> Vec<u8> {
        let mut out = Vec::new();
        write(&mut out, value, 0).unwrap();
        out
    }

    #[test]
    fn known_bytes_have_the_names_that_every_implementation_gives() {
        // The empty map, and "hello" as raw bytes.
        assert_eq!(record_cid(&json!({})).unwrap(), "bafyreigbtj4x7ip5legnfznufuopl4sg4knzc2cof6duas4b3q2fy6swua");
        assert_eq!(blob_cid(b"hello"), "bafkreibm6jg3ux5qumhcn2b3flc3tyu6dmlb4xa7u5bf44yegnrjhc4yeq");
    }

    #[test]
    fn every_sort_of_value_has_its_shortest_bytes() {
        assert_eq!(
            bytes(&json!([0, 23, 24, 255, 256, 65536, -1, -25])),
            [0x88, 0, 0x17, 0x18, 24, 0x18, 255, 0x19, 1, 0, 0x1a, 0, 1, 0, 0, 0x20, 0x38, 24]
        );
        assert_eq!(
            bytes(&json!({"bb": 1, "c": [true, false, null], "a": "é"})),
            [0xa3, 0x61, b'a', 0x62, 0xc3, 0xa9, 0x61, b'c', 0x83, 0xf5, 0xf4, 0xf6, 0x62, b'b', b'b', 1]
        );
        assert_eq!(bytes(&json!(3.0)), [3], "JavaScript does not know the difference");
        assert_eq!(bytes(&json!({"$bytes": "AQI="})), [0x42, 1, 2]);
        let link = bytes(&json!({"$link": blob_cid(b"x")}));
        assert_eq!((link.len(), &link[..5]), (41, [0xd8, 0x2a, 0x58, 37, 0].as_slice()));
    }

    #[test]
    fn what_is_no_data_is_refused() {
        assert_eq!(record_cid(&json!({"a": 0.5})), Err(NotData::Fraction));
        assert_eq!(record_cid(&json!({"a": 1e30})), Err(NotData::Fraction));
        assert_eq!(record_cid(&json!({"a": {"$link": "zb2rh"}})), Err(NotData::Link));
        assert_eq!(record_cid(&json!({"$bytes": 3})), Err(NotData::Bytes));
        let deep = (0..200).fold(json!(1), |inner, _| json!({"a": inner}));
        assert_eq!(record_cid(&deep), Err(NotData::Depth));
        assert!(!is_cid("") && !is_cid("bafy") && is_cid(&blob_cid(b"")));
    }

    proptest! {
        #[test]
        fn the_order_of_keys_changes_nothing(map in prop::collection::btree_map("[a-zé]{0,6}", any::<i64>(), 0..12)) {
            let forward: Value = map.iter().map(|(k, v)| (k.clone(), json!(v))).collect();
            let backward: Value = map.iter().rev().map(|(k, v)| (k.clone(), json!(v))).collect();
            prop_assert_eq!(record_cid(&forward), record_cid(&backward));
        }
    }
}
