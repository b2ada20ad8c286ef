//! Sum of equal shapes. Forward: `output = act(first + second + ...)`, from left to right. Its
//! gradient goes to every source as it is. Exact but for the roundings of the sum itself.

use super::activation::bias_and_activation;
use crate::space::Activation;

/// Overwrites `output` with the sum of `sources`, then applies the activation.
pub(super) fn add_forward<'a>(
    activation: Activation,
    channels: usize,
    sources: impl Iterator<Item = &'a [f32]>,
    output: &mut [f32],
) {
    for (at, source) in sources.enumerate() {
        if at == 0 {
            output.copy_from_slice(source);
        } else {
            accumulate(source, output);
        }
    }
    if activation != Activation::Linear {
        bias_and_activation(activation, &vec![0.0; channels], output);
    }
}

/// `target += source`: also how gradients of several readers meet.
pub(super) fn accumulate(source: &[f32], target: &mut [f32]) {
    target.iter_mut().zip(source).for_each(|(target, source)| *target += source);
}
