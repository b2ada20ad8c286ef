//! The table that is exported, with all of its columns.

use std::path::Path;

use base::error::Result;
use base::measured::NOT_MEASURED;
use base::space::{Domain, Parameter, Value};
use base::units::ConfigId;
use serde_json::{Value as Json, json};

use crate::table::{
    CURVE_KEYS, ConfigCells, KnownColumns, LoadOptions, MANIFEST_FILE, SECONDS_COLUMN, Table,
};

/// A table with what a replay does not need.
pub(super) struct Source {
    pub(super) table: Table,
    /// Columns of curves beside keys, metric and seconds, as far as they are numbers.
    pub(super) further: Vec<String>,
    /// Set-up seconds by configuration; none where there is no such column.
    pub(super) setup_seconds: Option<Vec<f64>>,
}

impl Source {
    pub(super) fn read(dir: &Path) -> Result<Self> {
        if !dir.join(MANIFEST_FILE).is_file() {
            // What is no table is told so as everywhere.
            Table::load(dir, &LoadOptions::default())?;
        }
        let known = KnownColumns::read(dir)?;
        let numbers = known.curves.into_iter().filter(|column| column.is_number);
        let mut columns: Vec<String> = numbers.map(|column| column.name).collect();
        columns.retain(|name| !CURVE_KEYS.contains(&name.as_str()));
        let options = LoadOptions { columns: columns.clone(), ..LoadOptions::default() };
        let table = Table::load(dir, &options)?;
        let metric = &table.manifest.metric.name;
        columns.retain(|name| name != metric && name != SECONDS_COLUMN);
        let has_setup = known.configs.iter().any(|column| column.name == "setup_seconds");
        let is_parameter = table.manifest.space.position("setup_seconds").is_some();
        let setup_seconds = if has_setup && !is_parameter {
            match ConfigCells::read(dir, &table, "setup_seconds")? {
                ConfigCells::Numbers(numbers) => Some(numbers),
                ConfigCells::Words(_) => None,
            }
        } else {
            None
        };
        Ok(Self { table, further: columns, setup_seconds })
    }

    /// Every configuration's id.
    pub(super) fn ids(&self) -> impl Iterator<Item = ConfigId> + use<> {
        self.table.manifest.ids().map(ConfigId)
    }

    pub(super) fn parameters(&self) -> &[Parameter] {
        &self.table.manifest.space.parameters
    }

    pub(super) fn values(&self, id: ConfigId) -> &[Value] {
        &self.table.configs[self.at(id)]
    }

    pub(super) fn at(&self, id: ConfigId) -> usize {
        (id.0 - self.table.manifest.ids().start) as usize
    }

    pub(super) fn metric(&self) -> &str {
        &self.table.manifest.metric.name
    }

    /// The metric of a training, epoch by epoch.
    pub(super) fn curve(&self, id: ConfigId, repeat: u16) -> &[f64] {
        self.table.curve(id, repeat).map_or(&[], |curve| curve.values)
    }

    /// The seconds of a training, epoch by epoch.
    pub(super) fn seconds(&self, id: ConfigId, repeat: u16) -> &[f64] {
        self.table.column(SECONDS_COLUMN, id, repeat).unwrap_or_default()
    }

    pub(super) fn further(&self, name: &str, id: ConfigId, repeat: u16) -> &[f64] {
        self.table.column(name, id, repeat).unwrap_or_default()
    }

    /// What a configuration cost before its first epoch.
    pub(super) fn setup(&self, id: ConfigId) -> f64 {
        self.setup_seconds.as_ref().map_or(0.0, |all| all[self.at(id)])
    }
}

/// A value as JSON; null where its parameter plays no part.
pub(super) fn json_of(value: Value, parameter: &Parameter) -> Json {
    match (value, &parameter.domain) {
        (Value::Int(int), _) => json!(int),
        (Value::Float(float), _) => json!(float),
        (Value::Choice(at), Domain::Categorical { choices }) => json!(choices[at]),
        _ => Json::Null,
    }
}

/// A number as text that is read back as the same; empty where there is none.
pub(super) fn number(value: f64) -> String {
    if value.to_bits() == NOT_MEASURED.to_bits() { String::new() } else { format!("{value:?}") }
}
