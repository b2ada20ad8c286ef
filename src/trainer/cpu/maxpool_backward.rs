//! Max-pooling, gradient of the input: each output's gradient goes to the place that won.

use super::window::{Pane, overlaps};
use crate::model::{Shape, Window};

/// Overwrites `d_input`; what no window won gets 0. Where windows overlap, an input sums the
/// outputs that it won in their order, row by row: at most (size / stride + 1)^2 terms, so that the
/// result errs by that many roundings, 6e-8 of the sum of the magnitudes each.
pub(super) fn maxpool_backward(
    from: Shape,
    to: Shape,
    window: Window,
    d_output: &[f32],
    argmax: &[u8],
    d_input: &mut [f32],
) {
    d_input.fill(0.0);
    let channels = from.channels;
    let sums = overlaps(window);
    let places = d_output.chunks_exact(channels).zip(argmax.chunks_exact(channels));
    for (at, (gradients, arg)) in places.enumerate() {
        let pane = Pane::of(from, to, window, at);
        for (channel, (&gradient, &place)) in gradients.iter().zip(arg).enumerate() {
            let (row, column) =
                (usize::from(place) / window.width, usize::from(place) % window.width);
            let target = &mut d_input[pane.offset(row, column) + channel];
            *target = if sums { *target + gradient } else { gradient };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::maxpool_forward::maxpool_forward;
    use super::*;

    #[test]
    fn overlapping_padded_windows_by_hand() {
        // Stride 1, size 2, `same`: the padding stands at the end.
        let shape = Shape { channels: 1, height: 2, width: 3 };
        let window = Window { height: 2, width: 2, stride: 1, before: [0, 0] };
        let input = [-1.0, -2.0, -9.0, -5.0, -4.0, -3.0];
        let (mut output, mut argmax) = ([f32::NAN; 6], [9; 6]);
        maxpool_forward(shape, shape, window, &input, &mut output, &mut argmax);
        assert_eq!(output, [-1.0, -2.0, -3.0, -4.0, -3.0, -3.0], "padding never wins");
        assert_eq!(argmax, [0, 0, 2, 1, 1, 0]);
        let mut d_input = [f32::NAN; 6];
        let d_output = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0];
        maxpool_backward(shape, shape, window, &d_output, &argmax, &mut d_input);
        assert_eq!(d_input, [1.0, 2.0, 0.0, 0.0, 8.0, 52.0]);
    }
}
