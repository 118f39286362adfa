//! The design against published numbers. What each room promises is tested beside it.

mod oracle;
