//! DAG-CBOR: the bytes of which a record's identifier is the hash.
//!
//! Decided here: the one encoding of a record that is given as JSON: shortest heads, definite lengths, map keys by length
//! and then by bytes, links as tag 42, no fractions. Source: IPLD DAG-CBOR and AT Protocol, "Data Model": `{"$link": …}` is a
//! link and `{"$bytes": …}` a byte string in JSON.
//!
//! Invariant: two JSON texts that differ only in the order of their keys give the same bytes.

use data_encoding::BASE64_NOPAD;
use serde_json::{Map, Value};

use super::cid::Cid;

const DEPTH_MAX: usize = 64;

const UNSIGNED: u8 = 0;
const NEGATIVE: u8 = 1;
const BYTES: u8 = 2;
const TEXT: u8 = 3;
const LIST: u8 = 4;
const MAP: u8 = 5;
const TAG: u8 = 6;
const LINK_TAG: u64 = 42;
const FALSE: u8 = 0xf4;
const TRUE: u8 = 0xf5;
const NULL: u8 = 0xf6;

/// Why a JSON value is no record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotCbor {
    /// Records hold whole numbers only.
    #[error("it holds a fraction, and records hold whole numbers only")]
    Fraction,
    /// The text under `$link` is no identifier.
    #[error("it holds a link that cannot be read")]
    Link,
    /// The text under `$bytes` is not base 64.
    #[error("it holds bytes that cannot be read")]
    Bytes,
    /// Deeper than any record is.
    #[error("it is nested too deeply")]
    Depth,
}

/// Returns the bytes of a record.
pub(crate) fn encode(record: &Value) -> Result<Vec<u8>, NotCbor> {
    let mut out = Vec::new();
    value(&mut out, record, DEPTH_MAX)?;
    Ok(out)
}

fn value(out: &mut Vec<u8>, json: &Value, depth: usize) -> Result<(), NotCbor> {
    let depth = depth.checked_sub(1).ok_or(NotCbor::Depth)?;
    match json {
        Value::Null => out.push(NULL),
        Value::Bool(false) => out.push(FALSE),
        Value::Bool(true) => out.push(TRUE),
        Value::Number(number) => match (number.as_u64(), number.as_i64()) {
            (Some(n), _) => head(out, UNSIGNED, n),
            (None, Some(n)) => head(out, NEGATIVE, n.unsigned_abs() - 1),
            (None, None) => return Err(NotCbor::Fraction),
        },
        Value::String(text) => string(out, text),
        Value::Array(items) => {
            head(out, LIST, length(items.len()));
            items.iter().try_for_each(|item| value(out, item, depth))?;
        }
        Value::Object(members) => object(out, members, depth)?,
    }
    Ok(())
}

fn object(out: &mut Vec<u8>, members: &Map<String, Value>, depth: usize) -> Result<(), NotCbor> {
    if members.len() == 1 {
        if let Some(link) = members.get("$link") {
            let cid = link.as_str().and_then(Cid::parse).ok_or(NotCbor::Link)?;
            head(out, TAG, LINK_TAG);
            head(out, BYTES, length(cid.bytes().len() + 1));
            out.push(0); // the prefix of a binary identifier, by the tag's definition
            out.extend_from_slice(cid.bytes());
            return Ok(());
        }
        if let Some(bytes) = members.get("$bytes") {
            let text = bytes.as_str().ok_or(NotCbor::Bytes)?.trim_end_matches('=');
            let bytes = BASE64_NOPAD.decode(text.as_bytes()).map_err(|_| NotCbor::Bytes)?;
            head(out, BYTES, length(bytes.len()));
            out.extend_from_slice(&bytes);
            return Ok(());
        }
    }
    let mut sorted: Vec<(&String, &Value)> = members.iter().collect();
    sorted.sort_by(|(a, _), (b, _)| a.len().cmp(&b.len()).then_with(|| a.as_bytes().cmp(b.as_bytes())));
    head(out, MAP, length(sorted.len()));
    sorted.into_iter().try_for_each(|(key, member)| {
        string(out, key);
        value(out, member, depth)
    })
}

fn string(out: &mut Vec<u8>, text: &str) {
    head(out, TEXT, length(text.len()));
    out.extend_from_slice(text.as_bytes());
}

/// Writes a sort and its number in the shortest form.
fn head(out: &mut Vec<u8>, sort: u8, number: u64) {
    let sort = sort << 5;
    if let Ok(byte) = u8::try_from(number) {
        if byte < 24 {
            out.push(sort | byte);
        } else {
            out.extend_from_slice(&[sort | 24, byte]);
        }
    } else if let Ok(short) = u16::try_from(number) {
        out.push(sort | 25);
        out.extend_from_slice(&short.to_be_bytes());
    } else if let Ok(word) = u32::try_from(number) {
        out.push(sort | 26);
        out.extend_from_slice(&word.to_be_bytes());
    } else {
        out.push(sort | 27);
        out.extend_from_slice(&number.to_be_bytes());
    }
}

fn length(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn check(json: &Value, hex: &str) {
        assert_eq!(data_encoding::HEXLOWER.encode(&encode(json).unwrap()), hex, "{json}");
    }

    #[test]
    fn values_have_their_shortest_form() {
        check(&json!(0), "00");
        check(&json!(23), "17");
        check(&json!(24), "1818");
        check(&json!(256), "190100");
        check(&json!(65536), "1a00010000");
        check(&json!(4_294_967_296_u64), "1b0000000100000000");
        check(&json!(u64::MAX), "1bffffffffffffffff");
        check(&json!(-1), "20");
        check(&json!(-25), "3818");
        check(&json!(i64::MIN), "3b7fffffffffffffff");
        check(&json!([null, true, false, ""]), "84f6f5f460");
        check(&json!("ü"), "62c3bc");
    }

    #[test]
    fn keys_stand_by_length_and_then_by_bytes() {
        check(&json!({"bb": 1, "a": 2, "aa": 3, "c": 4}), "a461610261630462616103626262 01".replace(' ', "").as_str());
    }

    #[test]
    fn links_and_bytes_have_their_own_sorts() {
        let cid = Cid::of_record(&[0xa0]);
        let bytes = encode(&json!({"$link": cid.to_string()})).unwrap();
        assert_eq!(bytes.get(..5), Some([0xd8, 42, 0x58, 37, 0].as_slice()));
        assert_eq!(bytes.get(5..), Some(cid.bytes().as_slice()));
        check(&json!({"$bytes": "AQI"}), "420102");
        check(&json!({"$bytes": "AQI="}), "420102");
        // With company it is a plain map.
        check(&json!({"$link": 1, "x": 2}), "a2617802652 46c696e6b01".replace(' ', "").as_str());
    }

    #[test]
    fn what_no_record_may_hold_is_refused() {
        assert_eq!(encode(&json!({"a": 1.5})), Err(NotCbor::Fraction));
        assert_eq!(encode(&json!({"$link": "nonsense"})), Err(NotCbor::Link));
        assert_eq!(encode(&json!({"$bytes": "§"})), Err(NotCbor::Bytes));
        let deep = (0..100).fold(json!(1), |inner, _| json!([inner]));
        assert_eq!(encode(&deep), Err(NotCbor::Depth));
    }

    fn records() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 40, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::hash_map("[a-z]{0,4}", inner, 0..6)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    fn reversed(json: &Value) -> Value {
        match json {
            Value::Object(map) => Value::Object(map.iter().rev().map(|(k, v)| (k.clone(), reversed(v))).collect()),
            Value::Array(list) => list.iter().map(reversed).collect(),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => json.clone(),
        }
    }

    /// Reads one value back, as far as these tests write them, and returns what is left.
    fn decode(bytes: &[u8]) -> (Value, &[u8]) {
        let (first, rest) = bytes.split_first().unwrap();
        let (sort, small) = (first >> 5, first & 31);
        if sort == 7 {
            let simple = match *first {
                FALSE => json!(false),
                TRUE => json!(true),
                _ => Value::Null,
            };
            return (simple, rest);
        }
        let wide = match small {
            24 => 1,
            25 => 2,
            26 => 4,
            27 => 8,
            _ => 0,
        };
        let (number, mut rest) = rest.split_at(wide);
        let number = if wide == 0 { u64::from(small) } else { number.iter().fold(0, |n, b| (n << 8) | u64::from(*b)) };
        match sort {
            UNSIGNED => (json!(number), rest),
            NEGATIVE => (json!(i64::try_from(-1 - i128::from(number)).unwrap()), rest),
            TEXT => {
                let (text, rest) = rest.split_at(usize::try_from(number).unwrap());
                (json!(std::str::from_utf8(text).unwrap()), rest)
            }
            LIST => {
                let mut list = Vec::new();
                for _ in 0..number {
                    let (item, left) = decode(rest);
                    list.push(item);
                    rest = left;
                }
                (Value::from(list), rest)
            }
            MAP => {
                let mut map = Map::new();
                for _ in 0..number {
                    let (key, left) = decode(rest);
                    let (member, left) = decode(left);
                    map.insert(key.as_str().unwrap().to_owned(), member);
                    rest = left;
                }
                (Value::Object(map), rest)
            }
            other => panic!("sort {other} is not written here"),
        }
    }

    proptest! {
        #[test]
        fn the_order_of_keys_does_not_matter(json in records()) {
            prop_assert_eq!(encode(&json).unwrap(), encode(&reversed(&json)).unwrap());
        }

        #[test]
        fn nothing_is_lost(json in records()) {
            let bytes = encode(&json).unwrap();
            let (read, rest) = decode(&bytes);
            prop_assert!(rest.is_empty());
            prop_assert_eq!(read, json);
        }
    }
}
