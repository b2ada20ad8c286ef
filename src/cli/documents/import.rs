//! The document of `table import`.

use std::collections::BTreeMap;

use app::import::Quirk;
use schemars::JsonSchema;
use serde::Serialize;

/// What an import came to.
#[derive(Debug, Serialize, JsonSchema)]
pub(in super::super) struct Imported {
    /// The directory of the new table.
    pub(in super::super) table: String,
    /// Its configurations.
    pub(in super::super) configs: u32,
    /// Epochs of a complete curve.
    pub(in super::super) epochs: u16,
    /// Trainings of a configuration, at most.
    pub(in super::super) repeats: u16,
    /// Rows of its curves, with those that fill gaps.
    pub(in super::super) recorded_epochs: u64,
    /// Rows of the source.
    pub(in super::super) rows_read: u64,
    /// Of these, the rows that came into the table.
    pub(in super::super) rows_kept: u64,
    /// Configurations of each status that occurs.
    pub(in super::super) statuses: BTreeMap<&'static str, usize>,
    /// The hyperparameters with their ranges, in words.
    pub(in super::super) parameters: BTreeMap<String, String>,
    /// What was done with the source beside reading it.
    pub(in super::super) quirks: Vec<Quirk>,
    /// Numbers that are probably not what a replay takes them for.
    pub(in super::super) warnings: Vec<String>,
}
