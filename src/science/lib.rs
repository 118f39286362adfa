//! The numbers: how an experiment's posts are laid out, how little or much that can show, whether their values may be
//! compared and what they then say about the variants, and what an audience is like.
//!
//! Knows variants, blocks, slots, values and ages; knows no posts, platforms or people. Pure: seeds and times come in as
//! arguments, all logarithms and exponentials are `libm`'s and all draws are this crate's own, so that the same input
//! gives the same bytes on every machine.
//!
//! Invariant: impossible input is an `Err` that names the argument; no NaN leaves the crate.

pub mod audience;
pub mod design;
pub mod draw;
pub mod guardrail;
pub mod inference;
pub mod validity;

mod special;
