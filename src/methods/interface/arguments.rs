//! `name:parameter=value,...` on the command line, and its canonical form.

use std::fmt::Write;

use base::error::{Result, fault, suggest};
use serde_json::Value as Json;

/// What values a parameter of a method takes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    /// Whole numbers of a range.
    Int { low: i64, high: i64 },
    /// Finite numbers of a range.
    Float { low: f64, high: f64 },
    /// One of some words.
    Word(&'static [&'static str]),
    /// The path of a file.
    File,
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
        }
    }

    /// A value of this kind as JSON.
    pub(super) fn json(self, text: &str) -> Json {
        match self.parse(text).expect("the registry's defaults keep their own rules") {
            Argument::Int(n) => n.into(),
            Argument::Float(x) => x.into(),
            Argument::Word(word) => word.into(),
            Argument::File(path) => path.into(),
        }
    }

    fn parse(self, text: &str) -> Option<Argument> {
        match self {
            Self::Int { low, high } => {
                let n: i64 = text.parse().ok()?;
                (low..=high).contains(&n).then_some(Argument::Int(n))
            }
            Self::Float { low, high } => {
                let x: f64 = text.parse().ok()?;
                // Adding zero turns -0 into 0, so that one value has one canonical spelling.
                (low..=high).contains(&x).then_some(Argument::Float(x + 0.0))
            }
            Self::Word(words) => words.iter().find(|w| **w == text).map(|w| Argument::Word(w)),
            Self::File => (!text.is_empty()).then(|| Argument::File(text.to_string())),
        }
    }
}

/// One parameter of a method, as the registry describes it.
#[derive(Debug, Clone, Copy, PartialEq)]
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

/// A checked value.
#[derive(Debug, Clone, PartialEq)]
pub enum Argument {
    Int(i64),
    Float(f64),
    Word(&'static str),
    File(String),
}

/// Every parameter of a method with its value, in the order of the registry.
#[derive(Debug, Clone, PartialEq)]
pub struct Arguments {
    values: Vec<(&'static str, Argument)>,
}

impl Arguments {
    /// Reads what stands after the colon. `option` (`--stopper`) and `method` are named in errors.
    pub(super) fn parse(
        option: &str,
        method: &str,
        text: &str,
        specs: &'static [ParameterSpec],
    ) -> Result<Self> {
        let mut given: Vec<Option<Argument>> = vec![None; specs.len()];
        for part in text.split(',').filter(|part| !part.trim().is_empty()) {
            let (name, value) = part.split_once('=').ok_or_else(|| {
                let rule = "parameters are written name=value, with commas between them";
                fault(option, method, part, rule, "add `=` and a value")
            })?;
            let (name, value) = (name.trim(), value.trim());
            let Some(at) = specs.iter().position(|spec| spec.name == name) else {
                let remedy = suggest(name, specs.iter().map(|spec| spec.name));
                let rule = format!("`{method}` has no such parameter");
                return Err(fault(option, format!("{method}:{name}"), value, rule, remedy));
            };
            if given[at].is_some() {
                let rule = "the parameter is written twice";
                return Err(fault(option, format!("{method}:{name}"), value, rule, "remove one"));
            }
            given[at] = Some(parse_one(option, method, value, &specs[at])?);
        }
        let values = specs.iter().zip(given).map(|(spec, given)| {
            let value = match (given, spec.default) {
                (Some(value), _) => value,
                (None, Some(default)) => parse_one(option, method, default, spec)?,
                (None, None) => {
                    let field = format!("{method}:{}", spec.name);
                    let rule = format!("must be given: {}", spec.summary);
                    let remedy = format!("write {method}:{}=..., {}", spec.name, spec.kind.rule());
                    return Err(fault(option, field, "missing", rule, remedy));
                }
            };
            Ok((spec.name, value))
        });
        Ok(Self { values: values.collect::<Result<_>>()? })
    }

    fn get(&self, name: &str) -> &Argument {
        let found = self.values.iter().find(|(known, _)| *known == name);
        &found.unwrap_or_else(|| panic!("the registry entry has no parameter {name}")).1
    }

    /// A whole number.
    pub fn int(&self, name: &str) -> i64 {
        match self.get(name) {
            Argument::Int(n) => *n,
            other => panic!("{name} is {other:?}, not an int"),
        }
    }

    /// A number.
    pub fn float(&self, name: &str) -> f64 {
        match self.get(name) {
            Argument::Float(x) => *x,
            other => panic!("{name} is {other:?}, not a float"),
        }
    }

    /// A word.
    pub fn word(&self, name: &str) -> &'static str {
        match self.get(name) {
            Argument::Word(word) => word,
            other => panic!("{name} is {other:?}, not a word"),
        }
    }

    /// A path.
    pub fn file(&self, name: &str) -> &str {
        match self.get(name) {
            Argument::File(path) => path,
            other => panic!("{name} is {other:?}, not a file"),
        }
    }

    /// `method:a=1,b=2` with every parameter, numbers in their shortest exact form.
    pub(super) fn canonical(&self, method: &str) -> String {
        let mut text = method.to_string();
        for (at, (name, value)) in self.values.iter().enumerate() {
            text.push(if at == 0 { ':' } else { ',' });
            let written = match value {
                Argument::Int(n) => write!(text, "{name}={n}"),
                Argument::Float(x) => write!(text, "{name}={x}"),
                Argument::Word(word) => write!(text, "{name}={word}"),
                Argument::File(path) => write!(text, "{name}={path}"),
            };
            written.expect("writing into a String does not fail");
        }
        text
    }
}

fn parse_one(option: &str, method: &str, text: &str, spec: &ParameterSpec) -> Result<Argument> {
    spec.kind.parse(text).ok_or_else(|| {
        let field = format!("{method}:{}", spec.name);
        let remedy = match (spec.default, spec.kind) {
            (_, Kind::Word(words)) => suggest(text, words.iter().copied()),
            (Some(default), _) => format!("the default is {default}"),
            (None, _) => spec.summary.to_string(),
        };
        fault(option, field, text, format!("must be {}", spec.kind.rule()), remedy)
    })
}
