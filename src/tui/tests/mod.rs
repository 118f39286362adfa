//! Tests of the whole dashboard, without a terminal.
