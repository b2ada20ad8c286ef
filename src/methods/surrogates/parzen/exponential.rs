//! Powers of 2, several at once.
//!
//! Multiplications and additions in a fixed order, each lane by itself: a compiler may take as
//! many lanes at once as the machine has, and the bits are the same on every machine.

/// Numbers that are taken together.
pub(super) const LANES: usize = 4;

/// A number's own last bits hold its rounded value, once this has been added: 1.5 x 2^52.
const ROUNDING: f64 = 6_755_399_441_055_744.0;

/// `2^r` for `r` in -1/2..1/2, interpolated at the Chebyshev nodes: wrong by less than 3e-14 of it.
const POLYNOMIAL: [f64; 10] = [
    1.000_000_000_000_014_4,
    6.931_471_805_599_624e-1,
    2.402_265_069_563_326_9e-1,
    5.550_410_866_380_458e-2,
    9.618_129_195_120_288e-3,
    1.333_355_832_953_511_8e-3,
    1.540_343_305_848_290_7e-4,
    1.525_259_926_471_456_1e-5,
    1.325_977_671_839_950_8e-6,
    1.021_991_685_945_522_5e-7,
];

/// 2 to some exponents. One below -1000 counts as -1000, and none may exceed 1000.
#[inline]
pub(super) fn exp2(exponents: [f64; LANES]) -> [f64; LANES] {
    let mut powers = [0.0; LANES];
    for (power, exponent) in powers.iter_mut().zip(exponents) {
        let exponent = if exponent > -1000.0 { exponent } else { -1000.0 };
        let shifted = exponent + ROUNDING;
        let rest = exponent - (shifted - ROUNDING);
        let mantissa = POLYNOMIAL.iter().rev().fold(0.0, |sum, c| sum * rest + c);
        *power = mantissa * f64::from_bits(shifted.to_bits().wrapping_add(1023) << 52);
    }
    powers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers_are_libms() {
        for step in -80_000..=80_000 {
            let exponent = f64::from(step) * 0.0125;
            let expected = libm::exp2(exponent);
            for found in exp2([exponent; LANES]) {
                assert!((found / expected - 1.0).abs() < 3e-14, "2^{exponent}: {found}");
            }
        }
        let [least, nothing, nan, one] = exp2([-1000.0, f64::NEG_INFINITY, f64::NAN, 0.0]);
        assert!(least == nothing && nothing == nan && least < 1e-300);
        assert!((one - 1.0).abs() < 3e-14);
    }
}
