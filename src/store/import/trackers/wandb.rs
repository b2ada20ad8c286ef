//! W&B: histories as its API and its pages export them, and its own logs.
//!
//! An export is CSV, JSON lines or Parquet: what `run.history()` and `run.scan_history()` give, a
//! row a call of `log`, one file a run or all in one with a column that names the run; or what a
//! plot's menu saves, a column a run. `run-ID.wandb` is the log that the client writes itself. Rows
//! in which the metric does not stand are no epochs of it. `_step` is the step and `_runtime`, or
//! `_timestamp`, the clock.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use base::error::{Result, fault};
use base::measured::{NOT_MEASURED, is_measured};
use serde_json::Value as Json;

use super::super::cell::{Cell, Held};
use super::super::gathered::{Gathered, Quirks};
use super::super::mapping::{Mapping, Seconds, no_column};
use super::super::rows::Rows;
use super::super::{csv, jsonl, parquet};
use super::series::{Point, Run, gather};
use super::{files, wandb_log};

/// Columns that name the run, the first that is there.
const IDS: [&str; 8] = ["run_id", "run", "_run", "run_name", "id", "name", "Name", "ID"];
const STEPS: [&str; 3] = ["_step", "step", "Step"];
const CLOCKS: [&str; 2] = ["_runtime", "_timestamp"];

/// Reads a file, or all logs or exports of a directory.
pub(in super::super) fn read(path: &Path, mapping: &Mapping) -> Result<Gathered> {
    let mut found = vec![path.to_path_buf()];
    if path.is_dir() {
        found = files::below(path, is_log)?;
        if found.is_empty() {
            found = files::below(path, |name| kind(name).is_some())?;
        }
    }
    if found.is_empty() {
        let rule = "must hold logs (.wandb) or exports (.csv, .jsonl, .parquet)";
        let remedy = "give the directory wandb, or that of the exports";
        return Err(fault(path.display(), "source", "no such file", rule, remedy));
    }
    let mut quirks = Quirks::default();
    let mut all = Exports::new(mapping);
    for file in &found {
        let name = files::name(file);
        if is_log(&name) {
            let mut reading = Reading::new(&name, mapping);
            if !wandb_log::read(file, &mut reading)? {
                let what = "logs of runs that did not end are read as far as they go";
                quirks.count(what, || name.clone());
            }
            all.add(reading);
            continue;
        }
        all.begin(path, file);
        match kind(&name) {
            Some("parquet") => drop(parquet::rows(file, &mut all)?),
            Some("csv") => csv::rows(file, &mut all)?,
            _ => jsonl::objects(file, ".", |_, cells| {
                let cells: Vec<(&str, Cell<'_>)> =
                    cells.iter().map(|(name, value)| (&**name, jsonl::cell(value))).collect();
                all.object(&cells)
            })?,
        }
    }
    gather(path, all.finish(), mapping, quirks)
}

fn is_log(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|extension| extension == "wandb")
}

/// What an export is, by its name.
fn kind(name: &str) -> Option<&'static str> {
    let plain = name.strip_suffix(".gz").unwrap_or(name);
    let extension = Path::new(plain).extension()?.to_str()?;
    ["csv", "jsonl", "parquet"].into_iter().find(|kind| *kind == extension)
}

/// A run while its rows are read.
#[derive(Debug)]
pub(super) struct Reading {
    pub(super) run: Run,
    /// Whether its log says that it ended.
    pub(super) is_ended: bool,
    /// What is in its rows besides the metric: the first value, and whether there were others.
    first: BTreeMap<String, (Held, bool)>,
    rows: u32,
    metric: String,
    /// Columns that the mapping names.
    named: Vec<String>,
}

impl Reading {
    pub(super) fn new(id: &str, mapping: &Mapping) -> Self {
        let seconds = match &mapping.seconds {
            Seconds::Column(column) => Some(column.clone()),
            Seconds::Each(_) => None,
        };
        Self {
            run: Run::new(id),
            is_ended: false,
            first: BTreeMap::new(),
            rows: 0,
            metric: mapping.metric_column.clone(),
            named: seconds.into_iter().chain(mapping.epoch.clone()).collect(),
        }
    }

    /// A setting with its name; objects are settings with dots in their names.
    pub(super) fn setting(&mut self, name: &str, value: &Json) {
        if name.starts_with('_') {
            return;
        }
        if let Json::Object(map) = value {
            let mut cells = Vec::new();
            jsonl::flatten(name, ".", map, &mut cells);
            for (name, value) in cells {
                self.run.config.insert(name.into_owned(), jsonl::cell(value).held());
            }
            return;
        }
        self.run.config.insert(name.into(), jsonl::cell(value).held());
    }

    /// A row of the history.
    pub(super) fn row(&mut self, cells: &[(&str, Cell<'_>)]) {
        let number = |wanted: &str| {
            let found = cells.iter().find(|(name, _)| *name == wanted);
            found.and_then(|(_, cell)| cell.number()).filter(|number| is_measured(*number))
        };
        let step = STEPS.iter().find_map(|name| number(name)).unwrap_or(f64::from(self.rows));
        let clock = CLOCKS.iter().find_map(|name| Some((*name, number(name)?)));
        if clock.is_some_and(|(name, _)| name == CLOCKS[0]) {
            self.run.started = Some(0.0);
        }
        let time = clock.map_or(NOT_MEASURED, |(_, time)| time);
        self.rows += 1;
        for (name, cell) in cells {
            self.say(name, cell, step, time);
        }
    }

    fn say(&mut self, name: &str, cell: &Cell<'_>, step: f64, time: f64) {
        if let Some(setting) = name.strip_prefix("config.").or(name.strip_prefix("config/")) {
            self.run.config.insert(setting.into(), cell.held());
            return;
        }
        let is_named = name == self.metric || self.named.iter().any(|named| named == name);
        let is_own = STEPS.contains(&name) || name.starts_with('_') || name.starts_with("summary.");
        if *cell == Cell::Missing || is_own && !is_named {
            return;
        }
        if let Cell::Numbers(list) = cell {
            if is_named {
                for (at, value) in (1_u32..).zip(list) {
                    let point = Point { step: f64::from(at), time: NOT_MEASURED, value: *value };
                    self.run.push(name, point);
                }
            }
            return;
        }
        if !is_named {
            match self.first.get_mut(name) {
                Some((first, varies)) => *varies |= !cell.is(first),
                None => drop(self.first.insert(name.into(), (cell.held(), false))),
            }
        }
        if let Some(value) = cell.number() {
            self.run.push(name, Point { step, time, value });
        }
    }
}

/// Exports, and where the next row belongs.
struct Exports<'a> {
    mapping: &'a Mapping,
    readings: BTreeMap<String, Reading>,
    order: Vec<String>,
    file: PathBuf,
    /// The run that a file is, unless a column names it.
    own: String,
    names: Vec<String>,
    /// Of a plot's export: columns with the runs that they are of.
    plot: Vec<(usize, String)>,
}

impl<'a> Exports<'a> {
    fn new(mapping: &'a Mapping) -> Self {
        let (file, own) = (PathBuf::new(), String::new());
        let (readings, order, names, plot) = Default::default();
        Self { mapping, readings, order, file, own, names, plot }
    }

    /// The next file. A history is called by its file, or by its directory where files are
    /// numbered parts.
    fn begin(&mut self, root: &Path, file: &Path) {
        let name = files::name(file);
        let stem = name.split('.').next().unwrap_or_default();
        let is_part = stem == "history" || stem.bytes().all(|byte| byte.is_ascii_digit());
        let above = file.parent().filter(|_| is_part && root.is_dir());
        self.own = above.map_or(stem.to_string(), |above| files::relative(root, above));
        if self.own.is_empty() {
            self.own = stem.to_string();
        }
        self.file = file.to_path_buf();
    }

    fn reading(&mut self, id: &str) -> &mut Reading {
        if !self.readings.contains_key(id) {
            self.order.push(id.into());
        }
        let new = || Reading::new(id, self.mapping);
        self.readings.entry(id.into()).or_insert_with(new)
    }

    fn add(&mut self, reading: Reading) {
        let id = reading.run.id.clone();
        if let Some(known) = self.readings.get_mut(&id) {
            // A run that was resumed on another day has a log a day.
            for (name, points) in reading.run.series {
                known.run.series.entry(name).or_default().extend(points);
            }
            known.run.config.extend(reading.run.config);
            return;
        }
        self.order.push(id.clone());
        self.readings.insert(id, reading);
    }

    fn object(&mut self, cells: &[(&str, Cell<'_>)]) -> Result<()> {
        let column = match &self.mapping.id {
            Some(id) => {
                let found = cells.iter().find(|(name, _)| name == id);
                let names = || cells.iter().map(|(name, _)| (*name).to_string()).collect();
                let missing = || {
                    let names: Vec<String> = names();
                    no_column(&self.file.display().to_string(), id, "give --id", &names)
                };
                Some(found.ok_or_else(missing)?)
            }
            None => IDS.iter().find_map(|id| cells.iter().find(|(name, _)| name == id)),
        };
        let id = column.map_or(self.own.clone(), |(_, cell)| cell.text().into_owned());
        let skipped = column.map(|(name, _)| *name);
        let cells: Vec<(&str, Cell<'_>)> =
            cells.iter().filter(|(name, _)| Some(*name) != skipped).cloned().collect();
        self.reading(&id).row(&cells);
        Ok(())
    }

    /// All runs. What is the same in all rows of every run is a setting.
    fn finish(mut self) -> Vec<Run> {
        let mut varying: BTreeSet<String> = BTreeSet::new();
        for reading in self.readings.values() {
            let found = reading.first.iter().filter(|(_, (_, varies))| *varies);
            varying.extend(found.map(|(name, _)| name.clone()));
        }
        let mut runs = Vec::new();
        for id in &self.order {
            let Some(Reading { mut run, first, .. }) = self.readings.remove(id) else { continue };
            for (name, (held, _)) in first {
                if !varying.contains(&name) {
                    run.series.remove(&name);
                    run.config.entry(name).or_insert(held);
                }
            }
            runs.push(run);
        }
        runs
    }
}

impl Rows for Exports<'_> {
    fn columns(&mut self, names: &[String]) -> Result<()> {
        self.names = names.to_vec();
        let of = format!(" - {}", self.mapping.metric_column);
        let run = |name: &String| Some(name.strip_suffix(of.as_str())?.to_string());
        let runs = names.iter().enumerate().filter_map(|(at, name)| Some((at, run(name)?)));
        self.plot = runs.collect();
        Ok(())
    }

    fn row(&mut self, _: u32, cells: &[Cell<'_>]) -> Result<()> {
        if !self.plot.is_empty() {
            let step = self.names.iter().position(|name| STEPS.contains(&name.as_str()));
            let step = step.and_then(|at| cells[at].number());
            let metric = self.mapping.metric_column.clone();
            for (at, run) in self.plot.clone() {
                let step = Cell::Float(step.unwrap_or(NOT_MEASURED));
                self.reading(&run).row(&[("_step", step), (&metric, cells[at].clone())]);
            }
            return Ok(());
        }
        let names = self.names.clone();
        let cells: Vec<(&str, Cell<'_>)> =
            names.iter().map(String::as_str).zip(cells.iter().cloned()).collect();
        self.object(&cells)
    }
}
