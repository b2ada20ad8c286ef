//! exp, expm1, tanh and the logistic function in plain f32 arithmetic.
//!
//! No branches and no tables, so that a compiler turns a loop over them into vector code: `libm`
//! takes some 10 ns a value, more than the convolution that made it. Only additions, products and
//! one division a value, in one order: the same bits on every machine.
//!
//! exp(x) = 2^n exp(r) with n the integer next to x / ln 2 and |r| <= ln 2 / 2, where the Taylor
//! series of expm1 to the seventh power errs by 2e-8 relatively.
//!
//! Tolerance: `3e-7 |reference|`, 5 units in the last place, and for exp 1e-37 where numbers end.

/// Adding and subtracting it rounds to an integer, which then stands in the low bits.
const ROUNDER: f32 = 12_582_912.0;
/// ln 2 in two parts: the first has so few bits that its products with n are exact.
const LN_2_HIGH: f32 = 0.693_359_4;
const LN_2_LOW: f32 = -2.121_944_4e-4;
/// Below this exp(x) is 0 to any sum that it joins, and above denormal numbers.
const LEAST: f32 = -87.0;

/// 2^n and expm1(r) with x = n ln 2 + r, for x in `LEAST`..0 or NaN.
#[inline]
fn split(x: f32) -> (f32, f32) {
    let x = if x < LEAST { LEAST } else { x };
    let shifted = x * std::f32::consts::LOG2_E + ROUNDER;
    let n = shifted - ROUNDER;
    let power = f32::from_bits((shifted.to_bits() << 23).wrapping_add(1.0_f32.to_bits()));
    let r = (x - n * LN_2_HIGH) - n * LN_2_LOW;
    let series = 1.0 / 720.0 + r * (1.0 / 5_040.0);
    let series = 1.0 / 6.0 + r * (1.0 / 24.0 + r * (1.0 / 120.0 + r * series));
    (power, r + r * r * (0.5 + r * series))
}

/// exp(x) for x <= 0; NaN stays NaN.
#[inline]
fn exp_negative(x: f32) -> f32 {
    let (power, series) = split(x);
    power + power * series
}

/// exp(x) - 1 for x <= 0; NaN stays NaN.
#[inline]
pub(crate) fn expm1_negative(x: f32) -> f32 {
    let (power, series) = split(x);
    (power - 1.0) + power * series
}

/// tanh(x) = -e / (e + 2) with e = expm1(-2 |x|), and the sign of x.
#[inline]
pub(crate) fn tanh(x: f32) -> f32 {
    let e = expm1_negative(-2.0 * x.abs());
    (-e / (e + 2.0)).copysign(x)
}

/// 1 / (1 + exp(-x)), by the exponential of -|x|.
#[inline]
pub(crate) fn logistic(x: f32) -> f32 {
    let e = exp_negative(-x.abs());
    let numerator = if x < 0.0 { e } else { 1.0 };
    numerator / (1.0 + e)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every thousandth-or-so number from 1e-30 to 120, both signs.
    fn numbers() -> impl Iterator<Item = f32> {
        let (low, high) = (1e-30_f32.to_bits(), 120.0_f32.to_bits());
        (low..high).step_by(1_009).flat_map(|bits| [f32::from_bits(bits), -f32::from_bits(bits)])
    }

    fn check(what: &str, x: f32, found: f32, expected: f64) {
        let error = (f64::from(found) - expected).abs();
        assert!(error <= 3e-7 * expected.abs() + 1e-37, "{what}({x}): {found}, {expected}");
    }

    #[test]
    fn all_agree_with_libm_in_f64() {
        for x in numbers() {
            let wide = f64::from(x);
            check("tanh", x, tanh(x), libm::tanh(wide));
            check("logistic", x, logistic(x), 1.0 / (1.0 + libm::exp(-wide)));
            if x < 0.0 {
                check("expm1", x, expm1_negative(x), libm::expm1(wide));
                check("exp", x, exp_negative(x), libm::exp(wide));
            }
        }
    }

    #[test]
    fn ends_zeros_and_nan() {
        assert_eq!((tanh(f32::INFINITY), tanh(f32::NEG_INFINITY)), (1.0, -1.0));
        assert_eq!(logistic(f32::INFINITY), 1.0);
        assert!(logistic(f32::NEG_INFINITY) < 1e-37);
        assert_eq!((expm1_negative(f32::NEG_INFINITY), expm1_negative(0.0)), (-1.0, 0.0));
        assert_eq!((tanh(0.0).to_bits(), tanh(-0.0).to_bits()), (0, (-0.0_f32).to_bits()));
        for function in [tanh, logistic, expm1_negative] {
            assert!(function(f32::NAN).is_nan());
        }
    }
}
