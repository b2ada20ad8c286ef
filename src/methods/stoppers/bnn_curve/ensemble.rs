//! The networks: from a configuration to the shape of its curve, each from a bootstrap sample.

use rand::Rng;

use super::basis::{RAW, Shape};
use super::coefficients::{Layer, Observed};
use crate::kit::draws::{index, subset};
use crate::surrogates::networks::{Activation, Adam, AdamSettings, Dense, Network, Tape};

/// Units of each of the two hidden layers.
const HIDDEN: usize = 32;

/// Curves of a mini-batch, and epochs of each of them.
const BATCH: usize = 16;
const POINTS: usize = 10;

/// Where the steps of the optimiser begin; they shrink evenly to nothing.
const RATE: f64 = 0.01;

/// Where the logarithm of the noise's variance begins: a deviation of .05 where curves span .8.
const LOG_VARIANCE: f64 = -6.0;

/// A curve to learn from.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Curve {
    /// The configuration, as the networks take it.
    pub(super) inputs: Vec<f64>,
    /// Times in (0, 1] with scaled scores.
    pub(super) points: Vec<(f64, f64)>,
}

/// A curve of a mini-batch, and the places of the epochs that count.
type Chosen<'a> = (&'a Curve, Vec<usize>);

/// The gradient of minus the logarithm of the posterior density, by the weights and by the
/// logarithm of the noise's variance, which is the last of `parameters`. Every point of the batch
/// counts `share` times; the prior of each weight is a standard normal one.
fn gradient(network: &Network, log_variance: f64, batch: &[Chosen<'_>], share: f64) -> Vec<f64> {
    let inputs: Vec<f64> =
        batch.iter().flat_map(|(curve, _)| curve.inputs.iter().copied()).collect();
    let mut tape = Tape::new();
    let outputs = network.forward(&inputs, &mut tape).to_vec();
    let precision = libm::exp(-log_variance);
    let mut by_raw = vec![0.0; outputs.len()];
    let mut by_variance = 0.0;
    let mut slopes = [0.0; RAW];
    let rows = outputs.chunks_exact(RAW).zip(by_raw.chunks_exact_mut(RAW));
    for ((curve, places), (raw, by_raw)) in batch.iter().zip(rows) {
        let shape = Shape::new(raw);
        for (time, score) in places.iter().map(|at| curve.points[*at]) {
            let error = shape.at(time, &mut slopes) - score;
            let scaled = share * error * precision;
            by_raw.iter_mut().zip(&slopes).for_each(|(sum, slope)| *sum += scaled * slope);
            by_variance += 0.5 * (share - scaled * error);
        }
    }
    let mut gradient = network.parameters().to_vec();
    network.backward(&mut tape, &by_raw, &mut gradient, false);
    gradient.push(by_variance);
    gradient
}

/// A network that has learned some of the curves, as often as they stand in `bag`.
fn fit(curves: &[Curve], bag: &[usize], steps: u32, rng: &mut impl Rng) -> Network {
    let layer = |inputs, outputs, activation| Dense { inputs, outputs, activation };
    let layers = [
        layer(curves[0].inputs.len(), HIDDEN, Activation::Tanh),
        layer(HIDDEN, HIDDEN, Activation::Tanh),
        layer(HIDDEN, RAW, Activation::Identity),
    ];
    let mut network = Network::new(&layers, rng);
    let mut parameters = network.parameters().to_vec();
    parameters.push(LOG_VARIANCE);
    let weights = parameters.len() - 1;
    let mut adam = Adam::new(AdamSettings::default(), parameters.len());
    let total: usize = bag.iter().map(|at| curves[*at].points.len()).sum();
    for step in 0..steps {
        let batch: Vec<Chosen<'_>> = (0..BATCH.min(bag.len()))
            .map(|_| {
                let curve = &curves[bag[index(rng, bag.len())]];
                let count = curve.points.len();
                (curve, subset(rng, count.min(POINTS), count))
            })
            .collect();
        let points: usize = batch.iter().map(|(_, places)| places.len()).sum();
        #[expect(clippy::cast_precision_loss, reason = "numbers of points")]
        let share = total as f64 / points as f64;
        let gradient = gradient(&network, parameters[weights], &batch, share);
        adam.settings.learning_rate = RATE * (1.0 - f64::from(step) / f64::from(steps));
        adam.step(&mut parameters, &gradient);
        network.parameters_mut().copy_from_slice(&parameters[..weights]);
    }
    network
}

fn shape(network: &Network, inputs: &[f64]) -> Shape {
    Shape::new(network.forward(inputs, &mut Tape::new()))
}

/// What was observed of a curve, as the last layer of a shape takes it.
fn observed(shape: &Shape, points: &[(f64, f64)]) -> Vec<Observed> {
    let mut unused = [0.0; RAW];
    let of = |(time, score): &(f64, f64)| {
        let error = score - shape.at(*time, &mut unused);
        Observed { time: *time, row: shape.row(*time), error }
    };
    points.iter().map(of).collect()
}

/// The networks with their common last layer.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Ensemble {
    networks: Vec<Network>,
    layer: Layer,
}

impl Ensemble {
    /// Networks of bootstrap samples of the curves, each of which has a point at least, and the
    /// last layer from those that each has not seen. `None` where there are none of these, or what
    /// they give leaves the numbers.
    pub(super) fn fit(
        curves: &[Curve],
        networks: usize,
        steps: u32,
        rng: &mut impl Rng,
    ) -> Option<Self> {
        let mut unseen = Vec::new();
        let networks = (0..networks)
            .map(|_| {
                let bag: Vec<usize> = curves.iter().map(|_| index(rng, curves.len())).collect();
                let network = fit(curves, &bag, steps, rng);
                for (at, curve) in curves.iter().enumerate() {
                    if !bag.contains(&at) {
                        unseen.push(observed(&shape(&network, &curve.inputs), &curve.points));
                    }
                }
                network
            })
            .collect();
        Some(Self { networks, layer: Layer::find(&unseen)? })
    }

    /// Mean and variance of an observed score at a time, by each network, given the beginning of
    /// the curve. `None` where they leave the numbers.
    pub(super) fn predict(&self, own: &Curve, time: f64) -> Option<Vec<(f64, f64)>> {
        let by = |network: &Network| {
            let shape = shape(network, &own.inputs);
            let posterior = self.layer.given(&observed(&shape, &own.points))?;
            let (off, variance) = self.layer.score(&posterior, time, &shape.row(time));
            let mean = off + shape.at(time, &mut [0.0; RAW]);
            (mean.is_finite() && variance > 0.0).then_some((mean, variance))
        };
        self.networks.iter().map(by).collect()
    }
}

#[cfg(test)]
mod tests;
