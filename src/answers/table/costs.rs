//! What whole curves cost.

use base::stats::quantile::quantile_sorted;
use base::units::ConfigId;
use replay::Pool;

use super::groups::QUANTILES;
use super::values::counts;

/// Seconds of each row's whole curve, without what it takes to set it up.
#[derive(Debug, Clone, PartialEq)]
pub struct Costs {
    /// [`QUANTILES`] of all rows.
    pub quantiles: [f64; 5],
    pub total_seconds: f64,
    /// Rows that cost nothing, which no logarithm can show.
    pub free: usize,
    /// Ends of bins of equal ratio from the least to the greatest cost above 0, one more than bins;
    /// both ends may be equal, and there is no bin where nothing costs anything.
    pub edges: Vec<f64>,
    /// Rows of each bin; a bin has its lower end, the last one both.
    pub counts: Vec<usize>,
}

#[expect(clippy::cast_precision_loss, reason = "half a nanosecond in 2^53 of them")]
pub(super) fn costs(pool: &Pool, bins: usize) -> Costs {
    let whole = |row| pool.cumulative_ns(ConfigId(row)).last().copied().unwrap_or(0);
    let mut ns: Vec<u64> = (0..pool.rows()).map(whole).collect();
    ns.sort_unstable();
    let seconds: Vec<f64> = ns.iter().map(|ns| *ns as f64 / 1e9).collect();
    let free = ns.partition_point(|ns| *ns == 0);
    let paid = &seconds[free..];
    let edges = match paid {
        [] => Vec::new(),
        [least, .., most] if least < most => even_ratios(*least, *most, bins),
        [least, ..] => vec![*least; 2],
    };
    Costs {
        quantiles: if seconds.is_empty() {
            [f64::NAN; 5]
        } else {
            QUANTILES.map(|p| quantile_sorted(&seconds, p))
        },
        // The sum of all nanoseconds is below 2^62, checked by the pool.
        total_seconds: ns.iter().sum::<u64>() as f64 / 1e9,
        free,
        counts: counts(&edges, paid),
        edges,
    }
}

#[expect(clippy::cast_precision_loss, reason = "few bins")]
fn even_ratios(least: f64, most: f64, bins: usize) -> Vec<f64> {
    let bins = bins.max(1);
    let logarithm = libm::log(most / least);
    let edge = |at: usize| least * libm::exp(logarithm * (at as f64 / bins as f64));
    [least].into_iter().chain((1..bins).map(edge)).chain([most]).collect()
}
