//! `curvebook replay`.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::{Format, progress, threads_or_all};
use crate::analysis::{AnalyzeSettings, Runs, analyze};
use crate::error::{Result, fault};
use crate::method::resolve;
use crate::replay::run_row::RunRow;
use crate::replay::study::{Grid, Output};
use crate::replay::{Goal, OnNan, Pool, Settings, ValueMode};
use crate::table::{LoadOptions, Table};
use crate::units::SimTime;
use crate::{samplers, schedulers, stoppers};

/// Replay experiments against a table and print how soon each method reaches each goal.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  curvebook replay --table tables/digits-lenet --goal top:0.005
  curvebook replay --table T --stopper none --stopper etr1:tau=1,epsilon=0.05 --goal 0.97
  curvebook replay --table T --workers 4 --goal rank:50 --out runs.parquet --trace trace.parquet")]
pub(super) struct Arguments {
    /// The table's directory.
    #[arg(long)]
    table: PathBuf,
    /// Proposes the next configuration (`curvebook methods`). May be given several times, as may
    /// --stopper, --scheduler and --goal: the grid of them runs.
    #[arg(long = "sampler", default_value = "random")]
    samplers: Vec<String>,
    /// A rule that ends trials early, such as etr1:tau=1,epsilon=0.05.
    #[arg(long = "stopper", default_value = "none")]
    stoppers: Vec<String>,
    /// Decides which trial runs next and for how long.
    #[arg(long = "scheduler", default_value = "fifo")]
    schedulers: Vec<String>,
    /// When a run is over: a value of the metric (0.992), or the value that the best share of the
    /// table (top:0.005) or so many of its rows (rank:50) reach.
    #[arg(long = "goal", required = true, allow_negative_numbers = true)]
    goals: Vec<String>,
    /// Repeats of each experiment, each with its own random numbers.
    #[arg(long, default_value_t = 50)]
    repeats: u32,
    /// Trials that run at once.
    #[arg(long, default_value_t = 1)]
    workers: u32,
    /// What a trial's value is: its best executed epoch or its last.
    #[arg(long, value_enum, default_value_t = Value::Best)]
    value: Value,
    /// What a NaN epoch does to its trial.
    #[arg(long, value_enum, default_value_t = Nan::Continue)]
    on_nan: Nan,
    /// Simulated seconds after which trials are cut.
    #[arg(long, allow_negative_numbers = true)]
    budget_seconds: Option<f64>,
    /// How many trials may start in a run; those that run then still finish.
    #[arg(long)]
    max_trials: Option<u32>,
    /// Master seed: the same seed gives the same runs, whatever the machine.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Runs at once; one a core where this says nothing. Results do not depend on it.
    #[arg(long)]
    threads: Option<usize>,
    /// Write one row a run and goal to this Parquet file.
    #[arg(long)]
    out: Option<PathBuf>,
    /// Write one row a segment of a trial to this Parquet file.
    #[arg(long)]
    trace: Option<PathBuf>,
    /// The method to compare with: its canonical text, or a part that fits one method alone.
    #[arg(long)]
    baseline: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Value {
    Best,
    Final,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Nan {
    Continue,
    Stop,
}

pub(super) fn run(arguments: &Arguments, format: Format) -> anyhow::Result<()> {
    let grid = grid(arguments)?;
    grid.check()?;
    if let (Some(out), true) = (&arguments.out, arguments.out == arguments.trace) {
        let rule = "runs and trace are two files";
        return Err(fault("--trace", "file", out.display(), rule, "name another file").into());
    }
    let pool = load(&arguments.table)?;
    let threads = threads_or_all(arguments.threads)?;
    let pools = [pool];
    probe(&grid, &pools, arguments.baseline.as_deref())?;
    let (runs, trace) = (arguments.out.as_deref(), arguments.trace.as_deref());
    let rows = run_grids(&grid, &pools, threads, runs, trace)?;
    super::analyze::print(&Runs::from_rows(&rows)?, arguments.baseline.clone(), format)
}

/// A table as the engine needs it.
pub(super) fn load(dir: &Path) -> Result<Pool> {
    Pool::from_table(&Table::load(dir, &LoadOptions::default())?)
}

/// Refuses before the work what the answers would refuse after it: a baseline that no method or
/// several fit, the same method twice.
pub(super) fn probe(grid: &Grid, pools: &[Pool], baseline: Option<&str>) -> Result<()> {
    let grid = grid.probe();
    let mut output = Output::create(None, None)?;
    let mut rows = Vec::new();
    for pool in pools {
        let first_run = u32::try_from(rows.len()).expect("a few rows a method");
        rows.extend(output.run(&grid, pool, first_run, 1, &|_| {})?);
    }
    let baseline = baseline.map(str::to_string);
    let settings = AnalyzeSettings { baseline, ..AnalyzeSettings::default() };
    analyze(&Runs::from_rows(&rows)?, &settings).map(|_| ())
}

/// Runs a grid on some tables, one after another, into the files that were asked for.
pub(super) fn run_grids(
    grid: &Grid,
    pools: &[Pool],
    threads: usize,
    runs: Option<&Path>,
    trace: Option<&Path>,
) -> Result<Vec<RunRow>> {
    let per_table = grid.runs()?;
    let mut output = Output::create(runs, trace)?;
    let template = "{bar:30} {pos}/{len} runs, {per_sec}, left {eta}";
    let bar = progress::bar(u64::from(per_table) * pools.len() as u64, template);
    let mut rows = Vec::new();
    let mut first_run = 0u32;
    for pool in pools {
        rows.extend(output.run(grid, pool, first_run, threads, &|count| bar.inc(count))?);
        first_run = first_run.checked_add(per_table).ok_or_else(|| {
            let rule = "a study has at most 4,294,967,295 runs";
            fault("study", "runs", "too many", rule, "make the grid smaller")
        })?;
    }
    output.finish()?;
    bar.finish_and_clear();
    Ok(rows)
}

fn grid(arguments: &Arguments) -> Result<Grid> {
    let budget = arguments.budget_seconds.map(|seconds| {
        SimTime::from_seconds(seconds).ok_or_else(|| {
            let rule = "must be 0 to 3.2e9 seconds";
            fault("--budget-seconds", "seconds", seconds, rule, "choose a number in that range")
        })
    });
    if arguments.max_trials == Some(0) {
        let remedy = "allow at least one, or leave it out";
        return Err(fault("--max-trials", "trials", 0, "a run needs a trial", remedy));
    }
    let parse = |texts: &[String]| texts.iter().map(|t| Goal::parse(t)).collect::<Result<_>>();
    Ok(Grid {
        samplers: all(&arguments.samplers, |t| resolve("--sampler", t, samplers::REGISTRY))?,
        schedulers: all(&arguments.schedulers, |t| {
            resolve("--scheduler", t, schedulers::REGISTRY)
        })?,
        stoppers: all(&arguments.stoppers, |t| resolve("--stopper", t, stoppers::REGISTRY))?,
        goals: parse(&arguments.goals)?,
        repeats: arguments.repeats,
        workers: vec![arguments.workers],
        settings: Settings {
            workers: arguments.workers,
            value: match arguments.value {
                Value::Best => ValueMode::Best,
                Value::Final => ValueMode::Final,
            },
            on_nan: match arguments.on_nan {
                Nan::Continue => OnNan::Continue,
                Nan::Stop => OnNan::Stop,
            },
            budget: budget.transpose()?,
            trials_max: arguments.max_trials,
            seed: arguments.seed,
        },
    })
}

fn all<T>(texts: &[String], parse: impl Fn(&str) -> Result<T>) -> Result<Vec<T>> {
    texts.iter().map(|text| parse(text)).collect()
}
