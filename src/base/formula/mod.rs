//! Arithmetic over named columns, and conditions on them, as people write them in a setting:
//! `val_accuracy - 0.01*log10(params)`, `params <= 50000 and activation = relu`.
//!
//! ```text
//! constraint = comparison { ("and" | "&&") comparison }
//! comparison = side ("<" | "<=" | ">" | ">=" | "=" | "==" | "!=") side
//! side       = 'text' | formula
//! formula    = term { ("+" | "-") term }
//! term       = factor { ("*" | "/") factor }
//! factor     = { "+" | "-" } ( number | column | function "(" formula ")" | "(" formula ")" )
//! function   = "log10" | "ln" | "sqrt"
//! ```
//!
//! A column is a word of letters, digits, underscores and full stops that begins with no digit, or
//! anything in double quotes; a quote within quotes is doubled. What a name means is the business
//! of whoever asks: here it is a number, or nothing.
//!
//! Logarithms are those of `libm`, a square root is that of IEEE 754, operations are done in the
//! order in which they are written: the same bits on every machine. No text makes a parser panic:
//! long ones and deeply nested ones are refused.

mod constraint;
mod parse;
mod token;

pub use constraint::{Comparison, Constraint, Relation, Side};

use crate::measured::{NOT_MEASURED, is_measured};

/// Why a text is no formula and no constraint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// The rule that it breaks, and where.
    pub rule: String,
    /// What to do about it.
    pub remedy: String,
}

/// A step of a computation on a stack.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Step {
    Number(f64),
    /// By its place among the names.
    Column(usize),
    Negate,
    Add,
    Subtract,
    Multiply,
    Divide,
    Log10,
    Ln,
    Sqrt,
}

/// The functions by name.
const FUNCTIONS: [(&str, Step); 3] =
    [("log10", Step::Log10), ("ln", Step::Ln), ("sqrt", Step::Sqrt)];

/// An expression that has been read.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Formula {
    steps: Vec<Step>,
    names: Vec<String>,
    text: String,
}

impl Formula {
    /// Reads an expression.
    ///
    /// # Errors
    /// The first place where it is none, what must stand there, and what to do.
    pub fn parse(text: &str) -> Result<Self, Wrong> {
        parse::formula(text)
    }

    /// The column of this name by itself.
    #[must_use]
    pub fn column(name: &str) -> Self {
        let text = token::column_text(name);
        Self { steps: vec![Step::Column(0)], names: vec![name.to_string()], text }
    }

    /// The columns that it names, each once, in the order of their first places.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// As it was written, without blanks: what reads as the same expression.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The column's name, where the whole expression is one.
    pub fn as_column(&self) -> Option<&str> {
        matches!(self.steps[..], [Step::Column(_)]).then(|| self.names[0].as_str())
    }

    /// The same expression of other columns.
    ///
    /// # Panics
    /// Where there is not one new name for each.
    #[must_use]
    pub fn renamed(&self, names: Vec<String>) -> Self {
        assert_eq!(names.len(), self.names.len(), "one new name for each");
        Self { names, ..self.clone() }
    }

    /// What it comes to where its columns, in the order of [`Self::names`], have these numbers.
    ///
    /// [`NOT_MEASURED`] where one of them is; NaN where one of them is, and where the result is no
    /// finite number (a division by 0, the logarithm of what is not positive). `stack` is memory
    /// that calls share.
    ///
    /// # Panics
    /// Where there is not one number for each name.
    pub fn value(&self, columns: &[f64], stack: &mut Vec<f64>) -> f64 {
        assert_eq!(columns.len(), self.names.len(), "one number for each name");
        if columns.iter().any(|number| !is_measured(*number)) {
            return NOT_MEASURED;
        }
        stack.clear();
        for step in &self.steps {
            let mut take = || stack.pop().expect("the parser leaves every step its numbers");
            let number = match *step {
                Step::Number(number) => number,
                Step::Column(at) => columns[at],
                Step::Negate => -take(),
                Step::Log10 => libm::log10(take()),
                Step::Ln => libm::log(take()),
                Step::Sqrt => take().sqrt(),
                Step::Add | Step::Subtract | Step::Multiply | Step::Divide => {
                    let (right, left) = (take(), take());
                    match step {
                        Step::Add => left + right,
                        Step::Subtract => left - right,
                        Step::Multiply => left * right,
                        _ => left / right,
                    }
                }
            };
            stack.push(number);
        }
        let number = stack.pop().expect("an expression has a value");
        if number.is_finite() { number } else { f64::NAN }
    }
}

#[cfg(test)]
mod tests;
