//! Bias and pointwise function of a layer, in place.

use super::exponential::{expm1_negative, logistic, tanh};
use crate::space::Activation;

/// Slope of the leaky rectifier below 0 (the default of `PyTorch`).
pub(super) const LEAKY_SLOPE: f32 = 0.01;

/// `values[row, unit] = act(values[row, unit] + bias[unit])`. NaN stays NaN under every function.
/// A layer without a bias is linear: a normalisation follows it.
pub(super) fn bias_and_activation(activation: Activation, bias: &[f32], values: &mut [f32]) {
    if bias.is_empty() {
        assert_eq!(activation, Activation::Linear, "an activation needs a bias");
        return;
    }
    match activation {
        Activation::Linear => apply(bias, values, |x| x),
        // Not `max`: that would turn NaN into 0 and hide a divergence.
        Activation::Relu => apply(bias, values, |x| if x <= 0.0 { 0.0 } else { x }),
        Activation::LeakyRelu => {
            apply(bias, values, |x| if x <= 0.0 { LEAKY_SLOPE * x } else { x });
        }
        Activation::Elu => {
            apply(bias, values, |x| {
                let below = expm1_negative(if x > 0.0 { 0.0 } else { x });
                if x > 0.0 { x } else { below }
            });
        }
        Activation::Tanh => apply(bias, values, tanh),
        Activation::Sigmoid => apply(bias, values, logistic),
    }
}

fn apply(bias: &[f32], values: &mut [f32], function: impl Fn(f32) -> f32) {
    for row in values.chunks_exact_mut(bias.len()) {
        for (value, bias) in row.iter_mut().zip(bias) {
            *value = function(*value + bias);
        }
    }
}
