//! Max-pooling, gradient of the input: each output's gradient goes to the place that won.

use super::lanes::{LANES, Lanes, Level};
use super::maxpool_forward::Places;
use super::window::{Pane, overlaps};
use crate::model::{Shape, Window};

/// Overwrites `d_input`; what no window won gets 0. Where windows overlap, an input sums the
/// outputs that it won in their order, row by row: at most (size / stride + 1)^2 terms, so that the
/// result errs by that many roundings, 6e-8 of the sum of the magnitudes each.
pub(super) fn maxpool_backward(
    level: Level,
    from: Shape,
    to: Shape,
    window: Window,
    d_output: &[Lanes],
    argmax: &[Places],
    d_input: &mut [Lanes],
) {
    let sums = overlaps(window);
    if sums || !covers(from, to, window) {
        d_input.fill(Lanes::ZERO);
    }
    let mut pixels = Vec::with_capacity(window.height * window.width);
    let places = d_output.chunks_exact(from.channels).zip(argmax.chunks_exact(from.channels));
    for (at, (gradients, arg)) in places.enumerate() {
        let pane = Pane::of(from, to, window, at);
        pixels.clear();
        pixels.extend(pane.pixels(window));
        let pixels = &pixels[..];
        level.wide(
            #[inline(always)]
            || {
                for (channel, (gradient, arg)) in gradients.iter().zip(arg).enumerate() {
                    let won = arg.map(u32::from);
                    for &(offset, place) in pixels {
                        let target = &mut d_input[offset + channel].0;
                        for lane in 0..LANES {
                            let is_won = won[lane] == u32::from(place);
                            let share = if is_won { gradient.0[lane] } else { 0.0 };
                            target[lane] = if sums { target[lane] + share } else { share };
                        }
                    }
                }
            },
        );
    }
}

/// Whether every pixel lies in some window.
fn covers(from: Shape, to: Shape, window: Window) -> bool {
    let seen = |size: usize, count: usize, window: usize, before: usize, stride: usize| {
        stride <= window && (count - 1) * stride + window >= size + before
    };
    let [above, left] = window.before;
    seen(from.height, to.height, window.height, above, window.stride)
        && seen(from.width, to.width, window.width, left, window.stride)
}

#[cfg(test)]
mod tests {
    use super::super::maxpool_forward::maxpool_forward;
    use super::*;

    fn all(values: &[f32]) -> Vec<Lanes> {
        values.iter().map(|&x| Lanes([x; LANES])).collect()
    }

    #[test]
    fn overlapping_padded_windows_by_hand() {
        // Stride 1, size 2, `same`: the padding stands at the end.
        let shape = Shape { channels: 1, height: 2, width: 3 };
        let window = Window { height: 2, width: 2, stride: 1, before: [0, 0] };
        let input = all(&[-1.0, -2.0, -9.0, -5.0, -4.0, -3.0]);
        for level in Level::all() {
            let (mut output, mut argmax) = (all(&[f32::NAN; 6]), [[9; LANES]; 6]);
            maxpool_forward(level, shape, shape, window, &input, &mut output, &mut argmax);
            assert_eq!(output, all(&[-1.0, -2.0, -3.0, -4.0, -3.0, -3.0]), "padding never wins");
            assert_eq!(argmax, [0, 0, 2, 1, 1, 0].map(|place| [place; LANES]));
            let mut d_input = all(&[f32::NAN; 6]);
            let d_output = all(&[1.0, 2.0, 4.0, 8.0, 16.0, 32.0]);
            maxpool_backward(level, shape, shape, window, &d_output, &argmax, &mut d_input);
            assert_eq!(d_input, all(&[1.0, 2.0, 0.0, 0.0, 8.0, 52.0]));
        }
    }

    #[test]
    fn images_stand_for_themselves_nan_wins_and_a_dropped_border_gets_nothing() {
        let from = Shape { channels: 1, height: 1, width: 3 };
        let to = Shape { channels: 1, height: 1, width: 1 };
        let window = Window { height: 1, width: 2, stride: 2, before: [0, 0] };
        let mut input = all(&[1.0, 0.0, 7.0]);
        input[1].0[3] = 2.0;
        input[1].0[5] = f32::NAN;
        for level in Level::all() {
            let (mut output, mut argmax) = (all(&[0.0]), [[9; LANES]]);
            maxpool_forward(level, from, to, window, &input, &mut output, &mut argmax);
            assert_eq!((output[0].0[0], output[0].0[3], output[0].0[4]), (1.0, 2.0, 1.0));
            assert!(output[0].0[5].is_nan());
            let mut d_input = all(&[f32::NAN; 3]);
            maxpool_backward(level, from, to, window, &all(&[4.0]), &argmax, &mut d_input);
            let of = |lane: usize| [0, 1, 2].map(|at: usize| d_input[at].0[lane]);
            assert_eq!([of(0), of(3), of(5)], [[4.0, 0.0, 0.0], [0.0, 4.0, 0.0], [0.0, 4.0, 0.0]]);
        }
    }
}
