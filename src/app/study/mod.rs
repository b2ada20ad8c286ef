//! Studies: grids of runs that are written down, run, and gone on with.

mod definition;
mod growth;

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

pub use definition::StudyDefinition;

use answers::analysis::{Analysis, Runs};
use base::error::{Error, Result, internal};
use base::hex;
pub(crate) use growth::About;
use growth::Growth;
use replay::Pool;
use sha2::{Digest, Sha256};
use store::{Finished, Opening, Parts};

use crate::Events;
use crate::runner::{KeptRuns, Runner};
use crate::settings::threads_or_all;
use crate::{Silent, report_page, robustness};

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

/// Runs what is missing of a study, and answers. Its files are `runs.parquet`, `trace.parquet`, a
/// copy of the study, `report.html` to look at, and `results.json`, by which a larger study knows
/// what is there: further
/// repeats, methods, goals and tables are added to a finished one, with the bytes that the larger
/// study would have had at once. Its results stay what they were until the larger ones are whole.
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
    let page =
        report_page::Settings::of_study(&settings.out, &settings.definition.experiments.tables);
    page.check()?;
    robustness::check(&settings.out)?;
    let mut outcome = run_files_to_answers(settings, events, stop)?;
    // Whatever comes of the page and of other settings, the answers are there.
    let unkept = outcome.unkept.or_else(|| to_page(settings, &page, events, stop).err());
    outcome.unkept = unkept;
    Ok(outcome)
}

/// Makes the page, and where the study asks for it the comparison under other settings: the page is
/// there before these are run, and again with them.
fn to_page(
    settings: &Settings,
    page: &report_page::Settings,
    events: &dyn Events,
    stop: &AtomicBool,
) -> Result<()> {
    let (study, dir) = (&settings.definition, &settings.out);
    if study.robustness
        && let Some(finished) = Finished::find(dir)?
    {
        let about = about_finished(&finished, dir)?;
        if robustness::kept(dir, &about).is_none() {
            report_page::run(page, &Silent)?;
            robustness::make(study, dir, &about, settings.threads, events, stop)?;
        }
    }
    report_page::run(page, events)
}

/// The files of a study alone, without a page.
pub(crate) fn run_files(settings: &Settings, events: &dyn Events, stop: &AtomicBool) -> Result<()> {
    run_files_to_answers(settings, events, stop)?.unkept.map_or(Ok(()), Err)
}

fn run_files_to_answers(
    settings: &Settings,
    events: &dyn Events,
    stop: &AtomicBool,
) -> Result<Outcome> {
    let (study, dir) = (&settings.definition, &settings.out);
    let grid = &study.experiments.grid;
    let pools = study.experiments.load(events)?;
    events.work_begins();
    let runner = Runner { grid, pools: &pools, threads: settings.threads, stop, events };
    let orders = runner.probe(&study.experiments)?;
    let about = About::new(study, &pools, &orders)?;
    let Some((mut parts, kept)) = begin(settings, &about, &pools)? else {
        events.say(&format!("{}: all runs are there already", dir.display()));
        let runs = Runs::from_files(&[dir.join(RUNS_FILE)])?;
        return Ok(Outcome { analysis: study.experiments.answer(&runs)?, unkept: None });
    };
    if !parts.is_merged() {
        let copied: u32 = kept.iter().map(|kept| kept.runs.end - kept.runs.start).sum();
        if copied > 0 {
            let all = runner.runs()?.0;
            events
                .say(&format!("{}: {copied} of the {all} runs are in its results", dir.display()));
        }
        if parts.done() > 0 {
            events.say(&format!("{}: {} runs are there already", dir.display(), parts.done()));
        }
        let ended = runner.run_parts(&mut parts, &kept)?;
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

/// Sees what is there, and takes the directory for this process: the parts, and which of what they
/// lack older results have. `None` where nothing is left to do.
fn begin(
    settings: &Settings,
    about: &About,
    pools: &[Pool],
) -> Result<Option<(Parts, Vec<KeptRuns>)>> {
    let (study, dir) = (&settings.definition, &settings.out);
    Parts::sweep(dir)?;
    let finished = Finished::find(dir)?;
    let before = finished.as_ref().map(|finished| About::of(finished, dir)).transpose()?;
    let is_begun = Parts::is_begun(dir);
    let mut kept = Vec::new();
    let mut broken = None;
    if let (Some(finished), Some(before)) = (&finished, &before) {
        match finished.check() {
            Ok(()) if before == about && !is_begun => return Ok(None),
            Ok(()) => kept = Growth { dir, before, now: about, study }.kept()?,
            // Killed while one result after the other was replaced: all parts are there.
            Err(e) if is_begun => broken = Some(e),
            Err(e) => return Err(e),
        }
    }
    let about_json = serde_json::to_value(about).map_err(|e| internal("writing JSON", e))?;
    let opening = Opening {
        copies: &[("study.toml", &study.text)],
        about: Some(&about_json),
        finished: finished.as_ref().zip(before.as_ref().map(|before| &*before.study)),
    };
    let parts = Parts::open_with(dir, &key(about), &opening)?;
    let all = u64::from(study.experiments.grid.runs()?) * pools.len() as u64;
    match broken {
        Some(e) if !parts.is_merged() && u64::from(parts.done()) < all => Err(e),
        _ => Ok(Some((parts, kept))),
    }
}

/// What a finished study says of itself.
pub(crate) fn about_finished(finished: &Finished, dir: &Path) -> Result<About> {
    About::of(finished, dir)
}

/// What the runs depend on: parts of another key are of another study.
fn key(about: &About) -> String {
    let About { program, study, tables, orders } = about;
    let all = serde_json::json!([program, study, tables, orders]);
    hex(&Sha256::digest(all.to_string()))
}
