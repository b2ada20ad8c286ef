//! A Gaussian process with a deep kernel over configurations, budgets and learning curves
//! (Wistuba, Kadra, Grabocka, "Supervising the multi-fidelity race of hyperparameter
//! configurations", 2022, section 4).
//!
//! A network turns a point (a configuration, the share `b` of the last epoch, the scores before
//! that epoch) into features: configuration and budget go through a layer of 64 units with batch
//! norm and `LeakyReLU`; the scores, filled up with zeros, through a convolution of 4 filters over
//! 3 epochs, of each of which the maximum is kept; both together through a layer of 128 units with
//! `LeakyReLU`. On these lies `k(u, v) = s exp(-|u - v|^2 / (2 l^2))` with noise and a constant
//! mean. All parameters together maximise the marginal likelihood by Adam (1e-3), a step a pass
//! over all observations.
//!
//! Lengthscale, scale and noise are `softplus` of what Adam moves, the noise with 1e-4 added; all
//! begin at `softplus(0)`, the mean at 0, as in gpytorch. Batch norm predicts by its running
//! statistics, and a prediction's deviation is that of an observation, noise included. The bias
//! before batch norm, which that takes away again, stays where it was drawn: the authors' code lets
//! Adam make steps of what rounding leaves of its gradient. The network
//! is f32 as in the authors' code, the process f64 but for products of its features and of what
//! gradients and variances are taken from.

mod features;
mod process;

use base::rng::Stream;

pub use self::features::Shape;
use self::features::{Norm, Pass, Running, SPAN, backward, forward};
use self::process::{HYPERPARAMETERS, Process};
use crate::surrogates::adam::Adam;

/// Adam's learning rate.
const RATE: f64 = 1e-3;

/// Points of a table's curves.
#[derive(Debug, Clone, PartialEq)]
pub struct Points {
    width: usize,
    /// Numbers of a curve.
    epochs: usize,
    /// Point after point: the configuration, then the budget.
    inputs: Vec<f32>,
    /// Point after point: the scores before, then zeros.
    curves: Vec<f32>,
}

impl Points {
    /// No points of configurations of `width` numbers on a table of `epochs`.
    pub fn new(width: usize, epochs: usize) -> Self {
        Self { width, epochs: epochs.max(SPAN), inputs: Vec::new(), curves: Vec::new() }
    }

    /// Adds a point.
    ///
    /// # Panics
    /// Where the configuration has another width, or more scores come before than there are epochs.
    pub fn push(&mut self, configuration: &[f32], budget: f32, before: &[f32]) {
        assert!(configuration.len() == self.width && before.len() <= self.epochs, "a point fits");
        self.inputs.extend_from_slice(configuration);
        self.inputs.push(budget);
        self.curves.extend_from_slice(before);
        self.curves.resize(self.inputs.len() / (self.width + 1) * self.epochs, 0.0);
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.inputs.len() / (self.width + 1)
    }
}

/// What is predicted of a point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Prediction {
    pub mean: f64,
    pub deviation: f64,
}

/// The process and its network.
#[derive(Debug, Clone, PartialEq)]
pub struct DeepKernel {
    shape: Shape,
    /// The network's, then the process's.
    parameters: Vec<f32>,
    running: Running,
}

impl DeepKernel {
    /// Before any training.
    pub fn new(shape: Shape, stream: &mut Stream) -> Self {
        let mut parameters = shape.initial(stream);
        parameters.extend([0.0; HYPERPARAMETERS]);
        Self { shape, parameters, running: Running::new(shape) }
    }

    /// Takes so many steps on values at some points. `false`, and nothing changed, where the
    /// covariance has no factor on the way, or something is no longer a number. Fewer than two
    /// points train nothing, as batch norm knows no variance of one.
    #[must_use]
    pub fn train(&mut self, points: &Points, values: &[f64], steps: u32) -> bool {
        if points.count() < 2 {
            return true;
        }
        let before = self.clone();
        let mut adam = Adam::new(self.parameters.len(), RATE);
        let mut pass = Pass::default();
        for _ in 0..steps {
            if !self.step(points, values, &mut adam, &mut pass) {
                *self = before;
                return false;
            }
        }
        let is_finite = self.parameters.iter().all(|p| p.is_finite()) && self.running.is_finite();
        if !is_finite {
            *self = before;
        }
        is_finite
    }

    fn step(&mut self, points: &Points, values: &[f64], adam: &mut Adam, pass: &mut Pass) -> bool {
        let Self { shape, parameters, running } = self;
        let (network, hyper) = parameters.split_at(shape.parameters());
        forward(*shape, network, points, pass, Norm::Batch(running));
        let process = Process::read(hyper);
        let Some((by_features, by_hyper)) = process.gradients(&pass.features, values) else {
            return false;
        };
        let mut gradients = vec![0.0; parameters.len()];
        let (into, rest) = gradients.split_at_mut(shape.parameters());
        rest.copy_from_slice(&by_hyper);
        backward(*shape, network, points, pass, by_features, into);
        adam.step(parameters, &gradients);
        true
    }

    /// What is predicted at some points, given values at others; NaN where the covariance has no
    /// factor.
    pub fn predict(&self, points: &Points, values: &[f64], asked: &Points) -> Vec<Prediction> {
        let (network, hyper) = self.parameters.split_at(self.shape.parameters());
        let features = |points: &Points| {
            let mut pass = Pass::default();
            forward(self.shape, network, points, &mut pass, Norm::Noted(&self.running));
            pass.features
        };
        let (seen, asked) = (features(points), features(asked));
        Process::read(hyper).predict(self.shape.features(), &seen, values, &asked)
    }
}

#[cfg(test)]
mod tests;
