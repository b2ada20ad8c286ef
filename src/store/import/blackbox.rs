//! A blackbox folder of Syne Tune: tasks, configurations, seeds, fidelities and objectives in one
//! array, or in one a task (as its conversion of PD1 has it), hyperparameters beside it in Parquet.
//!
//! Fidelities are the epochs. The seconds are the objective `seconds`, or what the metadata calls
//! the elapsed time, which runs on. What is NaN at a curve's end is padding, and NaN before it was
//! not measured: the folders of Syne Tune know no divergence. Those that curvebook exported say
//! more in their metadata, and come back as they were.

use std::path::Path;

use base::error::{Error, Result, fault, suggest};
use base::fields::Fields;
use base::measured::NOT_MEASURED;
use base::space::{Domain, Numbers, raw};
use serde_json::{Value as Json, json};

use crate::export::{Array, OWN_KEY, read_npy};
use crate::table::Status;

use super::cell::{Cell, Held};
use super::gathered::{Column, Gathered, Row};
use super::mapping::{Mapping, Seconds, no_column};
use super::rows::Rows;
use super::{evaluations, jsonl, parquet};

const METADATA: &str = "metadata.json";

/// The metric that the metadata name, and which way it goes, where they say it.
pub(super) fn said(dir: &Path) -> Vec<(&'static str, String)> {
    let Ok(metadata) = evaluations::document(&dir.join(METADATA)) else { return Vec::new() };
    let text = |value: &Json| value.as_str().map(str::to_string);
    let metric = text(&metadata["default_metric"]).map(|metric| ("metric", metric));
    let goal = text(&metadata[OWN_KEY]["goal"]).map(|goal| ("goal", goal));
    metric.into_iter().chain(goal).collect()
}

/// A folder while it is read.
struct Folder<'a> {
    dir: &'a Path,
    mapping: &'a Mapping,
    metadata: Json,
    objectives: Vec<String>,
    gathered: Gathered,
}

/// Reads a folder.
pub(super) fn read(dir: &Path, mapping: &Mapping) -> Result<Gathered> {
    let about = dir.join(METADATA);
    let metadata = evaluations::document(&about)?;
    let texts = |field: &str| -> Result<Vec<String>> {
        let list = metadata[field].as_array().and_then(|list| {
            list.iter().map(|text| text.as_str().map(str::to_string)).collect::<Option<Vec<_>>>()
        });
        let (rule, remedy) = ("must be a list of names", "give a blackbox folder of Syne Tune");
        list.ok_or_else(|| fault(about.display(), field, &metadata[field], rule, remedy))
    };
    let (objectives, tasks) = (texts("objectives_names")?, texts("task_names")?);
    let task = task(&about, &tasks, mapping)?;
    let source = dir.display().to_string();
    let gathered = Gathered { source, place: "configuration", ..Gathered::default() };
    let mut folder = Folder { dir, mapping, metadata, objectives, gathered };
    let (prefix, at) = if dir.join("hyperparameters.parquet").is_file() {
        (String::new(), task)
    } else {
        // The names of tasks are in the metadata, and lead to files of this folder alone.
        let name = &tasks[task];
        if name.contains(['/', '\\']) {
            let (rule, remedy) = ("a task's name is no path", "mend the metadata");
            return Err(fault(about.display(), "task_names", name, rule, remedy));
        }
        (format!("{name}-"), 0)
    };
    folder.hyperparameters(&prefix)?;
    folder.domains()?;
    folder.evaluations(&prefix, at)?;
    folder.own()?;
    Ok(folder.gathered)
}

fn wrong(file: &Path, shape: &[usize], rule: &str) -> Error {
    let remedy = "restore the folder, or save the blackbox again";
    fault(file.display(), "shape", format!("{shape:?}"), rule, remedy)
}

/// Which task is read.
fn task(file: &Path, tasks: &[String], mapping: &Mapping) -> Result<usize> {
    let names = || tasks.iter().map(String::as_str);
    match &mapping.task {
        Some(wanted) => tasks.iter().position(|name| name == wanted).ok_or_else(|| {
            let remedy = format!("give --task: {}", suggest(wanted, names()));
            fault(file.display(), "task", wanted, "the folder holds no such task", remedy)
        }),
        None if tasks.len() == 1 => Ok(0),
        None => {
            let rule = "a table is made of one task";
            let remedy = format!("give --task: {}", suggest("", names()));
            Err(fault(file.display(), "task_names", tasks.len(), rule, remedy))
        }
    }
}

/// Columns that are kept whole.
#[derive(Default)]
struct Kept(Vec<Column>);

impl Rows for Kept {
    fn columns(&mut self, names: &[String]) -> Result<()> {
        self.0 = names.iter().map(|name| Column { name: name.clone(), cells: vec![] }).collect();
        Ok(())
    }

    fn row(&mut self, _: u32, cells: &[Cell<'_>]) -> Result<()> {
        for (column, cell) in self.0.iter_mut().zip(cells) {
            column.cells.push(cell.held());
        }
        Ok(())
    }
}

impl Folder<'_> {
    fn hyperparameters(&mut self, prefix: &str) -> Result<()> {
        let mut kept = Kept::default();
        parquet::rows(&self.dir.join(format!("{prefix}hyperparameters.parquet")), &mut kept)?;
        let count = kept.0.first().map_or(0, |column| column.cells.len());
        let is_wanted = |column: &Column| !self.mapping.drop.contains(&column.name);
        self.gathered.columns = kept.0.into_iter().filter(is_wanted).collect();
        self.gathered.ids = (0..count).map(|id| id.to_string()).collect();
        self.gathered.status = vec![None; count];
        Ok(())
    }

    /// The ranges that the configuration space gives.
    fn domains(&mut self) -> Result<()> {
        let path = self.dir.join("configspace.json");
        let Json::Object(space) = evaluations::document(&path)? else { return Ok(()) };
        let found = space.iter().filter_map(|(name, at)| Some((name.clone(), domain(at)?)));
        self.gathered.domains = found.collect();
        Ok(())
    }

    fn objective(&self, name: &str, option: &str) -> Result<usize> {
        let at = self.objectives.iter().position(|known| known == name);
        at.ok_or_else(|| no_column(&self.gathered.source, name, option, &self.objectives))
    }

    /// The objective of seconds, if there is one; `runs_on` says whether it runs on.
    fn seconds(&mut self) -> Result<Option<usize>> {
        let Seconds::Column(column) = &self.mapping.seconds else { return Ok(None) };
        if column == "seconds" && !self.objectives.contains(column) {
            let elapsed = self.metadata["metric_elapsed_time"].as_str().unwrap_or(column);
            let option = "give --seconds, with --cumulative-seconds where it runs on";
            let at = self.objective(elapsed, option)?;
            self.gathered.runs_on = true;
            return Ok(Some(at));
        }
        self.objective(column, "give --seconds").map(Some)
    }

    fn evaluations(&mut self, prefix: &str, task: usize) -> Result<()> {
        let metric = self.objective(&self.mapping.metric_column, "give --metric")?;
        let seconds = self.seconds()?;
        let path = self.dir.join(format!("{prefix}objectives_evaluations.npy"));
        let array = read_npy(&path)?;
        let stacked = usize::from(prefix.is_empty());
        let shape = array.shape.get(stacked..).unwrap_or_default();
        let &[configs, seeds, fidelities, objectives] = shape else {
            let rule = "must have configurations, seeds, fidelities and objectives";
            return Err(wrong(&path, &array.shape, rule));
        };
        let tasks = if stacked == 1 { array.shape[0] } else { 1 };
        let is_sound = configs == self.gathered.ids.len()
            && objectives == self.objectives.len()
            && task < tasks
            && u16::try_from(seeds).is_ok()
            && fidelities > 0;
        if !is_sound {
            let rule = format!(
                "must have a row a configuration ({}) and a column an objective ({})",
                self.gathered.ids.len(),
                self.objectives.len()
            );
            return Err(wrong(&path, &array.shape, &rule));
        }
        let epochs = self.fidelities(prefix, fidelities)?;
        self.gathered.repeats = (0_i64..).take(seeds).collect();
        let elapsed = self.metadata["metric_elapsed_time"].as_str();
        let is_other =
            |at: usize, name: &str| at != metric && Some(at) != seconds && Some(name) != elapsed;
        let dropped = |name: &String| self.mapping.drop.contains(name);
        let others: Vec<usize> = (0..objectives)
            .filter(|&at| is_other(at, &self.objectives[at]) && !dropped(&self.objectives[at]))
            .collect();
        let further = others.iter().map(|&at| (self.objectives[at].clone(), Vec::new()));
        self.gathered.further = further.collect();
        let lengths = self.metadata[OWN_KEY]["lengths"].clone();
        let is_own = self.metadata[OWN_KEY].is_object();
        for config in 0..configs {
            for seed in 0..seeds {
                let first = ((task * configs + config) * seeds + seed) * fidelities * objectives;
                let curve = Curve { values: &array, first, objectives };
                let length = match (is_own, lengths[config][seed].as_u64()) {
                    (true, Some(length)) => usize::try_from(length).unwrap_or(fidelities),
                    (true, None) => fidelities,
                    (false, _) => (0..fidelities)
                        .rposition(|at| !curve.at(at, metric).is_nan())
                        .map_or(0, |at| at + 1),
                };
                let epochs = &epochs[..length.min(fidelities)];
                let of = Taken { metric, seconds, others: &others, is_own };
                self.curve(&curve, (config, seed), &of, epochs);
            }
        }
        Ok(())
    }

    /// The numbers of the epochs.
    fn fidelities(&mut self, prefix: &str, count: usize) -> Result<Vec<f64>> {
        let names = ["fidelities_values.npy", "fidelity_values.npy"];
        let paths = names.map(|name| self.dir.join(format!("{prefix}{name}")));
        let Some(path) = paths.iter().find(|path| path.is_file()) else {
            let count = u32::try_from(count).expect("no more numbers than a file may have");
            return Ok((1..=count).map(f64::from).collect());
        };
        let found = read_npy(path)?;
        if found.shape != [count] {
            let rule = format!("must have one number a fidelity ({count})");
            return Err(wrong(path, &found.shape, &rule));
        }
        let mut sorted = found.values.clone();
        sorted.sort_unstable_by(f64::total_cmp);
        let is_counted = sorted.iter().zip(1_u32..).all(|(step, at)| *step == f64::from(at))
            || sorted.iter().zip(0_u32..).all(|(step, at)| *step == f64::from(at));
        self.gathered.ranks_epochs = !is_counted;
        Ok(found.values)
    }

    fn curve(
        &mut self,
        curve: &Curve<'_>,
        (config, seed): (usize, usize),
        of: &Taken<'_>,
        epochs: &[f64],
    ) {
        let config = u32::try_from(config).expect("fewer than rows of a file");
        let repeat = u16::try_from(seed).expect("checked with the shape");
        for (at, &epoch) in epochs.iter().enumerate() {
            self.gathered.rows_read += 1;
            let mut value = curve.at(at, of.metric);
            if value.is_nan() && !of.is_own {
                value = NOT_MEASURED;
                let place = format!("configuration {config}, fidelity {epoch}");
                let what = "NaN before a curve's end was not measured: it is null";
                self.gathered.quirks.count(what, || place);
            }
            let seconds = of.seconds.map_or(NOT_MEASURED, |seconds| curve.at(at, seconds));
            let row = Row { config, repeat, epoch, value, seconds, line: config };
            self.gathered.rows.push(row);
            for ((_, values), &other) in self.gathered.further.iter_mut().zip(of.others) {
                let value = curve.at(at, other);
                values.push(if value.is_nan() { NOT_MEASURED } else { value });
            }
        }
    }

    /// What curvebook itself keeps in the metadata.
    fn own(&mut self) -> Result<()> {
        let Some(own) = self.metadata[OWN_KEY].as_object().cloned() else { return Ok(()) };
        if let Some(all) = own.get("parameters").and_then(Json::as_array) {
            let file = self.dir.join(METADATA).display().to_string();
            let parameter = |at: &Json| {
                let fields = at.as_object().cloned().unwrap_or_default();
                raw::read(Fields::new(&file, "", fields), false)
            };
            let parameters = all.iter().map(parameter).collect::<Result<Vec<_>>>()?;
            self.gathered.fills_inactive = true;
            self.gathered.parameters = Some(parameters);
        }
        let words = own.get("status").and_then(Json::as_array).into_iter().flatten();
        for (status, word) in self.gathered.status.iter_mut().zip(words) {
            *status = word.as_str().and_then(Status::from_word);
        }
        for name in ["last_epoch", "setup_seconds"] {
            let Some(cells) = own.get(name).and_then(Json::as_array) else { continue };
            let mut cells: Vec<Held> = cells.iter().map(|at| jsonl::cell(at).held()).collect();
            cells.resize(self.gathered.ids.len(), Held::Missing);
            self.gathered.columns.push(Column { name: name.into(), cells });
        }
        Ok(())
    }
}

/// Which objectives are taken, and as what.
struct Taken<'a> {
    metric: usize,
    seconds: Option<usize>,
    others: &'a [usize],
    /// Whether curvebook wrote the folder: NaN is divergence then.
    is_own: bool,
}

/// A curve in an array.
struct Curve<'a> {
    values: &'a Array,
    first: usize,
    objectives: usize,
}

impl Curve<'_> {
    fn at(&self, fidelity: usize, objective: usize) -> f64 {
        self.values.values[self.first + fidelity * self.objectives + objective]
    }
}

/// A domain of Syne Tune; none where the values have to show it.
fn domain(of: &Json) -> Option<Domain> {
    let about = &of["domain_kwargs"];
    let log = of["sampler_cls"] == json!("LogUniform");
    match of["domain_cls"].as_str()? {
        "Integer" => {
            let (low, high) = (about["lower"].as_i64()?, about["upper"].as_i64()?);
            Some(Domain::Int { low, high, log: log && low > 0 })
        }
        "Float" => {
            let (low, high) = (about["lower"].as_f64()?, about["upper"].as_f64()?);
            Some(Domain::Float { low, high, log: log && low > 0.0 })
        }
        "Categorical" | "Ordinal" | "OrdinalNearestNeighbor" => {
            let all = about["categories"].as_array()?;
            let texts = || all.iter().map(|at| at.as_str().map(str::to_string)).collect();
            let ints = || all.iter().map(Json::as_i64).collect::<Option<Vec<_>>>();
            let floats = || all.iter().map(Json::as_f64).collect::<Option<Vec<_>>>();
            if let Some(choices) = texts() {
                return Some(Domain::Categorical { choices });
            }
            let values = ints().map(|mut values| {
                values.sort_unstable();
                Numbers::Int(values)
            });
            let values = values.or_else(|| {
                floats().map(|mut values| {
                    values.sort_unstable_by(f64::total_cmp);
                    Numbers::Float(values)
                })
            });
            values.map(|values| Domain::Ordinal { values })
        }
        _ => None,
    }
}
