//! Tests of the whole dashboard, without a terminal.

mod demo;
mod desk;
mod fixture;
mod flow;
mod foreign;
mod invariants;
mod keys;
mod pictures;
mod screens;
mod tasks;
