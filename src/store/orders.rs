//! Recorded orders: a Parquet or CSV file with the columns `repeat` and `config_id`.

use std::fs::File;
use std::path::Path;

use arrow::array::{Array, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type};
use base::error::{Error, Result, fault, suggest};
use base::units::ConfigId;
use parquet::arrow::ProjectionMask;

use crate::foreign::{Foreign, guarded};
use crate::inputs;

/// For each repeat the rows to visit, in order.
pub type RecordedOrders = Vec<Vec<ConfigId>>;

/// Repeats beyond this are refused rather than given memory.
const REPEATS_MAX: usize = 1 << 22;

const COLUMNS: [&str; 2] = ["repeat", "config_id"];

/// Reads a recorded order; the extension decides the format (`.csv`, else Parquet). Other columns
/// are ignored, so that a trace is an order too.
pub fn read_orders(path: &Path) -> Result<RecordedOrders> {
    let file = inputs::open(path).map_err(|e| {
        let rule = format!("the recorded order must be readable ({e})");
        fault("--sampler", "recorded:file", path.display(), rule, "check the path")
    })?;
    let is_csv = path.extension().is_some_and(|e| e.eq_ignore_ascii_case("csv"));
    if is_csv { read_csv(path, file) } else { read_parquet(path, file) }
}

fn read_csv(path: &Path, file: File) -> Result<RecordedOrders> {
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(file);
    let header = reader.headers().map_err(|e| unreadable(path, &e))?.clone();
    let at = |name: &str| {
        header
            .iter()
            .position(|h| h == name)
            .ok_or_else(|| missing_column(path, name, header.iter()))
    };
    let (repeat_at, config_at) = (at(COLUMNS[0])?, at(COLUMNS[1])?);
    let mut orders = RecordedOrders::new();
    for (row, record) in reader.records().enumerate() {
        let record = record.map_err(|e| unreadable(path, &e))?;
        let number = |column: usize| {
            let text = record.get(column).unwrap_or("");
            text.parse().map_err(|_| {
                wrong_number(path, COLUMNS[usize::from(column == config_at)], row, text)
            })
        };
        push(path, &mut orders, row, number(repeat_at)?, number(config_at)?)?;
    }
    Ok(orders)
}

fn read_parquet(path: &Path, file: File) -> Result<RecordedOrders> {
    let file = Foreign::read(file).map_err(|what| unreadable(path, &what))?;
    let names: Vec<&str> =
        file.metadata.schema().fields().iter().map(|f| f.name().as_str()).collect();
    let mut places = Vec::new();
    for name in COLUMNS {
        let place = names.iter().position(|n| *n == name);
        places.push(place.ok_or_else(|| missing_column(path, name, names.iter().copied()))?);
    }
    let mask = ProjectionMask::roots(file.metadata.parquet_schema(), places);
    let mut orders = RecordedOrders::new();
    let mut row = 0;
    for batch in file.batches(mask).map_err(|what| unreadable(path, &what))? {
        let batch = batch.map_err(|what| unreadable(path, &what))?;
        let schema = batch.schema();
        let column = |name: &str| {
            let column = batch.column_by_name(name).ok_or_else(|| {
                missing_column(path, name, schema.fields().iter().map(|f| f.name().as_str()))
            })?;
            let cast = || guarded(|| cast(column, &DataType::Int64).map_err(|e| e.to_string()));
            let whole = column.data_type().is_integer().then(cast);
            whole
                .and_then(std::result::Result::ok)
                .ok_or_else(|| wrong_number(path, name, row, &column.data_type().to_string()))
        };
        let (repeats, configs) = (column(COLUMNS[0])?, column(COLUMNS[1])?);
        let (repeats, configs) =
            (repeats.as_primitive::<Int64Type>(), configs.as_primitive::<Int64Type>());
        for at in 0..batch.num_rows() {
            if repeats.is_null(at) || configs.is_null(at) {
                return Err(wrong_number(path, "repeat or config_id", row + at, "null"));
            }
            push(path, &mut orders, row + at, repeats.value(at), configs.value(at))?;
        }
        row += batch.num_rows();
    }
    Ok(orders)
}

fn push(
    path: &Path,
    orders: &mut RecordedOrders,
    row: usize,
    repeat: i64,
    config: i64,
) -> Result<()> {
    let Some(repeat) = usize::try_from(repeat).ok().filter(|r| *r < REPEATS_MAX) else {
        return Err(wrong_number(path, COLUMNS[0], row, &repeat.to_string()));
    };
    let Ok(config) = u32::try_from(config) else {
        return Err(wrong_number(path, COLUMNS[1], row, &config.to_string()));
    };
    if orders.len() <= repeat {
        orders.resize_with(repeat + 1, Vec::new);
    }
    orders[repeat].push(ConfigId(config));
    Ok(())
}

fn unreadable(path: &Path, error: &dyn std::fmt::Display) -> Error {
    let rule = "must be a CSV file (*.csv) or a Parquet file";
    fault(path.display(), "content", error, rule, "record the order again")
}

fn missing_column<'a>(path: &Path, name: &str, known: impl Iterator<Item = &'a str>) -> Error {
    let rule = "a recorded order has the columns repeat and config_id";
    fault(path.display(), format!("column {name}"), "missing", rule, suggest(name, known))
}

fn wrong_number(path: &Path, column: &str, row: usize, found: &str) -> Error {
    let rule = "must be a whole number from 0";
    fault(path.display(), format!("column {column}, row {row}"), found, rule, "mend that row")
}
