//! Answers from recorded runs.

use std::fs::{File, OpenOptions, remove_file};
use std::io::{copy, stdin};
use std::path::{Path, PathBuf};

use answers::analysis::{Analysis, AnalyzeSettings, Runs};
use base::error::{Error, Result, io};
use base::units::plural;

use crate::Events;

/// Which runs, and what they are compared with.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Files that a replay or a study wrote; `-` is stdin.
    pub runs: Vec<PathBuf>,
    /// The method that the others are compared with: its label, its canonical text, or parts that
    /// fit one method alone. The first where none is named.
    pub baseline: Option<String>,
}

/// Reads the runs and answers.
///
/// # Errors
/// Faults of files that hold no runs, of two tables with one name, and of a baseline that no method
/// or several fit.
pub fn run(settings: &Settings, events: &dyn Events) -> Result<Analysis> {
    let is_stdin = |path: &PathBuf| path == Path::new("-");
    let runs = if settings.runs.iter().any(is_stdin) {
        // Parquet is read from its end: what comes through a pipe has to lie somewhere first.
        let copied = Copied::of_stdin()?;
        let path = |path: &PathBuf| if is_stdin(path) { copied.0.clone() } else { path.clone() };
        let paths: Vec<PathBuf> = settings.runs.iter().map(path).collect();
        Runs::from_files(&paths).map_err(|error| copied.respell(error))?
    } else {
        Runs::from_files(&settings.runs)?
    };
    events.detail(&format!("read {} of runs", plural(runs.len(), "row")));
    let baseline = settings.baseline.clone();
    answers::analysis::analyze(&runs, &AnalyzeSettings { baseline, ..AnalyzeSettings::default() })
}

/// A temporary file that goes when this does.
struct Copied(PathBuf);

impl Copied {
    fn of_stdin() -> Result<Self> {
        let name = format!("curvebook-stdin-{}.parquet", std::process::id());
        let path = std::env::temp_dir().join(name);
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file: File = options.open(&path).map_err(|e| io(&path, "making", e))?;
        let copied = Self(path);
        copy(&mut stdin().lock(), &mut file).map_err(|e| io(&copied.0, "copying stdin", e))?;
        Ok(copied)
    }

    /// The same error, which names what the user gave.
    fn respell(&self, error: Error) -> Error {
        let Error::Input(mut fault) = error else { return error };
        let path = self.0.display().to_string();
        for text in [&mut fault.file, &mut fault.rule, &mut fault.remedy] {
            *text = text.replace(&path, "stdin");
        }
        Error::Input(fault)
    }
}

impl Drop for Copied {
    fn drop(&mut self) {
        // Nothing can be done where it cannot be removed, and nothing depends on it.
        let _ = remove_file(&self.0);
    }
}
