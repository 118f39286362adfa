//! The program `expos`.
fn main() {}
