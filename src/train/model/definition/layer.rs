//! What a layer of `[model]` may be.

use super::{Setting, Word};

/// One `[[model.layer]]`.
///
/// A layer reads the output of the layer before it, or what `from` names. Names are seen by the
/// later layers of the same list and of the groups therein. [`INPUT`] names what enters the list:
/// the images, or what the group reads in this round.
#[derive(Debug, Clone, PartialEq)]
pub struct Layer {
    /// What later layers call its output.
    pub name: Option<String>,
    /// The outputs that it reads: none (the one before) or one; two or more for a join.
    pub from: Vec<String>,
    /// What it does.
    pub kind: LayerKind,
}

/// The name of what enters a list of layers.
pub const INPUT: &str = "input";

/// What a layer does, with its settings.
#[derive(Debug, Clone, PartialEq)]
pub enum LayerKind {
    /// Two-dimensional convolution (cross-correlation) with bias, then `activation`.
    Conv {
        filters: Setting<i64>,
        kernel: Setting<i64>,
        stride: Setting<i64>,
        padding: Padding,
        activation: Setting<Activation>,
    },
    /// Maximum over windows; padding never wins.
    MaxPool(Pool),
    /// Mean over windows; padding counts as zeros.
    AvgPool(Pool),
    /// Mean over all rows and columns: `avgpool` with `size = "global"`.
    GlobalAvgPool,
    /// Fully connected with bias, then `activation`.
    Dense { units: Setting<i64>, activation: Setting<Activation> },
    /// Inverted dropout.
    Dropout { rate: Setting<f64> },
    /// Batch normalisation. Without an `activation` of its own it stands between the convolution
    /// or dense layer before it and that layer's activation.
    BatchNorm { settings: BatchNormSettings, activation: Option<Setting<Activation>> },
    /// None, dropout after the previous layer's activation (only where `rate` is given), or batch
    /// normalisation before it.
    Regularizer {
        choice: Setting<Regularizer>,
        rate: Option<Setting<f64>>,
        batchnorm: BatchNormSettings,
    },
    /// The sum of equal shapes, then `activation`.
    Add { activation: Setting<Activation> },
    /// The channels of one after those of the other; height and width are equal.
    Concat,
    /// `layers` in a row, so many times; each round has its own weights.
    Repeat { times: Setting<i64>, layers: Vec<Layer> },
}

/// Settings of a pooling.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pool {
    pub size: Setting<i64>,
    /// `None`: the size.
    pub stride: Option<Setting<i64>>,
    /// `valid` where nothing is said: odd borders are dropped.
    pub padding: Padding,
}

/// Settings of a batch normalisation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BatchNormSettings {
    /// running = decay x running + (1 - decay) x batch.
    pub decay: Setting<f64>,
    /// Added to the variance.
    pub epsilon: Setting<f64>,
}

/// How a convolution or a pooling treats borders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Padding {
    /// Output size is ceil(input / stride); the odd pixel of padding stands at the end.
    Same,
    /// No padding.
    Valid,
}

/// Pointwise functions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    Linear,
    Relu,
    LeakyRelu,
    Elu,
    Tanh,
    Sigmoid,
}

impl Activation {
    /// The word that the TOML uses.
    pub fn word(self) -> &'static str {
        let known = Self::WORDS.iter().find(|(_, function)| *function == self);
        known.expect("every function has a word").0
    }
}

impl Word for Activation {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("linear", Self::Linear),
        ("relu", Self::Relu),
        ("leaky_relu", Self::LeakyRelu),
        ("elu", Self::Elu),
        ("tanh", Self::Tanh),
        ("sigmoid", Self::Sigmoid),
    ];
}

/// Choices of a `regularizer` layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Regularizer {
    None,
    Dropout,
    BatchNorm,
}

impl Word for Regularizer {
    const WORDS: &'static [(&'static str, Self)] =
        &[("none", Self::None), ("dropout", Self::Dropout), ("batchnorm", Self::BatchNorm)];
}
