//! Small pools and grids for tests of the replay, and ways to read what it wrote.

use std::path::Path;

use arrow::array::{AsArray, RecordBatch};
use arrow::compute::{cast, concat_batches};
use arrow::datatypes::{DataType, Float64Type};
use curvebook::app::runs::{self, RunRecord, write};
use curvebook::base::error::{Result, fault};
use curvebook::base::space::{Direction, Domain, Metric, Parameter, Space, Value};
use curvebook::base::units::{ConfigId, Epoch, TrialId};
use curvebook::methods::interface::{
    Ask, Context, Fresh, Proposal, Readers, RunContext, Sampler, Scheduler, Stopper, View, resolve,
};
use curvebook::methods::{samplers, schedulers, stoppers};
use curvebook::replay::{
    Experiment, Goal, Grid, Methods, Outcome, Phase, Pool, RecordedCurve, RunOptions, Settings,
    Target, Workspace, replay,
};
use curvebook::store::Output;
use curvebook::store::orders::read_orders;
use curvebook::store::runs::RunRow;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

/// Values and nanoseconds of one row.
pub(crate) type Curve = (Vec<f64>, Vec<u64>);

/// A metric to maximise, guessing at `chance`.
pub(crate) fn accuracy(chance: Option<f64>) -> Metric {
    Metric { name: "val_accuracy".into(), goal: Direction::Maximize, chance }
}

/// A metric to minimise.
pub(crate) fn loss(chance: Option<f64>) -> Metric {
    Metric { name: "val_loss".into(), goal: Direction::Minimize, chance }
}

/// One hyperparameter `x` from 0 to 1.
pub(crate) fn line_space() -> Space {
    let domain = Domain::Float { low: 0.0, high: 1.0, log: false };
    let x = Parameter { name: "x".into(), domain, condition: None };
    Space::new("test", "parameter", "line".into(), vec![x]).unwrap()
}

/// A pool whose row `i` of `N` lies at `x = (i + 0.5) / N`.
pub(crate) fn pool(metric: &Metric, epochs: u16, curves: &[Curve]) -> Pool {
    let count = curves.len() as f64;
    let configs: Vec<Vec<Value>> =
        (0..curves.len()).map(|i| vec![Value::Float((i as f64 + 0.5) / count)]).collect();
    let curves = curves.iter().map(|(values, cost_ns)| RecordedCurve {
        values,
        cost_ns,
        ..Default::default()
    });
    Pool::new("small", metric, &line_space(), Epoch(epochs), &configs, curves).unwrap()
}

/// A pool whose epochs last one nanosecond each.
pub(crate) fn unit_cost_pool(metric: &Metric, epochs: u16, curves: &[&[f64]]) -> Pool {
    let curves: Vec<Curve> = curves.iter().map(|y| (y.to_vec(), vec![1; y.len()])).collect();
    pool(metric, epochs, &curves)
}

/// A grid of one sampler under FIFO.
pub(crate) fn grid(
    sampler: &str,
    stoppers: &[&str],
    goals: &[&str],
    repeats: u32,
    settings: &Settings,
) -> Grid {
    let rules = stoppers.iter();
    Grid {
        samplers: vec![resolve("--sampler", sampler, samplers::REGISTRY).unwrap()],
        schedulers: vec![resolve("--scheduler", "fifo", schedulers::REGISTRY).unwrap()],
        stoppers: rules.map(|r| resolve("--stopper", r, stoppers::REGISTRY).unwrap()).collect(),
        further: Vec::new(),
        goals: goals.iter().map(|goal| Goal::parse(goal).unwrap()).collect(),
        repeats,
        workers: vec![settings.workers],
        settings: settings.clone(),
    }
}

/// Every run of a grid, traced.
pub(crate) fn run_grid(grid: &Grid, pool: &Pool, threads: usize) -> Result<Vec<RunRecord>> {
    let mut all = Vec::new();
    runs::run(grid, pool, &RunOptions::all(threads, true), |block| {
        all.extend(block);
        Ok(())
    })?;
    Ok(all)
}

/// The files of all runs of a grid.
pub(crate) fn write_files(grid: &Grid, pool: &Pool, threads: usize, runs: &Path, trace: &Path) {
    let mut output = Output::create(Some(runs), Some(trace)).unwrap();
    let options = RunOptions::all(threads, true);
    runs::run(grid, pool, &options, |block| write(&mut output, pool, &block)).unwrap();
    output.finish().unwrap();
}

/// Rows of runs, one after another.
pub(crate) fn rows_of(runs: Vec<RunRecord>) -> Vec<RunRow> {
    runs.into_iter().flat_map(|run| run.rows).collect()
}

/// The stopper of `name:parameter=value,...`, made for a pool.
pub(crate) fn stopper(pool: &Pool, text: &str) -> Option<Box<dyn Stopper>> {
    let method = resolve("--stopper", text, stoppers::REGISTRY).unwrap();
    method.build(&context(pool)).unwrap()(&RunContext { seed: 0, repeat: 0, threads: 1 })
}

/// The sampler of `name:parameter=value,...`, made for repeat 0 of a pool.
pub(crate) fn sampler(pool: &Pool, text: &str) -> Box<dyn Sampler> {
    let method = resolve("--sampler", text, samplers::REGISTRY).unwrap();
    method.build(&context(pool)).unwrap()(&RunContext { seed: 0, repeat: 0, threads: 1 })
}

fn read_text(path: &Path) -> Result<String> {
    let wrong = |e| fault("test", "file", path.display(), e, "check the path");
    std::fs::read_to_string(path).map_err(wrong)
}

/// What the methods of one repeat are built for.
pub(crate) fn context(pool: &Pool) -> Context<'_> {
    // The table itself where a method names one; kept until the tests end.
    let paired = pool.paired();
    let paired = Box::leak(Box::new(move |_: &Path| Ok(paired.clone())));
    pool.context(1, Readers { orders: &read_orders, text: &read_text, paired })
}

/// Proposes the rows by id.
#[derive(Default)]
pub(crate) struct InOrder(pub(crate) u32);

impl Sampler for InOrder {
    fn ready(&mut self, _: &View<'_>) -> Fresh {
        Fresh::Ready
    }

    fn propose(&mut self, _: &View<'_>, _: &Ask) -> Proposal {
        self.0 += 1;
        Proposal::Row(ConfigId(self.0 - 1))
    }

    fn tell(&mut self, _: &View<'_>, _: TrialId) {}
}

/// FIFO of the registry; it needs nothing of a table.
pub(crate) fn fifo() -> Box<dyn Scheduler> {
    let method = resolve("--scheduler", "fifo", schedulers::REGISTRY).unwrap();
    let pool = unit_cost_pool(&accuracy(None), 1, &[]);
    method.build(&context(&pool)).unwrap()(&RunContext { seed: 0, repeat: 0, threads: 1 })
}

/// One traced run of repeat 0 with the given methods.
pub(crate) fn replay_with(
    pool: &Pool,
    settings: &Settings,
    goals: &[&str],
    sampler: impl Sampler + 'static,
    scheduler: Box<dyn Scheduler>,
    stopper: Option<Box<dyn Stopper>>,
) -> Outcome {
    let targets: Vec<_> = goals
        .iter()
        .map(|goal| Goal::parse(goal).unwrap().on(pool, settings.value).unwrap())
        .collect();
    let methods = Methods { sampler: Box::new(sampler), scheduler, stopper };
    let mut phases = [Phase { methods, trials_max: None, ending: None }];
    let experiment = experiment(pool, settings, &targets);
    replay(&experiment, &mut phases, &mut Workspace::default())
}

/// A traced run of repeat 0.
pub(crate) fn experiment<'a>(
    pool: &'a Pool,
    settings: &'a Settings,
    targets: &'a [Target],
) -> Experiment<'a> {
    Experiment { pool, settings, targets, tells_goal: false, repeat: 0, trace: true }
}

/// A whole Parquet file.
pub(crate) fn read_parquet(path: &Path) -> RecordBatch {
    let file = std::fs::File::open(path).unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
    let schema = reader.schema().clone();
    let batches: Vec<RecordBatch> =
        reader.build().unwrap().map(std::result::Result::unwrap).collect();
    concat_batches(&schema, &batches).unwrap()
}

/// A column of numbers below 2^53.
pub(crate) fn numbers(batch: &RecordBatch, name: &str) -> Vec<Option<f64>> {
    let column = cast(batch.column_by_name(name).unwrap(), &DataType::Float64).unwrap();
    column.as_primitive::<Float64Type>().iter().collect()
}

/// A column of words, or of booleans as words.
pub(crate) fn words(batch: &RecordBatch, name: &str) -> Vec<String> {
    let column = cast(batch.column_by_name(name).unwrap(), &DataType::Utf8).unwrap();
    column.as_string::<i32>().iter().map(|word| word.unwrap().to_string()).collect()
}
