//! Convolution, gradient of weights and bias: `d_weights[ky, kx, c, f] = sum over n, y, x of
//! input[n, stride y + ky - above, stride x + kx - left, c] d_output[n, y, x, f]`.
//!
//! Sixteen images sum side by side over the positions of some groups, a number that depends on the
//! shape alone; these sums are added, and so are those of all such blocks. It errs by at most as
//! many roundings as a block has positions and there are blocks, 6e-8 of the sum of the magnitudes
//! each.

use std::ops::Range;

use super::channel_sums::bias_gradient;
use super::conv_forward::Windows;
use super::correlation::{Correlation, Offset};
use super::geometry::Scratch;
use super::lanes::{Lanes, Level};
use crate::graph::conv_shape::ConvShape;

/// Overwrites `d_weights`: (kernel, kernel, channels, filters) and `d_bias`: (filters), or
/// empty for none. `d_output` is the gradient before the activation.
pub(super) fn conv_backward_weight(
    level: Level,
    shape: ConvShape,
    input: &[Lanes],
    d_output: &[Lanes],
    d_weights: &mut [f32],
    d_bias: &mut [f32],
    scratch: &mut Scratch,
) {
    d_weights.fill(0.0);
    d_bias.fill(0.0);
    let at_once = shape.groups_at_once();
    let d_outputs = d_output.chunks(at_once * shape.positions() * shape.filters);
    let Scratch { framed, from, taps, spans, offsets, .. } = scratch;
    kernel_offsets(shape, offsets);
    for (input, d_output) in input.chunks(at_once * shape.image()).zip(d_outputs) {
        let windows = Windows::new(shape, input, framed, (from, taps, spans));
        let range = 0..shape.filters;
        add_weight_gradient(level, shape, windows, offsets, range, d_output, d_weights);
        bias_gradient(level, d_output, d_bias);
    }
}

/// Where each input of an output lies, relative to its window, and for which of an image's
/// positions it is more than padding.
pub(super) fn kernel_offsets(shape: ConvShape, offsets: &mut Vec<Offset>) {
    let (canvas, width) = (shape.covered(), shape.out_width);
    offsets.clear();
    for ky in 0..shape.kernel {
        let is_inside = |y: &usize| !canvas.inside(y * shape.stride + ky, 1).is_empty();
        let first = (0..shape.out_height).find(is_inside).unwrap_or(0);
        let count = (first..shape.out_height).take_while(is_inside).count();
        let places = first * width..(first + count) * width;
        let run = ky * canvas.row()..ky * canvas.row() + shape.kernel * shape.channels;
        offsets.extend(run.map(|at| Offset { at, places: places.clone() }));
    }
}

/// Adds what one block of groups has to say about the weights of the filters in `range`, whose
/// gradients alone are in `d_output`.
pub(super) fn add_weight_gradient(
    level: Level,
    shape: ConvShape,
    windows: Windows<'_>,
    offsets: &[Offset],
    range: Range<usize>,
    d_output: &[Lanes],
    d_weights: &mut [f32],
) {
    let correlation = Correlation {
        x: windows.x,
        from: windows.from,
        offsets,
        positions: shape.positions(),
        d_output,
        filters: range.len(),
        sums: &mut d_weights[range.start..],
        stride: shape.filters,
    };
    correlation.compute(level);
}
