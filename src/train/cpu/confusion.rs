//! Counts of (true class, predicted class).

/// A confusion matrix: classes x classes, row-major, rows the true class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Confusion {
    classes: usize,
    pub(super) counts: Vec<u32>,
}

impl Confusion {
    pub(super) fn new(classes: usize) -> Self {
        Self { classes, counts: vec![0; classes * classes] }
    }

    /// Counts one image.
    pub(super) fn add(&mut self, label: usize, predicted: usize) {
        self.counts[label * self.classes + predicted] += 1;
    }
}
