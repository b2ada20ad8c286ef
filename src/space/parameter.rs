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
