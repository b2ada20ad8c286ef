//! `curvebook report`.

use std::path::PathBuf;

use app::report_page::{Settings, run as report};
use clap::Args;

use super::progress;

/// Make a page of answers to look at: one HTML file that needs no network.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  curvebook report results --out report.html
  curvebook report results --out report.html --plots plots
  curvebook report runs.parquet --baseline \"random none\" --out report.html
  curvebook report one two --out both.html
  curvebook report --pooled parts/0 parts/1 --out all.html

The page answers goal by goal which method is soonest, and how sure that is: box plots of the time
to the goal, who has reached it by when, speed-ups with intervals, and every number in tables that
can be sorted. Of a study's directory it shows what the trace holds, too: what methods have at any
time, where the time went, the headroom, single runs. Methods can be picked, plots saved as SVG
and their data as CSV. It is light or dark, and can be printed. Several studies stand one after
the other, each against its own baseline. Every study ends with the page in its own directory.")]
pub(super) struct Arguments {
    /// Directories that studies wrote, and files of runs.
    #[arg(required = true, value_name = "DIR|RUNS.parquet")]
    of: Vec<PathBuf>,
    /// The HTML file; `-` is standard output. A page of curvebook's is replaced, nothing else.
    #[arg(long)]
    out: PathBuf,
    /// A directory for SVG, PNG and CSV of each plot: a new one, or one that holds plots alone.
    #[arg(long, value_name = "DIR")]
    plots: Option<PathBuf>,
    /// Where a table of the studies is, if it is not where they say.
    #[arg(long = "table", value_name = "DIR")]
    tables: Vec<PathBuf>,
    /// The method that the others are compared with, as `analyze` takes it; each study's own
    /// where this says nothing.
    #[arg(long)]
    baseline: Option<String>,
    /// All of it is one study, whose runs stand in several files: seeds replayed elsewhere.
    #[arg(long)]
    pooled: bool,
    /// Replace a file that curvebook did not write.
    #[arg(long)]
    force: bool,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let Arguments { of, out, plots, tables, baseline, pooled, force } = arguments;
    let settings = Settings {
        of: of.clone(),
        baseline: baseline.clone(),
        out: out.clone(),
        plots: plots.clone(),
        tables: tables.clone(),
        is_forced: *force,
        is_pooled: *pooled,
    };
    Ok(report(&settings, &progress::Words)?)
}
