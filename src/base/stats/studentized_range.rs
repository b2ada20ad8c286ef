//! The range of several standard normal variables: the studentised range at infinitely many
//! degrees of freedom (Tukey, 1953), which Nemenyi's test asks.

use super::normal;

/// Steps of the integral a standard deviation: the integrand is smooth and ends like a normal
/// density, so that the error of equal steps falls faster than any power of them.
const STEPS: f64 = 24.0;

/// Standard deviations beyond which a normal variable is not found (1e-17).
const END: f64 = 8.5;

/// The probability that the range of `variables` independent standard normal variables exceeds
/// `q`: `1 - k integral of phi(z) (Phi(z) - Phi(z - q))^(k-1) dz`, `z` being the largest.
///
/// Its absolute error is below 1e-13. Fewer than two variables, NaN and a negative `q` are refused
/// by assertion.
pub fn survival(variables: u32, q: f64) -> f64 {
    assert!(variables >= 2, "a range is of two variables or more");
    assert!(q >= 0.0, "a range is not negative, nor {q}");
    if q.is_infinite() {
        return 0.0;
    }
    let mut sum = 0.0;
    let mut step = -END * STEPS;
    while step <= END * STEPS {
        let z = step / STEPS;
        let density = libm::exp(-z * z / 2.0) / (2.0 * std::f64::consts::PI).sqrt();
        // From whichever tail loses no digits.
        let between = if z > 0.0 {
            normal::survival(z - q) - normal::survival(z)
        } else {
            normal::survival(-z) - normal::survival(q - z)
        };
        let others = f64::from(variables - 1);
        sum += density * libm::pow(between.max(0.0), others);
        step += 1.0;
    }
    (1.0 - f64::from(variables) * sum / STEPS).clamp(0.0, 1.0)
}

/// The range that is exceeded with probability `tail`, in (0, 1), by halving. Other tails are
/// refused by assertion.
pub fn quantile(variables: u32, tail: f64) -> f64 {
    assert!(tail > 0.0 && tail < 1.0, "a tail's probability is in (0, 1), not {tail}");
    let (mut low, mut high) = (0.0, 4.0 * END);
    // Beyond some 40 halvings only the integral's own error is left.
    for _ in 0..48 {
        let middle = f64::midpoint(low, high);
        if survival(variables, middle) > tail {
            low = middle;
        } else {
            high = middle;
        }
    }
    f64::midpoint(low, high)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::golden;

    #[test]
    fn probabilities_and_quantiles_are_scipys() {
        let cases = golden::cases("studentized_range");
        assert!(cases.len() >= 20);
        for case in cases {
            let number = |name: &str| golden::number(&case[name]);
            let variables = (2..100_u32).find(|k| f64::from(*k) == number("methods")).unwrap();
            let found = survival(variables, number("q"));
            assert!((found - number("survival")).abs() < 1e-9, "{found:e} {case}");
            if number("q") == 3.0 {
                let found = quantile(variables, 0.05);
                // scipy's own search ends there.
                assert!((found - number("quantile")).abs() < 1e-6, "{found} {case}");
            }
        }
    }

    #[test]
    fn of_two_variables_it_is_a_normal_difference() {
        // Their difference has a standard deviation of sqrt(2).
        for q in [0.0, 0.5, 2.77, 5.0] {
            let expected = normal::two_sided(q / std::f64::consts::SQRT_2);
            assert!((survival(2, q) - expected).abs() < 1e-13, "{q}");
        }
        let expected = normal::two_sided_quantile(0.05) * std::f64::consts::SQRT_2;
        assert!((quantile(2, 0.05) - expected).abs() < 1e-11);
        assert_eq!(survival(5, f64::INFINITY), 0.0);
    }
}
