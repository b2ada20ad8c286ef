//! Growing a subtree over its own candidates.

use super::moments::Moments;
use super::partition::{divide_entries, divide_rows, keep_entries};
use super::split::{Decision, Split, observation_of};
use super::tree::{Data, LEAF, Node, Tree, Work};

impl Tree {
    /// Grows the subtree of a node anew over its own candidates.
    pub(super) fn regrow(
        &mut self,
        node: u32,
        first: usize,
        last: usize,
        data: &Data<'_>,
        work: &mut Work,
        moments: &mut [Moments],
    ) {
        self.fell(node, work);
        work.growing.push((node, first, last));
        while let Some((node, first, last)) = work.growing.pop() {
            match self.decide(first, last, data, work) {
                Decision::Leaf(value) => self.settle(node, value, work, moments),
                Decision::Split(split) => {
                    self.divide(node, &split, first, last, data, work, moments);
                }
            }
        }
    }

    /// Notes what the subtree predicted and gives its nodes back.
    fn fell(&mut self, node: u32, work: &mut Work) {
        work.doomed.push(node);
        while let Some(doomed) = work.doomed.pop() {
            let node = &self.nodes[doomed as usize];
            if node.feature == LEAF {
                for &row in &self.rows[node.range()] {
                    work.old[row as usize] = node.value;
                }
            } else {
                work.doomed.extend([node.children, node.children + 1]);
                self.free.push(node.children);
            }
        }
    }

    /// Makes a node a leaf.
    fn settle(&mut self, node: u32, value: i64, work: &Work, moments: &mut [Moments]) {
        let node = &mut self.nodes[node as usize];
        *node = Node::leaf(node.begin, node.end, value);
        for &row in &self.rows[node.range()] {
            let old = work.old[row as usize];
            if old != value {
                moments[row as usize].replace(old, value);
            }
        }
    }

    /// Gives a node two children, and them their candidates and observations.
    #[expect(clippy::too_many_arguments, reason = "one node of the loop in `regrow`")]
    fn divide(
        &mut self,
        node: u32,
        split: &Split,
        first: usize,
        last: usize,
        data: &Data<'_>,
        work: &mut Work,
        moments: &mut [Moments],
    ) {
        let Split { feature, low, high, left_count } = *split;
        let cut = data.columns.cut(feature, low, high);
        let codes = data.columns.codes(feature);
        let children = self.free.pop().unwrap_or_else(|| {
            self.nodes.extend([Node::leaf(0, 0, 0); 2]);
            u32::try_from(self.nodes.len() - 2).expect("fewer nodes than twice the observations")
        });
        let parent = &mut self.nodes[node as usize];
        let rows = &mut self.rows[parent.range()];
        let left_rows = divide_rows(rows, codes, cut, &mut work.spare_rows);
        let border = parent.begin + u32::try_from(left_rows).expect("rows are 32 bits");
        let (begin, end) = (parent.begin, parent.end);
        let feature_code = u32::try_from(feature).expect("few features");
        *parent = Node { feature: feature_code, cut, low, high, children, value: 0, ..*parent };
        self.nodes[children as usize] = Node::leaf(begin, border, 0);
        self.nodes[children as usize + 1] = Node::leaf(border, end, 0);

        let right_count = last - first - left_count;
        let list = &work.entries[feature * work.stride..][first..last];
        let single = |at: usize| data.targets[observation_of(list[at]) as usize];
        let (left_value, right_value) = (single(0), single(left_count));
        let is_one_single = (left_count == 1) != (right_count == 1);
        if left_count > 1 || right_count > 1 {
            mark_sides(split, first, last, work);
            for feature in 0..data.columns.count() {
                let list = &mut work.entries[feature * work.stride..][first..last];
                if is_one_single {
                    keep_entries(list, &work.goes_left, left_count > 1);
                } else {
                    divide_entries(list, &work.goes_left, &mut work.spare);
                }
            }
        }
        // The lists of an only child stand at the front.
        let middle = if is_one_single { first } else { first + left_count };
        for (child, count, value, first) in [
            (children, left_count, left_value, first),
            (children + 1, right_count, right_value, middle),
        ] {
            if count == 1 {
                self.settle(child, value, work, moments);
            } else {
                work.growing.push((child, first, first + count));
            }
        }
    }
}

/// Notes for each observation of a node on which side of a split it lies.
pub(super) fn mark_sides(split: &Split, first: usize, last: usize, work: &mut Work) {
    let list = &work.entries[split.feature * work.stride..][first..last];
    for (at, entry) in list.iter().enumerate() {
        work.goes_left[observation_of(*entry) as usize] = at < split.left_count;
    }
}
