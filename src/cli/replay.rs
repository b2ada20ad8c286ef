//! `curvebook replay`.

use std::path::PathBuf;

use ::methods::{samplers, schedulers, stoppers};
use answers::analysis::Runs;
use app::runner::{self, Runner};
use base::error::{Result, fault};
use clap::Args;
use methods::interface::resolve;
use replay::{Goal, Grid};
use store::Output;

use super::settings::SettingsArguments;
use super::{Format, threads_or_all};

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
    #[command(flatten)]
    settings: SettingsArguments,
    /// Runs at once; one a core where this says nothing. Results do not depend on it.
    #[arg(long)]
    threads: Option<usize>,
    /// Write one row a run and goal to this Parquet file.
    #[arg(long)]
    out: Option<PathBuf>,
    /// Write one row a segment of a trial to this Parquet file.
    #[arg(long)]
    trace: Option<PathBuf>,
    /// Print no answers: for millions of runs, which then take no more memory than a few.
    #[arg(long)]
    no_analysis: bool,
    /// The method to compare with: its canonical text, or a part that fits one method alone.
    #[arg(long)]
    baseline: Option<String>,
}

pub(super) fn run(arguments: &Arguments, format: Format) -> anyhow::Result<()> {
    let grid = grid(arguments)?;
    grid.check()?;
    if let (Some(out), true) = (&arguments.out, arguments.out == arguments.trace) {
        let rule = "runs and trace are two files";
        return Err(fault("--trace", "file", out.display(), rule, "name another file").into());
    }
    if arguments.no_analysis && arguments.out.is_none() && arguments.trace.is_none() {
        let rule = "without an analysis and a file nothing would come out";
        return Err(fault("--no-analysis", "output", "none", rule, "give --out or --trace").into());
    }
    let pools = [arguments.settings.table_options()?.load(&arguments.table)?];
    let threads = threads_or_all(arguments.threads)?;
    let stop = super::interrupt::flag()?;
    let progress = super::progress::Runs::new();
    let runner = Runner { grid: &grid, pools: &pools, threads, stop: &stop, events: &progress };
    runner.probe(arguments.baseline.as_deref())?;
    let (runs, trace) = (arguments.out.as_deref(), arguments.trace.as_deref());
    let mut rows = Runs::builder();
    let ended = runner.run(Output::create(runs, trace)?, |block| {
        if arguments.no_analysis { Ok(()) } else { rows.push(&block) }
    })?;
    if !arguments.no_analysis && ended.done > 0 {
        super::analyze::print(&rows.finish()?, arguments.baseline.clone(), format)?;
    }
    ended.whole(&runner::kept_in(runs))?;
    Ok(())
}

fn grid(arguments: &Arguments) -> Result<Grid> {
    let settings = arguments.settings.settings()?;
    Ok(Grid {
        samplers: all(&arguments.samplers, |t| resolve("--sampler", t, samplers::REGISTRY))?,
        schedulers: all(&arguments.schedulers, |t| {
            resolve("--scheduler", t, schedulers::REGISTRY)
        })?,
        stoppers: all(&arguments.stoppers, |t| resolve("--stopper", t, stoppers::REGISTRY))?,
        goals: all(&arguments.goals, Goal::parse)?,
        repeats: arguments.repeats,
        workers: vec![settings.workers],
        settings,
    })
}

fn all<T>(texts: &[String], parse: impl Fn(&str) -> Result<T>) -> Result<Vec<T>> {
    texts.iter().map(|text| parse(text)).collect()
}
