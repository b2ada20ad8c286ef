//! Programs that evaluate a configuration at budgets, each of them trained anew: SMAC3,
//! `HpBandSter`, `DeepCAVE`.
//!
//! The budgets, in their order, are the epochs of the table. The seconds of each are those of its
//! own evaluation, so that a trial that climbs all budgets costs what the program paid for them. A
//! budget below the first or between two that were run is null and costs nothing. What crashed is
//! NaN: the cost that the program put in its place was never measured.

use std::collections::{BTreeMap, HashMap};
use std::io::Read;
use std::path::Path;

use base::error::{Error, Result, fault};
use base::space::Direction;
use serde_json::{Map, Value as Json};

use super::cell::{Cell, Held};
use super::gathered::{Column, Gathered, Row};
use super::mapping::Mapping;
use super::{jsonl, source};

/// No honest run history is longer.
const BYTES_MAX: u64 = 1 << 30;

/// One evaluation, as a program recorded it.
struct Evaluation {
    config: String,
    seed: i64,
    budget: f64,
    /// None where it crashed.
    value: Option<f64>,
    seconds: f64,
    line: u32,
}

/// Evaluations so far.
struct Evaluations {
    gathered: Gathered,
    known: HashMap<String, u32>,
    seeds: BTreeMap<i64, u16>,
    configs: HashMap<String, Map<String, Json>>,
}

impl Evaluations {
    fn new(file: &Path, place: &'static str) -> Self {
        let source = file.display().to_string();
        let gathered = Gathered { source, place, ..Gathered::default() };
        let (known, seeds, configs) = Default::default();
        Self { gathered, known, seeds, configs }
    }

    fn wrong(&self, line: u32, field: &str, value: &Json, rule: &str) -> Error {
        let field = format!("{}, {field}", self.gathered.at(line));
        let remedy = "restore the file, or give one that the program wrote";
        fault(&self.gathered.source, field, value, rule, remedy)
    }

    fn number(&self, line: u32, field: &str, value: &Json) -> Result<f64> {
        let number = if value.is_null() { None } else { jsonl::cell(value).number() };
        number.ok_or_else(|| self.wrong(line, field, value, "must be a number"))
    }

    fn int(&self, line: u32, field: &str, value: &Json) -> Result<i64> {
        value.as_i64().ok_or_else(|| self.wrong(line, field, value, "must be a whole number"))
    }

    fn add(&mut self, of: Evaluation) -> Result<()> {
        let Evaluation { config, seed, budget, value, seconds, line } = of;
        self.gathered.rows_read += 1;
        let new = u32::try_from(self.gathered.ids.len()).expect("fewer than rows, which are u32");
        let id = *self.known.entry(config.clone()).or_insert(new);
        if id == new {
            self.gathered.ids.push(config);
            self.gathered.status.push(None);
        }
        let next = self.seeds.len();
        let repeat = if let Some(repeat) = self.seeds.get(&seed) {
            *repeat
        } else {
            let repeat = u16::try_from(next).ok().filter(|&n| n < u16::MAX);
            let rule = "there are fewer than 65,535 seeds";
            let repeat = repeat.ok_or_else(|| self.wrong(line, "seed", &seed.into(), rule))?;
            self.seeds.insert(seed, repeat);
            self.gathered.repeats.push(seed);
            repeat
        };
        let value = value.unwrap_or_else(|| {
            let at = format!("{} {line}", self.gathered.place);
            self.gathered.quirks.count("evaluations that crashed are NaN", || at);
            f64::NAN
        });
        self.gathered.rows.push(Row { config: id, repeat, epoch: budget, value, seconds, line });
        Ok(())
    }

    /// Everything, with what the configurations are.
    fn finish(mut self) -> Result<Gathered> {
        let mut names: Vec<&String> = self.configs.values().flat_map(Map::keys).collect();
        names.sort_unstable();
        names.dedup();
        let mut columns = Vec::with_capacity(names.len());
        for name in names {
            let cell = |id: &String| {
                let value = self.configs.get(id).and_then(|config| config.get(name));
                value.map_or(Held::Missing, |value| jsonl::cell(value).held())
            };
            let cells = self.gathered.ids.iter().map(cell).collect();
            columns.push(Column { name: name.clone(), cells });
        }
        if let Some(id) = self.gathered.ids.iter().find(|id| !self.configs.contains_key(*id)) {
            let rule = "every configuration that was evaluated is described";
            let remedy = "restore the file of the configurations";
            return Err(fault(&self.gathered.source, "configuration", id, rule, remedy));
        }
        self.gathered.columns = columns;
        Ok(self.gathered)
    }
}

/// A whole JSON file.
pub(super) fn document(path: &Path) -> Result<Json> {
    let mut text = Vec::new();
    let read = source::open(path)?.take(BYTES_MAX).read_to_end(&mut text);
    read.map_err(|e| source::unreadable(path, &e))?;
    jsonl::parse(&text).map_err(|e| {
        let field = format!("line {}, column {}", e.line(), e.column());
        let remedy = "restore the file, or give one that the program wrote";
        fault(path.display(), field, e, "must be a whole JSON file", remedy)
    })
}

/// The configurations by their ids.
fn configs(path: &Path, found: Option<&Json>) -> Result<HashMap<String, Map<String, Json>>> {
    let map = found.and_then(Json::as_object);
    let rule = "must hold the configurations by their ids";
    let wrong = |field: &str| {
        fault(path.display(), field, "missing", rule, "give a file that the program wrote")
    };
    let map = map.ok_or_else(|| wrong("configs"))?;
    let one = |(id, config): (&String, &Json)| {
        let config = config.as_object().ok_or_else(|| wrong(&format!("configs.{id}")))?;
        Ok((id.clone(), config.clone()))
    };
    map.iter().map(one).collect()
}

/// SMAC3 2.x: `runhistory.json`.
pub(super) fn smac3(path: &Path, _: &Mapping) -> Result<Gathered> {
    let history = document(path)?;
    let mut all = Evaluations::new(path, "evaluation");
    all.configs = configs(path, history.get("configs"))?;
    let rows = history.get("data").and_then(Json::as_array);
    let rows = rows.ok_or_else(|| {
        let remedy = "give the runhistory.json of SMAC3 2.x";
        fault(path.display(), "data", "missing", "must be a list of evaluations", remedy)
    })?;
    for (line, row) in (1_u32..).zip(rows) {
        let cells = row.as_array().filter(|cells| cells.len() == 10).ok_or_else(|| {
            let rule = "an evaluation is a list of 10: configuration, instance, seed, budget, \
                        cost, time, status, start, end, further";
            all.wrong(line, "list", row, rule)
        })?;
        if !cells[1].is_null() {
            return Err(all.wrong(line, "instance", &cells[1], "evaluations have no instance"));
        }
        let seed = if cells[2].is_null() { 0 } else { all.int(line, "seed", &cells[2])? };
        let budget = if cells[3].is_null() { 1.0 } else { all.number(line, "budget", &cells[3])? };
        let status = all.int(line, "status", &cells[6])?;
        if status == 0 {
            all.gathered.rows_read += 1;
            all.gathered.rows_dropped += 1;
            let at = format!("evaluation {line}");
            all.gathered.quirks.count("evaluations that still run are left out", || at);
            continue;
        }
        let config = all.int(line, "configuration", &cells[0])?.to_string();
        let value = if status == 1 { Some(all.number(line, "cost", &cells[4])?) } else { None };
        let seconds = all.number(line, "time", &cells[5])?;
        all.add(Evaluation { config, seed, budget, value, seconds, line })?;
    }
    all.finish()
}

/// `HpBandSter`: a directory of `configs.json` and `results.json`, or both joined, an evaluation a
/// line with `id`, `budget`, `started`, `finished`, `loss`, and `config` in the first of each.
pub(super) fn hpbandster(path: &Path, _: &Mapping) -> Result<Gathered> {
    if !path.is_dir() {
        let mut all = Evaluations::new(path, "line");
        jsonl::lines(path, |line, map| {
            let get = |name: &str| map.get(name).unwrap_or(&Json::Null);
            let config = get("id").to_string();
            if let Json::Object(described) = get("config") {
                all.configs.insert(config.clone(), described.clone());
            }
            let (times, loss) = ((get("started"), get("finished")), get("loss"));
            hpbandster_row(&mut all, line, config, get("budget"), times, loss)
        })?;
        return all.finish();
    }
    let results = path.join("results.json");
    let mut all = Evaluations::new(&results, "line");
    jsonl::values(&path.join("configs.json"), |line, value| {
        let config = value.get(1).and_then(Json::as_object);
        let config = config.ok_or_else(|| {
            all.wrong(line, "list", &value, "a configuration is a list of id, values, further")
        })?;
        all.configs.insert(value[0].to_string(), config.clone());
        Ok(())
    })?;
    jsonl::values(&results, |line, value| {
        let config = value[0].to_string();
        let times = (&value[2]["started"], &value[2]["finished"]);
        hpbandster_row(&mut all, line, config, &value[1], times, &value[3]["loss"])
    })?;
    all.finish()
}

fn hpbandster_row(
    all: &mut Evaluations,
    line: u32,
    config: String,
    budget: &Json,
    (started, finished): (&Json, &Json),
    loss: &Json,
) -> Result<()> {
    let budget = all.number(line, "budget", budget)?;
    let started = all.number(line, "started", started)?;
    let seconds = all.number(line, "finished", finished)? - started;
    let value = match jsonl::cell(loss) {
        Cell::Missing => None,
        cell => {
            Some(cell.number().ok_or_else(|| all.wrong(line, "loss", loss, "must be a number"))?)
        }
    };
    let value = value.filter(|value| value.is_finite());
    all.add(Evaluation { config, seed: 0, budget, value, seconds, line })
}

/// `DeepCAVE`'s recorder: a directory of `meta.json`, `configs.json` and `history.jsonl`.
pub(super) fn deepcave(path: &Path, mapping: &Mapping) -> Result<Gathered> {
    let about = path.join("meta.json");
    let meta = document(&about)?;
    let objectives = meta.get("objectives").and_then(Json::as_array);
    let names: Vec<&str> =
        objectives.into_iter().flatten().filter_map(|o| o.get("name")?.as_str()).collect();
    let metric = mapping.metric_column.as_str();
    let at = names.iter().position(|name| *name == metric).ok_or_else(|| {
        let remedy = base::error::suggest(metric, names.iter().copied());
        fault(about.display(), "objectives", metric, "must be one of the objectives", remedy)
    })?;
    let said = objectives.and_then(|list| list[at].get("optimize")).and_then(Json::as_str);
    let wanted = match mapping.metric.goal {
        Direction::Maximize => "upper",
        Direction::Minimize => "lower",
    };
    if let Some(said) = said.filter(|said| *said != wanted) {
        let goal = if wanted == "upper" { "minimize" } else { "maximize" };
        let rule = format!("the objective {metric} is to be {goal}d");
        let remedy = format!("give --goal {goal}");
        return Err(fault(about.display(), "optimize", said, rule, remedy));
    }
    let described = path.join("configs.json");
    let history = path.join("history.jsonl");
    let mut all = Evaluations::new(&history, "line");
    all.configs = configs(&described, Some(&document(&described)?))?;
    jsonl::values(&history, |line, value| {
        let config = all.int(line, "configuration", &value[0])?.to_string();
        let budget = all.number(line, "budget", &value[1])?;
        let seed = all.int(line, "seed", &value[2])?;
        let start = all.number(line, "start", &value[4])?;
        let seconds = all.number(line, "end", &value[5])? - start;
        let is_sound = all.int(line, "status", &value[6])? == 1;
        let value = if is_sound { Some(all.number(line, metric, &value[3][at])?) } else { None };
        all.add(Evaluation { config, seed, budget, value, seconds, line })
    })?;
    all.finish()
}
