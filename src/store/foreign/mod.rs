//! The one place where Parquet bytes of unknown origin are decoded.
//!
//! The library answers most damage with an error, some with a panic, which is caught here and
//! reported as damage without a word of it. What cannot be caught (a stack that overflows, memory
//! that is not there) is looked for before: the depth of the schema, the sizes of pages and
//! dictionaries, the number of values, and whether a page unpacks to what it says. Reading takes at
//! most twice the file's length and 200 MB.

mod footer;
mod pages;
pub(crate) mod thrift;
mod unpack;

use std::cell::Cell;
use std::fs::File;
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;
use std::sync::Once;

use arrow::array::RecordBatch;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader,
    ParquetRecordBatchReaderBuilder,
};
use parquet::file::metadata::RowGroupMetaData;

use crate::columns::ColumnSpec;
use crate::inputs;
use crate::table::CREATED_BY;

/// Rows decoded at a time, and fewer where values are long. A constant, so that no number in the
/// file decides how much memory is taken at once.
const BATCH_ROWS: u64 = 1 << 15;
/// Bytes of texts decoded at a time.
const BATCH_BYTES: u64 = 32 << 20;
/// What pages and dictionaries of a row group take at most, beside twice the file's length.
const PAGES_BYTES: u64 = 128 << 20;
/// Rows that a byte of a file can stand for. All the same, they take a few thousandths.
const ROWS_A_BYTE: u64 = 4096;

thread_local! {
    static DECODING: Cell<bool> = const { Cell::new(false) };
}

/// Runs decoding of bytes that anyone may have written. A panic means damaged bytes, not a bug of
/// ours.
pub(crate) fn guarded<T>(decode: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    static QUIET: Once = Once::new();
    QUIET.call_once(|| {
        let loud = panic::take_hook();
        panic::set_hook(Box::new(move |about| {
            if !DECODING.get() {
                loud(about);
            }
        }));
    });
    DECODING.set(true);
    let decoded = panic::catch_unwind(AssertUnwindSafe(decode));
    DECODING.set(false);
    decoded.unwrap_or_else(|_| Err("unreadable".to_string()))
}

/// A Parquet file whose footer has been read.
#[derive(Debug)]
pub(crate) struct Foreign {
    file: File,
    len: u64,
    pub(crate) metadata: ArrowReaderMetadata,
}

impl Foreign {
    /// Reads the footer. Types come from the Parquet schema alone: what some writer's Arrow would
    /// have made of them (dictionaries, large strings) does not matter here.
    ///
    /// # Errors
    ///
    /// What is wrong with the file, in words.
    pub(crate) fn read(file: File) -> Result<Self, String> {
        let len = file.metadata().map_err(|e| e.to_string())?.len();
        footer::check(&file, len)?;
        let metadata = guarded(|| {
            let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
            ArrowReaderMetadata::load(&file, options).map_err(|e| e.to_string())
        })?;
        let rows = metadata.metadata().file_metadata().num_rows();
        let groups = metadata.metadata().row_groups().iter().map(RowGroupMetaData::num_rows);
        let sum = groups
            .into_iter()
            .try_fold(0_i64, |sum, rows| if rows < 0 { None } else { sum.checked_add(rows) });
        let possible =
            u64::try_from(rows).is_ok_and(|rows| rows <= len.saturating_mul(ROWS_A_BYTE));
        if sum != Some(rows) || !possible {
            return Err(format!("{rows} rows in a file of {len} bytes"));
        }
        Ok(Self { file, len, metadata })
    }

    /// Decodes some columns, batch by batch.
    ///
    /// # Errors
    ///
    /// What is wrong with the file, in words.
    pub(crate) fn batches(&self, mask: ProjectionMask) -> Result<Batches, String> {
        let (mut held_most, mut value_bytes) = (0, 0_u64);
        for group in self.metadata.metadata().row_groups() {
            let mut held = 0_u64;
            for (at, chunk) in group.columns().iter().enumerate() {
                if mask.leaf_included(at) {
                    let column = pages::check(&self.file, self.len, chunk)?;
                    held = held.saturating_add(column.bytes);
                    value_bytes = value_bytes.max(column.value_bytes);
                }
            }
            held_most = held.max(held_most);
        }
        if held_most > PAGES_BYTES.saturating_add(self.len.saturating_mul(2)) {
            return Err(format!("pages of {held_most} bytes in a file of {}", self.len));
        }
        let rows = (BATCH_BYTES / value_bytes.max(1)).clamp(1, BATCH_ROWS);
        let file = self.file.try_clone().map_err(|e| e.to_string())?;
        let reader = guarded(|| {
            ParquetRecordBatchReaderBuilder::new_with_metadata(file, self.metadata.clone())
                .with_projection(mask)
                .with_batch_size(usize::try_from(rows).expect("at most BATCH_ROWS"))
                .build()
                .map_err(|e| e.to_string())
        })?;
        Ok(Batches { reader: Some(reader) })
    }
}

/// Rows as they are decoded. After something wrong there are no more.
pub(crate) struct Batches {
    reader: Option<ParquetRecordBatchReader>,
}

impl Iterator for Batches {
    type Item = Result<RecordBatch, String>;

    fn next(&mut self) -> Option<Self::Item> {
        let reader = self.reader.as_mut()?;
        let batch = guarded(|| reader.next().transpose().map_err(|e| e.to_string())).transpose();
        if !matches!(batch, Some(Ok(_))) {
            self.reader = None;
        }
        batch
    }
}

/// Whether this program wrote a file with these columns, as far as that shows.
pub(crate) fn has_columns(path: &Path, columns: &[ColumnSpec]) -> bool {
    let file = inputs::open(path).map_err(|e| e.to_string());
    let Ok(file) = file.and_then(Foreign::read) else { return false };
    let about = file.metadata.metadata().file_metadata();
    let by = about.created_by().unwrap_or("");
    let names: Vec<&str> =
        file.metadata.schema().fields().iter().map(|f| f.name().as_str()).collect();
    let is_known = |name: &&str| columns.iter().any(|column| column.name == *name);
    (by.starts_with("parquet-rs") || by == CREATED_BY)
        && names.iter().all(is_known)
        && columns.iter().all(|column| column.later || names.contains(&&*column.name))
}
