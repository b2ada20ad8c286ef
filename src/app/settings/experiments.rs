//! What a replay and a study have in common: which experiments run on which tables.

use std::path::PathBuf;

use answers::analysis::{Analysis, AnalyzeSettings, Runs, analyze};
use base::error::{Error, Result, fault, internal};
use base::units::{Epoch, SimTime};
use methods::interface::{EndingFactory, Entry, Method, Trait, resolve};
use methods::{endings, samplers, schedulers, stoppers};
use replay::settings::overhead_seconds;
use replay::{Goal, Grid, OnNan, Overhead, Pool, Report, Settings, ValueMode, WarmStart};

use super::combinations::trio;
use super::presets::{Preset, expand};
use super::{Door, Given, REPLAY, recorded};
use crate::Events;
use crate::pools::{CurveRepeat, Filter, Objective, TableOptions, parse_rows};

/// A grid of experiments and the tables that it runs on: checked as far as it can be without
/// opening a table.
#[derive(Debug, Clone)]
pub struct Experiments {
    /// Directories.
    pub tables: Vec<PathBuf>,
    /// What of each is replayed.
    pub table_options: TableOptions,
    /// What to run on each.
    pub grid: Grid,
    /// The method that the others are compared with.
    pub baseline: Option<String>,
    /// What the methods are called together, where they were asked for by that name.
    pub preset: Option<Preset>,
    /// Where all this was said, to name the places in faults.
    pub door: Door,
}

impl Experiments {
    /// What `analyze` is told, and its faults by the place where the baseline was said.
    ///
    /// # Errors
    /// See [`analyze`].
    pub fn answer(&self, runs: &Runs) -> Result<Analysis> {
        let settings =
            AnalyzeSettings { baseline: self.baseline.clone(), ..AnalyzeSettings::default() };
        analyze(runs, &settings).map_err(|error| match error {
            Error::Input(mut fault) if fault.field == "--baseline" => {
                fault.file.clone_from(&fault.field);
                fault.field = "baseline".to_string();
                self.respell(Error::Input(fault))
            }
            other => other,
        })
    }

    /// Loads the tables, in their order, and warns of what is doubtful about them.
    ///
    /// # Errors
    /// Faults of a table, and of what cannot be replayed of it.
    pub fn load(&self, events: &dyn Events) -> Result<Vec<Pool>> {
        if let Some(preset) = &self.preset {
            events.say(&format!("preset {}: {}", preset.name, preset.expanded()));
        }
        let load = |dir: &PathBuf| self.table_options.load_and_warn(dir, events);
        self.tables.iter().map(load).collect::<Result<_>>().map_err(|e| self.respell(e))
    }

    /// The same error, where it names an option as the place where this was said spells it.
    pub fn respell(&self, error: Error) -> Error {
        self.door.respell(REPLAY, error)
    }

    /// Refuses tables that have one name: their runs could not be told apart.
    ///
    /// # Errors
    /// A fault that says whether it is one table twice.
    pub fn check_names(&self, pools: &[Pool]) -> Result<()> {
        for (at, pool) in pools.iter().enumerate() {
            let Some(first) = pools[..at].iter().position(|other| other.name() == pool.name())
            else {
                continue;
            };
            let [one, two] = [first, at].map(|at| self.tables[at].display().to_string());
            let is_same = pool.table_hash() == pools[first].table_hash();
            let (rule, remedy) = if is_same {
                (format!("{one} and {two} are the same table"), "name it once")
            } else {
                let rule = format!("{one} and {two} are two tables with this one name");
                (rule, "give one of the two another `name` in its table.json")
            };
            let error = fault("--table", "name", pool.name(), rule, remedy);
            return Err(self.respell(error));
        }
        Ok(())
    }

    /// Reads and checks what was given for the settings of [`REPLAY`].
    ///
    /// # Errors
    /// A fault for the first setting that is wrong.
    pub fn read(given: &Given) -> Result<Self> {
        given.check_names()?;
        let (preset, given) = &expand(given)?;
        let goal = |text: &String| Goal::parse(text).map_err(|e| given.respell(e));
        let settings = settings(given)?;
        let place = given.place("methods");
        let further = given.texts("methods")?;
        let further = further.iter().map(|text| trio(&place, text)).collect::<Result<Vec<_>>>()?;
        // Combinations alone leave no grid of methods that nobody asked for.
        let is_grid = further.is_empty()
            || ["samplers", "schedulers", "stoppers"].iter().any(|name| given.has(name));
        let grid = Grid {
            samplers: methods(given, is_grid, "samplers", samplers::REGISTRY)?,
            schedulers: methods(given, is_grid, "schedulers", schedulers::REGISTRY)?,
            stoppers: methods(given, is_grid, "stoppers", stoppers::REGISTRY)?,
            further,
            goals: given.texts("goals")?.iter().map(goal).collect::<Result<_>>()?,
            repeats: given.whole("repeats")?.unwrap_or(1),
            workers: vec![settings.workers],
            settings,
        };
        grid.check().map_err(|e| given.respell(e))?;
        let tables = given.paths("tables")?;
        let table_options = table_options(given)?;
        Ok(Self {
            tables,
            table_options,
            grid,
            baseline: given.text("baseline")?,
            door: given.door().clone(),
            preset: *preset,
        })
    }
}

/// What of each table is replayed.
fn table_options(given: &Given) -> Result<TableOptions> {
    let curve_repeat = given.text("curve_repeat")?;
    let place = given.place("curve_repeat");
    let curve_repeat = curve_repeat.map(|text| CurveRepeat::parse(&place, &text)).transpose()?;
    let rows = given.text("rows")?;
    let rows = rows.map(|text| parse_rows(&given.place("rows"), &text)).transpose()?;
    let filter = given.text("where")?;
    let filter = filter.map(|text| Filter::parse(&given.place("where"), &text)).transpose()?;
    Ok(TableOptions {
        cost: given.text("cost")?,
        curve_repeat: curve_repeat.unwrap_or_default(),
        rows,
        objective: objective(given)?,
        filter,
    })
}

fn objective(given: &Given) -> Result<Option<Objective>> {
    let (metric, expression) = (given.text("metric")?, given.text("objective")?);
    match (metric, expression) {
        (None, None) => Ok(None),
        (Some(column), None) => Objective::column(&given.place("metric"), &column).map(Some),
        (None, Some(text)) => Objective::expression(&given.place("objective"), &text).map(Some),
        (Some(_), Some(text)) => {
            let place = given.place("metric");
            let rule = format!("a run reaches for one thing, and {place} is given beside it");
            Err(given.fault("objective", text, rule, "leave out one of the two"))
        }
    }
}

/// The same from the settings that `runs.parquet` has of a run, as far as they are of its table.
pub(crate) fn recorded_table_options(text: &str) -> Result<TableOptions> {
    let mut given = Given::new(Door::CommandLine, REPLAY);
    for (setting, value) in recorded(REPLAY, text).map_err(|part| internal("reading", part))? {
        given.take_option(setting, value.into_iter().map(Into::into).collect());
    }
    table_options(&given)
}

/// Everything but tables, methods and goals. Where the list has a default, something is given.
fn settings(given: &Given) -> Result<Settings> {
    let usual = Settings::default();
    let value =
        given.word("value")?.map_or(usual.value, |at| [ValueMode::Best, ValueMode::Final][at]);
    let on_nan =
        given.word("on_nan")?.map_or(usual.on_nan, |at| [OnNan::Continue, OnNan::Stop][at]);
    let report = given.text("report")?;
    let report = report.map(|text| Report::parse(&given.place("report"), &text)).transpose()?;
    let overhead = given.text("overhead")?;
    let place = given.place("overhead");
    let overhead = overhead.map(|text| Overhead::parse(&place, &text)).transpose()?;
    let trial_overhead = given.number("trial_overhead")?;
    let place = given.place("trial_overhead");
    let trial_overhead = trial_overhead.map(|s| overhead_seconds(&place, s)).transpose()?;
    let resume_cost = given.number("resume_cost")?;
    let place = given.place("resume_cost");
    let resume_cost = resume_cost.map(|s| overhead_seconds(&place, s)).transpose()?;
    Ok(Settings {
        workers: given.whole("workers")?.unwrap_or(usual.workers),
        value,
        report: report.unwrap_or(usual.report),
        on_nan,
        budget: budget(given)?,
        trials_max: given.whole("max_trials")?,
        restart: given.flag("restart")?,
        trial_overhead: trial_overhead.unwrap_or(usual.trial_overhead),
        resume_cost: resume_cost.unwrap_or(usual.resume_cost),
        charge_setup: given.flag("charge_setup")?,
        overhead: overhead.unwrap_or(usual.overhead),
        warm_start: warm_start(given)?,
        ending: ending(given)?,
        seed: given.whole("seed")?.unwrap_or(usual.seed),
    })
}

fn budget(given: &Given) -> Result<Option<SimTime>> {
    let Some(seconds) = given.number("budget_seconds")? else { return Ok(None) };
    SimTime::from_seconds(seconds).map(Some).ok_or_else(|| {
        let rule = "must be 0 to 3.2e9 seconds";
        given.fault("budget_seconds", seconds, rule, "choose a number in that range")
    })
}

/// `None` where it never ends a run, so that saying so changes nothing.
fn ending(given: &Given) -> Result<Option<Method<EndingFactory>>> {
    let Some(text) = given.text("end")? else { return Ok(None) };
    let ending = resolve(&given.place("end"), &text, endings::REGISTRY)?;
    Ok(Some(ending).filter(|ending| !ending.has(Trait::NeverStops)))
}

fn warm_start(given: &Given) -> Result<Option<WarmStart>> {
    if !given.has("warm_start") {
        return Ok(None);
    }
    let Some(trials) = given.whole("warm_start.trials")? else {
        let what = "how many trials it starts";
        let place = given.place("warm_start.trials");
        let rule = format!("{what} must stand here");
        return Err(fault(place, "trials", "missing", rule, format!("say {what}")));
    };
    let [sampler, stopper] = ["warm_start.sampler", "warm_start.stopper"];
    let text = |name: &str| given.text(name).map(Option::unwrap_or_default);
    Ok(Some(WarmStart {
        trials,
        sampler: resolve(&given.place(sampler), &text(sampler)?, samplers::REGISTRY)?,
        stopper: resolve(&given.place(stopper), &text(stopper)?, stoppers::REGISTRY)?,
        epochs: given.whole("warm_start.epochs")?.map(Epoch),
    }))
}

fn methods<Factory>(
    given: &Given,
    is_grid: bool,
    name: &str,
    registry: &'static [Entry<Factory>],
) -> Result<Vec<Method<Factory>>> {
    if !is_grid {
        return Ok(Vec::new());
    }
    let place = given.place(name);
    given.texts(name)?.iter().map(|text| resolve(&place, text, registry)).collect()
}
