//! What values a parameter of a method takes.

use serde_json::{Value as Json, json};

use super::nested::Registry;

/// What values a parameter of a method takes.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// Whole numbers of a range.
    Int { low: i64, high: i64 },
    /// Finite numbers of a range.
    Float { low: f64, high: f64 },
    /// One of some words.
    Word(&'static [&'static str]),
    /// The path of a file.
    File,
    /// A method, with its own parameters.
    Method(Registry),
}

impl Kind {
    /// The rule, as messages and `curvebook methods` print it.
    pub fn rule(self) -> String {
        match self {
            Self::Int { low, high: i64::MAX } => format!("a whole number from {low}"),
            Self::Int { low, high } => format!("a whole number {low} to {high}"),
            Self::Float { low: f64::MIN, high: f64::MAX } => "a finite number".to_string(),
            Self::Float { low, high: f64::MAX } => format!("a number from {low}"),
            Self::Float { low, high } => format!("a number {low} to {high}"),
            Self::Word(words) => format!("one of {}", words.join(", ")),
            Self::File => "the path of a file".to_string(),
            Self::Method(registry) => {
                format!("a {}, in parentheses if it has parameters", registry.noun())
            }
        }
    }

    /// The word for the kind, its range and its choices, in `curvebook methods --format json`.
    fn describe(self) -> (&'static str, Json, Json, &'static [&'static str]) {
        let finite = |x: f64| (x.abs() < f64::MAX).then_some(x);
        match self {
            Self::Int { low, high } => {
                ("int", json!(low), json!((high < i64::MAX).then_some(high)), &[])
            }
            Self::Float { low, high } => ("float", json!(finite(low)), json!(finite(high)), &[]),
            Self::Word(words) => ("categorical", Json::Null, Json::Null, words),
            Self::File => ("file", Json::Null, Json::Null, &[]),
            Self::Method(_) => ("method", Json::Null, Json::Null, &[]),
        }
    }

    /// A default as JSON: a number where it is one.
    fn json(self, text: &str) -> Json {
        match self {
            Self::Int { .. } => text.parse::<i64>().map_or(Json::Null, Json::from),
            Self::Float { .. } => text.parse::<f64>().map_or(Json::Null, Json::from),
            Self::Word(_) | Self::File | Self::Method(_) => text.into(),
        }
    }
}

/// One parameter of a method, as the registry describes it; [`crate::parameters!`] writes them.
#[derive(Debug, Clone, Copy)]
pub struct ParameterSpec {
    /// As written before the `=`.
    pub name: &'static str,
    /// What values it takes.
    pub kind: Kind,
    /// The value where nothing is written; a parameter without one must be written.
    pub default: Option<&'static str>,
    /// One sentence.
    pub summary: &'static str,
}

impl ParameterSpec {
    /// Enough to build a field of a form from.
    pub(super) fn describe(&self) -> Json {
        let (kind, low, high, choices) = self.kind.describe();
        let mut described = json!({
            "name": self.name,
            "type": kind,
            "low": low,
            "high": high,
            "choices": choices,
            "required": self.default.is_none(),
            "default": self.default.map(|text| self.kind.json(text)),
            "rule": self.kind.rule(),
            "summary": self.summary,
        });
        if let Kind::Method(registry) = self.kind {
            described["registry"] = registry.word().into();
        }
        described
    }
}
