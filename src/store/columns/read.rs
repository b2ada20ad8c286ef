//! The reader of files whose rows are declared: any order of columns, any width of numbers.

use std::borrow::Cow;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::mpsc::sync_channel;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Schema, UInt64Type};
use base::error::{Error, Result, fault, io, suggest};
use parquet::arrow::ProjectionMask;

use super::{ColumnSpec, Kind, ReadRow, Row};
use crate::foreign::{Foreign, guarded};
use crate::frame::Frame;
use crate::inputs;

/// The name under which the files of declared rows say the version of their layout.
pub(crate) const VERSION_KEY: &str = "curvebook-version";

/// The version that is written; files that say none are older and read the same. It grows when a
/// column changes its meaning: a new one is `later`, and changes none.
pub(crate) const VERSION: &str = "1";

/// What messages say of a file: its usual name, and what writes it.
#[derive(Debug, Clone, Copy)]
pub struct Source {
    pub file: &'static str,
    pub written_by: &'static str,
}

/// The columns of some rows, by name, in the types that [`ReadCell`](super::ReadCell) takes.
#[derive(Debug)]
pub struct Arrays(Vec<(Cow<'static, str>, ArrayRef)>);

impl Arrays {
    /// The cells of a column; none where the file lacks it.
    pub fn get(&self, name: &str) -> Option<&ArrayRef> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, array)| array)
    }
}

/// Reads the declared columns of a file, which may hold them in another order and others beside
/// them, and hands on each row.
///
/// # Errors
///
/// A file that is missing or no sound Parquet file, a column that is missing or of another type, a
/// cell that its type cannot hold; whatever `sink` says.
pub fn read<R: ReadRow>(
    path: &Path,
    source: Source,
    mut sink: impl FnMut(&R::Record<'_>) -> Result<()>,
) -> Result<()> {
    let broken = |e: &dyn std::fmt::Display| broken(path, source, e);
    let columns = R::columns();
    let (file, places) = open(path, source, columns)?;
    let mask = ProjectionMask::roots(file.metadata.parquet_schema(), places);
    let batches = file.batches(mask).map_err(|what| broken(&what))?;
    let mut rows_before = 0;
    let arrays = batches.map(|batch| {
        let batch = batch.map_err(|what| broken(&what))?;
        let arrays = arrays(path, columns, &batch, rows_before, &broken)?;
        rows_before += batch.num_rows();
        Ok((arrays, batch.num_rows()))
    });
    ahead(arrays, |(arrays, rows)| {
        let reader = R::reader(&arrays);
        (0..rows).try_for_each(|row| sink(&R::at(&reader, row)))
    })
}

/// All columns of such a file as they stand, those beside the declared ones too.
///
/// # Errors
///
/// Those of [`read`] but for what single cells hold.
pub fn frame<R: Row>(path: &Path, source: Source) -> Result<Frame> {
    let (file, _) = open(path, source, R::columns())?;
    Frame::read_all(&file).map_err(|what| broken(path, source, &what))
}

/// Opens a file, and finds the places of its declared columns.
fn open(path: &Path, source: Source, columns: &[ColumnSpec]) -> Result<(Foreign, Vec<usize>)> {
    let Source { file: file_name, written_by } = source;
    let file = inputs::open(path).map_err(|e| match e.kind() {
        ErrorKind::NotFound => {
            let remedy = format!("give the path of a file that `{written_by}` wrote");
            fault(path.display(), "file", "missing", "must exist", remedy)
        }
        ErrorKind::InvalidInput => {
            let remedy = format!("give a {file_name} that `{written_by}` wrote");
            fault(path.display(), "file", e, "must be a file", remedy)
        }
        _ => io(path, "opening", e),
    })?;
    let file = Foreign::read(file).map_err(|what| broken(path, source, &what))?;
    check_version(path, &file)?;
    let places = check_schema(path, source, columns, file.metadata.schema())?;
    Ok((file, places))
}

fn broken(path: &Path, source: Source, what: &dyn std::fmt::Display) -> Error {
    let Source { file, written_by } = source;
    let remedy = format!("give a {file} as `{written_by}` writes it, or make it again");
    fault(path.display(), "file", what, "must be a whole Parquet file", remedy)
}

/// Batches that are decoded while earlier ones are looked at.
const AHEAD: usize = 2;

/// Hands on what `items` makes on a thread of its own, in its order, up to the first error of
/// either side.
fn ahead<T: Send>(
    items: impl Iterator<Item = Result<T>> + Send,
    mut sink: impl FnMut(T) -> Result<()>,
) -> Result<()> {
    std::thread::scope(|scope| {
        let (sender, receiver) = sync_channel(AHEAD);
        scope.spawn(move || {
            for item in items {
                let is_last = item.is_err();
                // Whoever waits for no more has met an error.
                if sender.send(item).is_err() || is_last {
                    break;
                }
            }
        });
        receiver.into_iter().try_for_each(|item| sink(item?))
    })
}

/// The declared columns of a batch that begins with row `rows_before` of the file.
fn arrays(
    path: &Path,
    columns: &[ColumnSpec],
    batch: &RecordBatch,
    rows_before: usize,
    broken: &dyn Fn(&dyn std::fmt::Display) -> Error,
) -> Result<Arrays> {
    let mut arrays = Vec::with_capacity(columns.len());
    for column in columns {
        let Some(array) = batch.column_by_name(&column.name) else {
            // A damaged file may say anything.
            let lacks = || broken(&"a batch of rows lacks a column");
            column.later.then_some(()).ok_or_else(lacks)?;
            continue;
        };
        let array = converted(column, array).map_err(|(row, value, rule)| {
            let field = format!("column {}, row {}", column.name, rows_before + row);
            fault(path.display(), field, value, rule, "make the file again, or mend that row")
        })?;
        arrays.push((column.name.clone(), array));
    }
    Ok(Arrays(arrays))
}

/// Refuses a file whose columns mean something else.
fn check_version(path: &Path, file: &Foreign) -> Result<()> {
    let said = file.metadata.metadata().file_metadata().key_value_metadata();
    let said = said.into_iter().flatten().find(|pair| pair.key == VERSION_KEY);
    let Some(version) = said.and_then(|pair| pair.value.as_deref()) else { return Ok(()) };
    if version == VERSION {
        return Ok(());
    }
    let rule = format!("this program reads version {VERSION}");
    let remedy = "read it with the version of the program that wrote it, or make it again";
    Err(fault(path.display(), VERSION_KEY, version, rule, remedy))
}

/// The position in the file of every column that is there: all but later ones are, and each has a
/// type that fits.
fn check_schema(
    path: &Path,
    source: Source,
    columns: &[ColumnSpec],
    schema: &Schema,
) -> Result<Vec<usize>> {
    let names: Vec<&str> = schema.fields().iter().map(|f| f.name().as_str()).collect();
    let mut places = Vec::with_capacity(columns.len());
    for column in columns {
        let name = &*column.name;
        let field = format!("column {name}");
        let Some(place) = names.iter().position(|n| *n == name) else {
            if column.later {
                continue;
            }
            return Err(missing(path, source, columns, name, &names));
        };
        let found = schema.field(place).data_type();
        if !fits(column, found) {
            let rule = format!("must hold {}", described(column.kind));
            let remedy = "convert the column to that type";
            return Err(fault(path.display(), field, found, rule, remedy));
        }
        places.push(place);
    }
    Ok(places)
}

fn missing(
    path: &Path,
    source: Source,
    columns: &[ColumnSpec],
    name: &str,
    names: &[&str],
) -> Error {
    let unknown = names.iter().copied().filter(|n| columns.iter().all(|known| known.name != *n));
    let unknown: Vec<&str> = unknown.collect();
    let remedy = if unknown.is_empty() {
        format!("give a {} as `{}` writes it", source.file, source.written_by)
    } else {
        format!("{} (of the columns that the file has)", suggest(name, unknown))
    };
    let (field, rule) = (format!("column {name}"), "every column must be there");
    fault(path.display(), field, "missing", rule, remedy)
}

/// A kind as readers take it: any width will do.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wide {
    Text,
    Count,
    Number,
    Truth,
}

fn wide(kind: Kind) -> Wide {
    match kind {
        Kind::Text => Wide::Text,
        Kind::Truth => Wide::Truth,
        Kind::U16 | Kind::U32 | Kind::U64 => Wide::Count,
        Kind::F32 | Kind::F64 => Wide::Number,
        Kind::I64 | Kind::Counts => unreachable!("no row that is read back has such a column"),
    }
}

fn described(kind: Kind) -> &'static str {
    match wide(kind) {
        Wide::Text => "text",
        Wide::Count => "whole numbers from 0",
        Wide::Number => "f32 or f64",
        Wide::Truth => "true or false",
    }
}

fn fits(column: &ColumnSpec, found: &DataType) -> bool {
    let is_number = matches!(found, DataType::Float32 | DataType::Float64);
    let may_be_missing = column.nullable || column.later;
    // pandas writes a column of integers with gaps as floats, a column of gaps alone as null.
    if may_be_missing && *found == DataType::Null {
        return true;
    }
    match wide(column.kind) {
        Wide::Text => match found {
            DataType::Dictionary(_, values) => fits(column, values),
            _ => matches!(found, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View),
        },
        Wide::Count => found.is_integer() || (may_be_missing && is_number),
        Wide::Number => is_number,
        Wide::Truth => *found == DataType::Boolean,
    }
}

/// A row, its value and the rule that it breaks.
type Wrong = (usize, String, &'static str);

/// An array in the type that [`ReadCell`](super::ReadCell) takes.
fn converted(column: &ColumnSpec, array: &ArrayRef) -> std::result::Result<ArrayRef, Wrong> {
    let nulls_forbidden = !column.nullable && !column.later;
    // Logical nulls: an array of type null, or a dictionary's null entry, has no bits of its own.
    let nulls = array.logical_nulls();
    let missing = |row: usize| nulls.as_ref().is_some_and(|n| n.is_null(row));
    let first_null = || (0..array.len()).find(|&row| missing(row));
    if nulls_forbidden && let Some(row) = first_null() {
        return Err((row, "null".to_string(), "no value may be missing here"));
    }
    let target = match wide(column.kind) {
        Wide::Text => DataType::Utf8,
        Wide::Count => DataType::UInt64,
        Wide::Number => DataType::Float64,
        Wide::Truth => DataType::Boolean,
    };
    // With `safe`, what does not fit becomes null, and its row is found by that.
    let options = CastOptions { safe: true, ..CastOptions::default() };
    let cast = guarded(|| cast_with_options(array, &target, &options).map_err(|e| e.to_string()));
    let cast = cast.map_err(|what| (0, what, "must be readable"))?;
    let wrong = |row: usize, rule| {
        let value = arrow::util::display::array_value_to_string(array, row).unwrap_or_default();
        Err((row, value, rule))
    };
    if let Some(row) = (0..cast.len()).find(|&row| cast.is_null(row) && !missing(row)) {
        return wrong(row, "must be a whole number from 0 to 2^64 - 1");
    }
    let bound = match column.kind {
        // The largest of all stands for none.
        Kind::U32 => Some((u64::from(u32::MAX), "must be a whole number below 2^32 - 1")),
        Kind::U16 => Some((1 << 16, "must be a whole number below 2^16")),
        _ => None,
    };
    if let Some((end, rule)) = bound {
        let counts = cast.as_primitive::<UInt64Type>();
        let large = |count: Option<u64>| count.is_some_and(|c| c >= end);
        if let Some(row) = counts.iter().position(large) {
            return wrong(row, rule);
        }
    }
    Ok(cast)
}
