//! Parameters, and the maps between the unit cube and native values.

#![expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "ranges of ints stay below 2^53: checked by `Space::new`"
)]

use std::collections::HashSet;
use std::fmt::Display;

use crate::error::{Error, Result, fault, suggest};

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
}

/// `condition = { name = "optimizer", in = ["sgd"] }`: active only if the named earlier parameter
/// is active and has one of these values.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    /// The parameter that decides.
    pub name: String,
    /// The values under which this one is active.
    pub values: Vec<Literal>,
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
            Domain::Categorical { choices } => {
                Value::Choice(((u * choices.len() as f64) as usize).min(choices.len() - 1))
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
            (Domain::Categorical { choices }, Value::Choice(c)) => {
                (c as f64 + 0.5) / choices.len() as f64
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
            _ => false,
        }
    }

    /// The literal as a value of this parameter, if it is one.
    pub fn value_of(&self, literal: &Literal) -> Option<Value> {
        let value = match (&self.domain, literal) {
            (Domain::Int { .. }, Literal::Int(v)) => Value::Int(*v),
            (Domain::Float { .. }, Literal::Float(v)) => Value::Float(*v),
            (Domain::Float { .. }, Literal::Int(v)) => Value::Float(*v as f64),
            (Domain::Categorical { choices }, Literal::Text(word)) => {
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
        }
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
        if parameters.is_empty() {
            let remedy = "describe at least one parameter";
            return Err(fault(file, path, "empty", "a space needs a parameter", remedy));
        }
        for (index, parameter) in parameters.iter().enumerate() {
            let place = Place { file, path: format!("{path}[{index}]") };
            place.check_name(parameter, &parameters[..index])?;
            place.check_domain(&parameter.domain)?;
            place.check_condition(parameter, &parameters[..index])?;
        }
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

    /// Whether `parameter` plays a part, given the values of all parameters before it.
    pub fn is_active(&self, parameter: &Parameter, before: &[Value]) -> bool {
        let Some(condition) = &parameter.condition else { return true };
        let at = self.position(&condition.name).expect("checked by `Space::new`");
        let decides = &self.parameters[at];
        condition.values.iter().any(|literal| match (&decides.domain, literal, before[at]) {
            // The same without looking through all choices.
            (Domain::Categorical { choices }, Literal::Text(word), Value::Choice(c)) => {
                choices[c] == *word
            }
            _ => decides.value_of(literal) == Some(before[at]),
        })
    }
}

/// Columns of `configs.parquet` that no parameter may be named after.
const RESERVED_NAMES: [&str; 7] = [
    "config_id",
    "params",
    "flops_per_epoch",
    "setup_seconds",
    "fused_share_seconds",
    "status",
    "val_confusion",
];

/// Where a parameter stands, for messages.
struct Place<'a> {
    file: &'a str,
    path: String,
}

impl Place<'_> {
    fn fault(&self, field: &str, value: impl Display, rule: &str, remedy: &str) -> Error {
        fault(self.file, format!("{}.{field}", self.path), value, rule, remedy)
    }

    fn check_name(&self, parameter: &Parameter, before: &[Parameter]) -> Result<()> {
        let name = &parameter.name;
        if name.is_empty() {
            return Err(self.fault("name", "\"\"", "must not be empty", "give it a name"));
        }
        if RESERVED_NAMES.contains(&name.as_str()) {
            let rule = "is the name of a column that tables have";
            return Err(self.fault("name", name, rule, "choose another name"));
        }
        if before.iter().any(|p| p.name == *name) {
            let rule = "two parameters have this name";
            return Err(self.fault("name", name, rule, "rename one of them"));
        }
        Ok(())
    }

    fn check_domain(&self, domain: &Domain) -> Result<()> {
        let ordered = "must not be above `high`";
        match domain {
            Domain::Int { low, high, .. } if low > high => {
                Err(self.fault("low", format!("{low} (high = {high})"), ordered, "swap them"))
            }
            Domain::Int { low, high, .. }
                if !INT_RANGE.contains(low) || !INT_RANGE.contains(high) =>
            {
                let rule = "ints must lie within -2^52 and 2^52";
                Err(self.fault("low", format!("{low}..{high}"), rule, "narrow the range"))
            }
            Domain::Int { low, log: true, .. } if *low < 1 => {
                let rule = "a log range of ints starts at 1 or above";
                Err(self.fault("low", low, rule, "raise `low`, or set `log = false`"))
            }
            Domain::Float { low, high, .. } if !low.is_finite() || !high.is_finite() => {
                let rule = "both ends must be finite";
                Err(self.fault("low", format!("{low}..{high}"), rule, "write finite numbers"))
            }
            Domain::Float { low, high, .. } if low > high => {
                Err(self.fault("low", format!("{low} (high = {high})"), ordered, "swap them"))
            }
            Domain::Float { low, log: true, .. } if *low <= 0.0 => {
                let rule = "a log range starts above 0";
                Err(self.fault("low", low, rule, "raise `low`, or set `log = false`"))
            }
            Domain::Categorical { choices } => self.check_choices(choices),
            _ => Ok(()),
        }
    }

    fn check_choices(&self, choices: &[String]) -> Result<()> {
        if choices.is_empty() {
            let rule = "a categorical parameter needs a choice";
            return Err(self.fault("choices", "[]", rule, "list its choices"));
        }
        let mut seen = HashSet::with_capacity(choices.len());
        for (at, choice) in choices.iter().enumerate() {
            if !seen.insert(choice) {
                let rule = "stands twice in the list";
                return Err(self.fault(&format!("choices[{at}]"), choice, rule, "remove one"));
            }
        }
        Ok(())
    }

    fn check_condition(&self, parameter: &Parameter, before: &[Parameter]) -> Result<()> {
        let Some(condition) = &parameter.condition else { return Ok(()) };
        let Some(decides) = before.iter().find(|p| p.name == condition.name) else {
            let rule = "a condition refers to a parameter that stands earlier";
            let remedy = suggest(&condition.name, before.iter().map(|p| p.name.as_str()));
            return Err(self.fault("condition.name", &condition.name, rule, &remedy));
        };
        if condition.values.is_empty() {
            let rule = "a condition needs a value";
            return Err(self.fault("condition.in", "[]", rule, "list the values, or drop it"));
        }
        let words: HashSet<&str> = match &decides.domain {
            Domain::Categorical { choices } => choices.iter().map(String::as_str).collect(),
            _ => HashSet::new(),
        };
        for (at, literal) in condition.values.iter().enumerate() {
            let is_value = match literal {
                Literal::Text(word) => words.contains(&**word),
                _ => decides.value_of(literal).is_some(),
            };
            if !is_value {
                let rule = format!("`{}` is {}", decides.name, decides.range_text());
                let field = format!("condition.in[{at}]");
                return Err(self.fault(&field, literal, &rule, "write one of its values"));
            }
        }
        Ok(())
    }
}

const INT_RANGE: std::ops::RangeInclusive<i64> = -(1 << 52)..=1 << 52;

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
