//! What [`super::Space::new`] holds its parameters to.

use std::collections::HashSet;
use std::fmt::Display;

use super::condition::Condition;
use super::ordinal::Numbers;
use super::parameter::{Domain, Literal, Parameter};
use crate::error::{Error, Result, fault, suggest};

/// Checks names, ranges and conditions. `file` and `path` name the place of the parameters in
/// messages.
pub(super) fn check(file: &str, path: &str, parameters: &[Parameter]) -> Result<()> {
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
    Ok(())
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
            Domain::Ordinal { values } => self.check_numbers(values),
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

    fn check_numbers(&self, values: &Numbers) -> Result<()> {
        if values.is_empty() {
            let rule = "a parameter of some numbers needs one";
            return Err(self.fault("values", "[]", rule, "list its values"));
        }
        let (outside, disorder) = match values {
            Numbers::Int(values) => (
                values.iter().find(|v| !INT_RANGE.contains(v)).map(i64::to_string),
                values.windows(2).find(|pair| pair[0] >= pair[1]).map(|pair| pair[1].to_string()),
            ),
            Numbers::Float(values) => (
                values.iter().find(|v| !v.is_finite()).map(f64::to_string),
                values.windows(2).find(|pair| pair[0] >= pair[1]).map(|pair| pair[1].to_string()),
            ),
        };
        if let Some(value) = outside {
            let rule = "values must be finite, and ints within -2^52 and 2^52";
            return Err(self.fault("values", value, rule, "narrow the list"));
        }
        if let Some(value) = disorder {
            let rule = "values ascend, and none stands twice";
            return Err(self.fault("values", value, rule, "remove one, or sort them"));
        }
        Ok(())
    }

    fn check_condition(&self, parameter: &Parameter, before: &[Parameter]) -> Result<()> {
        parameter
            .condition
            .as_ref()
            .map_or(Ok(()), |condition| self.check_part("condition", condition, before))
    }

    /// One condition, or a part of one; `path` leads to it from the parameter.
    fn check_part(&self, path: &str, condition: &Condition, before: &[Parameter]) -> Result<()> {
        let (word, parts) = match condition {
            Condition::In { name, values } => return self.check_in(path, name, values, before),
            Condition::All(parts) => ("all", parts),
            Condition::Any(parts) => ("any", parts),
        };
        if parts.is_empty() {
            let rule = "joins conditions";
            return Err(self.fault(&format!("{path}.{word}"), "[]", rule, "list them, or drop it"));
        }
        for (at, part) in parts.iter().enumerate() {
            self.check_part(&format!("{path}.{word}[{at}]"), part, before)?;
        }
        Ok(())
    }

    fn check_in(
        &self,
        path: &str,
        name: &str,
        values: &[Literal],
        before: &[Parameter],
    ) -> Result<()> {
        let Some(decides) = before.iter().find(|p| p.name == name) else {
            let rule = "a condition refers to a parameter that stands earlier";
            let remedy = suggest(name, before.iter().map(|p| p.name.as_str()));
            return Err(self.fault(&format!("{path}.name"), name, rule, &remedy));
        };
        if values.is_empty() {
            let rule = "a condition needs a value";
            let remedy = "list the values, or drop it";
            return Err(self.fault(&format!("{path}.in"), "[]", rule, remedy));
        }
        let words: HashSet<&str> = match &decides.domain {
            Domain::Categorical { choices } => choices.iter().map(String::as_str).collect(),
            _ => HashSet::new(),
        };
        for (at, literal) in values.iter().enumerate() {
            let is_value = match literal {
                Literal::Text(word) => words.contains(&**word),
                _ => decides.value_of(literal).is_some(),
            };
            if !is_value {
                let rule = format!("`{}` is {}", decides.name, decides.range_text());
                let field = format!("{path}.in[{at}]");
                return Err(self.fault(&field, literal, &rule, "write one of its values"));
            }
        }
        Ok(())
    }
}

const INT_RANGE: std::ops::RangeInclusive<i64> = -(1 << 52)..=1 << 52;
