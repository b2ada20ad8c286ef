//! The `[training]` table, read: optimizer, schedule, L2 term, and how much is trained.

use super::{Setting, Word};

/// The optimiser and its schedule. A setting counts only where the optimizer or schedule that it
/// belongs to is chosen; defaults and meaning are `PyTorch` 2's.
#[derive(Debug, Clone, PartialEq)]
pub struct Training {
    pub optimizer: Setting<Optimizer>,
    /// At the first epoch.
    pub learning_rate: Setting<f64>,
    /// What becomes of the learning rate, epoch by epoch.
    pub schedule: Setting<Schedule>,
    /// Adam's decay of the first moment.
    pub beta1: Setting<f64>,
    /// Adam's decay of the second moment.
    pub beta2: Setting<f64>,
    /// Added to the root of the second moment; where absent or inactive, 1e-8, and 1e-10 for
    /// `adagrad`.
    pub epsilon: Option<Setting<f64>>,
    /// `sgd`'s and `rmsprop`'s momentum.
    pub momentum: Setting<f64>,
    /// Whether `sgd` looks ahead along its momentum.
    pub nesterov: Setting<bool>,
    /// `rmsprop`'s decay of the squared gradient (alpha in `PyTorch`).
    pub rho: Setting<f64>,
    /// `adagrad`'s learning rate at step `t` (from 1) is divided by 1 + (t - 1) x this.
    pub learning_rate_decay: Setting<f64>,
    /// What `adagrad`'s sums of squared gradients start from.
    pub initial_accumulator: Setting<f64>,
    /// Epochs between two steps of `step` (there must be some where it can be chosen).
    pub step_epochs: Option<Setting<i64>>,
    /// Factor of each of these steps.
    pub step_gamma: Setting<f64>,
    /// Factor of each epoch of `exponential` (there must be one where it can be chosen).
    pub exponential_gamma: Option<Setting<f64>>,
    /// Epochs from the top of `cosine` to its bottom; the space's `epochs` by default, however
    /// many are trained.
    pub cosine_epochs: Setting<i64>,
    /// The learning rate at the bottom of `cosine`.
    pub cosine_min: Setting<f64>,
    /// Factor of half the squared weights in the objective.
    pub l2: Setting<f64>,
    pub l2_scope: Scope,
    pub batch_size: Setting<i64>,
    pub epochs: u16,
    /// Default sizes of the split.
    pub train_size: usize,
    pub val_size: usize,
    pub test_size: usize,
}

/// Which weights `l2` counts (never biases).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Dense layers, the implied last one included.
    Dense,
    /// Dense and convolutional layers.
    All,
}

/// First-order optimisers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Optimizer {
    Adam,
    Sgd,
    RmsProp,
    AdaGrad,
}

impl Word for Optimizer {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("adam", Self::Adam),
        ("sgd", Self::Sgd),
        ("rmsprop", Self::RmsProp),
        ("adagrad", Self::AdaGrad),
    ];
}

/// What becomes of the learning rate, epoch by epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Schedule {
    Constant,
    Step,
    Exponential,
    Cosine,
}

impl Word for Schedule {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("constant", Self::Constant),
        ("step", Self::Step),
        ("exponential", Self::Exponential),
        ("cosine", Self::Cosine),
    ];
}
