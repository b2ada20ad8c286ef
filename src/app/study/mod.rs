//! Studies: grids of runs that are written down, run, and gone on with.

mod definition;

use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

pub use definition::StudyDefinition;

use answers::analysis::{Analysis, Runs};
use base::error::{Error, Result, io};
use base::hex;
use sha2::{Digest, Sha256};
use store::Parts;
use store::table::{CONFIGS_FILE, CURVES_FILE, MANIFEST_FILE, Manifest};

use crate::Events;
use crate::runner::Runner;
use crate::settings::threads_or_all;

const RUNS_FILE: &str = "runs.parquet";

/// A study and where its results go.
#[derive(Debug)]
pub struct Settings {
    pub definition: StudyDefinition,
    /// The directory of the results; it may hold a part of them.
    pub out: PathBuf,
    /// Runs at once.
    pub threads: usize,
}

impl Settings {
    /// The study of the program with that name, or the file.
    ///
    /// # Errors
    /// Faults of the study and of the number of threads.
    pub fn find(study: &str, out: PathBuf, threads: Option<usize>) -> Result<Self> {
        let definition = StudyDefinition::find(study)?;
        Ok(Self { definition, out, threads: threads_or_all(threads)? })
    }
}

/// What a study came to.
#[derive(Debug)]
pub struct Outcome {
    pub analysis: Analysis,
    /// Why the final files are missing, though all runs are there and answered: the same call makes
    /// them of the parts.
    pub unkept: Option<Error>,
}

/// Runs what is missing of a study, and answers. Its files are `runs.parquet`, `trace.parquet` and
/// a copy of the study.
///
/// # Errors
/// Faults of the study on its tables and of the directory, all before the first run; and
/// [`Interrupted`](base::error::Error::Interrupted) where the work was stopped: the same call goes
/// on from there.
pub fn run(settings: &Settings, events: &dyn Events, stop: &AtomicBool) -> Result<Analysis> {
    let Outcome { analysis, unkept } = run_to_answers(settings, events, stop)?;
    unkept.map_or(Ok(analysis), Err)
}

/// The same; where all runs are there and their final files cannot be written (a full disk), there
/// are answers all the same.
///
/// # Errors
/// Those of [`run`] but for that.
pub fn run_to_answers(
    settings: &Settings,
    events: &dyn Events,
    stop: &AtomicBool,
) -> Result<Outcome> {
    let (study, dir) = (&settings.definition, &settings.out);
    let grid = &study.experiments.grid;
    let pools = study.experiments.load(events)?;
    events.work_begins();
    let runner = Runner { grid, pools: &pools, threads: settings.threads, stop, events };
    runner.probe(&study.experiments)?;
    let mut parts = Parts::open_with(dir, &key(study)?, &[("study.toml", &study.text)])?;
    if !parts.is_merged() {
        if parts.done() > 0 {
            events.say(&format!("{}: {} runs are there already", dir.display(), parts.done()));
        }
        let ended = runner.run_parts(&mut parts)?;
        ended.whole("the same command goes on from there")?;
    }
    let in_parts = parts.runs();
    let (files, unkept) = match parts.merge() {
        Ok(()) => (vec![dir.join(RUNS_FILE)], None),
        Err(e) => (in_parts, Some(e)),
    };
    let runs = Runs::from_files(&files)?;
    let analysis = study.experiments.answer(&runs)?;
    Ok(Outcome { analysis, unkept })
}

/// What the runs depend on: parts of another key are of another study. The tables are loaded by
/// now, which has compared their files with the hashes in `table.json`: only files without a hash
/// there have to be read again.
fn key(study: &StudyDefinition) -> Result<String> {
    let mut digest =
        Sha256::new().chain_update(env!("CARGO_PKG_VERSION")).chain_update(&study.text);
    for table in &study.experiments.tables {
        let sealed = Manifest::read(table)?.files;
        let is_sealed = |file: &&str| sealed.iter().any(|(name, _)| name == file);
        let files = [MANIFEST_FILE, CONFIGS_FILE, CURVES_FILE];
        for file in files.iter().filter(|file| !is_sealed(file)) {
            let path = table.join(file);
            digest.update(std::fs::read(&path).map_err(|e| io(&path, "reading", e))?);
        }
    }
    Ok(hex(&digest.finalize()))
}
