//! `name:parameter=value,...` on the command line, and its canonical form.
//!
//! The value of a parameter that is a method is a method's text again, in parentheses:
//! `patient:rule=(median:variant=optuna),patience=3`, to any depth up to [`DEPTH_MAX`]. One without
//! parameters may stand without them. Parentheses mean something there alone, not in a file's name.

use std::fmt::Write;

use base::error::{Error, Result, fault, internal, suggest};

use super::kind::{Kind, ParameterSpec};
use super::nested::{AnyMethod, Registry};
use super::parameters::ParameterValue;

/// How deep methods may stand within methods.
const DEPTH_MAX: u32 = 100;

/// A checked value.
#[derive(Debug, Clone, PartialEq)]
pub enum Argument {
    Int(i64),
    Float(f64),
    Word(&'static str),
    File(String),
    Method(AnyMethod),
}

/// Where a method is written, for messages.
#[derive(Debug, Clone)]
pub(super) struct Place<'a> {
    /// `--stopper`.
    pub option: &'a str,
    /// `patient:rule` of the rule within `patient`; empty for what is not within another method.
    pub within: String,
    /// How many methods it stands within.
    pub depth: u32,
}

impl<'a> Place<'a> {
    /// Of a method that stands by itself.
    pub(super) fn top(option: &'a str) -> Self {
        Self { option, within: String::new(), depth: 0 }
    }

    /// A method in this place, as faults name it.
    fn field(&self, method: &str) -> String {
        if self.within.is_empty() { method.into() } else { format!("{}:{method}", self.within) }
    }
}

/// Every parameter of a method with its value, in the order of the registry.
#[derive(Debug, Clone, PartialEq)]
pub struct Arguments {
    values: Vec<(&'static str, Argument)>,
}

impl Arguments {
    /// Reads what stands after the colon.
    pub(super) fn parse(
        place: &Place<'_>,
        method: &str,
        text: &str,
        specs: &'static [ParameterSpec],
    ) -> Result<Self> {
        let Place { option, .. } = *place;
        let method = place.field(method);
        let mut given: Vec<Option<Argument>> = vec![None; specs.len()];
        let mut rest = Some(text);
        while let Some(text) = rest {
            let (part, after) = text.split_once(',').map_or((text, None), |(a, b)| (a, Some(b)));
            rest = after;
            if part.trim().is_empty() {
                continue;
            }
            let (name, value) = part.split_once('=').ok_or_else(|| {
                let rule = "parameters are written name=value, with commas between them";
                fault(option, &method, part, rule, "add `=` and a value")
            })?;
            let written = &text[name.len() + 1..];
            let (name, mut value) = (name.trim(), value.trim());
            let field = format!("{method}:{name}");
            let Some(at) = specs.iter().position(|spec| spec.name == name) else {
                let remedy = suggest(name, specs.iter().map(|spec| spec.name));
                let rule = format!("`{method}` has no such parameter");
                return Err(fault(option, field, value, rule, remedy));
            };
            if given[at].is_some() {
                let rule = "the parameter is written twice";
                return Err(fault(option, field, value, rule, "remove one"));
            }
            if matches!(specs[at].kind, Kind::Method(_)) {
                (value, rest) = until_comma(written);
            }
            given[at] = Some(parse_one(place, &method, value, &specs[at])?);
        }
        let values = specs.iter().zip(given).map(|(spec, given)| {
            let value = match (given, spec.default) {
                (Some(value), _) => value,
                (None, Some(default)) => parse_one(place, &method, default, spec)?,
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

    /// One value, of the type that goes with the parameter's kind: for what
    /// [`crate::parameters!`] writes, which makes the two agree.
    ///
    /// # Errors
    ///
    /// [`Error::Internal`] where the registry entry has no such parameter, or one of another type.
    pub fn value<T: ParameterValue>(&self, name: &str) -> Result<T> {
        let found = self.values.iter().find(|(known, _)| *known == name);
        found.and_then(|(_, argument)| T::from_argument(argument)).ok_or_else(|| {
            internal("reading parameters", format!("`{name}` is none of its registry entry"))
        })
    }

    /// The methods among the values.
    pub fn methods(&self) -> impl Iterator<Item = &AnyMethod> {
        self.values.iter().filter_map(|(_, value)| match value {
            Argument::Method(method) => Some(method),
            _ => None,
        })
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
                Argument::Method(method) => write!(text, "{name}=({})", method.canonical()),
            };
            written.expect("writing into a String does not fail");
        }
        text
    }
}

/// What stands up to the next comma that is in no parenthesis, and what follows it. Where one stays
/// open that is all there is.
fn until_comma(text: &str) -> (&str, Option<&str>) {
    let mut open = 0_usize;
    for (at, c) in text.char_indices() {
        match c {
            '(' => open += 1,
            ')' => open = open.saturating_sub(1),
            ',' if open == 0 => return (text[..at].trim(), Some(&text[at + 1..])),
            _ => {}
        }
    }
    (text.trim(), None)
}

/// The text within the parentheses around all of `text`; `Ok(None)` where it has none at all, and
/// the rule that it breaks where they do not match.
fn within_parentheses(text: &str) -> std::result::Result<Option<&str>, &'static str> {
    if !text.contains(['(', ')']) {
        return Ok(None);
    }
    if !text.starts_with('(') {
        return Err("parentheses stand around the whole of a method");
    }
    let mut open = 0_usize;
    for (at, c) in text.char_indices() {
        match c {
            '(' => open += 1,
            ')' => open -= 1,
            _ => {}
        }
        if open == 0 {
            return match &text[at + 1..] {
                "" => Ok(Some(&text[1..at])),
                _ => Err("nothing but a comma follows the parenthesis that closes"),
            };
        }
    }
    Err("a parenthesis is not closed")
}

fn parse_one(
    place: &Place<'_>,
    method: &str,
    text: &str,
    spec: &ParameterSpec,
) -> Result<Argument> {
    let field = || format!("{method}:{}", spec.name);
    let wrong = |remedy: String| -> Error {
        let rule = format!("must be {}", spec.kind.rule());
        fault(place.option, field(), text, rule, remedy)
    };
    let by_default = || match spec.default {
        Some(default) => format!("the default is {default}"),
        None => spec.summary.to_string(),
    };
    match spec.kind {
        Kind::Int { low, high } => {
            let number = text.parse().ok().filter(|n| (low..=high).contains(n));
            number.map(Argument::Int).ok_or_else(|| wrong(by_default()))
        }
        Kind::Float { low, high } => {
            let number = text.parse::<f64>().ok().filter(|x| (low..=high).contains(x));
            // Adding zero turns -0 into 0, so that one value has one canonical spelling.
            number.map(|x| Argument::Float(x + 0.0)).ok_or_else(|| wrong(by_default()))
        }
        Kind::Word(words) => {
            let word = words.iter().find(|word| **word == text);
            word.map(|word| Argument::Word(word))
                .ok_or_else(|| wrong(suggest(text, words.iter().copied())))
        }
        Kind::File if text.is_empty() => Err(wrong(by_default())),
        Kind::File => Ok(Argument::File(text.to_string())),
        Kind::Method(registry) => parse_method(place, field(), text, registry),
    }
}

/// `field` is the parameter with its method.
fn parse_method(
    place: &Place<'_>,
    field: String,
    text: &str,
    registry: Registry,
) -> Result<Argument> {
    let Place { option, depth, .. } = *place;
    let noun = registry.noun();
    let example = || {
        let name = field.rsplit(':').next().unwrap_or_default();
        format!("write {name}=(NAME) or {name}=(NAME:parameter=value)")
    };
    let inner =
        within_parentheses(text).map_err(|rule| fault(option, &field, text, rule, example()))?;
    if inner.is_none() && text.contains(':') {
        let rule = format!("a {noun} with parameters stands in parentheses");
        return Err(fault(option, &field, text, rule, format!("write ({text})")));
    }
    let inner = inner.unwrap_or(text).trim();
    if inner.is_empty() {
        return Err(fault(option, &field, text, format!("must be a {noun}"), example()));
    }
    if depth == DEPTH_MAX {
        let rule = format!("methods stand within methods at most {DEPTH_MAX} deep");
        return Err(fault(option, noun, inner, rule, "leave some out"));
    }
    let place = Place { option, within: field, depth: depth + 1 };
    registry.resolve(&place, inner).map(Argument::Method)
}
