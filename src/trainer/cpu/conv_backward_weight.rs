//! Convolution, gradient of weights and bias: `d_weights[k, f] = sum over positions of
//! columns[position, k] d_output[position, f]`, summed group by group in the order of the images.

use super::columns::{ConvShape, Scratch};
use super::dense_backward_weight::bias_gradient;
use super::gemm::{Matrix, multiply};

/// Overwrites `d_weights`: (kernel, kernel, channels, filters) and `d_bias`: (filters), or
/// empty for none. `d_output` is the gradient before the activation.
pub(super) fn conv_backward_weight(
    shape: ConvShape,
    input: &[f32],
    d_output: &[f32],
    d_weights: &mut [f32],
    d_bias: &mut [f32],
    scratch: &mut Scratch,
) {
    let (group, inner) = (shape.group(), shape.inner());
    let inputs = input.chunks(group * shape.image());
    let d_outputs = d_output.chunks(group * shape.positions() * shape.filters);
    for (at, (input, d_output)) in inputs.zip(d_outputs).enumerate() {
        let images = input.len() / shape.image();
        let positions = images * shape.positions();
        scratch.unfold(shape, images, input);
        let columns = Matrix::new(&scratch.columns, positions, inner);
        let beta = if at == 0 { 0.0 } else { 1.0 };
        let d_output = Matrix::new(d_output, positions, shape.filters);
        multiply(columns.transposed(), d_output, beta, d_weights);
    }
    bias_gradient(d_output, d_bias);
}
