//! The rows of `runs.parquet` as one data frame, whatever they came from.

use std::path::PathBuf;

use polars::prelude::{Column, DataFrame, IntoColumn, PlSmallStr, StringChunkedBuilder};

use super::read;
use crate::error::{Result, fault, internal};
use crate::replay::run_row::RunRow;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Count,
    Number,
    Truth,
    /// A count that may be null: it did not happen.
    MaybeCount,
    /// A number that may be null.
    MaybeNumber,
}

/// The columns of `runs.parquet`, in order.
pub(super) const COLUMNS: [(&str, Kind); 25] = [
    ("run", Kind::Count),
    ("table", Kind::Text),
    ("sampler", Kind::Text),
    ("scheduler", Kind::Text),
    ("stopper", Kind::Text),
    ("report", Kind::Text),
    ("value", Kind::Text),
    ("workers", Kind::Count),
    ("goal", Kind::Text),
    ("goal_value", Kind::Number),
    ("goal_rows", Kind::Count),
    ("repeat", Kind::Count),
    ("seed", Kind::Count),
    ("reached", Kind::Truth),
    ("time_to_goal_s", Kind::MaybeNumber),
    ("time_to_goal_epoch_s", Kind::MaybeNumber),
    ("trials_to_goal", Kind::MaybeCount),
    ("epochs_to_goal", Kind::MaybeCount),
    ("end_s", Kind::Number),
    ("trials", Kind::Count),
    ("epochs", Kind::Count),
    ("stopped_trials", Kind::Count),
    ("end_reason", Kind::Text),
    ("table_share", Kind::Number),
    ("snap_distance_median", Kind::MaybeNumber),
];

/// Where a row came from: an index into the sources. Run numbers of several files may be the same;
/// (source, run) never is.
pub(super) const SOURCE: &str = "source";

/// Runs from one study or several files.
#[derive(Debug, Clone)]
pub struct Runs {
    pub(super) frame: DataFrame,
    pub(super) sources: Vec<String>,
}

impl Runs {
    /// Runs that have just been made.
    pub fn from_rows(rows: &[RunRow]) -> Result<Self> {
        let count =
            |of: fn(&RunRow) -> u64| Values::Count(rows.iter().map(|r| Some(of(r))).collect());
        let text = |of: fn(&RunRow) -> &str| {
            let mut all = StringChunkedBuilder::new(PlSmallStr::EMPTY, rows.len());
            for row in rows {
                all.append_value(of(row));
            }
            Values::Text(all)
        };
        let number =
            |of: fn(&RunRow) -> f64| Values::Number(rows.iter().map(|r| Some(of(r))).collect());
        let maybe = |of: fn(&RunRow) -> Option<f64>| Values::Number(rows.iter().map(of).collect());
        let values = vec![
            count(|r| r.run.into()),
            text(|r| &r.table),
            text(|r| &r.sampler),
            text(|r| &r.scheduler),
            text(|r| &r.stopper),
            text(|r| &r.report),
            text(|r| &r.value),
            count(|r| r.workers.into()),
            text(|r| &r.goal),
            number(|r| r.goal_value),
            count(|r| r.goal_rows.into()),
            count(|r| r.repeat.into()),
            count(|r| r.seed),
            Values::Truth(rows.iter().map(|r| r.reached).collect()),
            maybe(|r| r.time_to_goal_s),
            maybe(|r| r.time_to_goal_epoch_s),
            Values::Count(rows.iter().map(|r| r.trials_to_goal.map(u64::from)).collect()),
            Values::Count(rows.iter().map(|r| r.epochs_to_goal).collect()),
            number(|r| r.end_s),
            count(|r| r.trials.into()),
            count(|r| r.epochs),
            count(|r| r.stopped_trials.into()),
            text(|r| r.end_reason.word()),
            number(|r| r.table_share),
            maybe(|r| r.snap_distance_median),
        ];
        Self::from_values(values, "these runs".to_string())
    }

    /// The runs of one or several files of the layout of `runs.parquet`: columns in any order, any
    /// integer width, f32 or f64, more columns ignored.
    pub fn from_files(paths: &[PathBuf]) -> Result<Self> {
        let mut all: Option<Self> = None;
        for path in paths {
            let next = Self::from_values(read::read(path)?, path.display().to_string())?;
            match &mut all {
                None => all = Some(next),
                Some(all) => all.append(&next)?,
            }
        }
        all.ok_or_else(|| {
            let rule = "at least one file of runs is needed";
            fault(
                "command line",
                "RUNS.parquet",
                "missing",
                rule,
                "name the file that replay wrote",
            )
        })
    }

    /// Adds the runs of `other` below these; their sources stay apart.
    pub fn append(&mut self, other: &Self) -> Result<()> {
        let failed = |e| internal("joining runs", e);
        let shift = self.sources.len() as u64;
        let sources: Vec<u64> = other.counts(SOURCE)?.map(|s| s.unwrap_or(0) + shift).collect();
        let mut frame = other.frame.clone();
        frame.with_column(Column::new(SOURCE.into(), sources)).map_err(failed)?;
        self.frame.vstack_mut(&frame).map_err(failed)?;
        self.sources.extend_from_slice(&other.sources);
        Ok(())
    }

    /// How many rows there are: one a run and goal.
    pub fn len(&self) -> usize {
        self.frame.height()
    }

    /// Whether there is nothing to analyse.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn from_values(values: Vec<Values>, source: String) -> Result<Self> {
        assert_eq!(values.len(), COLUMNS.len(), "one list of values a column");
        let mut columns: Vec<Column> =
            values.into_iter().zip(COLUMNS).map(|(v, (name, _))| v.into_column(name)).collect();
        let height = columns[0].len();
        if height == 0 {
            let rule = "at least one run is needed";
            return Err(fault(source, "rows", 0, rule, "run `curvebook replay` with --out again"));
        }
        columns.push(Column::new(SOURCE.into(), vec![0_u64; height]));
        let frame = DataFrame::new(height, columns).map_err(|e| internal("holding runs", e))?;
        Ok(Self { frame, sources: vec![source] })
    }

    pub(super) fn counts(&self, name: &str) -> Result<impl Iterator<Item = Option<u64>>> {
        let column = self.frame.column(name).and_then(|c| c.u64());
        Ok(column.map_err(|e| internal("reading a column", e))?.iter())
    }

    pub(super) fn numbers(&self, name: &str) -> Result<impl Iterator<Item = Option<f64>>> {
        let column = self.frame.column(name).and_then(|c| c.f64());
        Ok(column.map_err(|e| internal("reading a column", e))?.iter())
    }

    pub(super) fn texts(&self, name: &str) -> Result<impl Iterator<Item = &str>> {
        let column = self.frame.column(name).and_then(|c| c.str());
        let column = column.map_err(|e| internal("reading a column", e))?;
        Ok(column.iter().map(Option::unwrap_or_default))
    }

    pub(super) fn truths(&self, name: &str) -> Result<impl Iterator<Item = bool>> {
        let column = self.frame.column(name).and_then(|c| c.bool());
        let column = column.map_err(|e| internal("reading a column", e))?;
        Ok(column.iter().map(Option::unwrap_or_default))
    }
}

/// The values of one column on their way into the frame.
pub(super) enum Values {
    Text(StringChunkedBuilder),
    Count(Vec<Option<u64>>),
    Number(Vec<Option<f64>>),
    Truth(Vec<bool>),
}

impl Values {
    pub(super) fn new(kind: Kind) -> Self {
        match kind {
            Kind::Text => Self::Text(StringChunkedBuilder::new(PlSmallStr::EMPTY, 0)),
            Kind::Count | Kind::MaybeCount => Self::Count(Vec::new()),
            Kind::Number | Kind::MaybeNumber => Self::Number(Vec::new()),
            Kind::Truth => Self::Truth(Vec::new()),
        }
    }

    fn into_column(self, name: &str) -> Column {
        match self {
            Self::Text(values) => values.finish().with_name(name.into()).into_column(),
            Self::Count(values) => Column::new(name.into(), values),
            Self::Number(values) => Column::new(name.into(), values),
            Self::Truth(values) => Column::new(name.into(), values),
        }
    }
}
