//! The marginal likelihood of hyperparameters, its gradient, and its maximum.

use super::{Hyperparameters, Inputs, Posterior, Shape, dot};
use crate::kit::lbfgs::{self, End, Minimum, Settings};
use crate::kit::linear_algebra::{Cholesky, Matrix, Vector};

/// The logarithm of the marginal likelihood of targets (their mean taken off) at some points, and,
/// in `slopes`, its derivatives by the logarithms of weights, scale and noise in that order. Minus
/// infinity, with slopes of 0, where a hyperparameter is out of range or the covariance has no
/// factor: nothing is added to its diagonal here, for the likelihood would then jump.
///
/// # Panics
/// Where there are not as many targets as points, or slopes as logarithms.
pub fn log_likelihood(
    shape: Shape,
    inputs: &Inputs,
    targets: &Vector,
    hyper: &Hyperparameters,
    slopes: &mut [f64],
) -> f64 {
    let (size, width) = (inputs.count(), inputs.width());
    assert_eq!(targets.len(), size, "a target a point");
    assert_eq!(slopes.len(), width + 2, "a slope a hyperparameter");
    slopes.fill(0.0);
    if !hyper.are_finite() {
        return f64::NEG_INFINITY;
    }
    // Correlations and their derivatives by the squared distance, below the diagonal.
    let mut correlations = Matrix::zeros(size, size);
    let mut by_distance = Matrix::zeros(size, size);
    let columns = correlations.as_mut_slice().chunks_exact_mut(size.max(1));
    let columns = columns.zip(by_distance.as_mut_slice().chunks_exact_mut(size.max(1)));
    for (j, (correlations, derivatives)) in columns.enumerate() {
        let below = &mut correlations[j + 1..];
        inputs.squared_distances(j + 1, &hyper.weights, &inputs.point(j), below);
        shape.correlate_with_slopes(below, &mut derivatives[j + 1..]);
    }
    let mut covariance = &correlations * hyper.scale;
    (0..size).for_each(|at| covariance[(at, at)] = hyper.scale + hyper.noise);
    let factor = Cholesky::new(covariance);
    let Some(posterior) = factor.and_then(|factor| Posterior::of(factor, targets, 0.0)) else {
        return f64::NEG_INFINITY;
    };

    let sensitivity = posterior.sensitivity();
    let trace: f64 = sensitivity.diagonal().iter().sum();
    slopes[width + 1] = 0.5 * hyper.noise * trace;
    slopes[width] = 0.5 * hyper.scale * trace;
    let (mut products, mut squares) = (vec![0.0; size], vec![0.0; size]);
    for j in 0..size {
        let sensitivity = &sensitivity.as_slice()[j * size..][j + 1..size];
        let below = sensitivity.len();
        let correlations = &correlations.as_slice()[j * size..][j + 1..size];
        slopes[width] += hyper.scale * dot(sensitivity, correlations);
        let products = &mut products[..below];
        let derivatives = &by_distance.as_slice()[j * size..][j + 1..size];
        let both = products.iter_mut().zip(sensitivity).zip(derivatives);
        both.for_each(|((product, a), b)| *product = a * b);
        let squares = &mut squares[..below];
        for (column, weight) in hyper.weights.iter().enumerate() {
            inputs.squared_differences(column, j + 1, squares);
            slopes[column] += hyper.scale * weight * dot(products, squares);
        }
    }
    posterior.log_likelihood()
}

/// The hyperparameters of the largest marginal likelihood times prior density, climbed from
/// `start` by L-BFGS on their logarithms within `bounds` (weights, scale, noise). `log_prior` takes
/// them, *adds* its slopes by their logarithms to what stands there, and returns the logarithm of
/// its density up to a constant; return 0 for the likelihood alone. What is found is a local
/// maximum: start more than once where there may be several. The minimum's value is minus that of
/// the maximum; its end is `Undefined` where there is none at the start.
pub fn maximise(
    shape: Shape,
    inputs: &Inputs,
    targets: &Vector,
    mut log_prior: impl FnMut(&Hyperparameters, &mut [f64]) -> f64,
    start: &Hyperparameters,
    bounds: &[(f64, f64)],
    settings: &Settings,
) -> (Hyperparameters, Minimum) {
    let negated = |logs: &[f64], slopes: &mut [f64]| {
        let hyper = Hyperparameters::from_logs(logs);
        let mut value = log_likelihood(shape, inputs, targets, &hyper, slopes);
        value += log_prior(&hyper, slopes);
        for slope in slopes {
            *slope = -*slope;
        }
        -value
    };
    let found = lbfgs::minimise(negated, &start.logs(), bounds, settings);
    (Hyperparameters::from_logs(&found.point), found)
}

/// The least noise that [`most_probable`] finds.
pub const NOISE_MIN: f64 = 1e-6;

/// The logarithms of weights and scale stay within this of 0, which the prior sees to anyway.
const LOG_MAX: f64 = 20.0;

/// The logarithm of a weakly informative prior density of targets with mean 0 and deviation 1, up
/// to a constant; adds its slopes by the logarithms. It is Optuna 4.9's: `exp(-(0.1 / w + 0.1 w))`
/// of each weight, Gamma(2, 1) of the scale, Gamma(1.1, 30) of the noise (shape and rate).
pub fn log_prior(hyper: &Hyperparameters, slopes: &mut [f64]) -> f64 {
    let width = hyper.weights.len();
    let mut sum = 0.0;
    for (weight, slope) in hyper.weights.iter().zip(&mut *slopes) {
        sum -= 0.1 / weight + 0.1 * weight;
        *slope += 0.1 / weight - 0.1 * weight;
    }
    for (at, value, power, rate) in
        [(width, hyper.scale, 1.0, 1.0), (width + 1, hyper.noise, 0.1, 30.0)]
    {
        sum += power * libm::log(value) - rate * value;
        slopes[at] += power - rate * value;
    }
    sum
}

/// The most probable hyperparameters of some standardised targets under [`log_prior`], with noise
/// of at least [`NOISE_MIN`], climbed from `start` until no slope by a logarithm is larger than
/// `slope_tolerance`, or from the [unit ones](Hyperparameters::unit) where the climb cannot begin
/// there; those themselves where it cannot begin there either.
pub fn most_probable(
    shape: Shape,
    inputs: &Inputs,
    targets: &[f64],
    start: &Hyperparameters,
    slope_tolerance: f64,
) -> Hyperparameters {
    let mut bounds = vec![(-LOG_MAX, LOG_MAX); inputs.width() + 1];
    bounds.push((libm::log(NOISE_MIN), LOG_MAX));
    let settings = Settings { gradient_tolerance: slope_tolerance, ..Settings::default() };
    let targets = Vector::from_column_slice(targets);
    let unit = Hyperparameters::unit(inputs.width());
    for start in [start, &unit] {
        let (found, minimum) =
            maximise(shape, inputs, &targets, log_prior, start, &bounds, &settings);
        if minimum.end != End::Undefined {
            return found;
        }
    }
    unit
}
