//! Expected improvement of a normal prediction, for minimisation (Mockus 1975; Jones, Schonlau,
//! Welch 1998): `EI = s h(u)` with `u = (best - mean) / s` and `h(u) = u Phi(u) + phi(u)`.

use base::stats::normal;

/// `1 / sqrt(2 pi)`.
const DENSITY_AT_ZERO: f64 = 0.398_942_280_401_432_7;

/// Below this the two terms of `h` cancel: their sum is taken from the asymptotic series.
const SERIES_BELOW: f64 = -8.0;

/// Expected improvement below `best` of a normal variable with this mean and deviation (above 0).
///
/// Relative error below 1e-12 down to where the result leaves the normal range of f64; it
/// underflows to 0 at about u = -38.5. Not negative for any finite input.
pub fn expected_improvement(best: f64, mean: f64, deviation: f64) -> f64 {
    deviation * standard((best - mean) / deviation)
}

/// `h(u)`: the expected improvement of a standard normal variable below `u`.
fn standard(u: f64) -> f64 {
    let density = DENSITY_AT_ZERO * libm::exp(-0.5 * u * u);
    if u >= SERIES_BELOW {
        return u * normal::survival(-u) + density;
    }
    density * tail(u)
}

/// `h(u) / phi(u)` below [`SERIES_BELOW`].
fn tail(u: f64) -> f64 {
    // h(u) = phi(u) (1/u^2 - 3/u^4 + 15/u^6 - ...), alternating: cut off at the smallest term,
    // which is below e^-32 of the first.
    let inverse = 1.0 / (u * u);
    let (mut term, mut sum, mut odd): (f64, f64, f64) = (inverse, 0.0, 1.0);
    while term.abs() > sum.abs() * 1e-17 {
        sum += term;
        odd += 2.0;
        if odd * inverse >= 1.0 {
            break;
        }
        term *= -odd * inverse;
    }
    sum
}

/// The logarithm of [`expected_improvement`], which goes on where that has underflowed to 0.
/// Minus infinity only where even the mean's distance in deviations overflows.
pub fn log_expected_improvement(best: f64, mean: f64, deviation: f64) -> f64 {
    let u = (best - mean) / deviation;
    let log_standard = if u >= SERIES_BELOW {
        libm::log(standard(u))
    } else {
        -0.5 * u * u + libm::log(DENSITY_AT_ZERO) + libm::log(tail(u))
    };
    libm::log(deviation) + log_standard
}

/// Steps of the table of bounds in one unit of `u`.
const STEPS: f64 = 64.0;

/// From here down to minus infinity one bound serves.
const TABLE_FROM: f64 = -39.0;

/// Room for the rounding of `h` itself, which is below 1e-12.
const SLACK: f64 = 1e-9;

/// Bounds of `h`, so that a search for the largest expected improvement need not evaluate it
/// everywhere. `h` increases, so its values at the two ends of a step bound it.
#[derive(Debug, Clone)]
pub struct Bounds {
    /// `h(TABLE_FROM + i / STEPS)`.
    table: Vec<f64>,
}

impl Bounds {
    /// Computes the table, 2,498 values.
    #[expect(clippy::new_without_default, reason = "not a cheap constructor")]
    pub fn new() -> Self {
        let mut table = Vec::new();
        let mut step = 0.0;
        while TABLE_FROM + step / STEPS <= 1.0 / STEPS {
            table.push(standard(TABLE_FROM + step / STEPS));
            step += 1.0;
        }
        Self { table }
    }

    /// A lower and an upper bound of what [`expected_improvement`] returns. Means below `best`
    /// have no table: an average of observed losses never is. Their bounds are 0 and infinity.
    #[inline]
    pub fn of(&self, best: f64, mean: f64, deviation: f64) -> (f64, f64) {
        let u = (best - mean) / deviation;
        if u > 0.0 {
            return (0.0, f64::INFINITY);
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 2,496")]
        let at = ((u.max(TABLE_FROM) - TABLE_FROM) * STEPS) as usize;
        // Below the table's first value h is between 0 and that value.
        let low = if at == 0 { 0.0 } else { self.table[at] };
        (deviation * low * (1.0 - SLACK), deviation * self.table[at + 1] * (1.0 + SLACK))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    const GOLDEN: &str = include_str!("../../../tests/golden/rf-ei/expected_improvement.json");

    #[test]
    fn values_are_those_of_scipy_and_of_fifty_digits() {
        let cases: Vec<Value> = serde_json::from_str(GOLDEN).expect("the golden file is JSON");
        assert!(cases.len() > 300);
        for case in cases {
            let number = |name: &str| case[name].as_f64().expect("a number");
            let (best, mean, deviation) = (number("best"), number("mean"), number("deviation"));
            let found = expected_improvement(best, mean, deviation);
            // The tolerance is relative; what is below 1e-290 may have lost digits to underflow.
            let expected = number("value");
            let allowed = 1e-12 * expected.abs() + 1e-300;
            assert!((found - expected).abs() <= allowed, "{case}: found {found:e}");
        }
    }

    #[test]
    fn the_worked_example_of_the_design() {
        // best .10, m .12, v .0009: sigma .0301, EI .00456556.
        let found = expected_improvement(0.10, 0.12, 0.0301);
        assert!((found - 0.004_565_56).abs() < 5e-9, "{found}");
    }

    #[test]
    fn far_tails_underflow_to_zero_and_never_below() {
        for u in [-38.0, -38.6, -40.0, -1e6, -1e300] {
            let found = expected_improvement(0.0, -u, 1.0);
            assert!((0.0..1e-300).contains(&found), "{u}: {found:e}");
        }
        assert_eq!(expected_improvement(0.0, 39.0, 1.0), 0.0);
        assert_eq!(expected_improvement(5.0, 1.0, 1e-3), 4.0);
    }

    #[test]
    fn logarithms_go_on_where_values_underflow() {
        for case in serde_json::from_str::<Vec<Value>>(GOLDEN).expect("the golden file is JSON") {
            let number = |name: &str| case[name].as_f64().expect("a number");
            let (best, mean, deviation) = (number("best"), number("mean"), number("deviation"));
            let (found, expected) =
                (log_expected_improvement(best, mean, deviation), number("value"));
            if expected > 1e-290 {
                let expected = libm::log(expected);
                assert!((found - expected).abs() <= 1e-12 * expected.abs().max(1.0), "{case}");
            }
        }
        // ln h(-100) is -5009.419... : -5000 - ln sqrt(2 pi) - 2 ln 100 - 3e-4.
        let found = log_expected_improvement(0.0, 100.0, 1.0);
        let expected = -5_000.0 - 0.918_938_533_204_672_8 - 9.210_340_371_976_184 - 3e-4;
        assert!((found - expected).abs() < 1e-6, "{found}");
        let falls = [1e3, 1e5, 1e150].map(|mean| log_expected_improvement(0.0, mean, 1.0));
        assert!(falls.is_sorted_by(|a, b| a > b), "{falls:?}");
    }

    #[test]
    fn bounds_hold_and_are_tight() {
        let bounds = Bounds::new();
        for step in 0..40_000_u32 {
            let mean = f64::from(step) / 1000.0;
            let exact = expected_improvement(0.5, 0.5 + mean * 0.3, 0.3);
            let (low, high) = bounds.of(0.5, 0.5 + mean * 0.3, 0.3);
            assert!(low <= exact && exact <= high, "{mean}: {low:e} {exact:e} {high:e}");
            assert!(mean > 5.0 || high <= low * 1.12, "{mean}: {low:e} {high:e}");
        }
        assert_eq!(bounds.of(1.0, 0.0, 0.1), (0.0, f64::INFINITY));
    }
}
