//! Columns of configurations, by the names that expressions have for them.

use std::path::Path;

use base::error::Result;
use base::measured::NOT_MEASURED;
use base::space::{Domain, Value};
use store::table::{ConfigCells, KnownColumn, Table};

/// What is no number of a configuration, and why.
pub(super) const CONFIG_ID: &str = "config_id";
/// How columns begin that no method ever sees.
pub(super) const TEST: &str = "test_";

/// Whether a column of `configs.parquet` may stand in an expression: the key may not, nor what was
/// measured on test images. A hyperparameter may have any name.
pub(super) fn is_usable(name: &str, parameters: &[String]) -> bool {
    let is_parameter = parameters.iter().any(|parameter| parameter == name);
    is_parameter || (name != CONFIG_ID && !name.starts_with(TEST))
}

/// The names of the columns that may stand in an expression.
pub(super) fn usable<'a>(
    columns: &'a [KnownColumn],
    parameters: &'a [String],
) -> impl Iterator<Item = &'a str> {
    let names = columns.iter().map(|column| column.name.as_str());
    names.filter(|name| is_usable(name, parameters))
}

/// The cells of a column, by position. A hyperparameter is as the table was loaded, null where it
/// is inactive.
pub(super) fn cells(dir: &Path, table: &Table, name: &str) -> Result<ConfigCells> {
    let parameters = &table.manifest.space.parameters;
    let Some(at) = parameters.iter().position(|parameter| parameter.name == name) else {
        return ConfigCells::read(dir, table, name);
    };
    let values = table.configs.iter().map(|row| row[at]);
    if let Domain::Categorical { choices } = &parameters[at].domain {
        let word = |value| match value {
            Value::Choice(choice) => Some(choices[choice].clone()),
            _ => None,
        };
        return Ok(ConfigCells::Words(values.map(word).collect()));
    }
    #[expect(clippy::cast_precision_loss, reason = "ranges of ints stay below 2^53")]
    let number = |value| match value {
        Value::Int(number) => number as f64,
        Value::Float(number) => number,
        Value::Choice(_) | Value::Inactive => NOT_MEASURED,
    };
    Ok(ConfigCells::Numbers(values.map(number).collect()))
}
