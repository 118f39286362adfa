//! The rules of the agency, pure: no clock, no randomness, no input or output.
//!
//! The modules stand in the order of an experiment's life: brief (A), variant (B), preflight (C), calendar, approval and
//! post (D), outcome, review, report and learning (G); then what stands beside it. Each rule is written once, here, in the
//! words that operators use. Times, seeds and facts come in as arguments; what a decision changed goes out as events.

pub mod brief;
pub mod variant;

pub mod preflight;

pub mod approval;
pub mod calendar;
pub mod experiment;
pub mod guardrail;
pub mod post;

pub mod learning;
pub mod outcome;
pub mod report;
pub mod review;
pub mod snapshot;

pub mod account;
pub mod actor;
pub mod agency;
pub mod checkin;
pub mod client;
pub mod engagement;
pub mod escalation;
pub mod hold;
pub mod role;
pub mod surface;

pub mod aggregate;
pub mod hash;
pub mod id;
pub mod refusal;
pub mod secret;
pub mod text;
pub mod time;
