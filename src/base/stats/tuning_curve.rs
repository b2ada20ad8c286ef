//! Tuning curves of random search: what the best of `k` trials comes to (Dodge et al., "Show your
//! work", 2019; Lourie, Cho and He, "Show your work with confidence", 2024).
//!
//! A search that draws from a table takes each row at most once, so that of its `n` rows the best
//! of `k` is an order statistic without replacement, which is exact for the table; drawn with
//! replacement it is an estimate for the space that the rows were drawn from, biased downwards.

#![expect(clippy::cast_precision_loss, reason = "counts of rows are far below 2^53")]

use super::Interval;
use super::band::{Band, band};
use super::quantile::sorted;

/// How trials are drawn from the values that are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Draws {
    /// Each row at most once: exact for a table, and without bias for its space (the U-statistic).
    /// The best of all rows is the best of any more trials.
    WithoutReplacement,
    /// Each trial anew from all rows: `F(y)^k`, with `F` the empirical distribution (the
    /// V-statistic).
    WithReplacement,
}

/// Values of random configurations, sorted from the worst to the best.
#[derive(Debug, Clone)]
pub struct TuningCurve {
    /// Ascending: negated where smaller is better.
    values: Vec<f64>,
    larger_is_better: bool,
}

impl TuningCurve {
    /// Prepares values, of which there must be one; infinities are values like any other. NaN is
    /// refused by assertion.
    pub fn new(values: &[f64], larger_is_better: bool) -> Self {
        assert!(!values.is_empty(), "a tuning curve of no value");
        let signed: Vec<f64> =
            values.iter().map(|v| if larger_is_better { *v } else { -v }).collect();
        Self { values: sorted(&signed), larger_is_better }
    }

    /// The expected best value of `trials` trials.
    ///
    /// `sum of y_(i) (P(best <= i) - P(best <= i - 1))` over the rows from the worst, with
    /// `P(best <= i) = C(i, k) / C(n, k)` without replacement and `(i / n)^k` with it. Infinite
    /// where an infinite value has a probability; infinities of both signs, and no trial, are
    /// refused by assertion.
    pub fn mean(&self, trials: usize, draws: Draws) -> f64 {
        let shares = self.shares(trials, draws);
        let mut before = 0.0;
        let mut sum = 0.0;
        for (value, share) in self.values.iter().zip(shares) {
            if share > before {
                sum += value * (share - before);
            }
            before = share;
        }
        assert!(!sum.is_nan(), "a mean of both infinities");
        self.signed(sum)
    }

    /// The value that the best of `trials` trials is up to with probability `p` in (0, 1], reading
    /// "up to" from the worst to the best: the smallest row with `P(best <= i) >= p`. So `p = 0.5`
    /// is the median, and 0.9 what one search of ten surpasses, whichever way values improve.
    ///
    /// opda's curve of the lower values of a minimised metric is this one at `1 - p`, but for its
    /// reading of the quantile from the other side.
    pub fn quantile(&self, trials: usize, p: f64, draws: Draws) -> f64 {
        assert!(p > 0.0 && p <= 1.0, "a share is in (0, 1], not {p}");
        let mut shares = self.shares(trials, draws).into_iter();
        // The last share is 1 but for rounding.
        let at = shares.position(|share| share >= p - 1e-13).unwrap_or(self.values.len() - 1);
        self.signed(self.values[at])
    }

    /// `P(best of the trials is among the i worst rows)` for i = 1..=n.
    fn shares(&self, trials: usize, draws: Draws) -> Vec<f64> {
        assert!(trials > 0, "the best of no trial");
        let n = self.values.len();
        match draws {
            Draws::WithReplacement => {
                let share = |i: usize| libm::pow(i as f64 / n as f64, trials as f64);
                (1..=n).map(share).collect()
            }
            Draws::WithoutReplacement => {
                let k = trials.min(n);
                let mut shares = vec![0.0; n];
                let mut share = 1.0;
                // C(i - 1, k) = C(i, k) (i - k) / i.
                for i in (k..=n).rev() {
                    shares[i - 1] = share;
                    share *= (i - k) as f64 / i as f64;
                }
                shares
            }
        }
    }

    fn signed(&self, value: f64) -> f64 {
        if self.larger_is_better { value } else { -value }
    }

    /// The band of the `p`-quantile of the best of each number of `trials`, with replacement: it
    /// holds for all of them at once with probability `confidence`, for the space that the values
    /// were drawn from.
    ///
    /// A band of the distribution ([`band`]) that is read at `p^(1/k)`: its upper side gives the
    /// worse end. Beyond the values there is only `support`, what the metric can be at all
    /// (0 and 1 for an accuracy): ends that the sample cannot bound are there. A support that does
    /// not hold all values is refused by assertion.
    pub fn quantile_band(
        &self,
        trials: &[usize],
        p: f64,
        confidence: f64,
        kind: Band,
        support: Interval,
    ) -> Vec<Interval> {
        assert!(p > 0.0 && p < 1.0, "a share is in (0, 1), not {p}");
        let (worst, best) = if self.larger_is_better {
            (support.low, support.high)
        } else {
            (-support.high, -support.low)
        };
        let last = self.values.len() - 1;
        assert!(worst <= self.values[0] && self.values[last] <= best, "values in {support:?}");
        let bounds = band(self.values.len(), confidence, kind);
        // The smallest value up to which the distribution is at least `share`.
        let read = |side: &[f64], share: f64| match side.partition_point(|f| *f < share) {
            0 => worst,
            j if j > self.values.len() => best,
            j => self.values[j - 1],
        };
        trials
            .iter()
            .map(|&k| {
                assert!(k > 0, "the best of no trial");
                let share = libm::pow(p, 1.0 / k as f64);
                let (worse, better) = (read(&bounds.high, share), read(&bounds.low, share));
                let ends = [self.signed(worse), self.signed(better)];
                Interval { low: ends[0].min(ends[1]), high: ends[0].max(ends[1]) }
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::golden;

    const INF: f64 = f64::INFINITY;

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counts")]
    fn counts(value: &serde_json::Value) -> Vec<usize> {
        golden::numbers(value).into_iter().map(|n| n as usize).collect()
    }

    #[test]
    fn curves_are_those_of_opda() {
        let cases = golden::cases("tuning_curve");
        assert!(cases.len() >= 6);
        for case in cases {
            let minimize = case["minimize"] == true;
            let curve = TuningCurve::new(&golden::numbers(&case["values"]), !minimize);
            let check = |trials: &str, wanted: &str, of: &dyn Fn(usize) -> f64| {
                for (k, expected) in
                    counts(&case[trials]).iter().zip(golden::numbers(&case[wanted]))
                {
                    golden::assert_close(of(*k), expected, 1e-11);
                }
            };
            check("trials", "average", &|k| curve.mean(k, Draws::WithReplacement));
            check("inside", "unbiased", &|k| curve.mean(k, Draws::WithoutReplacement));
            if !minimize {
                check("trials", "median", &|k| curve.quantile(k, 0.5, Draws::WithReplacement));
                check("trials", "upper", &|k| curve.quantile(k, 0.9, Draws::WithReplacement));
            }
        }
    }

    #[test]
    fn bands_are_those_of_opda() {
        let mut seen = 0;
        for case in golden::cases("tuning_band") {
            // The levels of the others are simulated there, and may fall on another value.
            let kind = match case["method"].as_str().unwrap() {
                "dkw" => Band::Dkw,
                "ks" => Band::KolmogorovSmirnov,
                _ => continue,
            };
            let larger_is_better = case["minimize"] == false;
            let curve = TuningCurve::new(&golden::numbers(&case["values"]), larger_is_better);
            let support = Interval { low: 0.0, high: 1.0 };
            let confidence = golden::number(&case["confidence"]);
            let found =
                curve.quantile_band(&counts(&case["trials"]), 0.5, confidence, kind, support);
            let (low, high) = (golden::numbers(&case["low"]), golden::numbers(&case["high"]));
            for (found, (low, high)) in found.iter().zip(low.iter().zip(&high)) {
                assert_eq!((found.low, found.high), (*low, *high), "{case}");
                seen += 1;
            }
        }
        assert!(seen >= 48);
    }

    #[test]
    fn random_search_follows_its_law() {
        // Of the numbers 1..=n, the largest of k without replacement is k (n + 1) / (k + 1) on
        // average, and the smallest (n + 1) / (k + 1).
        let values: Vec<f64> = (1..=200).map(f64::from).collect();
        for k in [1_usize, 2, 10, 199, 200, 900] {
            let drawn = k.min(200) as f64;
            let largest = TuningCurve::new(&values, true).mean(k, Draws::WithoutReplacement);
            golden::assert_close(largest, drawn * 201.0 / (drawn + 1.0), 1e-12);
            let smallest = TuningCurve::new(&values, false).mean(k, Draws::WithoutReplacement);
            golden::assert_close(smallest, 201.0 / (drawn + 1.0), 1e-12);
        }
        // Half of two draws of 1..=4 have a largest of at most 3: 3 pairs of 6.
        let four = TuningCurve::new(&values[..4], true);
        assert_eq!(four.quantile(2, 0.5, Draws::WithoutReplacement), 3.0);
        assert_eq!(four.quantile(2, 0.51, Draws::WithoutReplacement), 4.0);
        // 9 / 16 of those with replacement.
        assert_eq!(four.quantile(2, 0.56, Draws::WithReplacement), 3.0);
        assert_eq!(four.quantile(2, 0.57, Draws::WithReplacement), 4.0);
    }

    #[test]
    fn what_never_ends_counts_while_it_can_be_the_best() {
        let losses = TuningCurve::new(&[INF, 2.0, 1.0], false);
        assert_eq!(losses.mean(1, Draws::WithoutReplacement), INF);
        golden::assert_close(losses.mean(2, Draws::WithoutReplacement), 4.0 / 3.0, 1e-14);
        assert_eq!(losses.quantile(1, 0.3, Draws::WithoutReplacement), INF);
        let support = Interval { low: 0.0, high: INF };
        let band = losses.quantile_band(&[1, 50], 0.5, 0.9, Band::EqualTailed, support);
        assert_eq!(band[0], Interval { low: 0.0, high: INF });
        assert_eq!(band[1].low, 0.0);
    }
}
