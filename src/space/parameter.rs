//! Parameters, and the maps between the unit cube and native values.

/// A named list of parameters. Names are unique, conditions refer backwards; whoever builds one
/// outside this module goes through [`Space::new`], which checks that.
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

/// Which way a metric improves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// Accuracy and its like.
    Maximize,
    /// Losses and errors.
    Minimize,
}

/// What a curve measures.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Metric {
    /// The column of `curves.parquet`.
    pub name: String,
    /// Which way it improves.
    pub goal: Direction,
    /// The value of guessing, in the metric's own direction; rules that need it refuse without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chance: Option<f64>,
}

impl Parameter {
    /// Native value of a coordinate in `[0, 1]`. Floats interpolate (in the logarithm, if `log`),
    /// ints and categoricals cut the interval into equal bins (log ints: bins of
    /// `ln(low - 0.5)..ln(high + 0.5)`).
    pub fn from_unit(&self, u: f64) -> Value {
        let lerp = |low: f64, high: f64| low + (high - low) * u;
        match &self.domain {
            Domain::Float { low, high, log: false } => {
                Value::Float(lerp(*low, *high).clamp(*low, *high))
            }
            Domain::Float { low, high, log: true } => {
                Value::Float(libm::exp(lerp(libm::log(*low), libm::log(*high))).clamp(*low, *high))
            }
            Domain::Int { low, high, log: false } => {
                let bins = (high - low + 1) as f64;
                Value::Int((low + (u * bins).floor() as i64).clamp(*low, *high))
            }
            Domain::Int { low, high, log: true } => {
                let (a, b) = (libm::log(*low as f64 - 0.5), libm::log(*high as f64 + 0.5));
                Value::Int((libm::rint(libm::exp(lerp(a, b))) as i64).clamp(*low, *high))
            }
            Domain::Categorical { choices } => {
                Value::Choice(((u * choices.len() as f64).floor() as usize).min(choices.len() - 1))
            }
        }
    }
}

impl Space {
    /// Native values of a point of the unit cube; parameters whose condition does not hold are
    /// [`Value::Inactive`].
    pub fn from_unit(&self, point: &[f64]) -> Vec<Value> {
        let mut values = Vec::with_capacity(self.parameters.len());
        for (parameter, &u) in self.parameters.iter().zip(point) {
            let value = if self.is_active(parameter, &values) {
                parameter.from_unit(u)
            } else {
                Value::Inactive
            };
            values.push(value);
        }
        values
    }

    /// Whether `parameter` plays a part, given the values of all parameters before it.
    pub fn is_active(&self, parameter: &Parameter, before: &[Value]) -> bool {
        let Some(condition) = &parameter.condition else { return true };
        let at = self.parameters.iter().position(|p| p.name == condition.name);
        let at = at.expect("conditions refer backwards: checked when the space was built");
        condition.values.iter().any(|literal| self.parameters[at].matches(before[at], literal))
    }
}

impl Parameter {
    fn matches(&self, value: Value, literal: &Literal) -> bool {
        match (&self.domain, value, literal) {
            (Domain::Categorical { choices }, Value::Choice(c), Literal::Text(t)) => {
                choices[c] == *t
            }
            (_, Value::Int(v), Literal::Int(l)) => v == *l,
            (_, Value::Float(v), Literal::Float(l)) => v == *l,
            _ => false,
        }
    }
}
