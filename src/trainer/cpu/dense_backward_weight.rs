//! Dense, gradient of weights and bias:
//! `d_weights[i, o] = sum over n of input[n, i] d_output[n, o]`.

use super::gemm::{Matrix, multiply};

/// Overwrites `d_weights`: (inputs, units) and `d_bias`: (units), or empty for none. `d_output` is
/// the gradient before the activation.
pub(super) fn dense_backward_weight(
    units: usize,
    input: &[f32],
    d_output: &[f32],
    d_weights: &mut [f32],
    d_bias: &mut [f32],
) {
    let inputs = d_weights.len() / units;
    let images = input.len() / inputs;
    let input = Matrix::new(input, images, inputs).transposed();
    multiply(input, Matrix::new(d_output, images, units), 0.0, d_weights);
    bias_gradient(d_output, d_bias);
}

/// Rows that are summed before they join the total: keeps the error of long sums small.
const BLOCK_ROWS: usize = 256;

/// Sums the rows of `d_output` into `d_bias`, block by block in their order.
pub(super) fn bias_gradient(d_output: &[f32], d_bias: &mut [f32]) {
    if d_bias.is_empty() {
        return;
    }
    d_bias.fill(0.0);
    let units = d_bias.len();
    let mut block_sum = vec![0.0_f32; units];
    for block in d_output.chunks(BLOCK_ROWS * units) {
        block_sum.fill(0.0);
        for row in block.chunks_exact(units) {
            block_sum.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
        }
        d_bias.iter_mut().zip(&block_sum).for_each(|(total, sum)| *total += sum);
    }
}
