//! The bias-corrected and accelerated bootstrap interval (Efron, 1987).

#![expect(clippy::cast_precision_loss, reason = "counts of resamples are far below 2^53")]

use super::quantile::{quantile_sorted, sorted};
use super::{Interval, normal};

/// An interval and how it was corrected.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bca {
    pub interval: Interval,
    /// `z0`, the normal quantile of the share of resamples below the estimate, half of the equal
    /// ones among them: 0 for a statistic without median bias.
    pub bias: f64,
    /// `a`, a sixth of the skewness of the jackknife values. `None` where one of them is infinite,
    /// so that they have none: the interval is then corrected for bias alone (`a = 0`).
    pub acceleration: Option<f64>,
}

/// The `BCa` interval of a statistic that was `estimate` on the samples themselves and `drawn` on
/// resamples of them.
///
/// `jackknife` holds, for each sample, the statistic without each of its values in turn: one list
/// for one sample or for samples that pair, two for two that do not. With `u = mean - value` and
/// `m` values in a list, `a = sum(sum u^3 (m-1)^3 / m^3) / (6 (sum(sum u^2 (m-1)^2 / m^2))^1.5)`
/// over the lists, and the ends are the quantiles of `drawn` at
/// `Phi(z0 + (z0 -+ z) / (1 - a (z0 -+ z)))`: scipy's `bootstrap(method="BCa")`.
///
/// Estimates and resamples may be `+infinity`: their order alone matters. Equal jackknife values
/// have `a = 0`. `None` where the estimate is above or below all resamples, where a correction
/// leaves the branch on which it is monotone (`1 - a (z0 -+ z) <= 0`), and without resamples.
/// For a quantile the jackknife is known to be inconsistent (its values are two or three distinct
/// numbers), which `a` inherits: the exact interval of
/// [`order_bootstrap`](super::order_bootstrap) is the better one. NaN and a confidence outside
/// (0, 1) are refused by assertion.
pub fn bca(drawn: &[f64], estimate: f64, jackknife: &[&[f64]], confidence: f64) -> Option<Bca> {
    assert!(!estimate.is_nan(), "an estimate is a number");
    assert!(jackknife.iter().all(|l| l.iter().all(|v| !v.is_nan())), "NaN has no order");
    let z = normal::two_sided_quantile(1.0 - confidence);
    if drawn.is_empty() {
        return None;
    }
    let below = drawn.iter().filter(|d| **d < estimate).count();
    let up_to = drawn.iter().filter(|d| **d <= estimate).count();
    if up_to == 0 || below == drawn.len() {
        return None;
    }
    let share = (below + up_to) as f64 / (2 * drawn.len()) as f64;
    let bias = normal::quantile(share);
    let acceleration = acceleration(jackknife);
    let a = acceleration.unwrap_or(0.0);
    let drawn = sorted(drawn);
    let end = |z: f64| {
        let moved = bias + z;
        let divisor = 1.0 - a * moved;
        let at = 1.0 - normal::survival(bias + moved / divisor);
        (divisor > 0.0).then(|| quantile_sorted(&drawn, at))
    };
    Some(Bca { interval: Interval { low: end(-z)?, high: end(z)? }, bias, acceleration })
}

/// A sixth of the skewness of the jackknife values of all samples.
fn acceleration(jackknife: &[&[f64]]) -> Option<f64> {
    let (mut thirds, mut squares) = (0.0, 0.0);
    for values in jackknife {
        if values.iter().any(|v| v.is_infinite()) {
            return None;
        }
        let m = values.len() as f64;
        let mean = values.iter().sum::<f64>() / m;
        for value in *values {
            let u = (m - 1.0) / m * (mean - value);
            thirds += u * u * u;
            squares += u * u;
        }
    }
    Some(if squares > 0.0 { thirds / (6.0 * squares * squares.sqrt()) } else { 0.0 })
}

/// The statistic without each of `n` values in turn, as a function of how often each value is
/// taken: what [`bca`] wants of one sample, or of samples that pair.
pub fn jackknife(n: usize, mut statistic: impl FnMut(&[u32]) -> f64) -> Vec<f64> {
    let mut counts = vec![1; n];
    (0..n)
        .map(|left_out| {
            counts[left_out] = 0;
            let value = statistic(&counts);
            counts[left_out] = 1;
            value
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use rand::RngExt;

    use super::*;
    use crate::rng::Stream;
    use crate::stats::bootstrap::{draw, weighted_sum};
    use crate::stats::golden;

    const INF: f64 = f64::INFINITY;

    fn mean(counts: &[u32], values: &[f64]) -> f64 {
        weighted_sum(counts, values) / f64::from(counts.iter().sum::<u32>())
    }

    #[test]
    fn intervals_are_scipys_on_its_own_resamples() {
        let cases = golden::cases("bca");
        assert!(cases.len() >= 4);
        for case in cases {
            let (a, b) = (golden::numbers(&case["first"]), golden::numbers(&case["second"]));
            let ones = |values: &[f64]| vec![1; values.len()];
            // Of paired samples the ratio of means, of unpaired ones the difference.
            let lists: Vec<Vec<f64>> = match case["kind"].as_str().unwrap() {
                "mean" => vec![jackknife(a.len(), |counts| mean(counts, &a))],
                "ratio" => {
                    vec![jackknife(a.len(), |counts| mean(counts, &a) / mean(counts, &b))]
                }
                _ => vec![
                    jackknife(a.len(), |counts| mean(counts, &a) - mean(&ones(&b), &b)),
                    jackknife(b.len(), |counts| mean(&ones(&a), &a) - mean(counts, &b)),
                ],
            };
            let lists: Vec<&[f64]> = lists.iter().map(Vec::as_slice).collect();
            let drawn = golden::numbers(&case["drawn"]);
            let estimate = golden::number(&case["estimate"]);
            let confidence = golden::number(&case["confidence"]);
            let found = bca(&drawn, estimate, &lists, confidence).expect("an interval");
            golden::assert_close(found.interval.low, golden::number(&case["low"]), 1e-9);
            golden::assert_close(found.interval.high, golden::number(&case["high"]), 1e-9);
        }
    }

    #[test]
    fn exponential_times_are_covered_more_evenly_than_by_percentiles() {
        // Means of 15 exponential times: the percentile interval misses on the high side far
        // more often than on the low one, and BCa less so.
        let mut rng = Stream::new(4, 0, "test");
        let (mut plain, mut corrected, mut skewed) = (0, 0, 0);
        for _ in 0..300 {
            let values: Vec<f64> = (0..15).map(|_| -libm::log1p(-rng.random::<f64>())).collect();
            let mut counts = vec![0; 15];
            let drawn: Vec<f64> = (0..400)
                .map(|_| {
                    draw(&mut rng, &mut counts);
                    mean(&counts, &values)
                })
                .collect();
            let left_out = jackknife(15, |counts| mean(counts, &values));
            let estimate = values.iter().sum::<f64>() / 15.0;
            let found = bca(&drawn, estimate, &[&left_out], 0.9).unwrap();
            corrected += u32::from(found.interval.high < 1.0);
            plain += u32::from(quantile_sorted(&sorted(&drawn), 0.95) < 1.0);
            skewed += u32::from(found.acceleration.unwrap() > 0.0);
        }
        assert!(skewed > 270, "{skewed} of 300 samples lean as their law does");
        assert!(corrected < plain, "{corrected} {plain}");
        assert!((10..=36).contains(&corrected), "{corrected} of 300, where 15 to 30 are due");
    }

    #[test]
    fn infinities_cost_the_acceleration_alone() {
        let drawn = [1.0, 2.0, 3.0, 3.0, 4.0, INF, INF];
        let found = bca(&drawn, 3.0, &[&[2.0, INF, 3.0]], 0.5).unwrap();
        assert_eq!(found.acceleration, None);
        // Two below, four up to it: 6 of 14, so the bias is that quantile and the ends move by it.
        golden::assert_close(found.bias, normal::quantile(6.0 / 14.0), 1e-12);
        assert!(found.interval.low < 3.0 && found.interval.high.is_finite());
        let never = bca(&[5.0, INF, INF], INF, &[&[INF, INF]], 0.9).unwrap();
        assert_eq!(never.interval.high, INF);
    }

    #[test]
    fn without_resamples_around_the_estimate_there_is_none() {
        let lists: [&[f64]; 1] = [&[1.0, 2.0]];
        assert_eq!(bca(&[], 1.0, &lists, 0.9), None);
        assert_eq!(bca(&[2.0, 3.0], 1.0, &lists, 0.9), None);
        assert_eq!(bca(&[2.0, 3.0], 4.0, &lists, 0.9), None);
        let constant = bca(&[2.0, 2.0], 2.0, &[&[2.0, 2.0]], 0.9).unwrap();
        assert_eq!((constant.interval, constant.bias), (Interval::exact(2.0), 0.0));
        assert_eq!(constant.acceleration, Some(0.0));
    }
}
