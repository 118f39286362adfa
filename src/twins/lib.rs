//! Stand-in networks: servers that speak a platform's real protocol, with people who read, like and answer.
//!
//! Decided here: what each network answers to each request, and what its people do. Nothing here is shared with the
//! adapters, so that a misreading of a protocol cannot hide on both sides. How an audience reacts is `science::audience`'s.
//!
//! A twin is used over HTTP on loopback, where real clients can speak to it, or in this process, where time is virtual.
//! Either way it is the same router behind the same faults, and one journal says what it was asked and what it did.
//!
//! Invariant: a twin's state changes one request at a time, in the order of its journal; the same seed, times and requests
//! give the same answers, byte for byte.

mod bluesky;
mod fault;
mod journal;
mod serve;

#[cfg(test)]
mod tests;

pub use bluesky::{Audience, BlueskyTwin, Counts, DEFAULT_BASE, Effect, Made, Maker, On, Person, Refused, Visible};
pub use fault::{Fault, Lost, Rates};
pub use journal::{Entry, JournalError};
