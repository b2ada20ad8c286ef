//! A network in memory: weights, moments, activations, and the passes over them.

use super::add::accumulate;
use super::batchnorm_forward::Statistics;
use super::geometry::Scratch;
#[cfg(test)]
use super::lanes::one_by_one;
use super::lanes::{Lanes, Level, groups, side_by_side};
use super::layer_pass::Tape;
use super::softmax_cross_entropy::{BatchLoss, softmax_cross_entropy};
use crate::graph::Streams;
use crate::graph::optimizer::{OptimizerStep, initial_moment2};
use crate::graph::wiring::{Part, Wiring};
use crate::model::{Network, Operation, PlannedLayer, Recipe, Scope, Source};

/// A network with everything that a step needs; after the first step nothing is allocated but a
/// bias-sized buffer.
#[derive(Debug)]
pub struct Net {
    layers: Vec<Slot>,
    recipe: Recipe,
    classes: usize,
    pub(super) batch: Batch,
    /// Output of each layer: (groups, height, width, channels).
    outputs: Vec<Vec<Lanes>>,
    /// What each layer reads, and where gradients go.
    wiring: Wiring,
    gradients: Vec<Vec<Lanes>>,
    /// The gradient of an output that another layer has read too, before it joins the sum.
    spare: Vec<Lanes>,
    scratch: Scratch,
    level: Level,
    steps: u32,
    /// From 1; the learning rate depends on it.
    epoch: u16,
}

/// The images of a step.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) pixels: Vec<Lanes>,
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
pub(super) struct Slot {
    pub(super) plan: PlannedLayer,
    /// Weights, then biases; likewise below.
    pub(super) values: Vec<f32>,
    pub(super) gradient: Vec<f32>,
    moment1: Vec<f32>,
    moment2: Vec<f32>,
    /// Which place won each window of a pooling.
    pub(super) argmax: Vec<Lanes>,
    /// Factors of a dropout.
    pub(super) mask: Vec<Lanes>,
    /// Of a batch normalisation.
    pub(super) batch_statistics: Statistics,
    pub(super) running: Statistics,
}

impl Net {
    /// Takes memory for `network`; weights and biases are 0, scales of batch normalisations 1.
    pub fn new(network: &Network, recipe: &Recipe) -> Self {
        Self::at_level(network, recipe, Level::best())
    }

    /// Under a chosen instruction set.
    pub(super) fn at_level(network: &Network, recipe: &Recipe, level: Level) -> Self {
        let wiring = Wiring::new(network);
        let batch_groups = groups(recipe.batch_size);
        let lanes = |values: usize| vec![Lanes::ZERO; batch_groups * values];
        Self {
            layers: network.layers.iter().map(|layer| Slot::new(layer, recipe)).collect(),
            recipe: *recipe,
            classes: network.classes,
            batch: Batch { pixels: lanes(network.input.len()), labels: vec![0; recipe.batch_size] },
            outputs: network
                .layers
                .iter()
                .enumerate()
                .map(|(at, layer)| {
                    // The output of a convolution that is pooled at once is never kept.
                    let is_kept = wiring.layers[at].partner.is_none_or(|partner| partner < at);
                    lanes(if is_kept { layer.output.len() } else { 0 })
                })
                .collect(),
            gradients: wiring.buffers.iter().map(|values| lanes(*values)).collect(),
            spare: lanes(wiring.spare),
            wiring,
            scratch: Scratch::default(),
            level,
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

    /// Sets the weights and biases of the `index`-th layer with parameters, in contract 1's order:
    /// conv (filter, channel, row, column), dense (unit, input), the input in (channel, row,
    /// column) order. A batch normalisation has no weights; its biases are scales, then shifts.
    pub fn set_parameters(&mut self, index: usize, weights: &[f32], biases: &[f32]) {
        let slot = self.layers.iter_mut().filter(|slot| slot.plan.params() > 0).nth(index);
        let slot = slot.expect("the layer exists");
        assert_eq!((weights.len(), biases.len()), (slot.plan.weights, slot.plan.biases));
        slot.exchange(|canonical, value| *value = weights[canonical]);
        let first = slot.plan.weights;
        slot.values[first..].copy_from_slice(biases);
    }

    /// Weights and biases of the `index`-th layer with parameters, in contract 1's order.
    pub fn parameters(&mut self, index: usize) -> (Vec<f32>, Vec<f32>) {
        let slot = self.layers.iter_mut().filter(|slot| slot.plan.params() > 0).nth(index);
        let slot = slot.expect("the layer exists");
        let mut weights = vec![0.0; slot.plan.weights];
        slot.exchange(|canonical, value| weights[canonical] = *value);
        (weights, slot.values[slot.plan.weights..].to_vec())
    }

    /// Running means, then running variances, of every batch normalisation in turn.
    pub fn running_statistics(&self) -> Vec<Vec<f32>> {
        let is_normalised =
            |slot: &&Slot| matches!(slot.plan.operation, Operation::BatchNorm { .. });
        let both = |slot: &Slot| [&slot.running.mean[..], &slot.running.spread].concat();
        self.layers.iter().filter(is_normalised).map(both).collect()
    }

    /// Loads a batch of images given as (image, row, column, channel).
    pub fn load(&mut self, pixels: &[f32], labels: &[u8]) {
        let image_len = pixels.len() / labels.len();
        side_by_side(pixels, image_len, &mut self.batch.pixels);
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
        let len = groups(images) * self.classes;
        let loss = softmax_cross_entropy(
            &self.outputs[last][..len],
            &self.batch.labels[..images],
            Some(&mut self.gradients[self.wiring.buffer_of(last)][..len]),
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
        softmax_cross_entropy(&logits[..groups(images) * self.classes], labels, None, predicted)
            .loss_sum
    }

    /// A step without its update: the sum of the losses, and the factors of all dropouts.
    #[cfg(test)]
    pub(super) fn gradients_for_test(
        &mut self,
        images: usize,
        streams: &Streams,
    ) -> (f64, Vec<f32>) {
        let loss_sum = self.loss_and_gradients(images, streams).loss_sum;
        let masks: Vec<Lanes> = self.layers.iter().flat_map(|slot| slot.mask.clone()).collect();
        let values = masks.len() / groups(self.recipe.batch_size);
        (loss_sum, one_by_one(&masks, values, images))
    }

    /// The gradient of the `index`-th layer with parameters: weights, then biases, in contract 1's
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
        let (level, scratch) = (self.level, &mut self.scratch);
        let mut tape = Tape { layer: 0, step: self.steps, streams, images, level, scratch };
        let groups = groups(images);
        for at in 0..self.layers.len() {
            let (before, after) = self.outputs.split_at_mut(at);
            let (before, pixels) = (&*before, &self.batch.pixels[..]);
            let read = |part: &Part| {
                let values = output_of(part, before, pixels);
                (&values[..groups * part.shape.len()], part.shape)
            };
            tape.layer = at;
            let (earlier, slots) = self.layers.split_at_mut(at);
            let (slot, wires) = (&mut slots[0], &self.wiring.layers[at]);
            match wires.partner {
                Some(pool) if pool > at => {}
                Some(conv) => {
                    let output = &mut after[0][..groups * slot.plan.output.len()];
                    let (input, _) = read(&self.wiring.layers[conv].parts[0]);
                    slot.forward_pooled(&earlier[conv], input, output, &mut tape);
                }
                None => {
                    let output = &mut after[0][..groups * slot.plan.output.len()];
                    slot.forward(wires.parts.iter().map(read), output, &mut tape);
                }
            }
        }
    }

    /// From the gradient of the last output to the gradients of all weights.
    fn backward(&mut self, images: usize) {
        let (level, scratch) = (self.level, &mut self.scratch);
        let mut tape = Tape { layer: 0, step: self.steps, streams: None, images, level, scratch };
        let groups = groups(images);
        for at in (0..self.layers.len()).rev() {
            tape.layer = at;
            let wires = &self.wiring.layers[at];
            let Some(buffer) = wires.buffer else { continue };
            let (earlier, later) = self.layers.split_at_mut(at + 1);
            let slot = &mut earlier[at];
            // The layer whose output the gradient is of.
            let pool = match wires.partner {
                Some(conv) if conv < at => continue,
                Some(pool) => Some((&later[pool - at - 1], &self.outputs[pool])),
                None => None,
            };
            let output = pool.map_or(&slot.plan, |(pool, _)| &pool.plan).output;
            let mut gradient = std::mem::take(&mut self.gradients[buffer]);
            let d_output = &mut gradient[..groups * output.len()];
            if pool.is_none() {
                slot.activation_backward(level, &self.outputs[at], d_output);
            }
            let mut first_channel = 0;
            for part in &wires.parts {
                let len = groups * part.shape.len();
                let input = &output_of(part, &self.outputs, &self.batch.pixels)[..len];
                let mut into = match part.target {
                    None => Vec::new(),
                    Some(target) if target.accumulates => std::mem::take(&mut self.spare),
                    Some(target) => std::mem::take(&mut self.gradients[target.buffer]),
                };
                let d_input = if part.target.is_some() { &mut into[..len] } else { &mut [] };
                match pool {
                    Some((pool, output)) => {
                        slot.backward_pooled(pool, input, output, d_output, d_input, &mut tape);
                    }
                    None => slot.backward(first_channel, input, d_output, d_input, &mut tape),
                }
                match part.target {
                    None => {}
                    Some(target) if target.accumulates => {
                        accumulate(level, d_input, &mut self.gradients[target.buffer][..len]);
                        self.spare = into;
                    }
                    Some(target) => self.gradients[target.buffer] = into,
                }
                first_channel += part.shape.channels;
            }
            self.gradients[buffer] = gradient;
        }
    }

    /// The optimizer's step on every layer; whether all weights stay finite.
    fn update(&mut self) -> bool {
        let optimizer = OptimizerStep::new(&self.recipe, self.epoch, self.steps);
        #[expect(clippy::cast_possible_truncation, reason = "weights are f32")]
        let l2 = self.recipe.l2 as f32;
        let (mut is_finite, level) = (true, self.level);
        for slot in self.layers.iter_mut().filter(|slot| slot.plan.params() > 0) {
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
            is_finite &= optimizer.apply(level, l2, weights, d_weights, m_weights, v_weights);
            is_finite &= optimizer.apply(level, 0.0, biases, d_biases, m_biases, v_biases);
        }
        is_finite
    }
}

impl Slot {
    fn new(plan: &PlannedLayer, recipe: &Recipe) -> Self {
        let values = plan.params();
        let outputs = groups(recipe.batch_size) * plan.output.len();
        let of = |wanted: bool| if wanted { outputs } else { 0 };
        let is_normalised = matches!(plan.operation, Operation::BatchNorm { .. });
        let channels = if is_normalised { plan.output.channels } else { 0 };
        let mut slot = Self {
            plan: plan.clone(),
            values: vec![0.0; values],
            gradient: vec![0.0; values],
            moment1: vec![0.0; values],
            moment2: vec![initial_moment2(recipe); values],
            argmax: vec![Lanes::ZERO; of(matches!(plan.operation, Operation::MaxPool { .. }))],
            mask: vec![Lanes::ZERO; of(matches!(plan.operation, Operation::Dropout { .. }))],
            batch_statistics: Statistics::new(channels),
            running: Statistics::new(channels),
        };
        slot.values[..channels].fill(1.0);
        slot
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
}

/// The values that a layer reads, of the whole batch.
fn output_of<'a>(part: &Part, outputs: &'a [Vec<Lanes>], pixels: &'a [Lanes]) -> &'a [Lanes] {
    match part.source {
        Source::Images => pixels,
        Source::Layer(at) => &outputs[at],
    }
}
