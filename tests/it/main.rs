//! Integration tests, one binary.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "goldens are read as f64; counts are small"
)]

mod analysis;
mod analysis_json;
mod analysis_statistics;
mod command_line;
mod command_line_chain;
mod command_line_json;
mod command_line_runs;
mod data;
mod engine;
mod model;
mod networks;
mod random_search;
mod replay_common;
mod replay_foreign;
mod replay_golden;
mod runs_files;
mod sameness;
mod stoppers;
mod table_common;
mod table_faults;
mod table_foreign;
mod table_round_trip;
mod tidy;
mod trainer;
