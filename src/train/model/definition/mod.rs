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

use std::collections::HashSet;
use std::path::Path;

use base::error::{Result, fault, io, suggest};
use base::fields::{Fields, to_toml};
use base::hex;
use base::space::{Condition, Space, raw};
use serde_json::{Map, Value as Json};
use sha2::{Digest, Sha256};
use store::inputs;
use store::table::{MANIFEST_FILE, Manifest};

/// No honest space is longer.
const TEXT_BYTES_MAX: u64 = 4 << 20;

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
    /// What the file says beside the name and the parameters, as it stands there: `summary`,
    /// `dataset`, `model` and `training`.
    pub document: Map<String, Json>,
    /// SHA-256 of the file's text, for provenance; of a table's space, what that table says.
    pub hash: String,
}

impl Definition {
    /// Reads and checks the text of a space file; `source` names it in messages.
    ///
    /// # Errors
    /// Faults of the text, of a setting, and of a parameter that plays no part.
    pub fn parse(source: &str, text: &str) -> Result<Self> {
        let hash = hex(&Sha256::digest(text.as_bytes()));
        Self::read(source, Fields::from_toml(source, text)?, hash)
    }

    /// The space that a table was trained in, where its `table.json` holds the whole of it.
    ///
    /// # Errors
    /// Faults of `table.json`, and of one that says less.
    pub fn of_table(dir: &Path) -> Result<Self> {
        let manifest = Manifest::read(dir)?;
        let source = dir.join(MANIFEST_FILE).display().to_string();
        let mut document = manifest.space_further.clone();
        for field in ["dataset", "model", "training"] {
            if !document.contains_key(field) {
                let rule = "a table that training can go on from holds the whole space";
                let remedy = "name a preset or the TOML file that the table was trained from";
                return Err(fault(&source, format!("space.{field}"), "missing", rule, remedy));
            }
        }
        let parameters: Vec<Json> = manifest.space.parameters.iter().map(raw::write).collect();
        document.insert("name".into(), manifest.space.name.clone().into());
        document.insert("parameter".into(), parameters.into());
        let hash = manifest.provenance_field("space_hash").and_then(Json::as_str);
        let hash = hash.map_or_else(|| hex(&Sha256::digest(json_bytes(&document))), String::from);
        Self::read(&source, Fields::new(&source, "", document), hash)
    }

    /// The space as the text of a space file.
    pub fn to_toml(&self) -> String {
        let mut map = self.document.clone();
        map.shift_insert(0, "name".into(), self.space.name.clone().into());
        let parameters: Vec<Json> = self.space.parameters.iter().map(raw::write).collect();
        map.insert("parameter".into(), parameters.into());
        to_toml(&map)
    }

    fn read(source: &str, mut fields: Fields, hash: String) -> Result<Self> {
        let document = fields.left().iter().filter(|(name, _)| !NAMED.contains(&name.as_str()));
        let document = document.map(|(name, value)| (name.clone(), value.clone())).collect();
        let name = fields.required_text("name", "the space's name")?;
        let summary = fields.text("summary")?.unwrap_or_default();
        let dataset = fields.required_text("dataset", "the data set to train on")?;
        let parameters = fields.tables("parameter")?;
        let parameters =
            parameters.into_iter().map(|p| raw::read(p, true)).collect::<Result<Vec<_>>>()?;
        let space = Space::new(source, "parameter", name, parameters)?;
        let used = references(["model", "training"].map(|name| fields.peek(name)));
        let model = fields.table("model")?;
        let model = model.ok_or_else(|| fields.missing("model", "the network"))?;
        let model = read_model::read_model(model, &space)?;
        let training = fields.table("training")?;
        let training = training.ok_or_else(|| fields.missing("training", "how to train"))?;
        let training = read_training::read_training(training, &space)?;
        fields.finish()?;
        refuse_unused(source, &space, &used)?;
        Ok(Self {
            space,
            summary,
            dataset,
            input: model.input,
            classes: model.classes,
            layers: model.layers,
            training,
            source: source.to_string(),
            document,
            hash,
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

    /// A preset by its name, a TOML file by its path, or a table by its directory: a path has a
    /// separator or ends in `.toml`.
    ///
    /// # Errors
    /// Faults of the name, and of what stands there.
    pub fn find(name_or_path: &str) -> Result<Self> {
        let path = Path::new(name_or_path);
        if path.join(MANIFEST_FILE).is_file() {
            return Self::of_table(path);
        }
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
                "give the path of a TOML file or of a table, or a preset's name (see `curvebook \
                 space list`)",
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

/// Fields of a space file that a [`Space`] holds.
const NAMED: [&str; 2] = ["name", "parameter"];

fn json_bytes(document: &Map<String, Json>) -> Vec<u8> {
    serde_json::to_vec(document).expect("what was read as JSON is JSON")
}

/// Names after a `$`, anywhere in these tables.
fn references(tables: [Option<&Json>; 2]) -> HashSet<String> {
    let mut found = HashSet::new();
    let mut left: Vec<&Json> = tables.into_iter().flatten().collect();
    while let Some(value) = left.pop() {
        match value {
            Json::String(text) => found.extend(text.strip_prefix('$').map(str::to_string)),
            Json::Array(list) => left.extend(list),
            Json::Object(map) => left.extend(map.values()),
            _ => {}
        }
    }
    found
}

/// Refuses a parameter that no setting uses and that decides about no other: it would be sampled,
/// recorded and searched, and change nothing.
fn refuse_unused(source: &str, space: &Space, used: &HashSet<String>) -> Result<()> {
    let conditions = space.parameters.iter().filter_map(|p| p.condition.as_ref());
    let deciding: HashSet<&str> = conditions.flat_map(Condition::names).collect();
    let is_idle = |name: &str| !used.contains(name) && !deciding.contains(name);
    match space.parameters.iter().position(|p| is_idle(&p.name)) {
        None => Ok(()),
        Some(at) => {
            let name = &space.parameters[at].name;
            let rule = "no setting of [model] or [training] uses it, and no condition";
            let remedy = format!("write \"${name}\" where its value belongs, or remove it");
            Err(fault(source, format!("parameter[{at}].name"), name, rule, remedy))
        }
    }
}
