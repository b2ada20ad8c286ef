//! Slice sampling (Neal, "Slice sampling", 2003): draws from a density known up to a constant,
//! without a step size to tune.

use rand::{Rng, RngExt};

use crate::kit::draws::{normal, permutation, uniform_open};

/// Widenings of an interval to either side.
const WIDENINGS_MAX: u32 = 1_000;

/// Shrinkings of an interval. Each takes a third of it on average, so that after these it is less
/// than the spacing of numbers around any place: then the place stays.
const SHRINKINGS_MAX: u32 = 200;

/// One step along a direction from `place`: an interval of this width around it is widened until
/// both ends are outside of the slice (Neal's figure 3) and shrunk towards the place until a draw
/// from it is inside (figure 5). `log_density` is minus infinity, or NaN, where nothing may be.
/// Nothing moves where the density at the place is 0.
pub fn step(
    place: &mut [f64],
    direction: &[f64],
    width: f64,
    rng: &mut impl Rng,
    mut log_density: impl FnMut(&[f64]) -> f64,
) {
    let from = place.to_vec();
    let mut density_at = |place: &mut [f64], distance: f64| {
        let moved = place.iter_mut().zip(&from).zip(direction);
        moved.for_each(|((place, from), along)| *place = distance * along + from);
        log_density(place)
    };
    let mut upper = width * rng.random::<f64>();
    let mut lower = upper - width;
    let level = libm::log(uniform_open(rng)) + density_at(place, 0.0);
    if level.is_nan() || level == f64::NEG_INFINITY {
        return;
    }
    for (end, by) in [(&mut lower, -width), (&mut upper, width)] {
        let mut widenings = 0;
        while widenings < WIDENINGS_MAX && density_at(place, *end) > level {
            *end += by;
            widenings += 1;
        }
    }
    for _ in 0..SHRINKINGS_MAX {
        let distance = (upper - lower) * rng.random::<f64>() + lower;
        if density_at(place, distance) > level {
            return;
        }
        if distance < 0.0 { lower = distance } else { upper = distance }
    }
    place.copy_from_slice(&from);
}

/// A step along each axis, in a random order.
pub fn along_axes(
    place: &mut [f64],
    width: f64,
    rng: &mut impl Rng,
    mut log_density: impl FnMut(&[f64]) -> f64,
) {
    for axis in permutation(rng, place.len()) {
        let mut direction = vec![0.0; place.len()];
        direction[axis] = 1.0;
        step(place, &direction, width, rng, &mut log_density);
    }
}

/// A step along a random direction.
pub fn along_any(
    place: &mut [f64],
    width: f64,
    rng: &mut impl Rng,
    log_density: impl FnMut(&[f64]) -> f64,
) {
    let mut direction: Vec<f64> = place.iter().map(|_| normal(rng)).collect();
    let length = direction.iter().map(|x| x * x).sum::<f64>().sqrt();
    for x in &mut direction {
        *x /= length;
    }
    step(place, &direction, width, rng, log_density);
}

#[cfg(test)]
mod tests {
    use base::rng::Stream;

    use super::*;

    /// Moments of a correlated normal density over the plane, x > -1: known by quadrature. The
    /// batch means of 40 batches give the error of a chain's mean.
    #[test]
    fn moments_are_those_of_a_known_density() {
        let log_density = |x: &[f64]| {
            if x[0] < -1.0 {
                return f64::NEG_INFINITY;
            }
            let (a, b) = (x[0], x[1] - 0.8 * x[0]);
            -0.5 * (a * a + b * b / 0.36)
        };
        // x0 is normal truncated at -1: mean phi(1) / Phi(1), second moment 1 - 1 * mean.
        let mean = 0.241_970_724_519_143_37 / 0.841_344_746_068_542_9;
        let second = 1.0 - mean;
        let expected = [mean, second, 0.8 * mean, 0.36 + 0.64 * second, 0.8 * second];
        for is_along_axes in [true, false] {
            let mut rng = Stream::new(3, u64::from(is_along_axes), "test");
            let mut place = [0.5, 0.5];
            let (batches, length) = (40, 1_000);
            let mut means = vec![[0.0; 5]; batches];
            for batch in &mut means {
                for _ in 0..length {
                    if is_along_axes {
                        along_axes(&mut place, 1.0, &mut rng, log_density);
                    } else {
                        along_any(&mut place, 1.0, &mut rng, log_density);
                    }
                    let [x, y] = place;
                    let moments = [x, x * x, y, y * y, x * y];
                    batch.iter_mut().zip(moments).for_each(|(sum, m)| *sum += m / 1_000.0);
                }
            }
            for (at, expected) in expected.iter().enumerate() {
                let mean = means.iter().map(|batch| batch[at]).sum::<f64>() / 40.0;
                let squares = means.iter().map(|batch| (batch[at] - mean) * (batch[at] - mean));
                let error = (squares.sum::<f64>() / (40.0 * 39.0)).sqrt();
                let distance = (mean - expected) / error;
                assert!(distance.abs() < 4.0 && error < 0.03, "{at}: {mean} {expected} {error}");
            }
        }
    }

    #[test]
    fn nothing_moves_where_the_density_is_zero_or_unknown() {
        let mut rng = Stream::new(3, 0, "test");
        for density in [f64::NAN, f64::NEG_INFINITY] {
            let mut place = [0.25, 0.5];
            along_axes(&mut place, 1.0, &mut rng, |_| density);
            along_any(&mut place, 1.0, &mut rng, |_| density);
            assert_eq!(place, [0.25, 0.5]);
        }
        // A density that is flat for ever ends too.
        along_axes(&mut [0.0], 1.0, &mut rng, |_| 0.0);
    }
}
