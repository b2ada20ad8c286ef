//! Max-pooling, forward: the maximum of each window; padding never wins.

use super::window::Pane;
use crate::model::{Shape, Window};

/// `input`: (images, height, width, channels); `output` and `argmax` likewise, smaller. `argmax` is
/// the window's place row-major (0 .. height x width). Ties take the first place; NaN beats every
/// number, as in `PyTorch`, so that a divergence shows. Values are copied: exact, no tolerance.
pub(super) fn maxpool_forward(
    from: Shape,
    to: Shape,
    window: Window,
    input: &[f32],
    output: &mut [f32],
    argmax: &mut [u8],
) {
    let channels = from.channels;
    let places = output.chunks_exact_mut(channels).zip(argmax.chunks_exact_mut(channels));
    for (at, (best, arg)) in places.enumerate() {
        let pane = Pane::of(from, to, window, at);
        let mut is_first = true;
        for row in pane.rows.clone() {
            for column in pane.columns.clone() {
                let start = pane.offset(row, column);
                let candidates = &input[start..start + channels];
                #[expect(clippy::cast_possible_truncation, reason = "SIZE_MAX^2 places at most")]
                let place = (row * window.width + column) as u8;
                if is_first {
                    best.copy_from_slice(candidates);
                    arg.fill(place);
                    is_first = false;
                    continue;
                }
                for ((best, arg), &x) in best.iter_mut().zip(&mut *arg).zip(candidates) {
                    let wins = x > *best || x.is_nan();
                    *best = if wins { x } else { *best };
                    *arg = if wins { place } else { *arg };
                }
            }
        }
    }
}

/// Largest size whose places fit in a byte.
pub(super) const SIZE_MAX: usize = 16;
