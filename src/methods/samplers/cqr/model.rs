//! The five quantiles of the loss, and their conformal correction.

use base::stats::quantile::quantile;
use rayon::prelude::*;

use crate::kit::draws::permutation;
use crate::kit::streams::Streams;
use crate::surrogates::boosting::{Boosted, Inputs};

/// Syne Tune cuts 0 to 1 into six and rounds to two places. Symmetric about the middle one.
pub(super) const QUANTILES: [f64; 5] = [0.17, 0.33, 0.5, 0.67, 0.83];

/// What the ties of each model are drawn for.
const PURPOSES: [&str; QUANTILES.len()] =
    ["trees-17", "trees-33", "trees-50", "trees-67", "trees-83"];

/// How models are fitted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Rules {
    pub(super) trees: usize,
    /// More observations than these are needed for a correction.
    pub(super) uncorrected_max: usize,
    /// Which share of them is kept for it.
    pub(super) validation: f64,
}

impl Rules {
    pub(super) const SYNE_TUNE: Self = Self { trees: 100, uncorrected_max: 32, validation: 0.1 };
}

/// Losses so large that their differences might be infinite are made smaller, all by the same
/// factor: the least stays the least.
const LOSS_MAX: f64 = 1e150;
const SHRINKING: f64 = 1e-200;

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Model {
    quantiles: Vec<Boosted>,
    /// What is added to each.
    corrections: [f64; QUANTILES.len()],
}

impl Model {
    /// Fits the losses of observations, whose inputs come feature by feature. Up to `threads`
    /// threads grow trees.
    pub(super) fn fit(
        features: Vec<Vec<f32>>,
        losses: &[f64],
        rules: &Rules,
        streams: &Streams,
        decision: u32,
        threads: usize,
    ) -> Self {
        let largest = losses.iter().fold(0.0, |most: f64, loss| most.max(loss.abs()));
        let factor = if largest > LOSS_MAX { SHRINKING } else { 1.0 };
        let losses: Vec<f64> = losses.iter().map(|loss| loss * factor).collect();
        let inputs = Inputs::new(features);
        if losses.len() <= rules.uncorrected_max {
            let quantiles = boosted(&inputs, &losses, rules.trees, streams, decision, threads);
            return Self { quantiles, corrections: [0.0; QUANTILES.len()] };
        }
        let order = permutation(&mut streams.decision("validation", decision), losses.len());
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a share of the observations"
        )]
        let count = (rules.validation * losses.len() as f64).ceil() as usize;
        let (kept, fitted) = order.split_at(count);
        let some: Vec<f64> = fitted.iter().map(|at| losses[*at]).collect();
        let quantiles =
            boosted(&inputs.subset(fitted), &some, rules.trees, streams, decision, threads);
        let kept: Vec<(Vec<f32>, f64)> =
            kept.iter().map(|at| (inputs.observation(*at), losses[*at])).collect();
        let mut corrections = [0.0; QUANTILES.len()];
        for lower in 0..QUANTILES.len() / 2 {
            let upper = QUANTILES.len() - 1 - lower;
            let miss = |(inputs, loss): &(Vec<f32>, f64)| {
                let below = quantiles[lower].predict(inputs) - loss;
                below.max(loss - quantiles[upper].predict(inputs))
            };
            let misses: Vec<f64> = kept.iter().map(miss).collect();
            let correction = correction(&misses, QUANTILES[lower]);
            (corrections[lower], corrections[upper]) = (-correction, correction);
        }
        Self { quantiles, corrections }
    }

    #[cfg(test)]
    pub(super) fn is_corrected(&self) -> bool {
        self.corrections.iter().any(|correction| *correction != 0.0)
    }

    /// One of the quantiles of the loss at some inputs.
    pub(super) fn predict(&self, quantile: usize, inputs: &[f32]) -> f64 {
        self.quantiles[quantile].predict(inputs) + self.corrections[quantile]
    }
}

/// How far a quantile below a half and its counterpart are moved apart, by how far losses that were
/// kept lie outside of the two.
#[expect(clippy::cast_precision_loss, reason = "observations are few")]
fn correction(misses: &[f64], lower: f64) -> f64 {
    quantile(misses, (1.0 - 2.0 * lower) / (1.0 + 1.0 / misses.len() as f64))
}

fn boosted(
    inputs: &Inputs,
    losses: &[f64],
    trees: usize,
    streams: &Streams,
    decision: u32,
    threads: usize,
) -> Vec<Boosted> {
    let fit = |at: usize| {
        let mut rng = streams.decision(PURPOSES[at], decision);
        Boosted::fit(inputs, losses, QUANTILES[at], trees, &mut rng)
    };
    if threads > 1 {
        return (0..QUANTILES.len()).into_par_iter().map(fit).collect();
    }
    (0..QUANTILES.len()).map(fit).collect()
}

#[test]
fn corrections_are_syne_tunes() {
    // numpy 2.4.6: np.quantile(misses, q=(1 - 2 * lower) / (1 + 1 / misses.size)).
    let misses = [0.3, -0.2, 0.05, 0.4, -0.1];
    assert!((correction(&misses, 0.17) - 0.1).abs() < 1e-12);
    assert!((correction(&misses, 0.33) + 0.08).abs() < 1e-12);
    assert!((correction(&misses[..1], 0.33) - 0.3).abs() < 1e-12);
}
