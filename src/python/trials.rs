//! Numbers of trials from Python.

use curvebook::base::error::fault;
use curvebook::base::units::{SimTime, TrialId};
use pyo3::prelude::*;

use crate::errors::raised;

/// A trial by its number.
pub(crate) fn trial_id(py: Python<'_>, trial: i64) -> PyResult<TrialId> {
    u32::try_from(trial).map(TrialId).map_err(|_| {
        let rule = "trials are numbered from 0";
        raised(py, fault("trial", "trial", trial, rule, "give a number that `start` returned"))
    })
}

/// A span on the simulated clock.
pub(crate) fn seconds(py: Python<'_>, name: &str, seconds: f64) -> PyResult<SimTime> {
    SimTime::from_seconds(seconds).ok_or_else(|| {
        let rule = "must be 0 to 3.2e9 seconds";
        raised(py, fault(name, "seconds", seconds, rule, "choose a number in that range"))
    })
}
