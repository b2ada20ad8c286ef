//! Tables in the forms of other programs.
//!
//! Nothing is overwritten: a file must be new, a directory new or empty. Nothing is half-written:
//! a file has its name once it is whole, and a directory the file that it is opened by last of all.

mod csv;
mod npy;
mod optuna;
mod place;
mod source;
mod syne_tune;
mod wide;

use std::path::Path;

use base::error::Result;

pub(crate) use npy::{Array, read as read_npy};
pub(crate) use optuna::{SECONDS_ATTR, SPACE_ATTR, STATUS_ATTR};
pub(crate) use syne_tune::OWN_KEY;

use source::Source;

/// A form in which a table is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Comma-separated values, a row an epoch.
    Csv,
    /// Parquet, a row a training, a column an epoch.
    ParquetWide,
    /// A blackbox folder of Syne Tune.
    SyneTune,
    /// A journal of Optuna's `JournalStorage`.
    Optuna,
}

/// The formats by their names.
pub const FORMATS: [(&str, Format); 4] = [
    ("csv", Format::Csv),
    ("parquet-wide", Format::ParquetWide),
    ("syne-tune", Format::SyneTune),
    ("optuna", Format::Optuna),
];

/// What an export came to.
#[derive(Debug, Clone, Default)]
pub struct Exported {
    pub configs: u32,
    /// Rows, trials, or values of the metric: what the format counts.
    pub rows: u64,
    /// What the format has no place for, and what was done.
    pub notes: Vec<String>,
}

/// Writes the table of a directory. `repeat` is the training of each configuration that is written
/// where a format has room for one, optuna; the first one of each if `None`.
///
/// # Errors
///
/// Faults of what is no table; a place that is taken; a repeat that a configuration lacks; a table
/// that the format cannot hold.
pub fn export(table: &Path, format: Format, repeat: Option<u16>, out: &Path) -> Result<Exported> {
    match format {
        Format::SyneTune => place::check_dir(out)?,
        _ => place::check_file(out)?,
    }
    let source = Source::read(table)?;
    match format {
        Format::Csv => csv::write(&source, out),
        Format::ParquetWide => wide::write(&source, out),
        Format::SyneTune => syne_tune::write(&source, out),
        Format::Optuna => optuna::write(&source, repeat, out),
    }
}
