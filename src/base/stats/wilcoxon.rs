//! The Wilcoxon signed-rank test (1945), with infinity as the largest value.

#![expect(clippy::cast_precision_loss, reason = "sample sizes are far below 2^53")]

use super::ranks::midranks;
use super::{Test, normal};

/// Up to this many pairs the distribution is summed exactly: 2^50 sign patterns still count exactly
/// in f64.
const EXACT_PAIRS_MAX: usize = 50;

/// The two-sided signed-rank test of paired values.
///
/// A pair's difference is first - second, where infinity - infinity = 0 (both never: a tie) and
/// infinity - finite is larger than every finite difference. Zero differences are left out
/// (Wilcoxon's own way, scipy's `zero_method="wilcox"`). The statistic is min(R+, R-). Exact for up
/// to 50 pairs without ties; otherwise normal with the variance corrected for ties and a continuity
/// correction of 1/2 (scipy's `method="asymptotic", correction=True`). No pair left: p = 1.
/// NaN is refused by assertion.
pub fn wilcoxon(pairs: &[(f64, f64)]) -> Test {
    assert!(pairs.iter().all(|(a, b)| !a.is_nan() && !b.is_nan()), "NaN has no order");
    let differences: Vec<f64> = pairs.iter().filter(|(a, b)| a != b).map(|(a, b)| a - b).collect();
    let n = differences.len();
    if n == 0 {
        return Test { statistic: 0.0, p_value: 1.0 };
    }
    let sizes: Vec<f64> = differences.iter().map(|d| d.abs()).collect();
    let ranked = midranks(&sizes);
    let plus: f64 =
        differences.iter().zip(&ranked.ranks).filter(|(d, _)| **d > 0.0).map(|(_, r)| r).sum();
    let count = n as f64;
    let total = count * (count + 1.0) / 2.0;
    let statistic = plus.min(total - plus);
    let p_value = if n <= EXACT_PAIRS_MAX && ranked.tie_term == 0.0 {
        exact_p_value(n, statistic)
    } else {
        let variance = (count * (count + 1.0) * (2.0 * count + 1.0) - ranked.tie_term / 2.0) / 24.0;
        // The statistic never exceeds its mean, so the correction always moves it up, not past it.
        let distance = (total / 2.0 - statistic - 0.5).max(0.0);
        normal::two_sided(distance / variance.sqrt())
    };
    Test { statistic, p_value }
}

/// Twice P(R+ <= statistic) over all sign patterns of the ranks 1..=n.
fn exact_p_value(n: usize, statistic: f64) -> f64 {
    let total = n * (n + 1) / 2;
    let mut patterns = vec![0.0; total + 1];
    patterns[0] = 1.0;
    for rank in 1..=n {
        for sum in (rank..=total).rev() {
            patterns[sum] += patterns[sum - rank];
        }
    }
    let within: f64 =
        patterns.iter().enumerate().filter(|(s, _)| *s as f64 <= statistic).map(|(_, c)| c).sum();
    let all: f64 = patterns.iter().sum();
    (2.0 * within / all).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::golden;

    #[test]
    fn statistics_and_p_values_are_scipys() {
        // Infinities stand as 1e6 and more in what scipy saw: only their rank matters.
        for case in golden::cases("wilcoxon") {
            let first = golden::numbers(&case["first"]);
            let second = golden::numbers(&case["second"]);
            let pairs: Vec<(f64, f64)> = first.into_iter().zip(second).collect();
            let found = wilcoxon(&pairs);
            assert_eq!(found.statistic, golden::number(&case["statistic"]));
            golden::assert_close(found.p_value, golden::number(&case["p_value"]), 1e-12);
        }
    }

    #[test]
    fn never_against_never_is_a_tie_and_never_is_largest() {
        let inf = f64::INFINITY;
        assert_eq!(wilcoxon(&[(inf, inf), (inf, inf)]).p_value, 1.0);
        // The infinite difference has rank 3 against 1 + 2.
        assert_eq!(wilcoxon(&[(inf, 5.0), (1.0, 9.0), (1.0, 100.0)]).statistic, 3.0);
        assert_eq!(wilcoxon(&[(5.0, inf), (9.0, 1.0), (2.0, 1.0)]).statistic, 3.0);
    }

    #[test]
    fn tied_differences_in_balance_give_one() {
        let found = wilcoxon(&[(1.0, 2.0), (2.0, 1.0)]);
        assert_eq!(found, Test { statistic: 1.5, p_value: 1.0 });
    }
}
