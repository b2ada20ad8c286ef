//! A setting of a space file: a literal, or a parameter's value.

use base::error::{Result, fault};
use base::space::{Domain, Space, Value};

use super::Definition;

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

/// Set of words a setting may take: gives the parser and the error message their list.
pub trait Word: Copy + Sized + 'static {
    /// Each word with its meaning.
    const WORDS: &'static [(&'static str, Self)];
}

impl<T: Copy> Setting<T> {
    /// Refuses a setting that points to a parameter whose condition does not hold, so that
    /// resolving it cannot fail.
    pub(in crate::model) fn active(
        self,
        definition: &Definition,
        field: &str,
        configuration: &[Value],
    ) -> Result<Self> {
        match self {
            Self::Parameter(index) if configuration[index] == Value::Inactive => Err(fault(
                &definition.source,
                field,
                format!("${}", definition.space.parameters[index].name),
                "is inactive under this configuration, where its value is needed",
                "drop the parameter's condition, or write a literal",
            )),
            _ => Ok(self),
        }
    }
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
            (Domain::Categorical { choices }, Value::Choice(choice), _) => {
                let known = W::WORDS.iter().find(|(word, _)| *word == choices[choice]);
                known.expect("choices were checked when the file was read").1
            }
            (_, Value::Inactive, Some(default)) => default,
            (_, other, _) => unreachable!("a word setting refers to a choice, not {other:?}"),
        }
    }
}
