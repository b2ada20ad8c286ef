//! Answers from recorded runs.

use std::path::PathBuf;

use answers::analysis::{Analysis, AnalyzeSettings, Runs};
use base::error::Result;

/// Which runs, and what they are compared with.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Files that a replay or a study wrote.
    pub runs: Vec<PathBuf>,
    /// The method that the others are compared with: its canonical text, or a part that fits one
    /// method alone. The first where none is named.
    pub baseline: Option<String>,
}

/// Reads the runs and answers.
///
/// # Errors
/// Faults of files that hold no runs, and of a baseline that no method or several fit.
pub fn run(settings: &Settings) -> Result<Analysis> {
    let runs = Runs::from_files(&settings.runs)?;
    let baseline = settings.baseline.clone();
    answers::analysis::analyze(&runs, &AnalyzeSettings { baseline, ..AnalyzeSettings::default() })
}
