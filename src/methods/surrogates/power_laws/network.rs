//! One network of the ensemble: from a configuration to the power law of its learning curve.

use base::rng::Stream;
use rand::RngExt;

use super::{BATCH, Fit, Observation, RATE};
use crate::kit::draws::permutation;
use crate::surrogates::adam::Adam;
use crate::surrogates::products::{
    Left, Product, column_sums, leaky_rectify, leaky_rectify_backward, transpose,
};

/// What a law is made of: alpha, beta, gamma.
const HEADS: usize = 3;

/// The sizes of a network's layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// Numbers of a configuration.
    pub inputs: usize,
    /// Units of both hidden layers.
    pub units: usize,
}

impl Shape {
    /// Inputs and outputs of each layer.
    fn layers(self) -> [[usize; 2]; 3] {
        [[self.inputs, self.units], [self.units, self.units], [self.units, HEADS]]
    }

    /// How many parameters there are.
    pub fn parameters(self) -> usize {
        self.layers().iter().map(|[inputs, outputs]| (inputs + 1) * outputs).sum()
    }
}

/// Two hidden layers with `LeakyReLU`, and three outputs.
#[derive(Debug, Clone, PartialEq)]
pub struct Network {
    shape: Shape,
    /// Layer by layer: the weights (inputs, outputs), then the bias.
    parameters: Vec<f32>,
}

/// A layer's part of the parameters, or of their gradients.
fn layer_of(shape: Shape, layer: usize, parameters: &[f32]) -> (&[f32], &[f32]) {
    let before = shape.layers()[..layer].iter().map(|[i, o]| (i + 1) * o).sum();
    let [inputs, outputs] = shape.layers()[layer];
    parameters[before..][..(inputs + 1) * outputs].split_at(inputs * outputs)
}

fn layer_of_mut(shape: Shape, layer: usize, parameters: &mut [f32]) -> (&mut [f32], &mut [f32]) {
    let before = shape.layers()[..layer].iter().map(|[i, o]| (i + 1) * o).sum();
    let [inputs, outputs] = shape.layers()[layer];
    parameters[before..][..(inputs + 1) * outputs].split_at_mut(inputs * outputs)
}

/// What a pass computes for its rows.
#[derive(Debug, Default)]
struct Pass {
    /// (rows, inputs).
    input: Vec<f32>,
    /// (rows, units) of both hidden layers.
    hidden: [Vec<f32>; 2],
    /// (rows, 3).
    heads: Vec<f32>,
}

/// `x sigmoid(x)`, and its slope: torch's `GLU` of a value beside itself.
fn swish(x: f32) -> (f32, f32) {
    let sigmoid = 1.0 / (1.0 + libm::expf(-x));
    (x * sigmoid, sigmoid + x * sigmoid * (1.0 - sigmoid))
}

/// `alpha + swish(beta) b^(-swish(gamma))` at `log_budget = ln b`, and its slopes by the three.
fn power_law(heads: &[f32], log_budget: f32) -> (f32, [f32; HEADS]) {
    let ((scale, scale_slope), (exponent, exponent_slope)) = (swish(heads[1]), swish(heads[2]));
    let decay = libm::expf(-exponent * log_budget);
    let slopes = [1.0, decay * scale_slope, -scale * decay * log_budget * exponent_slope];
    (heads[0] + scale * decay, slopes)
}

impl Network {
    /// With torch's default weights of a linear layer: uniform within `1 / sqrt(inputs)` of 0,
    /// the bias too.
    pub fn new(shape: Shape, stream: &mut Stream) -> Self {
        let mut parameters = Vec::with_capacity(shape.parameters());
        for [inputs, outputs] in shape.layers() {
            #[expect(clippy::cast_precision_loss, reason = "small counts")]
            let bound = 1.0 / (inputs as f64).sqrt();
            parameters.extend((0..(inputs + 1) * outputs).map(|_| {
                #[expect(clippy::cast_possible_truncation, reason = "the weights' precision")]
                let weight = ((stream.random::<f64>() * 2.0 - 1.0) * bound) as f32;
                weight
            }));
        }
        Self { shape, parameters }
    }

    /// With these parameters.
    ///
    /// # Panics
    /// Where they are not as many as the shape has.
    #[cfg(test)]
    pub(super) fn of(shape: Shape, parameters: Vec<f32>) -> Self {
        assert_eq!(parameters.len(), shape.parameters(), "a layer's parameters");
        Self { shape, parameters }
    }

    /// Whether every parameter is a number: training may have diverged.
    pub fn is_finite(&self) -> bool {
        self.parameters.iter().all(|parameter| parameter.is_finite())
    }

    fn layer(&self, layer: usize) -> (&[f32], &[f32]) {
        layer_of(self.shape, layer, &self.parameters)
    }

    /// The laws of the pass's rows, from its input.
    fn forward(&self, pass: &mut Pass) {
        let Shape { inputs, units } = self.shape;
        let rows = pass.input.len() / inputs;
        let Pass { input, hidden: [first, second], heads } = pass;
        for values in [&mut *first, &mut *second] {
            values.resize(rows * units, 0.0);
        }
        heads.resize(rows * HEADS, 0.0);
        let product = |layer: usize, input: &[f32], out: &mut [f32]| {
            let (weights, bias) = self.layer(layer);
            let [depth, columns] = self.shape.layers()[layer];
            Product { left: Left::Plain(input), right: weights, bias, depth, columns, out }
                .compute();
        };
        product(0, input, first);
        leaky_rectify(first);
        product(1, first, second);
        leaky_rectify(second);
        product(2, second, heads);
    }

    /// Writes into `gradients` those of the parameters, from those of the heads.
    fn backward(&self, pass: &Pass, mut by_output: Vec<f32>, gradients: &mut [f32]) {
        let Pass { input, hidden: [first, second], .. } = pass;
        for (layer, layer_input) in [(2, second), (1, first), (0, input)] {
            let [inputs, outputs] = self.shape.layers()[layer];
            let (by_weights, by_bias) = layer_of_mut(self.shape, layer, gradients);
            column_sums(&by_output, by_bias);
            Product {
                left: Left::Transposed(layer_input),
                right: &by_output,
                bias: &[],
                depth: by_output.len() / outputs,
                columns: outputs,
                out: by_weights,
            }
            .compute();
            if layer == 0 {
                return;
            }
            let (weights, _) = self.layer(layer);
            let mut turned = vec![0.0; weights.len()];
            transpose(weights, outputs, &mut turned);
            let mut by_input = vec![0.0; layer_input.len()];
            Product {
                left: Left::Plain(&by_output),
                right: &turned,
                bias: &[],
                depth: outputs,
                columns: inputs,
                out: &mut by_input,
            }
            .compute();
            leaky_rectify_backward(layer_input, &mut by_input);
            by_output = by_input;
        }
    }

    /// What the laws of some rows say of the last epoch, where the budget is 1.
    pub fn at_end(&self, rows: &[f32]) -> Vec<f32> {
        let mut pass = Pass::default();
        let mut found = Vec::with_capacity(rows.len() / self.shape.inputs);
        for some in rows.chunks(BATCH * self.shape.inputs) {
            pass.input.clear();
            pass.input.extend_from_slice(some);
            self.forward(&mut pass);
            found.extend(pass.heads.chunks_exact(HEADS).map(|heads| power_law(heads, 0.0).0));
        }
        found
    }

    /// Minimises the mean absolute error by Adam, in shuffled batches. A batch of one observation
    /// is passed over, as in the reference; those of `fit.newest` join every batch.
    pub fn train(&mut self, rows: &[f32], observations: &[Observation], fit: &Fit<'_>) {
        let mut stream = fit.batches.clone();
        let mut adam = Adam::new(self.parameters.len(), RATE);
        let mut work = Work::default();
        for _ in 0..fit.epochs {
            let order = permutation(&mut stream, observations.len());
            for batch in order.chunks(BATCH).filter(|batch| batch.len() > 1) {
                let chosen = batch.iter().chain(fit.newest);
                self.step(rows, chosen.map(|at| observations[*at]), &mut adam, &mut work);
            }
        }
    }

    /// One step. Observations of a row share its law, and its pass through the network.
    pub(super) fn step(
        &mut self,
        rows: &[f32],
        batch: impl Iterator<Item = Observation>,
        adam: &mut Adam,
        work: &mut Work,
    ) {
        let inputs = self.shape.inputs;
        let Work { pass, batch: chosen, place, gradients } = work;
        pass.input.clear();
        chosen.clear();
        place.resize(rows.len() / inputs, usize::MAX);
        let mut count = 0;
        for observation in batch {
            let row = observation.row;
            if place[row] == usize::MAX {
                place[row] = count;
                count += 1;
                pass.input.extend_from_slice(&rows[row * inputs..][..inputs]);
            }
            chosen.push(observation);
        }
        self.forward(pass);
        #[expect(clippy::cast_precision_loss, reason = "a batch is small")]
        let share = 1.0 / chosen.len() as f32;
        let mut by_heads = vec![0.0; pass.heads.len()];
        for Observation { row, log_budget, loss } in chosen.iter().copied() {
            let at = place[row] * HEADS;
            let (found, slopes) = power_law(&pass.heads[at..][..HEADS], log_budget);
            let error = found - loss;
            // The slope of a magnitude, 0 at 0.
            let slope = if error == 0.0 { 0.0 } else { share.copysign(error) };
            let gradients = by_heads[at..][..HEADS].iter_mut().zip(slopes);
            gradients.for_each(|(gradient, by_head)| *gradient += slope * by_head);
        }
        for observation in chosen.iter() {
            place[observation.row] = usize::MAX;
        }
        gradients.resize(self.parameters.len(), 0.0);
        self.backward(pass, by_heads, gradients);
        adam.step(&mut self.parameters, gradients);
    }
}

/// What one step leaves behind for the next: memory alone.
#[derive(Debug, Default)]
pub(super) struct Work {
    pass: Pass,
    batch: Vec<Observation>,
    /// By row: its place in the pass.
    place: Vec<usize>,
    gradients: Vec<f32>,
}
