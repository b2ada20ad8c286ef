//! What configurations cost, measured in several ways, and how far the ways agree.

#![expect(clippy::cast_precision_loss, reason = "nanoseconds are ranked; epochs are few")]

use std::path::Path;

use base::error::Result;
use base::stats::spearman::spearman;
use base::units::ConfigId;
use schemars::JsonSchema;
use serde::Serialize;

use super::CONFIGS_FILE;
use super::config_cells::config_numbers;
use super::layout::Layout;
use super::parquet_file::{Kind, ParquetFile};
use super::reader::Table;
use crate::columns::Role;

/// How far two costs put the configurations into the same order.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct CostCorrelation {
    /// The column of the first cost; `seconds`: its mean over the epochs of the first repeat.
    pub a: String,
    /// The column of the second.
    pub b: String,
    /// Spearman's rank correlation, equal costs sharing the mean of their ranks; none under 3
    /// configurations, or where all have the same cost.
    pub spearman: Option<f64>,
    /// Configurations of which both costs are known: neither missing nor NaN.
    pub configs: usize,
}

/// The correlations of all pairs of costs that a table has: that of its epochs, as it was loaded
/// from the column `of_epochs`, and the columns of
/// `configs.parquet` that are known as costs, in the order in which they are known.
pub(super) fn correlations(
    dir: &Path,
    table: &Table,
    known: &Layout,
    of_epochs: &str,
) -> Result<Vec<CostCorrelation>> {
    let mut costs = vec![(of_epochs, mean_seconds(table))];
    let file = ParquetFile::open(&dir.join(CONFIGS_FILE))?;
    for column in known.configs.iter().filter(|column| column.role == Role::Cost) {
        let column = &*column.name;
        // Another program may use the name for something else; `table check` says so.
        if file.require(column, Kind::Numbers).is_ok() {
            costs.push((column, config_numbers(&file, table, column, f64::NAN)?));
        }
    }
    let mut found = Vec::new();
    for (nth, (a, of_a)) in costs.iter().enumerate() {
        for (b, of_b) in &costs[nth + 1..] {
            let both = of_a.iter().copied().zip(of_b.iter().copied());
            let known: Vec<(f64, f64)> = both.filter(|(a, b)| !a.is_nan() && !b.is_nan()).collect();
            let (a, b) = (a.to_string(), b.to_string());
            found.push(CostCorrelation { a, b, spearman: spearman(&known), configs: known.len() });
        }
    }
    Ok(found)
}

/// Mean seconds of the epochs of the first repeat, by position; NaN where none was recorded.
fn mean_seconds(table: &Table) -> Vec<f64> {
    let mean = |id| {
        let epochs = table.first_curve(id).map_or(&[][..], |curve| curve.cost_ns);
        epochs.iter().sum::<u64>() as f64 / 1e9 / epochs.len() as f64
    };
    table.manifest.ids().map(ConfigId).map(mean).collect()
}
