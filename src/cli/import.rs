//! `curvebook table import`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use app::import::{Outcome, Settings, run as import};
use app::plural;
use clap::Args;
use serde_json::{Map, Value as Json, json};

use super::documents::Imported;
use super::{Format, output, progress};

/// Make a table of what another program recorded.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  curvebook table import csv curves.csv --metric val_acc --goal maximize --id run --out my-table
  curvebook table import csv wide.csv --metric \"acc_{epoch}\" --goal maximize --percent \\
      --seconds-each 12 --out my-table
  curvebook table import jsonl history.jsonl --metric loss --goal minimize --id run \\
      --epoch _step --seconds _runtime --cumulative-seconds --out my-table
  curvebook table import parquet curves.parquet --mapping mapping.toml --out my-table
  curvebook table import optuna journal.log --goal maximize --out my-table
  curvebook table import smac3 runhistory.json --out my-table
  curvebook table import deepcave logs/run_1 --metric accuracy --goal maximize --out my-table
  curvebook table import tensorboard logs --metric validation/epoch_accuracy --goal maximize \\
      --out my-table
  curvebook table import mlflow mlruns --metric val_acc --goal maximize --out my-table
  curvebook table import ray ~/ray_results/tune --metric acc --goal maximize --out my-table
  curvebook table import wandb wandb --metric val.acc --goal maximize --out my-table
  curvebook table import syne-tune my-blackbox --task first --goal minimize --out my-table
  curvebook table import lcbench data_2k_lw.json --task adult --percent --out my-table
  curvebook table import pd1 pd1_matched_phase1_results.jsonl.gz --task \\
      imagenet_resnet50_batch_size_512 --out my-table

In long form a row is an epoch of a configuration; in wide form, with {epoch} in the metric's
name, a row is a configuration. In a JSON line, the metric may be a list: a whole curve. Other
columns are hyperparameters where they are the same in all rows of a configuration, and further
columns of curves where they are numbers and are not. A mapping is a TOML file with the names of
the options, `_` for `-`, and [[parameter]] as in a space file where the ranges shall not be
those of the values. Optuna's pruned trials are truncated, and a trial's run time is shared out
over its steps; smac3, hpbandster and deepcave evaluate at budgets, which are the epochs, each with
the seconds of its own evaluation. Of tensorboard, mlflow, ray and wandb the metric is a series of
a run: its steps are the epochs (--epoch names a series instead), its moments give the seconds, and
what else was said at its steps are further columns; --repeat names the setting (a seed) in which
repeats of a configuration differ. What was done with the source is printed, and stands in
table.json.")]
pub(super) struct Arguments {
    /// csv, jsonl, parquet, optuna, smac3, hpbandster, deepcave, tensorboard, mlflow, ray,
    /// wandb, syne-tune, lcbench or pd1; text may be packed by gzip.
    #[arg(value_name = "FORMAT")]
    of: String,
    /// The file; of deepcave, hpbandster and those that track runs, the directory.
    source: PathBuf,
    /// The directory of the new table; it must be new or empty.
    #[arg(long)]
    out: PathBuf,
    #[command(flatten)]
    mapping: Mapped,
}

/// What is what in the source.
#[expect(clippy::struct_excessive_bools, reason = "flags of a command line")]
#[derive(Debug, Args)]
pub(super) struct Mapped {
    /// A TOML file that says what the options say; they come first.
    #[arg(long, value_name = "FILE")]
    mapping: Option<PathBuf>,
    /// The column to improve; with {epoch} in it, a column an epoch.
    #[arg(long, value_name = "COLUMN")]
    metric: Option<String>,
    /// What the table calls the metric [default: its column]
    #[arg(long, value_name = "NAME")]
    metric_name: Option<String>,
    /// maximize or minimize.
    #[arg(long)]
    goal: Option<String>,
    /// The metric of guessing.
    #[arg(long, allow_negative_numbers = true)]
    chance: Option<f64>,
    /// The table's name [default: the file's]
    #[arg(long)]
    name: Option<String>,
    /// The column of the configuration's id [default: `config_id`]
    #[arg(long, value_name = "COLUMN")]
    id: Option<String>,
    /// The column of the epoch, from 0 or 1 [default: epoch]
    #[arg(long, value_name = "COLUMN")]
    epoch: Option<String>,
    /// The column of the repeat, or of the seed [default: repeat, if there is one]
    #[arg(long, value_name = "COLUMN")]
    repeat: Option<String>,
    /// The task, where the source holds several.
    #[arg(long, value_name = "NAME")]
    task: Option<String>,
    /// The column of an epoch's seconds; with {epoch} in it, a column an epoch [default: seconds]
    #[arg(long, value_name = "COLUMN")]
    seconds: Option<String>,
    /// What every epoch costs, where no seconds were recorded.
    #[arg(long, value_name = "S")]
    seconds_each: Option<f64>,
    /// Seconds run on over a curve, from 0: difference them.
    #[arg(long)]
    cumulative_seconds: bool,
    /// Count time that runs backwards, or is negative, as none.
    #[arg(long)]
    clip_seconds: bool,
    /// The metric is in percent: make shares of it.
    #[arg(long)]
    percent: bool,
    /// Number epochs in the order of their values: steps of 100, budgets.
    #[arg(long)]
    rank_epochs: bool,
    /// A curve that is shorter than others is complete, and not broken off.
    #[arg(long)]
    short_complete: bool,
    /// Epochs of a complete curve [default: those of the longest]
    #[arg(long, value_name = "N")]
    epochs: Option<u16>,
    /// A column to leave out; may be given several times.
    #[arg(long, value_name = "COLUMN")]
    drop: Vec<String>,
}

impl Mapped {
    /// What to import, checked.
    pub(super) fn settings(&self, of: &str, source: &Path, out: &Path) -> anyhow::Result<Settings> {
        Ok(Settings::read(of, source, out, self.mapping.as_deref(), self.given())?)
    }

    /// Whether anything was said.
    pub(super) fn is_given(&self) -> bool {
        self.mapping.is_some() || !self.given().is_empty()
    }

    /// The fields of a mapping that were given.
    fn given(&self) -> Map<String, Json> {
        let texts = [
            ("metric", &self.metric),
            ("metric_name", &self.metric_name),
            ("goal", &self.goal),
            ("name", &self.name),
            ("id", &self.id),
            ("epoch", &self.epoch),
            ("repeat", &self.repeat),
            ("task", &self.task),
            ("seconds", &self.seconds),
        ];
        let numbers = [("chance", self.chance), ("seconds_each", self.seconds_each)];
        let truths = [
            ("cumulative_seconds", self.cumulative_seconds),
            ("clip_seconds", self.clip_seconds),
            ("percent", self.percent),
            ("rank_epochs", self.rank_epochs),
            ("short_complete", self.short_complete),
        ];
        let texts =
            texts.into_iter().filter_map(|(name, text)| Some((name, json!(text.as_ref()?))));
        let numbers = numbers.into_iter().filter_map(|(name, number)| Some((name, json!(number?))));
        let truths =
            truths.into_iter().filter(|(_, said)| *said).map(|(name, _)| (name, json!(true)));
        let epochs = self.epochs.map(|epochs| ("epochs", json!(epochs)));
        let drop = (!self.drop.is_empty()).then(|| ("drop", json!(self.drop)));
        let all = texts.chain(numbers).chain(truths).chain(epochs).chain(drop);
        all.map(|(name, value)| (name.to_string(), value)).collect()
    }
}

pub(super) fn run(arguments: &Arguments, format: Format) -> anyhow::Result<()> {
    let Arguments { of, source, out, mapping } = arguments;
    let settings = mapping.settings(of, source, out)?;
    let outcome = import(&settings, &progress::Words)?;
    match format {
        Format::Text => output::print(&describe(&out.display().to_string(), &outcome)),
        Format::Json => output::print_json(&Imported {
            table: out.display().to_string(),
            configs: outcome.imported.configs,
            epochs: outcome.imported.epochs,
            repeats: outcome.imported.repeats,
            recorded_epochs: outcome.imported.recorded_epochs,
            rows_read: outcome.imported.rows_read,
            rows_kept: outcome.imported.rows_kept,
            statuses: outcome.statuses,
            parameters: outcome.imported.parameters.into_iter().collect(),
            quirks: outcome.imported.quirks,
            warnings: outcome.doubts,
        }),
    }
}

fn describe(table: &str, outcome: &Outcome) -> String {
    let Outcome { imported, doubts, statuses } = outcome;
    let statuses: Vec<String> =
        statuses.iter().map(|(status, count)| format!("{count} {status}")).collect();
    let count = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    let mut text = format!(
        "{table}: {} x {} x {} ({}); {} of {} kept",
        plural(imported.configs as usize, "configuration"),
        plural(imported.epochs, "epoch"),
        plural(imported.repeats, "repeat"),
        statuses.join(", "),
        imported.rows_kept,
        plural(count(imported.rows_read), "row"),
    );
    for (name, range) in &imported.parameters {
        let _ = write!(
            text,
            "\nhyperparameter {}: {}",
            output::one_line(name),
            output::one_line(range)
        );
    }
    for quirk in &imported.quirks {
        let _ = write!(text, "\n{}", output::one_line(&quirk.to_string()));
    }
    for doubt in doubts {
        let _ = write!(text, "\nwarning: {}", output::one_line(doubt));
    }
    text
}
