//! Dense, forward: `output[n, o] = act(bias[o] + sum over i of input[n, i] weights[i, o])`.
//!
//! The sum runs over i in order, each term fused into it: it errs by at most inputs + 1 roundings,
//! 6e-8 of the sum of the magnitudes each.

use super::activation::{activation, rectifies};
use super::geometry::Scratch;
use super::lanes::{Lanes, Level};
use super::product::Product;
use crate::model::Activation;

/// `input`: (groups, inputs); `weights`: (inputs, units); `bias`: (units), or empty for none;
/// `output`: (groups, units), overwritten.
pub(super) fn dense_forward(
    level: Level,
    units: usize,
    function: Activation,
    input: &[Lanes],
    weights: &[f32],
    bias: &[f32],
    output: &mut [Lanes],
    scratch: &mut Scratch,
) {
    let inputs = weights.len() / units;
    scratch.rows(input.len() / inputs, inputs, units);
    let product = Product {
        x: input,
        from: &scratch.from,
        taps: &[0],
        run: inputs,
        spans: &[],
        bias,
        rectify: rectifies(function),
        out: output,
        to: &scratch.to,
        step: 1,
    };
    let weight = |_: usize, i: usize, unit: usize| weights[i * units + unit];
    product.compute(level, units, weight, &mut scratch.packed);
    if !rectifies(function) {
        activation(level, function, output);
    }
}
