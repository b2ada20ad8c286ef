//! Dense, gradient of the input: `d_input[n, i] = sum over o of d_output[n, o] weights[i, o]`.
//!
//! The sum runs over o in order, each term fused into it: it errs by at most that many roundings,
//! 6e-8 of the sum of the magnitudes each.

use super::geometry::Scratch;
use super::lanes::{Lanes, Level};
use super::product::Product;
use super::transpose_weights::Transposed;

/// Overwrites `d_input`: (groups, inputs). `d_output` is the gradient before the activation.
pub(super) fn dense_backward_input(
    level: Level,
    units: usize,
    d_output: &[Lanes],
    weights: &[f32],
    d_input: &mut [Lanes],
    scratch: &mut Scratch,
) {
    let inputs = weights.len() / units;
    scratch.rows(d_output.len() / units, units, inputs);
    let product = Product {
        x: d_output,
        from: &scratch.from,
        taps: &[0],
        run: units,
        spans: &[],
        bias: &[],
        rectify: false,
        out: d_input,
        to: &scratch.to,
        step: 1,
    };
    let order = Transposed::dense(inputs, units);
    let weight = |_: usize, unit: usize, i: usize| weights[order.at([0, 0], unit, i)];
    product.compute(level, inputs, weight, &mut scratch.packed);
}
