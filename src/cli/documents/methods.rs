//! `methods` as JSON.

use app::settings::Preset;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

/// Samplers, schedulers, stoppers and endings.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Methods {
    /// `curvebook-methods`.
    pub(crate) format: &'static str,
    /// 1.
    pub(crate) version: u32,
    /// How a method with parameters is written.
    pub(crate) usage: &'static str,
    /// What proposes configurations.
    #[schemars(with = "Vec<Method>")]
    pub(crate) samplers: Value,
    /// What says which trial runs next and for how long.
    #[schemars(with = "Vec<Method>")]
    pub(crate) schedulers: Value,
    /// Rules that end trials early.
    #[schemars(with = "Vec<Method>")]
    pub(crate) stoppers: Value,
    /// What says when a run as a whole is over.
    #[schemars(with = "Vec<Method>")]
    pub(crate) endings: Value,
    /// Methods under one name.
    pub(crate) presets: Vec<ListedPreset>,
}

/// Methods under the name of a program that people know them from.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ListedPreset {
    /// As `--preset` takes it.
    name: &'static str,
    /// Whose combination it is.
    summary: &'static str,
    /// As `--sampler` takes it.
    sampler: &'static str,
    /// As `--scheduler` takes it.
    scheduler: &'static str,
    /// As `--stopper` takes it.
    stopper: &'static str,
    /// As `--report` takes it.
    report: &'static str,
}

impl ListedPreset {
    /// One of them.
    pub(crate) const fn of(preset: &Preset) -> Self {
        let Preset { name, summary, sampler, scheduler, stopper, report } = *preset;
        Self { name, summary, sampler, scheduler, stopper, report }
    }
}

/// A method.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Method {
    /// As `--sampler`, `--scheduler`, `--stopper` or `--end` takes it.
    name: String,
    /// One sentence.
    summary: String,
    /// Paper, or where the definition stands.
    citation: String,
    /// What it was held against.
    compared: Vec<MethodComparison>,
    /// Words for what others have to know of it.
    traits: Vec<String>,
    /// Its parameters.
    parameters: Vec<MethodParameter>,
}

/// What a method was held against, and what came of it.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct MethodComparison {
    /// The reference, with its version.
    with: String,
    /// What was compared.
    what: String,
    /// What came of it.
    result: String,
}

/// A parameter of a method: enough to build a field of a form from.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct MethodParameter {
    /// As written before the `=`.
    name: String,
    /// `int`, `float`, `categorical`, `file` or `method`.
    #[serde(rename = "type")]
    kind: String,
    /// The least value; null where there is none.
    low: Option<f64>,
    /// The greatest value; null where there is none.
    high: Option<f64>,
    /// The words of a `categorical`.
    choices: Vec<String>,
    /// Whether it must be written.
    required: bool,
    /// A number or a text; null where the parameter is required.
    default: Value,
    /// The values that it takes, in words.
    rule: String,
    /// One sentence.
    summary: String,
    /// Of a `method`, which kind: `samplers`, `schedulers` or `stoppers`.
    #[serde(skip_serializing_if = "Option::is_none")]
    registry: Option<String>,
}
