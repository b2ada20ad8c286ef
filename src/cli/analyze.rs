//! `curvebook analyze`.

use std::path::PathBuf;

use app::analysis::Analysis;
use app::analyze::{Settings, run as analyze};
use app::report::{self, Sort};
use clap::{Args, ValueEnum};

use super::{AnyFormat, output, progress};

/// Print time-to-goal distributions and comparisons of recorded runs.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  curvebook analyze runs.parquet
  curvebook analyze a.parquet b.parquet --baseline stopper=none --format json
  curvebook analyze runs.parquet --full --sort time
  ssh cluster cat runs.parquet | curvebook analyze - --format csv")]
pub(super) struct Arguments {
    /// One or more files that `replay --out` or `study` wrote; `-` is stdin.
    #[arg(required = true)]
    runs: Vec<PathBuf>,
    /// The method to compare with: its label, its canonical text, or parts that fit one method
    /// alone (`etr1`, `rf-ei none`).
    #[arg(long)]
    baseline: Option<String>,
    #[command(flatten)]
    shown: Shown,
}

/// What of the answers is shown.
#[derive(Debug, Args)]
pub(super) struct Shown {
    /// The order of the methods.
    #[arg(long, value_enum, default_value_t = By::Given, value_name = "ORDER")]
    sort: By,
    /// Print everything: tests pair by pair, means, what was selected, every goal and note.
    #[arg(long)]
    full: bool,
    /// Draw a small box plot a method, on a terminal that is wide enough; never into a pipe.
    #[arg(long)]
    plot: bool,
}

/// An order of methods.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum By {
    /// As they were given.
    Given,
    /// The soonest first.
    Time,
    /// By the share of goal rows that were killed.
    Killed,
    /// By name.
    Name,
}

pub(super) fn run(arguments: &Arguments, format: AnyFormat) -> anyhow::Result<()> {
    let (runs, baseline) = (arguments.runs.clone(), arguments.baseline.clone());
    let analysis = analyze(&Settings { runs, baseline }, &progress::Words)?;
    print(analysis, &arguments.shown, format)
}

/// Prints the answers.
pub(super) fn print(analysis: Analysis, shown: &Shown, format: AnyFormat) -> anyhow::Result<()> {
    let by = match shown.sort {
        By::Given => Sort::Given,
        By::Time => Sort::Time,
        By::Killed => Sort::Killed,
        By::Name => Sort::Name,
    };
    let analysis = report::sorted(analysis, by);
    output::print(&match format {
        AnyFormat::Text => {
            let shown = report::Shown {
                width: output::width(),
                full: shown.full,
                plot: shown.plot && output::is_terminal(),
            };
            report::text::render_as(&analysis, shown)
        }
        AnyFormat::Json => report::json::render(&analysis),
        AnyFormat::Csv => report::csv::render(&analysis),
        AnyFormat::Markdown => report::markdown::render(&analysis),
        AnyFormat::Latex => report::latex::render(&analysis),
    })
}
