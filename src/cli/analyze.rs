//! `curvebook analyze`.

use std::path::PathBuf;

use answers::analysis::{AnalyzeSettings, Runs, analyze};
use answers::report;
use clap::Args;

use super::{Format, output};

/// Print time-to-goal distributions and comparisons of recorded runs.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  curvebook analyze runs.parquet
  curvebook analyze a.parquet b.parquet --baseline stopper=none --format json")]
pub(super) struct Arguments {
    /// One or more files that `replay --out` or `study` wrote.
    #[arg(required = true)]
    runs: Vec<PathBuf>,
    /// The method to compare with: its canonical text, or a part that fits one method alone.
    #[arg(long)]
    baseline: Option<String>,
}

pub(super) fn run(arguments: &Arguments, format: Format) -> anyhow::Result<()> {
    let runs = Runs::from_files(&arguments.runs)?;
    print(&runs, arguments.baseline.clone(), format)
}

/// Prints the answers.
pub(super) fn print(runs: &Runs, baseline: Option<String>, format: Format) -> anyhow::Result<()> {
    let settings = AnalyzeSettings { baseline, ..AnalyzeSettings::default() };
    let analysis = analyze(runs, &settings)?;
    output::print(&match format {
        Format::Text => report::text::render(&analysis),
        Format::Json => report::json::render(&analysis),
    })
}
