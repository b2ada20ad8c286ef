//! The percentile bootstrap of any statistic of one or two samples (Efron, 1979).
//!
//! A resample of `n` runs is how often each of them was drawn: `n` counts that sum to `n`. Samples
//! whose runs pair share the counts, which is what keeps paired repeats paired. A statistic may be
//! known only within bounds: an interval then takes the low bounds at its low end and the high
//! bounds at its high end, so that what is unknown widens it instead of leaving it.

use rand::{Rng, RngExt};

use super::Interval;
use super::quantile::{interpolate, position, quantile, sorted};

/// Enough for the ends of a 95 % interval to move by less than their own width matters.
pub const RESAMPLES: usize = 2_000;

/// How an interval is made.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Plan {
    /// How many resamples, at least 1.
    pub resamples: usize,
    /// The share of resamples inside the interval, in (0, 1): 0.95.
    pub confidence: f64,
}

/// Draws one resample of a sample of `counts.len()` values: how often each of them is in it.
pub fn draw(rng: &mut impl Rng, counts: &mut [u32]) {
    let n = u32::try_from(counts.len()).expect("samples are far below 2^32");
    counts.fill(0);
    for _ in 0..n {
        counts[rng.random_range(0..n) as usize] += 1;
    }
}

/// The interval that holds the share `confidence` of what the resamples gave.
pub fn percentiles(drawn: impl Iterator<Item = Interval>, confidence: f64) -> Interval {
    assert!(confidence > 0.0 && confidence < 1.0, "a confidence is in (0, 1), not {confidence}");
    let (low, high): (Vec<f64>, Vec<f64>) = drawn.map(|s| (s.low, s.high)).unzip();
    let tail = (1.0 - confidence) / 2.0;
    Interval { low: quantile(&low, tail), high: quantile(&high, 1.0 - tail) }
}

/// The sum of `values`, each as often as it was drawn. Four partial sums, added in one order on
/// every machine: a single one would wait for itself at each value.
pub fn weighted_sum(counts: &[u32], values: &[f64]) -> f64 {
    assert_eq!(counts.len(), values.len(), "one count a value");
    let (counts, counts_left) = counts.as_chunks::<4>();
    let (values, values_left) = values.as_chunks::<4>();
    let mut sums = [0.0; 4];
    for (count, value) in counts.iter().zip(values) {
        for lane in 0..4 {
            sums[lane] += f64::from(count[lane]) * value[lane];
        }
    }
    let left: f64 = counts_left.iter().zip(values_left).map(|(c, v)| f64::from(*c) * v).sum();
    (sums[0] + sums[1]) + (sums[2] + sums[3]) + left
}

/// A sample prepared for the quantiles of many resamples: sorted once, so that a resample costs a
/// walk instead of a sort.
#[derive(Debug, Clone)]
pub struct Resampled {
    sorted: Vec<f64>,
    /// The index in the sample of each value of `sorted`.
    order: Vec<u32>,
}

impl Resampled {
    /// Prepares `values`; NaN is refused by assertion.
    pub fn new(values: &[f64]) -> Self {
        let mut order: Vec<u32> = (0..).take(values.len()).collect();
        order.sort_by(|&a, &b| values[a as usize].total_cmp(&values[b as usize]));
        Self { sorted: sorted(values), order }
    }

    /// The `p`-quantile of the values as often as `counts` has them, in the order of the sample, as
    /// [`quantile_sorted`](super::quantile::quantile_sorted) has it. The counts sum to `drawn`, at
    /// least 1.
    pub fn quantile(&self, counts: &[u32], drawn: usize, p: f64) -> f64 {
        let (index, weight) = position(drawn, p);
        let count = |at: usize| counts[self.order[at] as usize] as usize;
        let mut at = 0;
        let mut passed = count(0);
        while passed <= index {
            at += 1;
            passed += count(at);
        }
        let low = self.sorted[at];
        if weight == 0.0 || passed > index + 1 {
            return low;
        }
        let next = (at + 1..self.sorted.len()).find(|&at| count(at) > 0);
        interpolate(low, next.map_or(low, |next| self.sorted[next]), weight)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Stream;
    use crate::stats::golden;

    const PLAN: Plan = Plan { resamples: RESAMPLES, confidence: 0.95 };

    fn interval(
        n: usize,
        plan: Plan,
        seed: u64,
        statistic: impl Fn(&[u32]) -> Interval,
    ) -> Interval {
        let mut rng = Stream::new(seed, 0, "test");
        let mut counts = vec![0; n];
        let drawn = (0..plan.resamples).map(|_| {
            draw(&mut rng, &mut counts);
            statistic(&counts)
        });
        percentiles(drawn, plan.confidence)
    }

    fn median_interval(values: &[f64], plan: Plan, seed: u64) -> Interval {
        let sample = Resampled::new(values);
        interval(values.len(), plan, seed, |counts| {
            Interval::exact(sample.quantile(counts, counts.len(), 0.5))
        })
    }

    #[test]
    fn a_resample_has_the_quantiles_of_its_values() {
        let values = [5.0, 1.0, f64::INFINITY, 1.0, 3.0, 2.5, 9.0];
        let sample = Resampled::new(&values);
        let mut rng = Stream::new(3, 0, "test");
        for n in 1..9_usize {
            for _ in 0..50 {
                let mut counts = [0_u32; 7];
                for _ in 0..n {
                    counts[rng.random_range(0..7_usize)] += 1;
                }
                let taken: Vec<f64> =
                    (0..7).flat_map(|i| vec![values[i]; counts[i] as usize]).collect();
                for p in [0.0, 0.1, 0.25, 0.5, 0.75, 1.0] {
                    let found = sample.quantile(&counts, n, p);
                    assert_eq!(found, quantile(&taken, p), "{taken:?} {p}");
                }
            }
        }
    }

    #[test]
    fn a_weighted_sum_is_the_sum_of_what_was_drawn() {
        for n in 1..12_u32 {
            let counts: Vec<u32> = (0..n).map(|i| (i * 7) % 5).collect();
            let values: Vec<f64> = (0..n).map(|i| f64::from(i * i) + 0.5).collect();
            let expected: f64 = counts.iter().zip(&values).map(|(c, v)| f64::from(*c) * v).sum();
            assert_eq!(weighted_sum(&counts, &values), expected);
        }
    }

    #[test]
    fn the_interval_of_a_median_approaches_its_exact_bootstrap_distribution() {
        // With odd n the bootstrap median is an order statistic, whose distribution is binomial:
        // the golden script sums it exactly. The 40,000 resamples fix the end's rank to about one
        // in a thousand; the script keeps only ends whose probabilities are further from it.
        for case in golden::cases("bootstrap_median") {
            let values = golden::numbers(&case["values"]);
            let found = median_interval(&values, Plan { resamples: 40_000, ..PLAN }, 1);
            assert_eq!(found.low, golden::number(&case["low"]));
            assert_eq!(found.high, golden::number(&case["high"]));
        }
    }

    #[test]
    fn the_interval_of_a_mean_is_scipys_within_its_own_noise() {
        // scipy.stats.bootstrap(method="percentile") with 40,000 resamples of its own.
        for case in golden::cases("bootstrap_mean") {
            let values = golden::numbers(&case["values"]);
            let plan = Plan { resamples: 40_000, ..PLAN };
            #[expect(clippy::cast_precision_loss, reason = "a small sample")]
            let n = values.len() as f64;
            let found = interval(values.len(), plan, 1, |counts| {
                Interval::exact(weighted_sum(counts, &values) / n)
            });
            let (low, high) = (golden::number(&case["low"]), golden::number(&case["high"]));
            // Both ends have a standard error of about 0.6 % of the width here.
            let slack = 0.025 * (high - low);
            assert!((found.low - low).abs() < slack, "{found:?} {low} {high}");
            assert!((found.high - high).abs() < slack, "{found:?} {low} {high}");
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_interval_and_another_seed_another() {
        let values: Vec<f64> = (0..40).map(|i| f64::from(i * i)).collect();
        assert_eq!(median_interval(&values, PLAN, 7), median_interval(&values, PLAN, 7));
        let small = Plan { resamples: 21, ..PLAN };
        assert_ne!(median_interval(&values, small, 7), median_interval(&values, small, 8));
    }

    #[test]
    fn resamples_are_as_large_as_the_sample_and_unknowns_widen() {
        let found = interval(30, PLAN, 0, |counts| {
            assert!(counts.len() == 30 && counts.iter().sum::<u32>() == 30);
            Interval { low: 1.0, high: f64::INFINITY }
        });
        assert_eq!(found, Interval { low: 1.0, high: f64::INFINITY });
    }
}
