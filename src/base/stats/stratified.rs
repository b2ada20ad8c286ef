//! The stratified percentile bootstrap: each table keeps its own runs (Agarwal et al., "Deep
//! reinforcement learning at the edge of the statistical precipice", 2021).

use rand::Rng;

use super::Interval;
use super::bootstrap::{Plan, draw, percentiles};

/// The interval of a statistic of several strata, each resampled within itself: tables whose
/// differences are no luck, so that a resample never trades one table's run for another's.
///
/// `sizes` are the numbers of runs of the strata; the statistic is told, for each, how often each
/// run was drawn, and gives bounds, equal where it is known. Samples that do not pair are strata of
/// their own (rliable's `StratifiedIndependentBootstrap`); samples that pair share a stratum, and
/// so its counts. A stratum of one run never varies, and an empty one has no counts. Without a
/// resample, and for a confidence outside (0, 1): refused by assertion.
pub fn stratified(
    sizes: &[usize],
    plan: Plan,
    rng: &mut impl Rng,
    mut statistic: impl FnMut(&[Vec<u32>]) -> Interval,
) -> Interval {
    assert!(plan.resamples > 0, "an interval needs a resample");
    let mut strata: Vec<Vec<u32>> = sizes.iter().map(|&size| vec![0; size]).collect();
    let drawn: Vec<Interval> = (0..plan.resamples)
        .map(|_| {
            strata.iter_mut().filter(|s| !s.is_empty()).for_each(|s| draw(rng, s));
            statistic(&strata)
        })
        .collect();
    percentiles(drawn.into_iter(), plan.confidence)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Stream;
    use crate::stats::golden;
    use crate::stats::improvement::Combinations;
    use crate::stats::interquartile_mean::{self, Pool};

    const PLAN: Plan = Plan { resamples: 4_000, confidence: 0.95 };

    fn tables(value: &serde_json::Value) -> Vec<Vec<f64>> {
        value.as_array().unwrap().iter().map(golden::numbers).collect()
    }

    #[test]
    fn interquartile_means_have_the_intervals_of_rliable() {
        for case in golden::cases("stratified_iqm") {
            let tables = tables(&case["tables"]);
            let pooled = tables.concat();
            let estimate = interquartile_mean::interquartile_mean(&pooled).unwrap();
            golden::assert_close(estimate, golden::number(&case["estimate"]), 1e-12);
            let pool = Pool::new(&pooled);
            let sizes: Vec<usize> = tables.iter().map(Vec::len).collect();
            let mut rng = Stream::new(1, 0, "test");
            let found = stratified(&sizes, PLAN, &mut rng, |strata| {
                Interval::exact(pool.interquartile_mean(&strata.concat()).unwrap())
            });
            within_noise(found, &case);
        }
    }

    #[test]
    fn probabilities_of_improvement_have_the_intervals_of_rliable() {
        for case in golden::cases("stratified_improvement") {
            let (method, baseline) = (tables(&case["method"]), tables(&case["baseline"]));
            let pairs = || method.iter().zip(&baseline);
            let all: Vec<Combinations> = pairs().map(|(m, b)| Combinations::new(m, b)).collect();
            let mean = |of: &dyn Fn(usize) -> f64| {
                (0..all.len()).map(of).sum::<f64>() / f64::from(u32::try_from(all.len()).unwrap())
            };
            let estimate = mean(&|table| {
                let ones = |values: &[f64]| vec![1; values.len()];
                all[table].improvement(&ones(&method[table]), &ones(&baseline[table]))
            });
            golden::assert_close(estimate, golden::number(&case["estimate"]), 1e-12);
            let sizes: Vec<usize> = pairs().flat_map(|(m, b)| [m.len(), b.len()]).collect();
            let mut rng = Stream::new(2, 0, "test");
            let found = stratified(&sizes, PLAN, &mut rng, |strata| {
                let of = |t: usize| all[t].improvement(&strata[2 * t], &strata[2 * t + 1]);
                Interval::exact(mean(&of))
            });
            within_noise(found, &case);
        }
    }

    /// The ends of 4,000 resamples here and 50,000 there have standard errors of about 1 % of the
    /// width.
    #[track_caller]
    fn within_noise(found: Interval, case: &serde_json::Value) {
        let (low, high) = (golden::number(&case["low"]), golden::number(&case["high"]));
        let slack = 0.05 * (high - low);
        assert!((found.low - low).abs() < slack, "{found:?} {low} {high}");
        assert!((found.high - high).abs() < slack, "{found:?} {low} {high}");
    }

    #[test]
    fn strata_do_not_mix() {
        // Within each table all runs are equal, so that nothing can vary.
        let values = [vec![1.0; 5], vec![9.0; 3], vec![]];
        let found = stratified(&[5, 3, 0], PLAN, &mut Stream::new(1, 0, "test"), |strata| {
            assert_eq!(strata.iter().map(|s| s.iter().sum::<u32>()).collect::<Vec<_>>(), [5, 3, 0]);
            let sum = |t: usize| -> f64 {
                strata[t].iter().zip(&values[t]).map(|(c, v)| f64::from(*c) * v).sum()
            };
            Interval::exact((sum(0) + sum(1)) / 8.0)
        });
        assert_eq!(found, Interval::exact(4.0));
    }
}
