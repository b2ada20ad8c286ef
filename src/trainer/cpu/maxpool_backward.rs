//! Max-pooling, gradient of the input: each output's gradient goes to the place that won.

use super::maxpool_forward::corner;
use crate::model::Shape;

/// Overwrites `d_input`; dropped borders get 0. Windows do not overlap, so nothing is summed.
pub(super) fn maxpool_backward(
    from: Shape,
    to: Shape,
    size: usize,
    d_output: &[f32],
    argmax: &[u8],
    d_input: &mut [f32],
) {
    d_input.fill(0.0);
    let channels = from.channels;
    let places = d_output.chunks_exact(channels).zip(argmax.chunks_exact(channels));
    for (at, (gradients, arg)) in places.enumerate() {
        let corner = corner(from, to, size, at);
        for (channel, (&gradient, &place)) in gradients.iter().zip(arg).enumerate() {
            let (row, column) = (usize::from(place) / size, usize::from(place) % size);
            d_input[corner + (row * from.width + column) * channels + channel] = gradient;
        }
    }
}
