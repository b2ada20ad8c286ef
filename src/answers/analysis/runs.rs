//! The rows of `runs.parquet` as frames, whatever they came from.

use std::ops::Range;
use std::path::PathBuf;

use base::error::{Result, internal};
use polars::prelude::{Column, DataFrame, PolarsResult};
use replay::EndReason;
use store::runs::RunRow;

use super::Method;
use super::builder::{RunsBuilder, from_files};
use super::columns::{FACTS, KEYS, names, row_bytes};
use super::frames::{counts, join_in_order};
use super::record::END_REASONS;

/// What one row takes in a [`Runs`]: the number of its key, and its facts. A column with gaps takes
/// a bit more, which is not counted.
pub const ROW_BYTES: usize = size_of::<u32>() + row_bytes(&FACTS);

/// Runs from one study or several files, as [`analyze`](super::analyze) takes them.
///
/// A row is [`ROW_BYTES`] = 128 bytes, and the texts of methods and goals stand once. So a million
/// rows take 128 MB; while [`RunsBuilder::finish`] sorts them, one column more.
#[derive(Debug, Clone)]
pub struct Runs {
    /// A row a run and goal: the number of its `key`, then [`FACTS`]. Sorted by (goal, method,
    /// repeat, seed). `end_reason` is an index into [`END_REASONS`].
    pub(super) facts: DataFrame,
    /// A row a key: [`KEYS`], then the numbers of its goal, method and group.
    pub(super) keys: DataFrame,
    /// In the order of first appearance, as are the goals.
    pub(super) methods: Vec<Method>,
    pub(super) goals: Vec<GoalName>,
    pub(super) groups: Vec<GroupRows>,
}

/// A goal as it was asked for, on its table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct GoalName {
    pub table: String,
    pub goal: String,
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
        self.facts.height()
    }

    /// Whether there is nothing to analyse.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All rows as one frame with the columns of `runs.parquet` that answers are made of, texts
    /// written out: to group, pivot and export in ways that are not foreseen here. Sorted by goal
    /// and method, in the order of their first appearance, then by repeat and seed.
    ///
    /// # Errors
    /// None that is foreseen: what polars refuses is a bug.
    pub fn frame(&self) -> Result<DataFrame> {
        self.joined().map_err(|e| internal("joining runs with their methods", e))
    }

    fn joined(&self) -> PolarsResult<DataFrame> {
        let keys = self.keys.select(names(&KEYS))?.with_row_index("key".into(), None)?;
        let mut frame = join_in_order(&self.facts, &keys, &["key"])?;
        let words = Column::new("word".into(), END_REASONS.map(EndReason::word));
        let codes = counts(&frame, "end_reason");
        let mut words = words.take(codes)?;
        words.rename("end_reason".into());
        frame.with_column(words)?;
        frame.select(names(&KEYS).into_iter().chain(names(&FACTS)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::frames::{column, numbers};
    use super::*;

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
            settings: "restart".into(),
            saved_s: Some(1.0),
            goal_rows_met: Some(1),
            goal_rows_stopped: Some(0),
            ..RunRow::default()
        }
    }

    #[test]
    fn a_row_takes_what_is_said_of_it() {
        let runs = Runs::from_rows(&(0..1_000).map(row).collect::<Vec<_>>()).unwrap();
        assert_eq!((ROW_BYTES, runs.len()), (128, 1_000));
        let held = runs.facts.estimated_size();
        assert!((1_000 * ROW_BYTES..1_000 * (ROW_BYTES + 1)).contains(&held), "{held}");
        assert_eq!((runs.methods.len(), runs.keys.height(), runs.groups.len()), (1, 1, 1));
    }

    #[test]
    fn a_column_gives_back_every_row_across_its_blocks() {
        const STOPPERS: [&str; 3] = ["none", "etr1:tau=1,epsilon=0.05", "median"];
        const GOALS: [&str; 2] = ["top:0.005", "rank:1"];
        // More rows than two blocks of keys, and of facts; methods and goals that take turns.
        let all = (1_u32 << 17) + 3;
        let mut builder = Runs::builder();
        for at in 0..all {
            let mut row = row(at / 6);
            row.stopper = STOPPERS[(at % 3) as usize].into();
            row.goal = GOALS[(at % 2) as usize].into();
            row.workers = if at < 100_000 { 1 } else { 4 };
            row.end_s = f64::from(at);
            row.selected_value = (at % 5 == 0).then_some(f64::from(at) + 0.5);
            builder.push(&[row]).unwrap();
        }
        let runs = builder.finish().unwrap();
        // Six combinations, and six more with four workers.
        assert_eq!((runs.methods.len(), runs.goals.len(), runs.groups.len()), (6, 2, 12));
        assert_eq!(runs.groups.iter().map(|g| g.rows.len()).sum::<usize>(), all as usize);
        let frame = runs.frame().unwrap();
        assert_eq!((frame.height(), frame.width()), (all as usize, KEYS.len() + FACTS.len()));
        let text = |name: &str, row: usize| {
            column(&frame, name).str().unwrap().get(row).unwrap().to_string()
        };
        let mut seen = 0;
        for group in &runs.groups {
            let (method, goal) = (&runs.methods[group.method], &runs.goals[group.goal]);
            let mut before = None;
            for row in group.rows.clone() {
                let named = (text("stopper", row), text("goal", row), text("end_reason", row));
                assert_eq!((&named.0, &named.1), (&method.stopper, &goal.goal));
                assert_eq!(named.2, "budget");
                assert_eq!(counts(&frame, "workers").get(row), Some(method.workers));
                let repeat = counts(&frame, "repeat").get(row);
                assert!(repeat > before, "sorted by repeat");
                before = repeat;
                let end_s = numbers(&frame, "end_s").get(row).unwrap();
                // Of six rows that follow each other, each has another stopper and goal.
                let at = (0..6).map(|k| 6 * repeat.unwrap() + k).find(|at| {
                    (STOPPERS[(at % 3) as usize], GOALS[(at % 2) as usize])
                        == (named.0.as_str(), named.1.as_str())
                });
                assert_eq!(Some(end_s), at.map(f64::from));
                let value = numbers(&frame, "selected_value").get(row);
                assert_eq!(value, (end_s % 5.0 == 0.0).then_some(end_s + 0.5));
                seen += 1;
            }
        }
        assert_eq!(seen, all);
        assert_eq!(column(&frame, "time_to_goal_s").null_count(), all as usize);
    }
}
