//! `verify` as JSON.

use schemars::JsonSchema;
use serde::Serialize;

/// What running a study's results anew came to.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct VerifiedDocument<'a> {
    /// Whether all files are the same, byte by byte.
    pub(crate) same: bool,
    /// Rows of `runs.parquet`.
    pub(crate) rows: usize,
    /// The version of the program that made the results.
    pub(crate) made_by: &'a str,
    /// This program's.
    pub(crate) checked_by: &'a str,
    /// `runs.parquet` and `trace.parquet`.
    pub(crate) files: Vec<VerifiedFile<'a>>,
    /// The first row that differs, in words.
    pub(crate) first_difference: Option<&'a str>,
}

/// One file of the results.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct VerifiedFile<'a> {
    /// Its name in the study's directory.
    pub(crate) file: &'a str,
    /// Whether it is the same, byte by byte.
    pub(crate) same: bool,
    /// Of the file in the directory.
    pub(crate) sha256: &'a str,
    /// Of the one that was made now.
    pub(crate) sha256_now: &'a str,
}
