//! Conditions on columns.

use super::{Formula, Wrong, parse};

/// Comparisons that must all hold.
#[derive(Debug, Clone, PartialEq)]
pub struct Constraint {
    pub(super) comparisons: Vec<Comparison>,
    pub(super) text: String,
}

/// Two sides and what must be so between them.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    pub left: Side,
    pub relation: Relation,
    pub right: Side,
    /// As it was written, without blanks.
    pub text: String,
}

/// A side of a comparison. A name by itself may be a column, or a word that one of texts holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Side {
    Formula(Formula),
    /// What stood in single quotes.
    Text(String),
}

/// What must be so between two sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    Less,
    AtMost,
    Greater,
    AtLeast,
    Equal,
    NotEqual,
}

impl Constraint {
    /// Reads comparisons that `and` joins.
    ///
    /// # Errors
    /// The first place where it is none, what must stand there, and what to do.
    pub fn parse(text: &str) -> Result<Self, Wrong> {
        parse::constraint(text)
    }

    /// In the order in which they were written.
    pub fn comparisons(&self) -> &[Comparison] {
        &self.comparisons
    }

    /// As it was written, without blanks and with `&&` for `and`: what reads as the same.
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl Relation {
    /// Whether it is so between two numbers; nothing is so of NaN, null included, not even that it
    /// is not equal.
    pub fn holds(self, left: f64, right: f64) -> bool {
        match self {
            Self::Less => left < right,
            Self::AtMost => left <= right,
            Self::Greater => left > right,
            Self::AtLeast => left >= right,
            #[expect(clippy::float_cmp, reason = "equal is what was asked for")]
            Self::Equal => left == right,
            Self::NotEqual => !left.is_nan() && !right.is_nan() && left != right,
        }
    }
}
