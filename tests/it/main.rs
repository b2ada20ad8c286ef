//! Integration tests, one binary.

mod analysis;
mod analysis_json;
mod runs_files;
