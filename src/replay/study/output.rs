//! Where the runs of a grid go: files, if asked for, and the rows to analyse.

use std::path::Path;

use super::grid::{Block, Grid};
use super::runs_file::RunsFile;
use super::trace_file::TraceFile;
use crate::error::Result;
use crate::replay::Pool;
use crate::replay::run_row::RunRow;

/// The files of a replay or study, opened before the first run.
#[derive(Debug)]
pub struct Output {
    runs: Option<RunsFile>,
    trace: Option<TraceFile>,
}

impl Output {
    /// Opens what was asked for, so that a place that cannot be written is found before the work.
    pub fn create(runs: Option<&Path>, trace: Option<&Path>) -> Result<Self> {
        Ok(Self {
            runs: runs.map(RunsFile::create).transpose()?,
            trace: trace.map(TraceFile::create).transpose()?,
        })
    }

    /// Runs a grid on one table into the files and returns its rows. `progress` is told how many
    /// runs are done.
    pub fn run(
        &mut self,
        grid: &Grid,
        pool: &Pool,
        first_run: u32,
        threads: usize,
        progress: &dyn Fn(u64),
    ) -> Result<Vec<RunRow>> {
        let mut rows = Vec::new();
        grid.run(pool, first_run, threads, self.trace.is_some(), |block: Block| {
            if let Some(trace) = &mut self.trace {
                trace.write(pool, &block)?;
            }
            let count = block.len() as u64;
            let start = rows.len();
            rows.extend(block.into_iter().flat_map(|run| run.rows));
            if let Some(runs) = &mut self.runs {
                runs.write(&rows[start..])?;
            }
            progress(count);
            Ok(())
        })?;
        Ok(rows)
    }

    /// Completes the files and puts them in their places.
    pub fn finish(self) -> Result<()> {
        // The trace first: whoever sees `runs.parquet` may rely on the rest.
        if let Some(trace) = self.trace {
            trace.finish()?;
        }
        self.runs.map_or(Ok(()), RunsFile::finish)
    }
}
