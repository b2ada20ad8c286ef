//! The Gaussian process of one epoch.

use crate::kit::lbfgs;
use crate::kit::linear_algebra::Vector;
use crate::surrogates::gaussian_process::likelihood::log_likelihood;
use crate::surrogates::gaussian_process::{
    Distance, GaussianProcess, Hyperparameters, Inputs, Shape,
};

/// Starts of the search: one over the squared lengthscale, and the variance of the noise, beside a
/// scale of 1.
const STARTS: [(f64, f64); 2] = [(1.0, 0.01), (10.0, 0.1)];

/// Where they may lie: the same weight, the scale, the noise.
const BOUNDS: [(f64, f64); 3] = [(1e-3, 1e3), (1e-2, 1e2), (1e-6, 1.0)];

/// Hyperparameters with the largest marginal likelihood found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Found {
    weight: f64,
    scale: f64,
    noise: f64,
    pub(super) log_likelihood: f64,
}

impl Found {
    /// Of beginnings of curves with their last scores. `None` where these are all alike, or the
    /// likelihood is not finite.
    pub(super) fn of(beginnings: &[(&[f64], f64)]) -> Option<Self> {
        let (_, inputs, targets) = standardised(beginnings)?;
        let targets = Vector::from_vec(targets);
        let width = inputs.width();
        let mut slopes = vec![0.0; width + 2];
        let mut negated = |logs: &[f64], gradient: &mut [f64]| {
            let hyper = hyperparameters(width, libm::exp(logs[0]), logs[1], logs[2]);
            let value = log_likelihood(Shape::Matern52, &inputs, &targets, &hyper, &mut slopes);
            // One weight for all columns: its slope is the sum of theirs.
            gradient[0] = -slopes[..width].iter().sum::<f64>();
            (gradient[1], gradient[2]) = (-slopes[width], -slopes[width + 1]);
            -value
        };
        let bounds = BOUNDS.map(|(low, high)| (libm::log(low), libm::log(high)));
        let settings = lbfgs::Settings::default();
        let mut best: Option<lbfgs::Minimum> = None;
        for (weight, noise) in STARTS {
            let start = [libm::log(weight), 0.0, libm::log(noise)];
            let found = lbfgs::minimise(&mut negated, &start, &bounds, &settings);
            if found.value.is_finite() && best.as_ref().is_none_or(|b| found.value < b.value) {
                best = Some(found);
            }
        }
        best.map(|best| {
            let [weight, scale, noise] = [0, 1, 2].map(|at| libm::exp(best.point[at]));
            Self { weight, scale, noise, log_likelihood: -best.value }
        })
    }
}

fn hyperparameters(width: usize, weight: f64, log_scale: f64, log_noise: f64) -> Hyperparameters {
    let (scale, noise) = (libm::exp(log_scale), libm::exp(log_noise));
    Hyperparameters { weights: vec![weight; width], scale, noise }
}

/// What to take off and to divide by.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Scales {
    /// Of all scores of the beginnings; the deviation is multiplied by the root of their length.
    score: (f64, f64),
    /// Of the last scores.
    last: (f64, f64),
}

/// Mean and standard deviation over the count; `None` of numbers that are all alike.
fn moments(values: impl Iterator<Item = f64> + Clone) -> Option<(f64, f64)> {
    #[expect(clippy::cast_precision_loss, reason = "scores of some hundred trials")]
    let count = values.clone().count() as f64;
    let mean = values.clone().sum::<f64>() / count;
    let square = values.map(|value| (value - mean) * (value - mean)).sum::<f64>() / count;
    let deviation = square.sqrt();
    // Rounding alone is no difference.
    (deviation > 1e-12 * mean.abs().max(f64::MIN_POSITIVE)).then_some((mean, deviation))
}

fn standardised(beginnings: &[(&[f64], f64)]) -> Option<(Scales, Inputs, Vec<f64>)> {
    let last = moments(beginnings.iter().map(|(_, last)| *last))?;
    // Beginnings that are all alike tell nothing, but are no reason to fail.
    let score = moments(beginnings.iter().flat_map(|(scores, _)| scores.iter().copied()));
    let scales = Scales { score: score.unwrap_or((0.0, 1.0)), last };
    let width = beginnings[0].0.len();
    let mut inputs = Inputs::new(&vec![Distance::Difference; width]);
    for (scores, _) in beginnings {
        inputs.push(&scales.input(scores));
    }
    let targets = beginnings.iter().map(|(_, y)| (y - last.0) / last.1).collect();
    Some((scales, inputs, targets))
}

impl Scales {
    fn input(&self, scores: &[f64]) -> Vec<f64> {
        #[expect(clippy::cast_precision_loss, reason = "a number of epochs")]
        let divisor = self.score.1 * (scores.len() as f64).sqrt();
        scores.iter().map(|score| (score - self.score.0) / divisor).collect()
    }
}

/// A process that has seen completed trials.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Model {
    scales: Scales,
    process: GaussianProcess,
}

impl Model {
    /// Of beginnings of curves with their last scores. `None` where these are all alike, or their
    /// covariance has no factor.
    pub(super) fn new(found: &Found, beginnings: &[(&[f64], f64)]) -> Option<Self> {
        let (scales, inputs, targets) = standardised(beginnings)?;
        let Found { weight, scale, noise, .. } = *found;
        let hyper = Hyperparameters { weights: vec![weight; inputs.width()], scale, noise };
        let process = GaussianProcess::new(Shape::Matern52, hyper, inputs, &targets)?;
        Some(Self { scales, process })
    }

    /// Mean and deviation of the last score that will be observed.
    pub(super) fn predict(&self, scores: &[f64]) -> (f64, f64) {
        let found = self.process.predict(&self.scales.input(scores));
        let variance = found.variance.max(0.0) + self.process.hyperparameters().noise;
        let (mean, deviation) = self.scales.last;
        (mean + deviation * found.mean, deviation * variance.sqrt())
    }
}
