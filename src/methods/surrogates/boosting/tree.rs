//! One tree of a boosted model.

use base::rng::Stream;

use super::Inputs;
use crate::kit::draws::index;

/// Levels of divisions.
const DEPTH: usize = 3;
/// Divisions of a whole tree.
const DIVISIONS: usize = (1 << DEPTH) - 1;
const LEAVES: usize = 1 << DEPTH;

/// A tree of [`DEPTH`] levels: the children of the division `d` are `2 d + 1` and `2 d + 2`. Where
/// a branch ends early its last division lets everything to the left.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Tree {
    features: [u32; DIVISIONS],
    /// The greatest number that goes left.
    thresholds: [f32; DIVISIONS],
    values: [f64; LEAVES],
}

impl Tree {
    /// The value of the leaf in which some inputs are.
    #[inline]
    pub(super) fn value(&self, inputs: &[f32]) -> f64 {
        let mut at = 0;
        for _ in 0..DEPTH {
            let goes_right = inputs[self.features[at] as usize] > self.thresholds[at];
            at = 2 * at + 1 + usize::from(goes_right);
        }
        self.values[at - DIVISIONS]
    }
}

/// The best division of a node: so many go left in the order of the feature.
#[derive(Debug, Clone, Copy)]
struct Division {
    feature: usize,
    left: usize,
}

/// Grows tree after tree on the same inputs, with its memory kept.
pub(super) struct Grower<'a> {
    inputs: &'a Inputs,
    /// Of each feature the observations, those of a node side by side and in the feature's order.
    lists: Vec<Vec<u32>>,
    spare: Vec<u32>,
    goes_left: Vec<bool>,
}

impl<'a> Grower<'a> {
    pub(super) fn new(inputs: &'a Inputs) -> Self {
        let count = inputs.count();
        Self {
            inputs,
            lists: inputs.orders.clone(),
            spare: vec![0; count],
            goes_left: vec![false; count],
        }
    }

    /// Grows a tree on gradients (1 where a target is not below its prediction, else 0), with the
    /// `alpha`-quantiles of residuals in its leaves, and reports the value of each observation.
    pub(super) fn grow(
        &mut self,
        above: &[u8],
        residuals: &[f64],
        alpha: f64,
        rng: &mut Stream,
        mut report: impl FnMut(usize, f64),
    ) -> Tree {
        let mut tree = Tree {
            features: [0; DIVISIONS],
            thresholds: [f32::INFINITY; DIVISIONS],
            values: [0.0; LEAVES],
        };
        for (list, order) in self.lists.iter_mut().zip(&self.inputs.orders) {
            list.copy_from_slice(order);
        }
        // Where each node of a level begins and ends in the lists.
        let mut spans = [(0, 0); LEAVES];
        spans[0] = (0, above.len());
        for level in 0..DEPTH {
            let nodes = 1 << level;
            // From the right, since two children come to stand in the place of one.
            for node in (0..nodes).rev() {
                let (first, last) = spans[node];
                let found = self.best(first, last, above, rng);
                let middle = found.map_or(last, |division| {
                    let at = nodes - 1 + node;
                    tree.features[at] =
                        u32::try_from(division.feature).expect("features are 32 bits");
                    tree.thresholds[at] = self.threshold(&division, first);
                    let needs_all = level + 1 < DEPTH;
                    self.divide(&division, first, last, needs_all);
                    first + division.left
                });
                (spans[2 * node], spans[2 * node + 1]) = ((first, middle), (middle, last));
            }
        }
        for (value, (first, last)) in tree.values.iter_mut().zip(spans) {
            let leaf = &self.lists[0][first..last];
            if leaf.is_empty() {
                continue;
            }
            *value = lowest_covering(leaf.iter().map(|at| residuals[*at as usize]), alpha);
            for at in leaf {
                report(*at as usize, *value);
            }
        }
        tree
    }

    /// The division that gains most; `None` where all gradients are equal, or all inputs.
    fn best(&self, first: usize, last: usize, above: &[u8], rng: &mut Stream) -> Option<Division> {
        if last - first < 2 {
            return None;
        }
        let node = &self.lists[0][first..last];
        let ones: u32 = node.iter().map(|at| u32::from(above[*at as usize])).sum();
        if ones == 0 || ones as usize == node.len() {
            return None;
        }
        let (mut most, mut best, mut equals) = (-1.0, None, 1);
        for (feature, list) in self.lists.iter().enumerate() {
            let codes = &self.inputs.codes[feature];
            let Some((gain, left)) = best_of(&list[first..last], codes, above, ones) else {
                continue;
            };
            if gain > most {
                (most, best, equals) = (gain, Some(Division { feature, left }), 1);
            } else if gain == most {
                equals += 1;
                if index(rng, equals) == 0 {
                    best = Some(Division { feature, left });
                }
            }
        }
        best
    }

    /// The greatest 32-bit number at or below the middle of the neighbours of a division.
    fn threshold(&self, division: &Division, first: usize) -> f32 {
        let list = &self.lists[division.feature];
        let at = first + division.left;
        let values = &self.inputs.values[division.feature];
        let [low, high] = [list[at - 1], list[at]].map(|at| f64::from(values[at as usize]));
        let middle = low / 2.0 + high / 2.0;
        #[expect(clippy::cast_possible_truncation, reason = "rounded down below")]
        let nearest = middle as f32;
        if f64::from(nearest) > middle { nearest.next_down() } else { nearest }
    }

    /// Gives a node's observations to its children, each list in its order; the first list alone
    /// where nothing will be divided again.
    fn divide(&mut self, division: &Division, first: usize, last: usize, needs_all: bool) {
        for (at, of) in self.lists[division.feature][first..last].iter().enumerate() {
            self.goes_left[*of as usize] = at < division.left;
        }
        let lists = if needs_all { self.lists.len() } else { 1 };
        for list in &mut self.lists[..lists] {
            let list = &mut list[first..last];
            let (mut left, mut right) = (0, 0);
            for at in 0..list.len() {
                let of = list[at];
                let goes_left = self.goes_left[of as usize];
                // Both are written, and one of them is kept.
                list[left] = of;
                self.spare[right] = of;
                left += usize::from(goes_left);
                right += usize::from(!goes_left);
            }
            list[left..].copy_from_slice(&self.spare[..right]);
        }
    }
}

/// The largest gain of dividing a node's list by one feature, and how many then go left; `None`
/// where the feature has one value there.
fn best_of(list: &[u32], codes: &[u32], above: &[u8], ones: u32) -> Option<(f64, usize)> {
    let count = u32::try_from(list.len()).expect("observations are 32 bits");
    let (mut left_ones, mut most, mut best) = (0_u32, -1.0, 0);
    let mut code = codes[list[0] as usize];
    for (left, pair) in (1_u32..).zip(list.windows(2)) {
        left_ones += u32::from(above[pair[0] as usize]);
        let next = codes[pair[1] as usize];
        // As scikit-learn reckons it, so that gains that are equal are so by the same rounding.
        let [on_left, on_right] = [left_ones, ones - left_ones].map(f64::from);
        let (left_all, right_all) = (f64::from(left), f64::from(count - left));
        let gain = on_left * on_left / left_all + on_right * on_right / right_all;
        if gain > most && next != code {
            (most, best) = (gain, left as usize);
        }
        code = next;
    }
    (best > 0).then_some((most, best))
}

/// The least of some numbers that at least a share of `alpha` of them do not exceed.
fn lowest_covering(numbers: impl Iterator<Item = f64>, alpha: f64) -> f64 {
    let mut numbers: Vec<f64> = numbers.collect();
    // As scikit-learn reckons the share: by percent.
    #[expect(clippy::cast_precision_loss, reason = "observations are few")]
    let share = 100.0 * alpha / 100.0 * numbers.len() as f64;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rank")]
    let rank = (share.ceil() as usize).clamp(1, numbers.len());
    *numbers.select_nth_unstable_by(rank - 1, f64::total_cmp).1
}
