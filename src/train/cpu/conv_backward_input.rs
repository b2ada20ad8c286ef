//! Convolution, gradient of the input: `d_input[n, y, x, c] = sum over ky, kx, f of
//! d_output[n, (y + above - ky) / stride, (x + left - kx) / stride, f] weights[ky, kx, c, f]`, over
//! those ky and kx that leave whole numbers inside the output.
//!
//! Inputs whose places have the same remainder under the stride see the same part of the kernel:
//! each such phase is a convolution of the output's gradient by itself, its sum in the order of
//! falling ky, falling kx, and f. It errs by at most that many roundings, 6e-8 of the sum of the
//! magnitudes each.

use super::geometry::Scratch;
use super::lanes::{Lanes, Level};
use super::product::Product;
use super::transpose_weights::Transposed;
use crate::graph::conv_shape::{Canvas, ConvShape};

/// Overwrites `d_input`: (groups, height, width, channels). `d_output` is the gradient before the
/// activation.
pub(super) fn conv_backward_input(
    level: Level,
    shape: ConvShape,
    d_output: &[Lanes],
    weights: &[f32],
    d_input: &mut [Lanes],
    scratch: &mut Scratch,
) {
    let at_once = shape.groups_at_once();
    let outputs = d_output.chunks(at_once * shape.positions() * shape.filters);
    for (d_input, d_output) in d_input.chunks_mut(at_once * shape.image()).zip(outputs) {
        if shape.kernel < shape.stride {
            // Some inputs stand between the windows.
            d_input.fill(Lanes::ZERO);
        }
        let canvas = canvas(shape);
        let mut framed = std::mem::take(&mut scratch.framed);
        let x = canvas.frame(d_output, &mut framed);
        for y in 0..shape.stride.min(shape.kernel) {
            for x_phase in 0..shape.stride.min(shape.kernel) {
                let phase = Phase { shape, canvas, remainder: [y, x_phase] };
                phase.compute(level, x, weights, d_input, scratch);
            }
        }
        scratch.framed = framed;
    }
}

/// The frame about the output's gradient that every phase of the input stays within.
fn canvas(shape: ConvShape) -> Canvas {
    let before = shape.kernel.div_ceil(shape.stride) - 1;
    // The last output that any input sees, existing or not.
    let last = |size: usize, before: usize| (size - 1 + before) / shape.stride;
    Canvas {
        image: [shape.out_height, shape.out_width],
        channels: shape.filters,
        before: [before; 2],
        size: [
            before + shape.out_height.max(last(shape.height, shape.before[0]) + 1),
            before + shape.out_width.max(last(shape.width, shape.before[1]) + 1),
        ],
    }
}

/// The inputs whose padded row and column have given remainders under the stride.
#[derive(Debug, Clone, Copy)]
struct Phase {
    shape: ConvShape,
    canvas: Canvas,
    remainder: [usize; 2],
}

impl Phase {
    fn compute(
        self,
        level: Level,
        x: &[Lanes],
        weights: &[f32],
        d_input: &mut [Lanes],
        scratch: &mut Scratch,
    ) {
        let Self { shape, canvas, .. } = self;
        let ConvShape { channels, filters, .. } = shape;
        let order = self.order();
        let [rows, columns] = [self.taps(0), self.taps(1)];
        scratch.taps.clear();
        scratch.taps.extend((0..rows).map(|tap| tap * canvas.row()));
        self.places(d_input.len() / shape.image(), scratch);
        let product = Product {
            x,
            from: &scratch.from,
            taps: &scratch.taps,
            run: columns * filters,
            spans: &scratch.spans,
            bias: &[],
            rectify: false,
            out: d_input,
            to: &scratch.to,
            step: 1,
        };
        // Outputs run forward where the kernel runs backward.
        let weight = |tap: usize, j: usize, channel: usize| {
            weights[order.at([tap, j / filters], j % filters, channel)]
        };
        product.compute(level, channels, weight, &mut scratch.packed);
    }

    /// Places of the kernel that this phase sees, in one direction.
    fn taps(self, direction: usize) -> usize {
        self.order().taps(direction)
    }

    fn order(self) -> Transposed {
        let ConvShape { kernel, stride, channels, filters, .. } = self.shape;
        Transposed { kernel, stride, remainder: self.remainder, channels, filters }
    }

    /// Rows or columns of the input in this phase, each with the first one of the frame that it
    /// sees.
    fn lines(self, direction: usize, size: usize) -> impl Iterator<Item = (usize, usize)> {
        let (before, stride) = (self.shape.before[direction], self.shape.stride);
        let (remainder, taps) = (self.remainder[direction], self.taps(direction));
        let shift = self.canvas.before[direction] + 1;
        (0..size)
            .filter(move |line| (line + before) % stride == remainder)
            .map(move |line| (line, (line + before) / stride + shift - taps))
    }

    fn places(self, groups: usize, scratch: &mut Scratch) {
        let Self { shape, canvas, .. } = self;
        scratch.from.clear();
        scratch.to.clear();
        scratch.spans.clear();
        for group in 0..groups {
            for (y, from_row) in self.lines(0, shape.height) {
                let span = canvas.inside(from_row, self.taps(0));
                for (x, from_column) in self.lines(1, shape.width) {
                    let row = group * canvas.len() + from_row * canvas.row();
                    scratch.from.push(row + from_column * shape.filters);
                    let pixel = (group * shape.height + y) * shape.width + x;
                    scratch.to.push(pixel * shape.channels);
                    scratch.spans.push(span.clone());
                }
            }
        }
    }
}
