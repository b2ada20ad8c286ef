//! Ray Tune: a directory of trials, each with `result.json` (a JSON object a line) or
//! `progress.csv`, and `params.json`.
//!
//! The step is `training_iteration`, the seconds are `time_this_iter_s`. A trial that left an
//! `error.txt` has failed. A restored trial goes on from its checkpoint: what it had recorded from
//! there on is replaced.

use std::path::{Path, PathBuf};

use base::error::{Result, fault};
use serde_json::{Map, Value as Json};

use crate::table::Status;

use super::super::cell::Cell;
use super::super::gathered::{Gathered, Quirks};
use super::super::mapping::{Mapping, Seconds};
use super::super::rows::Rows;
use super::super::{csv, evaluations, jsonl};
use super::files;
use super::series::{Point, Run, gather};

const STEP: &str = "training_iteration";
const SECONDS: &str = "time_this_iter_s";
/// What Ray keeps for itself.
const OWN: [&str; 9] = [
    "timestamp",
    "pid",
    "time_total_s",
    "time_since_restore",
    "iterations_since_restore",
    "timesteps_since_restore",
    "timesteps_total",
    "episodes_total",
    "warmup_time",
];

/// Reads a directory of trials, that of a trial, or its `result.json` or `progress.csv`.
pub(in super::super) fn read(path: &Path, mapping: &Mapping) -> Result<Gathered> {
    let found = if path.is_dir() {
        files::below(path, |name| matches!(name, "result.json" | "progress.csv"))?
    } else {
        vec![path.to_path_buf()]
    };
    if found.is_empty() {
        let rule = "must hold trials, each with result.json or progress.csv";
        let remedy = "give the directory that Ray Tune calls the experiment's";
        return Err(fault(path.display(), "source", "no such file", rule, remedy));
    }
    let mut quirks = Quirks::default();
    let mut runs: Vec<Run> = Vec::new();
    for file in &found {
        let dir = file.parent().unwrap_or(Path::new(""));
        let is_table = file.extension().is_some_and(|extension| extension == "csv");
        // Both say the same; the table lacks what came up later.
        if is_table && found.contains(&dir.join("result.json")) {
            continue;
        }
        let id = if path.is_dir() { files::relative(path, dir) } else { String::new() };
        let run = Run::new(if id.is_empty() { "trial" } else { &id });
        let trial = Trial { run, file: file.clone(), last: 0.0, quirks: &mut quirks };
        runs.push(trial.read(dir, is_table)?);
    }
    let mut mapping = mapping.clone();
    let is_default = mapping.seconds == Seconds::Column("seconds".into());
    let is_there = |name| runs.iter().any(|run| run.series.contains_key(name));
    if is_default && is_there(SECONDS) && !is_there("seconds") {
        mapping.seconds = Seconds::Column(SECONDS.into());
    }
    gather(path, runs, &mapping, quirks)
}

/// A trial while it is read.
struct Trial<'a> {
    run: Run,
    file: PathBuf,
    last: f64,
    quirks: &'a mut Quirks,
}

impl Trial<'_> {
    fn read(mut self, dir: &Path, is_table: bool) -> Result<Run> {
        let file = self.file.clone();
        if is_table {
            let mut table = Progress { trial: self, names: Vec::new() };
            csv::rows(&file, &mut table)?;
            self = table.trial;
        } else {
            jsonl::lines(&file, |line, map| self.result(line, &map))?;
        }
        let params = dir.join("params.json");
        if params.is_file() {
            let document = evaluations::document(&params)?;
            let Json::Object(map) = document else {
                let (rule, remedy) = ("must be a JSON object", "restore the file");
                return Err(fault(params.display(), "contents", "another", rule, remedy));
            };
            self.run.config.clear();
            self.settings(&map);
        }
        if dir.join("error.txt").is_file() {
            self.run.status = Some(Status::Failed);
        }
        Ok(self.run)
    }

    fn settings(&mut self, map: &Map<String, Json>) {
        let mut cells = Vec::new();
        jsonl::flatten("", "/", map, &mut cells);
        for (name, value) in cells {
            self.run.config.insert(name.into_owned(), jsonl::cell(value).held());
        }
    }

    fn result(&mut self, line: u32, map: &Map<String, Json>) -> Result<()> {
        let mut cells = Vec::new();
        jsonl::flatten("", "/", map, &mut cells);
        let step = map.get(STEP).and_then(Json::as_f64);
        self.begin(line, step)?;
        for (name, value) in cells {
            self.say(&name, &jsonl::cell(value), step.unwrap_or(0.0));
        }
        Ok(())
    }

    /// A row begins: a step that has been before is one of a trial that was restored.
    fn begin(&mut self, line: u32, step: Option<f64>) -> Result<()> {
        let step = step.filter(|step| step.fract() == 0.0).ok_or_else(|| {
            let field = format!("line {line}, {STEP}");
            let rule = "every line of a trial has its number of training iterations";
            let remedy = "restore the line, or give a directory that Ray Tune wrote";
            fault(self.file.display(), field, "missing", rule, remedy)
        })?;
        if step <= self.last {
            let id = format!("`{}`", self.run.id);
            let what = "trials that were restored replace what they had recorded from there on";
            self.quirks.count(what, || id);
            for points in self.run.series.values_mut() {
                points.retain(|point| point.step < step);
            }
        }
        self.last = step;
        Ok(())
    }

    fn say(&mut self, name: &str, cell: &Cell<'_>, step: f64) {
        if let Some(setting) = name.strip_prefix("config/") {
            self.run.config.entry(setting.into()).or_insert_with(|| cell.held());
            return;
        }
        if name == STEP || OWN.contains(&name) || *cell == Cell::Missing {
            return;
        }
        if let Some(value) = cell.number() {
            let time = base::measured::NOT_MEASURED;
            self.run.push(name, Point { step, time, value });
        }
    }
}

/// `progress.csv`.
struct Progress<'a> {
    trial: Trial<'a>,
    names: Vec<String>,
}

impl Rows for Progress<'_> {
    fn columns(&mut self, names: &[String]) -> Result<()> {
        self.names = names.to_vec();
        Ok(())
    }

    fn row(&mut self, line: u32, cells: &[Cell<'_>]) -> Result<()> {
        let at = self.names.iter().position(|name| name == STEP);
        let step = at.and_then(|at| cells[at].number());
        self.trial.begin(line, step)?;
        for (name, cell) in self.names.iter().zip(cells) {
            self.trial.say(name, cell, step.unwrap_or(0.0));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::cell::Held;
    use super::*;

    #[test]
    fn a_restored_trial_replaces_what_it_had_recorded() {
        let mut quirks = Quirks::default();
        let (run, file) = (Run::new("a"), PathBuf::from("result.json"));
        let mut trial = Trial { run, file, last: 0.0, quirks: &mut quirks };
        for (line, step) in [(1, 1.0), (2, 2.0), (3, 3.0), (4, 2.0)] {
            trial.begin(line, Some(step)).unwrap();
            trial.say("x", &Cell::Int(i64::from(line)), step);
        }
        let values: Vec<f64> = trial.run.series["x"].iter().map(|point| point.value).collect();
        assert_eq!(values, [1.0, 4.0]);
        assert!(trial.begin(5, None).is_err());
        assert_eq!(quirks.0.len(), 1);
    }

    #[test]
    fn settings_in_a_table_are_those_of_the_trial() {
        let mut quirks = Quirks::default();
        let (run, file) = (Run::new("a"), PathBuf::from("progress.csv"));
        let mut trial = Trial { run, file, last: 0.0, quirks: &mut quirks };
        trial.say("config/lr", &Cell::Int(1), 1.0);
        assert_eq!(trial.run.config["lr"], Held::Int(1));
        assert!(trial.run.series.is_empty());
    }
}
