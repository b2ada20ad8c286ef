//! Pointwise functions of layers, in place.

use super::exponential::{expm1_negative, logistic, tanh};
use super::lanes::{Lanes, Level, flat_mut};
use crate::model::Activation;

/// Slope of the leaky rectifier below 0 (the default of `PyTorch`).
pub(crate) const LEAKY_SLOPE: f32 = 0.01;

/// Whether products apply the function themselves.
pub(crate) fn rectifies(function: Activation) -> bool {
    function == Activation::Relu
}

/// `values = function(values)`. NaN stays NaN under every function.
pub(crate) fn activation(level: Level, function: Activation, values: &mut [Lanes]) {
    match function {
        Activation::Linear => {}
        // Not `max`: that would turn NaN into 0 and hide a divergence.
        Activation::Relu => apply(level, values, |x| if 0.0 > x { 0.0 } else { x }),
        Activation::LeakyRelu => {
            apply(level, values, |x| if x <= 0.0 { LEAKY_SLOPE * x } else { x });
        }
        Activation::Elu => {
            apply(level, values, |x| {
                let below = expm1_negative(if x > 0.0 { 0.0 } else { x });
                if x > 0.0 { x } else { below }
            });
        }
        Activation::Tanh => apply(level, values, tanh),
        Activation::Sigmoid => apply(level, values, logistic),
    }
}

fn apply(level: Level, values: &mut [Lanes], function: impl Fn(f32) -> f32) {
    level.wide(
        #[inline(always)]
        || {
            for value in flat_mut(values) {
                *value = function(*value);
            }
        },
    );
}
