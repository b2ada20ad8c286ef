//! The percentile bootstrap of any statistic of one or two samples (Efron, 1979).
//!
//! A statistic is a function of *indices* into the samples, drawn with replacement, and may be
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

/// The interval of a statistic of one sample of `n` values, or of `n` pairs: one index then takes
/// both members, which is what keeps paired repeats paired.
///
/// `None` where `n < 2`: one value says nothing of its spread.
pub fn one_sample(
    n: usize,
    plan: Plan,
    rng: &mut impl Rng,
    mut statistic: impl FnMut(&[u32]) -> Interval,
) -> Option<Interval> {
    if n < 2 {
        return None;
    }
    let mut indices = vec![0; n];
    let drawn = (0..plan.resamples).map(|_| {
        draw(rng, n, &mut indices);
        statistic(&indices)
    });
    Some(percentiles(drawn, plan.confidence))
}

/// The interval of a statistic of two independent samples of `n` and `m` values.
/// `None` where either has fewer than two.
pub fn two_samples(
    (n, m): (usize, usize),
    plan: Plan,
    rng: &mut impl Rng,
    mut statistic: impl FnMut(&[u32], &[u32]) -> Interval,
) -> Option<Interval> {
    if n < 2 || m < 2 {
        return None;
    }
    let (mut first, mut second) = (vec![0; n], vec![0; m]);
    let drawn = (0..plan.resamples).map(|_| {
        draw(rng, n, &mut first);
        draw(rng, m, &mut second);
        statistic(&first, &second)
    });
    Some(percentiles(drawn, plan.confidence))
}

/// Fills `indices` with one resample, or several one after the other, of a sample of `n` values.
pub fn draw(rng: &mut impl Rng, n: usize, indices: &mut [u32]) {
    let n = u32::try_from(n).expect("samples are far below 2^32");
    indices.fill_with(|| rng.random_range(0..n));
}

/// The interval that holds the share `confidence` of what the resamples gave.
pub fn percentiles(drawn: impl Iterator<Item = Interval>, confidence: f64) -> Interval {
    assert!(confidence > 0.0 && confidence < 1.0, "a confidence is in (0, 1), not {confidence}");
    let (low, high): (Vec<f64>, Vec<f64>) = drawn.map(|s| (s.low, s.high)).unzip();
    let tail = (1.0 - confidence) / 2.0;
    Interval { low: quantile(&low, tail), high: quantile(&high, 1.0 - tail) }
}

/// A sample prepared for the quantiles of many resamples: sorted once, so that a resample costs one
/// counter a value and a walk, instead of a sort.
#[derive(Debug, Clone)]
pub struct Resampled {
    sorted: Vec<f64>,
    /// The place of value `i` of the sample in `sorted`; equal values have one place each.
    places: Vec<u32>,
    counts: Vec<u32>,
}

impl Resampled {
    /// Prepares `values`; NaN is refused by assertion.
    pub fn new(values: &[f64]) -> Self {
        let mut order: Vec<u32> = (0..).take(values.len()).collect();
        order.sort_by(|&a, &b| values[a as usize].total_cmp(&values[b as usize]));
        let mut places = vec![0; values.len()];
        for (place, &index) in (0..).zip(&order) {
            places[index as usize] = place;
        }
        Self { sorted: sorted(values), places, counts: vec![0; values.len()] }
    }

    /// The `p`-quantile of the values that `indices` name, as
    /// [`quantile_sorted`](super::quantile::quantile_sorted) has it.
    pub fn quantile(&mut self, indices: &[u32], p: f64) -> f64 {
        self.counts.fill(0);
        for &index in indices {
            self.counts[self.places[index as usize] as usize] += 1;
        }
        let (index, weight) = position(indices.len(), p);
        let mut passed = 0;
        let mut at = 0;
        loop {
            passed += self.counts[at] as usize;
            if passed > index {
                break;
            }
            at += 1;
        }
        let low = self.sorted[at];
        if weight == 0.0 || passed > index + 1 {
            return low;
        }
        let next = self.counts[at + 1..].iter().position(|&count| count > 0);
        let high = next.map_or(low, |skipped| self.sorted[at + 1 + skipped]);
        interpolate(low, high, weight)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Stream;
    use crate::stats::golden;

    const PLAN: Plan = Plan { resamples: RESAMPLES, confidence: 0.95 };

    fn median_interval(values: &[f64], plan: Plan, seed: u64) -> Option<Interval> {
        let mut sample = Resampled::new(values);
        one_sample(values.len(), plan, &mut Stream::new(seed, 0, "test"), |indices| {
            Interval::exact(sample.quantile(indices, 0.5))
        })
    }

    #[test]
    fn a_resample_has_the_quantiles_of_its_values() {
        let values = [5.0, 1.0, f64::INFINITY, 1.0, 3.0, 2.5, 9.0];
        let mut sample = Resampled::new(&values);
        let mut rng = Stream::new(3, 0, "test");
        for n in 1..9 {
            let mut indices = vec![0; n];
            for _ in 0..50 {
                indices.fill_with(|| rng.random_range(0..7_u32));
                let taken: Vec<f64> = indices.iter().map(|&i| values[i as usize]).collect();
                for p in [0.0, 0.1, 0.25, 0.5, 0.75, 1.0] {
                    assert_eq!(sample.quantile(&indices, p), quantile(&taken, p), "{taken:?} {p}");
                }
            }
        }
    }

    #[test]
    fn the_interval_of_a_median_approaches_its_exact_bootstrap_distribution() {
        // With odd n the bootstrap median is an order statistic, whose distribution is binomial:
        // the golden script sums it exactly. The 40,000 resamples fix the end's rank to about one
        // in a thousand; the script keeps only ends whose probabilities are further from it.
        for case in golden::cases("bootstrap_median") {
            let values = golden::numbers(&case["values"]);
            let plan = Plan { resamples: 40_000, ..PLAN };
            let found = median_interval(&values, plan, 1).expect("enough values");
            assert_eq!(found.low, golden::number(&case["low"]));
            assert_eq!(found.high, golden::number(&case["high"]));
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
    fn one_value_has_no_interval() {
        assert_eq!(median_interval(&[1.0], PLAN, 0), None);
        let mut rng = Stream::new(0, 0, "test");
        let none = two_samples((2, 1), PLAN, &mut rng, |_, _| Interval::exact(0.0));
        assert_eq!(none, None);
    }

    #[test]
    fn two_samples_are_drawn_apart_and_unknowns_widen() {
        let mut rng = Stream::new(0, 0, "test");
        let found = two_samples((3, 30), PLAN, &mut rng, |a, b| {
            assert!(a.len() == 3 && a.iter().all(|&i| i < 3));
            assert!(b.len() == 30 && b.iter().all(|&i| i < 30));
            Interval { low: 1.0, high: f64::INFINITY }
        });
        assert_eq!(found, Some(Interval { low: 1.0, high: f64::INFINITY }));
    }
}
