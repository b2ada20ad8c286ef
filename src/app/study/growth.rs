//! A finished study that is asked for more: which of its runs are those of the larger one.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use base::error::{Error, Result, fault};
use replay::{OnNan, Overhead, Pool, Series, Settings};
use serde::{Deserialize, Serialize};
use store::Finished;
use store::table::seal;

use super::StudyDefinition;
use crate::pools::{CurveRepeat, Objective, TableOptions, rows_text};
use crate::runner::KeptRuns;
use crate::settings::Experiments;

/// What `results.json` says of a study: what its runs depend on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct About {
    /// The version of this program.
    pub(crate) program: String,
    /// The text of the study.
    pub(crate) study: String,
    /// In the order of their runs.
    pub(super) tables: Vec<TableName>,
    /// SHA-256 of the files of recorded orders, by path.
    pub(super) orders: BTreeMap<String, String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TableName {
    name: String,
    hash: String,
}

impl About {
    pub(super) fn new(study: &StudyDefinition, pools: &[Pool], orders: &[PathBuf]) -> Result<Self> {
        let table = |pool: &Pool| TableName {
            name: pool.name().to_string(),
            hash: pool.table_hash().to_string(),
        };
        let order = |path: &PathBuf| Ok((path.display().to_string(), seal(path)?.sha256));
        Ok(Self {
            program: env!("CARGO_PKG_VERSION").to_string(),
            study: study.text.clone(),
            tables: pools.iter().map(table).collect(),
            orders: orders.iter().map(order).collect::<Result<_>>()?,
        })
    }

    /// Names of the tables, each with its hash.
    pub(crate) fn tables(&self) -> impl Iterator<Item = (&str, &str)> {
        self.tables.iter().map(|table| (table.name.as_str(), table.hash.as_str()))
    }

    /// What the results of a finished study are.
    pub(super) fn of(finished: &Finished, dir: &Path) -> Result<Self> {
        serde_json::from_value(finished.about().clone()).map_err(|e| {
            let rule = "must be what a study of curvebook wrote";
            let remedy = "restore results.json, or name another directory";
            fault(dir.join("results.json").display(), "about", e, rule, remedy)
        })
    }
}

/// A finished study and a larger one.
pub(super) struct Growth<'a> {
    /// The directory of the results.
    pub(super) dir: &'a Path,
    pub(super) before: &'a About,
    pub(super) now: &'a About,
    pub(super) study: &'a StudyDefinition,
}

impl Growth<'_> {
    /// The runs that are there already, in the order of the larger study.
    ///
    /// A run belongs to a table, methods, goals, a repeat and settings: all of them must be the
    /// same. The runs of methods that no goal is told to are about all goals at once, and so a
    /// further goal makes them anew.
    ///
    /// # Errors
    ///
    /// Whatever would leave runs out or change them: fewer repeats, methods, goals or tables; other
    /// settings, another version of this program, a table or a recorded order that has changed.
    pub(super) fn kept(&self) -> Result<Vec<KeptRuns>> {
        if self.before.program != self.now.program {
            let rule = format!("this is version {}, and runs may differ", self.now.program);
            return Err(self.refuse("version of curvebook", &self.before.program, &rule));
        }
        let source = self.dir.join("results.json").display().to_string();
        let old = StudyDefinition::parse(&source, &self.before.study, Path::new(""))?.experiments;
        let new = &self.study.experiments;
        self.refuse_other_settings(&old, new)?;
        self.refuse_less(&old, new)?;
        let tables = self.tables()?;
        self.refuse_other_orders()?;
        let (old_series, new_series) = (old.grid.series(), new.grid.series());
        let (old_runs, new_runs) = (old.grid.runs()?, new.grid.runs()?);
        let mut kept = Vec::new();
        for (table, before) in (0..).zip(tables) {
            let Some(before) = before else { continue };
            for (at, series) in (0..).zip(&new_series) {
                let Some(was) = position(&old_series, series) else { continue };
                let first = table * new_runs + at * new.grid.repeats;
                let was = before * old_runs + was * old.grid.repeats;
                let repeats = old.grid.repeats;
                kept.push(KeptRuns { runs: first..first + repeats, before: was..was + repeats });
            }
        }
        Ok(kept)
    }

    fn refuse(&self, field: &str, before: &str, rule: &str) -> Error {
        let file = self.dir.join("results.json");
        let remedy = "name another directory: all of it is run there";
        fault(file.display(), field, before, rule, remedy)
    }

    /// Refuses settings that would give other runs.
    fn refuse_other_settings(&self, old: &Experiments, new: &Experiments) -> Result<()> {
        let pairs = shown(&old.grid.settings, &old.table_options)
            .into_iter()
            .zip(shown(&new.grid.settings, &new.table_options));
        let mut differing = pairs.filter(|(old, new)| old != new);
        let Some(((name, before), (_, now))) = differing.next() else { return Ok(()) };
        let also: Vec<&str> = differing.map(|((name, _), _)| name).collect();
        let also =
            if also.is_empty() { String::new() } else { format!("; also {}", also.join(", ")) };
        let rule = format!("its runs have this {name}, and the study asks for {now}{also}");
        Err(self.refuse(name, &before, &rule))
    }

    /// Refuses to lose runs.
    fn refuse_less(&self, old: &Experiments, new: &Experiments) -> Result<()> {
        let (old, new) = (&old.grid, &new.grid);
        if new.repeats < old.repeats {
            let rule = format!("a study grows, and this one asks for {}", new.repeats);
            return Err(self.refuse("repeats", &old.repeats.to_string(), &rule));
        }
        let texts = |of: fn(&Series) -> Vec<String>| {
            let of_grid = |series: Vec<Series>| series.iter().flat_map(of).collect::<Vec<_>>();
            (of_grid(old.series()), of_grid(new.series()))
        };
        for (field, (before, now)) in [
            ("samplers", texts(|series| vec![series.sampler.clone()])),
            ("schedulers", texts(|series| vec![series.scheduler.clone()])),
            ("stoppers", texts(|series| vec![series.stopper.clone()])),
            ("goals", texts(|series| series.goals.clone())),
        ] {
            if let Some(lost) = before.iter().find(|text| !now.contains(text)) {
                let rule = "its runs are there, and the study leaves them out: a study grows";
                return Err(self.refuse(field, lost, rule));
            }
        }
        Ok(())
    }

    /// For each table its number in the results, where it has one.
    fn tables(&self) -> Result<Vec<Option<u32>>> {
        let now = &self.now.tables;
        for before in &self.before.tables {
            if now.contains(before) {
                continue;
            }
            let rule = match now.iter().find(|table| table.name == before.name) {
                Some(changed) => format!(
                    "it has changed since: its hash was {} and is {}",
                    before.hash, changed.hash
                ),
                None => "its runs are there, and the study leaves it out".to_string(),
            };
            return Err(self.refuse("tables", &before.name, &rule));
        }
        let number = |table| (0..).zip(&self.before.tables).find(|(_, b)| *b == table);
        Ok(now.iter().map(|table| number(table).map(|(number, _)| number)).collect())
    }

    fn refuse_other_orders(&self) -> Result<()> {
        for (file, before) in &self.before.orders {
            if self.now.orders.get(file) != Some(before) {
                let rule = "the recorded order has changed since it was run";
                return Err(self.refuse("samplers", file, rule));
            }
        }
        Ok(())
    }
}

fn position(all: &[Series], wanted: &Series) -> Option<u32> {
    (0..).zip(all).find(|(_, series)| *series == wanted).map(|(number, _)| number)
}

/// Everything that runs depend on beside tables, methods, goals and repeats, as study files name
/// it.
fn shown(settings: &Settings, table: &TableOptions) -> Vec<(&'static str, String)> {
    // Whoever adds a setting is asked here what it is called.
    let Settings {
        workers,
        value,
        report,
        on_nan,
        budget,
        trials_max,
        restart,
        trial_overhead,
        resume_cost,
        charge_setup,
        overhead,
        warm_start,
        ending,
        seed,
    } = settings;
    let TableOptions { cost, curve_repeat, rows, objective, filter } = table;
    let none = || "none".to_string();
    let (metric, expression) = match objective {
        None => (None, None),
        Some(column @ Objective::Column { .. }) => (Some(column.text()), None),
        Some(expression) => (None, Some(expression.text())),
    };
    let overhead = match overhead {
        Overhead::None => none(),
        Overhead::Fixed(cost) => format!("fixed:{}", cost.seconds()),
        Overhead::Measured => "measured".to_string(),
    };
    let warm_start = warm_start.as_ref().map_or_else(none, |warm_start| {
        Settings { warm_start: Some(warm_start.clone()), ..Settings::default() }.text()
    });
    vec![
        ("seed", seed.to_string()),
        ("workers", workers.to_string()),
        ("value", value.word().to_string()),
        ("report", report.word().to_string()),
        ("on_nan", if *on_nan == OnNan::Stop { "stop" } else { "continue" }.to_string()),
        ("budget_seconds", budget.map_or_else(none, |budget| budget.seconds().to_string())),
        ("max_trials", trials_max.map_or_else(none, |most| most.to_string())),
        ("restart", restart.to_string()),
        ("trial_overhead", trial_overhead.seconds().to_string()),
        ("resume_cost", resume_cost.seconds().to_string()),
        ("charge_setup", charge_setup.to_string()),
        ("overhead", overhead),
        ("warm_start", warm_start),
        ("end", ending.as_ref().map_or_else(|| "never".to_string(), |e| e.canonical.clone())),
        ("cost", cost.clone().unwrap_or_else(|| "seconds".to_string())),
        (
            "curve_repeat",
            match curve_repeat {
                CurveRepeat::Fixed(repeat) => repeat.to_string(),
                CurveRepeat::Draw => "draw".to_string(),
            },
        ),
        ("rows", rows.as_ref().map_or_else(|| "all".to_string(), rows_text)),
        ("where", filter.as_ref().map_or_else(none, |filter| filter.text().to_string())),
        ("metric", metric.unwrap_or_else(|| "the table's".to_string())),
        ("objective", expression.unwrap_or_else(none)),
    ]
}
