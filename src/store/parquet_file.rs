//! Writing a Parquet file under another name until it is whole.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::BatchCoalescer;
use arrow::datatypes::{Field, Schema, SchemaRef};
use base::error::{Result, fault, internal, io};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use tempfile::NamedTempFile;

use crate::columns::{Cells, ColumnSpec};

/// Rows of a row group; with it the memory that a writer holds.
const ROW_GROUP_ROWS: usize = 1 << 17;

/// Rows that are handed to the writer at a time: the same however they come, so that the bytes
/// depend on the rows alone.
const BATCH_ROWS: usize = 8192;

impl std::fmt::Debug for ParquetFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ParquetFile").field("path", &self.path).finish_non_exhaustive()
    }
}

/// A Parquet file in the making. Dropped unfinished, it leaves nothing behind.
pub(super) struct ParquetFile {
    writer: ArrowWriter<File>,
    coalescer: BatchCoalescer,
    schema: SchemaRef,
    temporary: NamedTempFile,
    path: PathBuf,
}

impl ParquetFile {
    /// Opens a temporary file beside `path`: that the place can be written is known before any
    /// work is done. `option` names the place in errors.
    pub(super) fn create(option: &str, path: &Path, columns: &[ColumnSpec]) -> Result<Self> {
        let fields: Vec<Field> = columns.iter().map(ColumnSpec::field).collect();
        Self::with_schema(option, path, Arc::new(Schema::new(fields)))
    }

    /// The same for a schema that is known.
    pub(super) fn with_schema(option: &str, path: &Path, schema: SchemaRef) -> Result<Self> {
        if path.is_dir() {
            let rule = "a directory stands there";
            return Err(fault(option, "file", path.display(), rule, "name a file"));
        }
        let parent = path.parent().filter(|p| !p.as_os_str().is_empty());
        let parent = parent.unwrap_or(Path::new("."));
        let temporary = NamedTempFile::new_in(parent).map_err(|e| {
            let rule = format!("the directory must exist and be writable ({e})");
            fault(option, "file", path.display(), rule, "make the directory, or name another")
        })?;
        let file = temporary.reopen().map_err(|e| io(path, "opening", e))?;
        let level = ZstdLevel::try_new(3).expect("3 is a zstd level");
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(level))
            .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
            .build();
        let writer = ArrowWriter::try_new(file, Arc::clone(&schema), Some(properties))
            .map_err(|e| internal("starting a Parquet file", e))?;
        let coalescer = BatchCoalescer::new(Arc::clone(&schema), BATCH_ROWS);
        Ok(Self { writer, coalescer, schema, temporary, path: path.to_path_buf() })
    }

    /// Appends rows, column by column.
    pub(super) fn write(&mut self, columns: Vec<Cells>) -> Result<()> {
        let columns = columns.into_iter().map(|cells| cells.0).collect();
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), columns)
            .map_err(|e| internal("making a batch of rows", e))?;
        self.write_batch(batch)
    }

    /// Appends a batch of the file's schema.
    pub(super) fn write_batch(&mut self, batch: RecordBatch) -> Result<()> {
        let joining = |e| internal("joining batches of rows", e);
        self.coalescer.push_batch(batch).map_err(joining)?;
        self.write_completed()
    }

    fn write_completed(&mut self) -> Result<()> {
        while let Some(batch) = self.coalescer.next_completed_batch() {
            self.writer.write(&batch).map_err(|e| self.failed(&e))?;
        }
        Ok(())
    }

    fn failed(&self, error: &dyn std::fmt::Display) -> base::error::Error {
        io(&self.path, "writing", std::io::Error::other(error.to_string()))
    }

    /// Completes, syncs and renames the file into its place.
    pub(super) fn finish(mut self) -> Result<()> {
        let joining = |e| internal("joining batches of rows", e);
        self.coalescer.finish_buffered_batch().map_err(joining)?;
        self.write_completed()?;
        self.writer
            .finish()
            .map_err(|e| io(&self.path, "writing", std::io::Error::other(e.to_string())))?;
        let file = self.temporary.as_file();
        file.sync_all().map_err(|e| io(&self.path, "syncing", e))?;
        make_readable(file).map_err(|e| io(&self.path, "setting the permissions of", e))?;
        let persisted = self.temporary.persist(&self.path);
        persisted.map_err(|e| io(&self.path, "renaming into place", e.error))?;
        Ok(())
    }
}

/// Temporary files are made for their owner alone; results are for everybody, as far as the
/// permissions of the directory go.
#[cfg(unix)]
fn make_readable(file: &File) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(std::fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn make_readable(_: &File) -> std::io::Result<()> {
    Ok(())
}
