//! Lookup tables: schema, manifest, write, merge, read, check.
//!
//! A table is a directory of three files. `table.json` ([`Manifest`]) says what the table is;
//! `configs.parquet` holds one row a configuration, `curves.parquet` one row an epoch. Any program
//! may write them; the fields after `space` in `table.json` (`provenance`, `files`) are optional.
//!
//! Beyond the few columns that a replay needs, a table has whatever columns its maker gave it, by
//! name: a [`Layout`] is data, handed over by the trainer or importer that fills a table, or by
//! whoever knows what some names mean ([`check`], [`info`]).
//!
//! A table grows as *parts* in a directory `parts` beside those files. Every part appears by one
//! rename, and `table.json` comes last of all: a kill at any moment loses at most what was in
//! training, and a directory without `table.json` is no table. A finished table grows the same way:
//! it stays a table at every moment.

mod assemble;
mod check;
mod config_cells;
mod configs;
mod costs;
mod curves;
mod doubts;
mod encode;
pub(crate) mod files;
mod findings;
mod growth;
mod info;
mod layout;
mod manifest;
mod merge;
pub(crate) mod parquet_file;
mod parts;
mod reader;
pub mod record;
mod settings;
mod sound;
mod writer;

use std::path::Path;

use base::error::Result;

use crate::Frame;

pub use check::{CheckReport, CheckedExtent, check};
pub use config_cells::{ConfigCells, KnownColumn, KnownColumns};
pub use costs::CostCorrelation;
pub use doubts::Doubt;
pub(crate) use encode::CREATED_BY;
pub use files::seal;
pub use info::{ColumnInfo, Info, Quantiles, info};
pub use layout::Layout;
pub use manifest::{FileSeal, Header, Manifest};
pub use merge::{Merged, merge, merge_known};
pub use reader::{CurveView, LoadOptions, Table};
pub use record::{Recorded, Status};
pub use writer::TableWriter;

/// One of a table's Parquet files as it stands, for another program.
///
/// # Errors
///
/// A fault of what is no sound Parquet file.
pub fn frame(dir: &Path, file: &str) -> Result<Frame> {
    Frame::read(&growth::home(dir).join(file))
}

/// What the table is; written last.
pub const MANIFEST_FILE: &str = "table.json";
/// One row a configuration.
pub const CONFIGS_FILE: &str = "configs.parquet";
/// One row an epoch.
pub const CURVES_FILE: &str = "curves.parquet";
/// Holds the parts of a table that is not finished.
pub const PARTS_DIR: &str = "parts";
/// The columns that say which epoch a row of `curves.parquet` is.
pub const CURVE_KEYS: [&str; 3] = ["config_id", "repeat", "epoch"];
/// The column charged where no other is asked for.
pub const SECONDS_COLUMN: &str = "seconds";

/// Bytes of a row of `curves.parquet` with all columns: 36 where few images make few distinct
/// shares, 41 on MNIST.
pub const EPOCH_BYTES_TYPICAL: f64 = 38.0;
/// Bytes of a row of `configs.parquet`, but for its hyperparameters.
pub const CONFIG_BYTES_TYPICAL: f64 = 32.0;
/// Bytes of a part, but for its rows: the footers of its two files, in the file system's blocks.
pub const PART_BYTES_TYPICAL: f64 = 8192.0;
