//! Trees as plain nodes, for those who take them apart.

use super::tree::{LEAF, Tree};
use crate::kit::encoding::Ranks;

/// A node of a [`PlainTree`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum PlainNode {
    /// Predicts this value.
    Leaf(f64),
    /// A point whose `feature` is at most `threshold` goes to the left child, others to the right.
    Split {
        /// Which number of a point is looked at.
        feature: usize,
        /// The largest number that goes left.
        threshold: f64,
        /// Position of the left child, behind this node's own.
        left: usize,
        /// Position of the right child, behind this node's own.
        right: usize,
    },
}

/// A regression tree whose every node is numbers alone; the root is the first.
#[derive(Debug, Clone, PartialEq)]
pub struct PlainTree {
    /// At least the root.
    pub nodes: Vec<PlainNode>,
}

impl PlainTree {
    /// Writes a tree out. `unit` is what 1 is on the grid of its values.
    pub(super) fn of(tree: &Tree, columns: &Ranks, unit: f64) -> Self {
        let mut nodes = vec![PlainNode::Leaf(0.0)];
        let mut open = vec![(0, 0)];
        while let Some((from, to)) = open.pop() {
            let node = &tree.nodes[from];
            nodes[to] = if node.feature == LEAF {
                #[expect(clippy::cast_precision_loss, reason = "at most 2^44")]
                PlainNode::Leaf(node.value as f64 * unit)
            } else {
                let (feature, left) = (node.feature as usize, nodes.len());
                let threshold = columns.threshold(feature, node.low, node.high);
                nodes.extend([PlainNode::Leaf(0.0); 2]);
                let children = node.children as usize;
                open.extend([(children + 1, left + 1), (children, left)]);
                PlainNode::Split { feature, threshold, left, right: left + 1 }
            };
        }
        Self { nodes }
    }

    /// What the tree predicts for a point.
    pub fn predict(&self, point: &[f64]) -> f64 {
        let mut at = 0;
        loop {
            match self.nodes[at] {
                PlainNode::Leaf(value) => return value,
                PlainNode::Split { feature, threshold, left, right } => {
                    at = if point[feature] <= threshold { left } else { right };
                }
            }
        }
    }
}
