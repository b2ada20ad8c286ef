//! What an epoch leaves behind, on any backend.

use super::metrics::Metrics;
use crate::record::EpochRecord;

/// Losses and predictions over some images.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Seen<'a> {
    /// Mean over the images.
    pub(super) loss: f64,
    /// Classes x classes, rows the true class.
    pub(super) confusion: &'a [u32],
}

/// A finite epoch. `train`: mean loss and accuracy over the epoch's own steps. `test`: none where
/// nothing is tested; a loss that is no number there is NaN and no divergence.
pub(super) fn finite(
    (repeat, epoch): (u16, u16),
    classes: usize,
    [train_loss, train_accuracy]: [f64; 2],
    validation: Seen<'_>,
    test: Option<Seen<'_>>,
    [seconds, eval_seconds]: [f64; 2],
) -> EpochRecord {
    let metrics = Metrics::of(validation.confusion, classes);
    let of_test = |test: Seen<'_>| Metrics::of(test.confusion, classes).accuracy;
    let or_nan = |loss: f64| if loss.is_finite() { loss } else { f64::NAN };
    EpochRecord {
        repeat,
        epoch,
        val_accuracy: metrics.accuracy,
        seconds,
        val_loss: validation.loss,
        train_loss,
        train_accuracy,
        val_precision_macro: metrics.precision_macro,
        val_recall_macro: metrics.recall_macro,
        val_f1_macro: metrics.f1_macro,
        val_precision_weighted: metrics.precision_weighted,
        test_accuracy: test.map(of_test),
        test_loss: test.map(|test| or_nan(test.loss)),
        eval_seconds,
    }
}

/// An epoch after (or of) a divergence.
pub(super) fn diverged(repeat: u16, epoch: u16, seconds: f64, eval_seconds: f64) -> EpochRecord {
    EpochRecord {
        repeat,
        epoch,
        val_accuracy: f64::NAN,
        seconds,
        val_loss: f64::NAN,
        train_loss: f64::NAN,
        train_accuracy: f64::NAN,
        val_precision_macro: f64::NAN,
        val_recall_macro: f64::NAN,
        val_f1_macro: f64::NAN,
        val_precision_weighted: f64::NAN,
        test_accuracy: Some(f64::NAN),
        test_loss: Some(f64::NAN),
        eval_seconds,
    }
}
