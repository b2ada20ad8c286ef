//! Parameters, and the maps between the unit cube and native values.

#![expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "ranges of ints stay below 2^53: checked by `Space::new`"
)]

use std::fmt::Display;

use super::condition::Condition;
use super::ordinal::Numbers;
use super::validate;
use crate::error::Result;

/// A named list of parameters: names are unique, ranges are sound, conditions refer backwards.
/// [`Space::new`] checks that.
#[derive(Debug, Clone, PartialEq)]
pub struct Space {
    /// The space's name.
    pub name: String,
    /// In the order of the file; also the order of Sobol dimensions.
    pub parameters: Vec<Parameter>,
}

/// One hyperparameter.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameter {
    /// Unique in its space: lower-case letters, digits and underscores by custom.
    pub name: String,
    /// Type and range.
    pub domain: Domain,
    /// When the parameter plays a part at all; always, if `None`.
    pub condition: Option<Condition>,
}

/// Type and range of a parameter; ranges include both ends.
#[derive(Debug, Clone, PartialEq)]
pub enum Domain {
    /// Whole numbers.
    Int { low: i64, high: i64, log: bool },
    /// Real numbers.
    Float { low: f64, high: f64, log: bool },
    /// One of some words, without an order.
    Categorical { choices: Vec<String> },
    /// One of some numbers.
    Ordinal { values: Numbers },
}

/// What the values of a parameter are: the type of its column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueKind {
    /// [`Value::Int`].
    Int,
    /// [`Value::Float`].
    Float,
    /// [`Value::Choice`].
    Choice,
}

impl Domain {
    /// What the values are.
    pub fn value_kind(&self) -> ValueKind {
        match self {
            Self::Int { .. } | Self::Ordinal { values: Numbers::Int(_) } => ValueKind::Int,
            Self::Float { .. } | Self::Ordinal { values: Numbers::Float(_) } => ValueKind::Float,
            Self::Categorical { .. } => ValueKind::Choice,
        }
    }

    /// Least and greatest whole number; `None` where values are something else.
    pub fn int_bounds(&self) -> Option<(i64, i64)> {
        match self {
            Self::Int { low, high, .. } => Some((*low, *high)),
            Self::Ordinal { values: Numbers::Int(values) } => {
                Some((*values.first()?, *values.last()?))
            }
            _ => None,
        }
    }

    /// Least and greatest number; `None` where values are words.
    pub fn bounds(&self) -> Option<(f64, f64)> {
        match self {
            Self::Float { low, high, .. } => Some((*low, *high)),
            Self::Ordinal { values: Numbers::Float(values) } => {
                Some((*values.first()?, *values.last()?))
            }
            _ => self.int_bounds().map(|(low, high)| (low as f64, high as f64)),
        }
    }
}

/// A value as it is written in TOML or JSON.
#[derive(Debug, Clone, PartialEq)]
pub enum Literal {
    /// A whole number.
    Int(i64),
    /// A real number.
    Float(f64),
    /// A word.
    Text(String),
}

/// One coordinate of a configuration.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value {
    /// Of an int parameter.
    Int(i64),
    /// Of a float parameter.
    Float(f64),
    /// Index into a categorical parameter's choices.
    Choice(usize),
    /// The parameter's condition does not hold (null in a table).
    Inactive,
}

impl Parameter {
    /// Native value of a coordinate in `[0, 1]`. Floats interpolate (in the logarithm, if `log`),
    /// ints and categoricals cut the interval into equal bins (log ints round within
    /// `ln(low - 0.5)..ln(high + 0.5)`). Never outside the range, whatever the rounding.
    pub fn from_unit(&self, u: f64) -> Value {
        let lerp = |low: f64, high: f64| low + (high - low) * u;
        match &self.domain {
            Domain::Float { low, high, log: false } => {
                Value::Float(lerp(*low, *high).clamp(*low, *high))
            }
            Domain::Float { low, high, log: true } => {
                // Anchored at `low`, so that coordinate 0 is `low` to the last bit.
                let exact = low * libm::exp(u * libm::log(high / low));
                Value::Float(exact.clamp(*low, *high))
            }
            Domain::Int { low, high, log: false } => {
                let bins = (high - low + 1) as f64;
                Value::Int((low + (u * bins).floor() as i64).clamp(*low, *high))
            }
            Domain::Int { low, high, log: true } => {
                let exact = libm::exp(lerp(log_edge(*low, -0.5), log_edge(*high, 0.5)));
                Value::Int((libm::rint(exact) as i64).clamp(*low, *high))
            }
            Domain::Categorical { choices } => Value::Choice(bin(u, choices.len())),
            Domain::Ordinal { values: Numbers::Int(values) } => {
                Value::Int(values[bin(u, values.len())])
            }
            Domain::Ordinal { values: Numbers::Float(values) } => {
                Value::Float(values[bin(u, values.len())])
            }
        }
    }

    /// Coordinate in `[0, 1]` of a native value: the centre of its bin for ints and categoricals,
    /// so that `from_unit(to_unit(v)) == v` for them; 0.5 where the range is a single value and
    /// for [`Value::Inactive`].
    pub fn to_unit(&self, value: Value) -> f64 {
        let ratio = |v: f64, low: f64, high: f64| {
            if high > low { ((v - low) / (high - low)).clamp(0.0, 1.0) } else { 0.5 }
        };
        match (&self.domain, value) {
            (Domain::Float { low, high, log: false }, Value::Float(v)) => ratio(v, *low, *high),
            (Domain::Float { low, high, log: true }, Value::Float(v)) => {
                ratio(libm::log(v), libm::log(*low), libm::log(*high))
            }
            (Domain::Int { low, high, log: false }, Value::Int(v)) => {
                ((v - low) as f64 + 0.5) / (high - low + 1) as f64
            }
            (Domain::Int { low, high, log: true }, Value::Int(v)) => {
                ratio(libm::log(v as f64), log_edge(*low, -0.5), log_edge(*high, 0.5))
            }
            (Domain::Categorical { choices }, Value::Choice(c)) => centre(c, choices.len()),
            (Domain::Ordinal { values }, Value::Int(_) | Value::Float(_)) => {
                let at = position(values, value);
                centre(at.expect("a value of this parameter"), values.len())
            }
            (_, Value::Inactive) => 0.5,
            (domain, value) => unreachable!("{value:?} is not of {domain:?}"),
        }
    }

    /// Whether a native value is of the parameter's type and in its range. NaN never is.
    pub fn contains(&self, value: Value) -> bool {
        match (&self.domain, value) {
            (Domain::Float { low, high, .. }, Value::Float(v)) => (*low..=*high).contains(&v),
            (Domain::Int { low, high, .. }, Value::Int(v)) => (*low..=*high).contains(&v),
            (Domain::Categorical { choices }, Value::Choice(c)) => c < choices.len(),
            (Domain::Ordinal { values }, value) => position(values, value).is_some(),
            _ => false,
        }
    }

    /// The literal as a value of this parameter, if it is one.
    pub fn value_of(&self, literal: &Literal) -> Option<Value> {
        let value = match (self.domain.value_kind(), literal, &self.domain) {
            (ValueKind::Int, Literal::Int(v), _) => Value::Int(*v),
            (ValueKind::Float, Literal::Float(v), _) => Value::Float(*v),
            (ValueKind::Float, Literal::Int(v), _) => Value::Float(*v as f64),
            (_, Literal::Text(word), Domain::Categorical { choices }) => {
                Value::Choice(choices.iter().position(|c| c == word)?)
            }
            _ => return None,
        };
        self.contains(value).then_some(value)
    }

    /// The range, as messages print it.
    pub fn range_text(&self) -> String {
        match &self.domain {
            Domain::Int { low, high, .. } => format!("{low} to {high}"),
            Domain::Float { low, high, .. } => format!("{low} to {high}"),
            Domain::Categorical { choices } => format!("one of {}", choices.join(", ")),
            Domain::Ordinal { values } => format!("one of {}", values.text()),
        }
    }
}

/// The bin of `count` equal ones that a coordinate falls into.
fn bin(u: f64, count: usize) -> usize {
    ((u * count as f64) as usize).min(count - 1)
}

/// The middle of a bin.
fn centre(bin: usize, count: usize) -> f64 {
    (bin as f64 + 0.5) / count as f64
}

fn position(values: &Numbers, value: Value) -> Option<usize> {
    match value {
        Value::Int(value) => values.position_of_int(value),
        Value::Float(value) => values.position_of_float(value),
        Value::Choice(_) | Value::Inactive => None,
    }
}

/// Logarithm of the outer edge of a log int's first or last bin.
fn log_edge(end: i64, half: f64) -> f64 {
    libm::log(end as f64 + half)
}

impl Space {
    /// Checks names, ranges and conditions. `file` and `path` name the place of the parameters in
    /// messages: `path[2].low`.
    pub fn new(file: &str, path: &str, name: String, parameters: Vec<Parameter>) -> Result<Self> {
        validate::check(file, path, &parameters)?;
        Ok(Self { name, parameters })
    }

    /// Index of a parameter by name.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.parameters.iter().position(|p| p.name == name)
    }

    /// Native values of a point of the unit cube; parameters whose condition does not hold are
    /// [`Value::Inactive`].
    pub fn from_unit(&self, point: &[f64]) -> Vec<Value> {
        assert_eq!(point.len(), self.parameters.len(), "one coordinate a parameter");
        let mut values = Vec::with_capacity(self.parameters.len());
        for (parameter, &u) in self.parameters.iter().zip(point) {
            let active = self.is_active(parameter, &values);
            values.push(if active { parameter.from_unit(u) } else { Value::Inactive });
        }
        values
    }

    /// Point of the unit cube of a configuration, see [`Parameter::to_unit`].
    pub fn to_unit(&self, configuration: &[Value]) -> Vec<f64> {
        self.parameters.iter().zip(configuration).map(|(p, &v)| p.to_unit(v)).collect()
    }
}

impl Display for Literal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Int(v) => v.fmt(f),
            Self::Float(v) => v.fmt(f),
            Self::Text(v) => write!(f, "{v:?}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameter(domain: Domain) -> Parameter {
        Parameter { name: "x".into(), domain, condition: None }
    }

    #[test]
    fn ints_fall_into_equal_bins_and_return_to_their_centres() {
        let p = parameter(Domain::Int { low: 2, high: 5, log: false });
        let at = |u| p.from_unit(u);
        assert_eq!(at(0.0), Value::Int(2));
        assert_eq!(at(0.249_999), Value::Int(2));
        assert_eq!(at(0.25), Value::Int(3));
        assert_eq!(at(1.0), Value::Int(5));
        assert_eq!(p.to_unit(Value::Int(3)), 0.375);
    }

    #[test]
    fn every_int_and_choice_survives_the_round_trip() {
        for log in [false, true] {
            let p = parameter(Domain::Int { low: 1, high: 300, log });
            for v in 1..=300 {
                assert_eq!(p.from_unit(p.to_unit(Value::Int(v))), Value::Int(v), "log {log}");
            }
        }
        let p =
            parameter(Domain::Categorical { choices: vec!["a".into(), "b".into(), "c".into()] });
        for c in 0..3 {
            assert_eq!(p.from_unit(p.to_unit(Value::Choice(c))), Value::Choice(c));
        }
    }

    #[test]
    fn log_floats_start_at_low_and_halve_in_the_logarithm() {
        let p = parameter(Domain::Float { low: 1e-4, high: 1.0, log: true });
        assert_eq!(p.from_unit(0.0), Value::Float(1e-4));
        // libm's exp and log are good to one unit in the last place, amplified by |ln x| < 10.
        for (u, expected) in [(0.5, 1e-2), (1.0, 1.0)] {
            let Value::Float(found) = p.from_unit(u) else { unreachable!() };
            assert!((found / expected - 1.0).abs() < 1e-14, "{u} -> {found}");
        }
    }

    #[test]
    fn a_single_value_range_maps_to_the_middle() {
        let p = parameter(Domain::Float { low: 3.0, high: 3.0, log: false });
        assert_eq!(p.to_unit(Value::Float(3.0)), 0.5);
        assert_eq!(p.from_unit(0.7), Value::Float(3.0));
    }
}
