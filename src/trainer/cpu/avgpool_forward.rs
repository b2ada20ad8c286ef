//! Average pooling, forward: the sum of each window, padding as 0, over its height x width
//! (`count_include_pad`, `PyTorch`'s default).

#![expect(clippy::cast_precision_loss, reason = "windows stay far below 2^24 pixels")]

use super::window::Pane;
use crate::model::{Shape, Window};

/// `input`: (images, height, width, channels); `output` likewise, smaller. Sums run row by row in
/// blocks of one row: an output errs by at most (height + width) roundings, 6e-8 of the mean
/// magnitude each. NaN spreads to every window that sees it.
pub(super) fn avgpool_forward(
    from: Shape,
    to: Shape,
    window: Window,
    input: &[f32],
    output: &mut [f32],
) {
    let channels = from.channels;
    let count = (window.height * window.width) as f32;
    let mut row_sum = vec![0.0_f32; channels];
    for (at, sum) in output.chunks_exact_mut(channels).enumerate() {
        let pane = Pane::of(from, to, window, at);
        sum.fill(0.0);
        for row in pane.rows.clone() {
            row_sum.fill(0.0);
            for column in pane.columns.clone() {
                let start = pane.offset(row, column);
                let values = &input[start..start + channels];
                row_sum.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
            }
            sum.iter_mut().zip(&row_sum).for_each(|(sum, row)| *sum += row);
        }
        for sum in sum {
            *sum /= count;
        }
    }
}
