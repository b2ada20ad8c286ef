//! The reader of `runs.parquet`.

use std::fs::File;
use std::path::Path;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Float64Array, RecordBatch, StringArray, UInt64Array,
};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Schema};
use base::error::{Error, Result, fault, io, suggest};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::row::Record;

/// Rows that are decoded at once: with it the memory that a reader holds.
const BATCH_ROWS: usize = 8_192;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    /// A whole number that fits 32 bits.
    Count,
    LargeCount,
    Number,
    Truth,
    /// May be null: it did not happen.
    MaybeCount,
    MaybeLargeCount,
    MaybeNumber,
    /// A column that files may lack, of texts.
    LaterText,
    /// A column that files may lack, of numbers.
    LaterNumber,
}

/// The columns of `runs.parquet`, in order, but those that no answer needs.
const COLUMNS: [(&str, Kind); 29] = [
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
    ("seed", Kind::LargeCount),
    ("reached", Kind::Truth),
    ("time_to_goal_s", Kind::MaybeNumber),
    ("time_to_goal_epoch_s", Kind::MaybeNumber),
    ("trials_to_goal", Kind::MaybeCount),
    ("epochs_to_goal", Kind::MaybeLargeCount),
    ("end_s", Kind::Number),
    ("trials", Kind::Count),
    ("epochs", Kind::LargeCount),
    ("stopped_trials", Kind::Count),
    ("end_reason", Kind::Text),
    ("table_share", Kind::Number),
    ("snap_distance_median", Kind::MaybeNumber),
    ("settings", Kind::LaterText),
    ("overhead_s", Kind::LaterNumber),
    ("selected_value", Kind::LaterNumber),
    ("selected_test", Kind::LaterNumber),
];

/// Reads the columns of [`COLUMNS`] from a file that may hold them in another order, and hands on
/// each row.
pub fn read(path: &Path, mut sink: impl FnMut(&Record<'_>) -> Result<()>) -> Result<()> {
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
    let places = check_schema(path, builder.schema())?;
    let mask = ProjectionMask::roots(builder.parquet_schema(), places.into_iter().flatten());
    let reader = builder.with_projection(mask).with_batch_size(BATCH_ROWS).build();
    let mut rows_before = 0;
    for batch in reader.map_err(|e| broken(&e))? {
        let batch = batch.map_err(|e| broken(&e))?;
        let mut arrays = Vec::with_capacity(COLUMNS.len());
        for (name, kind) in COLUMNS {
            let array = batch.column_by_name(name).map(|array| converted(kind, array)).transpose();
            arrays.push(array.map_err(|(row, value, rule)| {
                let field = format!("column {name}, row {}", rows_before + row);
                fault(path.display(), field, value, rule, "make the file again, or mend that row")
            })?);
        }
        let rows = Rows::new(&arrays).ok_or_else(|| broken(&"a batch of rows lacks a column"))?;
        (0..batch.num_rows()).try_for_each(|row| sink(&rows.at(row)))?;
        rows_before += RecordBatch::num_rows(&batch);
    }
    Ok(())
}

/// The position in the file of every column wanted, none for a later one that it lacks; each that
/// is there has a type that fits.
fn check_schema(path: &Path, schema: &Schema) -> Result<Vec<Option<usize>>> {
    let place = |&(name, kind): &(&str, Kind)| -> std::result::Result<Option<usize>, Error> {
        let names: Vec<&str> = schema.fields().iter().map(|f| f.name().as_str()).collect();
        let field = format!("column {name}");
        let Some(index) = names.iter().position(|n| *n == name) else {
            if matches!(kind, Kind::LaterText | Kind::LaterNumber) {
                return Ok(None);
            }
            let unknown = names.into_iter().filter(|n| COLUMNS.iter().all(|(known, _)| known != n));
            let unknown: Vec<&str> = unknown.collect();
            let remedy = if unknown.is_empty() {
                "give a runs.parquet as `curvebook replay --out` writes it".to_string()
            } else {
                format!("{} (of the columns that the file has)", suggest(name, unknown))
            };
            let rule = "every column must be there";
            return Err(fault(path.display(), field, "missing", rule, remedy));
        };
        let found = schema.field(index).data_type();
        if fits(kind, found) {
            return Ok(Some(index));
        }
        let rule = format!("must hold {}", described(kind));
        Err(fault(path.display(), field, found, rule, "convert the column to that type"))
    };
    COLUMNS.iter().map(place).collect()
}

fn described(kind: Kind) -> &'static str {
    match kind {
        Kind::Text | Kind::LaterText => "text",
        Kind::Count | Kind::MaybeCount | Kind::LargeCount | Kind::MaybeLargeCount => {
            "whole numbers from 0"
        }
        Kind::Number | Kind::MaybeNumber | Kind::LaterNumber => "f32 or f64",
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
        Kind::Count | Kind::LargeCount => found.is_integer(),
        Kind::Number => matches!(found, DataType::Float32 | DataType::Float64),
        Kind::Truth => *found == DataType::Boolean,
        // pandas writes a column of integers with gaps as floats, a column of gaps alone as null.
        Kind::MaybeCount | Kind::MaybeLargeCount => {
            found.is_integer() || nulls_alone || fits(Kind::Number, found)
        }
        Kind::MaybeNumber | Kind::LaterNumber => nulls_alone || fits(Kind::Number, found),
        Kind::LaterText => nulls_alone || fits(Kind::Text, found),
    }
}

/// A row, its value and the rule that it breaks.
type Wrong = (usize, String, &'static str);

/// An array in the type that [`Rows`] takes.
fn converted(kind: Kind, array: &ArrayRef) -> std::result::Result<ArrayRef, Wrong> {
    let nulls_forbidden =
        matches!(kind, Kind::Text | Kind::Count | Kind::LargeCount | Kind::Number | Kind::Truth);
    // Logical nulls: an array of type null, or a dictionary's null entry, has no bits of its own.
    let nulls = array.logical_nulls();
    let missing = |row: usize| nulls.as_ref().is_some_and(|n| n.is_null(row));
    let first_null = || (0..array.len()).find(|&row| missing(row));
    if nulls_forbidden && let Some(row) = first_null() {
        return Err((row, "null".to_string(), "no value may be missing here"));
    }
    let target = match kind {
        Kind::Text | Kind::LaterText => DataType::Utf8,
        Kind::Count | Kind::MaybeCount | Kind::LargeCount | Kind::MaybeLargeCount => {
            DataType::UInt64
        }
        Kind::Number | Kind::MaybeNumber | Kind::LaterNumber => DataType::Float64,
        Kind::Truth => DataType::Boolean,
    };
    // With `safe`, what does not fit becomes null, and its row is found by that.
    let options = CastOptions { safe: true, ..CastOptions::default() };
    let cast = cast_with_options(array, &target, &options)
        .map_err(|e| (0, e.to_string(), "must be readable"))?;
    let wrong = |row: usize, rule| {
        let value = arrow::util::display::array_value_to_string(array, row).unwrap_or_default();
        Err((row, value, rule))
    };
    if let Some(row) = (0..cast.len()).find(|&row| cast.is_null(row) && !missing(row)) {
        return wrong(row, "must be a whole number from 0 to 2^64 - 1");
    }
    if matches!(kind, Kind::Count | Kind::MaybeCount) {
        let counts = cast.as_primitive::<arrow::datatypes::UInt64Type>();
        // The largest of all stands for none.
        let large = |count: Option<u64>| count.is_some_and(|c| c >= u64::from(u32::MAX));
        if let Some(row) = counts.iter().position(large) {
            return wrong(row, "must be a whole number below 2^32 - 1");
        }
    }
    Ok(cast)
}

/// The columns of one batch.
struct Rows<'a> {
    texts: [&'a StringArray; 8],
    settings: Option<&'a StringArray>,
    counts: [&'a UInt64Array; 9],
    reached: &'a BooleanArray,
    numbers: [&'a Float64Array; 6],
    later: [Option<&'a Float64Array>; 3],
}

impl<'a> Rows<'a> {
    /// `None` where a column that must be there is not: a damaged file may say anything.
    fn new(arrays: &'a [Option<ArrayRef>]) -> Option<Self> {
        let array = |name: &str| {
            let place = COLUMNS.iter().position(|(n, _)| *n == name).expect("one of the columns");
            arrays[place].as_ref()
        };
        let text = |name| Some(array(name)?.as_string::<i32>());
        let count = |name| Some(array(name)?.as_primitive());
        let number = |name| Some(array(name)?.as_primitive());
        Some(Self {
            texts: [
                text("table")?,
                text("sampler")?,
                text("scheduler")?,
                text("stopper")?,
                text("report")?,
                text("value")?,
                text("goal")?,
                text("end_reason")?,
            ],
            settings: text("settings"),
            counts: [
                count("workers")?,
                count("goal_rows")?,
                count("repeat")?,
                count("seed")?,
                count("trials_to_goal")?,
                count("epochs_to_goal")?,
                count("trials")?,
                count("epochs")?,
                count("stopped_trials")?,
            ],
            reached: array("reached")?.as_boolean(),
            numbers: [
                number("goal_value")?,
                number("time_to_goal_s")?,
                number("time_to_goal_epoch_s")?,
                number("end_s")?,
                number("table_share")?,
                number("snap_distance_median")?,
            ],
            later: [number("overhead_s"), number("selected_value"), number("selected_test")],
        })
    }

    fn at(&self, row: usize) -> Record<'a> {
        let [table, sampler, scheduler, stopper, report, value, goal, end_reason] =
            self.texts.map(|texts| texts.value(row));
        let maybe_count = |at: usize| {
            let counts = self.counts[at];
            counts.is_valid(row).then(|| counts.value(row))
        };
        let large = |at: usize| self.counts[at].value(row);
        let small = |count: u64| u32::try_from(count).expect("checked with its column");
        let count = |at: usize| small(large(at));
        let maybe = |numbers: &Float64Array| numbers.is_valid(row).then(|| numbers.value(row));
        let later = |at: usize| self.later[at].and_then(maybe);
        Record {
            table,
            sampler,
            scheduler,
            stopper,
            report,
            value,
            settings: self.settings.filter(|s| s.is_valid(row)).map_or("", |s| s.value(row)),
            workers: count(0),
            goal,
            goal_value: self.numbers[0].value(row),
            goal_rows: count(1),
            repeat: count(2),
            seed: large(3),
            reached: self.reached.value(row),
            time_to_goal_s: maybe(self.numbers[1]),
            time_to_goal_epoch_s: maybe(self.numbers[2]),
            trials_to_goal: maybe_count(4).map(small),
            epochs_to_goal: maybe_count(5),
            end_s: self.numbers[3].value(row),
            trials: count(6),
            epochs: large(7),
            stopped_trials: count(8),
            end_reason,
            table_share: self.numbers[4].value(row),
            snap_distance_median: maybe(self.numbers[5]),
            overhead_s: later(0).unwrap_or(0.0),
            selected_value: later(1),
            selected_test: later(2),
        }
    }
}
