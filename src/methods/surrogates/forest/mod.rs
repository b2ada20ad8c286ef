//! Bagged regression trees (Breiman, "Bagging predictors", 1996): scikit-learn's
//! `RandomForestRegressor` with all features at every split.
//!
//! Each tree draws n of n observations with replacement, divides each node at the midpoint between
//! two adjacent values of one feature where the squared error falls most, and grows until a node's
//! targets are equal or none of its features divides it. A forest holds its prediction for every
//! row of a table at all times: each tree keeps the rows sorted into its leaves, and for each row
//! the sum and the sum of squares of the trees' predictions are kept as exact integers.
//!
//! [`Forest::extend`] changes each bootstrap in two slots on average, decides anew along the paths
//! of the observations in them, moves thresholds that shift within their feature (`shift.rs`), and
//! regrows what lies below a node that now divides another way (`grow.rs`). A tree is a pure
//! function of its sample, its ties included, so the result is the one that growing everything
//! anew has, and `tests` asserts it bit by bit.
//!
//! # Cost
//!
//! Expected with 50 trees, 200 observations (126 of them in a sample) and 9 features: 1.4 paths a
//! tree of some 400 entries a feature, 1.8 x 10^5 entries in all at about 2 ns, read once to find
//! the split and once to pass them on; and, as a node of m observations changes its split with
//! a probability of about 2 / m, some 10^6 steps of a row down a level at 20,000 rows.
//! Measured: 8.3 nodes and 600 entries a feature on a tree's paths; 0.6 subtrees of 39 observations
//! regrown for another feature and 0.4 of 59 for another threshold of the same (most are shifted
//! now) a tree and observation; 5 x 10^5 to 10^6 steps of rows. The time is half the scan of
//! entries at 2,000 rows and half the sorting of rows at 20,000; `benches/rf_ei.rs` prints it.

mod bootstrap;
mod grow;
mod moments;
mod partition;
pub mod plain;
mod shift;
mod split;
mod tree;

use std::sync::Arc;

use rand::{Rng, RngExt};
use rayon::prelude::*;

use self::moments::Moments;
use self::plain::PlainTree;
use self::split::Rule;
use self::tree::{Data, Tree, Work};
use crate::kit::encoding::Ranks;

/// Bits of the grid that targets are rounded to: one part in 10^13 of the largest of them.
const TARGET_BITS: i32 = 44;

/// A row of the table and the loss observed there.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Observation {
    /// Index of the row.
    pub row: u32,
    /// The loss, finite.
    pub target: f64,
}

/// What a leaf predicts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leaf {
    /// The mean of its targets.
    Mean,
    /// The logarithm of the mean of `exp(target)`, for targets that are logarithms (SMAC3).
    LogMean,
}

/// How trees grow.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Growth {
    /// A node of fewer distinct observations is a leaf; 2 grows to purity.
    pub split_min: usize,
    /// A node is a leaf whose division would lower the mean squared error of all observations by
    /// less than this (scikit-learn's `min_impurity_decrease`). Not negative.
    pub decrease_min: f64,
    pub leaf: Leaf,
}

impl Growth {
    /// To purity, or to nodes of fewer distinct observations than `split_min`, with mean values.
    pub const fn pure(split_min: usize) -> Self {
        Self { split_min, decrease_min: 0.0, leaf: Leaf::Mean }
    }
}

/// What the trees say of a row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Prediction {
    /// Mean over the trees.
    pub mean: f64,
    /// Standard deviation between the trees' predictions, ddof = 1.
    pub deviation: f64,
}

/// What a run of neighbouring trees shares.
#[derive(Debug, Clone)]
struct Part {
    /// One a row: the sums over the part's trees.
    moments: Vec<Moments>,
    work: Work,
}

/// A forest over the rows of a table.
#[derive(Debug, Clone)]
pub struct Forest {
    columns: Arc<Ranks>,
    trees: Vec<Tree>,
    growth: Growth,
    /// Of each observation.
    rows: Vec<u32>,
    losses: Vec<f64>,
    /// Losses as multiples of `2^-scale_bits`.
    targets: Vec<i64>,
    scale_bits: i32,
    /// Each has as many trees as the others, the last perhaps fewer.
    parts: Vec<Part>,
}

impl Forest {
    /// A forest of `trees` trees, at least 2, that has seen nothing yet. A node of fewer than
    /// `split_min` distinct observations is a leaf; 2 grows to purity.
    pub fn new(columns: Arc<Ranks>, trees: usize, split_min: usize) -> Self {
        Self::shared(columns, trees, split_min, 1)
    }

    /// A forest whose trees are shared among up to `threads` threads, at least 1. It predicts the
    /// same to the bit, for the sums over the trees are exact.
    pub fn shared(columns: Arc<Ranks>, trees: usize, split_min: usize, threads: usize) -> Self {
        Self::grown(columns, trees, Growth::pure(split_min), threads)
    }

    /// As [`Self::shared`], with trees that grow in another way. Where they stop by how little a
    /// division gains, every tree is grown anew with every observation, for that gain is relative
    /// to all of them.
    pub fn grown(columns: Arc<Ranks>, trees: usize, growth: Growth, threads: usize) -> Self {
        assert!(trees >= 2, "a variance between trees needs two of them");
        let length = trees.div_ceil(threads.clamp(1, trees));
        let part = Part {
            moments: vec![Moments::default(); columns.rows()],
            work: Work::for_rows(columns.rows()),
        };
        Self {
            trees: vec![Tree::new(&columns); trees],
            growth,
            rows: Vec::new(),
            losses: Vec::new(),
            targets: Vec::new(),
            scale_bits: 0,
            parts: vec![part; trees.div_ceil(length)],
            columns,
        }
    }

    /// Rows of the table.
    pub fn rows(&self) -> usize {
        self.columns.rows()
    }

    /// How many observations the forest knows.
    pub fn observations(&self) -> usize {
        self.rows.len()
    }

    /// Forgets everything and fits fresh bootstraps of these observations, at least one.
    pub fn fit(&mut self, observations: &[Observation], rng: &mut impl Rng) {
        self.forget();
        for observation in observations {
            self.note(*observation);
        }
        self.rescale();
        let count = u32::try_from(self.rows.len()).expect("rows are 32 bits");
        for tree in &mut self.trees {
            tree.tie_key = rng.random();
            tree.sample.draw(count, rng);
        }
        self.refit();
    }

    /// Takes one observation more: each tree's bootstrap of n becomes one of n + 1 with as few
    /// changes as possible, and the tree is mended where they show. Every sample is at all times an
    /// exact bootstrap, and every tree exactly what [`Self::fit`] would grow from that sample; but
    /// forests that follow each other are correlated, where fresh ones are independent given the
    /// observations.
    pub fn extend(&mut self, observation: Observation, rng: &mut impl Rng) {
        assert!(!self.rows.is_empty(), "the first observations are for `fit`");
        self.note(observation);
        let is_rescaled = self.rescale();
        // One stream is drawn from, so this is not for the threads.
        for tree in &mut self.trees {
            tree.draw_changes(rng);
        }
        if is_rescaled || self.growth.decrease_min > 0.0 {
            self.refit();
        } else {
            self.each_tree(Tree::mend);
        }
    }

    /// Takes more observations, whose samples grow as [`Self::extend`] grows them, and gives all
    /// observations, in their order, other losses. Every tree is then grown from its sample.
    pub fn extend_and_revise(&mut self, rows: &[u32], losses: &[f64], rng: &mut impl Rng) {
        assert!(!self.rows.is_empty(), "the first observations are for `fit`");
        assert_eq!(losses.len(), self.rows.len() + rows.len(), "one loss an observation");
        for (row, target) in rows.iter().zip(&losses[self.rows.len()..]) {
            self.note(Observation { row: *row, target: *target });
            for tree in &mut self.trees {
                tree.draw_changes(rng);
            }
        }
        self.revise(losses);
    }

    /// Gives the observations, in their order, other losses and grows all trees from the samples
    /// that they have.
    pub fn revise(&mut self, losses: &[f64]) {
        assert_eq!(losses.len(), self.losses.len(), "one loss an observation");
        self.losses.copy_from_slice(losses);
        self.scale_bits = i32::MIN;
        self.rescale();
        self.refit();
    }

    /// The lowest loss observed, on the grid that predictions are on.
    pub fn lowest(&self) -> f64 {
        let lowest = self.targets.iter().min().expect("something has been observed");
        #[expect(clippy::cast_precision_loss, reason = "at most 2^44")]
        let lowest = *lowest as f64;
        lowest * libm::ldexp(1.0, -self.scale_bits)
    }

    /// What the trees say of a row. Before any observation: 0 and 0.
    #[inline]
    pub fn predict(&self, row: usize) -> Prediction {
        let trees = i64::try_from(self.trees.len()).expect("few trees");
        let unit = libm::ldexp(1.0, -self.scale_bits);
        let moments = self.moments(row);
        Prediction { mean: moments.mean(trees) * unit, deviation: moments.deviation(trees) * unit }
    }

    /// The trees as plain nodes, in the forest's features; thresholds and values are numbers. None
    /// of them depends on the others, nor on what they are used for.
    pub fn plain_trees(&self) -> Vec<PlainTree> {
        let unit = libm::ldexp(1.0, -self.scale_bits);
        self.trees.iter().map(|tree| PlainTree::of(tree, &self.columns, unit)).collect()
    }

    /// Sums over all trees.
    #[inline]
    fn moments(&self, row: usize) -> Moments {
        let mut parts = self.parts.iter();
        let first = parts.next().expect("a forest has a part").moments[row];
        parts.fold(first, |sum, part| sum.plus(part.moments[row]))
    }

    fn forget(&mut self) {
        self.rows.clear();
        self.losses.clear();
        self.targets.clear();
        self.scale_bits = i32::MIN;
    }

    fn note(&mut self, observation: Observation) {
        assert!(observation.target.is_finite(), "NaN is not an observation");
        self.rows.push(observation.row);
        self.losses.push(observation.target);
    }

    /// Brings the targets up to date; whether those known before have changed. The grid is a
    /// function of the largest loss alone: a power of two, so that losses that are multiples of
    /// one stay exact.
    fn rescale(&mut self) -> bool {
        let largest = self.losses.iter().fold(0.0, |most: f64, loss| most.max(loss.abs()));
        // largest < 2^exponent; the clamp keeps 2^scale_bits a normal number.
        let exponent = libm::frexp(largest).1.clamp(-900, 1024);
        let bits = TARGET_BITS - exponent;
        let is_changed = bits != self.scale_bits;
        if is_changed {
            self.scale_bits = bits;
            self.targets.clear();
        }
        let known = self.targets.len();
        let scale = libm::ldexp(1.0, bits);
        #[expect(clippy::cast_possible_truncation, reason = "at most 2^44")]
        let on_grid = |loss: &f64| libm::rint(loss * scale) as i64;
        self.targets.extend(self.losses[known..].iter().map(on_grid));
        is_changed
    }

    /// Grows every tree from nothing but its sample.
    fn refit(&mut self) {
        self.each_tree(Tree::fit);
    }

    /// The growth on the grid of the targets.
    fn rule(&self) -> Rule {
        let Growth { split_min, decrease_min, leaf } = self.growth;
        let unit = libm::ldexp(1.0, -self.scale_bits);
        let observations = f64::from(u32::try_from(self.rows.len()).expect("rows are 32 bits"));
        // scikit-learn forgives the smallest step of a number.
        let decrease = (decrease_min - f64::EPSILON).max(0.0);
        Rule { split_min, fall_min: decrease * observations / (unit * unit), leaf, unit }
    }

    /// Does something to every tree, each part on a thread of its own where there are several.
    fn each_tree(
        &mut self,
        change: impl Fn(&mut Tree, &Data<'_>, &mut Work, &mut [Moments]) + Sync,
    ) {
        let rule = self.rule();
        let Self { columns, trees, rows, targets, parts, .. } = self;
        let data = Data { columns, rows, targets, rule };
        let change_all = |(trees, part): (&mut [Tree], &mut Part)| {
            for tree in trees {
                change(tree, &data, &mut part.work, &mut part.moments);
            }
        };
        let length = trees.len().div_ceil(parts.len());
        if parts.len() == 1 {
            change_all((trees, &mut parts[0]));
        } else {
            trees.par_chunks_mut(length).zip(parts).for_each(change_all);
        }
    }
}

#[cfg(test)]
mod tests;
