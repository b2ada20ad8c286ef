//! What is known of a column: data that anybody may look at.

use std::borrow::Cow;

use arrow::datatypes::{DataType, Field};

/// A column of a Parquet file of ours.
#[derive(Debug, Clone, PartialEq)]
pub struct ColumnSpec {
    pub name: Cow<'static, str>,
    pub kind: Kind,
    /// Whether a cell may be null: it did not happen, or was not measured.
    pub nullable: bool,
    /// Whether files may lack it: it was added when files were already about. A row then has the
    /// default of its type, as where the cell is null.
    pub later: bool,
    /// What it holds, as whole sentences.
    pub doc: Cow<'static, str>,
    /// Whether its numbers repeat themselves, so that a dictionary makes them smallest.
    pub few_values: bool,
    /// What a number that is neither null nor NaN may be: from 0 to this.
    pub high: Option<f64>,
    pub role: Role,
    /// Tables that cannot have it, if there are such.
    pub absence: Option<Absence>,
}

/// What the cells of a column are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Text,
    Truth,
    U16,
    U32,
    U64,
    I64,
    /// Kept in 32 bits: what was computed in those has no more.
    F32,
    F64,
    /// A list of 32-bit counts.
    Counts,
}

/// What else a column is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// What its document says.
    Plain,
    /// Says what a configuration costs, whatever the unit.
    Cost,
    /// A confusion matrix, row by row.
    Confusion,
}

/// Tables whose provenance says `field` = `value` have no such column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Absence {
    pub field: &'static str,
    pub value: &'static str,
    /// Why, as `table check` says it.
    pub rule: &'static str,
}

impl ColumnSpec {
    /// A column of a file whose rows are declared. `doc` may keep the blank that `///` leaves.
    pub const fn new(name: &'static str, kind: Kind, nullable: bool, doc: &'static str) -> Self {
        Self {
            name: Cow::Borrowed(name),
            kind,
            nullable,
            later: false,
            doc: Cow::Borrowed(doc.trim_ascii()),
            few_values: false,
            high: None,
            role: Role::Plain,
            absence: None,
        }
    }

    /// A column that a program makes up as it runs, which may be null: an importer's.
    pub fn named(name: impl Into<String>, kind: Kind, doc: impl Into<String>) -> Self {
        let (name, doc) = (Cow::Owned(name.into()), Cow::Owned(doc.into()));
        Self { name, doc, ..Self::new("", kind, true, "") }
    }

    /// Files may lack it.
    #[must_use]
    pub const fn later(mut self) -> Self {
        self.later = true;
        self
    }

    /// A share between 0 and 1, of few different values; null where it was not measured.
    #[must_use]
    pub const fn share(mut self) -> Self {
        self.few_values = true;
        self.at_most(1.0).measured()
    }

    /// Null where it was not measured.
    #[must_use]
    pub const fn measured(mut self) -> Self {
        self.nullable = true;
        self
    }

    /// Kept in 32 bits; null where it was not measured.
    #[must_use]
    pub const fn single(mut self) -> Self {
        self.kind = Kind::F32;
        self.measured()
    }

    /// A number from 0 to `high`.
    #[must_use]
    pub const fn at_most(mut self, high: f64) -> Self {
        self.high = Some(high);
        self
    }

    /// A number from 0 on.
    #[must_use]
    pub const fn from_zero(self) -> Self {
        self.at_most(f64::INFINITY)
    }

    /// It says what a configuration costs.
    #[must_use]
    pub const fn cost(mut self) -> Self {
        self.role = Role::Cost;
        self
    }

    /// It is a confusion matrix.
    #[must_use]
    pub const fn confusion(mut self) -> Self {
        self.role = Role::Confusion;
        self
    }

    /// Tables whose provenance says `field` = `value` have no such column, by a rule.
    #[must_use]
    pub const fn absent_where(
        mut self,
        field: &'static str,
        value: &'static str,
        rule: &'static str,
    ) -> Self {
        self.absence = Some(Absence { field, value, rule });
        self
    }

    /// The field of an Arrow schema.
    pub(crate) fn field(&self) -> Field {
        Field::new(&*self.name, self.kind.arrow(), self.nullable)
    }
}

impl Kind {
    /// As it is written.
    pub(crate) fn arrow(self) -> DataType {
        match self {
            Self::Text => DataType::Utf8,
            Self::Truth => DataType::Boolean,
            Self::U16 => DataType::UInt16,
            Self::U32 => DataType::UInt32,
            Self::U64 => DataType::UInt64,
            Self::I64 => DataType::Int64,
            Self::F32 => DataType::Float32,
            Self::F64 => DataType::Float64,
            Self::Counts => DataType::new_list(DataType::Int32, true),
        }
    }

    /// For documentation.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Truth => "bool",
            Self::U16 => "u16",
            Self::U32 => "u32",
            Self::U64 => "u64",
            Self::I64 => "i64",
            Self::F32 => "f32",
            Self::F64 => "f64",
            Self::Counts => "list of i32",
        }
    }
}
