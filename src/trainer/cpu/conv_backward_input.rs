//! Convolution, gradient of the input: the product of the output's gradient with the transposed
//! weights, each value added where its input stood.

use super::columns::{ConvShape, Scratch};
use super::gemm::{Matrix, multiply};

/// Overwrites `d_input`: (images, height, width, channels). `d_output` is the gradient before the
/// activation.
pub(super) fn conv_backward_input(
    shape: ConvShape,
    d_output: &[f32],
    weights: &[f32],
    d_input: &mut [f32],
    scratch: &mut Scratch,
) {
    let (group, inner) = (shape.group(), shape.inner());
    let weights = Matrix::new(weights, inner, shape.filters).transposed();
    let d_inputs = d_input.chunks_mut(group * shape.image());
    let d_outputs = d_output.chunks(group * shape.positions() * shape.filters);
    for (d_input, d_output) in d_inputs.zip(d_outputs) {
        let images = d_input.len() / shape.image();
        let positions = images * shape.positions();
        let d_output = Matrix::new(d_output, positions, shape.filters);
        multiply(d_output, weights, 0.0, &mut scratch.columns);
        scratch.fold(shape, images, d_input);
    }
}
