//! Average pooling, gradient of the input: each output's gradient over height x width, to every
//! pixel of its window.

#![expect(clippy::cast_precision_loss, reason = "windows stay far below 2^24 pixels")]

use super::lanes::{Lanes, Level};
use super::window::Pane;
use crate::model::{Shape, Window};

/// Overwrites `d_input`; dropped borders get 0. An input sums its windows in their order, row by
/// row: as many roundings as windows see it, 6e-8 of the sum of the magnitudes each.
pub(crate) fn avgpool_backward(
    level: Level,
    from: Shape,
    to: Shape,
    window: Window,
    d_output: &[Lanes],
    d_input: &mut [Lanes],
) {
    d_input.fill(Lanes::ZERO);
    let count = (window.height * window.width) as f32;
    for (at, gradients) in d_output.chunks_exact(from.channels).enumerate() {
        let pane = Pane::of(from, to, window, at);
        level.wide(
            #[inline(always)]
            || {
                for (channel, gradient) in gradients.iter().enumerate() {
                    let share = Lanes(gradient.0.map(|gradient| gradient / count));
                    for row in pane.rows.clone() {
                        for column in pane.columns.clone() {
                            d_input[pane.offset(row, column) + channel].add(&share);
                        }
                    }
                }
            },
        );
    }
}

#[cfg(test)]
mod tests {
    use super::super::avgpool_forward::avgpool_forward;
    use super::super::lanes::LANES;
    use super::*;

    #[test]
    fn padded_windows_by_hand() {
        let from = Shape { channels: 1, height: 1, width: 3 };
        let to = Shape { channels: 1, height: 1, width: 2 };
        // Stride 2, size 2, `same`: one column of padding at the end, one row below.
        let window = Window { height: 2, width: 2, stride: 2, before: [0, 0] };
        let all = |values: &[f32]| values.iter().map(|&x| Lanes([x; LANES])).collect::<Vec<_>>();
        for level in Level::all() {
            let (mut output, mut d_input) = (all(&[f32::NAN; 2]), all(&[f32::NAN; 3]));
            avgpool_forward(level, from, to, window, &all(&[1.0, 3.0, 8.0]), &mut output);
            assert_eq!(output, all(&[1.0, 2.0]), "padding counts");
            avgpool_backward(level, from, to, window, &all(&[4.0, 8.0]), &mut d_input);
            assert_eq!(d_input, all(&[1.0, 1.0, 2.0]));
        }
    }
}
