//! Kernel parameters drawn by slice sampling, as Spearmint's `GPEIChooser` does.

use rand::Rng;

use super::Known;
use crate::kit::draws::normal;
use crate::kit::linear_algebra::{Cholesky, Vector};
use crate::surrogates::gaussian_process::pool::{Belief, Outcome};
use crate::surrogates::gaussian_process::slice::{along_any, along_axes};
use crate::surrogates::gaussian_process::{
    GaussianProcess, Hyperparameters, Inputs, Posterior, Shape, covariance,
};

/// Draws of the parameters a decision.
const DRAWS: usize = 10;
/// Fantasies of the pending trials a draw.
const FANTASIES: usize = 100;
/// The longest lengthscale.
const LENGTH_MAX: f64 = 2.0;
/// Of the noise's prior.
const NOISE_SCALE: f64 = 0.1;
/// Share of the scale that is added to every variance.
const JITTER: f64 = 1e-6;
/// Of the first interval of a slice.
const WIDTH: f64 = 1.0;

/// The chain's place.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Place {
    pub(super) lengths: Vec<f64>,
    pub(super) mean: f64,
    pub(super) scale: f64,
    pub(super) noise: f64,
}

impl Place {
    /// Where Spearmint begins.
    pub(super) fn first(width: usize, losses: &[f64]) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "thousands at most")]
        let count = losses.len() as f64;
        let mean = losses.iter().sum::<f64>() / count;
        let squares: f64 = losses.iter().map(|loss| (loss - mean) * (loss - mean)).sum();
        let scale = (squares / count).sqrt() + 1e-4;
        Self { lengths: vec![1.0; width], mean, scale, noise: 1e-3 }
    }

    fn hyper(&self) -> Hyperparameters {
        Hyperparameters {
            weights: self.lengths.iter().map(|length| 1.0 / (length * length)).collect(),
            scale: self.scale,
            noise: self.noise + JITTER * self.scale,
        }
    }

    /// The logarithm of the likelihood times the prior density of scale and noise, up to a
    /// constant; minus infinity where the prior has none.
    pub(super) fn log_density(&self, inputs: &Inputs, losses: &[f64], range: (f64, f64)) -> f64 {
        let is_length = |length: &f64| *length > 0.0 && *length <= LENGTH_MAX;
        let is_possible = self.lengths.iter().all(is_length)
            && (range.0..=range.1).contains(&self.mean)
            && self.scale > 0.0
            && self.noise > 0.0;
        if !is_possible {
            return f64::NEG_INFINITY;
        }
        let hyper = self.hyper();
        if hyper.weights.iter().any(|weight| *weight > 1e100) {
            return f64::NEG_INFINITY;
        }
        let factor = Cholesky::new(covariance(Shape::Matern52, &hyper, inputs));
        let targets = Vector::from_iterator(losses.len(), losses.iter().map(|y| y - self.mean));
        let Some(posterior) = factor.and_then(|factor| Posterior::of(factor, &targets, 0.0)) else {
            return f64::NEG_INFINITY;
        };
        let ratio = NOISE_SCALE / self.noise;
        let log_scale = libm::log(self.scale);
        let noise = libm::log(libm::log1p(ratio * ratio));
        posterior.log_likelihood() + noise - 0.5 * log_scale * log_scale
    }

    /// Moves along a random direction of mean, scale and noise, and then along each lengthscale.
    pub(super) fn step(&mut self, inputs: &Inputs, losses: &[f64], rng: &mut impl Rng) {
        let range = losses.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), y| {
            (f64::min(low, *y), f64::max(high, *y))
        });
        let mut place = [self.mean, self.scale, self.noise];
        let mut tried = self.clone();
        along_any(&mut place, WIDTH, rng, |place| {
            [tried.mean, tried.scale, tried.noise] = [place[0], place[1], place[2]];
            tried.log_density(inputs, losses, range)
        });
        [self.mean, self.scale, self.noise] = place;
        let mut tried = self.clone();
        along_axes(&mut self.lengths, WIDTH, rng, |place| {
            tried.lengths.copy_from_slice(place);
            tried.log_density(inputs, losses, range)
        });
    }
}

/// The chain, which goes on from one decision to the next.
#[derive(Debug, Clone, Default)]
pub(super) struct Drawn {
    place: Option<Place>,
}

impl Drawn {
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// The beliefs of ten draws; those that rounding leaves without a factor are left out, and
    /// `None` where that is all of them.
    pub(super) fn believe(&mut self, known: &Known, rng: &mut impl Rng) -> Option<Vec<Belief>> {
        let losses = &known.losses;
        let first = || Place::first(known.inputs.width(), losses);
        let place = self.place.get_or_insert_with(first);
        // What is told may be revised until the mean lies outside of all of it.
        let low = losses.iter().copied().fold(f64::INFINITY, f64::min);
        let high = losses.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        place.mean = place.mean.clamp(low, high);
        let draws = (0..DRAWS).filter_map(|_| {
            place.step(&known.inputs, losses, rng);
            belief(place, known, rng)
        });
        let beliefs: Vec<Belief> = draws.collect();
        (!beliefs.is_empty()).then_some(beliefs)
    }
}

/// The belief of one draw.
fn belief(place: &Place, known: &Known, rng: &mut impl Rng) -> Option<Belief> {
    let (hyper, floor) = (place.hyper(), JITTER * place.scale);
    let mut targets: Vec<f64> = known.losses.iter().map(|loss| loss - place.mean).collect();
    let best = targets.iter().copied().fold(f64::INFINITY, f64::min);
    let new = |inputs: Inputs, targets: &[f64]| {
        GaussianProcess::new(Shape::Matern52, hyper.clone(), inputs, targets)
    };
    let process = new(known.inputs.clone(), &targets)?;
    let pending = &known.pending;
    if pending.count() == 0 {
        return Some(Belief::of(process, best, floor));
    }
    let (means, mut joint) = process.predict_jointly(pending);
    (0..pending.count()).for_each(|at| joint[(at, at)] += floor);
    let (root, _) = Cholesky::with_jitter(&joint)?;
    let mut inputs = known.inputs.clone();
    (0..pending.count()).for_each(|at| inputs.push(&pending.point(at)));
    targets.extend(means.iter());
    let process = new(inputs, &targets)?;
    let outcomes = (0..FANTASIES).map(|_| {
        let noise = Vector::from_iterator(pending.count(), means.iter().map(|_| normal(rng)));
        let fantasy = &means + root.factor() * noise;
        let seen = known.losses.len();
        targets[seen..].copy_from_slice(fantasy.as_slice());
        let best = fantasy.iter().copied().fold(best, f64::min);
        let weights = process.posterior().cholesky().solve(&Vector::from_column_slice(&targets));
        Outcome { weights: weights.as_slice().to_vec(), best }
    });
    let outcomes = outcomes.collect();
    Some(Belief { process, outcomes, variance_floor: floor })
}
