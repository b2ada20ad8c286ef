//! Where the runs of a grid go.

use std::path::Path;

use base::error::Result;

use crate::runs::{RunRow, RunsFile};
use crate::trace::{TraceFile, TraceRow};

/// The files of a replay, or of a part of a study.
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

    /// Whether segments are wanted.
    pub fn wants_trace(&self) -> bool {
        self.trace.is_some()
    }

    /// Appends what some runs came to, and their segments.
    pub fn write(&mut self, rows: &[&RunRow], segments: &[TraceRow]) -> Result<()> {
        if let Some(trace) = &mut self.trace {
            trace.write(segments)?;
        }
        if let Some(runs) = &mut self.runs {
            runs.write(rows)?;
        }
        Ok(())
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
