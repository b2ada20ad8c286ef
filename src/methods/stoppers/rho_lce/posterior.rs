//! The curve model of the rule, its least-squares fit, and what observations say of a later epoch.
//!
//! A Morgan-Mercer-Flodin curve `f(z) = (a b + c z^d) / (b + z^d)`, each parameter normal with
//! deviation 1 about its least-squares fit, observations normal about the curve with a deviation
//! that is exponential with mean 1 (and 1e-6 added, without which a curve that the model meets
//! exactly has no posterior).
//!
//! Given `b`, `d` and the noise the curve is linear in `a` and `c`: `f = a u + c (1 - u)` with
//! `u = b / (b + z^d)`. These two are integrated out in closed form, and the curve at a later epoch
//! is normal. An affine-invariant ensemble (Goodman & Weare, "Ensemble samplers with affine
//! invariance", 2010) draws the other three. Its random numbers are the same for every posterior,
//! which is therefore a function of the observations alone, as the nodes of a quadrature make it.

use base::rng::Stream;
use base::stats::normal::survival;
use rand::RngExt;

use crate::kit::draws::{index, normal};
use crate::kit::levenberg_marquardt::{self, LeastSquares};

/// Starts of the least-squares fit; it ends early where the mean square is below this.
const STARTS: usize = 10;
const GOOD_ENOUGH: f64 = 1e-8;

/// Least standard deviation of the noise.
const NOISE_MIN: f64 = 1e-6;

/// Walkers of the ensemble, an even number; steps before anything is kept, and in all; every how
/// many a state is kept.
const WALKERS: usize = 24;
const STEPS_BEFORE: usize = 300;
const STEPS: usize = 900;
const KEEP_EVERY: usize = 50;

/// Where `u` is larger there is a pole at an observation, and rounding takes over. The prior that
/// is left out so is of the order of its inverse.
const WEIGHT_MAX: f64 = 1e6;

/// The four parameters: a, b, c, d.
pub(super) type Parameters = [f64; 4];

/// Observations of one curve, with the logarithms of their epochs.
#[derive(Debug)]
pub(super) struct Observed {
    log_z: Vec<f64>,
    y: Vec<f64>,
}

impl Observed {
    /// Scores at epochs; all are finite.
    pub(super) fn new(points: &[(u16, f64)]) -> Self {
        let log_z = points.iter().map(|(epoch, _)| libm::log(f64::from(*epoch))).collect();
        Self { log_z, y: points.iter().map(|(_, y)| *y).collect() }
    }

    /// The least-squares fit with the root of its mean square: the best of some starts without a
    /// pole at a positive epoch, or else the best. `None` where no start led anywhere.
    pub(super) fn fit(&self) -> Option<(Parameters, f64)> {
        #[expect(clippy::cast_precision_loss, reason = "epochs")]
        let count = self.y.len() as f64;
        let mut rng = Stream::new(0, 0, "rho-lce/starts");
        let mut best: Option<(bool, f64, Parameters)> = None;
        for _ in 0..STARTS {
            let start: Parameters = std::array::from_fn(|_| normal(&mut rng));
            let settings = levenberg_marquardt::Settings::default();
            let found = levenberg_marquardt::minimise(self, self.y.len(), &start, &settings);
            let square = found.sum / count;
            let point = with_rising_exponent(found.point.try_into().expect("four parameters"));
            if !square.is_finite() || point.iter().any(|x| !x.is_finite()) {
                continue;
            }
            let has_pole = point[1] <= 0.0;
            if best.is_none_or(|(pole, least, _)| (has_pole, square) < (pole, least)) {
                best = Some((has_pole, square, point));
            }
            if best.is_some_and(|(pole, least, _)| !pole && least < GOOD_ENOUGH) {
                break;
            }
        }
        best.map(|(_, square, point)| (point, square.sqrt()))
    }

    /// The posterior of the curve at an epoch. `None` where the ensemble finds no place to stand.
    pub(super) fn posterior(&self, (fit, error): (Parameters, f64), at: u16) -> Option<Posterior> {
        let model = Model { observed: self, centre: fit, log_at: libm::log(f64::from(at)) };
        let mut rng = Stream::new(0, 0, "rho-lce/ensemble");
        let start = [fit[1], fit[3], libm::log(error.max(1e-3))];
        let mut rows = Vec::new();
        let mut walkers: Vec<([f64; 3], f64)> = (0..WALKERS)
            .map(|_| {
                // How narrow the posterior is nobody knows yet: from .3 to a ten-thousandth of it.
                let reach = 0.3 * libm::exp10(-4.0 * rng.random::<f64>());
                let point = start.map(|centre| centre + reach * normal(&mut rng));
                (point, model.log_density(&point, &mut rows))
            })
            .collect();
        if walkers.iter().all(|(_, density)| *density == f64::NEG_INFINITY) {
            return None;
        }
        let mut draws = Vec::new();
        for step in 1..=STEPS {
            move_all(&mut walkers, &model, &mut rows, &mut rng);
            if step > STEPS_BEFORE && step.is_multiple_of(KEEP_EVERY) {
                draws.extend(
                    walkers.iter().filter_map(|(point, _)| model.predict(point, &mut rows)),
                );
            }
        }
        (!draws.is_empty()).then_some(Posterior { draws })
    }
}

/// The same curve with an exponent of at least 0: `a` is then where it starts from, and `c` where
/// it leads to. The prior is about these parameters, and about others it is another one.
fn with_rising_exponent([a, b, c, d]: Parameters) -> Parameters {
    if d < 0.0 && b != 0.0 { [c, 1.0 / b, a, -d] } else { [a, b, c, d] }
}

/// A step of all walkers, half of them after the other: towards or away from one of the other half
/// by a factor whose density is as `1 / sqrt(s)` on 1/2 to 2.
fn move_all(
    walkers: &mut [([f64; 3], f64)],
    model: &Model<'_>,
    rows: &mut Vec<[f64; 3]>,
    rng: &mut Stream,
) {
    let half = WALKERS / 2;
    for at in 0..WALKERS {
        let others = if at < half { half } else { 0 };
        let (other, _) = walkers[others + index(rng, half)];
        let root = 1.0 + rng.random::<f64>();
        let stretch = 0.5 * root * root;
        let (own, density) = walkers[at];
        let point: [f64; 3] = std::array::from_fn(|i| other[i] + stretch * (own[i] - other[i]));
        let proposed = model.log_density(&point, rows);
        let log_u = libm::log(1.0 - rng.random::<f64>());
        // Three dimensions: the factor to the power of two.
        if proposed > f64::NEG_INFINITY && log_u < 2.0 * libm::log(stretch) + proposed - density {
            walkers[at] = (point, proposed);
        }
    }
}

impl LeastSquares for Observed {
    fn residuals(&self, point: &[f64], residuals: &mut [f64]) {
        let [a, b, c, d] = *point else { unreachable!("four parameters") };
        for (residual, (log_z, y)) in residuals.iter_mut().zip(self.log_z.iter().zip(&self.y)) {
            let power = libm::exp(d * log_z);
            *residual = (a * b + c * power) / (b + power) - y;
        }
    }

    fn jacobian(&self, point: &[f64], columns: &mut [f64]) {
        let [a, b, c, d] = *point else { unreachable!("four parameters") };
        let count = self.y.len();
        for (at, log_z) in self.log_z.iter().enumerate() {
            let power = libm::exp(d * log_z);
            let (u, v) = (b / (b + power), power / (b + power));
            let by_b = (a - c) * v / (b + power);
            let slopes = [u, by_b, v, (c - a) * u * v * log_z];
            for (column, slope) in slopes.iter().enumerate() {
                columns[column * count + at] = *slope;
            }
        }
    }
}

/// The posterior of what is not integrated out.
struct Model<'a> {
    observed: &'a Observed,
    centre: Parameters,
    /// The logarithm of the epoch to predict.
    log_at: f64,
}

/// What the observations say of `a` and `c`, given `b` and `d`: the principal axes of the
/// normal equations, and the part of the observations' distance from the prior's curve along each.
struct Axes {
    values: [f64; 2],
    vectors: [[f64; 2]; 2],
    along: [f64; 2],
    /// The sum of squares that no `a` and `c` explain.
    rest: f64,
}

impl Model<'_> {
    /// `None` where there is a pole at or about an epoch. Leaves in `rows`, for each epoch, the
    /// weight of `a`, that of `c` and the distance from the prior's curve.
    fn axes(&self, b: f64, d: f64, rows: &mut Vec<[f64; 3]>) -> Option<Axes> {
        let [a, _, c, _] = self.centre;
        rows.clear();
        rows.extend(self.observed.log_z.iter().zip(&self.observed.y).map(|(log_z, y)| {
            let power = libm::exp(d * log_z);
            let inverse = 1.0 / (b + power);
            let (u, v) = (b * inverse, power * inverse);
            [u, v, y - a * u - c * v]
        }));
        let (mut uu, mut uv, mut vv, mut ur, mut vr) = (0.0, 0.0, 0.0, 0.0, 0.0);
        for [u, v, r] in rows.iter() {
            // Also where one of them is NaN.
            if !(u.abs() <= WEIGHT_MAX && v.abs() <= WEIGHT_MAX) {
                return None;
            }
            uu += u * u;
            uv += u * v;
            vv += v * v;
            ur += u * r;
            vr += v * r;
        }
        let (half, apart) = (f64::midpoint(uu, vv), 0.5 * (uu - vv));
        let large = half + (apart * apart + uv * uv).sqrt();
        // Their product is the determinant.
        let small = ((uu * vv - uv * uv) / large).max(0.0);
        let (x, y) = if apart >= 0.0 { (large - vv, uv) } else { (uv, large - uu) };
        let length = (x * x + y * y).sqrt();
        let first = if length > 0.0 { [x / length, y / length] } else { [1.0, 0.0] };
        let vectors = [first, [-first[1], first[0]]];
        let values = [large, small];
        let along = vectors.map(|[x, y]| x * ur + y * vr);
        let mut axes = Axes { values, vectors, along, rest: 0.0 };
        // What the observations alone would have of `a` and `c`.
        let offset: [f64; 2] = std::array::from_fn(|k| axes.share(k, 0.0));
        let [by_a, by_c] = [0, 1].map(|at| offset[0] * vectors[0][at] + offset[1] * vectors[1][at]);
        for [u, v, r] in rows.iter() {
            let left = r - by_a * u - by_c * v;
            axes.rest += left * left;
        }
        Some(axes)
    }

    /// The logarithm of the density of (b, d, ln noise), up to a constant.
    fn log_density(&self, &[b, d, log_noise]: &[f64; 3], rows: &mut Vec<[f64; 3]>) -> f64 {
        let Some(axes) = self.axes(b, d, rows) else { return f64::NEG_INFINITY };
        let noise = libm::exp(log_noise);
        let total = noise + NOISE_MIN;
        let variance = total * total;
        #[expect(clippy::cast_precision_loss, reason = "epochs")]
        let free = self.observed.y.len() as f64 - 2.0;
        let mut density = log_noise - noise - free * libm::log(total) - 0.5 * axes.rest / variance;
        for k in 0..2 {
            let spread = axes.values[k] + variance;
            let square = axes.share(k, 0.0) * axes.along[k];
            density -= 0.5 * (libm::log(spread) + square / spread);
        }
        let [_, b0, _, d0] = self.centre;
        density -= 0.5 * ((b - b0) * (b - b0) + (d - d0) * (d - d0));
        if density.is_finite() { density } else { f64::NEG_INFINITY }
    }

    /// Mean and deviation of the curve at the epoch to predict; `None` at a pole.
    fn predict(&self, &[b, d, log_noise]: &[f64; 3], rows: &mut Vec<[f64; 3]>) -> Option<[f64; 2]> {
        let axes = self.axes(b, d, rows)?;
        let noise = libm::exp(log_noise) + NOISE_MIN;
        let variance = noise * noise;
        let power = libm::exp(d * self.log_at);
        let weights = [b / (b + power), power / (b + power)];
        let [a, _, c, _] = self.centre;
        let (mut mean, mut square) = (a * weights[0] + c * weights[1], 0.0);
        for (k, axis) in axes.vectors.iter().enumerate() {
            let weight = axis[0] * weights[0] + axis[1] * weights[1];
            mean += weight * axes.share(k, variance);
            square += weight * weight * variance / (axes.values[k] + variance);
        }
        (mean.is_finite() && square.is_finite()).then_some([mean, square.sqrt()])
    }
}

impl Axes {
    /// How far from the prior the observations pull along an axis, under a noise of this variance.
    fn share(&self, axis: usize, variance: f64) -> f64 {
        let value = self.values[axis];
        // An axis that the observations hardly see is the prior's.
        if value <= 1e-14 * self.values[0] { 0.0 } else { self.along[axis] / (value + variance) }
    }
}

/// Draws of the distribution of a later score: each is normal, a mean and a deviation.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Posterior {
    draws: Vec<[f64; 2]>,
}

impl Posterior {
    /// The probability that the curve comes to no more than `bar`.
    pub(super) fn at_most(&self, bar: f64) -> f64 {
        let below = self.draws.iter().map(|[mean, deviation]| {
            if *deviation > 0.0 {
                survival((mean - bar) / deviation)
            } else {
                f64::from(u8::from(*mean <= bar))
            }
        });
        #[expect(clippy::cast_precision_loss, reason = "some hundreds")]
        let count = self.draws.len() as f64;
        below.sum::<f64>() / count
    }
}
