//! What a model says of where a curve will end.

use std::sync::OnceLock;

use base::stats::normal::survival;

use crate::kit::draws::normal_quantile;

/// Intervals between the places at which the distribution is kept, to begin with, and at most: those
/// in whose middle it differs by more than `TOLERANCE` from a straight line are halved, the worst
/// first.
const INTERVALS: usize = 16;
const INTERVALS_MAX: usize = 64;
const TOLERANCE: f64 = 2e-4;
/// Places among which the first are chosen, at least.
const CANDIDATES_MIN: usize = 2_000;

/// One of the normal distributions whose mixture a model predicts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Part {
    pub mean: f64,
    /// Above 0.
    pub deviation: f64,
    /// At least 0.
    pub weight: f64,
}

/// The predicted value of a curve at its horizon: the distribution's mean and deviation, and how
/// likely it is to lie above some value.
#[derive(Debug, Clone, PartialEq)]
pub struct Extrapolation {
    mean: f64,
    deviation: f64,
    knots: Vec<Knot>,
}

/// A value, and the probability to lie above it. Single precision: a hundred thousand of them have
/// to be kept.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Knot {
    pub value: f32,
    pub above: f32,
}

impl Extrapolation {
    /// That of a mixture. `mean` and `deviation` are those of the curve, without the noise of one
    /// epoch. `None` where no part has a weight and is finite.
    pub fn of_parts(parts: &[Part], mean: f64, deviation: f64) -> Option<Self> {
        let is_whole = |part: &&Part| {
            part.mean.is_finite() && part.deviation > 0.0 && part.deviation.is_finite()
        };
        let parts: Vec<Part> =
            parts.iter().filter(is_whole).filter(|part| part.weight > 0.0).copied().collect();
        if parts.is_empty() {
            return None;
        }
        Some(Self { mean, deviation, knots: knots(&parts) })
    }

    /// From what [`Self::mean`], [`Self::deviation`] and [`Self::knots`] gave. `None` where it is
    /// none: values must rise, probabilities lie in [0, 1] and never rise.
    pub fn from_knots(mean: f64, deviation: f64, knots: Vec<Knot>) -> Option<Self> {
        let rises = knots.is_sorted_by(|a, b| a.value < b.value && a.above >= b.above);
        let is_probable = |knot: &Knot| knot.value.is_finite() && (0.0..=1.0).contains(&knot.above);
        let is_whole = !knots.is_empty() && rises && knots.iter().all(is_probable);
        is_whole.then_some(Self { mean, deviation, knots })
    }

    /// E[f] at the horizon.
    pub fn mean(&self) -> f64 {
        self.mean
    }

    /// The deviation of f at the horizon.
    pub fn deviation(&self) -> f64 {
        self.deviation
    }

    /// The distribution, as it is kept.
    pub fn knots(&self) -> &[Knot] {
        &self.knots
    }

    /// P(y > value) at the horizon, with the noise of one epoch: to 5e-4 (3e-3 where it has
    /// several scales), and 0 or 1 beyond all that is kept. 0 of NaN.
    pub fn probability_above(&self, value: f64) -> f64 {
        let after = self.knots.partition_point(|knot| f64::from(knot.value) <= value);
        let above = |at: usize| f64::from(self.knots[at].above);
        if after == 0 {
            return if value.is_nan() { 0.0 } else { 1.0 };
        }
        if after == self.knots.len() {
            return if f64::from(self.knots[after - 1].value) == value {
                above(after - 1)
            } else {
                0.0
            };
        }
        let (low, high) =
            (f64::from(self.knots[after - 1].value), f64::from(self.knots[after].value));
        let share = (value - low) / (high - low);
        above(after - 1) + share * (above(after) - above(after - 1))
    }
}

/// The distribution at places that a piece of a straight line between two never misses by much.
fn knots(parts: &[Part]) -> Vec<Knot> {
    let mass: f64 = parts.iter().map(|part| part.weight).sum();
    let above = |value: f32| {
        let value = f64::from(value);
        let above =
            parts.iter().map(|part| part.weight * tail((part.mean - value) / part.deviation));
        let above = above.sum::<f64>() / mass;
        #[expect(clippy::cast_possible_truncation, reason = "single precision is kept")]
        let above = (above as f32).clamp(0.0, 1.0);
        above
    };
    let mut knots: Vec<Knot> = Vec::with_capacity(INTERVALS_MAX + 1);
    for value in quantiles(parts) {
        if knots.last().is_none_or(|last| last.value < value) {
            knots.push(Knot { value, above: above(value) });
        }
    }
    let mut gaps: Vec<Gap> =
        knots.windows(2).map(|pair| Gap::new(pair[0], pair[1], above)).collect();
    while gaps.len() < INTERVALS_MAX {
        let worst = gaps.iter().enumerate().max_by(|a, b| a.1.error.total_cmp(&b.1.error));
        let Some((at, worst)) = worst.filter(|(_, gap)| gap.error > TOLERANCE) else { break };
        let Gap { low, middle, high, .. } = *worst;
        gaps[at] = Gap::new(low, middle, above);
        gaps.insert(at + 1, Gap::new(middle, high, above));
    }
    knots.truncate(1);
    knots.extend(gaps.iter().map(|gap| gap.high));
    // Rounding must not let what only falls rise.
    for at in 1..knots.len() {
        knots[at].above = knots[at].above.min(knots[at - 1].above);
    }
    knots
}

/// What lies between two places.
#[derive(Debug, Clone, Copy)]
struct Gap {
    low: Knot,
    middle: Knot,
    high: Knot,
    /// How far a straight line misses the middle; 0 where there is no number in between.
    error: f64,
}

impl Gap {
    fn new(low: Knot, high: Knot, above: impl Fn(f32) -> f32) -> Self {
        let value = low.value + (high.value - low.value) * 0.5;
        if !(low.value < value && value < high.value) {
            return Self { low, middle: low, high, error: 0.0 };
        }
        let middle = Knot { value, above: above(value) };
        let line = f64::from(low.above) + 0.5 * (f64::from(high.above) - f64::from(low.above));
        Self { low, middle, high, error: (f64::from(middle.above) - line).abs() }
    }
}

/// Quantiles of the mixture that lie densest in its tails, from its least to its largest draw.
fn quantiles(parts: &[Part]) -> Vec<f32> {
    let places = candidates(parts);
    let total: f64 = places.iter().map(|(_, weight)| weight).sum();
    let (mut at, mut below) = (0, 0.0);
    let quantile = |number: usize| {
        #[expect(clippy::cast_precision_loss, reason = "dozens")]
        let angle = number as f64 / INTERVALS as f64 * std::f64::consts::FRAC_PI_2;
        let wanted = libm::sin(angle) * libm::sin(angle) * total;
        while at + 1 < places.len() && (number == INTERVALS || below + places[at].1 < wanted) {
            below += places[at].1;
            at += 1;
        }
        #[expect(clippy::cast_possible_truncation, reason = "single precision is kept")]
        let value = places[at].0 as f32;
        value
    };
    (0..=INTERVALS).map(quantile).collect()
}

/// Draws of the mixture, evenly spread and in order, with their weights. Beyond single precision
/// they are moved to its ends.
fn candidates(parts: &[Part]) -> Vec<(f64, f64)> {
    let each = CANDIDATES_MIN.div_ceil(parts.len());
    let mut places = Vec::with_capacity(each * parts.len());
    // The golden ratio: its multiples are spread more evenly than any other number's.
    let (step, mut at) = (0.618_033_988_749_894_9, 0.0);
    for part in parts {
        for _ in 0..each {
            at += step;
            at -= f64::from(u8::from(at >= 1.0));
            let z = normal_quantile(at.clamp(1e-9, 1.0 - 1e-9));
            let place = part.mean + part.deviation * z;
            places.push((place.clamp(f64::from(f32::MIN), f64::from(f32::MAX)), part.weight));
        }
    }
    places.sort_by(|a, b| a.0.total_cmp(&b.0));
    places
}

/// Where the table of [`tail`] ends: beyond, the probability is below 1e-17.
const TAIL_END: f64 = 8.5;
/// Its steps to 1.
const TAIL_STEPS: f64 = 32.0;

/// The probability that a standard normal variable is below `z`, to 1e-8: interpolated by cubics,
/// since it is asked a million times an extrapolation.
fn tail(z: f64) -> f64 {
    static TABLE: OnceLock<Vec<(f64, f64)>> = OnceLock::new();
    let table = TABLE.get_or_init(|| {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "hundreds")]
        let count = (2.0 * TAIL_END * TAIL_STEPS) as u32 + 2;
        let knot = |number: u32| {
            let z = f64::from(number) / TAIL_STEPS - TAIL_END;
            let density = libm::exp(-0.5 * z * z) / (2.0 * std::f64::consts::PI).sqrt();
            (survival(-z), density / TAIL_STEPS)
        };
        (0..count).map(knot).collect()
    });
    if z.is_nan() {
        return z;
    }
    let place = (z.clamp(-TAIL_END, TAIL_END) + TAIL_END) * TAIL_STEPS;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to hundreds")]
    let at = place as usize;
    #[expect(clippy::cast_precision_loss, reason = "hundreds")]
    let share = place - at as f64;
    let ((low, low_slope), (high, high_slope)) = (table[at], table[at + 1]);
    let rise = high - low;
    let (first, last) = (low_slope - rise, rise - high_slope);
    low + share * (rise + (1.0 - share) * (first * (1.0 - share) + last * share))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tails_are_those_of_the_normal_distribution() {
        for number in -4_000..=4_000 {
            let z = f64::from(number) * 0.002_6;
            assert!((tail(z) - survival(-z)).abs() < 1e-8, "{z}");
        }
        assert_eq!(tail(f64::INFINITY), 1.0);
        assert!(tail(-1e300) < 1e-16 && tail(f64::NAN).is_nan());
    }

    fn exact(parts: &[Part], value: f64) -> f64 {
        let above = parts.iter().map(|p| p.weight * survival((value - p.mean) / p.deviation));
        above.sum::<f64>() / parts.iter().map(|p| p.weight).sum::<f64>()
    }

    #[test]
    fn what_is_kept_of_a_distribution_is_close_to_it() {
        let part = |mean, deviation, weight| Part { mean, deviation, weight };
        let mixtures = [
            vec![part(0.5, 0.1, 1.0)],
            vec![part(0.2, 1e-6, 3.0), part(0.7, 0.05, 1.0)],
            vec![part(0.9, 0.02, 0.5), part(0.91, 0.3, 0.4), part(40.0, 20.0, 0.1)],
            (0..20_000).map(|n| part(f64::from(n % 97) * 0.01, 0.01, 1.0)).collect(),
        ];
        for parts in mixtures {
            let found = Extrapolation::of_parts(&parts, 0.0, 0.0).unwrap();
            assert!(found.knots().len() <= INTERVALS_MAX + 1);
            let mut worst = 0.0_f64;
            for number in -1_000..=4_000 {
                let value = f64::from(number) * 5e-4 + 1e-5;
                worst = worst.max((found.probability_above(value) - exact(&parts, value)).abs());
            }
            // Several scales at once take many halvings.
            let most = if (2..9).contains(&parts.len()) { 3e-3 } else { 5e-4 };
            assert!(worst < most, "{worst} of {:?}", &parts[..parts.len().min(3)]);
            let read = found.knots().to_vec();
            assert_eq!(Extrapolation::from_knots(0.0, 0.0, read), Some(found));
        }
    }

    #[test]
    fn beyond_all_that_is_kept_it_is_certain() {
        let part = Part { mean: 0.5, deviation: 0.1, weight: 1.0 };
        let nowhere = Part { mean: f64::NAN, ..part };
        let found = Extrapolation::of_parts(&[part, nowhere], 0.5, 0.1).unwrap();
        let all = [-1e9, 1e9, f64::NEG_INFINITY, f64::INFINITY, f64::NAN];
        assert_eq!(all.map(|y| found.probability_above(y)), [1.0, 0.0, 1.0, 0.0, 0.0]);
        assert_eq!(Extrapolation::of_parts(&[nowhere], 0.5, 0.1), None);
        assert_eq!(Extrapolation::of_parts(&[], 0.5, 0.1), None);
    }

    #[test]
    fn what_is_no_distribution_is_refused() {
        let knot = |value, above| Knot { value, above };
        let refused = [
            vec![],
            vec![knot(0.0, 0.5), knot(0.0, 0.4)],
            vec![knot(0.0, 0.5), knot(1.0, 0.6)],
            vec![knot(0.0, 1.5)],
            vec![knot(f32::NAN, 0.5)],
        ];
        for knots in refused {
            assert_eq!(Extrapolation::from_knots(0.0, 0.0, knots), None);
        }
    }
}
