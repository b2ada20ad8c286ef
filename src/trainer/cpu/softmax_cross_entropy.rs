//! Softmax and cross-entropy of a batch, with the gradient of its mean.

#![expect(clippy::cast_precision_loss, reason = "batches stay far below 2^24 images")]

/// Gradients below this are 0: as denormal numbers they would slow every product a hundredfold,
/// and optimizers flush their moments at the same bound.
pub(super) const FLUSH: f32 = 1.0 / (1_u128 << 100) as f32;

/// What a batch adds to the sums of an epoch.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct BatchLoss {
    /// Sum over images of `-ln softmax(logits)[label]`.
    pub(super) loss_sum: f64,
    /// Images whose largest logit (ties: the first) is the label's.
    pub(super) correct: u32,
}

/// The loss of each image and, if asked for, the gradient of the batch's mean loss:
/// (softmax - one-hot) / images. `logits` and `gradient`: (images, classes). A NaN or infinite
/// logit makes the sum NaN. `predicted` hears of each image's label and prediction.
pub(super) fn softmax_cross_entropy(
    logits: &[f32],
    labels: &[u8],
    mut gradient: Option<&mut [f32]>,
    mut predicted: impl FnMut(usize, usize),
) -> BatchLoss {
    let classes = logits.len() / labels.len();
    let scale = 1.0 / labels.len() as f32;
    let mut batch = BatchLoss::default();
    for (image, (row, &label)) in logits.chunks_exact(classes).zip(labels).enumerate() {
        let label = usize::from(label);
        let best = argmax(row);
        let largest = row[best];
        let sum: f32 = row.iter().map(|&x| libm::expf(x - largest)).sum();
        batch.loss_sum += libm::log(f64::from(sum)) - f64::from(row[label] - largest);
        batch.correct += u32::from(best == label);
        predicted(label, best);
        let Some(gradient) = gradient.as_deref_mut() else { continue };
        let gradient = &mut gradient[image * classes..(image + 1) * classes];
        for (class, (gradient, &x)) in gradient.iter_mut().zip(row).enumerate() {
            let probability = libm::expf(x - largest) / sum;
            let value = (probability - if class == label { 1.0 } else { 0.0 }) * scale;
            *gradient = if value.abs() < FLUSH { 0.0 } else { value };
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

    #[test]
    fn loss_and_gradient_by_hand() {
        let logits = [0.0, libm::logf(3.0), 1.0, 1.0];
        let mut gradient = [f32::NAN; 4];
        let mut pairs = Vec::new();
        let see = |label, best| pairs.push((label, best));
        let batch = softmax_cross_entropy(&logits, &[0, 1], Some(&mut gradient), see);
        // ln 4 and ln 2; abs 1e-6: one rounding of the f32 logit.
        assert!((batch.loss_sum - 8_f64.ln()).abs() < 1e-6, "{}", batch.loss_sum);
        assert_eq!((batch.correct, pairs), (0, vec![(0, 1), (1, 0)]), "a tie takes the first");
        for (found, expected) in gradient.iter().zip([-0.375, 0.375, 0.25, -0.25]) {
            assert!((found - expected).abs() < 1e-6, "{gradient:?}");
        }
    }

    #[test]
    fn extreme_logits_stay_finite_and_nan_shows() {
        let mut gradient = [f32::NAN; 2];
        let batch = softmax_cross_entropy(&[1e30, -1e30], &[0], Some(&mut gradient), |_, _| ());
        assert_eq!((batch.loss_sum, gradient), (0.0, [0.0, 0.0]));
        for bad in [f32::NAN, f32::INFINITY] {
            assert!(softmax_cross_entropy(&[bad, 0.0], &[1], None, |_, _| ()).loss_sum.is_nan());
        }
    }
}
