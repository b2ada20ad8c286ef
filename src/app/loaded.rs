//! A table in memory, for programs that look things up in it and run on it.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use base::error::{Result, fault, suggest};
use base::space::{Domain, Literal, Parameter, Space, Value};
use base::units::{ConfigId, Epoch};
use replay::{Pool, Recorded, Settings as Engine, Stepper};
use store::Frame;
use store::table::{self, CONFIGS_FILE, CURVES_FILE, MANIFEST_FILE, Manifest};

use crate::Events;
use crate::settings::{Experiments, Given, REPLAY};

/// What is said of a table when it is loaded: which part of it is replayed, at which cost, and what
/// is reached for.
const OF_A_TABLE: [&str; 6] = ["cost", "curve_repeat", "rows", "where", "metric", "objective"];

/// What messages call the place of a mistake in a configuration.
const PLACE: &str = "config";

/// A configuration as somebody else has it: names with what stands for a value, `None` for a
/// hyperparameter that plays no part.
pub type Named<'a> = &'a [(String, Option<Literal>)];

/// A table in memory.
#[derive(Debug)]
pub struct LoadedTable {
    dir: PathBuf,
    manifest: Manifest,
    /// One a row of the pool.
    configs: Vec<Vec<Value>>,
    pool: Arc<Pool>,
    rows: OnceLock<HashMap<Vec<u64>, Vec<u32>>>,
    /// A run in which every row is free, for the nearest of them all.
    untouched: OnceLock<Mutex<Stepper>>,
}

impl LoadedTable {
    /// Loads the table in a directory. `given` are keywords: those of a replay that say what of a
    /// table is replayed.
    ///
    /// # Errors
    /// Faults of the table and of what does not fit it.
    pub fn load(dir: &Path, given: Given, events: &dyn Events) -> Result<Self> {
        given.check_only(&OF_A_TABLE)?;
        let door = given.door().clone();
        let given = given.set("table", dir.display().to_string()).set("goal", "rank:1");
        let options = Experiments::read(&given)?.table_options;
        let loaded = options.load_with_table(dir, events);
        let (table, pool) = loaded.map_err(|error| door.respell(REPLAY, error))?;
        let ids = (0..pool.rows()).map(|row| pool.ids().id_of(ConfigId(row)));
        let configs = ids.map(|id| table.configs[id.index()].clone()).collect();
        Ok(Self {
            dir: dir.to_path_buf(),
            manifest: table.manifest,
            configs,
            pool: Arc::new(pool),
            rows: OnceLock::new(),
            untouched: OnceLock::new(),
        })
    }

    /// Its directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// What is replayed of it.
    pub fn pool(&self) -> &Arc<Pool> {
        &self.pool
    }

    /// What `table.json` says.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Its `table.json` as it stands.
    ///
    /// # Errors
    /// A file that has gone since it was loaded.
    pub fn manifest_text(&self) -> Result<String> {
        let path = self.dir.join(MANIFEST_FILE);
        store::inputs::read_text(&path, u64::MAX >> 1)
            .map_err(|e| fault(path.display(), "file", e, "must be readable", "restore the table"))
    }

    /// `configs.parquet` as it stands.
    ///
    /// # Errors
    /// A file that has gone or changed since it was loaded.
    pub fn configs_frame(&self) -> Result<Frame> {
        table::frame(&self.dir, CONFIGS_FILE)
    }

    /// `curves.parquet` as it stands.
    ///
    /// # Errors
    /// As [`Self::configs_frame`].
    pub fn curves_frame(&self) -> Result<Frame> {
        table::frame(&self.dir, CURVES_FILE)
    }

    /// The row that the table's id names.
    ///
    /// # Errors
    /// A fault of an id that is no row.
    pub fn row_of(&self, id: i64) -> Result<ConfigId> {
        let row = u32::try_from(id).ok().and_then(|id| self.pool.ids().row_of(ConfigId(id)));
        row.filter(|row| row.0 < self.pool.rows()).ok_or_else(|| {
            let rule = format!("table `{}` has {} rows", self.pool.name(), self.pool.rows());
            fault(PLACE, "row", id, rule, "give a `config_id` of the table")
        })
    }

    /// The recorded curve of a row: which training of it, `None` for the first.
    ///
    /// # Errors
    /// A fault of a training that was not recorded.
    pub fn recorded(&self, row: ConfigId, repeat: Option<u16>) -> Result<Recorded<'_>> {
        let has = |repeat: &u16| self.pool.recorded(row, *repeat).is_some();
        let repeat = repeat.map_or_else(|| (0..=u16::MAX).find(has), Some);
        repeat.and_then(|repeat| self.pool.recorded(row, repeat)).ok_or_else(|| {
            let value = repeat.map_or("any".to_string(), |repeat| repeat.to_string());
            let rule = format!("row {} has no such training", self.pool.ids().id_of(row));
            fault("repeat", "repeat", value, rule, "leave it out for the first")
        })
    }

    /// A row's configuration, in the space's order.
    pub fn config(&self, row: ConfigId) -> &[Value] {
        &self.configs[row.index()]
    }

    /// The rows that have a configuration, to the last bit; mostly none or one.
    pub fn rows_of(&self, values: &[Value]) -> &[u32] {
        let rows = self.rows.get_or_init(|| {
            let mut rows: HashMap<Vec<u64>, Vec<u32>> = HashMap::new();
            for (row, values) in (0..).zip(&self.configs) {
                rows.entry(key(values)).or_default().push(row);
            }
            rows
        });
        rows.get(&key(values)).map_or(&[], Vec::as_slice)
    }

    /// The row nearest to a configuration in the unit cube, with its distance: what a replay makes
    /// of a proposal while every row is free.
    pub fn nearest(&self, values: &[Value]) -> (ConfigId, f64) {
        let untouched = self.untouched.get_or_init(|| {
            let run = Stepper::new(Arc::clone(&self.pool), Engine::default(), &[], 0);
            Mutex::new(run.expect("nothing is asked for that it refuses"))
        });
        let point = self.pool.space().to_unit(values);
        let mut run = untouched.lock().unwrap_or_else(PoisonError::into_inner);
        run.nearest(&point).expect("a table has rows, and all are free")
    }

    /// A configuration as a message shows it.
    pub fn shown(&self, values: &[Value]) -> String {
        shown(self.pool.space(), values)
    }

    /// Epochs of a complete curve.
    pub fn epochs(&self) -> Epoch {
        self.pool.epochs()
    }
}

/// Equal for equal configurations alone.
fn key(values: &[Value]) -> Vec<u64> {
    let bits = |value: &Value| match value {
        Value::Int(v) => v.cast_unsigned(),
        // The two zeros are one number.
        Value::Float(v) => (v + 0.0).to_bits(),
        Value::Choice(c) => *c as u64,
        // No number has the bits of this NaN.
        Value::Inactive => base::measured::NOT_MEASURED.to_bits(),
    };
    values.iter().map(bits).collect()
}

/// A configuration as a message shows it.
pub fn shown(space: &Space, values: &[Value]) -> String {
    let pairs = space.parameters.iter().zip(values);
    let pairs = pairs.filter_map(|(parameter, value)| {
        let value = literal(space, parameter.name.as_str(), *value)?;
        Some(format!("{}={value}", parameter.name))
    });
    pairs.collect::<Vec<_>>().join(", ")
}

/// A value as others write it; `None` where the parameter plays no part.
pub fn literal(space: &Space, name: &str, value: Value) -> Option<Literal> {
    match value {
        Value::Int(v) => Some(Literal::Int(v)),
        Value::Float(v) => Some(Literal::Float(v)),
        Value::Choice(at) => {
            let parameter = &space.parameters[space.position(name)?];
            match &parameter.domain {
                Domain::Categorical { choices } => Some(Literal::Text(choices[at].clone())),
                _ => None,
            }
        }
        Value::Inactive => None,
    }
}

/// A configuration by names as values in the space's order.
///
/// # Errors
/// A fault of a parameter that is missing, unknown, of another type, out of its range, or given
/// though its condition does not hold.
pub fn values_of(space: &Space, named: Named<'_>) -> Result<Vec<Value>> {
    let known = || space.parameters.iter().map(|parameter| parameter.name.as_str());
    for (name, value) in named {
        if space.position(name).is_none() {
            let value = value.as_ref().map_or("None".to_string(), ToString::to_string);
            let rule = "the space has no such hyperparameter";
            return Err(fault(PLACE, name, value, rule, suggest(name, known())));
        }
    }
    let mut values = Vec::with_capacity(space.parameters.len());
    for parameter in &space.parameters {
        let name = &parameter.name;
        let found = named.iter().find(|(known, _)| known == name);
        let is_active = space.is_active(parameter, &values);
        let value = match found.map(|(_, value)| value.as_ref()) {
            None | Some(None) if !is_active => Value::Inactive,
            None => {
                let rule = "the configuration lacks this hyperparameter";
                let remedy = format!("add `{name}`, {}", parameter.range_text());
                return Err(fault(PLACE, name, "missing", rule, remedy));
            }
            Some(Some(literal)) if !is_active => {
                let rule = "its condition does not hold, so that it plays no part";
                return Err(fault(PLACE, name, literal, rule, "leave it out, or give None"));
            }
            Some(literal) => {
                literal.and_then(|literal| lenient(parameter, literal)).ok_or_else(|| {
                    let value = literal.map_or("None".to_string(), ToString::to_string);
                    let rule = format!("must be {}", parameter.range_text());
                    fault(PLACE, name, value, rule, "choose a value of that type and range")
                })?
            }
        };
        values.push(value);
    }
    Ok(values)
}

/// A literal as a value of a parameter; a whole number that came as a real one is that number.
fn lenient(parameter: &Parameter, literal: &Literal) -> Option<Value> {
    let exact = parameter.value_of(literal);
    let Literal::Float(number) = literal else { return exact };
    #[expect(clippy::cast_possible_truncation, reason = "only what is whole and small is taken")]
    let whole = (number.trunc() == *number && number.abs() < 9e15).then_some(*number as i64);
    exact.or_else(|| parameter.value_of(&Literal::Int(whole?)))
}
