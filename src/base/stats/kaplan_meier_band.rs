//! Pointwise confidence bands of a Kaplan-Meier curve, and its quantiles with their intervals.

use super::kaplan_meier::KaplanMeier;
use super::{Interval, normal};

/// A share that is a product of ratios may miss a wanted one by rounding.
const SHARE_SLACK: f64 = 1e-12;

impl KaplanMeier {
    /// The interval of the share still without the goal after each step, one a step: Greenwood's
    /// variance on the scale of `ln(-ln S)` (Kalbfleisch and Prentice, 1980), so that
    /// `S^exp(-+ z s / ln S)` with `s^2 = variance / S^2` never leaves [0, 1] (lifelines' band).
    ///
    /// Each holds by itself with probability `confidence`, not all at once. Before the first step
    /// the share is 1, without an interval. Where the share is 0 there is no variance: the low end
    /// is 0, and the high end is that of the step before, which a falling curve keeps below (1
    /// without one); lifelines gives 0 there, as if nothing could be left. A confidence outside
    /// (0, 1) is refused by assertion.
    pub fn band(&self, confidence: f64) -> Vec<Interval> {
        let z = normal::two_sided_quantile(1.0 - confidence);
        let mut before = 1.0;
        let ends = |(survival, variance): (f64, f64)| {
            if survival <= 0.0 {
                return Interval { low: 0.0, high: before };
            }
            let log = libm::log(survival);
            let factor = libm::exp(z * variance.sqrt() / survival / -log);
            before = libm::exp(log / factor);
            Interval { low: libm::exp(log * factor), high: before }
        };
        self.steps.iter().map(|step| (step.survival, step.variance)).map(ends).collect()
    }

    /// The first time by which the share `p`, in (0, 1], of runs has reached the goal: the smallest
    /// `t` with a share of at most `1 - p` left, infinite where there is none.
    pub fn quantile(&self, p: f64) -> f64 {
        self.first_left(p, self.steps.iter().map(|step| step.survival))
    }

    /// The times at which the band of [`band`](Self::band) allows [`quantile`](Self::quantile) to
    /// be: from the first at which its low end is at most `1 - p` to the first at which its high
    /// end is (Brookmeyer and Crowley, 1982). Infinite where an end is never so low.
    pub fn quantile_interval(&self, p: f64, confidence: f64) -> Interval {
        let band = self.band(confidence);
        Interval {
            low: self.first_left(p, band.iter().map(|ends| ends.low)),
            high: self.first_left(p, band.iter().map(|ends| ends.high)),
        }
    }

    /// The time of the first step after which at most `1 - p` are left.
    fn first_left(&self, p: f64, mut left: impl Iterator<Item = f64>) -> f64 {
        assert!(p > 0.0 && p <= 1.0, "a share that reached the goal is in (0, 1], not {p}");
        let enough = 1.0 - p + SHARE_SLACK;
        let step = left.position(|share| share <= enough);
        step.map_or(f64::INFINITY, |step| self.steps[step].time)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::golden;
    use crate::stats::kaplan_meier::Observation;

    const INF: f64 = f64::INFINITY;

    fn curve(times: &[f64], reached: &[bool]) -> KaplanMeier {
        let pairs = times.iter().zip(reached);
        let runs: Vec<Observation> =
            pairs.map(|(&time, &reached)| Observation { time, reached }).collect();
        KaplanMeier::new(&runs)
    }

    #[test]
    fn bands_and_quantiles_are_lifelines() {
        let cases = golden::cases("kaplan_meier_band");
        assert!(cases.len() >= 4);
        for case in cases {
            let reached: Vec<bool> =
                case["reached"].as_array().unwrap().iter().map(|r| r == true).collect();
            let curve = curve(&golden::numbers(&case["times"]), &reached);
            let confidence = golden::number(&case["confidence"]);
            let band = curve.band(confidence);
            let (low, high) = (golden::numbers(&case["low"]), golden::numbers(&case["high"]));
            assert_eq!(band.len(), low.len());
            for (found, expected) in band.iter().zip(low.iter().zip(&high)) {
                golden::assert_close(found.low, *expected.0, 1e-10);
                golden::assert_close(found.high, *expected.1, 1e-10);
            }
            for quantile in case["quantiles"].as_array().unwrap() {
                let p = golden::number(&quantile["p"]);
                assert_eq!(curve.quantile(p), golden::number(&quantile["time"]), "{quantile}");
                let found = curve.quantile_interval(p, confidence);
                assert_eq!(found.low, golden::number(&quantile["low"]), "{quantile}");
                assert_eq!(found.high, golden::number(&quantile["high"]), "{quantile}");
            }
        }
    }

    #[test]
    fn the_median_is_the_quantile_of_a_half() {
        let never = curve(&[1.0, INF, 3.0, INF], &[true, false, true, false]);
        assert_eq!((never.quantile(0.5), never.quantile(0.51)), (3.0, INF));
        assert_eq!(never.quantile(0.5), never.median());
        assert_eq!(never.quantile_interval(0.5, 0.95).high, INF);
        let nobody = curve(&[], &[]);
        assert!(nobody.band(0.95).is_empty());
        assert_eq!(nobody.quantile_interval(0.5, 0.95), Interval::exact(INF));
    }

    #[test]
    fn where_nobody_is_left_the_band_goes_on() {
        let all = curve(&[1.0, 2.0, 3.0, 4.0], &[true; 4]);
        let band = all.band(0.95);
        assert_eq!(band[3], Interval { low: 0.0, high: band[2].high });
        assert_eq!(curve(&[2.0, 2.0], &[true; 2]).band(0.95), [Interval { low: 0.0, high: 1.0 }]);
        assert_eq!(all.quantile_interval(1.0, 0.95), Interval { low: 4.0, high: INF });
    }

    #[test]
    fn exponential_times_lie_in_the_band_as_often_as_it_says() {
        // 400 times 60 exponential times, a fifth of them cut at 1.6: at 1, exp(-1) is in the band
        // of 90 % in 360 +- 6 of them, and the median ln 2 in its interval.
        use rand::RngExt;
        let mut rng = crate::rng::Stream::new(6, 0, "test");
        let (mut share, mut median) = (0, 0);
        for _ in 0..400 {
            let times: Vec<f64> = (0..60).map(|_| -libm::log1p(-rng.random::<f64>())).collect();
            let reached: Vec<bool> = times.iter().map(|t| *t <= 1.6).collect();
            let cut: Vec<f64> = times.iter().map(|t| t.min(1.6)).collect();
            let curve = curve(&cut, &reached);
            let at = curve.steps.partition_point(|step| step.time <= 1.0) - 1;
            let ends = curve.band(0.9)[at];
            let law = libm::exp(-1.0);
            share += u32::from(ends.low <= law && law <= ends.high);
            let ends = curve.quantile_interval(0.5, 0.9);
            let law = std::f64::consts::LN_2;
            median += u32::from(ends.low <= law && law <= ends.high);
        }
        assert!((336..=384).contains(&share), "{share}");
        assert!((336..=388).contains(&median), "{median}");
    }
}
