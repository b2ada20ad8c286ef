//! From records to Parquet: columns, types and encodings of the tables written here.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray, UInt32Array,
    new_null_array,
};
use arrow::compute::{cast, concat};
use arrow::datatypes::{DataType, Schema, SchemaRef};
use arrow::error::ArrowError;
use base::error::{Error, Result, internal, io};
use base::space::{Domain, Parameter, Space, Value, ValueKind};
use parquet::basic::Encoding;
use parquet::errors::ParquetError;
use parquet::file::properties::WriterPropertiesBuilder;
use parquet::schema::types::ColumnPath;

use super::layout::Layout;
use super::record::Recorded;
use crate::columns::{ColumnSpec, Named};
use crate::parquet_writer::{self, ParquetWriter};

/// Rows of a row group: few enough to hold in memory, many enough for one dictionary to pay.
const GROUP_ROWS: usize = 1 << 18;

/// How well a file is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Packing {
    /// Tables are written once and read for years.
    Whole,
    /// Parts are read once, when the table is whole, and then are no more.
    Part,
}

impl Packing {
    const fn zstd_level(self) -> i32 {
        match self {
            Self::Whole => 9,
            Self::Part => 1,
        }
    }
}

/// What a file of a table says that wrote it.
pub(crate) const CREATED_BY: &str = "curvebook";

/// Rows of `curves.parquet`, in the order of the configurations given.
pub(super) fn curves_batch(layout: &Layout, configs: &[Recorded]) -> Result<RecordBatch> {
    let ids = configs.iter().flat_map(|config| {
        let rows = config.curves.rows().unwrap_or(0);
        std::iter::repeat_n(config.config_id.0, rows)
    });
    let mut columns: Vec<ArrayRef> = vec![Arc::new(ids.collect::<UInt32Array>())];
    for column in &layout.curves {
        columns.push(joined(column, configs, |config| &config.curves)?);
    }
    batch(layout.curves_schema(), columns)
}

/// Rows of `configs.parquet`, in the order given. Values have been checked against the space.
pub(super) fn configs_batch(
    space: &Space,
    layout: &Layout,
    configs: &[Recorded],
) -> Result<RecordBatch> {
    let ids = UInt32Array::from_iter_values(configs.iter().map(|config| config.config_id.0));
    let mut columns: Vec<ArrayRef> = vec![Arc::new(ids)];
    columns.extend(space.parameters.iter().enumerate().map(|(at, parameter)| {
        let values: Vec<Value> = configs.iter().map(|config| config.values[at]).collect();
        hyperparameter(parameter, &values)
    }));
    for column in &layout.configs {
        columns.push(joined(column, configs, |config| &config.columns)?);
    }
    batch(layout.configs_schema(space), columns)
}

/// The cells of a column, of all configurations; null where one does not have it.
fn joined(
    column: &ColumnSpec,
    configs: &[Recorded],
    of: impl Fn(&Recorded) -> &Named,
) -> Result<ArrayRef> {
    let cells = configs.iter().map(|config| match of(config).get(&column.name) {
        Some(cells) => cells.typed(column),
        None => Ok(new_null_array(&column.kind.arrow(), of(config).rows().unwrap_or(0))),
    });
    let cells = cells.collect::<Result<Vec<_>>>()?;
    let cells: Vec<&dyn Array> = cells.iter().map(AsRef::as_ref).collect();
    concat(&cells).map_err(|e| internal("joining the cells of a column", e))
}

/// One hyperparameter's column; null where it is inactive.
fn hyperparameter(parameter: &Parameter, values: &[Value]) -> ArrayRef {
    let values = values.iter().copied();
    match (parameter.domain.value_kind(), &parameter.domain) {
        (ValueKind::Int, _) => Arc::new(
            values
                .map(|v| if let Value::Int(v) = v { Some(v) } else { None })
                .collect::<Int64Array>(),
        ),
        (ValueKind::Float, _) => Arc::new(
            values
                .map(|v| if let Value::Float(v) = v { Some(v) } else { None })
                .collect::<Float64Array>(),
        ),
        (_, Domain::Categorical { choices }) => Arc::new(
            values
                .map(|v| if let Value::Choice(c) = v { Some(choices[c].as_str()) } else { None })
                .collect::<StringArray>(),
        ),
        (ValueKind::Choice, _) => unreachable!("only a categorical parameter has choices"),
    }
}

fn batch(schema: SchemaRef, columns: Vec<ArrayRef>) -> Result<RecordBatch> {
    RecordBatch::try_new(schema, columns).map_err(|e| internal("building rows of a table", e))
}

/// Columns as they were read from a file of ours, in the very types that are written. All must be
/// there.
pub(super) fn typed(
    batch: &RecordBatch,
    schema: &SchemaRef,
) -> std::result::Result<RecordBatch, ArrowError> {
    let columns = schema.fields().iter().map(|field| {
        let array = batch.column_by_name(field.name()).expect("projected");
        cast(array, field.data_type())
    });
    RecordBatch::try_new(schema.clone(), columns.collect::<std::result::Result<_, _>>()?)
}

/// A writer whose bytes depend on the rows and their batches alone: no time, no version.
/// `few_values` tells the columns of floats whose numbers repeat themselves.
///
/// Accuracies are counts over a number of images: few distinct values, so a dictionary is smallest.
/// Other floats stand as they are. To split their bytes into streams would save a tenth of the
/// file, and `DuckDB` before 0.9.2 and fastparquet could not read it.
pub(super) fn writer<W: std::io::Write + Send>(
    sink: W,
    schema: SchemaRef,
    packing: Packing,
    few_values: impl Fn(&str) -> bool,
) -> Result<ParquetWriter<W>> {
    let properties = properties(&schema, packing, few_values);
    ParquetWriter::new(sink, schema, properties)
        .map_err(|e| internal("opening a Parquet writer", e))
}

/// What a Parquet writer could not do, as an error about the file: nearly always a full disk.
pub(super) fn failed(path: &Path, error: ParquetError) -> Error {
    match error {
        ParquetError::External(source) => match source.downcast::<std::io::Error>() {
            Ok(source) => io(path, "writing", *source),
            Err(source) => internal("writing Parquet", source),
        },
        other => internal("writing Parquet", other),
    }
}

fn properties(
    schema: &Schema,
    packing: Packing,
    few_values: impl Fn(&str) -> bool,
) -> WriterPropertiesBuilder {
    let level = packing.zstd_level();
    let mut properties =
        parquet_writer::properties(level, GROUP_ROWS).set_created_by(CREATED_BY.into());
    for field in schema.fields() {
        let encoding = match field.data_type() {
            DataType::Float32 | DataType::Float64 if !few_values(field.name()) => Encoding::PLAIN,
            // Steps of 0 and 1: packed to next to nothing.
            DataType::UInt32 => Encoding::DELTA_BINARY_PACKED,
            _ => continue,
        };
        let path = ColumnPath::from(field.name().as_str());
        properties = properties
            .set_column_dictionary_enabled(path.clone(), false)
            .set_column_encoding(path, encoding);
    }
    properties
}
