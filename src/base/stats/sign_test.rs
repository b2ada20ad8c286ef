//! The sign test: do pairs go one way more often than a fair coin would?

#![expect(clippy::cast_precision_loss, reason = "counts of pairs are far below 2^53")]

use super::Test;

/// The exact two-sided sign test of paired values, infinity largest.
///
/// Equal pairs (infinity with infinity among them) are left out. The statistic is the number of
/// pairs whose first member is larger; its p-value is the binomial probability, at 1/2, of a count
/// at least as far from half. No pair left: p = 1. NaN is refused by assertion.
pub fn sign_test(pairs: &[(f64, f64)]) -> Test {
    assert!(pairs.iter().all(|(a, b)| !a.is_nan() && !b.is_nan()), "NaN has no order");
    let above = pairs.iter().filter(|(a, b)| a > b).count();
    let below = pairs.iter().filter(|(a, b)| a < b).count();
    let p_value = (2.0 * binomial_half_cdf(above + below, above.min(below))).min(1.0);
    Test { statistic: above as f64, p_value }
}

/// P(X <= k) for X binomial with `n` trials at 1/2. Each term comes from the one before it, the
/// largest from the logarithm, so that 2^-n may underflow without harm.
fn binomial_half_cdf(n: usize, k: usize) -> f64 {
    let log_choose = libm::lgamma(n as f64 + 1.0)
        - libm::lgamma(k as f64 + 1.0)
        - libm::lgamma((n - k) as f64 + 1.0);
    let mut term = libm::exp(log_choose - n as f64 * std::f64::consts::LN_2);
    let mut sum = term;
    for j in (1..=k).rev() {
        term *= j as f64 / (n - j + 1) as f64;
        sum += term;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::golden;

    #[test]
    fn p_values_are_scipys() {
        for case in golden::cases("sign_test") {
            let first = golden::numbers(&case["first"]);
            let second = golden::numbers(&case["second"]);
            let pairs: Vec<(f64, f64)> = first.into_iter().zip(second).collect();
            let found = sign_test(&pairs);
            assert_eq!(found.statistic, golden::number(&case["statistic"]));
            golden::assert_close(found.p_value, golden::number(&case["p_value"]), 1e-10);
        }
    }

    #[test]
    fn ties_alone_say_nothing() {
        let inf = f64::INFINITY;
        assert_eq!(sign_test(&[(inf, inf), (2.0, 2.0)]), Test { statistic: 0.0, p_value: 1.0 });
        assert_eq!(sign_test(&[]).p_value, 1.0);
        assert_eq!(sign_test(&[(inf, 1.0), (1.0, inf)]), Test { statistic: 1.0, p_value: 1.0 });
    }
}
