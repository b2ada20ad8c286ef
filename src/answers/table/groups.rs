//! Groups of curves, and bands of quantiles by epoch.

use base::rng::Key;
use base::space::Direction;
use base::stats::quantile::quantile_sorted;
use base::units::{ConfigId, Epoch};
use rayon::prelude::*;

use super::{LookSettings, Table, epoch};

/// The quantiles of a band, and of values, costs and epochs elsewhere in [`super::TableFacts`].
pub const QUANTILES: [f64; 5] = [0.05, 0.25, 0.5, 0.75, 0.95];

/// Which rows a group has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// Every row; its curves are left out, there are too many.
    All,
    /// Drawn without looking, in row order.
    Random,
    /// The best by whole-curve value, the best first.
    Top,
    /// The worst, the worst first: diverged ones, where there are any.
    Bottom,
}

/// A row's curve as it was recorded, in the metric's own direction.
#[derive(Debug, Clone, PartialEq)]
pub struct TableCurve {
    pub row: ConfigId,
    /// Its whole-curve value; NaN where it has none.
    pub whole: f64,
    /// One an epoch; may end early.
    pub values: Vec<f64>,
}

/// Quantiles of the rows that were measured at an epoch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Band {
    pub epoch: Epoch,
    /// Rows measured there, diverged ones counted.
    pub rows: usize,
    /// [`QUANTILES`] of the metric, ascending in it, with a diverged row at its worse end. NaN
    /// where that is a diverged row, and where no row was measured.
    pub quantiles: [f64; 5],
}

/// Some rows and what they look like together.
#[derive(Debug, Clone, PartialEq)]
pub struct CurveGroup {
    pub group: Group,
    pub rows: Vec<ConfigId>,
    /// One a row; none for [`Group::All`].
    pub curves: Vec<TableCurve>,
    /// One an epoch.
    pub bands: Vec<Band>,
}

/// All groups of a table, [`Group::All`] first.
pub(super) fn groups(table: &Table<'_>, settings: &LookSettings) -> Vec<CurveGroup> {
    let count = settings.curves.min(table.rows());
    let bottom = table.order.iter().rev().take(count).copied().collect();
    [
        (Group::All, (0..table.rows()).collect()),
        (Group::Random, random(table.rows(), count, settings.seed)),
        (Group::Top, table.order[..count].to_vec()),
        (Group::Bottom, bottom),
    ]
    .map(|(group, rows): (Group, Vec<usize>)| CurveGroup {
        group,
        bands: bands(table, &rows),
        curves: match group {
            Group::All => Vec::new(),
            _ => rows.iter().map(|row| table.recorded(*row)).collect(),
        },
        rows: rows.into_iter().map(|row| table.id(row)).collect(),
    })
    .into()
}

/// Rows with the least of random numbers of their own, in row order.
fn random(rows: usize, count: usize, seed: u64) -> Vec<usize> {
    let key = Key::new(seed, 0, "table-look");
    let mut drawn: Vec<usize> = (0..rows).collect();
    drawn.sort_by_key(|row| (key.at(*row as u64), *row));
    drawn.truncate(count);
    drawn.sort_unstable();
    drawn
}

fn bands(table: &Table<'_>, rows: &[usize]) -> Vec<Band> {
    let band = |at: usize| {
        // As losses, so that divergence is at the end where a quantile may be infinite.
        let mut losses: Vec<f64> =
            rows.iter().filter_map(|row| table.at(*row, at).ranked()).map(|score| -score).collect();
        losses.sort_by(f64::total_cmp);
        Band { epoch: epoch(at), rows: losses.len(), quantiles: quantiles(table, &losses) }
    };
    (0..table.epochs()).into_par_iter().map(band).collect()
}

/// [`QUANTILES`] of the metric, from ascending losses.
pub(super) fn quantiles(table: &Table<'_>, losses: &[f64]) -> [f64; 5] {
    if losses.is_empty() {
        return [f64::NAN; 5];
    }
    QUANTILES.map(|p| {
        let p = match table.pool.metric().goal {
            Direction::Minimize => p,
            Direction::Maximize => 1.0 - p,
        };
        table.value(-quantile_sorted(losses, p))
    })
}
