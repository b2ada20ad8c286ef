//! Average pooling, forward: the sum of each window, padding as 0, over its height x width
//! (`count_include_pad`, `PyTorch`'s default).

#![expect(clippy::cast_precision_loss, reason = "windows stay far below 2^24 pixels")]

use super::lanes::{Lanes, Level};
use super::window::Pane;
use crate::model::{Shape, Window};

/// `input`: (groups, height, width, channels); `output` likewise, smaller. Sums run row by row in
/// blocks of one row: an output errs by at most (height + width) roundings, 6e-8 of the mean
/// magnitude each. NaN spreads to every window that sees it.
pub(crate) fn avgpool_forward(
    level: Level,
    from: Shape,
    to: Shape,
    window: Window,
    input: &[Lanes],
    output: &mut [Lanes],
) {
    let count = (window.height * window.width) as f32;
    for (at, means) in output.chunks_exact_mut(from.channels).enumerate() {
        let pane = Pane::of(from, to, window, at);
        level.wide(
            #[inline(always)]
            || {
                for (channel, mean) in means.iter_mut().enumerate() {
                    let mut sum = Lanes::ZERO;
                    for row in pane.rows.clone() {
                        let mut row_sum = Lanes::ZERO;
                        for column in pane.columns.clone() {
                            row_sum.add(&input[pane.offset(row, column) + channel]);
                        }
                        sum.add(&row_sum);
                    }
                    *mean = Lanes(sum.0.map(|sum| sum / count));
                }
            },
        );
    }
}
