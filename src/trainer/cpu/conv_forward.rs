//! Convolution, forward: `output[n, y, x, f] = act(bias[f] + sum over ky, kx, c of
//! input[n, stride y + ky - above, stride x + kx - left, c] weights[ky, kx, c, f])`, 0 outside.
//!
//! `input`: (images, height, width, channels); `weights`: (kernel, kernel, channels, filters);
//! `bias`: (filters), or empty for none; `output`: (images, out height, out width, filters).

use super::activation::bias_and_activation;
use super::columns::{ConvShape, Scratch};
use super::gemm::{Matrix, multiply};
use crate::space::Activation;

/// Runs the layer group by group of images.
pub(super) fn conv_forward(
    shape: ConvShape,
    activation: Activation,
    input: &[f32],
    weights: &[f32],
    bias: &[f32],
    output: &mut [f32],
    scratch: &mut Scratch,
) {
    let (group, inner) = (shape.group(), shape.inner());
    let inputs = input.chunks(group * shape.image());
    let outputs = output.chunks_mut(group * shape.positions() * shape.filters);
    for (input, output) in inputs.zip(outputs) {
        let images = input.len() / shape.image();
        scratch.unfold(shape, images, input);
        let columns = Matrix::new(&scratch.columns, images * shape.positions(), inner);
        multiply(columns, Matrix::new(weights, inner, shape.filters), 0.0, output);
        bias_and_activation(activation, bias, output);
    }
}
