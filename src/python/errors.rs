//! Errors of the rooms as exceptions of Python.

use curvebook::base::error::{Error, Fault};
use pyo3::exceptions::{PyKeyboardInterrupt, PyOSError, PyRuntimeError};
use pyo3::prelude::*;
use pyo3::sync::GILOnceCell;
use pyo3::types::PyType;

/// `curvebook.InputError`: written in Python, so that it can be pickled and has attributes.
static INPUT_ERROR: GILOnceCell<Py<PyType>> = GILOnceCell::new();

/// An error as the exception that stands for it.
pub(crate) fn raised(py: Python<'_>, error: Error) -> PyErr {
    match error {
        Error::Input(fault) => input(py, &fault),
        Error::Unavailable(fault) => PyOSError::new_err(fault.to_string()),
        Error::Io { ref source, .. } => {
            let text = error.to_string();
            match source.raw_os_error() {
                Some(number) => PyOSError::new_err((number, text)),
                None => PyOSError::new_err(text),
            }
        }
        Error::Internal { .. } => PyRuntimeError::new_err(error.to_string()),
        Error::Interrupted { .. } => PyKeyboardInterrupt::new_err(error.to_string()),
        Error::Unfinished { what, source } => {
            let reason = raised(py, *source);
            // What is not finished, and how to go on, stands beside the reason.
            let note = reason.value(py).setattr("unfinished", what);
            note.err().unwrap_or(reason)
        }
    }
}

/// The `ValueError` of a mistake that the caller can mend, with its five parts.
fn input(py: Python<'_>, fault: &Fault) -> PyErr {
    let Fault { file, field, value, rule, remedy } = fault;
    let class = INPUT_ERROR.import(py, "curvebook._errors", "InputError");
    match class.and_then(|class| class.call1((file, field, value, rule, remedy))) {
        Ok(exception) => PyErr::from_value(exception),
        Err(failed) => failed,
    }
}

/// Turns a result of the rooms into one of Python.
pub(crate) trait Raise<T> {
    /// The value, or the exception.
    fn raise(self, py: Python<'_>) -> PyResult<T>;
}

impl<T> Raise<T> for curvebook::base::error::Result<T> {
    fn raise(self, py: Python<'_>) -> PyResult<T> {
        self.map_err(|error| raised(py, error))
    }
}
