//! How whole-curve values are distributed.

use replay::falls_below;

use super::groups::quantiles;
use super::{LookSettings, Seen, Table};

/// Rows of which no epoch is above chance by more than a margin.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NeverAbove {
    /// In the metric's unit; a value that is above chance by just as much is above, within the
    /// slack of every rule.
    pub margin: f64,
    /// How many; diverged and unmeasured epochs are not above.
    pub rows: usize,
    /// The same of all rows.
    pub share: f64,
}

/// Whole-curve values of all rows, in the metric's own direction.
#[derive(Debug, Clone, PartialEq)]
pub struct Values {
    /// Finite ones, ascending.
    pub sorted: Vec<f64>,
    /// [`super::QUANTILES`], with rows that have no finite value at the metric's worse end; NaN
    /// where that is one of them.
    pub quantiles: [f64; 5],
    /// Ends of equal bins from the least to the greatest finite value, one more than bins; both
    /// ends may be equal, and there is no bin where no value is finite.
    pub edges: Vec<f64>,
    /// Rows of each bin; a bin has its lower end, the last one both.
    pub counts: Vec<usize>,
    /// Rows without a finite whole-curve value.
    pub without_value: usize,
    /// Rows whose training diverged at some epoch, those with a finite value counted too.
    pub diverged: usize,
    /// The same of all rows.
    pub diverged_share: f64,
    pub chance: Option<f64>,
    /// The best whole-curve value.
    pub best: Option<f64>,
    /// For no margin, and for that of the settings; empty where no chance level is known. Without a
    /// margin a row at chance itself is not above it.
    pub never_above: Vec<NeverAbove>,
}

pub(super) fn values(table: &Table<'_>, settings: &LookSettings) -> Values {
    let finite = table.whole.iter().filter(|score| score.is_finite());
    let mut sorted: Vec<f64> = finite.map(|score| table.value(*score)).collect();
    sorted.sort_by(f64::total_cmp);
    let losses: Vec<f64> = table.order.iter().map(|row| -table.whole[*row]).collect();
    let edges = match sorted[..] {
        [] => Vec::new(),
        [least, .., most] if least < most => even(least, most, settings.bins),
        [least, ..] => vec![least, least],
    };
    let diverged = table.curves.iter().filter(|curve| curve.contains(&Seen::Diverged)).count();
    let best = table.order.first().map(|row| table.whole[*row]).filter(|score| score.is_finite());
    Values {
        quantiles: quantiles(table, &losses),
        counts: counts(&edges, &sorted),
        edges,
        without_value: table.rows() - sorted.len(),
        sorted,
        diverged,
        diverged_share: super::share(diverged, table.rows()),
        chance: table.pool.metric().chance,
        best: best.map(|score| table.value(score)),
        never_above: never_above(table, settings.chance_margin),
    }
}

fn never_above(table: &Table<'_>, margin: f64) -> Vec<NeverAbove> {
    let Some(chance) = table.pool.chance() else { return Vec::new() };
    let never = |is_above: &dyn Fn(f64) -> bool, margin: f64| {
        let stays = |curve: &&Vec<Seen>| !curve.iter().filter_map(|s| s.number()).any(is_above);
        let rows = table.curves.iter().filter(stays).count();
        NeverAbove { margin, rows, share: super::share(rows, table.rows()) }
    };
    vec![
        never(&|score| falls_below(chance, score), 0.0),
        never(&|score| !falls_below(score, chance + margin), margin),
    ]
}

/// Ends of equal bins.
#[expect(clippy::cast_precision_loss, reason = "few bins")]
fn even(least: f64, most: f64, bins: usize) -> Vec<f64> {
    let bins = bins.max(1);
    // The difference of two numbers may be too large for one.
    let edge = |share: f64| least * (1.0 - share) + most * share;
    let edge = |at: usize| edge(at as f64 / bins as f64);
    (0..bins).map(edge).chain([most]).collect()
}

/// How many of ascending values each bin has.
pub(super) fn counts(edges: &[f64], sorted: &[f64]) -> Vec<usize> {
    let before = |edge: f64| sorted.partition_point(|value| *value < edge);
    let bins = edges.len().saturating_sub(1);
    let end = |bin: usize| if bin + 1 == bins { sorted.len() } else { before(edges[bin + 1]) };
    (0..bins).map(|bin| end(bin) - before(edges[bin])).collect()
}
