//! Max-pooling, gradient of the input: each output's gradient goes to the place that won.

use super::lanes::{Kernel, Lanes, Level, Vector};
use super::maxpool_forward::Pooled;
use super::window::{Pane, overlaps};
use crate::model::{Shape, Window};

/// Overwrites `d_input`; what no window won gets 0. Where windows overlap, an input sums the
/// outputs that it won in their order, row by row: at most (size / stride + 1)^2 terms, so that the
/// result errs by that many roundings, 6e-8 of the sum of the magnitudes each.
pub(crate) fn maxpool_backward(
    level: Level,
    from: Shape,
    window: Window,
    pooled: Pooled<&[Lanes]>,
    d_input: &mut [Lanes],
) {
    let sums = overlaps(window);
    if sums || !covers(from, pooled.shape, window) {
        d_input.fill(Lanes::ZERO);
    }
    level.run(Backward { from, window, sums, pooled, d_input });
}

struct Backward<'a> {
    from: Shape,
    window: Window,
    /// Whether an input may have won several windows.
    sums: bool,
    pooled: Pooled<&'a [Lanes]>,
    d_input: &'a mut [Lanes],
}

impl Kernel for Backward<'_> {
    #[inline(always)]
    fn run<S: Vector>(self, simd: S) {
        let Self { from, window, sums, pooled, d_input } = self;
        let Pooled { shape: to, first, values, argmax } = pooled;
        let mut pixels = Vec::with_capacity(window.height * window.width);
        let places = values.chunks_exact(to.channels).zip(argmax.chunks_exact(to.channels));
        for (at, (gradients, arg)) in places.enumerate() {
            let pane = Pane::of(from, to, window, at);
            pixels.clear();
            pixels.extend(pane.pixels(window));
            let channels = first..first + from.channels;
            let (gradients, arg) = (&gradients[channels.clone()], &arg[channels]);
            for &(offset, place) in &pixels {
                let targets = &mut d_input[offset..offset + from.channels];
                for ((target, gradient), arg) in targets.iter_mut().zip(gradients).zip(arg) {
                    for part in 0..S::PARTS {
                        let [gradient, arg] = [gradient, arg].map(|x| simd.load(x, part));
                        let is_won = [arg, simd.splat(place)];
                        let mut share = simd.if_equal(is_won, gradient, simd.splat(0.0));
                        if sums {
                            share = simd.add(simd.load(target, part), share);
                        }
                        simd.store(share, target, part);
                    }
                }
            }
        }
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
    use super::super::lanes::LANES;
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
            let (mut output, mut argmax) = (all(&[f32::NAN; 6]), all(&[9.0; 6]));
            let pooled =
                Pooled { shape, first: 0, values: &mut output[..], argmax: &mut argmax[..] };
            maxpool_forward(level, shape, window, &input, pooled);
            assert_eq!(output, all(&[-1.0, -2.0, -3.0, -4.0, -3.0, -3.0]), "padding never wins");
            assert_eq!(argmax, all(&[0.0, 0.0, 2.0, 1.0, 1.0, 0.0]));
            let mut d_input = all(&[f32::NAN; 6]);
            let d_output = all(&[1.0, 2.0, 4.0, 8.0, 16.0, 32.0]);
            let pooled = Pooled { shape, first: 0, values: &d_output[..], argmax: &argmax[..] };
            maxpool_backward(level, shape, window, pooled, &mut d_input);
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
            let (mut output, mut argmax) = (all(&[0.0]), all(&[9.0]));
            let pooled =
                Pooled { shape: to, first: 0, values: &mut output[..], argmax: &mut argmax[..] };
            maxpool_forward(level, from, window, &input, pooled);
            assert_eq!((output[0].0[0], output[0].0[3], output[0].0[4]), (1.0, 2.0, 1.0));
            assert!(output[0].0[5].is_nan());
            let mut d_input = all(&[f32::NAN; 3]);
            let d_output = all(&[4.0]);
            let pooled = Pooled { shape: to, first: 0, values: &d_output[..], argmax: &argmax[..] };
            maxpool_backward(level, from, window, pooled, &mut d_input);
            let of = |lane: usize| [0, 1, 2].map(|at: usize| d_input[at].0[lane]);
            assert_eq!([of(0), of(3), of(5)], [[4.0, 0.0, 0.0], [0.0, 4.0, 0.0], [0.0, 4.0, 0.0]]);
        }
    }
}
