//! How much the best value may still lack, by a Gaussian process.
//!
//! Makarova et al., "Automatic termination for hyperparameter optimization" (2022), section 3, and
//! Ishibashi et al., "A stopping criterion for Bayesian optimization by the gap of expected minimum
//! simple regrets" (2023), algorithm 1, both as Optuna 4.9 computes them. Scores are maximised.

use base::stats::normal;

use crate::surrogates::gaussian_process::likelihood::{NOISE_MIN, most_probable};
use crate::surrogates::gaussian_process::{GaussianProcess, Hyperparameters, Inputs, Shape};

/// The largest slope by a logarithm at which the climb ends: Optuna's.
pub(super) const SLOPE_TOLERANCE: f64 = 1e-2;

/// Deviations below this count as this.
const DEVIATION_MIN: f64 = 1e-10;

/// `1 / sqrt(2 pi)`.
const DENSITY_AT_ZERO: f64 = 0.398_942_280_401_432_7;

/// The least squared deviation of the difference of two values.
const VARIANCE_MIN: f64 = 1e-10;

/// What does not depend on what was observed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Belief<'a> {
    /// Where the largest value may lie.
    pub(super) candidates: &'a Inputs,
    /// Parameters of the space: what Optuna takes for its size.
    pub(super) parameters: usize,
    /// How probable it is that the function leaves its bounds.
    pub(super) delta: f64,
}

/// The scores with mean 0 and deviation 1, and what they were divided by.
pub(super) fn standardised(scores: &[f64]) -> (Vec<f64>, f64) {
    let count = count(scores.len());
    let mean = scores.iter().sum::<f64>() / count;
    let squares: f64 = scores.iter().map(|score| (score - mean) * (score - mean)).sum();
    let deviation = (squares / count).sqrt().max(DEVIATION_MIN);
    (scores.iter().map(|score| (score - mean) / deviation).collect(), deviation)
}

#[expect(clippy::cast_precision_loss, reason = "thousands at most")]
fn count(trials: usize) -> f64 {
    trials as f64
}

/// The place of the first of the best.
fn best(scores: &[f64]) -> usize {
    (1..scores.len()).fold(0, |best, at| if scores[at] > scores[best] { at } else { best })
}

/// The most probable parameters of standardised scores, climbed from others.
pub(super) fn fitted(inputs: &Inputs, scores: &[f64], start: &Hyperparameters) -> Hyperparameters {
    most_probable(Shape::Matern52, inputs, scores, start, SLOPE_TOLERANCE)
}

impl Belief<'_> {
    /// The largest upper bound of the function at candidates and at what was seen, less the largest
    /// lower bound at what was seen: in the unit of the process, not negative. The bounds lie
    /// `sqrt(beta)` deviations from the mean, `beta = 2 ln(d n^2 pi^2 / (6 delta)) / 5` of `d`
    /// parameters and `n` observations (Srinivas et al. 2010, a fifth of it).
    pub(super) fn regret(&self, process: &GaussianProcess) -> f64 {
        let seen = process.inputs();
        let observed = count(seen.count());
        let pi = std::f64::consts::PI;
        let spread = count(self.parameters) * observed * observed * pi * pi / 6.0 / self.delta;
        let beta = 2.0 * libm::log(spread) / 5.0;
        let (mut upper, mut lower) = (f64::NEG_INFINITY, f64::NEG_INFINITY);
        for at in 0..seen.count() {
            let expected = process.predict(&seen.point(at));
            let deviation = (beta * expected.variance).sqrt();
            upper = upper.max(expected.mean + deviation);
            lower = lower.max(expected.mean - deviation);
        }
        for at in 0..self.candidates.count() {
            let expected = process.predict(&self.candidates.point(at));
            upper = upper.max(expected.mean + (beta * expected.variance).sqrt());
        }
        upper - lower
    }

    /// The regret of a process fitted to these scores, in their unit. `None` where there is no such
    /// process.
    pub(super) fn bound(&self, inputs: &Inputs, scores: &[f64]) -> Option<f64> {
        let (targets, deviation) = standardised(scores);
        let hyper = fitted(inputs, &targets, &Hyperparameters::unit(inputs.width()));
        let process = GaussianProcess::new(Shape::Matern52, hyper, inputs.clone(), &targets)?;
        Some(self.regret(&process) * deviation)
    }

    /// The expected minimum model regret after the last of these observations, in deviations of
    /// all scores. `None` where there is no process.
    ///
    /// # Panics
    /// Of fewer than two observations.
    pub(super) fn model_regret(&self, inputs: &Inputs, scores: &[f64]) -> Option<f64> {
        let (targets, _) = standardised(scores);
        let before = before_last(inputs);
        let unit = Hyperparameters::unit(inputs.width());
        let earlier = fitted(&before, &targets[..targets.len() - 1], &unit);
        let later = fitted(inputs, &targets, &earlier);
        self.model_regret_of(inputs, &targets, earlier, later)
    }

    /// The same at given parameters of the processes without the last observation and with it.
    pub(super) fn model_regret_of(
        &self,
        inputs: &Inputs,
        targets: &[f64],
        earlier: Hyperparameters,
        later: Hyperparameters,
    ) -> Option<f64> {
        let last = targets.len() - 1;
        let new = |hyper, inputs: Inputs, targets: &[f64]| {
            GaussianProcess::new(Shape::Matern52, hyper, inputs, targets)
        };
        let earlier = new(earlier, before_last(inputs), &targets[..last])?;
        let later = new(later, inputs.clone(), targets)?;
        let (best_now, best_before) = (best(targets), best(&targets[..last]));
        let [now, before, newest] =
            [best_now, best_before, last].map(|at| later.predict(&inputs.point(at)));
        let was = earlier.predict(&inputs.point(best_before));

        // Theorem 1: by how much the best value is expected to have changed.
        let between = if best_now == best_before {
            now.variance
        } else {
            let places = [best_now, best_before].map(|at| u32::try_from(at).expect("trials"));
            later.predict_jointly(&inputs.select(&places)).1[(1, 0)]
        };
        let variance = now.variance - 2.0 * between + before.variance;
        let deviation = variance.max(VARIANCE_MIN).sqrt();
        let gain = (now.mean - was.mean) / deviation;
        let density = DENSITY_AT_ZERO * libm::exp(-0.5 * gain * gain);
        let change = (was.mean - now.mean)
            + deviation * density
            + deviation * gain * normal::survival(-gain);

        // Equation 4: how far the posterior has moved, with the least noise for the noise.
        let noisy = newest.variance + NOISE_MIN;
        let miss = targets[last] - newest.mean;
        let moved = 0.5 * libm::log(1.0 + newest.variance / NOISE_MIN)
            - 0.5 * newest.variance / noisy
            + 0.5 * newest.variance * miss * miss / (noisy * noisy);
        Some(change + self.regret(&earlier) * (0.5 * moved).max(0.0).sqrt())
    }
}

fn before_last(inputs: &Inputs) -> Inputs {
    let last = u32::try_from(inputs.count() - 1).expect("trials");
    inputs.select(&(0..last).collect::<Vec<u32>>())
}
