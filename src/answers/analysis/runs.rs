//! The rows of `runs.parquet` as one data frame of numbers, whatever they came from.

use std::ops::Range;
use std::path::PathBuf;

use base::error::{Result, internal};
use base::stats::Interval;
use polars::prelude::DataFrame;
use store::runs::RunRow;

use super::Method;
use super::builder::{COUNTS, NO_COUNT, NUMBERS, RunsBuilder, from_files};
use super::record::END_REASONS;

/// What one row takes in a [`Runs`].
pub const ROW_BYTES: usize = COUNTS.len() * 4 + 8 + NUMBERS.len() * 8;

/// Runs from one study or several files, as [`analyze`](super::analyze) takes them.
///
/// A row is [`ROW_BYTES`] = 116 bytes of numbers, and the texts of methods and goals stand once. So
/// a million rows take 116 MB; while [`RunsBuilder::finish`] sorts them, one column more.
#[derive(Debug, Clone)]
pub struct Runs {
    /// Sorted by (goal, method, repeat, seed).
    pub(super) frame: DataFrame,
    /// In the order of first appearance, as are the goals.
    pub(super) methods: Vec<Method>,
    pub(super) goals: Vec<GoalName>,
    pub(super) thresholds: Vec<Threshold>,
    pub(super) groups: Vec<GroupRows>,
}

/// A goal as it was asked for, on its table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct GoalName {
    pub table: String,
    pub goal: String,
}

/// What a goal stood for in some runs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Threshold {
    /// An index into [`Runs::goals`].
    pub goal: usize,
    pub value: f64,
    /// Rows of the table that meet it.
    pub rows: u32,
}

/// The rows of one goal and method: they stand together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct GroupRows {
    pub goal: usize,
    pub method: usize,
    pub rows: Range<usize>,
}

impl Runs {
    /// Starts with no rows: for studies that hand on their rows block by block.
    pub fn builder() -> RunsBuilder {
        RunsBuilder::default()
    }

    /// Runs that have just been made. No rows, a row that contradicts itself and a run that stands
    /// there twice are faults, here and in [`Self::from_files`].
    pub fn from_rows(rows: &[RunRow]) -> Result<Self> {
        let mut builder = Self::builder();
        builder.push(rows)?;
        builder.finish()
    }

    /// The runs of one or several files of the layout of `runs.parquet`: columns in any order, any
    /// integer width, f32 or f64, more columns ignored. The columns from `settings` on may be
    /// missing: they are read as "", 0 and null.
    pub fn from_files(paths: &[PathBuf]) -> Result<Self> {
        from_files(paths)
    }

    /// How many rows there are: one a run and goal.
    pub fn len(&self) -> usize {
        self.frame.height()
    }

    /// Whether there is nothing to analyse.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All columns as slices.
    pub(super) fn columns(&self) -> Result<Columns<'_>> {
        let failed = |e| internal("reading a column", e);
        let counts = |name: &str| -> Result<&[u32]> {
            let column = self.frame.column(name).and_then(|c| c.u32()).map_err(failed)?;
            column.cont_slice().map_err(failed)
        };
        let numbers = |name: &str| -> Result<&[f64]> {
            let column = self.frame.column(name).and_then(|c| c.f64()).map_err(failed)?;
            column.cont_slice().map_err(failed)
        };
        let seed = self.frame.column("seed").and_then(|c| c.u64()).map_err(failed)?;
        Ok(Columns {
            threshold: counts("threshold")?,
            repeat: counts("repeat")?,
            seed: seed.cont_slice().map_err(failed)?,
            end_reason: counts("end_reason")?,
            trials: counts("trials")?,
            stopped_trials: counts("stopped_trials")?,
            trials_to_goal: counts("trials_to_goal")?,
            time_to_goal_s: numbers("time_to_goal_s")?,
            time_to_goal_epoch_s: numbers("time_to_goal_epoch_s")?,
            end_s: numbers("end_s")?,
            epochs: numbers("epochs")?,
            epochs_to_goal: numbers("epochs_to_goal")?,
            table_share: numbers("table_share")?,
            snap_distance_median: numbers("snap_distance_median")?,
            overhead_s: numbers("overhead_s")?,
            selected_value: numbers("selected_value")?,
            selected_test: numbers("selected_test")?,
        })
    }
}

/// Columns of some rows that stand together. NaN where a number is missing.
#[derive(Debug, Clone, Copy)]
pub(super) struct Columns<'a> {
    /// An index into [`Runs::thresholds`].
    pub threshold: &'a [u32],
    pub repeat: &'a [u32],
    pub seed: &'a [u64],
    /// An index into [`END_REASONS`].
    pub end_reason: &'a [u32],
    pub trials: &'a [u32],
    pub stopped_trials: &'a [u32],
    trials_to_goal: &'a [u32],
    pub time_to_goal_s: &'a [f64],
    pub time_to_goal_epoch_s: &'a [f64],
    pub end_s: &'a [f64],
    pub epochs: &'a [f64],
    pub epochs_to_goal: &'a [f64],
    pub table_share: &'a [f64],
    pub snap_distance_median: &'a [f64],
    pub overhead_s: &'a [f64],
    pub selected_value: &'a [f64],
    pub selected_test: &'a [f64],
}

impl Columns<'_> {
    pub(super) fn slice(&self, rows: Range<usize>) -> Self {
        let at = || rows.clone();
        Self {
            threshold: &self.threshold[at()],
            repeat: &self.repeat[at()],
            seed: &self.seed[at()],
            end_reason: &self.end_reason[at()],
            trials: &self.trials[at()],
            stopped_trials: &self.stopped_trials[at()],
            trials_to_goal: &self.trials_to_goal[at()],
            time_to_goal_s: &self.time_to_goal_s[at()],
            time_to_goal_epoch_s: &self.time_to_goal_epoch_s[at()],
            end_s: &self.end_s[at()],
            epochs: &self.epochs[at()],
            epochs_to_goal: &self.epochs_to_goal[at()],
            table_share: &self.table_share[at()],
            snap_distance_median: &self.snap_distance_median[at()],
            overhead_s: &self.overhead_s[at()],
            selected_value: &self.selected_value[at()],
            selected_test: &self.selected_test[at()],
        }
    }

    /// How many rows.
    pub(super) fn len(&self) -> usize {
        self.repeat.len()
    }

    /// Whether the run of a row was cut before it could tell.
    pub(super) fn is_censored(&self, row: usize) -> bool {
        END_REASONS[self.end_reason[row] as usize].censors()
    }

    /// What is known of something that happens at `value`, NaN where it has not by `watched`:
    /// infinite where the run exhausted everything, above `watched` where it was cut.
    pub(super) fn bounds(&self, row: usize, value: f64, watched: f64) -> Interval {
        if !value.is_nan() {
            Interval::exact(value)
        } else if self.is_censored(row) {
            Interval { low: watched, high: f64::INFINITY }
        } else {
            Interval::exact(f64::INFINITY)
        }
    }

    /// Trials to the goal, NaN where it was not reached.
    pub(super) fn trials_to_goal(&self, row: usize) -> f64 {
        match self.trials_to_goal[row] {
            NO_COUNT => f64::NAN,
            trials => f64::from(trials),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use replay::EndReason;

    fn row(repeat: u32) -> RunRow {
        RunRow {
            run: repeat,
            table: "digits".into(),
            sampler: "random".into(),
            scheduler: "fifo".into(),
            stopper: "etr2:p=0.9,q=0.75,gap=ratio,delta=0.05,empty=first,reference=final".into(),
            report: "best".into(),
            value: "best".into(),
            workers: 1,
            goal: "top:0.005".into(),
            goal_value: 0.98,
            goal_rows: 10,
            repeat,
            seed: 0,
            reached: false,
            time_to_goal_s: None,
            time_to_goal_epoch_s: None,
            trials_to_goal: None,
            epochs_to_goal: None,
            end_s: 5.0,
            trials: 10,
            epochs: 30,
            stopped_trials: 5,
            end_reason: EndReason::Budget.word().to_string(),
            table_share: 0.02,
            snap_distance_median: None,
            settings: "restart".into(),
            overhead_s: 0.0,
            selected_config: None,
            selected_epoch: None,
            selected_value: None,
            selected_test: None,
        }
    }

    #[test]
    fn a_row_takes_what_is_said_of_it() {
        let runs = Runs::from_rows(&(0..1_000).map(row).collect::<Vec<_>>()).unwrap();
        assert_eq!((ROW_BYTES, runs.len()), (116, 1_000));
        assert_eq!(runs.frame.estimated_size(), 1_000 * ROW_BYTES);
        assert_eq!((runs.methods.len(), runs.thresholds.len(), runs.groups.len()), (1, 1, 1));
        let columns = runs.columns().unwrap();
        assert_eq!(columns.bounds(3, columns.trials_to_goal(3), 10.0).low, 10.0);
    }
}
