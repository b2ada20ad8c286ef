//! Which columns a table has: data, given by whoever fills the table or knows its columns.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use base::space::{Space, ValueKind};

use super::{CURVE_KEYS, SECONDS_COLUMN};
use crate::columns::{ColumnSpec, Kind};

/// The columns of a table's two files, in their order, but for those that every table has:
/// `config_id` in both, and one a hyperparameter in `configs.parquet`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Layout {
    pub configs: Vec<ColumnSpec>,
    /// `repeat` and `epoch` among them.
    pub curves: Vec<ColumnSpec>,
    /// The field of `provenance` that tables of this layout's maker have: elsewhere, a column of
    /// `curves.parquet` may have the same name and be something else.
    pub maker: Option<&'static str>,
}

impl Layout {
    /// What is known of a column of `configs.parquet`.
    pub fn config_column(&self, name: &str) -> Option<&ColumnSpec> {
        self.configs.iter().find(|column| column.name == name)
    }

    /// What is known of a column of `curves.parquet`.
    pub fn curve_column(&self, name: &str) -> Option<&ColumnSpec> {
        self.curves.iter().find(|column| column.name == name)
    }

    /// Whether the numbers of a column of `configs.parquet` repeat themselves.
    pub(super) fn config_repeats(&self, name: &str) -> bool {
        self.config_column(name).is_some_and(|column| column.few_values)
    }

    /// Whether the numbers of a column of `curves.parquet` repeat themselves.
    pub(super) fn curve_repeats(&self, name: &str) -> bool {
        self.curve_column(name).is_some_and(|column| column.few_values)
    }

    /// Columns of `curves.parquet`.
    pub(super) fn curves_schema(&self) -> SchemaRef {
        let mut fields = vec![id_field()];
        fields.extend(self.curves.iter().map(ColumnSpec::field));
        Arc::new(Schema::new(fields))
    }

    /// Columns of `configs.parquet`.
    pub(super) fn configs_schema(&self, space: &Space) -> SchemaRef {
        let mut fields = vec![id_field()];
        fields.extend(space.parameters.iter().map(|parameter| {
            let kind = match parameter.domain.value_kind() {
                ValueKind::Int => DataType::Int64,
                ValueKind::Float => DataType::Float64,
                ValueKind::Choice => DataType::Utf8,
            };
            Field::new(&parameter.name, kind, parameter.condition.is_some())
        }));
        fields.extend(self.configs.iter().map(ColumnSpec::field));
        Arc::new(Schema::new(fields))
    }

    /// What every reader relies on: a bug of whoever made the layout, not an input.
    pub(super) fn assert_sound(&self, space: &Space, metric: &str) {
        let [id, keys @ ..] = CURVE_KEYS;
        for key in keys {
            let column = self.curve_column(key);
            let sound = column.is_some_and(|column| column.kind == Kind::U16 && !column.nullable);
            assert!(sound, "curves need a column {key} of u16 that is never null");
        }
        for name in [metric, SECONDS_COLUMN] {
            assert!(self.curve_column(name).is_some(), "curves need a column {name}");
        }
        let parameters = space.parameters.iter().map(|parameter| &*parameter.name);
        let configs = self.configs.iter().map(|column| &*column.name).chain(parameters);
        assert_distinct([id].into_iter().chain(configs));
        assert_distinct([id].into_iter().chain(self.curves.iter().map(|column| &*column.name)));
    }
}

fn id_field() -> Field {
    let [id, ..] = CURVE_KEYS;
    Field::new(id, DataType::UInt32, false)
}

fn assert_distinct<'a>(names: impl Iterator<Item = &'a str>) {
    let mut seen = std::collections::HashSet::new();
    for name in names {
        assert!(seen.insert(name), "two columns have the name {name}");
    }
}
