//! `runs.parquet`: one row a run and goal.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Float64Array, StringArray, UInt16Array, UInt32Array, UInt64Array,
};
use arrow::datatypes::DataType;
use base::error::Result;

use super::row::RunRow;
use crate::parquet_file::ParquetFile;

/// `runs.parquet` in the making.
pub struct RunsFile(ParquetFile);

impl std::fmt::Debug for RunsFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RunsFile").finish_non_exhaustive()
    }
}

impl RunsFile {
    /// Opens it under another name, see [`Self::finish`].
    pub fn create(path: &Path) -> Result<Self> {
        use DataType::{Boolean, Float64, UInt16, UInt32, UInt64, Utf8};
        let columns = [
            ("run", UInt32, false),
            ("table", Utf8, false),
            ("sampler", Utf8, false),
            ("scheduler", Utf8, false),
            ("stopper", Utf8, false),
            ("report", Utf8, false),
            ("value", Utf8, false),
            ("workers", UInt32, false),
            ("goal", Utf8, false),
            ("goal_value", Float64, false),
            ("goal_rows", UInt32, false),
            ("repeat", UInt32, false),
            ("seed", UInt64, false),
            ("reached", Boolean, false),
            ("time_to_goal_s", Float64, true),
            ("time_to_goal_epoch_s", Float64, true),
            ("trials_to_goal", UInt32, true),
            ("epochs_to_goal", UInt64, true),
            ("end_s", Float64, false),
            ("trials", UInt32, false),
            ("epochs", UInt64, false),
            ("stopped_trials", UInt32, false),
            ("end_reason", Utf8, false),
            ("table_share", Float64, false),
            ("snap_distance_median", Float64, true),
            ("settings", Utf8, false),
            ("overhead_s", Float64, false),
            ("selected_config", UInt32, true),
            ("selected_epoch", UInt16, true),
            ("selected_value", Float64, true),
            ("selected_test", Float64, true),
        ];
        ParquetFile::create("--out", path, &columns).map(Self)
    }

    /// Appends rows.
    pub fn write(&mut self, rows: &[&RunRow]) -> Result<()> {
        let text = |get: fn(&RunRow) -> &str| -> ArrayRef {
            Arc::new(StringArray::from_iter_values(rows.iter().map(|r| get(r))))
        };
        let u32s = |get: fn(&RunRow) -> u32| -> ArrayRef {
            Arc::new(UInt32Array::from_iter_values(rows.iter().map(|r| get(r))))
        };
        let u64s = |get: fn(&RunRow) -> u64| -> ArrayRef {
            Arc::new(UInt64Array::from_iter_values(rows.iter().map(|r| get(r))))
        };
        let f64s = |get: fn(&RunRow) -> f64| -> ArrayRef {
            Arc::new(Float64Array::from_iter_values(rows.iter().map(|r| get(r))))
        };
        let maybe_f64s = |get: fn(&RunRow) -> Option<f64>| -> ArrayRef {
            Arc::new(rows.iter().map(|r| get(r)).collect::<Float64Array>())
        };
        self.0.write(vec![
            u32s(|r| r.run),
            text(|r| &r.table),
            text(|r| &r.sampler),
            text(|r| &r.scheduler),
            text(|r| &r.stopper),
            text(|r| &r.report),
            text(|r| &r.value),
            u32s(|r| r.workers),
            text(|r| &r.goal),
            f64s(|r| r.goal_value),
            u32s(|r| r.goal_rows),
            u32s(|r| r.repeat),
            u64s(|r| r.seed),
            Arc::new(rows.iter().map(|r| Some(r.reached)).collect::<BooleanArray>()),
            maybe_f64s(|r| r.time_to_goal_s),
            maybe_f64s(|r| r.time_to_goal_epoch_s),
            Arc::new(rows.iter().map(|r| r.trials_to_goal).collect::<UInt32Array>()),
            Arc::new(rows.iter().map(|r| r.epochs_to_goal).collect::<UInt64Array>()),
            f64s(|r| r.end_s),
            u32s(|r| r.trials),
            u64s(|r| r.epochs),
            u32s(|r| r.stopped_trials),
            text(|r| &r.end_reason),
            f64s(|r| r.table_share),
            maybe_f64s(|r| r.snap_distance_median),
            text(|r| &r.settings),
            f64s(|r| r.overhead_s),
            Arc::new(rows.iter().map(|r| r.selected_config).collect::<UInt32Array>()),
            Arc::new(rows.iter().map(|r| r.selected_epoch).collect::<UInt16Array>()),
            maybe_f64s(|r| r.selected_value),
            maybe_f64s(|r| r.selected_test),
        ])
    }

    /// Completes the file and puts it in its place.
    pub fn finish(self) -> Result<()> {
        self.0.finish()
    }
}
