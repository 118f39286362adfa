//! The calendar (D): slots, the layers that keep experiments apart, and the pacing that keeps accounts alive.
//!
//! Decides where posts may stand in time. `quiet` reads wall times; `pacing` says how close two posts may be; `layer`
//! keeps one experiment to a namespace; `plan` chooses slots and draws the labels from a recorded seed.

pub mod layer;
pub mod pacing;
pub mod plan;
pub mod quiet;
