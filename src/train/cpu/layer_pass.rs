//! The passes over one layer: which kernel serves which operation.

use super::activation_backward::activation_backward;
use super::add::add_forward;
use super::avgpool_backward::avgpool_backward;
use super::avgpool_forward::avgpool_forward;
use super::batchnorm_backward::batchnorm_backward;
use super::batchnorm_forward::BatchNorm;
use super::concat::{concat_backward, concat_forward};
use super::conv_backward_input::conv_backward_input;
use super::conv_backward_weight::conv_backward_weight;
use super::conv_forward::{Filters, conv_forward};
use super::conv_maxpool::{ConvMaxpool, Gradients};
use super::dense_backward_input::dense_backward_input;
use super::dense_backward_weight::dense_backward_weight;
use super::dense_forward::dense_forward;
use super::dropout::{draw_mask, dropout};
use super::geometry::Scratch;
use super::lanes::{Lanes, Level};
use super::maxpool_backward::maxpool_backward;
use super::maxpool_forward::{Pooled, maxpool_forward};
use super::net::Slot;
use crate::graph::Streams;
use crate::graph::conv_shape::conv_shape;
use crate::model::{Activation, Operation, PlannedLayer, Shape};

/// What a pass carries from layer to layer.
pub(super) struct Tape<'a> {
    /// The layer in work: part of the name of its random numbers.
    pub(super) layer: usize,
    /// Steps done before this one.
    pub(super) step: u32,
    /// Draws dropout masks; `None`: validation.
    pub(super) streams: Option<&'a Streams>,
    /// Images of the batch, blank ones left out.
    pub(super) images: usize,
    pub(super) level: Level,
    pub(super) scratch: &'a mut Scratch,
}

impl Slot {
    /// Computes `output` from what the layer reads: values of the batch and their shape.
    pub(super) fn forward<'a>(
        &mut self,
        inputs: impl Iterator<Item = (&'a [Lanes], Shape)>,
        output: &mut [Lanes],
        tape: &mut Tape<'_>,
    ) {
        let mut inputs = inputs.peekable();
        let (input, from) = *inputs.peek().expect("every layer reads something");
        let (to, level) = (self.plan.output, tape.level);
        let (weights, bias) = self.values.split_at(self.plan.weights);
        match self.plan.operation {
            Operation::Conv { activation, .. } => {
                let shape = conv_shape(&self.plan).expect("a convolution");
                let scratch = &mut *tape.scratch;
                let filters = Filters { weights, bias, function: activation };
                conv_forward(level, shape, filters, input, output, scratch);
            }
            Operation::Dense { activation } => {
                let (units, scratch) = (to.channels, &mut *tape.scratch);
                let function = activation;
                dense_forward(level, from, units, function, input, weights, bias, output, scratch);
            }
            Operation::MaxPool { window } => {
                let (values, argmax) = (output, &mut self.argmax[..]);
                let pooled = Pooled { shape: to, first: 0, values, argmax };
                maxpool_forward(level, from, window, input, pooled);
            }
            Operation::AvgPool { window } => {
                avgpool_forward(level, from, to, window, input, output);
            }
            Operation::Dropout { rate } => match tape.streams {
                Some(streams) if rate > 0.0 => {
                    let mask = &mut self.mask[..output.len()];
                    let key = streams.dropout(tape.layer);
                    draw_mask(level, key, tape.step, rate, to, mask);
                    dropout(level, input, mask, output);
                }
                _ => output.copy_from_slice(input),
            },
            Operation::BatchNorm { decay, epsilon, activation } => {
                #[expect(clippy::cast_possible_truncation, reason = "activations are f32")]
                let norm = BatchNorm { decay: decay as f32, epsilon: epsilon as f32, activation };
                let (batch, running) = (&mut self.batch_statistics, &mut self.running);
                match tape.streams {
                    Some(_) => {
                        let images = tape.images;
                        norm.forward_training(level, images, bias, input, output, batch, running);
                    }
                    None => norm.forward_inference(level, bias, input, output, running),
                }
            }
            Operation::Add { activation } => {
                add_forward(level, activation, inputs.map(|(values, _)| values), output);
            }
            Operation::Concat => {
                let mut first = 0;
                for (values, shape) in inputs {
                    concat_forward(values, shape.channels, first, to.channels, output);
                    first += shape.channels;
                }
            }
        }
    }

    /// Of a max-pooling that alone reads the convolution `conv`: computes its output from what the
    /// convolution reads.
    pub(super) fn forward_pooled(
        &mut self,
        conv: &Self,
        input: &[Lanes],
        output: &mut [Lanes],
        tape: &mut Tape<'_>,
    ) {
        let (both, function) = conv_maxpool(&conv.plan, &self.plan);
        let (weights, bias) = conv.values.split_at(conv.plan.weights);
        let filters = Filters { weights, bias, function };
        both.forward(tape.level, filters, input, output, &mut self.argmax, tape.scratch);
    }

    /// Of a convolution that the max-pooling `pool` alone reads: the gradients of its weights and,
    /// unless `d_input` is empty, of `input`, from that of the pooling's `output`, which is used
    /// up.
    pub(super) fn backward_pooled(
        &mut self,
        pool: &Self,
        input: &[Lanes],
        output: &[Lanes],
        d_output: &mut [Lanes],
        d_input: &mut [Lanes],
        tape: &mut Tape<'_>,
    ) {
        let (both, function) = conv_maxpool(&self.plan, &pool.plan);
        let (weights, bias) = self.values.split_at(self.plan.weights);
        let filters = Filters { weights, bias, function };
        let (weights, bias) = self.gradient.split_at_mut(self.plan.weights);
        let mut gradients = Gradients { weights, bias, input: d_input };
        let won = (output, &pool.argmax[..]);
        both.backward(tape.level, filters, input, won, d_output, &mut gradients, tape.scratch);
    }

    /// Turns the gradient of the output into the gradient before the activation.
    pub(super) fn activation_backward(
        &self,
        level: Level,
        output: &[Lanes],
        d_output: &mut [Lanes],
    ) {
        activation_backward(level, self.plan.activation(), output, d_output);
    }

    /// Gradients of the layer's weights and, unless `d_input` is empty, of one thing that it reads:
    /// `input`, whose channels start at `first_channel` of a concatenation. `d_output` is the
    /// gradient before the activation.
    pub(super) fn backward(
        &mut self,
        first_channel: usize,
        input: &[Lanes],
        d_output: &[Lanes],
        d_input: &mut [Lanes],
        tape: &mut Tape<'_>,
    ) {
        let (level, scratch) = (tape.level, &mut *tape.scratch);
        let cut = self.plan.weights;
        let weights = &self.values[..cut];
        let (d_weights, d_bias) = self.gradient.split_at_mut(cut);
        let (from, to) = (self.plan.input, self.plan.output);
        let is_needed = !d_input.is_empty();
        match self.plan.operation {
            Operation::Conv { .. } => {
                let shape = conv_shape(&self.plan).expect("a convolution");
                conv_backward_weight(level, shape, input, d_output, d_weights, d_bias, scratch);
                if is_needed {
                    conv_backward_input(level, shape, d_output, weights, d_input, scratch);
                }
            }
            Operation::Dense { .. } => {
                let units = to.channels;
                dense_backward_weight(level, units, input, d_output, d_weights, d_bias, scratch);
                if is_needed {
                    dense_backward_input(level, units, d_output, weights, d_input, scratch);
                }
            }
            Operation::BatchNorm { .. } => {
                let (batch, both) = (&self.batch_statistics, [input, d_output]);
                let (images, values) = (tape.images, &self.values);
                batchnorm_backward(level, images, values, batch, both, d_bias, d_input);
            }
            _ if !is_needed => {}
            Operation::MaxPool { window } => {
                let (values, argmax) = (d_output, &self.argmax[..]);
                let pooled = Pooled { shape: to, first: 0, values, argmax };
                maxpool_backward(level, from, window, pooled, d_input);
            }
            Operation::AvgPool { window } => {
                avgpool_backward(level, from, to, window, d_output, d_input);
            }
            Operation::Dropout { rate } if rate > 0.0 => {
                dropout(level, d_output, &self.mask, d_input);
            }
            Operation::Dropout { .. } | Operation::Add { .. } => d_input.copy_from_slice(d_output),
            Operation::Concat => {
                let channels = to.channels * d_input.len() / d_output.len();
                concat_backward(d_output, to.channels, first_channel, channels, d_input);
            }
        }
    }
}

/// A convolution and the max-pooling that reads it.
fn conv_maxpool(conv: &PlannedLayer, pool: &PlannedLayer) -> (ConvMaxpool, Activation) {
    match (conv_shape(conv), conv.operation, pool.operation) {
        (Some(shape), Operation::Conv { activation, .. }, Operation::MaxPool { window }) => {
            (ConvMaxpool { conv: shape, window, to: pool.output }, activation)
        }
        _ => unreachable!("partners are a convolution and a max-pooling"),
    }
}
