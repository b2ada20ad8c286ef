//! A network in memory: weights, moments, activations, and the passes over them.

use super::activation_backward::activation_backward;
use super::columns::{ConvShape, Scratch};
use super::conv_backward_input::conv_backward_input;
use super::conv_backward_weight::conv_backward_weight;
use super::conv_forward::conv_forward;
use super::dense_backward_input::dense_backward_input;
use super::dense_backward_weight::dense_backward_weight;
use super::dense_forward::dense_forward;
use super::dropout::{draw_mask, dropout};
use super::maxpool_backward::maxpool_backward;
use super::maxpool_forward::maxpool_forward;
use super::optimizer_step::{OptimizerStep, initial_moment2};
use super::softmax_cross_entropy::{BatchLoss, softmax_cross_entropy};
use crate::model::{Network, Operation, PlannedLayer, Recipe};
use crate::space::Scope;
use crate::trainer::streams::Streams;

/// A network with everything that a step needs; after the first step nothing is allocated but a
/// bias-sized buffer.
#[derive(Debug)]
pub struct Net {
    layers: Vec<Slot>,
    recipe: Recipe,
    classes: usize,
    /// The first layer with weights: no gradient flows below it.
    first_trained: usize,
    pub(super) batch: Batch,
    /// Output of each layer: (images, height, width, channels).
    outputs: Vec<Vec<f32>>,
    /// The gradients of two neighbouring outputs; layers alternate between them.
    gradients: [Vec<f32>; 2],
    scratch: Scratch,
    steps: u32,
    /// From 1; the learning rate depends on it.
    epoch: u16,
}

/// The images of a step.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) pixels: Vec<f32>,
    pub(super) labels: Vec<u8>,
}

/// What a step reports.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StepReport {
    /// Sum of the images' losses, without the L2 term.
    pub loss_sum: f64,
    /// Images classified correctly.
    pub correct: u32,
    /// Whether the loss and all weights are finite.
    pub is_finite: bool,
}

/// A layer with its numbers.
#[derive(Debug)]
struct Slot {
    plan: PlannedLayer,
    /// Weights, then biases; likewise below.
    values: Vec<f32>,
    gradient: Vec<f32>,
    moment1: Vec<f32>,
    moment2: Vec<f32>,
    /// Which place won each window of a pooling.
    argmax: Vec<u8>,
    /// Factors of a dropout.
    mask: Vec<f32>,
}

impl Net {
    /// Takes memory for `network`; weights and biases are 0.
    pub fn new(network: &Network, recipe: &Recipe) -> Self {
        let batch_size = recipe.batch_size;
        let mut scratch = Scratch::default();
        let mut gradient_len = [0; 2];
        let is_trained = |layer: &PlannedLayer| layer.weights > 0;
        let first_trained = network.layers.iter().position(is_trained);
        let first_trained = first_trained.expect("the last layer is dense");
        for (at, layer) in network.layers.iter().enumerate().skip(first_trained) {
            let len = &mut gradient_len[at % 2];
            *len = (*len).max(batch_size * layer.output.len());
        }
        for layer in &network.layers {
            if let Some(shape) = conv_shape(layer) {
                scratch.reserve(shape, batch_size);
            }
        }
        let pixels = vec![0.0; batch_size * network.input.len()];
        Self {
            layers: network.layers.iter().map(|layer| Slot::new(layer, recipe)).collect(),
            recipe: *recipe,
            classes: network.classes,
            first_trained,
            batch: Batch { pixels, labels: vec![0; batch_size] },
            outputs: network
                .layers
                .iter()
                .map(|l| vec![0.0; batch_size * l.output.len()])
                .collect(),
            gradients: gradient_len.map(|len| vec![0.0; len]),
            scratch,
            steps: 0,
            epoch: 1,
        }
    }

    /// Draws He-normal weights; biases stay 0.
    pub fn initialise(&mut self, streams: &Streams) {
        for (at, slot) in self.layers.iter_mut().enumerate() {
            if slot.plan.weights > 0 {
                let mut drawn = vec![0.0; slot.plan.weights];
                streams.he_normal(at, slot.plan.fan_in, &mut drawn);
                slot.exchange(|canonical, value| *value = drawn[canonical]);
            }
        }
    }

    /// Sets the weights and biases of the `index`-th layer with weights, in contract 1's order:
    /// conv (filter, channel, row, column), dense (unit, input), the input in (channel, row,
    /// column) order.
    pub fn set_parameters(&mut self, index: usize, weights: &[f32], biases: &[f32]) {
        let slot = self.layers.iter_mut().filter(|slot| slot.plan.weights > 0).nth(index);
        let slot = slot.expect("the layer exists");
        assert_eq!((weights.len(), biases.len()), (slot.plan.weights, slot.plan.biases));
        slot.exchange(|canonical, value| *value = weights[canonical]);
        let first = slot.plan.weights;
        slot.values[first..].copy_from_slice(biases);
    }

    /// Weights and biases of the `index`-th layer with weights, in contract 1's order.
    pub fn parameters(&mut self, index: usize) -> (Vec<f32>, Vec<f32>) {
        let slot = self.layers.iter_mut().filter(|slot| slot.plan.weights > 0).nth(index);
        let slot = slot.expect("the layer exists");
        let mut weights = vec![0.0; slot.plan.weights];
        slot.exchange(|canonical, value| weights[canonical] = *value);
        (weights, slot.values[slot.plan.weights..].to_vec())
    }

    /// Loads a batch of images given as (image, row, column, channel).
    pub fn load(&mut self, pixels: &[f32], labels: &[u8]) {
        self.batch.pixels[..pixels.len()].copy_from_slice(pixels);
        self.batch.labels[..labels.len()].copy_from_slice(labels);
    }

    /// Steps from here on belong to `epoch` (from 1) of the learning-rate schedule.
    pub fn start_epoch(&mut self, epoch: u16) {
        self.epoch = epoch;
    }

    /// One step of training on the first `images` of the loaded batch. `streams` draws the
    /// dropout masks.
    pub fn step(&mut self, images: usize, streams: &Streams) -> StepReport {
        let loss = self.loss_and_gradients(images, streams);
        self.steps += 1;
        let is_finite = self.update() && loss.loss_sum.is_finite();
        StepReport { loss_sum: loss.loss_sum, correct: loss.correct, is_finite }
    }

    fn loss_and_gradients(&mut self, images: usize, streams: &Streams) -> BatchLoss {
        self.forward(images, Some(streams));
        let last = self.layers.len() - 1;
        let len = images * self.classes;
        let loss = softmax_cross_entropy(
            &self.outputs[last][..len],
            &self.batch.labels[..images],
            Some(&mut self.gradients[last % 2][..len]),
            |_, _| (),
        );
        self.backward(images);
        loss
    }

    /// Sum of the losses of the first `images` of the loaded batch, without dropout. `predicted`
    /// hears of each image's label and prediction.
    pub fn evaluate(&mut self, images: usize, predicted: impl FnMut(usize, usize)) -> f64 {
        self.forward(images, None);
        let logits = self.outputs.last().expect("a network has layers");
        let labels = &self.batch.labels[..images];
        softmax_cross_entropy(&logits[..images * self.classes], labels, None, predicted).loss_sum
    }

    /// A step without its update: the sum of the losses, and the factors of all dropouts.
    #[cfg(test)]
    pub(super) fn gradients_for_test(
        &mut self,
        images: usize,
        streams: &Streams,
    ) -> (f64, Vec<f32>) {
        let loss_sum = self.loss_and_gradients(images, streams).loss_sum;
        (loss_sum, self.layers.iter().flat_map(|slot| slot.mask.clone()).collect())
    }

    /// The gradient of the `index`-th layer with weights: weights, then biases, in contract 1's
    /// order.
    #[cfg(test)]
    pub(super) fn gradient_for_test(&mut self, index: usize) -> Vec<f32> {
        for slot in &mut self.layers {
            slot.values.clone_from(&slot.gradient);
        }
        let (weights, biases) = self.parameters(index);
        weights.into_iter().chain(biases).collect()
    }

    fn forward(&mut self, images: usize, streams: Option<&Streams>) {
        for (at, slot) in self.layers.iter_mut().enumerate() {
            let (before, after) = self.outputs.split_at_mut(at);
            let input = before.last().unwrap_or(&self.batch.pixels);
            let input = &input[..images * slot.plan.input.len()];
            let output = &mut after[0][..images * slot.plan.output.len()];
            let (weights, bias) = slot.values.split_at(slot.plan.weights);
            let (from, to) = (slot.plan.input, slot.plan.output);
            match slot.plan.operation {
                Operation::Conv { activation, .. } => {
                    let shape = conv_shape(&slot.plan).expect("a convolution");
                    let scratch = &mut self.scratch;
                    conv_forward(shape, activation, input, weights, bias, output, scratch);
                }
                Operation::Dense { activation } => {
                    dense_forward(activation, input, weights, bias, output);
                }
                Operation::MaxPool { size } => {
                    maxpool_forward(from, to, size, input, output, &mut slot.argmax);
                }
                Operation::Dropout { rate } => match streams {
                    Some(streams) if rate > 0.0 => {
                        let mask = &mut slot.mask[..output.len()];
                        draw_mask(streams.dropout(at), self.steps, rate, to, mask);
                        dropout(input, mask, output);
                    }
                    _ => output.copy_from_slice(input),
                },
                Operation::BatchNorm { .. } => unreachable!("refused before training"),
            }
        }
    }

    /// From the gradient of the last output to the gradients of all weights.
    fn backward(&mut self, images: usize) {
        for at in (self.first_trained..self.layers.len()).rev() {
            let (before, after) = self.outputs.split_at(at);
            let input = before.last().unwrap_or(&self.batch.pixels);
            let input = &input[..images * self.layers[at].plan.input.len()];
            let [even, odd] = &mut self.gradients;
            let (d_output, d_input) = if at % 2 == 0 { (even, odd) } else { (odd, even) };
            let slot = &mut self.layers[at];
            let d_output = &mut d_output[..images * slot.plan.output.len()];
            let d_input = if at == self.first_trained {
                &mut []
            } else {
                &mut d_input[..images * slot.plan.input.len()]
            };
            slot.backward(input, &after[0], d_output, d_input, &mut self.scratch);
        }
    }

    /// The optimizer's step on every layer; whether all weights stay finite.
    fn update(&mut self) -> bool {
        let optimizer = OptimizerStep::new(&self.recipe, self.epoch, self.steps);
        #[expect(clippy::cast_possible_truncation, reason = "weights are f32")]
        let l2 = self.recipe.l2 as f32;
        let mut is_finite = true;
        for slot in self.layers.iter_mut().filter(|slot| slot.plan.weights > 0) {
            let counts = match slot.plan.operation {
                Operation::Dense { .. } => true,
                _ => self.recipe.l2_scope == Scope::All,
            };
            let cut = slot.plan.weights;
            let (weights, biases) = slot.values.split_at_mut(cut);
            let (d_weights, d_biases) = slot.gradient.split_at(cut);
            let (m_weights, m_biases) = slot.moment1.split_at_mut(cut);
            let (v_weights, v_biases) = slot.moment2.split_at_mut(cut);
            let l2 = if counts { l2 } else { 0.0 };
            is_finite &= optimizer.apply(l2, weights, d_weights, m_weights, v_weights);
            is_finite &= optimizer.apply(0.0, biases, d_biases, m_biases, v_biases);
        }
        is_finite
    }
}

impl Slot {
    fn new(plan: &PlannedLayer, recipe: &Recipe) -> Self {
        let values = plan.weights + plan.biases;
        let outputs = recipe.batch_size * plan.output.len();
        let of = |wanted: bool| if wanted { outputs } else { 0 };
        Self {
            plan: plan.clone(),
            values: vec![0.0; values],
            gradient: vec![0.0; values],
            moment1: vec![0.0; values],
            moment2: vec![initial_moment2(recipe); values],
            argmax: vec![0; of(matches!(plan.operation, Operation::MaxPool { .. }))],
            mask: vec![0.0; of(matches!(plan.operation, Operation::Dropout { .. }))],
        }
    }

    /// Visits every weight with its place in contract 1's order. Both kinds of layer are
    /// (output, channel, place) there and (place, channel, output) here; a dense layer's places
    /// are the rows and columns of its input.
    fn exchange(&mut self, mut visit: impl FnMut(usize, &mut f32)) {
        let (outputs, channels) = (self.plan.output.channels, self.plan.input.channels);
        let places = self.plan.fan_in / channels;
        for (at, value) in self.values[..self.plan.weights].iter_mut().enumerate() {
            let (rest, output) = (at / outputs, at % outputs);
            let (place, channel) = (rest / channels, rest % channels);
            visit((output * channels + channel) * places + place, value);
        }
    }

    /// Gradients of the layer's weights and, unless `d_input` is empty, of its input. `d_output`
    /// becomes the gradient before the activation.
    fn backward(
        &mut self,
        input: &[f32],
        output: &[f32],
        d_output: &mut [f32],
        d_input: &mut [f32],
        scratch: &mut Scratch,
    ) {
        let cut = self.plan.weights;
        let weights = &self.values[..cut];
        let (d_weights, d_bias) = self.gradient.split_at_mut(cut);
        match self.plan.operation {
            Operation::Conv { activation, .. } => {
                let shape = conv_shape(&self.plan).expect("a convolution");
                activation_backward(activation, output, d_output);
                conv_backward_weight(shape, input, d_output, d_weights, d_bias, scratch);
                if !d_input.is_empty() {
                    conv_backward_input(shape, d_output, weights, d_input, scratch);
                }
            }
            Operation::Dense { activation } => {
                activation_backward(activation, output, d_output);
                dense_backward_weight(input, d_output, d_weights, d_bias);
                if !d_input.is_empty() {
                    dense_backward_input(self.plan.output.len(), d_output, weights, d_input);
                }
            }
            Operation::MaxPool { size } => {
                let (from, to) = (self.plan.input, self.plan.output);
                maxpool_backward(from, to, size, d_output, &self.argmax, d_input);
            }
            Operation::Dropout { rate } if rate > 0.0 => dropout(d_output, &self.mask, d_input),
            Operation::Dropout { .. } => d_input.copy_from_slice(d_output),
            Operation::BatchNorm { .. } => unreachable!("refused before training"),
        }
    }
}

fn conv_shape(layer: &PlannedLayer) -> Option<ConvShape> {
    let Operation::Conv { kernel, .. } = layer.operation else { return None };
    let (channels, filters) = (layer.input.channels, layer.output.channels);
    let (height, width) = (layer.input.height, layer.input.width);
    Some(ConvShape { channels, height, width, filters, kernel })
}
