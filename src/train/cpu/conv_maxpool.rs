//! A convolution that only a max-pooling reads, both in one go.
//!
//! The convolution's output is larger than all else in memory, and lives here only block by block,
//! in the cache: forward, each block is pooled at once; backward, the pooling's gradient is spread
//! out block by block. The activation's derivative is taken at the values that won, which are the
//! pooling's output, so that it and the bias see the small gradient alone.
//!
//! Results are those of the two kernels one after the other, but for the order in which the bias'
//! gradient is summed and, where windows overlap, for rounding d(y) (a + b) instead of
//! d(y) a + d(y) b.

use std::ops::Range;

use super::activation_backward::activation_backward;
use super::channel_sums::bias_gradient;
use super::conv_backward_input::conv_backward_input;
use super::conv_backward_weight::{add_weight_gradient, kernel_offsets};
use super::conv_forward::{Filters, Windows};
use super::geometry::Scratch;
use super::lanes::{Lanes, Level};
use super::maxpool_backward::maxpool_backward;
use super::maxpool_forward::{Pooled, maxpool_forward};
use crate::graph::conv_shape::ConvShape;
use crate::model::{Shape, Window};

/// The two layers.
#[derive(Debug, Clone, Copy)]
pub(super) struct ConvMaxpool {
    pub(super) conv: ConvShape,
    pub(super) window: Window,
    /// The pooling's output.
    pub(super) to: Shape,
}

/// Gradients of the convolution's weights and bias, and of its input unless that is empty.
#[derive(Debug)]
pub(super) struct Gradients<'a> {
    pub(super) weights: &'a mut [f32],
    pub(super) bias: &'a mut [f32],
    pub(super) input: &'a mut [Lanes],
}

impl ConvMaxpool {
    /// Filters that are worked on at once: as many as a near cache holds of an image's outputs.
    fn blocks(self) -> impl Iterator<Item = Range<usize>> {
        let filters = self.conv.filters;
        let at_once = (BLOCK / self.conv.positions() / 4 * 4).max(4);
        (0..filters).step_by(at_once).map(move |first| first..filters.min(first + at_once))
    }

    /// The convolution's output for so many filters.
    fn unpooled(self, channels: usize) -> Shape {
        Shape { channels, height: self.conv.out_height, width: self.conv.out_width }
    }

    /// Overwrites `output` and `argmax`: (groups, height, width, filters) of the pooling.
    pub(super) fn forward(
        self,
        level: Level,
        filters: Filters<'_>,
        input: &[Lanes],
        output: &mut [Lanes],
        argmax: &mut [Lanes],
        scratch: &mut Scratch,
    ) {
        let Self { conv, window, to, .. } = self;
        let Scratch { framed, from, taps, spans, to: places, packed, unpooled, .. } = scratch;
        let at_once = conv.groups_at_once();
        let outputs = output.chunks_mut(at_once * to.len());
        let outputs = outputs.zip(argmax.chunks_mut(at_once * to.len()));
        for (input, (output, argmax)) in input.chunks(at_once * conv.image()).zip(outputs) {
            let windows = Windows::new(conv, input, framed, (from, taps, spans));
            for block in self.blocks() {
                let (shape, first) = (self.unpooled(block.len()), block.start);
                let len = windows.from.len() * block.len();
                grow(unpooled, len);
                let (sums, memory) = (&mut unpooled[..len], (&mut *places, &mut *packed));
                windows.forward(level, conv, filters, block, sums, memory);
                let pooled =
                    Pooled { shape: to, first, values: &mut *output, argmax: &mut *argmax };
                maxpool_forward(level, shape, window, sums, pooled);
            }
        }
    }

    /// Overwrites the gradients. `d_output` is the gradient of the pooling's `output`; it is turned
    /// into that before the activation.
    pub(super) fn backward(
        self,
        level: Level,
        filters: Filters<'_>,
        input: &[Lanes],
        (output, argmax): (&[Lanes], &[Lanes]),
        d_output: &mut [Lanes],
        gradients: &mut Gradients<'_>,
        scratch: &mut Scratch,
    ) {
        let Self { conv, to, .. } = self;
        activation_backward(level, filters.function, output, d_output);
        gradients.bias.fill(0.0);
        bias_gradient(level, d_output, gradients.bias);
        gradients.weights.fill(0.0);
        let at_once = conv.groups_at_once();
        let d_outputs = d_output.chunks(at_once * to.len()).zip(argmax.chunks(at_once * to.len()));
        let mut d_inputs = gradients.input.chunks_mut(at_once * conv.image());
        kernel_offsets(conv, &mut scratch.offsets);
        for (input, (d_output, argmax)) in input.chunks(at_once * conv.image()).zip(d_outputs) {
            let d_input = d_inputs.next();
            let Scratch { framed, from, taps, spans, unpooled, offsets, .. } = &mut *scratch;
            let windows = Windows::new(conv, input, framed, (from, taps, spans));
            // The gradient of the input needs all filters at once.
            let all = std::iter::once(0..conv.filters);
            let blocks = all.take(usize::from(d_input.is_some()));
            let some = self.blocks().take_while(|_| d_input.is_none());
            for block in blocks.chain(some) {
                let shape = self.unpooled(block.len());
                let len = windows.from.len() * block.len();
                grow(unpooled, len);
                let pooled = Pooled { shape: to, first: block.start, values: d_output, argmax };
                maxpool_backward(level, shape, self.window, pooled, &mut unpooled[..len]);
                let (d, weights) = (&unpooled[..len], &mut *gradients.weights);
                add_weight_gradient(level, conv, windows, offsets, block, d, weights);
            }
            if let Some(d_input) = d_input {
                let unpooled = std::mem::take(unpooled);
                let d_unpooled =
                    &unpooled[..d_input.len() / conv.image() * self.unpooled(conv.filters).len()];
                conv_backward_input(level, conv, d_unpooled, filters.weights, d_input, scratch);
                scratch.unpooled = unpooled;
            }
        }
    }
}

/// Values of a block of filters of one image's outputs: 400 KiB.
const BLOCK: usize = 6400;

fn grow(buffer: &mut Vec<Lanes>, len: usize) {
    if buffer.len() < len {
        buffer.resize(len, Lanes::ZERO);
    }
}
