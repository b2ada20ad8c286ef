//! `curvebook analyze`.

use std::path::PathBuf;

use app::analysis::Analysis;
use app::analyze::{Settings, run as analyze};
use app::report;
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
    let (runs, baseline) = (arguments.runs.clone(), arguments.baseline.clone());
    print(&analyze(&Settings { runs, baseline })?, format)
}

/// Prints the answers.
pub(super) fn print(analysis: &Analysis, format: Format) -> anyhow::Result<()> {
    output::print(&match format {
        Format::Text => report::text::render(analysis),
        Format::Json => report::json::render(analysis),
    })
}
