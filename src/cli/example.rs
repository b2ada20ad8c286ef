//! `curvebook example`.

use std::path::PathBuf;

use app::example::{Written, write};
use clap::Args;

use super::output;

/// Write a space and a study to begin with, with a word on every line.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  curvebook example my-experiment
  curvebook train --space my-experiment/space.toml --configs 200 --out my-experiment/table
  curvebook study my-experiment/study.toml --out my-experiment/results

`space init` writes the space alone, or copies another one; `study show` prints the studies that
ship with the program.")]
pub(super) struct Arguments {
    /// The directory for space.toml and study.toml; it is made if need be.
    dir: PathBuf,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let Written { space, study } = write(&arguments.dir)?;
    let table = arguments.dir.join("table");
    let results = arguments.dir.join("results");
    output::print(&format!(
        "{}\n{}\nThen:\n  curvebook train --space {} --configs 200 --out {}\n  curvebook study {} \
         --out {}",
        space.display(),
        study.display(),
        space.display(),
        table.display(),
        study.display(),
        results.display()
    ))
}
