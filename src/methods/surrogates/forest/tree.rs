//! One tree: grown from nothing, or mended where its sample has changed.

use rand::Rng;

use super::bootstrap::Sample;
use super::grow::mark_sides;
use super::moments::Moments;
use super::partition::{divide_entries, keep_entries};
use super::shift::ShiftWork;
use super::split::{
    Decision, Entry, Lists, Mass, Rule, Split, code_of, decide, entry, observation_of,
};
use crate::kit::encoding::Ranks;

/// Feature of a node without children.
pub(super) const LEAF: u32 = u32::MAX;

/// A threshold that moves across more than one observation and this share of a node's has its
/// subtrees regrown: mending them along so many paths is not cheaper.
const CROSSING_SHARE: usize = 8;

/// What all trees share.
#[derive(Debug, Clone)]
pub(super) struct Data<'a> {
    pub(super) columns: &'a Ranks,
    /// The row of each observation.
    pub(super) rows: &'a [u32],
    /// The target of each observation, on the grid.
    pub(super) targets: &'a [i64],
    pub(super) rule: Rule,
}

/// A node. Its candidates, the rows that end below it, are contiguous in [`Tree::rows`].
#[derive(Debug, Clone, Copy)]
pub(super) struct Node {
    pub(super) feature: u32,
    /// The last code that goes left, and the codes of observations on both sides of it.
    pub(super) cut: u32,
    pub(super) low: u32,
    pub(super) high: u32,
    /// The left child; the right one follows it.
    pub(super) children: u32,
    pub(super) begin: u32,
    pub(super) end: u32,
    /// What a leaf predicts.
    pub(super) value: i64,
}

impl Node {
    pub(super) fn leaf(begin: u32, end: u32, value: i64) -> Self {
        Self { feature: LEAF, cut: 0, low: 0, high: 0, children: 0, begin, end, value }
    }

    pub(super) fn range(&self) -> std::ops::Range<usize> {
        self.begin as usize..self.end as usize
    }
}

/// A node to decide anew, its observations' range in the lists, and its changed observations'.
#[derive(Debug, Clone, Copy)]
struct Visit {
    node: u32,
    first: usize,
    last: usize,
    changed_first: usize,
    changed_last: usize,
}

/// Memory that the trees use in turn.
#[derive(Debug, Clone, Default)]
pub(super) struct Work {
    /// The tree's lists, a feature's `stride` after another's.
    pub(super) entries: Vec<Entry>,
    pub(super) stride: usize,
    pub(super) spare: Vec<Entry>,
    /// By observation: its side of the split at hand.
    pub(super) goes_left: Vec<bool>,
    pub(super) spare_rows: Vec<u32>,
    /// What the tree predicted for a row before its subtree was regrown.
    pub(super) old: Vec<i64>,
    /// Nodes to grow, with their ranges in the lists.
    pub(super) growing: Vec<(u32, usize, usize)>,
    visits: Vec<Visit>,
    /// A range for each visit.
    changed: Vec<u32>,
    /// Observations on the other side of a threshold that moves.
    crossing: Vec<u32>,
    pub(super) doomed: Vec<u32>,
    pub(super) shift: ShiftWork,
}

impl Work {
    /// Makes room for these many rows of a table.
    pub(super) fn for_rows(rows: usize) -> Self {
        Self { spare_rows: vec![0; rows], old: vec![0; rows], ..Self::default() }
    }
}

/// A target as the sums take it.
fn grid(target: i64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "at most 2^44")]
    let target = target as f64;
    target
}

/// A regression tree with its sample and the rows of the table sorted into its leaves.
#[derive(Debug, Clone)]
pub(super) struct Tree {
    pub(super) tie_key: u64,
    pub(super) sample: Sample,
    /// What the sample has gained and lost since the tree was grown or mended.
    changes: Vec<(u32, i32)>,
    masses: Vec<Mass>,
    /// Observations in the sample, a sorted list a feature.
    lists: Vec<Vec<Entry>>,
    pub(super) nodes: Vec<Node>,
    /// Pairs of nodes that may be used again.
    pub(super) free: Vec<u32>,
    pub(super) rows: Vec<u32>,
}

impl Tree {
    /// A leaf that predicts 0 for all rows.
    pub(super) fn new(columns: &Ranks) -> Self {
        let rows = u32::try_from(columns.rows()).expect("checked by Ranks");
        Self {
            tie_key: 0,
            sample: Sample::default(),
            changes: Vec::new(),
            masses: Vec::new(),
            lists: vec![Vec::new(); columns.count()],
            nodes: vec![Node::leaf(0, rows, 0)],
            free: Vec::new(),
            rows: (0..rows).collect(),
        }
    }

    /// Grows the tree from nothing but its sample.
    pub(super) fn fit(&mut self, data: &Data<'_>, work: &mut Work, moments: &mut [Moments]) {
        self.changes.clear();
        self.masses.clear();
        self.masses.resize(data.rows.len(), Mass::default());
        for &slot in self.sample.slots() {
            let mass = &mut self.masses[slot as usize];
            mass.weight += 1.0;
        }
        for (mass, target) in self.masses.iter_mut().zip(data.targets) {
            mass.weighted = mass.weight * grid(*target);
        }
        for (feature, list) in self.lists.iter_mut().enumerate() {
            let codes = data.columns.codes(feature);
            list.clear();
            let drawn = (0..).zip(data.rows).zip(&self.masses).filter(|(_, m)| m.weight > 0.0);
            list.extend(drawn.map(|((id, row), _)| entry(codes.of(*row), id)));
            list.sort_unstable();
        }
        let count = self.load(data, work);
        self.regrow(0, 0, count, data, work, moments);
    }

    /// Lets the sample grow by an observation; [`Self::mend`] or [`Self::fit`] has yet to follow.
    pub(super) fn draw_changes(&mut self, rng: &mut impl Rng) {
        let Self { sample, changes, .. } = self;
        sample.grow(rng, |observation, by| changes.push((observation, by)));
    }

    /// Changes the weight of an observation.
    fn weigh(&mut self, observation: u32, by: f64, data: &Data<'_>, work: &mut Work) {
        if self.masses.len() < data.rows.len() {
            self.masses.resize(data.rows.len(), Mass::default());
        }
        let mass = &mut self.masses[observation as usize];
        let was_drawn = mass.weight > 0.0;
        mass.weight += by;
        mass.weighted = mass.weight * grid(data.targets[observation as usize]);
        let is_drawn = mass.weight > 0.0;
        if !work.changed.contains(&observation) {
            work.changed.push(observation);
        }
        if was_drawn == is_drawn {
            return;
        }
        let row = data.rows[observation as usize];
        for (feature, list) in self.lists.iter_mut().enumerate() {
            let entry = entry(data.columns.codes(feature).of(row), observation);
            match list.binary_search(&entry) {
                Ok(at) => drop(list.remove(at)),
                Err(at) => list.insert(at, entry),
            }
        }
    }

    /// Decides anew along the paths of all observations that the sample has gained or lost, and
    /// regrows the subtrees whose split is another now. The tree is then what [`Self::fit`] would
    /// grow from the same sample.
    pub(super) fn mend(&mut self, data: &Data<'_>, work: &mut Work, moments: &mut [Moments]) {
        let mut changes = std::mem::take(&mut self.changes);
        for (observation, by) in changes.drain(..) {
            self.weigh(observation, f64::from(by), data, work);
        }
        self.changes = changes;
        let count = self.load(data, work);
        let changed_last = work.changed.len();
        work.visits.push(Visit { node: 0, first: 0, last: count, changed_first: 0, changed_last });
        while let Some(visit) = work.visits.pop() {
            let decision = self.decide(visit.first, visit.last, data, work);
            let node = &mut self.nodes[visit.node as usize];
            match decision {
                Decision::Leaf(value) if node.feature == LEAF => {
                    if value != node.value {
                        for &row in &self.rows[node.range()] {
                            moments[row as usize].replace(node.value, value);
                        }
                        node.value = value;
                    }
                }
                Decision::Split(split) if node.feature as usize == split.feature => {
                    let old_cut = node.cut;
                    if self.hold(visit, &split, data, work, moments) {
                        self.descend(visit, &split, old_cut, data, work);
                    } else {
                        self.regrow(visit.node, visit.first, visit.last, data, work, moments);
                    }
                }
                _ => self.regrow(visit.node, visit.first, visit.last, data, work, moments),
            }
        }
        work.changed.clear();
    }

    /// Whether a node may keep its children although its threshold may have moved within its
    /// feature. If so, the threshold is moved, and observations that change sides with it are
    /// noted as changed on both.
    fn hold(
        &mut self,
        visit: Visit,
        split: &Split,
        data: &Data<'_>,
        work: &mut Work,
        moments: &mut [Moments],
    ) -> bool {
        let Split { feature, low, high, left_count } = *split;
        let node = &mut self.nodes[visit.node as usize];
        if (low, high) == (node.low, node.high) {
            return true;
        }
        let (cut, old_cut) = (data.columns.cut(feature, low, high), node.cut);
        let list = &work.entries[feature * work.stride..][visit.first..visit.last];
        let crossing = if cut < old_cut {
            let right = &list[left_count..];
            &right[..right.partition_point(|e| code_of(*e) <= old_cut)]
        } else {
            let left = &list[..left_count];
            &left[left.partition_point(|e| code_of(*e) <= old_cut)..]
        };
        if crossing.len() > 1 + list.len() / CROSSING_SHARE {
            return false;
        }
        work.crossing.clear();
        work.crossing.extend(crossing.iter().map(|entry| observation_of(*entry)));
        (node.low, node.high) = (low, high);
        if cut != old_cut {
            self.shift(visit.node, cut, data.columns, work, moments);
        }
        true
    }

    /// Copies the root's lists to where they are taken apart; returns their length.
    fn load(&self, data: &Data<'_>, work: &mut Work) -> usize {
        let count = self.lists[0].len();
        work.stride = count;
        work.entries.clear();
        self.lists.iter().for_each(|list| work.entries.extend_from_slice(list));
        if work.spare.len() < data.rows.len() {
            // Twice what is needed, so that not every observation asks for memory.
            work.spare.resize(2 * data.rows.len(), 0);
            work.goes_left.resize(2 * data.rows.len(), false);
        }
        count
    }

    pub(super) fn decide(
        &self,
        first: usize,
        last: usize,
        data: &Data<'_>,
        work: &Work,
    ) -> Decision {
        let lists = Lists { entries: &work.entries, stride: work.stride, first, last };
        let features = data.columns.count();
        decide(lists, features, &self.masses, data.targets, &data.rule, self.tie_key)
    }

    /// Goes on in the children of a node that has kept them, where they have changed.
    fn descend(&self, visit: Visit, split: &Split, old_cut: u32, data: &Data<'_>, work: &mut Work) {
        let node = self.nodes[visit.node as usize];
        let codes = data.columns.codes(split.feature);
        let Work { changed, crossing, .. } = work;
        // Those between the old and the new threshold are changed on both sides.
        let mut select = |is_left: bool| {
            let from = changed.len();
            for at in visit.changed_first..visit.changed_last {
                let id = changed[at];
                let code = codes.of(data.rows[id as usize]);
                let (least, most) = (node.cut.min(old_cut), node.cut.max(old_cut));
                if if is_left { code <= most } else { code > least } {
                    changed.push(id);
                }
            }
            let known = visit.changed_first..visit.changed_last;
            for id in crossing.iter() {
                if !changed[known.clone()].contains(id) {
                    changed.push(*id);
                }
            }
            from
        };
        let (left_from, right_from) = (select(true), select(false));
        crossing.clear();
        let right_to = changed.len();
        let (is_left, is_right) = (right_from > left_from, right_to > right_from);
        let Visit { first, last, .. } = visit;
        mark_sides(split, first, last, work);
        for feature in 0..data.columns.count() {
            let list = &mut work.entries[feature * work.stride..][first..last];
            if is_left && is_right {
                divide_entries(list, &work.goes_left, &mut work.spare);
            } else {
                keep_entries(list, &work.goes_left, is_left);
            }
        }
        let border = first + split.left_count;
        if is_left {
            let (changed_first, changed_last) = (left_from, right_from);
            let node = node.children;
            work.visits.push(Visit { node, first, last: border, changed_first, changed_last });
        }
        if is_right {
            let (changed_first, changed_last) = (right_from, right_to);
            let node = node.children + 1;
            let (first, last) =
                if is_left { (border, last) } else { (first, first + (last - border)) };
            work.visits.push(Visit { node, first, last, changed_first, changed_last });
        }
    }

    /// What the tree predicts for a row, by walking it.
    #[cfg(test)]
    pub(super) fn walk(&self, columns: &Ranks, row: u32) -> i64 {
        let mut node = &self.nodes[0];
        while node.feature != LEAF {
            let is_right = columns.codes(node.feature as usize).of(row) > node.cut;
            node = &self.nodes[node.children as usize + usize::from(is_right)];
        }
        node.value
    }

    /// The tree written out, for comparison: splits, values, and the candidates of each leaf.
    #[cfg(test)]
    pub(super) fn written(&self) -> Vec<(u32, u32, i64, Vec<u32>)> {
        let (mut stack, mut lines) = (vec![0], Vec::new());
        while let Some(at) = stack.pop() {
            let node = &self.nodes[at];
            let mut rows = Vec::new();
            if node.feature == LEAF {
                rows.extend_from_slice(&self.rows[node.range()]);
                rows.sort_unstable();
            } else {
                stack.extend([node.children as usize + 1, node.children as usize]);
            }
            lines.push((node.feature, node.cut, node.value, rows));
        }
        lines
    }
}
