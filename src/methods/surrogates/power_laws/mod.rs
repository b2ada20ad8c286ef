//! Deep power laws: an ensemble of networks that give each configuration the power law of its
//! learning curve (Kadra, Janowski, Wistuba, Grabocka, "Scaling laws for hyperparameter
//! optimization", 2023, equation 4).
//!
//! A network maps a configuration to alpha, beta and gamma of
//! `loss(b) = alpha + g(beta) b^(-g(gamma))`, `b` the share of the last epoch that has run, in
//! (0, 1], and `g(x) = x sigmoid(x)`. It has two hidden layers of 128 units with `LeakyReLU`, and
//! is trained on the mean absolute error by Adam (1e-3) in batches of 64. Numbers are f32, as in
//! the authors' code. The configuration does not know the epoch, so that observations of one
//! configuration share a pass.
//!
//! The prediction at the last epoch is the mean of the networks, its uncertainty their (population)
//! deviation. A network whose training diverges is drawn anew at the next one, and its predictions
//! that are no number are left out.

mod network;

use base::rng::Stream;
use rayon::prelude::*;

pub use self::network::{Network, Shape};

/// Observations of a batch.
const BATCH: usize = 64;

/// Adam's learning rate.
const RATE: f64 = 1e-3;

/// A loss that was observed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Observation {
    /// The configuration's row.
    pub row: usize,
    /// The logarithm of the share of the last epoch.
    pub log_budget: f32,
    pub loss: f32,
}

/// How a network is trained.
#[derive(Debug)]
pub struct Fit<'a> {
    /// Passes over the observations.
    pub epochs: u32,
    /// Observations, by place, that join every batch.
    pub newest: &'a [usize],
    /// What shuffles.
    pub batches: Stream,
}

/// What the networks predict of one row at the last epoch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Prediction {
    /// NaN where no network gives a number.
    pub mean: f64,
    pub deviation: f64,
}

/// The ensemble.
#[derive(Debug, Clone)]
pub struct PowerLaws {
    shape: Shape,
    /// What each network's first weights are drawn from, whenever they are.
    weights: Vec<Stream>,
    networks: Vec<Network>,
}

impl PowerLaws {
    /// An ensemble of a network for each stream, which its first weights are drawn from.
    pub fn new(shape: Shape, weights: Vec<Stream>) -> Self {
        let networks = weights.iter().map(|stream| Network::new(shape, &mut stream.clone()));
        let networks = networks.collect();
        Self { shape, weights, networks }
    }

    /// Trains every network on the observations; `anew` from the weights that it began with, and
    /// so where its training has diverged. `fit` says how the network of a place is trained, given
    /// whether that is anew. `rows` are all configurations, row after row.
    pub fn train<'a>(
        &mut self,
        rows: &[f32],
        observations: &[Observation],
        anew: bool,
        threads: usize,
        fit: impl Fn(usize, bool) -> Fit<'a> + Sync,
    ) {
        let Self { shape, weights, networks } = self;
        let train = |(at, network): (usize, &mut Network)| {
            let is_new = anew || !network.is_finite();
            if is_new {
                *network = Network::new(*shape, &mut weights[at].clone());
            }
            network.train(rows, observations, &fit(at, is_new));
        };
        if threads > 1 {
            networks.par_iter_mut().enumerate().for_each(train);
        } else {
            networks.iter_mut().enumerate().for_each(train);
        }
    }

    /// What the networks say of the last epoch, by row.
    pub fn at_end(&self, rows: &[f32], threads: usize) -> Vec<Prediction> {
        let all: Vec<Vec<f32>> = if threads > 1 {
            self.networks.par_iter().map(|network| network.at_end(rows)).collect()
        } else {
            self.networks.iter().map(|network| network.at_end(rows)).collect()
        };
        let count = rows.len() / self.shape.inputs;
        (0..count).map(|row| combined(all.iter().map(|of| f64::from(of[row])))).collect()
    }
}

/// The mean and the deviation of those that are numbers.
fn combined(predictions: impl Iterator<Item = f64> + Clone) -> Prediction {
    let finite = predictions.filter(|p| p.is_finite());
    #[expect(clippy::cast_precision_loss, reason = "networks are few")]
    let count = finite.clone().count() as f64;
    let mean = finite.clone().sum::<f64>() / count;
    let squares = finite.map(|p| (p - mean) * (p - mean)).sum::<f64>();
    Prediction { mean, deviation: (squares / count).sqrt() }
}

#[cfg(test)]
mod tests;
