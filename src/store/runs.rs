//! `runs.parquet`: one row a run and goal.
//!
//! A new column is a line of [`RunRow`], with `=> later`, and the place that computes it, in
//! `app::runs`.

use std::path::Path;

use base::error::Result;

use crate::columns::{self, Row, Source};
use crate::foreign::has_columns;
use crate::frame::Frame;
use crate::output::RUNS_OPTION;
use crate::parquet_file::ParquetFile;
use crate::place::{Place, Replacing};

crate::columns! {
    /// A row of `runs.parquet`, in the order of its columns.
    #[derive(Debug, Clone, PartialEq, Default)]
    pub struct RunRow {
        /// From 0, over all tables of a study.
        run: u32,
        /// The name of the table that was replayed.
        table: String,
        /// Which table it was: equal where metric, space and files are, whatever its name. Empty
        /// where it is not known.
        table_hash: String => later,
        /// Canonical: the name with every parameter.
        sampler: String,
        /// Canonical, as `sampler`.
        scheduler: String,
        /// Canonical, as `sampler`.
        stopper: String,
        /// What a stopped trial told the sampler: `best`, `last`, ...
        report: String,
        /// What a trial's value is: its `best` executed epoch, or its `final` one.
        value: String,
        /// Trials at once.
        workers: u32,
        /// As asked: `0.992`, `top:0.005`, `rank:50`.
        goal: String,
        /// The threshold that the goal stands for, in the metric's own direction.
        goal_value: f64,
        /// Rows of the table whose full curve meets it.
        goal_rows: u32,
        /// From 0. Equal repeats of two methods are a pair: they share their random numbers.
        repeat: u32,
        /// The master seed.
        seed: u64,
        /// Whether the goal was met.
        reached: bool,
        /// The earliest end of a trial's segment whose executed value meets the goal.
        time_to_goal_s: Option<f64>,
        /// The earliest epoch end that meets the goal.
        time_to_goal_epoch_s: Option<f64>,
        /// Trials started by `time_to_goal_s`, that whole instant counted.
        trials_to_goal: Option<u32>,
        /// Epochs ended by `time_to_goal_s`, that whole instant counted.
        epochs_to_goal: Option<u64>,
        /// When the run ended.
        end_s: f64,
        /// Trials started.
        trials: u32,
        /// Epochs executed.
        epochs: u64,
        /// Trials that were stopped early.
        stopped_trials: u32,
        /// `goal`, `exhausted`, `budget`, `max_trials` or `ending`.
        end_reason: String,
        /// Trials started / rows of the table.
        table_share: f64,
        /// Median distance from a proposed point to its row; null where no point was proposed.
        snap_distance_median: Option<f64>,
        /// The settings that are not the default and have no column, as command-line options
        /// without their dashes, in a fixed order: `cost=flops restart`. Empty where all are.
        settings: String => later,
        /// What the optimiser itself was charged by `end_s`.
        overhead_s: f64 => later,
        /// The best trial by value at `end_s`, the earliest started of equals: what the
        /// experimenter would take home. Null where no trial has a value.
        selected_config: Option<u32> => later,
        /// The epoch of its value.
        selected_epoch: Option<u16> => later,
        /// Its value, in the metric's own direction.
        selected_value: Option<f64> => later,
        /// The metric on test images at that epoch, where the table has it. No method ever sees
        /// it.
        selected_test: Option<f64> => later,
        /// What the stopped trials would still have cost to the end of their curves.
        saved_s: Option<f64> => later,
        /// Trials started whose whole curve meets the goal.
        goal_rows_met: Option<u32> => later,
        /// Of these, the trials that were stopped early before their executed value met it.
        goal_rows_stopped: Option<u32> => later,
        /// How long workers had no trial by `end_s`, all together: `workers` times `end_s` less
        /// what the trace's segments lasted by then.
        idle_s: Option<f64> => later,
    }

    /// One row, borrowed from wherever it stands.
    #[derive(Debug, Clone, Copy)]
    pub borrowed Record
}

const SOURCE: Source = Source { file: "runs.parquet", written_by: "curvebook replay --out" };

/// Reads a file that may hold the columns in another order, and hands on each row.
///
/// # Errors
///
/// See [`columns::read`].
pub fn read(path: &Path, sink: impl FnMut(&Record<'_>) -> Result<()>) -> Result<()> {
    columns::read::<RunRow>(path, SOURCE, sink)
}

/// The whole file as it stands, for another program.
///
/// # Errors
///
/// See [`columns::frame`].
pub fn frame(path: &Path) -> Result<Frame> {
    columns::frame::<RunRow>(path, SOURCE)
}

/// `runs.parquet` in the making.
#[derive(Debug)]
pub struct RunsFile(ParquetFile);

impl RunsFile {
    /// Opens it under another name, see [`Self::finish`].
    ///
    /// # Errors
    ///
    /// A place that cannot be written.
    pub fn create(path: &Path) -> Result<Self> {
        let is_ours = |path: &Path| has_columns(path, RunRow::columns());
        let place = Place::of(RUNS_OPTION, path, &is_ours, &Replacing::default())?;
        Self::at(path, place)
    }

    /// The same at a place that has been looked at.
    pub(crate) fn at(path: &Path, place: Place) -> Result<Self> {
        ParquetFile::create(RUNS_OPTION, path, place, RunRow::columns()).map(Self)
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
    pub fn write(&mut self, rows: &[&RunRow]) -> Result<()> {
        self.0.write(RunRow::cells(rows))
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
