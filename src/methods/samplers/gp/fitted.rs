//! One set of kernel parameters: the most probable ones, or those of Keras Tuner.

use super::Known;
use crate::surrogates::gaussian_process::likelihood::most_probable;
use crate::surrogates::gaussian_process::pool::Belief;
use crate::surrogates::gaussian_process::{GaussianProcess, Hyperparameters, Inputs, Shape};

/// The largest slope by a logarithm at which the climb ends: Optuna's.
const SLOPE_TOLERANCE: f64 = 1e-2;

/// Added to every variance: Optuna's stabilising noise.
const VARIANCE_FLOOR: f64 = 1e-12;

/// The noise of Keras Tuner's model.
const FIXED_NOISE: f64 = 1e-4;

/// Deviations below this count as this.
const DEVIATION_MIN: f64 = 1e-10;

/// The losses with mean 0 and deviation 1, or all 0 where they are equal.
pub(super) fn standardised(losses: &[f64]) -> Vec<f64> {
    #[expect(clippy::cast_precision_loss, reason = "thousands at most")]
    let count = losses.len() as f64;
    // The largest magnitude is divided out first, so that no square overflows.
    let largest = losses.iter().fold(0.0, |most: f64, loss| most.max(loss.abs()));
    let unit = if largest > 1e100 { largest } else { 1.0 };
    let losses: Vec<f64> = losses.iter().map(|loss| loss / unit).collect();
    let mean = losses.iter().sum::<f64>() / count;
    let squares: f64 = losses.iter().map(|loss| (loss - mean) * (loss - mean)).sum();
    let deviation = (squares / count).sqrt().max(DEVIATION_MIN);
    losses.iter().map(|loss| (loss - mean) / deviation).collect()
}

fn least(losses: &[f64]) -> f64 {
    losses.iter().copied().fold(f64::INFINITY, f64::min)
}

/// The belief of some parameters, with pending trials that are told `told` of a process without
/// them.
fn with_pending(
    hyper: &Hyperparameters,
    known: &Known,
    losses: &[f64],
    told: impl Fn(&GaussianProcess, &[f64]) -> f64,
) -> Option<Belief> {
    let new = |inputs: Inputs, losses: &[f64]| {
        GaussianProcess::new(Shape::Matern52, hyper.clone(), inputs, losses)
    };
    let process = new(known.inputs.clone(), losses)?;
    if known.pending.count() == 0 {
        return Some(Belief::of(process, least(losses), VARIANCE_FLOOR));
    }
    let (mut inputs, mut all) = (known.inputs.clone(), losses.to_vec());
    for at in 0..known.pending.count() {
        let point = known.pending.point(at);
        all.push(told(&process, &point));
        inputs.push(&point);
    }
    Some(Belief::of(new(inputs, &all)?, least(losses), VARIANCE_FLOOR))
}

/// The most probable parameters, from one decision to the next.
#[derive(Debug, Clone, Default)]
pub(super) struct Fitted {
    hyper: Option<Hyperparameters>,
    /// What they were fitted to.
    inputs: Option<Inputs>,
    losses: Vec<f64>,
}

impl Fitted {
    pub(super) fn new() -> Self {
        Self::default()
    }

    pub(super) fn most_probable(&mut self, known: &Known) -> Option<Belief> {
        let losses = standardised(&known.losses);
        let is_known = self.losses == losses && self.inputs.as_ref() == Some(&known.inputs);
        let hyper = match &self.hyper {
            Some(hyper) if is_known => hyper.clone(),
            hyper => {
                let unit = Hyperparameters::unit(known.inputs.width());
                let start = hyper.as_ref().unwrap_or(&unit);
                most_probable(Shape::Matern52, &known.inputs, &losses, start, SLOPE_TOLERANCE)
            }
        };
        let best = least(&losses);
        let belief = with_pending(&hyper, known, &losses, |_, _| best);
        self.hyper = Some(hyper);
        self.inputs = Some(known.inputs.clone());
        self.losses = losses;
        belief
    }
}

/// Keras Tuner's model: lengthscales of 1.
pub(super) fn unit(known: &Known) -> Option<Belief> {
    let losses = standardised(&known.losses);
    let hyper =
        Hyperparameters { noise: FIXED_NOISE, ..Hyperparameters::unit(known.inputs.width()) };
    with_pending(&hyper, known, &losses, |process, point| {
        let expected = process.predict(point);
        expected.mean + expected.variance.sqrt()
    })
}
