//! Random draws that are the same on every machine.
//!
//! `rand` promises the words of a generator and the uniform draws from them, but keeps the right to
//! change its distributions, and theirs go through the platform's mathematics. Here each draw is a
//! fixed formula of uniform numbers and of `libm`. A normal and a truncated one take exactly one
//! word of 64 bits, by the inverse of the distribution function: decisions that draw as many of
//! them stay paired (see [`streams`](super::streams)).
//!
//! Densities and distribution functions are not here but in [`base::stats::normal`] and in the
//! models that need them.

use base::stats::normal::survival;
use rand::{Rng, RngExt};

/// A uniform number strictly between 0 and 1: the middle of one of 2^52 steps.
pub fn uniform_open(rng: &mut impl Rng) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "52 bits")]
    let step = (rng.random::<u64>() >> 12) as f64;
    (step + 0.5) * (1.0 / 4_503_599_627_370_496.0)
}

/// A uniform index below `count`, which is at least 1.
pub fn index(rng: &mut impl Rng, count: usize) -> usize {
    // As 64 bits, so that the width of an address does not show.
    let at = rng.random_range(0..count as u64);
    usize::try_from(at).expect("below a usize")
}

/// A standard normal number.
pub fn normal(rng: &mut impl Rng) -> f64 {
    normal_quantile(uniform_open(rng))
}

/// A standard normal number, given that it lies in `low..=high`; exact in the tails too.
///
/// # Panics
/// Where `low` exceeds `high`, or one of them is NaN.
pub fn truncated_normal(rng: &mut impl Rng, low: f64, high: f64) -> f64 {
    assert!(low <= high, "an interval, not {low}..{high}");
    let u = uniform_open(rng);
    // The lower tail is where a distribution function is exact.
    if low > 0.0 { -lower_tail(1.0 - u, -high, -low) } else { lower_tail(u, low, high) }
}

/// The quantile `u` of a standard normal variable in `low..=high`, `low` at most 0.
fn lower_tail(u: f64, low: f64, high: f64) -> f64 {
    let (below, up_to) = (survival(-low), survival(-high));
    // Rounding must not reach 1, whose quantile is infinite.
    let probability = (below + u * (up_to - below)).min(1.0 - f64::EPSILON / 2.0);
    let found = if probability > 0.0 {
        normal_quantile(probability)
    } else {
        // Beyond -38 the density falls as exp(high * distance) below `high`.
        high - libm::log(u) / high
    };
    found.clamp(low, high)
}

/// The place that a standard normal variable is below with this probability, in (0, 1): Wichura,
/// "Algorithm AS 241: the percentage points of the normal distribution", Applied Statistics 37,
/// 1988, the routine PPND16, accurate to about one part in 10^16.
///
/// # Panics
/// Where the probability is not in (0, 1).
pub fn normal_quantile(probability: f64) -> f64 {
    assert!(probability > 0.0 && probability < 1.0, "{probability} is not in (0, 1)");
    let q = probability - 0.5;
    if q.abs() <= 0.425 {
        let r = 0.180_625 - q * q;
        return q * polynomial(r, &NEAR.0) / polynomial(r, &NEAR.1);
    }
    let tail = if q < 0.0 { probability } else { 1.0 - probability };
    let r = (-libm::log(tail)).sqrt();
    let distance = if r <= 5.0 {
        polynomial(r - 1.6, &MIDDLE.0) / polynomial(r - 1.6, &MIDDLE.1)
    } else {
        polynomial(r - 5.0, &FAR.0) / polynomial(r - 5.0, &FAR.1)
    };
    if q < 0.0 { -distance } else { distance }
}

/// Horner's rule; the constant comes first.
fn polynomial(x: f64, coefficients: &[f64; 8]) -> f64 {
    coefficients.iter().rev().fold(0.0, |sum, coefficient| sum * x + coefficient)
}

/// Numerator and denominator of a rational approximation.
type Rational = ([f64; 8], [f64; 8]);

const NEAR: Rational = (
    [
        3.387_132_872_796_366_5,
        1.331_416_678_917_843_8e2,
        1.971_590_950_306_551_3e3,
        1.373_169_376_550_946e4,
        4.592_195_393_154_987e4,
        6.726_577_092_700_87e4,
        3.343_057_558_358_813e4,
        2.509_080_928_730_122_7e3,
    ],
    [
        1.0,
        4.231_333_070_160_091e1,
        6.871_870_074_920_579e2,
        5.394_196_021_424_751e3,
        2.121_379_430_158_659_7e4,
        3.930_789_580_009_271e4,
        2.872_908_573_572_194_3e4,
        5.226_495_278_852_545e3,
    ],
);
const MIDDLE: Rational = (
    [
        1.423_437_110_749_683_5,
        4.630_337_846_156_546,
        5.769_497_221_460_691,
        3.647_848_324_763_204_5,
        1.270_458_252_452_368_4,
        2.417_807_251_774_506e-1,
        2.272_384_498_926_918_4e-2,
        7.745_450_142_783_414e-4,
    ],
    [
        1.0,
        2.053_191_626_637_759,
        1.676_384_830_183_803_8,
        6.897_673_349_851e-1,
        1.481_039_764_274_800_8e-1,
        1.519_866_656_361_645_7e-2,
        5.475_938_084_995_345e-4,
        1.050_750_071_644_416_9e-9,
    ],
);
const FAR: Rational = (
    [
        6.657_904_643_501_103,
        5.463_784_911_164_114,
        1.784_826_539_917_291_3,
        2.965_605_718_285_048_7e-1,
        2.653_218_952_657_612_4e-2,
        1.242_660_947_388_078_4e-3,
        2.711_555_568_743_487_6e-5,
        2.010_334_399_292_288_1e-7,
    ],
    [
        1.0,
        5.998_322_065_558_88e-1,
        1.369_298_809_227_358e-1,
        1.487_536_129_085_061_5e-2,
        7.868_691_311_456_133e-4,
        1.846_318_317_510_054_8e-5,
        1.421_511_758_316_446e-7,
        2.044_263_103_389_939_8e-15,
    ],
);

/// An index drawn with these weights, which are finite and not negative. `None` where none of them
/// is positive, and then nothing is drawn.
///
/// # Panics
/// Where a weight is negative, infinite or NaN.
pub fn weighted(rng: &mut impl Rng, weights: &[f64]) -> Option<usize> {
    assert!(weights.iter().all(|w| *w >= 0.0 && w.is_finite()), "no weights: {weights:?}");
    let last = weights.iter().rposition(|weight| *weight > 0.0)?;
    let total: f64 = weights.iter().sum();
    let mut left = rng.random::<f64>() * total;
    // Rounding may leave a little behind: the last that has a weight takes it.
    let found = weights[..last].iter().position(|weight| {
        let is_here = left < *weight;
        left -= weight;
        is_here
    });
    Some(found.unwrap_or(last))
}

/// A uniform permutation of `0..count` (Fisher & Yates, front to back).
pub fn permutation(rng: &mut impl Rng, count: usize) -> Vec<usize> {
    subset(rng, count, count)
}

/// `count` different indices below `of`, in the order in which they were drawn.
///
/// # Panics
/// Where there are not so many.
pub fn subset(rng: &mut impl Rng, count: usize, of: usize) -> Vec<usize> {
    assert!(count <= of, "{count} of {of}");
    let mut order: Vec<usize> = (0..of).collect();
    for at in 0..count {
        let with = at + index(rng, of - at);
        order.swap(at, with);
    }
    order.truncate(count);
    order
}

#[cfg(test)]
mod tests;
