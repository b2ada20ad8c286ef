//! Softmax and cross-entropy of a batch, with the gradient of its mean.

#![expect(clippy::cast_precision_loss, reason = "batches stay far below 2^24 images")]

use super::lanes::{LANES, Lanes, groups};
use crate::graph::optimizer::FLUSH;

/// What a batch adds to the sums of an epoch.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct BatchLoss {
    /// Sum over images of `-ln softmax(logits)[label]`.
    pub(crate) loss_sum: f64,
    /// Images whose largest logit (ties: the first) is the label's.
    pub(crate) correct: u32,
}

/// The loss of each image and, if asked for, the gradient of the batch's mean loss:
/// (softmax - one-hot) / images, and 0 for blank images. `logits` and `gradient`: (groups,
/// classes). A NaN or infinite logit makes the sum NaN. `predicted` hears of each image's label and
/// prediction.
pub(crate) fn softmax_cross_entropy(
    logits: &[Lanes],
    labels: &[u8],
    mut gradient: Option<&mut [Lanes]>,
    mut predicted: impl FnMut(usize, usize),
) -> BatchLoss {
    let classes = logits.len() / groups(labels.len());
    let scale = 1.0 / labels.len() as f32;
    let mut batch = BatchLoss::default();
    let mut row = vec![0.0; classes];
    if let Some(gradient) = gradient.as_deref_mut() {
        gradient.fill(Lanes::ZERO);
    }
    for (image, &label) in labels.iter().enumerate() {
        let (places, lane) =
            (image / LANES * classes..(image / LANES + 1) * classes, image % LANES);
        for (value, lanes) in row.iter_mut().zip(&logits[places.clone()]) {
            *value = lanes.0[lane];
        }
        let label = usize::from(label);
        let best = argmax(&row);
        let (largest, of_label) = (row[best], row[label]);
        for x in &mut row {
            *x = libm::expf(*x - largest);
        }
        let sum: f32 = row.iter().sum();
        batch.loss_sum += libm::log(f64::from(sum)) - f64::from(of_label - largest);
        batch.correct += u32::from(best == label);
        predicted(label, best);
        let Some(gradient) = gradient.as_deref_mut() else { continue };
        for (class, (gradient, &x)) in gradient[places].iter_mut().zip(&row).enumerate() {
            let value = (x / sum - if class == label { 1.0 } else { 0.0 }) * scale;
            gradient.0[lane] = if value.abs() < FLUSH { 0.0 } else { value };
        }
    }
    batch
}

/// Place of the largest value; ties and rows without numbers take the first.
fn argmax(row: &[f32]) -> usize {
    let better = |best: usize, (at, x): (usize, &f32)| if *x > row[best] { at } else { best };
    row.iter().enumerate().fold(0, better)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Logits of images by class, in the first lanes of a group.
    fn lanes(images: &[[f32; 2]]) -> Vec<Lanes> {
        let mut logits = vec![Lanes([f32::NAN; LANES]); 2];
        for (lane, image) in images.iter().enumerate() {
            (0..2).for_each(|class| logits[class].0[lane] = image[class]);
        }
        logits
    }

    #[test]
    fn loss_and_gradient_by_hand() {
        let logits = lanes(&[[0.0, libm::logf(3.0)], [1.0, 1.0]]);
        let mut gradient = lanes(&[]);
        let mut pairs = Vec::new();
        let see = |label, best| pairs.push((label, best));
        let batch = softmax_cross_entropy(&logits, &[0, 1], Some(&mut gradient), see);
        // ln 4 and ln 2; abs 1e-6: one rounding of the f32 logit.
        assert!((batch.loss_sum - 8_f64.ln()).abs() < 1e-6, "{}", batch.loss_sum);
        assert_eq!((batch.correct, pairs), (0, vec![(0, 1), (1, 0)]), "a tie takes the first");
        for (class, expected) in [[-0.375, 0.25], [0.375, -0.25]].iter().enumerate() {
            for (lane, expected) in expected.iter().enumerate() {
                assert!((gradient[class].0[lane] - expected).abs() < 1e-6, "{gradient:?}");
            }
            assert_eq!(gradient[class].0[2..], [0.0; 14], "blank images");
        }
    }

    #[test]
    fn extreme_logits_stay_finite_and_nan_shows() {
        let mut gradient = lanes(&[]);
        let logits = lanes(&[[1e30, -1e30]]);
        let batch = softmax_cross_entropy(&logits, &[0], Some(&mut gradient), |_, _| ());
        assert_eq!((batch.loss_sum, gradient), (0.0, vec![Lanes::ZERO; 2]));
        for bad in [f32::NAN, f32::INFINITY] {
            let logits = lanes(&[[bad, 0.0]]);
            assert!(softmax_cross_entropy(&logits, &[1], None, |_, _| ()).loss_sum.is_nan());
        }
    }
}
