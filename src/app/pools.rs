//! From a loaded table to a pool.

use std::ops::Range;
use std::path::Path;

use base::error::{Result, fault};
use base::units::{ConfigId, Epoch, SimTime};
use replay::{Pool, RecordedCurve, RecordedRow};
use store::table::{CURVE_KEYS, LoadOptions, Manifest, SECONDS_COLUMN, Table};
use train::record::known_columns;

use crate::{Events, Silent, extrapolate};

use crate::table_hash::table_hash;

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

/// A part of a table, or what becomes of it, for comparisons under other settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Whole,
    /// The first half of its rows.
    FirstHalf,
    /// The others.
    SecondHalf,
    /// All rows, every epoch at the cost of a second.
    UnitCosts,
}

impl Part {
    /// Which of so many rows.
    fn rows(self, all: u32) -> Range<u32> {
        match self {
            Self::Whole | Self::UnitCosts => 0..all,
            Self::FirstHalf => 0..all.div_ceil(2),
            Self::SecondHalf => all.div_ceil(2)..all,
        }
    }
}

/// What of a table is replayed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TableOptions {
    /// The column of `curves.parquet` that an epoch is charged; `seconds` where it says nothing.
    pub cost: Option<String>,
    pub curve_repeat: CurveRepeat,
}

impl TableOptions {
    /// Those of a loaded table, as far as they say what an epoch costs.
    pub(crate) fn cost_of(pool: &Pool) -> Self {
        let cost = pool.options().split(' ').find_map(|option| option.strip_prefix("cost="));
        Self { cost: cost.map(str::to_string), ..Self::default() }
    }

    /// Loads the table in a directory.
    pub fn load(&self, dir: &Path) -> Result<Pool> {
        self.load_and_warn(dir, &Silent)
    }

    /// Loads the table in a directory, and warns of numbers that are probably not what a replay
    /// takes them for.
    pub fn load_and_warn(&self, dir: &Path, events: &dyn Events) -> Result<Pool> {
        self.load_with_table(dir, events).map(|(_, pool)| pool)
    }

    /// A part of the table in a directory; rows are numbered from 0 in it.
    pub(crate) fn load_part(&self, dir: &Path, part: Part) -> Result<Pool> {
        let options = LoadOptions { cost_column: self.cost.clone(), ..LoadOptions::default() };
        let table = Table::load(dir, &options)?;
        let cost_column = self.cost.as_deref().unwrap_or(SECONDS_COLUMN);
        let mut pool = pool_of_part(&table, self.curve_repeat, cost_column, part)?;
        pool.set_table_hash(table_hash(dir, &table.manifest)?);
        if matches!(part, Part::Whole | Part::UnitCosts) {
            pool.set_extrapolations(extrapolate::kept(dir, pool.table_hash()));
        }
        Ok(pool)
    }

    /// The same, and the table that it was made of.
    pub(crate) fn load_with_table(&self, dir: &Path, events: &dyn Events) -> Result<(Table, Pool)> {
        let options = LoadOptions { cost_column: self.cost.clone(), ..LoadOptions::default() };
        if let Some(cost) = &self.cost {
            refuse_no_cost(dir, cost)?;
        }
        let table = Table::load(dir, &options)?;
        for doubt in table.doubts(known_columns().maker) {
            events.warn(&format!("table {}, {doubt}", table.manifest.name));
        }
        let cost_column = self.cost.as_deref().unwrap_or(SECONDS_COLUMN);
        let mut pool = pool_of(&table, self.curve_repeat, cost_column)?;
        pool.set_table_hash(table_hash(dir, &table.manifest)?);
        pool.set_extrapolations(extrapolate::kept(dir, pool.table_hash()));
        Ok((table, pool))
    }
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

/// A loaded table. `cost_column` names what was loaded as the cost of an epoch.
///
/// Under [`CurveRepeat::Draw`] a row draws among the trainings that it has, and values by rank
/// (goals) are those of the first of them.
pub fn pool_of(table: &Table, repeat: CurveRepeat, cost_column: &str) -> Result<Pool> {
    pool_of_part(table, repeat, cost_column, Part::Whole)
}

fn pool_of_part(table: &Table, repeat: CurveRepeat, cost_column: &str, part: Part) -> Result<Pool> {
    let rows = u32::try_from(table.rows()).expect("config ids are 32 bits");
    if let CurveRepeat::Fixed(wanted) = repeat {
        check_all_have(table, rows, wanted)?;
    }
    let second = vec![SimTime::from_seconds(1.0).expect("a second").0; table.epochs().into()];
    let row = |row| {
        let id = ConfigId(row);
        let repeats: Vec<u16> = match repeat {
            CurveRepeat::Fixed(repeat) => vec![repeat],
            CurveRepeat::Draw => table.repeats(id).collect(),
        };
        let mut curves: Vec<RecordedCurve<'_>> =
            repeats.into_iter().filter_map(|repeat| curve(table, id, repeat)).collect();
        if curves.is_empty() {
            // A configuration without a single epoch fails the moment it starts.
            curves.push(RecordedCurve::default());
        }
        let last_epoch = table.last_epoch(id).map(Epoch);
        if part == Part::UnitCosts {
            for curve in &mut curves {
                curve.cost_ns = &second[..curve.cost_ns.len()];
            }
        }
        RecordedRow { curves, setup_ns: table.setup_ns(id), last_epoch }
    };
    let manifest = &table.manifest;
    let (metric, space) = (&manifest.metric, &manifest.space);
    let epochs = Epoch(table.epochs());
    let rows = part.rows(rows);
    let configs = &table.configs[rows.start as usize..rows.end as usize];
    let rows = rows.map(row);
    let mut pool = Pool::with_rows(&manifest.name, metric, space, epochs, configs, rows)?;
    let mut options = Vec::new();
    if cost_column != SECONDS_COLUMN {
        options.push(format!("cost={cost_column}"));
    }
    match repeat {
        CurveRepeat::Fixed(0) => {}
        CurveRepeat::Fixed(repeat) => options.push(format!("curve-repeat={repeat}")),
        CurveRepeat::Draw => options.push("curve-repeat=draw".to_string()),
    }
    pool.set_options(options.join(" "));
    Ok(pool)
}

fn curve(table: &Table, id: ConfigId, repeat: u16) -> Option<RecordedCurve<'_>> {
    let curve = table.curve(id, repeat)?;
    let test = table.test_values(id, repeat);
    Some(RecordedCurve { repeat, values: curve.values, cost_ns: curve.cost_ns, test })
}

/// A configuration may have fewer repeats than another, but not lack the one that is asked for. One
/// without any curve fails whichever it is.
fn check_all_have(table: &Table, rows: u32, wanted: u16) -> Result<()> {
    let has_any = |id: ConfigId| table.repeats(id).next().is_some();
    let lacks = |row: &u32| {
        let id = ConfigId(*row);
        has_any(id) && table.curve(id, wanted).is_none()
    };
    let Some(row) = (0..rows).find(lacks) else { return Ok(()) };
    let known: Vec<String> = table.repeats(ConfigId(row)).map(|r| r.to_string()).collect();
    let rule = format!(
        "every configuration must have that repeat; configuration {row} of table `{}` has {}",
        table.manifest.name,
        known.join(", ")
    );
    let remedy = "write draw, which takes what each configuration has, or a repeat that all have";
    Err(fault("--curve-repeat", "repeat", wanted, rule, remedy))
}
