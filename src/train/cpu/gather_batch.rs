//! Collects the images of a batch: puts sixteen side by side, standardises, and turns (channel,
//! row, column) into (row, column, channel).

use super::lanes::{LANES, Lanes};
use crate::data::Part;

/// Writes `batch`: (groups, height, width, channels), blank images at the end, and `labels`.
/// `standardised` holds the value of every byte for each channel; `images` are positions in `part`.
pub(crate) fn gather_batch(
    part: &Part<'_>,
    standardised: &[[f32; 256]],
    mut images: impl Iterator<Item = usize>,
    batch: &mut [Lanes],
    labels: &mut [u8],
) {
    let channels = standardised.len();
    let image_len = part.images.len() / part.len();
    let plane = image_len / channels;
    let groups = batch.chunks_exact_mut(image_len).zip(labels.chunks_mut(LANES));
    for (target, labels) in groups {
        let mut sources: [&[u8]; LANES] = [&[]; LANES];
        let mut count = 0;
        // In this order: the other way round an image would be taken for a label that is not there.
        for (label, image) in labels.iter_mut().zip(images.by_ref()) {
            *label = part.labels[image];
            sources[count] = &part.images[image * image_len..(image + 1) * image_len];
            count += 1;
        }
        if count == 0 {
            return;
        }
        if count < LANES {
            target.fill(Lanes::ZERO);
        }
        for (channel, values) in standardised.iter().enumerate() {
            let places = target[channel..].iter_mut().step_by(channels);
            for (lanes, at) in places.zip(channel * plane..) {
                for (value, source) in lanes.0.iter_mut().zip(&sources[..count]) {
                    *value = values[usize::from(source[at])];
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::cast_precision_loss, reason = "small counts")]
    use super::*;

    #[test]
    fn channels_come_last_each_has_its_own_scale_and_blanks_fill_up() {
        let pixels: Vec<u8> = (0..20 * 4).collect();
        let part = Part { images: &pixels, labels: &(50..70).collect::<Vec<u8>>() };
        let tables = [1.0, 10.0].map(|s| std::array::from_fn(|p| p as f32 * s));
        let (mut batch, mut labels) = (vec![Lanes([f32::NAN; LANES]); 12], [0; 40]);
        let order = (0..20).rev();
        gather_batch(&part, &tables, order.clone(), &mut batch, &mut labels);
        for (place, image) in order.enumerate() {
            assert_eq!(labels[place], 50 + u8::try_from(image).unwrap());
            let first = 4.0 * image as f32;
            let found: Vec<f32> = batch[place / LANES * 4..][..4]
                .iter()
                .map(|lanes| lanes.0[place % LANES])
                .collect();
            assert_eq!(found, [first, 10.0 * (first + 2.0), first + 1.0, 10.0 * (first + 3.0)]);
        }
        assert!(batch[4..8].iter().all(|lanes| lanes.0[4..] == [0.0; 12]));
        assert!(batch[8].0[0].is_nan(), "what no image needs is left alone");
    }
}
