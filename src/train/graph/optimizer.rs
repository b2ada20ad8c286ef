//! The factors of an optimizer's step, worked out once for both backends. What is done with them
//! stands in `optimizer_step`, the kernel.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "factors are worked out in f64, used in f32"
)]

use crate::model::{Recipe, UpdateRule};

/// Gradients of losses, moments and some weights below 2^-100 become 0: denormal numbers would cost
/// a hundred times as much.
pub(crate) const FLUSH: f32 = 1.0 / (1_u128 << 100) as f32;

/// The factors of one step.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OptimizerStep {
    pub(crate) rule: Factors,
    /// Learning rate; under Adam over the first moment's bias correction.
    pub(crate) rate: f32,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Factors {
    Adam {
        blend1: f32,
        beta2: f32,
        blend2: f32,
        epsilon: f32,
        /// Root of the second moment's bias correction.
        root2: f32,
    },
    Sgd,
    Momentum {
        momentum: f32,
        nesterov: bool,
    },
    RmsProp {
        rho: f32,
        blend: f32,
        epsilon: f32,
        momentum: f32,
    },
    AdaGrad {
        epsilon: f32,
    },
}

/// What second moments start from.
pub(crate) fn initial_moment2(recipe: &Recipe) -> f32 {
    match recipe.optimizer {
        UpdateRule::AdaGrad { initial_accumulator, .. } => flushed(initial_accumulator as f32),
        _ => 0.0,
    }
}

#[inline]
pub(crate) fn flushed(x: f32) -> f32 {
    if x.abs() < FLUSH { 0.0 } else { x }
}

impl OptimizerStep {
    /// Factors of step `step` (from 1, over all epochs) in `epoch` (from 1).
    pub(crate) fn new(recipe: &Recipe, epoch: u16, step: u32) -> Self {
        let rate = recipe.rate(epoch);
        let (rule, rate) = match recipe.optimizer {
            UpdateRule::Adam { beta1, beta2, epsilon } => {
                let correction1 = 1.0 - libm::pow(beta1, f64::from(step));
                let correction2 = 1.0 - libm::pow(beta2, f64::from(step));
                let rule = Factors::Adam {
                    blend1: (1.0 - beta1) as f32,
                    beta2: beta2 as f32,
                    blend2: (1.0 - beta2) as f32,
                    epsilon: epsilon as f32,
                    root2: correction2.sqrt() as f32,
                };
                (rule, rate / correction1)
            }
            // Nesterov without a momentum is plain descent.
            UpdateRule::Sgd { momentum: 0.0, .. } => (Factors::Sgd, rate),
            UpdateRule::Sgd { momentum, nesterov } => {
                (Factors::Momentum { momentum: momentum as f32, nesterov }, rate)
            }
            UpdateRule::RmsProp { rho, epsilon, momentum } => {
                let rule = Factors::RmsProp {
                    rho: rho as f32,
                    blend: (1.0 - rho) as f32,
                    epsilon: epsilon as f32,
                    momentum: momentum as f32,
                };
                (rule, rate)
            }
            UpdateRule::AdaGrad { epsilon, learning_rate_decay, .. } => {
                let slower = 1.0 + f64::from(step - 1) * learning_rate_decay;
                (Factors::AdaGrad { epsilon: epsilon as f32 }, rate / slower)
            }
        };
        // A rate that a schedule has made that small moves nothing, and slowly.
        Self { rule, rate: flushed(rate as f32) }
    }
}
