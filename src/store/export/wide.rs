//! Parquet in wide form: a row a training, and of the metric and of its seconds a column an epoch.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use arrow::record_batch::RecordBatch;
use base::error::{Result, internal};
use base::measured::is_measured;
use base::space::{Domain, Value, ValueKind};
use base::units::ConfigId;

use super::source::Source;
use super::{Exported, place};
use crate::parquet_writer::{self, ParquetWriter};
use crate::table::SECONDS_COLUMN;

const ZSTD_LEVEL: i32 = 3;
const ROW_GROUP_ROWS: usize = 1 << 16;

pub(super) fn write(source: &Source, out: &Path) -> Result<Exported> {
    let trainings: Vec<(ConfigId, u16)> = source
        .ids()
        .flat_map(|id| source.table.repeats(id).map(move |repeat| (id, repeat)))
        .collect();
    let batch = table(source, &trainings)?;
    place::whole(out, |into| parquet(&batch, into))?;
    let mut notes = Vec::new();
    if !source.further.is_empty() {
        let count = base::units::plural(source.further.len(), "further column");
        notes.push(format!("{count} of the curves are left out: csv has room for them"));
    }
    let configs = source.table.manifest.configs;
    Ok(Exported { configs, rows: trainings.len() as u64, notes })
}

/// Writes rows, as this room writes every Parquet file.
pub(super) fn parquet(batch: &RecordBatch, into: &mut (impl std::io::Write + Send)) -> Result<()> {
    let failed = |e| internal("writing Parquet", e);
    let properties = parquet_writer::properties(ZSTD_LEVEL, ROW_GROUP_ROWS);
    let mut writer = ParquetWriter::new(into, batch.schema(), properties).map_err(failed)?;
    writer.write(batch).map_err(failed)?;
    writer.finish().map_err(failed)
}

/// Columns on their way into a batch.
#[derive(Default)]
pub(super) struct Columns {
    fields: Vec<Field>,
    arrays: Vec<ArrayRef>,
}

impl Columns {
    pub(super) fn ints(&mut self, name: &str, cells: impl Iterator<Item = Option<i64>>) {
        self.fields.push(Field::new(name, DataType::Int64, true));
        self.arrays.push(Arc::new(cells.collect::<Int64Array>()));
    }

    pub(super) fn floats(&mut self, name: &str, cells: impl Iterator<Item = Option<f64>>) {
        self.fields.push(Field::new(name, DataType::Float64, true));
        self.arrays.push(Arc::new(cells.collect::<Float64Array>()));
    }

    pub(super) fn texts<'a>(&mut self, name: &str, cells: impl Iterator<Item = Option<&'a str>>) {
        self.fields.push(Field::new(name, DataType::Utf8, true));
        self.arrays.push(Arc::new(cells.collect::<StringArray>()));
    }

    pub(super) fn batch(self) -> Result<RecordBatch> {
        RecordBatch::try_new(Arc::new(Schema::new(self.fields)), self.arrays)
            .map_err(|e| internal("making a batch of rows", e))
    }

    /// A column a hyperparameter; `filled` has a value for one that plays no part.
    pub(super) fn parameters(
        &mut self,
        source: &Source,
        ids: &[ConfigId],
        filled: impl Fn(&Domain) -> Option<Value>,
    ) {
        for (at, parameter) in source.parameters().iter().enumerate() {
            let value = |id: &ConfigId| match source.values(*id)[at] {
                Value::Inactive => filled(&parameter.domain),
                value => Some(value),
            };
            let (name, ids) = (&parameter.name, ids.iter());
            match (parameter.domain.value_kind(), &parameter.domain) {
                (ValueKind::Int, _) => self.ints(
                    name,
                    ids.map(|id| match value(id) {
                        Some(Value::Int(int)) => Some(int),
                        _ => None,
                    }),
                ),
                (ValueKind::Float, _) => self.floats(
                    name,
                    ids.map(|id| match value(id) {
                        Some(Value::Float(float)) => Some(float),
                        _ => None,
                    }),
                ),
                (_, Domain::Categorical { choices }) => {
                    self.texts(
                        name,
                        ids.map(|id| match value(id) {
                            Some(Value::Choice(at)) => Some(choices[at].as_str()),
                            _ => None,
                        }),
                    );
                }
                _ => unreachable!("a choice is categorical"),
            }
        }
    }
}

fn table(source: &Source, trainings: &[(ConfigId, u16)]) -> Result<RecordBatch> {
    let mut columns = Columns::default();
    let of = |(id, repeat): &(ConfigId, u16)| (Some(i64::from(id.0)), Some(i64::from(*repeat)));
    columns.ints("config_id", trainings.iter().map(|training| of(training).0));
    columns.ints("repeat", trainings.iter().map(|training| of(training).1));
    let ids: Vec<ConfigId> = trainings.iter().map(|(id, _)| *id).collect();
    columns.parameters(source, &ids, |_| None);
    let status = ids.iter().map(|id| Some(source.table.status[source.at(*id)].word()));
    columns.texts("status", status);
    if ids.iter().any(|id| source.table.last_epoch(*id).is_some()) {
        let last = ids.iter().map(|id| source.table.last_epoch(*id).map(i64::from));
        columns.ints("last_epoch", last);
    }
    if source.setup_seconds.is_some() {
        let setup = ids.iter().map(|id| Some(source.setup(*id)).filter(|s| s.is_finite()));
        columns.floats("setup_seconds", setup);
    }
    for (name, of) in [
        (source.metric(), Source::curve as fn(&Source, ConfigId, u16) -> &[f64]),
        (SECONDS_COLUMN, Source::seconds),
    ] {
        for epoch in 0..usize::from(source.table.epochs()) {
            let cell = |(id, repeat): &(ConfigId, u16)| {
                of(source, *id, *repeat).get(epoch).copied().filter(|value| is_measured(*value))
            };
            columns.floats(&format!("{name}_{}", epoch + 1), trainings.iter().map(cell));
        }
    }
    columns.batch()
}
