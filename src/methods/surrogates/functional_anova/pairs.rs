//! The variance of what two features explain together, exactly.
//!
//! The joint marginal of two features is constant in each cell of the grid that the tree's
//! thresholds cut them into: a pure tree of 12,000 leaves has some 1,500 thresholds a feature, and
//! 2 x 10^6 cells a pair. They are never held together. The rows of the grid are swept from one to
//! the next, and only those columns are touched that a leaf begins or ends over: the sum of squares
//! of a row is then all that is taken of every cell, in eight lanes.

use super::boxes::Boxes;

/// Sums that run side by side, so that a processor need not wait for each addition.
const LANES: usize = 8;

/// The leaves by the cell of a feature in which they begin, and behind which they end.
#[derive(Debug, Clone)]
pub(super) struct Sweep {
    begins: Buckets,
    ends: Buckets,
}

/// Leaves in order of a key, ties in their own order.
#[derive(Debug, Clone)]
struct Buckets {
    /// Key `k` has the leaves `offsets[k]..offsets[k + 1]`.
    offsets: Vec<usize>,
    leaves: Vec<u32>,
}

impl Buckets {
    fn new(keys: impl Iterator<Item = u32> + Clone, count: usize) -> Self {
        let mut offsets = vec![0; count + 1];
        for key in keys.clone() {
            offsets[key as usize + 1] += 1;
        }
        for at in 1..offsets.len() {
            offsets[at] += offsets[at - 1];
        }
        let mut next = offsets.clone();
        let mut leaves = vec![0; offsets[count]];
        for (leaf, key) in (0..).zip(keys) {
            leaves[next[key as usize]] = leaf;
            next[key as usize] += 1;
        }
        Self { offsets, leaves }
    }

    fn of(&self, key: usize) -> &[u32] {
        &self.leaves[self.offsets[key]..self.offsets[key + 1]]
    }
}

impl Sweep {
    /// Sorts a tree's leaves along a feature.
    pub(super) fn new(boxes: &Boxes, feature: usize) -> Self {
        let axis = &boxes.axes[feature];
        let count = axis.widths.len() + 1;
        Self {
            begins: Buckets::new(axis.spans.iter().map(|span| span.first), count),
            ends: Buckets::new(axis.spans.iter().map(|span| span.end), count),
        }
    }
}

/// Variance of the joint marginal of two different features, their main effects included. `sweep`
/// is that of `rows`.
pub(super) fn joint_variance(boxes: &Boxes, sweep: &Sweep, rows: usize, columns: usize) -> f64 {
    let (down, across) = (&boxes.axes[rows], &boxes.axes[columns]);
    let fractions = down.fractions.iter().zip(&across.fractions);
    let masses = boxes.shares.iter().zip(&boxes.values).map(|(share, value)| share * value);
    let densities: Vec<f64> = masses.zip(fractions).map(|(mass, (a, b))| mass / (a * b)).collect();
    let mut changes = vec![0.0; across.widths.len() + 1];
    let mut cells = vec![0.0; across.widths.len()];
    let mut variance = 0.0;
    for (row, height) in down.widths.iter().enumerate() {
        let (mut first, mut end) = (across.widths.len(), 0);
        for (leaves, sign) in [(sweep.ends.of(row), -1.0), (sweep.begins.of(row), 1.0)] {
            for leaf in leaves {
                let (span, change) = (across.spans[*leaf as usize], densities[*leaf as usize]);
                changes[span.first as usize] += sign * change;
                changes[span.end as usize] -= sign * change;
                first = first.min(span.first as usize);
                end = end.max(span.end as usize);
            }
        }
        if first < end {
            let mut sum = 0.0;
            for (cell, change) in cells[first..end].iter_mut().zip(&mut changes[first..end]) {
                sum += *change;
                *change = 0.0;
                *cell += sum;
            }
            changes[end] = 0.0;
        }
        variance += height * weighted_squares(&cells, &across.widths);
    }
    variance
}

/// Sum of `weight x value^2`, in lanes.
fn weighted_squares(values: &[f64], weights: &[f64]) -> f64 {
    let mut sums = [0.0; LANES];
    let (values, values_left) = values.as_chunks::<LANES>();
    let (weights, weights_left) = weights.as_chunks::<LANES>();
    for (values, weights) in values.iter().zip(weights) {
        for lane in 0..LANES {
            sums[lane] += weights[lane] * values[lane] * values[lane];
        }
    }
    let left = values_left.iter().zip(weights_left).map(|(value, weight)| weight * value * value);
    sums.iter().sum::<f64>() + left.sum::<f64>()
}
