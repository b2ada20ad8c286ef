//! Cells of a column on their way into a file, whoever computed them.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Float32Array, Float64Array, Int64Array, StringArray,
    UInt16Array, UInt32Array, UInt64Array, new_null_array,
};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float32Type, Float64Type};
use base::error::{Result, internal};

use super::{ColumnSpec, Row};

/// The cells of one column. Null: not measured. NaN: measured, and no number.
#[derive(Debug, Clone)]
pub struct Cells(pub(crate) ArrayRef);

impl Cells {
    /// How many.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether every cell is null.
    pub fn is_all_null(&self) -> bool {
        self.0.logical_null_count() == self.len()
    }

    /// As numbers, where they are.
    pub fn numbers(&self) -> Vec<Option<f64>> {
        let numbers = cast(&self.0, &DataType::Float64).unwrap_or_else(|_| {
            // Text, or a list.
            new_null_array(&DataType::Float64, self.len())
        });
        numbers.as_primitive::<Float64Type>().iter().collect()
    }

    /// In the type that a column is written in.
    pub(crate) fn typed(&self, column: &ColumnSpec) -> Result<ArrayRef> {
        let wanted = column.kind.arrow();
        if self.0.data_type() == &wanted {
            return Ok(Arc::clone(&self.0));
        }
        if let (DataType::Float64, DataType::Float32) = (self.0.data_type(), &wanted) {
            #[expect(clippy::cast_possible_truncation, reason = "32 bits are what it keeps")]
            let single = |number: f64| number as f32;
            let numbers = self.0.as_primitive::<Float64Type>();
            return Ok(Arc::new(numbers.unary::<_, Float32Type>(single)));
        }
        cast(&self.0, &wanted).map_err(|e| internal("giving a column its type", e))
    }
}

macro_rules! cells_from {
    ($($cell:ty => $array:ty),* $(,)?) => { $(
        impl From<Vec<$cell>> for Cells {
            fn from(cells: Vec<$cell>) -> Self {
                Self(Arc::new(<$array>::from(cells)))
            }
        }
    )* };
}

cells_from!(
    bool => BooleanArray, Option<bool> => BooleanArray,
    u16 => UInt16Array, Option<u16> => UInt16Array,
    u32 => UInt32Array, Option<u32> => UInt32Array,
    u64 => UInt64Array, Option<u64> => UInt64Array,
    i64 => Int64Array, Option<i64> => Int64Array,
    f32 => Float32Array, Option<f32> => Float32Array,
    f64 => Float64Array, Option<f64> => Float64Array,
    String => StringArray, Option<String> => StringArray,
    &str => StringArray, Option<&str> => StringArray,
);

/// Columns by their names, each with as many cells.
#[derive(Debug, Clone, Default)]
pub struct Named(Vec<(Cow<'static, str>, Cells)>);

impl Named {
    /// Those of declared rows.
    pub fn of<R: Row>(rows: &[&R]) -> Self {
        let names = R::columns().iter().map(|column| column.name.clone());
        Self(names.zip(R::cells(rows)).collect())
    }

    /// These, and one more.
    ///
    /// # Panics
    ///
    /// Where the name is taken, or the number of cells differs: the caller's bug.
    #[must_use]
    pub fn with(mut self, name: impl Into<Cow<'static, str>>, cells: impl Into<Cells>) -> Self {
        let (name, cells) = (name.into(), cells.into());
        assert!(self.get(&name).is_none(), "column {name} came twice");
        let rows = self.rows().unwrap_or(cells.len());
        assert_eq!(cells.len(), rows, "cells of column {name}");
        self.0.push((name, cells));
        self
    }

    /// The cells of a column.
    pub fn get(&self, name: &str) -> Option<&Cells> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, cells)| cells)
    }

    /// Every column.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Cells)> {
        self.0.iter().map(|(name, cells)| (&**name, cells))
    }

    /// How many cells each column has; none where there is no column.
    pub fn rows(&self) -> Option<usize> {
        self.0.first().map(|(_, cells)| cells.len())
    }
}
