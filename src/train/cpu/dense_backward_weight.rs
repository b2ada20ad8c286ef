//! Dense, gradient of weights and bias:
//! `d_weights[i, o] = sum over n of input[n, i] d_output[n, o]`.
//!
//! A batch has too few groups for images side by side to pay; here units lie side by side instead.
//! The sum runs over the images in order, each term fused into it: it errs by at most that many
//! roundings, 6e-8 of the sum of the magnitudes each.

use super::channel_sums::bias_gradient;
use super::geometry::Scratch;
use super::lanes::{LANES, Lanes, Level};
use super::product::Product;
use super::transpose::transpose;

/// Inputs whose gradients are on their way at once.
const INPUTS_AT_ONCE: usize = 64;

/// Overwrites `d_weights`: (inputs, units) and `d_bias`: (units), or empty for none. `d_output` is
/// the gradient before the activation.
pub(super) fn dense_backward_weight(
    level: Level,
    units: usize,
    input: &[Lanes],
    d_output: &[Lanes],
    d_weights: &mut [f32],
    d_bias: &mut [f32],
    scratch: &mut Scratch,
) {
    let inputs = d_weights.len() / units;
    let images = input.len() / inputs * LANES;
    let vectors = units.div_ceil(LANES);
    transpose(units, d_output, &mut scratch.framed);
    scratch.from.clear();
    scratch.from.extend((0..vectors).map(|vector| vector * images));
    scratch.to.clear();
    scratch.to.extend(0..vectors);
    scratch.sums.resize(INPUTS_AT_ONCE * vectors, Lanes::ZERO);
    for (at, d_weights) in d_weights.chunks_mut(INPUTS_AT_ONCE * units).enumerate() {
        let product = Product {
            x: &scratch.framed,
            from: &scratch.from,
            taps: &[0],
            run: images,
            spans: &[],
            bias: &[],
            rectify: false,
            out: &mut scratch.sums,
            to: &scratch.to,
            step: vectors,
        };
        let weight = |_: usize, image: usize, i: usize| {
            input[image / LANES * inputs + at * INPUTS_AT_ONCE + i].0[image % LANES]
        };
        product.compute(level, d_weights.len() / units, weight, &mut scratch.packed);
        let sums = scratch.sums.chunks_exact(vectors);
        for (d_weights, sums) in d_weights.chunks_exact_mut(units).zip(sums) {
            for (d_weights, sum) in d_weights.chunks_mut(LANES).zip(sums) {
                d_weights.copy_from_slice(&sum.0[..d_weights.len()]);
            }
        }
    }
    d_bias.fill(0.0);
    bias_gradient(level, d_output, d_bias);
}
