//! From a loaded table to a pool.

use std::ops::Range;
use std::path::Path;

use base::error::{Result, fault};
use base::units::{ConfigId, Epoch, SimTime, plural};
use replay::{Pool, RecordedCurve, RecordedRow, RowIds};
use store::table::{CURVE_KEYS, LoadOptions, Manifest, SECONDS_COLUMN, Table};
use train::record::known_columns;

use crate::objective::{OnTable, Values};
use crate::settings::recorded_table_options;
use crate::table_hash::table_hash;
use crate::{Events, Silent, extrapolate};

pub use crate::objective::{Filter, Objective};

/// Which of a row's recorded trainings a run replays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CurveRepeat {
    /// This one, in every run.
    Fixed(u16),
    /// One drawn for each (seed, repeat, configuration), the same for every method.
    Draw,
}

impl Default for CurveRepeat {
    fn default() -> Self {
        Self::Fixed(0)
    }
}

impl CurveRepeat {
    /// Reads a repeat's number or `draw`; `option` names it in errors.
    pub fn parse(option: &str, text: &str) -> Result<Self> {
        if text == "draw" {
            return Ok(Self::Draw);
        }
        text.parse().map(Self::Fixed).map_err(|_| {
            let rule = "must be the number of a recorded repeat, or draw";
            fault(option, "repeat", text, rule, "write 0, 1, ... or draw")
        })
    }
}

/// A part of what is replayed, or what becomes of it, for comparisons under other settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Whole,
    /// The first half of the rows.
    FirstHalf,
    /// The others.
    SecondHalf,
    /// All rows, every epoch at the cost of a second.
    UnitCosts,
}

impl Part {
    /// Which of these configurations.
    fn of(self, ids: &[u32]) -> &[u32] {
        let half = ids.len().div_ceil(2);
        match self {
            Self::Whole | Self::UnitCosts => ids,
            Self::FirstHalf => &ids[..half],
            Self::SecondHalf => &ids[half..],
        }
    }
}

/// What of a table is replayed.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TableOptions {
    /// The column of `curves.parquet` that an epoch is charged; `seconds` where it says nothing.
    pub cost: Option<String>,
    pub curve_repeat: CurveRepeat,
    /// The configurations from the first id to before the second; all where it says nothing.
    pub rows: Option<Range<u32>>,
    /// What is reached for instead of the table's metric.
    pub objective: Option<Objective>,
    /// What must hold of a configuration for it to be a row.
    pub filter: Option<Filter>,
}

impl TableOptions {
    /// Loads the table in a directory.
    pub fn load(&self, dir: &Path) -> Result<Pool> {
        self.load_and_warn(dir, &Silent)
    }

    /// Loads the table in a directory, and warns of numbers that are probably not what a replay
    /// takes them for.
    pub fn load_and_warn(&self, dir: &Path, events: &dyn Events) -> Result<Pool> {
        self.load_with_table(dir, events).map(|(_, pool)| pool)
    }

    /// A part of what is replayed of the table in a directory.
    pub(crate) fn load_part(&self, dir: &Path, part: Part) -> Result<Pool> {
        let read = self.read(dir)?;
        let ids = self.ids(dir, &read.table)?;
        self.pool(dir, &read, part.of(&ids), part == Part::UnitCosts)
    }

    /// What is replayed, and the whole table that it was made of.
    pub(crate) fn load_with_table(&self, dir: &Path, events: &dyn Events) -> Result<(Table, Pool)> {
        let read = self.read(dir)?;
        for doubt in read.table.doubts(known_columns().maker) {
            events.warn(&format!("table {}, {doubt}", read.table.manifest.name));
        }
        let ids = self.ids(dir, &read.table)?;
        let pool = self.pool(dir, &read, &ids, false)?;
        Ok((read.table, pool))
    }

    /// Another table as methods of a run on `pool` may know it: at the same cost, with the same
    /// objective, and the same configurations, as far as it has them.
    pub(crate) fn load_beside(pool: &Pool, dir: &Path) -> Result<Pool> {
        let Self { cost, objective, .. } = recorded_table_options(pool.options())?;
        let options = Self { cost, objective, ..Self::default() };
        let read = options.read(dir)?;
        let mut ids = options.ids(dir, &read.table)?;
        if *pool.ids() != RowIds::default() {
            let own = (0..pool.rows()).map(|row| pool.ids().id_of(ConfigId(row)).0);
            let own: Vec<u32> = own.filter(|id| (*id as usize) < ids.len()).collect();
            ids = own;
        }
        options.pool(dir, &read, &ids, false)
    }

    fn cost_column(&self) -> &str {
        self.cost.as_deref().unwrap_or(SECONDS_COLUMN)
    }

    fn read(&self, dir: &Path) -> Result<Read> {
        if let Some(cost) = &self.cost {
            refuse_no_cost(dir, cost)?;
        }
        let objective = self.objective.as_ref();
        let objective = objective.map(|objective| objective.on_table(dir, self.cost_column()));
        let mut objective = objective.transpose()?.flatten();
        let columns = objective.as_ref().map(OnTable::columns).unwrap_or_default();
        let cost_column = self.cost.clone();
        let options = LoadOptions { cost_column, columns, ..LoadOptions::default() };
        let table = Table::load(dir, &options)?;
        if let Some(objective) = &mut objective {
            objective.read_configs(dir, &table)?;
        }
        Ok(Read { table, objective })
    }

    /// The configurations that are rows, in the table's order.
    fn ids(&self, dir: &Path, table: &Table) -> Result<Vec<u32>> {
        let all = u32::try_from(table.rows()).expect("config ids are 32 bits");
        let name = &table.manifest.name;
        let mut ids: Vec<u32> = self.rows.clone().unwrap_or(0..all).collect();
        if let Some(rows) = self.rows.as_ref().filter(|rows| rows.end > all) {
            let rule = format!("table `{name}` has rows 0..{all}");
            let remedy = "name a block within it; the end is not part of it";
            return Err(fault("--rows", "rows", rows_text(rows), rule, remedy));
        }
        let Some(filter) = &self.filter else { return Ok(ids) };
        let keeps = filter.keeps(dir, table)?;
        let of = ids.len();
        ids.retain(|id| keeps[*id as usize]);
        if ids.is_empty() {
            let rule = format!("holds for none of the {} of table `{name}`", plural(of, "row"));
            let remedy = "ask for less; `curvebook table info` shows what the columns hold";
            return Err(fault("--where", "where", filter.text(), rule, remedy));
        }
        Ok(ids)
    }

    fn pool(&self, dir: &Path, read: &Read, ids: &[u32], has_unit_costs: bool) -> Result<Pool> {
        let Read { table, objective } = read;
        let objective = objective.as_ref();
        let source = Source { table, repeat: self.curve_repeat, ids, objective, has_unit_costs };
        let mut pool = source.pool()?;
        pool.set_options(self.text(objective));
        pool.set_table_hash(table_hash(dir, &table.manifest)?);
        // What was extrapolated and kept are curves of the table's own metric.
        if objective.is_none() {
            let kept = extrapolate::kept(dir, pool.table_hash(), pool.ids());
            pool.set_extrapolations(kept);
        }
        Ok(pool)
    }

    /// What is not the default, as options without their dashes.
    fn text(&self, objective: Option<&OnTable>) -> String {
        let mut options = Vec::new();
        if self.cost_column() != SECONDS_COLUMN {
            options.push(format!("cost={}", self.cost_column()));
        }
        match self.curve_repeat {
            CurveRepeat::Fixed(0) => {}
            CurveRepeat::Fixed(repeat) => options.push(format!("curve-repeat={repeat}")),
            CurveRepeat::Draw => options.push("curve-repeat=draw".to_string()),
        }
        options.extend(self.rows.as_ref().map(|rows| format!("rows={}", rows_text(rows))));
        options.extend(objective.map(|objective| objective.option.clone()));
        options.extend(self.filter.as_ref().map(|filter| format!("where={}", filter.text())));
        options.join(" ")
    }
}

/// A loaded table and what is reached for on it, where that is not its metric.
struct Read {
    table: Table,
    objective: Option<OnTable>,
}

/// Reads a block of rows, `0..1000`; `option` names it in faults.
///
/// # Errors
/// A fault for what is no two whole numbers, and for a block without rows.
pub fn parse_rows(option: &str, text: &str) -> Result<Range<u32>> {
    let remedy = "write the first row and the one after the last: 0..1000";
    let refuse = |rule: &str| Err(fault(option, "rows", text, rule, remedy));
    let ends = text.split_once("..").and_then(|(from, to)| {
        let number = |text: &str| text.trim().parse::<u32>().ok();
        Some(number(from)?..number(to)?)
    });
    match ends {
        None => refuse("a block of rows is two whole numbers with two full stops between"),
        Some(rows) if rows.is_empty() => refuse("the block has no rows"),
        Some(rows) => Ok(rows),
    }
}

/// A block as [`parse_rows`] reads it.
pub(crate) fn rows_text(rows: &Range<u32>) -> String {
    format!("{}..{}", rows.start, rows.end)
}

/// Refuses a column that is no cost before it is read.
fn refuse_no_cost(dir: &Path, cost: &str) -> Result<()> {
    let rule = if CURVE_KEYS.contains(&cost) {
        "says which epoch a row is about, and not what it cost".to_string()
    } else {
        let manifest = Manifest::read(dir)?;
        if cost != manifest.metric.name {
            return Ok(());
        }
        format!("is what table `{}` measures, and not a cost", manifest.name)
    };
    let remedy = "name a column of seconds, or of another cost of an epoch";
    Err(fault("--cost", "cost", cost, rule, remedy))
}

/// What a pool is made of.
struct Source<'a> {
    table: &'a Table,
    repeat: CurveRepeat,
    /// The configurations that are its rows, ascending.
    ids: &'a [u32],
    /// Instead of the table's metric.
    objective: Option<&'a OnTable>,
    /// Whether every epoch costs a second.
    has_unit_costs: bool,
}

impl Source<'_> {
    /// The pool. Where rows draw among the trainings that they have, values by rank (goals) are
    /// those of the first of them.
    fn pool(&self) -> Result<Pool> {
        if let CurveRepeat::Fixed(wanted) = self.repeat {
            check_all_have(self.table, self.ids, wanted)?;
        }
        let manifest = &self.table.manifest;
        let metric = self.objective.map_or(&manifest.metric, |objective| &objective.metric);
        let epochs = Epoch(self.table.epochs());
        let values: Vec<Vec<Values>> = match self.objective {
            Some(objective) => self.ids.iter().map(|id| self.values(objective, *id)).collect(),
            None => Vec::new(),
        };
        let second = vec![SimTime::from_seconds(1.0).expect("a second").0; epochs.0.into()];
        let row = |(at, id): (usize, &u32)| {
            let values = values.get(at).map_or(&[][..], Vec::as_slice);
            self.row(ConfigId(*id), values, &second)
        };
        let configs = self.ids.iter().map(|id| self.table.configs[*id as usize].clone());
        let configs: Vec<_> = configs.collect();
        let rows = self.ids.iter().enumerate().map(row);
        let (name, space) = (&manifest.name, &manifest.space);
        let mut pool = Pool::with_rows(name, metric, space, epochs, &configs, rows)?;
        pool.set_ids(RowIds::some(self.ids));
        Ok(pool)
    }

    /// Which trainings of a configuration take part, in ascending order.
    fn repeats(&self, id: ConfigId) -> Vec<u16> {
        match self.repeat {
            CurveRepeat::Fixed(repeat) => {
                self.table.curve(id, repeat).map(|_| repeat).into_iter().collect()
            }
            CurveRepeat::Draw => self.table.repeats(id).collect(),
        }
    }

    /// What an objective is over each of these trainings.
    fn values(&self, objective: &OnTable, id: u32) -> Vec<Values> {
        let id = ConfigId(id);
        let repeats = self.repeats(id).into_iter();
        repeats.map(|repeat| objective.values(self.table, id, repeat)).collect()
    }

    /// What a configuration recorded; `values` in place of the metric's, where there are any.
    fn row<'b>(&'b self, id: ConfigId, values: &'b [Values], second: &'b [u64]) -> RecordedRow<'b> {
        let repeats = self.repeats(id).into_iter();
        let mut curves: Vec<RecordedCurve<'_>> =
            repeats.filter_map(|repeat| curve(self.table, id, repeat)).collect();
        for (curve, (values, test)) in curves.iter_mut().zip(values) {
            (curve.values, curve.test) = (values, test.as_deref());
        }
        if curves.is_empty() {
            // A configuration without a single epoch fails the moment it starts.
            curves.push(RecordedCurve::default());
        }
        if self.has_unit_costs {
            for curve in &mut curves {
                curve.cost_ns = &second[..curve.cost_ns.len()];
            }
        }
        let last_epoch = self.table.last_epoch(id).map(Epoch);
        RecordedRow { curves, setup_ns: self.table.setup_ns(id), last_epoch }
    }
}

fn curve(table: &Table, id: ConfigId, repeat: u16) -> Option<RecordedCurve<'_>> {
    let curve = table.curve(id, repeat)?;
    let test = table.test_values(id, repeat);
    Some(RecordedCurve { repeat, values: curve.values, cost_ns: curve.cost_ns, test })
}

/// A configuration may have fewer repeats than another, but not lack the one that is asked for. One
/// without any curve fails whichever it is.
fn check_all_have(table: &Table, ids: &[u32], wanted: u16) -> Result<()> {
    let has_any = |id: ConfigId| table.repeats(id).next().is_some();
    let lacks = |id: &ConfigId| has_any(*id) && table.curve(*id, wanted).is_none();
    let Some(id) = ids.iter().copied().map(ConfigId).find(lacks) else { return Ok(()) };
    let known: Vec<String> = table.repeats(id).map(|r| r.to_string()).collect();
    let rule = format!(
        "every configuration must have that repeat; configuration {id} of table `{}` has {}",
        table.manifest.name,
        known.join(", ")
    );
    let remedy = "write draw, which takes what each configuration has, or a repeat that all have";
    Err(fault("--curve-repeat", "repeat", wanted, rule, remedy))
}
