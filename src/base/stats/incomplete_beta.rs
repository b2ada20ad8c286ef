//! The regularised incomplete beta function: the distribution of order statistics, of binomial
//! counts and of F ratios.

use std::f64::consts::PI;

/// Of the continued fraction: it takes about as many steps as the square root of the larger
/// parameter, so this is far beyond what any sample needs.
const STEPS_MAX: u32 = 1_000_000;

/// The probabilities below and above `x` of a beta variable with parameters `a` and `b`:
/// `I_x(a, b)` and `1 - I_x(a, b)`, each as accurate as the other where it is small.
///
/// By the continued fraction of the function (DLMF 8.17.22, evaluated as Lentz does, 1976), whose
/// factor in front is a binomial density in Loader's saddle-point form (2000), so that nothing
/// cancels at large parameters. `x` outside [0, 1] and parameters that are not positive and finite
/// are refused by assertion.
pub fn tails(a: f64, b: f64, x: f64) -> (f64, f64) {
    assert!(a > 0.0 && b > 0.0 && a.is_finite() && b.is_finite(), "beta({a}, {b})");
    assert!((0.0..=1.0).contains(&x), "a beta variable is in [0, 1], not {x}");
    if x == 0.0 || x == 1.0 {
        return (x, 1.0 - x);
    }
    let front = density_front(a, b, x);
    if x < (a + 1.0) / (a + b + 2.0) {
        let below = (front / a * fraction(a, b, x)).min(1.0);
        (below, 1.0 - below)
    } else {
        let above = (front / b * fraction(b, a, 1.0 - x)).min(1.0);
        (1.0 - above, above)
    }
}

/// The `x` below which a beta variable is with probability `p`, by halving until two neighbouring
/// numbers are left. `p` outside [0, 1] is refused by assertion.
pub fn quantile(a: f64, b: f64, p: f64) -> f64 {
    assert!((0.0..=1.0).contains(&p), "a probability is in [0, 1], not {p}");
    if p == 0.0 || p == 1.0 {
        return p;
    }
    let (mut low, mut high) = (0.0, 1.0);
    loop {
        let middle = f64::midpoint(low, high);
        if middle <= low || middle >= high || high < f64::MIN_POSITIVE {
            return middle;
        }
        let (below, above) = tails(a, b, middle);
        let is_short = if p <= 0.5 { below < p } else { above > 1.0 - p };
        if is_short {
            low = middle;
        } else {
            high = middle;
        }
    }
}

/// The probability that at least `k` of `n` independent trials succeed, each with probability `p`.
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
pub fn binomial_at_least(k: usize, n: usize, p: f64) -> f64 {
    if k == 0 {
        return 1.0;
    }
    if k > n { 0.0 } else { tails(k as f64, (n - k) as f64 + 1.0, p).0 }
}

/// The logarithm of the probability that exactly `k` of `n` trials succeed, each with `p` in
/// (0, 1); `k` and `n` need not be whole.
pub(super) fn ln_binomial(k: f64, n: f64, p: f64) -> f64 {
    let q = 1.0 - p;
    if k == 0.0 {
        return n * libm::log1p(-p);
    }
    if k == n {
        return n * libm::log(p);
    }
    let correction = stirling_error(n) - stirling_error(k) - stirling_error(n - k);
    let spread = libm::log(n / (2.0 * PI * k * (n - k))) / 2.0;
    spread + correction - deviance(k, n * p) - deviance(n - k, n * q)
}

/// x^a (1 - x)^b / B(a, b).
fn density_front(a: f64, b: f64, x: f64) -> f64 {
    a * b / (a + b) * libm::exp(ln_binomial(a, a + b, x))
}

/// The continued fraction, which converges fast for x below the mean.
fn fraction(a: f64, b: f64, x: f64) -> f64 {
    const TINY: f64 = 1e-300;
    let kept = |v: f64| if v.abs() < TINY { TINY } else { v };
    let mut d = 1.0 / kept(1.0 - (a + b) * x / (a + 1.0));
    let mut c = 1.0;
    let mut found = d;
    for step in 1..STEPS_MAX {
        let m = f64::from(step);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        d = 1.0 / kept(1.0 + even * d);
        c = kept(1.0 + even / c);
        found *= d * c;
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        d = 1.0 / kept(1.0 + odd * d);
        c = kept(1.0 + odd / c);
        let factor = d * c;
        found *= factor;
        if (factor - 1.0).abs() < 1e-16 {
            break;
        }
    }
    found
}

/// ln(z!) less Stirling's formula for it.
fn stirling_error(z: f64) -> f64 {
    if z < 16.0 {
        let stirling = (z + 0.5) * libm::log(z) - z + libm::log(2.0 * PI) / 2.0;
        return libm::lgamma(z + 1.0) - stirling;
    }
    let square = z * z;
    let last = 1.0 / 1680.0 - 1.0 / (1188.0 * square);
    (1.0 / 12.0 - (1.0 / 360.0 - (1.0 / 1260.0 - last / square) / square) / square) / z
}

/// k ln(k / mean) + mean - k, by its series where the two are near and the sum would cancel.
fn deviance(k: f64, mean: f64) -> f64 {
    if (k - mean).abs() >= 0.1 * (k + mean) {
        return k * libm::log(k / mean) + mean - k;
    }
    let v = (k - mean) / (k + mean);
    let mut sum = (k - mean) * v;
    let mut term = 2.0 * k * v;
    let mut odd = 1.0;
    loop {
        term *= v * v;
        odd += 2.0;
        let longer = sum + term / odd;
        if longer == sum {
            return sum;
        }
        sum = longer;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::golden;

    #[test]
    fn probabilities_are_scipys_at_both_tails() {
        let cases = golden::cases("incomplete_beta");
        assert!(cases.len() >= 20);
        for case in cases {
            let number = |name: &str| golden::number(&case[name]);
            let (below, above) = tails(number("a"), number("b"), number("x"));
            for (found, expected) in [(below, number("below")), (above, number("above"))] {
                let error = (found - expected).abs();
                // scipy is 5e-11 off at (10, 500000), where mpmath has 0.580956291604863, as here.
                assert!(error <= 1e-10 * expected + 1e-300, "{found:e} {expected:e} {case}");
            }
        }
    }

    #[test]
    fn a_lopsided_one_is_mpmaths() {
        let (below, _) = tails(10.0, 500_000.0, 0.000_020_632_035_934_418_925);
        golden::assert_close(below, 0.580_956_291_604_863, 1e-14);
    }

    #[test]
    fn quantiles_undo_the_probabilities() {
        for (a, b) in [(1.0, 1.0), (1.0, 500.0), (3.5, 2.5), (2e5, 3e5)] {
            for p in [1e-9, 0.025, 0.5, 0.9, 1.0 - 1e-9] {
                let x = quantile(a, b, p);
                let (below, above) = tails(a, b, x);
                assert!((below - p).abs() < 1e-9 * p, "{a} {b} {p}");
                assert!((above - (1.0 - p)).abs() < 1e-6 * (1.0 - p), "{a} {b} {p}");
            }
            assert_eq!((quantile(a, b, 0.0), quantile(a, b, 1.0)), (0.0, 1.0));
        }
        // Uniform, and the smallest of 500 uniform ones: 1 - (1 - x)^500 = p.
        golden::assert_close(quantile(1.0, 1.0, 0.3), 0.3, 1e-15);
        let smallest = -libm::expm1(libm::log(0.7) / 500.0);
        golden::assert_close(quantile(1.0, 500.0, 0.3), smallest, 1e-13);
    }

    #[test]
    fn binomial_counts_add_up() {
        // 1 + 4 + 6 ways of 16.
        golden::assert_close(binomial_at_least(2, 4, 0.5), 11.0 / 16.0, 1e-15);
        assert_eq!(binomial_at_least(0, 4, 0.5), 1.0);
        assert_eq!(binomial_at_least(5, 4, 0.5), 0.0);
        golden::assert_close(binomial_at_least(4, 4, 0.5), 1.0 / 16.0, 1e-15);
        let terms: f64 = (0..=30).map(|k| libm::exp(ln_binomial(f64::from(k), 30.0, 0.3))).sum();
        golden::assert_close(terms, 1.0, 1e-13);
    }
}
