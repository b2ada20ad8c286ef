//! The percentile bootstrap of means, and of ratios of sums, of large samples in one pass.
//!
//! A resample's ratio `sum x / sum y` is at most `t` when the mean of `x - t y` is at most 0, and a
//! mean of `n` values is nearly normal. Its quantiles follow from the moments of the sample by the
//! expansion of Cornish and Fisher (1938): with skewness `g`,
//! `w = z + g (z^2 - 1) / (6 sqrt(n))` takes the place of the normal quantile `z`. What is left
//! out is of the order `1 / n`.

#![expect(clippy::cast_precision_loss, reason = "sample sizes are far below 2^53")]

use super::{Interval, normal};

/// Skewness of a mean beyond which the expansion is not trusted.
const SKEWNESS_MAX: f64 = 0.1;

/// Standard deviations that the mean of the denominators must be away from 0.
const DISTANCE_MIN: f64 = 8.0;

/// The share `confidence` of the bootstrap distribution of the sum of `numerators` over the sum of
/// `denominators`, both of the same runs: mean times to end over the shares that reached the goal
/// make an expected running time, and denominators of 1 make a mean.
///
/// What is left out of the probabilities of the two ends is of the order `g^2 + |k|`, with `g` the
/// skewness of `x - t y` over `sqrt(n)` and `k` its excess kurtosis over `n`. `None` where that
/// cannot be had: no runs, a mean of the denominators that is not 8 of its own standard deviations
/// above 0 (some 64 runs must have reached the goal), or a skewness of the mean above 0.1. A spread
/// of 0 gives a point. Lengths that differ, a confidence outside (0, 1), NaN and infinities are
/// refused by assertion.
pub fn ratio_interval(
    numerators: &[f64],
    denominators: &[f64],
    confidence: f64,
) -> Option<Interval> {
    assert!(confidence > 0.0 && confidence < 1.0, "a confidence is in (0, 1), not {confidence}");
    assert_eq!(numerators.len(), denominators.len(), "one denominator a numerator");
    let all = || numerators.iter().copied().zip(denominators.iter().copied());
    assert!(all().all(|(x, y)| x.is_finite() && y.is_finite()), "sums are of finite numbers");
    let moments = Moments::new(all)?;
    let z = normal::two_sided_quantile(1.0 - confidence);
    Some(Interval { low: moments.quantile(-z)?, high: moments.quantile(z)? })
}

/// The same of a mean; see [`ratio_interval`].
pub fn mean_interval(values: &[f64], confidence: f64) -> Option<Interval> {
    ratio_interval(values, &vec![1.0; values.len()], confidence)
}

/// Means and central moments of pairs `(x, y)`; `xxy` is the mean of `x^2 y` around the means.
struct Moments {
    n: f64,
    mean_x: f64,
    mean_y: f64,
    xx: f64,
    xy: f64,
    yy: f64,
    xxx: f64,
    xxy: f64,
    xyy: f64,
    yyy: f64,
}

impl Moments {
    fn new<I: Iterator<Item = (f64, f64)>>(all: impl Fn() -> I) -> Option<Self> {
        let n = all().count() as f64;
        if n == 0.0 {
            return None;
        }
        let mean_x = all().map(|(x, _)| x).sum::<f64>() / n;
        let mean_y = all().map(|(_, y)| y).sum::<f64>() / n;
        let mut sums = [0.0; 7];
        for (x, y) in all() {
            let (x, y) = (x - mean_x, y - mean_y);
            let terms = [x * x, x * y, y * y, x * x * x, x * x * y, x * y * y, y * y * y];
            sums.iter_mut().zip(terms).for_each(|(sum, term)| *sum += term);
        }
        let [xx, xy, yy, xxx, xxy, xyy, yyy] = sums.map(|sum| sum / n);
        let moments = Self { n, mean_x, mean_y, xx, xy, yy, xxx, xxy, xyy, yyy };
        (mean_y > DISTANCE_MIN * (yy / n).sqrt()).then_some(moments)
    }

    /// The standard deviation of the mean of `x - t y`, and its skewness.
    fn spread(&self, t: f64) -> (f64, f64) {
        let variance = (self.xx - 2.0 * t * self.xy + t * t * self.yy).max(0.0);
        let third = self.xxx - 3.0 * t * (self.xxy - t * self.xyy) - t * t * t * self.yyy;
        let skewness = third / (variance * variance.sqrt() * self.n.sqrt());
        ((variance / self.n).sqrt(), if skewness.is_finite() { skewness } else { 0.0 })
    }

    /// How far the ratio `t` is beyond the quantile that has `z` among normal ones.
    fn beyond(&self, t: f64, z: f64) -> f64 {
        let (spread, skewness) = self.spread(t);
        let quantile = z + skewness * (z * z - 1.0) / 6.0;
        t * self.mean_y - self.mean_x - quantile * spread
    }

    fn quantile(&self, z: f64) -> Option<f64> {
        let ratio = self.mean_x / self.mean_y;
        let (spread, skewness) = self.spread(ratio);
        if skewness.abs() > SKEWNESS_MAX {
            return None;
        }
        let step = spread / self.mean_y * z.abs();
        if step == 0.0 {
            return Some(ratio);
        }
        let (mut low, mut high) = (ratio, ratio);
        // The ends are within a few steps; with the denominators far from 0 this ends soon.
        while self.beyond(low, z) > 0.0 {
            low -= step;
        }
        while self.beyond(high, z) < 0.0 {
            high += step;
        }
        loop {
            let middle = f64::midpoint(low, high);
            if middle <= low || middle >= high {
                return Some(middle);
            }
            if self.beyond(middle, z) < 0.0 {
                low = middle;
            } else {
                high = middle;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::RngExt;

    use super::*;
    use crate::rng::Stream;
    use crate::stats::bootstrap::{draw, weighted_sum};
    use crate::stats::golden;

    /// The shares of resamples below the two ends.
    fn shares(x: &[f64], y: &[f64], found: Interval, resamples: u32) -> (f64, f64) {
        let mut rng = Stream::new(8, 0, "test");
        let mut counts = vec![0; x.len()];
        let (mut low, mut high) = (0, 0);
        for _ in 0..resamples {
            draw(&mut rng, &mut counts);
            let ratio = weighted_sum(&counts, x) / weighted_sum(&counts, y);
            low += u32::from(ratio < found.low);
            high += u32::from(ratio > found.high);
        }
        (f64::from(low) / f64::from(resamples), f64::from(high) / f64::from(resamples))
    }

    #[test]
    fn the_ends_cut_off_what_resamples_put_there() {
        let mut rng = Stream::new(7, 0, "test");
        // Exponential times to an end; a share of them reached the goal.
        for (n, reached) in [(1_000_usize, 0.9), (1_500, 0.3), (800, 1.0)] {
            let x: Vec<f64> = (0..n).map(|_| -libm::log1p(-rng.random::<f64>())).collect();
            let y: Vec<f64> =
                (0..n).map(|_| f64::from(u8::from(rng.random::<f64>() < reached))).collect();
            let found = ratio_interval(&x, &y, 0.95).expect("enough runs");
            let (low, high) = shares(&x, &y, found, 4_000);
            // 4,000 resamples fix a share of 0.025 with a standard deviation of 0.0025.
            assert!((low - 0.025).abs() < 0.0075, "{n} {reached} {low}");
            assert!((high - 0.025).abs() < 0.0075, "{n} {reached} {high}");
        }
    }

    #[test]
    fn intervals_are_those_of_the_gamma_law() {
        // scipy's gamma quantiles are the law of a mean of exponential numbers; their moments are
        // had by a sample of that many evenly spaced quantiles, but for its ends.
        for case in golden::cases("mean_law") {
            let n = golden::number(&case["n"]);
            let exact = Moments {
                n,
                mean_x: 1.0,
                mean_y: 1.0,
                xx: 1.0,
                xy: 0.0,
                yy: 0.0,
                xxx: 2.0,
                xxy: 0.0,
                xyy: 0.0,
                yyy: 0.0,
            };
            for (end, z) in [("low", -1.959_963_984_540_054), ("high", 1.959_963_984_540_054)] {
                let found = exact.quantile(z).expect("enough runs");
                let expected = golden::number(&case[end]);
                // What is left out: (z^3 - 3 z) 6 / 24 n - (2 z^3 - 5 z) 4 / 36 n, in units of
                // 1 / sqrt(n): below 0.4 / n there.
                assert!((found - expected).abs() < 0.5 / (n * n.sqrt()), "{found} {expected}");
            }
        }
    }

    #[test]
    fn without_the_means_there_is_no_interval() {
        assert_eq!(mean_interval(&[], 0.95), None);
        assert_eq!(mean_interval(&[2.0; 50], 0.95), Some(Interval::exact(2.0)));
        // Nobody, or nearly nobody, reached the goal.
        assert_eq!(ratio_interval(&[1.0; 500], &[0.0; 500], 0.95), None);
        let mut reached = vec![0.0; 500];
        reached[..40].fill(1.0);
        assert_eq!(ratio_interval(&[1.0; 500], &reached, 0.95), None);
        // One run among a hundred that took nearly all the time.
        let mut skewed = vec![1.0; 100];
        skewed[0] = 1e6;
        assert_eq!(mean_interval(&skewed, 0.95), None);
    }
}
