//! `table info`: a table at a glance.

#![expect(clippy::cast_precision_loss, reason = "counts and nanoseconds are shown, not compared")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use arrow::datatypes::FieldRef;
use base::error::{Result, io};
use base::measured::is_measured;
use base::space::{Direction, Metric, raw};
use base::stats::quantile;
use base::units::ConfigId;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value as Json;

use super::costs::{self, CostCorrelation};
use super::doubts::Doubt;
use super::layout::Layout;
use super::parquet_file::ParquetFile;
use super::reader::{LoadOptions, Table};
use super::record::Status;
use super::{CONFIGS_FILE, CURVES_FILE, MANIFEST_FILE, SECONDS_COLUMN, growth};
use crate::columns::ColumnSpec;

/// A table at a glance. Values are the metric's, in its own direction.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Info {
    /// The table's name.
    pub name: String,
    /// What its curves measure.
    pub metric: Metric,
    /// Epochs of a complete curve, at most.
    pub epochs: u16,
    /// Trainings of a configuration, at most.
    pub repeats: u16,
    /// Rows of `configs.parquet`.
    pub configs: usize,
    /// Given for a shard, which does not replay.
    pub first_config: Option<u32>,
    /// Rows of `curves.parquet`.
    pub recorded_epochs: usize,
    /// Configurations of each status that occurs.
    pub statuses: BTreeMap<&'static str, usize>,
    /// Diverged configurations / all.
    pub diverged_share: f64,
    /// The best value of any epoch of a configuration's first repeat.
    pub best_value: Option<f64>,
    /// Whose it is.
    pub best_config: Option<u32>,
    /// Of each configuration's last measured value, over its first repeat. What diverged does not
    /// count, nor in the next two.
    pub last_values: Option<Quantiles>,
    /// The same of its best value.
    pub best_values: Option<Quantiles>,
    /// The same of what its epochs cost together.
    pub seconds_per_config: Option<Quantiles>,
    /// How far seconds and the columns that are known as costs (floating-point operations, a
    /// configuration's share of a cohort's seconds) put the configurations into the same order.
    pub cost_correlations: Vec<CostCorrelation>,
    /// What everything recorded cost, set-up included.
    pub total_seconds: f64,
    /// Bytes of the table's three files.
    pub bytes_on_disk: u64,
    /// Bytes of `curves.parquet` / recorded epochs.
    pub bytes_per_epoch: Option<f64>,
    /// The space's name.
    pub space: String,
    /// The hyperparameters, as in `table.json`.
    pub parameters: Vec<Json>,
    /// The columns of `configs.parquet`.
    pub config_columns: Vec<ColumnInfo>,
    /// The columns of `curves.parquet`.
    pub curve_columns: Vec<ColumnInfo>,
    /// How the table was made, as in `table.json`; null where it does not say.
    pub provenance: Option<Json>,
    /// Signs that its numbers are not what a replay takes them for.
    pub warnings: Vec<Doubt>,
}

/// A column as it is typed in its file, with what is known of its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ColumnInfo {
    /// Its name.
    pub name: String,
    /// The type of its values.
    #[serde(rename = "type")]
    pub kind: String,
    /// What it holds, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub doc: Option<String>,
}

/// Order statistics, interpolated linearly between neighbours (type 7 of Hyndman and Fan 1996).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
pub struct Quantiles {
    /// The least.
    pub min: f64,
    /// The first quartile.
    pub q25: f64,
    /// The median.
    pub median: f64,
    /// The third quartile.
    pub q75: f64,
    /// The greatest.
    pub max: f64,
}

impl Quantiles {
    /// Of all numbers that are not NaN; none if there are none.
    pub fn of(numbers: impl IntoIterator<Item = f64>) -> Option<Self> {
        let numbers: Vec<f64> = numbers.into_iter().filter(|v| !v.is_nan()).collect();
        let sorted = quantile::sorted(&numbers);
        let last = sorted.len().checked_sub(1)?;
        let at = |p: f64| quantile::quantile_sorted(&sorted, p);
        Some(Self {
            min: sorted[0],
            q25: at(0.25),
            median: at(0.5),
            q75: at(0.75),
            max: sorted[last],
        })
    }
}

/// Reads a table or a shard and sums it up. `known` says what columns of some names hold, `cost`
/// which column is the cost of an epoch (`seconds` if `None`).
///
/// # Errors
///
/// A table that does not load.
pub fn info(dir: &Path, known: &Layout, cost: Option<&str>) -> Result<Info> {
    let dir = &growth::home(dir);
    let cost_column = cost.map(str::to_string);
    let options = LoadOptions { cost_column, allow_shard: true, ..LoadOptions::default() };
    let table = Table::load(dir, &options)?;
    let ids: Vec<ConfigId> = table.manifest.ids().map(ConfigId).collect();
    let goal = table.manifest.metric.goal;
    let curves = || ids.iter().filter_map(|&id| Some((id, table.first_curve(id)?)));
    let bests: Vec<(f64, ConfigId)> =
        curves().filter_map(|(id, c)| Some((best(c.values, goal)?, id))).collect();
    // The first of equals wins.
    let top = bests.iter().copied().reduce(|a, b| if better(b.0, a.0, goal) { b } else { a });
    let config_seconds = curves().map(|(id, c)| {
        let epochs_ns: u64 = c.cost_ns.iter().sum();
        (epochs_ns as f64 + table.setup_ns(id) as f64) / 1e9
    });
    let mut statuses = BTreeMap::new();
    for status in &table.status {
        *statuses.entry(status.word()).or_insert(0) += 1;
    }
    let diverged = statuses.get(Status::Diverged.word()).copied().unwrap_or(0);
    let curves_bytes = size(dir, CURVES_FILE)?;
    let epochs = table.recorded_epochs();
    Ok(Info {
        epochs: table.epochs(),
        repeats: table.manifest.repeats,
        configs: table.rows(),
        first_config: table.manifest.first_config,
        recorded_epochs: epochs,
        diverged_share: diverged as f64 / table.rows() as f64,
        statuses,
        best_value: top.map(|(value, _)| value),
        best_config: top.map(|(_, id)| id.0),
        last_values: Quantiles::of(curves().filter_map(|(_, c)| last_measured(c.values))),
        best_values: Quantiles::of(bests.iter().map(|(value, _)| *value)),
        seconds_per_config: Quantiles::of(config_seconds),
        cost_correlations: costs::correlations(dir, &table, known, cost.unwrap_or(SECONDS_COLUMN))?,
        total_seconds: total_seconds(&table, &ids),
        bytes_on_disk: curves_bytes + size(dir, CONFIGS_FILE)? + size(dir, MANIFEST_FILE)?,
        bytes_per_epoch: (epochs > 0).then(|| curves_bytes as f64 / epochs as f64),
        config_columns: columns(&dir.join(CONFIGS_FILE), |name| known.config_column(name))?,
        curve_columns: columns(&dir.join(CURVES_FILE), |name| known.curve_column(name))?,
        space: table.manifest.space.name.clone(),
        parameters: table.manifest.space.parameters.iter().map(raw::write).collect(),
        warnings: table.doubts(known.maker),
        name: table.manifest.name,
        metric: table.manifest.metric,
        provenance: table.manifest.provenance,
    })
}

fn total_seconds(table: &Table, ids: &[ConfigId]) -> f64 {
    let of_config = |id: ConfigId| {
        let repeats = table.repeats(id).filter_map(|repeat| table.curve(id, repeat));
        let epochs: u128 = repeats.flat_map(|c| c.cost_ns).map(|&ns| u128::from(ns)).sum();
        epochs + u128::from(table.setup_ns(id))
    };
    ids.iter().map(|&id| of_config(id)).sum::<u128>() as f64 / 1e9
}

fn better(a: f64, b: f64, goal: Direction) -> bool {
    match goal {
        Direction::Maximize => a > b,
        Direction::Minimize => a < b,
    }
}

/// The last value that was measured; NaN where training had diverged.
fn last_measured(values: &[f64]) -> Option<f64> {
    values.iter().copied().rfind(|value| is_measured(*value))
}

/// The best value that is not NaN.
fn best(values: &[f64], goal: Direction) -> Option<f64> {
    let numbers = values.iter().copied().filter(|v| !v.is_nan());
    numbers.reduce(|a, b| if better(b, a, goal) { b } else { a })
}

fn columns<'a>(
    path: &Path,
    known: impl Fn(&str) -> Option<&'a ColumnSpec>,
) -> Result<Vec<ColumnInfo>> {
    let file = ParquetFile::open(path)?;
    let column = |field: &FieldRef| ColumnInfo {
        name: field.name().clone(),
        kind: field.data_type().to_string(),
        doc: known(field.name()).map(|column| column.doc.to_string()),
    };
    Ok(file.schema().fields().iter().map(column).collect())
}

fn size(dir: &Path, name: &str) -> Result<u64> {
    let path = dir.join(name);
    Ok(fs::metadata(&path).map_err(|e| io(&path, "reading", e))?.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_interpolate_and_leave_nan_out() {
        let q = Quantiles::of([4.0, f64::NAN, 1.0, 2.0, 3.0]).unwrap();
        // numpy.quantile([1, 2, 3, 4], [0, .25, .5, .75, 1])
        let known = Quantiles { min: 1.0, q25: 1.75, median: 2.5, q75: 3.25, max: 4.0 };
        assert_eq!(q, known);
        assert_eq!(Quantiles::of([f64::NAN]), None);
    }
}
