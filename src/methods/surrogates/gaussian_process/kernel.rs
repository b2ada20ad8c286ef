//! Stationary kernels: functions of a weighted squared distance alone.

/// How fast the correlation of two points falls with their distance `r`, where `r^2` is a sum of
/// squared differences, each times its column's weight (one over the squared lengthscale).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Matérn with smoothness 5/2, `(1 + s + s^2 / 3) exp(-s)` with `s = sqrt(5) r`
    /// (Rasmussen & Williams 2006, equation 4.17).
    Matern52,
    /// The squared exponential, `exp(-r^2 / 2)` (the same, equation 4.9).
    SquaredExponential,
}

impl Shape {
    /// The correlation at a squared distance, which is finite and not negative: 1 at 0.
    #[inline]
    pub fn correlation(self, squared: f64) -> f64 {
        match self {
            Self::Matern52 => {
                let s = (5.0 * squared).sqrt();
                (1.0 + s + s * s * (1.0 / 3.0)) * exponential(-s)
            }
            Self::SquaredExponential => exponential(-0.5 * squared),
        }
    }

    /// The derivative of the correlation by the squared distance.
    #[inline]
    pub fn slope(self, squared: f64) -> f64 {
        match self {
            Self::Matern52 => {
                let s = (5.0 * squared).sqrt();
                (-5.0 / 6.0) * (1.0 + s) * exponential(-s)
            }
            Self::SquaredExponential => -0.5 * exponential(-0.5 * squared),
        }
    }

    /// Puts correlations in the place of squared distances.
    pub fn correlate(self, squared: &mut [f64]) {
        // The match stands outside of the loop, which then runs on whole vectors.
        match self {
            Self::Matern52 => {
                for r in squared {
                    *r = Self::Matern52.correlation(*r);
                }
            }
            Self::SquaredExponential => {
                for r in squared {
                    *r = Self::SquaredExponential.correlation(*r);
                }
            }
        }
    }

    /// As [`Self::correlate`], and writes the derivatives.
    pub fn correlate_with_slopes(self, squared: &mut [f64], slopes: &mut [f64]) {
        let both = squared.iter_mut().zip(slopes);
        match self {
            Self::Matern52 => both.for_each(|(squared, slope)| {
                (*squared, *slope) =
                    (Self::Matern52.correlation(*squared), Self::Matern52.slope(*squared));
            }),
            Self::SquaredExponential => both.for_each(|(squared, slope)| {
                *squared = Self::SquaredExponential.correlation(*squared);
                *slope = -0.5 * *squared;
            }),
        }
    }
}

/// `log2(e)`.
const LOG2_E: f64 = std::f64::consts::LOG2_E;
/// `ln(2)` in two parts, of which the first has so few digits that its multiples are exact.
const LN2_HIGH: f64 = 6.931_471_803_691_238e-1;
const LN2_LOW: f64 = 1.908_214_929_270_587_7e-10;
/// Adding it rounds to a whole number, which then stands in the lowest bits.
const ROUNDING: f64 = 6_755_399_441_055_744.0;
/// Below this the result is held at its value here, about 2e-308.
const LEAST: f64 = -707.0;

/// Reciprocals of factorials, from 13 down to 2.
const FACTORIALS: [f64; 12] = [
    1.0 / 6_227_020_800.0,
    1.0 / 479_001_600.0,
    1.0 / 39_916_800.0,
    1.0 / 3_628_800.0,
    1.0 / 362_880.0,
    1.0 / 40_320.0,
    1.0 / 5_040.0,
    1.0 / 720.0,
    1.0 / 120.0,
    1.0 / 24.0,
    1.0 / 6.0,
    0.5,
];

/// The exponential function of a number that is not positive, without a branch, so that loops over
/// it become vector instructions; `libm`'s is a jump apart for every number. It takes `x` apart
/// into `k ln 2 + r` and sums Taylor's series of `r`, whose first term left out is below 4e-18.
/// Within 4e-16 of the true value, relative; the same bits on every machine, for all steps are
/// additions and multiplications in one order.
#[inline]
fn exponential(x: f64) -> f64 {
    let x = if x < LEAST { LEAST } else { x };
    let shifted = x * LOG2_E + ROUNDING;
    let k = shifted - ROUNDING;
    let r = x - k * LN2_HIGH - k * LN2_LOW;
    let series = FACTORIALS.iter().fold(0.0, |sum, reciprocal| sum * r + reciprocal);
    let mantissa = 1.0 + (r + r * r * series);
    mantissa * f64::from_bits((shifted.to_bits() << 52).wrapping_add(1.0_f64.to_bits()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exponential_is_libms() {
        let mut most: f64 = 0.0;
        for step in 0..200_000_u32 {
            let x = -f64::from(step) * f64::from(step) * 1.7e-8;
            let expected = libm::exp(x);
            most = most.max((exponential(x) - expected).abs() / expected);
        }
        assert!(most < 4.5e-16, "{most:e}");
        assert_eq!(exponential(0.0), 1.0);
        assert_eq!(exponential(-0.0), 1.0);
        assert!(exponential(-1e300) > 0.0 && exponential(-1e300) < 1e-300);
    }

    #[test]
    fn slopes_are_differences_of_correlations() {
        for shape in [Shape::Matern52, Shape::SquaredExponential] {
            assert_eq!(shape.correlation(0.0), 1.0);
            for squared in [1e-3, 0.1, 0.7, 2.0, 30.0] {
                let step = 1e-5 * squared;
                let [above, below] = [squared + step, squared - step].map(|r| shape.correlation(r));
                let difference = (above - below) / (2.0 * step);
                let slope = shape.slope(squared);
                assert!((slope - difference).abs() < 1e-8 * slope.abs() + 1e-10, "{squared}");
            }
        }
        assert_eq!(Shape::Matern52.slope(0.0), -5.0 / 6.0);
    }
}
