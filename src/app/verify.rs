//! Receipts: whether the results of a study are what its study makes.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use answers::analysis::Method;
use base::error::{Result, fault, io};
use store::Finished;
use store::runs::{self, Record};
use store::table::{FileSeal, Manifest, seal};

use crate::Events;
use crate::settings::threads_or_all;
use crate::study::{self, StudyDefinition, about_finished};
use crate::table_hash::table_hash;

/// Which results, and where their tables are.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The directory that a study wrote.
    pub dir: PathBuf,
    /// Where its tables are, if they are not where the study says.
    pub tables: Vec<PathBuf>,
    /// Runs at once.
    pub threads: usize,
}

impl Settings {
    /// Checks what was given.
    ///
    /// # Errors
    /// A number of threads that there cannot be.
    pub fn new(dir: &Path, tables: &[PathBuf], threads: Option<usize>) -> Result<Self> {
        let threads = threads_or_all(threads)?;
        Ok(Self { dir: dir.to_path_buf(), tables: tables.to_vec(), threads })
    }
}

/// What came of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Verified {
    /// The version of the program that made the results, and this one.
    pub made_by: String,
    pub checked_by: String,
    /// Rows of `runs.parquet`.
    pub rows: usize,
    pub files: Vec<VerifiedFile>,
    /// Where the first row that differs is, in words; `None` where none does.
    pub first_difference: Option<String>,
}

/// One file of the results.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedFile {
    pub name: &'static str,
    /// SHA-256 of the file in the directory, and of the one that was made now.
    pub found: String,
    pub made: String,
}

impl Verified {
    /// Whether all files are the same, byte by byte.
    pub fn is_same(&self) -> bool {
        self.files.iter().all(|file| file.found == file.made)
    }
}

/// Runs the study of a directory anew, elsewhere, and compares its files with those in the
/// directory, byte by byte. Neither is kept or changed.
///
/// # Errors
/// A directory without finished results, or whose files are not those that were written; tables
/// that have changed since, each by name; and what running the study may meet.
pub fn run(settings: &Settings, events: &dyn Events, stop: &AtomicBool) -> Result<Verified> {
    let dir = &settings.dir;
    let Some(finished) = Finished::find(dir)? else {
        let rule = "a finished study leaves results.json there, which says what it was";
        let remedy = "name a study's --out; one that was interrupted has to end first";
        return Err(fault("verify", "directory", dir.display(), rule, remedy));
    };
    finished.check()?;
    let about = about_finished(&finished, dir)?;
    let mut study = StudyDefinition::parse_kept(dir, &about.study)?;
    let dirs = if settings.tables.is_empty() {
        study.experiments.tables.clone()
    } else {
        settings.tables.clone()
    };
    study.experiments.tables =
        about.tables().map(|(name, hash)| table_of(name, hash, &dirs)).collect::<Result<_>>()?;
    let again = tempfile::tempdir().map_err(|e| io(&std::env::temp_dir(), "making", e))?;
    let out = again.path().join("again");
    let anew = study::Settings { definition: study, out: out.clone(), threads: settings.threads };
    study::run_files(&anew, events, stop)?;
    let file = |name: &'static str| -> Result<VerifiedFile> {
        let of = |dir: &Path| seal(&dir.join(name)).map(|FileSeal { sha256, .. }| sha256);
        Ok(VerifiedFile { name, found: of(dir)?, made: of(&out)? })
    };
    let files = vec![file("runs.parquet")?, file("trace.parquet")?];
    let (found, made) = (rows(&dir.join("runs.parquet"))?, rows(&out.join("runs.parquet"))?);
    Ok(Verified {
        made_by: about.program,
        checked_by: env!("CARGO_PKG_VERSION").to_string(),
        rows: found.len(),
        files,
        first_difference: first_difference(&found, &made),
    })
}

/// The directory that holds the table with this name and hash.
fn table_of(name: &str, hash: &str, dirs: &[PathBuf]) -> Result<PathBuf> {
    let mut other = None;
    for dir in dirs {
        let manifest = Manifest::read(dir)?;
        if manifest.name == name {
            let found = table_hash(dir, &manifest)?;
            if found == hash {
                return Ok(dir.clone());
            }
            other = Some((dir, found));
        }
    }
    let (value, rule) = match other {
        Some((dir, found)) => (
            format!("{} ({found})", dir.display()),
            format!("the study ran on a table {name} with hash {hash}: it has changed since"),
        ),
        None => (name.to_string(), "no directory that was given holds this table".to_string()),
    };
    let remedy = "name the directory of the table as it was with --table";
    Err(fault("verify", "table", value, rule, remedy))
}

fn rows(path: &Path) -> Result<Vec<String>> {
    let mut rows = Vec::new();
    runs::read(path, |record| {
        rows.push(described(record));
        Ok(())
    })?;
    Ok(rows)
}

/// A row in words: which run it is, then everything in it.
fn described(record: &Record<'_>) -> String {
    let method = Method {
        table: record.table.to_string(),
        sampler: record.sampler.to_string(),
        scheduler: record.scheduler.to_string(),
        stopper: record.stopper.to_string(),
        report: record.report.to_string(),
        value: record.value.to_string(),
        workers: record.workers,
        settings: record.settings.to_string(),
    };
    let (run, goal, repeat) = (record.run, record.goal, record.repeat);
    format!("run {run} ({method}, goal {goal}, repeat {repeat})\u{0}{record:?}")
}

fn first_difference(found: &[String], made: &[String]) -> Option<String> {
    let at = found.iter().zip(made).position(|(found, made)| found != made);
    let name = |row: &String| row.split('\u{0}').next().unwrap_or_default().to_string();
    match at {
        Some(at) => Some(name(&found[at])),
        None if found.len() != made.len() => {
            Some(format!("{} rows, and {} now", found.len(), made.len()))
        }
        None => None,
    }
}
