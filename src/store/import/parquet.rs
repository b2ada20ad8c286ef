//! Parquet of any program.

use std::borrow::Cow;
use std::path::Path;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Float64Type, Int64Type};
use base::error::{Error, Result, fault};
use parquet::arrow::ProjectionMask;

use super::cell::{Cell, is_missing};
use super::collector::Collector;
use super::gathered::Gathered;
use super::mapping::Mapping;
use super::rows::Rows;
use super::source;
use crate::foreign::{Foreign, guarded};
use crate::inputs;
use crate::table::parquet_file::durations;

/// Reads a file batch by batch.
pub(super) fn read(path: &Path, mapping: &Mapping) -> Result<Gathered> {
    let mut collector = Collector::new(path.display().to_string(), "row", mapping);
    let left = rows(path, &mut collector)?;
    let mut gathered = collector.finish()?;
    for (name, kind) in left {
        gathered.quirks.say(format!("column {name} of {kind} is left out"));
    }
    Ok(gathered)
}

/// Hands on the columns of a file, then its rows; the columns that have no place in a cell.
pub(super) fn rows(path: &Path, to: &mut impl Rows) -> Result<Vec<(String, String)>> {
    let shown = path.display().to_string();
    let damaged = |what: String| -> Error {
        let rule = "must be a whole and sound Parquet file";
        fault(&shown, "contents", what, rule, "restore the file, or write it again")
    };
    let file = inputs::open(path).map_err(|e| source::unreadable(path, &e))?;
    let file = Foreign::read(file).map_err(damaged)?;
    let schema = file.metadata.schema();
    let units = durations(&file.metadata);
    // What has no place in a cell is not decoded: lists, structures, points in time.
    let (mut taken, mut names) = (Vec::new(), Vec::new());
    let mut left = Vec::new();
    for (at, field) in schema.fields().iter().enumerate() {
        if kind(field.data_type()).is_some() {
            names.push(field.name().clone());
            taken.push((at, units.iter().find(|(name, _)| name == field.name()).map(|u| u.1)));
        } else {
            left.push((field.name().clone(), field.data_type().to_string()));
        }
    }
    to.columns(&names)?;
    let mask =
        ProjectionMask::roots(file.metadata.parquet_schema(), taken.iter().map(|(at, _)| *at));
    let mut row = 0_u32;
    for batch in file.batches(mask).map_err(damaged)? {
        let batch: RecordBatch = batch.map_err(damaged)?;
        let arrays = batch
            .columns()
            .iter()
            .zip(&taken)
            .map(|(array, (_, unit))| Typed::of(array, *unit).map_err(damaged));
        let arrays = arrays.collect::<Result<Vec<_>>>()?;
        for at in 0..batch.num_rows() {
            let cells: Vec<Cell<'_>> = arrays.iter().map(|array| array.cell(at)).collect();
            to.row(row, &cells)?;
            row = row.saturating_add(1);
        }
    }
    Ok(left)
}

/// In what a column is read.
fn kind(of: &DataType) -> Option<DataType> {
    match of {
        DataType::UInt64 | DataType::Decimal128(..) | DataType::Decimal256(..) => {
            Some(DataType::Float64)
        }
        _ if of.is_integer() => Some(DataType::Int64),
        _ if of.is_floating() => Some(DataType::Float64),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Boolean => {
            Some(DataType::Utf8)
        }
        DataType::Null => Some(DataType::Float64),
        DataType::Dictionary(_, values) => kind(values),
        _ => None,
    }
}

/// A column of a batch.
enum Typed {
    Ints(ArrayRef),
    /// With how many of their units make a second.
    Floats(ArrayRef, f64),
    Texts(ArrayRef),
}

impl Typed {
    fn of(array: &ArrayRef, unit: Option<f64>) -> std::result::Result<Self, String> {
        let to = if unit.is_some() { Some(DataType::Float64) } else { kind(array.data_type()) };
        let to = to.ok_or_else(|| format!("a column of {}", array.data_type()))?;
        let options = CastOptions { safe: true, ..CastOptions::default() };
        let cast = guarded(|| cast_with_options(array, &to, &options).map_err(|e| e.to_string()))?;
        Ok(match to {
            DataType::Int64 => Self::Ints(cast),
            DataType::Utf8 => Self::Texts(cast),
            _ => Self::Floats(cast, unit.unwrap_or(1.0)),
        })
    }

    fn cell(&self, at: usize) -> Cell<'_> {
        match self {
            Self::Ints(array) if array.is_valid(at) => {
                Cell::Int(array.as_primitive::<Int64Type>().value(at))
            }
            Self::Floats(array, unit) if array.is_valid(at) => {
                Cell::Float(array.as_primitive::<Float64Type>().value(at) / unit)
            }
            Self::Texts(array) if array.is_valid(at) => {
                let text = array.as_string::<i32>().value(at);
                if is_missing(text) { Cell::Missing } else { Cell::Text(Cow::Borrowed(text)) }
            }
            _ => Cell::Missing,
        }
    }
}
