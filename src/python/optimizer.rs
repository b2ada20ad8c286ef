//! The program's methods under a loop of Python's.

use std::sync::{Arc, Mutex, PoisonError};

use curvebook::app::optimizer::{self, Advice, Answer, Measured, Source, find_space, space_of};
use curvebook::base::error::fault;
use curvebook::base::space::{Space, Value};
use curvebook::base::units::SimTime;
use curvebook::replay::State;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};
use serde_json::Value as Json;

use crate::errors::{Raise, raised};
use crate::table::Table;
use crate::trials::{seconds, trial_id};
use crate::values::{dict, given, named};

/// A sampler, a scheduler and a stopper of curvebook's that advise a loop of yours.
///
/// `Optimizer(table_or_space, sampler="tpe", scheduler="asha", stopper="none", seed=0)`. A space is
/// the name of a preset, a TOML file, or a list of parameters as `Table.parameters` has them; then
/// `epochs` says how long a complete training is, `direction` which way the value improves, and
/// `candidates` how many Sobol points stand for the space: what a sampler proposes becomes the
/// nearest of them that is free.
///
///     trial = optimizer.ask()            # a trial, or None where a worker has to wait
///     config = optimizer.config(trial)
///     answer = optimizer.tell(trial, value)      # after each epoch: go, pause, stop or completed
///
/// `now` are seconds on your clock, which methods that weigh cost look at; they may not fall.
#[pyclass(frozen, module = "curvebook")]
pub(crate) struct Optimizer(Mutex<optimizer::Optimizer>);

impl Optimizer {
    /// Works on the methods. Nothing of Python is called meanwhile, which might come back here.
    fn with<T>(&self, work: impl FnOnce(&mut optimizer::Optimizer) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[pymethods]
impl Optimizer {
    #[new]
    #[pyo3(signature = (
        space, *, epochs=None, direction="maximize", chance=None, candidates=4096, repeat=0,
        **settings
    ))]
    #[expect(clippy::too_many_arguments, reason = "keywords")]
    fn new(
        py: Python<'_>,
        space: &Bound<'_, PyAny>,
        epochs: Option<i64>,
        direction: &str,
        chance: Option<f64>,
        candidates: i64,
        repeat: u32,
        settings: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        let source = if let Ok(table) = space.downcast::<Table>() {
            Source::Table(Arc::clone(&table.get().0))
        } else {
            let (space, epochs) = (read_space(space)?, epochs.unwrap_or(1));
            let measured = Measured::new(space, direction, chance, epochs, candidates);
            Source::Space(Box::new(measured.raise(py)?))
        };
        let given = given(settings)?;
        let made = py.allow_threads(|| optimizer::Optimizer::new(source, given, repeat));
        made.raise(py).map(|made| Self(Mutex::new(made)))
    }

    /// A trial for a free worker: a new one, or a paused one to go on with (`is_new` tells). `None`
    /// where the worker has to wait for another trial, or nothing is left (`exhausted` tells).
    #[pyo3(signature = (now=None))]
    fn ask(&self, py: Python<'_>, now: Option<f64>) -> PyResult<Option<u32>> {
        let now = self.clock(py, now)?;
        let advice = py.allow_threads(|| self.with(|it| it.advisor_mut().ask(now)));
        Ok(match advice.raise(py)? {
            Advice::Start(trial) | Advice::Resume(trial) => Some(trial.0),
            Advice::Wait | Advice::Exhausted => None,
        })
    }

    /// Takes up a trial that you chose yourself, for rules that watch it: `config` or, without,
    /// some configuration of the space.
    #[pyo3(signature = (config=None, now=None))]
    fn begin(
        &self,
        py: Python<'_>,
        config: Option<&Bound<'_, PyAny>>,
        now: Option<f64>,
    ) -> PyResult<u32> {
        let now = self.clock(py, now)?;
        let named = config.map(named).transpose()?;
        let begun = self.with(|it| it.begin(named.as_deref(), now));
        begun.raise(py).map(|trial| trial.0)
    }

    /// Tells what the next epoch of a trial brought: a value, `None` where nothing was measured, or
    /// NaN where training diverged. What becomes of the trial: `go`, `pause`, `stop` or
    /// `completed`.
    #[pyo3(signature = (trial, value, now=None))]
    fn tell(
        &self,
        py: Python<'_>,
        trial: i64,
        value: Option<f64>,
        now: Option<f64>,
    ) -> PyResult<&'static str> {
        let (trial, now) = (trial_id(py, trial)?, self.clock(py, now)?);
        let answer = py.allow_threads(|| self.with(|it| it.advisor_mut().epoch(trial, value, now)));
        Ok(match answer.raise(py)? {
            Answer::Go => "go",
            Answer::Pause => "pause",
            Answer::Stop => "stop",
            Answer::Completed => "completed",
        })
    }

    /// Ends a trial short of its last epoch, for reasons of yours: it is `completed`, you `stopped`
    /// it, or it `failed`.
    #[pyo3(signature = (trial, state="completed", now=None))]
    fn conclude(&self, py: Python<'_>, trial: i64, state: &str, now: Option<f64>) -> PyResult<()> {
        let (trial, now) = (trial_id(py, trial)?, self.clock(py, now)?);
        let state = match state {
            "completed" => State::Completed,
            "stopped" => State::Stopped,
            "failed" => State::Failed,
            _ => {
                let rule = "must be completed, stopped or failed";
                return Err(raised(py, fault("state", "state", state, rule, "write one of them")));
            }
        };
        self.with(|it| it.advisor_mut().conclude(trial, state, now)).raise(py)
    }

    /// The configuration of a trial.
    fn config<'py>(&self, py: Python<'py>, trial: i64) -> PyResult<Bound<'py, PyDict>> {
        let trial = trial_id(py, trial)?;
        let found = self.with(|it| {
            let row = it.advisor().trial(trial)?.config;
            Ok((it.advisor().pool().clone(), it.config(row).to_vec()))
        });
        let (pool, values): (_, Vec<Value>) = found.raise(py)?;
        dict(py, pool.space(), &values)
    }

    /// The row of the table that a trial is, or the number of the Sobol point.
    fn row(&self, py: Python<'_>, trial: i64) -> PyResult<u32> {
        let trial = trial_id(py, trial)?;
        let row = self.with(|it| {
            let row = it.advisor().trial(trial)?.config;
            Ok(it.advisor().pool().ids().id_of(row).0)
        });
        row.raise(py)
    }

    /// `running`, `paused`, `completed`, `stopped` or `failed`.
    fn state(&self, py: Python<'_>, trial: i64) -> PyResult<&'static str> {
        let trial = trial_id(py, trial)?;
        self.with(|it| it.advisor().trial(trial).map(|trial| trial.state.word())).raise(py)
    }

    /// How many epochs of a trial were told.
    fn epochs(&self, py: Python<'_>, trial: i64) -> PyResult<u16> {
        let trial = trial_id(py, trial)?;
        self.with(|it| it.advisor().trial(trial).map(|trial| trial.executed.0)).raise(py)
    }

    /// Whether a trial that `ask` returned is new: no epoch of it was told yet.
    fn is_new(&self, py: Python<'_>, trial: i64) -> PyResult<bool> {
        self.epochs(py, trial).map(|epochs| epochs == 0)
    }

    /// Seconds that the proposal of a trial took because something was trained for it: `overhead`
    /// of `Simulator.start`. Nothing but for samplers that begin on a cheaper table.
    fn overhead(&self, py: Python<'_>, trial: i64) -> PyResult<f64> {
        let trial = trial_id(py, trial)?;
        self.with(|it| it.advisor().spent(trial)).raise(py).map(SimTime::seconds)
    }

    /// How many trials have started.
    fn __len__(&self) -> usize {
        self.with(|it| it.advisor().trials().len())
    }

    /// Whether the last `ask` was answered `None` because nothing is left.
    #[getter]
    fn exhausted(&self) -> bool {
        self.with(|it| it.advisor().is_exhausted())
    }
}

impl Optimizer {
    /// The instant that was said, or else the last one.
    fn clock(&self, py: Python<'_>, now: Option<f64>) -> PyResult<SimTime> {
        match now {
            Some(now) => seconds(py, "now", now),
            None => Ok(self.with(|it| it.advisor().now())),
        }
    }
}

/// A space by its name, file or parameters.
fn read_space(space: &Bound<'_, PyAny>) -> PyResult<Space> {
    let py = space.py();
    if space.is_instance_of::<PyString>() || space.hasattr("__fspath__")? {
        let path: std::path::PathBuf = space.extract()?;
        return find_space(&path.display().to_string()).raise(py);
    }
    let text: String = py.import("json")?.call_method1("dumps", (space,))?.extract()?;
    let parameters: Json = serde_json::from_str(&text).map_err(|e| {
        let rule = "must be a table, a name, a path, or a list of parameters";
        raised(py, fault("space", "space", e, rule, "give one of these"))
    })?;
    space_of(parameters).raise(py)
}
