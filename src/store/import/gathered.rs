//! What was read, before anything is made of it.

use std::collections::BTreeMap;
use std::fmt;

use base::space::{Domain, Parameter};
use schemars::JsonSchema;
use serde::Serialize;

use super::cell::Held;
use crate::table::Status;

/// A liberty that an import took with its source, or something to know of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Quirk {
    /// What was found and what was done.
    pub what: String,
    /// How often.
    pub count: u64,
    /// Where first, if there is such a place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first: Option<String>,
}

impl fmt::Display for Quirk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, count, first } = self;
        match first {
            Some(first) => write!(f, "{what}: {count} (first {first})"),
            None => f.write_str(what),
        }
    }
}

/// All quirks, in the order in which they were met.
#[derive(Debug, Default)]
pub(super) struct Quirks(pub(super) Vec<Quirk>);

impl Quirks {
    /// Something that is counted; `first` says where.
    pub(super) fn count(&mut self, what: &str, first: impl FnOnce() -> String) {
        match self.0.iter_mut().find(|quirk| quirk.what == what) {
            Some(quirk) => quirk.count += 1,
            None => {
                self.0.push(Quirk { what: what.into(), count: 1, first: Some(first()) });
            }
        }
    }

    /// Something that is said once.
    pub(super) fn say(&mut self, what: String) {
        self.0.push(Quirk { what, count: 1, first: None });
    }
}

/// Rows of curves, column by column, in the order of the source.
#[derive(Debug, Default)]
pub(super) struct Rows {
    pub(super) config: Vec<u32>,
    /// Numbers of the source's repeats, see [`Gathered::repeats`].
    pub(super) repeat: Vec<u16>,
    /// As the source counts.
    pub(super) epoch: Vec<f64>,
    /// `NOT_MEASURED` where nothing was; NaN: diverged.
    pub(super) value: Vec<f64>,
    /// `NOT_MEASURED` where the source has none.
    pub(super) seconds: Vec<f64>,
    /// Where it stands in the source.
    pub(super) line: Vec<u32>,
}

/// One row.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    pub(super) config: u32,
    pub(super) repeat: u16,
    pub(super) epoch: f64,
    pub(super) value: f64,
    pub(super) seconds: f64,
    pub(super) line: u32,
}

impl Rows {
    pub(super) fn push(&mut self, row: Row) {
        self.config.push(row.config);
        self.repeat.push(row.repeat);
        self.epoch.push(row.epoch);
        self.value.push(row.value);
        self.seconds.push(row.seconds);
        self.line.push(row.line);
    }

    pub(super) fn len(&self) -> usize {
        self.config.len()
    }
}

/// A column of configurations.
#[derive(Debug)]
pub(super) struct Column {
    pub(super) name: String,
    /// One a configuration.
    pub(super) cells: Vec<Held>,
}

/// What a source holds.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    /// As messages name the source.
    pub(super) source: String,
    /// What a place in it is called: `line`, `row`, `evaluation`.
    pub(super) place: &'static str,
    /// The source's own names of the configurations.
    pub(super) ids: Vec<String>,
    /// What they have in common over all rows: hyperparameters, most of all.
    pub(super) columns: Vec<Column>,
    /// How each ended, where the source says it.
    pub(super) status: Vec<Option<Status>>,
    pub(super) rows: Rows,
    /// The source's numbers of repeats, by the number in [`Rows::repeat`].
    pub(super) repeats: Vec<i64>,
    /// Further columns of curves, one cell a row.
    pub(super) further: Vec<(String, Vec<f64>)>,
    /// The ranges of hyperparameters, where the source says them.
    pub(super) domains: BTreeMap<String, Domain>,
    /// The hyperparameters, where the source says them whole.
    pub(super) parameters: Option<Vec<Parameter>>,
    /// Whether a parameter has some value where it plays no part.
    pub(super) fills_inactive: bool,
    /// Whether its seconds run on over a curve.
    pub(super) runs_on: bool,
    /// Whether its steps are to be numbered in their order.
    pub(super) ranks_epochs: bool,
    pub(super) rows_read: u64,
    pub(super) rows_dropped: u64,
    pub(super) quirks: Quirks,
}

impl Gathered {
    /// A place in the source.
    pub(super) fn at(&self, line: u32) -> String {
        format!("{} {line}", self.place)
    }
}
