//! The Python module `curvebook`, over the `app` room: tables and results as Arrow, a run that is
//! decided from outside, the program's methods under somebody else's loop, and the commands.
//!
//! What is here turns Python into the rooms' types and back, and does nothing else. The classes are
//! documented here, since their docstrings are what `help()` shows.

#![expect(clippy::needless_pass_by_value, reason = "arguments of Python's are given whole")]

mod commands;
mod errors;
mod frame;
mod optimizer;
mod simulator;
mod table;
mod trials;
mod values;
mod work;

use pyo3::prelude::*;

/// The compiled half of `curvebook`; import that package, and not this module.
#[pymodule]
fn _curvebook(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_class::<frame::Frame>()?;
    module.add_class::<table::Table>()?;
    module.add_class::<simulator::Simulator>()?;
    module.add_class::<optimizer::Optimizer>()?;
    module.add_class::<commands::Replay>()?;
    module.add_function(wrap_pyfunction!(commands::replay, module)?)?;
    module.add_function(wrap_pyfunction!(commands::study, module)?)?;
    module.add_function(wrap_pyfunction!(commands::analyze, module)?)?;
    module.add_function(wrap_pyfunction!(commands::methods, module)?)?;
    module.add_function(wrap_pyfunction!(table::read_runs, module)?)?;
    module.add_function(wrap_pyfunction!(table::read_trace, module)?)?;
    Ok(())
}
