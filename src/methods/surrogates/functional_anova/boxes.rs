//! One tree as the boxes of its leaves, and what its variance is made of.

use super::super::forest::plain::{PlainNode, PlainTree};

/// A run of neighbouring cells of a feature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) first: u32,
    /// The cell behind the last one.
    pub(super) end: u32,
}

/// A feature's range, cut where the tree divides it.
#[derive(Debug, Clone)]
pub(super) struct Axis {
    /// Low end, thresholds ascending, high end.
    edges: Vec<f64>,
    /// Share of each cell of the range; they sum to 1.
    pub(super) widths: Vec<f64>,
    /// One a leaf.
    pub(super) spans: Vec<Span>,
    /// Share of each leaf of the range.
    pub(super) fractions: Vec<f64>,
}

impl Axis {
    fn new((low, high): (f64, f64), mut thresholds: Vec<f64>) -> Self {
        assert!(low < high, "a range has a width: {low} to {high}");
        thresholds.retain(|threshold| low < *threshold && *threshold < high);
        thresholds.sort_by(f64::total_cmp);
        thresholds.dedup();
        let edges = [vec![low], thresholds, vec![high]].concat();
        let widths = edges.windows(2).map(|pair| (pair[1] - pair[0]) / (high - low)).collect();
        Self { edges, widths, spans: Vec::new(), fractions: Vec::new() }
    }

    fn whole(&self) -> Span {
        Span { first: 0, end: u32::try_from(self.widths.len()).expect("fewer cells than rows") }
    }

    fn fraction(&self, span: Span) -> f64 {
        let ends = self.edges[0]..self.edges[self.edges.len() - 1];
        let width = self.edges[span.end as usize] - self.edges[span.first as usize];
        width / (ends.end - ends.start)
    }

    /// The two parts of a span left and right of a threshold; either may be empty.
    fn divide(&self, span: Span, threshold: f64) -> (Span, Span) {
        let border = self.edges.partition_point(|edge| *edge < threshold);
        let border = u32::try_from(border).expect("fewer cells than rows");
        let border = border.clamp(span.first, span.end);
        (Span { end: border, ..span }, Span { first: border, ..span })
    }

    /// The cell of a number; one at a threshold goes left, one outside counts as the nearer end.
    pub(super) fn cell(&self, at: f64) -> usize {
        let inner = &self.edges[1..self.edges.len() - 1];
        inner.partition_point(|edge| *edge < at)
    }
}

/// A tree's leaves as boxes that fill the space, and what they predict beyond the tree's mean.
#[derive(Debug, Clone)]
pub(super) struct Boxes {
    /// One a feature.
    pub(super) axes: Vec<Axis>,
    /// Share of each leaf of the space's volume.
    pub(super) shares: Vec<f64>,
    /// What each leaf predicts, less `mean`.
    pub(super) values: Vec<f64>,
    /// Mean of the tree over the space.
    pub(super) mean: f64,
    /// Variance of the tree over the space.
    pub(super) variance: f64,
}

impl Boxes {
    /// Takes a tree apart over a box of a space, one pair of ends a feature.
    pub(super) fn new(tree: &PlainTree, bounds: &[(f64, f64)]) -> Self {
        let mut thresholds = vec![Vec::new(); bounds.len()];
        for node in &tree.nodes {
            if let PlainNode::Split { feature, threshold, .. } = node {
                thresholds[*feature].push(*threshold);
            }
        }
        let axes = bounds.iter().zip(thresholds).map(|(ends, cuts)| Axis::new(*ends, cuts));
        let axes: Vec<Axis> = axes.collect();
        let mut boxes =
            Self { axes, shares: Vec::new(), values: Vec::new(), mean: 0.0, variance: 0.0 };
        boxes.fill(tree);
        boxes.centre();
        boxes
    }

    fn fill(&mut self, tree: &PlainTree) {
        let whole: Vec<Span> = self.axes.iter().map(Axis::whole).collect();
        let mut open = vec![(0, whole)];
        while let Some((at, spans)) = open.pop() {
            match tree.nodes[at] {
                PlainNode::Leaf(value) => {
                    let mut share = 1.0;
                    for (axis, span) in self.axes.iter_mut().zip(spans) {
                        let fraction = axis.fraction(span);
                        share *= fraction;
                        axis.spans.push(span);
                        axis.fractions.push(fraction);
                    }
                    self.shares.push(share);
                    self.values.push(value);
                }
                PlainNode::Split { feature, threshold, left, right } => {
                    let (below, above) = self.axes[feature].divide(spans[feature], threshold);
                    // What lies outside the space has no volume, and no part in the variance.
                    for (child, part) in [(right, above), (left, below)] {
                        if part.first < part.end {
                            let mut spans = spans.clone();
                            spans[feature] = part;
                            open.push((child, spans));
                        }
                    }
                }
            }
        }
    }

    /// Takes the mean away: sums of squares then cancel little.
    fn centre(&mut self) {
        let total: f64 = self.shares.iter().sum();
        let weighted = self.shares.iter().zip(&self.values).map(|(share, value)| share * value);
        self.mean = weighted.sum::<f64>() / total;
        if let [only] = self.values[..] {
            self.mean = only;
        }
        for value in &mut self.values {
            *value -= self.mean;
        }
        let squares =
            self.shares.iter().zip(&self.values).map(|(share, value)| share * value * value);
        self.variance = squares.sum::<f64>() / total;
    }

    /// What each cell of a feature predicts beyond the mean, averaged over all other features.
    pub(super) fn marginal(&self, feature: usize) -> Vec<f64> {
        let axis = &self.axes[feature];
        let mut cells = vec![0.0; axis.widths.len() + 1];
        for (leaf, span) in axis.spans.iter().enumerate() {
            let density = self.shares[leaf] * self.values[leaf] / axis.fractions[leaf];
            cells[span.first as usize] += density;
            cells[span.end as usize] -= density;
        }
        cells.pop();
        let mut sum = 0.0;
        for cell in &mut cells {
            sum += *cell;
            *cell = sum;
        }
        cells
    }

    /// Variance of the main effect of a feature.
    pub(super) fn main_variance(&self, feature: usize) -> f64 {
        let widths = &self.axes[feature].widths;
        self.marginal(feature).iter().zip(widths).map(|(cell, width)| width * cell * cell).sum()
    }
}
