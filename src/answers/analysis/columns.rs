//! The columns of a frame of runs, each declared once, and how rows fill them.

use polars::prelude::{
    ChunkedBuilder, Column, DataFrame, Float64Type, IntoColumn, PrimitiveChunkedBuilder,
    StringChunkedBuilder, UInt32Type, UInt64Type,
};
use store::runs::Record;

use super::record::end_code;

/// A column: its name, which is that of `runs.parquet`, and where a row's value is.
pub(super) type Declared = (&'static str, Value);

/// Where a row's value is, and so what a column holds. `None` becomes null: it did not happen, or
/// nobody measured it.
#[derive(Clone, Copy)]
pub(super) enum Value {
    Text(for<'a> fn(&Record<'a>) -> &'a str),
    Count(fn(&Record<'_>) -> Option<u32>),
    LargeCount(fn(&Record<'_>) -> Option<u64>),
    Number(fn(&Record<'_>) -> Option<f64>),
}

use Value::{Count, LargeCount, Number, Text};

/// The columns that make a [goal](super::runs::GoalName).
pub(super) const GOAL_COLUMNS: [&str; 2] = ["table", "goal"];

/// The columns that make a [`Method`](super::Method).
pub(super) const METHOD_COLUMNS: [&str; 8] =
    ["table", "sampler", "scheduler", "stopper", "report", "value", "workers", "settings"];

/// What many rows share. A row holds the number of its key alone.
pub(super) const KEYS: [Declared; 11] = [
    ("table", Text(|r| r.table)),
    ("sampler", Text(|r| r.sampler)),
    ("scheduler", Text(|r| r.scheduler)),
    ("stopper", Text(|r| r.stopper)),
    ("report", Text(|r| r.report)),
    ("value", Text(|r| r.value)),
    ("workers", Count(|r| Some(r.workers))),
    ("settings", Text(|r| r.settings)),
    ("goal", Text(|r| r.goal)),
    ("goal_value", Number(|r| Some(r.goal_value))),
    ("goal_rows", Count(|r| Some(r.goal_rows))),
];

/// What each row has of its own.
pub(super) const FACTS: [Declared; 19] = [
    ("repeat", Count(|r| Some(r.repeat))),
    ("seed", LargeCount(|r| Some(r.seed))),
    ("end_reason", Count(|r| end_code(r.end_reason))),
    ("time_to_goal_s", Number(|r| r.time_to_goal_s)),
    ("time_to_goal_epoch_s", Number(|r| r.time_to_goal_epoch_s)),
    ("trials_to_goal", Count(|r| r.trials_to_goal)),
    ("epochs_to_goal", LargeCount(|r| r.epochs_to_goal)),
    ("end_s", Number(|r| Some(r.end_s))),
    ("trials", Count(|r| Some(r.trials))),
    ("epochs", LargeCount(|r| Some(r.epochs))),
    ("stopped_trials", Count(|r| Some(r.stopped_trials))),
    ("table_share", Number(|r| Some(r.table_share))),
    ("snap_distance_median", Number(|r| r.snap_distance_median)),
    ("overhead_s", Number(|r| Some(r.overhead_s))),
    ("selected_value", Number(|r| r.selected_value)),
    ("selected_test", Number(|r| r.selected_test)),
    ("saved_s", Number(|r| r.saved_s)),
    ("goal_rows_met", Count(|r| r.goal_rows_met)),
    ("goal_rows_stopped", Count(|r| r.goal_rows_stopped)),
];

pub(super) fn names(columns: &[Declared]) -> Vec<&'static str> {
    columns.iter().map(|(name, _)| *name).collect()
}

/// What a row takes in columns of counts and numbers.
pub(super) const fn row_bytes(columns: &[Declared]) -> usize {
    let (mut at, mut bytes) = (0, 0);
    while at < columns.len() {
        bytes += match columns[at].1 {
            Text(_) => panic!("a text is as long as it is"),
            Count(_) => 4,
            LargeCount(_) | Number(_) => 8,
        };
        at += 1;
    }
    bytes
}

/// Writes what a row has in some columns so that two rows write the same bytes where all of it is
/// equal, and only there. NaN is refused before; `-0` is 0.
pub(super) fn write_parts(columns: &[Declared], record: &Record<'_>, parts: &mut Vec<u8>) {
    let number = |parts: &mut Vec<u8>, number: Option<u64>| {
        parts.push(u8::from(number.is_some()));
        parts.extend(number.unwrap_or(0).to_le_bytes());
    };
    for (_, value) in columns {
        match value {
            Text(of) => {
                let text = of(record);
                parts.extend(text.len().to_le_bytes());
                parts.extend(text.as_bytes());
            }
            Count(of) => number(parts, of(record).map(u64::from)),
            LargeCount(of) => number(parts, of(record)),
            Number(of) => number(parts, of(record).map(|value| (value + 0.0).to_bits())),
        }
    }
}

/// Rows of some columns in the making.
pub(super) struct Block {
    columns: Vec<Filling>,
    rows: usize,
    capacity: usize,
}

/// A column in the making.
enum Filling {
    Text(for<'a> fn(&Record<'a>) -> &'a str, StringChunkedBuilder),
    Count(fn(&Record<'_>) -> Option<u32>, PrimitiveChunkedBuilder<UInt32Type>),
    LargeCount(fn(&Record<'_>) -> Option<u64>, PrimitiveChunkedBuilder<UInt64Type>),
    Number(fn(&Record<'_>) -> Option<f64>, PrimitiveChunkedBuilder<Float64Type>),
}

impl Block {
    /// Room for `capacity` rows; `reserved` of them are set aside at once.
    pub(super) fn new(columns: &[Declared], capacity: usize, reserved: usize) -> Self {
        let filling = |(name, value): &Declared| match *value {
            Text(of) => Filling::Text(of, StringChunkedBuilder::new((*name).into(), reserved)),
            Count(of) => Filling::Count(of, PrimitiveChunkedBuilder::new((*name).into(), reserved)),
            LargeCount(of) => {
                Filling::LargeCount(of, PrimitiveChunkedBuilder::new((*name).into(), reserved))
            }
            Number(of) => {
                Filling::Number(of, PrimitiveChunkedBuilder::new((*name).into(), reserved))
            }
        };
        Self { columns: columns.iter().map(filling).collect(), rows: 0, capacity }
    }

    pub(super) fn push(&mut self, record: &Record<'_>) {
        for column in &mut self.columns {
            match column {
                Filling::Text(of, cells) => cells.append_value(of(record)),
                Filling::Count(of, cells) => cells.append_option(of(record)),
                Filling::LargeCount(of, cells) => cells.append_option(of(record)),
                Filling::Number(of, cells) => cells.append_option(of(record)),
            }
        }
        self.rows += 1;
    }

    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    pub(super) fn is_full(&self) -> bool {
        self.rows == self.capacity
    }

    pub(super) fn finish(self) -> DataFrame {
        let column = |filling| -> Column {
            match filling {
                Filling::Text(_, cells) => cells.finish().into_column(),
                Filling::Count(_, cells) => cells.finish().into_column(),
                Filling::LargeCount(_, cells) => cells.finish().into_column(),
                Filling::Number(_, cells) => cells.finish().into_column(),
            }
        };
        DataFrame::new(self.rows, self.columns.into_iter().map(column).collect())
            .expect("columns of different names and one length")
    }
}
