//! Record keys of posts: times that sort as text.
//!
//! Decided here: how a time and a few random bits become 13 characters and back. Which time is the caller's choice.
//!
//! Source: AT Protocol specification, "Timestamp Identifiers": bit 63 is 0, then 53 bits of microseconds since 1970, then 10
//! bits that tell clocks apart; big-endian in the sortable base 32.

use std::fmt;

use domain::time::UtcTime;

const ALPHABET: [char; 32] = [
    '2', '3', '4', '5', '6', '7', 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o', 'p', 'q',
    'r', 's', 't', 'u', 'v', 'w', 'x', 'y', 'z',
];
const LENGTH: usize = 13;
const CLOCK_BITS: u32 = 10;
const MICROS_MASK: u64 = (1 << 53) - 1;
const CLOCK_MASK: u64 = (1 << CLOCK_BITS) - 1;

/// A record key made of a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Tid(u64);

impl Tid {
    /// Makes a key of a moment, to the microsecond, and 10 bits of `clock`. Moments before 1970 count as 1970.
    pub(crate) fn new(time: UtcTime, clock: u16) -> Self {
        let micros = u64::try_from(time.micros()).unwrap_or(0) & MICROS_MASK;
        Self((micros << CLOCK_BITS) | (u64::from(clock) & CLOCK_MASK))
    }

    /// Reads a key; `None` where it is none.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if text.chars().count() != LENGTH {
            return None;
        }
        let mut value: u128 = 0;
        for c in text.chars() {
            let digit = ALPHABET.iter().position(|known| *known == c)?;
            value = (value << 5) | u128::try_from(digit).ok()?;
        }
        u64::try_from(value).ok().filter(|value| value >> 63 == 0).map(Self)
    }

    /// Returns the moment in the key.
    pub(crate) fn time(self) -> UtcTime {
        UtcTime::from_micros(i64::try_from(self.0 >> CLOCK_BITS).unwrap_or(i64::MAX))
    }
}

impl fmt::Display for Tid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (0..LENGTH).rev().try_for_each(|place| {
            let digit = (u128::from(self.0) >> (5 * place)) & 31;
            let c = usize::try_from(digit).ok().and_then(|digit| ALPHABET.get(digit)).copied().unwrap_or('2');
            write!(f, "{c}")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_key_known_from_the_network_gives_its_time() {
        // As the network's own library writes and reads them.
        let tid = Tid::parse("3jzfcijpj2z2a").unwrap();
        assert_eq!((tid.to_string().as_str(), tid.time().micros()), ("3jzfcijpj2z2a", 1_688_137_381_887_007));
        assert_eq!(Tid::new(UtcTime::from_micros(1_764_061_800_123_456), 9).to_string(), "3m6gymjen422d");
        assert_eq!(Tid::parse("2222222222222").unwrap(), Tid::new(UtcTime::from_micros(0), 0));
    }

    #[test]
    fn what_is_no_key_is_not_read() {
        for text in
            ["", "3jzfcijpj2z2", "3jzfcijpj2z2aa", "3JZFCIJPJ2Z2A", "1jzfcijpj2z2a", "zzzzzzzzzzzzz", "kjzfcijpj2z2a"]
        {
            assert_eq!(Tid::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn keys_are_read_back_and_sort_by_time(a in 0..(1_i64 << 53), b in 0..(1_i64 << 53), clock in 0..1024_u16) {
            let (first, second) = (Tid::new(UtcTime::from_micros(a), clock), Tid::new(UtcTime::from_micros(b), clock));
            prop_assert_eq!(Tid::parse(&first.to_string()), Some(first));
            prop_assert_eq!(first.time(), UtcTime::from_micros(a));
            prop_assert_eq!(first.to_string().cmp(&second.to_string()), a.cmp(&b));
        }
    }
}
