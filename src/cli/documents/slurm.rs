//! `slurm` as JSON.

use schemars::JsonSchema;
use serde::Serialize;

/// The scripts of an array of jobs.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct SlurmWritten {
    /// The script of the tasks.
    pub(crate) array: String,
    /// The script that makes one result of theirs.
    pub(crate) end: String,
    /// The numbers of the two jobs; null where they were not submitted.
    pub(crate) jobs: Option<Vec<String>>,
}

/// How far an array of jobs is.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct SlurmStatus<'a> {
    /// `train` or `study`.
    pub(crate) work: &'a str,
    /// Each task by its number: `waiting`, `begun` or `done`.
    pub(crate) tasks: Vec<&'a str>,
    /// Tasks that are done.
    pub(crate) done: usize,
    /// Tasks that have written something and are not done.
    pub(crate) begun: usize,
    /// Tasks that have written nothing.
    pub(crate) waiting: usize,
    /// Whether the one result of all tasks is there.
    pub(crate) ended: bool,
}
