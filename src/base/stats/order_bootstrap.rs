//! The percentile bootstrap of a quantile without a single resample: its distribution is known.
//!
//! A resample of `n` sorted values `x_1 <= .. <= x_n` takes each with probability `1/n`, so that
//! `A`, the index of its `j`-th smallest value, is at most `a` when at least `j` of `n` draws fall
//! on the first `a` values: `P(A <= a) = P(Binomial(n, a/n) >= j)` (Efron, 1979; Maritz and
//! Jarrett, 1978). A quantile that lies between the `j`-th and the next value needs both; with `B`
//! the index of the next one, for `c >= a`,
//! `P(A = a, B > c) = C(n, j) ((a/n)^j - ((a-1)/n)^j) ((n-c)/n)^(n-j)`: exactly `j` draws are at
//! most `a`, one of them on it, and all others above `c`.

#![expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "sample sizes are far below 2^53, and positions within them"
)]

use super::Interval;
use super::incomplete_beta::{binomial_at_least, ln_binomial};
use super::quantile::{interpolate, position};

/// Standard deviations of a resample's rank on each side of the quantile that are looked at: what
/// lies beyond has a probability below 1e-16.
const REACH: f64 = 8.5;

/// The interval between the `(1 - confidence) / 2` and the `(1 + confidence) / 2` quantile of the
/// bootstrap distribution of the `p`-quantile (type 7, as
/// [`quantile_sorted`](super::quantile::quantile_sorted)): what the percentile bootstrap tends to
/// as its resamples grow without end, within 1e-13 of their probabilities.
///
/// Time and memory are linear in the number of values: they are partitioned, and only the few
/// thousand near the quantile are sorted. `+infinity` is the largest value. `None` for no values.
/// NaN, `-infinity`, `p` outside [0, 1] and a confidence outside (0, 1) are refused by assertion.
pub fn quantile_interval(values: &[f64], p: f64, confidence: f64) -> Option<Interval> {
    assert!(confidence > 0.0 && confidence < 1.0, "a confidence is in (0, 1), not {confidence}");
    assert!(values.iter().all(|v| *v > f64::NEG_INFINITY), "no time is NaN or -infinity");
    if values.is_empty() {
        return None;
    }
    let law = Law::new(values, p);
    let tail = (1.0 - confidence) / 2.0;
    Some(Interval { low: law.quantile(tail), high: law.quantile(1.0 - tail) })
}

/// The law of the `p`-quantile of a resample.
struct Law {
    n: usize,
    /// The rank, from 1, of the value at or below the quantile of a resample...
    j: usize,
    /// ...and the weight of the value after it.
    weight: f64,
    /// How many values are smaller than those kept.
    skipped: usize,
    /// Sorted values around the quantile.
    near: Vec<f64>,
    /// The logarithms of `C(n, j) ((a/n)^j - ((a-1)/n)^j)` and of `((n-c)/n)^(n-j)`; empty where
    /// the next value has no weight.
    here: Vec<f64>,
    beyond: Vec<f64>,
}

impl Law {
    fn new(values: &[f64], p: f64) -> Self {
        let n = values.len();
        let (index, weight) = position(n, p);
        let j = index + 1;
        let (skipped, near) = window(values, index, REACH);
        let places = || (skipped + 1..).take(near.len());
        let share = |count: usize| count as f64 / n as f64;
        let (mut here, mut beyond) = (Vec::new(), Vec::new());
        if weight > 0.0 {
            // With weight there is a next value, so j < n. C(n, j) from the density at 1/2.
            let halves = ln_binomial(j as f64, n as f64, 0.5);
            let ways = halves + n as f64 * std::f64::consts::LN_2;
            let power = j as f64;
            here = places()
                .map(|a| {
                    // ((a - 1) / a)^j, the part of the power that is not on `a` itself.
                    let before = power * libm::log1p(-1.0 / a as f64);
                    ways + power * libm::log(share(a)) + libm::log(-libm::expm1(before))
                })
                .collect();
            beyond = places().map(|c| (n - j) as f64 * libm::log(share(n - c))).collect();
        }
        Self { n, j, weight, skipped, near, here, beyond }
    }

    /// `P(A <= a)` for the value kept at `at`.
    fn below(&self, at: usize) -> f64 {
        let share = (self.skipped + at + 1) as f64 / self.n as f64;
        binomial_at_least(self.j, self.n, share)
    }

    /// `P(quantile of a resample <= t)`.
    fn at_most(&self, t: f64) -> f64 {
        let first = self.near.partition_point(|v| *v <= t);
        if first == 0 {
            return 0.0;
        }
        // Less what has its lower value up to t, and its upper one too far above.
        let mut too_far = 0.0;
        let mut near_enough = self.near.len();
        for a in 0..first {
            let is_far =
                |upper: usize| interpolate(self.near[a], self.near[upper], self.weight) > t;
            // The upper value is at least the lower one, which is up to t.
            while near_enough > a + 1 && is_far(near_enough - 1) {
                near_enough -= 1;
            }
            too_far += libm::exp(self.here[a] + self.beyond[near_enough - 1]);
        }
        (self.below(first - 1) - too_far).max(0.0)
    }

    /// The smallest value `t` of the quantile with `P(<= t) >= share`.
    fn quantile(&self, share: f64) -> f64 {
        // Sums of probabilities miss a share that they meet by rounding alone.
        let share = share - 1e-13;
        let last = self.near.len() - 1;
        if self.weight == 0.0 {
            let (mut low, mut high) = (0, last);
            while low < high {
                let middle = usize::midpoint(low, high);
                if self.below(middle) < share {
                    low = middle + 1;
                } else {
                    high = middle;
                }
            }
            return self.near[low];
        }
        let (mut low, mut high) = (self.near[0], self.near[last]);
        if self.at_most(low) >= share {
            return low;
        }
        if high.is_infinite() {
            let finite = self.near.partition_point(|v| v.is_finite());
            high = self.near[finite - 1];
            if self.at_most(high) < share {
                return f64::INFINITY;
            }
        }
        loop {
            let middle = f64::midpoint(low, high);
            if middle <= low || middle >= high {
                return high;
            }
            if self.at_most(middle) >= share {
                high = middle;
            } else {
                low = middle;
            }
        }
    }
}

/// The values within `reach` standard deviations of a resample's rank around the sorted `index`, in
/// ascending order, and how many are smaller.
pub(super) fn window(values: &[f64], index: usize, reach: f64) -> (usize, Vec<f64>) {
    let n = values.len();
    let (first, end) = bounds(n, index, reach);
    let mut copy = values.to_vec();
    if end < n {
        copy.select_nth_unstable_by(end, f64::total_cmp);
        copy.truncate(end);
    }
    if first > 0 {
        copy.select_nth_unstable_by(first, f64::total_cmp);
        copy.drain(..first);
    }
    copy.sort_unstable_by(f64::total_cmp);
    (first, copy)
}

/// The sorted positions `first..end` that a resample's value at `index` comes from.
pub(super) fn bounds(n: usize, index: usize, reach: f64) -> (usize, usize) {
    let share = (index as f64 + 0.5) / n as f64;
    // The added places are for quantiles at an end, where the rank is nearly a Poisson count.
    let half = reach * (n as f64 * share * (1.0 - share)).sqrt() + reach * reach / 2.0;
    let half = (half.ceil() as usize).saturating_add(2);
    (index.saturating_sub(half), index.saturating_add(half).min(n))
}

#[cfg(test)]
mod tests {
    use rand::RngExt;

    use super::*;
    use crate::rng::Stream;
    use crate::stats::bootstrap::{Resampled, draw, percentiles};
    use crate::stats::{golden, quantile};

    const INF: f64 = f64::INFINITY;

    /// Every resample of `n` values there is.
    fn all_resamples(values: &[f64], p: f64) -> Vec<f64> {
        let n = values.len();
        let mut found: Vec<f64> = (0..n.pow(u32::try_from(n).unwrap()))
            .map(|mut code| {
                let mut resample = Vec::new();
                for _ in 0..n {
                    resample.push(values[code % n]);
                    code /= n;
                }
                quantile::quantile(&resample, p)
            })
            .collect();
        found.sort_by(f64::total_cmp);
        found
    }

    #[test]
    fn the_law_is_that_of_all_resamples() {
        let samples: [&[f64]; 6] = [
            &[3.0],
            &[5.0, 1.0],
            &[4.0, 1.0, 2.5, 9.0],
            &[4.0, 1.0, 1.0, INF, 2.0],
            &[0.3, 7.0, 2.0, 2.0, 11.0, 5.5],
            &[INF, 7.0, INF, 2.0, 11.0, 5.5],
        ];
        for values in samples {
            for p in [0.0, 0.1, 0.25, 0.5, 0.75, 1.0] {
                let all = all_resamples(values, p);
                for confidence in [0.3, 0.9, 0.95, 0.99] {
                    let found = quantile_interval(values, p, confidence).unwrap();
                    let tail = (1.0 - confidence) / 2.0;
                    let end = |share: f64| {
                        let rank = (share * all.len() as f64 - 1e-6).ceil().max(1.0);
                        all[rank as usize - 1]
                    };
                    let message = format!("{values:?} {p} {confidence}");
                    for (found, expected) in [(found.low, end(tail)), (found.high, end(1.0 - tail))]
                    {
                        let close = (found - expected).abs() <= 1e-12 * expected;
                        assert!(found == expected || close, "{found} {expected} {message}");
                    }
                }
            }
        }
    }

    #[test]
    fn odd_medians_are_those_of_the_binomial_sums() {
        for case in golden::cases("bootstrap_median") {
            let found = quantile_interval(&golden::numbers(&case["values"]), 0.5, 0.95).unwrap();
            assert_eq!(found.low, golden::number(&case["low"]));
            assert_eq!(found.high, golden::number(&case["high"]));
        }
        for case in golden::cases("order_bootstrap") {
            let number = |name: &str| golden::number(&case[name]);
            let n = number("n") as u32;
            // The values are their own ranks.
            let values: Vec<f64> = (1..=n).rev().map(f64::from).collect();
            let found = quantile_interval(&values, number("p"), number("confidence")).unwrap();
            assert_eq!((found.low, found.high), (number("low"), number("high")), "{case}");
        }
    }

    #[test]
    fn resampling_comes_near_it_within_its_own_noise() {
        let mut rng = Stream::new(5, 0, "test");
        for (n, p) in [(40_usize, 0.5), (200, 0.25), (151, 0.9)] {
            let values: Vec<f64> = (0..n).map(|_| -libm::log1p(-rng.random::<f64>())).collect();
            let sample = Resampled::new(&values);
            let mut counts = vec![0; n];
            let drawn: Vec<Interval> = (0..6_000)
                .map(|_| {
                    draw(&mut rng, &mut counts);
                    Interval::exact(sample.quantile(&counts, n, p))
                })
                .collect();
            let resampled = percentiles(drawn.iter().copied(), 0.95);
            let found = quantile_interval(&values, p, 0.95).unwrap();
            // An end's rank has a standard deviation of sqrt(0.025 x 0.975 / 6,000) = 0.002.
            let share = |end: f64| {
                drawn.iter().filter(|d| d.low <= end).count() as f64 / drawn.len() as f64
            };
            let before =
                |end: f64| drawn.iter().filter(|d| d.low < end).count() as f64 / drawn.len() as f64;
            for (end, wanted) in [(found.low, 0.025), (found.high, 0.975)] {
                assert!(before(end) < wanted + 0.01 && share(end) > wanted - 0.01, "{n} {p}");
            }
            let width = resampled.high - resampled.low;
            assert!((found.low - resampled.low).abs() < 0.15 * width);
            assert!((found.high - resampled.high).abs() < 0.15 * width);
        }
    }

    #[test]
    fn exponential_times_have_the_interval_that_theory_gives() {
        // The median of n exponential times has a standard deviation of 1 / sqrt(n) at ln 2.
        let n = 100_000_u32;
        let values: Vec<f64> =
            (0..n).map(|i| -libm::log1p(-(f64::from(i) + 0.5) / f64::from(n))).collect();
        let found = quantile_interval(&values, 0.5, 0.95).unwrap();
        let half = 1.959_964 / f64::from(n).sqrt();
        let median = std::f64::consts::LN_2;
        assert!((found.low - (median - half)).abs() < 0.01 * half, "{found:?}");
        assert!((found.high - (median + half)).abs() < 0.01 * half, "{found:?}");
    }

    #[test]
    fn never_stays_never_and_nothing_has_no_interval() {
        assert_eq!(quantile_interval(&[INF; 40], 0.5, 0.95), Some(Interval::exact(INF)));
        let mut half = vec![1.0; 50];
        half.resize(100, INF);
        let expected = Interval { low: 1.0, high: INF };
        assert_eq!(quantile_interval(&half, 0.5, 0.95), Some(expected));
        assert_eq!(quantile_interval(&[], 0.5, 0.95), None);
    }
}
