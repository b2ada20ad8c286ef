//! Max-pooling, forward: the maximum of each `size` x `size` window, windows side by side.

use crate::model::Shape;

/// `input`: (images, height, width, channels); `output` and `argmax` likewise, smaller. `argmax` is
/// the window's place row-major (0 .. size^2). Ties take the first place; NaN beats every number,
/// as in `PyTorch`, so that a divergence shows.
pub(super) fn maxpool_forward(
    from: Shape,
    to: Shape,
    size: usize,
    input: &[f32],
    output: &mut [f32],
    argmax: &mut [u8],
) {
    let channels = from.channels;
    let places = output.chunks_exact_mut(channels).zip(argmax.chunks_exact_mut(channels));
    for (at, (best, arg)) in places.enumerate() {
        let corner = corner(from, to, size, at);
        best.copy_from_slice(&input[corner..corner + channels]);
        arg.fill(0);
        let mut place = 0_u8;
        for row in 0..size {
            for column in 0..size {
                if place > 0 {
                    let start = corner + (row * from.width + column) * channels;
                    let candidates = &input[start..start + channels];
                    for ((best, arg), &x) in best.iter_mut().zip(&mut *arg).zip(candidates) {
                        let wins = x > *best || x.is_nan();
                        *best = if wins { x } else { *best };
                        *arg = if wins { place } else { *arg };
                    }
                }
                place = place.wrapping_add(1);
            }
        }
    }
}

/// Largest size whose places fit in a byte.
pub(super) const SIZE_MAX: usize = 16;

/// Offset of the first input value of output position `at`, counted over all images.
pub(super) fn corner(from: Shape, to: Shape, size: usize, at: usize) -> usize {
    let (rest, x) = (at / to.width, at % to.width);
    let (image, y) = (rest / to.height, rest % to.height);
    ((image * from.height + y * size) * from.width + x * size) * from.channels
}
