//! The log-rank test (Mantel, 1966): do two samples of times to a goal follow one distribution?

#![expect(clippy::cast_precision_loss, reason = "sample sizes are far below 2^53")]

use super::kaplan_meier::Observation;
use super::{Test, normal};

/// The two-sided log-rank test of two independent samples, some of whose times may be censored.
///
/// At each time `t` at which `d` of the `n` runs at risk reach the goal, `d n1 / n` of them are
/// expected in the first sample, with the hypergeometric variance
/// `d (n1 / n) (1 - n1 / n) (n - d) / (n - 1)`. The statistic is
/// `(observed - expected)^2 / variance`, chi-squared with one degree of freedom. Censored runs
/// count as at risk at the time at which they were cut, and a run at risk for ever has an infinite
/// time.
/// Nothing reached, or a sample empty: statistic 0, p = 1. A goal reached at infinity, a negative
/// time and NaN are refused by assertion.
pub fn log_rank(first: &[Observation], second: &[Observation]) -> Test {
    let of = |sample: &[Observation], is_first: bool| {
        sample.iter().map(|o| (o.time, o.reached, is_first)).collect::<Vec<_>>()
    };
    let mut all = [of(first, true), of(second, false)].concat();
    assert!(
        all.iter().all(|(time, reached, _)| *time >= 0.0 && (time.is_finite() || !reached)),
        "times are >= 0 and reached ones finite"
    );
    all.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut at_risk, mut first_at_risk) = (all.len(), first.len());
    let (mut difference, mut variance) = (0.0, 0.0);
    for same_time in all.chunk_by(|a, b| a.0 == b.0) {
        let reached = same_time.iter().filter(|o| o.1).count() as f64;
        let first_reached = same_time.iter().filter(|o| o.1 && o.2).count() as f64;
        let n = at_risk as f64;
        let share = first_at_risk as f64 / n;
        difference += first_reached - reached * share;
        if at_risk > 1 {
            variance += reached * share * (1.0 - share) * (n - reached) / (n - 1.0);
        }
        at_risk -= same_time.len();
        first_at_risk -= same_time.iter().filter(|o| o.2).count();
    }
    if variance <= 0.0 {
        return Test { statistic: 0.0, p_value: 1.0 };
    }
    let statistic = difference * difference / variance;
    Test { statistic, p_value: normal::two_sided(statistic.sqrt()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::golden;

    fn observations(times: &serde_json::Value, reached: &serde_json::Value) -> Vec<Observation> {
        let reached = reached.as_array().expect("a list").iter();
        let pairs = golden::numbers(times).into_iter().zip(reached);
        pairs.map(|(time, r)| Observation { time, reached: r == true }).collect()
    }

    #[test]
    fn statistics_and_p_values_are_lifelines() {
        for case in golden::cases("log_rank") {
            let found = log_rank(
                &observations(&case["first"], &case["first_reached"]),
                &observations(&case["second"], &case["second_reached"]),
            );
            golden::assert_close(found.statistic, golden::number(&case["statistic"]), 1e-11);
            golden::assert_close(found.p_value, golden::number(&case["p_value"]), 1e-10);
        }
    }

    #[test]
    fn nothing_reached_or_nobody_says_nothing() {
        let one = Test { statistic: 0.0, p_value: 1.0 };
        let never = Observation { time: f64::INFINITY, reached: false };
        assert_eq!(log_rank(&[never; 3], &[never; 2]), one);
        assert_eq!(log_rank(&[], &[Observation { time: 1.0, reached: true }]), one);
        assert_eq!(log_rank(&[], &[]), one);
    }
}
