//! A whole space file: the space, the data set, the network and the training it configures.

use super::parameter::{Space, Value};

/// A validated space file.
#[derive(Debug, Clone, PartialEq)]
pub struct Definition {
    /// Name and parameters.
    pub space: Space,
    /// One sentence.
    pub summary: String,
    /// `mnist`, `fashion-mnist`, `cifar10` or `digits`.
    pub dataset: String,
    /// Channels, height, width.
    pub input: [usize; 3],
    /// Width of the implied last dense layer.
    pub classes: usize,
    /// Every layer but the implied last one.
    pub layers: Vec<Layer>,
    /// How the network is trained.
    pub training: Training,
    /// The file's name, or `preset NAME`: named in errors.
    pub source: String,
    /// The file's text, hashed into provenance.
    pub text: String,
}

/// A literal, or `$name` of a parameter (its index in [`Space::parameters`]).
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Setting<T> {
    /// Written in the file.
    Literal(T),
    /// Taken from the configuration.
    Parameter(usize),
}

/// One `[[model.layer]]`.
#[derive(Debug, Clone, PartialEq)]
pub enum Layer {
    /// Two-dimensional convolution (cross-correlation) with bias, then `activation`.
    Conv {
        filters: Setting<i64>,
        kernel: Setting<i64>,
        stride: Setting<i64>,
        padding: Padding,
        activation: Setting<Activation>,
    },
    /// Max-pooling; its stride is its size, odd borders are dropped.
    MaxPool { size: Setting<i64> },
    /// Fully connected with bias, then `activation`.
    Dense { units: Setting<i64>, activation: Setting<Activation> },
    /// Inverted dropout.
    Dropout { rate: Setting<f64> },
    /// Batch normalisation between the layer before it and that layer's activation.
    BatchNorm(BatchNormSettings),
    /// None, dropout after the previous layer's activation (only where `rate` is given), or batch
    /// normalisation before it.
    Regularizer {
        choice: Setting<Regularizer>,
        rate: Option<Setting<f64>>,
        batchnorm: BatchNormSettings,
    },
}

/// Settings of a batch normalisation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BatchNormSettings {
    /// running = decay x running + (1 - decay) x batch.
    pub decay: Setting<f64>,
}

/// The optimiser and its schedule.
#[derive(Debug, Clone, PartialEq)]
pub struct Training {
    pub optimizer: Setting<Optimizer>,
    pub learning_rate: Setting<f64>,
    /// Adam's decay of the first moment.
    pub beta1: Setting<f64>,
    /// Adam's decay of the second moment.
    pub beta2: Setting<f64>,
    /// Added to the root of the second moment.
    pub epsilon: Setting<f64>,
    /// SGD's and RMSprop's momentum.
    pub momentum: Setting<f64>,
    /// RMSprop's decay of the squared gradient.
    pub rho: Setting<f64>,
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

/// How a convolution treats borders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Padding {
    /// Output size is ceil(input / stride); the odd pixel of padding stands at the end.
    Same,
    /// No padding.
    Valid,
}

/// Set of words a setting may take: gives the parser and the error message their list.
pub trait Word: Copy + Sized + 'static {
    /// Each word with its meaning.
    const WORDS: &'static [(&'static str, Self)];
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

impl Setting<i64> {
    /// The setting under one configuration.
    pub fn resolve(self, configuration: &[Value]) -> i64 {
        match self {
            Self::Literal(value) => value,
            Self::Parameter(index) => match configuration[index] {
                Value::Int(value) => value,
                other => unreachable!("an int setting refers to an int parameter, found {other:?}"),
            },
        }
    }
}

impl Setting<f64> {
    /// The setting under one configuration; int parameters widen.
    pub fn resolve(self, configuration: &[Value]) -> f64 {
        match self {
            Self::Literal(value) => value,
            Self::Parameter(index) => match configuration[index] {
                Value::Float(value) => value,
                #[expect(clippy::cast_precision_loss, reason = "parameters stay far below 2^53")]
                Value::Int(value) => value as f64,
                other => unreachable!("a float setting refers to a number, found {other:?}"),
            },
        }
    }
}

impl<W: Word> Setting<W> {
    /// The setting under one configuration.
    pub fn resolve_word(self, space: &Space, configuration: &[Value]) -> W {
        let index = match self {
            Self::Literal(word) => return word,
            Self::Parameter(index) => index,
        };
        let (super::Domain::Categorical { choices }, Value::Choice(choice)) =
            (&space.parameters[index].domain, configuration[index])
        else {
            unreachable!("a word setting refers to a categorical parameter")
        };
        let known = W::WORDS.iter().find(|(word, _)| *word == choices[choice]);
        known.expect("choices were checked when the file was read").1
    }
}
