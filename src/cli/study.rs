//! `curvebook study`.

use std::path::PathBuf;

use app::study::{Settings, run_to_answers as study};
use clap::Args;

use super::interrupt::Interrupt;
use super::{Format, analyze, progress};

/// Run a grid of experiments and keep its runs and its trace.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  curvebook study early-termination --out results
  curvebook study my-study.toml --out results --threads 8

A study file:
  name = \"my-study\"
  tables = [\"tables/digits-lenet\"]   # from the file's own directory
  samplers = [\"random\"]
  stoppers = [\"none\", \"etr1:tau=3\"]
  goals = [\"top:0.005\", \"0.97\"]
  repeats = 50
It may also set schedulers, workers, value, report, on_nan, budget_seconds, max_trials, seed,
baseline, cost, curve_repeat, restart, trial_overhead, charge_setup, overhead, and a table
[warm_start] with trials, sampler, stopper and epochs. A study that was interrupted goes on where
the same command is given again.")]
pub(super) struct Arguments {
    /// A study of this program by name, or a TOML file.
    study: String,
    /// The directory for runs.parquet, trace.parquet and a copy of the study.
    #[arg(long)]
    out: PathBuf,
    /// Runs at once; one a core where this says nothing. Results do not depend on it.
    #[arg(long)]
    threads: Option<usize>,
}

pub(super) fn run(arguments: &Arguments, format: Format) -> anyhow::Result<()> {
    let settings = Settings::find(&arguments.study, arguments.out.clone(), arguments.threads)?;
    let interrupt = Interrupt::default();
    let outcome = study(&settings, &progress::Runs::new(&interrupt), interrupt.flag())?;
    analyze::print(&outcome.analysis, format)?;
    Ok(outcome.unkept.map_or(Ok(()), Err)?)
}
