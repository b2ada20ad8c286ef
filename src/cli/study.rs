//! `curvebook study`.

use std::path::{Path, PathBuf};

use clap::Args;

use super::{Format, analyze, replay, threads_or_all};
use crate::analysis::Runs;
use crate::error::{Result, fault, io};
use crate::replay::study::StudyDefinition;

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
It may also set schedulers, workers, value, on_nan, budget_seconds, max_trials, seed, baseline.")]
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
    let pools = study.tables.iter().map(|dir| replay::load(dir)).collect::<Result<Vec<_>>>()?;
    let dir = &arguments.out;
    let threads = threads_or_all(arguments.threads)?;
    replay::probe(&study.grid, &pools, study.baseline.as_deref())?;
    let is_new = open_directory(dir)?;
    let (runs, trace) = (dir.join("runs.parquet"), dir.join("trace.parquet"));
    let ran = replay::run_grids(&study.grid, &pools, threads, Some(&runs), Some(&trace));
    if ran.is_err() && is_new {
        // What was refused leaves nothing; a directory that is not empty stays by itself.
        let _ = std::fs::remove_dir(dir);
    }
    let rows = ran?;
    let copy = dir.join("study.toml");
    std::fs::write(&copy, &study.text).map_err(|e| io(&copy, "writing", e))?;
    analyze::print(&Runs::from_rows(&rows)?, study.baseline, format)
}

/// Makes the directory, and refuses one that holds a study already. Whether it is new.
fn open_directory(dir: &Path) -> Result<bool> {
    let results = dir.join("runs.parquet");
    if results.exists() {
        let rule = "there are results of a study here already";
        let remedy = "name another directory, or remove them";
        return Err(fault("--out", "directory", results.display(), rule, remedy));
    }
    let is_new = !dir.exists();
    std::fs::create_dir_all(dir).map_err(|e| {
        let rule = format!("must be a directory that can be made ({e})");
        fault("--out", "directory", dir.display(), rule, "name another directory")
    })?;
    Ok(is_new)
}
