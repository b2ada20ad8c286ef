//! Inverted dropout: keeps a value with probability 1 - rate and scales it by 1 / (1 - rate).

use crate::model::Shape;
use crate::rng::Key;

/// Writes the factor of every value (0 or 1 / (1 - rate)) to `mask`: (images, height, width,
/// channels).
///
/// The value's number e = image x values + (channel, row, column) place, as on any backend; word
/// e mod 2 of counter (step, e / 2) is its uniform u = word / 2^32, and it is kept iff u >= rate.
pub(super) fn draw_mask(key: Key, step: u32, rate: f64, shape: Shape, mask: &mut [f32]) {
    #[expect(clippy::cast_possible_truncation, reason = "activations are f32")]
    let factor = (1.0 / (1.0 - rate)) as f32;
    let keeps = |word: u32| f64::from(word) / 4_294_967_296.0 >= rate;
    let base = u64::from(step) << 32;
    let positions = shape.height * shape.width;
    if positions == 1 {
        for (counter, pair) in (base..).zip(mask.chunks_mut(2)) {
            for (value, word) in pair.iter_mut().zip(key.at(counter)) {
                *value = if keeps(word) { factor } else { 0.0 };
            }
        }
        return;
    }
    for (at, value) in mask.iter_mut().enumerate() {
        let (rest, channel) = (at / shape.channels, at % shape.channels);
        let (image, position) = (rest / positions, rest % positions);
        let element = image * shape.len() + channel * positions + position;
        let word = key.at(base | (element / 2) as u64)[element % 2];
        *value = if keeps(word) { factor } else { 0.0 };
    }
}

/// `output = input x mask`: forward, and backward with gradients.
pub(super) fn dropout(input: &[f32], mask: &[f32], output: &mut [f32]) {
    for ((output, input), mask) in output.iter_mut().zip(input).zip(mask) {
        *output = input * mask;
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::cast_precision_loss, reason = "small counts")]
    use super::*;

    #[test]
    fn a_mask_keeps_its_share_and_scales_what_is_left() {
        let key = Key::new(1, 2, "dropout.0");
        let mut mask = vec![0.0; 100_000];
        draw_mask(key, 7, 0.6, Shape::flat(1_000), &mut mask);
        let kept = mask.iter().filter(|&&m| m > 0.0).count() as f64;
        assert!((kept / 1e5 - 0.4).abs() < 6.0 * (0.24_f64 / 1e5).sqrt(), "{kept}");
        assert!(mask.iter().all(|&m| m == 0.0 || m == 2.5));
        draw_mask(key, 7, 0.0, Shape::flat(1_000), &mut mask);
        assert!(mask.iter().all(|&m| m == 1.0));
    }

    #[test]
    fn the_layout_of_a_value_does_not_change_its_fate() {
        let key = Key::new(1, 2, "dropout.0");
        let (mut flat, mut image) = (vec![0.0; 24], vec![0.0; 24]);
        draw_mask(key, 3, 0.5, Shape::flat(12), &mut flat);
        draw_mask(key, 3, 0.5, Shape { channels: 3, height: 2, width: 2 }, &mut image);
        for n in 0..2 {
            for (c, p) in (0..3).flat_map(|c| (0..4).map(move |p| (c, p))) {
                assert_eq!(flat[n * 12 + c * 4 + p], image[n * 12 + p * 3 + c]);
            }
        }
        let mut other = vec![0.0; 24];
        draw_mask(key, 4, 0.5, Shape::flat(12), &mut other);
        assert_ne!(flat, other, "every step has its own mask");
    }
}
