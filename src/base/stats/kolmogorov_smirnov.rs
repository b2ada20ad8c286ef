//! The two-sample Kolmogorov-Smirnov test.

#![expect(clippy::cast_precision_loss, reason = "sample sizes are far below 2^53")]

use super::Test;
use super::quantile::sorted;

/// Beyond this many cells the lattice of the exact probability gives way to the limit law.
const EXACT_CELLS_MAX: usize = 20_000_000;

/// The two-sided test of equal distributions; infinity is a value like any other.
///
/// The statistic D is the largest distance between the two empirical distribution functions, at
/// steps that equal values take together. The p-value is P(D' >= D) over all orders without ties,
/// summed exactly by counting lattice paths (Hodges, 1957); for very large samples Kolmogorov's
/// limit. `None` where a sample is empty. NaN is refused by assertion.
pub fn kolmogorov_smirnov(first: &[f64], second: &[f64]) -> Option<Test> {
    if first.is_empty() || second.is_empty() {
        return None;
    }
    let (n, m) = (first.len(), second.len());
    let distance = distance_scaled(&sorted(first), &sorted(second));
    let statistic = distance as f64 / (n * m) as f64;
    let p_value = if n * m <= EXACT_CELLS_MAX {
        exact_p_value(n, m, distance)
    } else {
        let (n, m) = (n as f64, m as f64);
        limit_survival((n * m / (n + m)).sqrt() * statistic)
    };
    Some(Test { statistic, p_value })
}

/// n m D as an integer, so that no comparison of it can err.
fn distance_scaled(first: &[f64], second: &[f64]) -> usize {
    let (n, m) = (first.len(), second.len());
    let (mut i, mut j, mut largest) = (0, 0, 0);
    while i < n && j < m {
        let value = first[i].min(second[j]);
        i += first[i..].iter().take_while(|v| **v == value).count();
        j += second[j..].iter().take_while(|v| **v == value).count();
        largest = largest.max((i * m).abs_diff(j * n));
    }
    largest
}

/// The probability that a random lattice path from (0, 0) to (n, m) meets a point with
/// |i m - j n| >= distance. Sums of positive terms alone: small p-values keep their digits.
fn exact_p_value(n: usize, m: usize, distance: usize) -> f64 {
    let outside = |i: usize, j: usize| (i * m).abs_diff(j * n) >= distance;
    let mut column = vec![0.0; m + 1];
    for i in 0..=n {
        for j in 0..=m {
            column[j] = if outside(i, j) {
                1.0
            } else if i + j == 0 {
                0.0
            } else {
                // The step into (i, j) came along i with probability i / (i + j).
                let all = (i + j) as f64;
                let left = if i > 0 { column[j] } else { 0.0 };
                let below = if j > 0 { column[j - 1] } else { 0.0 };
                i as f64 / all * left + j as f64 / all * below
            };
        }
    }
    column[m]
}

/// 1 - K(x), Kolmogorov's limit law: 2 sum (-1)^(k-1) exp(-2 k^2 x^2); for small x the dual series,
/// which converges there.
pub fn limit_survival(x: f64) -> f64 {
    use std::f64::consts::PI;
    if x <= 0.0 {
        return 1.0;
    }
    if x < 0.82 {
        let sum: f64 = (0..20_u32)
            .map(|k| f64::from(2 * k + 1) * PI / x)
            .map(|odd| libm::exp(-odd * odd / 8.0))
            .sum();
        return 1.0 - (2.0 * PI).sqrt() / x * sum;
    }
    let sum: f64 = (1..=20_u32)
        .map(|k| {
            let term = libm::exp(-2.0 * f64::from(k * k) * x * x);
            if k % 2 == 1 { term } else { -term }
        })
        .sum();
    (2.0 * sum).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::golden;

    #[test]
    fn statistics_and_exact_p_values_are_scipys() {
        for case in golden::cases("kolmogorov_smirnov") {
            let first = golden::numbers(&case["first"]);
            let second = golden::numbers(&case["second"]);
            let found = kolmogorov_smirnov(&first, &second).expect("values");
            golden::assert_close(found.statistic, golden::number(&case["statistic"]), 1e-14);
            golden::assert_close(found.p_value, golden::number(&case["p_value"]), 1e-10);
        }
    }

    #[test]
    fn the_limit_law_is_scipys() {
        for case in golden::cases("kolmogorov_limit") {
            let x = golden::number(&case["x"]);
            golden::assert_close(limit_survival(x), golden::number(&case["survival"]), 1e-12);
        }
    }

    #[test]
    fn large_samples_take_the_limit_and_equal_samples_give_one() {
        let many: Vec<f64> = (0..6_000).map(f64::from).collect();
        let found = kolmogorov_smirnov(&many, &many).expect("values");
        assert_eq!(found, Test { statistic: 0.0, p_value: 1.0 });
        let shifted: Vec<f64> = many.iter().map(|v| v + 150.5).collect();
        let found = kolmogorov_smirnov(&many, &shifted).expect("values");
        let x = 3000_f64.sqrt() * found.statistic;
        assert!(found.statistic == 151.0 / 6_000.0 && found.p_value == limit_survival(x));
        assert_eq!(kolmogorov_smirnov(&[], &many), None);
    }
}
