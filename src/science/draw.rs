//! Draws from a seed, the same on every machine and in every version.
//!
//! Decides how a seed becomes bounded numbers and shuffles. Which seed is used is the caller's record. Nothing here rests
//! on a library's distributions, which may change between versions: only on the ChaCha12 key stream, which cannot.

use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

/// What a plan records of how it was drawn. A change of anything in this module is a new name.
pub const GENERATOR: &str = "chacha12/fisher-yates/1";

/// Separates these key streams from anybody else's use of the same seed.
const KEY_TAIL: &[u8; 24] = b"expos science draw no. 1";

/// A stream of draws.
#[derive(Debug, Clone)]
pub struct Draw(ChaCha12Rng);

impl Draw {
    /// Opens one of a seed's independent streams: one more draw from one changes nothing in another.
    ///
    /// The key is the seed, little-endian, and a fixed tail; the stream is ChaCha's own stream number.
    pub fn new(seed: u64, stream: u64) -> Self {
        let mut key = [0; 32];
        let (head, tail) = key.split_at_mut(8);
        head.copy_from_slice(&seed.to_le_bytes());
        tail.copy_from_slice(KEY_TAIL);
        let mut generator = ChaCha12Rng::from_seed(key);
        generator.set_stream(stream);
        Self(generator)
    }

    /// Returns a number below `bound`, each equally likely; 0 for a bound of 0 or 1.
    ///
    /// By rejection, so that no number is favoured.
    pub fn below(&mut self, bound: usize) -> usize {
        let wide = u64::try_from(bound).unwrap_or(u64::MAX);
        if wide < 2 {
            return 0;
        }
        let usable = u64::MAX - u64::MAX % wide;
        loop {
            let drawn = self.word();
            if drawn < usable {
                // A remainder of a `usize` fits a `usize`.
                return usize::try_from(drawn % wide).unwrap_or(0);
            }
        }
    }

    /// Puts the items in an order in which every order is equally likely (Fisher-Yates, from the end).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }

    /// Two words of the key stream, the earlier one low.
    fn word(&mut self) -> u64 {
        let low = u64::from(self.0.next_u32());
        low | u64::from(self.0.next_u32()) << 32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Worked out by a second implementation of ChaCha12, in another language.
    const GOLDEN: [usize; 12] = [994, 113, 526, 868, 350, 648, 127, 107, 953, 615, 69, 15];

    #[test]
    fn a_seed_gives_the_same_draws_for_ever() {
        let mut draw = Draw::new(7, 0);
        let drawn: Vec<usize> = (0..12).map(|_| draw.below(1000)).collect();
        assert_eq!(drawn, GOLDEN, "plans already stored could no longer be drawn again");
    }

    #[test]
    fn streams_and_seeds_are_apart() {
        let first = |seed, stream| Draw::new(seed, stream).word();
        assert_ne!(first(7, 0), first(7, 1));
        assert_ne!(first(7, 0), first(8, 0));
        assert_eq!(first(7, 1), first(7, 1));
    }

    #[test]
    fn every_order_is_equally_likely() {
        let mut draw = Draw::new(1, 0);
        let mut seen = std::collections::BTreeMap::new();
        for _ in 0..24_000 {
            let mut items = [0, 1, 2, 3];
            draw.shuffle(&mut items);
            *seen.entry(items).or_insert(0_u32) += 1;
        }
        assert_eq!(seen.len(), 24);
        // Standard deviation of a count is 31; five of them either way.
        assert!(seen.values().all(|count| (845..=1155).contains(count)), "{seen:?}");
    }

    #[test]
    fn numbers_stay_below_their_bound() {
        let mut draw = Draw::new(3, 0);
        assert_eq!((draw.below(0), draw.below(1)), (0, 0));
        for bound in 2..200 {
            assert!(draw.below(bound) < bound);
        }
    }
}
