//! Where every random number comes from.
//!
//! Decided here: how streams are derived from one seed, and the only way to the system's randomness. What a stream is
//! used for is its name's business: one name, one purpose.
//!
//! Invariant: a stream depends on the seed, its name and its bytes alone, so one more draw for one purpose changes
//! nothing for another.

use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::SeedableRng;
use sha2::{Digest, Sha256};

/// The system gave no randomness.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the system gave no random bytes: {0}; without them nothing secret or unpredictable can be made")]
pub struct EntropyFailed(getrandom::Error);

/// One seed and the named streams that follow from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seeds {
    seed: u64,
}

impl Seeds {
    /// Returns the streams of `seed`.
    pub const fn new(seed: u64) -> Self {
        Self { seed }
    }

    /// Returns the seed, to be recorded and given again.
    pub const fn seed(self) -> u64 {
        self.seed
    }

    /// Returns the stream of one purpose for one thing, from its beginning.
    ///
    /// Its key is SHA-256 over the seed (8 bytes, little endian), the name's length (8 bytes) and the name, then `bytes`.
    pub fn stream(self, name: &str, bytes: &[u8]) -> ChaCha12Rng {
        ChaCha12Rng::from_seed(self.digest(name, bytes))
    }

    /// Returns a seed of its own for one purpose and thing, fit to be recorded (a plan's, a rotation's).
    pub fn number(self, name: &str, bytes: &[u8]) -> u64 {
        let [a, b, c, d, e, f, g, h, ..] = self.digest(name, bytes);
        u64::from_le_bytes([a, b, c, d, e, f, g, h])
    }

    /// Returns seeds of their own for one purpose and thing.
    pub fn child(self, name: &str, bytes: &[u8]) -> Self {
        Self::new(self.number(name, bytes))
    }

    fn digest(self, name: &str, bytes: &[u8]) -> [u8; 32] {
        // The length keeps ("ab", "c") apart from ("a", "bc"). A name's length always fits: usize has at most 64 bits.
        let length = u64::try_from(name.len()).unwrap_or(u64::MAX);
        let mut hash = Sha256::new();
        hash.update(self.seed.to_le_bytes());
        hash.update(length.to_le_bytes());
        hash.update(name.as_bytes());
        hash.update(bytes);
        hash.finalize().into()
    }
}

/// Returns a seed that nobody can foresee. Record it: whatever follows from it can be repeated.
pub fn entropy_seed() -> Result<u64, EntropyFailed> {
    fresh_bytes().map(u64::from_le_bytes)
}

/// Returns `N` bytes that nobody can foresee: keys, nonces, one-time codes, new ids.
#[expect(clippy::disallowed_methods, reason = "the one place that asks the system for randomness")]
pub fn fresh_bytes<const N: usize>() -> Result<[u8; N], EntropyFailed> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(EntropyFailed)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rand::{Rng, RngCore};

    #[test]
    fn a_stream_is_the_same_every_time_and_on_every_machine() {
        // Fixed for ever: recorded plans are drawn again from these. Computed apart, by the definitions of SHA-256 and
        // ChaCha with 12 rounds.
        assert_eq!(Seeds::new(7).stream("plan", b"x").next_u64(), 16_980_642_117_146_392_008);
        assert_eq!(Seeds::new(7).number("plan", b"x"), 9_935_274_469_661_591_765);
    }

    #[test]
    fn more_draws_for_one_purpose_change_nothing_for_another() {
        let seeds = Seeds::new(1);
        let before = seeds.stream("rotate", b"1").next_u64();
        let mut plan = seeds.stream("plan", b"1");
        for _ in 0..100 {
            plan.random::<u64>();
        }
        assert_eq!(seeds.stream("rotate", b"1").next_u64(), before);
    }

    #[test]
    fn where_the_name_ends_matters() {
        let seeds = Seeds::new(1);
        assert_ne!(seeds.number("ab", b"c"), seeds.number("a", b"bc"));
        assert_ne!(seeds.number("", b"abc"), seeds.number("abc", b""));
    }

    #[test]
    fn fresh_bytes_differ() {
        assert_ne!(fresh_bytes::<32>().expect("the system has randomness"), fresh_bytes().expect("again"));
        assert_ne!(entropy_seed().expect("the system has randomness"), entropy_seed().expect("again"));
    }

    proptest! {
        #[test]
        fn seed_name_and_bytes_each_make_another_stream(seed: u64, name in "[a-z]{1,8}", bytes: Vec<u8>) {
            let seeds = Seeds::new(seed);
            let draw = seeds.stream(&name, &bytes).next_u64();
            let longer = [&bytes[..], &[0]].concat();
            prop_assert_eq!(seeds.stream(&name, &bytes).next_u64(), draw);
            prop_assert_ne!(Seeds::new(seed ^ 1).stream(&name, &bytes).next_u64(), draw);
            prop_assert_ne!(seeds.stream(&format!("{name}x"), &bytes).next_u64(), draw);
            prop_assert_ne!(seeds.stream(&name, &longer).next_u64(), draw);
            prop_assert_ne!(seeds.child(&name, &bytes).seed(), seed);
        }
    }
}
