//! The replay engine: clock, event loop, runs and studies.

pub mod run_row;
