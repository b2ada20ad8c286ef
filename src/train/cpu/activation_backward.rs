//! Gradient through a pointwise function, from the function's output alone.

use super::activation::LEAKY_SLOPE;
use super::lanes::{Lanes, Level, flat, flat_mut};
use crate::model::Activation;

/// Multiplies `gradient` by the derivative at `output`; the rectifiers' derivative at 0 is that
/// of the left side, as in `PyTorch`.
pub(crate) fn activation_backward(
    level: Level,
    function: Activation,
    output: &[Lanes],
    gradient: &mut [Lanes],
) {
    match function {
        Activation::Linear => {}
        Activation::Relu => scale(level, output, gradient, |y| if y <= 0.0 { 0.0 } else { 1.0 }),
        Activation::LeakyRelu => {
            scale(level, output, gradient, |y| if y <= 0.0 { LEAKY_SLOPE } else { 1.0 });
        }
        Activation::Elu => scale(level, output, gradient, |y| if y <= 0.0 { y + 1.0 } else { 1.0 }),
        Activation::Tanh => scale(level, output, gradient, |y| 1.0 - y * y),
        Activation::Sigmoid => scale(level, output, gradient, |y| y * (1.0 - y)),
    }
}

fn scale(level: Level, output: &[Lanes], gradient: &mut [Lanes], derivative: impl Fn(f32) -> f32) {
    level.wide(
        #[inline(always)]
        || {
            for (gradient, &output) in flat_mut(gradient).iter_mut().zip(flat(output)) {
                *gradient *= derivative(output);
            }
        },
    );
}
