//! `exp` and `ln` without branches and without fused operations, for loops over many numbers: a
//! compiler makes vectors of them, and they give the same bits on every instruction set. Within 1
//! unit in the last place of `libm`'s.

#![expect(
    clippy::inline_always,
    reason = "only what is inlined is compiled for the instruction set of its caller"
)]

/// 1.5 * 2^52: what is added to it is rounded to a whole number, which then stands in the lowest
/// bits.
const ROUND: f64 = 6_755_399_441_055_744.0;
/// ln 2 in two parts: 32 bits, so that its product with an exponent is exact, and the rest.
const LN_2_HIGH: f64 = 6.931_471_803_691_238e-1;
const LN_2_LOW: f64 = 1.908_214_929_270_587_7e-10;

/// The exponents whose power is a normal number.
const EXP_LOW: f64 = -708.0;
const EXP_HIGH: f64 = 709.782_712_893_384;

/// `e^x`. 0 below -708, where `libm` goes through the smallest numbers of all; infinite above
/// 709.78; NaN of NaN.
#[inline(always)]
pub fn exp(x: f64) -> f64 {
    // x = k ln 2 + r, |r| <= ln(2) / 2.
    let shifted = x * std::f64::consts::LOG2_E + ROUND;
    let k = shifted - ROUND;
    let r = (x - k * LN_2_HIGH) - k * LN_2_LOW;
    // Taylor's series up to r^13 / 13!: what is left out is below 2^-57.
    let mut sum = 1.0 / 6_227_020_800.0;
    sum = sum * r + 1.0 / 479_001_600.0;
    sum = sum * r + 1.0 / 39_916_800.0;
    sum = sum * r + 1.0 / 3_628_800.0;
    sum = sum * r + 1.0 / 362_880.0;
    sum = sum * r + 1.0 / 40_320.0;
    sum = sum * r + 1.0 / 5_040.0;
    sum = sum * r + 1.0 / 720.0;
    sum = sum * r + 1.0 / 120.0;
    sum = sum * r + 1.0 / 24.0;
    sum = sum * r + 1.0 / 6.0;
    sum = sum * r + 0.5;
    let power = 1.0 + (r + r * r * sum);
    // 2^(k - 1), for 2^1024 is no number.
    let half_scale = f64::from_bits(shifted.to_bits().wrapping_add(1_022) << 52);
    let scaled = power * half_scale * 2.0;
    let scaled = if x < EXP_LOW { 0.0 } else { scaled };
    if x > EXP_HIGH { f64::INFINITY } else { scaled }
}

/// Bits of 1 less those of the root of 1/2: added to a number's they carry into the exponent from
/// the root of 2 on.
const TO_ROOT: u64 = 0x3FF0_0000_0000_0000 - 0x3FE6_A09E_667F_3BCD;
/// 2^52, whose lowest bits hold a whole number.
const HOLDS_WHOLE: f64 = 4_503_599_627_370_496.0;
const TWO_54: f64 = 18_014_398_509_481_984.0;

/// The natural logarithm of `x`. Minus infinity of 0; NaN below 0 and of NaN.
#[inline(always)]
pub fn ln(x: f64) -> f64 {
    let is_subnormal = x < f64::MIN_POSITIVE;
    let normal = if is_subnormal { x * TWO_54 } else { x };
    // normal = 2^k (1 + f), 1 + f between the roots of 1/2 and of 2.
    let biased = normal.to_bits().wrapping_add(TO_ROOT) >> 52;
    let mantissa = normal.to_bits().wrapping_sub(biased << 52).wrapping_add(1_023 << 52);
    let biased = f64::from_bits(HOLDS_WHOLE.to_bits() | biased) - HOLDS_WHOLE;
    let k = biased - if is_subnormal { 1_023.0 + 54.0 } else { 1_023.0 };
    let f = f64::from_bits(mantissa) - 1.0;
    // ln(1 + f) = 2 artanh(s), whose series converges by s^2 < 0.03.
    let s = f / (2.0 + f);
    let z = s * s;
    let mut sum = 2.0 / 21.0;
    sum = sum * z + 2.0 / 19.0;
    sum = sum * z + 2.0 / 17.0;
    sum = sum * z + 2.0 / 15.0;
    sum = sum * z + 2.0 / 13.0;
    sum = sum * z + 2.0 / 11.0;
    sum = sum * z + 2.0 / 9.0;
    sum = sum * z + 2.0 / 7.0;
    sum = sum * z + 2.0 / 5.0;
    sum = sum * z + 2.0 / 3.0;
    // 2 s = f - s f without a rounding of s where it counts: s f = half - s half.
    let half = 0.5 * f * f;
    let rest = s * (half + z * sum) + k * LN_2_LOW;
    let found = k * LN_2_HIGH - ((half - rest) - f);
    let found = if x < f64::INFINITY { found } else { x };
    let found = if x < 0.0 { f64::NAN } else { found };
    if x == 0.0 { f64::NEG_INFINITY } else { found }
}

#[cfg(test)]
mod tests {
    use rand::RngExt;

    use super::*;
    use crate::rng::Stream;

    /// How many numbers lie between two of the same sign.
    fn apart(a: f64, b: f64) -> u64 {
        if a == b { 0 } else { a.to_bits().abs_diff(b.to_bits()) }
    }

    #[test]
    fn powers_are_within_one_unit_of_libms() {
        let mut stream = Stream::new(3, 0, "elementary");
        for width in [1e-9, 0.3, 1.0, 20.0, 700.0] {
            for _ in 0..100_000 {
                let x = (2.0 * stream.random::<f64>() - 1.0) * width;
                assert!(apart(exp(x), libm::exp(x)) <= 1, "e^{x:e}");
            }
        }
        for x in [-708.0, -0.346_573, 0.346_574, 709.0, EXP_HIGH] {
            assert!(apart(exp(x), libm::exp(x)) <= 1, "e^{x:e}");
        }
    }

    #[test]
    fn powers_end_at_nothing_and_at_infinity() {
        assert_eq!([exp(0.0), exp(-0.0), exp(-708.1), exp(-1e300)], [1.0, 1.0, 0.0, 0.0]);
        assert_eq!([exp(710.0), exp(f64::MAX), exp(f64::INFINITY)], [f64::INFINITY; 3]);
        assert_eq!(exp(f64::NEG_INFINITY), 0.0);
        assert!(exp(f64::NAN).is_nan());
    }

    #[test]
    fn logarithms_are_within_one_unit_of_libms() {
        let mut stream = Stream::new(4, 0, "elementary");
        for _ in 0..400_000 {
            let x = f64::from_bits(stream.random_range(1..f64::INFINITY.to_bits()));
            assert!(apart(ln(x), libm::log(x)) <= 1, "ln {x:e}");
            let x = 0.5 + 1.5 * stream.random::<f64>();
            assert!(apart(ln(x), libm::log(x)) <= 1, "ln {x:e}");
        }
        let root = std::f64::consts::SQRT_2;
        for x in [1.0, 5e-324, f64::MIN_POSITIVE, f64::MAX, root, root.next_down(), 0.5 * root] {
            assert!(apart(ln(x), libm::log(x)) <= 1, "ln {x:e}");
        }
    }

    #[test]
    fn logarithms_of_what_has_none() {
        assert_eq!([ln(0.0), ln(-0.0)], [f64::NEG_INFINITY; 2]);
        assert_eq!(ln(f64::INFINITY), f64::INFINITY);
        assert!([-1.0, -1e-320, f64::NEG_INFINITY, f64::NAN].iter().all(|x| ln(*x).is_nan()));
    }
}
