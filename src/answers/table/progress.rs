//! How curves come to their best: dips on the way, and how long it takes.

use base::stats::quantile::quantile_sorted;
use base::units::Epoch;

use super::groups::QUANTILES;
use super::{Table, share};

/// Depths that dips are counted for, in the metric's unit.
pub const DIPS: [f64; 4] = [0.01, 0.02, 0.05, 0.1];

/// Curves that fall behind their own best.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Dips {
    /// By more than this, in the metric's unit.
    pub by: f64,
    pub curves: usize,
    /// The same of the curves that were looked at.
    pub share: f64,
}

/// How curves come to their best. A curve with a finite epoch counts; its epochs that diverged or
/// were not measured are passed over.
#[derive(Debug, Clone, PartialEq)]
pub struct Progress {
    /// Curves that were looked at.
    pub curves: usize,
    /// For each of [`DIPS`]: curves that some epoch has below their best before it by more.
    pub dips: Vec<Dips>,
    /// [`QUANTILES`] of each curve's deepest dip, 0 where it never falls; NaN without a curve.
    pub deepest: [f64; 5],
    /// How near its best a curve counts as there, in the metric's unit.
    pub near: f64,
    /// How many curves are first that near their best at each epoch, from 1.
    pub near_from: Vec<usize>,
    /// [`QUANTILES`] of that epoch; NaN without a curve.
    pub near_epochs: [f64; 5],
    /// The median of it; `None` without a curve.
    pub near_median: Option<Epoch>,
}

pub(super) fn progress(table: &Table<'_>, near: f64) -> Progress {
    let (mut deepest, mut firsts) = (Vec::new(), Vec::new());
    let mut near_from = vec![0; table.epochs()];
    for curve in &table.curves {
        let numbers = curve.iter().enumerate().filter_map(|(at, seen)| Some((at, seen.number()?)));
        let (mut best, mut dip) = (f64::NEG_INFINITY, 0.0_f64);
        for (_, score) in numbers.clone() {
            best = best.max(score);
            dip = dip.max(best - score);
        }
        let there = |(_, score): &(usize, f64)| *score >= best - near;
        let Some((first, _)) = numbers.clone().find(there) else { continue };
        deepest.push(dip);
        firsts.push(first);
        near_from[first] += 1;
    }
    deepest.sort_by(f64::total_cmp);
    firsts.sort_unstable();
    let curves = deepest.len();
    let dips = DIPS.map(|by| {
        let deeper = curves - deepest.partition_point(|dip| *dip <= by);
        Dips { by, curves: deeper, share: if curves == 0 { 0.0 } else { share(deeper, curves) } }
    });
    #[expect(clippy::cast_precision_loss, reason = "epochs are 16 bits")]
    let epochs: Vec<f64> = firsts.iter().map(|first| *first as f64 + 1.0).collect();
    let quantiles = |sorted: &[f64]| match sorted {
        [] => [f64::NAN; 5],
        _ => QUANTILES.map(|p| quantile_sorted(sorted, p)),
    };
    Progress {
        curves,
        dips: dips.into(),
        deepest: quantiles(&deepest),
        near,
        near_from,
        near_epochs: quantiles(&epochs),
        // The lower one of two in the middle, which is an epoch.
        near_median: firsts.get(curves.saturating_sub(1) / 2).map(|first| super::epoch(*first)),
    }
}
