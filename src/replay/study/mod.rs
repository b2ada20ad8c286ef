//! A grid of runs: tables x samplers x schedulers x stoppers x workers, each repeated.
//!
//! Runs are numbered along the grid, so that a run's number, like everything else it writes, is the
//! same at any thread count.

mod cell;
mod definition;
mod grid;
mod order_file;
mod output;
mod parquet_file;
mod parts;
mod runs_file;
mod trace_file;

pub use definition::StudyDefinition;
pub use grid::{BLOCK_RUNS, Block, Grid, RunOptions, RunRecord};
pub use order_file::read_orders;
pub use output::Output;
pub use parts::Parts;
pub use runs_file::RunsFile;
pub use trace_file::TraceFile;
