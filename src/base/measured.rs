//! Nothing among numbers: how a column of floats says that an epoch was not measured.
//!
//! Tables tell null (not measured) from NaN (training had diverged), and both are kept from file
//! to rule. Columns stay plain floats: null is one NaN out of many, which no arithmetic makes. A
//! sum or a product with it is some NaN or other, so whoever computes asks [`is_measured`] first.

/// Stands where nothing was measured: a quiet NaN whose payload spells `null`.
pub const NOT_MEASURED: f64 = f64::from_bits(0x7ff8_0000_6e75_6c6c);

/// Whether an epoch was measured: true of every number, and of the NaN of a training that had
/// diverged.
#[inline]
pub const fn is_measured(value: f64) -> bool {
    value.to_bits() != NOT_MEASURED.to_bits()
}

/// Whether an epoch was measured and came to no number: NaN or an infinity.
#[inline]
pub const fn is_diverged(value: f64) -> bool {
    is_measured(value) && !value.is_finite()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn null_is_a_nan_that_no_arithmetic_makes() {
        assert!(NOT_MEASURED.is_nan() && !is_measured(NOT_MEASURED) && !is_diverged(NOT_MEASURED));
        let zero = std::hint::black_box(0.0_f64);
        for nan in [f64::NAN, -f64::NAN, zero / zero, f64::INFINITY - f64::INFINITY] {
            assert!(is_measured(nan) && is_diverged(nan));
        }
        assert!(is_diverged(f64::NEG_INFINITY) && !is_diverged(0.5) && is_measured(0.5));
    }
}
