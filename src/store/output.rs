//! Where the runs of a grid go.

use std::path::{Path, PathBuf};

use base::error::{Result, fault};

use crate::columns::{ColumnSpec, Row};
use crate::foreign::has_columns;
use crate::place::{Place, Replacing};
use crate::runs::{RunRow, RunsFile};
use crate::trace::{TraceFile, TraceRow};

/// The option that names the file of runs, in messages.
pub(crate) const RUNS_OPTION: &str = "--out";
/// The option that names the trace, in messages.
pub(crate) const TRACE_OPTION: &str = "--trace";

/// Places for the files of a replay that may be written.
#[derive(Debug)]
pub struct Places {
    runs: Option<(PathBuf, Place)>,
    trace: Option<(PathBuf, Place)>,
}

impl Places {
    /// Sees that nothing of value stands there; see [`Output::open`]. `-` is standard output.
    ///
    /// # Errors
    ///
    /// What exists and is no file of the same kind that this program wrote, unless it is forced;
    /// inputs, directories, FIFOs, devices; one place for both files.
    pub fn check(
        runs: Option<&Path>,
        trace: Option<&Path>,
        replacing: &Replacing<'_>,
    ) -> Result<Self> {
        let runs = place(RUNS_OPTION, runs, RunRow::columns(), replacing)?;
        let trace = place(TRACE_OPTION, trace, TraceRow::columns(), replacing)?;
        if let (Some((_, runs)), Some((path, trace))) = (&runs, &trace)
            && runs == trace
        {
            let rule = "runs and trace are two files";
            return Err(fault(TRACE_OPTION, "file", path.display(), rule, "name another file"));
        }
        Ok(Self { runs, trace })
    }
}

fn place(
    option: &str,
    path: Option<&Path>,
    columns: &[ColumnSpec],
    replacing: &Replacing<'_>,
) -> Result<Option<(PathBuf, Place)>> {
    let Some(path) = path else { return Ok(None) };
    Ok(Some((
        path.to_path_buf(),
        Place::of(option, path, &|path| has_columns(path, columns), replacing)?,
    )))
}

/// The files of a replay, or of a part of a study.
#[derive(Debug)]
pub struct Output {
    runs: Option<RunsFile>,
    trace: Option<TraceFile>,
}

impl Output {
    /// Opens what was asked for, so that a place that cannot be written is found before the work.
    pub fn create(runs: Option<&Path>, trace: Option<&Path>) -> Result<Self> {
        Self::open(Places::check(runs, trace, &Replacing::default())?)
    }

    /// Opens the files under other names, see [`Self::finish`].
    ///
    /// # Errors
    ///
    /// A place that cannot be written.
    pub fn open(places: Places) -> Result<Self> {
        Ok(Self {
            runs: places.runs.map(|(path, place)| RunsFile::at(&path, place)).transpose()?,
            trace: places.trace.map(|(path, place)| TraceFile::at(&path, place)).transpose()?,
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

    /// The same under other names in the same directory.
    pub(crate) fn finish_as(mut self, runs: &Path, trace: &Path) -> Result<()> {
        if let Some(file) = &mut self.runs {
            file.rename(runs);
        }
        if let Some(file) = &mut self.trace {
            file.rename(trace);
        }
        self.finish()
    }
}
