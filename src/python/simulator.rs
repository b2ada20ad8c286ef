//! A run that Python decides.

use std::sync::{Arc, Mutex, PoisonError};

use curvebook::app::simulator::{self, Settings, Start};
use curvebook::base::error::Result;
use curvebook::base::units::{SimTime, TrialId};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::errors::Raise;
use crate::frame::Frame;
use crate::table::Table;
use crate::trials::{seconds, trial_id};
use crate::values::{dict, given, is_number, named, whole};

/// A run on the simulated clock whose decisions you take: any optimiser, any stopping rule.
///
/// `Simulator(table, workers=4, seed=0, ...)` begins one. You say which configuration starts
/// (`start`) and what becomes of a trial after an epoch (`stop`, `pause`, `resume`); the simulator
/// says which epoch ends next (`advance`), what it cost and what it was worth. Nothing is asked of
/// you otherwise, and the clock and charges are those of `curvebook replay`:
///
///     while (event := simulator.advance()) is not None:
///         trial, epoch, value, now = event
///
/// At one instant all epochs end first, by trial; `ready` is true once free workers may ask for
/// work, as they do in a replay. A decision about a trial is taken at the instant at which an
/// epoch of it ended. A row of the table runs once.
///
/// Settings are those of `curvebook replay` that are no method's: `workers`, `seed`, `value`,
/// `report`, `on_nan`, `goals`, `budget_seconds`, `max_trials`, `restart`, `trial_overhead`,
/// `resume_cost`, `charge_setup`, `overhead` (none or fixed:SECONDS). `repeat` says which repeat
/// of a replay this is: it draws curves and the order of rows.
#[pyclass(frozen, module = "curvebook")]
pub(crate) struct Simulator(Mutex<simulator::Simulator>, Py<Table>);

impl Simulator {
    /// Works on the run. Nothing of Python is called meanwhile, which might come back here.
    fn with<T>(&self, work: impl FnOnce(&mut simulator::Simulator) -> T) -> T {
        // What it holds is whole at every moment: a panic elsewhere does not spoil it.
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// An event: trial, epoch, value and the simulated seconds.
type Event = (u32, u16, Option<f64>, f64);

#[pymethods]
impl Simulator {
    #[new]
    #[pyo3(signature = (table, *, repeat=0, **settings))]
    fn new(
        py: Python<'_>,
        table: &Bound<'_, Table>,
        repeat: u32,
        settings: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        let settings = Settings::read(given(settings)?, repeat).raise(py)?;
        let simulator = simulator::Simulator::new(&table.get().0, settings).raise(py)?;
        Ok(Self(Mutex::new(simulator), table.clone().unbind()))
    }

    /// Starts a trial on the free worker of the lowest index, and returns its number.
    ///
    /// `config` is the `config_id` of a row, or a dictionary of hyperparameters that the table has;
    /// with `nearest` the free row nearest to it in the unit cube is taken, as a replay does with
    /// what samplers propose. Without a `config` the next free row of the repeat's shuffled order
    /// starts: random search. `overhead` are seconds that the choice took, charged to the trial
    /// before its first epoch.
    #[pyo3(signature = (config=None, *, nearest=false, overhead=0.0))]
    fn start(
        &self,
        py: Python<'_>,
        config: Option<&Bound<'_, PyAny>>,
        nearest: bool,
        overhead: f64,
    ) -> PyResult<u32> {
        let spent =
            if overhead == 0.0 { SimTime::ZERO } else { seconds(py, "overhead", overhead)? };
        let started = match config {
            None => self.with(|run| run.start(Start::Next, spent)),
            Some(row) if is_number(row) => {
                let row = whole(row)?;
                self.with(|run| run.start(Start::Row(row), spent))
            }
            Some(config) => {
                let named = named(config)?;
                let start = if nearest { Start::Nearest(&named) } else { Start::Exactly(&named) };
                self.with(|run| run.start(start, spent))
            }
        };
        started.raise(py).map(|trial| trial.0)
    }

    /// Goes on to the next epoch end: `(trial, epoch, value, now)`, with the value `None` where
    /// nothing was measured and NaN where training had diverged. `None` where nothing runs, and
    /// where the run is over (`end_reason` tells).
    fn advance(&self) -> Option<Event> {
        self.with(|run| {
            let event = run.stepper_mut().advance()?;
            let value = run.measured(event.score);
            Some((event.trial.0, event.epoch.0, value, event.now.seconds()))
        })
    }

    /// Ends a trial for good: one of which an epoch has ended now, or one that is paused.
    /// `predicted` is the final value that was expected of it, which `report="predicted"` tells.
    #[pyo3(signature = (trial, predicted=None))]
    fn stop(&self, py: Python<'_>, trial: i64, predicted: Option<f64>) -> PyResult<()> {
        let trial = trial_id(py, trial)?;
        let stopped = self.with(|run| {
            let predicted = predicted.map(|value| run.table().pool().score_of(value));
            run.stepper_mut().stop(trial, predicted)
        });
        stopped.raise(py)
    }

    /// Takes a trial off its worker, of which an epoch has ended now.
    fn pause(&self, py: Python<'_>, trial: i64) -> PyResult<()> {
        let trial = trial_id(py, trial)?;
        self.with(|run| run.stepper_mut().pause(trial)).raise(py)
    }

    /// Goes on with a paused trial on the free worker of the lowest index.
    fn resume(&self, py: Python<'_>, trial: i64) -> PyResult<()> {
        let trial = trial_id(py, trial)?;
        self.with(|run| run.stepper_mut().resume(trial)).raise(py)
    }

    /// Ends the run: what still runs is cut, whole epochs count.
    fn finish(&self) {
        self.with(|run| run.stepper_mut().finish());
    }

    /// The table that it runs on.
    #[getter]
    fn table(&self, py: Python<'_>) -> Py<Table> {
        self.1.clone_ref(py)
    }

    /// Simulated seconds since the run began.
    #[getter]
    fn now(&self) -> f64 {
        self.with(|run| run.stepper().now().seconds())
    }

    /// The same in whole nanoseconds.
    #[getter]
    fn now_ns(&self) -> u64 {
        self.with(|run| run.stepper().now().0)
    }

    /// Trials that run at once.
    #[getter]
    fn workers(&self) -> u32 {
        self.with(|run| run.stepper().settings().workers)
    }

    /// How many workers have no trial. `ready` says whether they ask for one.
    #[getter]
    fn free_workers(&self) -> usize {
        self.with(|run| run.stepper().free_workers())
    }

    /// Whether a worker asks for work now: one is free, every epoch end of this instant has been
    /// told, a row is free or a trial is paused, and the run is not over.
    #[getter]
    fn ready(&self) -> bool {
        self.with(|run| run.stepper_mut().is_ready())
    }

    /// The trials on a worker.
    #[getter]
    fn running(&self) -> Vec<u32> {
        self.in_state("running")
    }

    /// The trials that may be resumed.
    #[getter]
    fn paused(&self) -> Vec<u32> {
        self.in_state("paused")
    }

    /// How many trials have started.
    fn __len__(&self) -> usize {
        self.with(|run| run.stepper().trials().len())
    }

    /// The best trial by value: `{"trial", "row", "epoch", "value", "test_value"}`; `None` where
    /// none has a value. `test_value` is the metric on test images at that epoch, where the table
    /// has it: for the report, not for decisions.
    #[getter]
    fn best<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyDict>>> {
        let best = self.with(|run| run.best().map(|best| (best, row(run, best.trial))));
        let Some((best, row)) = best else { return Ok(None) };
        let shown = PyDict::new(py);
        shown.set_item("trial", best.trial.0)?;
        shown.set_item("row", row.raise(py)?)?;
        shown.set_item("epoch", best.epoch.0)?;
        shown.set_item("value", best.value)?;
        shown.set_item("test_value", best.test_value)?;
        Ok(Some(shown))
    }

    /// Why the run is over: `goal`, `budget`, `max_trials` or `exhausted`; `None` while it is not.
    #[getter]
    fn end_reason(&self) -> Option<&'static str> {
        self.with(simulator::Simulator::end_reason)
    }

    /// What each goal stands for and when it was met: dictionaries with `goal`, `value` and
    /// `time_to_goal_s`, which is `None` where it was not met.
    #[getter]
    fn goals<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyDict>>> {
        let (targets, times) = self.with(|run| (run.targets().to_vec(), run.times_to_goals()));
        let goals = targets.into_iter().zip(times).map(|(target, time)| {
            let shown = PyDict::new(py);
            shown.set_item("goal", target.text)?;
            shown.set_item("value", target.value)?;
            shown.set_item("time_to_goal_s", time.map(SimTime::seconds))?;
            Ok(shown)
        });
        goals.collect()
    }

    /// `running`, `paused`, `completed`, `stopped`, `failed` or `cut`.
    fn state(&self, py: Python<'_>, trial: i64) -> PyResult<&'static str> {
        let trial = trial_id(py, trial)?;
        self.with(|run| run.stepper().trial(trial).map(|trial| trial.state.word())).raise(py)
    }

    /// How many epochs of a trial have ended.
    fn epochs(&self, py: Python<'_>, trial: i64) -> PyResult<u16> {
        let trial = trial_id(py, trial)?;
        self.with(|run| run.stepper().trial(trial).map(|trial| trial.executed.0)).raise(py)
    }

    /// A trial's value: its best epoch by now, or with `value="final"` its last.
    fn value(&self, py: Python<'_>, trial: i64) -> PyResult<Option<f64>> {
        let trial = trial_id(py, trial)?;
        self.with(|run| run.value(trial)).raise(py)
    }

    /// What an optimiser is to be told of a trial that has ended or is paused, by `report`.
    fn reported(&self, py: Python<'_>, trial: i64) -> PyResult<Option<f64>> {
        let trial = trial_id(py, trial)?;
        self.with(|run| run.reported(trial)).raise(py)
    }

    /// The metric at every epoch that a trial has run.
    fn curve(&self, py: Python<'_>, trial: i64) -> PyResult<Vec<Option<f64>>> {
        let trial = trial_id(py, trial)?;
        let curve = self.with(|run| {
            let scores = run.stepper().curve(trial)?;
            Ok(scores.iter().map(|score| run.measured(*score)).collect())
        });
        curve.raise(py)
    }

    /// What a trial has cost by now, in simulated seconds.
    fn cost(&self, py: Python<'_>, trial: i64) -> PyResult<f64> {
        let trial = trial_id(py, trial)?;
        self.with(|run| run.stepper_mut().cost(trial)).raise(py).map(SimTime::seconds)
    }

    /// The row that a trial runs, by its `config_id`.
    fn row(&self, py: Python<'_>, trial: i64) -> PyResult<u32> {
        let trial = trial_id(py, trial)?;
        self.with(|run| row(run, trial)).raise(py)
    }

    /// The configuration of the row that a trial runs.
    fn config<'py>(&self, py: Python<'py>, trial: i64) -> PyResult<Bound<'py, PyDict>> {
        let trial = trial_id(py, trial)?;
        let found = self.with(|run| {
            let row = run.stepper().trial(trial)?.config;
            Ok((Arc::clone(run.table()), row))
        });
        let (table, row) = found.raise(py)?;
        dict(py, table.pool().space(), table.config(row))
    }

    /// How far the row is from what was asked for with `nearest`; `None` without.
    fn snap_distance(&self, py: Python<'_>, trial: i64) -> PyResult<Option<f64>> {
        let trial = trial_id(py, trial)?;
        self.with(|run| run.stepper().trial(trial).map(|trial| trial.snap_distance)).raise(py)
    }

    /// The first free row in the repeat's shuffled order, which `start()` would take.
    #[getter]
    fn next_row(&self) -> Option<u32> {
        self.with(|run| {
            let row = run.stepper().first_free()?;
            Some(run.table().pool().ids().id_of(row).0)
        })
    }

    /// Every epoch end so far, in the order in which they were told.
    fn events(&self, py: Python<'_>) -> PyResult<Frame> {
        self.with(|run| run.events()).raise(py).map(Frame)
    }

    /// The segments so far, one row each, as `trace.parquet` has them. What has not ended is
    /// `running`.
    fn trace(&self, py: Python<'_>) -> PyResult<Frame> {
        self.with(|run| run.trace()).raise(py).map(Frame)
    }

    fn __repr__(&self) -> String {
        self.with(|run| {
            let (table, now) = (run.table().pool().name(), run.stepper().now());
            let trials = run.stepper().trials().len();
            format!("<curvebook.Simulator of {table} at {now} with {trials} trials>")
        })
    }
}

impl Simulator {
    fn in_state(&self, word: &str) -> Vec<u32> {
        self.with(|run| {
            let trials = (0..).zip(run.stepper().trials());
            trials.filter(|(_, trial)| trial.state.word() == word).map(|(id, _)| id).collect()
        })
    }
}

/// The table's id of the row that a trial runs.
fn row(run: &simulator::Simulator, trial: TrialId) -> Result<u32> {
    let row = run.stepper().trial(trial)?.config;
    Ok(run.table().pool().ids().id_of(row).0)
}
