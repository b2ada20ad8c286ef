//! Inverted dropout: keeps a value with probability 1 - rate and scales it by 1 / (1 - rate).

use base::rng::{Key, threefry2x32};

use super::lanes::{LANES, Lanes, Level, flat, flat_mut};
use crate::model::Shape;

/// Writes the factor of every value (0 or 1 / (1 - rate)) to `mask`: (groups, height, width,
/// channels).
///
/// The value's number e = image x values + (channel, row, column) place, as on any backend; word
/// e mod 2 of counter (step, e / 2) is its uniform u = word / 2^32, and it is kept iff u >= rate.
pub(crate) fn draw_mask(
    level: Level,
    key: Key,
    step: u32,
    rate: f64,
    shape: Shape,
    mask: &mut [Lanes],
) {
    #[expect(clippy::cast_possible_truncation, reason = "activations are f32")]
    let factor = (1.0 / (1.0 - rate)) as f32;
    let positions = shape.height * shape.width;
    for (group, mask) in mask.chunks_exact_mut(shape.len()).enumerate() {
        level.wide(
            #[inline(always)]
            || {
                for (at, mask) in mask.iter_mut().enumerate() {
                    let (position, channel) = (at / shape.channels, at % shape.channels);
                    let first = group * LANES * shape.len() + channel * positions + position;
                    let keeps = kept(key, step, rate, first, shape.len());
                    *mask = Lanes(keeps.map(|keeps| if keeps { factor } else { 0.0 }));
                }
            },
        );
    }
}

/// Whether the elements `first`, `first + distance`, ... of sixteen images are kept.
#[inline(always)]
fn kept(key: Key, step: u32, rate: f64, first: usize, distance: usize) -> [bool; LANES] {
    // word / 2^32 >= rate, without a division: the product is exact.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "rates are below 1; elements of a batch number below 2^33"
    )]
    let (least, half) = ((rate * 4_294_967_296.0).ceil() as u64, |e: usize| (e / 2) as u32);
    let mut words = [0; LANES];
    for (lane, word) in words.iter_mut().enumerate() {
        let element = first + lane * distance;
        let pair = threefry2x32(key.0, [half(element), step]);
        *word = if element.is_multiple_of(2) { pair[0] } else { pair[1] };
    }
    words.map(|word| u64::from(word) >= least)
}

/// `output = input x mask`: forward, and backward with gradients.
pub(crate) fn dropout(level: Level, input: &[Lanes], mask: &[Lanes], output: &mut [Lanes]) {
    level.wide(
        #[inline(always)]
        || {
            let factors = flat(input).iter().zip(flat(mask));
            for (output, (input, mask)) in flat_mut(output).iter_mut().zip(factors) {
                *output = input * mask;
            }
        },
    );
}

#[cfg(test)]
mod tests {
    #![expect(clippy::cast_precision_loss, reason = "small counts")]
    use super::*;

    #[test]
    fn a_mask_keeps_its_share_and_scales_what_is_left() {
        let key = Key::new(1, 2, "dropout.0");
        let mut lanes = vec![Lanes::ZERO; 6_250];
        draw_mask(Level::best(), key, 7, 0.6, Shape::flat(1_250), &mut lanes);
        let mask: Vec<f32> = lanes.iter().flat_map(|lanes| lanes.0).collect();
        let kept = mask.iter().filter(|&&m| m > 0.0).count() as f64;
        assert!((kept / 1e5 - 0.4).abs() < 6.0 * (0.24_f64 / 1e5).sqrt(), "{kept}");
        assert!(mask.iter().all(|&m| m == 0.0 || m == 2.5));
        draw_mask(Level::best(), key, 7, 0.0, Shape::flat(1_250), &mut lanes);
        assert!(lanes.iter().all(|lanes| lanes.0 == [1.0; LANES]));
    }

    #[test]
    fn every_value_has_the_word_of_its_number() {
        let (key, rate) = (Key::new(1, 2, "dropout.0"), 0.3);
        // An odd size, so that images begin at either word of a pair.
        let shape = Shape { channels: 3, height: 1, width: 5 };
        for level in Level::all() {
            let mut mask = vec![Lanes::ZERO; 2 * shape.len()];
            draw_mask(level, key, 3, rate, shape, &mut mask);
            for image in 0..2 * LANES {
                for (channel, position) in (0..3).flat_map(|c| (0..5).map(move |p| (c, p))) {
                    let element = image * shape.len() + channel * 5 + position;
                    let word = key.at(3 << 32 | (element / 2) as u64)[element % 2];
                    let keeps = f64::from(word) / 4_294_967_296.0 >= rate;
                    let at = image / LANES * shape.len() + position * 3 + channel;
                    assert_eq!(mask[at].0[image % LANES] > 0.0, keeps, "{image} {element}");
                }
            }
            let mut other = vec![Lanes::ZERO; 2 * shape.len()];
            draw_mask(level, key, 4, rate, shape, &mut other);
            assert_ne!(mask, other, "every step has its own mask");
        }
    }
}
