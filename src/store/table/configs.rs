//! Reading `configs.parquet`: hyperparameters, set-up time and status of every configuration.

use std::fmt::Display;
use std::path::Path;

use arrow::array::{Array, Float64Array, Int64Array, RecordBatch, StringArray};
use base::error::{Error, Result, fault, suggest};
use base::space::{Domain, Numbers, Parameter, Value, ValueKind};
use base::units::SimTime;

use super::findings::Findings;
use super::manifest::Manifest;
use super::parquet_file::{Kind, ParquetFile};
use super::record::Status;
use super::{CONFIGS_FILE, MANIFEST_FILE};

/// What `configs.parquet` holds, by position in the table.
#[derive(Debug)]
pub(super) struct Configs {
    /// One vector a configuration, in the order of ids; each in the space's order.
    pub(super) values: Vec<Vec<Value>>,
    /// 0 where the column is missing or null.
    pub(super) setup_ns: Vec<u64>,
    /// Where the curves of a configuration are complete, if it has a last epoch of its own.
    pub(super) last_epoch: Vec<Option<u16>>,
    /// `None`: to be derived from the curve.
    pub(super) status: Vec<Option<Status>>,
}

/// The column of a configuration's own last epoch, unless a hyperparameter has that name.
const LAST_EPOCH: &str = "last_epoch";

/// How far a float may lie beyond an end of its range, relative to that end, and be taken for it:
/// twice what rounding to 32 bits moves a number. Values and bounds pass through programs that keep
/// either in 32 bits, whatever the type of the column in the end.
const BOUND_SLACK: f64 = 1.0 / (1_u32 << 23) as f64;

/// A column of hyperparameters, as some program typed it.
enum Column {
    Int(Int64Array),
    Float(Float64Array),
    Text(StringArray),
}

/// The reading of one file.
struct Reading<'a> {
    manifest: &'a Manifest,
    file: &'a ParquetFile,
    findings: &'a mut Findings,
    configs: Configs,
    seen: Vec<bool>,
}

/// Reads the whole file. Rows may stand in any order; ids are those of the manifest, each once.
pub(super) fn read(dir: &Path, manifest: &Manifest, findings: &mut Findings) -> Result<Configs> {
    let file = ParquetFile::open(&dir.join(CONFIGS_FILE))?;
    // Before any memory is taken: the two files must agree on how much there is.
    let rows = file.rows()?;
    if rows != u64::from(manifest.configs) {
        let rule = format!("{MANIFEST_FILE} says configs = {}", manifest.configs);
        let remedy = format!("correct `configs` in {MANIFEST_FILE}, or restore the missing rows");
        return Err(fault(file.shown(), "rows", rows, rule, remedy));
    }
    let columns = required_columns(&file, manifest)?;
    // A footer can promise what it likes; one column read to its end cannot.
    file.scan(&["config_id"], |_, _| Ok(()))?;
    let rows = manifest.configs as usize;
    let configs = Configs {
        values: vec![Vec::new(); rows],
        setup_ns: vec![0; rows],
        last_epoch: vec![None; rows],
        status: vec![None; rows],
    };
    let seen = vec![false; rows];
    let mut reading = Reading { manifest, file: &file, findings, configs, seen };
    file.scan(&columns, |first_row, batch| reading.batch(first_row, batch))?;
    Ok(reading.configs)
}

/// Checks that the columns are there and have usable types; the names of those to read.
fn required_columns<'a>(file: &ParquetFile, manifest: &'a Manifest) -> Result<Vec<&'a str>> {
    file.require("config_id", Kind::Ids)?;
    let mut columns = vec!["config_id"];
    for parameter in &manifest.space.parameters {
        let kind = match parameter.domain.value_kind() {
            // pandas makes floats of ints as soon as one is null.
            ValueKind::Int | ValueKind::Float => Kind::Numbers,
            ValueKind::Choice => Kind::Words,
        };
        file.require(&parameter.name, kind)?;
        columns.push(&parameter.name);
    }
    for (optional, kind) in [("setup_seconds", Kind::Numbers), ("status", Kind::Words)] {
        if file.has(optional) {
            file.require(optional, kind)?;
            columns.push(optional);
        }
    }
    if has_last_epoch(file, manifest) {
        file.require(LAST_EPOCH, Kind::Numbers)?;
        columns.push(LAST_EPOCH);
    }
    Ok(columns)
}

fn has_last_epoch(file: &ParquetFile, manifest: &Manifest) -> bool {
    file.has(LAST_EPOCH) && manifest.space.parameters.iter().all(|p| p.name != LAST_EPOCH)
}

impl Reading<'_> {
    fn batch(&mut self, first_row: u64, batch: &RecordBatch) -> Result<()> {
        let ids = self.file.ints(batch, "config_id")?;
        let columns = self.manifest.space.parameters.iter().map(|p| self.column(batch, p));
        let columns = columns.collect::<Result<Vec<_>>>()?;
        let has = |name| batch.column_by_name(name).is_some();
        let setup = has("setup_seconds").then(|| self.file.floats(batch, "setup_seconds"));
        let setup = setup.transpose()?;
        let ends = has_last_epoch(self.file, self.manifest);
        let ends = ends.then(|| self.file.floats(batch, LAST_EPOCH)).transpose()?;
        let status = has("status").then(|| self.file.texts(batch, "status")).transpose()?;
        for at in 0..batch.num_rows() {
            let row = first_row + at as u64;
            let Some(index) = self.place(row, ids.is_valid(at).then(|| ids.value(at)))? else {
                continue;
            };
            let id = self.manifest.ids().start + u32::try_from(index).expect("below `configs`");
            let spot = Spot { shown: self.file.shown(), row, id };
            self.configs.values[index] = self.values(&columns, at, spot)?;
            let seconds = setup.as_ref().filter(|s| s.is_valid(at)).map_or(0.0, |s| s.value(at));
            let step = setup_ns(seconds, spot);
            self.configs.setup_ns[index] = self.findings.keep(step)?.unwrap_or(0);
            // pandas makes floats of whole numbers as soon as one is missing, and NaN of that one.
            let end = ends.as_ref().filter(|ends| ends.is_valid(at)).map(|ends| ends.value(at));
            if let Some(end) = end.filter(|end| !end.is_nan()) {
                let step = last_epoch(end, self.manifest.epochs, spot);
                self.configs.last_epoch[index] = self.findings.keep(step)?;
            }
            if let Some(word) = status.as_ref().filter(|s| s.is_valid(at)).map(|s| s.value(at)) {
                self.configs.status[index] = self.findings.keep(status_of(word, spot))?;
            }
        }
        Ok(())
    }

    fn column(&self, batch: &RecordBatch, parameter: &Parameter) -> Result<Column> {
        let name = &parameter.name;
        let kind = batch.column_by_name(name).expect("projected").data_type().clone();
        Ok(match parameter.domain.value_kind() {
            ValueKind::Choice => Column::Text(self.file.texts(batch, name)?),
            ValueKind::Int if kind.is_integer() && !self.file.is_duration(name) => {
                Column::Int(self.file.ints(batch, name)?)
            }
            _ => Column::Float(self.file.floats(batch, name)?),
        })
    }

    /// The position of an id; `None` for an id that cannot be.
    fn place(&mut self, row: u64, id: Option<i64>) -> Result<Option<usize>> {
        let ids = self.manifest.ids();
        let found = id.map_or("null".into(), |id| id.to_string());
        let fault = |rule: String, remedy: &str| {
            let field = format!("column config_id, row {row}");
            fault(self.file.shown(), field, &found, rule, remedy)
        };
        let index = id.and_then(|id| u32::try_from(id).ok()).filter(|id| ids.contains(id));
        let Some(index) = index.map(|id| (id - ids.start) as usize) else {
            let rule = format!("ids run from {} to {}", ids.start, ids.end - 1);
            self.findings.add(fault(rule, "number the configurations in that range"))?;
            return Ok(None);
        };
        if std::mem::replace(&mut self.seen[index], true) {
            let rule = "every id stands in one row".to_string();
            self.findings.add(fault(rule, "remove one of the rows, or number it anew"))?;
            return Ok(None);
        }
        Ok(Some(index))
    }

    fn values(&mut self, columns: &[Column], at: usize, spot: Spot) -> Result<Vec<Value>> {
        let space = &self.manifest.space;
        let mut values = Vec::with_capacity(columns.len());
        for (parameter, column) in space.parameters.iter().zip(columns) {
            let active = space.is_active(parameter, &values);
            let step = value(parameter, column, at, active, spot);
            values.push(self.findings.keep(step)?.unwrap_or(Value::Inactive));
        }
        Ok(values)
    }
}

/// Where a value stands, for messages.
#[derive(Clone, Copy)]
struct Spot<'a> {
    shown: &'a str,
    row: u64,
    id: u32,
}

impl Spot<'_> {
    fn fault(self, column: &str, value: impl Display, rule: impl Display, remedy: &str) -> Error {
        let field = format!("column {column}, row {} (config_id {})", self.row, self.id);
        fault(self.shown, field, value, rule, remedy)
    }
}

/// The value of one cell. Null, and NaN in a column of floats, mean that the parameter is
/// inactive, and it must be exactly then.
fn value(p: &Parameter, column: &Column, at: usize, active: bool, spot: Spot) -> Result<Value> {
    let found = cell(p, column, at);
    match (found, active) {
        (Cell::Null, false) => Ok(Value::Inactive),
        (Cell::Null, true) => {
            let rule = "an active hyperparameter has a value";
            Err(spot.fault(&p.name, "null", rule, "write its value, or give it a condition"))
        }
        (Cell::Known(_, shown) | Cell::Foreign(shown), false) => {
            let rule = "its condition does not hold: an inactive hyperparameter is null";
            Err(spot.fault(&p.name, shown, rule, "write null, or correct the condition"))
        }
        (Cell::Known(value, _), true) => Ok(value),
        (Cell::Foreign(shown), true) => {
            let rule = format!("must be {}, as {MANIFEST_FILE} says", p.range_text());
            let remedy = "correct the value, or widen the space";
            Err(spot.fault(&p.name, shown, rule, remedy))
        }
    }
}

/// What a cell holds: nothing, a value of the space, or something else; as text for messages.
enum Cell {
    Null,
    Known(Value, String),
    Foreign(String),
}

fn cell(parameter: &Parameter, column: &Column, at: usize) -> Cell {
    let judge = |value: Option<Value>, shown: String| match value {
        Some(value) if parameter.contains(value) => Cell::Known(value, shown),
        _ => Cell::Foreign(shown),
    };
    match (column, &parameter.domain) {
        (Column::Int(a), _) if a.is_null(at) => Cell::Null,
        (Column::Float(a), _) if a.is_null(at) || a.value(at).is_nan() => Cell::Null,
        (Column::Text(a), _) if a.is_null(at) => Cell::Null,
        (Column::Int(a), _) => judge(Some(Value::Int(a.value(at))), a.value(at).to_string()),
        (Column::Float(a), domain) if domain.value_kind() == ValueKind::Int => {
            let found = a.value(at);
            #[expect(clippy::cast_possible_truncation, reason = "whole and below 2^53: exact")]
            let whole = (found.fract() == 0.0 && found.abs() < 9.0e15).then_some(found as i64);
            judge(whole.map(Value::Int), found.to_string())
        }
        (Column::Float(a), Domain::Float { low, high, .. }) => {
            let found = a.value(at);
            // What rounding moved over an end of the range is that end.
            let ends = low - BOUND_SLACK * low.abs()..=high + BOUND_SLACK * high.abs();
            let value = if ends.contains(&found) { found.clamp(*low, *high) } else { found };
            judge(Some(Value::Float(value)), found.to_string())
        }
        (Column::Float(a), Domain::Ordinal { values: Numbers::Float(values) }) => {
            let found = a.value(at);
            // What rounding moved off a value is that value.
            let near = |v: &&f64| (found - **v).abs() <= BOUND_SLACK * v.abs();
            let meant = values.iter().find(near).unwrap_or(&found);
            judge(Some(Value::Float(*meant)), found.to_string())
        }
        (Column::Text(a), Domain::Categorical { choices }) => {
            let word = a.value(at);
            let choice = choices.iter().position(|c| c == word);
            judge(choice.map(Value::Choice), word.to_string())
        }
        _ => unreachable!("columns are read by their parameter's domain"),
    }
}

fn setup_ns(seconds: f64, spot: Spot) -> Result<u64> {
    SimTime::from_seconds(seconds).map(|t| t.0).ok_or_else(|| {
        let rule = format!("must be 0 to {} seconds", SimTime::SECONDS_MAX);
        spot.fault("setup_seconds", seconds, rule, "write the seconds, or null")
    })
}

/// An epoch of the table, as a whole number.
fn last_epoch(found: f64, epochs: u16, spot: Spot) -> Result<u16> {
    let range = 1.0..=f64::from(epochs);
    if found.fract() == 0.0 && range.contains(&found) {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "just checked"
        )]
        return Ok(found as u16);
    }
    let rule = format!("must be an epoch from 1 to {epochs}, as {MANIFEST_FILE} says, or null");
    Err(spot.fault(LAST_EPOCH, found, rule, "write the epoch at which the curve is complete"))
}

fn status_of(word: &str, spot: Spot) -> Result<Status> {
    Status::from_word(word).ok_or_else(|| {
        let rule = "no such status is known";
        spot.fault("status", word, rule, &suggest(word, Status::ALL.map(Status::word)))
    })
}
