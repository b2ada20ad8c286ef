//! `trace.parquet`: one row a segment of a trial.

use std::path::Path;

use base::error::Result;

use crate::columns::{self, Row, Source};
use crate::foreign::has_columns;
use crate::frame::Frame;
use crate::output::TRACE_OPTION;
use crate::parquet_file::ParquetFile;
use crate::place::{Place, Replacing};

crate::columns! {
    /// A row of `trace.parquet`, in the order of its columns. Values are in the metric's own
    /// direction.
    #[derive(Debug, Clone, Copy, PartialEq)]
    pub struct TraceRow {
        /// As in `runs.parquet`.
        run: u32,
        /// As in `runs.parquet`.
        repeat: u32,
        /// From 0 within the run, in the order of their starts.
        segment: u32,
        /// From 0 within the run, in the order of their starts.
        trial: u32,
        /// The row of the table that the trial runs.
        config_id: u32,
        /// Which of the row's recorded curves.
        curve_repeat: u16,
        /// From 0.
        worker: u32,
        /// Nanoseconds since the run began.
        start_ns: u64,
        /// Nanoseconds since the run began.
        end_ns: u64,
        /// The first epoch that it ran, or would have run.
        epoch_first: u16,
        /// Epochs of the trial so far, earlier segments included.
        epochs: u16,
        /// `completed`, `stopped`, `paused`, `failed` or `cut`.
        end_state: &'static str,
        /// By the value mode over the executed epochs.
        value: Option<f64>,
        /// What the sampler was told.
        reported: Option<f64>,
        /// From the proposed point to the row, where a point was proposed.
        snap_distance: Option<f64>,
        /// Charged before the first epoch.
        overhead_ns: u64,
    }

    /// One row, borrowed from wherever it stands.
    #[derive(Debug, Clone, Copy)]
    pub borrowed TraceRecord
}

const SOURCE: Source = Source { file: "trace.parquet", written_by: "curvebook replay --trace" };

/// Reads a file that may hold the columns in another order, and hands on each row.
///
/// # Errors
///
/// See [`columns::read`].
pub fn read(path: &Path, sink: impl FnMut(&TraceRecord<'_>) -> Result<()>) -> Result<()> {
    columns::read::<TraceRow>(path, SOURCE, sink)
}

/// The whole file as it stands, for another program.
///
/// # Errors
///
/// See [`columns::frame`].
pub fn frame(path: &Path) -> Result<Frame> {
    columns::frame::<TraceRow>(path, SOURCE)
}

/// `trace.parquet` in the making.
#[derive(Debug)]
pub struct TraceFile(ParquetFile);

impl TraceFile {
    /// Opens it under another name, see [`Self::finish`].
    ///
    /// # Errors
    ///
    /// A place that cannot be written.
    pub fn create(path: &Path) -> Result<Self> {
        let is_ours = |path: &Path| has_columns(path, TraceRow::columns());
        let place = Place::of(TRACE_OPTION, path, &is_ours, &Replacing::default())?;
        Self::at(path, place)
    }

    /// The same at a place that has been looked at.
    pub(crate) fn at(path: &Path, place: Place) -> Result<Self> {
        ParquetFile::create(TRACE_OPTION, path, place, TraceRow::columns()).map(Self)
    }

    /// Another name for it.
    pub(crate) fn rename(&mut self, path: &Path) {
        self.0.rename(path);
    }

    /// Appends rows.
    ///
    /// # Errors
    ///
    /// A disk that cannot be written.
    pub fn write(&mut self, rows: &[TraceRow]) -> Result<()> {
        let rows: Vec<&TraceRow> = rows.iter().collect();
        self.0.write(TraceRow::cells(&rows))
    }

    /// Completes the file and puts it in its place.
    ///
    /// # Errors
    ///
    /// A disk that cannot be written.
    pub fn finish(self) -> Result<()> {
        self.0.finish()
    }
}
