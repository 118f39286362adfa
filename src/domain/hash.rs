//! Digests: what was shown, approved, prepared and stored, as 32 bytes that can be compared.
//!
//! Decides how fields are framed before hashing: each with its length, so that no two different lists of fields give
//! the same bytes. What goes into a hash is decided where the thing lives (`variant`, `approval`, the store's chain).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};

/// A SHA-256, shown as 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// Returns the SHA-256 of some bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// Wraps 32 bytes that are a SHA-256 already.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Returns the 32 bytes.
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Returns the first twelve hexadecimal digits, as screens show them.
    pub fn short(&self) -> String {
        self.to_string().chars().take(12).collect()
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Digest {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let bad = || "a digest has 64 hexadecimal digits".to_owned();
        let nibble = |b: u8| char::from(b).to_digit(16).and_then(|n| u8::try_from(n).ok());
        if text.len() != 64 {
            return Err(bad());
        }
        let mut bytes = [0u8; 32];
        for (slot, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            let [high, low] = pair else { return Err(bad()) };
            *slot = (nibble(*high).ok_or_else(bad)? << 4) | nibble(*low).ok_or_else(bad)?;
        }
        Ok(Self(bytes))
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}

/// Collects fields, each framed by its length, into one digest.
#[derive(Debug, Clone)]
pub struct Framed(Sha256);

impl Framed {
    /// Begins a digest for one purpose; two purposes never give the same digest.
    pub fn new(purpose: &str) -> Self {
        Self(Sha256::new()).field(purpose.as_bytes())
    }

    /// Adds one field.
    #[must_use]
    pub fn field(mut self, bytes: &[u8]) -> Self {
        self.0.update(u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_be_bytes());
        self.0.update(bytes);
        self
    }

    /// Adds a text as one field.
    #[must_use]
    pub fn text(self, text: &str) -> Self {
        self.field(text.as_bytes())
    }

    /// Ends the digest.
    pub fn digest(self) -> Digest {
        Digest(self.0.finalize().into())
    }
}

/// What one post would show: facets, assets and surface settings, as raw bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ContentHash(pub Digest);

impl fmt::Display for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a person was shown when asked to approve. A script names its first digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fingerprint(pub Digest);

impl Fingerprint {
    /// Tells whether a person's text names this fingerprint: at least 8 of its leading digits.
    pub fn is_named_by(&self, text: &str) -> bool {
        let text = text.to_ascii_lowercase();
        text.len() >= 8 && self.0.to_string().starts_with(&text)
    }

    /// Returns the sixteen digits that screens show.
    pub fn short(&self) -> String {
        self.0.to_string().chars().take(16).collect()
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn framing_keeps_different_fields_apart() {
        let one = Framed::new("test").text("ab").text("c").digest();
        let two = Framed::new("test").text("a").text("bc").digest();
        assert_ne!(one, two);
        assert_eq!(one.to_string().parse::<Digest>().unwrap(), one);
        assert!("zz".repeat(32).parse::<Digest>().is_err());
    }

    #[test]
    fn a_fingerprint_needs_eight_digits() {
        let print = Fingerprint(Digest::of(b"x"));
        let hex = print.to_string();
        let first = |count: usize| hex.chars().take(count).collect::<String>();
        assert!(print.is_named_by(&first(8)) && print.is_named_by(&hex.to_uppercase()));
        assert!(!print.is_named_by(&first(7)) && !print.is_named_by("") && !print.is_named_by("0000000000000000000"));
    }
}
