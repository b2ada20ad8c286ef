//! Tables, and the files that replays write.

use std::path::PathBuf;
use std::sync::Arc;

use curvebook::app::Silent;
use curvebook::app::loaded::LoadedTable;
use curvebook::base::error::fault;
use curvebook::base::space::Direction;
use curvebook::base::units::{ConfigId, Epoch, SimTime};
use curvebook::methods::interface::EpochScore;
use curvebook::store;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::errors::{Raise, raised};
use crate::frame::Frame;
use crate::values::{dict, given, in_order, loads};

/// What a table is loaded from.
type Reloaded = (PathBuf, Py<PyDict>);

/// A table of recorded learning curves.
///
/// `Table(path)` loads the directory and checks it. Options say which part of it is replayed, at
/// which cost and towards what; they are those of `curvebook replay`: `cost`, `curve_repeat`,
/// `rows`, `where`, `metric` and `objective`.
#[pyclass(frozen, module = "curvebook")]
pub(crate) struct Table(pub(crate) Arc<LoadedTable>, Py<PyDict>);

#[pymethods]
impl Table {
    #[new]
    #[pyo3(signature = (path, **options))]
    fn new(py: Python<'_>, path: PathBuf, options: Option<&Bound<'_, PyDict>>) -> PyResult<Self> {
        let given = given(options)?;
        let loaded = py.allow_threads(|| LoadedTable::load(&path, given, &Silent));
        let options = options.map_or_else(|| PyDict::new(py), Clone::clone);
        Ok(Self(Arc::new(loaded.raise(py)?), options.unbind()))
    }

    /// To be pickled it is its directory and its options, and loaded anew.
    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyAny>, Reloaded)> {
        let load = py.import("curvebook._methods")?.getattr("load_table")?;
        Ok((load, (self.path(), self.1.clone_ref(py))))
    }

    /// Its name.
    #[getter]
    fn name(&self) -> &str {
        self.0.pool().name()
    }

    /// Its directory.
    #[getter]
    fn path(&self) -> PathBuf {
        self.0.dir().to_path_buf()
    }

    /// What is measured: `{"name", "goal", "chance"}`, `goal` being `maximize` or `minimize`.
    #[getter]
    fn metric<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let metric = self.0.pool().metric();
        let shown = PyDict::new(py);
        shown.set_item("name", &metric.name)?;
        let goal = if metric.goal == Direction::Maximize { "maximize" } else { "minimize" };
        shown.set_item("goal", goal)?;
        shown.set_item("chance", metric.chance)?;
        Ok(shown)
    }

    /// Epochs of a complete curve.
    #[getter]
    fn epochs(&self) -> u16 {
        self.0.epochs().0
    }

    /// The hyperparameters, as `table.json` has them: a list of dictionaries.
    #[getter]
    fn parameters<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let parameters = self.0.pool().space().parameters.iter();
        let parameters = parameters.map(curvebook::app::space::parameter_json);
        loads(py, &serde_json::Value::Array(parameters.collect()).to_string())
    }

    /// `table.json` as it stands, as a dictionary.
    #[getter]
    fn meta<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        loads(py, &self.0.manifest_text().raise(py)?)
    }

    /// `configs.parquet` as it stands: one row a configuration.
    #[getter]
    fn configs(&self, py: Python<'_>) -> PyResult<Frame> {
        py.allow_threads(|| self.0.configs_frame()).raise(py).map(Frame)
    }

    /// `curves.parquet` as it stands: one row an epoch.
    #[getter]
    fn curves(&self, py: Python<'_>) -> PyResult<Frame> {
        py.allow_threads(|| self.0.curves_frame()).raise(py).map(Frame)
    }

    fn __len__(&self) -> usize {
        self.0.pool().rows() as usize
    }

    fn __repr__(&self) -> String {
        let (pool, path) = (self.0.pool(), self.0.dir().display());
        format!("<curvebook.Table {} of {} rows at {path}>", pool.name(), pool.rows())
    }

    /// The metric of a row at the end of an epoch, counted from 1: `None` where it was not
    /// measured, NaN where training had diverged. `repeat` says which recorded training.
    #[pyo3(signature = (row, epoch, repeat=None))]
    fn value(
        &self,
        py: Python<'_>,
        row: i64,
        epoch: i64,
        repeat: Option<u16>,
    ) -> PyResult<Option<f64>> {
        let row = self.0.row_of(row).raise(py)?;
        let recorded = self.0.recorded(row, repeat).raise(py)?;
        let at = u16::try_from(epoch).ok().and_then(|epoch| recorded.at(Epoch(epoch)));
        let Some(score) = at else {
            let rule = format!("the curve has epochs 1 to {}", recorded.epochs());
            return Err(raised(py, fault("epoch", "epoch", epoch, rule, "give one of them")));
        };
        let number = score.number().map(|score| self.0.pool().value_of(score));
        Ok(score.is_measured().then(|| number.unwrap_or(f64::NAN)))
    }

    /// What the first `epochs` epochs of a row cost, in the unit of the cost's column.
    #[pyo3(signature = (row, epochs, repeat=None))]
    fn cost(&self, py: Python<'_>, row: i64, epochs: i64, repeat: Option<u16>) -> PyResult<f64> {
        let row = self.0.row_of(row).raise(py)?;
        let recorded = self.0.recorded(row, repeat).raise(py)?;
        let whole = recorded.epochs();
        let asked = u16::try_from(epochs).ok().map(Epoch).filter(|epochs| *epochs <= whole);
        asked.map(|epochs| recorded.cost(epochs).seconds()).ok_or_else(|| {
            let rule = format!("the curve has {whole} epochs");
            raised(py, fault("epochs", "epochs", epochs, rule, "ask for no more than these"))
        })
    }

    /// The `config_id` of every row, in order.
    #[getter]
    fn rows(&self) -> Vec<u32> {
        let pool = self.0.pool();
        (0..pool.rows()).map(|row| pool.ids().id_of(ConfigId(row)).0).collect()
    }

    /// A row's recorded curve: the metric, and what each epoch cost by itself, epoch by epoch.
    #[pyo3(signature = (row, repeat=None))]
    fn curve(
        &self,
        py: Python<'_>,
        row: i64,
        repeat: Option<u16>,
    ) -> PyResult<(Vec<Option<f64>>, Vec<f64>)> {
        let row = self.0.row_of(row).raise(py)?;
        let recorded = self.0.recorded(row, repeat).raise(py)?;
        let epochs = (1..=recorded.epochs().0).map(Epoch);
        let value = |epoch| {
            let score: EpochScore = recorded.at(epoch)?;
            let number = score.number().map(|score| self.0.pool().value_of(score));
            score.is_measured().then(|| number.unwrap_or(f64::NAN))
        };
        let cost = |epoch: Epoch| {
            let before = recorded.cost(Epoch(epoch.0 - 1));
            SimTime(recorded.cost(epoch).0 - before.0).seconds()
        };
        Ok((epochs.clone().map(value).collect(), epochs.map(cost).collect()))
    }

    /// A row's configuration as a dictionary.
    fn config<'py>(&self, py: Python<'py>, row: i64) -> PyResult<Bound<'py, PyDict>> {
        let row = self.0.row_of(row).raise(py)?;
        dict(py, self.0.pool().space(), self.0.config(row))
    }

    /// The row nearest to a configuration in the unit cube, and its distance: what a replay makes
    /// of a proposal while every row is free.
    fn nearest(&self, config: &Bound<'_, PyAny>) -> PyResult<(u32, f64)> {
        let values = in_order(self.0.pool().space(), config)?;
        let (row, distance) = self.0.nearest(&values);
        Ok((self.0.pool().ids().id_of(row).0, distance))
    }

    /// The row that has exactly this configuration, the first of several; `None` where none has.
    fn row(&self, config: &Bound<'_, PyAny>) -> PyResult<Option<u32>> {
        let values = in_order(self.0.pool().space(), config)?;
        let row = self.0.rows_of(&values).first();
        Ok(row.map(|row| self.0.pool().ids().id_of(ConfigId(*row)).0))
    }
}

/// Reads a `runs.parquet`: one row a run and goal.
#[pyfunction]
pub(crate) fn read_runs(py: Python<'_>, path: PathBuf) -> PyResult<Frame> {
    py.allow_threads(|| store::runs::frame(&path)).raise(py).map(Frame)
}

/// Reads a `trace.parquet`: one row a segment of a trial.
#[pyfunction]
pub(crate) fn read_trace(py: Python<'_>, path: PathBuf) -> PyResult<Frame> {
    py.allow_threads(|| store::trace::frame(&path)).raise(py).map(Frame)
}
