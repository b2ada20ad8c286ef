//! `curvebook table export`.

use std::fmt::Write as _;
use std::path::PathBuf;

use app::export::{Settings, run as export};
use app::plural;
use clap::Args;

use super::documents::Exported;
use super::{Format, output};

/// Write a table as other programs read it.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  curvebook table export tables/digits-lenet csv --out digits.csv
  curvebook table export my-table parquet-wide --out my-table.parquet
  curvebook table export my-table syne-tune --out my-blackbox
  curvebook table export my-table optuna --out journal.log

csv is in long form, a row an epoch with all columns; parquet-wide has a row a training, and of the
metric and of the seconds a column an epoch. syne-tune is a blackbox folder that Syne Tune 0.16
loads, its numbers in 64 bits; optuna is a journal for its JournalStorage, a trial a configuration.
Each comes back by `table import` as it was: csv and parquet-wide with the ranges of their values,
the others with those of the space. Nothing is overwritten.")]
pub(super) struct Arguments {
    /// The table's directory.
    table: PathBuf,
    /// csv, parquet-wide, syne-tune or optuna.
    #[arg(value_name = "FORMAT")]
    of: String,
    /// The new file; of syne-tune, a directory that is new or empty.
    #[arg(long)]
    out: PathBuf,
    /// Of optuna: the training of each configuration that is written [default: its first]
    #[arg(long, value_name = "R")]
    repeat: Option<u16>,
}

pub(super) fn run(arguments: &Arguments, format: Format) -> anyhow::Result<()> {
    let Arguments { table, of, out, repeat } = arguments;
    let settings = Settings::read(table, of, *repeat, out)?;
    let exported = export(&settings)?;
    match format {
        Format::Json => output::print_json(&Exported {
            out: out.display().to_string(),
            format: of,
            configs: exported.configs,
            rows: exported.rows,
            notes: &exported.notes,
        }),
        Format::Text => {
            let rows = usize::try_from(exported.rows).unwrap_or(usize::MAX);
            let mut text = format!(
                "{}: {}, {} written",
                out.display(),
                plural(exported.configs, "configuration"),
                plural(rows, "row"),
            );
            for note in &exported.notes {
                let _ = write!(text, "\n{}", output::one_line(note));
            }
            output::print(&text)
        }
    }
}
