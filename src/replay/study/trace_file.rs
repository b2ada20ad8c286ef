//! `trace.parquet`: one row a segment.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, StringArray, UInt16Array, UInt32Array, UInt64Array};
use arrow::datatypes::DataType;

use super::grid::RunRecord;
use super::parquet_file::ParquetFile;
use crate::error::Result;
use crate::replay::{Pool, Segment};

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

    /// Appends the segments of some runs on one table. Values are in the metric's own direction,
    /// null where there is none.
    pub fn write(&mut self, pool: &Pool, runs: &[RunRecord]) -> Result<()> {
        let segments = || runs.iter().flat_map(|run| run.segments.iter());
        let per_run = |get: fn(&RunRecord) -> u32| -> ArrayRef {
            let values = runs.iter().flat_map(|r| r.segments.iter().map(move |_| get(r)));
            Arc::new(UInt32Array::from_iter_values(values))
        };
        let u32s = |get: fn(&Segment) -> u32| -> ArrayRef {
            Arc::new(UInt32Array::from_iter_values(segments().map(get)))
        };
        let u16s = |get: fn(&Segment) -> u16| -> ArrayRef {
            Arc::new(UInt16Array::from_iter_values(segments().map(get)))
        };
        let u64s = |get: fn(&Segment) -> u64| -> ArrayRef {
            Arc::new(UInt64Array::from_iter_values(segments().map(get)))
        };
        let scores = |get: fn(&Segment) -> f64| -> ArrayRef {
            let values = segments().map(|s| Some(pool.value_of(get(s))).filter(|v| !v.is_nan()));
            Arc::new(values.collect::<Float64Array>())
        };
        let numbers = runs.iter().flat_map(|r| (0..).zip(&r.segments).map(|(at, _)| at));
        let states = segments().map(|s| s.end_state.word());
        self.0.write(vec![
            per_run(|r| r.run),
            per_run(|r| r.repeat),
            Arc::new(UInt32Array::from_iter_values(numbers)),
            u32s(|s| s.trial.0),
            u32s(|s| s.config.0),
            u16s(|s| s.curve_repeat),
            u32s(|s| s.worker),
            u64s(|s| s.start.0),
            u64s(|s| s.end.0),
            u16s(|s| s.epoch_first.0),
            u16s(|s| s.epochs.0),
            Arc::new(StringArray::from_iter_values(states)),
            scores(|s| s.value),
            scores(|s| s.reported),
            Arc::new(segments().map(|s| s.snap_distance).collect::<Float64Array>()),
            u64s(|s| s.overhead.0),
        ])
    }

    /// Completes the file and puts it in its place.
    pub fn finish(self) -> Result<()> {
        self.0.finish()
    }
}
