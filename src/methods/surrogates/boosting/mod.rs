//! Gradient boosting of a conditional quantile (Friedman, "Greedy function approximation: a
//! gradient boosting machine", 2001, section 4.3): scikit-learn's `GradientBoostingRegressor` with
//! the loss "quantile", trees of depth 3 and a learning rate of 0.1.
//!
//! The model begins at the `alpha`-quantile of the targets. Each stage grows a regression tree by
//! squared error on the negative gradients of the pinball loss, `alpha` where a target is not below
//! its prediction and `alpha - 1` where it is; a leaf's value is the least residual in it that at
//! least a share of `alpha` of them do not exceed, a tenth of which is added.
//!
//! A gradient has two values, so that the best division of a node is the one with the largest
//! `a^2 / b + (A - a)^2 / (n - b)`, where `A` of its `n` targets and `a` of the `b` on the left are
//! not below: whole numbers, and no `alpha`. Divisions that gain the same are common. Of those of
//! several features one feature is drawn, of those of one the lowest threshold is taken.
//! Scikit-learn draws the order in which it looks at features and takes the first, which is the
//! same; but it sums `alpha` and `alpha - 1`, and how that rounds often decides instead. A node of
//! equal gradients, which is a leaf here, is now and then divided there for the same reason.
//!
//! Inputs are 32-bit numbers and thresholds the middles between them, as there. Values within 1e-7
//! of the one below them are one value.
//!
//! # Cost
//!
//! A stage reads every feature of every observation three times in its order and twice to pass it
//! on.

mod tree;

use base::rng::Stream;
use base::stats::quantile::quantile;

use self::tree::{Grower, Tree};

/// Share of each tree's values that is added.
const LEARNING_RATE: f64 = 0.1;

/// Values of a feature no farther apart than this are one value.
const SAME_WITHIN: f32 = 1e-7;

/// The inputs of some observations, and their order by each feature.
#[derive(Debug, Clone)]
pub struct Inputs {
    /// Feature by feature, one number an observation.
    values: Vec<Vec<f32>>,
    /// Of each feature the observations, by value and then by number.
    orders: Vec<Vec<u32>>,
    /// Of each feature and observation which distinct value it is, ascending.
    codes: Vec<Vec<u32>>,
}

impl Inputs {
    /// Takes one list of finite numbers a feature, all equally long and not empty.
    pub fn new(values: Vec<Vec<f32>>) -> Self {
        let mut orders = Vec::with_capacity(values.len());
        let mut codes = Vec::with_capacity(values.len());
        for feature in &values {
            assert!(feature.iter().all(|x| x.is_finite()), "inputs are finite");
            let count = u32::try_from(feature.len()).expect("observations are 32 bits");
            let mut order: Vec<u32> = (0..count).collect();
            order.sort_by(|a, b| feature[*a as usize].total_cmp(&feature[*b as usize]));
            let (mut code, mut of) = (0, vec![0; feature.len()]);
            for pair in order.windows(2) {
                let [low, high] = [pair[0] as usize, pair[1] as usize];
                code += u32::from(feature[high] > feature[low] + SAME_WITHIN);
                of[high] = code;
            }
            orders.push(order);
            codes.push(of);
        }
        Self { values, orders, codes }
    }

    /// Observations.
    pub fn count(&self) -> usize {
        self.values.first().map_or(0, Vec::len)
    }

    /// The numbers of one observation.
    pub fn observation(&self, at: usize) -> Vec<f32> {
        self.values.iter().map(|feature| feature[at]).collect()
    }

    /// Some of the observations, by ascending numbers.
    #[must_use]
    pub fn subset(&self, kept: &[usize]) -> Self {
        let pick = |feature: &Vec<f32>| kept.iter().map(|at| feature[*at]).collect();
        Self::new(self.values.iter().map(pick).collect())
    }
}

/// A model of one quantile.
#[derive(Debug, Clone, PartialEq)]
pub struct Boosted {
    initial: f64,
    trees: Vec<Tree>,
}

impl Boosted {
    /// Fits `stages` trees to finite targets, one an observation, of which there is at least one.
    /// `rng` draws between features that divide a node equally well.
    ///
    /// # Panics
    /// Where `alpha` is not between 0 and 1, or the targets are not as many as the observations.
    pub fn fit(
        inputs: &Inputs,
        targets: &[f64],
        alpha: f64,
        stages: usize,
        rng: &mut Stream,
    ) -> Self {
        assert!(alpha > 0.0 && alpha < 1.0, "a quantile, not {alpha}");
        assert_eq!(inputs.count(), targets.len(), "one target an observation");
        let initial = quantile(targets, alpha);
        let mut predicted = vec![initial; targets.len()];
        let mut grower = Grower::new(inputs);
        let grow = |_| {
            let is_above = |(y, p): (&f64, &f64)| u8::from(y >= p);
            let above: Vec<u8> = targets.iter().zip(&predicted).map(is_above).collect();
            let residual = |(y, p): (&f64, &f64)| y - p;
            let residuals: Vec<f64> = targets.iter().zip(&predicted).map(residual).collect();
            grower.grow(&above, &residuals, alpha, rng, |at, value| {
                predicted[at] += LEARNING_RATE * value;
            })
        };
        Self { initial, trees: (0..stages).map(grow).collect() }
    }

    /// The quantile at some inputs, one number a feature.
    pub fn predict(&self, inputs: &[f32]) -> f64 {
        let add = |sum, tree: &Tree| sum + LEARNING_RATE * tree.value(inputs);
        self.trees.iter().fold(self.initial, add)
    }
}

#[cfg(test)]
mod tests;
