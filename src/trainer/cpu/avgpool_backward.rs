//! Average pooling, gradient of the input: each output's gradient over height x width, to every
//! pixel of its window.

#![expect(clippy::cast_precision_loss, reason = "windows stay far below 2^24 pixels")]

use super::window::Pane;
use crate::model::{Shape, Window};

/// Overwrites `d_input`; dropped borders get 0. An input sums its windows in their order, row by
/// row: as many roundings as windows see it, 6e-8 of the sum of the magnitudes each.
pub(super) fn avgpool_backward(
    from: Shape,
    to: Shape,
    window: Window,
    d_output: &[f32],
    d_input: &mut [f32],
) {
    d_input.fill(0.0);
    let channels = from.channels;
    let count = (window.height * window.width) as f32;
    let mut share = vec![0.0_f32; channels];
    for (at, gradients) in d_output.chunks_exact(channels).enumerate() {
        share.iter_mut().zip(gradients).for_each(|(share, gradient)| *share = gradient / count);
        let pane = Pane::of(from, to, window, at);
        for row in pane.rows.clone() {
            for column in pane.columns.clone() {
                let start = pane.offset(row, column);
                let targets = &mut d_input[start..start + channels];
                targets.iter_mut().zip(&share).for_each(|(target, share)| *target += share);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::avgpool_forward::avgpool_forward;
    use super::*;

    #[test]
    fn padded_windows_by_hand() {
        let from = Shape { channels: 1, height: 1, width: 3 };
        let to = Shape { channels: 1, height: 1, width: 2 };
        // Stride 2, size 2, `same`: one column of padding at the end, one row below.
        let window = Window { height: 2, width: 2, stride: 2, before: [0, 0] };
        let (mut output, mut d_input) = ([f32::NAN; 2], [f32::NAN; 3]);
        avgpool_forward(from, to, window, &[1.0, 3.0, 8.0], &mut output);
        assert_eq!(output, [1.0, 2.0], "padding counts");
        avgpool_backward(from, to, window, &[4.0, 8.0], &mut d_input);
        assert_eq!(d_input, [1.0, 1.0, 2.0]);
    }
}
