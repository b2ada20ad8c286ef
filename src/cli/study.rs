//! `curvebook study`.

use std::path::{Path, PathBuf};

use answers::analysis::Runs;
use app::runner::Runner;
use app::study::StudyDefinition;
use base::error::{Result, fault, io};
use clap::Args;
use sha2::{Digest, Sha256};
use store::Parts;

use super::{Format, analyze, threads_or_all};

const RUNS_FILE: &str = "runs.parquet";

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
    let study = StudyDefinition::find(&arguments.study)?;
    let options = &study.table_options;
    let pools = study.tables.iter().map(|dir| options.load(dir)).collect::<Result<Vec<_>>>()?;
    let dir = &arguments.out;
    let threads = threads_or_all(arguments.threads)?;
    let stop = super::interrupt::flag()?;
    let progress = super::progress::Runs::new();
    let runner =
        Runner { grid: &study.grid, pools: &pools, threads, stop: &stop, events: &progress };
    runner.probe(study.baseline.as_deref())?;
    open_directory(dir)?;
    let mut parts = Parts::open(dir, &key(&study)?)?;
    let copy = dir.join("study.toml");
    std::fs::write(&copy, &study.text).map_err(|e| io(&copy, "writing", e))?;
    if parts.done() > 0 {
        eprintln!("{}: {} runs are there already", dir.display(), parts.done());
    }
    let ended = runner.run_parts(&mut parts)?;
    ended.whole("the same command goes on from there")?;
    parts.merge()?;
    let runs = Runs::from_files(&[dir.join(RUNS_FILE)])?;
    analyze::print(&runs, study.baseline, format)
}

/// What the runs depend on: parts of another key are of another study.
fn key(study: &StudyDefinition) -> Result<String> {
    let mut digest =
        Sha256::new().chain_update(env!("CARGO_PKG_VERSION")).chain_update(&study.text);
    for table in &study.tables {
        for file in ["table.json", "configs.parquet", "curves.parquet"] {
            let path = table.join(file);
            digest.update(std::fs::read(&path).map_err(|e| io(&path, "reading", e))?);
        }
    }
    Ok(super::hex(&digest.finalize()))
}

/// Makes the directory, and refuses one that holds a finished study.
fn open_directory(dir: &Path) -> Result<()> {
    let results = dir.join(RUNS_FILE);
    if results.exists() {
        let rule = "there are results of a study here already";
        let remedy = "name another directory, or remove them";
        return Err(fault("--out", "directory", results.display(), rule, remedy));
    }
    std::fs::create_dir_all(dir).map_err(|e| {
        let rule = format!("must be a directory that can be made ({e})");
        fault("--out", "directory", dir.display(), rule, "name another directory")
    })
}
