//! Gradient through a pointwise function, from the function's output alone.

use super::activation::LEAKY_SLOPE;
use crate::space::Activation;

/// Multiplies `gradient` by the derivative at `output`; the rectifiers' derivative at 0 is that
/// of the left side, as in `PyTorch`.
pub(super) fn activation_backward(activation: Activation, output: &[f32], gradient: &mut [f32]) {
    match activation {
        Activation::Linear => {}
        Activation::Relu => scale(output, gradient, |y| if y <= 0.0 { 0.0 } else { 1.0 }),
        Activation::LeakyRelu => {
            scale(output, gradient, |y| if y <= 0.0 { LEAKY_SLOPE } else { 1.0 });
        }
        Activation::Elu => scale(output, gradient, |y| if y <= 0.0 { y + 1.0 } else { 1.0 }),
        Activation::Tanh => scale(output, gradient, |y| 1.0 - y * y),
        Activation::Sigmoid => scale(output, gradient, |y| y * (1.0 - y)),
    }
}

fn scale(output: &[f32], gradient: &mut [f32], derivative: impl Fn(f32) -> f32) {
    for (gradient, &output) in gradient.iter_mut().zip(output) {
        *gradient *= derivative(output);
    }
}
