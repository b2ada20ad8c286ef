//! A study as it is written in TOML.

use std::path::Path;

use base::error::{Result, fault, io, suggest};
use base::fields::Fields;
use store::inputs;

use crate::settings::{Experiments, Given, REPLAY};

/// No honest study is longer.
const TEXT_BYTES_MAX: u64 = 4 << 20;

/// Studies that ship with the binary.
const PRESETS: [(&str, &str); 5] = [
    ("quickstart", include_str!("presets/quickstart.toml")),
    ("early-termination", include_str!("presets/early-termination.toml")),
    ("choi2018", include_str!("presets/choi2018.toml")),
    ("stopping", include_str!("presets/stopping.toml")),
    ("samplers", include_str!("presets/samplers.toml")),
];

/// A checked study file.
#[derive(Debug)]
pub struct StudyDefinition {
    /// The study's name.
    pub name: String,
    /// One sentence.
    pub summary: String,
    /// What it runs. Relative directories of tables start at the study's file (at the working
    /// directory for a study that ships with the binary).
    pub experiments: Experiments,
    /// Whether the comparison is made under other settings, too.
    pub robustness: bool,
    /// The file's text, to be kept beside the results.
    pub text: String,
}

impl StudyDefinition {
    /// Names of the studies that ship with the binary.
    pub fn presets() -> impl Iterator<Item = &'static str> {
        PRESETS.iter().map(|(name, _)| *name)
    }

    /// A study of the binary by its name, or a TOML file by its path.
    pub fn find(name_or_path: &str) -> Result<Self> {
        let path = Path::new(name_or_path);
        if let Some((_, text)) = PRESETS.iter().find(|(name, _)| *name == name_or_path) {
            return Self::parse(&format!("study {name_or_path}"), text, Path::new(""));
        }
        let is_path =
            path.components().count() > 1 || path.extension().is_some_and(|e| e == "toml");
        if !is_path {
            let remedy = suggest(name_or_path, Self::presets());
            return Err(fault("study", "name", name_or_path, "no study has this name", remedy));
        }
        let text = inputs::read_text(path, TEXT_BYTES_MAX).map_err(|e| match e.kind() {
            std::io::ErrorKind::NotFound => {
                fault("study", "file", name_or_path, "no such file", "check the path")
            }
            std::io::ErrorKind::InvalidInput | std::io::ErrorKind::InvalidData => {
                let rule = "must be a TOML file, in UTF-8";
                fault(name_or_path, "file", e, rule, "give the path of a study's file")
            }
            _ => io(path, "reading the study", e),
        })?;
        Self::parse(name_or_path, &text, path.parent().unwrap_or(Path::new("")))
    }

    /// The study that a directory of results says it is of.
    pub(crate) fn parse_kept(dir: &Path, text: &str) -> Result<Self> {
        Self::parse(&dir.join("results.json").display().to_string(), text, Path::new(""))
    }

    pub(crate) fn parse(source: &str, text: &str, base: &Path) -> Result<Self> {
        let mut fields = Fields::from_toml(source, text)?;
        let name = fields.required_text("name", "the study's name")?;
        let summary = fields.text("summary")?.unwrap_or_default();
        let robustness = fields.boolean("robustness")?.unwrap_or(false);
        let given = Given::from_fields(REPLAY, &mut fields)?;
        let mut experiments = Experiments::read(&given)?;
        fields.finish()?;
        for table in &mut experiments.tables {
            *table = base.join(&*table);
        }
        Ok(Self { name, summary, experiments, robustness, text: text.to_string() })
    }
}
