//! Names of things: what each id identifies and how long it lives.
//!
//! Made-up ids (experiment, variant, post, escalation, check-in, learning, conversation) are 128 bits: 48 of
//! milliseconds, 80 of randomness, shown as
//! 26 Crockford letters, so that they sort by age and a short prefix names one. People's names for things (client,
//! account) are slugs. Where the time and the randomness come from is the caller's business.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::time::UtcTime;

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Why a text is no id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadId {
    /// Not 26 Crockford letters.
    #[error("`{0}` is not an id: 26 letters and digits are needed, without I, L, O, U")]
    NotAnId(String),
    /// Not a slug.
    #[error("`{0}` is not a short name: 2 to 32 of a-z, 0-9 and -, starting with a letter")]
    NotASlug(String),
}

fn encode(value: u128) -> String {
    (0..26u32)
        .map(|i| {
            let shift = 125u32.saturating_sub(i.saturating_mul(5));
            let index = usize::try_from((value >> shift) & 31).unwrap_or(0);
            char::from(ALPHABET.get(index).copied().unwrap_or(b'0'))
        })
        .collect()
}

fn decode(text: &str) -> Option<u128> {
    if text.len() != 26 {
        return None;
    }
    let mut value: u128 = 0;
    for byte in text.bytes() {
        let position = ALPHABET.iter().position(|a| *a == byte.to_ascii_uppercase())?;
        value = value.checked_mul(32)?.checked_add(u128::try_from(position).ok()?)?;
    }
    Some(value)
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(u128);

        impl $name {
            /// Makes an id from its time of birth and ten random bytes.
            pub fn new(born: UtcTime, random: [u8; 10]) -> Self {
                let millis = u128::try_from(born.micros().max(0) / 1000).unwrap_or(0) & 0xFFFF_FFFF_FFFF;
                let low = random.iter().fold(0u128, |all, byte| (all << 8) | u128::from(*byte));
                Self((millis << 80) | low)
            }

            /// Returns the 128 bits, for seed streams.
            pub fn to_bytes(self) -> [u8; 16] {
                self.0.to_be_bytes()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&encode(self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&encode(self.0))
            }
        }

        impl FromStr for $name {
            type Err = BadId;
            fn from_str(text: &str) -> Result<Self, BadId> {
                decode(text).map(Self).ok_or_else(|| BadId::NotAnId(text.chars().take(64).collect()))
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

macro_rules! slug {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        pub struct $name(String);

        impl $name {
            /// Returns the short name.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = BadId;
            fn from_str(text: &str) -> Result<Self, BadId> {
                if is_slug(text) { Ok(Self(text.to_owned())) } else { Err(BadId::NotASlug(text.chars().take(64).collect())) }
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

fn is_slug(text: &str) -> bool {
    let mut bytes = text.bytes();
    let first = bytes.next().is_some_and(|b| b.is_ascii_lowercase());
    first && (2..=32).contains(&text.len()) && bytes.all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

id!(
    /// One question and all that goes out to answer it. Made when a brief is taken in; lives for ever.
    ExperimentId
);
id!(
    /// One version of the content inside an experiment. Kept over edits; never reused.
    VariantId
);
id!(
    /// One variant in one slot. Made when a plan is drawn; survives rescheduling; never reused.
    PostId
);
id!(
    /// Something a person must settle. Lives for ever.
    EscalationId
);
id!(
    /// One round that a person signed. Lives for ever.
    CheckinId
);
id!(
    /// One learning. Lives for ever; what was retracted too.
    LearningId
);
id!(
    /// One thread under a post of ours. Made when its first comment is seen; lives for ever.
    ConversationId
);
id!(
    /// One request of a client of the desk, made by that client; the same id answers the first result for 24 h (T21).
    CommandId
);
id!(
    /// One store file's identity; written once at `init`, part of every event's hash.
    StoreId
);
slug!(
    /// A client of the agency, as its people call it: `crm`.
    ClientId
);
slug!(
    /// One profile of a client on one platform: `crm-bs`.
    AccountId
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_as_it_was_written_and_sorts_by_age() {
        let old = PostId::new(UtcTime::from_micros(1_000_000), [255; 10]);
        let new = PostId::new(UtcTime::from_micros(2_000_000), [0; 10]);
        assert!(old < new && old.to_string() < new.to_string());
        assert_eq!(old.to_string().parse::<PostId>().unwrap(), old);
        assert_eq!(serde_json::from_str::<PostId>(&serde_json::to_string(&new).unwrap()).unwrap(), new);
        for bad in ["", "01", "IIIIIIIIIIIIIIIIIIIIIIIIII", "é", &"0".repeat(27)] {
            assert!(bad.parse::<PostId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_slug_takes_what_people_type_and_nothing_that_could_be_a_path() {
        for good in ["crm", "crm-bs", "a1"] {
            assert!(good.parse::<ClientId>().is_ok(), "{good}");
        }
        for bad in ["", "a", "-a", "A", "a/b", "..", "a b", "é1", &"a".repeat(33)] {
            assert!(bad.parse::<ClientId>().is_err(), "{bad}");
        }
    }
}
