//! The Mann-Whitney U test (1947) of two independent samples.

#![expect(clippy::cast_precision_loss, reason = "sample sizes are far below 2^53")]

use super::ranks::midranks;
use super::{Test, normal};

/// The exact distribution is summed when the smaller sample has at most this many values (scipy's
/// rule) ...
const EXACT_SMALLER_MAX: usize = 8;
/// ... and the larger at most this many: past it the normal approximation is as good and cheaper.
const EXACT_LARGER_MAX: usize = 200;

/// The two-sided U test; infinity is the largest value and ties with itself.
///
/// The statistic is U of the first sample: the pairs it wins, ties counting half. Exact without
/// ties for small samples; otherwise normal with the variance corrected for ties and a continuity
/// correction of 1/2, as scipy's. `None` where a sample is empty. Values that are all equal:
/// p = 1. NaN is refused by assertion.
pub fn mann_whitney(first: &[f64], second: &[f64]) -> Option<Test> {
    if first.is_empty() || second.is_empty() {
        return None;
    }
    let (n, m) = (first.len(), second.len());
    let ranked = midranks(&[first, second].concat());
    let rank_sum: f64 = ranked.ranks[..n].iter().sum();
    let statistic = rank_sum - (n * (n + 1)) as f64 / 2.0;
    let product = (n * m) as f64;
    let larger = statistic.max(product - statistic);
    let small = n.min(m) <= EXACT_SMALLER_MAX && n.max(m) <= EXACT_LARGER_MAX;
    let p_value = if small && ranked.tie_term == 0.0 {
        exact_p_value(n.min(m), n.max(m), larger)
    } else {
        let all = (n + m) as f64;
        let variance = product / 12.0 * (all + 1.0 - ranked.tie_term / (all * (all - 1.0)));
        if variance <= 0.0 {
            1.0
        } else {
            // Below 0 only where U is its mean: then p is 1, as scipy cuts it.
            normal::two_sided((larger - product / 2.0 - 0.5).max(0.0) / variance.sqrt())
        }
    };
    Some(Test { statistic, p_value })
}

/// Twice P(U >= larger) for samples of `n` and `m`, all orders equally likely.
fn exact_p_value(n: usize, m: usize, larger: f64) -> f64 {
    // ways[i][u]: the orders of i values of the first sample among j of the second with U = u.
    // The last value is either the second's, which leaves u, or the first's, which beats all j.
    let mut ways = vec![vec![0.0; n * m + 1]; n + 1];
    for row in &mut ways {
        row[0] = 1.0;
    }
    for j in 1..=m {
        for i in 1..=n {
            let (before, rest) = ways.split_at_mut(i);
            let (fewer, here) = (&before[i - 1], &mut rest[0]);
            for u in j..=i * j {
                here[u] += fewer[u - j];
            }
        }
    }
    let all: f64 = ways[n].iter().sum();
    let beyond: f64 =
        ways[n].iter().enumerate().filter(|(u, _)| *u as f64 >= larger).map(|(_, w)| w).sum();
    (2.0 * beyond / all).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::golden;

    #[test]
    fn statistics_and_p_values_are_scipys() {
        for case in golden::cases("mann_whitney") {
            let first = golden::numbers(&case["first"]);
            let second = golden::numbers(&case["second"]);
            let found = mann_whitney(&first, &second).expect("values");
            assert_eq!(found.statistic, golden::number(&case["statistic"]));
            golden::assert_close(found.p_value, golden::number(&case["p_value"]), 1e-12);
        }
    }

    #[test]
    fn edges() {
        let inf = f64::INFINITY;
        assert_eq!(mann_whitney(&[], &[1.0]), None);
        let all_never = mann_whitney(&[inf, inf], &[inf]).expect("values");
        assert_eq!(all_never, Test { statistic: 1.0, p_value: 1.0 });
    }
}
