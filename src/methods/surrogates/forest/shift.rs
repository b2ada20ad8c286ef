//! Moving a threshold without regrowing what lies below it.

use super::moments::Moments;
use super::partition::divide_rows;
use super::tree::{LEAF, Tree, Work};
use crate::kit::encoding::Ranks;

/// A step of laying out a subtree; `first..last` of [`ShiftWork::moving`] arrive in it.
#[derive(Debug, Clone, Copy)]
enum Step {
    Open {
        node: u32,
        is_donor: bool,
        first: usize,
        last: usize,
    },
    /// All leaves of the node have been laid out.
    Close {
        node: u32,
    },
}

/// Memory that the trees use in turn.
#[derive(Debug, Clone, Default)]
pub(super) struct ShiftWork {
    steps: Vec<Step>,
    /// Rows that change sides.
    moving: Vec<u32>,
    /// The node's candidates in their new order.
    laid: Vec<u32>,
}

impl Tree {
    /// Gives a node another threshold of the same feature. Candidates that change sides go down
    /// the other subtree as it stands; all others stay in their leaves.
    pub(super) fn shift(
        &mut self,
        node: u32,
        cut: u32,
        columns: &Ranks,
        work: &mut Work,
        moments: &mut [Moments],
    ) {
        let parent = self.nodes[node as usize];
        self.nodes[node as usize].cut = cut;
        let codes = columns.codes(parent.feature as usize);
        let is_left_donor = cut < parent.cut;
        let stays = |row: u32| (codes.of(row) <= cut) == is_left_donor;
        let donor = parent.children + u32::from(!is_left_donor);
        self.collect(donor, stays, work);
        let last = work.shift.moving.len();
        if last == 0 {
            return;
        }
        work.shift.laid.clear();
        for (child, is_donor) in
            [(parent.children + 1, !is_left_donor), (parent.children, is_left_donor)]
        {
            let last = if is_donor { 0 } else { last };
            work.shift.steps.push(Step::Open { node: child, is_donor, first: 0, last });
        }
        while let Some(step) = work.shift.steps.pop() {
            let at = parent.begin + u32::try_from(work.shift.laid.len()).expect("rows are 32 bits");
            match step {
                Step::Close { node } => self.nodes[node as usize].end = at,
                Step::Open { node, is_donor, first, last }
                    if self.nodes[node as usize].feature == LEAF =>
                {
                    let leaf = &mut self.nodes[node as usize];
                    let rows = &self.rows[leaf.range()];
                    if is_donor {
                        work.shift.laid.extend(rows.iter().filter(|row| stays(**row)));
                    } else {
                        work.shift.laid.extend_from_slice(rows);
                        work.shift.laid.extend_from_slice(&work.shift.moving[first..last]);
                    }
                    for &row in &work.shift.moving[first..last] {
                        moments[row as usize].replace(work.old[row as usize], leaf.value);
                    }
                    let count = work.shift.laid.len();
                    leaf.begin = at;
                    leaf.end = parent.begin + u32::try_from(count).expect("rows are 32 bits");
                }
                Step::Open { node, is_donor, first, last } => {
                    self.open(node, at, is_donor, (first, last), columns, work);
                }
            }
        }
        self.rows[parent.range()].copy_from_slice(&work.shift.laid);
    }

    /// Lists the rows that leave a subtree, with what it predicted for them.
    fn collect(&self, donor: u32, stays: impl Fn(u32) -> bool, work: &mut Work) {
        work.shift.moving.clear();
        work.doomed.push(donor);
        while let Some(at) = work.doomed.pop() {
            let node = &self.nodes[at as usize];
            if node.feature != LEAF {
                work.doomed.extend([node.children, node.children + 1]);
                continue;
            }
            for &row in &self.rows[node.range()] {
                if !stays(row) {
                    work.old[row as usize] = node.value;
                    work.shift.moving.push(row);
                }
            }
        }
    }

    /// Sends what arrives at an inner node on to its children.
    fn open(
        &mut self,
        node: u32,
        at: u32,
        is_donor: bool,
        (first, last): (usize, usize),
        columns: &Ranks,
        work: &mut Work,
    ) {
        let inner = &mut self.nodes[node as usize];
        inner.begin = at;
        let codes = columns.codes(inner.feature as usize);
        let moving = &mut work.shift.moving[first..last];
        let middle = first + divide_rows(moving, codes, inner.cut, &mut work.spare_rows);
        let (left, right) = (inner.children, inner.children + 1);
        work.shift.steps.extend([
            Step::Close { node },
            Step::Open { node: right, is_donor, first: middle, last },
            Step::Open { node: left, is_donor, first, last: middle },
        ]);
    }
}
