//! Tabular benchmarks as their publishers distribute them: a file of many trainings, each with
//! lists of what it recorded.
//!
//! - `LCBench` (Zimmer et al. 2021): `data_2k_lw.json` and the other JSON files of its figshare
//!   project: data set, configuration, then `config`, `log` (a list a tag) and `results`. `time`
//!   runs on. What stands before the first epoch (`epoch` is 0) is no epoch of training.
//! - PD1 (Wang et al. 2021): `pd1_matched_phase1_results.jsonl.gz` and its siblings, a training a
//!   line. A task is a data set, a model, a batch size and, where there is one, an activation, as
//!   Syne Tune's conversion names them; `global_step` is the step, and `eval_time` what passed
//!   since the evaluation before.

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;

use base::error::{Error, Result, fault, suggest};
use base::measured::NOT_MEASURED;
use serde::Deserializer;
use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, Visitor};
use serde_json::{Map, Value as Json};

use super::super::gathered::{Gathered, Quirks};
use super::super::mapping::Mapping;
use super::super::{jsonl, source};
use super::series::{Point, Run, gather};

/// Reads a file of `LCBench`.
pub(in super::super) fn lcbench(path: &Path, mapping: &Mapping) -> Result<Gathered> {
    let mut text = source::open(path)?;
    let mut json = serde_json::Deserializer::from_reader(&mut text);
    let datasets =
        Datasets { wanted: mapping.task.as_deref(), names: Vec::new(), runs: Vec::new() };
    let found = json.deserialize_map(datasets).and_then(|found| json.end().map(|()| found));
    let found = found.map_err(|e| {
        let field = format!("line {}, column {}", e.line(), e.column());
        let remedy = "restore the file, or give a JSON file of LCBench";
        fault(path.display(), field, e, "must be data sets of trainings in JSON", remedy)
    })?;
    let chosen = task(path, &found.names, mapping)?;
    let mut runs = Vec::new();
    for (dataset, id, training) in found.runs {
        if found.names[dataset] == chosen {
            runs.push(training_of(path, &id, &training)?);
        }
    }
    gather(path, runs, mapping, Quirks::default())
}

/// The task that is read: the one that was asked for, or the only one.
fn task(path: &Path, names: &[String], mapping: &Mapping) -> Result<String> {
    let known = || names.iter().map(String::as_str);
    let wrong = |value: &str, rule: &str, near: &str| -> Error {
        let remedy = format!("give --task: {}", suggest(near, known()));
        fault(path.display(), "task", value, rule, remedy)
    };
    match &mapping.task {
        Some(wanted) if names.contains(wanted) => Ok(wanted.clone()),
        Some(wanted) => Err(wrong(wanted, "the file holds no such task", wanted)),
        None if names.len() == 1 => Ok(names[0].clone()),
        None => Err(wrong(&names.len().to_string(), "a table is made of one task", "")),
    }
}

/// Data sets of which one is kept; without a name the first one, and the names of all.
struct Datasets<'a> {
    wanted: Option<&'a str>,
    names: Vec<String>,
    /// The data set's place, the training's id, the training.
    runs: Vec<(usize, String, Json)>,
}

impl<'de> Visitor<'de> for Datasets<'_> {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of data sets")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> std::result::Result<Self, A::Error> {
        while let Some(name) = map.next_key::<String>()? {
            let is_wanted = self.wanted.map_or(self.names.is_empty(), |wanted| wanted == name);
            if is_wanted {
                map.next_value_seed(Trainings { at: self.names.len(), into: &mut self.runs })?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
            self.names.push(name);
        }
        Ok(self)
    }
}

/// The trainings of one data set.
struct Trainings<'a> {
    at: usize,
    into: &'a mut Vec<(usize, String, Json)>,
}

impl<'de> DeserializeSeed<'de> for Trainings<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> std::result::Result<(), D::Error> {
        json.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Trainings<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of trainings")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<(), A::Error> {
        while let Some((id, training)) = map.next_entry::<String, Json>()? {
            self.into.push((self.at, id, training));
        }
        Ok(())
    }
}

/// Numbers, with null and text that is a number; none where it is no such list.
fn numbers(list: Option<&Json>) -> Option<Vec<f64>> {
    let list = list?.as_array()?;
    list.iter().map(|value| jsonl::cell(value).number()).collect()
}

fn settings(run: &mut Run, map: &Map<String, Json>) {
    let mut cells = Vec::new();
    jsonl::flatten("", ".", map, &mut cells);
    for (name, value) in cells {
        run.config.insert(name.into_owned(), jsonl::cell(value).held());
    }
}

/// A training of `LCBench`.
fn training_of(path: &Path, id: &str, training: &Json) -> Result<Run> {
    let wrong = |part: &str| -> Error {
        let rule = "a training of LCBench has config, and in log lists with a number an epoch";
        let remedy = "restore the file, or give a JSON file of LCBench";
        fault(path.display(), format!("training {id}, {part}"), "another", rule, remedy)
    };
    let mut run = Run::new(id);
    run.started = Some(0.0);
    settings(&mut run, training["config"].as_object().ok_or_else(|| wrong("config"))?);
    let log = training["log"].as_object().ok_or_else(|| wrong("log"))?;
    let times = numbers(log.get("time")).ok_or_else(|| wrong("log.time"))?;
    let epochs = numbers(log.get("epoch"));
    for (tag, list) in log.iter().filter(|(tag, _)| !["time", "epoch"].contains(&tag.as_str())) {
        // What is no list of numbers is none of a curve.
        let Some(values) = numbers(Some(list)) else { continue };
        if values.len() != times.len() {
            return Err(wrong(&format!("log.{tag}")));
        }
        for (at, (&value, &time)) in (0_u32..).zip(values.iter().zip(&times)) {
            let known = epochs.as_ref().and_then(|all| all.get(at as usize)).copied();
            let step = known.unwrap_or(f64::from(at));
            // Before the first epoch nothing was trained.
            if step > 0.0 {
                run.push(tag, Point { step, time, value });
            }
        }
    }
    Ok(run)
}

/// Reads a file of PD1.
pub(in super::super) fn pd1(path: &Path, mapping: &Mapping) -> Result<Gathered> {
    let mut names: BTreeSet<String> = BTreeSet::new();
    let mut found = Vec::new();
    jsonl::lines(path, |line, map| {
        let name = pd1_task(&map).ok_or_else(|| {
            let field = format!("line {line}");
            let rule = "a training of PD1 has dataset, model and hps.batch_size";
            let remedy = "restore the line, or give a JSON-lines file of PD1";
            fault(path.display(), field, "missing", rule, remedy)
        })?;
        if mapping.task.as_ref().is_none_or(|wanted| *wanted == name) {
            found.push((name.clone(), line, map));
        }
        names.insert(name);
        Ok(())
    })?;
    let names: Vec<String> = names.into_iter().collect();
    task(path, &names, mapping)?;
    let (mut runs, mut quirks) = (Vec::new(), Quirks::default());
    for (_, line, map) in found {
        runs.push(pd1_training(path, line, &map, &mut quirks)?);
    }
    gather(path, runs, mapping, quirks)
}

/// What Syne Tune calls the task of a training.
fn pd1_task(map: &Map<String, Json>) -> Option<String> {
    let text = |name: &str| map.get(name).and_then(Json::as_str);
    let batch = map.get("hps.batch_size").filter(|batch| !batch.is_null())?;
    let batch = jsonl::cell(batch).number().filter(|batch| batch.is_finite())?;
    let activation = text("hps.activation_fn").map_or(String::new(), |name| format!("_{name}"));
    let (dataset, model) = (text("dataset")?, text("model")?);
    Some(format!("{dataset}_{model}{activation}_batch_size_{batch}"))
}

fn pd1_training(
    path: &Path,
    line: u32,
    map: &Map<String, Json>,
    quirks: &mut Quirks,
) -> Result<Run> {
    let mut run = Run::new(&line.to_string());
    run.started = Some(0.0);
    for (name, value) in map {
        if let Some(name) = name.strip_prefix("hps.")
            && !value.is_array()
        {
            run.config.insert(name.into(), jsonl::cell(value).held());
        }
    }
    let Some(steps) = numbers(map.get("global_step")) else {
        quirks.count("trainings without steps are left out", || format!("line {line}"));
        return Ok(run);
    };
    let mut clock = 0.0;
    let passed = numbers(map.get("eval_time")).unwrap_or_default().into_iter().map(|seconds| {
        clock += seconds;
        clock
    });
    let times: Vec<f64> = passed.collect();
    for (name, value) in map.iter().filter(|(name, _)| *name != "global_step") {
        let Some(values) = numbers(Some(value)) else { continue };
        if values.len() != steps.len() {
            let rule = "the lists of a training are of one length";
            let field = format!("line {line}, {name}");
            let remedy = "restore the line, or give a JSON-lines file of PD1";
            return Err(fault(path.display(), field, values.len(), rule, remedy));
        }
        for (at, (&step, value)) in steps.iter().zip(values).enumerate() {
            let time = times.get(at).copied().unwrap_or(NOT_MEASURED);
            run.push(name, Point { step, time, value });
        }
    }
    Ok(run)
}
