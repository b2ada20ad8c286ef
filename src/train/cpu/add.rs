//! Sum of equal shapes. Forward: `output = act(first + second + ...)`, from left to right. Its
//! gradient goes to every source as it is. Exact but for the roundings of the sum itself. A dense
//! layer's sums of chunks are added in the same order.

use super::activation::activation;
use super::lanes::{Lanes, Level, flat, flat_mut};
use crate::model::Activation;

/// Overwrites `output` with the sum of `sources`, then applies the activation.
pub(crate) fn add_forward<'a>(
    level: Level,
    function: Activation,
    sources: impl Iterator<Item = &'a [Lanes]>,
    output: &mut [Lanes],
) {
    for (at, source) in sources.enumerate() {
        if at == 0 {
            output.copy_from_slice(source);
        } else {
            accumulate(level, source, output);
        }
    }
    activation(level, function, output);
}

/// `target += source`: also how gradients of several readers meet.
pub(crate) fn accumulate(level: Level, source: &[Lanes], target: &mut [Lanes]) {
    level.wide(
        #[inline(always)]
        || {
            let pairs = flat_mut(target).iter_mut().zip(flat(source));
            pairs.for_each(|(target, source)| *target += source);
        },
    );
}
