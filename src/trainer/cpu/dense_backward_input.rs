//! Dense, gradient of the input: `d_input[n, i] = sum over o of d_output[n, o] weights[i, o]`.

use super::gemm::{Matrix, multiply};

/// Overwrites `d_input`: (images, inputs). `d_output` is the gradient before the activation.
pub(super) fn dense_backward_input(
    units: usize,
    d_output: &[f32],
    weights: &[f32],
    d_input: &mut [f32],
) {
    let (images, inputs) = (d_output.len() / units, weights.len() / units);
    let weights = Matrix::new(weights, inputs, units).transposed();
    multiply(Matrix::new(d_output, images, units), weights, 0.0, d_input);
}
