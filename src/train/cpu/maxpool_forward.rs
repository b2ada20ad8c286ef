//! Max-pooling, forward: the maximum of each window; padding never wins.

use super::lanes::{Kernel, Lanes, Level, Vector};
use super::window::Pane;
use crate::model::{Shape, Window};

/// What a pooling writes, or its gradient: some channels of (groups, height, width, channels).
#[derive(Debug)]
pub(crate) struct Pooled<T> {
    /// Of all channels.
    pub(crate) shape: Shape,
    /// The first of the channels.
    pub(crate) first: usize,
    pub(crate) values: T,
    /// Which place of the window won, row-major (0 .. height x width).
    pub(crate) argmax: T,
}

/// `input`: (groups, height, width, channels) of shape `from`; as many channels of `pooled` are
/// overwritten. Ties take the first place; NaN beats every number, as in `PyTorch`, so that a
/// divergence shows. Values are copied: exact, no tolerance.
pub(crate) fn maxpool_forward(
    level: Level,
    from: Shape,
    window: Window,
    input: &[Lanes],
    pooled: Pooled<&mut [Lanes]>,
) {
    level.run(Forward { from, window, input, pooled });
}

struct Forward<'a> {
    from: Shape,
    window: Window,
    input: &'a [Lanes],
    pooled: Pooled<&'a mut [Lanes]>,
}

impl Kernel for Forward<'_> {
    #[inline(always)]
    fn run<S: Vector>(self, simd: S) {
        let Self { from, window, input, pooled } = self;
        let Pooled { shape: to, first, values, argmax } = pooled;
        let places = values.chunks_exact_mut(to.channels).zip(argmax.chunks_exact_mut(to.channels));
        let mut pixels = Vec::with_capacity(window.height * window.width);
        for (at, (best, arg)) in places.enumerate() {
            let pane = Pane::of(from, to, window, at);
            pixels.clear();
            pixels.extend(pane.pixels(window));
            let channels = first..first + from.channels;
            let (best, arg) = (&mut best[channels.clone()], &mut arg[channels]);
            for (channel, (best, arg)) in best.iter_mut().zip(arg).enumerate() {
                winner(simd, &pixels, &input[channel..], best, arg);
            }
        }
    }
}

/// The largest of the values at the pixels' offsets, and its place.
#[inline(always)]
fn winner<S: Vector>(
    simd: S,
    pixels: &[(usize, f32)],
    input: &[Lanes],
    value: &mut Lanes,
    arg: &mut Lanes,
) {
    let (&(first, place), others) = pixels.split_first().expect("no window is empty");
    for part in 0..S::PARTS {
        let (mut best, mut won) = (simd.load(&input[first], part), simd.splat(place));
        for &(offset, place) in others {
            let x = simd.load(&input[offset], part);
            won = simd.if_wins([x, best], simd.splat(place), won);
            best = simd.if_wins([x, best], x, best);
        }
        simd.store(best, value, part);
        simd.store(won, arg, part);
    }
}
