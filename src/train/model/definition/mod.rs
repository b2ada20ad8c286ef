//! A whole space file: the space, the data set, the network and the training it configures.

mod layer;
mod network;
pub mod presets;
mod read_layer;

pub use layer::{
    Activation, BatchNormSettings, INPUT, Layer, LayerKind, Padding, Pool, Regularizer,
};

use std::path::Path;

use base::error::{Result, fault, io, suggest};
use base::fields::Fields;
use base::space::{Space, Value, raw};

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

impl Definition {
    /// Reads and checks the text of a space file; `source` names it in messages.
    pub fn parse(source: &str, text: &str) -> Result<Self> {
        let mut fields = Fields::from_toml(source, text)?;
        let name = fields.required_text("name", "the space's name")?;
        let summary = fields.text("summary")?.unwrap_or_default();
        let dataset = fields.required_text("dataset", "the data set to train on")?;
        let parameters = fields.tables("parameter")?;
        let parameters =
            parameters.into_iter().map(|p| raw::read(p, true)).collect::<Result<Vec<_>>>()?;
        let space = Space::new(source, "parameter", name, parameters)?;
        let model = fields.table("model")?;
        let model = model.ok_or_else(|| fields.missing("model", "the network"))?;
        let model = network::read_model(model, &space)?;
        let training = fields.table("training")?;
        let training = training.ok_or_else(|| fields.missing("training", "how to train"))?;
        let training = network::read_training(training, &space)?;
        fields.finish()?;
        Ok(Self {
            space,
            summary,
            dataset,
            input: model.input,
            classes: model.classes,
            layers: model.layers,
            training,
            source: source.to_string(),
            text: text.to_string(),
        })
    }

    /// A space that ships with the binary.
    pub fn preset(name: &str) -> Result<Self> {
        let text = presets::text(name).ok_or_else(|| {
            let remedy = suggest(name, presets::names());
            fault("--space", "name", name, "no preset has this name", remedy)
        })?;
        Self::parse(&format!("preset {name}"), text)
    }

    /// A preset by its name, or a TOML file by its path: a path has a separator or ends in `.toml`.
    pub fn find(name_or_path: &str) -> Result<Self> {
        let path = Path::new(name_or_path);
        let is_path =
            path.components().count() > 1 || path.extension().is_some_and(|e| e == "toml");
        if !is_path {
            return Self::preset(name_or_path);
        }
        match std::fs::read_to_string(path) {
            Ok(text) => Self::parse(name_or_path, &text),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Err(fault(
                "--space",
                "file",
                name_or_path,
                "no such file",
                "give the path of a TOML file, or a preset's name (see `curvebook space list`)",
            )),
            Err(e) if e.kind() == std::io::ErrorKind::InvalidData => {
                Err(fault(name_or_path, "text", "not UTF-8", "TOML is UTF-8", "save it as UTF-8"))
            }
            Err(e) => Err(io(path, "reading the space", e)),
        }
    }
}

/// A literal, or `$name` of a parameter (its index in [`Space::parameters`]).
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Setting<T> {
    /// Written in the file.
    Literal(T),
    /// Taken from the configuration.
    Parameter(usize),
    /// Taken from the configuration, or this default where the parameter is inactive.
    Conditional(usize, T),
}

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

/// Set of words a setting may take: gives the parser and the error message their list.
pub trait Word: Copy + Sized + 'static {
    /// Each word with its meaning.
    const WORDS: &'static [(&'static str, Self)];
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

impl Word for bool {
    const WORDS: &'static [(&'static str, Self)] = &[("false", false), ("true", true)];
}

impl Setting<i64> {
    /// The setting under one configuration.
    pub fn resolve(self, configuration: &[Value]) -> i64 {
        match self {
            Self::Literal(value) => value,
            Self::Parameter(index) | Self::Conditional(index, _) => {
                match (configuration[index], self) {
                    (Value::Int(value), _) => value,
                    (Value::Inactive, Self::Conditional(_, default)) => default,
                    (other, _) => unreachable!("an int setting refers to an int, not {other:?}"),
                }
            }
        }
    }
}

impl Setting<f64> {
    /// The setting under one configuration; int parameters widen.
    pub fn resolve(self, configuration: &[Value]) -> f64 {
        match self {
            Self::Literal(value) => value,
            Self::Parameter(index) | Self::Conditional(index, _) => {
                match (configuration[index], self) {
                    (Value::Float(value), _) => value,
                    #[expect(clippy::cast_precision_loss, reason = "int ranges stay below 2^53")]
                    (Value::Int(value), _) => value as f64,
                    (Value::Inactive, Self::Conditional(_, default)) => default,
                    (other, _) => unreachable!("a float setting refers to a number, not {other:?}"),
                }
            }
        }
    }
}

impl<W: Word> Setting<W> {
    /// The setting under one configuration.
    pub fn resolve_word(self, space: &Space, configuration: &[Value]) -> W {
        let (index, default) = match self {
            Self::Literal(word) => return word,
            Self::Parameter(index) => (index, None),
            Self::Conditional(index, default) => (index, Some(default)),
        };
        match (&space.parameters[index].domain, configuration[index], default) {
            (base::space::Domain::Categorical { choices }, Value::Choice(choice), _) => {
                let known = W::WORDS.iter().find(|(word, _)| *word == choices[choice]);
                known.expect("choices were checked when the file was read").1
            }
            (_, Value::Inactive, Some(default)) => default,
            (_, other, _) => unreachable!("a word setting refers to a choice, not {other:?}"),
        }
    }
}
