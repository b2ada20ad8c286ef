//! The Parquet files of a table, whoever wrote them.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Float64Array, Int64Array, RecordBatch, StringArray, new_null_array,
};
use arrow::compute::CastOptions;
use arrow::datatypes::{
    DataType, Field, FieldRef, Float64Type, Int64Type, Schema, SchemaRef, TimeUnit,
};
use base::error::{Error, Result, fault, internal, suggest};
use parquet::arrow::arrow_reader::ArrowReaderMetadata;
use parquet::arrow::{ProjectionMask, parquet_to_arrow_schema};
use parquet::basic::Type;
use parquet::file::metadata::ColumnChunkMetaData;
use serde_json::Value as Json;

use crate::foreign::{Batches, Foreign, guarded};
use crate::inputs;

/// An open Parquet file whose footer has been read.
#[derive(Debug)]
pub(super) struct ParquetFile {
    /// As messages name it.
    shown: String,
    file: Foreign,
    /// Columns of durations, and how many of their units make a second. Parquet itself has plain
    /// integers there: only what Arrow writes beside them knows the unit.
    durations: Vec<(String, f64)>,
}

fn damaged(shown: &str, what: impl std::fmt::Display) -> Error {
    let rule = "must be a whole and sound Parquet file";
    fault(shown, "contents", what, rule, "restore the file, or write the table again")
}

impl ParquetFile {
    /// Opens a file and reads its footer.
    pub(super) fn open(path: &Path) -> Result<Self> {
        let shown = path.display().to_string();
        let rule = "must be a Parquet file that can be read";
        let unreadable = |value: String, remedy: &str| fault(&shown, "file", value, rule, remedy);
        let about = fs::metadata(path).map_err(|e| {
            unreadable(
                e.to_string(),
                "a table needs configs.parquet and curves.parquet: restore it",
            )
        })?;
        if !about.is_file() {
            return Err(unreadable("not a file".into(), "put the table's file in its place"));
        }
        let file = inputs::open(path)
            .map_err(|e| unreadable(e.to_string(), "check the permissions of the file"))?;
        let file = Foreign::read(file).map_err(|what| damaged(&shown, what))?;
        let durations = durations(&file.metadata);
        Ok(Self { shown, file, durations })
    }

    /// As messages name it.
    pub(super) fn shown(&self) -> &str {
        &self.shown
    }

    /// Rows that the footer promises.
    pub(super) fn rows(&self) -> Result<u64> {
        let rows = self.file.metadata.metadata().file_metadata().num_rows();
        u64::try_from(rows).map_err(|_| damaged(&self.shown, format!("{rows} rows")))
    }

    /// Columns with their types.
    pub(super) fn schema(&self) -> &SchemaRef {
        self.file.metadata.schema()
    }

    /// Columns of floats that are kept with a dictionary, where `writer` wrote the file.
    pub(super) fn dictionaries(&self, writer: &str) -> Vec<String> {
        let metadata = self.file.metadata.metadata();
        let Some(group) = metadata.row_groups().first() else { return Vec::new() };
        if metadata.file_metadata().created_by() != Some(writer) {
            return Vec::new();
        }
        let is_float = |column: &&ColumnChunkMetaData| {
            matches!(column.column_type(), Type::FLOAT | Type::DOUBLE)
        };
        let has_dictionary =
            |column: &&ColumnChunkMetaData| column.dictionary_page_offset().is_some();
        let floats = group.columns().iter().filter(is_float).filter(has_dictionary);
        floats.map(|column| column.column_descr().name().to_string()).collect()
    }

    /// Whether there is such a column.
    pub(super) fn has(&self, column: &str) -> bool {
        self.schema().index_of(column).is_ok()
    }

    /// Type of a column that must be there and be `kind`.
    pub(super) fn require(&self, column: &str, kind: Kind) -> Result<()> {
        let schema = self.schema();
        let Ok(field) = schema.field_with_name(column) else {
            let rule = "the table needs this column";
            let known = schema.fields().iter().map(|f| f.name().as_str());
            let field = format!("column {column}");
            let remedy = if self.is_pandas_index(column) {
                "it is the index of a pandas frame, of which only a description was kept: write \
                 the frame after `reset_index()`"
                    .to_string()
            } else {
                suggest(column, known)
            };
            return Err(fault(&self.shown, field, "missing", rule, remedy));
        };
        if kind.accepts(field.data_type()) {
            return Ok(());
        }
        let found = field.data_type();
        let column = format!("column {column}");
        if found.is_temporal() && kind != Kind::Words {
            let rule = format!("must be a column of {}, not of points in time", kind.words());
            let remedy = "write a time as the seconds that it took, or in a type of durations";
            return Err(fault(&self.shown, column, found, rule, remedy));
        }
        let rule = format!("must be a column of {}", kind.words());
        Err(fault(&self.shown, column, found, rule, "write it in such a type"))
    }

    /// Whether pandas kept a column as an index that is described in the file's metadata alone.
    fn is_pandas_index(&self, column: &str) -> bool {
        let metadata = self.file.metadata.metadata().file_metadata().key_value_metadata();
        let text = metadata.and_then(|pairs| pairs.iter().find(|pair| pair.key == "pandas"));
        let text = text.and_then(|pair| pair.value.as_deref());
        let described = text.and_then(|text| serde_json::from_str::<Json>(text).ok());
        let indexes = described.as_ref().and_then(|json| json.get("index_columns")?.as_array());
        let is_named = |index: &Json| index.get("name").is_some_and(|name| name == column);
        indexes.is_some_and(|indexes| indexes.iter().any(is_named))
    }

    /// Hands the named columns over, batch by batch, with the number of the first row. All must
    /// be there.
    pub(super) fn scan(
        &self,
        columns: &[&str],
        mut each: impl FnMut(u64, &RecordBatch) -> Result<()>,
    ) -> Result<()> {
        let mut row = 0;
        for batch in self.rows_of(columns)? {
            let batch = batch?;
            each(row, &batch)?;
            row += batch.num_rows() as u64;
        }
        if row != self.rows()? {
            let what = format!("{row} rows where the footer promises {}", self.rows()?);
            return Err(damaged(&self.shown, what));
        }
        Ok(())
    }

    /// The same, one batch after the other.
    pub(super) fn rows_of(&self, columns: &[&str]) -> Result<Rows> {
        let schema = self.schema();
        let roots = columns.iter().map(|c| schema.index_of(c).expect("required before"));
        let mask = ProjectionMask::roots(self.file.metadata.parquet_schema(), roots);
        let batches = self.file.batches(mask).map_err(|what| damaged(&self.shown, what))?;
        Ok(Rows { shown: self.shown.clone(), batches })
    }

    /// Whether a column is one of durations, which are read as seconds.
    pub(super) fn is_duration(&self, column: &str) -> bool {
        self.durations.iter().any(|(name, _)| name == column)
    }

    /// Columns with the types in which they are handed on: durations as numbers of seconds, for a
    /// file that says no more of a column than its Parquet type.
    pub(super) fn plain_schema(&self) -> SchemaRef {
        let field = |field: &FieldRef| {
            if self.is_duration(field.name()) {
                Arc::new(Field::new(field.name(), DataType::Float64, field.is_nullable()))
            } else {
                field.clone()
            }
        };
        Arc::new(Schema::new(self.schema().fields().iter().map(field).collect::<Vec<_>>()))
    }

    /// A batch in the types of [`Self::plain_schema`].
    pub(super) fn plain(&self, batch: &RecordBatch) -> Result<RecordBatch> {
        if self.durations.is_empty() {
            return Ok(batch.clone());
        }
        let of_batch = batch.schema();
        let mut columns: Vec<(&str, ArrayRef, bool)> = Vec::new();
        for field in of_batch.fields() {
            let name = field.name().as_str();
            let column = if self.is_duration(name) {
                Arc::new(self.floats(batch, name)?) as ArrayRef
            } else {
                batch.column_by_name(name).expect("its own").clone()
            };
            columns.push((name, column, field.is_nullable()));
        }
        RecordBatch::try_from_iter_with_nullable(columns)
            .map_err(|e| internal("reading durations", e))
    }

    /// A column of a batch as 64-bit floats; durations as seconds.
    pub(super) fn floats(&self, batch: &RecordBatch, column: &str) -> Result<Float64Array> {
        let array = self.cast(batch, column, &DataType::Float64)?;
        let numbers = array.as_primitive::<Float64Type>();
        let unit = self.durations.iter().find(|(name, _)| name == column);
        Ok(unit.map_or_else(|| numbers.clone(), |(_, unit)| numbers.unary(|n| n / unit)))
    }

    /// A column of a batch as 64-bit ints; a number that they cannot hold becomes null.
    pub(super) fn ints(&self, batch: &RecordBatch, column: &str) -> Result<Int64Array> {
        let array = self.cast(batch, column, &DataType::Int64)?;
        Ok(array.as_primitive::<Int64Type>().clone())
    }

    /// A column of a batch as text.
    pub(super) fn texts(&self, batch: &RecordBatch, column: &str) -> Result<StringArray> {
        let array = self.cast(batch, column, &DataType::Utf8)?;
        Ok(array.as_string::<i32>().clone())
    }

    fn cast(&self, batch: &RecordBatch, column: &str, to: &DataType) -> Result<ArrayRef> {
        let array = batch.column_by_name(column).expect("projected");
        if array.data_type() == &DataType::Null {
            return Ok(new_null_array(to, array.len()));
        }
        let cast = guarded(|| {
            let options = CastOptions { safe: true, ..CastOptions::default() };
            arrow::compute::cast_with_options(array, to, &options).map_err(|e| e.to_string())
        });
        cast.map_err(|what| damaged(&self.shown, format!("column {column}: {what}")))
    }
}

/// Some columns of a file, batch by batch.
pub(super) struct Rows {
    shown: String,
    batches: Batches,
}

impl Iterator for Rows {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = self.batches.next()?;
        Some(batch.map_err(|what| damaged(&self.shown, what)))
    }
}

/// The columns that Arrow's description, where the file carries one, calls durations. One that
/// cannot be read says nothing: types come from the Parquet schema.
pub(crate) fn durations(metadata: &ArrowReaderMetadata) -> Vec<(String, f64)> {
    let file = metadata.metadata().file_metadata();
    let described = guarded(|| {
        parquet_to_arrow_schema(file.schema_descr(), file.key_value_metadata())
            .map_err(|e| e.to_string())
    });
    let Ok(schema) = described else { return Vec::new() };
    let unit = |kind: &DataType| match kind {
        DataType::Duration(TimeUnit::Second) => Some(1.0),
        DataType::Duration(TimeUnit::Millisecond) => Some(1e3),
        DataType::Duration(TimeUnit::Microsecond) => Some(1e6),
        DataType::Duration(TimeUnit::Nanosecond) => Some(1e9),
        _ => None,
    };
    let fields = schema.fields().iter();
    fields.filter_map(|field| Some((field.name().clone(), unit(field.data_type())?))).collect()
}

/// What a column may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Whole numbers of any width.
    Ids,
    /// Numbers of any type.
    Numbers,
    /// Words; whole numbers and booleans are read as the words that they print.
    Words,
}

impl Kind {
    fn accepts(self, found: &DataType) -> bool {
        let decimal = matches!(
            found,
            DataType::Decimal32(..)
                | DataType::Decimal64(..)
                | DataType::Decimal128(..)
                | DataType::Decimal256(..)
        );
        match self {
            Self::Ids => found.is_integer(),
            Self::Numbers => {
                found.is_integer() || found.is_floating() || decimal || found == &DataType::Null
            }
            Self::Words => {
                let words = matches!(
                    found,
                    DataType::Utf8
                        | DataType::LargeUtf8
                        | DataType::Utf8View
                        | DataType::Binary
                        | DataType::Boolean
                        | DataType::Null
                );
                words || found.is_integer()
            }
        }
    }

    const fn words(self) -> &'static str {
        match self {
            Self::Ids => "whole numbers",
            Self::Numbers => "numbers",
            Self::Words => "texts",
        }
    }
}
