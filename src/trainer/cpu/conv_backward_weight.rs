//! Convolution, gradient of weights and bias: `d_weights[ky, kx, c, f] = sum over n, y, x of
//! input[n, stride y + ky - above, stride x + kx - left, c] d_output[n, y, x, f]`.
//!
//! Sixteen images sum side by side over the positions of some groups, a number that depends on the
//! shape alone; these sums are added, and so are those of all such blocks. It errs by at most as
//! many roundings as a block has positions and there are blocks, 6e-8 of the sum of the magnitudes
//! each.

use super::channel_sums::bias_gradient;
use super::conv_forward::places;
use super::correlation::Correlation;
use super::geometry::{ConvShape, Scratch, groups_at_once};
use super::lanes::{Lanes, Level};

/// Overwrites `d_weights`: (kernel, kernel, channels, filters) and `d_bias`: (filters), or
/// empty for none. `d_output` is the gradient before the activation.
pub(super) fn conv_backward_weight(
    level: Level,
    shape: ConvShape,
    input: &[Lanes],
    d_output: &[Lanes],
    d_weights: &mut [f32],
    d_bias: &mut [f32],
    scratch: &mut Scratch,
) {
    let (canvas, positions) = (shape.covered(), shape.positions());
    let run = shape.kernel * shape.channels;
    scratch.taps.clear();
    let rows = (0..shape.kernel).map(|ky| ky * canvas.row());
    scratch.taps.extend(rows.flat_map(|row| row..row + run));
    d_weights.fill(0.0);
    let at_once = groups_at_once(positions);
    let inputs = input.chunks(at_once * shape.image());
    for (input, d_output) in inputs.zip(d_output.chunks(at_once * positions * shape.filters)) {
        places(shape, input.len() / shape.image(), &mut scratch.from);
        let correlation = Correlation {
            x: canvas.frame(input, &mut scratch.framed),
            from: &scratch.from,
            offsets: &scratch.taps,
            d_output,
            filters: shape.filters,
            sums: d_weights,
        };
        correlation.compute(level);
    }
    bias_gradient(level, d_output, d_bias);
}
