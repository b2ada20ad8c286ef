//! The passes over one layer: which kernel serves which operation.

use super::activation_backward::activation_backward;
use super::add::add_forward;
use super::avgpool_backward::avgpool_backward;
use super::avgpool_forward::avgpool_forward;
use super::batchnorm_backward::batchnorm_backward;
use super::batchnorm_forward::BatchNorm;
use super::columns::{ConvShape, Scratch};
use super::concat::{concat_backward, concat_forward};
use super::conv_backward_input::conv_backward_input;
use super::conv_backward_weight::conv_backward_weight;
use super::conv_forward::conv_forward;
use super::dense_backward_input::dense_backward_input;
use super::dense_backward_weight::dense_backward_weight;
use super::dense_forward::dense_forward;
use super::dropout::{draw_mask, dropout};
use super::maxpool_backward::maxpool_backward;
use super::maxpool_forward::maxpool_forward;
use super::net::Slot;
use crate::model::{Operation, PlannedLayer, Shape};
use crate::space::Activation;
use crate::trainer::streams::Streams;

/// What a forward pass carries from layer to layer.
pub(super) struct Tape<'a> {
    /// The layer in work: part of the name of its random numbers.
    pub(super) layer: usize,
    /// Steps done before this one.
    pub(super) step: u32,
    /// Draws dropout masks; `None`: validation.
    pub(super) streams: Option<&'a Streams>,
    pub(super) scratch: &'a mut Scratch,
}

impl Slot {
    /// Computes `output` from what the layer reads: values of the batch and their shape.
    pub(super) fn forward<'a>(
        &mut self,
        inputs: impl Iterator<Item = (&'a [f32], Shape)>,
        output: &mut [f32],
        tape: &mut Tape<'_>,
    ) {
        let mut inputs = inputs.peekable();
        let (input, from) = *inputs.peek().expect("every layer reads something");
        let to = self.plan.output;
        let (weights, bias) = self.values.split_at(self.plan.weights);
        match self.plan.operation {
            Operation::Conv { activation, .. } => {
                let shape = conv_shape(&self.plan).expect("a convolution");
                conv_forward(shape, activation, input, weights, bias, output, tape.scratch);
            }
            Operation::Dense { activation } => {
                dense_forward(to.channels, activation, input, weights, bias, output);
            }
            Operation::MaxPool { window } => {
                maxpool_forward(from, to, window, input, output, &mut self.argmax);
            }
            Operation::AvgPool { window } => avgpool_forward(from, to, window, input, output),
            Operation::Dropout { rate } => match tape.streams {
                Some(streams) if rate > 0.0 => {
                    let mask = &mut self.mask[..output.len()];
                    draw_mask(streams.dropout(tape.layer), tape.step, rate, to, mask);
                    dropout(input, mask, output);
                }
                _ => output.copy_from_slice(input),
            },
            Operation::BatchNorm { decay, epsilon, activation } => {
                #[expect(clippy::cast_possible_truncation, reason = "activations are f32")]
                let norm = BatchNorm { decay: decay as f32, epsilon: epsilon as f32, activation };
                let (batch, running) = (&mut self.batch_statistics, &mut self.running);
                match tape.streams {
                    Some(_) => norm.forward_training(bias, input, output, batch, running),
                    None => norm.forward_inference(bias, input, output, running),
                }
            }
            Operation::Add { activation } => {
                add_forward(activation, to.channels, inputs.map(|(values, _)| values), output);
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

    /// Turns the gradient of the output into the gradient before the activation.
    pub(super) fn activation_backward(&self, output: &[f32], d_output: &mut [f32]) {
        let activation = match self.plan.operation {
            Operation::Conv { activation, .. }
            | Operation::Dense { activation }
            | Operation::BatchNorm { activation, .. }
            | Operation::Add { activation } => activation,
            _ => Activation::Linear,
        };
        activation_backward(activation, output, d_output);
    }

    /// Gradients of the layer's weights and, unless `d_input` is empty, of one thing that it reads:
    /// `input`, whose channels start at `first_channel` of a concatenation. `d_output` is the
    /// gradient before the activation.
    pub(super) fn backward(
        &mut self,
        first_channel: usize,
        input: &[f32],
        d_output: &[f32],
        d_input: &mut [f32],
        scratch: &mut Scratch,
    ) {
        let cut = self.plan.weights;
        let weights = &self.values[..cut];
        let (d_weights, d_bias) = self.gradient.split_at_mut(cut);
        let (from, to) = (self.plan.input, self.plan.output);
        let is_needed = !d_input.is_empty();
        match self.plan.operation {
            Operation::Conv { .. } => {
                let shape = conv_shape(&self.plan).expect("a convolution");
                conv_backward_weight(shape, input, d_output, d_weights, d_bias, scratch);
                if is_needed {
                    conv_backward_input(shape, d_output, weights, d_input, scratch);
                }
            }
            Operation::Dense { .. } => {
                dense_backward_weight(to.channels, input, d_output, d_weights, d_bias);
                if is_needed {
                    dense_backward_input(to.channels, d_output, weights, d_input);
                }
            }
            Operation::BatchNorm { .. } => {
                let batch = &self.batch_statistics;
                batchnorm_backward(&self.values, batch, input, d_output, d_bias, d_input);
            }
            _ if !is_needed => {}
            Operation::MaxPool { window } => {
                maxpool_backward(from, to, window, d_output, &self.argmax, d_input);
            }
            Operation::AvgPool { window } => avgpool_backward(from, to, window, d_output, d_input),
            Operation::Dropout { rate } if rate > 0.0 => dropout(d_output, &self.mask, d_input),
            Operation::Dropout { .. } | Operation::Add { .. } => d_input.copy_from_slice(d_output),
            Operation::Concat => {
                let channels = to.channels * d_input.len() / d_output.len();
                concat_backward(d_output, to.channels, first_channel, channels, d_input);
            }
        }
    }
}

/// The sizes of a convolution.
pub(super) fn conv_shape(layer: &PlannedLayer) -> Option<ConvShape> {
    let Operation::Conv { kernel, stride, before, .. } = layer.operation else { return None };
    Some(ConvShape {
        channels: layer.input.channels,
        height: layer.input.height,
        width: layer.input.width,
        filters: layer.output.channels,
        kernel,
        stride,
        before,
        out_height: layer.output.height,
        out_width: layer.output.width,
    })
}
