//! Columns that other programs take without copying.

use pyo3::prelude::*;
use pyo3::types::PyCapsule;

use curvebook::store;

use crate::errors::Raise;

/// Rows of some columns, in Arrow's memory format.
///
/// Whatever reads Arrow's `PyCapsule` interface takes it without copying:
///
///     polars.DataFrame(frame)
///     pyarrow.table(frame)
///     pandas.DataFrame.from_arrow(frame)     # pandas 3
///     duckdb.sql("select count(*) from frame")
#[pyclass(frozen, module = "curvebook")]
pub(crate) struct Frame(pub(crate) store::Frame);

#[pymethods]
impl Frame {
    /// The names of the columns, in their order.
    #[getter]
    fn columns(&self) -> Vec<&str> {
        self.0.columns()
    }

    fn __len__(&self) -> usize {
        self.0.rows()
    }

    fn __repr__(&self) -> String {
        format!("<curvebook.Frame: {} rows of {}>", self.0.rows(), self.0.columns().join(", "))
    }

    /// The rows as a stream in Arrow's C interface. A schema that is asked for is not heeded, as
    /// the interface allows.
    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        let _ = requested_schema;
        PyCapsule::new(py, self.0.stream(), Some(c"arrow_array_stream".into()))
    }

    /// The columns and their types in Arrow's C interface.
    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        PyCapsule::new(py, self.0.schema().raise(py)?, Some(c"arrow_schema".into()))
    }
}
