//! Sound files to be damaged: as many codecs, encodings and versions of pages as others may write.

use std::fs::File;
use std::path::Path;

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::{BrotliLevel, Compression, Encoding, GzipLevel, ZstdLevel};
use parquet::file::properties::{
    EnabledStatistics, WriterProperties, WriterPropertiesBuilder, WriterVersion,
};

/// The rows of a file.
pub(super) fn rows(path: &Path) -> RecordBatch {
    let file = File::open(path).unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
    let schema = reader.schema().clone();
    let batches: Vec<RecordBatch> = reader.build().unwrap().map(Result::unwrap).collect();
    concat_batches(&schema, &batches).unwrap()
}

fn write(rows: &RecordBatch, properties: WriterPropertiesBuilder) -> Vec<u8> {
    let mut bytes = Vec::new();
    let properties = properties.set_statistics_enabled(EnabledStatistics::Page).build();
    let mut writer = ArrowWriter::try_new(&mut bytes, rows.schema(), Some(properties)).unwrap();
    writer.write(rows).unwrap();
    writer.close().unwrap();
    bytes
}

/// A file as it is, and its rows as other programs may write them.
pub(super) fn variants(path: &Path) -> Vec<Vec<u8>> {
    let rows = rows(path);
    let codecs = [
        Compression::UNCOMPRESSED,
        Compression::SNAPPY,
        Compression::GZIP(GzipLevel::default()),
        Compression::BROTLI(BrotliLevel::default()),
        Compression::LZ4,
        Compression::LZ4_RAW,
        Compression::ZSTD(ZstdLevel::default()),
    ];
    let mut found = vec![std::fs::read(path).unwrap()];
    for codec in codecs {
        for version in [WriterVersion::PARQUET_1_0, WriterVersion::PARQUET_2_0] {
            let of =
                || WriterProperties::builder().set_compression(codec).set_writer_version(version);
            found.push(write(&rows, of().set_max_row_group_row_count(Some(20))));
            found.push(write(&rows, of().set_dictionary_enabled(false)));
        }
    }
    let split = WriterProperties::builder().set_dictionary_enabled(false);
    let numbers = rows.schema();
    let split = numbers.fields().iter().fold(split, |split, field| {
        let kind = field.data_type();
        let encoding = match () {
            () if kind.is_floating() => Encoding::BYTE_STREAM_SPLIT,
            () if kind.is_integer() => Encoding::DELTA_BINARY_PACKED,
            () => Encoding::PLAIN,
        };
        split.set_column_encoding(field.name().as_str().into(), encoding)
    });
    found.push(write(&rows, split));
    found
}
