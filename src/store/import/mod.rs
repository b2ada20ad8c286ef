//! Tables out of what other programs recorded.
//!
//! Every format is read once, row by row, into `Gathered`: configurations
//! by the names that the source has for them, and the rows of their curves. What those come to is
//! the same for all formats: `curves.rs` sorts, numbers and checks epochs and seconds, `space.rs`
//! finds hyperparameters with their types, ranges and conditions, `write.rs` makes the table. All
//! is checked before the first byte is written, and every liberty that was taken with the source
//! is a [`Quirk`], which stands in `provenance`, too.

mod blackbox;
mod cell;
mod collector;
mod csv;
mod curves;
mod evaluations;
mod gathered;
mod jsonl;
mod mapping;
mod optuna;
mod parquet;
mod rows;
mod source;
mod space;
mod trackers;
mod write;

use std::path::{Path, PathBuf};

use base::error::Result;

pub use gathered::Quirk;
pub use mapping::{FORMATS, Format, Mapping, Seconds};
pub(crate) use source::unreadable;

/// What an import came to.
#[derive(Debug, Clone)]
pub struct Imported {
    pub configs: u32,
    pub epochs: u16,
    pub repeats: u16,
    /// Rows of the source.
    pub rows_read: u64,
    /// Of these, the rows that came into the table.
    pub rows_kept: u64,
    /// Rows of `curves.parquet`: those that were kept and those that fill gaps.
    pub recorded_epochs: u64,
    /// The hyperparameters, each with its range in words.
    pub parameters: Vec<(String, String)>,
    /// What was done with the source beside reading it.
    pub quirks: Vec<Quirk>,
}

/// Fields of a mapping that the source itself says: its metric, and which way that goes.
pub fn said(format: Format, source: &Path) -> Vec<(&'static str, String)> {
    match format {
        Format::SyneTune => blackbox::said(source),
        _ => Vec::new(),
    }
}

/// Makes a table in a new or empty directory of what a source holds.
///
/// # Errors
///
/// A source that is missing, damaged or not of the format; a column that is not there; a value
/// that is no number or outside its range; an epoch that stands twice; time that runs backwards
/// unless it is to be clipped; a directory that holds something.
pub fn import(format: Format, source: &Path, mapping: &Mapping, out: &Path) -> Result<Imported> {
    let path = PathBuf::from(source);
    // The hash of the source is for `provenance`, and takes as long as the reading.
    let sealing = std::thread::spawn(move || crate::table::seal(&path));
    let mut gathered = match format {
        Format::Csv => csv::read(source, mapping),
        Format::Jsonl => jsonl::read(source, mapping),
        Format::Parquet => parquet::read(source, mapping),
        Format::Optuna => optuna::read(source, mapping),
        Format::Smac3 => evaluations::smac3(source, mapping),
        Format::HpBandSter => evaluations::hpbandster(source, mapping),
        Format::DeepCave => evaluations::deepcave(source, mapping),
        Format::TensorBoard => trackers::tensorboard(source, mapping),
        Format::MlFlow => trackers::mlflow(source, mapping),
        Format::Ray => trackers::ray(source, mapping),
        Format::Wandb => trackers::wandb(source, mapping),
        Format::SyneTune => blackbox::read(source, mapping),
        Format::LcBench => trackers::lcbench(source, mapping),
        Format::Pd1 => trackers::pd1(source, mapping),
    }?;
    // What the reader found out of its source, beside what it was told.
    let mut mapping = mapping.clone();
    mapping.is_cumulative |= gathered.runs_on;
    mapping.ranks_epochs |= gathered.ranks_epochs;
    if mapping.parameters.is_none() {
        mapping.parameters = gathered.parameters.take();
    }
    let mapping = &mapping;
    let curves = curves::settle(&mut gathered, mapping)?;
    let found = space::find(&mut gathered, &curves, mapping)?;
    let seal = sealing.join().ok().and_then(Result::ok);
    write::write(gathered, &curves, found, mapping, &write::Origin { format, source, seal }, out)
}
