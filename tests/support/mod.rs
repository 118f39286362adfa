//! What the end-to-end tests stand on: a real social network of their own, and a road to it that can be made bad.
//!
//! `agency` drives the program; the rest knows nothing of it: these are the other people, the servers and the wire. What is
//! expected of the program is said in the tests themselves. A failure to set the ground up is a failed test, in words that name what is missing.
#![allow(dead_code, reason = "each test file takes what it needs of this and leaves the rest")]

pub(crate) mod agency;
pub(crate) mod answer;
pub(crate) mod bluesky;
pub(crate) mod faulty_proxy;
pub(crate) mod http;
pub(crate) mod shared;
pub(crate) mod stand_in;
pub(crate) mod terminal;
