//! Columns of a table by their names, for whoever learns at run time which ones are wanted.

use std::path::Path;

use base::error::Result;
use base::measured::NOT_MEASURED;

use super::parquet_file::{Kind, ParquetFile};
use super::reader::Table;
use super::{CONFIGS_FILE, CURVES_FILE, growth};

/// A column of a table, as its file describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownColumn {
    pub name: String,
    /// Whether its cells can be read as numbers.
    pub is_number: bool,
    /// Whether it is in a type of durations, which are read as seconds.
    pub is_duration: bool,
}

/// The columns of a table's two files, each in its file's order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownColumns {
    /// Of `configs.parquet`, keys and hyperparameters included.
    pub configs: Vec<KnownColumn>,
    /// Of `curves.parquet`, keys included.
    pub curves: Vec<KnownColumn>,
}

impl KnownColumns {
    /// Reads which columns the table in a directory has.
    ///
    /// # Errors
    /// Faults of files that are missing or damaged.
    pub fn read(dir: &Path) -> Result<Self> {
        let dir = growth::home(dir);
        let of = |file: &str| ParquetFile::open(&dir.join(file)).map(|file| known(&file));
        Ok(Self { configs: of(CONFIGS_FILE)?, curves: of(CURVES_FILE)? })
    }
}

fn known(file: &ParquetFile) -> Vec<KnownColumn> {
    let column = |name: &String| KnownColumn {
        name: name.clone(),
        is_number: file.require(name, Kind::Numbers).is_ok(),
        is_duration: file.is_duration(name),
    };
    file.schema().fields().iter().map(|field| column(field.name())).collect()
}

/// The cells of a column of `configs.parquet`, by position in the table.
#[derive(Debug, Clone, PartialEq)]
pub enum ConfigCells {
    /// Numbers; infinities are NaN, and null is [`NOT_MEASURED`].
    Numbers(Vec<f64>),
    /// Texts; truths and whatever else is read as words are the words that they print.
    Words(Vec<Option<String>>),
}

impl ConfigCells {
    /// Reads a column beside a loaded table; as numbers where it can be.
    ///
    /// # Errors
    /// Faults of a column that there is not, and of one that holds neither (lists, points in time).
    pub fn read(dir: &Path, table: &Table, column: &str) -> Result<Self> {
        let file = ParquetFile::open(&growth::home(dir).join(CONFIGS_FILE))?;
        let numbers = file.require(column, Kind::Numbers);
        if numbers.is_ok() {
            let cells = config_numbers(&file, table, column, NOT_MEASURED)?;
            let finite =
                cells.into_iter().map(|cell| if cell.is_infinite() { f64::NAN } else { cell });
            return Ok(Self::Numbers(finite.collect()));
        }
        if file.require(column, Kind::Words).is_err() {
            numbers?;
        }
        let ids = table.manifest.ids();
        let mut words = vec![None; ids.len()];
        file.scan(&["config_id", column], |_, batch| {
            let (rows, cells) = (file.ints(batch, "config_id")?, file.texts(batch, column)?);
            for (id, cell) in rows.iter().zip(cells.iter()) {
                if let Some(slot) = place(id, ids.start).and_then(|at| words.get_mut(at)) {
                    *slot = cell.map(str::to_string);
                }
            }
            Ok(())
        })?;
        Ok(Self::Words(words))
    }
}

/// A column of numbers of `configs.parquet`, by position; `missing` where it is null.
pub(super) fn config_numbers(
    file: &ParquetFile,
    table: &Table,
    column: &str,
    missing: f64,
) -> Result<Vec<f64>> {
    let ids = table.manifest.ids();
    let mut numbers = vec![missing; ids.len()];
    file.scan(&["config_id", column], |_, batch| {
        let (rows, cells) = (file.ints(batch, "config_id")?, file.floats(batch, column)?);
        for (id, cell) in rows.iter().zip(cells.iter()) {
            let slot = place(id, ids.start).and_then(|at| numbers.get_mut(at));
            if let (Some(slot), Some(cell)) = (slot, cell) {
                *slot = cell;
            }
        }
        Ok(())
    })?;
    Ok(numbers)
}

/// Where an id stands: loading the table has checked the ids.
fn place(id: Option<i64>, first: u32) -> Option<usize> {
    usize::try_from(id? - i64::from(first)).ok()
}
