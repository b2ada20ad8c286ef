//! A k-d tree of a table's rows, with a count of free rows in each box: the nearest free row to a
//! point, without a look at all of them.
//!
//! The squared distance adds, over the parameters in their order, the squared difference of numeric
//! coordinates and 1 where choices differ. Of rows as near as each other, to the last bit, the
//! first in the repeat's order is taken. A box is passed over only where its nearest corner, added
//! up in the same order, is farther than the nearest row so far, and rounding keeps that order:
//! what is found is what a look at every free row would find.

use std::ops::Range;

use base::space::{Domain, Space};
use base::units::ConfigId;
use pulp::{Arch, Simd, WithSimd};

use crate::interface::{Points, RowOrder};

/// Rows of a box that is not cut any more. They are looked at together, an axis at a time, in as
/// few instructions as a handful one by one. In the middle of many dimensions nearly every box is
/// near, and that is what keeps a search there short.
const ROWS_MAX: usize = 128;

/// A box of rows.
#[derive(Debug, Clone, Copy)]
struct Node {
    /// Its rows stand there.
    start: u32,
    end: u32,
    /// The second child; the first stands right after the node. 0 of a leaf.
    second: u32,
    parent: u32,
}

/// The boxes of a table's rows, cut at the median of the parameter that spreads most.
#[derive(Debug)]
pub struct RowTree {
    is_choice: Vec<bool>,
    nodes: Vec<Node>,
    /// By node: the least coordinate of each parameter, then the greatest.
    corners: Vec<f64>,
    /// In the order of the leaves.
    rows: Vec<u32>,
    /// Of the rows in that order, leaf after leaf; in a leaf, axis after axis.
    coordinates: Vec<f64>,
    /// By row.
    leaves: Vec<u32>,
}

/// What one run has left of a tree; it lasts until the next run begins.
#[derive(Debug, Clone, Default)]
pub struct FreeCounts {
    /// By node; empty until a point is proposed.
    counts: Vec<u32>,
}

impl FreeCounts {
    /// A run begins: all is forgotten.
    pub fn begin(&mut self) {
        self.counts.clear();
    }

    /// Counts the free rows, where that has not been done in this run.
    ///
    /// # Panics
    /// Where the order is of fewer rows.
    pub fn prepare(&mut self, tree: &RowTree, order: &RowOrder) {
        if !self.counts.is_empty() {
            return;
        }
        self.counts.resize(tree.nodes.len(), 0);
        // Children stand behind their parents.
        for at in (0..tree.nodes.len()).rev() {
            let node = tree.nodes[at];
            if node.second == 0 {
                let rows = &tree.rows[node.start as usize..node.end as usize];
                let free = rows.iter().filter(|row| order.is_free(ConfigId(**row))).count();
                self.counts[at] = u32::try_from(free).expect("rows are 32 bits");
            } else {
                self.counts[at] = self.counts[at + 1] + self.counts[node.second as usize];
            }
        }
    }

    /// A row that was free has been taken.
    ///
    /// # Panics
    /// Where it was not counted as free.
    pub fn take(&mut self, tree: Option<&RowTree>, row: ConfigId) {
        let Some(tree) = tree.filter(|_| !self.counts.is_empty()) else { return };
        let mut at = tree.leaves[row.index()];
        loop {
            self.counts[at as usize] -= 1;
            if at == 0 {
                return;
            }
            at = tree.nodes[at as usize].parent;
        }
    }
}

impl RowTree {
    /// Of a table's rows.
    ///
    /// # Panics
    /// Where there are fewer points than rows.
    pub fn new(space: &Space, points: &Points, rows: u32) -> Self {
        let is_choice =
            space.parameters.iter().map(|p| matches!(p.domain, Domain::Categorical { .. }));
        let mut tree = Self {
            is_choice: is_choice.collect(),
            nodes: Vec::new(),
            corners: Vec::new(),
            rows: (0..rows).collect(),
            coordinates: Vec::new(),
            leaves: vec![0; rows as usize],
        };
        if rows > 0 {
            tree.cut(points, 0, rows as usize, 0);
        }
        tree.coordinates.reserve_exact(points.coordinates.len());
        for leaf in tree.nodes.iter().filter(|node| node.second == 0) {
            let rows = &tree.rows[leaf.start as usize..leaf.end as usize];
            for axis in 0..tree.is_choice.len() {
                let column = rows.iter().map(|row| points.row(ConfigId(*row))[axis]);
                tree.coordinates.extend(column);
            }
        }
        tree
    }

    fn width(&self) -> usize {
        self.is_choice.len()
    }

    /// Makes the node of some rows, and those below it.
    fn cut(&mut self, points: &Points, start: usize, end: usize, parent: u32) {
        let index = |place: usize| u32::try_from(place).expect("rows are 32 bits");
        let at = index(self.nodes.len());
        self.nodes.push(Node { start: index(start), end: index(end), second: 0, parent });
        let width = self.width();
        let mut least = vec![f64::INFINITY; width];
        let mut most = vec![f64::NEG_INFINITY; width];
        for row in &self.rows[start..end] {
            for (axis, u) in points.row(ConfigId(*row)).iter().enumerate() {
                least[axis] = least[axis].min(*u);
                most[axis] = most[axis].max(*u);
            }
        }
        // Choices that differ are as far apart as the ends of a range.
        let spread = |axis: usize| {
            let range = most[axis] - least[axis];
            if self.is_choice[axis] && range > 0.0 { 1.0 } else { range }
        };
        let widest = (0..width).reduce(|a, b| if spread(b) > spread(a) { b } else { a });
        let widest = widest.filter(|axis| spread(*axis) > 0.0);
        self.corners.extend(least.iter().chain(&most));
        let Some(axis) = widest.filter(|_| end - start > ROWS_MAX) else {
            for row in &self.rows[start..end] {
                self.leaves[*row as usize] = at;
            }
            return;
        };
        let middle = (end - start) / 2;
        let u = |row: &u32| points.row(ConfigId(*row))[axis];
        self.rows[start..end]
            .select_nth_unstable_by(middle, |a, b| u(a).total_cmp(&u(b)).then(a.cmp(b)));
        self.cut(points, start, start + middle, at);
        self.nodes[at as usize].second = index(self.nodes.len());
        self.cut(points, start + middle, end, at);
    }

    /// The free row nearest to a point, with the squared distance. `None` where no row is free.
    ///
    /// # Panics
    /// Where the free rows were not counted for this tree.
    pub fn nearest(
        &self,
        point: &[f64],
        order: &RowOrder,
        free: &FreeCounts,
    ) -> Option<(ConfigId, f64)> {
        let counts = &free.counts;
        if *counts.first()? == 0 {
            return None;
        }
        let mut search =
            Search { tree: self, point, order, counts, least: f64::INFINITY, nearest: None };
        search.visit(0);
        search.nearest.map(|row| (row, search.least))
    }
}

/// One search.
struct Search<'a> {
    tree: &'a RowTree,
    point: &'a [f64],
    order: &'a RowOrder,
    counts: &'a [u32],
    least: f64,
    nearest: Option<ConfigId>,
}

impl Search<'_> {
    fn visit(&mut self, at: usize) {
        let node = self.tree.nodes[at];
        if node.second == 0 {
            self.look_at(node.start as usize, node.end as usize);
            return;
        }
        let children = [at + 1, node.second as usize];
        let bounds = children.map(|child| self.bound(child));
        let nearer = usize::from(bounds[1] < bounds[0]);
        for turn in [nearer, 1 - nearer] {
            // As far as the nearest may still be the first in the order.
            if bounds[turn] <= self.least && self.counts[children[turn]] > 0 {
                self.visit(children[turn]);
            }
        }
    }

    /// The squared distance to a box; infinite where that is farther than the nearest row.
    fn bound(&self, at: usize) -> f64 {
        if self.counts[at] == 0 {
            return f64::INFINITY;
        }
        let width = self.tree.width();
        let corners = &self.tree.corners[2 * width * at..][..2 * width];
        let mut squared = 0.0;
        for axis in 0..width {
            let (u, least, most) = (self.point[axis], corners[axis], corners[width + axis]);
            let beyond = if u < least {
                least - u
            } else if u > most {
                u - most
            } else {
                continue;
            };
            squared += if self.tree.is_choice[axis] { 1.0 } else { beyond * beyond };
            if squared > self.least {
                return f64::INFINITY;
            }
        }
        squared
    }

    /// Looks at the rows of a leaf.
    fn look_at(&mut self, start: usize, end: usize) {
        let (count, width) = (end - start, self.tree.width());
        let columns = &self.tree.coordinates[start * width..end * width];
        for first in (0..count).step_by(ROWS_MAX) {
            let part = first..count.min(first + ROWS_MAX);
            let mut squared = [0.0; ROWS_MAX];
            let squared = &mut squared[..part.len()];
            let (point, is_choice) = (self.point, self.tree.is_choice.as_slice());
            let rows = part.clone();
            let least = self.least;
            Arch::new().dispatch(Distances {
                columns,
                count,
                rows,
                point,
                is_choice,
                least,
                squared,
            });
            for (at, squared) in part.zip(squared) {
                if *squared <= self.least {
                    self.meet(ConfigId(self.tree.rows[start + at]), *squared);
                }
            }
        }
    }

    /// A row that is no farther than the nearest so far.
    fn meet(&mut self, row: ConfigId, squared: f64) {
        if !self.order.is_free(row) {
            return;
        }
        let is_first = |other| self.order.position(row) < self.order.position(other);
        if squared < self.least || self.nearest.is_none_or(is_first) {
            self.least = squared;
            self.nearest = Some(row);
        }
    }
}

/// The squared distances of some rows of a leaf, added up in the same order as for one row after
/// another, and so to the same bits under every instruction set.
struct Distances<'a> {
    /// Axis after axis, of each the `count` rows of the leaf.
    columns: &'a [f64],
    count: usize,
    /// Which of them.
    rows: Range<usize>,
    point: &'a [f64],
    is_choice: &'a [bool],
    /// Where all rows are farther half way, the rest of the axes is left out.
    least: f64,
    /// One a row; zeros.
    squared: &'a mut [f64],
}

impl WithSimd for Distances<'_> {
    type Output = ();

    #[expect(
        clippy::inline_always,
        reason = "what is to be compiled for an instruction set must stand in its function"
    )]
    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { columns, count, rows, point, is_choice, least, squared } = self;
        for (axis, column) in columns.chunks_exact(count).enumerate() {
            if axis == point.len() / 2 && squared.iter().all(|sum| *sum > least) {
                break;
            }
            let (u, column) = (point[axis], &column[rows.clone()]);
            if is_choice[axis] {
                for (sum, a) in squared.iter_mut().zip(column) {
                    *sum += f64::from(u8::from(*a != u));
                }
            } else {
                for (sum, a) in squared.iter_mut().zip(column) {
                    *sum += (a - u) * (a - u);
                }
            }
        }
    }
}
