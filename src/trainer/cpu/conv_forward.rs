//! Convolution, forward: `output[n, y, x, f] = act(bias[f] + sum over ky, kx, c of
//! input[n, stride y + ky - above, stride x + kx - left, c] weights[ky, kx, c, f])`, 0 outside.
//!
//! `input`: (groups, height, width, channels); `weights`: (kernel, kernel, channels, filters);
//! `bias`: (filters), or empty for none; `output`: (groups, out height, out width, filters).
//!
//! The sum runs over ky, kx, c in this order, each term fused into it: it errs by at most kernel^2
//! x channels + 1 roundings, 6e-8 of the sum of the magnitudes each.

use super::activation::{activation, rectifies};
use super::geometry::{ConvShape, Scratch, groups_at_once};
use super::lanes::{Lanes, Level};
use super::product::Product;
use crate::space::Activation;

/// Overwrites `output`.
pub(super) fn conv_forward(
    level: Level,
    shape: ConvShape,
    function: Activation,
    input: &[Lanes],
    weights: &[f32],
    bias: &[f32],
    output: &mut [Lanes],
    scratch: &mut Scratch,
) {
    let ConvShape { filters, kernel, .. } = shape;
    let (canvas, positions) = (shape.covered(), shape.positions());
    let run = kernel * shape.channels;
    scratch.taps.clear();
    scratch.taps.extend((0..kernel).map(|ky| ky * canvas.row()));
    let at_once = groups_at_once(positions);
    let inputs = input.chunks(at_once * shape.image());
    for (input, output) in inputs.zip(output.chunks_mut(at_once * positions * filters)) {
        places(shape, input.len() / shape.image(), &mut scratch.from);
        scratch.to.clear();
        scratch.to.extend((0..scratch.from.len()).map(|place| place * filters));
        let product = Product {
            x: canvas.frame(input, &mut scratch.framed),
            from: &scratch.from,
            taps: &scratch.taps,
            run,
            bias,
            rectify: rectifies(function),
            out: output,
            to: &scratch.to,
            step: 1,
        };
        let weight = |ky: usize, j: usize, f: usize| weights[(ky * run + j) * filters + f];
        product.compute(level, filters, weight, &mut scratch.packed);
    }
    if !rectifies(function) {
        activation(level, function, output);
    }
}

/// Where each window begins in framed images.
pub(super) fn places(shape: ConvShape, groups: usize, from: &mut Vec<usize>) {
    let canvas = shape.covered();
    let step = shape.stride * shape.channels;
    from.clear();
    for group in 0..groups {
        for y in 0..shape.out_height {
            let row = group * canvas.len() + y * shape.stride * canvas.row();
            from.extend((0..shape.out_width).map(|x| row + x * step));
        }
    }
}
