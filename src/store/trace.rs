//! `trace.parquet`: one row a segment of a trial.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, StringArray, UInt16Array, UInt32Array, UInt64Array};
use arrow::datatypes::DataType;
use base::error::Result;

use crate::parquet_file::ParquetFile;

/// A row of `trace.parquet`, in the order of its columns. Values are in the metric's own direction.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TraceRow {
    pub run: u32,
    pub repeat: u32,
    /// From 0 within the run, in the order of their starts.
    pub segment: u32,
    pub trial: u32,
    pub config_id: u32,
    pub curve_repeat: u16,
    pub worker: u32,
    pub start_ns: u64,
    pub end_ns: u64,
    /// The first epoch that it ran, or would have run.
    pub epoch_first: u16,
    /// Epochs of the trial so far, earlier segments included.
    pub epochs: u16,
    /// `completed`, `stopped`, `paused`, `failed` or `cut`.
    pub end_state: &'static str,
    /// By the value mode over the executed epochs.
    pub value: Option<f64>,
    /// What the sampler was told.
    pub reported: Option<f64>,
    /// From the proposed point to the row, where a point was proposed.
    pub snap_distance: Option<f64>,
    /// Charged before the first epoch.
    pub overhead_ns: u64,
}

/// `trace.parquet` in the making.
pub struct TraceFile(ParquetFile);

impl std::fmt::Debug for TraceFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TraceFile").finish_non_exhaustive()
    }
}

impl TraceFile {
    /// Opens it under another name, see [`Self::finish`].
    pub fn create(path: &Path) -> Result<Self> {
        use DataType::{Float64, UInt16, UInt32, UInt64, Utf8};
        let columns = [
            ("run", UInt32, false),
            ("repeat", UInt32, false),
            ("segment", UInt32, false),
            ("trial", UInt32, false),
            ("config_id", UInt32, false),
            ("curve_repeat", UInt16, false),
            ("worker", UInt32, false),
            ("start_ns", UInt64, false),
            ("end_ns", UInt64, false),
            ("epoch_first", UInt16, false),
            ("epochs", UInt16, false),
            ("end_state", Utf8, false),
            ("value", Float64, true),
            ("reported", Float64, true),
            ("snap_distance", Float64, true),
            ("overhead_ns", UInt64, false),
        ];
        ParquetFile::create("--trace", path, &columns).map(Self)
    }

    /// Appends rows.
    pub fn write(&mut self, rows: &[TraceRow]) -> Result<()> {
        let u32s = |get: fn(&TraceRow) -> u32| -> ArrayRef {
            Arc::new(UInt32Array::from_iter_values(rows.iter().map(get)))
        };
        let u16s = |get: fn(&TraceRow) -> u16| -> ArrayRef {
            Arc::new(UInt16Array::from_iter_values(rows.iter().map(get)))
        };
        let u64s = |get: fn(&TraceRow) -> u64| -> ArrayRef {
            Arc::new(UInt64Array::from_iter_values(rows.iter().map(get)))
        };
        let f64s = |get: fn(&TraceRow) -> Option<f64>| -> ArrayRef {
            Arc::new(rows.iter().map(get).collect::<Float64Array>())
        };
        self.0.write(vec![
            u32s(|r| r.run),
            u32s(|r| r.repeat),
            u32s(|r| r.segment),
            u32s(|r| r.trial),
            u32s(|r| r.config_id),
            u16s(|r| r.curve_repeat),
            u32s(|r| r.worker),
            u64s(|r| r.start_ns),
            u64s(|r| r.end_ns),
            u16s(|r| r.epoch_first),
            u16s(|r| r.epochs),
            Arc::new(StringArray::from_iter_values(rows.iter().map(|r| r.end_state))),
            f64s(|r| r.value),
            f64s(|r| r.reported),
            f64s(|r| r.snap_distance),
            u64s(|r| r.overhead_ns),
        ])
    }

    /// Completes the file and puts it in its place.
    pub fn finish(self) -> Result<()> {
        self.0.finish()
    }
}
