//! Convolution, forward: `output[n, y, x, f] = act(bias[f] + sum over ky, kx, c of
//! input[n, stride y + ky - above, stride x + kx - left, c] weights[ky, kx, c, f])`, 0 outside.
//!
//! `input`: (groups, height, width, channels); `weights`: (kernel, kernel, channels, filters);
//! `bias`: (filters), or empty for none; `output`: (groups, out height, out width, filters).
//!
//! The sum runs over ky, kx, c in this order, each term fused into it: it errs by at most kernel^2
//! x channels + 1 roundings, 6e-8 of the sum of the magnitudes each.

use std::ops::Range;

use super::activation::{activation, rectifies};
use super::geometry::Scratch;
use super::lanes::{Lanes, Level};
use super::product::Product;
use crate::graph::conv_shape::ConvShape;
use crate::model::Activation;

/// Inputs of an output from which on padding is left out of the sums.
const SPANS_MIN: usize = 64;

/// A convolution's parameters.
#[derive(Debug, Clone, Copy)]
pub(super) struct Filters<'a> {
    /// (kernel, kernel, channels, filters).
    pub(super) weights: &'a [f32],
    /// (filters), or empty for none.
    pub(super) bias: &'a [f32],
    pub(super) function: Activation,
}

/// Overwrites `output`.
pub(super) fn conv_forward(
    level: Level,
    shape: ConvShape,
    filters: Filters<'_>,
    input: &[Lanes],
    output: &mut [Lanes],
    scratch: &mut Scratch,
) {
    let at_once = shape.groups_at_once();
    let outputs = output.chunks_mut(at_once * shape.positions() * shape.filters);
    let Scratch { framed, from, taps, spans, to, packed, .. } = scratch;
    for (input, output) in input.chunks(at_once * shape.image()).zip(outputs) {
        let windows = Windows::new(shape, input, framed, (from, taps, spans));
        windows.forward(level, shape, filters, 0..shape.filters, output, (to, packed));
    }
}

/// Memory for the windows' beginnings, their rows, and which of these are more than padding.
pub(super) type Places<'a> = (&'a mut Vec<usize>, &'a mut Vec<usize>, &'a mut Vec<Range<usize>>);

/// The windows of a convolution over some groups.
#[derive(Debug, Clone, Copy)]
pub(super) struct Windows<'a> {
    /// The groups, in their frames.
    pub(super) x: &'a [Lanes],
    /// Where each window begins ...
    pub(super) from: &'a [usize],
    /// ... and each of its rows, relative to that.
    rows: &'a [usize],
    /// Which of them are more than padding.
    spans: &'a [Range<usize>],
}

impl<'a> Windows<'a> {
    /// Lays `input` out: (groups, height, width, channels).
    pub(super) fn new(
        shape: ConvShape,
        input: &'a [Lanes],
        framed: &'a mut Vec<Lanes>,
        (from, rows, spans): Places<'a>,
    ) -> Self {
        let canvas = shape.covered();
        rows.clear();
        rows.extend((0..shape.kernel).map(|ky| ky * canvas.row()));
        let step = shape.stride * shape.channels;
        from.clear();
        spans.clear();
        for group in 0..input.len() / shape.image() {
            for y in 0..shape.out_height {
                let row = group * canvas.len() + y * shape.stride * canvas.row();
                from.extend((0..shape.out_width).map(|x| row + x * step));
                let span = canvas.inside(y * shape.stride, shape.kernel);
                spans.extend(std::iter::repeat_n(span, shape.out_width));
            }
        }
        Self { x: canvas.frame(input, framed), from, rows, spans }
    }

    /// The outputs of some of the filters alone, side by side.
    pub(super) fn forward(
        self,
        level: Level,
        shape: ConvShape,
        filters: Filters<'_>,
        range: Range<usize>,
        output: &mut [Lanes],
        (to, packed): (&mut Vec<usize>, &mut Vec<f32>),
    ) {
        let Filters { weights, bias, function } = filters;
        let run = shape.kernel * shape.channels;
        to.clear();
        to.extend((0..self.from.len()).map(|place| place * range.len()));
        let product = Product {
            x: self.x,
            from: self.from,
            taps: self.rows,
            run,
            // For so little to leave out, to look costs more.
            spans: if run * shape.kernel < SPANS_MIN { &[] } else { self.spans },
            bias: if bias.is_empty() { bias } else { &bias[range.clone()] },
            rectify: rectifies(function),
            out: output,
            to,
            step: 1,
        };
        let weight = |ky: usize, j: usize, f: usize| {
            weights[(ky * run + j) * shape.filters + range.start + f]
        };
        product.compute(level, range.len(), weight, packed);
        if !rectifies(function) {
            activation(level, function, output);
        }
    }
}
