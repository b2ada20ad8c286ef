//! The document of `table export`.

use schemars::JsonSchema;
use serde::Serialize;

/// What an export came to.
#[derive(Debug, Serialize, JsonSchema)]
pub(in super::super) struct Exported<'a> {
    /// The file or directory that was written.
    pub(in super::super) out: String,
    /// Its format.
    pub(in super::super) format: &'a str,
    /// Configurations that were written.
    pub(in super::super) configs: u32,
    /// Rows of csv and parquet-wide, steps of optuna, epochs of syne-tune.
    pub(in super::super) rows: u64,
    /// What the format has no place for.
    pub(in super::super) notes: &'a [String],
}
