//! Numbers that censored runs leave known within bounds only.

use base::stats::Interval;
use base::stats::quantile::{quantile_sorted, sorted};

use super::runs::Columns;

/// One number a run: all their low bounds, and all their high ones where some differ.
#[derive(Debug, Clone)]
pub(super) struct Bounded {
    pub low: Vec<f64>,
    high: Option<Vec<f64>>,
}

impl Bounded {
    /// Something that happened at `value(row)`, NaN where it has not by `watched(row)`.
    pub(super) fn new(
        runs: &Columns<'_>,
        value: impl Fn(usize) -> f64,
        watched: impl Fn(usize) -> f64,
    ) -> Self {
        let bounds = |row| runs.bounds(row, value(row), watched(row));
        let low = (0..runs.len()).map(|row| bounds(row).low).collect();
        let any_cut = (0..runs.len()).any(|row| runs.is_censored(row));
        let high = any_cut.then(|| (0..runs.len()).map(|row| bounds(row).high).collect());
        Self { low, high }
    }

    /// Times to the goal.
    pub(super) fn times(runs: &Columns<'_>) -> Self {
        Self::new(runs, |row| runs.time_to_goal_s[row], |row| runs.end_s[row])
    }

    pub(super) fn high(&self) -> &[f64] {
        self.high.as_ref().unwrap_or(&self.low)
    }

    pub(super) fn at(&self, row: usize) -> Interval {
        Interval { low: self.low[row], high: self.high()[row] }
    }

    /// Whether every number is known exactly.
    pub(super) fn is_exact(&self) -> bool {
        self.high.is_none()
    }

    /// The quantiles at `p`, each within its bounds.
    pub(super) fn quantiles<const N: usize>(&self, p: [f64; N]) -> [Interval; N] {
        let low = sorted(&self.low);
        let high = self.high.as_ref().map(|high| sorted(high));
        let high = high.as_ref().unwrap_or(&low);
        p.map(|p| Interval { low: quantile_sorted(&low, p), high: quantile_sorted(high, p) })
    }

    pub(super) fn median(&self) -> Interval {
        self.quantiles([0.5])[0]
    }
}
