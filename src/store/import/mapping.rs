//! What the columns of a source are.

use base::error::{Error, Result, fault};
use base::space::{Metric, Parameter};

/// A format that is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Comma-separated values with a header, plain or gzip.
    Csv,
    /// A JSON object a line, plain or gzip.
    Jsonl,
    /// Parquet.
    Parquet,
    /// Optuna's journal in JSON lines, or a trial a line.
    Optuna,
    /// The `runhistory.json` of SMAC3 2.x.
    Smac3,
    /// `HpBandSter`'s `results.json` and `configs.json`.
    HpBandSter,
    /// A directory of `DeepCAVE`'s recorder.
    DeepCave,
    /// An event file of `TensorBoard`, or a directory of runs with such files.
    TensorBoard,
    /// `MLflow`'s file store, an experiment in it, or a run.
    MlFlow,
    /// A directory of Ray Tune's trials.
    Ray,
    /// W&B's logs, or exported histories.
    Wandb,
    /// A blackbox folder of Syne Tune.
    SyneTune,
    /// A JSON file of `LCBench`.
    LcBench,
    /// A file of PD1's trainings.
    Pd1,
}

/// The formats by their names.
pub const FORMATS: [(&str, Format); 14] = [
    ("csv", Format::Csv),
    ("jsonl", Format::Jsonl),
    ("parquet", Format::Parquet),
    ("optuna", Format::Optuna),
    ("smac3", Format::Smac3),
    ("hpbandster", Format::HpBandSter),
    ("deepcave", Format::DeepCave),
    ("tensorboard", Format::TensorBoard),
    ("mlflow", Format::MlFlow),
    ("ray", Format::Ray),
    ("wandb", Format::Wandb),
    ("syne-tune", Format::SyneTune),
    ("lcbench", Format::LcBench),
    ("pd1", Format::Pd1),
];

impl Format {
    /// The format's name.
    pub fn word(self) -> &'static str {
        FORMATS.iter().find(|(_, format)| *format == self).map_or("", |(word, _)| word)
    }

    /// Whether it holds evaluations at budgets, each trained anew.
    pub const fn has_budgets(self) -> bool {
        matches!(self, Self::Smac3 | Self::HpBandSter | Self::DeepCave)
    }

    /// Whether a source may hold several tasks.
    pub const fn has_tasks(self) -> bool {
        matches!(self, Self::SyneTune | Self::LcBench | Self::Pd1)
    }

    /// What it improves, and which way, where it says that itself.
    pub const fn metric(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::Smac3 => Some(("cost", "minimize")),
            Self::HpBandSter => Some(("loss", "minimize")),
            Self::LcBench => Some(("Train/val_accuracy", "maximize")),
            Self::Pd1 => Some(("valid/error_rate", "minimize")),
            _ => None,
        }
    }
}

/// Where the seconds of an epoch are.
#[derive(Debug, Clone, PartialEq)]
pub enum Seconds {
    /// In the column of this name; with `{epoch}` in it, in a column an epoch.
    Column(String),
    /// Nowhere: every epoch costs so much.
    Each(f64),
}

/// Where the number of the epoch stands in the name of a wide source's column.
pub(super) const EPOCH: &str = "{epoch}";

/// What the columns of a source are, and what is to be done with them.
#[expect(clippy::struct_excessive_bools, reason = "options that do not depend on each other")]
#[derive(Debug, Clone, PartialEq)]
pub struct Mapping {
    /// The table's name.
    pub name: String,
    /// The metric, by the name that it has in the table.
    pub metric: Metric,
    /// Its column in the source; with `{epoch}` in it, a column an epoch.
    pub metric_column: String,
    /// The column of the configuration's id; without one, a wide source has a configuration a row.
    pub id: Option<String>,
    pub epoch: Option<String>,
    pub repeat: Option<String>,
    /// Which task of a source with several.
    pub task: Option<String>,
    pub seconds: Seconds,
    /// Seconds run on over a curve, and are to be differenced.
    pub is_cumulative: bool,
    /// Time that runs backwards counts as none.
    pub clips_seconds: bool,
    /// Values are percent.
    pub is_percent: bool,
    /// Epochs are numbered in the order of their values: steps of 100, budgets.
    pub ranks_epochs: bool,
    /// Epochs that the source lacks were never run: they are null and cost nothing.
    pub gaps_are_free: bool,
    /// A curve that is shorter than others is complete, and not broken off.
    pub short_is_complete: bool,
    /// Columns that are left out.
    pub drop: Vec<String>,
    /// Epochs of a complete curve, where the longest in the source is not one.
    pub epochs: Option<u16>,
    /// The hyperparameters, where they are not to be found from the values.
    pub parameters: Option<Vec<Parameter>>,
}

/// Splits a column's name at `{epoch}`.
pub(super) fn pattern(name: &str) -> Option<(&str, &str)> {
    name.split_once(EPOCH)
}

/// The epoch in a name, where the name follows a pattern.
pub(super) fn epoch_of(name: &str, (before, after): (&str, &str)) -> Option<f64> {
    let number = name.strip_prefix(before)?.strip_suffix(after)?;
    let is_number = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
    if is_number { number.parse().ok() } else { None }
}

impl Mapping {
    /// A mapping of a metric's column, and of what is called as in a table.
    ///
    /// # Errors
    ///
    /// A name of the metric that a table's other columns have.
    pub fn of(column: &str, metric: Metric) -> Result<Self> {
        let Metric { name, .. } = &metric;
        if ["config_id", "repeat", "epoch", "seconds", ""].contains(&name.as_str()) {
            let rule = "the metric is none of a table's other columns";
            return Err(fault("import", "metric", name, rule, "name the column to improve"));
        }
        Ok(Self {
            name: "imported".into(),
            metric_column: column.into(),
            metric,
            id: None,
            epoch: None,
            repeat: None,
            task: None,
            seconds: Seconds::Column("seconds".into()),
            is_cumulative: false,
            clips_seconds: false,
            is_percent: false,
            ranks_epochs: false,
            gaps_are_free: false,
            short_is_complete: false,
            drop: Vec::new(),
            epochs: None,
            parameters: None,
        })
    }

    /// What a metric is called whose column is `column`: a pattern without its place of the epoch.
    pub fn metric_name(column: &str) -> String {
        let Some((before, after)) = pattern(column) else { return column.into() };
        let is_joint = |c: char| !c.is_alphanumeric();
        let parts = [before, after].map(|part| part.trim_matches(is_joint));
        let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        if parts.is_empty() { "value".into() } else { parts.join("_") }
    }

    pub(super) fn id_column(&self) -> &str {
        self.id.as_deref().unwrap_or("config_id")
    }

    pub(super) fn epoch_column(&self) -> &str {
        self.epoch.as_deref().unwrap_or("epoch")
    }

    pub(super) fn repeat_column(&self) -> &str {
        self.repeat.as_deref().unwrap_or("repeat")
    }

    pub(super) fn records_seconds(&self) -> bool {
        matches!(self.seconds, Seconds::Column(_))
    }

    pub(super) fn is_wide(&self) -> bool {
        pattern(&self.metric_column).is_some()
    }
}

/// The fault of a column that is not in the source.
pub(super) fn no_column(file: &str, name: &str, option: &str, known: &[String]) -> Error {
    let near = base::error::suggest(name, known.iter().map(String::as_str));
    let rule = "the source has no such column";
    fault(file, format!("column {name}"), "missing", rule, format!("{option}: {near}"))
}
