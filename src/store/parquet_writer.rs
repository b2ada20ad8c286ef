//! The one way in which this room writes Parquet: so that readers of years ago open it.
//!
//! - Floats have no statistics. NaN stands in ours, is greater than everything to some readers and
//!   unknown to the order of minimum and maximum: `DuckDB` up to 1.4.1 skips rows of NaN for `> x`.
//! - The footer names the order that every reader knows, [`of_old`] says why.
//! - No page index: it repeats the statistics page by page, and files are read whole.

use std::io::{self, Write};

use arrow::array::RecordBatch;
use arrow::datatypes::{Schema, SchemaRef};
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::arrow::{ArrowSchemaConverter, ArrowWriter};
use parquet::basic::{ColumnOrder, Compression, ZstdLevel};
use parquet::errors::{ParquetError, Result};
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesBuilder};
use parquet::schema::types::ColumnDescriptor;

use crate::foreign::thrift::{self, Kind, Reader, Unreadable};

/// A Parquet file in the making.
pub(crate) struct ParquetWriter<W: Write + Send>(ArrowWriter<Sink<W>>);

impl<W: Write + Send> ParquetWriter<W> {
    /// Opens a writer with properties that began as [`properties`]. Arrow's own schema is not
    /// written: every reader knows our types without it.
    pub(crate) fn new(
        sink: W,
        schema: SchemaRef,
        properties: WriterPropertiesBuilder,
    ) -> Result<Self> {
        let options = ArrowWriterOptions::new()
            .with_properties(without_float_statistics(properties, &schema)?.build())
            .with_skip_arrow_metadata(true);
        let sink = Sink { sink, end: None };
        ArrowWriter::try_new_with_options(sink, schema, options).map(Self)
    }

    /// Appends rows.
    pub(crate) fn write(&mut self, rows: &RecordBatch) -> Result<()> {
        self.0.write(rows)
    }

    /// Writes the rest and the footer. The bytes are with the system then, and not yet synced.
    pub(crate) fn finish(mut self) -> Result<()> {
        self.0.flush()?;
        self.0.inner_mut().end = Some(Vec::new());
        let Sink { mut sink, end } = self.0.into_inner()?;
        let mut end = end.expect("set above");
        of_old(&mut end).map_err(|Unreadable| {
            ParquetError::General("a footer of its own cannot be read".to_string())
        })?;
        sink.write_all(&end)?;
        Ok(sink.flush()?)
    }
}

/// What all files have in common.
pub(crate) fn properties(zstd_level: i32, group_rows: usize) -> WriterPropertiesBuilder {
    let level = ZstdLevel::try_new(zstd_level).expect("one of zstd's levels");
    WriterProperties::builder()
        .set_compression(Compression::ZSTD(level))
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_offset_index_disabled(true)
        .set_max_row_group_row_count(Some(group_rows))
}

/// Takes their statistics from the columns whose order has a place for NaN.
fn without_float_statistics(
    properties: WriterPropertiesBuilder,
    schema: &Schema,
) -> Result<WriterPropertiesBuilder> {
    let schema = ArrowSchemaConverter::new().convert(schema)?;
    let order = |column: &ColumnDescriptor| {
        let (logical, physical) = (column.logical_type_ref(), column.physical_type());
        ColumnOrder::column_order_for_type(logical, column.converted_type(), physical)
    };
    let floats = schema.columns().iter().filter(|c| order(c) == ColumnOrder::IEEE_754_TOTAL_ORDER);
    Ok(floats.fold(properties, |properties, column| {
        properties.set_column_statistics_enabled(column.path().clone(), EnabledStatistics::None)
    }))
}

/// Passes bytes on until the end of the file is due, which it keeps.
struct Sink<W> {
    sink: W,
    end: Option<Vec<u8>>,
}

impl<W: Write> Write for Sink<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.end {
            Some(end) => end.write(bytes),
            None => self.sink.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.sink.flush()
    }
}

/// The order that every reader knows, as the first byte of Thrift's union: field 1, a structure.
const TYPE_DEFINED: u8 = 0x1c;
/// The order of IEEE 754, in which NaN has a place: field 2.
const TOTAL: u8 = 0x2c;

/// Gives columns of floats the order that every reader knows, in the footer that ends these bytes.
///
/// The library names the order of IEEE 754, which came into the format in 2025: polars before 1.43
/// refuses the file for it. An order is that of statistics, and floats have none here. Both are
/// equally long, so that nothing moves.
fn of_old(end: &mut [u8]) -> thrift::Result<()> {
    const COLUMN_ORDERS: i64 = 7;
    let (rest, _magic) = end.split_last_chunk::<4>().ok_or(Unreadable)?;
    let (rest, length) = rest.split_last_chunk::<4>().ok_or(Unreadable)?;
    let length = usize::try_from(u32::from_le_bytes(*length)).map_err(|_| Unreadable)?;
    let first = rest.len().checked_sub(length).ok_or(Unreadable)?;
    let mut orders = Vec::new();
    let mut reader = Reader::new(&rest[first..]);
    let mut last = 0;
    while let Some((field, kind)) = reader.field(&mut last)? {
        if (field, kind) != (COLUMN_ORDERS, Kind::LIST) {
            reader.skip(kind)?;
            continue;
        }
        let (kind, count) = reader.list()?;
        for _ in 0..count {
            orders.push(first + length - reader.left());
            reader.skip(kind)?;
        }
    }
    for at in orders {
        match end[at] {
            TOTAL => end[at] = TYPE_DEFINED,
            TYPE_DEFINED => {}
            _ => return Err(Unreadable),
        }
    }
    Ok(())
}
