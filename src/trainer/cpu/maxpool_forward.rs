//! Max-pooling, forward: the maximum of each window; padding never wins.

use super::lanes::{LANES, Lanes, Level};
use super::window::Pane;
use crate::model::{Shape, Window};

/// Which place of a window won for each image of a group, row-major (0 .. height x width).
pub(super) type Places = [u8; LANES];

/// `input`: (groups, height, width, channels); `output` and `argmax` likewise, smaller. Ties take
/// the first place; NaN beats every number, as in `PyTorch`, so that a divergence shows. Values are
/// copied: exact, no tolerance.
pub(super) fn maxpool_forward(
    level: Level,
    from: Shape,
    to: Shape,
    window: Window,
    input: &[Lanes],
    output: &mut [Lanes],
    argmax: &mut [Places],
) {
    let places = output.chunks_exact_mut(from.channels).zip(argmax.chunks_exact_mut(from.channels));
    let mut candidates = Vec::with_capacity(window.height * window.width);
    for (at, (best, arg)) in places.enumerate() {
        let pane = Pane::of(from, to, window, at);
        candidates.clear();
        candidates.extend(pane.pixels(window));
        let candidates = &candidates[..];
        level.wide(
            #[inline(always)]
            || {
                for (channel, (best, arg)) in best.iter_mut().zip(arg).enumerate() {
                    (*best, *arg) = winner(candidates, &input[channel..]);
                }
            },
        );
    }
}

/// The largest of the values at the candidates' offsets, and its place.
#[inline(always)]
fn winner(candidates: &[(usize, u8)], input: &[Lanes]) -> (Lanes, Places) {
    let (&(first, place), others) = candidates.split_first().expect("no window is empty");
    let mut best = input[first].0;
    let mut arg = [u32::from(place); LANES];
    for &(offset, place) in others {
        let values = &input[offset].0;
        for lane in 0..LANES {
            let x = values[lane];
            let wins = (x > best[lane]) | x.is_nan();
            best[lane] = if wins { x } else { best[lane] };
            arg[lane] = if wins { u32::from(place) } else { arg[lane] };
        }
    }
    #[expect(clippy::cast_possible_truncation, reason = "places fit in a byte")]
    let arg = arg.map(|place| place as u8);
    (Lanes(best), arg)
}

/// Largest size whose places fit in a byte.
pub(super) const SIZE_MAX: usize = 16;
