//! The reader of `runs.parquet`.

use std::fs::File;
use std::path::Path;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Float64Type, Schema, UInt64Type};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::runs::{COLUMNS, Kind, Values};
use crate::error::{Error, Result, fault, io, suggest};

/// Reads the columns of [`COLUMNS`], in that order, from a file that may hold them in another.
pub(super) fn read(path: &Path) -> Result<Vec<Values>> {
    let file = File::open(path).map_err(|e| match e.kind() {
        std::io::ErrorKind::NotFound => {
            let remedy = "give the path of a file that `curvebook replay --out` wrote";
            fault(path.display(), "file", "missing", "must exist", remedy)
        }
        _ => io(path, "opening", e),
    })?;
    if file.metadata().map_err(|e| io(path, "looking at", e))?.is_dir() {
        let remedy = "give the runs.parquet inside it";
        return Err(fault(path.display(), "file", "a directory", "must be a file", remedy));
    }
    let broken = |e: &dyn std::fmt::Display| {
        let remedy = "give a runs.parquet as `curvebook replay --out` writes it, or make it again";
        fault(path.display(), "file", e, "must be a whole Parquet file", remedy)
    };
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|e| broken(&e))?;
    let order = check_schema(path, builder.schema())?;
    let mask = ProjectionMask::roots(builder.parquet_schema(), order.iter().copied());
    let reader = builder.with_projection(mask).build().map_err(|e| broken(&e))?;
    let mut values: Vec<Values> = COLUMNS.iter().map(|(_, kind)| Values::new(*kind)).collect();
    let mut rows_before = 0;
    for batch in reader {
        let batch = batch.map_err(|e| broken(&e))?;
        for ((name, kind), values) in COLUMNS.iter().zip(&mut values) {
            let Some(array) = batch.column_by_name(name) else {
                return Err(broken(&format!("a batch of rows lacks column {name}")));
            };
            extend(values, *kind, array).map_err(|(row, value, rule)| {
                let field = format!("column {name}, row {}", rows_before + row);
                fault(path.display(), field, value, rule, "make the file again, or mend that row")
            })?;
        }
        rows_before += batch.num_rows();
    }
    Ok(values)
}

/// The position in the file of every column wanted; each must be there, with a type that fits.
fn check_schema(path: &Path, schema: &Schema) -> Result<Vec<usize>> {
    let place = |&(name, kind): &(&str, Kind)| -> std::result::Result<usize, Error> {
        let names: Vec<&str> = schema.fields().iter().map(|f| f.name().as_str()).collect();
        let field = format!("column {name}");
        let Some(index) = names.iter().position(|n| *n == name) else {
            let unknown = names.into_iter().filter(|n| COLUMNS.iter().all(|(known, _)| known != n));
            let unknown: Vec<&str> = unknown.collect();
            let remedy = if unknown.is_empty() {
                "give a runs.parquet as `curvebook replay --out` writes it".to_string()
            } else {
                format!("{} (of the columns that the file has)", suggest(name, unknown))
            };
            return Err(fault(
                path.display(),
                field,
                "missing",
                "every column must be there",
                remedy,
            ));
        };
        let found = schema.field(index).data_type();
        if fits(kind, found) {
            return Ok(index);
        }
        let rule = format!("must hold {}", described(kind));
        Err(fault(path.display(), field, found, rule, "convert the column to that type"))
    };
    COLUMNS.iter().map(place).collect()
}

fn described(kind: Kind) -> &'static str {
    match kind {
        Kind::Text => "text",
        Kind::Count | Kind::MaybeCount => "whole numbers from 0",
        Kind::Number | Kind::MaybeNumber => "f32 or f64",
        Kind::Truth => "true or false",
    }
}

fn fits(kind: Kind, found: &DataType) -> bool {
    let nulls_alone = *found == DataType::Null;
    match kind {
        Kind::Text => match found {
            DataType::Dictionary(_, values) => fits(kind, values),
            _ => matches!(found, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View),
        },
        Kind::Count => found.is_integer(),
        Kind::Number => matches!(found, DataType::Float32 | DataType::Float64),
        Kind::Truth => *found == DataType::Boolean,
        // pandas writes a column of integers with gaps as floats, a column of gaps alone as null.
        Kind::MaybeCount => found.is_integer() || nulls_alone || fits(Kind::Number, found),
        Kind::MaybeNumber => nulls_alone || fits(Kind::Number, found),
    }
}

/// A row, its value and the rule that it breaks.
type Wrong = (usize, String, &'static str);

/// Appends an array to the values read so far.
fn extend(values: &mut Values, kind: Kind, array: &ArrayRef) -> std::result::Result<(), Wrong> {
    let nulls_allowed = matches!(kind, Kind::MaybeCount | Kind::MaybeNumber);
    // Logical nulls: an array of type null, or a dictionary's null entry, has no bits of its own.
    let nulls = array.logical_nulls();
    let missing = |row: usize| nulls.as_ref().is_some_and(|n| n.is_null(row));
    let first_null = (0..array.len()).find(|&row| missing(row));
    if let Some(row) = first_null.filter(|_| !nulls_allowed) {
        return Err((row, "null".to_string(), "no value may be missing here"));
    }
    let target = match kind {
        Kind::Text => DataType::Utf8,
        Kind::Count | Kind::MaybeCount => DataType::UInt64,
        Kind::Number | Kind::MaybeNumber => DataType::Float64,
        Kind::Truth => DataType::Boolean,
    };
    // With `safe`, what does not fit becomes null, and its row is found by that.
    let options = CastOptions { safe: true, ..CastOptions::default() };
    let cast = cast_with_options(array, &target, &options)
        .map_err(|e| (0, e.to_string(), "must be readable"))?;
    if let Some(row) = (0..cast.len()).find(|&row| cast.is_null(row) && !missing(row)) {
        let value = arrow::util::display::array_value_to_string(array, row).unwrap_or_default();
        return Err((row, value, "must be a whole number from 0 to 2^64 - 1"));
    }
    match values {
        Values::Text(all) => {
            cast.as_string::<i32>().iter().for_each(|v| all.append_value(v.unwrap_or_default()));
        }
        Values::Count(all) => all.extend(cast.as_primitive::<UInt64Type>().iter()),
        Values::Number(all) => all.extend(cast.as_primitive::<Float64Type>().iter()),
        Values::Truth(all) => all.extend(cast.as_boolean().iter().map(Option::unwrap_or_default)),
    }
    Ok(())
}
