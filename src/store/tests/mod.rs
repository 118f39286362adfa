//! The store as its users meet it: whole agencies, written, read, killed, tampered with.

mod audit;
mod checkins;
mod crash;
mod memory;
mod open;
mod property;
mod reading;
mod secrets;
mod support;
mod writing;
