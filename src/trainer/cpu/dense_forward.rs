//! Dense, forward: `output[n, o] = act(bias[o] + sum over i of input[n, i] weights[i, o])`.

use super::activation::bias_and_activation;
use super::gemm::{Matrix, multiply};
use crate::space::Activation;

/// `input`: (images, inputs); `weights`: (inputs, units); `bias`: (units), or empty for none;
/// `output`: (images, units).
pub(super) fn dense_forward(
    units: usize,
    activation: Activation,
    input: &[f32],
    weights: &[f32],
    bias: &[f32],
    output: &mut [f32],
) {
    let inputs = weights.len() / units;
    let images = input.len() / inputs;
    let weights = Matrix::new(weights, inputs, units);
    multiply(Matrix::new(input, images, inputs), weights, 0.0, output);
    bias_and_activation(activation, bias, output);
}
