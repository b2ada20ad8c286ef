//! From records to Parquet: columns, types and encodings of the tables written here.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, Float32Array, Float64Array, Int32Builder, Int64Array, ListBuilder, RecordBatch,
    StringArray, UInt16Array, UInt32Array,
};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::error::ArrowError;
use base::error::{Error, Result, internal, io};
use base::space::{Domain, Parameter, Space, Value};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;

use super::record::{EpochRecord, TrainedConfig};

/// Rows of a row group: few enough to hold in memory, many enough for one dictionary to pay.
const GROUP_ROWS: usize = 1 << 18;

/// How a column of `curves.parquet` is written.
///
/// Accuracies are counts over a number of images: few distinct values, so a dictionary is smallest.
/// Losses, scores and the validation's share are kept in 32 bits: training computes in those, and
/// their last 29 bits would be noise that no compressor removes. The metric and `seconds`, which a
/// replay is decided by, keep all 64 bits.
enum Column {
    /// Of 64 bits, with a dictionary.
    Share(fn(&EpochRecord) -> Option<f64>),
    /// Of 64 bits, bytes split into streams.
    Exact(fn(&EpochRecord) -> Option<f64>),
    /// Of 32 bits, bytes split into streams.
    Single(fn(&EpochRecord) -> Option<f64>),
}

/// Every measured column, in the order of the file.
const MEASURED: [(&str, Column); 12] = [
    ("val_accuracy", Column::Share(|e| Some(e.val_accuracy))),
    ("seconds", Column::Exact(|e| Some(e.seconds))),
    ("val_loss", Column::Single(|e| Some(e.val_loss))),
    ("train_loss", Column::Single(|e| Some(e.train_loss))),
    ("train_accuracy", Column::Share(|e| Some(e.train_accuracy))),
    ("val_precision_macro", Column::Single(|e| Some(e.val_precision_macro))),
    ("val_recall_macro", Column::Single(|e| Some(e.val_recall_macro))),
    ("val_f1_macro", Column::Single(|e| Some(e.val_f1_macro))),
    ("val_precision_weighted", Column::Single(|e| Some(e.val_precision_weighted))),
    ("test_accuracy", Column::Share(|e| e.test_accuracy)),
    ("test_loss", Column::Single(|e| e.test_loss)),
    ("eval_seconds", Column::Single(|e| Some(e.eval_seconds))),
];

/// The column of `configs.parquet` that a GPU's table alone has.
pub(super) const FUSED_SHARE: &str = "fused_share_seconds";

/// Columns of `curves.parquet`.
pub(super) fn curves_schema() -> SchemaRef {
    let mut fields = vec![
        Field::new("config_id", DataType::UInt32, false),
        Field::new("repeat", DataType::UInt16, false),
        Field::new("epoch", DataType::UInt16, false),
    ];
    fields.extend(MEASURED.iter().map(|(name, column)| match column {
        Column::Share(_) | Column::Exact(_) => Field::new(*name, DataType::Float64, true),
        Column::Single(_) => Field::new(*name, DataType::Float32, true),
    }));
    Arc::new(Schema::new(fields))
}

/// Columns of `configs.parquet`. A table of a GPU has one more: whoever knows a table's header or
/// manifest knows `has_fused_share`.
pub(super) fn configs_schema(space: &Space, has_fused_share: bool) -> SchemaRef {
    let mut fields = vec![Field::new("config_id", DataType::UInt32, false)];
    fields.extend(space.parameters.iter().map(|parameter| {
        let kind = match parameter.domain {
            Domain::Int { .. } => DataType::Int64,
            Domain::Float { .. } => DataType::Float64,
            Domain::Categorical { .. } => DataType::Utf8,
        };
        Field::new(&parameter.name, kind, parameter.condition.is_some())
    }));
    let cell = Field::new_list_field(DataType::Int32, true);
    fields.extend([
        Field::new("params", DataType::Int64, false),
        Field::new("flops_per_epoch", DataType::Float64, false),
        Field::new("setup_seconds", DataType::Float64, false),
    ]);
    fields.extend(has_fused_share.then(|| Field::new(FUSED_SHARE, DataType::Float64, true)));
    fields.extend([
        Field::new("status", DataType::Utf8, false),
        Field::new("val_confusion", DataType::List(Arc::new(cell)), true),
    ]);
    Arc::new(Schema::new(fields))
}

/// Rows of `curves.parquet`, in the order of the configurations given.
pub(super) fn curves_batch(configs: &[TrainedConfig]) -> Result<RecordBatch> {
    let rows = || configs.iter().flat_map(|c| c.epochs.iter().map(move |e| (c, e)));
    let mut columns: Vec<ArrayRef> = vec![
        Arc::new(UInt32Array::from_iter_values(rows().map(|(c, _)| c.config.config_id.0))),
        Arc::new(UInt16Array::from_iter_values(rows().map(|(_, e)| e.repeat))),
        Arc::new(UInt16Array::from_iter_values(rows().map(|(_, e)| e.epoch))),
    ];
    #[expect(clippy::cast_possible_truncation, reason = "32 bits are what these columns keep")]
    columns.extend(MEASURED.iter().map(|(_, column)| -> ArrayRef {
        match column {
            Column::Share(get) | Column::Exact(get) => {
                Arc::new(rows().map(|(_, e)| get(e)).collect::<Float64Array>())
            }
            Column::Single(get) => {
                Arc::new(rows().map(|(_, e)| get(e).map(|v| v as f32)).collect::<Float32Array>())
            }
        }
    }));
    batch(curves_schema(), columns)
}

/// Rows of `configs.parquet`, in the order given. Values have been checked against the space.
pub(super) fn configs_batch(
    space: &Space,
    has_fused_share: bool,
    configs: &[TrainedConfig],
) -> Result<RecordBatch> {
    let records = || configs.iter().map(|c| &c.config);
    let mut columns: Vec<ArrayRef> =
        vec![Arc::new(UInt32Array::from_iter_values(records().map(|c| c.config_id.0)))];
    columns.extend(space.parameters.iter().enumerate().map(|(at, parameter)| {
        let values: Vec<Value> = records().map(|c| c.values[at]).collect();
        hyperparameter(parameter, &values)
    }));
    let mut confusion = ListBuilder::new(Int32Builder::new());
    for record in records() {
        for &count in &record.val_confusion {
            let count = i32::try_from(count).map_err(|e| internal("writing a confusion", e))?;
            confusion.values().append_value(count);
        }
        // A configuration that failed before its first validation has none.
        confusion.append(!record.val_confusion.is_empty());
    }
    columns.extend([
        Arc::new(Int64Array::from_iter_values(records().map(|c| c.params))) as ArrayRef,
        Arc::new(Float64Array::from_iter_values(records().map(|c| c.flops_per_epoch))),
        Arc::new(Float64Array::from_iter_values(records().map(|c| c.setup_seconds))),
    ]);
    if has_fused_share {
        let shares = records().map(|c| c.fused_share_seconds);
        columns.push(Arc::new(shares.collect::<Float64Array>()));
    }
    columns.extend([
        Arc::new(StringArray::from_iter_values(records().map(|c| c.status.word()))) as ArrayRef,
        Arc::new(confusion.finish()),
    ]);
    batch(configs_schema(space, has_fused_share), columns)
}

/// One hyperparameter's column; null where it is inactive.
fn hyperparameter(parameter: &Parameter, values: &[Value]) -> ArrayRef {
    let values = values.iter().copied();
    match &parameter.domain {
        Domain::Int { .. } => Arc::new(
            values
                .map(|v| if let Value::Int(v) = v { Some(v) } else { None })
                .collect::<Int64Array>(),
        ),
        Domain::Float { .. } => Arc::new(
            values
                .map(|v| if let Value::Float(v) = v { Some(v) } else { None })
                .collect::<Float64Array>(),
        ),
        Domain::Categorical { choices } => Arc::new(
            values
                .map(|v| if let Value::Choice(c) = v { Some(choices[c].as_str()) } else { None })
                .collect::<StringArray>(),
        ),
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

/// A writer whose bytes depend on the rows and their batches alone: no time, no version, no
/// Arrow schema (every reader knows these types without it).
pub(super) fn writer<W: std::io::Write + Send>(
    sink: W,
    schema: SchemaRef,
) -> Result<ArrowWriter<W>> {
    let options = ArrowWriterOptions::new()
        .with_properties(properties(&schema))
        .with_skip_arrow_metadata(true);
    ArrowWriter::try_new_with_options(sink, schema, options)
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

fn properties(schema: &Schema) -> WriterProperties {
    let level = ZstdLevel::try_new(9).expect("zstd has a level 9");
    let mut builder = WriterProperties::builder()
        .set_created_by("curvebook".into())
        .set_compression(Compression::ZSTD(level))
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_offset_index_disabled(true)
        .set_max_row_group_row_count(Some(GROUP_ROWS));
    for field in schema.fields() {
        let shared = MEASURED
            .iter()
            .any(|(name, column)| name == field.name() && matches!(column, Column::Share(_)));
        let encoding = match field.data_type() {
            DataType::Float32 | DataType::Float64 if !shared => Encoding::BYTE_STREAM_SPLIT,
            // Steps of 0 and 1: packed to next to nothing.
            DataType::UInt32 => Encoding::DELTA_BINARY_PACKED,
            _ => continue,
        };
        let path = ColumnPath::from(field.name().as_str());
        builder = builder
            .set_column_dictionary_enabled(path.clone(), false)
            .set_column_encoding(path, encoding);
    }
    builder.build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_columns_are_those_of_the_contract_in_their_order() {
        let schema = curves_schema();
        let names: Vec<&str> = schema.fields().iter().map(|f| f.name().as_str()).collect();
        assert_eq!(names[..5], ["config_id", "repeat", "epoch", "val_accuracy", "seconds"]);
        for exact in ["val_accuracy", "seconds"] {
            let field = schema.field_with_name(exact).unwrap();
            assert_eq!(field.data_type(), &DataType::Float64, "{exact}");
        }
    }
}
