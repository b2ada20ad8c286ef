//! A whole space file: the space, the data set, the network and the training it configures.

mod layer;
pub mod presets;
mod read_layer;
mod read_model;
mod read_training;
mod setting;
mod training;

pub use layer::{
    Activation, BatchNormSettings, INPUT, Layer, LayerKind, Padding, Pool, Regularizer,
};
pub use setting::{Setting, Word};
pub use training::{Optimizer, Schedule, Scope, Training};

use std::path::Path;

use base::error::{Result, fault, io, suggest};
use base::fields::Fields;
use base::space::{Space, raw};
use store::inputs;

/// No honest space is longer.
const TEXT_BYTES_MAX: u64 = 16 << 20;

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
        let model = read_model::read_model(model, &space)?;
        let training = fields.table("training")?;
        let training = training.ok_or_else(|| fields.missing("training", "how to train"))?;
        let training = read_training::read_training(training, &space)?;
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
        match inputs::read_text(path, TEXT_BYTES_MAX) {
            Ok(text) => Self::parse(name_or_path, &text),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Err(fault(
                "--space",
                "file",
                name_or_path,
                "no such file",
                "give the path of a TOML file, or a preset's name (see `curvebook space list`)",
            )),
            Err(e) if e.kind() == std::io::ErrorKind::InvalidData => {
                let rule = "a space is a short TOML file, in UTF-8";
                Err(fault(name_or_path, "text", e, rule, "save it as UTF-8"))
            }
            Err(e) if e.kind() == std::io::ErrorKind::InvalidInput => {
                let remedy = "give the path of a TOML file";
                Err(fault(name_or_path, "file", e, "must be a file", remedy))
            }
            Err(e) => Err(io(path, "reading the space", e)),
        }
    }
}
