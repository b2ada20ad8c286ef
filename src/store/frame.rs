//! Columns in memory, handed to other programs as Arrow hands them on: by reference.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{RecordBatch, RecordBatchIterator};
use arrow::datatypes::{Field, Schema, SchemaRef};
use arrow::ffi::FFI_ArrowSchema;
use arrow::ffi_stream::FFI_ArrowArrayStream;
use base::error::{Error, Result, fault, internal};
use parquet::arrow::ProjectionMask;

use crate::columns::{ColumnSpec, Row};
use crate::foreign::Foreign;
use crate::inputs;

/// Rows of some columns. A copy shares the memory.
#[derive(Debug, Clone)]
pub struct Frame {
    schema: SchemaRef,
    batches: Vec<RecordBatch>,
}

/// A stream of a frame's rows in the C interface of Arrow, whose memory layout it has.
#[repr(transparent)]
pub struct ArrowStream(FFI_ArrowArrayStream);

/// The columns of a frame in the C interface of Arrow, whose memory layout it has.
#[repr(transparent)]
pub struct ArrowSchema(FFI_ArrowSchema);

impl std::fmt::Debug for ArrowStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ArrowStream").finish_non_exhaustive()
    }
}

impl std::fmt::Debug for ArrowSchema {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ArrowSchema").finish_non_exhaustive()
    }
}

impl Frame {
    /// Declared rows.
    ///
    /// # Errors
    /// None but an internal one.
    pub fn of<R: Row>(rows: &[&R]) -> Result<Self> {
        let fields: Vec<Field> = R::columns().iter().map(ColumnSpec::field).collect();
        let schema = Arc::new(Schema::new(fields));
        let columns = R::cells(rows).into_iter().map(|cells| cells.0).collect();
        let batch = RecordBatch::try_new(Arc::clone(&schema), columns)
            .map_err(|e| internal("making a batch of rows", e))?;
        Ok(Self { schema, batches: vec![batch] })
    }

    /// A whole Parquet file as it stands, whoever wrote it.
    ///
    /// # Errors
    /// A fault of what is no sound Parquet file.
    pub fn read(path: &Path) -> Result<Self> {
        let broken = |what: &dyn std::fmt::Display| -> Error {
            let rule = "must be a whole and sound Parquet file that can be read";
            fault(path.display(), "file", what, rule, "check the path, or write the file again")
        };
        let file = inputs::open(path).map_err(|e| broken(&e))?;
        let file = Foreign::read(file).map_err(|e| broken(&e))?;
        Self::read_all(&file).map_err(|e| broken(&e))
    }

    /// Every column of a file whose footer has been read.
    pub(crate) fn read_all(file: &Foreign) -> std::result::Result<Self, String> {
        let schema = Arc::clone(file.metadata.schema());
        let batches =
            file.batches(ProjectionMask::all())?.collect::<std::result::Result<_, _>>()?;
        Ok(Self { schema, batches })
    }

    /// How many rows there are.
    pub fn rows(&self) -> usize {
        self.batches.iter().map(RecordBatch::num_rows).sum()
    }

    /// The names of the columns, in their order.
    pub fn columns(&self) -> Vec<&str> {
        self.schema.fields().iter().map(|field| field.name().as_str()).collect()
    }

    /// The rows for another program, which takes them without copying.
    pub fn stream(&self) -> ArrowStream {
        let batches = self.batches.clone().into_iter().map(Ok);
        let reader = RecordBatchIterator::new(batches, Arc::clone(&self.schema));
        ArrowStream(FFI_ArrowArrayStream::new(Box::new(reader)))
    }

    /// The columns for another program.
    ///
    /// # Errors
    /// None but an internal one.
    pub fn schema(&self) -> Result<ArrowSchema> {
        let schema = FFI_ArrowSchema::try_from(&*self.schema);
        schema.map(ArrowSchema).map_err(|e| internal("describing columns", e))
    }
}

#[cfg(test)]
mod tests {
    use arrow::ffi_stream::RecordBatchStreamReader;

    use super::*;
    use crate::trace::TraceRow;

    #[test]
    fn rows_come_back_from_a_stream_without_a_copy() {
        let row = TraceRow {
            run: 1,
            repeat: 2,
            segment: 0,
            trial: 0,
            config_id: 7,
            curve_repeat: 0,
            worker: 0,
            start_ns: 0,
            end_ns: 5,
            epoch_first: 1,
            epochs: 3,
            end_state: "stopped",
            value: Some(0.5),
            reported: None,
            snap_distance: None,
            overhead_ns: 0,
        };
        let frame = Frame::of(&[&row, &row]).unwrap();
        assert_eq!((frame.rows(), frame.columns().len()), (2, TraceRow::columns().len()));
        let ArrowStream(stream) = frame.stream();
        let reader = RecordBatchStreamReader::try_new(stream).unwrap();
        let batches: Vec<RecordBatch> = reader.map(|batch| batch.unwrap()).collect();
        assert_eq!(batches, frame.batches);
        let buffer = |batch: &RecordBatch| batch.column(7).to_data().buffers()[0].as_ptr();
        assert_eq!(buffer(&batches[0]), buffer(&frame.batches[0]));
    }
}
