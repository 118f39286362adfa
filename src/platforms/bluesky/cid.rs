//! Content identifiers: what a record or a blob is called by its bytes.
//!
//! Decided here: the two sorts of identifiers that repositories hold, CIDv1 with SHA-256 over DAG-CBOR (records) or over
//! raw bytes (blobs), written in lower-case base 32. Every other sort is none. Source: AT Protocol, "Data Model".

use std::fmt;

use data_encoding::BASE32_NOPAD;
use sha2::{Digest as _, Sha256};

/// The binary form: version, codec, hash function, hash length, hash.
const VERSION: u8 = 1;
const DAG_CBOR: u8 = 0x71;
const RAW: u8 = 0x55;
const SHA2_256: u8 = 0x12;
const HASH_LENGTH: u8 = 32;

/// A content identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Cid([u8; 36]);

impl Cid {
    /// Returns the identifier of a record's DAG-CBOR bytes.
    pub(crate) fn of_record(cbor: &[u8]) -> Self {
        Self::of(DAG_CBOR, cbor)
    }

    /// Returns the identifier of a blob's bytes.
    pub(crate) fn of_blob(bytes: &[u8]) -> Self {
        Self::of(RAW, bytes)
    }

    fn of(codec: u8, bytes: &[u8]) -> Self {
        let mut cid = [0; 36];
        let (head, hash) = cid.split_at_mut(4);
        head.copy_from_slice(&[VERSION, codec, SHA2_256, HASH_LENGTH]);
        hash.copy_from_slice(&Sha256::digest(bytes));
        Self(cid)
    }

    /// Reads an identifier; `None` where it is not one of the two sorts in its one spelling.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let upper = text.strip_prefix('b').filter(|rest| !rest.contains(|c: char| c.is_ascii_uppercase()))?;
        let bytes = BASE32_NOPAD.decode(upper.to_ascii_uppercase().as_bytes()).ok()?;
        let cid = Self(bytes.try_into().ok()?);
        matches!(cid.0, [VERSION, DAG_CBOR | RAW, SHA2_256, HASH_LENGTH, ..]).then_some(cid)
    }

    /// Returns the binary form.
    pub(crate) const fn bytes(&self) -> &[u8; 36] {
        &self.0
    }
}

impl fmt::Display for Cid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "b{}", BASE32_NOPAD.encode(&self.0).to_ascii_lowercase())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn known_bytes_have_their_known_names() {
        // The empty map in DAG-CBOR, and "hello" as raw bytes: identifiers that every implementation gives.
        assert_eq!(Cid::of_record(&[0xa0]).to_string(), "bafyreigbtj4x7ip5legnfznufuopl4sg4knzc2cof6duas4b3q2fy6swua");
        assert_eq!(Cid::of_blob(b"hello").to_string(), "bafkreibm6jg3ux5qumhcn2b3flc3tyu6dmlb4xa7u5bf44yegnrjhc4yeq");
    }

    #[test]
    fn other_spellings_and_sorts_are_none() {
        let good = Cid::of_blob(b"hello").to_string();
        assert!(Cid::parse(&good).is_some());
        let (upper, base58) = (good.to_ascii_uppercase(), "QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn");
        for text in ["", "b", "bafkrei", upper.as_str(), base58, &format!("{good}a"), &format!("z{good}")] {
            assert_eq!(Cid::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(bytes: Vec<u8>) {
            let cid = Cid::of_record(&bytes);
            prop_assert_eq!(Cid::parse(&cid.to_string()), Some(cid));
            prop_assert_ne!(cid, Cid::of_blob(&bytes));
        }

        #[test]
        fn nothing_makes_reading_fail(text: String) {
            if let Some(cid) = Cid::parse(&text) {
                prop_assert_eq!(cid.to_string(), text);
            }
        }
    }
}
