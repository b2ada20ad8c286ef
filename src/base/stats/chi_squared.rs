//! The chi-squared and the F distribution.

use super::incomplete_beta::tails;

/// The probability that a chi-squared variable with a whole number of `degrees` of freedom exceeds
/// `x`.
///
/// By the closed form of the upper incomplete gamma function at whole and half-whole parameters:
/// `exp(-x/2)` times a sum of `degrees / 2` terms, after `erfc(sqrt(x/2))` where `degrees` is odd.
/// No degree of freedom, and `x` that is negative or NaN, are refused by assertion.
pub fn survival(degrees: u32, x: f64) -> f64 {
    assert!(degrees > 0, "a chi-squared variable has a degree of freedom");
    assert!(x >= 0.0, "a sum of squares is not negative, nor {x}");
    if x.is_infinite() {
        return 0.0;
    }
    let half = x / 2.0;
    let is_odd = degrees % 2 == 1;
    // Q(a + 1) = Q(a) + half^a exp(-half) / Gamma(a + 1), from a = 1/2 or from a = 0 with Q = 0.
    let (mut sum, mut a) = if is_odd { (libm::erfc(half.sqrt()), 0.5) } else { (0.0, 0.0) };
    let mut term = if is_odd {
        2.0 * (half / std::f64::consts::PI).sqrt() * libm::exp(-half)
    } else {
        libm::exp(-half)
    };
    for _ in 0..degrees / 2 {
        sum += term;
        a += 1.0;
        term *= half / a;
    }
    sum.min(1.0)
}

/// The probability that an F variable with `above` and `below` degrees of freedom exceeds `f`.
/// Degrees that are not positive, and `f` that is negative or NaN, are refused by assertion.
pub fn f_survival(above: f64, below: f64, f: f64) -> f64 {
    assert!(f >= 0.0, "a ratio of squares is not negative, nor {f}");
    if f.is_infinite() {
        return 0.0;
    }
    tails(below / 2.0, above / 2.0, below / (below + above * f)).0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::golden;

    #[test]
    fn probabilities_are_scipys() {
        let cases = golden::cases("chi_squared");
        assert!(cases.len() >= 20);
        for case in cases {
            let number = |name: &str| golden::number(&case[name]);
            let degrees = (1..100_u32).find(|d| f64::from(*d) == number("degrees")).unwrap();
            let found = survival(degrees, number("x"));
            let expected = number("survival");
            assert!((found - expected).abs() <= 1e-12 * expected, "{found:e} {expected:e} {case}");
        }
    }

    #[test]
    fn two_degrees_are_exponential_and_ends_are_certain() {
        golden::assert_close(survival(2, 3.0), libm::exp(-1.5), 1e-15);
        assert_eq!((survival(3, 0.0), survival(3, f64::INFINITY)), (1.0, 0.0));
        assert_eq!((f_survival(3.0, 9.0, 0.0), f_survival(3.0, 9.0, f64::INFINITY)), (1.0, 0.0));
        // With two degrees above, (1 + 2 f / b)^(-b / 2).
        golden::assert_close(
            f_survival(2.0, 8.0, 1.5),
            1.0 / (1.375 * 1.375 * 1.375 * 1.375),
            1e-13,
        );
    }
}
