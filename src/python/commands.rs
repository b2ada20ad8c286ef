//! The commands as functions: replay, study, analyze.

use std::path::PathBuf;

use curvebook::app::analysis::Analysis;
use curvebook::app::{self, analyze as analyzing, replay as replaying, report, study as studying};
use curvebook::base::error::io;
use curvebook::store;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString};

use crate::errors::Raise;
use crate::frame::Frame;
use crate::values::{given, loads};
use crate::work::interruptible;

/// What a replay came to.
#[pyclass(frozen, module = "curvebook")]
pub(crate) struct Replay {
    runs: store::Frame,
    trace: Option<store::Frame>,
    analysis: Option<Analysis>,
}

#[pymethods]
impl Replay {
    /// One row a run and goal, as `runs.parquet` has them.
    #[getter]
    fn runs(&self) -> Frame {
        Frame(self.runs.clone())
    }

    /// One row a segment of a trial, as `trace.parquet` has them; `None` unless asked for.
    #[getter]
    fn trace(&self) -> Option<Frame> {
        self.trace.clone().map(Frame)
    }

    /// The answers, as `curvebook analyze --format json` prints them; `None` with `no_analysis`.
    #[getter]
    fn analysis<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.analysis.as_ref().map(|analysis| answers(py, analysis)).transpose()
    }

    /// The answers as the command line prints them.
    fn __str__(&self) -> String {
        match &self.analysis {
            Some(analysis) => report::text::render(analysis),
            None => self.__repr__(),
        }
    }

    fn __repr__(&self) -> String {
        format!("<curvebook.Replay: {} rows of runs>", self.runs.rows())
    }
}

fn answers<'py>(py: Python<'py>, analysis: &Analysis) -> PyResult<Bound<'py, PyAny>> {
    loads(py, &report::json::render(analysis))
}

/// Replays experiments against tables, as `curvebook replay` does, with its options as keywords:
///
///     replay(table="tables/digits-lenet", sampler=["random", "tpe"], goal="top:0.02",
///            repeats=50, workers=4)
///
/// `out` and `trace` name files to be kept. `trace=True` keeps the trace in memory. Ctrl-C stops
/// the runs and raises `KeyboardInterrupt`; what `out` names then holds the finished runs.
#[pyfunction]
#[pyo3(signature = (**settings))]
pub(crate) fn replay(py: Python<'_>, settings: Option<Bound<'_, PyDict>>) -> PyResult<Replay> {
    let keywords = settings.unwrap_or_else(|| PyDict::new(py)).copy()?;
    let wants_trace = match keywords.get_item("trace")? {
        Some(trace) if trace.is(py.import("builtins")?.getattr("True")?) => {
            keywords.del_item("trace")?;
            true
        }
        Some(trace) if trace.is(py.import("builtins")?.getattr("False")?) => {
            keywords.del_item("trace")?;
            false
        }
        trace => trace.is_some_and(|trace| !trace.is_none()),
    };
    // Runs are kept in memory, so that nothing but answers is lost without files.
    let no_analysis = match keywords.get_item("no_analysis")? {
        Some(flag) if flag.extract::<bool>().unwrap_or(false) => {
            keywords.del_item("no_analysis")?;
            true
        }
        _ => false,
    };
    let mut settings = replaying::Settings::read(&given(Some(&keywords))?).raise(py)?;
    settings.analyzes = !no_analysis;
    interruptible(py, move |heard, stop| {
        let kept = Kept::new()?;
        let runs = settings.out.get_or_insert_with(|| kept.file("runs.parquet")).clone();
        let trace = wants_trace
            .then(|| settings.trace.get_or_insert_with(|| kept.file("trace.parquet")).clone());
        let mut outcome = replaying::run(&settings, heard, stop)?;
        outcome.whole()?;
        outcome.unkept.take().map_or(Ok(()), Err)?;
        let trace = trace.map(|trace| store::trace::frame(&trace)).transpose()?;
        Ok(Replay { runs: store::runs::frame(&runs)?, trace, analysis: outcome.analysis })
    })
}

/// A directory for what nobody wants to keep, which goes when this does.
struct Kept(tempfile::TempDir);

impl Kept {
    fn new() -> curvebook::base::error::Result<Self> {
        let made = tempfile::Builder::new().prefix("curvebook-").tempdir();
        made.map(Self).map_err(|e| io(&std::env::temp_dir(), "making a directory", e))
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
}

/// Runs a study, by its name or file, into a directory, as `curvebook study` does, and returns its
/// answers. Ctrl-C keeps what is finished; the same call goes on.
#[pyfunction]
#[pyo3(signature = (study, out, threads=None))]
pub(crate) fn study<'py>(
    py: Python<'py>,
    study: &str,
    out: PathBuf,
    threads: Option<usize>,
) -> PyResult<Bound<'py, PyAny>> {
    let settings = studying::Settings::find(study, out, threads).raise(py)?;
    let analysis = interruptible(py, move |heard, stop| studying::run(&settings, heard, stop))?;
    answers(py, &analysis)
}

/// The answers of recorded runs: one or several `runs.parquet`, as `curvebook analyze` reads them.
#[pyfunction]
#[pyo3(signature = (runs, baseline=None))]
pub(crate) fn analyze<'py>(
    py: Python<'py>,
    runs: &Bound<'py, PyAny>,
    baseline: Option<String>,
) -> PyResult<Bound<'py, PyAny>> {
    let is_many = !runs.is_instance_of::<PyString>() && !runs.hasattr("__fspath__")?;
    let runs: Vec<PathBuf> = if is_many { runs.extract()? } else { vec![runs.extract()?] };
    let settings = analyzing::Settings { runs, baseline };
    let analysis = interruptible(py, move |heard, _| analyzing::run(&settings, heard))?;
    answers(py, &analysis)
}

/// The samplers, schedulers, stoppers and endings, with their parameters, as
/// `curvebook methods --format json` lists them.
#[pyfunction]
pub(crate) fn methods(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
    let all = PyDict::new(py);
    for listed in app::methods::list() {
        let methods = loads(py, &listed.json.to_string())?;
        all.set_item(listed.kind, methods.downcast_into::<PyList>()?)?;
    }
    Ok(all)
}
