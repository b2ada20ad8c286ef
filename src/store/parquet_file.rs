//! Writing a Parquet file under another name until it is whole.

use std::fs::File;
use std::io::{Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::BatchCoalescer;
use arrow::datatypes::{Field, Schema, SchemaRef};
use base::error::{Result, internal, io};
use parquet::file::metadata::KeyValue;

use crate::columns::{Cells, ColumnSpec, VERSION, VERSION_KEY};
use crate::parquet_writer::{self, ParquetWriter};
use crate::place::{Place, unwritable};
use crate::unfinished::Unfinished;

/// Rows of a row group; with it the memory that a writer holds.
const ROW_GROUP_ROWS: usize = 1 << 17;

/// Runs are written while others wait for them.
const ZSTD_LEVEL: i32 = 3;

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
    writer: ParquetWriter<File>,
    coalescer: BatchCoalescer,
    schema: SchemaRef,
    target: Target,
    /// As messages name it.
    path: PathBuf,
}

/// Where the bytes are, and where they go.
enum Target {
    /// A file beside its place.
    Beside(Unfinished, PathBuf),
    /// A file without a name, for standard output.
    Stdout(File),
}

impl ParquetFile {
    /// Opens a temporary file beside its place: that the place can be written is known before any
    /// work is done. `option` and `path` name the place in errors.
    pub(super) fn create(
        option: &str,
        path: &Path,
        place: Place,
        columns: &[ColumnSpec],
    ) -> Result<Self> {
        let fields: Vec<Field> = columns.iter().map(ColumnSpec::field).collect();
        let schema = Arc::new(Schema::new(fields));
        let failed = |e| unwritable(option, path, &e);
        let (target, file) = match place {
            Place::File(place) => {
                let directory = place.parent().expect("a file stands in a directory");
                let unfinished = Unfinished::new_in(directory).map_err(failed)?;
                let file = unfinished.as_file().try_clone().map_err(|e| io(path, "opening", e))?;
                (Target::Beside(unfinished, place), file)
            }
            Place::Stdout => {
                let file = tempfile::tempfile().map_err(|e| io(path, "opening", e))?;
                let written = file.try_clone().map_err(|e| io(path, "opening", e))?;
                (Target::Stdout(file), written)
            }
        };
        let version = KeyValue::new(VERSION_KEY.to_string(), VERSION.to_string());
        let properties = parquet_writer::properties(ZSTD_LEVEL, ROW_GROUP_ROWS)
            .set_key_value_metadata(Some(vec![version]));
        let writer = ParquetWriter::new(file, Arc::clone(&schema), properties)
            .map_err(|e| internal("starting a Parquet file", e))?;
        let coalescer = BatchCoalescer::new(Arc::clone(&schema), BATCH_ROWS);
        Ok(Self { writer, coalescer, schema, target, path: path.to_path_buf() })
    }

    /// Another name in the same directory.
    pub(super) fn rename(&mut self, path: &Path) {
        if let Target::Beside(_, place) = &mut self.target {
            *place = path.to_path_buf();
            self.path = path.to_path_buf();
        }
    }

    /// Appends rows, column by column.
    pub(super) fn write(&mut self, columns: Vec<Cells>) -> Result<()> {
        let columns = columns.into_iter().map(|cells| cells.0).collect();
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), columns)
            .map_err(|e| internal("making a batch of rows", e))?;
        self.write_batch(batch)
    }

    fn write_batch(&mut self, batch: RecordBatch) -> Result<()> {
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
        let path = &self.path;
        match self.target {
            Target::Beside(unfinished, place) => {
                unfinished.as_file().sync_all().map_err(|e| io(path, "syncing", e))?;
                unfinished.rename(&place).map_err(|e| io(path, "renaming into place", e))
            }
            Target::Stdout(file) => print(file).map_err(|e| io(path, "printing", e)),
        }
    }
}

/// Copies a file to standard output. A reader that has gone away is not an error.
fn print(mut file: File) -> std::io::Result<()> {
    file.rewind()?;
    let mut out = std::io::stdout().lock();
    match std::io::copy(&mut file, &mut out).and_then(|_| out.flush()) {
        Err(e) if e.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}
