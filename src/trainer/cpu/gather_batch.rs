//! Collects the images of a batch: permutes, standardises, and turns (channel, row, column) into
//! (row, column, channel).

use crate::data::Part;

/// Writes `batch`: (images, height, width, channels) and `labels`. `standardised` holds the value
/// of every byte for each channel; `images` are positions in `part`.
pub(super) fn gather_batch(
    part: &Part<'_>,
    standardised: &[[f32; 256]],
    images: impl Iterator<Item = usize>,
    batch: &mut [f32],
    labels: &mut [u8],
) {
    let channels = standardised.len();
    let image_len = part.images.len() / part.len();
    let plane = image_len / channels;
    let places = batch.chunks_exact_mut(image_len).zip(labels);
    for ((target, label), image) in places.zip(images) {
        *label = part.labels[image];
        let source = &part.images[image * image_len..(image + 1) * image_len];
        for (channel, (values, pixels)) in
            standardised.iter().zip(source.chunks_exact(plane)).enumerate()
        {
            for (place, &pixel) in target[channel..].iter_mut().step_by(channels).zip(pixels) {
                *place = values[usize::from(pixel)];
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::cast_precision_loss, reason = "small counts")]
    use super::*;

    #[test]
    fn channels_come_last_and_each_has_its_own_scale() {
        let part = Part { images: &[0, 1, 2, 3, 4, 5, 6, 7], labels: &[8, 9] };
        let tables = [1.0, 10.0].map(|s| std::array::from_fn(|p| p as f32 * s));
        let (mut batch, mut labels) = ([0.0; 8], [0; 2]);
        gather_batch(&part, &tables, [1, 0].into_iter(), &mut batch, &mut labels);
        assert_eq!(batch, [4.0, 60.0, 5.0, 70.0, 0.0, 20.0, 1.0, 30.0]);
        assert_eq!(labels, [9, 8]);
    }
}
