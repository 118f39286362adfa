//! Tests of the whole dashboard, without a terminal.

mod alerts;
mod day;
mod decision;
mod demo;
mod desk;
mod fixture;
mod flow;
mod foreign;
mod invariants;
mod items;
mod keys;
mod later;
mod outcome;
mod panes;
mod pictures;
mod play;
mod presence;
mod remembered;
mod rounds;
mod rows;
mod screens;
mod stops;
mod tasks;
