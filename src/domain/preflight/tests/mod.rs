//! What the guards' tests share. What each guard promises is tested beside it.

pub(crate) mod fixture;
