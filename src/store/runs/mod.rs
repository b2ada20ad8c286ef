//! `runs.parquet`: one row a run and goal.

mod file;
mod read;
mod row;

pub use file::RunsFile;
pub use read::read;
pub use row::{Record, RunRow};
