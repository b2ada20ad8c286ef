//! What follows from a confusion matrix, as scikit-learn defines it.

#![expect(clippy::cast_precision_loss, reason = "counts of images stay far below 2^53")]

/// Metrics of one confusion matrix.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Metrics {
    /// Correct / all.
    pub accuracy: f64,
    pub precision_macro: f64,
    pub recall_macro: f64,
    pub f1_macro: f64,
    pub precision_weighted: f64,
}

impl Metrics {
    /// Metrics of `confusion` (classes x classes, rows the true class, columns the predicted one).
    ///
    /// Precision of a class nobody predicted, recall of a class without images and F1 of a class
    /// with neither are 0 (`zero_division=0`). As there, macro means run over the classes that
    /// are predicted or present, weighted ones weigh by images.
    pub fn of(confusion: &[u32], classes: usize) -> Self {
        assert_eq!(confusion.len(), classes * classes, "the matrix is square");
        let at = |row: usize, column: usize| u64::from(confusion[row * classes + column]);
        let ratio =
            |part: u64, whole: u64| if whole == 0 { 0.0 } else { part as f64 / whole as f64 };
        let (mut all, mut correct, mut seen) = (0, 0, 0_u64);
        let (mut precision, mut recall, mut f1, mut weighted) = (0.0, 0.0, 0.0, 0.0);
        for class in 0..classes {
            let hits = at(class, class);
            let actual: u64 = (0..classes).map(|column| at(class, column)).sum();
            let predicted: u64 = (0..classes).map(|row| at(row, class)).sum();
            all += actual;
            correct += hits;
            seen += u64::from(actual + predicted > 0);
            precision += ratio(hits, predicted);
            recall += ratio(hits, actual);
            f1 += ratio(2 * hits, actual + predicted);
            weighted += ratio(hits, predicted) * actual as f64;
        }
        let mean = |sum: f64, count: u64| if count == 0 { 0.0 } else { sum / count as f64 };
        Self {
            accuracy: ratio(correct, all),
            precision_macro: mean(precision, seen),
            recall_macro: mean(recall, seen),
            f1_macro: mean(f1, seen),
            precision_weighted: mean(weighted, all),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::manual_midpoint, reason = "a mean over two classes, written as one")]
    fn two_classes_by_hand() {
        let metrics = Metrics::of(&[3, 1, 2, 4], 2);
        assert_eq!(metrics.accuracy, 0.7);
        assert!((metrics.precision_macro - (3.0 / 5.0 + 4.0 / 5.0) / 2.0).abs() < 1e-15);
        assert!((metrics.recall_macro - (3.0 / 4.0 + 4.0 / 6.0) / 2.0).abs() < 1e-15);
        assert!((metrics.f1_macro - (6.0 / 9.0 + 8.0 / 11.0) / 2.0).abs() < 1e-15);
        assert!((metrics.precision_weighted - (0.6 * 4.0 + 0.8 * 6.0) / 10.0).abs() < 1e-15);
    }
}
